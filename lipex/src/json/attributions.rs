//! Scores of other methods as JSON.

use super::lines;
use lipex_core::{Attributions, Feature};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema that [`attributions_to_json`] writes; `docs/json.md` documents every key.
pub const ATTRIBUTIONS_SCHEMA: &str = "lipex.attributions/1";

/// What scores are about, beside the scores.
///
/// ```
/// use lipex::{Attributions, ScoredOutputs, attributions_to_json};
///
/// let about = ScoredOutputs { output: "logit", rows: &["good".to_string()], ..ScoredOutputs::default() };
/// let found = Attributions { scores: vec![vec![]], outside: vec![0.5], ..Attributions::default() };
/// let json = attributions_to_json(&found, &about);
/// assert!(json.contains("\"classes\": [\"good\"]") && json.contains("\"delta\": null"), "{json}");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ScoredOutputs<'a> {
    /// logit, probability or contrast.
    pub output: &'a str,
    /// A name a row of the scores: a class; of a contrast the class that is explained.
    pub rows: &'a [String],
    /// The class that a contrast is against.
    pub against: Option<&'a str>,
    /// The model's probabilities of the classes of the rows.
    pub probabilities: &'a [f64],
    /// The model's probability of the class that a contrast is against.
    pub against_probability: f64,
    /// The text, if one was scored.
    pub text: Option<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    version: &'a str,
    method: BTreeMap<&'a str, &'a str>,
    output: &'a str,
    against: Option<&'a str>,
    text: Option<&'a str>,
    classes: &'a [String],
    probabilities: &'a [f64],
    features: &'a [Feature],
    scores: &'a [Vec<f64>],
    outside: &'a [f64],
    total: Option<&'a [f64]>,
    delta: Option<&'a [f64]>,
}

/// Scores as JSON in the schema [`ATTRIBUTIONS_SCHEMA`], a key a line, with a line end after the last.
///
/// Numbers that are not finite become `null`.
pub fn attributions_to_json(found: &Attributions, about: &ScoredOutputs<'_>) -> String {
    let document = Document {
        schema: ATTRIBUTIONS_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        method: found.method.iter().map(|s| (s.name.as_str(), s.value.as_str())).collect(),
        output: about.output,
        against: about.against,
        text: about.text,
        classes: about.rows,
        probabilities: about.probabilities,
        features: &found.features,
        scores: &found.scores,
        outside: &found.outside,
        total: found.total.as_deref(),
        delta: found.delta.as_deref(),
    };
    lines(&document).expect("plain data with text keys")
}
