//! LIPEX's surrogate.

use super::lambda::{Lambda, LambdaScale};
use super::pairs::Pairs;
use crate::describe::{Describe, Setting};
use crate::divergence::{Divergence, ErasedDivergence, Hellinger};
use crate::error::{Error, Result};
use crate::nearest::choose;
use std::fmt;
use std::sync::Arc;

/// How many starts a fit is tried from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Starts {
    /// The surrogate's own.
    #[default]
    One,
    /// The solution under the KL divergence too; the lower objective wins. For divergences that are not convex in W.
    Two,
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

/// What the surrogate answers from: the logits that the features' weights are added to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intercept {
    /// The model's answer for the whole instance, so that the surrogate cannot miss it: Q = softmax(ln P₀ − W r), r what is
    /// removed; see [`anchor`].
    Anchored,
    /// Anchored; where a class of P₀ lies below the least that [`anchor`] lets stand, anchored or fitted, whichever has the
    /// less out-of-fold divergence.
    Auto,
    /// One number a class, fitted and (all but) not penalised.
    #[default]
    Fitted,
    /// None, as in the paper.
    None,
}

impl Intercept {
    /// Every choice.
    pub const ALL: [Intercept; 4] = [Intercept::Anchored, Intercept::Auto, Intercept::Fitted, Intercept::None];

    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Intercept::Anchored => "anchored",
            Intercept::Auto => "auto",
            Intercept::Fitted => "fitted",
            Intercept::None => "none",
        }
    }

    /// The choice of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        choose("intercept", name, &Self::ALL.map(|intercept| (intercept.name(), intercept)))
    }
}

/// The least probability of P₀ that an anchored surrogate of so many classes lets stand: 10⁻⁴/C.
///
/// The model's answer is met within 10⁻⁴ in total variation. With a smaller least one a model that answers 0 and 1 would leave
/// fits on a plateau near W = 0.
pub fn least_anchor(classes: usize) -> f64 {
    1e-4 / classes.max(1) as f64
}

/// ln P₀ of an anchored surrogate: the model's answer for the whole instance, clamped at [`least_anchor`] and divided by its
/// sum.
pub fn anchor(whole: &[f32]) -> Vec<f64> {
    let least = least_anchor(whole.len());
    let clamped: Vec<f64> = whole.iter().map(|&p| f64::from(p).max(least)).collect();
    let sum: f64 = clamped.iter().sum();
    clamped.into_iter().map(|p| (p / sum).ln()).collect()
}

/// LIPEX's surrogate softmax(W z + b), fitted under a divergence.
///
/// Anchored it is softmax(ln P₀ − W r), r = 1 − z; with [`Pairs`] softmax(ln P₀ − Σ W_j r_j + Σ V_ab r_a r_b).
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
    pairs: Pairs,
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
            pairs: Pairs::None,
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
        crate::preset::Preset::Paper.softmax()
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

    /// What the surrogate answers from; default [`Intercept::Fitted`] (the paper: none).
    pub fn intercept(self, intercept: Intercept) -> Self {
        Softmax { intercept, ..self }
    }

    /// Which pairs of kept features have a term of their own; default [`Pairs::None`]. They need an intercept, anchored or
    /// fitted.
    pub fn pairs(self, pairs: Pairs) -> Self {
        Softmax { pairs, ..self }
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

    /// Whether there is an intercept to fit.
    pub fn has_intercept(&self) -> bool {
        self.intercept == Intercept::Fitted
    }

    /// What the surrogate answers from.
    pub fn intercept_in_use(&self) -> Intercept {
        self.intercept
    }

    /// Which pairs have a term of their own.
    pub fn pairs_in_use(&self) -> &Pairs {
        &self.pairs
    }

    /// Passes if the settings go together.
    ///
    /// # Errors
    /// [`Error::Setting`] for pairs without an intercept, and those of [`lambda_factor`](Softmax::lambda_factor).
    pub fn check(&self) -> Result<()> {
        if self.intercept == Intercept::None && !self.pairs.is_none() {
            let reason = "a surrogate without an intercept has no pairs; add `intercept` anchored or fitted";
            return Err(Error::setting("pairs", &self.pairs, reason));
        }
        self.lambda_factor().map(|_| ())
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
            Setting::new("intercept", self.intercept.name()),
            Setting::new("pairs", &self.pairs),
            Setting::new("starts", if self.starts == Starts::Two { 2 } else { 1 }),
            Setting::new("tolerance", self.tolerance),
        ]
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
    fn settings_are_checked() {
        assert!(Softmax::default().lambda(-1.0).is_err() && Softmax::default().lambda(f64::NAN).is_err());
        assert!(Softmax::default().tolerance(0.0).is_err());
    }
}
