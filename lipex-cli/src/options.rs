//! The options, and what `--help` says of them.

use crate::fit::FitOptions;
use crate::perturb::PerturbOptions;
use crate::select::SelectOptions;
use clap::{Args, Parser, Subcommand};

pub const EXIT_CODES: &str =
    "Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

const EXCLUSIONS: &str = "What excludes what:
  TEXT, --file and - are three ways to give one text.
  Surrogates other than softmax have no --lambda, --lambda-scale, --normalise, --starts, --tolerance; ridge and kernel-shap
  no --divergence either; authors and kernel-shap no --intercept. Only a ridge has --alpha; only a
  softmax with an intercept has --pairs.
  --sampler exhaustive draws every mask there is: no --samples, no --within-angle.
  --sampler kernel-shap weighs masks itself: no --proximity.
  --adaptive finds the number of masks itself: no --samples, and a sampler that can be extended (uniform-size, antithetic,
  bernoulli, weight-proportional). --settled and --half-width exclude each other.
  --within-angle goes with uniform-size and bernoulli alone.
  --unit sentence has no --ignore-words.

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

const IMAGE_NOTES: &str = "Defaults that differ from those of texts: masks are bernoulli (each segment kept with probability ½), as LIME's
and the paper's for images; --preset lime has 1000 masks and keeps every segment. A segment map must have the size of
the upright photo. --sampler lime draws what LIME draws when explain_instance is given a random_seed; without one it draws a
number first, and its masks are others.

What excludes what:
  A ridge (--surrogate ridge, --preset lime) has no --divergence, --lambda, --lambda-scale, --normalise, --starts,
  --tolerance; a softmax has no --alpha.
  --sampler exhaustive draws every mask there is: no --samples, no --within-angle.
  --adaptive finds the number of masks itself: no --samples, and a sampler that can be extended (uniform-size, antithetic,
  bernoulli, weight-proportional). --settled and --half-width exclude each other.
  --within-angle goes with uniform-size and bernoulli alone.

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

/// Explains what a classifier does around one text or image, for every class at once (LIPEX).
#[derive(Parser)]
#[command(name = "lipex", version, after_help = EXIT_CODES)]
pub struct Options {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Explain a text
    Text(Box<TextOptions>),
    /// Explain an image, given its segments
    Image(Box<ImageOptions>),
    /// Render a saved explanation again
    Show(ShowOptions),
    /// Draw masks alone, as a NumPy file (docs/stages.md)
    Perturb(PerturbOptions),
    /// Select features alone, from NumPy files (docs/stages.md)
    Select(SelectOptions),
    /// Fit a surrogate alone, from NumPy files (docs/stages.md)
    Fit(Box<FitOptions>),
    /// List the CUDA devices that --backend cuda can use
    Devices,
}

#[derive(Args)]
#[command(after_help = EXCLUSIONS, allow_negative_numbers = true)]
pub struct TextOptions {
    /// The text to explain; - reads it from standard input
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    pub text: Option<String>,
    /// Read the text from a file (UTF-8)
    #[arg(long, value_name = "F")]
    pub file: Option<String>,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub method: MethodOptions,
    #[command(flatten)]
    pub sampling: SamplingOptions,
    #[command(flatten)]
    pub words: WordOptions,
    #[command(flatten)]
    pub noise: NoiseOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
    #[command(flatten)]
    pub backend: BackendOption,
    /// Also find what would make the prediction class B: the fewest words, in order of what they add for the predicted class
    /// against B, without which the surrogate says B. The model is asked once more to check it
    #[arg(long, value_name = "B", help_heading = "Output")]
    pub flip_to: Option<String>,
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub files: FileOptions,

    /// Save the explanation (docs/json.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub json: Option<String>,
    /// Save the masks, the model's probabilities and the weights as .npz, for lipex select, lipex fit and numpy.load
    /// (docs/stages.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub save_neighbourhood: Option<String>,
}

