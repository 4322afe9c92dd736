//! Options that commands share, and what `--help` says of them. No command is known here.

use crate::named::{Named, OfImages, OfTexts, help_of};
use clap::{Args, Subcommand};

mod attribute;
mod batch;
mod compare;
mod experiment;
mod instance;
mod matching;
mod rule;
mod tabular;

pub use attribute::AttributeOptions;
pub use batch::BatchOptions;
pub use compare::CompareOptions;
pub use experiment::{ExperimentCommand, ExperimentOptions, ExperimentReportOptions};
pub use instance::InstanceOptions;
pub use matching::MatchOptions;
pub use rule::RuleOptions;
pub use tabular::TabularOptions;

/// Segments of photos where none are asked for.
pub const SEGMENTS: &str = "slic";

pub const EXIT_CODES: &str =
    "Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

const EXCLUSIONS: &str = "What excludes what:
  TEXT, --file and - are three ways to give one text.
  Surrogates other than softmax have no --lambda, --lambda-scale, --normalise, --starts, --tolerance; ridge and kernel-shap
  no --divergence either; authors and kernel-shap no --intercept. Only a ridge has --alpha; only a
  softmax with an intercept has --pairs; only a tree has --leaf and --min-weight, and no setting of a softmax but --divergence.
  --leaf asked asks at every refit: no --uncertainty, no --adaptive.
  --sampler exhaustive draws every mask there is: no --samples, no --within-angle.
  --sampler kernel-shap weighs masks itself: no --proximity.
  --adaptive finds the number of masks itself: no --samples, and a sampler that can be extended (uniform-size, antithetic,
  bernoulli, weight-proportional). --settled and --half-width exclude each other.
  --within-angle goes with uniform-size and bernoulli alone.
  --unit sentence has no --ignore-words.

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

const IMAGE_NOTES: &str = "A segment map must have the size of the upright photo. --sampler lime draws what LIME draws when
explain_instance is given a random_seed; without one it draws a number first, and its masks are others.

What excludes what:
  A ridge (--surrogate ridge, --preset lime) has no --divergence, --lambda, --lambda-scale, --normalise, --starts,
  --tolerance; a softmax has no --alpha. Only a tree has --leaf and --min-weight; --leaf asked goes with neither --uncertainty nor
  --adaptive.
  --sampler exhaustive draws every mask there is: no --samples, no --within-angle.
  --adaptive finds the number of masks itself: no --samples, and a sampler that can be extended (uniform-size, antithetic,
  bernoulli, weight-proportional). --settled and --half-width exclude each other.
  --within-angle goes with uniform-size and bernoulli alone.

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

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
    pub settings: Named<OfTexts>,
    #[command(flatten)]
    pub words: WordOptions,
    /// Also find what would make the prediction class B: the fewest words, in order of what they add for the predicted class
    /// against B, without which the surrogate says B. The model is asked once more to check it
    #[arg(long, value_name = "B", help_heading = "Output")]
    pub flip_to: Option<String>,
    /// Explain the likeliest class over this one: what each word adds for the one against the other, and what the model says of
    /// the text without its words. The model is asked twice more
    #[arg(long, value_name = "CLASS", help_heading = "Output")]
    pub against: Option<String>,
    #[command(flatten)]
    pub view: View,
    #[command(flatten)]
    pub save: SaveOptions,
}

#[derive(Args)]
#[command(after_help = IMAGE_NOTES, allow_negative_numbers = true)]
pub struct ImageOptions {
    #[command(flatten)]
    pub photo: PhotoOptions,
    /// What a removed segment becomes: mean (its mean colour; LIME's), black, blur or blur:SIGMA (pixels; a twentieth of the
    /// shorter side if not said), noise or noise:SEED, colour:#RRGGBB, image:FILE (another picture of the same size), nearest:FOLDER (the nearest photo
    /// of the class --against, of the same size; folders in it have the names of classes, else the model says what photos are)
    #[arg(long, value_name = "B", default_value = "mean", help_heading = "Image")]
    pub baseline: String,
    /// Explain the likeliest class over this one: what each segment adds for the one against the other, and what the model says of
    /// the baseline. The model is asked twice more
    #[arg(long, value_name = "CLASS", help_heading = "Output")]
    pub against: Option<String>,

    #[command(flatten)]
    pub model: ModelOptions,
    #[command(flatten)]
    pub settings: Named<OfImages>,
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
    pub save: SaveOptions,
}

