//! What is measured of every method on one occasion.

mod ablation;
mod classes;
mod distortion;
mod fidelity;
mod reprediction;
mod stability;
mod time;

use crate::method::Method;
use crate::occasion::Occasion;
use lipex::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One of the paper's experiments.
///
/// ```
/// use lipex_experiment::Experiment;
///
/// assert_eq!(Experiment::by_name("ablation")?, Experiment::Ablation);
/// assert!(Experiment::by_name("ablatoin").unwrap_err().to_string().contains("did you mean `ablation`?"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiment {
    /// Fig. 3: total variation between model and surrogate, at the instance, out of fold, on fresh masks of two laws, and near.
    Fidelity,
    /// Fig. 4: accuracy, and total variation between models and between their surrogates, for distorted versions of the model.
    Distortion,
    /// Tables 1, 2, 4: whether removing the first features changes the class, and how much of its probability goes.
    Ablation,
    /// Table 3: whether the surrogate predicts the model's class of the same damaged input.
    Reprediction,
    /// Fig. 5, Algorithm 2, Table 7: overlap of rankings when masks are confined to an angle, and when they are drawn again.
    Stability,
    /// Fig. 1's claim: overlap of the supporting features of the two likeliest classes.
    Classes,
    /// Table 5: calls, wall time, and whether the first three features are broken by an independent large run.
    Time,
}

/// What was measured of one method on one occasion.
///
/// In `results.jsonl` the measures stand beside the other keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The input's place in the data, from 0.
    pub row: u64,
    /// Which draw of masks, from 0.
    pub round: usize,
    /// The method's name.
    pub method: String,
    /// The measures by name.
    #[serde(flatten)]
    pub measures: BTreeMap<String, f64>,
}

impl Line {
    fn new(method: &str, measures: impl IntoIterator<Item = (String, f64)>) -> Self {
        // What is no number has no place in a mean, nor in JSON.
        let measures = measures.into_iter().filter(|(_, value)| value.is_finite()).collect();
        Line { row: 0, round: 0, method: method.into(), measures }
    }

    /// The same, of an input and a round.
    #[must_use]
    pub fn of(self, row: u64, round: usize) -> Self {
        Line { row, round, ..self }
    }
}

/// A measure that is there, with its name.
fn named(name: &str, value: Option<f64>) -> Option<(String, f64)> {
    value.map(|value| (name.to_string(), value))
}

impl Experiment {
    /// Every experiment.
    pub const ALL: [Experiment; 7] = [
        Experiment::Fidelity,
        Experiment::Distortion,
        Experiment::Ablation,
        Experiment::Reprediction,
        Experiment::Stability,
        Experiment::Classes,
        Experiment::Time,
    ];

    /// What the command calls it.
    pub fn name(self) -> &'static str {
        match self {
            Experiment::Fidelity => "fidelity",
            Experiment::Distortion => "distortion",
            Experiment::Ablation => "ablation",
            Experiment::Reprediction => "reprediction",
            Experiment::Stability => "stability",
            Experiment::Classes => "classes",
            Experiment::Time => "time",
        }
    }

    /// The experiment of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        let names = Experiment::ALL.map(Experiment::name);
        let found = Experiment::ALL.into_iter().find(|e| e.name() == name);
        found.ok_or_else(|| Error::choice("experiment", name, &names))
    }

    /// The methods that are compared if none are named; the first is what the others are compared with.
    pub fn methods(self) -> &'static [&'static str] {
        match self {
            Experiment::Fidelity | Experiment::Reprediction => {
                &["lipex", "lipex:pairs=none", "lipex:pairs=none,intercept=fitted", "paper", "lime"]
            }
            Experiment::Ablation => &["lipex", "paper", "lime", "lime:rank=supporting", "leave-one-out", "random"],
            Experiment::Stability => &["paper", "lime"],
            Experiment::Distortion => &["lipex:samples=200", "paper:samples=200", "lime:samples=200"],
            Experiment::Classes => &["lipex", "paper", "lime", "leave-one-out"],
            Experiment::Time => &["lipex:adaptive=true", "lipex:samples=200", "lipex", "lime"],
        }
    }

    /// Passes if a method has what is measured.
    ///
    /// # Errors
    /// [`Error::Setting`] for a method that fits no surrogate, where the experiment is about that.
    pub fn check<Batch>(self, method: &dyn Method<Batch>) -> Result<()> {
        if self.is_about_fits() && method.fitted().is_none() { Err(no_surrogate(self, method.name())) } else { Ok(()) }
    }

    /// Whether what is measured is a surrogate, so that methods without one take no part.
    pub fn is_about_fits(self) -> bool {
        !matches!(self, Experiment::Ablation | Experiment::Classes | Experiment::Time)
    }

    /// Whether answers may be shared between methods: not where the time to get them is measured.
    pub fn shares_answers(self) -> bool {
        self != Experiment::Time
    }

    /// Measures every method on an occasion; a line each, in their order. `round` is the seed of the methods' draws; what judges them is
    /// drawn from seeds that no round has.
    ///
    /// # Errors
    /// Those of the methods and of the model; [`Error::Setting`] for a method that has not what is measured.
    pub fn run<Batch>(
        self,
        at: &Occasion<'_, Batch>,
        methods: &[Box<dyn Method<Batch> + '_>],
        round: usize,
    ) -> Result<Vec<Line>> {
        let each =
            |of_method: OfMethod<Batch>| methods.iter().map(|method| of_method(at, method.as_ref(), round)).collect();
        match self {
            Experiment::Fidelity => fidelity::run(at, methods, round),
            Experiment::Distortion => distortion::run(at, methods, round),
            Experiment::Stability => stability::run(at, methods, round),
            Experiment::Ablation => each(ablation::of_method),
            Experiment::Reprediction => each(reprediction::of_method),
            Experiment::Classes => each(classes::of_method),
            Experiment::Time => each(time::of_method),
        }
    }
}

/// What is measured of a method alone.
type OfMethod<Batch> = fn(&Occasion<'_, Batch>, &dyn Method<Batch>, usize) -> Result<Line>;

/// A seed of the harness's own, so that no method has seen its masks.
fn judging(round: usize) -> u64 {
    0x6a75_6467_6500_0000 | round as u64
}

/// What is said of a method that fits nothing, where fits are measured.
fn no_surrogate(experiment: Experiment, method: &str) -> Error {
    let reason = format!("has no surrogate, which {} is about", experiment.name());
    Error::setting("methods", method, reason)
}
