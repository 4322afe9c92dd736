//! Ways to explain that are compared.

use crate::occasion::Occasion;
use lipex::{
    Attributions, Cpu, Domain, Error, Explainer, Explanation, Neighbourhood, Output, Preset, Problem, Rank, Result,
    Selection, Settings, Surrogate, leave_out, random_scores,
};
use std::sync::Arc;
use std::time::Instant;

/// A way to explain.
///
/// ```
/// use lipex::prelude::*;
/// use lipex::{Attributions, Result};
/// use lipex_experiment::{Found, Method, Occasion, Outcome};
///
/// /// Ranks words by their length.
/// struct Longest;
///
/// impl Method<Texts> for Longest {
///     fn name(&self) -> &str {
///         "longest"
///     }
///
///     fn explain(&self, at: &Occasion<'_, Texts>, _: u64) -> Result<Outcome> {
///         let features = at.instance().features().to_vec();
///         let lengths: Vec<f64> = features.iter().map(|f| f.name.len() as f64).collect();
///         let scores = vec![lengths; at.whole().len()];
///         let outside = vec![0.0; scores.len()];
///         Ok(Outcome::of(Attributions { features, scores, outside, ..Attributions::default() }, 0))
///     }
/// }
///
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| vec![[0.4, 0.6]; texts.len()]);
/// let text = TextInstance::new("an extraordinary day")?;
/// assert_eq!(Longest.explain(&Occasion::new(&text, &model)?, 0)?.ranking(1), [1, 2, 0]);
/// # Ok::<(), lipex::Error>(())
/// ```
pub trait Method<Batch>: Send + Sync {
    /// What tables call it.
    fn name(&self) -> &str;

    /// Explains an input. Two seeds are two draws of whatever the method draws.
    ///
    /// # Errors
    /// Whatever the method needs and lacks.
    fn explain(&self, at: &Occasion<'_, Batch>, seed: u64) -> Result<Outcome>;

    /// The parts of a method that fits a surrogate to masks, for experiments that fit it again.
    fn fitted(&self) -> Option<&Fitted> {
        None
    }
}

/// What a method found.
pub struct Outcome {
    /// Scores, or a surrogate that has some.
    pub found: Found,
    /// Distinct inputs that the model was asked.
    pub calls: usize,
    /// Wall-clock time, the model's included.
    pub milliseconds: f64,
}

/// Scores, or a surrogate that has some.
pub enum Found {
    /// A surrogate.
    Explanation(Box<Explanation>),
    /// A number a feature, a row a class.
    Scores(Attributions),
}

impl Outcome {
    /// Scores of every class, for which the model was asked so often.
    pub fn of(scores: Attributions, calls: usize) -> Self {
        Outcome { found: Found::Scores(scores), calls, milliseconds: 0.0 }
    }

    /// The surrogate, if the method has one.
    pub fn surrogate(&self) -> Option<&Explanation> {
        match &self.found {
            Found::Explanation(e) if e.answer.is_some() => Some(e),
            _ => None,
        }
    }

    /// The features that were ranked for a class, the first first, by the method's own ranking; ties to the lowest index.
    pub fn ranking(&self, class: usize) -> Vec<usize> {
        match &self.found {
            Found::Explanation(e) => ordered(e, class, e.rank).map(|(feature, _)| feature).collect(),
            Found::Scores(a) => by_score(a, class).map(|(feature, _)| feature).collect(),
        }
    }

    /// The first `k` features among those that hold a class up, by how much; fewer where fewer do.
    pub fn supporting(&self, class: usize, k: usize) -> Vec<usize> {
        let first = |(feature, value): (usize, f64)| (value > 0.0).then_some(feature);
        match &self.found {
            Found::Explanation(e) => ordered(e, class, Rank::Supporting).map_while(first).take(k).collect(),
            Found::Scores(a) => by_score(a, class).map_while(first).take(k).collect(),
        }
    }

    /// What the method removes so that a class falls fastest, where it says so.
    ///
    /// # Errors
    /// Those of [`Explanation::what_to_remove`].
    pub fn greedy(&self, class: usize) -> Result<Option<Vec<usize>>> {
        self.surrogate().map(|e| Ok(e.what_to_remove(class)?.features)).transpose()
    }
}

fn ordered(e: &Explanation, class: usize, rank: Rank) -> impl Iterator<Item = (usize, f64)> {
    e.top_k(class, e.features.len(), rank).into_iter().map(|w| (w.feature, w.value))
}

fn by_score(a: &Attributions, class: usize) -> impl Iterator<Item = (usize, f64)> {
    let row = a.scores.get(class).map_or(&[][..], Vec::as_slice);
    let mut all: Vec<(usize, f64)> = row.iter().copied().enumerate().collect();
    all.sort_by(|(i, a), (j, b)| b.total_cmp(a).then(i.cmp(j)));
    all.into_iter()
}

/// A preset with settings: masks are drawn, the model answers, a surrogate is fitted.
///
/// ```
/// use lipex::Domain;
/// use lipex_experiment::Fitted;
///
/// let kl = Fitted::by_name("lipex:divergence=kl,pairs=none", Domain::Text)?;
/// assert_eq!(kl.name(), "lipex:divergence=kl,pairs=none");
/// assert!(Fitted::by_name("lipex:divergance=kl", Domain::Text).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone)]
pub struct Fitted {
    name: String,
    settings: Settings,
    explainer: Explainer<Cpu>,
    surrogate: Arc<dyn Surrogate<Cpu>>,
}

impl Fitted {
    /// A method from `PRESET` or `PRESET:NAME=VALUE,…`, with the names of [`Settings`].
    ///
    /// # Errors
    /// [`Error::Setting`] and [`Error::UnknownSetting`] offer the nearest name.
    pub fn by_name(name: &str, domain: Domain) -> Result<Self> {
        let (preset, rest) = name.split_once(':').unwrap_or((name, ""));
        Self::new(name, settings_of(rest, Settings::new().with("preset", preset)?)?, domain)
    }

