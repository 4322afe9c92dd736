//! Text to tokens.

use super::Refusal;

/// One token of PTX.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// A word: opcode, directive (with its dot), register, label or symbol; dots inside belong to it.
    Word(String),
    /// An integer literal, as its 64 low bits.
    Integer(u64),
    /// `0f` and eight hexadecimal digits, as bits.
    Single(u32),
    /// `0d` and sixteen hexadecimal digits, or a decimal literal, as bits.
    Double(u64),
    /// A quoted string.
    Text(String),
    /// One of `{ } ( ) [ ] < > , ; : = + - @ ! | ~ *` and the like.
    Mark(char),
}

/// A token and the line it stands on, counted from 1.
pub type Placed = (Token, u32);

/// Splits `source` into tokens; comments and white space are dropped.
///
/// # Errors
/// An unfinished comment or string, a malformed number, or a character PTX does not have.
pub fn tokens(source: &str) -> Result<Vec<Placed>, Refusal> {
    let mut lexer = Lexer { bytes: source.as_bytes(), at: 0, line: 1 };
    let mut out = Vec::new();
    while let Some(token) = lexer.next()? {
        out.push(token);
    }
    Ok(out)
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
}

fn starts_word(c: u8) -> bool {
    c.is_ascii_alphabetic() || matches!(c, b'_' | b'$' | b'%' | b'.')
}

fn continues_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$' | b'.')
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::new(self.line, message))
    }

    fn next(&mut self) -> Result<Option<Placed>, Refusal> {
        self.skip_blank()?;
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let (line, first) = (self.line, self.peek(0));
        let token = if first.is_ascii_digit() {
            self.number()?
        } else if starts_word(first) {
            self.word()
        } else if first == b'"' {
            self.text()?
        } else if b"{}()[]<>,;:=+-@!|~*&/?^".contains(&first) {
            self.at += 1;
            Token::Mark(first as char)
        } else {
            return self.refuse(format!("unexpected byte 0x{first:02x}"));
        };
        Ok(Some((token, line)))
    }

    fn skip_blank(&mut self) -> Result<(), Refusal> {
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'\n', _) => {
                    self.line = self.line.saturating_add(1);
                    self.at += 1;
                }
                (c, _) if c.is_ascii_whitespace() || c == 0x0b => self.at += 1,
                // The loader hands over a C string; a terminator inside ends the text.
                (0, _) => self.at = self.bytes.len(),
                (b'/', b'/') => {
                    while self.at < self.bytes.len() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                (b'/', b'*') => self.block_comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), Refusal> {
        self.at += 2;
        while self.at < self.bytes.len() {
            if self.peek(0) == b'*' && self.peek(1) == b'/' {
                self.at += 2;
                return Ok(());
            }
            if self.peek(0) == b'\n' {
                self.line = self.line.saturating_add(1);
            }
            self.at += 1;
        }
        self.refuse("a comment is not closed")
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        self.at += 1;
        loop {
            if continues_word(self.peek(0)) {
                self.at += 1;
            } else if self.peek(0) == b':' && self.peek(1) == b':' && self.bytes[start] != b'$' {
                self.at += 2;
            } else {
                break;
            }
        }
        Token::Word(String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned())
    }

    fn text(&mut self) -> Result<Token, Refusal> {
        let start = self.at + 1;
        self.at = start;
        while self.at < self.bytes.len() && self.peek(0) != b'"' {
            if self.peek(0) == b'\n' {
                return self.refuse("a string is not closed");
            }
            self.at += 1;
        }
        if self.at >= self.bytes.len() {
            return self.refuse("a string is not closed");
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
        self.at += 1;
        Ok(Token::Text(text))
    }

    fn number(&mut self) -> Result<Token, Refusal> {
        let start = self.at;
        while self.peek(0).is_ascii_alphanumeric() || (self.peek(0) == b'.' && self.peek(1).is_ascii_digit()) {
            let exponent = matches!(self.peek(0), b'e' | b'E') && self.bytes[start..self.at].contains(&b'.');
            self.at += 1;
            if exponent && matches!(self.peek(0), b'+' | b'-') {
                self.at += 1;
            }
        }
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
        match number(&text) {
            Some(token) => Ok(token),
            None => self.refuse(format!("malformed number '{text}'")),
        }
    }
}

fn number(text: &str) -> Option<Token> {
    if text.contains('.') {
        return text.parse::<f64>().ok().map(|x| Token::Double(x.to_bits()));
    }
    let lower = text.to_ascii_lowercase();
    let exact = |digits: &str, length: usize| (digits.len() == length).then(|| u64::from_str_radix(digits, 16).ok());
    if let Some(digits) = lower.strip_prefix("0f") {
        return exact(digits, 8)?.map(|x| Token::Single(x as u32));
    }
    if let Some(digits) = lower.strip_prefix("0d") {
        return exact(digits, 16)?.map(Token::Double);
    }
    let (digits, radix) = if let Some(d) = lower.strip_prefix("0x") {
        (d, 16)
    } else if let Some(d) = lower.strip_prefix("0b") {
        (d, 2)
    } else if lower.len() > 1 && lower.starts_with('0') && lower != "0u" {
        (&lower[1..], 8)
    } else {
        (lower.as_str(), 10)
    };
    u64::from_str_radix(digits.strip_suffix('u').unwrap_or(digits), radix).ok().map(Token::Integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_of_a_number() {
        let read = |s: &str| tokens(s).unwrap()[0].0.clone();
        assert_eq!(read("0f3F800000"), Token::Single(1f32.to_bits()));
        assert_eq!(read("0d3FF0000000000000"), Token::Double(1f64.to_bits()));
        assert_eq!(read("1.5e+3"), Token::Double(1500f64.to_bits()));
        assert_eq!(read("0x1fU"), Token::Integer(31));
        assert_eq!(read("0b101"), Token::Integer(5));
        assert_eq!(read("017"), Token::Integer(15));
        assert_eq!(read("0"), Token::Integer(0));
        assert_eq!(read("18446744073709551615"), Token::Integer(u64::MAX));
    }

    #[test]
    fn counts_lines_through_comments() {
        let all = tokens("// one\n/* two\nthree */ mov.u32 %r1, %tid.x;\nret;").unwrap();
        assert_eq!(all[0], (Token::Word("mov.u32".into()), 3));
        assert_eq!(all[3], (Token::Word("%tid.x".into()), 3));
        assert_eq!(all[5], (Token::Word("ret".into()), 4));
    }

    #[test]
    fn refuses_what_is_not_ptx() {
        for bad in ["0f12", "0xg", "99999999999999999999", "/* open", "\"open", "`", "é", "12abc"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }
}
