//! What a run of an experiment is: inputs, methods, rounds.

use super::methods;
use crate::batch::{Columns, Input};
use crate::options::ExperimentOptions;
use lipex::{Domain, Error, Result, Settings};
use lipex_experiment::Experiment;
use std::ops::Range;
use std::path::Path;

/// A row of the data.
pub struct PlannedInput {
    pub row: u64,
    /// Its text or the path of its photo, or why there is none.
    pub content: std::result::Result<String, String>,
    /// The name of its class, where that was asked for.
    pub label: Option<String>,
}

pub struct Plan<'a> {
    pub experiment: Experiment,
    pub options: &'a ExperimentOptions,
    /// What the features of a text are.
    pub settings: Settings,
    pub domain: Domain,
    pub inputs: Vec<PlannedInput>,
    /// The names of the methods.
    pub methods: Vec<String>,
    sha256: String,
}

impl<'a> Plan<'a> {
    pub fn new(experiment: Experiment, options: &'a ExperimentOptions) -> Result<Self> {
        refuse_nothing(options)?;
        let settings = options.settings.settings()?;
        let columns = Columns {
            text: options.text_column.clone(),
            image: options.image_column.clone(),
            id: options.label_column.clone(),
        };
        let input = Input::open(&options.data, options.format.as_deref(), &columns)?;
        let domain = if input.is_images { Domain::Image } else { Domain::Text };
        let methods: Vec<String> = match options.methods.is_empty() {
            true => experiment.methods().iter().map(ToString::to_string).collect(),
            false => options.methods.clone(),
        };
        // Their mistakes are told before anything is asked.
        methods::check_all(&methods, experiment, domain)?;
        refuse_strays(options, domain)?;
        refuse_distortion(options, experiment)?;
        let wanted = spread(range(options.rows.as_deref(), input.rows)?, options.count);
        let mut inputs = Vec::with_capacity(wanted.len());
        for row in input.read()? {
            if wanted.binary_search(&row.number).is_ok() {
                let label = options.label_column.as_ref().map(|_| row.id.to_string());
                inputs.push(PlannedInput { row: row.number, content: row.content, label });
            }
        }
        Ok(Plan { experiment, options, settings, domain, inputs, methods, sha256: input.sha256 })
    }

    /// Inputs times rounds: one after the other, a round after all inputs of the one before.
    pub fn units(&self) -> u64 {
        (self.inputs.len() * self.options.rounds) as u64
    }

    /// A unit's round and input.
    pub fn unit(&self, unit: u64) -> (usize, &PlannedInput) {
        let (inputs, unit) = (self.inputs.len(), unit as usize);
        (unit / inputs, &self.inputs[unit % inputs])
    }

    /// Whatever the results depend on, on one line.
    pub fn header(&self) -> String {
        let (options, model) = (self.options, &self.options.model);
        let settings: serde_json::Map<String, serde_json::Value> =
            self.settings.given().filter(|(name, _)| *name != "threads").map(|(n, v)| (n.into(), v.into())).collect();
        let header = serde_json::json!({
            "schema": "lipex.experiment/1",
            "version": env!("CARGO_PKG_VERSION"),
            "experiment": self.experiment.name(),
            "sha256": self.sha256,
            "rows": self.inputs.iter().map(|input| input.row).collect::<Vec<_>>(),
            "rounds": options.rounds,
            "methods": self.methods,
            "model": model.model.as_deref().unwrap_or("demo"),
            "max_tokens": model.max_tokens,
            "output": model.output,
            "text_column": options.text_column,
            "image_column": options.image_column,
            "segments": options.segments,
            "baseline": options.baseline,
            "judge": options.judge,
            "sigmas": options.sigmas,
            "shuffled": options.shuffled,
            "label_column": options.label_column,
            "as_released": options.as_released,
            "settings": settings,
        });
        header.to_string()
    }
}

/// Refuses options by which there would be nothing to do.
fn refuse_nothing(options: &ExperimentOptions) -> Result<()> {
    let none = [("count", options.count), ("rounds", options.rounds)].into_iter().find(|(_, value)| *value == 0);
    none.map_or(Ok(()), |(name, value)| Err(Error::setting(name, value, "at least 1")))
}

/// Refuses options of distortion elsewhere, and labels where no table has them.
fn refuse_distortion(options: &ExperimentOptions, experiment: Experiment) -> Result<()> {
    let own = [("sigmas", &options.sigmas), ("shuffled", &options.shuffled), ("label-column", &options.label_column)];
    let given = own.into_iter().find_map(|(name, value)| Some((name, value.as_ref()?)));
    match (given, &options.label_column) {
        (Some((name, value)), _) if experiment != Experiment::Distortion => {
            Err(Error::setting(name, value, "is of the experiment distortion"))
        }
        (_, Some(column)) if Path::new(&options.data).is_dir() => {
            let reason = "a folder of photos has no columns; give a table with --image-column";
            Err(Error::setting("label-column", column, reason))
        }
        _ => Ok(()),
    }
}

fn refuse_strays(options: &ExperimentOptions, domain: Domain) -> Result<()> {
    let photos = [("segments", options.segments.as_deref()), ("baseline", options.baseline.as_deref())];
    let texts = ["unit", "split", "removed"].map(|name| (name, options.settings.get(name)));
    let (strays, whose): (Vec<_>, _) = match domain {
        Domain::Image => {
            (texts.into_iter().chain([("as-released", options.as_released.then_some("true"))]).collect(), "texts")
        }
        _ => (photos.into_iter().collect(), "photos"),
    };
    match strays.into_iter().find(|(_, value)| value.is_some()) {
        Some((name, value)) => {
            Err(Error::setting(name, value.unwrap_or_default(), format!("is of {whose}, and these inputs are none")))
        }
        None => Ok(()),
    }
}

/// Rows A to B.
fn range(value: Option<&str>, rows: u64) -> Result<Range<u64>> {
    let Some(value) = value else { return Ok(0..rows) };
    let read = value.split_once("..").and_then(|(a, b)| Some((a.parse::<u64>().ok()?, b.parse::<u64>().ok()?)));
    match read {
        Some((a, b)) if a < b && b <= rows => Ok(a..b),
        _ => Err(Error::setting(
            "rows",
            value,
            format!("A..B with A below B and B at most {rows}, for instance 0..{rows}"),
        )),
    }
}

/// So many of the rows at equal distances, ascending; all where there are no more.
fn spread(rows: Range<u64>, count: usize) -> Vec<u64> {
    let (all, count) = (rows.end - rows.start, count as u64);
    if count >= all {
        return rows.collect();
    }
    (0..count).map(|i| rows.start + (u128::from(i) * u128::from(all) / u128::from(count)) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_at_equal_distances_and_none_twice() {
        assert_eq!(spread(0..10, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(5..8, 3), [5, 6, 7]);
        assert_eq!(spread(5..8, 100), [5, 6, 7]);
        let many = spread(3..1000, 300);
        assert!(many.len() == 300 && many.windows(2).all(|w| w[0] < w[1]) && many[299] < 1000);
    }

    #[test]
    fn a_range_is_told_by_its_ends() {
        assert_eq!(range(Some("20..40"), 40).unwrap(), 20..40);
        assert_eq!(range(None, 7).unwrap(), 0..7);
        for bad in ["20..41", "4..4", "x..9", "9", "-1..3"] {
            assert!(range(Some(bad), 40).is_err(), "{bad}");
        }
    }
}