    /// A method from settings, under a name.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that do not fit together.
    pub fn new(name: impl Into<String>, settings: Settings, domain: Domain) -> Result<Self> {
        let on = Cpu::with_threads(settings.threads())?;
        let explainer = settings.explainer_on(on, domain)?;
        let surrogate = settings.surrogate::<Cpu>(domain)?;
        Ok(Fitted { name: name.into(), settings, explainer, surrogate })
    }

    /// What tables call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same with other settings.
    ///
    /// # Errors
    /// Those of [`Settings::with`] and [`Fitted::new`].
    pub fn with(&self, pairs: &[(&str, &str)], domain: Domain) -> Result<Self> {
        let more = |settings: Settings, (name, value): &(&str, &str)| settings.with(name, value);
        Self::new(self.name.clone(), pairs.iter().try_fold(self.settings.clone(), more)?, domain)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What features are ranked by.
    pub fn rank(&self) -> Rank {
        // Presets rank alike in every domain; a name that was given was checked when it was.
        let name = self.settings.get("rank").unwrap_or_else(|| self.settings.preset().value("rank", Domain::Text));
        Rank::by_name(name).unwrap_or_default()
    }

    /// Explains, and gives what the surrogate was fitted to.
    ///
    /// # Errors
    /// Those of [`Explainer::explain`].
    pub fn around<Batch>(&self, at: &Occasion<'_, Batch>, seed: u64) -> Result<(Explanation, Neighbourhood<Cpu>)> {
        self.explainer.clone().seed(seed).explain_with_neighbourhood(at.instance(), at.model())
    }

    /// The shares of a fit on such features, for every class.
    ///
    /// # Errors
    /// Those of the surrogate.
    pub fn shares(&self, around: &Neighbourhood<Cpu>, features: &[usize]) -> Result<Vec<Vec<f64>>> {
        let selection = Selection::shared(around.probabilities.classes(), features.to_vec());
        let fitted = self.surrogate.fit(self.explainer.backend(), &[Problem::new(around, &selection)])?.remove(0);
        Ok(fitted.answer.shares().matrix().to_vec())
    }
}

fn settings_of(pairs: &str, settings: Settings) -> Result<Settings> {
    let set = |settings: Settings, pair: &str| match pair.split_once('=') {
        Some((name, value)) => settings.with(name.trim(), value.trim()),
        None => Err(Error::setting("methods", pair, "after the colon come settings: NAME=VALUE,NAME=VALUE")),
    };
    // A comma inside a value comes before something without a "=".
    let mut parts: Vec<String> = Vec::new();
    for piece in pairs.split(',').filter(|piece| !piece.is_empty()) {
        match parts.last_mut() {
            Some(last) if !piece.contains('=') => *last = format!("{last},{piece}"),
            _ => parts.push(piece.to_string()),
        }
    }
    parts.iter().try_fold(settings, |settings, pair| set(settings, pair))
}

impl<Batch> Method<Batch> for Fitted {
    fn name(&self) -> &str {
        &self.name
    }

    fn explain(&self, at: &Occasion<'_, Batch>, seed: u64) -> Result<Outcome> {
        let start = Instant::now();
        let explanation = self.explainer.clone().seed(seed).explain(at.instance(), at.model())?;
        let calls = explanation.calls.inputs + explanation.calls.requeried;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        Ok(Outcome { found: Found::Explanation(Box::new(explanation)), calls, milliseconds })
    }

    fn fitted(&self) -> Option<&Fitted> {
        Some(self)
    }
}

/// What each class's log-probability loses when one feature is removed: D + 1 calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeaveOneOut;

impl<Batch> Method<Batch> for LeaveOneOut {
    fn name(&self) -> &str {
        "leave-one-out"
    }

    fn explain(&self, at: &Occasion<'_, Batch>, _: u64) -> Result<Outcome> {
        let start = Instant::now();
        let outputs: Vec<Output> = (0..at.whole().len()).map(Output::Logit).collect();
        let scores = leave_out(at.on(), at.instance(), at.model(), &outputs, 1)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        Ok(Outcome { milliseconds, ..Outcome::of(scores, at.features() + 1) })
    }
}

/// Scores that know nothing: what any method should beat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl<Batch> Method<Batch> for Random {
    fn name(&self) -> &str {
        "random"
    }

    fn explain(&self, at: &Occasion<'_, Batch>, seed: u64) -> Result<Outcome> {
        let outputs: Vec<Output> = (0..at.whole().len()).map(Output::Logit).collect();
        Ok(Outcome::of(random_scores(seed, at.instance().features().to_vec(), &outputs), 0))
    }
}

/// The method of a name: `leave-one-out`, `random`, or a preset with settings ([`Fitted::by_name`]).
///
/// # Errors
/// Those of [`Fitted::by_name`].
pub fn method_by_name<Batch: 'static>(name: &str, domain: Domain) -> Result<Box<dyn Method<Batch>>> {
    match name {
        "leave-one-out" => Ok(Box::new(LeaveOneOut)),
        "random" => Ok(Box::new(Random)),
        _ => {
            let preset = name.split(':').next().unwrap_or_default();
            if Preset::by_name(preset).is_err() {
                let names = ["lipex", "paper", "lime", "authors", "kernel-shap", "leave-one-out", "random"];
                return Err(Error::choice("methods", preset, &names));
            }
            Ok(Box::new(Fitted::by_name(name, domain)?))
        }
    }
}