#[derive(Args)]
#[command(after_help = IMAGE_NOTES, allow_negative_numbers = true)]
pub struct ImageOptions {
    /// The photo to explain: PNG or JPEG, at most 50 megapixels; turned upright as its EXIF data say; - reads standard input
    #[arg(value_name = "PHOTO")]
    pub photo: String,
    /// The segments, which are kept or removed whole: grid:RxC (rows and columns of cells, named r1c1 …) or map:FILE, a PNG
    /// (grey values, palette indices or colours are ids) or a .npy matrix of whole numbers, of the photo's size
    #[arg(long, value_name = "SEGMENTS", help_heading = "Image")]
    pub segments: String,
    /// What a removed segment becomes: mean (its mean colour; LIME's), black, blur or blur:SIGMA (pixels; a twentieth of the
    /// shorter side if not said), noise or noise:SEED, colour:#RRGGBB, image:FILE (another picture of the same size)
    #[arg(long, value_name = "B", default_value = "mean", help_heading = "Image")]
    pub baseline: String,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub method: MethodOptions,
    #[command(flatten)]
    pub sampling: SamplingOptions,
    #[command(flatten)]
    pub threads: ThreadOptions,
    #[command(flatten)]
    pub backend: BackendOption,
    #[command(flatten)]
    pub noise: NoiseOptions,
    /// Also find what would make the prediction class B: the fewest segments, in order of what they add for the predicted
    /// class against B, without which the surrogate says B. The model is asked once more to check it
    #[arg(long, value_name = "B", help_heading = "Output")]
    pub flip_to: Option<String>,
    #[command(flatten)]
    pub view: View,

    /// Save a picture for each class shown: segments tinted by W, blue with + signs where they hold the class up, orange with
    /// − signs where they speak against it. The folder is made if it is not there
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub overlay: Option<String>,
    #[command(flatten)]
    pub files: FileOptions,
    /// Save the explanation (docs/json.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub json: Option<String>,
    /// Save the masks, the model's probabilities and the weights as .npz, for lipex select, lipex fit and numpy.load
    /// (docs/stages.md); - writes it to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub save_neighbourhood: Option<String>,
}

/// The black box.
#[derive(Args)]
pub struct ModelOptions {
    /// The classifier: demo (seven emotions of a text, embedded); onnx:FOLDER, a folder with model.onnx, config.json and
    /// tokenizer.json or preprocessor_config.json, or FILE.onnx with those beside it (docs/models.md); or 'command:PROGRAM
    /// ARGS', any program that speaks JSON lines (docs/command-protocol.md) [default: demo; for images there is none]
    #[arg(long, value_name = "MODEL", help_heading = "Model")]
    pub model: Option<String>,
    /// With onnx: the tokenizer's file [default: tokenizer.json of the folder]
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub tokenizer: Option<String>,
    /// With onnx: the classes' names in the output's order, A,B,… or a file with one a line [default: id2label of config.json, or
    /// labels.txt of the folder]
    #[arg(long, value_name = "NAMES", help_heading = "Model")]
    pub labels: Option<String>,
    /// With onnx: cut texts after so many tokens [default: model_max_length of tokenizer_config.json, at most what the model
    /// has places for]
    #[arg(long, value_name = "N", help_heading = "Model")]
    pub max_tokens: Option<usize>,
    /// With onnx: the output that has the classes [default: logits, or the only one]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub output: Option<String>,
    /// With onnx: the output's numbers are independent scores, each for a sigmoid [default: if config.json says
    /// multi_label_classification]
    #[arg(long, help_heading = "Model")]
    pub sigmoid: bool,
    /// Most texts or images sent to the model at once; large images come in batches of at most 32 MiB. Does not change the
    /// result [default: 64]
    #[arg(long, value_name = "B", help_heading = "Model")]
    pub batch_size: Option<usize>,
    /// Seconds that a program may be silent before it is given up
    #[arg(long, value_name = "S", default_value_t = 60.0, help_heading = "Model")]
    pub timeout: f64,
}

