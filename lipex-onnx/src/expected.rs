//! A folder's `expected.json`: what another runtime said of some inputs.
//!
//! `{"examples": [{"text", "input_ids", "logits"}]}` for texts, `{"pictures": [{"file", "logits"}]}` for images, files beside
//! it, `{"rows": [{"values", "logits"}]}` for rows of tables. Other keys are for people.
//!
//! # Tolerance
//! Logits within 10⁻⁴ plus half of the last printed digit; of pictures .02, since decoders and resizers of other programs
//! differ in the last bit of a byte. Token ids must be equal.

use crate::files::{Files, Json};
use crate::{OnnxImage, OnnxTable, OnnxText};
use lipex_core::{Cell, Images, Result, Rows};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// How near a model is to what its folder expects.
///
/// ```
/// use lipex_onnx::OnnxText;
///
/// let model = OnnxText::open("../examples/models/emotions")?;
/// let expected = model.expected()?.unwrap();
/// assert!(expected.furthest < 1e-4, "{expected}");
/// assert_eq!(expected.same_tokens, Some(expected.inputs));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Inputs that were tried.
    pub inputs: usize,
    /// Texts whose tokens are as expected; `None` for images and rows.
    pub same_tokens: Option<usize>,
    /// How far a number of the output is from the expected one, at most.
    pub furthest: f64,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} inputs, ", self.inputs)?;
        if let Some(same) = self.same_tokens {
            write!(f, "tokens as expected in {same}, ")?;
        }
        write!(f, "numbers off by {:.1e} at most", self.furthest)
    }
}

/// The entries under a key; `None` without file or key.
fn entries<'a>(json: &'a Option<Json>, key: &str) -> Option<(&'a Json, &'a Vec<Value>)> {
    let json = json.as_ref()?;
    Some((json, json.get(key)?.as_array()?))
}

/// A list of numbers, which must be there.
fn numbers(json: &Json, entry: &Value, key: &str) -> Result<Vec<f64>> {
    let list = entry.get(key).and_then(Value::as_array);
    let read = list.and_then(|list| list.iter().map(Value::as_f64).collect());
    read.ok_or_else(|| json.wrong(key, "is a list of numbers in each entry"))
}

/// A text, which must be there.
fn string<'a>(json: &Json, entry: &'a Value, key: &str) -> Result<&'a str> {
    entry.get(key).and_then(Value::as_str).ok_or_else(|| json.wrong(key, "is a string in each entry"))
}

/// The largest difference; endless where there are not as many.
fn apart(own: &[f32], expected: &[f64]) -> f64 {
    if own.len() != expected.len() {
        return f64::INFINITY;
    }
    own.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

/// Compares a text model with its folder's file; `None` without one.
pub(crate) fn texts(model: &OnnxText, files: &Files) -> Result<Option<Expected>> {
    let json = files.json("expected.json")?;
    let Some((json, list)) = entries(&json, "examples") else { return Ok(None) };
    let mut made = Expected { inputs: list.len(), same_tokens: Some(0), furthest: 0.0 };
    for entry in list {
        let text = string(json, entry, "text")?;
        let ids: Vec<f64> = model.tokens(text)?.0.into_iter().map(f64::from).collect();
        let same = usize::from(ids == numbers(json, entry, "input_ids")?);
        made.same_tokens = made.same_tokens.map(|n| n + same);
        let row = model.logits(&[text])?.pop().unwrap_or_default();
        made.furthest = made.furthest.max(apart(&row, &numbers(json, entry, "logits")?));
    }
    Ok(Some(made))
}

/// The same of an image model, whose pictures lie beside the file.
pub(crate) fn images(
    model: &OnnxImage,
    files: &Files,
    decode: impl Fn(&Path) -> Result<Images>,
) -> Result<Option<Expected>> {
    let json = files.json("expected.json")?;
    let Some((json, list)) = entries(&json, "pictures") else { return Ok(None) };
    let mut made = Expected { inputs: list.len(), same_tokens: None, furthest: 0.0 };
    for entry in list {
        let picture = decode(&files.at(string(json, entry, "file")?))?;
        let row = model.logits(&picture)?.pop().unwrap_or_default();
        made.furthest = made.furthest.max(apart(&row, &numbers(json, entry, "logits")?));
    }
    Ok(Some(made))
}

/// The same of a model of rows, whose values are numbers, or `null` where one is missing.
pub(crate) fn tables(model: &OnnxTable, files: &Files) -> Result<Option<Expected>> {
    let json = files.json("expected.json")?;
    let Some((json, list)) = entries(&json, "rows") else { return Ok(None) };
    let mut made = Expected { inputs: list.len(), same_tokens: None, furthest: 0.0 };
    for entry in list {
        let values = entry.get("values").and_then(Value::as_array);
        let cell = |value: &Value| match value {
            Value::Null => Some(Cell::Missing),
            other => other.as_f64().map(Cell::Number),
        };
        let row: Option<Vec<Cell>> = values.and_then(|values| values.iter().map(cell).collect());
        let row = row.ok_or_else(|| json.wrong("values", "is a list of numbers in each entry"))?;
        let columns: Vec<String> = (1..=row.len()).map(|i| i.to_string()).collect();
        let row = model.logits(&Rows::new(columns.into(), vec![row], vec![0], 1)?)?.pop().unwrap_or_default();
        made.furthest = made.furthest.max(apart(&row, &numbers(json, entry, "logits")?));
    }
    Ok(Some(made))
}
