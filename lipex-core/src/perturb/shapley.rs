//! Kernel SHAP's way to draw masks.

use super::{Dependence, Law, describe_law};
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

/// Kernel SHAP's coalitions, with weights of their own: sizes by the Shapley kernel, complements in pairs.
///
/// Row 0 keeps everything and row 1 nothing; the kernel gives both infinite weight, and the surrogate
/// [`KernelShap`](crate::KernelShap) takes them as constraints. Then come pairs of complements: all of those with one
/// feature on one side, all with two, and so on while the number of rows lasts; what is left of it is drawn, the size by
/// the kernel. With 2^D rows or more every mask occurs and Shapley values are exact. N may be larger than the number of
/// masks there are: it is then that number.
///
/// # Source
/// Lundberg and Lee, A Unified Approach to Interpreting Model Predictions (2017); sizes are enumerated by the rule of PyPI
/// `shap`'s `KernelExplainer`. Here a mask that is drawn twice is two rows, there one of twice the weight.
///
/// ```
/// use lipex_core::perturb::ShapleySize;
///
/// // Of 10 features there are 1024 masks, and no run has more.
/// assert_eq!(ShapleySize::rows(10, 5000)?, 1024);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapleySize;

impl Describe for ShapleySize {
    fn describe(&self) -> Vec<Setting> {
        describe_law("kernel-shap", None)
    }
}

impl Law for ShapleySize {
    fn total(&self, features: usize, asked: usize) -> Result<usize> {
        ShapleySize::rows(features, asked)
    }

    fn grows(&self) -> bool {
        false
    }

    fn dependence(&self) -> Dependence {
        Dependence::Coalitions
    }

    fn weighs_itself(&self) -> bool {
        true
    }

    fn is_complete(&self, features: usize, total: usize) -> bool {
        ShapleySize::is_complete(features, total)
    }
}

impl ShapleySize {
    /// The number of rows when `asked` were asked for: at most 2^D.
    ///
    /// # Errors
    /// [`Error::Setting`] for fewer than 2.
    pub fn rows(features: usize, asked: usize) -> Result<usize> {
        if asked < 2 {
            let reason = "kernel-shap needs at least 2 masks: everything, and nothing";
            return Err(Error::setting("samples", asked, reason));
        }
        Ok(u32::try_from(features).ok().and_then(|d| 1usize.checked_shl(d)).map_or(asked, |all| asked.min(all)))
    }

    /// Whether a run of `rows` rows has every mask once, so that Shapley values are exact.
    pub fn is_complete(features: usize, rows: usize) -> bool {
        Self::rows(features, usize::MAX).is_ok_and(|all| rows == all)
    }

    /// The first row that is drawn in a run of `rows` rows: those before it occur in every run.
    pub fn first_drawn(features: usize, rows: usize) -> usize {
        2 + Self::plan(features, rows).enumerated.iter().map(|size| size.rows).sum::<usize>()
    }

    /// Which sizes a run of `rows` rows enumerates, and what its rows weigh.
    pub fn plan(features: usize, rows: usize) -> Coalitions {
        let shares = shares(features);
        let all = rows.saturating_sub(2);
        let (mut left, mut share_left) = (all, 1.0);
        let mut enumerated = Vec::new();
        for (s, share) in (1..).zip(&shares) {
            let count = masks_with_side(features, s);
            if left as f64 * share / share_left < count * (1.0 - 1e-8) {
                break;
            }
            enumerated.push(Enumerated { rows: count as usize, weight: (share / count * all as f64) as f32 });
            left = left.saturating_sub(count as usize);
            share_left -= share;
        }
        // Drawn rows share the rest of the kernel's weight equally, since they are drawn by it.
        let drawn_weight = if left == 0 { 0.0 } else { (share_left / left as f64 * all as f64) as f32 };
        let mut cumulated = 0.0;
        let rest: f64 = shares[enumerated.len()..].iter().sum();
        let ends = shares[enumerated.len()..]
            .iter()
            .map(|share| {
                cumulated += share;
                (cumulated / rest * 4_294_967_296.0) as u64
            })
            .collect();
        Coalitions { enumerated, drawn_weight, ends }
    }
}

