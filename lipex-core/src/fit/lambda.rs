//! The penalty on W.
//!
//! # Source
//! L2 penalty: Hoerl and Kennard, Ridge Regression (1970). λ in the formula has the unit of the divergence;
//! [`LambdaScale::Curvature`] makes equal λ shrink alike under all divergences, [`LambdaScale::Class`] under all classes too.

use std::fmt;

/// The penalty on W.
///
/// ```
/// use lipex_core::{Lambda, Softmax};
///
/// let fixed = Softmax::default().lambda(0.01)?;
/// assert_eq!(fixed.lambda_set(), Lambda::Fixed(0.01));
/// // Chosen by held-out masks, at no call of the model.
/// assert_eq!(fixed.lambda_auto().lambda_set(), Lambda::Auto);
/// assert!(Softmax::default().lambda(-1.0).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lambda {
    /// This λ.
    Fixed(f64),
    /// The one of [`LambdaScale::candidates`] with the least out-of-fold divergence over the masks (5 folds), which costs
    /// no call of the black box. A refit from a start keeps the start's λ.
    Auto,
}

impl Lambda {
    /// How many candidates [`Lambda::Auto`] tries.
    pub const CANDIDATES: usize = 7;
    /// Scores that differ by less than this share of the least are equal.
    pub const CLOSE: f64 = 1e-3;
    /// Folds over the distinct masks that [`Lambda::Auto`] holds out, one at a time.
    pub const FOLDS: usize = 5;
}

impl fmt::Display for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lambda::Fixed(lambda) => lambda.fmt(f),
            Lambda::Auto => f.write_str("auto"),
        }
    }
}

/// How λ compares between divergences.
///
/// ```
/// use lipex_core::{Kl, LambdaScale, Softmax};
///
/// // κ of KL is 1, of squared Hellinger ¼: the default λ = 10⁻⁴ becomes 4·10⁻⁴ under KL.
/// let kl = Softmax::default().divergence(Kl);
/// assert!((kl.lambda_used()? - 4e-4).abs() < 1e-12);
/// assert_eq!(kl.lambda_scale(LambdaScale::Raw).lambda_used()?, 1e-4);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LambdaScale {
    /// λ·κ/κ_H²: the same shrinkage under every divergence. Refused where κ is not one number.
    #[default]
    Curvature,
    /// λ as printed in the formula.
    Raw,
    /// λ times the class's own curvature: λ is then a pure number ρ, and every class is shrunk alike, likely or not.
    ///
    /// λ_c = ρ·(1/n) Σ_i κ π_i p_ic(1 − p_ic), and the penalty ½ Σ_c λ_c‖W_c − t‖², t being the common shift of the rows
    /// that makes it least: adding a vector to every row of W changes no answer, so it is to cost nothing. Refused where κ
    /// is not one number.
    Class,
}

impl LambdaScale {
    /// What [`Lambda::Auto`] chooses from, largest first.
    pub fn candidates(self) -> [f64; Lambda::CANDIDATES] {
        match self {
            LambdaScale::Curvature | LambdaScale::Raw => [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8],
            LambdaScale::Class => [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4],
        }
    }

    /// λ where none is set and nothing can be chosen: 10⁻⁴, for λ and for ρ alike. A ρ of 0.003 took a fortieth of the
    /// largest weight of a logistic model, and more than half a unit of log-odds of one that is nearly always sure.
    pub fn usual(self) -> f64 {
        match self {
            LambdaScale::Curvature | LambdaScale::Raw | LambdaScale::Class => 1e-4,
        }
    }

    /// The largest candidate whose score is within a thousandth of the least: smaller differences are those of where refits
    /// stop. The [`usual`](LambdaScale::usual) one where there are too few distinct masks for scores.
    pub fn least(self, scores: Option<&[f64; Lambda::CANDIDATES]>) -> f64 {
        let Some(scores) = scores else { return self.usual() };
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let best = scores.iter().position(|&s| s <= least * (1.0 + Lambda::CLOSE));
        best.map_or(self.usual(), |b| self.candidates()[b])
    }

    /// The name that settings have for it.
    pub fn name(self) -> &'static str {
        match self {
            LambdaScale::Curvature => "curvature",
            LambdaScale::Raw => "raw",
            LambdaScale::Class => "class",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_score_wins_and_ties_go_to_the_larger_penalty() {
        let (scale, class) = (LambdaScale::Curvature, LambdaScale::Class);
        assert_eq!(scale.least(Some(&[3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0])), 1e-4);
        assert_eq!(scale.least(Some(&[3.0, 2.0, 2.5, 2.0, 9.0, 9.0, 9.0])), 1e-3);
        assert_eq!(scale.least(Some(&[3.0, 2.001, 2.0, 3.0, 9.0, 9.0, 9.0])), 1e-3);
        assert_eq!(class.least(Some(&[3.0, 2.0, 2.5, 2.0, 9.0, 9.0, 9.0])), 0.03);
        assert_eq!((scale.least(None), scale.least(Some(&[f64::NAN; 7]))), (1e-4, 1e-4));
        assert_eq!((class.least(None), class.least(Some(&[f64::NAN; 7]))), (1e-4, 1e-4));
    }
}
