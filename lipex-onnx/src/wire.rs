//! Whether a graph's bytes are protocol buffers throughout, before a runtime reads them.
//!
//! rten-onnx 0.27 never ends on a number of eleven bytes or more, so a damaged file would hang the program.

use std::io::{BufRead, BufReader, Read, Seek};

/// What a length-delimited field holds; what nobody reads is skipped.
#[derive(Clone, Copy)]
enum Part {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    /// An input, an output, or what is known of a value between.
    Port,
    Type,
    /// A tensor's type, or a sequence's.
    Typed,
    Shape,
    /// Fields of which none has further parts.
    Flat,
    /// Whole numbers, one after the other.
    Numbers,
}

impl Part {
    /// What the field `number` of this part holds, by ONNX's `onnx.proto3`.
    fn of(self, number: u64) -> Option<Part> {
        Some(match (self, number) {
            (Part::Model, 7) | (Part::Attribute, 6) => Part::Graph,
            (Part::Model, 8 | 14) | (Part::Tensor, 13) | (Part::Shape, 1) => Part::Flat,
            (Part::Graph, 1) => Part::Node,
            (Part::Graph, 5) | (Part::Attribute, 5) => Part::Tensor,
            (Part::Graph, 11..=13) => Part::Port,
            (Part::Node, 5) => Part::Attribute,
            (Part::Attribute, 8) | (Part::Tensor, 1 | 5 | 7) => Part::Numbers,
            (Part::Port, 2) => Part::Type,
            (Part::Type, 1 | 4) => Part::Typed,
            (Part::Typed, 2) => Part::Shape,
            (Part::Typed, 1) => Part::Type,
            _ => return None,
        })
    }
}

/// A file, and the byte that is read next.
struct Reader<R> {
    file: BufReader<R>,
    at: u64,
}

/// The byte at which a file stops making sense, or why it cannot be read.
enum Stop {
    Damaged(u64),
    Unread(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Stop::Unread(error)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// A number of seven bits a byte that ends before `end`.
    fn number(&mut self, end: u64) -> Result<u64, Stop> {
        let (start, mut value) = (self.at, 0);
        for shift in (0..64).step_by(7) {
            let byte = if self.at < end { self.file.fill_buf()?.first().copied() } else { None };
            let byte = byte.ok_or(Stop::Damaged(start))?;
            self.file.consume(1);
            self.at += 1;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err(Stop::Damaged(start))
    }

    fn skip(&mut self, bytes: u64, end: u64) -> Result<(), Stop> {
        let to = self.at.checked_add(bytes).filter(|&to| to <= end).ok_or(Stop::Damaged(self.at))?;
        self.file.seek_relative(i64::try_from(bytes).map_err(|_| Stop::Damaged(self.at))?)?;
        self.at = to;
        Ok(())
    }

    /// Reads a part that ends at `end`, and the parts in it; no deeper than ONNX nests in earnest.
    fn part(&mut self, part: Part, end: u64, depth: usize) -> Result<(), Stop> {
        let start = self.at;
        if depth == 0 {
            return Err(Stop::Damaged(start));
        }
        while self.at < end {
            let field = self.at;
            let key = self.number(end)?;
            if let Part::Numbers = part {
                continue;
            }
            match key & 7 {
                0 => drop(self.number(end)?),
                1 => self.skip(8, end)?,
                2 => {
                    let bytes = self.number(end)?;
                    let inner = self.at.checked_add(bytes).filter(|&to| to <= end).ok_or(Stop::Damaged(field))?;
                    match part.of(key >> 3) {
                        Some(part) => self.part(part, inner, depth - 1)?,
                        None => self.skip(bytes, end)?,
                    }
                }
                5 => self.skip(4, end)?,
                _ => return Err(Stop::Damaged(field)),
            }
        }
        Ok(())
    }
}

/// Reads a graph's file to its end, without its weights.
///
/// # Errors
/// The first byte that makes no sense; what the system says of a file that cannot be read.
pub(crate) fn check(file: &std::fs::File) -> Result<(), String> {
    let read = || {
        let end = file.metadata()?.len();
        let mut reader = Reader { file: BufReader::new(file), at: 0 };
        reader.part(Part::Model, end, 100)?;
        reader.file.rewind()?;
        Ok(())
    };
    read().map_err(|stop| match stop {
        Stop::Damaged(at) => format!("is no ONNX graph, or one that is cut short: byte {at} makes no sense"),
        Stop::Unread(error) => format!("cannot be read: {error}"),
    })
}
