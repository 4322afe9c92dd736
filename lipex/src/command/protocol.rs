//! What the lines between lipex and a program mean. No input or output here.
//!
//! docs/command-protocol.md is the user's description. A first line states labels and what the numbers are; each reply has a
//! row an input under the key of its kind: `probabilities`, `logits` or `independent`.
//!
//! # Errors
//! A message names the key and the row that are wrong, and quotes at most a line of what came.

use super::process;
use lipex_core::{Outputs, Texts};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Write;

/// What to do about a line that is none of the protocol's.
pub(super) const ADVICE: &str = "print anything but answers to stderr";

/// A program's first line.
#[derive(Debug, Deserialize)]
pub(super) struct Header {
    /// Class names, in the order of the columns; none of a program that answers with similarities or embeddings.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Whether it takes pairs of texts.
    #[serde(default)]
    pub pairs: bool,
    /// Whether it answers texts with embeddings.
    #[serde(default)]
    pub embeddings: bool,
    /// What its numbers are, if it says.
    #[serde(default, deserialize_with = "outputs")]
    pub outputs: Option<Outputs>,
    /// How a program that takes images wants them; `None` for one that takes texts.
    #[serde(default)]
    pub images: Option<Coding>,
    /// Whether it takes rows of a table.
    #[serde(default)]
    pub rows: bool,
    /// Whether an input's answer is the same to the bit whatever else is in its batch.
    #[serde(default)]
    pub alone: bool,
}

/// How an image is written before it becomes base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Coding {
    Npy,
    Png,
}

