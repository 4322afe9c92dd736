//! What a penalty leaves of the entries, estimated without a refit.

use super::{Base, Fitted, Normalise, Softmax};
use crate::explanation::arg_max;

/// A neighbourhood of N masks in the host's memory.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// use lipex::{Problem, Selection, Softmax, Surrogate};
/// use lipex_core::Seen;
///
/// // All masks of two features, of which the first takes class 0 from .6 to .9.
/// let (bits, weights) = ([0b11, 0b01, 0b10, 0b00], [1.0; 4]);
/// let p = [0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4];
/// let seen = Seen { bits: &bits, words: 1, probabilities: &p, classes: 2, weights: &weights, samples: 4.0 };
/// # let on = Cpu::new();
/// # let masks = Masks::new(&on, 4, 2, bits.to_vec())?;
/// # let p = Probabilities::new(&on, 4, 2, p.to_vec())?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(weights.to_vec()))?;
/// let (softmax, both) = (Softmax::default(), Selection::shared(2, vec![0, 1]));
/// let fitted = softmax.fit(&on, &[Problem::new(&around, &both)])?.remove(0);
/// // The penalty takes next to nothing off the entries.
/// let left = softmax.left(&seen, &fitted).unwrap();
/// assert!(left > 0.9 && left < 1.0);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Masks, N rows of `words` words; bit j of a row says whether feature j is kept.
    pub bits: &'a [u32],
    /// Words of a mask.
    pub words: usize,
    /// P, N × `classes`, row-major; row 0 is the instance.
    pub probabilities: &'a [f32],
    /// C.
    pub classes: usize,
    /// π, N numbers.
    pub weights: &'a [f32],
    /// n, what sums over rows are divided by; see [`Neighbourhood::samples`](crate::Neighbourhood::samples).
    pub samples: f64,
}

/// The curvature of two classes along each kept feature: Σ w, Σ w r and Σ w r² = Σ w r over rows, with w = π p(1 − p) and r = 1
/// where the feature is removed.
struct Curvature {
    all: [f64; 2],
    removed: Vec<[f64; 2]>,
}

impl Curvature {
    /// `kept` ascends.
    fn of(seen: &Seen<'_>, kept: &[usize], classes: [usize; 2]) -> Self {
        let mut sums = Curvature { all: [0.0; 2], removed: vec![[0.0; 2]; kept.len()] };
        // Kept features by the word that their bits stand in.
        let words: Vec<(usize, Vec<u32>)> = kept
            .chunk_by(|a, b| a / 32 == b / 32)
            .map(|js| (js[0] / 32, js.iter().map(|j| (j % 32) as u32).collect()))
            .collect();
        let rows = seen.bits.chunks_exact(seen.words.max(1)).zip(seen.probabilities.chunks_exact(seen.classes.max(1)));
        for ((bits, p), &weight) in rows.zip(seen.weights) {
            let w = classes.map(|class| f64::from(weight) * f64::from(p[class]) * (1.0 - f64::from(p[class])));
            (0..2).for_each(|i| sums.all[i] += w[i]);
            let mut removed = sums.removed.iter_mut();
            for (word, shifts) in &words {
                let bits = bits[*word];
                // The shifts end first: a zip that begins with the sums would lose one to each word.
                for (shift, sum) in shifts.iter().zip(removed.by_ref()) {
                    // w or +0 without a branch: a mask's bits are as good as random.
                    let gone = u64::from(bits >> shift & 1).wrapping_sub(1);
                    (0..2).for_each(|i| sum[i] += f64::from_bits(w[i].to_bits() & gone));
                }
            }
        }
        sums
    }

    /// Of one of the two along the feature at a place; what a free intercept takes up is no curvature.
    fn along(&self, which: usize, place: usize, intercept: bool) -> f64 {
        let (sum, all) = (self.removed[place][which], self.all[which]);
        if intercept && all > 0.0 { sum - sum * sum / all } else { sum }
    }
}

impl Softmax {
    /// About what share of their entries the penalty leaves the two likeliest classes, the lesser of the two; `None` for a
    /// divergence whose curvature is not one number, or where the two have no entries.
    ///
    /// # Numerics
    /// One Newton step a coordinate: without the penalty λ_c an entry would be (1 + λ_c/h) times itself, with
    /// h = κ/n Σ π p(1 − p) (r − r̄)², r̄ = 0 for an anchored surrogate. The share is ‖W_c‖ over the norm of those.
    pub fn left(&self, seen: &Seen<'_>, fitted: &Fitted) -> Option<f64> {
        let (kappa, linear) = (self.divergence_in_use().kappa()?, fitted.answer.linear()?);
        let n = match self.normalise_in_use() {
            Normalise::Count => seen.samples,
            Normalise::Weight => seen.weights.iter().map(|&w| f64::from(w)).sum(),
        };
        let lambda = fitted.report.lambda;
        let penalties = self.penalties(lambda, seen.classes, seen.probabilities, seen.weights, seen.samples);
        let intercept = !matches!(linear.base(), Base::Anchored(_));
        let (kept, shares) = (linear.kept(), linear.shares());
        let classes = likeliest_two(seen.probabilities.get(..seen.classes)?);
        let curvature = Curvature::of(seen, kept, classes);
        let left = |which: usize| {
            let (mut with, mut without) = (0.0, 0.0);
            for (place, entry) in shares.row(classes[which]).iter().enumerate() {
                let h = kappa * curvature.along(which, place, intercept) / n;
                let free = entry * (1.0 + penalties[classes[which]] / h.max(f64::MIN_POSITIVE));
                (with, without) = (with + entry * entry, without + free * free);
            }
            (without > 0.0).then(|| (with / without).sqrt())
        };
        (0..2).filter_map(left).min_by(f64::total_cmp)
    }
}

/// The two largest of a row.
fn likeliest_two(row: &[f32]) -> [usize; 2] {
    let mut p: Vec<f64> = row.iter().map(|&p| f64::from(p)).collect();
    let first = arg_max(&p);
    p[first] = f64::NEG_INFINITY;
    [first, arg_max(&p)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curvatures_are_sums_over_rows_that_remove_a_feature() {
        // Features 1, 33 and 40 of 41, in two words a mask; p(1 − p) of the two classes.
        let bits = [0b10, 0b10, 0b00, 0b1_0000_0010, 0b10, 0b1_0000_0000];
        let (p, weights) = ([0.5, 0.2, 0.3, 0.1, 0.7, 0.2, 0.25, 0.25, 0.5], [1.0, 0.5, 2.0]);
        let seen = Seen { bits: &bits, words: 2, probabilities: &p, classes: 3, weights: &weights, samples: 3.0 };
        let found = Curvature::of(&seen, &[1, 33, 40], [2, 0]);
        let w = |class: usize| {
            [0, 1, 2].map(|i| f64::from(weights[i]) * f64::from(p[3 * i + class]) * (1.0 - f64::from(p[3 * i + class])))
        };
        let (second, first) = (w(2), w(0));
        // Row 0 keeps 1 and 33, row 1 keeps 33 and 40, row 2 keeps 1 and 40.
        for (which, w) in [(0, second), (1, first)] {
            let expected = [w[1], w[2], w[0]];
            for (place, expected) in expected.into_iter().enumerate() {
                assert!((found.along(which, place, false) - expected).abs() < 1e-12);
                let free = expected - expected * expected / w.iter().sum::<f64>();
                assert!((found.along(which, place, true) - free).abs() < 1e-12);
            }
        }
    }
}
