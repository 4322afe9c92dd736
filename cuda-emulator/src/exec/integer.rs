//! Integer arithmetic.

use super::opcode::{Computation, Opcode, one, three, two};
use super::registers::{lanes, operation};
use crate::ptx::Type::{self, *};

fn sign16(x: u32) -> i32 {
    i32::from(x as u16 as i16)
}

/// The integer instruction of that name.
pub fn find(op: &Opcode<'_>) -> Option<Computation> {
    if op.base == "dp4a" {
        return dot(op);
    }
    let &[ty] = op.types.as_slice() else { return None };
    if !matches!(ty, U16 | S16 | U32 | S32 | U64 | S64 | B16 | B32 | B64) {
        return None;
    }
    match op.base {
        "add" | "sub" | "addc" | "subc" => add(op, ty),
        "mad" | "madc" if op.base == "madc" || op.mods.contains(&"cc") => multiply_carry(op, ty),
        "mul" | "mad" => multiply(op, ty),
        "div" | "rem" => divide(op, ty),
        "min" | "max" | "abs" | "neg" | "sad" => ordered(op, ty),
        _ => None,
    }
}

/// `dp4a`: c plus the sum of the products of four bytes.
fn dot(op: &Opcode<'_>) -> Option<Computation> {
    fn sum(a: u32, b: u32, c: u32, byte_a: impl Fn(u8) -> i32, byte_b: impl Fn(u8) -> i32) -> u32 {
        let products = a.to_le_bytes().into_iter().zip(b.to_le_bytes()).map(|(x, y)| byte_a(x) * byte_b(y));
        products.fold(c, |s, p| s.wrapping_add(p as u32))
    }
    fn unsigned(x: u8) -> i32 {
        i32::from(x)
    }
    fn signed(x: u8) -> i32 {
        i32::from(x as i8)
    }
    if !op.mods.is_empty() {
        return None;
    }
    let run = match op.types.as_slice() {
        [U32, U32] => lanes!(|a: u32, b: u32, c: u32| -> u32 { sum(a, b, c, unsigned, unsigned) }),
        [S32, S32] => lanes!(|a: u32, b: u32, c: u32| -> u32 { sum(a, b, c, signed, signed) }),
        [U32, S32] => lanes!(|a: u32, b: u32, c: u32| -> u32 { sum(a, b, c, unsigned, signed) }),
        [S32, U32] => lanes!(|a: u32, b: u32, c: u32| -> u32 { sum(a, b, c, signed, unsigned) }),
        _ => return None,
    };
    three(run, S32, B32, B32, B32)
}

fn add(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    let run = match (op.base, op.mods.as_slice(), ty) {
        ("add", [], U16 | S16) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_add(b) & 0xffff }),
        ("add", [], U32 | S32) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_add(b) }),
        ("add", [], U64 | S64) => lanes!(|a: u64, b: u64| -> u64 { a.wrapping_add(b) }),
        ("add", ["sat"], S32) => lanes!(|a: u32, b: u32| -> u32 { (a as i32).saturating_add(b as i32) as u32 }),
        ("sub", [], U16 | S16) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_sub(b) & 0xffff }),
        ("sub", [], U32 | S32) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_sub(b) }),
        ("sub", [], U64 | S64) => lanes!(|a: u64, b: u64| -> u64 { a.wrapping_sub(b) }),
        ("sub", ["sat"], S32) => lanes!(|a: u32, b: u32| -> u32 { (a as i32).saturating_sub(b as i32) as u32 }),
        _ => return carry(op, ty),
    };
    two(run, ty, ty, ty)
}

