//! What a model's numbers mean, and how they become probabilities.

use crate::backend::{Backend, Probabilities, check_row, check_scores, normalise_row};
use crate::error::{Error, Result, expect_len};
use crate::fit::softmax_in_place;

/// What the numbers of a model's rows are.
///
/// ```
/// use lipex_core::Outputs;
///
/// assert_eq!(Outputs::by_name("logits")?, Outputs::Logits);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Probabilities: not negative, sum 1 but for rounding ([`check_row`] is the rule). Each row is divided by its sum.
    #[default]
    Probabilities,
    /// Logits: each row goes through a softmax, in f64. A logit of −∞ is a probability of 0, one of ∞ takes all.
    Logits,
    /// Independent probabilities of several labels at once, one sigmoid a label, each from 0 to 1. They are never divided by
    /// their sum: each label is explained against not that label, by a fit of its own.
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

    /// Every kind.
    pub const ALL: [Outputs; 3] = [Outputs::Probabilities, Outputs::Logits, Outputs::Independent];

    /// A model's numbers as probabilities on a backend, checked: what a black box of one's own returns from
    /// [`predict`](crate::BlackBox::predict).
    ///
    /// ```
    /// use lipex_core::{Backend, Outputs, Probabilities, Result};
    ///
    /// fn answer<B: Backend>(on: &B) -> Result<Probabilities<B>> {
    ///     // A quarter and three quarters; all and nothing.
    ///     Outputs::Logits.read(on, &[0.0, 3f64.ln(), 0.0, f64::NEG_INFINITY], 2, 2)
    /// }
    /// ```
    ///
    /// # Shapes
    /// `rows` × `classes`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of numbers; [`Error::NotADistribution`] for a row that is none, counted from 0.
    pub fn read<B: Backend>(self, on: &B, values: &[f64], rows: usize, classes: usize) -> Result<Probabilities<B>> {
        expect_len("numbers from the model (rows × classes)", rows * classes, values.len())?;
        let mut answer = CheckedRows::with_capacity(rows, classes);
        values.chunks_exact(classes.max(1)).try_for_each(|row| answer.push(self, row.to_vec()))?;
        answer.on(on)
    }

    /// Turns a row of such numbers into probabilities; gives how far from 1 its sum was, where it should be 1.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] with `row`.
    fn to_probabilities(self, row: usize, values: &mut [f64]) -> Result<f64> {
        match self {
            Outputs::Probabilities => return normalise_row(row, values),
            Outputs::Logits => softmax(values),
            Outputs::Independent => return check_scores(row, values).map(|()| 0.0),
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

/// A model's rows as they come, each checked and made a distribution: what [`Outputs::read`] does where rows are not in one
/// piece.
///
/// ```
/// use lipex_core::{CheckedRows, Outputs};
///
/// let mut rows = CheckedRows::with_capacity(2, 2);
/// rows.push(Outputs::Probabilities, vec![0.25, 0.75])?;
/// let error = rows.push(Outputs::Probabilities, vec![0.25, 0.9]).unwrap_err();
/// assert!(error.to_string().contains("row 1"));
/// assert_eq!(rows.len(), 1);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CheckedRows {
    values: Vec<f32>,
    rows: usize,
    classes: usize,
    sums_off: f64,
    independent: bool,
}

impl CheckedRows {
    /// None yet; `rows` are to come.
    pub fn with_capacity(rows: usize, classes: usize) -> Self {
        CheckedRows { values: Vec::with_capacity(rows * classes), rows: 0, classes, sums_off: 0.0, independent: false }
    }

    /// Takes the next row.
    ///
    /// # Errors
    /// [`Error::NotADistribution`] with the number of the row.
    pub fn push(&mut self, outputs: Outputs, mut row: Vec<f64>) -> Result<()> {
        self.sums_off = self.sums_off.max(outputs.to_probabilities(self.rows, &mut row)?);
        self.rows += 1;
        self.independent = outputs == Outputs::Independent;
        self.values.extend(row.into_iter().map(|v| v as f32));
        Ok(())
    }

    /// The number of rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Rows that are means of `per` of these each, which `of` names one after the other.
    pub(crate) fn averaged(self, of: &[u32], per: usize) -> Self {
        let row = |i: u32| &self.values[i as usize * self.classes..][..self.classes];
        let mut values = Vec::with_capacity(of.len().checked_div(per).unwrap_or(0) * self.classes);
        for group in of.chunks_exact(per.max(1)) {
            let sum = |c: usize| group.iter().map(|&i| f64::from(row(i)[c])).sum::<f64>();
            values.extend((0..self.classes).map(|c| (sum(c) / per as f64) as f32));
        }
        CheckedRows { rows: values.len().checked_div(self.classes).unwrap_or(0), values, ..self }
    }

    /// The rows on a backend.
    ///
    /// # Errors
    /// [`Error::Backend`] when it has no room.
    pub fn on<B: Backend>(self, on: &B) -> Result<Probabilities<B>> {
        let values = on.upload(self.values)?;
        let p = Probabilities::new(on, self.rows, self.classes, values)?.checked(self.sums_off);
        Ok(if self.independent { p.independent() } else { p })
    }
}
