//! Functions as black boxes.
//!
//! # Errors
//! A row of another length than the labels, and one that is no distribution (or no logit), is named by its number within the
//! batch. A function that can fail returns a `Result`; its error becomes [`Error::Model`].

use crate::outputs::{Reader, rows};
use lipex_core::{Backend, Batching, BlackBox, Error, Outputs, Probabilities, Result, Texts};
use std::fmt;

/// The function, whatever its rows are, as rows of f64.
type Answer<'a> = Box<dyn Fn(&[&str]) -> Result<Vec<Vec<f64>>> + Send + Sync + 'a>;

/// A function of texts as a black box.
///
/// ```
/// use lipex::TextFn;
///
/// let model = TextFn::new(["short", "long"], |texts| {
///     texts.iter().map(|t| t.len() as f32 / 100.0).map(|p| [1.0 - p, p]).collect()
/// });
/// # let _ = model;
/// ```
pub struct TextFn<'a> {
    /// The labels and what the numbers are.
    reader: Reader,
    /// The function.
    answer: Answer<'a>,
}

impl fmt::Debug for TextFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextFn").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl<'a> TextFn<'a> {
    /// A function that gives one row of probabilities a text, in the labels' order.
    ///
    /// A row is anything that is a slice of f32 or f64: `Vec<f32>`, `[f64; 3]` … It is checked in f64 and held in f32.
    pub fn new<R, T>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&[&str]) -> Vec<R> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
    {
        TextFn { reader: Reader::new(labels), answer: Box::new(move |texts| Ok(rows(function(texts)))) }
    }

    /// A function whose classes are numbered from 0: there are as many as its first answer has columns.
    pub fn numbered<R, T>(function: impl Fn(&[&str]) -> Vec<R> + Send + Sync + 'a) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
    {
        TextFn { reader: Reader::numbered(), answer: Box::new(move |texts| Ok(rows(function(texts)))) }
    }

    /// A function that may fail; its error becomes [`Error::Model`].
    pub fn fallible<R, T, E>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&[&str]) -> std::result::Result<Vec<R>, E> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer: Answer<'a> = Box::new(move |texts| function(texts).map(rows).map_err(Error::model));
        TextFn { reader: Reader::new(labels), answer }
    }

    /// States what batches may hold; default [`Batching::OneInstance`].
    pub fn batching(self, batching: Batching) -> Self {
        TextFn { reader: Reader { batching, ..self.reader }, ..self }
    }

    /// The function's numbers are logits: each row goes through a softmax.
    pub fn logits(self) -> Self {
        TextFn { reader: Reader { outputs: Outputs::Logits, ..self.reader }, ..self }
    }

    /// The function's numbers are independent probabilities (sigmoids): see [`Outputs::Independent`].
    pub fn independent(self) -> Self {
        TextFn { reader: Reader { outputs: Outputs::Independent, ..self.reader }, ..self }
    }
}

impl<B: Backend> BlackBox<B, Texts> for TextFn<'_> {
    fn labels(&self) -> Option<&[String]> {
        self.reader.labels_known()
    }

    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none; [`Error::Model`] from a fallible function.
    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        self.reader.read(on, (self.answer)(&batch.as_strs())?, batch.len())
    }

    fn batching(&self) -> Batching {
        self.reader.batching
    }
}
