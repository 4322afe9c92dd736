//! Every instruction against Rust's arithmetic, or against values from Python's exact fractions, over edge values.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "operand lists read alike, whatever their length")]
#![allow(clippy::precedence, reason = "bit formulas read as in PTX's own definitions")]
#![allow(clippy::type_complexity, reason = "tables of names and functions")]

mod approximate;
mod bits;
mod calls;
mod compare;
mod convert;
mod exchange;
mod float;
mod harness;
mod integer;
mod memory;
mod refused;
mod rounding;

/// Operations are compiled twice, plainly and for AVX2: all tests again with the other form, in a process of its own.
#[test]
fn all_of_it_without_vectors() {
    let exe = std::env::current_exe().expect("the test's path");
    let mut command = std::process::Command::new(exe);
    command.args(["instructions::", "--skip", "all_of_it_without_vectors"]).env("CUDA_EMULATOR_VECTORS", "0");
    let output = command.output().expect("a process");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("0 failed") && !text.contains("ok. 0 passed"), "{text}");
}
