//! Just enough of protocol buffers to read ONNX: fields, one after the other.
//!
//! A message is a sequence of fields: a key, which is 8·number + wire type, and a value. A field may come again, and
//! then adds to a list or replaces what was there: that is for the reader to say. Messages within are bytes.
//!
//! # Wire types
//! 0: a number of up to 10 bytes. 1: eight bytes, which ONNX has in no field that is read. 2: bytes behind their
//! length: texts, messages, packed lists. 5: four bytes, an f32. Groups (3 and 4) are refused.
//!
//! # Errors
//! Bytes that end within a field. Nothing is allocated by a length that a file claims.
//!
//! # Source
//! Protocol Buffers, Encoding (protobuf.dev).

/// A field's number and value.
pub(crate) type Field<'a> = (u64, Value<'a>);

/// A field's value, by its wire type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// Whole numbers; negative ones as i64 in two's complement.
    Number(u64),
    /// A text, a message or a packed list.
    Bytes(&'a [u8]),
    /// An f32, little-endian.
    Four([u8; 4]),
    /// Eight bytes, passed over.
    Eight,
}

/// The fields of a message; ends with an error where bytes make no sense. Copies nothing.
pub(crate) struct Fields<'a>(pub &'a [u8]);

/// A number of seven bits a byte, the lowest first; the highest bit of a byte says that more follow. `None` where the
/// bytes end, or after ten of them.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(value);
        }
    }
    None
}

impl<'a> Fields<'a> {
    /// The next field; `None` where the bytes are none.
    fn field(&mut self) -> Option<Field<'a>> {
        let key = varint(&mut self.0)?;
        let mut take = |n: usize| {
            let (taken, rest) = self.0.split_at_checked(n)?;
            self.0 = rest;
            Some(taken)
        };
        let value = match key & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => take(8).map(|_| Value::Eight)?,
            2 => {
                let len = usize::try_from(varint(&mut self.0)?).ok()?;
                let (taken, rest) = self.0.split_at_checked(len)?;
                self.0 = rest;
                Value::Bytes(taken)
            }
            5 => Value::Four(take(4)?.try_into().ok()?),
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or_else(|| "is no ONNX graph, or one that is cut short".to_string());
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl Value<'_> {
    /// Adds whole numbers, one or packed.
    ///
    /// # Errors
    /// A list that is cut short, and fractions.
    pub fn wholes(&self, to: &mut Vec<i64>) -> Result<(), String> {
        match *self {
            Value::Number(n) => to.push(n as i64),
            Value::Bytes(mut bytes) => {
                while !bytes.is_empty() {
                    to.push(varint(&mut bytes).ok_or("has a list of numbers that is cut short")? as i64);
                }
            }
            _ => return Err("has fractions where whole numbers belong".into()),
        }
        Ok(())
    }

    /// Adds f32 numbers, one or packed; bytes behind the last whole one are dropped.
    ///
    /// # Errors
    /// Whole numbers.
    pub fn floats(&self, to: &mut Vec<f32>) -> Result<(), String> {
        match *self {
            Value::Four(four) => to.push(f32::from_le_bytes(four)),
            Value::Bytes(bytes) => to.extend(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four))),
            _ => return Err("has whole numbers where fractions belong".into()),
        }
        Ok(())
    }

    /// The text of bytes, with U+FFFD for what is no UTF-8; `None` for numbers.
    pub fn text(&self) -> Option<String> {
        match self {
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}
