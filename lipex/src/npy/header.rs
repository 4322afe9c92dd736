//! The header of a `.npy` array.
//!
//! # Source
//! The NumPy enhancement proposal for the format (NEP 1), versions 1.0 to 3.0.

use npyz::{DType, NpyHeader, Order, TypeChar};
use std::io::{self, Read};

/// Longest text of a header, NumPy's own limit; a plain array's has about 120 characters.
const LONGEST: usize = 10_000;

/// What the numbers of an array are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `uint8`.
    Byte,
    /// `bool`.
    Bool,
    /// `float32`.
    Single,
    /// `float64`.
    Double,
}

impl Kind {
    /// Bytes of an element.
    pub fn bytes(self) -> u64 {
        match self {
            Kind::Byte | Kind::Bool => 1,
            Kind::Single => 4,
            Kind::Double => 8,
        }
    }
}

/// A header that has been read.
pub(crate) struct Header {
    /// As npyz wants it for decoding.
    pub parsed: NpyHeader,
    /// `None` for a type that is not read.
    pub kind: Option<Kind>,
}

impl Header {
    /// The lengths of the dimensions.
    pub fn shape(&self) -> &[u64] {
        self.parsed.shape()
    }

    /// The shape as NumPy prints it.
    pub fn shape_text(&self) -> String {
        let sizes: Vec<String> = self.shape().iter().map(u64::to_string).collect();
        format!("({}{})", sizes.join(", "), if sizes.len() == 1 { "," } else { "" })
    }

    /// The type as NumPy's `dtype.str` has it, for instance `'<i8'`.
    pub fn type_text(&self) -> String {
        self.parsed.dtype().descr()
    }

    /// Whether the first dimension varies fastest.
    pub fn is_fortran(&self) -> bool {
        self.parsed.order() == Order::Fortran
    }
}

/// Reads a header, leaving `file` at the first number.
///
/// # Errors
/// What is wrong, in words.
pub(crate) fn read(file: &mut dyn Read) -> Result<Header, String> {
    let failed = |e: io::Error| match e.kind() {
        io::ErrorKind::UnexpectedEof => "ends inside its header".to_string(),
        _ => format!("cannot be read: {e}"),
    };
    let mut start = [0; 8];
    let got = fill(file, &mut start).map_err(failed)?;
    if got < 6 || start[..6] != *b"\x93NUMPY" {
        return Err("is no .npy or .npz file".into());
    }
    let mut whole = start.to_vec();
    // Version 1 has two bytes for the header's length, later ones four.
    let mut length = [0; 4];
    let bytes = if start[6] == 1 { 2 } else { 4 };
    file.read_exact(&mut length[..bytes]).map_err(failed)?;
    whole.extend(&length[..bytes]);
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(format!("has a header of {length} bytes; a plain array's is below {LONGEST}"));
    }
    let at = whole.len();
    whole.resize(at + length, 0);
    file.read_exact(&mut whole[at..]).map_err(failed)?;
    const UNREADABLE: &str = "has a header that is none of a plain array";
    if !is_plain(&whole[at..]) {
        return Err(UNREADABLE.into());
    }
    let parsed = NpyHeader::from_reader(&whole[..]).map_err(|_| UNREADABLE)?;
    let kind = kind(&parsed.dtype());
    Ok(Header { parsed, kind })
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

/// Whether a header is as NumPy writes it for an array without fields, and its sizes multiply to a `u64`.
///
/// npyz evaluates any Python literal, by recursion, and multiplies sizes without a look at their product.
fn is_plain(text: &[u8]) -> bool {
    let (mut quoted, mut depth, mut product, mut size) = (false, 0, 1u64, None::<u64>);
    let mut last = b' ';
    for &c in text {
        let digit = c.is_ascii_digit() && !quoted;
        if digit {
            let grown = size.unwrap_or(0).checked_mul(10).and_then(|s| s.checked_add(u64::from(c - b'0')));
            let Some(grown) = grown else { return false };
            size = Some(grown);
        } else if let Some(size) = size.take() {
            // A size of 0 must not hide what the others multiply to.
            let Some(grown) = product.checked_mul(size.max(1)) else { return false };
            product = grown;
        }
        match c {
            b'\'' if last == b'\'' => return false,
            b'\'' => quoted = !quoted,
            b'\\' | b'"' => return false,
            _ if quoted => {}
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth -= 1,
            b',' | b':' | b' ' | b'\n' | b'0'..=b'9' => {}
            // The letters of True and False.
            b'T' | b'r' | b'u' | b'e' | b'F' | b'a' | b'l' | b's' => {}
            _ => return false,
        }
        if !(0..=2).contains(&depth) {
            return false;
        }
        last = c;
    }
    size.is_none() && !quoted
}

/// The kind of numbers of a type, if it is one that is read.
fn kind(of: &DType) -> Option<Kind> {
    let DType::Plain(of) = of else { return None };
    match (of.type_char(), of.size_field()) {
        (TypeChar::Uint, 1) => Some(Kind::Byte),
        (TypeChar::Bool, 1) => Some(Kind::Bool),
        (TypeChar::Float, 4) => Some(Kind::Single),
        (TypeChar::Float, 8) => Some(Kind::Double),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, String> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(text.len()).unwrap().to_le_bytes());
        bytes.extend(text.as_bytes());
        read(&mut &bytes[..])
    }

    fn why(text: &str) -> String {
        header(text).err().unwrap_or_default()
    }

    #[test]
    fn what_numpy_writes_is_read() {
        let read = header("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 40), }      \n").unwrap();
        assert_eq!((read.kind, read.shape(), read.is_fortran()), (Some(Kind::Single), &[3, 40][..], true));
        assert_eq!((read.shape_text(), read.type_text()), ("(3, 40)".into(), "'<f4'".into()));
        let vector = header("{'descr': '|b1', 'fortran_order': False, 'shape': (7,), }\n").unwrap();
        assert_eq!((vector.kind, vector.shape_text()), (Some(Kind::Bool), "(7,)".into()));
        assert_eq!(header("{'descr': '<i8', 'fortran_order': False, 'shape': (), }").unwrap().kind, None);
    }

    #[test]
    fn hostile_headers_are_refused() {
        let shape = |shape: &str| format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let nested = "(".repeat(4000);
        for bad in [
            shape("(99999999999999999999999,)"),
            shape("(4294967296, 4294967296)"),
            shape("(0, 4294967296, 4294967296)"),
            shape("(0xffffffffffffffff, 2)"),
            shape("(-1,)"),
            shape(&nested),
            shape("(2.0,)"),
            "{'descr': '''9'9''', 'shape': (2,), 'fortran_order': False}".into(),
            "{'descr': '<f4', 'shape': (2,)}".into(),
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }#".into(),
            "[1, 2]".into(),
            "'".into(),
            String::new(),
        ] {
            assert!(why(&bad).contains("header"), "{bad}: {}", why(&bad));
        }
        assert!(read(&mut &b"\x93NUMPY\x01\x00\xff"[..]).is_err_and(|e| e.contains("ends inside")));
        assert!(read(&mut &b"\x93NUMPY\x02\x00\xff\xff\xff\xff"[..]).is_err_and(|e| e.contains("4294967295 bytes")));
        assert!(read(&mut &b"PNG"[..]).is_err_and(|e| e.contains("no .npy")));
    }
}
