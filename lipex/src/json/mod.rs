//! Explanations as JSON, in a documented and versioned schema.
//!
//! # What is checked
//! A file is read only if its parts fit together: sizes, spans that are pieces of the text, shares that are those of the
//! coefficients. Unknown keys are ignored, unknown schemata refused; a number that JSON lacks (Python writes `NaN`) is named.

mod answer;
mod attributions;
mod matched;
mod rule;

pub use answer::AnswerKeys;
pub use attributions::{ATTRIBUTIONS_SCHEMA, ScoredOutputs, attributions_to_json};
pub use matched::{MATCH_SCHEMA, match_to_json};
pub use rule::{RULE_SCHEMA, rule_to_json};

use lipex_core::{
    Answers, Calls, Departure, Error, Explanation, Feature, Fidelity, FitReport, Flip, Growth, Observed, Rank, Removal,
    Result, Setting, Timings, Uncertainty, Verdict,
};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::ser::Formatter;
use std::borrow::Cow;
use std::fmt;
use std::io;

/// The schema that [`to_json`] writes; `docs/json.md` documents every key. [`from_json`] reads `lipex.explanation/1` too.
pub const SCHEMA: &str = "lipex.explanation/2";

/// The schema before: W and b in place of terms, coefficients and base.
const FIRST_SCHEMA: &str = "lipex.explanation/1";

/// An explanation as it is written: the keys in this order.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    /// Name and version of the format.
    schema: Cow<'a, str>,
    /// The version of lipex that wrote it.
    version: Cow<'a, str>,
    /// The preset that settings started from.
    preset: Cow<'a, str>,
    /// Where they differ from it or from the paper.
    departures: Cow<'a, [Departure]>,
    /// All settings, name to value.
    settings: Settings<'a>,
    /// The seed of the masks.
    seed: u64,
    /// Where it was computed.
    backend: Cow<'a, str>,
    /// The text, if a text was explained.
    #[serde(default)]
    text: Option<Cow<'a, str>>,
    /// Class names.
    classes: Cow<'a, [String]>,
    /// All D features.
    features: Cow<'a, [Feature]>,
    /// What the surrogate learnt, flat among the other keys.
    #[serde(flatten)]
    answer: AnswerKeys<'a>,
    /// Both answers at the instance.
    probabilities: Cow<'a, Answers>,
    /// Classes that never occur.
    never: Cow<'a, [bool]>,
    /// Of what is written beside it; written for readers, and not read.
    #[serde(default, skip_deserializing)]
    verdict: Option<Verdict>,
    /// How far the surrogate is from the model.
    fidelity: Option<Cow<'a, Fidelity>>,
    /// How the fit went.
    fit: Option<Cow<'a, FitReport>>,
    /// Error bars.
    #[serde(default)]
    uncertainty: Option<Cow<'a, Uncertainty>>,
    /// The course of a growing run.
    #[serde(default)]
    growth: Option<Cow<'a, Growth>>,
    /// What would take the prediction to another class.
    #[serde(default)]
    flip: Option<Cow<'a, Flip>>,
    /// What to remove.
    #[serde(default)]
    removal: Option<Cow<'a, Removal>>,
    /// What shares are ranked by.
    #[serde(default)]
    ranking: Option<Cow<'a, [Vec<f64>]>>,
    /// The ranking of readings.
    rank: Rank,
    /// What the model was asked.
    calls: Calls,
    /// What was seen of its answers.
    #[serde(default)]
    observed: Observed,
    /// Milliseconds a stage; left out of canonical files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timings_ms: Option<Timings>,
}

/// Settings as an object, in order: name → value, or a list of values where a name occurs more than once.
struct Settings<'a>(Cow<'a, [Setting]>);

