//! Fit: surrogates, and what a fit returns.

use crate::backend::{Backend, Neighbourhood};
use crate::describe::{Describe, Setting};
use crate::divergence::{Divergence, ErasedDivergence, Hellinger};
use crate::error::{Error, Result, expect_len};
use crate::select::Selection;
use crate::uncertainty::Spread;
use std::fmt;
use std::sync::Arc;

mod authors;
mod shapley;

pub use authors::{Authors, AuthorsLoss};
pub use shapley::KernelShap;

/// Fits a surrogate to the black box's probabilities.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit on the backend `{B}`",
    note = "implement `Surrogate<{B}>` for it, or choose a backend that it implements"
)]
pub trait Surrogate<B: Backend>: Describe + Send + Sync {
    /// One fit for each problem of the batch.
    ///
    /// # Errors
    /// [`Error::Setting`] when a setting does not suit the problem. Not converging is a field of the report.
    fn fit(&self, on: &B, problems: &[Problem<'_, B>]) -> Result<Vec<Fitted>>;

    /// How W would spread over other draws of the masks, by a formula of the surrogate's own; `None` where it has none,
    /// and refits of rows drawn again serve.
    ///
    /// # Errors
    /// [`Error::Backend`] when the backend fails.
    fn spread(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<Spread>> {
        let _ = (on, problem, fitted);
        Ok(None)
    }

    /// What the penalty leaves of W: ‖W‖ over ‖W‖ at a hundredth of the penalty; `None` where that is not known.
    ///
    /// # Errors
    /// Those of the refit.
    fn shrinkage(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<f64>> {
        let _ = (on, problem, fitted);
        Ok(None)
    }
}

/// One fit to be made.
pub struct Problem<'a, B: Backend> {
    /// Masks, probabilities and weights.
    pub around: &'a Neighbourhood<B>,
    /// The features to fit on.
    pub selection: &'a Selection,
    /// How often each row counts, if not once: bootstraps and folds. N is then their sum.
    pub multiplicities: Option<&'a [u32]>,
    /// A fit to start from, on the same selection.
    pub start: Option<&'a Fitted>,
    /// The tolerance of this fit, if not the surrogate's own: a looser one for fits of which only averages are read. The
    /// objective in its report may be that of the solver's last evaluation, in f32.
    pub tolerance: Option<f64>,
}

impl<'a, B: Backend> Problem<'a, B> {
    /// A fit from scratch on every row.
    pub fn new(around: &'a Neighbourhood<B>, selection: &'a Selection) -> Self {
        Problem { around, selection, multiplicities: None, start: None, tolerance: None }
    }

    /// n, what sums over rows are divided by; see [`Neighbourhood::samples`].
    pub fn samples(&self) -> f64 {
        self.around.samples(self.multiplicities)
    }

    /// Passes if multiplicities and start have the problem's sizes.
    ///
    /// # Errors
    /// [`Error::Shape`] otherwise.
    pub fn check(&self) -> Result<()> {
        if let Some(m) = self.multiplicities {
            expect_len("multiplicities", self.around.rows(), m.len())?;
        }
        if let Some(start) = self.start {
            expect_len("classes of the start", self.around.probabilities.classes(), start.matrix.len())?;
            expect_len("features of the start", self.selection.kept.len(), start.kept.len())?;
        }
        Ok(())
    }
}

/// How the surrogate's scores become its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Link {
    /// Probabilities softmax(W z + b).
    Softmax,
    /// W z + b itself (ridge): rows may leave the simplex.
    Identity,
}

/// A fitted surrogate.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// S, ascending: the features that the columns of `matrix` belong to.
    pub kept: Vec<usize>,
    /// W, C rows of F numbers; for a softmax each column has mean 0 over classes.
    pub matrix: Vec<Vec<f64>>,
    /// b, C numbers; zeros without an intercept. For a softmax they have mean 0.
    pub intercept: Vec<f64>,
    /// For each class the positions in `kept` that its row was fitted on.
    pub support: Vec<Vec<usize>>,
    /// How scores become the surrogate's answer.
    pub link: Link,
    /// How the fit went.
    pub report: FitReport,
}

impl Fitted {
    /// ‖W‖ over the ‖W‖ of a fit with less penalty; `None` where that one has no length.
    pub fn shrinkage(&self, less: &Fitted) -> Option<f64> {
        let length = |fit: &Fitted| fit.matrix.iter().flatten().map(|w| w * w).sum::<f64>().sqrt();
        (length(less) > 0.0).then(|| length(self) / length(less))
    }

