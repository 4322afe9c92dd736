//! A small classifier of the emotion of English sentences, embedded in the program: something real to explain.
//!
//! TF-IDF weights of known words and of pairs of neighbouring words → 32 ReLU units → softmax over seven classes. Its
//! tokens depend on the ordered words alone, so dropping words from the text and dropping them from the list of words are
//! the same. What it was trained on, how well it does and what it is not good for is in MODEL_CARD.md.
//!
//! ```
//! let demo = lipex_demo::Demo::embedded();
//! let p = demo.probabilities("Thank you so much, this made my day!");
//! let joy = demo.classes().iter().position(|c| *c == "joy").unwrap();
//! assert!(p.iter().all(|v| *v <= p[joy]));
//! ```

mod net;
mod tokens;
mod weights;

pub use net::{CLASSES, Demo, Layers, UNITS};
pub use tokens::{bigram_hash, word_hash, word_hashes, words};
pub use weights::Malformed;
