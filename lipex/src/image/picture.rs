//! Pixels of a picture.

use lipex_core::{Error, Result, expect_len};

/// Most pixels of a picture: larger ones are refused before they are decoded.
pub const MOST_PIXELS: usize = 50_000_000;

/// A picture of 8-bit RGB pixels: rows from the top, in each row pixels from the left, three bytes a pixel.
///
/// ```
/// use lipex::Picture;
///
/// let mut picture = Picture::from_rgb(2, 1, vec![0, 0, 0, 255, 255, 255])?;
/// assert_eq!((picture.pixels(), picture.pixel(1)), (2, Some([255; 3])));
/// picture.as_rgb_mut()[0] = 9;
/// assert_eq!(picture.as_rgb()[..3], [9, 0, 0]);
/// assert!(Picture::from_rgb(2, 2, vec![0; 6]).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    width: usize,
    /// Rows.
    height: usize,
    /// height × width × 3 bytes.
    rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

impl Picture {
    /// A picture from its bytes.
    ///
    /// # Shapes
    /// `rgb`: height × width × 3, row-major.
    ///
    /// # Errors
    /// [`Error::Instance`] for no pixels or more than [`MOST_PIXELS`]; [`Error::Shape`] for another number of bytes.
    pub fn from_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        let pixels = check_size(width, height)?;
        expect_len(&format!("bytes of a picture of {width}×{height}"), 3 * pixels, rgb.len())?;
        Ok(Picture { width, height, rgb })
    }

    /// A picture of one colour.
    ///
    /// # Errors
    /// [`Error::Instance`] for no pixels or more than [`MOST_PIXELS`].
    pub fn filled(width: usize, height: usize, colour: [u8; 3]) -> Result<Self> {
        let pixels = check_size(width, height)?;
        Ok(Picture { width, height, rgb: colour.repeat(pixels) })
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The number of pixels.
    pub fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// The bytes: height × width × 3.
    pub fn as_rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The bytes, to be changed in place.
    pub fn as_rgb_mut(&mut self) -> &mut [u8] {
        &mut self.rgb
    }

    /// The colour of pixel number `index`, counted row by row. `None` outside.
    pub fn pixel(&self, index: usize) -> Option<[u8; 3]> {
        self.rgb.as_chunks::<3>().0.get(index).copied()
    }

    /// The size as people write it.
    pub(crate) fn size(&self) -> String {
        format!("{}×{}", self.width, self.height)
    }
}

/// The number of pixels, if it is one that can be worked with.
pub(crate) fn check_size(width: usize, height: usize) -> Result<usize> {
    match width.checked_mul(height) {
        Some(0) => Err(Error::Instance("the picture has no pixels".into())),
        Some(pixels) if pixels <= MOST_PIXELS => Ok(pixels),
        _ => Err(Error::Instance(format!(
            "the picture has {width}×{height} pixels, more than the {} million that are taken; make it smaller",
            MOST_PIXELS / 1_000_000
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert!(Picture::from_rgb(2, 1, vec![0; 6]).is_ok());
        for (width, height, bytes, word) in [
            (2, 1, 5, "expected 6, got 5"),
            (0, 3, 0, "no pixels"),
            (10_000, 10_000, 0, "50 million"),
            (usize::MAX, 2, 0, "50 million"),
        ] {
            let message = Picture::from_rgb(width, height, vec![0; bytes]).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
        let red = Picture::filled(2, 2, [255, 0, 0]).unwrap();
        assert_eq!((red.pixel(3), red.pixel(4), red.as_rgb().len()), (Some([255, 0, 0]), None, 12));
    }
}
