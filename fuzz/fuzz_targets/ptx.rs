//! Any bytes as PTX: the parser and the decoder answer without a panic, without end or memory out of proportion.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(source) = std::str::from_utf8(data) {
        let _ = cuda_emulator::inspect::inspect(source);
        // Most bytes fail in the first line; behind a good one they come further.
        let _ = cuda_emulator::inspect::inspect(&format!(".version 8.0\n.target sm_75\n.address_size 64\n{source}"));
    }
});
