//! Explain a text classifier around one input, for every class at once (LIPEX).
//!
//! A black box gives probabilities for damaged copies of a text; a softmax surrogate is fitted to them under a divergence.
//! Its matrix W says what each word does to each class, relative to the other classes.
//!
//! ```
//! use lipex::prelude::*;
//!
//! let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
//!     texts.iter().map(|t| if t.contains("wonderful") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
//! });
//! let text = TextInstance::new("A wonderful film, if a little long")?;
//! let explanation = lipex().explain(&text, &model)?;
//! let (bad, good) = (explanation.class("bad")?, explanation.class("good")?);
//! let top = explanation.top_k(good, 3, Rank::Supporting);
//! assert_eq!(explanation.features[top[0].feature].name, "wonderful");
//! let odds = explanation.contrast(good, bad)[0].value; // in log-odds
//! assert!((odds - (0.9f64 / 0.1 * 0.6 / 0.4).ln()).abs() < 0.3);
//! assert_eq!(explanation.shares().matrix().len(), 2); // a row a class, a column a kept word
//! # Ok::<(), lipex::Error>(())
//! ```
//!
//! * What is explained: a [`TextInstance`], whose features are words, occurrences or sentences, an [`ImageInstance`], whose
//!   features are the segments of a map, or a [`TabularInstance`], whose features are a row's columns.
//! * The black box: a function ([`TextFn`], [`ImageFn`], [`TabularFn`]), any program ([`CommandModel`]), or the [`DemoModel`].
//! * How: [`lipex()`], [`paper()`], [`lime()`], [`authors()`] or [`kernel_shap()`], each an [`Explainer`] whose every
//!   setting can be changed.
//! * What comes out: an [`Explanation`], with its fidelity; [`to_json`] and [`from_json`] save and load it,
//!   [`to_html`], [`to_svg`] and [`to_csv`] make a page, a figure and a table of it.
//! * Masks and probabilities of your own: [`npy`] reads and writes them as NumPy files.
//!
//! * Where: the CPU, or [`Cuda`], which needs an NVIDIA driver and nothing else.
//!
//! Everything of [`lipex_core`] and [`lipex_cpu`] is here too, and [`lipex_cuda`] as a module.
//!
//! # Features
//! Texts, tables, commands and JSON are there by default. Pictures need the feature `image`, pages, figures and tables
//! of explanations `page`, NumPy files `npy`, the demo model `demo`, a GPU `cuda`. The README says what each feature of
//! this crate brings and costs.
//!
//! # From a closure to a report
//! ```
//! use lipex::ErrorBars;
//! use lipex::prelude::*;
//!
//! let model = TextFn::new(["spam", "ham"], |texts: &[&str]| {
//!     texts.iter().map(|t| if t.contains("prize") { [3.0, 0.0] } else { [0.0, 1.0] }).collect()
//! });
//! let text = TextInstance::new("claim your prize now")?;
//! let explanation = lipex().error_bars(ErrorBars::default()).explain(&text, &model.logits())?;
//! // Which word makes it spam, and by how much in log-odds against ham.
//! let first = &explanation.top_k(0, 1, Rank::Supporting)[0];
//! assert_eq!(explanation.name(first.feature), "prize");
//! let against = explanation.contrast(0, 1)[0].value;
//! assert!((against - 4.0).abs() < 0.2, "{against}");
//! # Ok::<(), lipex::Error>(())
//! ```
// What a feature that is off would bring is a link to the features.
#![cfg_attr(not(feature = "text"), doc = "\n[`TextInstance`]: #features")]
#![cfg_attr(not(feature = "image"), doc = "\n[`ImageInstance`]: #features\n[`ImageFn`]: #features")]
#![cfg_attr(not(feature = "tabular"), doc = "\n[`TabularInstance`]: #features\n[`TabularFn`]: #features")]
#![cfg_attr(not(feature = "command"), doc = "\n[`CommandModel`]: #features")]
#![cfg_attr(not(feature = "demo"), doc = "\n[`DemoModel`]: #features")]
#![cfg_attr(not(feature = "json"), doc = "\n[`to_json`]: #features\n[`from_json`]: #features")]
#![cfg_attr(not(feature = "page"), doc = "\n[`to_html`]: #features\n[`to_svg`]: #features\n[`to_csv`]: #features")]
#![cfg_attr(not(feature = "npy"), doc = "\n[`npy`]: #features")]
#![cfg_attr(not(feature = "cuda"), doc = "\n[`Cuda`]: #features\n[`lipex_cuda`]: #features")]

#[cfg(feature = "json")]
mod batch;
#[cfg(feature = "command")]
mod command;
#[cfg(feature = "demo")]
mod demo;
mod function;
#[cfg(feature = "image")]
mod image;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "npy")]
pub mod npy;
mod outputs;
#[cfg(feature = "page")]
mod page;
#[cfg(feature = "remember")]
mod remembered;
mod settings;
#[cfg(feature = "tabular")]
mod tabular;
#[cfg(feature = "text")]
mod text;

