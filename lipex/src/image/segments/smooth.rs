//! Colours as numbers: smoothed, and in a space where distances are what eyes see.

use crate::image::Picture;

/// Three numbers a pixel, row by row.
pub(super) type Colours = Vec<[f64; 3]>;

/// Colours smoothed by a Gaussian of standard deviation `sigma` pixels, cut off at 4 of them; beyond its edges a picture is
/// mirrored. Not above 0: as they are.
pub(super) fn gaussian(colours: Colours, w: usize, h: usize, sigma: f64) -> Colours {
    // Beyond a side's length a wider one changes little, and would take time without end.
    let sigma = sigma.min(w.max(h) as f64);
    if sigma <= 0.0 {
        return colours;
    }
    let reach = (4.0 * sigma + 0.5) as i64;
    let bell: Vec<f64> = (-reach..=reach).map(|i| (-0.5 * (i * i) as f64 / (sigma * sigma)).exp()).collect();
    let sum: f64 = bell.iter().sum();
    let bell: Vec<f64> = bell.iter().map(|v| v / sum).collect();
    let down = pass(&colours, w, h, &bell, |x, y, d| (x, mirrored(y as i64 + d, h)));
    pass(&down, w, h, &bell, |x, y, d| (mirrored(x as i64 + d, w), y))
}

/// The place within 0 … n−1 of one that may be outside: the mirror stands between pixels.
fn mirrored(at: i64, n: usize) -> usize {
    let (n, period) = (n as i64, 2 * n as i64);
    let at = at.rem_euclid(period);
    (if at < n { at } else { period - 1 - at }) as usize
}

/// A Gaussian along rows or columns; the edge mirrors.
fn pass(
    colours: &Colours,
    w: usize,
    h: usize,
    bell: &[f64],
    place: impl Fn(usize, usize, i64) -> (usize, usize),
) -> Colours {
    let reach = (bell.len() / 2) as i64;
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        for x in 0..w {
            let mut sum = [0.0; 3];
            for (weight, d) in bell.iter().zip(-reach..) {
                let (px, py) = place(x, y, d);
                (0..3).for_each(|c| sum[c] += weight * colours[py * w + px][c]);
            }
            out.push(sum);
        }
    }
    out
}

/// A picture in CIE L\*a\*b\* (sRGB, white D65, 2°), as scikit-image's `rgb2lab`.
pub(super) fn lab(picture: &Picture) -> Colours {
    let linear: Vec<f64> = (0..256)
        .map(|v| f64::from(v) / 255.0)
        .map(|v| if v > 0.04045 { ((v + 0.055) / 1.055).powf(2.4) } else { v / 12.92 })
        .collect();
    let bent = |t: f64| if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let one = |p: &[u8; 3]| {
        let [r, g, b] = p.map(|v| linear[usize::from(v)]);
        let x = bent((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
        let y = bent(0.212671 * r + 0.715160 * g + 0.072169 * b);
        let z = bent((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    picture.as_rgb().as_chunks::<3>().0.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_the_sum_and_mirrors() {
        assert_eq!([-3, -1, 0, 2, 3, 5].map(|i| mirrored(i, 3)), [2, 0, 0, 2, 2, 0]);
        let mut one = vec![[0.0; 3]; 35];
        one[0] = [1.0, 2.0, 0.0];
        let smooth = gaussian(one.clone(), 7, 5, 0.8);
        let sum: f64 = smooth.iter().map(|p| p[1]).sum();
        assert!((sum - 2.0).abs() < 1e-9 && smooth[0][0] > smooth[8][0]);
        assert_eq!(gaussian(one.clone(), 7, 5, 0.0), one);
    }

    #[test]
    fn lab_is_scikit_images() {
        // skimage.color.rgb2lab of (255, 0, 0) and (10, 200, 30), scikit-image 0.26
        let picture = Picture::from_rgb(2, 1, vec![255, 0, 0, 10, 200, 30]).unwrap();
        let expected = [[53.240588, 80.092308, 67.202751], [70.500132, -70.513831, 64.940840]];
        for (own, expected) in lab(&picture).iter().flatten().zip(expected.iter().flatten()) {
            assert!((own - expected).abs() < 1e-5, "{own} {expected}");
        }
    }
}
