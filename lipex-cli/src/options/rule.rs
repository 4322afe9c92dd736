//! Options of `lipex rule`.

use super::{InstanceOptions, ModelOptions};
use clap::Args;

const NOTES: &str = "A rule names features that, kept, keep the prediction whatever else is removed (Anchors, Ribeiro and others 2018). \
Masks keep every other feature with probability 1/2; a mask that is drawn again is not asked for again. A model that says the same \
of everything has the empty rule.

Exit codes: 0 done, also where no rule was found, which the report says; 2 a mistake in what was asked (nothing is written); 3 the \
model failed.";

#[derive(Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
pub struct RuleOptions {
    #[command(flatten)]
    pub of: InstanceOptions,

    /// Of what share of the masks that keep the rule the prediction must hold [default: 0.95]
    #[arg(long, value_name = "SHARE", help_heading = "Rule")]
    pub precision: Option<f64>,
    /// The chance that a bound of the precision is wrong [default: 0.1]
    #[arg(long, value_name = "SHARE", help_heading = "Rule")]
    pub delta: Option<f64>,
    /// How much less precise than the best of its size a rule may be; smaller costs more calls [default: 0.15]
    #[arg(long, value_name = "SHARE", help_heading = "Rule")]
    pub tolerance: Option<f64>,
    /// Sets of features of a size that are followed; more cost many times the calls [default: 1]
    #[arg(long, value_name = "N", help_heading = "Rule")]
    pub beam: Option<usize>,
    /// Masks that are drawn at a time for a set of features [default: 10]
    #[arg(long, value_name = "N", help_heading = "Rule")]
    pub batch: Option<usize>,
    /// Most masks that are drawn [default: 20000]
    #[arg(long, value_name = "N", help_heading = "Rule")]
    pub max_rows: Option<usize>,
    /// The seed of the masks [default: 0]
    #[arg(long, value_name = "S", help_heading = "Rule")]
    pub seed: Option<u64>,

    #[command(flatten)]
    pub model: ModelOptions,
    /// What a removed segment of a photo becomes, as lipex image takes it [default: mean]
    #[arg(long, value_name = "B", help_heading = "Image")]
    pub baseline: Option<String>,
    /// Save the rule (docs/json.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub json: Option<String>,
    /// Save the photo with nothing but the rule's segments, the rest as removed, as PNG
    #[arg(long, value_name = "F.png", help_heading = "Output")]
    pub show: Option<String>,
}
