//! Options of `lipex batch`.

use super::{ModelOptions, WordOptions};
use crate::named::{Named, OfTexts};
use clap::Args;

const NOTES: &str = "OUT.part is the journal: a line of JSON a row as rows are done, in the order of the table. A run that is
killed, interrupted or out of room goes on when the same command is given again, and what it writes at last does not depend on
that, nor on --workers. When no row failed the journal is gone with the run.

Exit codes: 0 done; 2 a mistake in what was asked, or no room to write; 3 the model failed (of a program: more than --restarts
times in a row); 4 done, but rows failed; 130 interrupted.";

#[derive(Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
pub struct BatchOptions {
    /// The table: .csv or .tsv with a line of names, .jsonl with an object a line, .parquet where the command is built with that;
    /// or a folder of photos
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Where the explanations go, a row each (docs/batch.md): .jsonl, or .parquet where the command is built with that
    #[arg(short = 'o', long = "out", value_name = "OUT")]
    pub out: String,
    /// What FILE is, where its name does not say: csv, tsv, jsonl, parquet
    #[arg(long, value_name = "FORMAT", help_heading = "Table")]
    pub format: Option<String>,
    /// The column with the texts [default: text, or the only one]
    #[arg(long, value_name = "NAME", help_heading = "Table")]
    pub text_column: Option<String>,
    /// The column with the paths of photos, from where the table is, in place of texts
    #[arg(long, value_name = "NAME", conflicts_with = "text_column", help_heading = "Table")]
    pub image_column: Option<String>,
    /// The column that tells rows apart [default: the row's number, from 0; of a folder the file's name]
    #[arg(long, value_name = "NAME", help_heading = "Table")]
    pub id_column: Option<String>,
    /// Only part I of N of the table, from 1, in the order of its rows: for N machines. The parts one after the other are the whole
    #[arg(long, value_name = "I/N", help_heading = "Table")]
    pub shard: Option<String>,

    /// Rows at once: as many programs, or as many times the model in memory. Does not change the result
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Running")]
    pub workers: usize,
    /// Begin anew: what a run before this one has done is lost
    #[arg(long, conflicts_with = "retry_failed", help_heading = "Running")]
    pub restart: bool,
    /// Only the rows that failed in a run before this one
    #[arg(long, help_heading = "Running")]
    pub retry_failed: bool,
    /// Stop when so many rows have failed [default: never]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub max_failures: Option<usize>,
    /// How many times in a row a program that fails is started again
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Running")]
    pub restarts: usize,
    /// Say nothing on the way
    #[arg(long, help_heading = "Running")]
    pub quiet: bool,
    /// Save the summary as a page
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub html: Option<String>,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub settings: Named<OfTexts>,
    #[command(flatten)]
    pub words: WordOptions,
    /// Of photos: the segments, as lipex image has them
    #[arg(long, value_name = "SEGMENTS", help_heading = "Image")]
    pub segments: Option<String>,
    /// Of photos: what a removed segment becomes, as lipex image has it [default: mean]
    #[arg(long, value_name = "B", help_heading = "Image")]
    pub baseline: Option<String>,
    /// Of photos: what shines through a transparent one [default: white]
    #[arg(long, value_name = "COLOUR", help_heading = "Image")]
    pub background: Option<String>,
}
