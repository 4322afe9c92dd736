//! Options of `lipex attribute`.

use super::{FileOptions, InstanceOptions, ModelOptions, View};
use clap::Args;

const NOTES: &str =
    "Methods by gradients (all but leave-one-out, occlusion and random, which ask any model) \
look into a model: they want --model onnx:FOLDER and a lipex that was built with the feature gradients. blur-ig, gradcam and xrai \
are of photos. docs/relatives.md says what each answers, needs, costs and assumes.

Exit codes: 0 done; 2 a mistake in what was asked (nothing is written); 3 the model failed.";

const OUTPUT: &str = "What is attributed: logit (a class's score before the softmax; of a model that gives probabilities alone, \
its log-probability less the mean of all), probability, or contrast:A:B, the logit of class A less that of B [default: logit \
for texts, probability for photos]";

#[derive(Args)]
#[command(after_help = NOTES, allow_negative_numbers = true)]
#[command(mut_arg("output", |arg| arg.value_name("WHAT").help(OUTPUT).help_heading("Attribution")))]
pub struct AttributeOptions {
    #[command(flatten)]
    pub of: InstanceOptions,

    /// saliency, input-x-gradient, guided, integrated-gradients, deeplift, smoothgrad, guided-ig, blur-ig, gradcam, xrai, occlusion,
    /// leave-one-out or random
    #[arg(long, value_name = "METHOD", help_heading = "Attribution")]
    pub method: String,
    /// Points of integrated gradients, or auto (doubled from 50 until the sums are within 1 %, at most 400); draws of smoothgrad;
    /// steps of guided-ig, blur-ig, and of each of xrai's two integrals [default: 50; smoothgrad 25, guided-ig 200, blur-ig and xrai
    /// 100]
    #[arg(long, value_name = "N", help_heading = "Attribution")]
    pub steps: Option<String>,
    /// Deviation of smoothgrad's noise, as a share of the range of the input's numbers [default: 0.15]
    #[arg(long, value_name = "SHARE", help_heading = "Attribution")]
    pub noise: Option<f64>,
    /// Guided-ig: the share of the numbers that may move at a time [default: 0.25]
    #[arg(long, value_name = "SHARE", help_heading = "Attribution")]
    pub fraction: Option<f64>,
    /// Guided-ig: how far from the straight way a number may be, as a share of its own way [default: 0.02]
    #[arg(long, value_name = "SHARE", help_heading = "Attribution")]
    pub distance: Option<f64>,
    /// Blur-ig: the deviation of the blur that it begins with, in pixels as the model sees them [default: 50]
    #[arg(long, value_name = "PIXELS", help_heading = "Attribution")]
    pub sigma: Option<f64>,
    /// Gradcam: the name of a tensor of channels and planes [default: the last before pooling or flattening]
    #[arg(long, value_name = "NAME", help_heading = "Attribution")]
    pub layer: Option<String>,
    /// What the input is compared with. By integrated-gradients, guided-ig and deeplift: zeros (of the model's own numbers), for texts pad (every
    /// token the padding's), for photos what --baseline of lipex image takes (mean, black, blur …). By leave-one-out and
    /// occlusion of photos: what a removed place becomes [default: zeros; of leave-one-out mean, of occlusion black]. With
    /// --against also nearest:PATH, the nearest sample of that class: of photos a folder (as for lipex image), of texts a table (csv,
    /// jsonl) with the columns text and label, or text alone: the model then says what they are
    #[arg(long, value_name = "B", help_heading = "Attribution")]
    pub baseline: Option<String>,
    /// The contrast of the likeliest class over this one, --output contrast:LIKELIEST:CLASS; the report says what the model makes of the
    /// baseline
    #[arg(long, value_name = "CLASS", help_heading = "Attribution")]
    pub against: Option<String>,
    /// Where a text's graph is cut for its gradients: word (embeddings of words), block (after the first layer normalisation) or a
    /// tensor's name [default: word]
    #[arg(long, value_name = "PLACE", help_heading = "Attribution")]
    pub cut: Option<String>,
    /// Guided and deeplift: captum, for what captum 0.9.0 has no rule for (GELU, ReLU6, softmax, products, layer normalisation) derivatives
    /// as there; sums then do not hold [default: rules by which sums hold]
    #[arg(long, value_name = "WHOSE", help_heading = "Attribution")]
    pub compat: Option<String>,
    /// How the numbers of a token or pixel become one: sum (keeps what they add up to), abs (the sum of sizes) or l2
    /// (the length); those of a word or segment are then summed [default: sum; of saliency, guided and smoothgrad l2]
    #[arg(long, value_name = "HOW", help_heading = "Attribution")]
    pub pool: Option<String>,
    /// Occlusion: words that go together, or the side of the square in pixels [default: 2 words; 15
    /// pixels, as many times more as the photo's shorter side is above 224]
    #[arg(long, value_name = "N", help_heading = "Attribution")]
    pub window: Option<usize>,
    /// Occlusion of photos: pixels from one square to the next [default: 1, or the least that makes at most 1024
    /// squares]
    #[arg(long, value_name = "N", help_heading = "Attribution")]
    pub stride: Option<usize>,
    /// Seed of random and smoothgrad [default: 0]
    #[arg(long, value_name = "S", help_heading = "Attribution")]
    pub seed: Option<u64>,

    #[command(flatten)]
    pub model: ModelOptions,
    /// With onnx: the graph's output that has the classes [default: logits, or the only one]
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    pub graph_output: Option<String>,
    #[command(flatten)]
    pub view: View,
    /// Save a picture of a photo for each class shown: segments tinted by their scores, blue with + signs above 0, orange with −
    /// signs below. The folder is made if it is not there
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub overlay: Option<String>,
    #[command(flatten)]
    pub files: FileOptions,
    /// Save the scores (docs/json.md); - writes them to standard output in place of the report
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub json: Option<String>,
}
