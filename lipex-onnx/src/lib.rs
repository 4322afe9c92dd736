//! Classifiers in ONNX folders, as the ecosystem exports them, as black boxes for lipex.
//!
//! A folder has `model.onnx`, `config.json` with the classes' names and, for texts, `tokenizer.json`, for images
//! `preprocessor_config.json`. The graph runs in process, in pure Rust ([rten](https://docs.rs/rten)), or, with the
//! feature `ort`, by a libonnxruntime of the user's ([`OnnxOptions::onnx_runtime`]).
//!
//! ```no_run
//! use lipex_onnx::{OnnxOptions, OnnxText};
//!
//! let model = OnnxText::open("my-classifier")?;
//! let rows = model.logits(&["so good", "so bad"])?; // what the graph says, a row a text
//! let cut = OnnxOptions::new().max_tokens(256).open_text("my-classifier")?;
//! # Ok::<(), lipex_core::Error>(())
//! ```
//!
//! What is missing in a folder, or contradicts itself, is an error of one line that names the file and the key.

mod answers;
mod batches;
mod classes;
mod expected;
mod files;
#[cfg(feature = "gradients")]
mod gradients;
mod graph;
mod image;
#[cfg(feature = "ort")]
mod library;
mod options;
#[cfg(feature = "ort")]
mod ort;
mod pairs;
mod preprocess;
mod resize;
mod runtime;
mod table;
mod text;
mod tokens;
mod wire;
mod workers;

pub use expected::Expected;
#[cfg(feature = "gradients")]
pub use gradients::{ImageGradients, MarkedPicture, MarkedText, TextGradients};
pub use image::OnnxImage;
pub use options::{Input, OnnxOptions};
pub use pairs::{OnnxCross, OnnxEncoder, OnnxPairs};
pub use table::OnnxTable;
pub use text::OnnxText;
pub use tokens::Seen;
