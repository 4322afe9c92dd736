//! Means over inputs with intervals, differences that are paired by input, and what many comparisons ask for.

use lipex::philox::{Draws, Purpose};

/// Bootstrap samples behind an interval.
const DRAWS: u32 = 4000;
/// Sign changes behind a p-value where there are too many to try all: Holm's method multiplies the least that they can give.
const FLIPS: u32 = 20_000;

/// The mean; 0 without values.
///
/// ```
/// assert_eq!(lipex_experiment::statistics::mean(&[1.0, 2.0, 6.0]), 3.0);
/// ```
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The 95 % interval of the mean, by a percentile bootstrap over the values; both ends are the mean where there is one value.
///
/// ```
/// let (low, high) = lipex_experiment::statistics::interval(&[0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
/// assert!(low < 0.3 && high > 0.7);
/// ```
pub fn interval(values: &[f64]) -> (f64, f64) {
    let n = values.len() as u32;
    if n == 0 {
        return (0.0, 0.0);
    }
    let again = |sample: u32| {
        let mut draws = Draws::new(0, sample, 0, Purpose::Bootstrap);
        (0..n).map(|i| values[draws.below(i, n) as usize]).sum::<f64>() / f64::from(n)
    };
    let mut means: Vec<f64> = (0..DRAWS).map(again).collect();
    means.sort_by(f64::total_cmp);
    let at = |share: f64| means[((share * f64::from(DRAWS)) as usize).min(means.len() - 1)];
    (at(0.025), at(0.975))
}

/// The two-sided p-value of "the differences are as likely positive as negative": the share of changes of their signs whose mean is at
/// least as far from 0. Every change is tried up to 12 differences, 20,000 draws (and the one that was seen) beyond.
///
/// ```
/// use lipex_experiment::statistics::sign_flip;
///
/// // Of 16 changes of sign two are as far: all plus, all minus.
/// assert_eq!(sign_flip(&[0.1, 0.2, 0.3, 0.4]), 2.0 / 16.0);
/// assert_eq!(sign_flip(&[0.0, 0.0]), 1.0);
/// ```
pub fn sign_flip(differences: &[f64]) -> f64 {
    let seen = differences.iter().sum::<f64>().abs() * (1.0 - 1e-12);
    let far = |sign: &mut dyn FnMut(usize) -> bool| {
        let sum: f64 = differences.iter().enumerate().map(|(i, d)| if sign(i) { *d } else { -d }).sum();
        sum.abs() >= seen
    };
    let n = differences.len();
    if n <= 12 {
        let all = 1u32 << n;
        let count = (0..all).filter(|signs| far(&mut |i| signs >> i & 1 == 1)).count();
        return count as f64 / f64::from(all);
    }
    let drawn = |sample: &u32| {
        let mut draws = Draws::new(1, *sample, 0, Purpose::Bootstrap);
        far(&mut |i| draws.below(i as u32, 2) == 1)
    };
    let count = (0..FLIPS).filter(drawn).count();
    (count + 1) as f64 / f64::from(FLIPS + 1)
}

/// Holm's p-values: what each of many is worth when all are looked at.
///
/// ```
/// let adjusted = lipex_experiment::statistics::holm(&[0.01, 0.04, 0.03]);
/// assert!(adjusted.iter().zip([0.03, 0.06, 0.06]).all(|(a, b)| (a - b).abs() < 1e-12));
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut adjusted, mut least) = (vec![0.0; p.len()], 0f64);
    for (place, &i) in order.iter().enumerate() {
        least = least.max(p[i] * (p.len() - place) as f64).min(1.0);
        adjusted[i] = least;
    }
    adjusted
}
