//! The spread of W over other draws of the masks.

use super::quantile::{normal, normal_share, student};
use super::{FewRows, Method};
use crate::error::{Result, expect_len};
use crate::philox::{Draws, Philox, Purpose};
use crate::watch::Watch;
use rand_distr::{ChiSquared, Distribution, StandardNormal};

/// Draws of the normal distribution behind a simultaneous band.
const BAND_DRAWS: usize = 2000;

/// How the entries of W would vary together if the masks were drawn again, features and λ held fixed.
///
/// ```
/// use lipex_core::{Method, Spread};
///
/// // One class, one feature, three refits: the variance of 1, 2, 3 is 1.
/// let spread = Spread::from_refits(1, 1, &[vec![1.0], vec![2.0], vec![3.0]])?;
/// assert_eq!((spread.covariance((0, 0), (0, 0)), spread.method()), (1.0, Method::Bootstrap));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    method: Method,
    classes: usize,
    features: usize,
    values: Values,
    few_rows: Option<FewRows>,
    terms: Option<Vec<Vec<f64>>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// Of each entry with each other, (C·F)².
    Covariance(Vec<f64>),
    /// Deviations of refits from their mean, refits × C·F.
    Draws(Vec<f64>),
    /// No entry varies.
    None,
}

impl Spread {
    /// From a covariance matrix.
    ///
    /// # Shapes
    /// (C·F)² numbers; entry W\[c\]\[j\] has the place c·F + j.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another length.
    pub fn from_covariance(method: Method, classes: usize, features: usize, covariance: Vec<f64>) -> Result<Self> {
        expect_len("numbers of the covariance", (classes * features).pow(2), covariance.len())?;
        Ok(Spread { method, classes, features, values: Values::Covariance(covariance), few_rows: None, terms: None })
    }

    /// From refits of rows drawn again.
    ///
    /// # Shapes
    /// Each refit C·F numbers; entry W\[c\]\[j\] has the place c·F + j.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for another length or fewer than 2 refits.
    pub fn from_refits(classes: usize, features: usize, refits: &[Vec<f64>]) -> Result<Self> {
        let entries = classes * features;
        if refits.len() < 2 {
            return Err(crate::Error::shape("refits (at least)", 2, refits.len()));
        }
        refits.iter().try_for_each(|r| expect_len("entries of a refit", entries, r.len()))?;
        // Row by row, as they lie: a column of many refits is a walk through all of memory.
        let mut mean = vec![0.0; entries];
        refits.iter().for_each(|row| mean.iter_mut().zip(row).for_each(|(m, v)| *m += v));
        mean.iter_mut().for_each(|m| *m /= refits.len() as f64);
        let draws = refits.iter().flat_map(|row| row.iter().zip(&mean).map(|(v, m)| v - m)).collect();
        Ok(Spread {
            method: Method::Bootstrap,
            classes,
            features,
            values: Values::Draws(draws),
            few_rows: None,
            terms: None,
        })
    }

    /// No spread at all: every mask occurs.
    pub fn exact(classes: usize, features: usize) -> Self {
        Spread { method: Method::Exact, classes, features, values: Values::None, few_rows: None, terms: None }
    }

    /// With what is known of how noisy the standard errors are; quantiles and bands heed it.
    pub fn few_rows(self, few_rows: FewRows) -> Self {
        Spread { few_rows: Some(few_rows), ..self }
    }

    /// With the standard errors of the coefficients of a fit with pairs, C rows of T numbers; the entries themselves are then
    /// shares.
    pub fn terms(self, terms: Vec<Vec<f64>>) -> Self {
        Spread { terms: Some(terms), ..self }
    }

    /// The standard errors of the coefficients, where they are other than those of the entries.
    pub fn terms_in_use(&self) -> Option<&[Vec<f64>]> {
        self.terms.as_deref()
    }

    /// How noisy the standard errors are, where that is known.
    pub fn few_rows_in_use(&self) -> Option<FewRows> {
        self.few_rows
    }

    /// The number of standard errors that a deviate stays below with probability `p`, 0 < p < 1.
    pub fn quantile(&self, p: f64) -> f64 {
        self.few_rows.map_or_else(|| normal(p), |few| student(p, few.degrees))
    }

