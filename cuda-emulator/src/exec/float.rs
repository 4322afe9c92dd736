//! Floating-point arithmetic in single and double precision, where PTX says exactly what the result is.
//!
//! A NaN result is the canonical one. `.ftz` and `.sat` are taken off before and done by operations of their own.

use super::opcode::{Computation, Opcode, one, three, two};
use super::registers::lanes;
use super::rounding::{self, Mode, NAN, double, single};
use crate::ptx::Type::{self, *};

/// The exactly rounded floating-point instruction of that name.
pub fn find(op: &Opcode<'_>) -> Option<Computation> {
    let &[ty] = op.types.as_slice() else { return None };
    match ty {
        F32 => find_single(op),
        F64 => find_double(op),
        _ => None,
    }
}

fn s(bits: u32) -> f32 {
    f32::from_bits(bits)
}

fn d(bits: u64) -> f64 {
    f64::from_bits(bits)
}

/// The rounding mode, nearest if none is given; `None` if there is any other modifier.
fn mode(op: &Opcode<'_>) -> Option<Mode> {
    match op.mods.as_slice() {
        [] => Some(Mode::Nearest),
        [name @ ("rn" | "rz" | "rm" | "rp")] => Mode::named(name),
        _ => None,
    }
}

/// A directed operation for each of three modes, since the mode must be known when the loop is compiled.
macro_rules! directed {
    ($mode:expr, |$($x:ident),+| $f:path) => {
        match $mode {
            Mode::Zero => lanes!(|$($x: u32),+| -> u32 { single($f($(s($x)),+, Mode::Zero)) }),
            Mode::Down => lanes!(|$($x: u32),+| -> u32 { single($f($(s($x)),+, Mode::Down)) }),
            _ => lanes!(|$($x: u32),+| -> u32 { single($f($(s($x)),+, Mode::Up)) }),
        }
    };
}

fn subtract(a: f32, b: f32, mode: Mode) -> f32 {
    rounding::add(a, -b, mode)
}

fn reciprocal(a: f32, mode: Mode) -> f32 {
    rounding::divide(1.0, a, mode)
}

fn find_single(op: &Opcode<'_>) -> Option<Computation> {
    if let Some(found) = sign_and_order(op, F32) {
        return Some(found);
    }
    let explicit = !op.mods.is_empty();
    let mode = mode(op)?;
    let near = mode == Mode::Nearest;
    match op.base {
        "add" if near => two(lanes!(|a: u32, b: u32| -> u32 { single(s(a) + s(b)) }), F32, F32, F32),
        "sub" if near => two(lanes!(|a: u32, b: u32| -> u32 { single(s(a) - s(b)) }), F32, F32, F32),
        "mul" if near => two(lanes!(|a: u32, b: u32| -> u32 { single(s(a) * s(b)) }), F32, F32, F32),
        "add" => two(directed!(mode, |a, b| rounding::add), F32, F32, F32),
        "sub" => two(directed!(mode, |a, b| subtract), F32, F32, F32),
        "mul" => two(directed!(mode, |a, b| rounding::multiply), F32, F32, F32),
        _ if !explicit => None,
        "fma" | "mad" if near => {
            let run = lanes!(|a: u32, b: u32, c: u32| -> u32 { single(s(a).mul_add(s(b), s(c))) });
            three(run, F32, F32, F32, F32)
        }
        "fma" | "mad" => three(directed!(mode, |a, b, c| rounding::fused), F32, F32, F32, F32),
        "div" if near => two(lanes!(|a: u32, b: u32| -> u32 { single(s(a) / s(b)) }), F32, F32, F32),
        "div" => two(directed!(mode, |a, b| rounding::divide), F32, F32, F32),
        "rcp" if near => one(lanes!(|a: u32| -> u32 { single(1.0 / s(a)) }), F32, F32),
        "rcp" => one(directed!(mode, |a| reciprocal), F32, F32),
        "sqrt" if near => one(lanes!(|a: u32| -> u32 { single(s(a).sqrt()) }), F32, F32),
        "sqrt" => one(directed!(mode, |a| rounding::root), F32, F32),
        _ => None,
    }
}

fn find_double(op: &Opcode<'_>) -> Option<Computation> {
    if let Some(found) = sign_and_order(op, F64) {
        return Some(found);
    }
    let explicit = !op.mods.is_empty();
    if mode(op)? != Mode::Nearest {
        return None;
    }
    match op.base {
        "add" => two(lanes!(|a: u64, b: u64| -> u64 { double(d(a) + d(b)) }), F64, F64, F64),
        "sub" => two(lanes!(|a: u64, b: u64| -> u64 { double(d(a) - d(b)) }), F64, F64, F64),
        "mul" => two(lanes!(|a: u64, b: u64| -> u64 { double(d(a) * d(b)) }), F64, F64, F64),
        _ if !explicit => None,
        "fma" | "mad" => {
            let run = lanes!(|a: u64, b: u64, c: u64| -> u64 { double(d(a).mul_add(d(b), d(c))) });
            three(run, F64, F64, F64, F64)
        }
        "div" => two(lanes!(|a: u64, b: u64| -> u64 { double(d(a) / d(b)) }), F64, F64, F64),
        "rcp" => one(lanes!(|a: u64| -> u64 { double(1.0 / d(a)) }), F64, F64),
        "sqrt" => one(lanes!(|a: u64| -> u64 { double(d(a).sqrt()) }), F64, F64),
        _ => None,
    }
}

