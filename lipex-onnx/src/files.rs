//! The files of a model's folder.
//!
//! # Errors
//! A message names the file and the key, and what may stand there. Sizes are bounded before files are read. Keys that nobody
//! needs are left alone.

use lipex_core::{Error, Result};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Where a model's files are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The graph.
    pub model: PathBuf,
    /// The folder with the other files.
    folder: PathBuf,
}

/// The user's mistake, in one line that begins with the file.
pub(crate) fn wrong(file: &Path, reason: impl Into<String>) -> Error {
    let reason: String = reason.into().split_whitespace().collect::<Vec<_>>().join(" ");
    Error::setting("model", file.display(), reason)
}

impl Files {
    /// The files of a folder, or those beside an `.onnx` file.
    ///
    /// In a folder the graph is `model.onnx`, `onnx/model.onnx`, or the one `.onnx` file that there is.
    pub fn find(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Ok(Files { model: graph_in(path)?, folder: path.to_path_buf() });
        }
        if !path.is_file() {
            return Err(wrong(path, "there is no such folder or file"));
        }
        let beside = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Exports keep graphs in a folder `onnx` of the folder that has the rest.
        let above = beside.join("..");
        let nested = beside.file_name().is_some_and(|name| name == "onnx") && !beside.join("config.json").is_file();
        let folder = if nested && above.join("config.json").is_file() { above } else { beside.to_path_buf() };
        Ok(Files { model: path.to_path_buf(), folder })
    }

    /// The path of a file of the folder.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A JSON object of the folder; `None` where there is no such file.
    pub fn json(&self, name: &str) -> Result<Option<Json>> {
        let file = self.at(name);
        if !file.is_file() {
            return Ok(None);
        }
        let text = read(&file)?;
        let fields = serde_json::from_str(&text).map_err(|e| wrong(&file, format!("is no JSON object: {e}")))?;
        Ok(Some(Json { file, fields }))
    }
}

/// The graph of a folder.
fn graph_in(folder: &Path) -> Result<PathBuf> {
    for usual in ["model.onnx", "onnx/model.onnx"] {
        let file = folder.join(usual);
        if file.is_file() {
            return Ok(file);
        }
    }
    let mut found = Vec::new();
    for part in [folder.to_path_buf(), folder.join("onnx")] {
        let Ok(entries) = std::fs::read_dir(&part) else { continue };
        let files = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
        found.extend(files.filter(|f| f.extension().is_some_and(|e| e == "onnx")));
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(wrong(folder, "the folder has no model.onnx")),
        many => {
            let names: Vec<String> = many.iter().map(|f| f.display().to_string()).collect();
            Err(wrong(folder, format!("the folder has several graphs, name one of them: {}", names.join(", "))))
        }
    }
}

/// A text file, without a byte-order mark.
pub(crate) fn read(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|e| wrong(file, format!("cannot be read: {e}")))?;
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}

/// A JSON object that knows which file it is from, so that each complaint names file and key.
#[derive(Clone, Debug)]
pub(crate) struct Json {
    /// The path, for errors.
    pub file: PathBuf,
    /// Its keys.
    pub fields: Map<String, Value>,
}

impl Json {
    /// The value of a key; `None` for an absent one or `null`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.fields.get(key).filter(|v| !v.is_null())
    }

    /// A complaint about a key.
    pub fn wrong(&self, key: &str, reason: impl std::fmt::Display) -> Error {
        wrong(&self.file, format!("{key}: {reason}"))
    }

    /// A key as a type; an error says what it should have been.
    fn typed<T>(&self, key: &str, what: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(key, format!("must be {what}, not {value}")))
    }

    pub fn text(&self, key: &str) -> Result<Option<&str>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(key, format!("must be a string, not {value}")))
    }

    /// A boolean, if the key is there.
    pub fn truth(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A number, if the key is there.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// A whole number from 0; numbers without end, which stand for "not set", are `None`.
    pub fn count(&self, key: &str) -> Result<Option<usize>> {
        let count =
            self.typed(key, "a whole number from 0", |v| v.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0))?;
        Ok(count.filter(|&n| n < 1e9).map(|n| n as usize))
    }

    /// Three numbers, one a channel; one number stands for each.
    pub fn channels(&self, key: &str) -> Result<Option<Vec<f32>>> {
        self.typed(key, "a number a channel", |value| match value {
            Value::Array(list) => list.iter().map(|v| v.as_f64().map(|n| n as f32)).collect(),
            one => one.as_f64().map(|n| vec![n as f32; 3]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json { file: "config.json".into(), fields: serde_json::from_str(text).unwrap() }
    }

    #[test]
    fn complaints_name_file_and_key() {
        let j = json(r#"{"a": "x", "b": 1e30, "c": [1, 2.5], "d": null, "e": -1, "f": 7}"#);
        assert_eq!(j.number("a").unwrap_err().to_string(), r#"model = config.json: a: must be a number, not "x""#);
        assert_eq!((j.count("b").unwrap(), j.count("d").unwrap(), j.count("f").unwrap()), (None, None, Some(7)));
        assert_eq!(j.channels("c").unwrap(), Some(vec![1.0, 2.5]));
        assert_eq!(j.channels("f").unwrap(), Some(vec![7.0; 3]));
        assert!(j.count("e").is_err() && j.truth("f").is_err() && j.text("f").is_err());
    }
}
