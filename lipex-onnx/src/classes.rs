//! The classes' names.
//!
//! # Where from
//! In this order: the user's list; `id2label` of config.json, by number; a `labels.txt`; `LABEL_0`, `LABEL_1` … Where names
//! and columns differ in number, the error names the file that the names are from.

use crate::files::{Files, Json, read, wrong};
use lipex_core::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// The classes' names: given ones, those of `config.json` (`id2label`), or the lines of `labels.txt`.
pub(crate) fn find(given: Option<&[String]>, files: &Files, config: Option<&Json>) -> Result<Labels> {
    if let Some(given) = given {
        return Ok(Labels { names: given.to_vec(), from: "labels".into() });
    }
    if let Some(config) = config
        && let Some(map) = config.get("id2label")
    {
        let names = in_order(map).map_err(|reason| config.wrong("id2label", reason))?;
        agrees(config, &names)?;
        return Ok(Labels { names, from: format!("{}: id2label", config.file.display()) });
    }
    let file = files.at("labels.txt");
    if file.is_file() {
        return Ok(Labels { names: lines(&file)?, from: file.display().to_string() });
    }
    let (file, reason) = match config {
        Some(config) => (config.file.clone(), "id2label: is absent; add the classes' names there, or give --labels"),
        None => (files.at("config.json"), "there is no such file with the classes' names (id2label); give --labels"),
    };
    Err(wrong(&file, reason))
}

/// Names and where they are from.
#[derive(Clone, Debug)]
pub(crate) struct Labels {
    /// The names in the order of the columns.
    pub names: Vec<String>,
    /// The file or option that they are from, for errors.
    from: String,
}

impl Labels {
    /// Passes if there is a name a column of the graph's output.
    pub fn expect(&self, columns: usize, output: &str) -> Result<()> {
        if self.names.len() == columns {
            return Ok(());
        }
        let reason = format!("the graph's output {output} has {columns}: they must be as many");
        Err(Error::setting("model", format!("{}: {} names", self.from, self.names.len()), reason))
    }
}

/// The names of a file, one a line; empty lines at the end do not count.
pub(crate) fn lines(file: &Path) -> Result<Vec<String>> {
    let text = read(file)?;
    let names: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_string()).collect();
    match names.iter().position(String::is_empty) {
        Some(at) => Err(wrong(file, format!("line {}: is empty; give one name a line", at + 1))),
        None => Ok(names),
    }
}

/// `{"0": "ham", "1": "spam"}` or `["ham", "spam"]` as a list.
fn in_order(map: &Value) -> std::result::Result<Vec<String>, String> {
    let name = |value: &Value| match value {
        Value::String(name) => Ok(name.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(format!("a name must be a string, not {other}")),
    };
    match map {
        Value::Array(list) => list.iter().map(name).collect(),
        Value::Object(map) => (0..map.len())
            .map(|i| match map.get(&i.to_string()) {
                Some(value) => name(value),
                None => Err(format!("has {} names but none of number {i}", map.len())),
            })
            .collect(),
        _ => Err("must be an object of names by number".into()),
    }
}

/// Passes unless `label2id` or `num_labels` say something else.
fn agrees(config: &Json, names: &[String]) -> Result<()> {
    if let Some(count) = config.count("num_labels")?
        && count != names.len()
    {
        return Err(config.wrong("num_labels", format!("is {count}, but id2label has {} names", names.len())));
    }
    let empty = Map::new();
    let back = config.get("label2id").and_then(Value::as_object).unwrap_or(&empty);
    for (name, id) in back {
        let id = id.as_u64().or_else(|| id.as_str()?.parse().ok()).unwrap_or(u64::MAX) as usize;
        // Names that occur twice keep one of their numbers there.
        if names.get(id) != Some(name) {
            let own = names.get(id).map_or("nothing".into(), |n| format!("\"{n}\""));
            return Err(config.wrong("label2id", format!("\"{name}\" is number {id}, which id2label calls {own}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_in_order() {
        let of = |text: &str| in_order(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"1": "b", "0": "a", "10": "k"}"#).unwrap_err(), "has 3 names but none of number 2");
        assert_eq!(of(r#"{"1": "b", "0": "a"}"#).unwrap(), ["a", "b"]);
        assert_eq!(of(r#"["a", 7]"#).unwrap(), ["a", "7"]);
        assert!(of(r#"{"0": null}"#).is_err() && of("3").is_err());
    }
}
