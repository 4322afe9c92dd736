//! Texts as instances: features are words, occurrences of words or sentences.

mod instance;
mod settings;
mod split;
mod tokens;

pub use instance::{TextBuilder, TextInstance};
pub use settings::{Removed, Split, Unit};
pub use tokens::TokenText;
