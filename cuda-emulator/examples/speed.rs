//! How many instructions a second the interpreter executes of processor time: `cargo run --example speed`.

use std::collections::HashMap;

use cuda_emulator::decode::{self, Settings};
use cuda_emulator::exec::launch::{Launch, Limits};
use cuda_emulator::memory::heap::Heap;
use cuda_emulator::ptx;

/// Processor time of this thread: other programs on the machine do not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux's accounting");
    text.split(' ').next().and_then(|n| n.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

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
        params.extend(20_000u32.to_le_bytes());
        let launch = Launch {
            program: &program,
            grid: [16, 1, 1],
            block: [256, 1, 1],
            dynamic_shared: 0,
            params: &params,
            heap: &heap,
            recorder: None,
            between: None,
        };
        let start = cpu_seconds();
        let counters = launch.run(&limits).expect("no fault");
        let seconds = cpu_seconds() - start;
        let rate = counters.thread_instructions as f64 / seconds / 1e9;
        println!("{:<14} {:>9} thread instructions, {rate:.2} G a second", kernel.name, counters.thread_instructions);
    }
}
