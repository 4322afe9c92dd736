//! Loads, stores, atomics, and addresses.

use super::Decoder;
use super::names::Symbol;
use super::program::{Access, Atomic, AtomicOp, Base, Kind, LOCAL_WINDOW, SHARED_WINDOW, Slot};
use crate::exec::convert;
use crate::exec::opcode::Opcode;
use crate::exec::registers::Operands;
use crate::ptx::{self, Class, Operand, Refusal, Space, Type};

/// Modifiers that order or cache an access; here every access is in order and nothing is cached.
const INDIFFERENT: [&str; 18] = [
    "weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "cta", "gpu", "sys", "nc", "ca", "cg", "cs", "lu",
    "cv", "wb", "wt", "mmio",
];

impl Decoder<'_> {
    /// Decodes an instruction on memory; `false` if it is none.
    pub(super) fn memory(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        match op.base {
            "ld" | "ldu" => self.load(op, i),
            "st" => self.store(op, i),
            "atom" | "red" => self.atomic(op, i),
            "cvta" => self.window(op, i),
            "membar" | "fence" => {
                let known = op.mods.iter().all(|m| matches!(*m, "cta" | "gl" | "sys" | "gpu" | "sc" | "acq_rel"));
                if known && op.types.is_empty() && i.operands.is_empty() {
                    self.emit(Kind::Fence);
                }
                Ok(known)
            }
            _ => Ok(false),
        }
    }

    /// Space and number of elements from an access's modifiers; `None` if one is unknown.
    fn modifiers(op: &Opcode<'_>) -> Option<(Space, usize)> {
        let (mut space, mut lanes) = (Space::Generic, 1);
        for m in &op.mods {
            if let Some(s) = Space::named(m) {
                space = s;
            } else if *m == "v2" {
                lanes = 2;
            } else if *m == "v4" {
                lanes = 4;
            } else if !INDIFFERENT.contains(m) {
                return None;
            }
        }
        Some((space, lanes))
    }

    fn access(&mut self, space: Space, ty: Type, slots: Vec<Slot>, address: &Operand) -> Result<Access, Refusal> {
        let (base, offset, space) = match address {
            Operand::Absolute(x) => (Base::Fixed(*x), 0, space),
            Operand::Address(name, offset) => self.base(name, *offset, space)?,
            _ => return self.refuse("expected an address in brackets"),
        };
        if space != Space::Param {
            self.program.granule = self.program.granule.min(ty.bytes());
        }
        Ok(Access { space, ty, slots, base, offset })
    }

    fn base(&mut self, name: &str, offset: i64, space: Space) -> Result<(Base, i64, Space), Refusal> {
        match self.names.resolve(name, &mut self.program) {
            Some(Symbol::Register(column, ty)) => match ty.bits() {
                64 => Ok((Base::Wide(column), offset, space)),
                32 if matches!(space, Space::Shared | Space::Local | Space::Param) => {
                    Ok((Base::Narrow(column), offset, space))
                }
                bits => self.refuse(format!("an address of {bits} bits")),
            },
            Some(Symbol::Address(own, at)) => {
                // A function's parameters are the caller's memory.
                let handed = space == Space::Param && own == Space::Local;
                if space != Space::Generic && space != own && !handed {
                    return self.refuse(format!("'{name}' lies in {own:?}, not in {space:?}"));
                }
                Ok((Base::Fixed(self.place(own, at)), offset, own))
            }
            _ => self.refuse(format!("unknown address '{name}'")),
        }
    }

    /// The registers of an access, checked against its type: a register may be wider than an element.
    fn slots(&mut self, operand: &Operand, lanes: usize, ty: Type, written: bool) -> Result<Vec<Slot>, Refusal> {
        let parts = match operand {
            Operand::Vector(parts) if lanes > 1 => parts.clone(),
            other if lanes == 1 => vec![other.clone()],
            _ => return self.refuse(format!("expected {lanes} registers in braces")),
        };
        if parts.len() != lanes || lanes as u32 * ty.bytes() > 16 || ty == Type::Pred {
            return self.refuse(format!("{} registers for {lanes} elements of {ty:?}", parts.len()));
        }
        parts.iter().map(|p| self.slot(p, ty, written)).collect()
    }

    fn slot(&mut self, operand: &Operand, ty: Type, written: bool) -> Result<Slot, Refusal> {
        if let Operand::Name(name) = operand
            && let Some((column, found)) = self.register(name)
        {
            let exact = ty.class() == Class::Float || ty.bits() >= 64;
            let fits = if exact { found.bits() == ty.bits() } else { found.bits() >= ty.bits().max(16) };
            if !fits || found == Type::Pred {
                return self.refuse(format!("'{name}' has {} bits for an element of {ty:?}", found.bits()));
            }
            return Ok(Slot { column, bits: found.bits() });
        }
        let register = match ty.bits() {
            8 => Type::B16,
            _ => ty,
        };
        let column = match operand {
            Operand::Name(name) if name == "_" && written => self.fresh(register),
            _ if written => return self.refuse("the destination is not a register"),
            other => self.source(other, register)?,
        };
        Ok(Slot { column, bits: register.bits() })
    }

    fn load(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let (Some((space, lanes)), &[ty]) = (Self::modifiers(op), op.types.as_slice()) else { return Ok(false) };
        let [d, address] = i.operands.as_slice() else { return self.refuse("a load has two operands") };
        let slots = self.slots(d, lanes, ty, true)?;
        let access = self.access(space, ty, slots, address)?;
        self.emit(Kind::Load(Box::new(access)));
        Ok(true)
    }

    fn store(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let (Some((space, lanes)), &[ty]) = (Self::modifiers(op), op.types.as_slice()) else { return Ok(false) };
        let [address, a] = i.operands.as_slice() else { return self.refuse("a store has two operands") };
        let slots = self.slots(a, lanes, ty, false)?;
        let access = self.access(space, ty, slots, address)?;
        if matches!(access.space, Space::Const | Space::Param) {
            return self.refuse(format!("a store to {:?} memory", access.space));
        }
        self.emit(Kind::Store(Box::new(access)));
        Ok(true)
    }

    fn atomic(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let mut plain = op.clone();
        let known = [
            ("add", AtomicOp::Add),
            ("min", AtomicOp::Min),
            ("max", AtomicOp::Max),
            ("inc", AtomicOp::Inc),
            ("dec", AtomicOp::Dec),
            ("and", AtomicOp::And),
            ("or", AtomicOp::Or),
            ("xor", AtomicOp::Xor),
            ("exch", AtomicOp::Exch),
            ("cas", AtomicOp::Cas),
        ];
        let Some(kind) = known.iter().find(|(name, _)| plain.take(name)).map(|k| k.1) else { return Ok(false) };
        let (Some((space, 1)), &[ty]) = (Self::modifiers(&plain), plain.types.as_slice()) else { return Ok(false) };
        if !allowed(kind, ty) || !matches!(space, Space::Global | Space::Shared | Space::Generic) {
            return Ok(false);
        }
        let returns = op.base == "atom";
        let wanted = 2 + usize::from(returns) + usize::from(kind == AtomicOp::Cas);
        if i.operands.len() != wanted {
            return self.refuse(format!("{wanted} operands expected, {} given", i.operands.len()));
        }
        let (slots, rest) = if returns {
            (self.slots(&i.operands[0], 1, ty, true)?, &i.operands[1..])
        } else {
            (Vec::new(), &i.operands[..])
        };
        let value = self.slot(&rest[1], ty, false)?;
        let second = if kind == AtomicOp::Cas { self.slot(&rest[2], ty, false)? } else { value };
        let access = self.access(space, ty, slots, &rest[0])?;
        // What another block adds first shows in a sum of floats, and in every value that comes back.
        let float = ty.class() == Class::Float;
        if access.space != Space::Shared && (returns || float || matches!(kind, AtomicOp::Exch | AtomicOp::Cas)) {
            self.program.ordered = true;
        }
        self.emit(Kind::Atomic(Box::new(Atomic { access, op: kind, value, second })));
        Ok(true)
    }

    /// `cvta`: between a space's own addresses and generic ones.
    fn window(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let (to, space) = match op.mods.as_slice() {
            ["to", space] => (true, Space::named(space)),
            [space] => (false, Space::named(space)),
            _ => return Ok(false),
        };
        let (Some(space), [Type::U64]) = (space, op.types.as_slice()) else { return Ok(false) };
        let start = match space {
            Space::Shared => SHARED_WINDOW,
            Space::Local => LOCAL_WINDOW,
            Space::Global | Space::Const => 0,
            _ => return Ok(false),
        };
        let [d, a] = i.operands.as_slice() else { return self.refuse("cvta has two operands") };
        let d = self.destination(d, Type::U64)?;
        let a = self.source(a, Type::U64)?;
        let b = self.constant(if to { start.wrapping_neg() } else { start }, Type::U64)?;
        self.emit_computation(&convert::displace(), Operands { d, a, b, ..Operands::default() });
        Ok(true)
    }
}

fn allowed(op: AtomicOp, ty: Type) -> bool {
    use Type::*;
    match op {
        AtomicOp::Add => matches!(ty, U32 | S32 | U64 | F32 | F64),
        AtomicOp::Min | AtomicOp::Max => matches!(ty, U32 | S32 | U64 | S64),
        AtomicOp::Inc | AtomicOp::Dec => ty == U32,
        AtomicOp::And | AtomicOp::Or | AtomicOp::Xor | AtomicOp::Exch | AtomicOp::Cas => matches!(ty, B32 | B64),
    }
}
