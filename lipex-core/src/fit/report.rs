//! How a fit went.

/// How a fit went.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let fit = explanation.fit.as_ref().unwrap();
/// assert!(fit.converged, "{}", fit.stopped);
/// assert!(fit.evaluations >= fit.iterations && fit.lambda > 0.0);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FitReport {
    /// The objective at the returned W and b, in f64, with `lambda` as penalty.
    pub objective: f64,
    /// The largest component of the gradient there.
    pub gradient_norm: f64,
    /// The penalty that was used: λ, scaled if so set, or ρ where each class has a penalty of its own (softmax), or α
    /// (ridge).
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
    /// What an anchored and a fitted intercept came to, where both were tried; see [`Intercept::Auto`](super::Intercept::Auto).
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub intercept: Option<Compared>,
}

/// Mean divergence on held-out masks of a surrogate that is anchored and of one with a fitted intercept; the lesser was
/// taken.
///
/// ```
/// use lipex::prelude::*;
///
/// // A model that rules a class out at the text itself, so that both are tried.
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("fine") { [0.0, 1.0] } else { [0.6, 0.4] }).collect()
/// });
/// let text = TextInstance::new("a fine day, all in all, for a walk")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let compared = explanation.fit.as_ref().unwrap().intercept.unwrap();
/// assert!(compared.anchored > 0.0 && compared.fitted > 0.0 && compared.anchored != compared.fitted);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Compared {
    /// Anchored.
    pub anchored: f64,
    /// With a fitted intercept.
    pub fitted: f64,
}

/// Where a fit started.
///
/// ```
/// use lipex_core::{FitReport, Start};
///
/// // What is solved in one step starts nowhere.
/// assert_eq!(FitReport::solved("normal equations").start, Start::Own);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Start {
    /// The start that the surrogate takes from the data; for a closed form, none.
    #[default]
    Own,
    /// The solution under the KL divergence, where several starts were tried and this one led lower.
    Kl,
    /// Twice the solution under the KL divergence.
    Twice,
    /// The fit to probabilities that are nearer to equal.
    Smoothed,
    /// No effect of any feature.
    Flat,
    /// A fit that was given with the problem.
    Given,
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
            intercept: None,
        }
    }
}
