//! Images whose masks are rendered in device memory, for models there and, a batch at a time, for models of the host.
//!
//! The picture and its baseline go to the device once; a mask is rendered there from its bits. A model on the device reads
//! NCHW batches where they lie; a model of the host has them copied back, 3 bytes a pixel.

use super::instance::ImageInstance;
use half::f16;
use lipex_core::{
    Backend, Describe, Distinct, Domain, Error, Feature, Images, Instance, Masks, Render, Result, Setting,
};
use lipex_cuda::{Cuda, Pixel, PixelBatch, PixelTemplate};
use std::ops::Range;

/// An image in device memory; a mask is rendered to a picture there, NCHW. `T` is f32, or u16 with the bits of an f16.
///
/// # Cost
/// The picture and its baseline are sent once, 2 × 3 × pixels numbers; a mask is rendered where it lies, and nothing of it
/// crosses unless a model of the host asks.
///
/// ```no_run
/// use lipex::{Cuda, ImageInstance, Instance, Picture, SegmentMap};
///
/// let picture = Picture::filled(8, 8, [200, 100, 50])?;
/// let image = ImageInstance::builder(picture, SegmentMap::grid(8, 8, 2, 2)?).build()?;
/// // For a model that takes numbers from 0 to 1.
/// let image = image.with_pixels(&Cuda::new()?, |_, byte| f32::from(byte) / 255.0)?;
/// assert_eq!(image.features().len(), 4);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct PixelImage<T: Pixel> {
    /// The instance, for its features and reports.
    image: ImageInstance,
    /// Picture, baseline and segments on the device.
    template: PixelTemplate<T>,
    /// Whether the numbers are the picture's bytes.
    bytes: bool,
}

impl ImageInstance {
    /// The image for a model on a device: `number` is what the model takes for the byte of a channel (0 red, 1 green, 2 blue).
    ///
    /// # Errors
    /// Those of the device.
    pub fn with_pixels<T: Pixel>(self, on: &Cuda, number: impl Fn(usize, u8) -> T) -> Result<PixelImage<T>> {
        // From NHWC to NCHW.
        let plane = |rgb: &[u8], c: usize| rgb.iter().skip(c).step_by(3).map(|&b| number(c, b)).collect::<Vec<T>>();
        let planes = |rgb: &[u8]| [plane(rgb, 0), plane(rgb, 1), plane(rgb, 2)].concat();
        let segments: Vec<u32> = self.segments().of_pixels().iter().map(|&s| u32::from(s)).collect();
        let (own, other) = (planes(self.picture().as_rgb()), planes(self.replacement().as_rgb()));
        let template = PixelTemplate::new(on, 3, &own, &other, &segments)?;
        Ok(PixelImage { image: self, template, bytes: false })
    }

    /// The image for a model of the host, rendered by the device: its pictures come over a batch at a time, as [`Images`].
    ///
    /// # Errors
    /// Those of the device.
    pub fn on_device(self, on: &Cuda) -> Result<PixelImage<u16>> {
        // Every byte is an f16.
        let image = self.with_pixels(on, |_, byte| f16::from(byte).to_bits())?;
        Ok(PixelImage { bytes: true, ..image })
    }
}

impl<T: Pixel> Describe for PixelImage<T> {
    fn describe(&self) -> Vec<Setting> {
        self.image.describe()
    }
}

impl<T: Pixel> Instance for PixelImage<T> {
    fn features(&self) -> &[Feature] {
        self.image.features()
    }

    fn domain(&self) -> Domain {
        self.image.domain()
    }

    fn settings(&self) -> Vec<(Setting, String)> {
        self.image.settings()
    }
}

impl<T: Pixel> Render<Cuda, PixelBatch<T>> for PixelImage<T> {
    fn render(&self, on: &Cuda, masks: &Masks<Cuda>, rows: Range<usize>) -> Result<PixelBatch<T>> {
        self.template.render(on, masks, rows)
    }

    fn distinct(&self, on: &Cuda, masks: &Masks<Cuda>) -> Result<Option<Distinct>> {
        Render::<Cuda, Images>::distinct(&self.image, on, masks)
    }
}

/// Of an image made by [`ImageInstance::on_device`]; [`Error::Setting`] for numbers that are no bytes.
impl Render<Cuda, Images> for PixelImage<u16> {
    fn render(&self, on: &Cuda, masks: &Masks<Cuda>, rows: Range<usize>) -> Result<Images> {
        if !self.bytes {
            let reason =
                "these are numbers for a model on the device; for one of the host use ImageInstance::on_device";
            return Err(Error::setting("pixels", "with_pixels", reason));
        }
        let batch = self.template.render(on, masks, rows)?;
        let values = on.download(&batch.values)?;
        let (width, height) = (self.image.picture().width(), self.image.picture().height());
        let mut bytes = Vec::with_capacity(batch.rows * 3 * batch.pixels);
        for picture in values.chunks_exact((3 * batch.stride).max(1)) {
            let byte = |at: usize| f16::from_bits(picture[at]).to_f32() as u8;
            bytes.extend((0..batch.pixels).flat_map(|x| [0, 1, 2].map(|c| byte(c * batch.stride + x))));
        }
        Images::new(width, height, bytes)
    }

    fn largest_batch(&self) -> usize {
        Render::<Cuda, Images>::largest_batch(&self.image)
    }

    fn distinct(&self, on: &Cuda, masks: &Masks<Cuda>) -> Result<Option<Distinct>> {
        Render::<Cuda, Images>::distinct(&self.image, on, masks)
    }
}
