//! From a file to the numbers of one array.
//!
//! # Limits
//! An array's bytes are counted from its header before anything is allocated: at most [`MOST_BYTES`](super::MOST_BYTES).
//! Little and big endian, C and Fortran order, integers, booleans and floats are read; each number is checked as it is
//! converted.

use super::header::{self, Header, Kind};
use super::{Array, MOST_BYTES};
use lipex_core::{Error, Result};
use npyz::{Deserialize, NpyFile};
use std::io::{Read, Seek};
use zip::ZipArchive;

/// Bytes that are allocated on the word of a header, before they are there.
const MOST_AHEAD: u64 = 1 << 24;

/// Which array is being read, and from where: for errors.
pub(super) struct Origin<'a> {
    /// `masks`, `probs` or `weights`: the option, and the array's name in a `.npz`.
    pub what: &'static str,
    /// The file's name.
    pub name: &'a str,
}

/// An array as it lies in the file.
pub(super) struct Raw {
    /// Type, order and shape.
    header: Header,
    /// Length of the first dimension.
    rows: usize,
    /// Length of the second; 1 of a vector.
    columns: usize,
    /// The elements.
    bytes: Vec<u8>,
}

impl Origin<'_> {
    /// An error that names the file and its array.
    pub fn refuse(&self, reason: String) -> Error {
        // A library's message may have several lines.
        let reason: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Error::setting(self.what, self.name, reason)
    }

    /// An element that is neither 0 nor 1.
    fn no_mask(&self, row: usize, column: usize, is: f64) -> Error {
        self.refuse(format!("row {row}, column {column} is {is}; masks are 0 or 1"))
    }

    /// A matrix.
    pub fn array(&self, file: impl Read + Seek) -> Result<Raw> {
        self.read(file, 2)
    }

    /// A vector, as a matrix of one column.
    pub fn vector(&self, file: impl Read + Seek) -> Result<Raw> {
        self.read(file, 1)
    }

    /// The array of a `.npy` file, or of a member of a `.npz` file.
    fn read(&self, mut file: impl Read + Seek, dimensions: usize) -> Result<Raw> {
        let unreadable = |e: std::io::Error| self.refuse(format!("cannot be read: {e}"));
        let mut magic = [0; 2];
        let mut got = 0;
        while got < magic.len() {
            match file.read(&mut magic[got..]).map_err(unreadable)? {
                0 => break,
                n => got += n,
            }
        }
        // Only an archive is read with jumps, so that a pipe can bring a .npy file.
        if magic != *b"PK" {
            return self.decode(&mut (&magic[..got]).chain(file), dimensions);
        }
        file.rewind().map_err(unreadable)?;
        let mut archive =
            ZipArchive::new(file).map_err(|e| self.refuse(format!("is no .npz file that can be read: {e}")))?;
        let member = format!("{}.npy", self.what);
        if archive.index_for_name(&member).is_none() {
            let names: Vec<String> = archive.file_names().flatten().map(|n| n.into_owned()).take(5).collect();
            return Err(self.refuse(format!("has no array named {}; it holds {}", self.what, names.join(", "))));
        }
        let mut array = archive.by_name(&member).map_err(|e| self.refuse(format!("its array {}: {e}", self.what)))?;
        self.decode(&mut array, dimensions)
    }

    /// Header and bytes of an array of so many dimensions.
    fn decode(&self, file: &mut dyn Read, dimensions: usize) -> Result<Raw> {
        let header = header::read(file).map_err(|reason| self.refuse(reason))?;
        let Some(kind) = header.kind else {
            let (has, takes) = (header.type_text(), self.types());
            return Err(self.refuse(format!("has numbers of type {has}; convert it to {takes}")));
        };
        if header.shape().len() != dimensions {
            let wants = if dimensions == 1 { "one dimension, a number a row" } else { "two dimensions" };
            return Err(self.refuse(format!("has the shape {}; it must have {wants}", header.shape_text())));
        }
        let (rows, columns) = (header.shape()[0], header.shape().get(1).copied().unwrap_or(1));
        if rows == 0 || columns == 0 {
            return Err(self.refuse(format!("has the shape {}: there is nothing in it", header.shape_text())));
        }
        let promised = rows.checked_mul(columns).and_then(|n| n.checked_mul(kind.bytes()));
        let Some(promised) = promised.filter(|&bytes| bytes <= MOST_BYTES) else {
            let most = MOST_BYTES >> 30;
            return Err(self.refuse(format!("has the shape {}, which is above {most} GiB", header.shape_text())));
        };
        // Above this it grows with what there is: a header may promise what the file does not hold.
        let mut bytes = Vec::with_capacity(promised.min(MOST_AHEAD) as usize);
        let read = file.take(promised + 1).read_to_end(&mut bytes);
        read.map_err(|e| self.refuse(format!("cannot be read: {e}")))?;
        match (bytes.len() as u64).cmp(&promised) {
            std::cmp::Ordering::Less => {
                let (shape, got) = (header.shape_text(), bytes.len());
                Err(self.refuse(format!("is cut short: the shape {shape} needs {promised} bytes, it has {got}")))
            }
            std::cmp::Ordering::Greater => {
                Err(self.refuse(format!("goes on after the {promised} bytes of its array {}", header.shape_text())))
            }
            // Both are at most `promised`, which has been allocated.
            std::cmp::Ordering::Equal => Ok(Raw { header, rows: rows as usize, columns: columns as usize, bytes }),
        }
    }

    /// The element types that are taken, for errors.
    fn types(&self) -> &'static str {
        if self.what == "masks" { "uint8, bool, float32 or float64" } else { "float32 or float64" }
    }
}

