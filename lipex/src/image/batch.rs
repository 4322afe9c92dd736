//! A batch of images, as a black box receives it.

/// Images for a black box to classify, in order, all of one size.
///
/// # Shapes
/// count × height × width × 3 bytes (NHWC): red, green and blue from 0 to 255.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

impl Images {
    /// `bytes` must be whole images of that size.
    pub(super) fn new(width: usize, height: usize, bytes: Vec<u8>) -> Self {
        Images { width, height, bytes }
    }

    /// The images of all batches, in order; `None` where sizes differ.
    pub(super) fn join(parts: Vec<Images>) -> Option<Images> {
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
