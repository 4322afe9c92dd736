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
//! * What is explained: a [`TextInstance`], whose features are words, occurrences or sentences, or an [`ImageInstance`],
//!   whose features are the segments of a map.
//! * The black box: a function ([`TextFn`], [`ImageFn`]), any program ([`CommandModel`]), or the [`DemoModel`].
//! * How: [`lipex()`], [`paper()`], [`lime()`], [`authors()`] or [`kernel_shap()`], each an [`Explainer`] whose every
//!   setting can be changed.
//! * What comes out: an [`Explanation`], with its fidelity; [`to_json`] and [`from_json`] save and load it,
//!   [`to_html`], [`to_svg`] and [`to_csv`] make a page, a figure and a table of it.
//! * Masks and probabilities of your own: [`npy`] reads and writes them as NumPy files.
//!
//! * Where: the CPU, or [`Cuda`], which needs an NVIDIA driver and nothing else.
//!
//! Everything of [`lipex_core`] and [`lipex_cpu`] is here too, and [`lipex_cuda`] as a module.

mod command;
mod demo;
mod function;
mod image;
mod json;
pub mod npy;
mod outputs;
mod page;
mod remembered;
mod settings;
mod text;

pub use command::CommandModel;
#[cfg(fuzzing)]
pub use command::fuzz_protocol;
pub use demo::{DemoModel, DemoOnDevice};
pub use function::TextFn;
pub use image::{
    AnotherPicture, Baseline, Blur, ImageBuilder, ImageFn, ImageInstance, MOST_PIXELS, MOST_SEGMENTS, Noise, Occasion,
    Overlays, Picture, PixelImage, PlainColour, Replacement, SegmentMap, SegmentMean, Segmenter, baseline_by_name,
};
pub use json::{AnswerKeys, SCHEMA, from_json, to_json, to_json_canonical, to_json_lines};
pub use lipex_core::*;
pub use lipex_cpu::Cpu;
pub use lipex_cpu::prelude::{authors, kernel_shap, lime, lipex, paper};
pub use lipex_cuda::{self, Cuda, PixelBatch, PixelTemplate, TokenBatch, TokenTemplate, When};
pub use lipex_demo::word_hashes;
#[cfg(feature = "onnx")]
pub use lipex_onnx::{Expected, Input, OnnxImage, OnnxOptions, OnnxText, Seen};
pub use page::{PageOptions, to_csv, to_html, to_svg};
pub use remembered::{Keys, Remembered};
pub use settings::{
    AnyExplainer, AnyProximity, AnySampler, AnySelector, AnySurrogate, Complete, Device, SettingInfo, Settings, Topic,
};
pub use text::{Removed, Split, TextBuilder, TextInstance, TokenText, Unit};

/// What most programs need: `use lipex::prelude::*`. Without `Result` and `Error`, which would hide the standard ones.
pub mod prelude {
    pub use crate::{
        All, Alpha, Antithetic, Authors, Bernoulli, BlackBox, CommandModel, CosineDistance, CosineSimilarity, Cpu,
        DemoModel, Describe, Divergence, Exhaustive, Explainer, Explanation, Exponential, Forward, Groups, Hellinger,
        HighestWeights, ImageFn, ImageInstance, Images, Instance, Intercept, JensenShannon, KernelShap, Kl, LassoPath,
        LimeImage, LimeText, Picture, Preset, Q, Rank, Real, Removed, Render, ReverseKl, Ridge, SegmentMap,
        ShapleySize, Softmax, Split, TextFn, TextInstance, Texts, TotalVariation, UniformSize, Unit,
        WeightProportional, authors, from_json, kernel_shap, lime, lipex, paper, to_json,
    };
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
