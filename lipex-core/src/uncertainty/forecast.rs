//! How wide bars will be with more masks.

use super::FewRows;
use super::quantile::{normal, student};

/// The most masks that are worth telling.
const MOST: usize = 1_000_000_000_000_000;

/// The standard errors of a run, from which those of a longer one are told.
pub(super) struct Forecast {
    /// The mean over entries of ln(standard error), the largest less that, and their variance.
    mean: f64,
    lead: f64,
    variance: f64,
    few_rows: Option<FewRows>,
    /// The share of deviates below the upper end of an interval.
    share: f64,
}

impl Forecast {
    /// Of the standard errors of all entries, for intervals of a level.
    pub fn new(errors: impl Iterator<Item = f64>, few_rows: Option<FewRows>, level: f64) -> Self {
        let logarithms: Vec<f64> = errors.filter(|e| *e > 0.0).map(f64::ln).collect();
        let count = logarithms.len().max(1) as f64;
        let mean = logarithms.iter().sum::<f64>() / count;
        let variance = logarithms.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / count;
        // Without an entry that varies, e^(−∞): no width.
        let lead = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max) - mean;
        Forecast { mean, lead, variance, few_rows, share: 0.5 + 0.5 * level }
    }

    /// Half the widest interval with `times` as many masks.
    ///
    /// Standard errors fall as 1/√N. The largest of them leads the mean by what is true and by noise, which falls as N
    /// grows: variances add, so the lead shrinks by the root of what is left of the variance over entries.
    pub fn half_width(&self, times: f64) -> f64 {
        let (quantile, left) = match self.few_rows {
            None => (normal(self.share), 1.0),
            Some(few) => {
                let noise = (few.unevenness * (1.0 - 1.0 / times)).min(self.variance);
                let left = if self.variance > 0.0 { (1.0 - noise / self.variance).sqrt() } else { 1.0 };
                (student(self.share, few.grown(times).degrees), left)
            }
        };
        quantile * (self.mean + left * self.lead).exp() / times.sqrt()
    }

    /// The fewest masks that are to bring it to `half_width`, from a run of `masks`.
    pub fn masks_for(&self, half_width: f64, masks: usize) -> Option<usize> {
        if self.half_width(1.0) <= 0.0 || half_width.is_nan() || half_width <= 0.0 {
            return None;
        }
        fewest(masks, |times| self.half_width(times) <= half_width)
    }
}

/// The fewest masks, told as so many times the present ones, that are enough; once enough, more are too.
pub(super) fn fewest(masks: usize, enough: impl Fn(f64) -> bool) -> Option<usize> {
    let enough = |n: usize| enough(n as f64 / masks as f64);
    if masks == 0 || !enough(MOST) {
        return None;
    }
    let (mut short, mut long) = (0, MOST);
    while long - short > 1 {
        let middle = short + (long - short) / 2;
        if enough(middle) { long = middle } else { short = middle }
    }
    Some(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_shorten_with_the_root_of_the_masks() {
        let plain = Forecast::new([1.0, 2.0, 0.0].into_iter(), None, 0.95);
        assert!((plain.half_width(1.0) - 2.0 * 1.959964).abs() < 1e-5);
        assert_eq!(plain.masks_for(0.5 * plain.half_width(1.0), 300), Some(1200));
        assert_eq!(plain.masks_for(2.0 * plain.half_width(1.0), 300), Some(75));
        assert_eq!((plain.masks_for(0.0, 300), plain.masks_for(f64::NAN, 300)), (None, None));
        assert_eq!(Forecast::new([0.0].into_iter(), None, 0.95).masks_for(1.0, 300), None);
    }

    #[test]
    fn more_masks_make_standard_errors_surer() {
        let errors = [1.0, 1.0, 1.0, 2.0];
        let plain = Forecast::new(errors.into_iter(), None, 0.95);
        // ln 2 of a quarter of the entries: variance 3/16·ln² 2 = 0.0901.
        let few = FewRows { degrees: 8.0, unevenness: 0.06 };
        let noisy = Forecast::new(errors.into_iter(), Some(few), 0.95);
        // scipy.stats.t.ppf(0.975, [8, 32]): at 4 times the masks 0.045 of the variance is left.
        let left = ((0.0901 - 0.045) / 0.0901f64).sqrt();
        let expected = 2.036933 * ((0.25 + 0.75 * left) * std::f64::consts::LN_2).exp() / 2.0;
        assert!((noisy.half_width(1.0) - 2.0 * 2.306004).abs() < 1e-5);
        assert!((noisy.half_width(4.0) / expected - 1.0).abs() < 1e-3, "{} {expected}", noisy.half_width(4.0));
        let halved = |f: &Forecast| f.masks_for(0.5 * f.half_width(1.0), 100).unwrap();
        assert!(halved(&noisy) < halved(&plain), "{} {}", halved(&noisy), halved(&plain));
    }
}
