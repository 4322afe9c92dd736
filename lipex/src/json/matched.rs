//! What two texts do together, as JSON.

use super::lines;
use lipex_core::{Asked, Bilinear, Feature, Match, Partition, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema that [`match_to_json`] writes; `docs/json.md` documents every key.
pub const MATCH_SCHEMA: &str = "lipex.match/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    version: &'a str,
    method: BTreeMap<&'a str, &'a str>,
    texts: Option<[&'a str; 2]>,
    classes: &'a [String],
    whole: &'a [f64],
    class: Option<&'a str>,
    value: f64,
    fitted: f64,
    unit: &'a str,
    features: [&'a [Feature]; 2],
    base: f64,
    alone: [&'a [f64]; 2],
    together: &'a [Vec<f64>],
    removal: [Vec<f64>; 2],
    shares: [Vec<f64>; 2],
    partitions: Vec<Part>,
    explained: Option<Explained>,
    asked: AskedOf,
}

#[derive(Serialize)]
struct Part {
    strength: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

#[derive(Serialize)]
struct Explained {
    bilinear: f64,
    additive: f64,
}

#[derive(Serialize)]
struct AskedOf {
    encodings: Option<[usize; 2]>,
    pairs: usize,
    fresh: usize,
    complete: bool,
}

/// What two inputs do together for one class (0 where the model gives one number), as JSON in the schema [`MATCH_SCHEMA`], a key
/// a line, with a line end after the last.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for a class that does not exist.
pub fn match_to_json(found: &Match, texts: Option<[&str; 2]>, class: usize) -> Result<String> {
    let g: Bilinear = found.bilinear(class)?;
    let part = |Partition { strength, first, second }| Part { strength, first, second };
    let Asked { encodings, pairs, fresh, complete } = found.asked;
    let document = Document {
        schema: MATCH_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        method: found.settings.iter().map(|s| (s.name.as_str(), s.value.as_str())).collect(),
        texts,
        classes: &found.classes,
        whole: &found.whole,
        class: found.classes.get(class).map(String::as_str),
        value: found.value(class)?,
        fitted: found.fitted(class)?,
        unit: if found.classes.is_empty() { "similarity" } else { "log-odds" },
        features: [&found.parts[0], &found.parts[1]],
        base: g.base,
        alone: [&g.first, &g.second],
        together: &g.together,
        removal: g.removal(),
        shares: g.shares(),
        partitions: g.partitions().into_iter().map(part).collect(),
        explained: found.explained.map(|[bilinear, additive]| Explained { bilinear, additive }),
        asked: AskedOf { encodings, pairs, fresh, complete },
    };
    Ok(lines(&document).expect("plain data with text keys"))
}
