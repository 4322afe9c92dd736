//! A Python callable as a black box.
//!
//! `python/lipex` wraps it, so that it takes lists and arrays and gives a C-contiguous float64 array of two dimensions. It runs on
//! the thread that called, whatever `threads` says.

use lipex::{
    Backend, BlackBox, Cell, CheckedRows, Error, Images, Outputs, Probabilities, Result, Rows, Texts, expect_len,
};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::OnceLock;

/// A callable, its classes' names once they are known, and what its numbers are.
pub struct Callable {
    call: Py<PyAny>,
    labels: OnceLock<Vec<String>>,
    outputs: Outputs,
}

impl Callable {
    /// Without names classes are numbered, as many as the first answer has columns.
    pub fn new(call: Py<PyAny>, labels: Option<Vec<String>>, outputs: Outputs) -> Self {
        Callable { call, labels: labels.map_or_else(OnceLock::new, OnceLock::from), outputs }
    }

    /// The names, if they are known by now.
    pub fn labels_known(&self) -> Option<&[String]> {
        self.labels.get().map(Vec::as_slice)
    }

    /// Asks about so many inputs, and reads the answer: its numbers, and how many a row has.
    fn ask<T>(
        &self,
        inputs: usize,
        given: impl FnOnce(Python<'_>) -> PyResult<Bound<'_, PyAny>>,
        read: impl FnOnce(&[f64], usize) -> Result<T>,
    ) -> Result<T> {
        Python::attach(|py| {
            let answer = given(py).and_then(|given| self.call.bind(py).call1((given,))).map_err(Error::model)?;
            let answer: PyReadonlyArray2<'_, f64> = answer.extract().map_err(Error::model)?;
            let [rows, columns] = [answer.shape()[0], answer.shape()[1]];
            expect_len("rows from the model", inputs, rows)?;
            let classes = self.labels.get_or_init(|| (0..columns).map(|c| c.to_string()).collect()).len();
            expect_len("numbers in a row of the model's answer (one a class)", classes, columns)?;
            let values = answer.as_slice().map_err(|_| Error::shape("contiguous answers", 1, 0))?;
            read(values, columns)
        })
    }
}

impl<B: Backend> BlackBox<B, Texts> for Callable {
    fn labels(&self) -> Option<&[String]> {
        self.labels_known()
    }

    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        self.ask(
            batch.len(),
            |py| PyList::new(py, batch.as_slice()).map(Bound::into_any),
            |values, classes| self.outputs.read(on, values, batch.len(), classes),
        )
    }
}

impl<B: Backend> BlackBox<B, Images> for Callable {
    fn labels(&self) -> Option<&[String]> {
        self.labels_known()
    }

    fn predict(&self, on: &B, batch: &Images) -> Result<Probabilities<B>> {
        let shape = [batch.len(), batch.height(), batch.width(), 3];
        self.ask(
            batch.len(),
            |py| Ok(PyArray1::from_slice(py, batch.as_bytes()).reshape(shape)?.into_any()),
            |values, classes| self.outputs.read(on, values, batch.len(), classes),
        )
    }
}

impl<B: Backend> BlackBox<B, Rows> for Callable {
    fn labels(&self) -> Option<&[String]> {
        self.labels_known()
    }

    fn predict(&self, on: &B, batch: &Rows) -> Result<Probabilities<B>> {
        let rows = batch.distinct();
        let checked = self.ask(
            rows.len(),
            |py| {
                let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.iter().map(value).collect()).collect();
                PyList::new(py, rows).map(Bound::into_any)
            },
            |values, classes| {
                let mut checked = CheckedRows::with_capacity(rows.len(), classes);
                values.chunks_exact(classes.max(1)).try_for_each(|row| checked.push(self.outputs, row.to_vec()))?;
                Ok(checked)
            },
        )?;
        batch.answer(on, checked)
    }
}

/// A table's value in Python: a float, a str or None.
#[derive(Clone, IntoPyObject, FromPyObject)]
pub enum Value {
    Number(f64),
    Text(String),
    Missing(Option<f64>),
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Number(number) => Value::Number(*number),
        Cell::Text(text) => Value::Text(text.to_string()),
        _ => Value::Missing(None),
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Number(number) if number.is_nan() => Cell::Missing,
            Value::Number(number) | Value::Missing(Some(number)) => Cell::Number(number),
            Value::Text(text) => Cell::Text(text.into()),
            Value::Missing(None) => Cell::Missing,
        }
    }
}
