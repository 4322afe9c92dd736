//! A rule as JSON.

use super::lines;
use lipex_core::{AnchorRule, Feature};
use serde::Serialize;
use std::collections::BTreeMap;

/// The schema that [`rule_to_json`] writes; `docs/json.md` documents every key.
pub const RULE_SCHEMA: &str = "lipex.rule/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'a str,
    version: &'a str,
    method: BTreeMap<&'a str, &'a str>,
    text: Option<&'a str>,
    classes: &'a [String],
    probabilities: &'a [f64],
    independent: bool,
    class: &'a str,
    features: &'a [Feature],
    rule: &'a [usize],
    met: bool,
    precision: f64,
    low: f64,
    high: f64,
    coverage: f64,
    rows: usize,
    calls: usize,
}

/// A rule as JSON in the schema [`RULE_SCHEMA`], a key a line, with a line end after the last.
///
/// ```
/// use lipex::{AnchorRule, rule_to_json};
///
/// let rule = AnchorRule { classes: vec!["good".into(), "bad".into()], precision: 1.0, ..AnchorRule::default() };
/// let json = rule_to_json(&rule, Some("fine"));
/// assert!(json.contains("\"class\": \"good\"") && json.contains("\"rule\": []"), "{json}");
/// ```
pub fn rule_to_json(rule: &AnchorRule, text: Option<&str>) -> String {
    let document = Document {
        schema: RULE_SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        method: rule.settings.iter().map(|s| (s.name.as_str(), s.value.as_str())).collect(),
        text,
        classes: &rule.classes,
        probabilities: &rule.probabilities,
        independent: rule.independent,
        class: rule.classes.get(rule.class).map_or("", String::as_str),
        features: &rule.features,
        rule: &rule.kept,
        met: rule.met,
        precision: rule.precision,
        low: rule.low,
        high: rule.high,
        coverage: rule.coverage,
        rows: rule.rows,
        calls: rule.calls,
    };
    lines(&document).expect("plain data with text keys")
}
