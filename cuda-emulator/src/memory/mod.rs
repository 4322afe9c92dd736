//! Device memory with its watch over blocks, shared memory with its watch over threads, and the counting of transactions.

pub mod between;
pub mod footprint;
pub mod heap;
pub mod shared;
pub mod traffic;