/// How masks are weighed, features selected and the surrogate fitted.
#[derive(Args)]
pub struct MethodOptions {
    /// All settings at once; options after it change single ones. lipex: the paper's, but with an intercept, λ = 0.0001 and
    /// ranking by support. paper: the paper's own. lime: LIME 0.2.0.1 for every class (5000 masks, highest:10, ridge;
    /// for images 1000 masks, every segment, ridge). authors: the paper's, fitted as its authors' released code does it (Adam on
    /// minibatches). kernel-shap: Kernel SHAP for every class (2048 masks, every feature, least squares; exact Shapley values
    /// up to 11 features)
    #[arg(long, value_name = "PRESET", default_value = "lipex", help_heading = "Method")]
    pub preset: String,
    #[command(flatten)]
    pub weigh: WeighOptions,
    #[command(flatten)]
    pub select: SelectOption,
    #[command(flatten)]
    pub surrogate: SurrogateOptions,
}

/// How masks are weighed.
#[derive(Args)]
pub struct WeighOptions {
    /// How much a mask counts: exponential or exponential:W (width W; smaller stays closer to the instance),
    /// cosine-similarity, cosine-distance (as the paper prints it; its code weighs exponentially) [default:
    /// exponential:0.25]
    #[arg(long, value_name = "P", help_heading = "Method")]
    pub proximity: Option<String>,
}

/// How features are selected.
#[derive(Args)]
pub struct SelectOption {
    /// Which features (words, segments) are kept: forward:K (K a class, each class on its own), exclusive:K (no feature for
    /// two classes), highest:K (largest weights of a ridge), lasso:K (at most K, from the lasso path), all [default: forward:5, the paper's;
    /// lime: highest:10, for images all; kernel-shap: all]
    #[arg(long, value_name = "HOW", help_heading = "Method")]
    pub select: Option<String>,
}

/// The surrogate and its settings.
#[derive(Args)]
pub struct SurrogateOptions {
    /// softmax (all classes together; the paper's), ridge (each class alone, LIME's), authors (a softmax by the recipe of the
    /// authors' code: Adam on minibatches of 128, from a random start), kernel-shap (each class alone, least squares held to the
    /// model's answers for the whole text and for none) [default: softmax; lime: ridge; authors and kernel-shap: their own]
    #[arg(long, value_name = "S", help_heading = "Method")]
    pub surrogate: Option<String>,
    /// How far the surrogate's probabilities are from the model's: hellinger (squared; the paper's), kl, reverse-kl, js, tv,
    /// alpha:A. The surrogate authors has hellinger, tv and hellinger-or-tv (both; the lower loss wins) [default: hellinger]
    #[arg(long, value_name = "D", help_heading = "Method")]
    pub divergence: Option<String>,
    /// Penalty on W: larger shrinks every entry more. auto: the one of 0.01 … 0.000001 that is closest to the model on masks
    /// held out of refits; no more calls of the model [default: 0.0001; paper: 0.001]
    #[arg(long, value_name = "L|auto", help_heading = "Method")]
    pub lambda: Option<String>,
    /// curvature: λ shrinks alike under every divergence; raw: λ as the formula has it; class: every class is shrunk alike,
    /// likely or not, and λ is a pure number (0.003 unless set) [default: curvature; the same as raw for hellinger]
    #[arg(long, value_name = "HOW", help_heading = "Method")]
    pub lambda_scale: Option<String>,
    /// Divide the sum of divergences by the count of masks (the paper's equation 6) or by the sum of their weights, which
    /// makes λ mean the same for every proximity [default: count]
    #[arg(long, value_name = "HOW", help_heading = "Method")]
    pub normalise: Option<String>,
    /// What the weights are added to: fitted (a number a class), anchored (the model's answer for the whole instance, which the
    /// surrogate then cannot miss), auto (anchored; where the model all but rules a class out, the better of both on masks held
    /// out) or none (the paper's). A ridge has fitted and anchored [default: fitted; paper: none]
    #[arg(long, value_name = "HOW", help_heading = "Method")]
    pub intercept: Option<String>,
    /// Pairs of kept features with a term of their own, for what both together do beyond each: a number (those that explain most
    /// of what the fit without them leaves), auto (5, 10, 20 … while masks held out gain by it), given:3+5,1+2 (features by number
    /// from 0) or none. The words' weights then are shares, each with half of its pairs; no more calls of the model [default: none]
    #[arg(long, value_name = "K|auto|none|given:LIST", help_heading = "Method")]
    pub pairs: Option<String>,
    /// Replaced by --intercept none.
    #[arg(long, hide = true)]
    pub no_intercept: bool,
    /// Stop a softmax fit when the excess over the optimum is foreseen to be below this share of the objective [default:
    /// 0.0000001]
    #[arg(long, value_name = "T", help_heading = "Method")]
    pub tolerance: Option<f64>,
    /// Penalty of a ridge on its coefficients [default: 1, LIME's]
    #[arg(long, value_name = "A", help_heading = "Method")]
    pub alpha: Option<f64>,
    /// auto: several where the model answers 0 and 1, since no divergence but kl is convex in W; 1: one start; 2: from the
    /// solution under kl as well, the better one is kept [default: auto]
    #[arg(long, value_name = "auto|1|2", help_heading = "Method")]
    pub starts: Option<String>,
}