/// For s = 1…⌊D/2⌋ the kernel's weight of all masks with s features on one side, as a share of the whole.
fn shares(features: usize) -> Vec<f64> {
    let weight = |s: usize| {
        let both = if 2 * s == features { 1.0 } else { 2.0 };
        both / (s as f64 * (features - s) as f64)
    };
    let weights: Vec<f64> = (1..=features / 2).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// The number of masks that keep or remove exactly `s` of the features.
fn masks_with_side(features: usize, s: usize) -> f64 {
    let subsets = (0..s).fold(1.0, |n, k| n * (features - k) as f64 / (k + 1) as f64).round();
    if 2 * s == features { subsets } else { 2.0 * subsets }
}

/// What a run of [`ShapleySize`] consists of after its first two rows.
///
/// ```
/// use lipex_core::ShapleySize;
///
/// // Of 20 features 502 rows hold both constraints and all masks with one feature kept or removed; the rest is drawn.
/// let plan = ShapleySize::plan(20, 502);
/// assert_eq!(plan.enumerated.iter().map(|size| size.rows).collect::<Vec<_>>(), [40]);
/// assert_eq!((plan.weight(2), plan.weight(501)), (plan.enumerated[0].weight, plan.drawn_weight));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Coalitions {
    /// Sizes 1, 2, …, all of whose masks occur.
    pub enumerated: Vec<Enumerated>,
    /// The weight of every drawn row; rows have mean weight 1.
    pub drawn_weight: f32,
    /// Entry k: the size `enumerated.len()` + 1 + k is drawn by numbers below this and not below the entry before, of 2³².
    ends: Vec<u64>,
}

/// The masks that have a given number of features on one side.
///
/// ```
/// use lipex_core::ShapleySize;
///
/// // Five features, all 32 masks: single ones weigh three times as much as pairs.
/// let plan = ShapleySize::plan(5, 32);
/// assert!((plan.enumerated[0].weight / plan.enumerated[1].weight - 3.0).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Enumerated {
    /// How many there are.
    pub rows: usize,
    /// The weight of each.
    pub weight: f32,
}

impl Coalitions {
    /// The size that a draw stands for.
    #[inline]
    pub fn size(&self, draw: u32) -> usize {
        let below = self.ends.partition_point(|&end| end <= u64::from(draw));
        self.enumerated.len() + 1 + below.min(self.ends.len().saturating_sub(1))
    }

    /// The weight of row `i`; 1 for the two that are constraints.
    pub fn weight(&self, i: usize) -> f32 {
        if i < 2 {
            return 1.0;
        }
        let mut end = 2;
        for size in &self.enumerated {
            end += size.rows;
            if i < end {
                return size.weight;
            }
        }
        self.drawn_weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_rows_enumerate_everything() {
        for features in 1..=12 {
            let rows = ShapleySize::rows(features, usize::MAX).unwrap();
            assert_eq!(rows, 1 << features);
            let plan = ShapleySize::plan(features, rows);
            assert_eq!(plan.enumerated.iter().map(|s| s.rows).sum::<usize>(), rows - 2);
            // Mean weight 1; single features weigh as the kernel has it: (D−1)/(D·1·(D−1)) against the middle.
            let sum: f64 = plan.enumerated.iter().map(|s| s.rows as f64 * f64::from(s.weight)).sum();
            assert!((sum - (rows - 2) as f64).abs() < 1e-6 * rows as f64, "{features}");
        }
        let plan = ShapleySize::plan(5, 32);
        // Kernel: 4/(5·4) for one feature, 4/(10·6) for two.
        assert!((plan.enumerated[0].weight / plan.enumerated[1].weight - 3.0).abs() < 1e-6);
    }

    #[test]
    fn few_rows_enumerate_small_sizes_and_draw_the_rest() {
        let plan = ShapleySize::plan(20, 502);
        // Sizes 1 and 2 have 40 and 380 masks; their shares of 500 rows are 148 and 74 of what is left.
        assert_eq!(plan.enumerated.len(), 1);
        assert_eq!(plan.enumerated[0].rows, 40);
        let sum = 40.0 * f64::from(plan.enumerated[0].weight) + 460.0 * f64::from(plan.drawn_weight);
        assert!((sum - 500.0).abs() < 1e-3, "{sum}");
        assert_eq!((plan.size(0), plan.size(u32::MAX)), (2, 10));
        assert_eq!(
            (plan.weight(1), plan.weight(41), plan.weight(42)),
            (1.0, plan.enumerated[0].weight, plan.drawn_weight)
        );
        assert!(
            !ShapleySize::is_complete(20, 502) && ShapleySize::is_complete(3, 8) && !ShapleySize::is_complete(3, 7)
        );
        assert!(ShapleySize::rows(20, 1).is_err() && ShapleySize::rows(100_000, 50).unwrap() == 50);
    }
}
