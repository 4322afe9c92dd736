//! Comparisons and choices.

use super::opcode::{Computation, Opcode, one, three, two};
use super::registers::{Lane, lanes, operation};
use super::rounding::from_half;
use crate::ptx::Type::{self, *};

/// `selp`, `slct`, `testp`, and `setp` without its combining operator.
pub fn find(op: &Opcode<'_>) -> Option<Computation> {
    match (op.base, op.mods.as_slice(), op.types.as_slice()) {
        ("setp", [comparison], &[ty]) => two(comparison_of(comparison, ty)?, Pred, ty, ty),
        ("selp", [], &[ty]) => three(selection(ty)?, ty, ty, ty, Pred),
        ("slct", [], &[ty, by]) => conditional(ty, by),
        ("testp", [what], &[ty]) => one(property(what, ty)?, Pred, ty),
        _ => None,
    }
}

macro_rules! test {
    (|$a:ident: $A:ty, $b:ident| $f:expr) => {
        operation!(|w, o, m| w.test2(o, m, |$a: $A, $b: $A| $f))
    };
}

fn comparison_of(name: &str, ty: Type) -> Option<super::registers::Alu> {
    match ty {
        F32 => floats(name),
        F64 => doubles(name),
        F16 => halves(name),
        _ => integers(name, ty),
    }
}

macro_rules! integer_table {
    ($name:expr, $A:ty, $as:expr) => {{
        let _ = $as;
        match $name {
            "eq" => test!(|a: $A, b| a == b),
            "ne" => test!(|a: $A, b| a != b),
            "lt" | "lo" => test!(|a: $A, b| $as(a) < $as(b)),
            "le" | "ls" => test!(|a: $A, b| $as(a) <= $as(b)),
            "gt" | "hi" => test!(|a: $A, b| $as(a) > $as(b)),
            "ge" | "hs" => test!(|a: $A, b| $as(a) >= $as(b)),
            _ => return None,
        }
    }};
}

fn integers(name: &str, ty: Type) -> Option<super::registers::Alu> {
    let unsigned_name = matches!(name, "lo" | "ls" | "hi" | "hs");
    let equality = matches!(name, "eq" | "ne");
    Some(match ty {
        B16 | B32 if equality => integer_table!(name, u32, |x: u32| x),
        B64 if equality => integer_table!(name, u64, |x: u64| x),
        U16 | U32 => integer_table!(name, u32, |x: u32| x),
        U64 => integer_table!(name, u64, |x: u64| x),
        S16 if !unsigned_name => integer_table!(name, u32, |x: u32| x as u16 as i16),
        S32 if !unsigned_name => integer_table!(name, u32, |x: u32| x as i32),
        S64 if !unsigned_name => integer_table!(name, u64, |x: u64| x as i64),
        _ => return None,
    })
}

/// The ordered comparisons are false where either side is NaN, the unordered ones (…u) true.
macro_rules! float_table {
    ($name:expr, $A:ty, $as:expr) => {
        match $name {
            "eq" => test!(|a: $A, b| $as(a) == $as(b)),
            "ne" => test!(|a: $A, b| $as(a) < $as(b) || $as(a) > $as(b)),
            "lt" => test!(|a: $A, b| $as(a) < $as(b)),
            "le" => test!(|a: $A, b| $as(a) <= $as(b)),
            "gt" => test!(|a: $A, b| $as(a) > $as(b)),
            "ge" => test!(|a: $A, b| $as(a) >= $as(b)),
            "equ" => test!(|a: $A, b| !($as(a) < $as(b) || $as(a) > $as(b))),
            "neu" => test!(|a: $A, b| $as(a) != $as(b)),
            "ltu" => test!(|a: $A, b| !($as(a) >= $as(b))),
            "leu" => test!(|a: $A, b| !($as(a) > $as(b))),
            "gtu" => test!(|a: $A, b| !($as(a) <= $as(b))),
            "geu" => test!(|a: $A, b| !($as(a) < $as(b))),
            "num" => test!(|a: $A, b| !$as(a).is_nan() && !$as(b).is_nan()),
            "nan" => test!(|a: $A, b| $as(a).is_nan() || $as(b).is_nan()),
            _ => return None,
        }
    };
}

#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "a comparison with NaN is false, and its negation is meant")]
fn floats(name: &str) -> Option<super::registers::Alu> {
    Some(float_table!(name, u32, f32::from_bits))
}

#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "a comparison with NaN is false, and its negation is meant")]
fn doubles(name: &str) -> Option<super::registers::Alu> {
    Some(float_table!(name, u64, f64::from_bits))
}

#[allow(clippy::neg_cmp_op_on_partial_ord, reason = "a comparison with NaN is false, and its negation is meant")]
fn halves(name: &str) -> Option<super::registers::Alu> {
    Some(float_table!(name, u32, from_half))
}

fn selection(ty: Type) -> Option<super::registers::Alu> {
    Some(match ty.bits() {
        16 | 32 if ty != F16x2 => operation!(|w, o, m| choose_lanes::<u32>(w, o, m)),
        64 => operation!(|w, o, m| choose_lanes::<u64>(w, o, m)),
        _ => return None,
    })
}

#[inline(always)]
fn choose_lanes<T: Lane>(w: &mut super::registers::Registers, o: &super::registers::Operands, m: u32) {
    let truth = w.truth[o.c as usize];
    let (a, b) = (T::column(w, o.a), T::column(w, o.b));
    let mut out = [T::default(); 32];
    for lane in 0..32 {
        out[lane] = if truth >> lane & 1 == 1 { a[lane] } else { b[lane] };
    }
    w.store(o.d, &out, m);
}

/// `slct`: a where c ≥ 0, else b (a NaN counts as below).
fn conditional(ty: Type, by: Type) -> Option<Computation> {
    let run = match (ty.bits(), by) {
        (16 | 32, S32) => lanes!(|a: u32, b: u32, c: u32| -> u32 { if c as i32 >= 0 { a } else { b } }),
        (64, S32) => lanes!(|a: u64, b: u64, c: u32| -> u64 { if c as i32 >= 0 { a } else { b } }),
        (16 | 32, F32) => lanes!(|a: u32, b: u32, c: u32| -> u32 { if f32::from_bits(c) >= 0.0 { a } else { b } }),
        (64, F32) => lanes!(|a: u64, b: u64, c: u32| -> u64 { if f32::from_bits(c) >= 0.0 { a } else { b } }),
        _ => return None,
    };
    three(run, ty, ty, ty, by)
}

fn property(what: &str, ty: Type) -> Option<super::registers::Alu> {
    macro_rules! table {
        ($A:ty, $as:expr) => {
            match what {
                "finite" => operation!(|w, o, m| w.test1(o, m, |a: $A| $as(a).is_finite())),
                "infinite" => operation!(|w, o, m| w.test1(o, m, |a: $A| $as(a).is_infinite())),
                "number" => operation!(|w, o, m| w.test1(o, m, |a: $A| !$as(a).is_nan())),
                "notanumber" => operation!(|w, o, m| w.test1(o, m, |a: $A| $as(a).is_nan())),
                "normal" => operation!(|w, o, m| w.test1(o, m, |a: $A| $as(a).is_normal())),
                "subnormal" => operation!(|w, o, m| w.test1(o, m, |a: $A| $as(a).is_subnormal())),
                _ => return None,
            }
        };
    }
    Some(match ty {
        F32 => table!(u32, f32::from_bits),
        F64 => table!(u64, f64::from_bits),
        _ => return None,
    })
}
