//! Variables and their initial values.

use super::super::lexer::Token;
use super::super::{Operand, Refusal, Space, Type, Variable};
use super::{Parser, describe};

/// No variable may be larger than this, in bytes; a size beyond it is a mistake, and would be allocated.
const LARGEST_VARIABLE: u64 = 1 << 30;

impl Parser {
    /// `[a][b]…`: the number of elements; `[]` counts 0; `None` without brackets.
    pub(super) fn dimensions(&mut self) -> Result<Option<u64>, Refusal> {
        let mut count: Option<u64> = None;
        while self.take_mark('[') {
            let extent = if self.at_mark(']') { 0 } else { self.integer("an array's extent")? };
            self.expect(']')?;
            match count.unwrap_or(1).checked_mul(extent).filter(|&n| n <= LARGEST_VARIABLE) {
                Some(n) => count = Some(n),
                None => return self.refuse("an array is too large"),
            }
        }
        Ok(count)
    }

    /// Declarations of variables in one space.
    pub(super) fn variables(&mut self, external: bool) -> Result<Vec<Variable>, Refusal> {
        let space = Space::named(&self.word("a state space")?[1..]);
        let Some(space) = space else { return self.refuse("unknown state space") };
        let (mut ty, mut align, mut lanes) = (None, None, 1);
        while let Some(w) = self.peek_word().filter(|w| w.starts_with('.')) {
            let w = w[1..].to_string();
            self.at += 1;
            match w.as_str() {
                "align" => align = Some(self.alignment()?),
                "v2" => lanes = 2,
                "v4" => lanes = 4,
                w => match Type::named(w) {
                    Some(t) if t != Type::Pred && ty.is_none() => ty = Some(t),
                    _ => return self.refuse(format!("unexpected '.{w}' in a variable")),
                },
            }
        }
        let Some(ty) = ty else { return self.refuse("a variable needs a type") };
        let element = u64::from(ty.bytes()) * lanes;
        let align = align.map_or(element, u64::from);
        let mut out = Vec::new();
        loop {
            out.push(self.variable(space, ty, element, align, external)?);
            if !self.take_mark(',') {
                break;
            }
        }
        self.expect(';')?;
        Ok(out)
    }

    fn variable(
        &mut self,
        space: Space,
        ty: Type,
        element: u64,
        align: u64,
        external: bool,
    ) -> Result<Variable, Refusal> {
        let line = self.line();
        let name = self.name("a variable's name")?;
        let count = self.dimensions()?;
        let (mut initial, mut addresses) = (Vec::new(), Vec::new());
        if self.take_mark('=') {
            if !matches!(space, Space::Global | Space::Const) {
                return self.refuse("only .global and .const variables have initial values");
            }
            self.initial(ty, &mut initial, &mut addresses, 0)?;
        }
        let size = match count {
            Some(0) if !initial.is_empty() => initial.len() as u64,
            Some(n) => n.saturating_mul(element),
            None => element,
        };
        if size > LARGEST_VARIABLE || initial.len() as u64 > size {
            return self.refuse(format!("variable '{name}' is too large, or has more initial values than places"));
        }
        if size == 0 && !external {
            return self.refuse(format!("variable '{name}' has no size"));
        }
        Ok(Variable { name, space, size, align, external, initial, addresses, line })
    }

    fn initial(
        &mut self,
        ty: Type,
        bytes: &mut Vec<u8>,
        addresses: &mut Vec<(usize, String)>,
        depth: u32,
    ) -> Result<(), Refusal> {
        if self.take_mark('{') {
            if depth > 4 {
                return self.refuse("initial values are nested too deep");
            }
            while !self.take_mark('}') {
                self.initial(ty, bytes, addresses, depth + 1)?;
                if !self.take_mark(',') {
                    self.expect('}')?;
                    break;
                }
            }
            return Ok(());
        }
        let value = if let Some(name) = self.initial_address()? {
            if ty.bytes() != 8 {
                return self.refuse("an address needs 8 bytes");
            }
            addresses.push((bytes.len(), name));
            if self.take_mark('+') { self.integer("an offset")? } else { 0 }
        } else {
            match self.constant()? {
                Operand::Integer(x) => x,
                Operand::Single(x) => u64::from(x),
                Operand::Double(x) if ty == Type::F32 => u64::from((f64::from_bits(x) as f32).to_bits()),
                Operand::Double(x) => x,
                _ => return self.refuse("expected a number"),
            }
        };
        bytes.extend_from_slice(&value.to_le_bytes()[..ty.bytes() as usize]);
        Ok(())
    }

    /// `name` or `generic(name)`.
    fn initial_address(&mut self) -> Result<Option<String>, Refusal> {
        let Some(word) = self.peek_word().map(str::to_string) else { return Ok(None) };
        self.at += 1;
        if word != "generic" {
            return Ok(Some(word));
        }
        self.expect('(')?;
        let name = self.name("a variable's name")?;
        self.expect(')')?;
        Ok(Some(name))
    }

    pub(super) fn constant(&mut self) -> Result<Operand, Refusal> {
        let negative = self.take_mark('-');
        let operand = match self.peek() {
            Some(&Token::Integer(x)) => Operand::Integer(if negative { x.wrapping_neg() } else { x }),
            Some(&Token::Single(x)) => Operand::Single(if negative { x ^ 1 << 31 } else { x }),
            Some(&Token::Double(x)) => Operand::Double(if negative { x ^ 1 << 63 } else { x }),
            other => {
                let found = describe(other);
                return self.refuse(format!("expected a number, found {found}"));
            }
        };
        self.at += 1;
        Ok(operand)
    }
}
