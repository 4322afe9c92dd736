//! Every instruction against Rust's arithmetic, or against values from Python's exact fractions, over edge values.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "operand lists read alike, whatever their length")]
#![allow(clippy::precedence, reason = "bit formulas read as in PTX's own definitions")]
#![allow(clippy::type_complexity, reason = "tables of names and functions")]

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
