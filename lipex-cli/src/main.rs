//! The command `lipex`.
fn main() {}
