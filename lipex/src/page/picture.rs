//! An image on a page: the picture itself, and a shape for each segment.

use super::markup::{Attributes, Markup};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lipex_core::{Result, expect_len};
use std::fmt::Write;

/// An image and the segments that are its features, for [`PageOptions::picture`](super::PageOptions::picture).
#[derive(Clone, Debug)]
pub struct Picture {
    /// A PNG file's bytes.
    pub png: Vec<u8>,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// The feature of each pixel, row by row; a number that is no feature's marks pixels of none.
    pub segments: Vec<u32>,
}

impl Picture {
    pub(super) fn check(&self) -> Result<()> {
        expect_len("segments (one a pixel)", self.width * self.height, self.segments.len())
    }

    /// The picture under shapes of the features for which `attributes` gives something.
    pub(super) fn draw<'a>(&self, m: &mut Markup, attributes: impl Fn(usize) -> Option<Vec<(&'static str, &'a str)>>) {
        let (w, h) = (self.width.to_string(), self.height.to_string());
        let frame: &Attributes<'_> = &[("id", "picture"), ("viewBox", &format!("0 0 {w} {h}")), ("role", "img")];
        let source = format!("data:image/png;base64,{}", STANDARD.encode(&self.png));
        m.open("svg", frame).element("title", &[], "The image with its segments coloured");
        m.empty("image", &[("href", &source), ("width", &w), ("height", &h)]);
        for (feature, shape) in self.shapes().into_iter().enumerate() {
            if let Some(mut attributes) = attributes(feature)
                && !shape.is_empty()
            {
                attributes.push(("d", &shape));
                m.empty("path", &attributes);
            }
        }
        m.close("svg").line();
    }

    /// For each feature a path of rectangles: runs of pixels along a row, joined with equal runs below.
    fn shapes(&self) -> Vec<String> {
        // Numbers as large as the picture has pixels are no segments.
        let known = |s: &&u32| (**s as usize) < self.segments.len();
        let count = self.segments.iter().filter(known).max().map_or(0, |&s| s as usize + 1);
        let mut shapes = vec![String::new(); count];
        // Open rectangles by their run: feature, first and last column, and the row in which they began.
        let mut open: Vec<(u32, usize, usize, usize)> = Vec::new();
        let mut close = |(feature, from, to, since): (u32, usize, usize, usize), row: usize| {
            if let Some(shape) = shapes.get_mut(feature as usize) {
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

    #[test]
    fn shapes_cover_each_segment() {
        let picture = Picture { png: vec![], width: 3, height: 3, segments: vec![0, 0, 1, 0, 0, 1, 2, u32::MAX, 1] };
        let shapes = picture.shapes();
        assert_eq!(shapes[0], "M0 0h2v2h-2z");
        assert_eq!(shapes[1], "M2 0h1v3h-1z");
        assert_eq!(shapes[2], "M0 2h1v1h-1z");
        assert_eq!(shapes.len(), 3);
        assert!(Picture { width: 2, ..picture }.check().is_err());
    }
}
