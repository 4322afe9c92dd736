//! From the syntax tree to a [`Program`]: names become columns, opcodes functions, labels indices.
//!
//! Everything is decided here, before the first launch: an opcode, modifier, operand or width that is not known refuses
//! the module, with its line.

mod calls;
mod control;
pub mod flow;
mod memory;
mod names;
pub mod program;
mod unset;

use std::collections::HashMap;

use crate::exec::opcode::{Computation, Opcode};
use crate::exec::{approximate, bits, compare, convert, float, half, integer, registers::Operands};
use crate::ptx::{self, Operand, Refusal, Space, Statement, Type};
use names::{Names, Symbol};
use program::{Instruction, Kind, NOWHERE, Program, Special};

/// What decoding needs to know besides the text.
pub struct Settings<'a> {
    /// Addresses of the module's global and const variables.
    pub addresses: &'a HashMap<String, u64>,
    /// Whether approximate instructions are moved within their documented error.
    pub perturb: bool,
}

/// Decodes a kernel of `module`.
///
/// # Errors
/// The first thing that this crate does not know or that PTX does not allow.
pub fn decode(module: &ptx::Module, kernel: &ptx::Kernel, settings: &Settings<'_>) -> Result<Program, Refusal> {
    let mut decoder = Decoder::new(module, kernel, settings)?;
    decoder.scope(&kernel.body)?;
    decoder.finish()
}

struct Decoder<'a> {
    settings: &'a Settings<'a>,
    module: &'a ptx::Module,
    names: Names,
    program: Program,
    /// What each instruction computes, if it does.
    made: Vec<Option<Computation>>,
    /// Instruction index of each label, once it is reached.
    labels: Vec<Option<u32>>,
    constants: HashMap<(u32, u64), u32>,
    specials: HashMap<Special, u32>,
    /// Labels of each `.branchtargets`.
    targets: Vec<Vec<String>>,
    /// Functions that are being decoded, with the label behind each.
    calls: Vec<(String, u32)>,
    /// Of the instruction being decoded.
    line: u32,
    guard: u32,
}

