//! cuda-emulator
