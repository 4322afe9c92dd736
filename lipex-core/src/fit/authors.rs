//! The surrogate as the paper's authors fit it.

use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

/// The recipe of the authors' released code, for comparison: a linear layer with bias, softmax, Adam on minibatches.
///
/// The loss of a minibatch is Σ_i π_i d(P_i‖Q_i) / n_batch. Minibatches are 128 rows in their order, never shuffled, the last
/// one short. Adam has learning rate 0.01, β = (0.9, 0.999), ε = 10⁻⁸ and weight decay 0.001 on W and b, added to the
/// gradient. It starts from numbers uniform on ±1/√F and ends after 1000 epochs, when a minibatch's loss is below 0.001, or
/// after more than 1000 steps without a lower one; the parameters with the lowest loss are returned, columns centred over
/// classes (which changes no probability).
///
/// The report's `lambda` is the weight decay, and its objective (1/N)Σ π d + (λ/2)(‖W‖² + ‖b‖²), which the recipe lowers but
/// does not minimise. Two to three thousand steps reach about what [`Softmax`](crate::Softmax) reaches in tens of
/// evaluations.
///
/// # Source
/// The repository that the paper names, read and written anew. It fits under total variation as well and keeps whichever has
/// the lower best loss, though the two are not comparable: [`AuthorsLoss::Lower`], off by default.
///
/// ```
/// use lipex_core::{Authors, AuthorsLoss};
///
/// let quick = Authors::default().epochs(50)?.loss(AuthorsLoss::by_name("tv")?);
/// assert_eq!(quick.epoch_limit(), 50);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authors {
    loss: AuthorsLoss,
    epochs: usize,
    seed: u64,
}

/// What the authors' recipe minimises.
///
/// ```
/// use lipex_core::{Authors, AuthorsLoss, Describe, Setting};
///
/// assert_eq!(AuthorsLoss::by_name("tv")?, AuthorsLoss::TotalVariation);
/// let both = Authors::default().loss(AuthorsLoss::Lower);
/// assert!(both.describe().contains(&Setting::new("divergence", "hellinger-or-tv")));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthorsLoss {
    /// The squared Hellinger distance.
    #[default]
    Hellinger,
    /// The total variation distance, as it is.
    TotalVariation,
    /// Both, one after the other; the fit with the lower best loss is kept, the first if they are equal.
    Lower,
}

impl AuthorsLoss {
    /// The name, as `divergence` has it.
    pub fn name(self) -> &'static str {
        match self {
            AuthorsLoss::Hellinger => "hellinger",
            AuthorsLoss::TotalVariation => "tv",
            AuthorsLoss::Lower => "hellinger-or-tv",
        }
    }

    /// The loss of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        [AuthorsLoss::Hellinger, AuthorsLoss::TotalVariation, AuthorsLoss::Lower]
            .into_iter()
            .find(|l| l.name() == name)
            .ok_or_else(|| {
                let reason =
                    "the authors' recipe has hellinger, tv or hellinger-or-tv; others need the `surrogate` softmax";
                Error::setting("divergence", name, reason)
            })
    }
}

impl Authors {
    /// Rows of a minibatch.
    pub const BATCH: usize = 128;
    /// Adam's step size.
    pub const LEARNING_RATE: f64 = 0.01;
    /// Added to the gradient, times the parameter.
    pub const WEIGHT_DECAY: f64 = 0.001;
    /// A minibatch loss below this ends the fit.
    pub const TARGET: f64 = 0.001;
    /// More steps than this without a lower loss end the fit.
    pub const PATIENCE: usize = 1000;

    /// The loss; default [`AuthorsLoss::Hellinger`].
    pub fn loss(self, loss: AuthorsLoss) -> Self {
        Authors { loss, ..self }
    }

    /// Most passes over the rows; default 1000.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn epochs(self, epochs: usize) -> Result<Self> {
        if epochs == 0 {
            return Err(Error::setting("epochs", 0, "at least 1 pass over the rows"));
        }
        Ok(Authors { epochs, ..self })
    }

    /// The seed of the random start, which is not the masks'; default 0.
    pub fn seed(self, seed: u64) -> Self {
        Authors { seed, ..self }
    }

    /// The loss in use.
    pub fn loss_in_use(&self) -> AuthorsLoss {
        self.loss
    }

    /// Most passes over the rows.
    pub fn epoch_limit(&self) -> usize {
        self.epochs
    }

    /// The seed of the start.
    pub fn seed_in_use(&self) -> u64 {
        self.seed
    }
}

impl Default for Authors {
    fn default() -> Self {
        Authors { loss: AuthorsLoss::Hellinger, epochs: 1000, seed: 0 }
    }
}

impl Describe for Authors {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("surrogate", "authors"),
            Setting::new("divergence", self.loss.name()),
            Setting::new("epochs", self.epochs),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_named() {
        assert!(Authors::default().epochs(0).is_err());
        for loss in [AuthorsLoss::Hellinger, AuthorsLoss::TotalVariation, AuthorsLoss::Lower] {
            assert_eq!(AuthorsLoss::by_name(loss.name()).unwrap(), loss);
        }
        assert!(AuthorsLoss::by_name("kl").is_err_and(|e| e.to_string().contains("`surrogate` softmax")));
        assert_eq!(Authors::default().loss(AuthorsLoss::Lower).describe()[1].value, "hellinger-or-tv");
    }
}
