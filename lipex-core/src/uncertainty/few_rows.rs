//! Standard errors are estimates too: how noisy they are where few rows make up most of them.

/// How noisy the standard errors of a fit are themselves, since some of its masks matter much more than others.
///
/// A formula for the spread adds up squares, u², one for each row (or cluster of rows) that was drawn. Where a few of them
/// are most of the sum, the sum is a poor estimate and mostly too small, so that a normal quantile makes intervals too
/// short. The jackknife tells how poor: without row i the logarithm of an entry's variance V changes by ln(1 − u²/V).
///
/// # Source
/// Degrees of freedom matched to the variance of a variance: Satterthwaite (1946); for sandwiches Pan and Wall (2002). They
/// match the variance of V, this the variance of ln V: where one row is nearly all of V, this gives fewer degrees.
/// Leverage: the correction of MacKinnon and White (1985), under which V is unbiased if the noise is homoscedastic (HC2).
///
/// ```
/// use lipex_core::FewRows;
///
/// // A row that the fit follows three quarters of the way has a residual of half its noise.
/// assert_eq!(FewRows::scale(0.75), 2.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FewRows {
    /// Degrees of freedom of Student's t distribution, which (W − optimum) / standard error follows nearly; at least 2.
    pub degrees: f64,
    /// The variance over the entries of W of the noise in the logarithms of their standard errors: the largest of them is
    /// as large as it is partly by this noise.
    pub unevenness: f64,
}

/// A row that is more of its entry's variance than this is taken to be this much.
const MOST_SHARE: f64 = 0.999;
/// The largest leverage that a row is scaled by.
const MOST_LEVERAGE: f64 = 0.9;
/// Degrees of freedom below which a standard error says nothing.
const LEAST_DEGREES: f64 = 2.0;

impl FewRows {
    /// What a row's gradient is multiplied by, since the fit follows the row with its leverage h: 1/√(1 − h).
    pub fn scale(leverage: f64) -> f64 {
        1.0 / (1.0 - leverage.clamp(0.0, MOST_LEVERAGE)).sqrt()
    }

    /// With `masks` times as many rows by the same law.
    pub(crate) fn grown(self, masks: f64) -> FewRows {
        FewRows { degrees: (self.degrees * masks).max(LEAST_DEGREES), unevenness: self.unevenness / masks }
    }
}

/// Gathers, row by row, how much of each entry's variance single rows are.
///
/// ```
/// use lipex_core::RowShares;
///
/// // One row that is half of the variance, beside fifty of a hundredth each.
/// let mut shares = RowShares::new(vec![1.0]);
/// shares.add(&[0.5f64.sqrt()], 1.0);
/// (0..50).for_each(|_| shares.add(&[0.1], 1.0));
/// assert!(shares.few_rows().degrees < 8.0);
/// ```
#[derive(Clone, Debug)]
pub struct RowShares {
    variances: Vec<f64>,
    rows: f64,
    /// Of each entry: Σ ln(1 − u²/V) and Σ ln²(1 − u²/V).
    sums: Vec<(f64, f64)>,
    /// Of the means over entries of u²/V, and of the variances over entries.
    uneven: f64,
}

impl RowShares {
    /// For entries of these variances V.
    pub fn new(variances: Vec<f64>) -> Self {
        RowShares { sums: vec![(0.0, 0.0); variances.len()], variances, rows: 0.0, uneven: 0.0 }
    }

    /// Adds a unit that was drawn `times` times: what each draw of it adds to each entry of W, whose squares make up V.
    pub fn add(&mut self, parts: &[f64], times: f64) {
        let (mut count, mut sum, mut square) = (0.0, 0.0, 0.0);
        for ((part, variance), sums) in
            parts.iter().zip(&self.variances).zip(&mut self.sums).filter(|((_, v), _)| **v > 0.0)
        {
            let share = (part * part / variance).min(MOST_SHARE);
            let without = (-share).ln_1p();
            *sums = (sums.0 + times * without, sums.1 + times * without * without);
            (count, sum, square) = (count + 1.0, sum + share, square + share * share);
        }
        self.rows += times;
        if count > 0.0 {
            self.uneven += times * (square / count - (sum / count).powi(2)).max(0.0);
        }
    }

    /// What the rows so far make of the standard errors.
    pub fn few_rows(&self) -> FewRows {
        let entries = self.variances.iter().filter(|v| **v > 0.0).count().max(1) as f64;
        let noise = |&(sum, square): &(f64, f64)| square - sum * sum / self.rows.max(1.0);
        // Each entry's own is of few rows again, so the mean over entries serves them all.
        let noise = self.sums.iter().map(noise).sum::<f64>() / entries;
        // ln of a χ² of ν degrees has the variance ψ′(ν/2), 2/ν + 2/ν² nearly.
        let degrees = if noise > 0.0 { (1.0 + (1.0 + 2.0 * noise).sqrt()) / noise } else { f64::INFINITY };
        // A standard error is a root: a quarter of the variance.
        FewRows { degrees: degrees.clamp(LEAST_DEGREES, 1e9), unevenness: 0.25 * self.uneven }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_rows_have_as_many_degrees_as_normal_ones_and_a_heavy_row_few() {
        // 300 normal deviates as quantiles: Σ u⁴/V² is 3/n, so that ν is near n.
        let n = 300;
        let u: Vec<f64> = (0..n).map(|i| super::super::quantile::normal((i as f64 + 0.5) / n as f64)).collect();
        let shares = |u: &[f64]| {
            let mut shares = RowShares::new(vec![u.iter().map(|u| u * u).sum(), 0.0]);
            u.iter().for_each(|u| shares.add(&[*u, 1.0], 1.0));
            shares.few_rows()
        };
        let even = shares(&u);
        assert!((even.degrees / n as f64 - 1.0).abs() < 0.05 && even.unevenness == 0.0, "{even:?}");
        let mut heavy = u;
        // As much as half of the others together.
        heavy[0] = (150.0f64).sqrt();
        let few = shares(&heavy);
        // ln²(1 − 1/3) = 0.164, and little from the others: ν = (1 + √(1 + 2·0.17))/0.17.
        assert!((12.0..13.2).contains(&few.degrees), "{few:?}");
    }

    #[test]
    fn rows_that_count_twice_are_two_rows() {
        let (mut twice, mut apart) = (RowShares::new(vec![4.0, 2.0]), RowShares::new(vec![4.0, 2.0]));
        for parts in [[1.0, 0.5], [-0.5, 0.8]] {
            twice.add(&parts, 2.0);
            (0..2).for_each(|_| apart.add(&parts, 1.0));
        }
        let (a, b) = (twice.few_rows(), apart.few_rows());
        assert!((a.degrees / b.degrees - 1.0).abs() < 1e-12 && (a.unevenness - b.unevenness).abs() < 1e-15);
        assert!(a.unevenness > 0.0);
    }

    #[test]
    fn degrees_stay_in_bounds() {
        assert_eq!(RowShares::new(vec![0.0]).few_rows().degrees, 1e9);
        let mut one = RowShares::new(vec![1.0]);
        one.add(&[1.0], 1.0);
        one.add(&[0.0], 1.0);
        assert_eq!(one.few_rows().degrees, 2.0);
        let few = FewRows { degrees: 6.0, unevenness: 0.02 };
        assert_eq!(few.grown(2.0), FewRows { degrees: 12.0, unevenness: 0.01 });
        assert_eq!(few.grown(0.1).degrees, 2.0);
        assert_eq!((FewRows::scale(0.75), FewRows::scale(-0.5)), (2.0, 1.0));
    }
}
