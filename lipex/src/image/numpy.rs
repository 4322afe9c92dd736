//! Segment maps out of `.npy` files.

use super::SegmentMap;
use super::picture::check_size;
use crate::npy::header::{self, Header};
use crate::npy::row_major;
use lipex_core::{Error, Result};
use npyz::{DType, Deserialize, NpyFile, TypeChar};
use std::fmt::Display;

/// A segment map out of the bytes of a `.npy` file: a matrix of whole numbers or truth values, height × width.
///
/// # Errors
/// [`Error::Instance`] for anything else, and those of [`SegmentMap::from_ids`].
pub(crate) fn segment_map(mut bytes: &[u8]) -> Result<SegmentMap> {
    let refuse = |reason: String| Error::Instance(format!("the .npy file {reason}"));
    let header = header::read(&mut bytes).map_err(refuse)?;
    let &[height, width] = header.shape() else {
        return Err(refuse(format!("has the shape {}; a segment map has two, height and width", header.shape_text())));
    };
    let side = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let size = (side(width), side(height));
    check_size(size.0, size.1)?;
    let DType::Plain(of) = header.parsed.dtype() else { return Err(refuse("is a table with fields".into())) };
    match (of.type_char(), of.size_field()) {
        (TypeChar::Bool, 1) => map::<bool>(header, size, bytes),
        (TypeChar::Uint, 1) => map::<u8>(header, size, bytes),
        (TypeChar::Uint, 2) => map::<u16>(header, size, bytes),
        (TypeChar::Uint, 4) => map::<u32>(header, size, bytes),
        (TypeChar::Uint, 8) => map::<u64>(header, size, bytes),
        (TypeChar::Int, 1) => map::<i8>(header, size, bytes),
        (TypeChar::Int, 2) => map::<i16>(header, size, bytes),
        (TypeChar::Int, 4) => map::<i32>(header, size, bytes),
        (TypeChar::Int, 8) => map::<i64>(header, size, bytes),
        _ => Err(refuse(format!("has numbers of type {}; ids are whole numbers: .astype(int)", header.type_text()))),
    }
}

/// A map of any integer type; the values number the segments, in ascending order.
fn map<T>(header: Header, (width, height): (usize, usize), bytes: &[u8]) -> Result<SegmentMap>
where
    T: Deserialize + Copy + Ord + Display,
{
    // Sizes are checked: at most 50 million numbers.
    let (needed, got) = (width * height * size_of::<T>(), bytes.len());
    if needed != got {
        let shape = header.shape_text();
        return Err(Error::Instance(format!("the .npy file's shape {shape} needs {needed} bytes, it has {got}")));
    }
    let fortran = header.is_fortran();
    let unreadable = |e: std::io::Error| Error::Instance(format!("the .npy file cannot be read: {e}"));
    let ids = NpyFile::with_header(header.parsed, bytes).into_vec::<T>().map_err(unreadable)?;
    let ids = if fortran { row_major(&ids, height, width) } else { ids };
    SegmentMap::from_ids(width, height, &ids)
}
