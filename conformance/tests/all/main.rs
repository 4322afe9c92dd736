//! The suite on every backend that lipex has, one program: the CPU, and a CUDA device or the emulator in its place.
//!
//! Tests of drivers that are broken, too old or short of memory run this program again, in a process with that driver.

mod cpu;
mod cuda;
mod device;
mod layout;
mod mutants;
mod references;
mod render;
mod traffic;
mod unavailable;