    /// Q of one mask over the kept features, in f64.
    ///
    /// # Shapes
    /// `kept[j]` says whether feature `self.kept[j]` is present.
    pub fn predict(&self, kept: &[bool]) -> Vec<f64> {
        let mut scores: Vec<f64> = self
            .matrix
            .iter()
            .zip(&self.intercept)
            .map(|(row, b)| b + row.iter().zip(kept).filter(|(_, k)| **k).map(|(w, _)| w).sum::<f64>())
            .collect();
        if self.link == Link::Softmax {
            softmax_in_place(&mut scores);
        }
        scores
    }
}

/// Replaces logits by probabilities.
pub fn softmax_in_place(logits: &mut [f64]) {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logits.iter_mut().for_each(|l| *l = (*l - top).exp());
    let sum: f64 = logits.iter().sum();
    logits.iter_mut().for_each(|l| *l /= sum);
}

/// How a fit went.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FitReport {
    /// The objective at the returned W and b, in f64, with `lambda` as penalty.
    pub objective: f64,
    /// The largest component of the gradient there.
    pub gradient_norm: f64,
    /// The penalty that was used: λ, scaled if so set (softmax), or α (ridge).
    pub lambda: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Evaluations of objective and gradient.
    pub evaluations: usize,
    /// Products with a Hessian.
    pub hessian_products: usize,
    /// Whether the stopping rule was met.
    pub converged: bool,
    /// Which rule ended the fit, in words.
    pub stopped: String,
    /// Which start the fit came from.
    #[cfg_attr(feature = "serde", serde(default))]
    pub start: Start,
}

/// Where a fit started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Start {
    /// The start that the surrogate takes from the data; for a closed form, none.
    #[default]
    Own,
    /// The solution under the KL divergence, where two starts were asked for and this one led lower.
    Kl,
    /// A fit that was given with the problem.
    Given,
}

/// The penalty on W.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lambda {
    /// This λ.
    Fixed(f64),
    /// The one of [`Lambda::CANDIDATES`] with the least out-of-fold divergence over the masks (5 folds), which costs no
    /// call of the black box. A refit from a start keeps the start's λ.
    Auto,
}

impl Lambda {
    /// What [`Lambda::Auto`] chooses from, largest first.
    pub const CANDIDATES: [f64; 5] = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];
    /// Folds over the distinct masks that [`Lambda::Auto`] holds out, one at a time.
    pub const FOLDS: usize = 5;

    /// The candidate with the least score; ties go to the larger λ. 10⁻⁴ where there are too few distinct masks for scores.
    pub fn least(scores: Option<&[f64; Self::CANDIDATES.len()]>) -> f64 {
        let Some(scores) = scores else { return 1e-4 };
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let best = scores.iter().position(|&s| s == least);
        best.map_or(1e-4, |b| Self::CANDIDATES[b])
    }
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lambda::Fixed(lambda) => lambda.fmt(f),
            Lambda::Auto => f.write_str("auto"),
        }
    }
}

/// How many starts a fit is tried from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Starts {
    /// The surrogate's own.
    #[default]
    One,
    /// The solution under the KL divergence too; the lower objective wins. For divergences that are not convex in W.
    Two,
}

