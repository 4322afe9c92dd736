//! cuda-emulator

pub mod decode;
pub mod driver;
pub mod exec;
pub mod memory;
pub mod ptx;
pub mod report;
