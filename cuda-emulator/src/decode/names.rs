//! Names in scopes, and how an operand becomes a column.

use std::collections::HashMap;

use super::Decoder;
use super::program::{Program, Special};
use crate::ptx::{Operand, Refusal, Space, Type};

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub enum Symbol {
    /// A register: its column, or its predicate.
    Register(u32, Type),
    /// A label.
    Label(u32),
    /// A list of labels.
    Targets(u32),
    /// A variable: its space and its address there; `u64::MAX` for shared memory whose size the launch gives.
    Address(Space, u64),
}

#[derive(Default)]
struct Scope {
    symbols: HashMap<String, Symbol>,
    /// Declared registers that have no column yet: name or prefix, type, count.
    pending: HashMap<String, (Type, Option<u64>)>,
}

/// The scopes that are open.
#[derive(Default)]
pub struct Names {
    scopes: Vec<Scope>,
    /// The scope in which the function that is being decoded begins; between it and the module's nothing is seen.
    floor: usize,
    temporaries: u32,
}

impl Names {
    /// Opens a scope.
    pub fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    /// Opens a scope for a function's body, which sees the module's names alone; gives what [`Names::leave`] needs.
    pub fn enter(&mut self) -> usize {
        self.open();
        std::mem::replace(&mut self.floor, self.scopes.len() - 1)
    }

    /// Closes the scope of a function.
    pub fn leave(&mut self, floor: usize) {
        self.close();
        self.floor = floor;
    }

    /// Closes the innermost scope.
    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// Gives `name` a meaning in the innermost scope.
    pub fn define(&mut self, name: &str, symbol: Symbol, line: u32) -> Result<(), Refusal> {
        let Some(scope) = self.scopes.last_mut() else { return Ok(()) };
        if scope.symbols.contains_key(name) || scope.pending.contains_key(name) {
            return Err(Refusal::new(line, format!("'{name}' is defined twice")));
        }
        scope.symbols.insert(name.to_string(), symbol);
        Ok(())
    }

    /// Declares registers; they get columns when they are first used.
    pub fn registers(&mut self, name: &str, ty: Type, count: Option<u64>, line: u32) -> Result<(), Refusal> {
        let Some(scope) = self.scopes.last_mut() else { return Ok(()) };
        if scope.symbols.contains_key(name) || scope.pending.insert(name.to_string(), (ty, count)).is_some() {
            return Err(Refusal::new(line, format!("'{name}' is defined twice")));
        }
        Ok(())
    }

    /// What `name` stands for, if it has a column, a label or an address already.
    pub fn find(&self, name: &str) -> Option<Symbol> {
        let visible = self.scopes[self.floor..].iter().rev().chain(self.scopes.first());
        visible.into_iter().find_map(|s| s.symbols.get(name).copied())
    }

    /// What `name` stands for; a register that is used for the first time gets its column in `program`.
    pub fn resolve(&mut self, name: &str, program: &mut Program) -> Option<Symbol> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = &name[stem.len()..];
        let index = (number == "0" || !number.starts_with('0')).then(|| number.parse::<u64>().ok()).flatten();
        let floor = self.floor;
        for (_, scope) in self.scopes.iter_mut().enumerate().rev().filter(|(i, _)| *i == 0 || *i >= floor) {
            if let Some(&symbol) = scope.symbols.get(name) {
                return Some(symbol);
            }
            let declared = match (scope.pending.get(name), index.and_then(|i| Some((i, scope.pending.get(stem)?)))) {
                (Some((ty, None)), _) => Some(*ty),
                (_, Some((i, (ty, Some(count))))) if i < *count => Some(*ty),
                _ => None,
            };
            if let Some(ty) = declared {
                program.registers += if ty.bits() == 64 { 2 } else { u32::from(ty != Type::Pred) };
                let symbol = Symbol::Register(fresh(ty, program), ty);
                scope.symbols.insert(name.to_string(), symbol);
                return Some(symbol);
            }
        }
        None
    }

    /// A register that no text can name.
    pub fn temporary(&mut self, ty: Type, program: &mut Program) -> (String, u32) {
        let column = fresh(ty, program);
        let name = format!("#{}", self.temporaries);
        self.temporaries += 1;
        if let Some(scope) = self.scopes.last_mut() {
            scope.symbols.insert(name.clone(), Symbol::Register(column, ty));
        }
        (name, column)
    }
}

fn fresh(ty: Type, program: &mut Program) -> u32 {
    let counter = match ty.bits() {
        1 => &mut program.truth,
        64 => &mut program.wide,
        _ => &mut program.narrow,
    };
    *counter += 1;
    *counter - 1
}

