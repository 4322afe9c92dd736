//! Evaluate: how well a surrogate agrees with the black box.

use crate::backend::Backend;
use crate::error::Result;
use crate::fit::{Fitted, Problem, Surrogate};
use crate::perturb::Dependence;

/// Measures the agreement of fitted surrogates with the black box.
pub trait Evaluator<B: Backend>: Send + Sync {
    /// One fidelity for each problem and its fit; refits with `surrogate` for what is out of fold.
    ///
    /// # Errors
    /// Those of the refits.
    fn evaluate(
        &self,
        on: &B,
        problems: &[Problem<'_, B>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<B>,
        dependence: Dependence,
    ) -> Result<Vec<Fidelity>>;
}

/// How well the surrogate agrees with the black box, π-weighted over masks.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fidelity {
    /// On masks that a refit has not seen; `None` where there are too few distinct masks to hold any out.
    pub out_of_fold: Option<Agreement>,
    /// At the instance itself (row 0), which the fit has seen.
    pub at_instance: Agreement,
    /// On the masks of the fit.
    pub in_sample: Agreement,
    /// R² of each class's probability, in sample (LIME's `score`); 0 for a class that does not vary.
    pub r2: Vec<f64>,
}

/// Mean distances between rows of P and of Q.
///
/// # Numerics
/// For a surrogate that may leave the simplex (ridge), TV and the arg max are of its rows as they are; H² and KL are of
/// its rows clipped to at least 10⁻⁷ and divided by their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Agreement {
    /// Total variation, ½ Σ |p − q|.
    pub tv: f64,
    /// Squared Hellinger distance.
    pub hellinger: f64,
    /// KL(p‖q), nats.
    pub kl: f64,
    /// Share of rows whose likeliest class is the same.
    pub arg_max: f64,
    /// Share of rows with a surrogate probability outside [0, 1]; 0 for a softmax.
    pub off_simplex: f64,
}

/// The evaluator: `folds` folds over distinct masks, complements together, row 0 always in training.
///
/// Refits start from the full fit and cost no call of the black box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfFold {
    /// Number of folds; default 5; 0 leaves the out-of-fold fidelity out.
    pub folds: usize,
}

impl Default for OutOfFold {
    fn default() -> Self {
        OutOfFold { folds: 5 }
    }
}
