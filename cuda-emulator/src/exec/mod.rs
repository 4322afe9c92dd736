//! Running a decoded kernel: one file for each family of instructions, then warps, blocks and launches.

pub mod access;
pub mod approximate;
pub mod atomic;
pub mod bits;
pub mod block;
pub mod compare;
pub mod convert;
pub mod exchange;
pub mod float;
pub mod half;
pub mod integer;
pub mod launch;
pub mod opcode;
pub mod registers;
pub mod rounding;
pub mod warp;
