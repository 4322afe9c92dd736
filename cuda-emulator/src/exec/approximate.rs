//! Approximate instructions: computed in double precision and rounded, or, under a flag, moved within their documented error.
//!
//! A device's own result lies anywhere within the bound, so code that passes only with the rounded result depends on luck.
//! With `CUDA_EMULATOR_PERTURB=1` each result is moved by a share of the bound that is a hash of instruction and input: the
//! same input gives the same output, as on a device, but neighbouring inputs are moved differently.

use super::opcode::{Computation, Opcode, one, two};
use super::registers::lanes;
use super::rounding::single;
use crate::ptx::Type::*;

fn v(bits: u32) -> f64 {
    f64::from(f32::from_bits(bits))
}

/// A share in (−1, 1) that depends on the input's bits.
fn share(bits: u32, salt: u32) -> f64 {
    let mut h = bits ^ salt.wrapping_mul(0x9E37_79B9);
    h = (h ^ h >> 16).wrapping_mul(0x85EB_CA6B);
    h = (h ^ h >> 13).wrapping_mul(0xC2B2_AE35);
    f64::from((h ^ h >> 16) as i32) / 2_147_483_648.0
}

/// `exact` moved by at most `bound` relatively; the share leaves room for the final rounding of 2⁻²⁴.
fn relative(exact: f64, bits: u32, salt: u32, bound: f64) -> u32 {
    single((exact * (1.0 + share(bits, salt) * (bound - 2f64.powi(-24)).max(0.0))) as f32)
}

/// `exact` moved by at most `bound` absolutely, as far as rounding leaves room.
fn absolute(exact: f64, bits: u32, salt: u32, bound: f64) -> u32 {
    let rounding = exact.abs() * 2f64.powi(-24);
    single((exact + share(bits, salt) * (bound - rounding).max(0.0)) as f32)
}

/// Documented bounds (PTX ISA 8.0): relative unless said otherwise.
mod bound {
    /// `ex2.approx`: 2⁻²².
    pub const EX2: f64 = 2.384_185_791_015_625e-7;
    /// `lg2.approx`: 2⁻²² absolute where the argument lies in (0.5, 2), relative elsewhere.
    pub const LG2: f64 = 2.384_185_791_015_625e-7;
    /// `rsqrt.approx`: 2^−22.9.
    pub const RSQRT: f64 = 1.277_692_8e-7;
    /// `sqrt.approx`: 2⁻²³.
    pub const SQRT: f64 = 1.192_092_895_507_812_5e-7;
    /// `rcp.approx`: 1 unit in the last place, at least 2⁻²⁴ relatively: 2⁻²⁴ holds for every significand.
    pub const RCP: f64 = 1.192_092_895_507_812_5e-7;
    /// `div.approx`, `div.full`: 2 units in the last place.
    pub const DIV: f64 = 1.192_092_895_507_812_5e-7;
    /// `sin.approx`, `cos.approx` in [−π, π]: 2^−20.9 absolute.
    pub const SIN: f64 = 5.11e-7;
    /// `tanh.approx`: 2⁻¹¹.
    pub const TANH: f64 = 4.882_812_5e-4;
}

fn log2(x: f64) -> f64 {
    // ln_1p keeps log2 exact enough where the argument is near 1.
    if (0.5..2.0).contains(&x) { (x - 1.0).ln_1p() * std::f64::consts::LOG2_E } else { x.log2() }
}

fn moved_log2(a: u32) -> u32 {
    let exact = log2(v(a));
    if v(a) > 0.5 && v(a) < 2.0 { absolute(exact, a, 2, bound::LG2) } else { relative(exact, a, 2, bound::LG2) }
}

fn quotient(a: u32, b: u32) -> f64 {
    // For divisors between 2^126 and 2^128 div.approx gives zero, or NaN for an infinite dividend.
    let (x, y) = (v(a), v(b));
    if y.abs() > 2f64.powi(126) && y.is_finite() { x * 0.0 * y.signum() } else { x / y }
}

