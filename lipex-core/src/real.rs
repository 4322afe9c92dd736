//! Numbers that a divergence can be evaluated on: f64, lanes of f32 and f64, and dual numbers over any of them.

use std::ops::{Add, Div, Mul, Neg, Sub};

mod wide;

pub use wide::Wide;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl<const FMA: bool> Sealed for super::Lane<FMA> {}
    impl<const FMA: bool> Sealed for super::Wide<FMA> {}
    impl<R: super::Real> Sealed for super::Dual<R> {}
    impl Sealed for crate::program::Recorder {}
}

/// The arithmetic that a divergence may use.
///
/// A function written once over `Real` serves as the f64 oracle, as the vectorised f32 code of the CPU, as its own
/// derivative (through [`Dual`]) and as a program for another backend. There is no branching: use
/// [`select_positive`](Real::select_positive). Sealed, so that every divergence runs wherever lipex runs.
///
/// ```
/// use lipex_core::{Dual, Real};
///
/// fn cube<R: Real>(x: R) -> R {
///     x * x * x
/// }
///
/// assert_eq!(cube(2.0), 8.0);
/// // The same code on dual numbers has its own derivative.
/// assert_eq!(cube(Dual { value: 2.0, slope: 1.0 }).slope, 12.0);
/// ```
pub trait Real:
    Copy
    + sealed::Sealed
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The constant `x`.
    fn constant(x: f32) -> Self;
    /// eˣ.
    fn exp(self) -> Self;
    /// The natural logarithm. Take care of 0 with [`select_positive`](Real::select_positive).
    fn ln(self) -> Self;
    /// The square root; its derivative is taken as 0 at 0.
    fn sqrt(self) -> Self;
    /// x to a constant power, for x ≥ 0; its derivative is taken as 0 at 0.
    fn powf(self, exponent: f32) -> Self;
    /// The absolute value; its derivative is taken as 0 at 0.
    fn abs(self) -> Self;
    /// The smaller of two.
    fn min(self, other: Self) -> Self;
    /// The larger of two.
    fn max(self, other: Self) -> Self;
    /// `yes` where this number is above 0, else `no`; both are evaluated.
    fn select_positive(self, yes: Self, no: Self) -> Self;
}

impl Real for f64 {
    fn constant(x: f32) -> f64 {
        f64::from(x)
    }
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    fn ln(self) -> f64 {
        f64::ln(self)
    }
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    fn powf(self, exponent: f32) -> f64 {
        f64::powf(self, f64::from(exponent))
    }
    fn abs(self) -> f64 {
        f64::abs(self)
    }
    fn min(self, other: f64) -> f64 {
        f64::min(self, other)
    }
    fn max(self, other: f64) -> f64 {
        f64::max(self, other)
    }
    fn select_positive(self, yes: f64, no: f64) -> f64 {
        if self > 0.0 { yes } else { no }
    }
}

/// One f32 of a loop that the compiler turns into vector instructions.
///
/// `FMA` says whether the loop is compiled for a machine that multiplies and adds in one instruction; without one,
/// `f32::mul_add` would be a call into a library.
///
/// ```
/// use lipex_core::{Lane, Real};
///
/// let e = Lane::<false>(1.0).exp().0;
/// assert!((e - std::f32::consts::E).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lane<const FMA: bool>(pub f32);

impl<const FMA: bool> Lane<FMA> {
    #[inline(always)]
    fn mul_add(self, b: f32, c: f32) -> Self {
        if FMA { Lane(self.0.mul_add(b, c)) } else { Lane(self.0 * b + c) }
    }

    #[inline(always)]
    fn polynomial(self, coefficients: &[f32]) -> Self {
        let mut sum = Lane(coefficients[0]);
        for &c in &coefficients[1..] {
            sum = sum.mul_add(self.0, c);
        }
        sum
    }
}

macro_rules! lane_operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<const FMA: bool> $trait for Lane<FMA> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Lane(self.0 $op other.0)
            }
        }
    };
}
lane_operator!(Add, add, +);
lane_operator!(Sub, sub, -);
lane_operator!(Mul, mul, *);
lane_operator!(Div, div, /);

impl<const FMA: bool> Neg for Lane<FMA> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane(-self.0)
    }
}

