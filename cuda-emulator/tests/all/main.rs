//! Tests of the emulator, one program: through cudarc and the driver's functions, and on the interpreter alone.
//!
//! Whatever needs a process of its own (a setting is read once a process) runs this program again with one test's name.
//!
//! `instructions` and `parser` use the crate's Rust code, a second copy beside the library that cudarc finds. They interpret
//! only and share nothing with it.

mod common;
mod cudarc;
mod driver;
mod environment;
mod instructions;
mod mutants;
mod parser;