macro_rules! unary {
    ($perturb:expr, $exact:expr, $moved:expr) => {{
        let run = if $perturb {
            lanes!(|a: u32| -> u32 { $moved(a) })
        } else {
            lanes!(|a: u32| -> u32 { single($exact(v(a)) as f32) })
        };
        one(run, F32, F32)
    }};
}

/// The approximate instruction of that name; `perturb` moves its results.
pub fn find(op: &Opcode<'_>, perturb: bool) -> Option<Computation> {
    if op.types == [F64] {
        return find_double(op);
    }
    if op.types != [F32] {
        return None;
    }
    match (op.base, op.mods.as_slice()) {
        ("ex2", ["approx"]) => unary!(perturb, f64::exp2, |a| relative(v(a).exp2(), a, 1, bound::EX2)),
        ("lg2", ["approx"]) => unary!(perturb, log2, moved_log2),
        ("rsqrt", ["approx"]) => {
            unary!(perturb, |x: f64| 1.0 / x.sqrt(), |a| relative(1.0 / v(a).sqrt(), a, 3, bound::RSQRT))
        }
        ("sqrt", ["approx"]) => unary!(perturb, f64::sqrt, |a| relative(v(a).sqrt(), a, 4, bound::SQRT)),
        ("rcp", ["approx"]) => unary!(perturb, f64::recip, |a| relative(1.0 / v(a), a, 5, bound::RCP)),
        ("sin", ["approx"]) => unary!(perturb, f64::sin, |a| absolute(v(a).sin(), a, 6, bound::SIN)),
        ("cos", ["approx"]) => unary!(perturb, f64::cos, |a| absolute(v(a).cos(), a, 7, bound::SIN)),
        ("tanh", ["approx"]) => unary!(perturb, f64::tanh, |a| relative(v(a).tanh(), a, 8, bound::TANH)),
        ("div", ["approx"]) => {
            let run = if perturb {
                lanes!(|a: u32, b: u32| -> u32 { relative(quotient(a, b), a ^ b.rotate_left(13), 9, 2.0 * bound::DIV) })
            } else {
                lanes!(|a: u32, b: u32| -> u32 { single(quotient(a, b) as f32) })
            };
            two(run, F32, F32, F32)
        }
        ("div", ["full"]) => {
            let run = if perturb {
                lanes!(|a: u32, b: u32| -> u32 { relative(v(a) / v(b), a ^ b.rotate_left(13), 9, 2.0 * bound::DIV) })
            } else {
                lanes!(|a: u32, b: u32| -> u32 { single((v(a) / v(b)) as f32) })
            };
            two(run, F32, F32, F32)
        }
        _ => None,
    }
}

/// The gross approximations of double precision: the exact result's upper 32 bits, subnormal numbers taken for zeros.
fn find_double(op: &Opcode<'_>) -> Option<Computation> {
    fn upper(x: f64) -> u64 {
        let x = if x.is_subnormal() { 0.0f64.copysign(x) } else { x };
        super::rounding::double(x) & !0xffff_ffff
    }
    fn flushed(bits: u64) -> f64 {
        let x = f64::from_bits(bits);
        if x.is_subnormal() { 0.0f64.copysign(x) } else { x }
    }
    match (op.base, op.mods.as_slice()) {
        ("rcp", ["approx", "ftz"]) => one(lanes!(|a: u64| -> u64 { upper(1.0 / flushed(a)) }), F64, F64),
        ("rsqrt", ["approx"]) => {
            one(lanes!(|a: u64| -> u64 { super::rounding::double(1.0 / f64::from_bits(a).sqrt()) }), F64, F64)
        }
        ("rsqrt", ["approx", "ftz"]) => one(lanes!(|a: u64| -> u64 { upper(1.0 / flushed(a).sqrt()) }), F64, F64),
        _ => None,
    }
}