/// The smaller: a NaN gives way to a number, and −0 is below +0.
fn least(a: u32, b: u32) -> u32 {
    let (x, y) = (s(a), s(b));
    if x.is_nan() {
        return single(y);
    }
    if y.is_nan() {
        return a;
    }
    if x == y { a | b } else { (if x < y { x } else { y }).to_bits() }
}

fn greatest(a: u32, b: u32) -> u32 {
    let (x, y) = (s(a), s(b));
    if x.is_nan() {
        return single(y);
    }
    if y.is_nan() {
        return a;
    }
    if x == y { a & b } else { (if x > y { x } else { y }).to_bits() }
}

fn least_double(a: u64, b: u64) -> u64 {
    let (x, y) = (d(a), d(b));
    if x.is_nan() {
        return double(y);
    }
    if y.is_nan() {
        return a;
    }
    if x == y { a | b } else { (if x < y { x } else { y }).to_bits() }
}

fn greatest_double(a: u64, b: u64) -> u64 {
    let (x, y) = (d(a), d(b));
    if x.is_nan() {
        return double(y);
    }
    if y.is_nan() {
        return a;
    }
    if x == y { a & b } else { (if x > y { x } else { y }).to_bits() }
}

fn sign_and_order(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    let f32s = ty == F32;
    match (op.base, op.mods.as_slice()) {
        ("neg", []) if f32s => one(lanes!(|a: u32| -> u32 { a ^ 1 << 31 }), ty, ty),
        ("neg", []) => one(lanes!(|a: u64| -> u64 { a ^ 1 << 63 }), ty, ty),
        ("abs", []) if f32s => one(lanes!(|a: u32| -> u32 { a & !(1 << 31) }), ty, ty),
        ("abs", []) => one(lanes!(|a: u64| -> u64 { a & !(1 << 63) }), ty, ty),
        ("copysign", []) if f32s => {
            two(lanes!(|a: u32, b: u32| -> u32 { (a & 1 << 31) | (b & !(1 << 31)) }), ty, ty, ty)
        }
        ("copysign", []) => two(lanes!(|a: u64, b: u64| -> u64 { (a & 1 << 63) | (b & !(1 << 63)) }), ty, ty, ty),
        ("min", []) if f32s => two(lanes!(|a: u32, b: u32| -> u32 { least(a, b) }), ty, ty, ty),
        ("min", []) => two(lanes!(|a: u64, b: u64| -> u64 { least_double(a, b) }), ty, ty, ty),
        ("max", []) if f32s => two(lanes!(|a: u32, b: u32| -> u32 { greatest(a, b) }), ty, ty, ty),
        ("max", []) => two(lanes!(|a: u64, b: u64| -> u64 { greatest_double(a, b) }), ty, ty, ty),
        ("min", ["NaN"]) if f32s => two(
            lanes!(|a: u32, b: u32| -> u32 { if s(a).is_nan() || s(b).is_nan() { NAN } else { least(a, b) } }),
            ty,
            ty,
            ty,
        ),
        ("max", ["NaN"]) if f32s => two(
            lanes!(|a: u32, b: u32| -> u32 { if s(a).is_nan() || s(b).is_nan() { NAN } else { greatest(a, b) } }),
            ty,
            ty,
            ty,
        ),
        _ => None,
    }
}

/// Replaces a subnormal number by a zero of its sign: what `.ftz` does to inputs and results.
pub fn flush() -> Computation {
    let run = lanes!(|a: u32| -> u32 { if s(a).is_subnormal() { a & 1 << 31 } else { a } });
    Computation { run, to: F32, from: [Some(F32), None, None, None] }
}

/// Limits to [0, 1], with 0 for NaN: what `.sat` does to a result.
pub fn saturate(ty: Type) -> Option<Computation> {
    match ty {
        F32 => one(lanes!(|a: u32| -> u32 { if s(a) > 0.0 { s(a).min(1.0).to_bits() } else { 0 } }), F32, F32),
        F64 => one(lanes!(|a: u64| -> u64 { if d(a) > 0.0 { d(a).min(1.0).to_bits() } else { 0 } }), F64, F64),
        _ => None,
    }
}
