//! Texts as instances: features are words, occurrences of words or sentences.

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
