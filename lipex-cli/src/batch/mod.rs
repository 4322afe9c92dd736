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

pub use run::run;
