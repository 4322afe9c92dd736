//! `cvt`, `mov` and the packing of vectors.
//!
//! Every conversion goes through one general function of a specification; the common ones have a loop of their own, and a
//! test holds the two against each other.

use super::opcode::{Opcode, one, two};
use super::registers::{Alu, lanes, operation};
use super::rounding::{self, Mode, double, from_half, single, to_half};
use crate::exec::opcode::Computation;
use crate::ptx::{Class, Type, Type::*};

/// What a conversion does, packed into the constant of its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Source type.
    pub from: Type,
    /// Destination type.
    pub to: Type,
    /// Rounding.
    pub mode: Mode,
    /// Whether the result is a whole number.
    pub whole: bool,
    /// Whether the result is limited to the destination's range.
    pub saturate: bool,
    /// Width of the destination register, to which an integer result is extended.
    pub register: u32,
}

const TYPES: [Type; 15] = [B8, B16, B32, B64, U8, U16, U32, U64, S8, S16, S32, S64, F16, F32, F64];
const MODES: [Mode; 4] = [Mode::Nearest, Mode::Zero, Mode::Down, Mode::Up];

impl Spec {
    fn pack(self) -> u32 {
        let index = |ty| TYPES.iter().position(|t| *t == ty).unwrap_or(0) as u32;
        let mode = MODES.iter().position(|m| *m == self.mode).unwrap_or(0) as u32;
        let flags = u32::from(self.whole) | u32::from(self.saturate) << 1;
        index(self.from) | index(self.to) << 4 | mode << 8 | flags << 10 | self.register << 12
    }

    fn unpack(x: u32) -> Self {
        Self {
            from: TYPES[(x & 15).min(14) as usize],
            to: TYPES[(x >> 4 & 15).min(14) as usize],
            mode: MODES[(x >> 8 & 3) as usize],
            whole: x >> 10 & 1 == 1,
            saturate: x >> 11 & 1 == 1,
            register: x >> 12,
        }
    }

    /// Reads `cvt`'s modifiers.
    fn read(op: &Opcode<'_>, register: u32) -> Option<Self> {
        let &[to, from] = op.types.as_slice() else { return None };
        let mut op = op.clone();
        let saturate = op.take("sat");
        let floats = |t: Type| t.class() == Class::Float;
        if [to, from].iter().any(|t| matches!(t, Pred | F16x2)) {
            return None;
        }
        let (mode, whole) = match op.mods.as_slice() {
            [] => (None, false),
            [m @ ("rni" | "rzi" | "rmi" | "rpi")] => (Mode::named(m), true),
            [m @ ("rn" | "rz" | "rm" | "rp")] => (Mode::named(m), false),
            _ => return None,
        };
        let narrower = floats(to) && (!floats(from) || to.bits() < from.bits());
        let fits = match (floats(from), floats(to)) {
            (false, false) => mode.is_none(),
            (true, false) => whole,
            (false, true) => mode.is_some() && !whole,
            (true, true) if to == from => mode.is_none() || whole,
            (true, true) => mode.is_some() == narrower && !whole,
        };
        fits.then_some(Self { from, to, mode: mode.unwrap_or(Mode::Nearest), whole, saturate, register })
    }
}

enum Value {
    Integer(i128),
    Float(f64),
}

fn read(bits: u64, ty: Type) -> Value {
    match ty {
        F16 => Value::Float(f64::from(from_half(bits as u32 & 0xffff))),
        F32 => Value::Float(f64::from(f32::from_bits(bits as u32))),
        F64 => Value::Float(f64::from_bits(bits)),
        _ => Value::Integer(extend(bits, ty)),
    }
}

/// The low bits of `bits` as an integer of type `ty`.
fn extend(bits: u64, ty: Type) -> i128 {
    let spare = 64 - ty.bits();
    if ty.signed() { i128::from((bits << spare) as i64 >> spare) } else { i128::from(bits << spare >> spare) }
}

