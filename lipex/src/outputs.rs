//! What a model's numbers mean, and how they become probabilities.

use lipex_core::{
    Backend, Batching, Error, Probabilities, Result, check_row, expect_len, normalise_row, softmax_in_place,
};
use std::sync::OnceLock;

/// What the numbers of a model's rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Probabilities: not negative, sum 1 but for rounding ([`check_row`] is the rule). Each row is divided by its sum.
    #[default]
    Probabilities,
    /// Logits: each row goes through a softmax, in f64. A logit of −∞ is a probability of 0, one of ∞ takes all.
    Logits,
    /// Independent probabilities, one sigmoid a class: class c becomes p_c / Σ p.
    ///
    /// This keeps the order of the classes and the ratios between them, and forgets how many classes the model found. A
    /// row with a number outside \[0, 1\], or of zeros only, is left as it is, so that the check of rows names it.
    Independent,
}

impl Outputs {
    /// The name that the command protocol uses, also as the key of a reply.
    pub fn name(self) -> &'static str {
        match self {
            Outputs::Probabilities => "probabilities",
            Outputs::Logits => "logits",
            Outputs::Independent => "independent",
        }
    }

    /// The outputs of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        Outputs::ALL
            .into_iter()
            .find(|o| o.name() == name)
            .ok_or_else(|| Error::setting("outputs", name, "choose probabilities, logits or independent"))
    }

    pub(crate) const ALL: [Outputs; 3] = [Outputs::Probabilities, Outputs::Logits, Outputs::Independent];

    /// A model's numbers as probabilities on a backend, checked: what a black box of one's own returns from
    /// [`predict`](lipex_core::BlackBox::predict).
    ///
    /// ```
    /// use lipex::{Cpu, Outputs};
    ///
    /// let p = Outputs::Logits.read(&Cpu::new(), &[0.0, 3f64.ln(), 0.0, f64::NEG_INFINITY], 2, 2)?;
    /// assert_eq!((p.row(0), p.row(1)), (&[0.25, 0.75][..], &[1.0, 0.0][..]));
    /// # Ok::<(), lipex::Error>(())
    /// ```
    ///
    /// # Shapes
    /// `rows` × `classes`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of numbers; [`Error::NotADistribution`] for a row that is none, counted from 0.
    pub fn read<B: Backend>(self, on: &B, values: &[f64], rows: usize, classes: usize) -> Result<Probabilities<B>> {
        expect_len("numbers from the model (rows × classes)", rows * classes, values.len())?;
        let mut answer = Answer::with_capacity(rows, classes);
        values.chunks_exact(classes.max(1)).try_for_each(|row| answer.push(self, row.to_vec()))?;
        answer.on(on)
    }

    /// Turns a row of such numbers into a distribution; gives how far from 1 its sum was.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] with `row`.
    pub(crate) fn to_distribution(self, row: usize, values: &mut [f64]) -> Result<f64> {
        match self {
            Outputs::Probabilities => return normalise_row(row, values),
            Outputs::Logits => softmax(values),
            Outputs::Independent => {
                let sum: f64 = values.iter().sum();
                if sum > 0.0 && values.iter().all(|p| (0.0..=1.0).contains(p)) {
                    values.iter_mut().for_each(|p| *p /= sum);
                }
            }
        }
        check_row(row, values).map(|()| 0.0)
    }
}

/// Softmax with its limits: logits of ∞ share all, those of −∞ have nothing. Without a logit above −∞ no number comes out.
fn softmax(values: &mut [f64]) {
    let certain = values.iter().filter(|v| **v == f64::INFINITY).count();
    if certain == 0 || values.iter().any(|v| v.is_nan()) {
        return softmax_in_place(values);
    }
    let share = 1.0 / certain as f64;
    values.iter_mut().for_each(|v| *v = if *v == f64::INFINITY { share } else { 0.0 });
}

/// Rows as they are checked one by one.
pub(crate) struct Answer {
    values: Vec<f32>,
    rows: usize,
    classes: usize,
    sums_off: f64,
}

impl Answer {
    pub fn with_capacity(rows: usize, classes: usize) -> Self {
        Answer { values: Vec::with_capacity(rows * classes), rows: 0, classes, sums_off: 0.0 }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] with the number of the row.
    pub fn push(&mut self, outputs: Outputs, mut row: Vec<f64>) -> Result<()> {
        self.sums_off = self.sums_off.max(outputs.to_distribution(self.rows, &mut row)?);
        self.rows += 1;
        self.values.extend(row.into_iter().map(|v| v as f32));
        Ok(())
    }

    /// The rows on a backend.
    ///
    /// # Errors
    /// [`Error::Backend`] when it has no room.
    pub fn on<B: Backend>(self, on: &B) -> Result<Probabilities<B>> {
        let values = on.upload(self.values)?;
        Ok(Probabilities::new(on, self.rows, self.classes, values)?.checked(self.sums_off))
    }
}

/// A function's labels, what its numbers are, and what its batches are made of.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub labels: OnceLock<Vec<String>>,
    pub outputs: Outputs,
    pub batching: Batching,
}

impl Reader {
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let known = OnceLock::from(labels.into_iter().map(Into::into).collect::<Vec<String>>());
        Reader { labels: known, ..Reader::numbered() }
    }

    /// Labels that are numbers from 0, as many as the first answer has columns.
    pub fn numbered() -> Self {
        Reader { labels: OnceLock::new(), outputs: Outputs::default(), batching: Batching::default() }
    }

    pub fn labels_known(&self) -> Option<&[String]> {
        self.labels.get().map(Vec::as_slice)
    }

    /// A function's rows as the answer to a batch of so many inputs.
    ///
    /// # Errors
    /// [`Error::Shape`] for a wrong number of rows or a row of a wrong length; [`Error::NotADistribution`] for a row that is
    /// none.
    pub fn read<B: Backend>(&self, on: &B, rows: Vec<Vec<f64>>, inputs: usize) -> Result<Probabilities<B>> {
        expect_len("rows from the model", inputs, rows.len())?;
        let columns = rows.first().map_or(0, Vec::len);
        let classes = self.labels.get_or_init(|| (0..columns).map(|c| c.to_string()).collect()).len();
        let mut answer = Answer::with_capacity(inputs, classes);
        for (i, row) in rows.into_iter().enumerate() {
            expect_len(&format!("numbers in row {i} of the model's batch"), classes, row.len())?;
            answer.push(self.outputs, row)?;
        }
        answer.on(on)
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
