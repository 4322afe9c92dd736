//! Logic, shifts, bit fields, permutations.

use super::opcode::{Computation, Opcode, four, one, three, two};
use super::registers::{lanes, operation};
use crate::ptx::Type::{self, *};

/// The bitwise instruction of that name.
pub fn find(op: &Opcode<'_>) -> Option<Computation> {
    let &[ty] = op.types.as_slice() else { return None };
    match op.base {
        "and" | "or" | "xor" | "not" | "cnot" => logic(op, ty),
        "shl" | "shr" | "shf" => shift(op, ty),
        "popc" | "clz" | "brev" | "bfind" => count(op, ty),
        "bfe" | "bfi" => field(op, ty),
        "lop3" | "prmt" => permute(op, ty),
        _ => None,
    }
}

fn logic(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    if !op.mods.is_empty() {
        return None;
    }
    let run = match (op.base, ty) {
        ("and", B16 | B32) => lanes!(|a: u32, b: u32| -> u32 { a & b }),
        ("and", B64) => lanes!(|a: u64, b: u64| -> u64 { a & b }),
        ("or", B16 | B32) => lanes!(|a: u32, b: u32| -> u32 { a | b }),
        ("or", B64) => lanes!(|a: u64, b: u64| -> u64 { a | b }),
        ("xor", B16 | B32) => lanes!(|a: u32, b: u32| -> u32 { a ^ b }),
        ("xor", B64) => lanes!(|a: u64, b: u64| -> u64 { a ^ b }),
        ("and", Pred) => operation!(|w, o, m| w.store_truth(o.d, w.truth[o.a as usize] & w.truth[o.b as usize], m)),
        ("or", Pred) => operation!(|w, o, m| w.store_truth(o.d, w.truth[o.a as usize] | w.truth[o.b as usize], m)),
        ("xor", Pred) => operation!(|w, o, m| w.store_truth(o.d, w.truth[o.a as usize] ^ w.truth[o.b as usize], m)),
        ("not", Pred) => return one(operation!(|w, o, m| w.store_truth(o.d, !w.truth[o.a as usize], m)), ty, ty),
        ("not", B16) => return one(lanes!(|a: u32| -> u32 { !a & 0xffff }), ty, ty),
        ("not", B32) => return one(lanes!(|a: u32| -> u32 { !a }), ty, ty),
        ("not", B64) => return one(lanes!(|a: u64| -> u64 { !a }), ty, ty),
        ("cnot", B16 | B32) => return one(lanes!(|a: u32| -> u32 { u32::from(a == 0) }), ty, ty),
        ("cnot", B64) => return one(lanes!(|a: u64| -> u64 { u64::from(a == 0) }), ty, ty),
        _ => return None,
    };
    two(run, ty, ty, ty)
}

fn shift(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    let run = match (op.base, op.mods.as_slice(), ty) {
        ("shl", [], B16) => lanes!(|a: u32, n: u32| -> u32 { a.checked_shl(n).unwrap_or(0) & 0xffff }),
        ("shl", [], B32) => lanes!(|a: u32, n: u32| -> u32 { if n > 31 { 0 } else { a << (n & 31) } }),
        ("shl", [], B64) => lanes!(|a: u64, n: u32| -> u64 { if n > 63 { 0 } else { a << (n & 63) } }),
        ("shr", [], B16 | U16 | B32 | U32) => {
            lanes!(|a: u32, n: u32| -> u32 { if n > 31 { 0 } else { a >> (n & 31) } })
        }
        ("shr", [], B64 | U64) => lanes!(|a: u64, n: u32| -> u64 { if n > 63 { 0 } else { a >> (n & 63) } }),
        ("shr", [], S16) => lanes!(|a: u32, n: u32| -> u32 { (a as u16 as i16 >> n.min(15)) as u16 as u32 }),
        ("shr", [], S32) => lanes!(|a: u32, n: u32| -> u32 { (a as i32 >> n.min(31)) as u32 }),
        ("shr", [], S64) => lanes!(|a: u64, n: u32| -> u64 { (a as i64 >> n.min(63)) as u64 }),
        ("shf", mods, B32) => return funnel(mods),
        _ => return None,
    };
    two(run, ty, ty, U32)
}

/// a holds the low word, b the high one.
fn funnel(mods: &[&str]) -> Option<Computation> {
    fn both(a: u32, b: u32) -> u64 {
        u64::from(b) << 32 | u64::from(a)
    }
    let run = match mods {
        ["l", "wrap"] => lanes!(|a: u32, b: u32, n: u32| -> u32 { ((both(a, b) << (n & 31)) >> 32) as u32 }),
        ["l", "clamp"] => lanes!(|a: u32, b: u32, n: u32| -> u32 { ((both(a, b) << n.min(32)) >> 32) as u32 }),
        ["r", "wrap"] => lanes!(|a: u32, b: u32, n: u32| -> u32 { (both(a, b) >> (n & 31)) as u32 }),
        ["r", "clamp"] => lanes!(|a: u32, b: u32, n: u32| -> u32 { (both(a, b) >> n.min(32)) as u32 }),
        _ => return None,
    };
    three(run, B32, B32, B32, U32)
}