impl Decoder<'_> {
    /// A new column for a value of type `ty`.
    pub(super) fn fresh(&mut self, ty: Type) -> u32 {
        fresh(ty, &mut self.program)
    }

    /// The register of that name.
    pub(super) fn register(&mut self, name: &str) -> Option<(u32, Type)> {
        match self.names.resolve(name, &mut self.program) {
            Some(Symbol::Register(column, ty)) => Some((column, ty)),
            _ => None,
        }
    }

    /// The predicate of that name.
    pub(super) fn predicate(&mut self, name: &str) -> Result<u32, Refusal> {
        match self.register(name) {
            Some((column, Type::Pred)) => Ok(column),
            Some(_) => self.refuse(format!("'{name}' is not a predicate")),
            None => self.refuse(format!("unknown predicate '{name}'")),
        }
    }

    /// The column that an instruction writes.
    pub(super) fn destination(&mut self, operand: &Operand, ty: Type) -> Result<u32, Refusal> {
        let Operand::Name(name) = operand else { return self.refuse("the destination is not a register") };
        if name == "_" {
            return Ok(self.fresh(ty));
        }
        match self.register(name) {
            Some((column, found)) if found.bits() == ty.bits() => Ok(column),
            Some((_, found)) => {
                self.refuse(format!("'{name}' has {} bits where {} are written", found.bits(), ty.bits()))
            }
            None => self.refuse(format!("unknown register '{name}'")),
        }
    }

    /// The column that holds `operand` as a value of type `ty`.
    pub(super) fn source(&mut self, operand: &Operand, ty: Type) -> Result<u32, Refusal> {
        match operand {
            Operand::Name(name) => self.named_source(name, 0, ty),
            Operand::Offset(name, offset) => self.named_source(name, *offset, ty),
            Operand::Not(name) if ty == Type::Pred => {
                let a = self.predicate(name)?;
                let d = self.fresh(Type::Pred);
                self.logic("not", d, a, 0)?;
                Ok(d)
            }
            Operand::Integer(x) if ty == Type::Pred => {
                let d = self.fresh(Type::Pred);
                // p ⊻ p is false for every lane, and its negation true.
                self.logic("xor", d, d, d)?;
                if *x != 0 {
                    self.logic("not", d, d, 0)?;
                }
                Ok(d)
            }
            Operand::Integer(x) => self.integer_source(*x, ty),
            Operand::Single(x) if ty.bits() == 32 => self.constant(u64::from(*x), ty),
            Operand::Double(x) if ty == Type::F32 => {
                self.constant(u64::from((f64::from_bits(*x) as f32).to_bits()), ty)
            }
            Operand::Double(x) if ty.bits() == 64 => self.constant(*x, ty),
            other => self.refuse(format!("operand {other:?} does not fit {ty:?}")),
        }
    }

    fn named_source(&mut self, name: &str, offset: i64, ty: Type) -> Result<u32, Refusal> {
        if let Some(special) = Special::named(name).filter(|_| offset == 0) {
            if ty.bits() != 32 {
                return self.refuse(format!("'{name}' has 32 bits"));
            }
            return Ok(self.special(special));
        }
        match self.names.resolve(name, &mut self.program) {
            Some(Symbol::Register(column, found)) if offset == 0 => {
                if found.bits() != ty.bits() {
                    return self.refuse(format!("'{name}' has {} bits where {} are read", found.bits(), ty.bits()));
                }
                Ok(column)
            }
            Some(Symbol::Address(space, at)) if ty.bits() >= 32 && ty.integral() => {
                let at = self.place(space, at);
                self.constant(at.wrapping_add(offset as u64), ty)
            }
            Some(_) => self.refuse(format!("'{name}' cannot be read as {ty:?}")),
            None => self.refuse(format!("unknown name '{name}'")),
        }
    }

    /// The address of a variable in its own space; that of dynamic shared memory is known once all else is placed.
    pub(super) fn place(&mut self, space: Space, at: u64) -> u64 {
        if space == Space::Shared && at == u64::MAX {
            self.program.dynamic_shared = true;
            return u64::from(self.program.dynamic_at);
        }
        at
    }

    fn integer_source(&mut self, x: u64, ty: Type) -> Result<u32, Refusal> {
        let bits = ty.bits();
        if !ty.integral() {
            return self.refuse(format!("integer {x} where a {ty:?} is read"));
        }
        let upper = x.checked_shr(bits).unwrap_or(0);
        if upper != 0 && upper != u64::MAX >> bits {
            return self.refuse(format!("{x} does not fit {bits} bits"));
        }
        self.constant(if bits == 64 { x } else { x & ((1 << bits) - 1) }, ty)
    }

    /// A column that holds `value` in every lane.
    pub(super) fn constant(&mut self, value: u64, ty: Type) -> Result<u32, Refusal> {
        let kind = if ty.bits() == 64 { 64 } else { 32 };
        if let Some(&column) = self.constants.get(&(kind, value)) {
            return Ok(column);
        }
        let column = self.fresh(ty);
        if kind == 64 {
            self.program.wide_constants.push((column, value));
        } else {
            self.program.constants.push((column, value as u32));
        }
        self.constants.insert((kind, value), column);
        Ok(column)
    }

    /// The column of a special register.
    pub(super) fn special(&mut self, special: Special) -> u32 {
        if let Some(&column) = self.specials.get(&special) {
            return column;
        }
        let column = self.fresh(Type::B32);
        self.specials.insert(special, column);
        self.program.specials.push((column, special));
        column
    }

    /// A predicate operand as index · 2 + negated.
    pub(super) fn signed_predicate(&mut self, operand: &Operand) -> Result<u32, Refusal> {
        match operand {
            Operand::Name(name) => Ok(self.predicate(name)? << 1),
            Operand::Not(name) => Ok(self.predicate(name)? << 1 | 1),
            Operand::Integer(_) => Ok(self.source(operand, Type::Pred)? << 1),
            _ => self.refuse("expected a predicate"),
        }
    }

    /// The integer that `operand` is.
    pub(super) fn literal(&self, operand: &Operand) -> Result<u64, Refusal> {
        match operand {
            Operand::Integer(x) => Ok(*x),
            _ => self.refuse("expected a constant"),
        }
    }
}
