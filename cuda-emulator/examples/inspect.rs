//! Says of PTX files whether the emulator knows all of it, and what each kernel uses: `cargo run --example inspect FILE…`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for path in std::env::args().skip(1) {
        let read = std::fs::read_to_string(&path).map_err(|e| e.to_string());
        match read.and_then(|source| cuda_emulator::inspect::inspect(&source).map_err(|e| e.to_string())) {
            Ok(kernels) => {
                for k in kernels {
                    let total: usize = k.opcodes.values().sum();
                    println!("{path}: {}: {total} instructions, {} opcodes", k.name, k.opcodes.len());
                    println!("  shared {} bytes, local {} bytes, blocks in order: {}", k.shared, k.local, k.ordered);
                    let list: Vec<String> = k.opcodes.iter().map(|(opcode, n)| format!("{opcode} {n}")).collect();
                    println!("  {}", list.join(", "));
                }
            }
            Err(message) => {
                eprintln!("{path}: {message}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
