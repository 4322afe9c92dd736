//! Two parts' features and what they do together, for one output.

use super::svd::Svd;
use crate::error::{Result, expect_len};
use crate::fit::{Base, Linear, Link, Term};

/// g(z₁, z₂) = b + uᵀz₁ + vᵀz₂ + z₁ᵀW z₂, where a 1 says that a feature is there.
///
/// ```
/// use lipex_core::Bilinear;
///
/// // Two features and one; the second feature of the first part counts only beside the other part's.
/// let g = Bilinear { base: 0.1, first: vec![0.2, 0.0], second: vec![0.0], together: vec![vec![0.0], vec![0.5]] };
/// assert_eq!(g.at(&[true, true], &[true]), 0.1 + 0.2 + 0.5);
/// assert_eq!(g.removal(), [vec![0.2, 0.5], vec![0.5]]);
/// assert_eq!(g.shares(), [vec![0.2, 0.25], vec![0.25]]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bilinear {
    /// b, what is left where nothing is there.
    pub base: f64,
    /// u, d₁ numbers.
    pub first: Vec<f64>,
    /// v, d₂ numbers.
    pub second: Vec<f64>,
    /// W, d₁ rows of d₂ numbers: what a feature of the first part does beside one of the second.
    pub together: Vec<Vec<f64>>,
}

/// Features of the two parts that act together as one: s·(aᵀz₁)(bᵀz₂) is a summand of z₁ᵀW z₂.
///
/// ```
/// use lipex_core::Bilinear;
///
/// let w = vec![vec![0.0, 0.0], vec![0.0, -2.0]];
/// let g = Bilinear { first: vec![0.0; 2], second: vec![0.0; 2], together: w, ..Bilinear::default() };
/// let [only] = &g.partitions()[..] else { panic!("it is of rank 1") };
/// assert_eq!((only.strength, &only.first, &only.second), (2.0, &vec![0.0, 1.0], &vec![0.0, -1.0]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// s, a singular value of W.
    pub strength: f64,
    /// a, d₁ numbers, of length 1; the largest in size is positive.
    pub first: Vec<f64>,
    /// b, d₂ numbers, of length 1.
    pub second: Vec<f64>,
}

impl Bilinear {
    /// Singular values of W below this share of the largest are left out of [`partitions`](Bilinear::partitions).
    pub const LEAST_STRENGTH: f64 = 0.05;

    /// One output of a linear answer, the sum of the classes' logits times `classes`, over `sizes` features.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another number of classes, and for a feature that is in neither part.
    pub fn of(linear: &Linear, sizes: [usize; 2], classes: &[f64]) -> Result<Self> {
        expect_len("classes of the answer", classes.len(), linear.coefficients().len())?;
        let [d1, d2] = sizes;
        let (mut first, mut second, mut together) = (vec![0.0; d1], vec![0.0; d2], vec![vec![0.0; d2]; d1]);
        let mut base = sum(&linear.whole(), classes);
        for (t, term) in linear.terms().iter().enumerate() {
            let value: f64 = linear.coefficients().iter().zip(classes).map(|(row, c)| c * row[t]).sum();
            expect_len("features of a term within the parts", term.features().len(), {
                term.features().iter().filter(|&&j| j < d1 + d2).count()
            })?;
            match *term.features() {
                [j] if j < d1 => first[j] += value,
                [j] => second[j - d1] += value,
                [i, j] if i < d1 && j >= d1 => together[i][j - d1] += value,
                _ => return Err(crate::error::Error::setting("terms", format!("{term:?}"), "pairs across the parts")),
            }
        }
        // From "removed" to "there": r = 1 − z.
        base -= first.iter().sum::<f64>() + second.iter().sum::<f64>();
        base += together.iter().flatten().sum::<f64>();
        first.iter_mut().zip(&together).for_each(|(u, row)| *u -= row.iter().sum::<f64>());
        second.iter_mut().enumerate().for_each(|(j, v)| *v -= together.iter().map(|row| row[j]).sum::<f64>());
        Ok(Bilinear { base, first, second, together })
    }

    /// As a linear answer with one class, in removal coding: terms are the features of the first part, those of the second, and
    /// all pairs across, row by row of W.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for parts that do not fit together.
    pub fn linear(&self) -> Result<Linear> {
        let ([d1, d2], [first, second]) = (self.sizes(), self.removal());
        expect_len("rows of W", d1, self.together.len())?;
        self.together.iter().try_for_each(|row| expect_len("numbers in a row of W", d2, row.len()))?;
        let singles = (0..d1 + d2).map(|j| Ok(Term::one(j)));
        let terms = singles.chain(cross(self.sizes()).map(|(i, j)| Term::pair(i, j))).collect::<Result<_>>()?;
        let coefficients = first.into_iter().chain(second).chain(self.together.iter().flatten().copied()).collect();
        let base = Base::Intercept(vec![self.whole()]);
        let kept: Vec<usize> = (0..d1 + d2).collect();
        Linear::new(kept.clone(), terms, vec![coefficients], base, vec![kept], Link::Identity)
    }

