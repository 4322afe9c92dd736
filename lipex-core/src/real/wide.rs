//! f64 in loops that the compiler turns into vector instructions.

use super::Real;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One f64 of a loop that the compiler turns into vector instructions; see [`Lane`](super::Lane).
///
/// ```
/// use lipex_core::{Real, Wide};
///
/// let e = Wide::<false>(1.0).exp().0;
/// assert!((e - std::f64::consts::E).abs() < 1e-14);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wide<const FMA: bool>(pub f64);

/// a·b + c, in one instruction if `FMA`.
#[inline(always)]
fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn polynomial<const FMA: bool, const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    let mut sum = coefficients[0];
    for c in &coefficients[1..] {
        sum = mul_add::<FMA>(sum, x, *c);
    }
    sum
}

/// 1/k! for k = 13 … 0.
const FACTORIALS: [f64; 14] = {
    let mut inverse = [1.0; 14];
    let (mut k, mut factorial) = (1, 1.0);
    while k < 14 {
        factorial *= k as f64;
        inverse[13 - k] = 1.0 / factorial;
        k += 1;
    }
    inverse
};
/// 2/(2k + 1) for k = 10 … 0.
const ODD: [f64; 11] = {
    let mut inverse = [0.0; 11];
    let mut k = 0;
    while k < 11 {
        inverse[10 - k] = 2.0 / (2 * k + 1) as f64;
        k += 1;
    }
    inverse
};
/// ln 2 in two parts; the first has zeros at its end, so that its product with an exponent is exact.
const LN_2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);

macro_rules! wide_operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<const FMA: bool> $trait for Wide<FMA> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Wide(self.0 $op other.0)
            }
        }
    };
}
wide_operator!(Add, add, +);
wide_operator!(Sub, sub, -);
wide_operator!(Mul, mul, *);
wide_operator!(Div, div, /);

impl<const FMA: bool> Neg for Wide<FMA> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Wide(-self.0)
    }
}

/// # Numerics
/// `exp` is within 3 ULP, its argument clamped to [−700, 700]: x = n ln 2 + r and a Taylor series in r. `ln` is within 2
/// ULP, near 1 too; anything below the smallest normal number is taken as that number: x = 2ᵉ m, and the series of
/// 2 artanh((m − 1)/(m + 1)).
impl<const FMA: bool> Real for Wide<FMA> {
    #[inline(always)]
    fn constant(x: f32) -> Self {
        Wide(f64::from(x))
    }

    #[inline(always)]
    fn exp(self) -> Self {
        // Adding 1.5·2⁵² rounds to an integer and leaves it in the low bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        let x = self.max(Wide(-700.0)).min(Wide(700.0)).0;
        let shifted = mul_add::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
        let n = shifted - ROUND;
        let r = mul_add::<FMA>(n, -LN_2.1, mul_add::<FMA>(n, -LN_2.0, x));
        let scale = f64::from_bits((shifted.to_bits() << 52).wrapping_add(0x3ff0_0000_0000_0000));
        Wide(polynomial::<FMA, 14>(r, FACTORIALS) * scale)
    }

    #[inline(always)]
    fn ln(self) -> Self {
        const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
        const ONE: u64 = 0x3ff0_0000_0000_0000;
        // As a double, 1.5·2⁵² + the low bits.
        const INTEGER: u64 = 0x4338_0000_0000_0000;
        let bits = self.max(Wide(f64::MIN_POSITIVE)).0.to_bits();
        // The exponent, plus 1023, that leaves a mantissa in [√½, √2).
        let biased = bits.wrapping_sub(SQRT_HALF).wrapping_add(ONE) >> 52;
        let e = f64::from_bits(INTEGER + biased) - (6_755_399_441_055_744.0 + 1023.0);
        let m = f64::from_bits(bits.wrapping_sub(biased << 52).wrapping_add(ONE));
        let f = (m - 1.0) / (m + 1.0);
        let series = f * polynomial::<FMA, 11>(f * f, ODD);
        Wide(mul_add::<FMA>(e, LN_2.0, mul_add::<FMA>(e, LN_2.1, series)))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Wide(self.0.sqrt())
    }

    #[inline(always)]
    fn powf(self, exponent: f32) -> Self {
        let at_zero = if exponent > 0.0 {
            0.0
        } else if exponent == 0.0 {
            1.0
        } else {
            f64::INFINITY
        };
        self.select_positive((self.ln() * Self::constant(exponent)).exp(), Wide(at_zero))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Wide(self.0.abs())
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Wide(if self.0 < other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Wide(if self.0 > other.0 { self.0 } else { other.0 })
    }

    #[inline(always)]
    fn select_positive(self, yes: Self, no: Self) -> Self {
        Wide(if self.0 > 0.0 { yes.0 } else { no.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<const FMA: bool>() {
        for i in 0..100_000 {
            let x = -699.0 + 1398.0 * f64::from(i) / 1e5;
            let (got, exact) = (Wide::<FMA>(x).exp().0, x.exp());
            assert!((got - exact).abs() <= 6e-16 * exact, "exp({x}) = {got}, not {exact}");
            assert!((Wide::<FMA>(exact).ln().0 - x).abs() <= 5e-16 * x.abs().max(0.4), "ln({exact})");
            let near = 1.0 + (f64::from(i) - 5e4) * 1e-9;
            assert!((Wide::<FMA>(near).ln().0 - near.ln()).abs() <= 5e-16 * near.ln().abs());
        }
        assert!(Wide::<FMA>(-1e30).exp().0 > 0.0 && Wide::<FMA>(-1e30).exp().0 < 1e-300);
        assert!(Wide::<FMA>(0.0).ln().0.is_finite());
    }

    #[test]
    fn exp_and_ln_are_within_their_bounds() {
        check::<true>();
        check::<false>();
    }
}
