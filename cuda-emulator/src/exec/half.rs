//! Half precision, single values and pairs. Results are exact ones rounded once.

use super::opcode::{Computation, Opcode, one, three, two};
use super::registers::lanes;
use super::rounding::{Mode, NAN16, from_half, fused_half, to_half};
use crate::ptx::Type::*;

fn value(x: u32) -> f64 {
    f64::from(from_half(x & 0xffff))
}

fn nearest(x: f64) -> u32 {
    to_half(x, Mode::Nearest)
}

fn add(a: u32, b: u32) -> u32 {
    nearest(value(a) + value(b))
}

fn subtract(a: u32, b: u32) -> u32 {
    nearest(value(a) - value(b))
}

fn multiply(a: u32, b: u32) -> u32 {
    nearest(value(a) * value(b))
}

fn least(a: u32, b: u32) -> u32 {
    pick(a, b, |x, y| x < y, |a, b| a | b)
}

fn greatest(a: u32, b: u32) -> u32 {
    pick(a, b, |x, y| x > y, |a, b| a & b)
}

fn pick(a: u32, b: u32, first: impl Fn(f64, f64) -> bool, zeros: impl Fn(u32, u32) -> u32) -> u32 {
    let (x, y) = (value(a), value(b));
    match (x.is_nan(), y.is_nan()) {
        (true, true) => NAN16,
        (true, false) => b,
        (false, true) => a,
        _ if x == y => zeros(a, b),
        _ if first(x, y) => a,
        _ => b,
    }
}

fn pairs(a: u32, b: u32, f: impl Fn(u32, u32) -> u32) -> u32 {
    f(a & 0xffff, b & 0xffff) | f(a >> 16, b >> 16) << 16
}

/// `cvt.rn.f16x2.f32`: two singles to a pair, the first to the upper half.
pub fn pack(op: &Opcode<'_>) -> Option<Computation> {
    let run = match (op.base, op.mods.as_slice()) {
        ("cvt", ["rn"]) => lanes!(|a: u32, b: u32| -> u32 {
            let half = |x: u32, mode| to_half(f64::from(f32::from_bits(x)), mode);
            half(a, Mode::Nearest) << 16 | half(b, Mode::Nearest)
        }),
        ("cvt", ["rz"]) => lanes!(|a: u32, b: u32| -> u32 {
            let half = |x: u32, mode| to_half(f64::from(f32::from_bits(x)), mode);
            half(a, Mode::Zero) << 16 | half(b, Mode::Zero)
        }),
        _ => return None,
    };
    if op.types != [F16x2, F32] {
        return None;
    }
    two(run, F16x2, F32, F32)
}

/// The half precision instruction of that name.
pub fn find(op: &Opcode<'_>) -> Option<Computation> {
    let mut op = op.clone();
    let &[ty] = op.types.as_slice() else { return None };
    let rounded = op.take("rn");
    if !op.mods.is_empty() || !matches!(ty, F16 | F16x2) {
        return None;
    }
    let pair = ty == F16x2;
    let run = match op.base {
        "add" if pair => lanes!(|a: u32, b: u32| -> u32 { pairs(a, b, add) }),
        "add" => lanes!(|a: u32, b: u32| -> u32 { add(a, b) }),
        "sub" if pair => lanes!(|a: u32, b: u32| -> u32 { pairs(a, b, subtract) }),
        "sub" => lanes!(|a: u32, b: u32| -> u32 { subtract(a, b) }),
        "mul" if pair => lanes!(|a: u32, b: u32| -> u32 { pairs(a, b, multiply) }),
        "mul" => lanes!(|a: u32, b: u32| -> u32 { multiply(a, b) }),
        "fma" if rounded && pair => {
            let run = lanes!(|a: u32, b: u32, c: u32| -> u32 {
                fused_half(a & 0xffff, b & 0xffff, c & 0xffff) | fused_half(a >> 16, b >> 16, c >> 16) << 16
            });
            return three(run, ty, ty, ty, ty);
        }
        "fma" if rounded => {
            return three(lanes!(|a: u32, b: u32, c: u32| -> u32 { fused_half(a, b, c) }), ty, ty, ty, ty);
        }
        _ if rounded => return None,
        "min" if pair => lanes!(|a: u32, b: u32| -> u32 { pairs(a, b, least) }),
        "min" => lanes!(|a: u32, b: u32| -> u32 { least(a, b) }),
        "max" if pair => lanes!(|a: u32, b: u32| -> u32 { pairs(a, b, greatest) }),
        "max" => lanes!(|a: u32, b: u32| -> u32 { greatest(a, b) }),
        "neg" if pair => return one(lanes!(|a: u32| -> u32 { a ^ 0x8000_8000 }), ty, ty),
        "neg" => return one(lanes!(|a: u32| -> u32 { a ^ 0x8000 }), ty, ty),
        "abs" if pair => return one(lanes!(|a: u32| -> u32 { a & 0x7fff_7fff }), ty, ty),
        "abs" => return one(lanes!(|a: u32| -> u32 { a & 0x7fff }), ty, ty),
        _ => return None,
    };
    two(run, ty, ty, ty)
}
