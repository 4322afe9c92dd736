//! A Gaussian blur.
//!
//! Two passes, across and down, each a sum of 8 σ + 1 pixels: time grows with σ, not with its square. The edge repeats
//! outwards.
//!
//! # Numerics
//! Sums in f32 of bytes as they are (not linear light), rounded to the nearest byte.

use super::picture::Picture;
use lipex_core::Result;

/// The picture under a Gaussian of standard deviation `sigma` > 0 pixels, cut at 4 σ, the edge repeated outwards.
///
/// # Numerics
/// Both passes accumulate in f32, in a fixed order, and values are rounded once: within 1 of SciPy's
/// `gaussian_filter(mode="nearest")` in f64.
pub(super) fn blur(picture: &Picture, sigma: f64) -> Result<Picture> {
    let (width, height) = (picture.width(), picture.height());
    let kernel = kernel(sigma);
    let mut rgb = vec![0; picture.as_rgb().len()];
    let mut across = vec![0.0f32; width * height];
    // A channel at a time: a plane of f32 is the only copy.
    for channel in 0..3 {
        for (row, out) in picture.as_rgb().chunks_exact(3 * width).zip(across.chunks_exact_mut(width)) {
            blur_row(row, channel, &kernel, out);
        }
        let mut sums = vec![0.0f32; width];
        for (y, out) in rgb.chunks_exact_mut(3 * width).enumerate() {
            blur_column(&across, y, &kernel, &mut sums);
            for (pixel, sum) in out.as_chunks_mut::<3>().0.iter_mut().zip(&sums) {
                pixel[channel] = sum.round() as u8;
            }
        }
    }
    Picture::from_rgb(width, height, rgb)
}

/// Weights from −r to r, of sum 1.
fn kernel(sigma: f64) -> Vec<f32> {
    let radius = ((4.0 * sigma + 0.5) as i64).max(1);
    let weights: Vec<f64> = (-radius..=radius).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| (w / sum) as f32).collect()
}

/// One row of one colour.
fn blur_row(row: &[u8], channel: usize, kernel: &[f32], out: &mut [f32]) {
    let radius = kernel.len() / 2;
    let values = || row.iter().skip(channel).step_by(3).map(|&v| f32::from(v));
    let (first, last) = (f32::from(row[channel]), f32::from(row[row.len() - 3 + channel]));
    let edge = |value: f32| std::iter::repeat_n(value, radius);
    let padded: Vec<f32> = edge(first).chain(values()).chain(edge(last)).collect();
    out.fill(0.0);
    // Tap by tap along the row: whole vectors of pixels at once.
    for (weight, from) in kernel.iter().zip(padded.windows(out.len())) {
        out.iter_mut().zip(from).for_each(|(sum, v)| *sum += weight * v);
    }
}

/// One row of the result out of rows above and below.
fn blur_column(across: &[f32], y: usize, kernel: &[f32], sums: &mut [f32]) {
    let (radius, width) = (kernel.len() / 2, sums.len());
    let last = across.len() / width - 1;
    sums.fill(0.0);
    for (tap, weight) in kernel.iter().enumerate() {
        let row = (y + tap).saturating_sub(radius).min(last);
        let from = &across[row * width..][..width];
        sums.iter_mut().zip(from).for_each(|(sum, v)| *sum += weight * v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_pictures_stay_plain_and_points_spread() {
        let plain = Picture::filled(5, 3, [7, 100, 255]).unwrap();
        assert_eq!(blur(&plain, 3.0).unwrap(), plain);
        let mut point = Picture::filled(9, 9, [0; 3]).unwrap();
        point.as_rgb_mut()[3 * 40] = 255;
        let blurred = blur(&point, 1.0).unwrap();
        let red = |x: usize, y: usize| blurred.pixel(9 * y + x).unwrap()[0];
        // 255 / (2π) = 40.6; the next pixels have e^(−½) of it, 24.6.
        assert_eq!((red(4, 4), red(3, 4), red(4, 5), blurred.pixel(40).unwrap()[1]), (41, 25, 25, 0));
    }
}