/// How masks are drawn.
#[derive(Args)]
pub struct SamplingOptions {
    /// Masks drawn, the whole instance included; more make W steadier and cost model calls [default: 1000, the paper's; lime:
    /// 5000 for texts; kernel-shap: 2048]
    #[arg(long, value_name = "N", help_heading = "Sampling")]
    pub samples: Option<usize>,
    /// How masks are drawn: uniform-size (any number of features removed equally often; LIME's and the paper's for texts),
    /// antithetic (pairs of complements), bernoulli or bernoulli:P (each feature kept with probability P, ½ if not said; LIME's
    /// and the paper's for images), weight-proportional (more masks where they weigh more), kernel-shap
    /// (Kernel SHAP's: pairs of complements, small and large ones first, with weights of their own), exhaustive (all, up to 20 features), lime (LIME's own masks for the seed; of texts, or, as
    /// lime-image, of images) [default: uniform-size; images: bernoulli; kernel-shap: its own]
    #[arg(long, value_name = "S", help_heading = "Sampling")]
    pub sampler: Option<String>,
    /// Draw only masks within this angle of the whole instance, in radians up to 1.5708 (π/2); the paper's δ [default: none]
    #[arg(long, value_name = "R", help_heading = "Sampling")]
    pub within_angle: Option<f64>,
    /// With --within-angle: draw as without it and throw away what lies outside, as the paper's Table 7 does, so that fewer
    /// masks than --samples are left [default: only sizes within the angle are drawn]
    #[arg(long, requires = "within_angle", help_heading = "Sampling")]
    pub filtered: bool,
    /// Seed of the masks, and of a random start: the same seed gives the same masks
    #[arg(long, value_name = "S", default_value_t = 0, help_heading = "Sampling")]
    pub seed: u64,
}

/// How much of W is noise of the masks, and how many masks are enough.
#[derive(Args)]
pub struct NoiseOptions {
    #[command(flatten)]
    pub bars: BarOptions,
    /// Start at 100 masks and add more until the answer is steady, as --settled or --half-width says; no call of the model
    /// is repeated [default: --samples masks]
    #[arg(long, conflicts_with = "samples", help_heading = "Uncertainty")]
    pub adaptive: bool,
    /// With --adaptive: until no other feature can be above one of the K that hold the predicted class up (the first K of
    /// --rank) by more than EPS times the largest. K:order asks for their order instead [default: 3:0.1]
    #[arg(
        long,
        value_name = "K[:EPS]",
        requires = "adaptive",
        conflicts_with = "half_width",
        help_heading = "Uncertainty"
    )]
    pub settled: Option<String>,
    /// With --adaptive: until every interval of W reaches no further than H to either side
    #[arg(long, value_name = "H", requires = "adaptive", help_heading = "Uncertainty")]
    pub half_width: Option<f64>,
    /// With --adaptive: the most masks, the whole instance included [default: 5000]
    #[arg(long, value_name = "M", requires = "adaptive", help_heading = "Uncertainty")]
    pub max_samples: Option<usize>,
}

