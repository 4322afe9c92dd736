//! Lines of many inputs as means, and differences from the first method.

use crate::experiment::{Experiment, Line};
use crate::statistics::{holm, interval, mean, sign_flip};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The schema of `summary.json`.
const SCHEMA: &str = "lipex.experiment/1";

/// Lines of many inputs, each input counting once: its rounds are averaged first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name and version of the format.
    pub schema: String,
    /// The experiment's name.
    pub experiment: String,
    /// Inputs that any method has a line of.
    pub inputs: usize,
    /// Rounds.
    pub rounds: usize,
    /// The methods; the first is what the others are compared with.
    pub methods: Vec<String>,
    /// The measures, by name.
    pub measures: Vec<String>,
    /// A mean of each method and measure that there is.
    pub means: Vec<Mean>,
    /// Each method less the first, for each measure but counts.
    pub differences: Vec<Difference>,
}

/// A measure's mean over inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The method.
    pub method: String,
    /// The measure.
    pub measure: String,
    /// The mean.
    pub mean: f64,
    /// The 95 % interval, inputs drawn again.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Inputs that have the measure.
    pub inputs: usize,
}

/// The mean over inputs of a method's measure less the first method's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The method.
    pub method: String,
    /// The measure.
    pub measure: String,
    /// The mean difference.
    pub mean: f64,
    /// The 95 % interval, inputs drawn again.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The share of inputs at which the method's number is the smaller.
    pub smaller: f64,
    /// The p-value of a sign-flip test.
    pub p: f64,
    /// The same by Holm's method over all differences of the experiment.
    pub holm: f64,
    /// Inputs that both methods have the measure of.
    pub inputs: usize,
}

/// By method (its place) and measure each input's mean over its rounds.
type Table = BTreeMap<(usize, String), BTreeMap<u64, f64>>;

/// Each method's name once, in order, and the table.
fn table(lines: &[Line]) -> (Vec<String>, Table) {
    let mut methods: Vec<String> = Vec::new();
    let mut rounds: BTreeMap<(usize, String), BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
    for line in lines {
        let place = methods.iter().position(|m| *m == line.method).unwrap_or_else(|| {
            methods.push(line.method.clone());
            methods.len() - 1
        });
        for (measure, value) in &line.measures {
            rounds.entry((place, measure.clone())).or_default().entry(line.row).or_default().push(*value);
        }
    }
    let of_inputs =
        |rows: BTreeMap<u64, Vec<f64>>| rows.into_iter().map(|(row, values)| (row, mean(&values))).collect();
    (methods, rounds.into_iter().map(|(key, rows)| (key, of_inputs(rows))).collect())
}

impl Summary {
    /// Of an experiment's lines.
    pub fn of(experiment: Experiment, lines: &[Line]) -> Self {
        let (methods, table) = table(lines);
        let measures: BTreeSet<String> = table.keys().map(|(_, measure)| measure.clone()).collect();
        let of = |((place, measure), rows): (&(usize, String), &BTreeMap<u64, f64>)| {
            let values: Vec<f64> = rows.values().copied().collect();
            let (low, high) = interval(&values);
            let (method, measure) = (methods[*place].clone(), measure.clone());
            Mean { method, measure, mean: mean(&values), low, high, inputs: values.len() }
        };
        Summary {
            schema: SCHEMA.into(),
            experiment: experiment.name().into(),
            inputs: lines.iter().map(|line| line.row).collect::<BTreeSet<_>>().len(),
            rounds: lines.iter().map(|line| line.round).collect::<BTreeSet<_>>().len(),
            means: table.iter().map(of).collect(),
            differences: differences(&methods, &table),
            methods,
            measures: measures.into_iter().collect(),
        }
    }

    /// A measure's mean.
    pub fn mean(&self, method: &str, measure: &str) -> Option<f64> {
        self.entry(method, measure).map(|entry| entry.mean)
    }

    /// A measure's mean with its interval.
    pub fn entry(&self, method: &str, measure: &str) -> Option<&Mean> {
        self.means.iter().find(|entry| entry.method == method && entry.measure == measure)
    }

    /// A table of means with intervals, and one of differences.
    pub fn to_markdown(&self) -> String {
        let (inputs, rounds) = (self.inputs, self.rounds);
        let mut out = format!("# {}: {inputs} inputs, rounds: {rounds}\n\n| method |", self.experiment);
        for measure in &self.measures {
            let _ = write!(out, " {measure} |");
        }
        let _ = write!(out, "\n|---|{}", "---|".repeat(self.measures.len()));
        for method in &self.methods {
            let _ = write!(out, "\n| {} |", method.replace('|', "\\|"));
            for measure in &self.measures {
                let cell = self
                    .entry(method, measure)
                    .map_or("–".into(), |e| format!("{} [{}, {}]", number(e.mean), number(e.low), number(e.high)));
                let _ = write!(out, " {cell} |");
            }
        }
        self.differences_to_markdown(&mut out);
        out + "\n"
    }

    fn differences_to_markdown(&self, out: &mut String) {
        let Some(first) = self.methods.first().filter(|_| !self.differences.is_empty()) else { return };
        let _ = write!(
            out,
            "\n\nLess {first}, paired by input: mean and 95 % interval, share of inputs at which the number is smaller, p of a \
             sign-flip test by Holm's method over all rows.\n\n| measure | method | difference | smaller | p |\n\
             |---|---|---|---|---|"
        );
        for d in &self.differences {
            let _ = write!(
                out,
                "\n| {} | {} | {:+.4} [{:+.4}, {:+.4}] | {:.2} | {} |",
                d.measure,
                d.method.replace('|', "\\|"),
                d.mean,
                d.low,
                d.high,
                d.smaller,
                p_value(d.holm)
            );
        }
    }

    /// The means as a table: method, measure, mean, low, high, inputs.
    pub fn to_csv(&self) -> String {
        let mut out = String::from("method,measure,mean,low,high,inputs\n");
        for e in &self.means {
            let quoted = format!("\"{}\"", e.method.replace('"', "\"\""));
            let _ = writeln!(out, "{quoted},{},{},{},{},{}", e.measure, e.mean, e.low, e.high, e.inputs);
        }
        out
    }
}

fn differences(methods: &[String], table: &Table) -> Vec<Difference> {
    let mut found = Vec::new();
    for ((place, measure), rows) in table.iter().filter(|((place, measure), _)| *place > 0 && !is_count(measure)) {
        let Some(base) = table.get(&(0, measure.clone())) else { continue };
        let both: Vec<f64> = rows.iter().filter_map(|(row, value)| Some(value - base.get(row)?)).collect();
        if both.is_empty() {
            continue;
        }
        let (low, high) = interval(&both);
        let smaller = both.iter().filter(|d| **d < 0.0).count() as f64 / both.len() as f64;
        let (method, measure) = (methods[*place].clone(), measure.clone());
        let (mean, p) = (mean(&both), sign_flip(&both));
        found.push(Difference { method, measure, mean, low, high, smaller, p, holm: p, inputs: both.len() });
    }
    let adjusted = holm(&found.iter().map(|d| d.p).collect::<Vec<f64>>());
    found.iter_mut().zip(adjusted).for_each(|(d, p)| d.holm = p);
    found.sort_by(|a, b| a.measure.cmp(&b.measure));
    found
}

/// Whether a measure says what was done, not how well.
fn is_count(measure: &str) -> bool {
    ["calls", "pairs", "milliseconds", "supporting_first", "supporting_second", "settled"].contains(&measure)
        || measure.starts_with("masks_within")
}

fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.3}") }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< .001".into() } else { format!("{p:.3}") }
}
