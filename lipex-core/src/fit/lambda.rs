//! The penalty on W.

use std::fmt;

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

/// How λ compares between divergences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LambdaScale {
    /// λ·κ/κ_H²: the same shrinkage under every divergence. Refused where κ is not one number.
    #[default]
    Curvature,
    /// λ as printed in the formula.
    Raw,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_score_wins_and_ties_go_to_the_larger_penalty() {
        assert_eq!(Lambda::least(Some(&[3.0, 2.0, 1.0, 1.0, 2.0])), 1e-4);
        assert_eq!(Lambda::least(Some(&[3.0, 2.0, 2.5, 2.0, 9.0])), 1e-3);
        assert_eq!((Lambda::least(None), Lambda::least(Some(&[f64::NAN; 5]))), (1e-4, 1e-4));
    }
}
