//! Every instruction against Rust's arithmetic, or against values from Python's exact fractions, over edge values.

mod approximate;
mod bits;
mod compare;
mod convert;
mod exchange;
mod float;
mod harness;
mod integer;
mod memory;
mod refused;
mod rounding;
