//! Laws that are more than a draw of rows: confined by throwing rows away, or drawn unevenly and weighed for it.

use super::{Angle, Dependence, Law, UniformSize, describe_law};
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};
use crate::weigh::ProximityTable;

/// The rows of another law that lie within an angle: N shrinks.
///
/// The law's other variant, sizes drawn within the angle from the start, is `within` of [`UniformSize`](super::UniformSize)
/// and [`Bernoulli`](super::Bernoulli); there N stays. Rows a…b here are those among rows a…b of the law that are allowed, so a
/// sample has fewer rows than were asked for, and a run cannot be extended to a given number.
///
/// # Source
/// The paper's Table 7.
///
/// ```
/// use lipex_core::perturb::Filtered;
/// use lipex_core::{Angle, Law, UniformSize};
///
/// let near = Filtered { law: UniformSize::default(), within: Angle::new(0.8)? };
/// assert!(!near.grows());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filtered<L> {
    /// The law that draws.
    pub law: L,
    /// The largest angle of a row that is kept.
    pub within: Angle,
}

impl<L: Describe> Describe for Filtered<L> {
    fn describe(&self) -> Vec<Setting> {
        let mut settings: Vec<Setting> = self.law.describe().into_iter().filter(|s| s.name != "within-angle").collect();
        settings.push(Setting::new("within-angle", format!("{} (filtered)", self.within.radians())));
        settings
    }
}

impl<L: Law> Law for Filtered<L> {
    fn total(&self, features: usize, asked: usize) -> Result<usize> {
        self.law.total(features, asked)
    }

    fn grows(&self) -> bool {
        false
    }

    fn weighs_itself(&self) -> bool {
        self.law.weighs_itself()
    }

    fn dependence(&self) -> Dependence {
        match self.law.dependence() {
            // One of the two may be gone.
            Dependence::Pairs | Dependence::Coalitions => Dependence::Unknown,
            other => other,
        }
    }
}

/// Sizes in proportion to √π: more rows where they count, each weighed by K·√π in place of π.
///
/// The number of removed features r is drawn in proportion to p(r)·√π(r), p uniform on 1…D as in
/// [`UniformSize`](super::UniformSize); K = Σ p(r)·√π(r) makes the weighted sum over rows estimate the same objective, so
/// that λ means the same. Row i takes its size from point i of a low-discrepancy sequence (the van der Corput sequence
/// turned by a draw of the seed): sizes come close to their shares in any run of rows, and a longer run extends a shorter
/// one. The instance itself, row 0, has its own weight π.
///
/// Needs a proximity that depends on the number of kept features alone. For error bars the sizes are strata
/// ([`Dependence::Stratified`](super::Dependence::Stratified)).
///
/// ```
/// use lipex_core::perturb::WeightProportional;
/// use lipex_core::{Dependence, Law};
///
/// assert_eq!(WeightProportional.dependence(), Dependence::Stratified);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WeightProportional;

impl WeightProportional {
    /// Whether the numbers of removed features of rows 0, 1, … rise with the sequence that this law takes them from, wherever
    /// it is turned to, as they do by chance less than once in a million times.
    ///
    /// Shows from masks alone, whatever proximity they were drawn for, that they are of this law. Few rows or few sizes show
    /// nothing.
    pub fn shows_in(removed: &[usize]) -> bool {
        let mut turn: Vec<(u32, usize)> =
            (0u32..).zip(removed).skip(1).map(|(i, &r)| (Sizes::point(i, 0), r)).collect();
        turn.sort_unstable();
        let next = turn.iter().cycle().skip(1);
        let falls = turn.iter().zip(next).filter(|((_, r), (_, next))| next < r).count();
        falls == 1 && ln_arrangements(turn.into_iter().map(|(_, r)| r)) > (removed.len() as f64).ln() + 1e6f64.ln()
    }

    /// The error of a draw under a proximity that has no table.
    pub fn without_a_table() -> Error {
        let reason = "needs a proximity that depends on the number of kept features alone, such as exponential";
        Error::setting("sampler", "weight-proportional", reason)
    }

    /// The sizes and weights under a proximity.
    ///
    /// # Errors
    /// [`Error::Setting`] when the proximity gives every mask but the instance no weight.
    pub fn sizes(proximity: &ProximityTable) -> Result<Sizes> {
        let values = proximity.values();
        let features = values.len().saturating_sub(1);
        let roots: Vec<f64> = values.iter().map(|v| v.sqrt()).collect();
        // r removed features are features − r kept ones.
        let removed = || (1..=features).map(|r| roots[features - r]);
        let sum: f64 = removed().sum();
        if sum <= 0.0 || !sum.is_finite() {
            let reason = "the proximity gives every mask but the whole instance no weight; choose a wider one";
            return Err(Error::setting("sampler", "weight-proportional", reason));
        }
        let k = sum / features as f64;
        let mut cumulated = 0.0;
        let ends = removed()
            .map(|root| {
                cumulated += root;
                (cumulated / sum * 4_294_967_296.0) as u64
            })
            .collect();
        let weights = (0..=features).map(|m| if m == features { values[m] } else { k * roots[m] } as f32).collect();
        Ok(Sizes { ends, weights })
    }
}

