//! Options of `lipex match`.

use super::ModelOptions;
use crate::named::{Named, OfMatch};
use clap::Args;

const NOTES: &str = "A model of two texts: a dual encoder, which encodes each text alone (onnx:FOLDER as sentence-transformers \
exports it, or a program that says \"embeddings\": true), or a model that reads both at once, with classes or with one number (a \
cross-encoder in onnx:FOLDER, or a program that says \"pairs\": true).

What is learnt is bilinear: what each word does alone, and what a word of the one text does beside a word of the other \
(InteractionLIME; docs/relatives.md).

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

#[derive(Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
pub struct MatchOptions {
    /// The first text; - reads it from standard input
    #[arg(value_name = "TEXT_A")]
    pub first: String,
    /// The second text; - reads it from standard input
    #[arg(value_name = "TEXT_B")]
    pub second: String,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub settings: Named<OfMatch>,
    /// With a dual encoder: texts of each side that are encoded for the fit; half as many more judge it [default: 80]
    #[arg(long, value_name = "M", help_heading = "Sampling")]
    pub encodings: Option<usize>,
    /// With other models: pairs of masks that are asked for; a quarter more judge the fit [default: 4(d1 + 1)(d2 + 1) for texts of d1
    /// and d2 words]
    #[arg(long, value_name = "N", help_heading = "Sampling")]
    pub samples: Option<usize>,
    /// The seed of the masks [default: 0]
    #[arg(long, value_name = "S", help_heading = "Sampling")]
    pub seed: Option<u64>,
    /// Take the model's number s for the probability of a match, 1/(1 + exp(-SCALE(s - SHIFT))), and explain its log-odds
    #[arg(long, value_name = "SCALE", help_heading = "Method")]
    pub scale: Option<f64>,
    /// With --scale: the number that is a match with probability 1/2 [default: 0]
    #[arg(long, value_name = "SHIFT", requires = "scale", help_heading = "Method")]
    pub shift: Option<f64>,

    /// The class that is explained [default: the likeliest; with --scale, match]
    #[arg(long, value_name = "CLASS", help_heading = "Output")]
    pub class: Option<String>,
    /// Pairs and words listed
    #[arg(long, value_name = "K", default_value_t = 8, help_heading = "Output")]
    pub top: usize,
    /// Save a page: both texts, and lines between the words that act together. One file, no network; - is standard output
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub html: Option<String>,
    /// Save what was learnt (docs/json.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub json: Option<String>,
}
