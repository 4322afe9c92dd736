//! Programs that take rows of a table.

use super::{CommandModel, protocol, refuse};
use lipex_core::{Backend, Batching, BlackBox, Cell, Probabilities, Result, Rows};
use serde_json::{Map, Value};

/// Whole numbers up to here are exact in f64.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl<B: Backend> BlackBox<B, Rows> for CommandModel {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    /// # Errors
    /// As for texts; [`Error::Setting`](lipex_core::Error::Setting) when the program takes something else.
    fn predict(&self, on: &B, batch: &Rows) -> Result<Probabilities<B>> {
        if !self.rows {
            let reason = r#"for rows of a table its first line must have "rows": true"#;
            return Err(refuse(&self.command, reason));
        }
        let rows = self.ask(protocol::line("rows", request(batch)), batch.distinct().len())?;
        batch.answer(on, rows)
    }
}

/// A list of objects: value by column.
fn request(rows: &Rows) -> Value {
    let object = |row: &Vec<Cell>| {
        let pairs = rows.columns().iter().zip(row).map(|(name, cell)| (name.clone(), value(cell)));
        Value::Object(pairs.collect::<Map<String, Value>>())
    };
    Value::Array(rows.distinct().iter().map(object).collect())
}

/// A number, whole ones without a point; a text; null where there is nothing.
fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Number(number) if number.fract() == 0.0 && number.abs() <= WHOLE => Value::from(*number as i64),
        Cell::Number(number) => Value::from(*number),
        Cell::Text(text) => Value::from(&**text),
        Cell::Missing => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_objects() {
        let cells = vec![Cell::Number(3.0), Cell::Number(-0.5), Cell::from("é\""), Cell::Missing];
        let rows = Rows::new(["a", "b", "c", "d"].map(String::from).into(), vec![cells], vec![0, 0], 2).unwrap();
        let line = protocol::line("rows", request(&rows));
        assert!(line.is_ascii() && line.ends_with("}\n") && line.starts_with("{\"rows\":["), "{line}");
        let back: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["rows"], serde_json::json!([{"a": 3, "b": -0.5, "c": "é\"", "d": null}]));
        assert!(line.contains("\"a\":3,"), "{line}");
    }
}