/// ln of the number of orders that numbers can stand in.
fn ln_arrangements(numbers: impl Iterator<Item = usize>) -> f64 {
    let mut sorted: Vec<usize> = numbers.collect();
    sorted.sort_unstable();
    let ln_factorial = |n: usize| (2..=n).map(|k| (k as f64).ln()).sum::<f64>();
    ln_factorial(sorted.len()) - sorted.chunk_by(|a, b| a == b).map(|same| ln_factorial(same.len())).sum::<f64>()
}

impl Describe for WeightProportional {
    fn describe(&self) -> Vec<Setting> {
        describe_law("weight-proportional", None)
    }
}

impl Law for WeightProportional {
    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        Dependence::Stratified
    }

    /// That of [`UniformSize`]: rows are drawn more often near the instance and weigh less for it.
    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        UniformSize::default().probability(kept, features)
    }
}

/// How [`WeightProportional`] draws sizes and weighs rows, for one proximity and number of features.
///
/// ```
/// use lipex_core::{ProximityTable, WeightProportional};
///
/// // A proximity that gives weight to masks with one feature removed, and to no other.
/// let near = ProximityTable::new(4, |kept| if kept >= 3 { 1.0 } else { 0.0 });
/// let sizes = WeightProportional::sizes(&near)?;
/// assert!([0, 1 << 31, u32::MAX - 1].iter().all(|&point| sizes.removed(point) == 1));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// Entry r − 1: r features are removed by points below this and not below the entry before, of 2³².
    ends: Vec<u64>,
    weights: Vec<f32>,
}

impl Sizes {
    /// The point of row `i` in the sequence, in 2⁻³²: i with its bits reversed, turned by `shift`.
    #[inline]
    pub fn point(i: u32, shift: u32) -> u32 {
        i.reverse_bits().wrapping_add(shift)
    }

    /// The number of features to remove at a point.
    #[inline]
    pub fn removed(&self, point: u32) -> usize {
        let below = self.ends.partition_point(|&end| end <= u64::from(point));
        // Rounding may leave the last end short of 2³².
        1 + below.min(self.ends.len() - 1)
    }

    /// Entry r − 1: r features are removed by points below this and not below the entry before, of 2³². Points that no entry is
    /// above remove all.
    pub fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// The weight of a row, entry m for m kept features.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perturb::UniformSize;
    use crate::weigh::Exponential;

    #[test]
    fn sizes_have_their_shares_and_weights_undo_them() {
        let table = Exponential::default().table(8);
        let sizes = WeightProportional::sizes(&table).unwrap();
        let roots: Vec<f64> = (1..=8).map(|r| table.values()[8 - r].sqrt()).collect();
        let all: f64 = roots.iter().sum();
        // 2¹⁶ points of the sequence fill the interval evenly.
        let mut counts = [0u32; 8];
        (0..1 << 16).for_each(|i| counts[sizes.removed(Sizes::point(i, 12_345)) - 1] += 1);
        for ((count, root), r) in counts.iter().zip(&roots).zip(1..) {
            assert!((f64::from(*count) / 65_536.0 - root / all).abs() < 1e-4, "{counts:?}");
            // Share times weight is p(r)·π(r).
            let share = root / all * f64::from(sizes.weights()[8 - r]);
            assert!((share - table.values()[8 - r] / 8.0).abs() < 1e-7);
        }
        assert_eq!(sizes.weights()[8], 1.0);
        assert_eq!(sizes.removed(u32::MAX), 8);
    }

    #[test]
    fn the_sequence_shows_in_the_sizes() {
        let sizes = WeightProportional::sizes(&Exponential::default().table(30)).unwrap();
        let drawn = |rows: u32, shift: u32| -> Vec<usize> {
            std::iter::once(0).chain((1..rows).map(|i| sizes.removed(Sizes::point(i, shift)))).collect()
        };
        for shift in [0, 1, 77 << 20, u32::MAX] {
            assert!(WeightProportional::shows_in(&drawn(200, shift)), "{shift}");
        }
        let mut changed = drawn(200, 5);
        changed.swap(50, 51);
        assert!(!WeightProportional::shows_in(&changed));
        assert!(!WeightProportional::shows_in(&drawn(6, 5)), "so few may be so by chance");
        assert!(!WeightProportional::shows_in(&[3; 500]) && !WeightProportional::shows_in(&[]));
        let ascending: Vec<usize> = (0..500).map(|i| i / 20).collect();
        assert!(!WeightProportional::shows_in(&ascending));
        // A choice among few arrangements is no proof: one large size among 500 small ones.
        let mut one = vec![1; 500];
        one[1] = 2;
        assert!(!WeightProportional::shows_in(&one));
    }

    #[test]
    fn a_proximity_without_reach_is_refused() {
        assert!(WeightProportional::sizes(&ProximityTable::new(4, |m| if m == 4 { 1.0 } else { 0.0 })).is_err());
        assert!(WeightProportional::sizes(&ProximityTable::new(0, |_| 1.0)).is_err());
    }

    #[test]
    fn a_filter_names_its_angle_once() {
        let law = Filtered { law: UniformSize::default(), within: Angle::new(0.5).unwrap() };
        let told: Vec<String> = law.describe().iter().map(|s| format!("{} = {}", s.name, s.value)).collect();
        assert_eq!(told, ["sampler = uniform-size", "within-angle = 0.5 (filtered)"]);
    }
}