fn limits(ty: Type) -> (i128, i128) {
    let n = ty.bits();
    if ty.signed() { (-(1 << (n - 1)), (1 << (n - 1)) - 1) } else { (0, (1 << n) - 1) }
}

fn to_integer(value: Value, spec: &Spec) -> u64 {
    let (least, greatest) = limits(spec.to);
    let x = match value {
        Value::Integer(x) if spec.saturate => x.clamp(least, greatest),
        Value::Integer(x) => x,
        Value::Float(x) if x.is_nan() => {
            let wide = spec.from == F64 || spec.to.bits() == 64;
            if wide { 1 << (spec.to.bits() - 1) } else { 0 }
        }
        Value::Float(x) => (rounding::whole(x, spec.mode) as i128).clamp(least, greatest),
    };
    let extended = extend(x as u64, spec.to) as u64;
    if spec.register >= 64 { extended } else { extended & ((1 << spec.register) - 1) }
}

fn to_float(value: Value, spec: &Spec) -> u64 {
    let limit = |x: f64| {
        if !spec.saturate {
            x
        } else if x > 0.0 {
            x.min(1.0)
        } else {
            0.0
        }
    };
    match (value, spec.to) {
        (Value::Integer(x), F64) => double(limit(rounding::integer_to_double(x, spec.mode))),
        (Value::Integer(x), F32) => {
            u64::from(single(limit(f64::from(rounding::integer_to_single(x, spec.mode))) as f32))
        }
        // 64-bit integers beyond 2⁵³ are far beyond half precision's range: f64 keeps the side they lie on.
        (Value::Integer(x), _) => u64::from(to_half(limit(x as f64), spec.mode)),
        (Value::Float(x), to) => {
            let x = if spec.whole { rounding::whole(x, spec.mode) } else { x };
            match to {
                F64 => double(limit(x)),
                F32 => u64::from(single(limit(f64::from(rounding::to_single(x, 0.0, spec.mode))) as f32)),
                _ => u64::from(to_half(limit(x), spec.mode)),
            }
        }
    }
}

fn convert(bits: u64, spec: &Spec) -> u64 {
    let value = read(bits, spec.from);
    if spec.to.class() == Class::Float { to_float(value, spec) } else { to_integer(value, spec) }
}

fn general(from_wide: bool, to_wide: bool) -> Alu {
    macro_rules! loops {
        ($A:ty, $R:ty) => {
            operation!(|w, o, m| {
                let spec = Spec::unpack(o.e);
                w.map1(o, m, |a: $A| convert(u64::from(a), &spec) as $R)
            })
        };
    }
    match (from_wide, to_wide) {
        (false, false) => loops!(u32, u32),
        (false, true) => loops!(u32, u64),
        (true, false) => loops!(u64, u32),
        (true, true) => loops!(u64, u64),
    }
}

