//! PTX text: tokens, syntax tree, types. Nothing here knows what an instruction does.

pub mod lexer;
mod parser;
mod tree;
mod types;

pub use parser::parse;
pub use tree::*;
pub use types::*;

/// Why a module is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The line in the PTX text, counted from 1.
    pub line: u32,
    /// What is wrong, in one line.
    pub message: String,
}

impl Refusal {
    /// A refusal at `line`.
    pub fn new(line: u32, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for Refusal {}
