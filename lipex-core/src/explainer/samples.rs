//! How many masks a run asks for.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// N, or the rule that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    Fixed(usize),
    /// 2D + 2048, as PyPI `shap`'s `KernelExplainer` has it: beyond some 1000 features fewer could not determine the weights.
    ByFeatures,
}

impl Samples {
    /// N for an instance of so many features.
    pub fn of(self, features: usize) -> usize {
        match self {
            Samples::Fixed(samples) => samples,
            Samples::ByFeatures => features.saturating_mul(2).saturating_add(2048),
        }
    }
}

impl Default for Samples {
    fn default() -> Self {
        Samples::Fixed(1000)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Samples::Fixed(samples) => samples.fmt(f),
            Samples::ByFeatures => f.write_str("2D+2048"),
        }
    }
}

impl FromStr for Samples {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == Samples::ByFeatures.to_string() {
            return Ok(Samples::ByFeatures);
        }
        text.parse().map(Samples::Fixed).map_err(|_| Error::setting("samples", text, "a number of masks"))
    }
}
