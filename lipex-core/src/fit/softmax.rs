//! LIPEX's surrogate.
//!
//! # Numerics
//! Objectives and gradients in f32 with sums in f64, and on in f64 where f32 stalls; explanations are within the tolerance of
//! the optimum, and the same to the bit whatever the number of threads. Equal to SciPy's optimum within 10⁻⁶ of the objective
//! on the golden problems.

use super::lambda::{Lambda, LambdaScale};
use super::pairs::Pairs;
use crate::describe::{Describe, Setting};
use crate::divergence::{Divergence, ErasedDivergence, Hellinger};
use crate::error::{Error, Result};
use crate::nearest::choose;
use std::fmt;
use std::sync::Arc;

/// How many starts a fit is tried from.
///
/// ```
/// use lipex_core::{Describe, Setting, Softmax, Starts};
///
/// // For a classifier that answers 0 and 1; under the default they are tried where they are needed.
/// let softmax = Softmax::default().starts(Starts::Two);
/// assert!(softmax.describe().contains(&Setting::new("starts", "2")));
/// assert_eq!(Softmax::default().starts_in_use(), Starts::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Starts {
    /// As many as it takes: one, but where the black box answers 0 and 1 ([`Starts::CONFIDENT`]) the best of several, each fitted
    /// roughly and the lowest carried on. KL is convex in W and needs one.
    ///
    /// Other divergences are not convex there: their gradient vanishes wherever the surrogate answers 0 and 1 too, right or
    /// wrong (a plateau), and the surrogate's own start lies on one.
    #[default]
    Auto,
    /// The surrogate's own.
    One,
    /// The solution under the KL divergence too; the lower objective wins.
    Two,
}

impl Starts {
    /// A row is sure of its class above this probability.
    pub const CONFIDENT: f32 = 0.99;
    /// The share of the weight that rows which are sure must have for [`Starts::Auto`] to try several starts.
    pub const CONFIDENT_SHARE: f64 = 0.25;

    /// The name that settings have for it.
    pub fn name(self) -> &'static str {
        match self {
            Starts::Auto => "auto",
            Starts::One => "1",
            Starts::Two => "2",
        }
    }
}

/// What the sum of divergences is divided by.
///
/// ```
/// use lipex_core::{Describe, Normalise, Setting, Softmax};
///
/// // λ then weighs as much beside a narrow proximity as beside a wide one.
/// let softmax = Softmax::default().normalise(Normalise::Weight);
/// assert!(softmax.describe().contains(&Setting::new("normalise", "weight")));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalise {
    /// N, as in the paper's equation 6.
    #[default]
    Count,
    /// Σπ: λ then means the same whatever the proximity's width.
    Weight,
}

/// What the surrogate answers from: the logits that the features' weights are added to.
///
/// ```
/// use lipex_core::Intercept;
///
/// assert_eq!(Intercept::by_name("anchored")?, Intercept::Anchored);
/// # Ok::<(), lipex_core::Error>(())
/// ```
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
///
/// ```
/// let start = lipex_core::anchor(&[0.75, 0.25]);
/// assert!((start[0] - 0.75f64.ln()).abs() < 1e-7);
/// ```
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
///
/// ```
/// use lipex_core::{Describe, Intercept, Kl, Pairs, Setting, Softmax};
///
/// let own = Softmax::default().divergence(Kl).lambda(0.01)?.intercept(Intercept::Anchored).pairs(Pairs::Auto);
/// own.check()?;
/// assert!(own.describe().contains(&Setting::new("intercept", "anchored")));
/// // Without an intercept a pair has nothing to be told from.
/// assert!(Softmax::paper().pairs(Pairs::Count(5)).check().is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Softmax {
    divergence: Arc<dyn ErasedDivergence>,
    /// As set; the scale's usual one if not.
    lambda: Option<Lambda>,
    lambda_scale: LambdaScale,
    normalise: Normalise,
    intercept: Intercept,
    pairs: Pairs,
    starts: Starts,
    tolerance: f64,
    max_evaluations: usize,
}

/// The least mean p(1 − p) of a class that its penalty is scaled by.
const LEAST_SPREAD: f64 = 1e-6;

