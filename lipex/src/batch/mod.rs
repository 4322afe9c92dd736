//! Many explanations as a table: a row an instance, and what the rows have in common.
//!
//! # Order
//! Rows come out in the order of the instances, whatever ran at the same time; a row that failed has its reason in the place
//! of an explanation.

mod row;
mod summary;

pub use row::{BATCH_SCHEMA, BatchRow, RowId};
pub use summary::{ClassSummary, FailureSummary, Quartiles, Summary, WordSummary};