/// `add.cc` writes the carry, `addc` reads it, `addc.cc` does both; for `sub` it is the borrow.
fn carry(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    let writes = op.mods == ["cc"];
    if !writes && !op.mods.is_empty() {
        return None;
    }
    macro_rules! chain {
        ($T:ty, $step:ident, reads: $reads:expr) => {
            operation!(|w, o, m| {
                use super::registers::Lane;
                let (a, b) = (*<$T>::column(w, o.a), *<$T>::column(w, o.b));
                let (mut out, mut flags) = ([0; 32], 0u32);
                for lane in 0..32 {
                    let carry = <$T>::from($reads && w.carry >> lane & 1 == 1);
                    let (x, first) = a[lane].$step(b[lane]);
                    let (x, second) = x.$step(carry);
                    out[lane] = x;
                    flags |= u32::from(first | second) << lane;
                }
                w.store(o.d, &out, m);
                if o.e == 1 {
                    w.carry = (flags & m) | (w.carry & !m);
                }
            })
        };
    }
    let run = match (op.base, writes, ty) {
        ("add", true, U32 | S32) => chain!(u32, overflowing_add, reads: false),
        ("add", true, U64 | S64) => chain!(u64, overflowing_add, reads: false),
        ("sub", true, U32 | S32) => chain!(u32, overflowing_sub, reads: false),
        ("sub", true, U64 | S64) => chain!(u64, overflowing_sub, reads: false),
        ("addc", _, U32 | S32) => chain!(u32, overflowing_add, reads: true),
        ("addc", _, U64 | S64) => chain!(u64, overflowing_add, reads: true),
        ("subc", _, U32 | S32) => chain!(u32, overflowing_sub, reads: true),
        ("subc", _, U64 | S64) => chain!(u64, overflowing_sub, reads: true),
        _ => return None,
    };
    two(run, ty, ty, ty)
}

fn multiply(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    if op.base == "mad" {
        return multiply_add(op, ty);
    }
    let run = match (op.mods.as_slice(), ty) {
        (["lo"], U16 | S16) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_mul(b) & 0xffff }),
        (["lo"], U32 | S32) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_mul(b) }),
        (["lo"], U64 | S64) => lanes!(|a: u64, b: u64| -> u64 { a.wrapping_mul(b) }),
        (["hi"], U16) => lanes!(|a: u32, b: u32| -> u32 { a.wrapping_mul(b) >> 16 }),
        (["hi"], S16) => lanes!(|a: u32, b: u32| -> u32 { (sign16(a) * sign16(b)) as u32 >> 16 }),
        (["hi"], U32) => lanes!(|a: u32, b: u32| -> u32 { ((u64::from(a) * u64::from(b)) >> 32) as u32 }),
        (["hi"], S32) => lanes!(|a: u32, b: u32| -> u32 { ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32 }),
        (["hi"], U64) => lanes!(|a: u64, b: u64| -> u64 { ((u128::from(a) * u128::from(b)) >> 64) as u64 }),
        (["hi"], S64) => {
            lanes!(|a: u64, b: u64| -> u64 { ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64 })
        }
        (["wide"], _) => {
            let (run, to) = match ty {
                U16 => (lanes!(|a: u32, b: u32| -> u32 { a.wrapping_mul(b) }), U32),
                S16 => (lanes!(|a: u32, b: u32| -> u32 { (sign16(a) * sign16(b)) as u32 }), S32),
                U32 => (lanes!(|a: u32, b: u32| -> u64 { u64::from(a) * u64::from(b) }), U64),
                S32 => (lanes!(|a: u32, b: u32| -> u64 { (i64::from(a as i32) * i64::from(b as i32)) as u64 }), S64),
                _ => return None,
            };
            return two(run, to, ty, ty);
        }
        _ => return None,
    };
    two(run, ty, ty, ty)
}