/// A value, or the values of a name that occurs more than once.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Serialize for Settings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (i, setting) in self.0.iter().enumerate() {
            let same = |s: &&Setting| s.name == setting.name;
            if self.0[..i].iter().any(|s| same(&s)) {
                continue;
            }
            let mut values: Vec<String> = self.0[i..].iter().filter(same).map(|s| s.value.clone()).collect();
            let value = if values.len() == 1 { OneOrMore::One(values.remove(0)) } else { OneOrMore::More(values) };
            map.serialize_entry(&setting.name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Settings<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<Setting>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of settings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut settings = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, OneOrMore>()? {
                    match value {
                        OneOrMore::One(value) => settings.push(Setting { name, value }),
                        OneOrMore::More(values) => {
                            settings.extend(values.into_iter().map(|value| Setting { name: name.clone(), value }));
                        }
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_map(InOrder).map(|settings| Settings(Cow::Owned(settings)))
    }
}

/// An explanation as JSON in the schema [`SCHEMA`], a key a line, with a line end after the last.
///
/// [`from_json`] gives the same explanation back to the last bit. Numbers of an explanation are finite; one made by hand
/// that holds others gets `null` for them, which `from_json` refuses.
///
/// ```
/// use lipex::prelude::*;
///
/// let text = TextInstance::new("good day")?;
/// let model = TextFn::new(["bad", "good"], |texts| {
///     texts.iter().map(|t| if t.contains("good") { [0.1, 0.9] } else { [0.5, 0.5] }).collect()
/// });
/// let explanation = lipex().explain(&text, &model)?;
/// let again = from_json(&to_json(&explanation))?;
/// assert_eq!(again.shares().matrix(), explanation.shares().matrix());
/// # Ok::<(), lipex::Error>(())
/// ```
pub fn to_json(explanation: &Explanation) -> String {
    lines(&document(explanation)).expect("plain data with text keys")
}

/// The keys of an explanation.
fn document(e: &Explanation) -> Document<'_> {
    Document {
        schema: SCHEMA.into(),
        version: Cow::Borrowed(&e.version),
        preset: Cow::Borrowed(&e.preset),
        departures: Cow::Borrowed(&e.departures),
        settings: Settings(Cow::Borrowed(&e.settings)),
        seed: e.seed,
        backend: Cow::Borrowed(&e.backend),
        text: e.text.as_deref().map(Cow::Borrowed),
        classes: Cow::Borrowed(&e.classes),
        features: Cow::Borrowed(&e.features),
        answer: e.answer.as_ref().map(AnswerKeys::of).unwrap_or_default(),
        probabilities: Cow::Borrowed(&e.probabilities),
        never: Cow::Borrowed(&e.never),
        verdict: e.verdict(),
        fidelity: e.fidelity.as_ref().map(Cow::Borrowed),
        fit: e.fit.as_ref().map(Cow::Borrowed),
        uncertainty: e.uncertainty.as_ref().map(Cow::Borrowed),
        growth: e.growth.as_ref().map(Cow::Borrowed),
        flip: e.flip.as_ref().map(Cow::Borrowed),
        removal: e.removal.as_ref().map(Cow::Borrowed),
        ranking: e.ranking.as_deref().map(Cow::Borrowed),
        rank: e.rank,
        calls: e.calls,
        observed: e.observed,
        timings_ms: Some(e.timings_ms),
    }
}

/// The same on one line without a line end, and without `timings_ms`: equal runs give equal bytes, so it can be compared,
/// hashed and kept a line a record. [`from_json`] reads it, with times of 0.
///
/// Equal explanations give equal lines: for caches, for comparing runs, for a line a row of a file.
pub fn to_json_canonical(explanation: &Explanation) -> String {
    // Keys in the order of to_json.
    let mut document = document(explanation);
    document.timings_ms = None;
    serde_json::to_string(&document).expect("plain data with text keys")
}

/// A document as JSON in the form of [`to_json`]: a key a line, with a line end after the last.
///
/// # Errors
/// [`Error::Setting`] when it has maps with keys that are no text, or refuses to be serialised.
pub fn to_json_lines(document: &impl Serialize) -> Result<String> {
    lines(document).map_err(|e| Error::setting("document", "JSON", e.to_string()))
}

