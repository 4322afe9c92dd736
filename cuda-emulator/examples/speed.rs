//! How many instructions a second the interpreter executes on one thread: `cargo run --release --example speed`.

use std::collections::HashMap;
use std::time::Instant;

use cuda_emulator::decode::{self, Settings};
use cuda_emulator::exec::launch::{Launch, Limits};
use cuda_emulator::memory::heap::Heap;
use cuda_emulator::ptx;

fn main() {
    let module = ptx::parse(include_str!("../tests/ptx/loops.ptx")).expect("PTX");
    let addresses: HashMap<String, u64> = module.variables.iter().map(|v| (v.name.clone(), 0)).collect();
    let settings = Settings { addresses: &addresses, perturb: false };
    let limits = Limits { threads: 1, loops: u64::MAX, backwards: false };
    let mut heap = Heap::default();
    let out = heap.allocate(1 << 20, false, true).expect("memory");
    let input = heap.allocate(4 << 16, false, true).expect("memory");
    for kernel in &module.kernels {
        let program = decode::decode(&module, kernel, &settings).expect("known instructions");
        let mut params = out.to_le_bytes().to_vec();
        if program.params.len() == 3 {
            params.extend(input.to_le_bytes());
        }
        params.extend(2000u32.to_le_bytes());
        let launch = Launch {
            program: &program,
            grid: [16, 1, 1],
            block: [256, 1, 1],
            dynamic_shared: 0,
            params: &params,
            heap: &heap,
            recorder: None,
        };
        let start = Instant::now();
        let counters = launch.run(&limits).expect("no fault");
        let seconds = start.elapsed().as_secs_f64();
        let rate = counters.thread_instructions as f64 / seconds / 1e9;
        println!("{:<14} {:>9} thread instructions, {rate:.2} G a second", kernel.name, counters.thread_instructions);
    }
}
