//! Tokens to a syntax tree. What is not understood is refused, never skipped, except for debugging directives.

mod body;
mod variables;

use super::lexer::{Placed, Token, tokens};
use super::{Function, Kernel, Module, Param, Refusal, Space, Type};

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
            Some(".func") => self.function(module),
            Some(".param") => self.refuse("parameters belong to a kernel or a function"),
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

    /// A `.func`; one without a body is only announced.
    fn function(&mut self, module: &mut Module) -> Result<(), Refusal> {
        let line = self.line();
        self.at += 1;
        let returns = if self.take_mark('(') { self.params()? } else { Vec::new() };
        let name = self.name("a function's name")?;
        let params = if self.take_mark('(') { self.params()? } else { Vec::new() };
        while self.directive(".noreturn") {}
        if self.take_mark(';') {
            return Ok(());
        }
        self.expect('{')?;
        let body = self.body(0)?;
        if module.functions.iter().any(|f| f.name == name) {
            return Err(Refusal::new(line, format!("a second function named '{name}'")));
        }
        module.functions.push(Function { name, returns, params, body, line });
        Ok(())
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
