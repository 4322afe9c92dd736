//! The reference backend: every stage on the CPU.
//!
//! Masks are bits, products with masks are table look-ups, and nothing depends on the number of threads. A file is named
//! after the stage that it holds.

mod backend;
mod candidates;
mod design;
mod evaluate;
mod fit;
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
mod weigh;

pub use backend::Cpu;
pub use evaluate::fidelity;
pub use fit::given_pairs;