impl Raw {
    /// Numbers that must be 0 or 1.
    pub fn zeros_and_ones(self, origin: &Origin<'_>) -> Result<Array<u8>> {
        match self.header.kind {
            Some(Kind::Single) => self.decoded::<f32>(origin)?.map(|v| bit(f64::from(v)), origin),
            Some(Kind::Double) => self.decoded::<f64>(origin)?.map(bit, origin),
            _ => self.bytes_of_zeros_and_ones(origin),
        }
    }

    /// As they lie, without a copy where they lie by rows.
    fn bytes_of_zeros_and_ones(self, origin: &Origin<'_>) -> Result<Array<u8>> {
        let Raw { header, rows, columns, bytes } = self;
        let values = if header.is_fortran() { row_major(&bytes, rows, columns) } else { bytes };
        match values.iter().position(|&v| v > 1) {
            Some(i) => Err(origin.no_mask(i / columns, i % columns, f64::from(values[i]))),
            None => Ok(Array { rows, columns, values }),
        }
    }

    /// Numbers of any value, as they are in the file.
    pub fn numbers(self, origin: &Origin<'_>) -> Result<Numbers> {
        match self.header.kind {
            Some(Kind::Single) => self.decoded(origin).map(Numbers::Single),
            Some(Kind::Double) => self.decoded(origin).map(Numbers::Double),
            _ => {
                let (has, takes) = (self.header.type_text(), origin.types());
                Err(origin.refuse(format!("has numbers of type {has}; convert it to {takes}")))
            }
        }
    }

    /// The elements in row-major order, whatever their order in the file.
    fn decoded<T: Deserialize + Copy>(self, origin: &Origin<'_>) -> Result<Array<T>> {
        let Raw { header, rows, columns, bytes } = self;
        let fortran = header.is_fortran();
        let values = NpyFile::with_header(header.parsed, &bytes[..])
            .into_vec::<T>()
            .map_err(|e| origin.refuse(format!("cannot be read: {e}")))?;
        let values = if fortran { row_major(&values, rows, columns) } else { values };
        Ok(Array { rows, columns, values })
    }
}

impl<T: Copy> Array<T> {
    /// Converts each element; the first that cannot be is named by its place.
    fn map<U>(self, change: impl Fn(T) -> std::result::Result<U, f64>, origin: &Origin<'_>) -> Result<Array<U>> {
        let Array { rows, columns, values } = self;
        let mut changed = Vec::with_capacity(values.len());
        for (i, v) in values.into_iter().enumerate() {
            changed.push(change(v).map_err(|v| origin.no_mask(i / columns, i % columns, v))?);
        }
        Ok(Array { rows, columns, values: changed })
    }
}

/// Numbers of either type.
pub(super) enum Numbers {
    Single(Array<f32>),
    Double(Array<f64>),
}

/// Numbers, rounded to the f32 that lipex computes with.
pub(super) fn rounded(numbers: Array<f64>) -> Array<f32> {
    let Array { rows, columns, values } = numbers;
    Array { rows, columns, values: values.into_iter().map(|v| v as f32).collect() }
}

/// 0 or 1, or what it is instead.
fn bit(v: f64) -> std::result::Result<u8, f64> {
    if v == 1.0 {
        Ok(1)
    } else if v == 0.0 {
        Ok(0)
    } else {
        Err(v)
    }
}

/// Column-major numbers in row-major order.
pub(crate) fn row_major<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    (0..rows).flat_map(|i| (0..columns).map(move |j| values[j * rows + i])).collect()
}
