//! Options of `lipex tabular`.

use super::{EXIT_CODES, ModelOptions, SaveOptions, View};
use crate::named::{Named, OfRows};
use clap::Args;

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_negative_numbers = true)]
pub struct TabularOptions {
    /// The table: CSV with a line of names (.tsv: with tabs). A column whose values are all numbers is one of numbers, any other one
    /// of categories; an empty value is missing. - reads standard input
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// The row to explain, from 0
    #[arg(long, value_name = "I", help_heading = "Table")]
    pub row: usize,
    /// Columns that the model does not get, such as an id or the answer: A,B,…
    #[arg(long, value_name = "COLUMNS", help_heading = "Table")]
    pub ignore_columns: Option<String>,
    /// A table whose values take the place of removed ones, with the same columns [default: the other rows of TABLE]
    #[arg(long, value_name = "FILE", help_heading = "Table")]
    pub background: Option<String>,
    /// What of the background: mean or median (one row; of categories the commonest), row:J, or sample:K, K rows over which the
    /// model's probabilities are averaged
    #[arg(long, value_name = "R", default_value = "sample:100", help_heading = "Table")]
    pub reference: String,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub settings: Named<OfRows>,
    /// Also find what would make the prediction class B: the fewest columns, in order of what they add for the predicted class
    /// against B, without which the surrogate says B. The model is asked once more to check it
    #[arg(long, value_name = "B", help_heading = "Output")]
    pub flip_to: Option<String>,
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub save: SaveOptions,
}
