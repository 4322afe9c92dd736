//! `lipex batch`.

pub mod input;
mod instances;
mod journal;
#[cfg(feature = "parquet")]
mod parquet;
mod progress;
mod queue;
mod report;
mod run;
mod write;

pub use input::{Columns, Input};
pub use journal::{Former, Journal};
pub use progress::Progress;
pub use run::run;
