//! Answers that were asked for before: each mask has its own, whatever was made of it.

use lipex::{Backend, BlackBox, Error, Feature, Instance, Masks, Outputs, Probabilities, Render, Result, expect_len};
use std::ops::Range;

/// Features of anything; its inputs are the numbers of its masks.
pub struct Answered {
    features: Vec<Feature>,
    /// Masks that were answered.
    rows: usize,
}

impl Answered {
    /// Features of these names, with so many masks.
    pub fn new(names: Vec<String>, rows: usize) -> Self {
        let features = names.into_iter().map(|name| Feature { name, ..Feature::default() }).collect();
        Answered { features, rows }
    }
}

impl Instance for Answered {
    fn features(&self) -> &[Feature] {
        &self.features
    }
}

impl<B: Backend> Render<B, Vec<usize>> for Answered {
    fn render(&self, _: &B, _: &Masks<B>, rows: Range<usize>) -> Result<Vec<usize>> {
        // After the last comes the instance once more.
        Ok(rows.map(|i| if i < self.rows { i } else { 0 }).collect())
    }
}

/// A row of numbers a mask.
pub struct Answers {
    values: Vec<f64>,
    classes: usize,
    labels: Vec<String>,
    outputs: Outputs,
}

impl Answers {
    /// Rows of so many classes, which are numbered without names.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of names, [`Error::Setting`] for outputs that are none.
    pub fn new(values: Vec<f64>, classes: usize, labels: Option<Vec<String>>, outputs: Option<&str>) -> Result<Self> {
        let labels = labels.unwrap_or_else(|| (0..classes).map(|c| c.to_string()).collect());
        expect_len("numbers in a row of the answers (one a class)", labels.len(), classes)?;
        Ok(Answers { values, classes, labels, outputs: Outputs::by_name(outputs.unwrap_or("probabilities"))? })
    }
}

impl<B: Backend> BlackBox<B, Vec<usize>> for Answers {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn predict(&self, on: &B, batch: &Vec<usize>) -> Result<Probabilities<B>> {
        let row = |&i: &usize| self.values.get(i * self.classes..(i + 1) * self.classes);
        let rows: Option<Vec<&[f64]>> = batch.iter().map(row).collect();
        let given = self.values.len().checked_div(self.classes).unwrap_or(0);
        let rows = rows.ok_or_else(|| Error::shape("answers (a row a mask)", batch.len(), given))?;
        self.outputs.read(on, &rows.concat(), batch.len(), self.classes)
    }
}
