//! Calls of functions, which are put in place of the call, and branches by a table.

use super::Decoder;
use super::names::Symbol;
use super::program::{Kind, NOWHERE};
use crate::exec::compare;
use crate::exec::opcode::Opcode;
use crate::ptx::{self, Function, Operand, Param, Refusal, Space, Type};

/// Functions may call each other this deep; recursion cannot be put in place and is refused.
const DEEPEST_CALL: usize = 16;
/// A kernel may not grow beyond this by what it calls.
const LONGEST_KERNEL: usize = 1 << 18;

impl Decoder<'_> {
    /// `call (returned), name, (handed over)`.
    pub(super) fn call(&mut self, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let (returned, name, handed) = match i.operands.as_slice() {
            [Operand::Name(name)] => (&[][..], name, &[][..]),
            [Operand::Name(name), Operand::List(handed)] => (&[][..], name, handed.as_slice()),
            [Operand::List(returned), Operand::Name(name)] => (returned.as_slice(), name, &[][..]),
            [Operand::List(returned), Operand::Name(name), Operand::List(handed)] => {
                (returned.as_slice(), name, handed.as_slice())
            }
            _ => {
                return self
                    .refuse("a call names a function and lists what it hands over; through a pointer it is unknown");
            }
        };
        let module = self.module;
        let Some(function) = module.functions.iter().find(|f| f.name == *name) else {
            return self.refuse(format!("unknown function '{name}'"));
        };
        if i.guard.is_some() {
            return self.refuse("a call with a guard: branch around it");
        }
        if self.calls.len() >= DEEPEST_CALL || self.calls.iter().any(|c| c.0 == *name) {
            return self.refuse(format!("'{name}' calls itself, or calls are nested too deep"));
        }
        if self.program.code.len() > LONGEST_KERNEL {
            return self.refuse("the kernel and what it calls are too long");
        }
        let mut bound = self.bind(&function.returns, returned)?;
        bound.extend(self.bind(&function.params, handed)?);
        self.inline(function, &bound)?;
        Ok(true)
    }

    /// Where each parameter lies: in the variable of the caller that is handed over.
    fn bind(&mut self, params: &[Param], operands: &[Operand]) -> Result<Vec<(String, u64)>, Refusal> {
        if params.len() != operands.len() {
            return self.refuse(format!("{} values handed over where {} are expected", operands.len(), params.len()));
        }
        let mut out = Vec::new();
        for (param, operand) in params.iter().zip(operands) {
            let found = match operand {
                Operand::Name(name) => self.names.find(name),
                _ => None,
            };
            match found {
                Some(Symbol::Address(Space::Local, at)) => out.push((param.name.clone(), at)),
                _ => return self.refuse("only .param variables are handed over"),
            }
        }
        Ok(out)
    }

    fn inline(&mut self, function: &Function, bound: &[(String, u64)]) -> Result<(), Refusal> {
        let behind = self.label();
        let line = self.line;
        let floor = self.names.enter();
        self.calls.push((function.name.clone(), behind));
        for (name, at) in bound {
            self.names.define(name, Symbol::Address(Space::Local, *at), function.line)?;
        }
        self.scope(&function.body)?;
        self.calls.pop();
        self.names.leave(floor);
        self.put_label(behind);
        self.line = line;
        self.guard = NOWHERE;
        Ok(())
    }

    /// `brx.idx index, table`: compared with one entry after the other; beyond the table is a trap.
    pub(super) fn indexed_branch(&mut self, i: &ptx::Instruction) -> Result<bool, Refusal> {
        let [index, Operand::Name(table)] = i.operands.as_slice() else {
            return self.refuse("brx.idx has an index and a list of labels");
        };
        let labels = match self.names.find(table) {
            Some(Symbol::Targets(t)) => self.targets[t as usize].clone(),
            _ => return self.refuse(format!("unknown list of labels '{table}'")),
        };
        if i.guard.is_some() {
            return self.refuse("a branch by a table with a guard: branch around it");
        }
        let equal = Opcode { base: "setp", mods: vec!["eq"], types: vec![Type::U32] };
        let Some(equal) = compare::find(&equal) else { return Ok(false) };
        let hit = self.fresh(Type::Pred);
        for (n, name) in labels.iter().enumerate() {
            let Some(Symbol::Label(label)) = self.names.find(name) else {
                return self.refuse(format!("unknown label '{name}'"));
            };
            self.guard = NOWHERE;
            self.compute(&equal, hit, &[index.clone(), Operand::Integer(n as u64)], None)?;
            self.guard = hit << 1;
            self.emit(Kind::Branch(label, NOWHERE));
        }
        self.guard = NOWHERE;
        self.emit(Kind::Trap);
        Ok(true)
    }
}