#[cfg(feature = "json")]
pub use batch::{BATCH_SCHEMA, BatchRow, ClassSummary, FailureSummary, Quartiles, RowId, Summary, WordSummary};
#[cfg(all(fuzzing, feature = "command"))]
pub use command::fuzz_protocol;
#[cfg(feature = "command")]
pub use command::{CommandModel, PairAnswers};
#[cfg(feature = "demo")]
pub use demo::DemoModel;
#[cfg(all(feature = "demo", feature = "cuda"))]
pub use demo::DemoOnDevice;
pub use function::TextFn;
#[cfg(all(feature = "image", feature = "cuda"))]
pub use image::PixelImage;
#[cfg(feature = "image")]
pub use image::{
    AnotherPicture, Baseline, BaselineContext, Blur, ImageBuilder, ImageFn, ImageInstance, MOST_PIXELS, MOST_SEGMENTS,
    Nearest, Noise, Norm, Overlays, Picture, PlainColour, Replacement, SegmentMap, SegmentMean, Segmenter, Squares,
    baseline_by_name, occlude,
};
#[cfg(feature = "json")]
pub use json::{
    ATTRIBUTIONS_SCHEMA, AnswerKeys, MATCH_SCHEMA, RULE_SCHEMA, SCHEMA, ScoredOutputs, attributions_to_json, from_json,
    match_to_json, rule_to_json, to_json, to_json_canonical, to_json_lines,
};
pub use lipex_core::*;
pub use lipex_cpu::prelude::{authors, kernel_shap, lime, lipex, paper};
pub use lipex_cpu::{Cpu, InteractionLime};
#[cfg(feature = "cuda")]
pub use lipex_cuda::{self, Cuda, PixelBatch, PixelTemplate, TokenBatch, TokenTemplate, When};
#[cfg(feature = "demo")]
pub use lipex_demo::word_hashes;
#[cfg(feature = "gradients")]
pub use lipex_grad::{
    self, BlurIg, DeepLift, GradCam, Guided, GuidedIg, InputXGradient, IntegratedGradients, Saliency, SmoothGrad, Xrai,
};
#[cfg(feature = "onnx")]
pub use lipex_onnx::{
    Expected, Input, OnnxCross, OnnxEncoder, OnnxImage, OnnxOptions, OnnxPairs, OnnxTable, OnnxText, Seen,
};
#[cfg(feature = "gradients")]
pub use lipex_onnx::{ImageGradients, MarkedPicture, MarkedText, TextGradients};
#[cfg(feature = "page")]
pub use page::{
    PageOptions, attributions_to_explanation, comparison_to_html, match_to_html, summary_to_html, to_csv, to_html,
    to_svg,
};
#[cfg(feature = "remember")]
pub use remembered::{Keys, Remembered};
pub use settings::{
    AnyExplainer, AnyProximity, AnySampler, AnySelector, AnySurrogate, Complete, Device, SettingInfo, Settings, Topic,
};
#[cfg(feature = "tabular")]
pub use tabular::{Reference, Table, TabularFn, TabularInstance};
#[cfg(all(feature = "text", feature = "cuda"))]
pub use text::TokenText;
#[cfg(feature = "text")]
pub use text::{Removed, Split, TextBuilder, TextInstance, Unit, WordPattern};

/// What most programs need: `use lipex::prelude::*`. Without `Result` and `Error`, which would hide the standard ones.
pub mod prelude {
    #[cfg(feature = "command")]
    pub use crate::CommandModel;
    #[cfg(feature = "demo")]
    pub use crate::DemoModel;
    pub use crate::{
        All, Alpha, Antithetic, Authors, Bernoulli, BlackBox, CosineDistance, CosineSimilarity, Cpu, Describe,
        Divergence, Exhaustive, Explainer, Explanation, Exponential, Forward, Groups, Hellinger, HighestWeights,
        Images, Instance, Intercept, JensenShannon, KernelShap, Kl, LassoPath, LimeImage, LimeText, Preset, Q, Rank,
        Real, Render, ReverseKl, Ridge, ShapleySize, Softmax, TextFn, Texts, TotalVariation, UniformSize,
        WeightProportional, authors, kernel_shap, lime, lipex, paper,
    };
    #[cfg(feature = "image")]
    pub use crate::{ImageFn, ImageInstance, Picture, SegmentMap};
    #[cfg(feature = "text")]
    pub use crate::{Removed, Split, TextInstance, Unit};
    #[cfg(feature = "json")]
    pub use crate::{from_json, to_json};
}

/// The README's Rust is tried with the other examples of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So is the recipe for a divergence.
#[cfg(doctest)]
#[doc = include_str!("../../docs/adding-a-divergence.md")]
struct AddingADivergence;

/// So is what is said of settings.
#[cfg(doctest)]
#[doc = include_str!("../../docs/settings.md")]
struct SettingsByName;

/// So is what is said of texts.
#[cfg(doctest)]
#[doc = include_str!("../../docs/texts.md")]
struct Words;