/// Reads the numbers or rows of an answer that has no classes, under `key`.
pub(super) fn plain_reply(line: &str, key: &str) -> Result<Vec<Value>, String> {
    let parsed = serde_json::from_str(line).or_else(|_| serde_json::from_str(&quote_non_finite(line)));
    match parsed {
        Ok(Value::Object(mut object)) => match object.remove(key) {
            Some(Value::Array(rows)) => Ok(rows),
            _ => Err(format!(r#"an answer must be one line {{"{key}": […]}}, got {}"#, quoted(line))),
        },
        _ => Err(format!(r#"an answer must be one line {{"{key}": […]}}, got {}; {ADVICE}"#, quoted(line))),
    }
}

/// The kind of numbers by name; an unknown name lists those there are.
fn outputs<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Outputs>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    name.map(|n| Outputs::by_name(&n)).transpose().map_err(serde::de::Error::custom)
}

/// Reads a first line.
pub(super) fn header(line: &str) -> Result<Header, String> {
    let refuse = |why: String| {
        let wanted = r#"its first line must be {"labels": […]}"#;
        format!("{wanted}, got {} ({why}); {ADVICE}", quoted(line))
    };
    let header: Header = serde_json::from_str(line).map_err(|e| refuse(without_place(&e)))?;
    match &header.labels {
        None if !header.pairs && !header.embeddings => Err(refuse("missing field `labels`".into())),
        Some(_) if header.embeddings => Err(refuse("embeddings have no labels".into())),
        _ if header.pairs && header.embeddings => Err(refuse("a text is embedded alone: pairs or embeddings".into())),
        _ if (header.pairs || header.embeddings) && (header.rows || header.images.is_some()) => {
            Err(refuse("pairs and embeddings are of texts".into()))
        }
        _ => Ok(header),
    }
}

/// The line that asks about `texts`; ASCII only, so that no program's idea of an encoding matters.
pub(super) fn request(texts: &Texts) -> String {
    line("texts", Value::Array(texts.as_slice().iter().map(|t| Value::from(t.as_str())).collect()))
}

/// An object with one key on a line, ASCII only.
pub(super) fn line(key: &str, value: Value) -> String {
    let json = value.to_string();
    let mut line = String::with_capacity(json.len() + 16);
    line.push_str("{\"");
    line.push_str(key);
    line.push_str("\":");
    for c in json.chars() {
        if c.is_ascii() {
            line.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(line, "\\u{unit:04x}");
            }
        }
    }
    line.push_str("}\n");
    line
}

/// A program's answer: rows that may still hold anything.
#[derive(Debug)]
pub(super) struct Reply {
    /// What the numbers of this reply are.
    pub outputs: Outputs,
    /// A row an input, unchecked.
    pub rows: Vec<Value>,
}

/// Reads an answer; its key must be the one that the first line promised, if it did.
pub(super) fn reply(line: &str, promised: Option<Outputs>) -> Result<Reply, String> {
    let wanted = |key: &str| format!(r#"an answer must be one line {{"{key}": [[…], …]}}"#);
    let key = promised.unwrap_or_default().name();
    let parsed = serde_json::from_str(line).or_else(|_| serde_json::from_str(&quote_non_finite(line)));
    let Ok(Value::Object(mut object)) = parsed else {
        return Err(format!("{}, got {}; {ADVICE}", wanted(key), quoted(line)));
    };
    let given = Outputs::ALL.into_iter().find(|o| object.contains_key(o.name()));
    let rows = given.and_then(|o| object.remove(o.name()));
    match (given, rows) {
        (Some(given), Some(Value::Array(rows))) if promised.is_none_or(|p| p == given) => {
            Ok(Reply { outputs: given, rows })
        }
        _ => Err(format!("{}, got {}", wanted(key), quoted(line))),
    }
}

/// Python's `json` writes `NaN`, `Infinity` and `-Infinity`, which are no JSON: as texts they reach the check of rows.
fn quote_non_finite(line: &str) -> Cow<'_, str> {
    if !line.contains("NaN") && !line.contains("Infinity") {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 16);
    let (mut rest, mut in_text) = (line, false);
    while let Some(c) = rest.chars().next() {
        let token = ["NaN", "-Infinity", "Infinity"].into_iter().find(|t| !in_text && rest.starts_with(t));
        let len = match token {
            Some(token) => token.len(),
            None if in_text && c == '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            None => c.len_utf8(),
        };
        match token {
            Some(token) => out.extend(["\"", token, "\""]),
            None => out.push_str(&rest[..len]),
        }
        in_text ^= c == '"';
        rest = &rest[len..];
    }
    Cow::Owned(out)
}

/// The numbers of a row, or what is there instead of one.
pub(super) fn numbers(row: &Value) -> Result<Vec<f64>, String> {
    let Value::Array(row) = row else {
        return Err(format!("it is {}, not a list of numbers", quoted(&row.to_string())));
    };
    let number = |(class, value): (usize, &Value)| match value {
        Value::Number(n) => n.as_f64().ok_or_else(|| format!("class {class} has {n}")),
        Value::String(s) if s == "NaN" => Ok(f64::NAN),
        Value::String(s) if s == "Infinity" => Ok(f64::INFINITY),
        Value::String(s) if s == "-Infinity" => Ok(f64::NEG_INFINITY),
        Value::String(s) => Err(format!("class {class} has the text {}, not a number", quoted(s))),
        other => Err(format!("class {class} has {}, not a number", process::head(&other.to_string(), 40))),
    };
    row.iter().enumerate().map(number).collect()
}

/// The start of a line in quotes, fit to be shown.
pub(super) fn quoted(line: &str) -> String {
    format!("\"{}\"", process::head(&process::clean(line), 80))
}

/// The reason of a JSON error without its place: there is one line.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_of_ascii() {
        let texts = Texts::from(vec!["a\n\"b\"".into(), "é😀\u{2028}".into()]);
        let line = request(&texts);
        assert!(line.is_ascii() && line.ends_with("}\n") && line.matches('\n').count() == 1, "{line}");
        let back: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["texts"], serde_json::json!(["a\n\"b\"", "é😀\u{2028}"]));
    }

    #[test]
    fn first_lines() {
        let h = header(r#"{"labels":["a","b"],"outputs":"logits","more":1}"#).unwrap();
        assert_eq!((h.labels.unwrap().len(), h.outputs), (2, Some(Outputs::Logits)));
        assert!(header(r#"{"pairs":true}"#).unwrap().labels.is_none());
        assert_eq!(header(r#"{"labels":["a","b"]}"#).unwrap().outputs, None);
        for (line, word) in [
            ("Loading …", "got \"Loading …\""),
            (r#"{"classes":["a"]}"#, "missing field `labels`"),
            (r#"{"labels":[1,2]}"#, "expected a string"),
            (r#"{"labels":["a","b"],"embeddings":true}"#, "embeddings have no labels"),
            (r#"{"pairs":true,"embeddings":true}"#, "pairs or embeddings"),
            (r#"{"pairs":true,"images":"png"}"#, "are of texts"),
            (r#"{"labels":["a","b"],"outputs":"odds"}"#, "choose probabilities"),
        ] {
            let text = header(line).unwrap_err();
            assert!(text.contains(word) && !text.contains("line 1"), "{text}");
        }
    }

    #[test]
    fn replies() {
        let r = reply(r#"{"probabilities":[[0.5,0.5]]}"#, None).unwrap();
        assert_eq!((r.outputs, numbers(&r.rows[0]).unwrap()), (Outputs::Probabilities, vec![0.5, 0.5]));
        assert_eq!(reply(r#"{"logits":[[1,-2]]}"#, None).unwrap().outputs, Outputs::Logits);
        assert!(reply(r#"{"logits":[[1,-2]]}"#, Some(Outputs::Probabilities)).is_err());
        for line in ["hello", "[[0.5,0.5]]", r#"{"error":"no"}"#, r#"{"probabilities":0.5}"#, "\u{1b}[31m\0"] {
            let text = reply(line, None).unwrap_err();
            assert!(text.contains("\"probabilities\"") && !text.contains(char::is_control), "{text}");
        }
    }

    #[test]
    fn python_writes_numbers_that_json_lacks() {
        let line = r#"{"note":"NaN \" NaN","probabilities":[[NaN,Infinity,-Infinity,1e-9]]}"#;
        let r = reply(line, None).unwrap();
        let row = numbers(&r.rows[0]).unwrap();
        assert!(row[0].is_nan());
        assert_eq!(row[1..], [f64::INFINITY, f64::NEG_INFINITY, 1e-9]);
    }

    #[test]
    fn what_is_no_number_is_named() {
        for (row, word) in [
            (r#"[0.5,null]"#, "class 1 has null"),
            (r#"["0.5",0.5]"#, "class 0 has the text \"0.5\""),
            ("0.5", "not a list"),
        ] {
            let text = numbers(&serde_json::from_str(row).unwrap()).unwrap_err();
            assert!(text.contains(word), "{text}");
        }
    }
}
