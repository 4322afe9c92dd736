//! Gradients of image classifiers, with respect to the numbers of pixels.

use super::{Differentiable, Feeds};
use crate::image::{Layout, OnnxImage, fitted};
use crate::preprocess::Preprocess;
use crate::resize::Pixels;
use lipex_core::{Error, Images, Local, Result, WhiteBox, expect_len};
use lipex_grad::Tensor;

/// A picture with the segment of each of its pixels, row by row.
///
/// ```
/// use lipex_core::{Images, WhiteBox};
/// use lipex_onnx::{MarkedPicture, OnnxImage};
///
/// let model = OnnxImage::open("../examples/models/digits")?; // takes 8 × 8 pixels
/// let gradients = model.gradients()?;
/// let halves = Images::new(2, 1, vec![0, 0, 0, 255, 255, 255])?;
/// let at = gradients.at(&MarkedPicture { picture: &halves, segments: &[0, 1] })?;
/// assert_eq!(at.owners().len(), 64);
/// assert!(at.owners().contains(&Some(0)) && at.owners().contains(&Some(1)));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MarkedPicture<'a> {
    /// One picture.
    pub picture: &'a Images,
    /// Segments, numbered from 0.
    pub segments: &'a [u16],
}

/// An image classifier that can be looked into: [`OnnxImage::gradients`].
///
/// The point is the picture as the graph takes it, sized and normalised; each of its pixels belongs to the segment of the
/// photo that its middle falls into. What a crop fills up belongs to none.
///
/// ```no_run
/// use lipex_core::{Images, Output, WhiteBox};
/// use lipex_onnx::{MarkedPicture, OnnxImage};
///
/// let model = OnnxImage::open("my-photos")?;
/// let gradients = model.gradients()?;
/// let photo = Images::new(2, 1, vec![0, 0, 0, 255, 255, 255])?;
/// let at = gradients.at(&MarkedPicture { picture: &photo, segments: &[0, 1] })?;
/// println!("{:?}: {} pixels", at.shape(), at.owners().len());
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct ImageGradients<'a> {
    model: &'a OnnxImage,
    graph: Differentiable<'a>,
}

impl std::fmt::Debug for ImageGradients<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageGradients").field("model", self.model).field("cut", &self.cut()).finish_non_exhaustive()
    }
}

impl OnnxImage {
    /// The classifier as one that gives gradients.
    ///
    /// # Errors
    /// [`Error::Setting`] in one line for a graph with an operator that has no gradient here (docs/onnx-gradients.md), one
    /// column for two classes, a fixed number of rows above 1, or a first node that makes something else of the picture.
    pub fn gradients(&self) -> Result<ImageGradients<'_>> {
        let layout = &self.layout;
        let graph = Differentiable::open(&self.graph, &self.answers, layout.rows, |network| {
            let cut = network.picture(&layout.input, layout.bytes, !layout.channels_first);
            let reason =
                "the graph takes pictures as bytes, or with channels last, and turns them into something else first";
            cut.map(String::from).ok_or_else(|| self.graph.wrong(reason))
        })?;
        Ok(ImageGradients { model: self, graph })
    }
}

impl ImageGradients<'_> {
    /// The tensor that stands for the point, by its name in the graph.
    pub fn cut(&self) -> &str {
        &self.graph.cut
    }

    /// Guided gradients and DeepLIFT as captum has them, plain where it has no rule: [`Point::as_captum`](lipex_grad::Point::as_captum).
    pub fn as_captum(mut self) -> Self {
        self.graph.captum = true;
        self
    }

    /// The point of another picture, which should have the photo's size: a base for integrals and DeepLIFT.
    ///
    /// # Errors
    /// [`Error::Model`] when the picture cannot be brought to the graph's size, or the graph fails.
    pub fn point_of(&self, picture: &Images) -> Result<Vec<f32>> {
        self.graph.numbers(&self.feeds(&one(picture)?)?)
    }

    /// A picture as the graph's input.
    fn feeds(&self, picture: &Pixels) -> Result<Feeds> {
        let (layout, how) = (&self.model.layout, &self.model.preprocess);
        let sized = fitted(layout, how, picture.clone())?;
        let shape = shape(layout, &sized);
        let tensor = match layout.bytes {
            true => {
                let bytes = how.bytes(&sized, layout.channels_first);
                Tensor::wholes(shape, bytes.into_iter().map(i64::from).collect())
            }
            false => Tensor::floats(shape, how.numbers(&sized, layout.channels_first)),
        };
        Ok(vec![(layout.input.clone(), tensor.map_err(Error::model)?)])
    }

    /// The segment of each pixel that the graph sees.
    fn owners(&self, picture: &Pixels, segments: &[u16]) -> Result<Vec<Option<u32>>> {
        expect_len("segments of pixels", picture.width * picture.height, segments.len())?;
        // Segments travel as the bytes of a picture, through the same sizes and crops; what is filled up comes out as 0.
        let marked = segments.iter().flat_map(|s| {
            let [high, low] = s.to_be_bytes();
            [high, low, 1]
        });
        let map = Pixels { width: picture.width, height: picture.height, rgb: marked.collect() };
        let nearest: Preprocess = self.model.preprocess.by_nearest();
        let sized = fitted(&self.model.layout, &nearest, map)?;
        let owner = |&[high, low, inside]: &[u8; 3]| (inside == 1).then(|| u32::from(u16::from_be_bytes([high, low])));
        Ok(sized.rgb.as_chunks::<3>().0.iter().map(owner).collect())
    }
}

/// The axes of the input for a picture that has its size.
fn shape(layout: &Layout, sized: &Pixels) -> Vec<usize> {
    let (c, h, w) = (layout.channels, sized.height, sized.width);
    if layout.channels_first { vec![1, c, h, w] } else { vec![1, h, w, c] }
}

/// The one picture.
fn one(images: &Images) -> Result<Pixels> {
    expect_len("pictures", 1, images.len())?;
    let rgb = images.iter().next().unwrap_or_default().to_vec();
    Ok(Pixels { width: images.width(), height: images.height(), rgb })
}

impl<'p> WhiteBox<MarkedPicture<'p>> for ImageGradients<'_> {
    fn labels(&self) -> &[String] {
        self.model.labels()
    }

    /// # Errors
    /// [`Error::Shape`] for more than one picture, or not a segment a pixel; [`Error::Model`] when the picture cannot be
    /// brought to the graph's size, the graph fails, or its numbers are not those of the black box.
    fn at(&self, input: &MarkedPicture<'p>) -> Result<Box<dyn Local + '_>> {
        let picture = one(input.picture)?;
        let owners = self.owners(&picture, input.segments)?;
        self.graph.at(self.feeds(&picture)?, &self.model.logits(input.picture)?, owners)
    }
}
