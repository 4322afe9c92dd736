//! `lipex batch`.

mod input;
mod instances;
mod journal;
mod progress;
mod queue;
mod report;
mod run;
mod write;

pub use run::run;
