//! The picture, the segments and the classifier of `golden/colour_model.py`, formula for formula.

use lipex::{Images, Picture, SegmentMap};

pub const CLASSES: usize = 4;

pub fn picture(width: usize, height: usize) -> Picture {
    let value =
        |x: usize, y: usize, c: usize| 37 * x + 101 * y + 53 * c + 3 * ((x * y + 5 * c) % 97) + x * x * (c + 1) / 3;
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let rgb = pixels.flat_map(|(x, y)| (0..3).map(move |c| (value(x, y, c) % 256) as u8)).collect();
    Picture::from_rgb(width, height, rgb).unwrap()
}

pub fn segments(width: usize, height: usize) -> SegmentMap {
    let id = |x: usize, y: usize| (x / 7 * 10) as i64 + ((y + x / 3) / 6 * 3 % 17) as i64 - 4;
    let ids: Vec<i64> = (0..height).flat_map(|y| (0..width).map(move |x| id(x, y))).collect();
    SegmentMap::from_ids(width, height, &ids).unwrap()
}

pub fn classify(images: &Images) -> Vec<[f64; CLASSES]> {
    images.iter().map(|image| probabilities(image, images.width(), images.height())).collect()
}

/// The mean square of each channel in the left and the right half, through a function that is not linear, to probabilities.
fn probabilities(image: &[u8], width: usize, height: usize) -> [f64; CLASSES] {
    let half = width / 2;
    let mut sums = [0u64; 6];
    for row in image.chunks_exact(3 * width) {
        for (x, pixel) in row.chunks_exact(3).enumerate() {
            let part = if x < half { 0 } else { 3 };
            (0..3).for_each(|c| sums[part + c] += u64::from(pixel[c]).pow(2));
        }
    }
    let u: [f64; 6] = std::array::from_fn(|k| {
        let columns = if k < 3 { half } else { width - half };
        sums[k] as f64 / ((columns * height) as f64 * 65025.0)
    });
    let logits: [f64; CLASSES] = std::array::from_fn(|c| {
        let linear: f64 = (0..6).map(|k| (u[k] - 0.33) * 12.0 * (3.0 * c as f64 + 1.7 * k as f64 + 0.5).sin()).sum();
        linear - 3.0 * u[0] * u[5] * c as f64
    });
    let largest = logits.iter().fold(f64::MIN, |m, &v| m.max(v));
    let e = logits.map(|v| (v - largest).exp());
    e.map(|v| v / e.iter().sum::<f64>())
}
