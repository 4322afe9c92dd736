//! Rounding that the processor does not offer: directed modes, and half precision.
//!
//! Every value is carried as an unevaluated sum s + e of two f64 where e is what rounding s lost; its sign decides.

/// A rounding mode of PTX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To nearest, ties to even.
    Nearest,
    /// Towards zero.
    Zero,
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity.
    Up,
}

impl Mode {
    /// The mode of that modifier, of `rn rz rm rp` or their integer forms.
    pub fn named(name: &str) -> Option<Mode> {
        Some(match name {
            "rn" | "rni" => Mode::Nearest,
            "rz" | "rzi" => Mode::Zero,
            "rm" | "rmi" => Mode::Down,
            "rp" | "rpi" => Mode::Up,
            _ => return None,
        })
    }
}

/// The canonical NaN of single precision.
pub const NAN: u32 = 0x7fff_ffff;
/// The NaN that double precision results are here.
pub const NAN64: u64 = 0x7ff8_0000_0000_0000;
/// The canonical NaN of half precision.
pub const NAN16: u32 = 0x7fff;

/// Bits of `x`, with one NaN for all.
#[inline(always)]
pub fn single(x: f32) -> u32 {
    if x.is_nan() { NAN } else { x.to_bits() }
}

/// Bits of `x`, with one NaN for all.
#[inline(always)]
pub fn double(x: f64) -> u64 {
    if x.is_nan() { NAN64 } else { x.to_bits() }
}

/// a + b as a rounded sum and what rounding lost (Knuth); exact for finite a, b that do not overflow.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}

/// s + e rounded to single precision; |e| is at most half a unit in the last place of s, and 0 where ties matter, which is
/// in the nearest mode.
pub fn to_single(s: f64, e: f64, mode: Mode) -> f32 {
    if !s.is_finite() || (s == 0.0 && e == 0.0) {
        return s as f32;
    }
    if mode == Mode::Nearest {
        return s as f32;
    }
    let near = s as f32;
    let difference = s - f64::from(near);
    let error = if difference == 0.0 { e } else { difference };
    if error == 0.0 {
        return near;
    }
    let (below, above) = if error < 0.0 { (near.next_down(), near) } else { (near, near.next_up()) };
    match mode {
        Mode::Down => below,
        Mode::Up => above,
        _ if s < 0.0 => above,
        _ => below,
    }
}

/// The zero that two summands cancel to.
fn cancelled(a: f64, b: f64, mode: Mode) -> f32 {
    let negative = if a == 0.0 && b == 0.0 && a.is_sign_negative() == b.is_sign_negative() {
        a.is_sign_negative()
    } else {
        mode == Mode::Down
    };
    if negative { -0.0 } else { 0.0 }
}

/// a + b in single precision.
pub fn add(a: f32, b: f32, mode: Mode) -> f32 {
    sum(f64::from(a), f64::from(b), mode)
}

fn sum(a: f64, b: f64, mode: Mode) -> f32 {
    let (s, e) = two_sum(a, b);
    if !s.is_finite() {
        s as f32
    } else if s == 0.0 {
        cancelled(a, b, mode)
    } else {
        to_single(s, e, mode)
    }
}

/// a·b in single precision; the product is exact in double precision.
pub fn multiply(a: f32, b: f32, mode: Mode) -> f32 {
    to_single(f64::from(a) * f64::from(b), 0.0, mode)
}

/// a·b + c in single precision, rounded once.
pub fn fused(a: f32, b: f32, c: f32, mode: Mode) -> f32 {
    sum(f64::from(a) * f64::from(b), f64::from(c), mode)
}

/// a/b in single precision.
pub fn divide(a: f32, b: f32, mode: Mode) -> f32 {
    let (x, y) = (f64::from(a), f64::from(b));
    let q = x / y;
    if !q.is_finite() || q == 0.0 || y.is_infinite() {
        return q as f32;
    }
    let rest = (-q).mul_add(y, x);
    to_single(q, if rest == 0.0 { 0.0 } else { f64::MIN_POSITIVE.copysign(rest * y.signum()) }, mode)
}