    /// As far out among deviates as `z` is among normal ones, with `times` as many masks.
    pub(crate) fn stretched(&self, z: f64, times: f64) -> f64 {
        // By the lower tail, which keeps its digits.
        self.few_rows.map_or(z, |few| -student(normal_share(-z), few.grown(times).degrees))
    }

    /// How it was made.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The covariance of two entries, each a class and a place among the kept features.
    pub fn covariance(&self, a: (usize, usize), b: (usize, usize)) -> f64 {
        let entries = self.classes * self.features;
        let (a, b) = (a.0 * self.features + a.1, b.0 * self.features + b.1);
        match &self.values {
            Values::Covariance(v) => v[a * entries + b],
            Values::Draws(v) => {
                let products = v.chunks_exact(entries).map(|row| row[a] * row[b]);
                products.sum::<f64>() / (v.len() / entries - 1) as f64
            }
            Values::None => 0.0,
        }
    }

    /// The standard error of an entry.
    pub fn std_error(&self, class: usize, j: usize) -> f64 {
        self.covariance((class, j), (class, j)).max(0.0).sqrt()
    }

    /// The standard errors of all entries, C rows of F numbers; each is that of [`std_error`](Spread::std_error).
    pub fn std_errors(&self) -> Vec<Vec<f64>> {
        let entries = self.classes * self.features;
        let variances: Vec<f64> = match &self.values {
            Values::Covariance(v) => (0..entries).map(|e| v[e * entries + e]).collect(),
            Values::Draws(v) => {
                let mut sums = vec![0.0; entries];
                for row in v.chunks_exact(entries.max(1)) {
                    sums.iter_mut().zip(row).for_each(|(sum, d)| *sum += d * d);
                }
                let freedom = (v.len() / entries.max(1)).saturating_sub(1).max(1) as f64;
                sums.into_iter().map(|sum| sum / freedom).collect()
            }
            Values::None => vec![0.0; entries],
        };
        let row =
            |c: usize| variances[c * self.features..][..self.features].iter().map(|v| v.max(0.0).sqrt()).collect();
        (0..self.classes).map(row).collect()
    }

    /// The standard error of the difference of two entries.
    pub fn difference_error(&self, a: (usize, usize), b: (usize, usize)) -> f64 {
        (self.covariance(a, a) + self.covariance(b, b) - 2.0 * self.covariance(a, b)).max(0.0).sqrt()
    }

    /// How many standard errors all entries stay within at once, with probability `level` (max-t).
    ///
    /// # Numerics
    /// A quantile of 2000 draws. Of few degrees of freedom, each is divided by one root of χ²/ν.
    pub fn band(&self, level: f64, seed: u64) -> f64 {
        // Nobody can stop it.
        self.watched_band(Watch::none(), level, seed).unwrap_or_default()
    }

    /// The same for a run that can be stopped.
    pub(crate) fn watched_band(&self, watch: &Watch, level: f64, seed: u64) -> Result<f64> {
        let entries = self.classes * self.features;
        let errors = self.std_errors().concat();
        let most = |row: &[f64]| {
            let scaled = row.iter().zip(&errors).filter(|(_, e)| **e > 0.0).map(|(v, e)| (v / e).abs());
            scaled.fold(0.0, f64::max)
        };
        let mut largest: Vec<f64> = match &self.values {
            Values::None => return Ok(0.0),
            Values::Draws(v) => v.chunks_exact(entries.max(1)).map(most).collect(),
            Values::Covariance(v) => {
                let root = root(watch, v, entries)?;
                let draw = |r| {
                    watch.check()?;
                    let mut generator = Draws::new(seed, r, 0, Purpose::Bands).generator();
                    Ok(most(&correlated(&root, entries, &mut generator)) / self.shared_error(&mut generator))
                };
                (0..BAND_DRAWS as u32).map(draw).collect::<Result<_>>()?
            }
        };
        largest.sort_by(f64::total_cmp);
        let at = (level * largest.len() as f64).ceil() as usize;
        Ok(largest.get(at.clamp(1, largest.len().max(1)) - 1).copied().unwrap_or(0.0))
    }
}

