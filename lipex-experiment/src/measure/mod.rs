//! What is measured: functions of explanations, rankings and a model's answers.
//!
//! p is the model's probability of the class it predicts for the whole input x, P its whole answer, Q the surrogate's; R_k are the first
//! k features of a ranking, x∖R the input without some, TV(P, Q) = ½ Σ |P − Q|.
//!
//! | measure | formula |
//! |---|---|
//! | [`total_variation`] | TV(P, Q) |
//! | [`Judges::variation`] | Σ w TV(P(z), Q(z)) / Σ w over masks z that no fit has seen |
//! | [`Removals::flips`] | whether the class of x∖R_k is another |
//! | [`Removals::comprehensiveness`] | mean over k of p(x) − p(x∖R_k) |
//! | [`Removals::sufficiency`] | mean over k of p(x) − p(R_k alone) |
//! | [`jaccard`] | ∣A ∩ B∣ / ∣A ∪ B∣ |
//! | [`breaks`] | whether a feature outside a set exceeds one inside by more than ε times the largest |
//! | [`sensitivity`] | max over other runs of ‖φ′ − φ‖ / ‖φ‖ |
//! | [`infidelity`] | mean over masks of (Σ_{j removed} φ_j − (f(x) − f(x∖z)))² |

mod masks;
mod removals;

pub use masks::Judges;
pub use removals::Removals;

/// Half the sum of absolute differences.
///
/// ```
/// let tv = lipex_experiment::measure::total_variation(&[0.7, 0.2, 0.1], &[0.5, 0.2, 0.3]);
/// assert!((tv - 0.2).abs() < 1e-12);
/// ```
pub fn total_variation(p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

/// How much two sets overlap: the size of what is in both over that of what is in either; 1 of two empty ones.
///
/// ```
/// assert_eq!(lipex_experiment::measure::jaccard(&[1, 2, 3], &[3, 2, 7]), 0.5);
/// ```
pub fn jaccard(a: &[usize], b: &[usize]) -> f64 {
    let both = a.iter().filter(|j| b.contains(j)).count();
    let either = a.len() + b.len() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

/// Whether a set of features is broken by the truth: a feature outside is worth more than one inside by over ε times the largest
/// worth. `None` where nothing is worth more than 0, so that there is no scale.
///
/// `truth` has a number a feature.
///
/// ```
/// use lipex_experiment::measure::breaks;
///
/// let truth = [2.0, 1.0, 0.9, 0.0];
/// assert_eq!(breaks(&[0, 2], &truth, 0.1), Some(false)); // 1.0 for .9 is within .2
/// assert_eq!(breaks(&[0, 3], &truth, 0.1), Some(true));
/// assert_eq!(breaks(&[0], &[-1.0, -2.0], 0.1), None);
/// ```
pub fn breaks(set: &[usize], truth: &[f64], epsilon: f64) -> Option<bool> {
    let top = truth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if top <= 0.0 || set.is_empty() || set.iter().any(|&j| j >= truth.len()) {
        return None;
    }
    let least = set.iter().map(|&j| truth[j]).fold(f64::INFINITY, f64::min);
    let outside = (0..truth.len()).filter(|j| !set.contains(j)).map(|j| truth[j]);
    Some(outside.fold(f64::NEG_INFINITY, f64::max) - least > epsilon * top)
}

/// The mean over masks of (Σ of the scores of what is removed − what the output loses)²: captum's `infidelity` with a perturbation that
/// sets features to their baseline, without its normalisation.
///
/// `removed` has the features that a mask removes, `lost` what the output loses then. 0 without masks.
///
/// ```
/// // One word of score 1 whose removal costs .5, and both words, whose scores are 1 and 2, at a cost of 3.
/// let found = lipex_experiment::measure::infidelity(&[1.0, 2.0], &[vec![0], vec![0, 1]], &[0.5, 3.0]);
/// assert_eq!(found, 0.125);
/// ```
pub fn infidelity(scores: &[f64], removed: &[Vec<usize>], lost: &[f64]) -> f64 {
    let said = |gone: &Vec<usize>| gone.iter().filter_map(|&j| scores.get(j)).sum::<f64>();
    let squares: Vec<f64> = removed.iter().zip(lost).map(|(gone, lost)| (said(gone) - lost).powi(2)).collect();
    squares.iter().sum::<f64>() / squares.len().max(1) as f64
}

/// How far scores move when an explanation is made again: the largest of ‖φ′ − φ‖ over ‖φ‖ (captum's `sensitivity_max`, of whatever the
/// others were made from: another seed, an input that is nearly the same). 0 without others; `None` where φ is 0.
///
/// ```
/// let moved = lipex_experiment::measure::sensitivity(&[3.0, 4.0], &[vec![3.0, 5.0], vec![3.0, 4.0]]);
/// assert_eq!(moved, Some(0.2));
/// ```
pub fn sensitivity(scores: &[f64], others: &[Vec<f64>]) -> Option<f64> {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let own = norm(&mut scores.iter().copied());
    let apart = |other: &Vec<f64>| norm(&mut scores.iter().zip(other).map(|(a, b)| b - a));
    (own > 0.0).then(|| others.iter().map(apart).fold(0.0, f64::max) / own)
}
