//! A function's rows as a model's answer.
//!
//! Labels may be learnt from the first answer: a function that knows its classes only then gives none at first.

use lipex_core::{Backend, Batching, CheckedRows, Outputs, Probabilities, Result, distinct_labels, expect_len};
use std::sync::OnceLock;

/// A function's labels, what its numbers are, and what its batches are made of.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// Class names, once known.
    pub labels: OnceLock<Vec<String>>,
    /// What the numbers are.
    pub outputs: Outputs,
    /// Whether batches may be filled across instances.
    pub batching: Batching,
}

impl Reader {
    /// Probabilities of these classes, asked one instance at a time.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known = OnceLock::from(distinct_labels(labels.into_iter().map(Into::into).collect()));
        Reader { labels: known, ..Reader::numbered() }
    }

    /// Labels that are numbers from 0, as many as the first answer has columns.
    pub fn numbered() -> Self {
        Reader { labels: OnceLock::new(), outputs: Outputs::default(), batching: Batching::default() }
    }

    /// The names, if they are known by now.
    pub fn labels_known(&self) -> Option<&[String]> {
        self.labels.get().map(Vec::as_slice)
    }

    /// A function's rows as the answer to a batch of so many inputs.
    ///
    /// # Errors
    /// Those of [`check`](Reader::check).
    pub fn read<B: Backend>(&self, on: &B, rows: Vec<Vec<f64>>, inputs: usize) -> Result<Probabilities<B>> {
        self.check(rows, inputs)?.on(on)
    }

    /// A function's rows, checked.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none.
    pub fn check(&self, rows: Vec<Vec<f64>>, inputs: usize) -> Result<CheckedRows> {
        expect_len("rows from the model", inputs, rows.len())?;
        let columns = rows.first().map_or(0, Vec::len);
        let classes = self.labels.get_or_init(|| (0..columns).map(|c| c.to_string()).collect()).len();
        let mut answer = CheckedRows::with_capacity(inputs, classes);
        for (i, row) in rows.into_iter().enumerate() {
            expect_len(&format!("numbers in row {i} of the model's batch"), classes, row.len())?;
            answer.push(self.outputs, row)?;
        }
        Ok(answer)
    }
}

/// Rows of any kind as rows of f64.
pub(crate) fn rows<R: AsRef<[T]>, T: Copy + Into<f64>>(rows: Vec<R>) -> Vec<Vec<f64>> {
    rows.iter().map(|row| row.as_ref().iter().map(|&v| v.into()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_cpu::Cpu;

    fn read(outputs: Outputs, row: &[f64]) -> Result<Vec<f32>> {
        outputs.read(&Cpu::new(), row, 1, row.len()).map(|p| p.row(0).to_vec())
    }

    #[test]
    fn infinite_logits_are_limits() {
        let (inf, none) = (f64::INFINITY, f64::NEG_INFINITY);
        assert_eq!(read(Outputs::Logits, &[inf, 3.0, none]).unwrap(), [1.0, 0.0, 0.0]);
        assert_eq!(read(Outputs::Logits, &[inf, 0.0, inf, 0.0]).unwrap(), [0.5, 0.0, 0.5, 0.0]);
        assert_eq!(read(Outputs::Logits, &[none, 7.0]).unwrap(), [0.0, 1.0]);
        for none in [[none, none], [f64::NAN, inf]] {
            assert!(read(Outputs::Logits, &none).unwrap_err().to_string().contains("class 0 has NaN"));
        }
    }

    #[test]
    fn rounded_rows_pass_by_one_rule_and_are_divided_by_their_sums() {
        for row in [&[0.334, 0.334, 0.333][..], &[0.5, 0.501]] {
            let (p, sum) = (read(Outputs::Probabilities, row).unwrap(), row.iter().sum::<f64>());
            assert!(p.iter().zip(row).all(|(p, v)| (f64::from(*p) - v / sum).abs() < 1e-7), "{p:?}");
        }
        let off = Outputs::Probabilities.read(&Cpu::new(), &[0.5, 0.5, 0.5, 0.501], 2, 2).unwrap().sums_off().unwrap();
        assert!((off - 0.001).abs() < 1e-9, "{off}");
        assert!(read(Outputs::Probabilities, &[0.5, 0.51]).unwrap_err().to_string().contains("sums to 1.01"));
        assert!(Outputs::Probabilities.read(&Cpu::new(), &[0.5, 0.5, 1.0], 2, 2).is_err());
    }
}
