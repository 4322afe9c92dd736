//! Texts as instances: features are words, occurrences of words or sentences.
//!
//! # Choosing
//! Words alike share a feature by default, since most models see words, not places; occurrences are for texts where the place
//! matters, sentences for long ones. What takes the place of a removed feature should be what the model takes for nothing:
//! nothing at all, or its mask token.

mod instance;
mod sentences;
mod settings;
mod split;
#[cfg(feature = "cuda")]
mod tokens;

pub use instance::{TextBuilder, TextInstance};
pub use settings::{Removed, Unit};
pub use split::{Split, WordPattern};
#[cfg(feature = "cuda")]
pub use tokens::TokenText;
