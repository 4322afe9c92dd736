//! What takes the place of a value that is removed.

use super::Table;
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{Cell, Error, Result};
use std::fmt;

/// What a table becomes as a background: the rows whose values take the place of removed ones.
///
/// ```
/// use lipex::Reference;
///
/// assert_eq!(Reference::by_name("sample:20")?, Reference::Sample(20));
/// assert_eq!(Reference::default().to_string(), "sample:100");
/// assert!(Reference::by_name("zero").is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// One row: the mean of a column of numbers, the commonest category of another; `mean`.
    Mean,
    /// One row: the median, or the commonest category; `median`.
    Median,
    /// The row of that number; `row:J`.
    Row(usize),
    /// So many rows, drawn without replacement, or all there are; `sample:K`.
    Sample(usize),
}

impl Default for Reference {
    /// A hundred rows, as many as the documentation of PyPI `shap` advises to take.
    fn default() -> Self {
        Reference::Sample(100)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Mean => f.write_str("mean"),
            Reference::Median => f.write_str("median"),
            Reference::Row(row) => write!(f, "row:{row}"),
            Reference::Sample(count) => write!(f, "sample:{count}"),
        }
    }
}

impl Reference {
    /// The reference of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        let wrong = || Error::setting("reference", name, "choose mean, median, row:J or sample:K (K from 1)");
        match name.split_once(':') {
            None if name == "mean" => Ok(Reference::Mean),
            None if name == "median" => Ok(Reference::Median),
            Some(("row", row)) => row.parse().map(Reference::Row).map_err(|_| wrong()),
            Some(("sample", count)) => {
                count.parse().ok().filter(|count| *count > 0).map(Reference::Sample).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }

    /// The background that it makes of a table; `seed` is for what is drawn.
    ///
    /// # Errors
    /// [`Error::Setting`] for a row that does not exist, or a table without rows.
    pub fn of(self, table: &Table, seed: u64) -> Result<Table> {
        if table.rows.is_empty() {
            return Err(Error::setting("reference", self, "the background has no row"));
        }
        let row = |middle: fn(Vec<f64>) -> f64| -> Vec<Cell> {
            (0..table.columns.len()).map(|column| typical(table, column, middle)).collect()
        };
        match self {
            Reference::Mean => Ok(Table { rows: vec![row(mean)], columns: table.columns.clone() }),
            Reference::Median => Ok(Table { rows: vec![row(median)], columns: table.columns.clone() }),
            Reference::Row(row) => table.only([row]),
            Reference::Sample(count) => table.only(drawn(table.rows.len(), count, seed)),
        }
    }
}

fn mean(numbers: Vec<f64>) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[half] } else { (numbers[half - 1] + numbers[half]) / 2.0 }
}

/// The middle of a column's numbers, or its commonest category, of equally common ones the first.
fn typical(table: &Table, column: usize, middle: fn(Vec<f64>) -> f64) -> Cell {
    let cells: Vec<&Cell> = table.rows.iter().map(|row| &row[column]).filter(|cell| **cell != Cell::Missing).collect();
    let numbers: Vec<f64> =
        cells.iter().filter_map(|c| if let Cell::Number(n) = c { Some(*n) } else { None }).collect();
    if !numbers.is_empty() && numbers.len() == cells.len() {
        return Cell::from(middle(numbers));
    }
    let mut counts: Vec<(&Cell, usize)> = Vec::new();
    for cell in cells {
        match counts.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, count)) => *count += 1,
            None => counts.push((cell, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    counts.into_iter().find(|(_, count)| *count == most).map_or(Cell::Missing, |(cell, _)| cell.clone())
}

/// `count` of the numbers below `all`, ascending, each set of them as likely (Fisher and Yates).
fn drawn(all: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..all).collect();
    if count >= all {
        return numbers;
    }
    let mut draws = Draws::new(seed, 0, 0, Purpose::Own);
    for i in 0..count {
        let other = i + draws.below(i as u32, (all - i) as u32) as usize;
        numbers.swap(i, other);
    }
    numbers.truncate(count);
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::from_texts(["a", "b"], [["1", "x"], ["2", "y"], ["9", "y"], ["", "x"]]).unwrap()
    }

    #[test]
    fn one_row_stands_for_all() {
        let of = |name: &str| Reference::by_name(name).unwrap().of(&table(), 0).unwrap().rows;
        assert_eq!(of("mean"), [[Cell::Number(4.0), Cell::from("x")]]);
        assert_eq!(of("median"), [[Cell::Number(2.0), Cell::from("x")]]);
        assert_eq!(of("row:1"), [[Cell::Number(2.0), Cell::from("y")]]);
        assert_eq!(of("sample:9").len(), 4);
        assert!(Reference::Row(4).of(&table(), 0).is_err());
        for bad in ["sample:0", "sample", "row:x", "mode"] {
            assert!(Reference::by_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn draws_are_fair_and_the_same_again() {
        let mut counts = [0usize; 5];
        for seed in 0..1000 {
            let rows = drawn(5, 2, seed);
            assert!(rows.len() == 2 && rows[0] < rows[1] && rows == drawn(5, 2, seed));
            rows.iter().for_each(|&row| counts[row] += 1);
        }
        // 400 each, give or take four standard deviations of 15.5.
        assert!(counts.iter().all(|count| (338..462).contains(count)), "{counts:?}");
    }
}