impl<'a> Decoder<'a> {
    fn new(module: &'a ptx::Module, kernel: &ptx::Kernel, settings: &'a Settings<'a>) -> Result<Self, Refusal> {
        let program = Program::new(kernel, module.target);
        let mut decoder = Self {
            settings,
            module,
            names: Names::default(),
            program,
            made: Vec::new(),
            labels: Vec::new(),
            targets: Vec::new(),
            calls: Vec::new(),
            constants: HashMap::new(),
            specials: HashMap::new(),
            line: kernel.line,
            guard: NOWHERE,
        };
        decoder.names.open();
        for variable in module.variables.iter().filter(|v| !v.external) {
            decoder.variable(variable)?;
        }
        // Memory whose size the launch gives lies behind everything else.
        let mut align = 16;
        for variable in module.variables.iter().filter(|v| v.external) {
            decoder.variable(variable)?;
            align = align.max(variable.align);
        }
        let end = shared_end(&kernel.body, u64::from(decoder.program.shared));
        decoder.program.dynamic_at = end.next_multiple_of(align).min(1 << 30) as u32;
        for param in &kernel.params {
            decoder.names.define(&param.name, Symbol::Address(Space::Param, u64::from(param.offset)), kernel.line)?;
        }
        Ok(decoder)
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::new(self.line, message))
    }

    fn variable(&mut self, v: &ptx::Variable) -> Result<(), Refusal> {
        let place = |end: u32| u64::from(end).next_multiple_of(v.align.max(1));
        let address = match v.space {
            Space::Shared if v.external => u64::MAX,
            Space::Shared => {
                let at = place(self.program.shared);
                self.program.shared = at.saturating_add(v.size).min(1 << 30) as u32;
                at
            }
            // What is handed to a function lies where the function can find it: in the thread's own memory.
            Space::Local | Space::Param => {
                let at = place(self.program.local);
                self.program.local = at.saturating_add(v.size).min(1 << 30) as u32;
                at
            }
            _ => match self.settings.addresses.get(&v.name) {
                Some(&at) => at,
                None => return Err(Refusal::new(v.line, format!("variable '{}' is defined nowhere", v.name))),
            },
        };
        let space = if v.space == Space::Param { Space::Local } else { v.space };
        self.names.define(&v.name, Symbol::Address(space, address), v.line)
    }

    /// A label that nothing has named.
    fn label(&mut self) -> u32 {
        self.labels.push(None);
        self.labels.len() as u32 - 1
    }

    /// Places a label here.
    fn put_label(&mut self, label: u32) {
        self.labels[label as usize] = Some(self.program.code.len() as u32);
    }

    fn scope(&mut self, body: &[Statement]) -> Result<(), Refusal> {
        self.names.open();
        for statement in body {
            match statement {
                Statement::Label(name, line) => {
                    let label = self.label();
                    self.names.define(name, Symbol::Label(label), *line)?;
                }
                Statement::Targets(name, labels, line) => {
                    self.names.define(name, Symbol::Targets(self.targets.len() as u32), *line)?;
                    self.targets.push(labels.clone());
                }
                _ => {}
            }
        }
        for statement in body {
            match statement {
                Statement::Register { ty, name, count, line } => self.names.registers(name, *ty, *count, *line)?,
                Statement::Variable(v) => self.variable(v)?,
                Statement::Label(name, _) => {
                    if let Some(Symbol::Label(label)) = self.names.find(name) {
                        self.put_label(label);
                    }
                }
                Statement::Targets(..) => {}
                Statement::Scope(inner) => self.scope(inner)?,
                Statement::Instruction(i) => self.instruction(i)?,
            }
        }
        self.names.close();
        Ok(())
    }

    fn instruction(&mut self, i: &ptx::Instruction) -> Result<(), Refusal> {
        self.line = i.line;
        self.guard = match &i.guard {
            Some((name, negated)) => self.predicate(name)? << 1 | u32::from(*negated),
            None => NOWHERE,
        };
        let start = self.program.code.len();
        let op = Opcode::new(&i.opcode);
        let known = self.control(&op, i)?
            || self.memory(&op, i)?
            || self.moves(&op, i)?
            || self.comparison(&op, i)?
            || self.arithmetic(&op, i)?;
        if !known {
            return self.refuse(format!("unknown instruction '{}'", i.opcode));
        }
        let code = &mut self.program.code[start..];
        if let Some(last) = code.last_mut() {
            last.counted = true;
        }
        let several = code.len() > 1;
        self.program.opcodes.resize(self.program.code.len(), i.opcode.clone());
        if several && self.guard != NOWHERE {
            self.keep_guard(start)?;
        }
        Ok(())
    }

    /// An instruction that became several reads its guard from a copy, since the first of them may write it.
    fn keep_guard(&mut self, start: usize) -> Result<(), Refusal> {
        let copy = self.program.truth;
        self.program.truth += 1;
        let o = Operands { d: copy, a: self.guard >> 1, ..Operands::default() };
        let Some(c) = convert::copy(Type::Pred) else { return self.refuse("no copy of a predicate") };
        for i in &mut self.program.code[start..] {
            i.guard = copy << 1 | (self.guard & 1);
        }
        let kind = Kind::Compute(c.run, o);
        self.made.insert(start, Some(c));
        self.program.code.insert(start, Instruction { guard: NOWHERE, kind, line: self.line, counted: false });
        let opcode = self.program.opcodes[start].clone();
        self.program.opcodes.insert(start, opcode);
        Ok(())
    }

    fn emit(&mut self, kind: Kind) {
        self.program.code.push(Instruction { guard: self.guard, kind, line: self.line, counted: false });
        self.made.push(None);
    }

    fn emit_computation(&mut self, c: &Computation, o: Operands) {
        self.emit(Kind::Compute(c.run, o));
        if let Some(last) = self.made.last_mut() {
            *last = Some(*c);
        }
    }

    /// Emits `c` with destination `d` and sources taken from `operands`.
    fn compute(&mut self, c: &Computation, d: u32, operands: &[Operand], constant: Option<u32>) -> Result<(), Refusal> {
        let wanted = c.from.iter().flatten().count();
        if operands.len() != wanted {
            return self.refuse(format!("{wanted} sources expected, {} given", operands.len()));
        }
        let mut columns = [0; 4];
        for ((column, operand), ty) in columns.iter_mut().zip(operands).zip(c.from.iter().flatten()) {
            *column = self.source(operand, *ty)?;
        }
        let [a, b, c3, e] = columns;
        self.emit_computation(c, Operands { d, a, b, c: c3, e: constant.unwrap_or(e) });
        Ok(())
    }

    fn arithmetic(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let mut op = op.clone();
        let floats = op.types.iter().any(|t| t.class() == ptx::Class::Float);
        let flush = op.types.contains(&Type::F32) && op.take("ftz");
        let clamp = floats && op.base != "cvt" && op.take("sat");
        if op.base == "cvt" && !op.types.contains(&Type::F16x2) {
            return self.conversion(&op, i, flush);
        }
        let found = integer::find(&op)
            .or_else(|| bits::find(&op))
            .or_else(|| float::find(&op))
            .or_else(|| approximate::find(&op, self.settings.perturb))
            .or_else(|| half::find(&op))
            .or_else(|| half::pack(&op))
            .or_else(|| compare::find(&op));
        let Some(mut c) = found else { return Ok(false) };
        let Some((first, sources)) = i.operands.split_first() else {
            return self.refuse("operands are missing");
        };
        let d = self.destination(first, c.to)?;
        // Whether add.cc and its like write the carry flag.
        let writes_carry = op.mods.last() == Some(&"cc");
        let carries = writes_carry || matches!(op.base, "addc" | "subc" | "madc");
        let constant = carries.then(|| u32::from(writes_carry));
        let sources = if flush { self.flushed(&mut c, sources)? } else { sources.to_vec() };
        self.compute(&c, d, &sources, constant)?;
        if flush && c.to == Type::F32 {
            self.in_place(&float::flush(), d);
        }
        if clamp {
            match float::saturate(c.to) {
                Some(saturate) => self.in_place(&saturate, d),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn in_place(&mut self, c: &Computation, d: u32) {
        self.emit_computation(c, Operands { d, a: d, ..Operands::default() });
    }

    /// The sources with subnormal f32 replaced by zeros, in columns of their own.
    fn flushed(&mut self, c: &mut Computation, sources: &[Operand]) -> Result<Vec<Operand>, Refusal> {
        let mut out = sources.to_vec();
        for (operand, ty) in out.iter_mut().zip(c.from.iter().flatten()) {
            if *ty == Type::F32 {
                let (name, column) = self.names.temporary(Type::F32, &mut self.program);
                let from = self.source(operand, Type::F32)?;
                let flush = float::flush();
                self.emit_computation(&flush, Operands { d: column, a: from, ..Operands::default() });
                *operand = Operand::Name(name);
            }
        }
        Ok(out)
    }

    fn conversion(&mut self, op: &Opcode<'_>, i: &ptx::Instruction, flush: bool) -> Result<bool, Refusal> {
        let ([d, a], &[to, from]) = (i.operands.as_slice(), op.types.as_slice()) else { return Ok(false) };
        let width = |this: &mut Self, operand: &Operand, ty: Type| match operand {
            Operand::Name(name) => this.register(name).map_or(ty.bits(), |r| r.1.bits()),
            _ => ty.bits(),
        };
        let (register, source) = (width(self, d, to), width(self, a, from));
        let Some((mut c, constant)) = convert::find(op, source, register) else { return Ok(false) };
        let d = self.destination(d, c.to)?;
        if from == Type::F32 {
            c.from[0] = Some(Type::F32);
        }
        let sources = [a.clone()];
        let sources = if flush { self.flushed(&mut c, &sources)? } else { sources.to_vec() };
        self.compute(&c, d, &sources, Some(constant))?;
        if flush && to == Type::F32 {
            self.in_place(&float::flush(), d);
        }
        Ok(true)
    }

    /// `setp` with its second destination and combining operator.
    fn comparison(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        if op.base != "setp" {
            return Ok(false);
        }
        let mut plain = op.clone();
        let flush = op.types == [Type::F32] && plain.take("ftz");
        let combine = plain.mods.get(1).copied();
        plain.mods.truncate(1);
        let known = matches!(combine, None | Some("and" | "or" | "xor")) && op.mods.len() <= 2 + usize::from(flush);
        let Some(mut c) = compare::find(&plain).filter(|_| known) else { return Ok(false) };
        let (p, q) = match i.operands.first() {
            Some(Operand::Name(p)) => (self.predicate(p)?, None),
            Some(Operand::Pair(p, q)) => (self.predicate(p)?, Some(self.predicate(q)?)),
            _ => return self.refuse("setp writes a predicate"),
        };
        let wanted = 3 + usize::from(combine.is_some());
        if i.operands.len() != wanted {
            return self.refuse(format!("{wanted} operands expected, {} given", i.operands.len()));
        }
        let sources = if flush { self.flushed(&mut c, &i.operands[1..3])? } else { i.operands[1..3].to_vec() };
        if combine.is_none() && q.is_none() {
            self.compute(&c, p, &sources, None)?;
            return Ok(true);
        }
        let raw = self.fresh(Type::Pred);
        self.compute(&c, raw, &sources, None)?;
        let third = match i.operands.get(3) {
            Some(operand) => Some(self.source(operand, Type::Pred)?),
            None => None,
        };
        let opposite = self.fresh(Type::Pred);
        self.logic("not", opposite, raw, 0)?;
        for (d, a) in [(Some(p), raw), (q, opposite)] {
            match (d, combine, third) {
                (Some(d), Some(name), Some(third)) => self.logic(name, d, a, third)?,
                (Some(d), ..) => self.logic("or", d, a, a)?,
                _ => {}
            }
        }
        Ok(true)
    }

    fn logic(&mut self, name: &str, d: u32, a: u32, b: u32) -> Result<(), Refusal> {
        let op = Opcode { base: name, mods: Vec::new(), types: vec![Type::Pred] };
        match bits::find(&op) {
            Some(c) => self.emit_computation(&c, Operands { d, a, b, ..Operands::default() }),
            None => return self.refuse(format!("unknown combination '{name}'")),
        }
        Ok(())
    }

    /// `mov`, with vectors on either side.
    fn moves(&mut self, op: &Opcode<'_>, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let ("mov", [], &[ty]) = (op.base, op.mods.as_slice(), op.types.as_slice()) else { return Ok(false) };
        match i.operands.as_slice() {
            [d, Operand::Vector(parts)] => {
                let Some(c) = convert::join(ty) else { return Ok(false) };
                let d = self.destination(d, ty)?;
                self.compute(&c, d, parts, None)?;
            }
            [Operand::Vector(parts), a] if parts.len() == 2 => {
                // The source may be one of the destinations only in size, never in name: widths differ.
                for (which, d) in parts.iter().enumerate() {
                    let Some(c) = convert::part(ty, which) else { return Ok(false) };
                    let d = self.destination(d, c.to)?;
                    self.compute(&c, d, std::slice::from_ref(a), None)?;
                }
            }
            [d, a] => {
                let Some(c) = convert::copy(ty) else { return Ok(false) };
                let d = self.destination(d, ty)?;
                self.compute(&c, d, std::slice::from_ref(a), None)?;
            }
            _ => return self.refuse("mov has two operands"),
        }
        Ok(true)
    }

    fn finish(mut self) -> Result<Program, Refusal> {
        self.guard = NOWHERE;
        self.emit(Kind::Exit);
        self.program.opcodes.push("ret".to_string());
        for instruction in &mut self.program.code {
            if let Kind::Branch(target, _) = &mut instruction.kind {
                *target = match self.labels.get(*target as usize).copied().flatten() {
                    Some(index) => index,
                    None => return Err(Refusal::new(instruction.line, "the label is never placed")),
                };
            }
        }
        flow::reconverge(&mut self.program.code);
        unset::find(&mut self.program, &self.made);
        Ok(self.program)
    }
}

/// Where the shared variables of `body` end, placed one after another from `start` on.
fn shared_end(body: &[Statement], start: u64) -> u64 {
    body.iter().fold(start, |end, statement| match statement {
        Statement::Variable(v) if v.space == Space::Shared => {
            end.next_multiple_of(v.align.max(1)).saturating_add(v.size).min(1 << 30)
        }
        Statement::Scope(inner) => shared_end(inner, end),
        _ => end,
    })
}
