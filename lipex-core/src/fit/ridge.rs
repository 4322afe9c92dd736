//! All-class LIME's surrogate.

use super::pairs::Pairs;
use super::softmax::Intercept;
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

/// Which features a ridge fits each class on.
///
/// ```
/// use lipex_core::{Pairs, Ridge, Support};
///
/// // A pair needs both of its features in the row of every class.
/// let ridge = Ridge::default().pairs(Pairs::Count(3));
/// assert!(ridge.clone().support(Support::Own).check().is_err());
/// assert!(ridge.support(Support::Union).check().is_ok());
/// ```
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
/// Anchored it is P₀ − W r, r = 1 − z, without an intercept to fit; with [`Pairs`] the columns r_a r_b stand beside the
/// features' own, penalised alike.
///
/// # Source
/// LIME 0.2.0.1: scikit-learn's `Ridge(alpha=1, fit_intercept=True)`, α not scaled by Σπ.
///
/// ```
/// use lipex_core::{Intercept, Pairs, Ridge, Support};
///
/// let ridge = Ridge::default().alpha(0.1)?.support(Support::Union).pairs(Pairs::Count(5));
/// assert!(ridge.check().is_ok());
/// assert!(Ridge::default().intercept(Intercept::None).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    alpha: f64,
    support: Support,
    intercept: Intercept,
    pairs: Pairs,
}

impl Default for Ridge {
    fn default() -> Self {
        Ridge { alpha: 1.0, support: Support::Own, intercept: Intercept::Fitted, pairs: Pairs::None }
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

    /// What the weights are added to: fitted (default) or anchored at P₀.
    ///
    /// # Errors
    /// [`Error::Setting`] for [`Intercept::None`] and [`Intercept::Auto`]: without an intercept every removal would have to
    /// account for the whole answer, and least squares need no choice.
    pub fn intercept(self, intercept: Intercept) -> Result<Self> {
        match intercept {
            Intercept::Fitted | Intercept::Anchored => Ok(Ridge { intercept, ..self }),
            Intercept::None | Intercept::Auto => {
                Err(Error::setting("intercept", intercept.name(), "a ridge has anchored or fitted"))
            }
        }
    }

    /// Which pairs of kept features have a term of their own; default [`Pairs::None`]. They need [`Support::Union`].
    pub fn pairs(self, pairs: Pairs) -> Self {
        Ridge { pairs, ..self }
    }

    /// Passes if the settings go together.
    ///
    /// # Errors
    /// [`Error::Setting`] for pairs where each class is fitted on its own picks.
    pub fn check(&self) -> Result<()> {
        if self.support == Support::Own && !self.pairs.is_none() {
            let reason = "a ridge on each class's own picks takes no pairs; use a softmax, or in Rust Support::Union";
            return Err(Error::setting("pairs", &self.pairs, reason));
        }
        Ok(())
    }

    /// What the weights are added to.
    pub fn intercept_in_use(&self) -> Intercept {
        self.intercept
    }

    /// Which pairs have a term of their own.
    pub fn pairs_in_use(&self) -> &Pairs {
        &self.pairs
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
        vec![
            Setting::new("surrogate", "ridge"),
            Setting::new("intercept", self.intercept.name()),
            Setting::new("pairs", &self.pairs),
            Setting::new("alpha", self.alpha),
            Setting::new("support", support),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked() {
        assert!(Ridge::default().alpha(0.0).is_err());
    }
}