/// √a in single precision.
pub fn root(a: f32, mode: Mode) -> f32 {
    let x = f64::from(a);
    let s = x.sqrt();
    if !s.is_finite() || s == 0.0 {
        return s as f32;
    }
    let rest = (-s).mul_add(s, x);
    to_single(s, if rest == 0.0 { 0.0 } else { f64::MIN_POSITIVE.copysign(rest) }, mode)
}

/// `x` rounded to a whole number.
#[inline(always)]
pub fn whole(x: f64, mode: Mode) -> f64 {
    match mode {
        Mode::Nearest => x.round_ties_even(),
        Mode::Zero => x.trunc(),
        Mode::Down => x.floor(),
        Mode::Up => x.ceil(),
    }
}

/// An integer to single precision.
pub fn integer_to_single(x: i128, mode: Mode) -> f32 {
    let near = x as f32;
    let back = near as i128;
    let (below, above) = match back.cmp(&x) {
        std::cmp::Ordering::Equal => return near,
        std::cmp::Ordering::Greater => (near.next_down(), near),
        std::cmp::Ordering::Less => (near, near.next_up()),
    };
    match mode {
        Mode::Nearest => near,
        Mode::Down => below,
        Mode::Up => above,
        Mode::Zero => {
            if x < 0 {
                above
            } else {
                below
            }
        }
    }
}

/// An integer to double precision.
pub fn integer_to_double(x: i128, mode: Mode) -> f64 {
    let near = x as f64;
    let back = near as i128;
    let (below, above) = match back.cmp(&x) {
        std::cmp::Ordering::Equal => return near,
        std::cmp::Ordering::Greater => (near.next_down(), near),
        std::cmp::Ordering::Less => (near, near.next_up()),
    };
    match mode {
        Mode::Nearest => near,
        Mode::Down => below,
        Mode::Up => above,
        Mode::Zero => {
            if x < 0 {
                above
            } else {
                below
            }
        }
    }
}

/// Half precision to single, exactly.
#[inline(always)]
pub fn from_half(x: u32) -> f32 {
    let sign = (x & 0x8000) << 16;
    let (exponent, fraction) = (x >> 10 & 31, x & 0x3ff);
    match exponent {
        0 => {
            let magnitude = fraction as f32 * f32::from_bits(0x3380_0000);
            f32::from_bits(magnitude.to_bits() | sign)
        }
        31 if fraction != 0 => f32::from_bits(NAN),
        31 => f32::from_bits(0x7f80_0000 | sign),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// `x` rounded to half precision.
pub fn to_half(x: f64, mode: Mode) -> u32 {
    if x.is_nan() {
        return NAN16;
    }
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    let magnitude = x.abs();
    if magnitude.is_infinite() {
        return sign | 0x7c00;
    }
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(-14);
    if exponent > 15 {
        return sign | overflow(mode, sign != 0);
    }
    let scaled = magnitude * f64::from_bits(((1023 + 10 - exponent) as u64) << 52);
    let rounded = match (mode, sign != 0) {
        (Mode::Nearest, _) => scaled.round_ties_even(),
        (Mode::Zero, _) | (Mode::Down, false) | (Mode::Up, true) => scaled.floor(),
        _ => scaled.ceil(),
    };
    let bits = (((exponent + 15) << 10) + rounded as i32 - 1024) as u32;
    sign | if bits >= 0x7c00 { overflow(mode, sign != 0) } else { bits }
}

fn overflow(mode: Mode, negative: bool) -> u32 {
    match (mode, negative) {
        (Mode::Nearest, _) | (Mode::Up, false) | (Mode::Down, true) => 0x7c00,
        _ => 0x7bff,
    }
}

/// a·b + c in half precision, rounded once.
///
/// The sum in double precision may be rounded itself, but never to a tie of half precision that it is not: a product has 22
/// bits, so beside a tie of c its last bit lies well within the 53.
pub fn fused_half(a: u32, b: u32, c: u32) -> u32 {
    let product = f64::from(from_half(a)) * f64::from(from_half(b));
    to_half(product + f64::from(from_half(c)), Mode::Nearest)
}
