//! Quickshift: each pixel follows the nearest one where more pixels are alike.
//!
//! The density at a pixel is the sum over the pixels around it of exp(−d²/2k²), d the distance in colour (L\*a\*b\* times
//! `ratio`) and place together. A pixel's parent is the nearest denser one in the window; no parent further off than
//! `distance`. The trees are the segments.
//!
//! # Source
//! Vedaldi and Soatto, "Quick shift and kernel methods for mode seeking", ECCV 2008; scikit-image 0.26, but for ties of
//! density, which are drawn at random there and go to the earlier pixel here.

use super::smooth::lab;
use super::union::Union;
use crate::image::Picture;
use std::ops::Range;

/// The pixels around one.
struct Window<'a> {
    /// L*a*b* times the ratio, a pixel each.
    colours: &'a [[f32; 3]],
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
    let colours: Vec<[f32; 3]> = lab(picture).iter().map(|p| p.map(|v| (v * ratio) as f32)).collect();
    let window = Window { colours: &colours, w, h, reach: (3.0 * kernel).ceil() as usize };
    let fall = (-0.5 / (kernel * kernel)) as f32;
    let mut density = vec![0f32; w * h];
    for (pixel, density) in density.iter_mut().enumerate() {
        window.around(pixel, |_, d| *density += (d * fall).exp());
    }
    let most = (distance * distance) as f32;
    let mut trees = Union::new(w * h);
    for pixel in 0..w * h {
        let mut nearest = (f32::INFINITY, pixel);
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
    fn around(&self, pixel: usize, mut see: impl FnMut(usize, f32)) {
        let (x, y) = (pixel % self.w, pixel / self.w);
        let near =
            |at: usize, side: usize| -> Range<usize> { at.saturating_sub(self.reach)..(at + self.reach + 1).min(side) };
        let own = self.colours[pixel];
        let square = |a: usize, b: usize| (a.abs_diff(b) * a.abs_diff(b)) as f32;
        for row in near(y, self.h) {
            let down = square(row, y);
            let columns = near(x, self.w);
            let colours = &self.colours[row * self.w + columns.start..row * self.w + columns.end];
            for (column, other) in columns.zip(colours) {
                let colour = (0..3).map(|c| (own[c] - other[c]) * (own[c] - other[c])).sum::<f32>();
                see(row * self.w + column, colour + down + square(column, x));
            }
        }
    }
}
