//! A row of a table to be explained.

use super::Table;
use lipex_core::{
    Backend, Cell, Describe, Distinct, Domain, Error, Feature, Instance, Masks, Render, Result, Rows, Setting,
    expect_len,
};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// Most rows in one batch, unless one input has more.
const BATCH_ROWS: usize = 1 << 16;

/// A row of a table as an instance: features are its columns.
///
/// A removed feature takes the value of a background row; the model is asked for each background row in turn, and its
/// probabilities are averaged. So what a feature does is told against what it usually is. With the preset
/// [`kernel_shap`](crate::kernel_shap) and up to ten features the shares are, exactly, the SHAP values of the interventional
/// expectation over the background, as PyPI `shap`'s `KernelExplainer` has them.
///
/// ```
/// use lipex::{Cell, Table, TabularFn, TabularInstance, prelude::*};
///
/// let table = Table::from_texts(["age", "colour"], [["41", "red"], ["17", "blue"], ["25", "red"], ["60", "green"]])?;
/// let row = TabularInstance::new(&table.only([0])?, &table.only(1..4)?)?;
/// // Twice as likely if red, whatever the age.
/// let model = TabularFn::new(["no", "yes"], |rows: &[Vec<Cell>]| {
///     rows.iter().map(|row| if row[1] == Cell::from("red") { [0.2, 0.8] } else { [0.6, 0.4] }).collect()
/// });
/// let explanation = kernel_shap().explain(&row, &model)?;
/// let yes = explanation.shares().row(1).to_vec();
/// // Of three background rows one is red: .8 − (.8 + .4 + .4) / 3.
/// assert!(yes[0].abs() < 1e-6 && (yes[1] - 0.8 + 1.6 / 3.0).abs() < 1e-6);
/// assert_eq!(explanation.features[1].name, "colour = red");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TabularInstance {
    columns: Arc<[String]>,
    row: Vec<Cell>,
    background: Vec<Vec<Cell>>,
    /// For each background row and column a number that is the same for equal values of the column; 0 is the instance's own.
    codes: Vec<Vec<u32>>,
    features: Vec<Feature>,
    /// Bits of columns where no background row has another value.
    inert: Vec<u32>,
    /// How the background was made, for reports.
    reference: String,
}

impl TabularInstance {
    /// The one row of `table`, explained against the rows of `background`, which has the same columns.
    ///
    /// # Errors
    /// [`Error::Instance`] for a table of more or fewer rows than one, no columns, or a background without rows;
    /// [`Error::Setting`] for other columns, or other kinds in them.
    pub fn new(table: &Table, background: &Table) -> Result<Self> {
        let [row] = table.rows.as_slice() else {
            return Err(Error::Instance(format!("one row is explained at once, not {}", table.rows.len())));
        };
        if row.is_empty() {
            return Err(Error::Instance("the row has no columns: nothing can be removed from it".into()));
        }
        let background = background.as_in(table)?.rows;
        if background.is_empty() {
            return Err(Error::Instance("the background has no rows: nothing can take a removed value's place".into()));
        }
        let codes = codes(row, &background);
        let mut inert = vec![0u32; row.len().div_ceil(32)];
        for j in (0..row.len()).filter(|&j| codes.iter().all(|codes| codes[j] == 0)) {
            inert[j / 32] |= 1 << (j % 32);
        }
        let named = |(name, cell): (&String, &Cell)| Feature { name: format!("{name} = {cell}"), ..Feature::default() };
        let features = table.columns.iter().zip(row).map(named).collect();
        let reference = format!("{} rows", background.len());
        Ok(TabularInstance {
            columns: table.columns.clone(),
            row: row.clone(),
            background,
            codes,
            features,
            inert,
            reference,
        })
    }

    /// Says in reports how the background was made, such as `sample:100`.
    pub fn reference(self, reference: impl ToString) -> Self {
        TabularInstance { reference: reference.to_string(), ..self }
    }

    /// The row's values.
    pub fn row(&self) -> &[Cell] {
        &self.row
    }

    /// The background rows.
    pub fn background(&self) -> &[Vec<Cell>] {
        &self.background
    }

    fn bits<B: Backend>(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Vec<u32>> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let index: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
        on.download(&on.gather(masks.bits(), masks.words(), &index)?)
    }
}

/// For each background row and column 0 where it has the instance's value, else a number of its value.
fn codes(row: &[Cell], background: &[Vec<Cell>]) -> Vec<Vec<u32>> {
    let mut codes = vec![vec![0; row.len()]; background.len()];
    for (j, own) in row.iter().enumerate() {
        let mut known: HashMap<String, u32> = HashMap::new();
        for (codes, other) in codes.iter_mut().zip(background) {
            if other[j] != *own {
                let next = known.len() as u32 + 1;
                // A number and a text may look alike, but not in one column.
                codes[j] = *known.entry(other[j].to_string()).or_insert(next);
            }
        }
    }
    codes
}

impl Describe for TabularInstance {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("columns", self.columns.len()),
            Setting::new("background", self.background.len()),
            Setting::new("reference", &self.reference),
        ]
    }
}

impl Instance for TabularInstance {
    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn domain(&self) -> Domain {
        Domain::Rows
    }

    /// A row and its background are as they are given.
    fn settings(&self) -> Vec<(Setting, String)> {
        self.describe().into_iter().map(|s| (s.clone(), s.value)).collect()
    }
}

impl<B: Backend> Render<B, Rows> for TabularInstance {
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Rows> {
        let bits = self.bits(on, masks, rows)?;
        let mut seen: HashMap<(u32, Vec<u32>), u32> = HashMap::new();
        let mut distinct: Vec<Vec<Cell>> = Vec::new();
        // A mask that comes again is asked for again on purpose, to see whether the model answers the same.
        let mut times: HashMap<&[u32], u32> = HashMap::new();
        let mut of = Vec::with_capacity(bits.len() / masks.words() * self.background.len());
        for mask in bits.chunks_exact(masks.words()) {
            let time = times.entry(mask).and_modify(|time| *time += 1).or_default();
            let keeps = |j: usize| mask[j / 32] >> (j % 32) & 1 == 1;
            for (codes, other) in self.codes.iter().zip(&self.background) {
                let key: Vec<u32> =
                    codes.iter().enumerate().map(|(j, code)| if keeps(j) { 0 } else { *code }).collect();
                of.push(*seen.entry((*time, key)).or_insert_with(|| {
                    let cell = |j: usize| if keeps(j) { self.row[j].clone() } else { other[j].clone() };
                    distinct.push((0..self.row.len()).map(cell).collect());
                    distinct.len() as u32 - 1
                }));
            }
        }
        Rows::new(self.columns.clone(), distinct, of, self.background.len())
    }

    fn largest_batch(&self) -> usize {
        (BATCH_ROWS / self.background.len()).max(1)
    }

    /// Masks that differ in columns alone in which no background row has another value are the same input.
    fn distinct(&self, on: &B, masks: &Masks<B>) -> Result<Option<Distinct>> {
        let mut bits = self.bits(on, masks, 0..masks.rows())?;
        for row in bits.chunks_exact_mut(masks.words()) {
            row.iter_mut().zip(&self.inert).for_each(|(word, inert)| *word |= inert);
        }
        Ok(Some(Distinct::by_key(bits.chunks_exact(masks.words()))))
    }
}
