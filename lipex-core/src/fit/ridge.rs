//! All-class LIME's surrogate.

use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

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

    #[test]
    fn settings_are_checked() {
        assert!(Ridge::default().alpha(0.0).is_err());
    }
}
