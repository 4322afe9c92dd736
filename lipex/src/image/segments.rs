//! Which segment each pixel belongs to.
//!
//! # Forms
//! A grid, a map that is given (`.npy` of any integers, or a PNG of which each colour is a segment), or one made from the
//! picture ([`Segmenter`](crate::Segmenter)). Segments are numbered in the order of the map's values; names are `r2c3` in a
//! grid, else numbers.

mod felzenszwalb;
mod quickshift;
mod save;
mod segmenter;
mod slic;
mod smooth;
mod union;

pub use segmenter::Segmenter;

use super::decode::{self, Format, damaged};
use super::picture::check_size;
use lipex_core::{Error, Feature, Region, Result, expect_len};
use png::{BitDepth, ColorType, Transformations};
use std::fmt;
use std::io::Cursor;

/// Most segments of a map. More is no segmentation but most likely a picture.
pub const MOST_SEGMENTS: usize = 10_000;

/// A segment map: for each pixel the number of its segment, 0…n−1, and for each segment its name.
///
/// Maps may have any ids; they are numbered in ascending order, and the ids are kept as names. A segment need not be
/// connected.
///
/// ```
/// use lipex::SegmentMap;
///
/// let map = SegmentMap::from_ids(3, 2, &[7, 7, -1, 7, 40, 40])?;
/// assert_eq!(map.of_pixels(), [1, 1, 0, 1, 2, 2]);
/// assert_eq!(map.names(), ["-1", "7", "40"]);
/// let grid = SegmentMap::grid(3, 2, 2, 1)?; // two rows, one column
/// assert_eq!(grid.of_pixels(), [0, 0, 0, 1, 1, 1]);
/// assert_eq!(grid.names(), ["r1c1", "r2c1"]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SegmentMap {
    /// Pixels in a row.
    width: usize,
    /// Rows.
    height: usize,
    /// The segment of each pixel, row by row.
    of: Vec<u16>,
    /// What each segment is called.
    names: Vec<String>,
    /// How it was made, for reports.
    kind: String,
}

impl fmt::Debug for SegmentMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentMap({}×{}, {} segments)", self.width, self.height, self.names.len())
    }
}

impl SegmentMap {
    /// A map from an id for each pixel, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of ids; [`Error::Instance`] for one segment only, or more than
    /// [`MOST_SEGMENTS`].
    pub fn from_ids<T: Copy + Ord + fmt::Display>(width: usize, height: usize, ids: &[T]) -> Result<Self> {
        let pixels = check_size(width, height)?;
        expect_len(&format!("ids in a segment map of {width}×{height}"), pixels, ids.len())?;
        let distinct = distinct(ids)?;
        let mut of = Vec::with_capacity(pixels);
        for run in ids.chunk_by(|a, b| a == b) {
            let segment = distinct.partition_point(|id| *id < run[0]);
            of.resize(of.len() + run.len(), segment as u16);
        }
        let names: Vec<String> = distinct.iter().map(T::to_string).collect();
        let kind = format!("map of {}", names.len());
        several(SegmentMap { width, height, of, names, kind })
    }

    /// A grid of `rows` × `columns` cells of nearly equal size, named `r1c1` (top left), `r1c2` …
    ///
    /// # Errors
    /// [`Error::Instance`] for one cell, more than [`MOST_SEGMENTS`], or more rows or columns than the picture has.
    pub fn grid(width: usize, height: usize, rows: usize, columns: usize) -> Result<Self> {
        let pixels = check_size(width, height)?;
        if rows == 0 || columns == 0 || rows > height || columns > width {
            return Err(Error::Instance(format!(
                "a grid of {rows} rows and {columns} columns does not fit a picture of {width}×{height} pixels"
            )));
        }
        if rows.saturating_mul(columns) > MOST_SEGMENTS {
            return Err(too_many());
        }
        let mut of = Vec::with_capacity(pixels);
        for y in 0..height {
            // The cell whose share of the side the pixel is in.
            let row = (y * rows) / height;
            of.extend((0..width).map(|x| (row * columns + (x * columns) / width) as u16));
        }
        let names = (0..rows * columns).map(|i| format!("r{}c{}", i / columns + 1, i % columns + 1)).collect();
        several(SegmentMap { width, height, of, names, kind: format!("grid:{rows}x{columns}") })
    }

    /// A map from the bytes of a PNG or `.npy` file.
    ///
    /// PNG: grey values of up to 16 bits are the ids, or the indices of a palette, or 8-bit colours, named `#rrggbb`.
    /// `.npy`: a matrix of whole numbers or truth values, height × width.
    ///
    /// # Errors
    /// [`Error::Instance`] for another file, a damaged one, one segment only, or more than [`MOST_SEGMENTS`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        match decode::format(bytes) {
            Some(Format::Png) => png(bytes),
            #[cfg(feature = "npy")]
            Some(Format::Npy) => super::numpy::segment_map(bytes),
            #[cfg(not(feature = "npy"))]
            Some(Format::Npy) => Err(Error::Instance("is a .npy file, which needs the feature npy; give a PNG".into())),
            Some(Format::Jpeg) => Err(Error::Instance(
                "is a JPEG, which blurs ids where segments meet; save the segment map as PNG or .npy".into(),
            )),
            Some(_) | None => {
                Err(Error::Instance("is no segment map that can be read: give a PNG or a .npy file".into()))
            }
        }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The segment of each pixel, row by row.
    pub fn of_pixels(&self) -> &[u16] {
        &self.of
    }

    /// Each segment's name: its id in the map.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of segments.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no segment: never, since a map has at least two.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What it is called in reports.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The segments as features: names and regions.
    pub fn features(&self) -> Vec<Feature> {
        let mut regions = vec![Region { pixels: 0, bounds: [usize::MAX, usize::MAX, 0, 0] }; self.len()];
        // Runs may go on in the next row, so rows are taken one by one.
        for (y, row) in self.of.chunks_exact(self.width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| a == b) {
                let region = &mut regions[usize::from(run[0])];
                region.pixels += run.len();
                let [left, top, right, bottom] = region.bounds;
                region.bounds = [left.min(x), top.min(y), right.max(x + run.len()), bottom.max(y + 1)];
                x += run.len();
            }
        }
        let feature = |(name, region): (&String, Region)| Feature {
            name: name.clone(),
            region: Some(region),
            ..Feature::default()
        };
        self.names.iter().zip(regions).map(feature).collect()
    }
}

