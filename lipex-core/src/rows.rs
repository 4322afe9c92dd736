//! Batches of rows of a table, as a black box receives them.

use crate::backend::{Backend, Probabilities};
use crate::error::{Error, Result, expect_len};
use crate::outputs::CheckedRows;
use std::sync::Arc;

/// A value of a table.
///
/// ```
/// use lipex_core::Cell;
///
/// assert_eq!(Cell::from(1.5), Cell::Number(1.5));
/// assert_eq!(Cell::from(f64::NAN), Cell::Missing);
/// assert_eq!(Cell::from("red").to_string(), "red");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A number; never NaN or infinite.
    Number(f64),
    /// A category.
    Text(Arc<str>),
    /// Nothing.
    Missing,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Number(number) => write!(f, "{number}"),
            Cell::Text(text) => f.write_str(text),
            Cell::Missing => f.write_str("nothing"),
        }
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Cell::Number(number) } else { Cell::Missing }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.into())
    }
}

/// Rows of a table for a black box to classify. An input is an instance some of whose values are replaced by those of `per`
/// background rows, one after the other: its answer is the mean of the answers to these rows, in probability.
///
/// A black box answers the [`distinct`](Rows::distinct) rows and gives them to [`answer`](Rows::answer).
///
/// ```
/// use lipex::{Cell, CheckedRows, Cpu, Outputs, Rows};
///
/// // Two inputs of two rows each; row 0 is in both, and a model sees it once.
/// let cells = |x: f64| vec![Cell::from(x)];
/// let rows = Rows::new(["x".to_string()].into(), vec![cells(0.0), cells(1.0), cells(2.0)], vec![0, 1, 0, 2], 2)?;
/// assert_eq!((rows.len(), rows.distinct().len()), (2, 3));
/// let mut answers = CheckedRows::with_capacity(3, 2);
/// for p in [0.0, 0.5, 1.0] {
///     answers.push(Outputs::Probabilities, vec![p, 1.0 - p])?;
/// }
/// assert_eq!(rows.answer(&Cpu::new(), answers)?.row(1), [0.5, 0.5]); // the mean of rows 0 and 2
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    columns: Arc<[String]>,
    distinct: Vec<Vec<Cell>>,
    /// Input after input, `per` each: which of the distinct rows.
    of: Vec<u32>,
    per: usize,
}

impl Rows {
    /// Rows with such columns; `of` says for each input which `per` of the distinct rows it is made of.
    ///
    /// # Errors
    /// [`Error::Shape`] for a row of another length, no whole inputs, or a row that does not exist.
    pub fn new(columns: Arc<[String]>, distinct: Vec<Vec<Cell>>, of: Vec<u32>, per: usize) -> Result<Self> {
        for row in &distinct {
            expect_len("values of a row", columns.len(), row.len())?;
        }
        let whole = of.len().checked_div(per).unwrap_or(0) * per;
        expect_len("rows of whole inputs", whole, of.len())?;
        match of.iter().find(|row| **row as usize >= distinct.len()) {
            Some(row) => Err(Error::shape("rows of the batch (more than)", *row as usize, distinct.len())),
            None => Ok(Rows { columns, distinct, of, per }),
        }
    }

    /// The number of inputs.
    pub fn len(&self) -> usize {
        self.of.len().checked_div(self.per).unwrap_or(0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows that are to be classified, each once: a value a column.
    pub fn distinct(&self) -> &[Vec<Cell>] {
        &self.distinct
    }

    /// The answer to the inputs, from that to the distinct rows.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of rows; [`Error::Backend`] when the backend has no room.
    pub fn answer<B: Backend>(&self, on: &B, rows: CheckedRows) -> Result<Probabilities<B>> {
        expect_len("rows from the model", self.distinct.len(), rows.len())?;
        rows.averaged(&self.of, self.per).on(on)
    }
}
