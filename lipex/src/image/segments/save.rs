//! Segment maps as files.
//!
//! A PNG of which each colour is a segment, and a `.npy` of the numbers: both are read back by
//! [`SegmentMap::decode`](crate::SegmentMap::decode).

use super::SegmentMap;
use crate::image::{Picture, encode};
use lipex_core::{Error, Result};

/// The line between segments.
const LINE: [u8; 3] = [255, 220, 0];

impl SegmentMap {
    /// The map as a PNG of 16-bit grey: a pixel's value is its segment's number, from 0. [`SegmentMap::decode`] reads it.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Sixteen);
        let data: Vec<u8> = self.of.iter().flat_map(|id| id.to_be_bytes()).collect();
        // Memory takes all that is written.
        if let Ok(mut writer) = encoder.write_header() {
            let _ = writer.write_image_data(&data);
        }
        bytes
    }

    /// The map as a `.npy` file: height × width numbers of segments (`<u2`), from 0.
    pub fn to_npy(&self) -> Vec<u8> {
        let bytes: Vec<u8> = self.of.iter().flat_map(|id| id.to_le_bytes()).collect();
        encode::array("<u2", &format!("({}, {})", self.height, self.width), &bytes)
    }

    /// The picture with a line around every segment.
    ///
    /// # Errors
    /// [`Error::Setting`] for a picture of another size.
    pub fn outlined(&self, picture: &Picture) -> Result<Picture> {
        if (picture.width(), picture.height()) != (self.width, self.height) {
            let size = format!("{}×{}", picture.width(), picture.height());
            return Err(Error::setting("picture", size, format!("the map has {}×{}", self.width, self.height)));
        }
        let mut shown = picture.clone();
        let pixels = shown.as_rgb_mut().as_chunks_mut::<3>().0;
        for (at, pixel) in pixels.iter_mut().enumerate() {
            let right = at % self.width + 1 < self.width && self.of[at] != self.of[at + 1];
            let below = at + self.width < self.of.len() && self.of[at] != self.of[at + self.width];
            if right || below {
                *pixel = LINE;
            }
        }
        Ok(shown)
    }
}
