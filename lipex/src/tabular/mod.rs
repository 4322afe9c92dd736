//! Rows of tables: instances, backgrounds, functions as black boxes.
//!
//! # Features
//! A feature is a column. A removed value is replaced by what the background says: the mean or the median of numbers, the
//! commonest category, or a row of the table, so that a mask is a row that the model could have seen.

mod background;
mod function;
mod instance;
mod table;

pub use background::Reference;
pub use function::TabularFn;
pub use instance::TabularInstance;
pub use table::Table;