/// A document with a line an entry of its larger arrays.
fn lines(document: &impl Serialize) -> serde_json::Result<String> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Lines::default());
    document.serialize(&mut serializer)?;
    out.push(b'\n');
    Ok(String::from_utf8(out).expect("JSON of text is text"))
}

/// Reads an explanation that [`to_json`] wrote. Keys that it does not know are passed over.
///
/// # Errors
/// One line each: [`Error::Setting`] for what is not JSON, another schema, a missing key or a value of the wrong kind;
/// [`Error::Shape`] for parts that do not fit together.
///
/// ```
/// let error = lipex::from_json("{\"schema\": \"lipex.explanation/9\"}").unwrap_err();
/// assert!(error.to_string().contains("lipex.explanation/9"));
/// ```
pub fn from_json(json: &str) -> Result<Explanation> {
    /// The one key that decides how a file is read.
    #[derive(Deserialize)]
    struct Version {
        schema: Option<String>,
    }
    // A message may quote the file.
    let one_line = |e: serde_json::Error| e.to_string().replace(char::is_control, " ");
    let refuse = |e| Error::setting("explanation", "JSON", one_line(e));
    let version: Version = serde_json::from_str(json).map_err(refuse)?;
    let reads = format!("lipex {} reads {SCHEMA} and the one before", env!("CARGO_PKG_VERSION"));
    let first = version.schema.as_deref() == Some(FIRST_SCHEMA);
    match version.schema {
        Some(schema) if schema == SCHEMA || first => {}
        Some(schema) => return Err(Error::setting("schema", format!("\"{}\"", schema.escape_debug()), reads)),
        None => return Err(Error::setting("schema", "missing", format!("this is no explanation; {reads}"))),
    }
    let d: Document<'static> = serde_json::from_str(json).map_err(refuse)?;
    let settings = d.settings.0.into_owned();
    let answer = if first { Some(d.answer.of_first_schema(&settings)?) } else { d.answer.answer()? };
    let explanation = Explanation {
        version: d.version.into_owned(),
        backend: d.backend.into_owned(),
        preset: d.preset.into_owned(),
        departures: d.departures.into_owned(),
        settings,
        seed: d.seed,
        text: d.text.map(Cow::into_owned),
        classes: d.classes.into_owned(),
        features: d.features.into_owned(),
        answer,
        probabilities: d.probabilities.into_owned(),
        never: d.never.into_owned(),
        fidelity: d.fidelity.map(Cow::into_owned),
        fit: d.fit.map(Cow::into_owned),
        uncertainty: d.uncertainty.map(Cow::into_owned),
        growth: d.growth.map(Cow::into_owned),
        flip: d.flip.map(Cow::into_owned),
        removal: d.removal.map(Cow::into_owned),
        ranking: d.ranking.map(Cow::into_owned),
        rank: d.rank,
        calls: d.calls,
        observed: d.observed,
        timings_ms: d.timings_ms.unwrap_or_default(),
    };
    explanation.check()?;
    Ok(explanation)
}

/// Writes each key of the outermost object on a line of its own, and everything inside it without line ends.
#[derive(Default)]
struct Lines {
    /// Objects that are open.
    depth: usize,
}

impl Formatter for Lines {
    /// A line for each key of the outermost object alone.
    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth += 1;
        to.write_all(b"{")
    }

    /// Its closing brace on a line of its own.
    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.depth -= 1;
        to.write_all(if self.depth == 0 { b"\n}" } else { b"}" })
    }

    /// The key, after a comma if it is not the first.
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        match (first, self.depth) {
            (true, 1) => to.write_all(b"\n  "),
            (false, 1) => to.write_all(b",\n  "),
            (true, _) => Ok(()),
            (false, _) => to.write_all(b", "),
        }
    }

    /// A colon and a space.
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    /// A comma and a space between elements.
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        to.write_all(if first { b"" } else { b", " })
    }
}