impl FitReport {
    /// The report of a fit in closed form; objective, gradient and λ are 0 until they are set.
    pub fn solved(how: impl Into<String>) -> Self {
        FitReport {
            objective: 0.0,
            gradient_norm: 0.0,
            lambda: 0.0,
            iterations: 0,
            evaluations: 0,
            hessian_products: 0,
            converged: true,
            stopped: how.into(),
            start: Start::Own,
        }
    }
}

/// How λ compares between divergences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LambdaScale {
    /// λ·κ/κ_H²: the same shrinkage under every divergence. Refused where κ is not one number.
    #[default]
    Curvature,
    /// λ as printed in the formula.
    Raw,
}

/// What the sum of divergences is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalise {
    /// N, as in the paper's equation 6.
    #[default]
    Count,
    /// Σπ: λ then means the same whatever the proximity's width.
    Weight,
}

/// Whether the surrogate has an intercept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intercept {
    /// One number a class, fitted and (all but) not penalised.
    #[default]
    Fitted,
    /// None, as in the paper.
    None,
}

/// LIPEX's surrogate softmax(W z + b), fitted under a divergence.
///
/// L(W, b) = (1/n) Σ π_i d(P_i ‖ softmax(W z_i + b)) + (λ/2)‖W‖² + (λ_b/2)‖b‖², λ_b = 10⁻⁸ since a class that is always
/// 0 has no optimal b.
///
/// # Source
/// The paper, equation 6; defaults are those of the `lipex` preset.
#[derive(Clone)]
pub struct Softmax {
    divergence: Arc<dyn ErasedDivergence>,
    lambda: Lambda,
    lambda_scale: LambdaScale,
    normalise: Normalise,
    intercept: Intercept,
    starts: Starts,
    tolerance: f64,
    max_evaluations: usize,
}

/// λ_b, the penalty on the intercept.
pub const INTERCEPT_PENALTY: f64 = 1e-8;

impl Default for Softmax {
    fn default() -> Self {
        Softmax {
            divergence: Arc::new(Hellinger),
            lambda: Lambda::Fixed(1e-4),
            lambda_scale: LambdaScale::Curvature,
            normalise: Normalise::Count,
            intercept: Intercept::Fitted,
            starts: Starts::One,
            tolerance: 1e-7,
            max_evaluations: 2000,
        }
    }
}

impl fmt::Debug for Softmax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.describe()).finish()
    }
}

impl Softmax {
    /// The paper's settings: λ = 0.001 and no intercept.
    pub fn paper() -> Self {
        Softmax { lambda: Lambda::Fixed(1e-3), intercept: Intercept::None, ..Self::default() }
    }

    /// The divergence; default [`Hellinger`].
    pub fn divergence(self, divergence: impl Divergence) -> Self {
        self.erased_divergence(Arc::new(divergence))
    }

    /// The divergence, chosen at run time.
    pub fn erased_divergence(self, divergence: Arc<dyn ErasedDivergence>) -> Self {
        Softmax { divergence, ..self }
    }

    /// λ, the penalty on W; default 10⁻⁴ (the paper: 10⁻³). Larger shrinks W more; tiny values take longer.
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and not negative.
    pub fn lambda(self, lambda: f64) -> Result<Self> {
        if lambda.is_finite() && lambda >= 0.0 {
            Ok(Softmax { lambda: Lambda::Fixed(lambda), ..self })
        } else {
            Err(Error::setting("lambda", lambda, "a finite number, not negative"))
        }
    }

    /// λ chosen by the data; see [`Lambda::Auto`]. A fit takes some twenty times as long.
    pub fn lambda_auto(self) -> Self {
        Softmax { lambda: Lambda::Auto, ..self }
    }

    /// How many starts a fit is tried from; default [`Starts::One`]. Two take twice as long.
    pub fn starts(self, starts: Starts) -> Self {
        Softmax { starts, ..self }
    }

    /// How λ compares between divergences; default [`LambdaScale::Curvature`].
    pub fn lambda_scale(self, lambda_scale: LambdaScale) -> Self {
        Softmax { lambda_scale, ..self }
    }

