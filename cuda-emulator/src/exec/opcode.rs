//! An opcode taken apart, and what a family of instructions answers when asked for one.

use super::registers::Alu;
use crate::ptx::Type;

/// `base.modifier….type…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opcode<'a> {
    /// What stands before the first dot.
    pub base: &'a str,
    /// Everything that is not a type, in order.
    pub mods: Vec<&'a str>,
    /// The types, in order.
    pub types: Vec<Type>,
}

impl<'a> Opcode<'a> {
    /// Takes `text` apart.
    pub fn new(text: &'a str) -> Self {
        let mut parts = text.split('.');
        let base = parts.next().unwrap_or("");
        let (mut mods, mut types) = (Vec::new(), Vec::new());
        for part in parts {
            match Type::named(part) {
                Some(ty) => types.push(ty),
                None => mods.push(part),
            }
        }
        Self { base, mods, types }
    }

    /// Removes a modifier and says whether it was there.
    pub fn take(&mut self, modifier: &str) -> bool {
        let before = self.mods.len();
        self.mods.retain(|m| *m != modifier);
        self.mods.len() < before
    }
}

/// An instruction on registers: what it computes and the types of its operands.
#[derive(Clone, Copy)]
pub struct Computation {
    /// What it computes.
    pub run: Alu,
    /// The destination's type.
    pub to: Type,
    /// The sources' types.
    pub from: [Option<Type>; 4],
}

/// A computation from one value.
pub fn one(run: Alu, to: Type, a: Type) -> Option<Computation> {
    Some(Computation { run, to, from: [Some(a), None, None, None] })
}

/// A computation from two values.
pub fn two(run: Alu, to: Type, a: Type, b: Type) -> Option<Computation> {
    Some(Computation { run, to, from: [Some(a), Some(b), None, None] })
}

/// A computation from three values.
pub fn three(run: Alu, to: Type, a: Type, b: Type, c: Type) -> Option<Computation> {
    Some(Computation { run, to, from: [Some(a), Some(b), Some(c), None] })
}

/// A computation from four values.
pub fn four(run: Alu, to: Type, from: [Type; 4]) -> Option<Computation> {
    Some(Computation { run, to, from: from.map(Some) })
}