fn multiply_add(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    let run = match (op.mods.as_slice(), ty) {
        (["lo"], U16 | S16) => lanes!(|a: u32, b: u32, c: u32| -> u32 { a.wrapping_mul(b).wrapping_add(c) & 0xffff }),
        (["lo"], U32 | S32) => lanes!(|a: u32, b: u32, c: u32| -> u32 { a.wrapping_mul(b).wrapping_add(c) }),
        (["lo"], U64 | S64) => lanes!(|a: u64, b: u64, c: u64| -> u64 { a.wrapping_mul(b).wrapping_add(c) }),
        (["hi"], U32) => {
            lanes!(|a: u32, b: u32, c: u32| -> u32 { (((u64::from(a) * u64::from(b)) >> 32) as u32).wrapping_add(c) })
        }
        (["hi"], S32) => lanes!(|a: u32, b: u32, c: u32| -> u32 {
            (((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32).wrapping_add(c)
        }),
        (["hi"], U64) => {
            lanes!(|a: u64, b: u64, c: u64| -> u64 { (((u128::from(a) * u128::from(b)) >> 64) as u64).wrapping_add(c) })
        }
        (["wide"], _) => {
            let (run, to) = match ty {
                U16 => (lanes!(|a: u32, b: u32, c: u32| -> u32 { a.wrapping_mul(b).wrapping_add(c) }), U32),
                S16 => {
                    (lanes!(|a: u32, b: u32, c: u32| -> u32 { ((sign16(a) * sign16(b)) as u32).wrapping_add(c) }), S32)
                }
                U32 => (lanes!(|a: u32, b: u32, c: u64| -> u64 { (u64::from(a) * u64::from(b)).wrapping_add(c) }), U64),
                S32 => (
                    lanes!(|a: u32, b: u32, c: u64| -> u64 {
                        ((i64::from(a as i32) * i64::from(b as i32)) as u64).wrapping_add(c)
                    }),
                    S64,
                ),
                _ => return None,
            };
            return three(run, to, ty, ty, to);
        }
        _ => return None,
    };
    three(run, ty, ty, ty, ty)
}

/// `mad.lo.cc`, `madc.hi` and so on: a half of a product, added with the carry read, written or both.
fn multiply_carry(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    macro_rules! chain {
        ($T:ty, |$a:ident, $b:ident| $half:expr, reads: $reads:expr) => {
            operation!(|w, o, m| {
                use super::registers::Lane;
                let (a, b, c) = (*<$T>::column(w, o.a), *<$T>::column(w, o.b), *<$T>::column(w, o.c));
                let (mut out, mut flags) = ([0; 32], 0u32);
                for lane in 0..32 {
                    let ($a, $b) = (a[lane], b[lane]);
                    let (x, first) = $half.overflowing_add(c[lane]);
                    let (x, second) = x.overflowing_add(<$T>::from($reads && w.carry >> lane & 1 == 1));
                    out[lane] = x;
                    flags |= u32::from(first | second) << lane;
                }
                w.store(o.d, &out, m);
                if o.e == 1 {
                    w.carry = (flags & m) | (w.carry & !m);
                }
            })
        };
    }
    macro_rules! halves {
        (reads: $reads:expr, $high:expr) => {
            match ($high, ty) {
                (false, U32 | S32) => chain!(u32, |a, b| a.wrapping_mul(b), reads: $reads),
                (false, U64 | S64) => chain!(u64, |a, b| a.wrapping_mul(b), reads: $reads),
                (true, U32) => chain!(u32, |a, b| ((u64::from(a) * u64::from(b)) >> 32) as u32, reads: $reads),
                (true, U64) => chain!(u64, |a, b| ((u128::from(a) * u128::from(b)) >> 64) as u64, reads: $reads),
                (true, S32) => {
                    chain!(u32, |a, b| ((i64::from(a as i32) * i64::from(b as i32)) >> 32) as u32, reads: $reads)
                }
                (true, S64) => {
                    chain!(u64, |a, b| ((i128::from(a as i64) * i128::from(b as i64)) >> 64) as u64, reads: $reads)
                }
                _ => return None,
            }
        };
    }
    let high = match op.mods.as_slice() {
        ["lo"] | ["lo", "cc"] => false,
        ["hi"] | ["hi", "cc"] => true,
        _ => return None,
    };
    let run = if op.base == "madc" { halves!(reads: true, high) } else { halves!(reads: false, high) };
    three(run, ty, ty, ty, ty)
}

/// Division by zero has no value in PTX; as on devices, a quotient is all ones and a remainder the dividend.
fn divide(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    if !op.mods.is_empty() {
        return None;
    }
    let run = match (op.base, ty) {
        ("div", U16) => lanes!(|a: u32, b: u32| -> u32 { a.checked_div(b).unwrap_or(0xffff) }),
        ("div", U32) => lanes!(|a: u32, b: u32| -> u32 { a.checked_div(b).unwrap_or(u32::MAX) }),
        ("div", U64) => lanes!(|a: u64, b: u64| -> u64 { a.checked_div(b).unwrap_or(u64::MAX) }),
        ("div", S16) => lanes!(|a: u32, b: u32| -> u32 {
            if b & 0xffff == 0 { 0xffff } else { (sign16(a).wrapping_div(sign16(b))) as u32 & 0xffff }
        }),
        ("div", S32) => {
            lanes!(|a: u32, b: u32| -> u32 { if b == 0 { u32::MAX } else { (a as i32).wrapping_div(b as i32) as u32 } })
        }
        ("div", S64) => {
            lanes!(|a: u64, b: u64| -> u64 { if b == 0 { u64::MAX } else { (a as i64).wrapping_div(b as i64) as u64 } })
        }
        ("rem", U16 | U32) => lanes!(|a: u32, b: u32| -> u32 { a.checked_rem(b).unwrap_or(a) }),
        ("rem", U64) => lanes!(|a: u64, b: u64| -> u64 { a.checked_rem(b).unwrap_or(a) }),
        ("rem", S16) => lanes!(|a: u32, b: u32| -> u32 {
            if b & 0xffff == 0 { a } else { (sign16(a).wrapping_rem(sign16(b))) as u32 & 0xffff }
        }),
        ("rem", S32) => {
            lanes!(|a: u32, b: u32| -> u32 { if b == 0 { a } else { (a as i32).wrapping_rem(b as i32) as u32 } })
        }
        ("rem", S64) => {
            lanes!(|a: u64, b: u64| -> u64 { if b == 0 { a } else { (a as i64).wrapping_rem(b as i64) as u64 } })
        }
        _ => return None,
    };
    two(run, ty, ty, ty)
}

fn ordered(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    if !op.mods.is_empty() {
        return None;
    }
    let run = match (op.base, ty) {
        ("abs", S16) => return one(lanes!(|a: u32| -> u32 { sign16(a).wrapping_abs() as u32 & 0xffff }), ty, ty),
        ("abs", S32) => return one(lanes!(|a: u32| -> u32 { (a as i32).wrapping_abs() as u32 }), ty, ty),
        ("abs", S64) => return one(lanes!(|a: u64| -> u64 { (a as i64).wrapping_abs() as u64 }), ty, ty),
        ("neg", S16) => return one(lanes!(|a: u32| -> u32 { a.wrapping_neg() & 0xffff }), ty, ty),
        ("neg", S32) => return one(lanes!(|a: u32| -> u32 { a.wrapping_neg() }), ty, ty),
        ("neg", S64) => return one(lanes!(|a: u64| -> u64 { a.wrapping_neg() }), ty, ty),
        ("sad", U32) => {
            return three(lanes!(|a: u32, b: u32, c: u32| -> u32 { c.wrapping_add(a.abs_diff(b)) }), ty, ty, ty, ty);
        }
        ("sad", S32) => {
            let run = lanes!(|a: u32, b: u32, c: u32| -> u32 { c.wrapping_add((a as i32).abs_diff(b as i32)) });
            return three(run, ty, ty, ty, ty);
        }
        ("min", U16 | U32) => lanes!(|a: u32, b: u32| -> u32 { a.min(b) }),
        ("min", U64) => lanes!(|a: u64, b: u64| -> u64 { a.min(b) }),
        ("min", S16) => lanes!(|a: u32, b: u32| -> u32 { sign16(a).min(sign16(b)) as u32 & 0xffff }),
        ("min", S32) => lanes!(|a: u32, b: u32| -> u32 { (a as i32).min(b as i32) as u32 }),
        ("min", S64) => lanes!(|a: u64, b: u64| -> u64 { (a as i64).min(b as i64) as u64 }),
        ("max", U16 | U32) => lanes!(|a: u32, b: u32| -> u32 { a.max(b) }),
        ("max", U64) => lanes!(|a: u64, b: u64| -> u64 { a.max(b) }),
        ("max", S16) => lanes!(|a: u32, b: u32| -> u32 { sign16(a).max(sign16(b)) as u32 & 0xffff }),
        ("max", S32) => lanes!(|a: u32, b: u32| -> u32 { (a as i32).max(b as i32) as u32 }),
        ("max", S64) => lanes!(|a: u64, b: u64| -> u64 { (a as i64).max(b as i64) as u64 }),
        _ => return None,
    };
    two(run, ty, ty, ty)
}
