//! Any line as a program's first line or as its answer: read, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| lipex::fuzz_protocol(line));
