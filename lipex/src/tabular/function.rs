//! Functions of rows as black boxes.

use crate::outputs::{Reader, rows};
use lipex_core::{Backend, Batching, BlackBox, Cell, Error, Outputs, Probabilities, Result, Rows};
use std::fmt;

type Answer<'a> = Box<dyn Fn(&[Vec<Cell>]) -> Result<Vec<Vec<f64>>> + Send + Sync + 'a>;

/// A function of a table's rows as a black box.
///
/// ```
/// use lipex::{Cell, TabularFn};
///
/// let model = TabularFn::new(["no", "yes"], |rows: &[Vec<Cell>]| {
///     rows.iter().map(|row| if row[1] == Cell::from("red") { [0.2, 0.8] } else { [0.7, 0.3] }).collect()
/// });
/// # let _ = model;
/// ```
pub struct TabularFn<'a> {
    reader: Reader,
    answer: Answer<'a>,
}

impl fmt::Debug for TabularFn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TabularFn").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl<'a> TabularFn<'a> {
    /// A function that gives one row of probabilities a row of the table, in the labels' order. It is given each row once, with a
    /// value a column, in the table's order.
    ///
    /// A row of the answer is anything that is a slice of f32 or f64: `Vec<f32>`, `[f64; 3]` …
    pub fn new<R, T>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&[Vec<Cell>]) -> Vec<R> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
    {
        TabularFn { reader: Reader::new(labels), answer: Box::new(move |given| Ok(rows(function(given)))) }
    }

    /// A function that may fail; its error becomes [`Error::Model`].
    pub fn fallible<R, T, E>(
        labels: impl IntoIterator<Item = impl Into<String>>,
        function: impl Fn(&[Vec<Cell>]) -> std::result::Result<Vec<R>, E> + Send + Sync + 'a,
    ) -> Self
    where
        R: AsRef<[T]>,
        T: Copy + Into<f64>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let answer: Answer<'a> = Box::new(move |given| function(given).map(rows).map_err(Error::model));
        TabularFn { reader: Reader::new(labels), answer }
    }

    /// States what batches may hold; default [`Batching::OneInstance`].
    pub fn batching(self, batching: Batching) -> Self {
        TabularFn { reader: Reader { batching, ..self.reader }, ..self }
    }

    /// The function's numbers are logits: each row goes through a softmax.
    pub fn logits(self) -> Self {
        TabularFn { reader: Reader { outputs: Outputs::Logits, ..self.reader }, ..self }
    }

    /// The function's numbers are independent probabilities (sigmoids): see [`Outputs::Independent`].
    pub fn independent(self) -> Self {
        TabularFn { reader: Reader { outputs: Outputs::Independent, ..self.reader }, ..self }
    }
}

impl<B: Backend> BlackBox<B, Rows> for TabularFn<'_> {
    fn labels(&self) -> Option<&[String]> {
        self.reader.labels_known()
    }

    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none; [`Error::Model`] from a fallible function.
    fn predict(&self, on: &B, batch: &Rows) -> Result<Probabilities<B>> {
        let rows = self.reader.check((self.answer)(batch.distinct())?, batch.distinct().len())?;
        batch.answer(on, rows)
    }

    fn batching(&self) -> Batching {
        self.reader.batching
    }
}