/// A photo and its segments.
#[derive(Args)]
pub struct PhotoOptions {
    /// The photo: PNG, JPEG, GIF, WebP, BMP or TIFF, at most 50 megapixels; turned upright as its EXIF data say; - reads
    /// standard input
    #[arg(value_name = "PHOTO")]
    pub photo: String,
    /// The segments, which are kept or removed whole: felzenszwalb or felzenszwalb:SCALE,SIGMA,MIN (regions of like colour;
    /// 100,0.5,50 if not said), quickshift or quickshift:KERNEL,DISTANCE,RATIO (4,200,0.2, LIME's), slic or slic:N (about N pieces
    /// of equal size; 60), grid:RxC (rows and columns of cells, named r1c1 …) or map:FILE, a PNG (grey values, palette indices or
    /// colours are ids) or a .npy matrix of whole numbers, of the photo's size
    #[arg(long, value_name = "SEGMENTS", default_value = SEGMENTS, help_heading = "Image")]
    pub segments: String,
    /// What shines through a transparent photo: white, black or #RRGGBB [default: white]
    #[arg(long, value_name = "COLOUR", help_heading = "Image")]
    pub background: Option<String>,
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct SegmentsOptions {
    #[command(flatten)]
    pub photo: PhotoOptions,
    /// Save the map: .png (16-bit grey) or .npy; each pixel has its segment's number, from 0. --segments map:FILE reads it again
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub out: Option<String>,
    /// Save the photo with lines between the segments, as PNG
    #[arg(long, value_name = "F.png", help_heading = "Output")]
    pub show: Option<String>,
}

#[derive(Subcommand)]
pub enum ModelsCommand {
    /// Load the model of a folder: say what it takes and gives, try its expected.json, time it
    Check(CheckOptions),
}

#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub struct CheckOptions {
    /// A folder with model.onnx and the files beside it, or an .onnx file (docs/models.md)
    #[arg(value_name = "FOLDER")]
    pub folder: String,
    /// Threads [default: all cores]
    #[arg(long, value_name = "T")]
    pub threads: Option<usize>,
    /// Run onnx models by onnxruntime: its library, a folder with it, or auto for the usual places (docs/models.md); needs a lipex
    /// that was built with the feature ort [default: rten, which is built in]
    #[arg(long, value_name = "PATH")]
    pub onnx_runtime: Option<String>,
}

/// The black box.
#[derive(Args, Clone)]
pub struct ModelOptions {
    /// The classifier: demo (seven emotions of a text, embedded); onnx:FOLDER, a folder with model.onnx, config.json and
    /// tokenizer.json or preprocessor_config.json, or FILE.onnx with those beside it (docs/models.md); or 'command:PROGRAM
    /// ARGS', any program that speaks JSON lines (docs/command-protocol.md) [default: demo; for images and for
    /// two texts there is none]
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
    /// Run onnx models by onnxruntime: its library, a folder with it, or auto for the usual places (docs/models.md); needs a lipex
    /// that was built with the feature ort [default: rten, which is built in]
    #[arg(long, value_name = "PATH", help_heading = "Model")]
    pub onnx_runtime: Option<String>,
    /// Seconds that a program may be silent before it is given up
    #[arg(long, value_name = "S", default_value_t = 60.0, help_heading = "Model")]
    pub timeout: f64,
    /// Keep the model's answers in this file as they come, and use those that are there: a run that fails has not asked in
    /// vain, the same command goes on (docs/command-protocol.md)
    #[arg(long, value_name = "F", help_heading = "Model")]
    pub answers: Option<String>,
}

/// Which words are features.
#[derive(Args)]
pub struct WordOptions {
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
    /// labels come from untrusted sources, do not let a spreadsheet take them for formulas
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub csv: Option<String>,
}

/// What of a run is saved.
#[derive(Args)]
pub struct SaveOptions {
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

/// What of an explanation is shown. Changes nothing that is computed.
#[derive(Args, Clone)]
pub struct View {
    /// Classes shown: top:N by probability, all, or names A,B,… (or places, counted from 0; those of the same name are numbered)
    #[arg(long, value_name = "WHICH", default_value = "top:7", help_heading = "Output")]
    pub classes: String,
    /// Words or segments listed for the predicted class
    #[arg(long, value_name = "K", default_value_t = 5, help_heading = "Output")]
    pub top: usize,
    #[arg(long, value_name = "HOW", help_heading = "Output", help = help_of("rank"))]
    pub rank: Option<String>,
    /// The log-odds that each word or segment adds for class A against class B
    #[arg(long, value_name = "A:B", help_heading = "Output")]
    pub contrast: Option<String>,
}