/// The distinct ids, ascending.
fn distinct<T: Copy + Ord>(ids: &[T]) -> Result<Vec<T>> {
    let mut found: Vec<T> = Vec::new();
    for run in ids.chunk_by(|a, b| a == b) {
        if let Err(at) = found.binary_search(&run[0]) {
            if found.len() == MOST_SEGMENTS {
                return Err(too_many());
            }
            found.insert(at, run[0]);
        }
    }
    Ok(found)
}

/// More segments than [`MOST_SEGMENTS`].
fn too_many() -> Error {
    Error::Instance(format!(
        "there are more than {MOST_SEGMENTS} segments, which is more a picture than a segment map; merge some"
    ))
}

/// Passes if there is more than one segment.
fn several(map: SegmentMap) -> Result<SegmentMap> {
    if map.len() < 2 {
        return Err(Error::Instance(
            "there is one segment only, the whole picture: an explanation needs at least two".into(),
        ));
    }
    Ok(map)
}

/// A colour as an id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// A map out of a PNG: each colour is a segment.
fn png(bytes: &[u8]) -> Result<SegmentMap> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    let header = decoder.read_header_info().map_err(|e| damaged("PNG", e))?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width, height)?;
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    let mut reader = decoder.read_info().map_err(|e| damaged("PNG", e))?;
    let len = reader.output_buffer_size().ok_or_else(|| damaged("PNG", "it is too large"))?;
    let mut raw = vec![0; len];
    let info = reader.next_frame(&mut raw).map_err(|e| damaged("PNG", e))?;
    raw.truncate(info.buffer_size());
    match (info.color_type, info.bit_depth) {
        (ColorType::Grayscale | ColorType::Indexed, BitDepth::Sixteen) => {
            let ids: Vec<u16> = raw.as_chunks().0.iter().map(|b| u16::from_be_bytes(*b)).collect();
            SegmentMap::from_ids(width, height, &ids)
        }
        (ColorType::Grayscale | ColorType::Indexed, depth) => {
            let ids: Vec<u8> =
                raw.chunks_exact(info.line_size.max(1)).flat_map(|row| unpack(row, depth as usize, width)).collect();
            SegmentMap::from_ids(width, height, &ids)
        }
        (ColorType::Rgb, BitDepth::Eight) => {
            let ids: Vec<Colour> = raw.as_chunks().0.iter().map(|c| Colour(*c)).collect();
            SegmentMap::from_ids(width, height, &ids)
        }
        (ColorType::Rgba, BitDepth::Eight) if raw.as_chunks::<4>().0.iter().all(|c| c[3] == 255) => {
            let ids: Vec<Colour> = raw.as_chunks().0.iter().map(|&[r, g, b, _]| Colour([r, g, b])).collect();
            SegmentMap::from_ids(width, height, &ids)
        }
        _ => {
            Err(Error::Instance("the PNG of a segment map must be grey, have a palette or opaque 8-bit colours".into()))
        }
    }
}

/// Numbers of `bits` bits each, packed from the high end of each byte.
fn unpack(row: &[u8], bits: usize, width: usize) -> impl Iterator<Item = u8> + '_ {
    let mask = ((1u16 << bits) - 1) as u8;
    (0..width).map(move |x| {
        let bit = x * bits;
        row[bit / 8] >> (8 - bits - bit % 8) & mask
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_depths_are_unpacked() {
        assert_eq!(unpack(&[0b1011_0001], 1, 8).collect::<Vec<_>>(), [1, 0, 1, 1, 0, 0, 0, 1]);
        assert_eq!(unpack(&[0b1011_0001], 2, 3).collect::<Vec<_>>(), [2, 3, 0]);
        assert_eq!(unpack(&[0xab, 0xc0], 4, 3).collect::<Vec<_>>(), [10, 11, 12]);
        assert_eq!(unpack(&[7, 255], 8, 2).collect::<Vec<_>>(), [7, 255]);
    }

    #[test]
    fn regions_are_boxes_around_all_parts() {
        let map = SegmentMap::from_ids(4, 2, &[0, 1, 1, 0, 2, 2, 1, 1]).unwrap();
        let regions: Vec<Region> = map.features().into_iter().filter_map(|f| f.region).collect();
        assert_eq!(regions[0], Region { pixels: 2, bounds: [0, 0, 4, 1] });
        assert_eq!(regions[1], Region { pixels: 4, bounds: [1, 0, 4, 2] });
        assert_eq!(regions[2], Region { pixels: 2, bounds: [0, 1, 2, 2] });
    }
}
