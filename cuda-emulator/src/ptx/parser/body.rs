//! The statements of a kernel.

use super::super::lexer::Token;
use super::super::{Instruction, Operand, Refusal, Statement, Type};
use super::Parser;

/// Scopes may be nested this deep.
const DEEPEST_SCOPE: u32 = 64;

impl Parser {
    pub(super) fn body(&mut self, depth: u32) -> Result<Vec<Statement>, Refusal> {
        if depth > DEEPEST_SCOPE {
            return self.refuse("scopes are nested too deep");
        }
        let mut out = Vec::new();
        while !self.take_mark('}') {
            if self.at >= self.tokens.len() {
                return self.refuse("a body is not closed");
            }
            if self.take_mark('{') {
                out.push(Statement::Scope(self.body(depth + 1)?));
            } else if !self.take_mark(';') && !self.debugging_directive()? {
                self.statement(&mut out)?;
            }
        }
        Ok(out)
    }

    fn statement(&mut self, out: &mut Vec<Statement>) -> Result<(), Refusal> {
        let line = self.line();
        match self.peek_word() {
            Some(".reg") => return self.registers(out),
            Some(".shared" | ".local" | ".param") => {
                out.extend(self.variables(false)?.into_iter().map(Statement::Variable));
                return Ok(());
            }
            Some(w) if w.starts_with('.') => {
                let message = format!("unknown directive '{w}'");
                return self.refuse(message);
            }
            _ => {}
        }
        if matches!(self.tokens.get(self.at + 1), Some((Token::Mark(':'), _))) {
            let name = self.name("a label")?;
            self.at += 1;
            if self.directive(".branchtargets") {
                out.push(Statement::Targets(name, self.targets()?, line));
            } else {
                out.push(Statement::Label(name, line));
            }
            return Ok(());
        }
        out.push(Statement::Instruction(self.instruction()?));
        Ok(())
    }

    fn targets(&mut self) -> Result<Vec<String>, Refusal> {
        let mut targets = vec![self.name("a label")?];
        while self.take_mark(',') {
            targets.push(self.name("a label")?);
        }
        self.expect(';')?;
        Ok(targets)
    }

    fn registers(&mut self, out: &mut Vec<Statement>) -> Result<(), Refusal> {
        self.at += 1;
        let ty = self.word("a register's type")?;
        let Some(ty) = ty.strip_prefix('.').and_then(Type::named) else {
            return self.refuse(format!("unknown register type '{ty}'"));
        };
        loop {
            let line = self.line();
            let name = self.name("a register's name")?;
            let count = if self.take_mark('<') {
                let n = self.integer("a count")?;
                self.expect('>')?;
                Some(n)
            } else {
                None
            };
            out.push(Statement::Register { ty, name, count, line });
            if !self.take_mark(',') {
                break;
            }
        }
        self.expect(';')
    }

    fn instruction(&mut self) -> Result<Instruction, Refusal> {
        let line = self.line();
        let guard = if self.take_mark('@') {
            let negated = self.take_mark('!');
            Some((self.name("a predicate")?, negated))
        } else {
            None
        };
        let opcode = self.name("an opcode")?;
        let mut operands = Vec::new();
        if !self.take_mark(';') {
            loop {
                operands.push(self.operand(0)?);
                if self.take_mark(';') {
                    break;
                }
                self.expect(',')?;
            }
        }
        Ok(Instruction { guard, opcode, operands, line })
    }

    fn operand(&mut self, depth: u32) -> Result<Operand, Refusal> {
        match self.peek() {
            Some(Token::Mark('[')) => self.address(),
            Some(Token::Mark('{')) if depth == 0 => {
                self.at += 1;
                let mut parts = Vec::new();
                loop {
                    parts.push(self.operand(depth + 1)?);
                    if self.take_mark('}') {
                        return Ok(Operand::Vector(parts));
                    }
                    self.expect(',')?;
                }
            }
            Some(Token::Mark('(')) if depth == 0 => {
                self.at += 1;
                let mut parts = Vec::new();
                while !self.take_mark(')') {
                    parts.push(self.operand(depth + 1)?);
                    if !self.at_mark(')') {
                        self.expect(',')?;
                    }
                }
                Ok(Operand::List(parts))
            }
            Some(Token::Mark('!')) => {
                self.at += 1;
                Ok(Operand::Not(self.name("a predicate")?))
            }
            Some(Token::Word(_)) => {
                let name = self.name("an operand")?;
                if self.take_mark('|') {
                    return Ok(Operand::Pair(name, self.name("a predicate")?));
                }
                match self.displacement()? {
                    Some(offset) => Ok(Operand::Offset(name, offset)),
                    None => Ok(Operand::Name(name)),
                }
            }
            _ => self.constant(),
        }
    }

    fn address(&mut self) -> Result<Operand, Refusal> {
        self.at += 1;
        let operand = match self.peek() {
            Some(Token::Word(_)) => {
                let name = self.name("an address")?;
                let offset = self.displacement()?.unwrap_or(0);
                Operand::Address(name, offset)
            }
            _ => Operand::Absolute(self.integer("an address")?),
        };
        self.expect(']')?;
        Ok(operand)
    }

    /// `+n`, `-n` or `+-n` after a name.
    fn displacement(&mut self) -> Result<Option<i64>, Refusal> {
        let plus = self.take_mark('+');
        let minus = self.take_mark('-');
        if !plus && !minus {
            return Ok(None);
        }
        let n = self.integer("an offset")? as i64;
        Ok(Some(if minus { n.wrapping_neg() } else { n }))
    }
}
