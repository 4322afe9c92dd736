//! Quickshift: each pixel follows the nearest one where more pixels are alike.
//!
//! The density at a pixel is the sum over the pixels around it of exp(−d²/2k²), d the distance in colour (L\*a\*b\* times
//! `ratio`) and place together. A pixel's parent is the nearest denser one in the window; no parent further off than
//! `distance`. The trees are the segments.
//!
//! # Source
//! Vedaldi and Soatto, "Quick shift and kernel methods for mode seeking", ECCV 2008; scikit-image 0.26, but for its
//! noise of 1e-5 on densities, which breaks ties: here the earlier of equal pixels is the denser.
//!
//! # Numerics
//! In f64: on flat, bright places densities differ by less than what single precision rounds away.

use super::smooth::lab;
use super::union::Union;
use crate::image::Picture;
use std::ops::Range;

/// The pixels around one.
struct Window<'a> {
    /// L*a*b* times the ratio, a pixel each.
    colours: &'a [[f64; 3]],
    /// Pixels in a row.
    w: usize,
    /// Rows.
    h: usize,
    /// How far the window goes to each side: 3 kernels.
    reach: usize,
}

/// The segment of each pixel.
pub(super) fn quickshift(picture: &Picture, kernel: f64, distance: f64, ratio: f64) -> Vec<u32> {
    let (w, h) = (picture.width(), picture.height());
    let colours: Vec<[f64; 3]> = lab(picture).iter().map(|p| p.map(|v| v * ratio)).collect();
    let window = Window { colours: &colours, w, h, reach: (3.0 * kernel).ceil() as usize };
    let fall = -0.5 / (kernel * kernel);
    let mut density = vec![0f64; w * h];
    for (pixel, density) in density.iter_mut().enumerate() {
        window.around(pixel, |_, d| *density += (d * fall).exp());
    }
    let most = distance * distance;
    let mut trees = Union::new(w * h);
    for pixel in 0..w * h {
        let mut nearest = (f64::INFINITY, pixel);
        window.around(pixel, |other, d| {
            let denser = density[other] > density[pixel] || (density[other] == density[pixel] && other < pixel);
            if denser && d < nearest.0 {
                nearest = (d, other);
            }
        });
        if nearest.0 <= most {
            let (a, b) = (trees.root(pixel as u32), trees.root(nearest.1 as u32));
            if a != b {
                trees.join(a, b);
            }
        }
    }
    trees.numbered()
}

impl Window<'_> {
    /// The pixels around one, itself among them, each with its squared distance.
    fn around(&self, pixel: usize, mut see: impl FnMut(usize, f64)) {
        let (x, y) = (pixel % self.w, pixel / self.w);
        let near =
            |at: usize, side: usize| -> Range<usize> { at.saturating_sub(self.reach)..(at + self.reach + 1).min(side) };
        let own = self.colours[pixel];
        let square = |a: usize, b: usize| (a.abs_diff(b) * a.abs_diff(b)) as f64;
        for row in near(y, self.h) {
            let down = square(row, y);
            let columns = near(x, self.w);
            let colours = &self.colours[row * self.w + columns.start..row * self.w + columns.end];
            for (column, other) in columns.zip(colours) {
                let colour = (0..3).map(|c| (own[c] - other[c]) * (own[c] - other[c])).sum::<f64>();
                see(row * self.w + column, colour + down + square(column, x));
            }
        }
    }
}
