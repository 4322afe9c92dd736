//! Tables of numbers and categories.

use lipex_core::{Cell, Error, Result, expect_len};
use std::sync::Arc;

/// A table: named columns, and rows of numbers and categories.
///
/// ```
/// use lipex::{Cell, Table};
///
/// let table = Table::from_texts(["age", "colour"], [["41", "red"], ["17", ""]])?;
/// assert_eq!(table.rows()[0], [Cell::Number(41.0), Cell::from("red")]);
/// assert_eq!(table.rows()[1][1], Cell::Missing);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) columns: Arc<[String]>,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of values.
    ///
    /// # Errors
    /// [`Error::Shape`] for a row of another length, [`Error::Setting`] for a name that occurs twice.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>, rows: Vec<Vec<Cell>>) -> Result<Self> {
        let columns: Arc<[String]> = columns.into_iter().map(Into::into).collect();
        for (i, name) in columns.iter().enumerate() {
            if columns[..i].contains(name) {
                return Err(Error::setting("column", name, "is the name of two columns"));
            }
        }
        for (i, row) in rows.iter().enumerate() {
            expect_len(&format!("values of row {i}"), columns.len(), row.len())?;
        }
        Ok(Table { columns, rows })
    }

    /// A table as it stands in a file: a column is one of numbers where each of its values that is not empty is a finite number,
    /// else one of categories. An empty value is missing.
    ///
    /// # Errors
    /// Those of [`new`](Table::new).
    pub fn from_texts<R: AsRef<[T]>, T: AsRef<str>>(
        columns: impl IntoIterator<Item = impl Into<String>>,
        rows: impl IntoIterator<Item = R>,
    ) -> Result<Self> {
        let texts: Vec<R> = rows.into_iter().collect();
        let cells = texts.iter().map(|row| row.as_ref().iter().map(|text| category(text.as_ref())).collect()).collect();
        let mut table = Table::new(columns, cells)?;
        for column in 0..table.columns.len() {
            table.numbers(column);
        }
        Ok(table)
    }

    /// Makes a column one of numbers, if each of its values is one.
    fn numbers(&mut self, column: usize) {
        let number = |cell: &Cell| match cell {
            Cell::Text(text) => text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).map(Cell::Number),
            other => Some(other.clone()),
        };
        let read: Option<Vec<Cell>> = self.rows.iter().map(|row| number(&row[column])).collect();
        if let Some(read) = read {
            self.rows.iter_mut().zip(read).for_each(|(row, cell)| row[column] = cell);
        }
    }

    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows, a value a column.
    pub fn rows(&self) -> &[Vec<Cell>] {
        &self.rows
    }

    /// The table with these rows alone, by number.
    ///
    /// # Errors
    /// [`Error::Setting`] for a row that does not exist.
    pub fn only(&self, rows: impl IntoIterator<Item = usize>) -> Result<Self> {
        let row = |i: usize| {
            let absent =
                || Error::setting("row", i, format!("the table has the rows 0 to {}", self.rows.len().max(1) - 1));
            self.rows.get(i).cloned().ok_or_else(absent)
        };
        Ok(Table { columns: self.columns.clone(), rows: rows.into_iter().map(row).collect::<Result<_>>()? })
    }

    /// The table without some columns, by name.
    ///
    /// # Errors
    /// [`Error::Setting`] for a column that does not exist.
    pub fn without<T: AsRef<str>>(&self, names: &[T]) -> Result<Self> {
        for name in names.iter().map(AsRef::as_ref) {
            if !self.columns.iter().any(|column| column == name) {
                let all = self.columns.join(", ");
                return Err(Error::setting("column", name, format!("there is none of that name; there are {all}")));
            }
        }
        let stays: Vec<bool> = self.columns.iter().map(|c| !names.iter().any(|name| name.as_ref() == c)).collect();
        let kept =
            |row: &Vec<Cell>| row.iter().zip(&stays).filter(|(_, s)| **s).map(|(cell, _)| cell.clone()).collect();
        let columns =
            self.columns.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(name, _)| name.clone()).collect();
        Ok(Table { columns, rows: self.rows.iter().map(kept).collect() })
    }

    /// The columns of `like`, in its order, and its kinds: where it has categories, numbers become their texts.
    ///
    /// # Errors
    /// [`Error::Setting`] for a column that is not there, or categories where `like` has numbers.
    pub fn as_in(&self, like: &Table) -> Result<Self> {
        let mut places = Vec::with_capacity(like.columns.len());
        for (j, name) in like.columns.iter().enumerate() {
            let absent = || Error::setting("column", name, "is in the table and not in the background");
            let place = self.columns.iter().position(|own| own == name).ok_or_else(absent)?;
            places.push((place, like.rows.iter().any(|row| matches!(row[j], Cell::Text(_)))));
        }
        let cell = |row: &[Cell], j: usize| {
            let (place, category) = places[j];
            match &row[place] {
                Cell::Number(number) if category => Ok(Cell::Text(number.to_string().into())),
                Cell::Text(text) if !category && like.rows.iter().any(|row| matches!(row[j], Cell::Number(_))) => {
                    let reason = format!("has numbers in the table, and \"{text}\" in the background");
                    Err(Error::setting("column", &like.columns[j], reason))
                }
                other => Ok(other.clone()),
            }
        };
        let row = |row: &Vec<Cell>| (0..places.len()).map(|j| cell(row, j)).collect::<Result<Vec<Cell>>>();
        Ok(Table { columns: like.columns.clone(), rows: self.rows.iter().map(row).collect::<Result<_>>()? })
    }
}

fn category(text: &str) -> Cell {
    if text.is_empty() { Cell::Missing } else { Cell::Text(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbers_or_categories() {
        let table = Table::from_texts(["a", "b", "c"], [["1", "x", ""], ["-2.5e1", "3", ""], ["", "4", ""]]).unwrap();
        assert_eq!(table.rows()[1], [Cell::Number(-25.0), Cell::from("3"), Cell::Missing]);
        assert_eq!(table.rows()[2][0], Cell::Missing);
        // "inf" and "nan" are words.
        assert_eq!(Table::from_texts(["a"], [["inf"], ["1"]]).unwrap().rows()[1][0], Cell::from("1"));
        assert!(Table::from_texts(["a", "a"], [["1", "2"]]).is_err());
        assert!(Table::from_texts(["a", "b"], [vec!["1", "2"], vec!["1"]]).unwrap_err().to_string().contains("row 1"));
        let less = table.without(&["b"]).unwrap();
        assert_eq!((less.columns().len(), less.rows()[0].len()), (2, 2));
        assert!(table.without(&["d"]).is_err() && table.only([3]).is_err());
    }

    #[test]
    fn a_background_takes_the_tables_columns_and_kinds() {
        let table = Table::from_texts(["a", "b"], [["1", "x"]]).unwrap();
        let background = Table::from_texts(["b", "more", "a"], [["7", "0", "2"]]).unwrap();
        let fitted = background.as_in(&table).unwrap();
        assert_eq!(fitted.rows()[0], [Cell::Number(2.0), Cell::from("7")]);
        let bad = Table::from_texts(["a", "b"], [["y", "x"]]).unwrap().as_in(&table).unwrap_err().to_string();
        assert!(bad.contains("has numbers in the table"), "{bad}");
        assert!(Table::from_texts(["a"], [["1"]]).unwrap().as_in(&table).is_err());
    }
}