    /// d₁ and d₂.
    pub fn sizes(&self) -> [usize; 2] {
        [self.first.len(), self.second.len()]
    }

    /// Its value for the features that are there.
    pub fn at(&self, first: &[bool], second: &[bool]) -> f64 {
        let there = |values: &[f64], keeps: &[bool]| sum_where(values, keeps);
        let rows = self.together.iter().zip(first).filter(|(_, keep)| **keep);
        self.base
            + there(&self.first, first)
            + there(&self.second, second)
            + rows.map(|(row, _)| there(row, second)).sum::<f64>()
    }

    /// Its value for all features: b + Σu + Σv + ΣW.
    pub fn whole(&self) -> f64 {
        self.base + self.first.iter().chain(&self.second).sum::<f64>() + self.sum_together()
    }

    /// ΣW: what the parts do only together.
    pub fn sum_together(&self) -> f64 {
        self.together.iter().flatten().sum()
    }

    /// What each feature does together with the whole other part: W1 for the first, Wᵀ1 for the second. Both sum to ΣW.
    pub fn together_shares(&self) -> [Vec<f64>; 2] {
        let rows = self.together.iter().map(|row| row.iter().sum()).collect();
        let columns = (0..self.second.len()).map(|j| self.together.iter().map(|row| row[j]).sum()).collect();
        [rows, columns]
    }

    /// What is lost where one feature is removed and everything else is there: u + W1 and v + Wᵀ1.
    pub fn removal(&self) -> [Vec<f64>; 2] {
        self.with_together(1.0)
    }

    /// The Shapley values between everything and nothing: u + ½W1 and v + ½Wᵀ1. They sum to the value of all less b.
    pub fn shares(&self) -> [Vec<f64>; 2] {
        self.with_together(0.5)
    }

    fn with_together(&self, part: f64) -> [Vec<f64>; 2] {
        let [rows, columns] = self.together_shares();
        let plus = |own: &[f64], more: Vec<f64>| own.iter().zip(more).map(|(u, w)| u + part * w).collect();
        [plus(&self.first, rows), plus(&self.second, columns)]
    }

    /// The pairs with the largest |W|, largest first, at most `most`: a feature of the first part, one of the second, and W; none that
    /// are 0.
    ///
    /// ```
    /// # use lipex_core::Bilinear;
    /// let g = Bilinear { together: vec![vec![0.5, 0.0], vec![0.0, -2.0]], ..Bilinear::default() };
    /// assert_eq!(g.strongest(5), [(1, 1, -2.0), (0, 0, 0.5)]);
    /// ```
    pub fn strongest(&self, most: usize) -> Vec<(usize, usize, f64)> {
        let entries =
            self.together.iter().enumerate().flat_map(|(i, row)| row.iter().enumerate().map(move |(j, &w)| (i, j, w)));
        let mut entries: Vec<(usize, usize, f64)> = entries.filter(|(_, _, w)| *w != 0.0).collect();
        entries.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        entries.truncate(most);
        entries
    }

    /// The singular vectors of W, strongest first, but those below [`LEAST_STRENGTH`](Bilinear::LEAST_STRENGTH) of the strongest.
    pub fn partitions(&self) -> Vec<Partition> {
        let Svd { values, left, right } = Svd::of(&self.together);
        let least = Self::LEAST_STRENGTH * values.first().copied().unwrap_or_default();
        let of = |((strength, first), second): ((f64, Vec<f64>), Vec<f64>)| {
            let largest = first.iter().copied().fold(0.0, |most: f64, a| if a.abs() > most.abs() { a } else { most });
            let sign = if largest < 0.0 { -1.0 } else { 1.0 };
            let turned = |vector: Vec<f64>| vector.into_iter().map(|a| sign * a).collect();
            Partition { strength, first: turned(first), second: turned(second) }
        };
        values.into_iter().zip(left).zip(right).filter(|((s, _), _)| *s > least).map(of).collect()
    }

    /// Of the parts in the other order.
    pub fn swapped(&self) -> Self {
        let column = |j: usize| self.together.iter().map(|row| row[j]).collect();
        Bilinear {
            base: self.base,
            first: self.second.clone(),
            second: self.first.clone(),
            together: (0..self.second.len()).map(column).collect(),
        }
    }
}

