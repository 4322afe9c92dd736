//! Rows of tables: instances, backgrounds, functions as black boxes.

mod background;
mod function;
mod instance;
mod table;

pub use background::Reference;
pub use function::TabularFn;
pub use instance::TabularInstance;
pub use table::Table;