/// # Numerics
/// `exp` is within 2 ULP on [−87, 88] and 0 or ∞ nowhere: arguments are clamped there. `ln` is within 3 ULP of normal
/// numbers; anything below the smallest normal number is taken as that number (ln ≈ −87.3). Both are the polynomials of
/// the Cephes library.
impl<const FMA: bool> Real for Lane<FMA> {
    #[inline(always)]
    fn constant(x: f32) -> Self {
        Lane(x)
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // Adding 1.5·2²³ rounds to an integer and leaves it in the low bits.
        const ROUND: f32 = 12_582_912.0;
        let x = self.max(Lane(-87.0)).min(Lane(88.0));
        let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
        let n = shifted.0 - ROUND;
        let r = Lane::<FMA>(n).mul_add(-0.693_359_4, x.0);
        let r = Lane::<FMA>(n).mul_add(2.121_944_4e-4, r.0);
        let p = r.polynomial(&[1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
        let e = p.mul_add(r.0 * r.0, r.0 + 1.0);
        let scale = f32::from_bits((shifted.0.to_bits() << 23).wrapping_add(0x3f80_0000));
        Lane(e.0 * scale)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let bits = self.max(Lane(f32::MIN_POSITIVE)).0.to_bits() as i32;
        // The exponent that leaves a mantissa in [√½, √2).
        let e = (bits - 0x3f35_04f3) >> 23;
        let m = f32::from_bits((bits - (e << 23)) as u32);
        let (e, x) = (Lane::<FMA>(e as f32), Lane::<FMA>(m - 1.0));
        let p = x.polynomial(&[
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ]);
        let z = x.0 * x.0;
        let y = e.mul_add(-2.121_944_4e-4, p.0 * x.0 * z);
        let y = Lane::<FMA>(z).mul_add(-0.5, y.0);
        e.mul_add(0.693_359_4, x.0 + y.0)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Lane(self.0.sqrt())
    }

    #[inline(always)]
    fn powf(self, exponent: f32) -> Self {
        let at_zero = if exponent > 0.0 {
            0.0
        } else if exponent == 0.0 {
            1.0
        } else {
            f32::INFINITY
        };
        self.select_positive((self.ln() * Lane(exponent)).exp(), Lane(at_zero))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Lane(self.0.abs())
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Lane(if self.0 < other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Lane(if self.0 > other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn select_positive(self, yes: Self, no: Self) -> Self {
        Lane(if self.0 > 0.0 { yes.0 } else { no.0 })
    }
}

/// A number with its derivative.
///
/// # Numerics
/// Where a function has no finite derivative (√, ln and powers at 0, |x| at 0) the derivative is 0.
///
/// ```
/// use lipex_core::{Dual, Real};
///
/// // d/dx x·ln x = ln x + 1.
/// let x = Dual { value: 2.0, slope: 1.0 };
/// let y = x * x.ln();
/// assert!((y.slope - (2f64.ln() + 1.0)).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<R> {
    /// The value.
    pub value: R,
    /// The derivative.
    pub slope: R,
}

impl<R: Real> Dual<R> {
    #[inline(always)]
    fn chain(self, value: R, derivative: R) -> Self {
        Dual { value, slope: derivative * self.slope }
    }

    #[inline(always)]
    fn choose(condition: R, yes: Self, no: Self) -> Self {
        Dual {
            value: condition.select_positive(yes.value, no.value),
            slope: condition.select_positive(yes.slope, no.slope),
        }
    }
}

impl<R: Real> Add for Dual<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Dual { value: self.value + other.value, slope: self.slope + other.slope }
    }
}

impl<R: Real> Sub for Dual<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Dual { value: self.value - other.value, slope: self.slope - other.slope }
    }
}

impl<R: Real> Mul for Dual<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Dual { value: self.value * other.value, slope: self.value * other.slope + self.slope * other.value }
    }
}

impl<R: Real> Div for Dual<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let quotient = self.value / other.value;
        Dual { value: quotient, slope: (self.slope - quotient * other.slope) / other.value }
    }
}

impl<R: Real> Neg for Dual<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { value: -self.value, slope: -self.slope }
    }
}

