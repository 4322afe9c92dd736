//! Explain a text classifier around one input, for every class at once.

mod command;
mod function;
mod json;
mod text;

pub use command::CommandModel;
pub use function::{Outputs, TextFn};
pub use json::{SCHEMA, from_json, to_json};
pub use lipex_core::*;
pub use lipex_cpu::*;
pub use text::{Removed, Split, TextBuilder, TextInstance, Texts, Unit};
