//! The numbers that a network is run in: f32, or f64 where tests compare with differences.

use std::sync::OnceLock;

/// f32 or f64, with the functions that operators need.
///
/// ```
/// use lipex_grad::Number;
///
/// assert!((f64::of(0.5).erf() - 0.520_499_877_813).abs() < 1e-11);
/// ```
pub trait Number:
    Default
    + ndarray::LinalgScalar
    + PartialOrd
    + std::ops::Neg<Output = Self>
    + std::ops::AddAssign
    + Send
    + Sync
    + std::fmt::Debug
{
    /// The nearest one to an f64.
    fn of(value: f64) -> Self;
    /// As an f64, exactly.
    fn wide(self) -> f64;
    /// eˣ.
    fn exp(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// The error function, within 10⁻¹¹ in f64.
    fn erf(self) -> Self {
        Self::of(erf(self.wide()))
    }
}

macro_rules! number {
    ($($of:ty),*) => {$(
        impl Number for $of {
            fn of(value: f64) -> Self {
                value as $of
            }

            fn wide(self) -> f64 {
                f64::from(self)
            }

            fn exp(self) -> Self {
                <$of>::exp(self)
            }

            fn sqrt(self) -> Self {
                <$of>::sqrt(self)
            }
        }
    )*};
}
number!(f32, f64);

/// Steps of the table in 1.
const STEPS: f64 = 64.0;
/// From here on erf is 1 in f64.
const END: f64 = 6.0;

/// The error function by four terms of Taylor's series at the nearest point of a table.
fn erf(x: f64) -> f64 {
    static TABLE: OnceLock<Vec<[f64; 2]>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let at = |i: usize| i as f64 / STEPS;
        (0..=(END * STEPS) as usize).map(|i| [by_series(at(i)), slope(at(i))]).collect()
    });
    let size = x.abs();
    let nearest = (size * STEPS).round();
    // Also for what is no number.
    let Some([value, slope]) = table.get(nearest as usize).filter(|_| size < END) else {
        return if x.is_nan() { x } else { x.signum() };
    };
    let (a, d) = (nearest / STEPS, size - nearest / STEPS);
    let terms = d * (1.0 + d * (-a + d * ((2.0 * a * a - 1.0) / 3.0 + d * a * (3.0 - 2.0 * a * a) / 6.0)));
    (value + slope * terms).copysign(x)
}

/// erf′.
fn slope(x: f64) -> f64 {
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp()
}

/// erf(x) = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), whose terms have one sign.
fn by_series(x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (x, 0.0, 0.0);
    while term > 1e-18 {
        sum += term;
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
    }
    slope(x) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_as_published() {
        // Abramowitz and Stegun, table 7.1, and DLMF for 2.5.
        let known =
            [(0.1, 0.1124629160), (0.5, 0.5204998778), (1.0, 0.8427007929), (1.5, 0.9661051465), (2.5, 0.9995930480)];
        for (x, y) in known {
            assert!((erf(x) - y).abs() < 1e-10 && (erf(-x) + y).abs() < 1e-10, "{x}: {}", erf(x));
        }
        let off = (0..6000).map(|i| i as f64 * 1e-3 + 3e-4).map(|x| (erf(x) - by_series(x)).abs());
        assert!(off.fold(0.0, f64::max) < 2e-11);
        assert!(erf(f64::NAN).is_nan() && erf(f64::INFINITY) == 1.0 && erf(-7.0) == -1.0);
    }
}
