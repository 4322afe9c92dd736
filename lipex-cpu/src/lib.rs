//! The reference backend: every stage on the CPU.
//!
//! Masks are bits, products with masks are table look-ups, and nothing depends on the number of threads. A file is named
//! after the stage that it holds.
//!
//! # Where to begin
//! A program that wants the CPU and no backend parameter: [`prelude`]. Someone who reads the code: `backend.rs` (threads,
//! stopping), then `perturb.rs`, `select.rs`, `fit/mod.rs` (the map of the fit's files) and `evaluate.rs`, one a stage.
//!
//! ```
//! use lipex_core::{Draw, Perturber, UniformSize};
//! use lipex_cpu::Cpu;
//!
//! // A stage alone: 5 masks of 3 features, row 0 the instance.
//! let sample = UniformSize::default().perturb(&Cpu::new(), &Draw::whole(&[3], 5, 7))?.remove(0);
//! assert_eq!((sample.masks.rows(), sample.masks.features()), (5, 3));
//! assert_eq!(sample.masks.count(0), 3);
//! # Ok::<(), lipex_core::Error>(())
//! ```
//!
//! # Promises
//! * Equal seeds give equal masks to the bit, on any machine and any backend.
//! * An explanation is the same to the bit whatever the number of threads, the batch size, and what else is explained beside
//!   it.
//! * No input panics: what does not fit is an [`Error`](lipex_core::Error) that names it.

mod backend;
mod candidates;
mod design;
mod evaluate;
mod fit;
mod interaction;
mod lanes;
mod lars;
mod least_squares;
mod linalg;
mod mt19937;
mod normal;
mod perturb;
pub mod prelude;
mod ridge;
pub mod sandwich;
mod select;
mod shapley;
mod softmax;
mod tree;
mod weigh;

pub use backend::Cpu;
pub use evaluate::fidelity;
pub use fit::given_pairs;
pub use interaction::InteractionLime;
