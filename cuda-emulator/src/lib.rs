#![doc = include_str!("../README.md")]

pub mod decode;
pub mod driver;
pub mod exec;
pub mod inspect;
pub mod memory;
pub mod ptx;
pub mod report;