/// Whether W gets error bars.
#[derive(Args)]
pub struct BarOptions {
    /// Add standard errors: an interval for every entry and contrast, what is not told from 0, how often features are in the
    /// top K (of --top; else 5), and how many masks would halve the bars. Costs refits, no calls of the model
    #[arg(long, help_heading = "Uncertainty")]
    pub uncertainty: bool,
}

/// Where stages run.
#[derive(Args)]
pub struct BackendOption {
    /// Where it is computed: cpu, cuda (an NVIDIA driver r525 or newer is all it needs; lipex devices lists what there is) or
    /// auto (a device if there is one; says which)
    #[arg(long, value_name = "B", default_value = "cpu", help_heading = "Running")]
    pub backend: String,
}

/// How many threads work.
#[derive(Args, Clone, Copy)]
pub struct ThreadOptions {
    /// Threads. Does not change the result [default: 1; for models in folders, all cores]
    #[arg(long, value_name = "T", help_heading = "Running")]
    pub threads: Option<usize>,
}

/// What a feature of a text is.
#[derive(Args)]
pub struct WordOptions {
    /// What is removed at once: word (every occurrence; the paper's and LIME's), occurrence, sentence
    #[arg(long, value_name = "U", default_value = "word", help_heading = "Text")]
    pub unit: String,
    /// How words are found: lime (runs of letters, numbers and _) or unicode (word boundaries; keeps can't whole)
    #[arg(long, value_name = "HOW", default_value = "lime", help_heading = "Text")]
    pub split: String,
    /// What takes a removed word's place: drop (nothing; the paper's and LIME's) or mask:WORD
    #[arg(long, value_name = "HOW", default_value = "drop", help_heading = "Text")]
    pub removed: String,
    /// A file of words that are never removed, separated by white space, in either case [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Text")]
    pub ignore_words: Option<String>,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct ShowOptions {
    /// An explanation saved by --json; - reads standard input. It holds a text, but no picture: a page of it has the segments'
    /// names alone
    #[arg(value_name = "FILE")]
    pub file: String,
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub files: FileOptions,
}

/// Files for people. For each, - is standard output, in place of the report.
#[derive(Args)]
pub struct FileOptions {
    /// Save a page: the text with words, or the photo with segments, coloured for the class one points at, the matrix, contrasts, how it was made. One
    /// file, no network; holds the 50 likeliest classes and the 300 strongest features; - is standard output
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub html: Option<String>,
    /// Save the matrix as a figure, for the classes shown
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub svg: Option<String>,
    /// Save the whole matrix as a table: class, feature, weight, se, low, high. Names are written as they are: where text or
    /// labels come from strangers, do not let a spreadsheet take them for formulas
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub csv: Option<String>,
}

/// What of an explanation is shown. Changes nothing that is computed.
#[derive(Args)]
pub struct View {
    /// Classes shown: top:N by probability, all, or names A,B,…
    #[arg(long, value_name = "WHICH", default_value = "top:7", help_heading = "Output")]
    pub classes: String,
    /// Words or segments listed for the predicted class
    #[arg(long, value_name = "K", default_value_t = 5, help_heading = "Output")]
    pub top: usize,
    /// Their order: supporting (what holds the class up), opposing, absolute (|W|, what moves the odds; the
    /// paper's and LIME's), effect (change of probability on removal) [default: supporting; other presets: absolute]
    #[arg(long, value_name = "HOW", help_heading = "Output")]
    pub rank: Option<String>,
    /// The log-odds that each word or segment adds for class A against class B
    #[arg(long, value_name = "A:B", help_heading = "Output")]
    pub contrast: Option<String>,
}