/// All pairs of a feature of the first part with one of the second, by their numbers among all.
pub(super) fn cross([d1, d2]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    (0..d1).flat_map(move |i| (d1..d1 + d2).map(move |j| (i, j)))
}

fn sum(values: &[f64], times: &[f64]) -> f64 {
    values.iter().zip(times).map(|(v, t)| v * t).sum()
}

fn sum_where(values: &[f64], keeps: &[bool]) -> f64 {
    values.iter().zip(keeps).filter(|(_, keep)| **keep).map(|(v, _)| v).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted() -> Bilinear {
        let together = vec![vec![2.0, 0.0, -1.0], vec![0.0, 0.5, 0.0]];
        Bilinear { base: 0.3, first: vec![1.0, -2.0], second: vec![0.25, 0.0, 4.0], together }
    }

    fn masks(features: usize) -> impl Iterator<Item = Vec<bool>> {
        (0..1u32 << features).map(move |bits| (0..features).map(|j| bits >> j & 1 == 1).collect())
    }

    #[test]
    fn removal_coding_and_back() {
        let g = planted();
        let linear = g.linear().unwrap();
        for first in masks(2) {
            for second in masks(3) {
                let there = linear.predict(&[first.clone(), second.clone()].concat()).unwrap();
                assert!((there[0] - g.at(&first, &second)).abs() < 1e-14);
                assert!((g.swapped().at(&second, &first) - g.at(&first, &second)).abs() < 1e-14);
            }
        }
        let back = Bilinear::of(&linear, [2, 3], &[1.0]).unwrap();
        let flat = |g: &Bilinear| [&[g.base][..], &g.first, &g.second, &g.together.concat()].concat();
        assert!(flat(&back).iter().zip(flat(&g)).all(|(a, b)| (a - b).abs() < 1e-14), "{back:?}");
        assert!(Bilinear::of(&linear, [2, 2], &[1.0]).is_err() && Bilinear::of(&linear, [2, 3], &[1.0; 2]).is_err());
    }

    /// The read-outs by their definitions: removals one by one, and the mean over all orders of removal.
    #[test]
    fn read_outs_are_what_they_are_defined_as() {
        let g = planted();
        let at = |removed: &[usize]| {
            let keeps: Vec<bool> = (0..5).map(|j| !removed.contains(&j)).collect();
            g.at(&keeps[..2], &keeps[2..])
        };
        let mut orders = vec![vec![]];
        for j in 0..5 {
            let put = |order: &Vec<usize>, k: usize| [&order[..k], &[j], &order[k..]].concat();
            orders = orders.iter().flat_map(|order| (0..=order.len()).map(move |k| put(order, k))).collect();
        }
        let mean = |j: usize| {
            let place = |order: &Vec<usize>| order.iter().position(|&k| k == j).unwrap();
            let lost = |order: &Vec<usize>| at(&order[..place(order)]) - at(&order[..=place(order)]);
            orders.iter().map(lost).sum::<f64>() / orders.len() as f64
        };
        let (removal, shares) = (g.removal().concat(), g.shares().concat());
        for j in 0..5 {
            assert!((removal[j] - (at(&[]) - at(&[j]))).abs() < 1e-12);
            assert!((shares[j] - mean(j)).abs() < 1e-12, "{j}: {} {}", shares[j], mean(j));
        }
        let [rows, columns] = g.together_shares();
        assert!((rows.iter().sum::<f64>() - columns.iter().sum::<f64>()).abs() < 1e-14);
        assert!((rows.iter().sum::<f64>() - g.sum_together()).abs() < 1e-14);
    }

    /// Two blocks of rank 1: each is a partition, and nothing else is.
    #[test]
    fn partitions_are_the_blocks() {
        let (a, b) = ([[0.6, -0.8, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]]);
        let entry = |i: usize, j: usize| {
            3.0 * a[0][i] * b[0][j] + 0.2 * a[1][i] * b[1][j] + 0.01 * f64::from(u8::from((i, j) == (2, 1)))
        };
        let together: Vec<Vec<f64>> = (0..4).map(|i| (0..3).map(|j| entry(i, j)).collect()).collect();
        let g = Bilinear { first: vec![0.0; 4], second: vec![0.0; 3], together, ..Bilinear::default() };
        let found = g.partitions();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!((found[0].strength - 3.0).abs() < 1e-3 && (found[1].strength - 0.2).abs() < 1e-3);
        // The largest of a is −.8, so both vectors are turned.
        assert!((found[0].first[1] - 0.8).abs() < 1e-3 && (found[0].second[1] + 1.0).abs() < 1e-3);
        assert!((found[1].first[3] - 1.0).abs() < 1e-3 && (found[1].second[2] - 0.8).abs() < 1e-3);
    }
}
