//! Pillow's resizer, of a box with fractional edges: the same bytes.
//!
//! # Source
//! Pillow's `Resample.c` and `Geometry.c` (nearest): coefficients in f64, rounded to 22 bits, two passes with bytes between them.

use lipex_core::{Error, Result};

/// Pillow's filters, by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Nearest,
    Lanczos,
    Bilinear,
    Bicubic,
    Box,
    Hamming,
}

impl Filter {
    /// The filter of a number: `resample` in a `preprocessor_config.json`.
    pub fn by_number(number: usize) -> Option<Self> {
        use Filter::*;
        [Nearest, Lanczos, Bilinear, Bicubic, Box, Hamming].get(number).copied()
    }

    /// How far it reaches, in pixels of the smaller picture.
    fn support(self) -> f64 {
        match self {
            Filter::Nearest | Filter::Box => 0.5,
            Filter::Bilinear | Filter::Hamming => 1.0,
            Filter::Bicubic => 2.0,
            Filter::Lanczos => 3.0,
        }
    }

    /// The filter at a distance of x pixels of the coarser grid.
    fn weight(self, x: f64) -> f64 {
        use std::f64::consts::PI;
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) };
        match self {
            Filter::Nearest | Filter::Box => f64::from(x > -0.5 && x <= 0.5),
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Hamming if x.abs() < 1.0 => sinc(x) * (0.54 + 0.46 * (x * PI).cos()),
            Filter::Bicubic => {
                const A: f64 = -0.5;
                match x.abs() {
                    x if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
                    x if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
                    _ => 0.0,
                }
            }
            Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Hamming | Filter::Lanczos => 0.0,
        }
    }
}

/// Pixels of three bytes, rows from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pixels {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green and blue, row by row.
    pub rgb: Vec<u8>,
}

/// A box in a picture: left, top, right, bottom, in pixels.
pub(crate) type Area = [f64; 4];

/// The part of a picture within `area`, as `width` × `height` pixels.
///
/// # Errors
/// [`Error::Model`] for a box that is no part of the picture, or no pixels.
pub(crate) fn resize(from: &Pixels, area: Area, width: usize, height: usize, filter: Filter) -> Result<Pixels> {
    let [left, top, right, bottom] = area;
    let inside = left >= 0.0 && top >= 0.0 && right <= from.width as f64 && bottom <= from.height as f64;
    if !inside || left >= right || top >= bottom || width == 0 || height == 0 {
        return Err(Error::model(format!(
            "{left}, {top} to {right}, {bottom} of a picture of {}×{} pixels cannot be made {width}×{height}",
            from.width, from.height
        )));
    }
    if filter == Filter::Nearest {
        return Ok(nearest(from, area, width, height));
    }
    let across = Axis::new(from.width, left, right, width, filter);
    let down = Axis::new(from.height, top, bottom, height, filter);
    // Bytes stand between the passes, so their order shows in the last bit or so. Pillow 13 begins with the columns of upright
    // pictures; older ones begin with the rows.
    Ok(match from.height > from.width {
        true => across.horizontal(&down.vertical(from)),
        false => down.vertical(&across.horizontal(from)),
    })
}

/// The pixel in whose middle each new one's middle falls.
fn nearest(from: &Pixels, area: Area, width: usize, height: usize) -> Pixels {
    let [left, top, right, bottom] = area;
    let place = |i: usize, low: f64, step: f64, most: usize| ((low + (i as f64 + 0.5) * step) as usize).min(most - 1);
    let (dx, dy) = ((right - left) / width as f64, (bottom - top) / height as f64);
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        let row = place(y, top, dy, from.height) * from.width;
        for x in 0..width {
            let at = 3 * (row + place(x, left, dx, from.width));
            rgb.extend_from_slice(&from.rgb[at..at + 3]);
        }
    }
    Pixels { width, height, rgb }
}

/// Bits after the point of a coefficient.
const BITS: u32 = 32 - 8 - 2;
/// Half of the last bit kept, so that a shift rounds.
const HALF: i32 = 1 << (BITS - 1);

/// A sum in 22-bit fractions as a byte.
fn byte(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// How the pixels along one axis are made: for each new one the first old one and the coefficients from there.
struct Axis(Vec<(usize, Vec<i32>)>);

impl Axis {
    /// The coefficients of one direction: for each new pixel where its window starts and what it weighs.
    fn new(old: usize, low: f64, high: f64, new: usize, filter: Filter) -> Self {
        let scale = (high - low) / new as f64;
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let made = (0..new).map(|i| {
            let centre = low + (i as f64 + 0.5) * scale;
            let first = ((centre - support + 0.5) as i64).max(0) as usize;
            let end = ((centre + support + 0.5) as usize).min(old);
            let weights: Vec<f64> =
                (first..end).map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / stretch))).collect();
            let sum: f64 = weights.iter().sum();
            let fixed = |w: &f64| {
                let w = if sum == 0.0 { *w } else { w / sum } * f64::from(1u32 << BITS);
                (if w < 0.0 { w - 0.5 } else { w + 0.5 }) as i32
            };
            (first, weights.iter().map(fixed).collect())
        });
        Axis(made.collect())
    }

    /// Rows, each to the new width.
    fn horizontal(&self, from: &Pixels) -> Pixels {
        let width = self.0.len();
        let mut rgb = Vec::with_capacity(3 * width * from.height);
        for row in from.rgb.chunks_exact(3 * from.width) {
            let row = row.as_chunks::<3>().0;
            for (first, weights) in &self.0 {
                let mut sums = [HALF; 3];
                for (pixel, &w) in row[*first..].iter().zip(weights) {
                    (0..3).for_each(|c| sums[c] += i32::from(pixel[c]) * w);
                }
                rgb.extend(sums.map(byte));
            }
        }
        Pixels { width, height: from.height, rgb }
    }

    /// Columns, each to the new height.
    fn vertical(&self, from: &Pixels) -> Pixels {
        let row = 3 * from.width;
        let mut rgb = Vec::with_capacity(row * self.0.len());
        for (first, weights) in &self.0 {
            let mut sums = vec![HALF; row];
            for (old, &w) in from.rgb[first * row..].chunks_exact(row).zip(weights) {
                sums.iter_mut().zip(old).for_each(|(sum, &v)| *sum += i32::from(v) * w);
            }
            rgb.extend(sums.into_iter().map(byte));
        }
        Pixels { width: from.width, height: self.0.len(), rgb }
    }
}