    /// What the sum is divided by; default [`Normalise::Count`].
    pub fn normalise(self, normalise: Normalise) -> Self {
        Softmax { normalise, ..self }
    }

    /// Whether there is an intercept; default [`Intercept::Fitted`] (the paper: none).
    pub fn intercept(self, intercept: Intercept) -> Self {
        Softmax { intercept, ..self }
    }

    /// Stop when the predicted excess ½gᵀH₀g is below this share of the objective; default 10⁻⁷.
    ///
    /// # Errors
    /// [`Error::Setting`] unless above 0 and below 1.
    pub fn tolerance(self, tolerance: f64) -> Result<Self> {
        if tolerance > 0.0 && tolerance < 1.0 {
            Ok(Softmax { tolerance, ..self })
        } else {
            Err(Error::setting("tolerance", tolerance, "a number above 0 and below 1"))
        }
    }

    /// Most evaluations of the objective before a fit gives up and says so; default 2000.
    pub fn max_evaluations(self, max_evaluations: usize) -> Self {
        Softmax { max_evaluations: max_evaluations.max(1), ..self }
    }

    /// The divergence in use.
    pub fn divergence_in_use(&self) -> &dyn ErasedDivergence {
        self.divergence.as_ref()
    }

    /// λ as set.
    pub fn lambda_set(&self) -> Lambda {
        self.lambda
    }

    /// λ as it enters the objective: scaled by κ/κ_H² unless raw.
    ///
    /// # Errors
    /// [`Error::Setting`] when the divergence has no single κ and the scale is by curvature, and when λ is yet to be
    /// chosen by the data.
    pub fn lambda_used(&self) -> Result<f64> {
        match self.lambda {
            Lambda::Fixed(lambda) => Ok(lambda * self.lambda_factor()?),
            Lambda::Auto => Err(Error::setting("lambda", "auto", "only a fit chooses λ; give a number")),
        }
    }

    /// What λ is multiplied by before it enters the objective: κ/κ_H², or 1 if raw.
    ///
    /// # Errors
    /// [`Error::Setting`] when the divergence has no single κ and the scale is by curvature.
    pub fn lambda_factor(&self) -> Result<f64> {
        match self.lambda_scale {
            LambdaScale::Raw => Ok(1.0),
            LambdaScale::Curvature => match self.divergence.kappa() {
                Some(kappa) => Ok(kappa / 0.25),
                None => {
                    let reason = format!(
                        "the curvature of {} is not one number, so λ cannot be scaled by it; use raw",
                        self.divergence.name()
                    );
                    Err(Error::setting("lambda-scale", "curvature", reason))
                }
            },
        }
    }

    /// How many starts a fit is tried from.
    pub fn starts_in_use(&self) -> Starts {
        self.starts
    }

    /// What the sum is divided by.
    pub fn normalise_in_use(&self) -> Normalise {
        self.normalise
    }

    /// Whether there is an intercept.
    pub fn has_intercept(&self) -> bool {
        self.intercept == Intercept::Fitted
    }

    /// The stopping tolerance.
    pub fn tolerance_in_use(&self) -> f64 {
        self.tolerance
    }

    /// The limit on evaluations.
    pub fn evaluation_limit(&self) -> usize {
        self.max_evaluations
    }
}

impl Describe for Softmax {
    fn describe(&self) -> Vec<Setting> {
        let scale = match self.lambda_scale {
            LambdaScale::Curvature => "curvature",
            LambdaScale::Raw => "raw",
        };
        let normalise = match self.normalise {
            Normalise::Count => "count",
            Normalise::Weight => "weight",
        };
        vec![
            Setting::new("surrogate", "softmax"),
            Setting::new("divergence", self.divergence.name()),
            Setting::new("lambda", self.lambda),
            Setting::new("lambda-scale", scale),
            Setting::new("normalise", normalise),
            Setting::new("intercept", if self.has_intercept() { "fitted" } else { "none" }),
            Setting::new("starts", if self.starts == Starts::Two { 2 } else { 1 }),
            Setting::new("tolerance", self.tolerance),
        ]
    }
}

