//! Options of `lipex experiment`.

use super::{ModelOptions, WordOptions};
use crate::named::{Named, OfAttribution};
use clap::{Args, Subcommand};

const NOTES: &str = "FOLDER gets results.jsonl (a line an input, method and round), summary.json, table.md, table.csv and figures as SVG. \
A run that is killed goes on when the same command is given again: what is done lies in FOLDER/results.part until the end. Lines hold \
row numbers, no texts.

Exit codes: 0 done; 2 a mistake in what was asked, or no room to write; 3 the model failed at every input; 4 done, but inputs failed.";

#[derive(Subcommand)]
pub enum ExperimentCommand {
    /// Total variation between model and surrogate: at the instance, out of fold, on fresh masks, near (the paper's Fig. 3)
    Fidelity(ExperimentOptions),
    /// Accuracy, and total variation between models and between their surrogates, as noise on the model's last layer grows (Fig. 4)
    Distortion(ExperimentOptions),
    /// Whether the class changes when the first 1 to 5 features are removed; AOPC comprehensiveness and sufficiency (Tables 1, 2, 4)
    Ablation(ExperimentOptions),
    /// Whether the surrogate predicts the model's class of the same damaged input (Table 3)
    Reprediction(ExperimentOptions),
    /// Overlap of rankings when masks are confined to an angle, and when they are drawn again (Fig. 5, Table 7)
    Stability(ExperimentOptions),
    /// Overlap of what holds the two likeliest classes up (the claim of Fig. 1)
    Classes(ExperimentOptions),
    /// Calls and wall time to a stated trust: how often an independent large run breaks the first three features (Table 5)
    Time(ExperimentOptions),
    /// One page of experiments that are done
    Report(ExperimentReportOptions),
}

#[derive(Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
pub struct ExperimentOptions {
    /// The inputs, as lipex batch takes them: .csv, .tsv, .jsonl, .parquet where the command is built with that, or a folder of photos
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub data: String,
    /// What FILE is, where its name does not say: csv, tsv, jsonl, parquet
    #[arg(long, value_name = "FORMAT", help_heading = "Inputs")]
    pub format: Option<String>,
    /// The column with the texts [default: text, or the only one]
    #[arg(long, value_name = "NAME", help_heading = "Inputs")]
    pub text_column: Option<String>,
    /// The column with the paths of photos, in place of texts
    #[arg(long, value_name = "NAME", conflicts_with = "text_column", help_heading = "Inputs")]
    pub image_column: Option<String>,
    /// Only rows A to B of FILE, counted from 0, without B [default: all]
    #[arg(long, value_name = "A..B", help_heading = "Inputs")]
    pub rows: Option<String>,
    /// So many of these rows, at equal distances
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, help_heading = "Inputs")]
    pub count: usize,
    #[command(flatten)]
    pub settings: Named<OfAttribution>,
    #[command(flatten)]
    pub words: WordOptions,
    /// Of photos: the segments, as lipex image has them
    #[arg(long, value_name = "SEGMENTS", help_heading = "Inputs")]
    pub segments: Option<String>,
    /// Of photos: what a removed segment becomes, as lipex image has it [default: mean]
    #[arg(long, value_name = "B", help_heading = "Inputs")]
    pub baseline: Option<String>,

    /// What is compared, the first with each other: a preset with settings, PRESET or PRESET:NAME=VALUE,NAME=VALUE (lipex:divergence=kl,
    /// lime:samples=1000; docs/settings.md has the names), leave-one-out, random; of
    /// texts also saliency, input-x-gradient, guided, integrated-gradients, deeplift, smoothgrad, with --model onnx:FOLDER and a lipex that
    /// was built with the feature gradients [default: those of the paper's experiment]
    #[arg(long, value_name = "METHOD", num_args = 1.., help_heading = "Experiment")]
    pub methods: Vec<String>,
    /// How often every method draws anew at each input
    #[arg(long, value_name = "N", default_value_t = 3, help_heading = "Experiment")]
    pub rounds: usize,
    /// What a removed word (as --removed has it) or segment (as --baseline) becomes when a ranking is judged [default: what it becomes
    /// when it is made]
    #[arg(long, value_name = "B", help_heading = "Experiment")]
    pub judge: Option<String>,
    /// Damage texts as the paper's released scripts do when a ranking is judged: words are cut out of other words too, and the rest
    /// after 128 characters is dropped
    #[arg(long, conflicts_with = "judge", help_heading = "Experiment")]
    pub as_released: bool,
    /// Of distortion: standard deviations of the noise on the last layer's weights, in those of the weights
    /// [default: 1,2,5,10,20]
    #[arg(long, value_name = "S,S,…", help_heading = "Experiment")]
    pub sigmas: Option<String>,
    /// Of distortion: also models whose last so many layers have their weights in random order
    #[arg(long, value_name = "N,N,…", help_heading = "Experiment")]
    pub shuffled: Option<String>,
    /// Of distortion: the column with each input's class, for the accuracy
    #[arg(long, value_name = "NAME", help_heading = "Experiment")]
    pub label_column: Option<String>,
    /// The folder of the results; it is made if it is not there
    #[arg(short = 'o', long, value_name = "FOLDER", help_heading = "Output")]
    pub out: String,
    /// Begin anew: what a run before this one has done is lost
    #[arg(long, help_heading = "Output")]
    pub restart: bool,
    /// Say nothing on the way
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,

    #[command(flatten)]
    pub model: ModelOptions,
}

#[derive(Args)]
pub struct ExperimentReportOptions {
    /// Folders of experiments that are done
    #[arg(value_name = "FOLDER", required = true)]
    pub folders: Vec<String>,
    /// Where the page goes; - is standard output
    #[arg(long, value_name = "F", default_value = "experiments.html")]
    pub html: String,
}