/// λ_b, the penalty on the intercept.
pub const INTERCEPT_PENALTY: f64 = 1e-8;

impl Default for Softmax {
    fn default() -> Self {
        Softmax {
            divergence: Arc::new(Hellinger),
            lambda: None,
            lambda_scale: LambdaScale::Curvature,
            normalise: Normalise::Count,
            intercept: Intercept::Fitted,
            pairs: Pairs::None,
            starts: Starts::Auto,
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
        crate::preset::Preset::Paper.softmax(crate::render::Domain::Text)
    }

    /// The divergence; default [`Hellinger`].
    pub fn divergence(self, divergence: impl Divergence) -> Self {
        self.erased_divergence(Arc::new(divergence))
    }

    /// The divergence, chosen at run time.
    pub fn erased_divergence(self, divergence: Arc<dyn ErasedDivergence>) -> Self {
        Softmax { divergence, ..self }
    }

    /// λ, the penalty on W; default 10⁻⁴ (the paper: 10⁻³), for ρ under [`LambdaScale::Class`] too. Larger shrinks W
    /// more; tiny values take longer.
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and not negative.
    pub fn lambda(self, lambda: f64) -> Result<Self> {
        if lambda.is_finite() && lambda >= 0.0 {
            Ok(Softmax { lambda: Some(Lambda::Fixed(lambda)), ..self })
        } else {
            Err(Error::setting("lambda", lambda, "a finite number, not negative"))
        }
    }

    /// λ chosen by the data; see [`Lambda::Auto`]. A fit takes some twenty times as long.
    pub fn lambda_auto(self) -> Self {
        Softmax { lambda: Some(Lambda::Auto), ..self }
    }

    /// How many starts a fit is tried from; default [`Starts::Auto`]. Two take twice as long as one.
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

    /// λ as set, or the usual one of its scale.
    pub fn lambda_set(&self) -> Lambda {
        self.lambda.unwrap_or(Lambda::Fixed(self.lambda_scale.usual()))
    }

    /// How λ compares between divergences and classes.
    pub fn lambda_scale_in_use(&self) -> LambdaScale {
        self.lambda_scale
    }

    /// λ as reports have it: scaled by κ/κ_H² under [`LambdaScale::Curvature`], ρ under [`LambdaScale::Class`].
    ///
    /// # Errors
    /// [`Error::Setting`] when the divergence has no single κ and the scale is by curvature, and when λ is yet to be
    /// chosen by the data.
    pub fn lambda_used(&self) -> Result<f64> {
        match self.lambda_set() {
            Lambda::Fixed(lambda) => Ok(lambda * self.lambda_factor()?),
            Lambda::Auto => Err(Error::setting("lambda", "auto", "only a fit chooses λ; give a number")),
        }
    }

    /// What λ is multiplied by before it is reported and enters the objective: κ/κ_H², or 1 if raw or by class.
    ///
    /// # Errors
    /// [`Error::Setting`] when the divergence has no single κ and the scale is not raw.
    pub fn lambda_factor(&self) -> Result<f64> {
        match (self.lambda_scale, self.divergence.kappa()) {
            (LambdaScale::Raw, _) | (LambdaScale::Class, Some(_)) => Ok(1.0),
            (LambdaScale::Curvature, Some(kappa)) => Ok(kappa / 0.25),
            (scale, None) => {
                let name = self.divergence.name();
                let reason = format!("the curvature of {name} is not one number, so λ cannot be scaled by it; use raw");
                Err(Error::setting("lambda-scale", scale.name(), reason))
            }
        }
    }

    /// λ_c of every class, C numbers, for a λ as reports have it: λ itself, or ρ times the class's mean curvature under
    /// [`LambdaScale::Class`].
    ///
    /// # Shapes
    /// `probabilities` N × `classes`, row-major; `weights` N; `samples` as [`Neighbourhood::samples`](crate::Neighbourhood::samples)
    /// has it.
    ///
    /// # Numerics
    /// Sums in f64. A class whose mean p(1 − p) is below 10⁻⁶ counts as if it were that: without a penalty the W of a class
    /// that never occurs has no optimum.
    pub fn penalties(
        &self,
        lambda: f64,
        classes: usize,
        probabilities: &[f32],
        weights: &[f32],
        samples: f64,
    ) -> Vec<f64> {
        let (LambdaScale::Class, Some(kappa)) = (self.lambda_scale, self.divergence.kappa()) else {
            return vec![lambda; classes];
        };
        let all: f64 = weights.iter().map(|&w| f64::from(w)).sum();
        let n = match self.normalise {
            Normalise::Count => samples,
            Normalise::Weight => all,
        };
        let mut curvatures = vec![0.0; classes];
        for (row, &weight) in probabilities.chunks_exact(classes.max(1)).zip(weights) {
            let spread = |p: &f32| f64::from(*p) * (1.0 - f64::from(*p));
            curvatures.iter_mut().zip(row).for_each(|(c, p)| *c += f64::from(weight) * spread(p));
        }
        curvatures.iter().map(|c| lambda * kappa * c.max(LEAST_SPREAD * all) / n).collect()
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

    /// Which pairs have a term of their own: of [`Pairs::Auto`] none where there is no intercept.
    pub fn pairs_in_use(&self) -> &Pairs {
        if self.intercept == Intercept::None && self.pairs == Pairs::Auto { &Pairs::None } else { &self.pairs }
    }

    /// Passes if the settings go together.
    ///
    /// # Errors
    /// [`Error::Setting`] for pairs that are counted or given without an intercept, and those of [`lambda_factor`](Softmax::lambda_factor).
    pub fn check(&self) -> Result<()> {
        if self.intercept == Intercept::None && !self.pairs_in_use().is_none() {
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
        let normalise = match self.normalise {
            Normalise::Count => "count",
            Normalise::Weight => "weight",
        };
        vec![
            Setting::new("surrogate", "softmax"),
            Setting::new("divergence", self.divergence.name()),
            Setting::new("lambda", self.lambda_set()),
            Setting::new("lambda-scale", self.lambda_scale.name()),
            Setting::new("normalise", normalise),
            Setting::new("intercept", self.intercept.name()),
            Setting::new("pairs", self.pairs_in_use()),
            Setting::new("starts", self.starts.name()),
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
    fn penalties_follow_the_spread_of_each_class() {
        let softmax = Softmax::default().lambda_scale(LambdaScale::Class);
        assert_eq!(softmax.lambda_used().unwrap(), 1e-4);
        // Spreads .25, .25, 0 with weight 1 and .09, 0, .09 with weight 3; n = 2, κ = ¼.
        let (p, w) = ([0.5, 0.5, 0.0, 0.9, 0.0, 0.1], [1.0, 3.0]);
        let by_hand = [0.25 + 0.27, 0.25, 0.27].map(|spread: f64| 0.01 * 0.25 * spread / 2.0);
        let made = softmax.penalties(0.01, 3, &p, &w, 2.0);
        assert!(made.iter().zip(by_hand).all(|(a, b)| (a - b).abs() < 1e-9), "{made:?} {by_hand:?}");
        let halved = softmax.clone().normalise(Normalise::Weight).penalties(0.01, 3, &p, &w, 2.0);
        assert!(halved.iter().zip(by_hand).all(|(a, b)| (2.0 * a - b).abs() < 1e-9), "{halved:?}");
        let fourfold = softmax.clone().divergence(Kl).penalties(0.01, 3, &p, &w, 2.0);
        assert!(fourfold.iter().zip(by_hand).all(|(a, b)| (a - 4.0 * b).abs() < 1e-8), "{fourfold:?}");
        assert_eq!(Softmax::default().penalties(0.01, 3, &p, &w, 2.0), [0.01; 3]);
        // A class that never occurs is still held.
        assert!((softmax.penalties(1.0, 2, &[1.0, 0.0], &[1.0], 1.0)[1] - 0.25e-6).abs() < 1e-12);
    }

    #[test]
    fn settings_are_checked() {
        assert!(Softmax::default().lambda(-1.0).is_err() && Softmax::default().lambda(f64::NAN).is_err());
        assert!(Softmax::default().tolerance(0.0).is_err());
    }
}
