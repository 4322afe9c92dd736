//! Functions as black boxes.

use lipex_core::{Backend, BlackBox, Error, Outputs, Probabilities, Result, Texts, check_row, expect_len};
use std::fmt;

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
    labels: Vec<String>,
    outputs: Outputs,
    answer: Answer<'a>,
}

impl fmt::Debug for TextFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextFn").field("labels", &self.labels).field("outputs", &self.outputs).finish_non_exhaustive()
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
        Self::from_answer(labels, Box::new(move |texts| Ok(rows(function(texts)))))
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
        Self::from_answer(labels, Box::new(move |texts| function(texts).map(rows).map_err(Error::model)))
    }

    fn from_answer(labels: impl IntoIterator<Item = impl Into<String>>, answer: Answer<'a>) -> Self {
        TextFn { labels: labels.into_iter().map(Into::into).collect(), outputs: Outputs::default(), answer }
    }

    /// The function's numbers are logits: each row goes through a softmax.
    pub fn logits(self) -> Self {
        TextFn { outputs: Outputs::Logits, ..self }
    }

    /// The function's numbers are independent probabilities (sigmoids): see [`Outputs::Independent`].
    pub fn independent(self) -> Self {
        TextFn { outputs: Outputs::Independent, ..self }
    }
}

/// Rows of any kind as rows of f64.
pub(crate) fn rows<R: AsRef<[T]>, T: Copy + Into<f64>>(rows: Vec<R>) -> Vec<Vec<f64>> {
    rows.iter().map(|row| row.as_ref().iter().map(|&v| v.into()).collect()).collect()
}

impl<B: Backend> BlackBox<B, Texts> for TextFn<'_> {
    fn labels(&self) -> &[String] {
        &self.labels
    }

    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none; [`Error::Model`] from a fallible function.
    fn predict(&self, on: &B, batch: &Texts, out: &mut Probabilities<B>) -> Result<()> {
        let rows = (self.answer)(&batch.as_strs())?;
        *out.values_mut() = on.upload(probabilities(rows, batch.len(), self.labels.len(), self.outputs)?)?;
        Ok(())
    }
}

/// A function's rows as the probabilities of a batch, once their number and lengths are right and each is a distribution.
pub(crate) fn probabilities(rows: Vec<Vec<f64>>, inputs: usize, classes: usize, outputs: Outputs) -> Result<Vec<f32>> {
    expect_len("rows from the model", inputs, rows.len())?;
    let mut values = Vec::with_capacity(inputs * classes);
    for (i, mut row) in rows.into_iter().enumerate() {
        expect_len(&format!("numbers in row {i} of the model's batch"), classes, row.len())?;
        outputs.to_probabilities(&mut row);
        check_row(i, &row)?;
        values.extend(row.into_iter().map(|v| v as f32));
    }
    Ok(values)
}
