//! Whether a graph's bytes are protocol buffers throughout, before a runtime reads them.
//!
//! rten-onnx 0.27 never ends on a number of eleven bytes or more, so a damaged file would hang the program. The file is read as a
//! stream that skips the weights, which may be most of the memory there is.

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// The byte at which a model's bytes stop making sense.
    fn stops(bytes: &[u8]) -> Option<u64> {
        let mut reader = Reader { file: BufReader::new(Cursor::new(bytes)), at: 0 };
        match reader.part(Part::Model, bytes.len() as u64, 100) {
            Ok(()) => None,
            Err(Stop::Damaged(at)) => Some(at),
            Err(Stop::Unread(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn a_number_has_ten_bytes_at_most() {
        let number = |long: usize| [vec![8], vec![0xff; long], vec![1]].concat();
        assert_eq!((stops(&number(0)), stops(&number(9))), (None, None));
        assert_eq!(stops(&number(10)), Some(1));
        // In the list of a weight of the graph: field 7, in it 5, in it 7.
        let list = |numbers: &[u8]| {
            let weight = [&[0x3a, numbers.len() as u8], numbers].concat();
            let graph = [&[0x2a, weight.len() as u8], weight.as_slice()].concat();
            [&[0x3a, graph.len() as u8], graph.as_slice()].concat()
        };
        assert_eq!(stops(&list(&[1, 0x80, 1, 0])), None);
        assert_eq!(stops(&list(&[&[3; 2], [0xff; 10].as_slice(), &[1]].concat())), Some(8));
        // The same bytes as raw numbers are nobody's number.
        let raw = |bytes: &[u8]| [&[0x3a, 15, 0x2a, 13, 0x4a, 11], bytes].concat();
        assert_eq!(stops(&raw(&[0xff; 11])), None);
    }

    #[test]
    fn parts_end_in_what_they_are_part_of() {
        assert_eq!(stops(&[0x3a, 2, 0x0a, 0]), None);
        // The node in the graph is a byte longer than the graph.
        assert_eq!(stops(&[0x3a, 2, 0x0a, 1, 0]), Some(2));
        assert_eq!(stops(&[0x3a, 9]), Some(0));
        // Fixed numbers that are cut, and groups, which ONNX has not.
        assert_eq!((stops(&[0x0d, 0, 0, 0, 0]), stops(&[0x0d, 0, 0]), stops(&[0x0b])), (None, Some(1), Some(0)));
    }

    #[test]
    fn graphs_in_graphs_do_not_fill_the_stack() {
        let mut bytes: Vec<u8> = Vec::new();
        for _ in 0..40 {
            for tag in [0x32, 0x2a, 0x0a] {
                let mut length = Vec::new();
                let mut left = bytes.len();
                while left > 127 {
                    length.push(left as u8 | 128);
                    left >>= 7;
                }
                length.push(left as u8);
                bytes = [&[tag], length.as_slice(), &bytes].concat();
            }
        }
        let mut length = vec![bytes.len() as u8 | 128, (bytes.len() >> 7) as u8];
        length.insert(0, 0x3a);
        assert!(stops(&[length, bytes].concat()).is_some());
    }
}
