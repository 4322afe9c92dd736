//! An image on a page: the picture itself, and a shape for each segment.

use super::markup::{Attributes, Markup};
#[cfg(feature = "image")]
use crate::image::{ImageInstance, Picture};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lipex_core::{Result, expect_len};
use std::fmt::Write;

/// Most pixels that a page holds; a larger image is thinned out.
#[cfg(feature = "image")]
const PIXELS: usize = 1_500_000;

/// An image with the segments that are its features.
/// Made with the feature `image` alone.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "image"), allow(dead_code))]
pub(super) struct Overlay {
    /// The picture, thinned out where it is large.
    png: Vec<u8>,
    /// Pixels in a row of what is shown.
    width: usize,
    /// Rows of what is shown.
    height: usize,
    /// The feature of each pixel, row by row.
    segments: Vec<u16>,
    /// Segments, which must be those of the explanation.
    features: usize,
}

impl Overlay {
    /// Of a large image every second, third, … pixel each way.
    #[cfg(feature = "image")]
    pub fn new(image: &ImageInstance) -> Self {
        let (picture, map) = (image.picture(), image.segments());
        let step = (picture.pixels().div_ceil(PIXELS) as f64).sqrt().ceil() as usize;
        let (width, height) = (picture.width().div_ceil(step), picture.height().div_ceil(step));
        let kept = || {
            let row = |y: usize| (0..width).map(move |x| y * step * picture.width() + x * step);
            (0..height).flat_map(row)
        };
        let segments = kept().map(|i| map.of_pixels()[i]).collect();
        let rgb = kept().flat_map(|i| picture.pixel(i).unwrap_or_default()).collect();
        let png = Picture::from_rgb(width, height, rgb).map(|small| small.to_png()).unwrap_or_default();
        Overlay { png, width, height, segments, features: map.len() }
    }

    /// Passes if the segments are the features.
    pub fn check(&self, features: usize) -> Result<()> {
        expect_len("segments of the image", features, self.features)
    }

    /// The picture under shapes of the features for which `attributes` gives something, each followed by its value as a text.
    pub fn draw<'a>(&self, m: &mut Markup, attributes: impl Fn(usize) -> Option<Vec<(&'static str, &'a str)>>) {
        let (w, h) = (self.width.to_string(), self.height.to_string());
        let frame: &Attributes<'_> = &[("id", "picture"), ("viewBox", &format!("0 0 {w} {h}")), ("role", "img")];
        let source = format!("data:image/png;base64,{}", STANDARD.encode(&self.png));
        m.open("svg", frame).element("title", &[], "The image with its segments coloured");
        m.empty("image", &[("href", &source), ("width", &w), ("height", &h)]);
        let (centres, font) = (self.centres(), (self.width as f64 / 30.0).to_string());
        for (feature, shape) in self.shapes().into_iter().enumerate() {
            if let Some(mut attributes) = attributes(feature)
                && !shape.is_empty()
            {
                let value = attributes.iter().find(|(name, _)| *name == "data-v").map_or("", |(_, value)| *value);
                attributes.push(("d", &shape));
                m.empty("path", &attributes);
                let (x, y) = (centres[feature].0.to_string(), centres[feature].1.to_string());
                m.element("text", &[("class", "v"), ("x", &x), ("y", &y), ("font-size", &font)], value);
            }
        }
        m.close("svg").line();
    }

    /// For each feature its pixel that is nearest to the mean of its pixels: column and row.
    fn centres(&self) -> Vec<(usize, usize)> {
        let mut sums = vec![(0.0, 0.0, 0.0); self.features];
        let places =
            || self.segments.iter().enumerate().map(|(i, &s)| (usize::from(s), i % self.width, i / self.width));
        for (feature, x, y) in places() {
            if let Some(sum) = sums.get_mut(feature) {
                *sum = (sum.0 + x as f64, sum.1 + y as f64, sum.2 + 1.0);
            }
        }
        let mut nearest = vec![(f64::INFINITY, (0, 0)); self.features];
        for (feature, x, y) in places() {
            let Some(&(sum_x, sum_y, count)) = sums.get(feature) else { continue };
            let distance = (x as f64 - sum_x / count).powi(2) + (y as f64 - sum_y / count).powi(2);
            if distance < nearest[feature].0 {
                nearest[feature] = (distance, (x, y));
            }
        }
        nearest.into_iter().map(|(_, place)| place).collect()
    }

    /// For each feature a path of rectangles: runs of pixels along a row, joined with equal runs below.
    fn shapes(&self) -> Vec<String> {
        let mut shapes = vec![String::new(); self.features];
        // Open rectangles by their run: feature, first and last column, and the row in which they began.
        let mut open: Vec<(u16, usize, usize, usize)> = Vec::new();
        let mut close = |(feature, from, to, since): (u16, usize, usize, usize), row: usize| {
            if let Some(shape) = shapes.get_mut(usize::from(feature)) {
                let (wide, high) = (to - from, row - since);
                let _ = write!(shape, "M{from} {since}h{wide}v{high}h-{wide}z");
            }
        };
        for row in 0..self.height {
            let pixels = &self.segments[row * self.width..][..self.width];
            let mut runs = Vec::new();
            let mut from = 0;
            for to in 1..=self.width {
                if to == self.width || pixels[to] != pixels[from] {
                    runs.push((pixels[from], from, to));
                    from = to;
                }
            }
            let mut next = Vec::with_capacity(runs.len());
            for (feature, from, to) in runs {
                let above = open.iter().find(|o| (o.0, o.1, o.2) == (feature, from, to));
                next.push((feature, from, to, above.map_or(row, |o| o.3)));
            }
            open.iter().filter(|o| !next.contains(o)).for_each(|&o| close(o, row));
            open = next;
        }
        open.into_iter().for_each(|o| close(o, self.height));
        shapes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::SegmentMap;

    fn picture(width: usize, height: usize) -> Picture {
        Picture::from_rgb(width, height, (0..3 * width * height).map(|i| i as u8).collect()).unwrap()
    }

    #[test]
    fn shapes_cover_each_segment() {
        let map = SegmentMap::from_ids(3, 3, &[7, 7, 8, 7, 7, 8, 9, 10, 8]).unwrap();
        let image = ImageInstance::new(picture(3, 3), map).unwrap();
        let overlay = Overlay::new(&image);
        assert_eq!(overlay.shapes(), ["M0 0h2v2h-2z", "M2 0h1v3h-1z", "M0 2h1v1h-1z", "M1 2h1v1h-1z"]);
        assert_eq!(overlay.centres(), [(0, 0), (2, 1), (0, 2), (1, 2)]);
        assert!(overlay.check(4).is_ok() && overlay.check(3).is_err());
    }

    #[test]
    fn large_images_are_thinned_out() {
        let map = SegmentMap::grid(2000, 1501, 2, 2).unwrap();
        let image = ImageInstance::new(picture(2000, 1501), map).unwrap();
        let overlay = Overlay::new(&image);
        assert_eq!((overlay.width, overlay.height, overlay.segments.len()), (1000, 751, 751_000));
        let small = Picture::decode(&overlay.png).unwrap();
        assert_eq!((small.width(), small.height()), (1000, 751));
        assert_eq!(overlay.shapes().len(), 4);
    }
}
