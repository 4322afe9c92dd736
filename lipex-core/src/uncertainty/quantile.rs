//! Quantiles that intervals are made with.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// Degrees of freedom beyond which t and normal quantiles are taken as one; they differ by a part in 10⁶.
const MANY: f64 = 1e6;

/// The number that a standard normal deviate stays below with probability `p`, 0 < p < 1.
pub(crate) fn normal(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The number that a deviate of Student's t distribution stays below with probability `p`, 0 < p < 1.
pub(crate) fn student(p: f64, degrees: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, degrees) {
        Ok(t) if degrees < MANY => t.inverse_cdf(p),
        _ => normal(p),
    }
}

/// The probability that a standard normal deviate is below `z`.
pub(crate) fn normal_share(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDENT: [(f64, f64, f64); 9] = [
        (0.975, 2.0, 4.302652729749462),
        (0.975, 3.7, 2.8675207071911895),
        (0.975, 12.25, 2.1738913883920628),
        (0.995, 5.5, 3.8499114660010356),
        (0.01, 8.0, -2.8964594477096224),
        (0.9999, 4.0, 13.033671720896821),
        (0.975, 250.0, 1.9694983934211532),
        (0.975, 20000.0, 1.9600826051581348),
        (0.99999, 999999.0, 4.264911254091136),
    ];

    #[test]
    fn quantiles_are_those_of_tables() {
        // scipy.stats.norm.ppf
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.995, 2.575829303548901),
            (0.99, 2.3263478740408408),
            (0.01, -2.3263478740408408),
            (1e-6, -4.753424308822899),
            (0.6, 0.2533471031357997),
        ] {
            assert!((normal(p) - z).abs() < 1e-8, "{p}: {} {z}", normal(p));
            assert!((normal_share(z) - p).abs() < 1e-9);
        }
    }

    #[test]
    fn few_degrees_of_freedom_widen_the_tails() {
        // scipy.stats.t.ppf
        for (p, degrees, t) in STUDENT {
            assert!((student(p, degrees) / t - 1.0).abs() < 1e-7, "{p} {degrees}: {} {t}", student(p, degrees));
        }
        assert_eq!(student(0.9, f64::INFINITY), normal(0.9));
    }
}
