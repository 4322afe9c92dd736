//! Options of `lipex compare`.

use super::EXIT_CODES;
use clap::Args;

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct CompareOptions {
    /// The first explanation, saved by --json; - reads standard input
    #[arg(value_name = "A.json")]
    pub first: String,
    /// The second, of the same input: by another model, another run, other settings
    #[arg(value_name = "B.json")]
    pub second: String,
    /// Classes laid side by side: top:N by the first's probabilities, all, or names A,B,… [default: what either predicts]
    #[arg(long, value_name = "WHICH", help_heading = "Output")]
    pub classes: Option<String>,
    /// Words or segments listed for a class
    #[arg(long, value_name = "K", default_value_t = 10, help_heading = "Output")]
    pub top: usize,
    /// Save a page with both side by side; - is standard output, in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub html: Option<String>,
}
