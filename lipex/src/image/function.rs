//! Functions of images as black boxes.
//!
//! Batches are N × height × width × 3 bytes of one size ([`Images`]); what a model wants beyond that (floats, channels first,
//! means taken off) it makes itself.

use crate::outputs::{Reader, rows};
use lipex_core::{Backend, Batching, BlackBox, Error, Images, Outputs, Probabilities, Result};
use std::fmt;

/// The function, as rows of f64.
type Answer<'a> = Box<dyn Fn(&Images) -> Result<Vec<Vec<f64>>> + Send + Sync + 'a>;

/// A function of images as a black box.
///
/// ```
/// use lipex::ImageFn;
///
/// // The mean of the red channel says how sunny it is.
/// let model = ImageFn::new(["night", "day"], |images| {
///     let red = |image: &[u8]| image.iter().step_by(3).map(|&r| f64::from(r)).sum::<f64>() * 3.0 / image.len() as f64;
///     images.iter().map(|image| red(image) / 255.0).map(|p| [1.0 - p, p]).collect()
/// });
/// # let _ = model;
/// ```
pub struct ImageFn<'a> {
    /// The labels and what the numbers are.
    reader: Reader,
    /// The function.
    answer: Answer<'a>,
}

impl fmt::Debug for ImageFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageFn").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl<'a> ImageFn<'a> {
    /// A function that gives one row of probabilities an image, in the labels' order.
    ///
    /// A row is anything that is a slice of f32 or f64: `Vec<f32>`, `[f64; 3]` …
    pub fn new<R, T>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&Images) -> Vec<R> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
    {
        ImageFn { reader: Reader::new(labels), answer: Box::new(move |images| Ok(rows(function(images)))) }
    }

    /// A function whose classes are numbered from 0: there are as many as its first answer has columns.
    pub fn numbered<R, T>(function: impl Fn(&Images) -> Vec<R> + Send + Sync + 'a) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
    {
        ImageFn { reader: Reader::numbered(), answer: Box::new(move |images| Ok(rows(function(images)))) }
    }

    /// A function that may fail; its error becomes [`Error::Model`].
    pub fn fallible<R, T, E>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&Images) -> std::result::Result<Vec<R>, E> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer: Answer<'a> = Box::new(move |images| function(images).map(rows).map_err(Error::model));
        ImageFn { reader: Reader::new(labels), answer }
    }

    /// States what batches may hold; default [`Batching::OneInstance`].
    pub fn batching(self, batching: Batching) -> Self {
        ImageFn { reader: Reader { batching, ..self.reader }, ..self }
    }

    /// The function's numbers are logits: each row goes through a softmax.
    pub fn logits(self) -> Self {
        ImageFn { reader: Reader { outputs: Outputs::Logits, ..self.reader }, ..self }
    }

    /// The function's numbers are independent probabilities (sigmoids): see [`Outputs::Independent`].
    pub fn independent(self) -> Self {
        ImageFn { reader: Reader { outputs: Outputs::Independent, ..self.reader }, ..self }
    }
}

impl<B: Backend> BlackBox<B, Images> for ImageFn<'_> {
    fn labels(&self) -> Option<&[String]> {
        self.reader.labels_known()
    }

    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none; [`Error::Model`] from a fallible function.
    fn predict(&self, on: &B, batch: &Images) -> Result<Probabilities<B>> {
        self.reader.read(on, (self.answer)(batch)?, batch.len())
    }

    fn batching(&self) -> Batching {
        self.reader.batching
    }
}
