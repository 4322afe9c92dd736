//! Many explanations as a table: a row an instance, and what the rows have in common.

mod row;
mod summary;

pub use row::{BATCH_SCHEMA, BatchRow, RowId};
pub use summary::{ClassSummary, FailureSummary, Quartiles, Summary, WordSummary};