impl Spread {
    /// √(χ²/ν): how far off the standard errors of a draw are together.
    fn shared_error(&self, generator: &mut Philox) -> f64 {
        let of = |few: FewRows| {
            let squares = ChiSquared::new(few.degrees).map_or(few.degrees, |law| law.sample(generator));
            (squares / few.degrees).sqrt()
        };
        self.few_rows.map_or(1.0, of)
    }
}

/// L with LLᵀ = V, V positive semi-definite: directions without variance get columns of zeros.
fn root(watch: &Watch, covariance: &[f64], n: usize) -> Result<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        watch.check()?;
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let left = covariance[i * n + j] - dot;
            let pivot = l[j * n + j];
            l[i * n + j] = if i == j {
                // What rounding leaves of a variance that is explained already.
                if left > 1e-10 * covariance[i * n + i] { left.sqrt() } else { 0.0 }
            } else if pivot > 0.0 {
                left / pivot
            } else {
                0.0
            };
        }
    }
    Ok(l)
}

/// L times a vector of independent normal deviates.
fn correlated(root: &[f64], n: usize, generator: &mut Philox) -> Vec<f64> {
    let normal: Vec<f64> = StandardNormal.sample_iter(generator).take(n).collect();
    (0..n).map(|i| root[i * n..=i * n + i].iter().zip(&normal).map(|(l, z)| l * z).sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refits_have_the_covariance_of_their_deviations() {
        // Two entries, three refits: deviations (−1, −2), (0, 0), (1, 2).
        let spread = Spread::from_refits(2, 1, &[vec![4.0, 5.0], vec![5.0, 7.0], vec![6.0, 9.0]]).unwrap();
        assert_eq!(spread.covariance((0, 0), (1, 0)), 2.0);
        assert_eq!((spread.std_error(0, 0), spread.std_error(1, 0)), (1.0, 2.0));
        assert_eq!(spread.std_errors(), [[1.0], [2.0]]);
        assert_eq!(spread.difference_error((0, 0), (1, 0)), 1.0);
        assert_eq!(spread.band(0.95, 0), 1.0);
        assert!(Spread::from_refits(2, 1, &[vec![1.0, 2.0]]).is_err());
        assert!(Spread::from_covariance(Method::Sandwich, 2, 1, vec![0.0; 3]).is_err());
    }

    #[test]
    fn bands_are_the_quantiles_of_the_largest_deviate() {
        let identity =
            |n: usize| (0..n * n).map(|e| f64::from(u8::from(e.is_multiple_of(n + 1)))).collect::<Vec<f64>>();
        // P(max of n |z| < t) = (2Φ(t) − 1)ⁿ: 1.9600 for n = 1, 3.0154 for n = 20, at .95.
        for (n, exact, within) in [(1, 1.9600, 0.1), (20, 3.0154, 0.1)] {
            let band = Spread::from_covariance(Method::Sandwich, 1, n, identity(n)).unwrap().band(0.95, 7);
            assert!((band - exact).abs() < within, "{n}: {band} against {exact}");
        }
        // Two entries that are one: the band of a single one. A third that never varies takes no part.
        let same = vec![1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0];
        let band = Spread::from_covariance(Method::Sandwich, 1, 3, same).unwrap().band(0.95, 7);
        assert!((band - 1.96).abs() < 0.1, "{band}");
        assert_eq!(Spread::exact(2, 3).band(0.95, 0), 0.0);
    }

    #[test]
    fn few_rows_widen_intervals_and_bands() {
        let plain = Spread::from_covariance(Method::Sandwich, 1, 1, vec![4.0]).unwrap();
        let few = plain.clone().few_rows(FewRows { degrees: 8.0, unevenness: 0.0 });
        // scipy.stats.t.ppf(0.975, 8)
        assert!((few.quantile(0.975) - 2.306004135).abs() < 1e-6 && (plain.quantile(0.975) - 1.959964).abs() < 1e-6);
        assert_eq!(plain.stretched(2.5, 1.0), 2.5);
        assert!((few.stretched(1.959964, 1.0) - 2.306004).abs() < 1e-5);
        assert!((few.stretched(1.959964, 4.0) - 2.036933).abs() < 1e-5);
        // The band of one entry is its interval.
        let band = few.band(0.95, 7);
        assert!((band - 2.306).abs() < 0.15, "{band}");
        assert_eq!((few.std_error(0, 0), few.few_rows_in_use().unwrap().degrees), (2.0, 8.0));
    }
}
