//! Batches of texts and images, as a black box receives them.

use crate::error::{Result, expect_len};

/// Texts for a black box to classify, in order.
///
/// ```
/// use lipex_core::Texts;
///
/// let texts: Texts = ["a party", ""].into_iter().map(String::from).collect();
/// assert_eq!(texts.as_strs(), ["a party", ""]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Vec<String>);

impl Texts {
    /// The number of texts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The texts as a slice of owned strings.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The texts as string slices.
    pub fn as_strs(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

impl From<Vec<String>> for Texts {
    fn from(texts: Vec<String>) -> Self {
        Texts(texts)
    }
}

impl IntoIterator for Texts {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<String> for Texts {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        Texts(texts.into_iter().collect())
    }
}

/// Images for a black box to classify, in order, all of one size.
///
/// # Shapes
/// count × height × width × 3 bytes (NHWC): red, green and blue from 0 to 255.
///
/// ```
/// use lipex_core::Images;
///
/// // Two pictures of 2 × 1 pixels.
/// let images = Images::new(2, 1, vec![0; 12])?;
/// assert_eq!((images.len(), images.iter().next().map(<[u8]>::len)), (2, Some(6)));
/// assert!(Images::new(2, 1, vec![0; 13]).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Images {
    /// Images of one size from their bytes, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for bytes that are no whole images.
    pub fn new(width: usize, height: usize, bytes: Vec<u8>) -> Result<Self> {
        let one = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3)).unwrap_or(0);
        let whole = bytes.len().checked_div(one).unwrap_or(0) * one;
        expect_len(&format!("bytes of whole images of {width}×{height}"), whole, bytes.len())?;
        Ok(Images { width, height, bytes })
    }

    /// The images of all batches, in order; `None` where sizes differ.
    pub fn join(parts: Vec<Images>) -> Option<Images> {
        let (width, height) = parts.first().map(|part| (part.width, part.height))?;
        let alike = parts.iter().all(|part| (part.width, part.height) == (width, height));
        alike.then(|| Images { width, height, bytes: parts.into_iter().flat_map(|part| part.bytes).collect() })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.bytes.len().checked_div(3 * self.width * self.height).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of an image.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The images one by one, each height × width × 3 bytes.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.bytes.chunks_exact((3 * self.width * self.height).max(1))
    }

    /// All bytes: count × height × width × 3.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<'a> IntoIterator for &'a Images {
    type Item = &'a [u8];
    type IntoIter = std::slice::ChunksExact<'a, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
