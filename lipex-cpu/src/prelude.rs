//! The CPU by name, for programs that embed lipex and want no backend parameter: `use lipex_cpu::prelude::*;`.
//!
//! ```
//! use lipex_cpu::prelude::*;
//! use std::ops::Range;
//!
//! /// Anything with features is an instance; this one's inputs are the values of those that are kept.
//! struct Loan(Vec<Feature>, Vec<f64>);
//!
//! impl Instance for Loan {
//!     fn features(&self) -> &[Feature] {
//!         &self.0
//!     }
//! }
//!
//! impl Render<Cpu, Vec<Vec<f64>>> for Loan {
//!     fn render(&self, _: &Cpu, masks: &Masks, rows: Range<usize>) -> lipex_core::Result<Vec<Vec<f64>>> {
//!         let value = |i: usize, j: usize| if masks.keeps(i, j) { self.1[j] } else { 0.0 };
//!         Ok(rows.map(|i| (0..self.1.len()).map(|j| value(i, j)).collect()).collect())
//!     }
//! }
//!
//! /// Any classifier is a black box.
//! struct Model(Vec<String>);
//!
//! impl BlackBox<Cpu, Vec<Vec<f64>>> for Model {
//!     fn labels(&self) -> Option<&[String]> {
//!         Some(&self.0)
//!     }
//!
//!     fn predict(&self, on: &Cpu, batch: &Vec<Vec<f64>>) -> lipex_core::Result<Probabilities> {
//!         let yes = batch.iter().map(|row| 1.0 / (1.0 + (-row.iter().sum::<f64>()).exp()));
//!         let values = yes.flat_map(|yes| [yes as f32, (1.0 - yes) as f32]).collect();
//!         Probabilities::new(on, batch.len(), 2, values)
//!     }
//! }
//!
//! let named = ["income", "debt", "age"].map(|name| Feature { name: name.into(), ..Feature::default() });
//! let loan = Loan(named.to_vec(), vec![1.5, -1.0, 0.1]);
//! let model = Model(vec!["granted".into(), "refused".into()]);
//! let explanation: Explanation = lipex().explain(&loan, &model)?;
//! // The model is linear in log-odds, and λ small.
//! assert!((explanation.contrast(0, 1)[0].value - 1.5).abs() < 0.1);
//! # Ok::<(), lipex_core::Error>(())
//! ```
//!
//! A part of one's own that lacks its stage is told so by the compiler, with what to implement:
//!
//! ```compile_fail,E0277
//! use lipex_cpu::prelude::*;
//!
//! struct Dice;
//!
//! impl Describe for Dice {
//!     fn describe(&self) -> Vec<Setting> {
//!         vec![Setting::new("sampler", "dice")]
//!     }
//! }
//!
//! lipex().perturber(Dice); // `Dice` does not draw masks on the backend `Cpu`
//! ```

pub use crate::Cpu;
pub use lipex_core::{
    All, Alpha, Antithetic, Authors, AuthorsLoss, Bernoulli, BlackBox, CosineDistance, CosineSimilarity, Describe,
    Divergence, Exhaustive, Explanation, Exponential, Feature, Fitted, Forward, GivenFeatures, GivenMasks,
    GivenWeights, Groups, Hellinger, HighestWeights, Instance, Intercept, JensenShannon, KernelShap, Kl, LambdaScale,
    LassoPath, LimeImage, LimeText, Normalise, OutOfFold, Perturber, Preset, Proximity, ProximityTable, Q, Rank, Real,
    Render, ReverseKl, Ridge, Selection, Selector, Setting, ShapleyKernel, ShapleySize, Softmax, Surrogate,
    TotalVariation, UniformSize, WeightProportional,
};

/// [`lipex_core::Explainer`] on the CPU.
pub type Explainer = lipex_core::Explainer<Cpu>;
/// [`lipex_core::Masks`] in the host's memory.
pub type Masks = lipex_core::Masks<Cpu>;
/// [`lipex_core::Probabilities`] in the host's memory.
pub type Probabilities = lipex_core::Probabilities<Cpu>;
/// [`lipex_core::Weights`] in the host's memory.
pub type Weights = lipex_core::Weights<Cpu>;
/// [`lipex_core::Sample`] in the host's memory.
pub type Sample = lipex_core::Sample<Cpu>;
/// [`lipex_core::Neighbourhood`] in the host's memory.
pub type Neighbourhood = lipex_core::Neighbourhood<Cpu>;
/// [`lipex_core::Problem`] in the host's memory.
pub type Problem<'a> = lipex_core::Problem<'a, Cpu>;

/// The default explainer on the CPU: the paper's settings, but with an intercept, λ = 10⁻⁴ and ranking by support.
pub fn lipex() -> Explainer {
    Explainer::lipex(Cpu::new())
}

/// The paper's own settings on the CPU: 1000 masks, 5 features a class, no intercept, λ = 10⁻³, ranking by |W|.
pub fn paper() -> Explainer {
    Explainer::paper(Cpu::new())
}

/// LIME's settings on the CPU, for every class at once: 5000 masks, highest weights (10), a ridge a class.
pub fn lime() -> Explainer {
    Explainer::lime(Cpu::new())
}

/// The paper's settings on the CPU, fitted as the authors' released code does it; see [`Authors`].
pub fn authors() -> Explainer {
    Explainer::authors(Cpu::new())
}

/// Kernel SHAP on the CPU, for every class at once: 2D + 2048 coalitions or all there are, every feature; see [`KernelShap`].
pub fn kernel_shap() -> Explainer {
    Explainer::kernel_shap(Cpu::new())
}