fn count(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    fn highest(x: u64) -> u32 {
        63u32.wrapping_sub(x.leading_zeros())
    }
    let (run, to) = match (op.base, op.mods.as_slice(), ty) {
        ("popc", [], B32) => (lanes!(|a: u32| -> u32 { a.count_ones() }), U32),
        ("popc", [], B64) => (lanes!(|a: u64| -> u32 { a.count_ones() }), U32),
        ("clz", [], B32) => (lanes!(|a: u32| -> u32 { a.leading_zeros() }), U32),
        ("clz", [], B64) => (lanes!(|a: u64| -> u32 { a.leading_zeros() }), U32),
        ("brev", [], B32) => (lanes!(|a: u32| -> u32 { a.reverse_bits() }), B32),
        ("brev", [], B64) => (lanes!(|a: u64| -> u64 { a.reverse_bits() }), B64),
        ("bfind", [], U32) => (lanes!(|a: u32| -> u32 { highest(u64::from(a)) }), U32),
        ("bfind", [], U64) => (lanes!(|a: u64| -> u32 { highest(a) }), U32),
        ("bfind", [], S32) => {
            (lanes!(|a: u32| -> u32 { highest(u64::from(if (a as i32) < 0 { !a } else { a })) }), U32)
        }
        ("bfind", [], S64) => (lanes!(|a: u64| -> u32 { highest(if (a as i64) < 0 { !a } else { a }) }), U32),
        ("bfind", ["shiftamt"], U32) => {
            (lanes!(|a: u32| -> u32 { if a == 0 { u32::MAX } else { a.leading_zeros() } }), U32)
        }
        ("bfind", ["shiftamt"], U64) => {
            (lanes!(|a: u64| -> u32 { if a == 0 { u32::MAX } else { a.leading_zeros() } }), U32)
        }
        ("bfind", ["shiftamt"], S32) => {
            let run = lanes!(|a: u32| -> u32 {
                let a = if (a as i32) < 0 { !a } else { a };
                if a == 0 { u32::MAX } else { a.leading_zeros() }
            });
            (run, U32)
        }
        ("bfind", ["shiftamt"], S64) => {
            let run = lanes!(|a: u64| -> u32 {
                let a = if (a as i64) < 0 { !a } else { a };
                if a == 0 { u32::MAX } else { a.leading_zeros() }
            });
            (run, U32)
        }
        _ => return None,
    };
    one(run, to, ty)
}

/// `length` ones from bit 0 on.
fn ones(length: u32) -> u64 {
    if length > 63 { u64::MAX } else { (1 << length) - 1 }
}

fn extract(x: u64, bits: u32, position: u32, length: u32, signed: bool) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    let body = if position >= bits { 0 } else { (x >> position) & ones(length) };
    let top = (position + length).saturating_sub(1).min(bits - 1);
    let fill = signed && length > 0 && x >> top & 1 == 1;
    // Bits of the field that lie beyond the source's top are copies of the sign, as are those above the field.
    let known = length.min(bits.saturating_sub(position));
    if fill { body | !ones(known) } else { body }
}

fn insert(x: u64, base: u64, bits: u32, position: u32, length: u32) -> u64 {
    let (position, length) = (position & 0xff, length & 0xff);
    if position >= bits {
        return base;
    }
    let mask = ones(length) << position;
    (base & !mask) | (x << position & mask)
}

fn field(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    if !op.mods.is_empty() {
        return None;
    }
    let run = match (op.base, ty) {
        ("bfe", U32) => lanes!(|a: u32, p: u32, l: u32| -> u32 { extract(a.into(), 32, p, l, false) as u32 }),
        ("bfe", S32) => lanes!(|a: u32, p: u32, l: u32| -> u32 { extract(a.into(), 32, p, l, true) as u32 }),
        ("bfe", U64) => lanes!(|a: u64, p: u32, l: u32| -> u64 { extract(a, 64, p, l, false) }),
        ("bfe", S64) => lanes!(|a: u64, p: u32, l: u32| -> u64 { extract(a, 64, p, l, true) }),
        ("bfi", B32) => {
            let run =
                operation!(|w, o, m| w.map4(o, m, |a: u32, b: u32, p, l| insert(a.into(), b.into(), 32, p, l) as u32));
            return four(run, ty, [B32, B32, U32, U32]);
        }
        ("bfi", B64) => {
            let run = operation!(|w, o, m| w.map4(o, m, |a: u64, b: u64, p, l| insert(a, b, 64, p, l)));
            return four(run, ty, [B64, B64, U32, U32]);
        }
        _ => return None,
    };
    three(run, ty, ty, U32, U32)
}

fn permute_bytes(a: u32, b: u32, selector: u32) -> u32 {
    let bytes = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
    let mut out = [0; 4];
    for (i, byte) in out.iter_mut().enumerate() {
        let nibble = selector >> (4 * i) & 15;
        let value = bytes[(nibble & 7) as usize];
        *byte = if nibble & 8 == 0 { value } else { (value as i8 >> 7) as u8 };
    }
    u32::from_le_bytes(out)
}

/// Any function of three bits by its truth table.
fn look_up(a: u32, b: u32, c: u32, table: u32) -> u32 {
    let mut out = 0;
    for row in 0..8 {
        if table >> row & 1 == 1 {
            let pick = |x: u32, bit: u32| if row >> bit & 1 == 1 { x } else { !x };
            out |= pick(a, 2) & pick(b, 1) & pick(c, 0);
        }
    }
    out
}

fn permute(op: &Opcode<'_>, ty: Type) -> Option<Computation> {
    match (op.base, op.mods.as_slice(), ty) {
        ("prmt", [], B32) => {
            three(lanes!(|a: u32, b: u32, c: u32| -> u32 { permute_bytes(a, b, c) }), B32, B32, B32, U32)
        }
        ("lop3", [], B32) => {
            let run = operation!(|w, o, m| {
                let table = *<u32 as super::registers::Lane>::column(w, o.e);
                w.map3(o, m, |a: u32, b: u32, c: u32| look_up(a, b, c, table[0]))
            });
            four(run, ty, [B32, B32, B32, U32])
        }
        _ => None,
    }
}
