//! p-values and Holm's correction are SciPy's and statsmodels' (the script `statistics.py` beside this file prints them).

use lipex_experiment::statistics::{holm, interval, mean, sign_flip};

const DIFFERENCES: [f64; 10] = [0.3, -0.1, 0.25, 0.4, 0.05, -0.2, 0.15, 0.35, 0.1, -0.05];

#[test]
fn few_differences_are_tried_in_every_sign() {
    // scipy.stats.permutation_test(permutation_type="samples"), exact over 1024 changes of sign.
    assert!((sign_flip(&DIFFERENCES) - 0.097_656_25).abs() < 1e-12, "{}", sign_flip(&DIFFERENCES));
}

#[test]
fn many_differences_are_drawn() {
    let many: Vec<f64> = DIFFERENCES.iter().chain(&[0.2, -0.3, 0.1, 0.0, 0.3]).copied().collect();
    // 20,000 draws of a share of .084: four standard errors are .008.
    assert!((sign_flip(&many) - 0.083_618_164_062_5).abs() < 0.008, "{}", sign_flip(&many));
}

#[test]
fn corrected_values_are_those_of_statsmodels() {
    let adjusted = holm(&[0.001, 0.04, 0.03, 0.6, 0.011]);
    for (ours, theirs) in adjusted.iter().zip([0.005, 0.09, 0.09, 0.6, 0.044]) {
        assert!((ours - theirs).abs() < 1e-12, "{adjusted:?}");
    }
}

#[test]
fn intervals_of_means_are_about_those_of_the_normal_law() {
    let values: Vec<f64> = (0..200).map(|i| f64::from(i % 10)).collect();
    let (low, high) = interval(&values);
    // The standard error is √(8.25 / 200) = .203.
    assert!((low - (4.5 - 1.96 * 0.2031)).abs() < 0.05 && (high - (4.5 + 1.96 * 0.2031)).abs() < 0.05, "{low} {high}");
    assert_eq!(mean(&values), 4.5);
}
