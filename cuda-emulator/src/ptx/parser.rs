//! Tokens to a syntax tree. What is not understood is refused, never skipped, except for debugging directives.

use super::lexer::{Placed, Token, tokens};
use super::{Instruction, Kernel, Module, Operand, Param, Refusal, Space, Statement, Type, Variable};

/// No variable may be larger than this, in bytes; a size beyond it is a mistake, and would be allocated.
const LARGEST_VARIABLE: u64 = 1 << 30;
/// Scopes may be nested this deep.
const DEEPEST_SCOPE: u32 = 64;

/// Reads a module.
///
/// # Errors
/// The first thing that is not PTX as this crate knows it, with its line.
pub fn parse(source: &str) -> Result<Module, Refusal> {
    let tokens = tokens(source)?;
    let mut parser = Parser { tokens, at: 0 };
    let mut module = Module::default();
    parser.header(&mut module)?;
    while parser.at < parser.tokens.len() {
        parser.top_level(&mut module)?;
    }
    Ok(module)
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
}

impl Parser {
    fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |t| t.1)
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::new(self.line(), message))
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.0)
    }

    fn peek_word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token::Word(w)) => Some(w),
            _ => None,
        }
    }

    fn at_mark(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.at_mark(mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: char) -> Result<(), Refusal> {
        if self.take_mark(mark) {
            return Ok(());
        }
        let found = describe(self.peek());
        self.refuse(format!("expected '{mark}', found {found}"))
    }

    fn word(&mut self, what: &str) -> Result<String, Refusal> {
        match self.peek() {
            Some(Token::Word(w)) => {
                let w = w.clone();
                self.at += 1;
                Ok(w)
            }
            other => {
                let found = describe(other);
                self.refuse(format!("expected {what}, found {found}"))
            }
        }
    }

    fn name(&mut self, what: &str) -> Result<String, Refusal> {
        let word = self.word(what)?;
        if word.starts_with('.') {
            self.at -= 1;
            return self.refuse(format!("expected {what}, found '{word}'"));
        }
        Ok(word)
    }

    fn integer(&mut self, what: &str) -> Result<u64, Refusal> {
        match self.peek() {
            Some(&Token::Integer(x)) => {
                self.at += 1;
                Ok(x)
            }
            other => {
                let found = describe(other);
                self.refuse(format!("expected {what}, found {found}"))
            }
        }
    }

    fn small(&mut self, what: &str, largest: u64) -> Result<u32, Refusal> {
        let x = self.integer(what)?;
        if x > largest {
            self.at -= 1;
            return self.refuse(format!("{what} {x} is larger than {largest}"));
        }
        Ok(x as u32)
    }

    fn directive(&mut self, name: &str) -> bool {
        let found = self.peek_word() == Some(name);
        self.at += usize::from(found);
        found
    }

    fn skip_line(&mut self) {
        let line = self.line();
        while self.at < self.tokens.len() && self.tokens[self.at].1 == line {
            self.at += 1;
        }
    }

    fn header(&mut self, module: &mut Module) -> Result<(), Refusal> {
        if !self.directive(".version") {
            return self.refuse("PTX must begin with .version");
        }
        module.version = match self.peek() {
            Some(&Token::Double(bits)) => {
                let tenths = (f64::from_bits(bits) * 10.0).round();
                if !(10.0..1000.0).contains(&tenths) {
                    return self.refuse("unlikely .version");
                }
                (tenths as u32 / 10, tenths as u32 % 10)
            }
            other => {
                let found = describe(other);
                return self.refuse(format!("expected a version such as 8.0, found {found}"));
            }
        };
        self.at += 1;
        if !self.directive(".target") {
            return self.refuse("expected .target after .version");
        }
        let target = self.word("an architecture such as sm_75")?;
        module.target = match target.strip_prefix("sm_").map(|n| n.trim_end_matches(['a', 'f']).parse()) {
            Some(Ok(n)) => n,
            _ => return self.refuse(format!("unknown target '{target}'")),
        };
        while self.take_mark(',') {
            self.word("a target option")?;
        }
        if self.directive(".address_size") && self.integer("an address size")? != 64 {
            return self.refuse("only .address_size 64 is supported");
        }
        Ok(())
    }

    fn top_level(&mut self, module: &mut Module) -> Result<(), Refusal> {
        if self.debugging_directive()? {
            return Ok(());
        }
        let mut external = false;
        loop {
            match self.peek_word() {
                Some(".extern") => external = true,
                Some(".visible" | ".weak" | ".common") => {}
                _ => break,
            }
            self.at += 1;
        }
        match self.peek_word() {
            Some(".entry") => {
                let kernel = self.kernel()?;
                if module.kernels.iter().any(|k| k.name == kernel.name) {
                    return Err(Refusal::new(kernel.line, format!("a second kernel named '{}'", kernel.name)));
                }
                module.kernels.push(kernel);
                Ok(())
            }
            Some(".func") if external => {
                while !self.take_mark(';') {
                    if self.at >= self.tokens.len() {
                        return self.refuse("a function declaration is not finished");
                    }
                    self.at += 1;
                }
                Ok(())
            }
            Some(".func") => self.refuse("device functions (.func) are not supported: inline them"),
            Some(w) if w.starts_with('.') && Space::named(&w[1..]).is_some() => {
                let variables = self.variables(external)?;
                for v in variables {
                    if module.variables.iter().any(|other| other.name == v.name) {
                        return Err(Refusal::new(v.line, format!("a second variable named '{}'", v.name)));
                    }
                    module.variables.push(v);
                }
                Ok(())
            }
            other => {
                let found = other.map_or_else(|| describe(self.peek()), |w| format!("'{w}'"));
                self.refuse(format!("unknown directive {found}"))
            }
        }
    }

    /// `.file`, `.loc`, `.pragma`: of no consequence here.
    fn debugging_directive(&mut self) -> Result<bool, Refusal> {
        match self.peek_word() {
            Some(".loc" | ".file") => self.skip_line(),
            Some(".pragma") => {
                self.at += 1;
                while !self.take_mark(';') {
                    match self.peek() {
                        Some(Token::Text(_) | Token::Mark(',')) => self.at += 1,
                        other => {
                            let found = describe(other);
                            return self.refuse(format!("expected a pragma's text, found {found}"));
                        }
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn kernel(&mut self) -> Result<Kernel, Refusal> {
        let line = self.line();
        self.at += 1;
        let name = self.name("a kernel's name")?;
        let params = if self.take_mark('(') { self.params()? } else { Vec::new() };
        let (mut required, mut maximum) = (None, None);
        loop {
            match self.peek_word() {
                Some(".reqntid") => required = Some(self.extents()?),
                Some(".maxntid") => maximum = Some(self.extents()?),
                Some(".minnctapersm" | ".maxnctapersm" | ".maxnreg") => {
                    self.at += 1;
                    self.integer("a count")?;
                }
                Some(".pragma") => {
                    self.debugging_directive()?;
                }
                _ => break,
            }
        }
        self.expect('{')?;
        let body = self.body(0)?;
        Ok(Kernel { name, params, required, maximum, body, line })
    }

    fn extents(&mut self) -> Result<[u32; 3], Refusal> {
        self.at += 1;
        let mut extents = [1; 3];
        for (axis, extent) in extents.iter_mut().enumerate() {
            if axis > 0 && !self.take_mark(',') {
                break;
            }
            *extent = self.small("a block's extent", 1024)?;
        }
        Ok(extents)
    }

    fn params(&mut self) -> Result<Vec<Param>, Refusal> {
        let mut params: Vec<Param> = Vec::new();
        if self.take_mark(')') {
            return Ok(params);
        }
        loop {
            if !self.directive(".param") {
                return self.refuse("expected .param");
            }
            let (ty, align) = self.param_type()?;
            let name = self.name("a parameter's name")?;
            let count = self.dimensions()?.unwrap_or(1);
            let size = u64::from(ty.bytes()) * count;
            let end = params.last().map_or(0, |p| p.offset + p.size);
            let offset = end.next_multiple_of(align);
            if u64::from(offset) + size > 4096 {
                return self.refuse("parameters take more than 4096 bytes");
            }
            params.push(Param { name, offset, size: size as u32, align });
            if self.take_mark(')') {
                return Ok(params);
            }
            self.expect(',')?;
        }
    }

    fn param_type(&mut self) -> Result<(Type, u32), Refusal> {
        let (mut ty, mut align) = (None, None);
        let mut pointer = false;
        while let Some(w) = self.peek_word().filter(|w| w.starts_with('.')) {
            let w = w[1..].to_string();
            self.at += 1;
            match w.as_str() {
                "align" => {
                    let a = self.alignment()?;
                    // In a pointer's attributes it is the alignment of what it points to.
                    align = if pointer { align } else { Some(a) };
                }
                "ptr" => pointer = true,
                "global" | "shared" | "const" | "local" if pointer => {}
                w => match Type::named(w) {
                    Some(t) if t != Type::Pred && ty.is_none() => ty = Some(t),
                    _ => return self.refuse(format!("unexpected '.{w}' in a parameter")),
                },
            }
        }
        match ty {
            Some(ty) => Ok((ty, align.unwrap_or(ty.bytes()))),
            None => self.refuse("a parameter needs a type"),
        }
    }

    fn alignment(&mut self) -> Result<u32, Refusal> {
        let a = self.small("an alignment", 256)?;
        if !a.is_power_of_two() {
            return self.refuse(format!("alignment {a} is not a power of two"));
        }
        Ok(a)
    }

    /// `[a][b]…`: the number of elements; `[]` counts 0; `None` without brackets.
    fn dimensions(&mut self) -> Result<Option<u64>, Refusal> {
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

    fn variables(&mut self, external: bool) -> Result<Vec<Variable>, Refusal> {
        let space = Space::named(&self.word("a state space")?[1..]);
        let Some(space) = space.filter(|s| *s != Space::Param) else {
            return self.refuse("parameters are declared by a kernel");
        };
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

    fn constant(&mut self) -> Result<Operand, Refusal> {
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

    fn body(&mut self, depth: u32) -> Result<Vec<Statement>, Refusal> {
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
            Some(".shared" | ".local") => {
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
            out.push(Statement::Label(name, line));
            return Ok(());
        }
        out.push(Statement::Instruction(self.instruction()?));
        Ok(())
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

fn describe(token: Option<&Token>) -> String {
    match token {
        None => "the end".to_string(),
        Some(Token::Word(w)) => format!("'{w}'"),
        Some(Token::Mark(c)) => format!("'{c}'"),
        Some(Token::Text(t)) => format!("\"{t}\""),
        Some(Token::Integer(x)) => x.to_string(),
        Some(Token::Single(x)) => format!("0f{x:08X}"),
        Some(Token::Double(x)) => f64::from_bits(*x).to_string(),
    }
}