fn common(spec: &Spec) -> Option<Alu> {
    let plain = !spec.saturate && spec.register == spec.to.bits();
    if !plain {
        return None;
    }
    Some(match (spec.from, spec.to, spec.mode, spec.whole) {
        (U64 | S64 | B64, U32 | S32 | B32, _, _) => lanes!(|a: u64| -> u32 { a as u32 }),
        (U32 | B32, U64 | S64 | B64, _, _) => lanes!(|a: u32| -> u64 { u64::from(a) }),
        (S32, U64 | S64 | B64, _, _) => lanes!(|a: u32| -> u64 { i64::from(a as i32) as u64 }),
        (U16 | B16, U32 | S32, _, _) => lanes!(|a: u32| -> u32 { a & 0xffff }),
        (U32 | S32, U16 | S16, _, _) => lanes!(|a: u32| -> u32 { a & 0xffff }),
        (S16, U32 | S32, _, _) => lanes!(|a: u32| -> u32 { i32::from(a as u16 as i16) as u32 }),
        (S32, F32, Mode::Nearest, _) => lanes!(|a: u32| -> u32 { (a as i32 as f32).to_bits() }),
        (U32, F32, Mode::Nearest, _) => lanes!(|a: u32| -> u32 { (a as f32).to_bits() }),
        (F32, S32, Mode::Zero, true) => lanes!(|a: u32| -> u32 { f32::from_bits(a) as i32 as u32 }),
        (F32, U32, Mode::Zero, true) => lanes!(|a: u32| -> u32 { f32::from_bits(a) as u32 }),
        (F32, S32, Mode::Nearest, true) => {
            lanes!(|a: u32| -> u32 { f32::from_bits(a).round_ties_even() as i32 as u32 })
        }
        (F32, F32, Mode::Nearest, true) => lanes!(|a: u32| -> u32 { single(f32::from_bits(a).round_ties_even()) }),
        (F32, F32, Mode::Zero, true) => lanes!(|a: u32| -> u32 { single(f32::from_bits(a).trunc()) }),
        (F32, F64, _, _) => lanes!(|a: u32| -> u64 { double(f64::from(f32::from_bits(a))) }),
        (F64, F32, Mode::Nearest, _) => lanes!(|a: u64| -> u32 { single(f64::from_bits(a) as f32) }),
        (F16, F32, _, _) => lanes!(|a: u32| -> u32 { single(from_half(a)) }),
        _ => return None,
    })
}

/// `cvt` from a register of `source` bits to one of `register` bits, and the constant it needs.
pub fn find(op: &Opcode<'_>, source: u32, register: u32) -> Option<(Computation, u32)> {
    let spec = Spec::read(op, register)?;
    if register < spec.to.bits() || source < spec.from.bits() {
        return None;
    }
    let floats = |t: Type| t.class() == Class::Float;
    if (floats(spec.to) && register != spec.to.bits()) || (floats(spec.from) && source != spec.from.bits()) {
        return None;
    }
    let common = if source == spec.from.bits() { common(&spec) } else { None };
    let run = common.unwrap_or_else(|| general(source == 64, register == 64));
    Some((one(run, register_type(register), register_type(source))?, spec.pack()))
}

fn register_type(bits: u32) -> Type {
    match bits {
        16 => B16,
        32 => B32,
        _ => B64,
    }
}

/// A copy of a register of type `ty`.
pub fn copy(ty: Type) -> Option<Computation> {
    let run = match ty.bits() {
        1 => operation!(|w, o, m| w.store_truth(o.d, w.truth[o.a as usize], m)),
        16 | 32 => lanes!(|a: u32| -> u32 { a }),
        64 => lanes!(|a: u64| -> u64 { a }),
        _ => return None,
    };
    one(run, ty, ty)
}

/// Two halves into one register of type `whole`; the first is the low one.
pub fn join(whole: Type) -> Option<Computation> {
    match whole.bits() {
        32 => two(lanes!(|a: u32, b: u32| -> u32 { a & 0xffff | b << 16 }), whole, B16, B16),
        64 => two(lanes!(|a: u32, b: u32| -> u64 { u64::from(a) | u64::from(b) << 32 }), whole, B32, B32),
        _ => None,
    }
}

/// The low (0) or high (1) half of a register of type `whole`.
pub fn part(whole: Type, which: usize) -> Option<Computation> {
    match (whole.bits(), which) {
        (32, 0) => one(lanes!(|a: u32| -> u32 { a & 0xffff }), B16, whole),
        (32, 1) => one(lanes!(|a: u32| -> u32 { a >> 16 }), B16, whole),
        (64, 0) => one(lanes!(|a: u64| -> u32 { a as u32 }), B32, whole),
        (64, 1) => one(lanes!(|a: u64| -> u32 { (a >> 32) as u32 }), B32, whole),
        _ => None,
    }
}

/// d = a + the 64-bit constant in column b: what `cvta` does between windows.
pub fn displace() -> Computation {
    Computation {
        run: lanes!(|a: u64, b: u64| -> u64 { a.wrapping_add(b) }),
        to: B64,
        from: [Some(B64), Some(B64), None, None],
    }
}