/// Which features a ridge fits each class on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Support {
    /// Each class on its own picks, zeros elsewhere: what LIME does.
    #[default]
    Own,
    /// Every class on the union of the picks.
    Union,
}

/// All-class LIME: per class the π-weighted ridge of P\[:,c\] on the kept columns.
///
/// # Source
/// LIME 0.2.0.1: scikit-learn's `Ridge(alpha=1, fit_intercept=True)`, α not scaled by Σπ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge {
    alpha: f64,
    support: Support,
}

impl Default for Ridge {
    fn default() -> Self {
        Ridge { alpha: 1.0, support: Support::Own }
    }
}

impl Ridge {
    /// α, the penalty; default 1.
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and above 0.
    pub fn alpha(self, alpha: f64) -> Result<Self> {
        if alpha.is_finite() && alpha > 0.0 {
            Ok(Ridge { alpha, ..self })
        } else {
            Err(Error::setting("alpha", alpha, "a finite number above 0"))
        }
    }

    /// Which features each class is fitted on; default [`Support::Own`].
    pub fn support(self, support: Support) -> Self {
        Ridge { support, ..self }
    }

    /// α in use.
    pub fn alpha_in_use(&self) -> f64 {
        self.alpha
    }

    /// The support in use.
    pub fn support_in_use(&self) -> Support {
        self.support
    }
}

impl Describe for Ridge {
    fn describe(&self) -> Vec<Setting> {
        let support = match self.support {
            Support::Own => "own",
            Support::Union => "union",
        };
        vec![Setting::new("surrogate", "ridge"), Setting::new("alpha", self.alpha), Setting::new("support", support)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::{Kl, TotalVariation};

    #[test]
    fn lambda_is_scaled_by_curvature() {
        let softmax = Softmax::default().lambda(1e-3).unwrap();
        assert_eq!(softmax.lambda_used().unwrap(), 1e-3);
        assert!((softmax.clone().divergence(Kl).lambda_used().unwrap() - 4e-3).abs() < 1e-12);
        assert_eq!(softmax.clone().divergence(TotalVariation).lambda_used().unwrap(), 1e-3);
        assert_eq!(softmax.divergence(Kl).lambda_scale(LambdaScale::Raw).lambda_used().unwrap(), 1e-3);
    }

    #[test]
    fn the_least_score_wins_and_ties_go_to_the_larger_penalty() {
        assert_eq!(Lambda::least(Some(&[3.0, 2.0, 1.0, 1.0, 2.0])), 1e-4);
        assert_eq!(Lambda::least(Some(&[3.0, 2.0, 2.5, 2.0, 9.0])), 1e-3);
        assert_eq!((Lambda::least(None), Lambda::least(Some(&[f64::NAN; 5]))), (1e-4, 1e-4));
    }

    #[test]
    fn settings_are_checked() {
        assert!(Softmax::default().lambda(-1.0).is_err() && Softmax::default().lambda(f64::NAN).is_err());
        assert!(Softmax::default().tolerance(0.0).is_err());
        assert!(Ridge::default().alpha(0.0).is_err());
    }

    #[test]
    fn a_fitted_surrogate_predicts() {
        let report = FitReport::solved("by hand");
        let mut fitted = Fitted {
            kept: vec![0, 2],
            matrix: vec![vec![3f64.ln(), 0.0], vec![0.0, 9f64.ln()]],
            intercept: vec![0.0, 0.0],
            support: vec![vec![0, 1]; 2],
            link: Link::Softmax,
            report,
        };
        assert!((fitted.predict(&[true, false])[0] - 0.75).abs() < 1e-15);
        assert!((fitted.predict(&[true, true])[1] - 0.75).abs() < 1e-15);
        fitted.link = Link::Identity;
        assert_eq!(fitted.predict(&[true, true]), [3f64.ln(), 9f64.ln()]);
    }
}