impl<R: Real> Real for Dual<R> {
    #[inline(always)]
    fn constant(x: f32) -> Self {
        Dual { value: R::constant(x), slope: R::constant(0.0) }
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        let derivative = self.value.select_positive(R::constant(1.0) / self.value, R::constant(0.0));
        self.chain(self.value.ln(), derivative)
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        let s = self.value.sqrt();
        let derivative = s.select_positive(R::constant(0.5) / s, R::constant(0.0));
        self.chain(s, derivative)
    }

    #[inline(always)]
    fn powf(self, exponent: f32) -> Self {
        let power = self.value.powf(exponent);
        let derivative = self.value.select_positive(R::constant(exponent) * power / self.value, R::constant(0.0));
        self.chain(power, derivative)
    }

    #[inline(always)]
    fn abs(self) -> Self {
        let (one, zero) = (R::constant(1.0), R::constant(0.0));
        let sign = self.value.select_positive(one, (-self.value).select_positive(-one, zero));
        self.chain(self.value.abs(), sign)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Self::choose(other.value - self.value, self, other)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self::choose(self.value - other.value, self, other)
    }

    #[inline(always)]
    fn select_positive(self, yes: Self, no: Self) -> Self {
        Self::choose(self.value, yes, no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(a: f32, b: f32) -> u32 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn lane_exp_and_ln_are_within_their_bounds() {
        fn check<const FMA: bool>() {
            let (mut worst_exp, mut worst_ln) = (0, 0);
            for i in 0..200_000 {
                let x = -86.9 + 174.0 * (i as f32 / 200_000.0);
                worst_exp = worst_exp.max(ulps(Lane::<FMA>(x).exp().0, f64::from(x).exp() as f32));
                let y = f32::from_bits(0x0080_0000 + i * 10_650);
                worst_ln = worst_ln.max(ulps(Lane::<FMA>(y).ln().0, f64::from(y).ln() as f32));
            }
            assert!(worst_exp <= 2, "exp {worst_exp}");
            assert!(worst_ln <= 3, "ln {worst_ln}");
        }
        check::<false>();
        check::<true>();
        assert!(Lane::<false>(-1000.0).exp().0 > 0.0);
        assert!(Lane::<false>(0.0).ln().0.is_finite());
    }

    #[test]
    fn lane_ln_keeps_relative_accuracy_near_one() {
        for i in -1000i32..1000 {
            let x = 1.0 + i as f32 * 1e-5;
            let exact = f64::from(x).ln();
            assert!((f64::from(Lane::<true>(x).ln().0) - exact).abs() <= 3e-7 * exact.abs().max(1e-30));
        }
    }

    #[test]
    fn dual_derivatives_equal_differences() {
        fn f<R: Real>(x: R) -> R {
            let one = R::constant(1.0);
            (x * x + one).ln() / x.exp() - x.sqrt() * x.powf(1.7) + (x - R::constant(2.0)).abs().max(one).min(x)
        }
        for x in [0.1, 0.7, 1.3, 4.0] {
            let h = 1e-6;
            let difference = (f(x + h) - f(x - h)) / (2.0 * h);
            let dual = f(Dual { value: x, slope: 1.0 });
            assert!((dual.slope - difference).abs() < 1e-8, "at {x}: {} {difference}", dual.slope);
            assert_eq!(dual.value, f(x));
        }
    }

    #[test]
    fn derivatives_are_zero_where_there_are_none() {
        let zero = Dual { value: 0.0, slope: 1.0 };
        assert_eq!(zero.sqrt(), Dual { value: 0.0, slope: 0.0 });
        assert_eq!(zero.powf(0.3), Dual { value: 0.0, slope: 0.0 });
        assert_eq!(zero.abs(), Dual { value: 0.0, slope: 0.0 });
        assert_eq!(zero.ln().slope, 0.0);
    }

    #[test]
    fn lane_powers() {
        assert_eq!(Lane::<false>(0.0).powf(0.5).0, 0.0);
        assert_eq!(Lane::<false>(0.0).powf(0.0).0, 1.0);
        assert_eq!(Lane::<false>(0.0).powf(-1.0).0, f32::INFINITY);
        assert!((Lane::<false>(2.0).powf(3.0).0 - 8.0).abs() < 1e-5);
    }
}
