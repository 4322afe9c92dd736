//! The explainer: its parts and settings, and single questions to the model. explainer/run.rs explains.

mod again;
mod ask;
mod assemble;
mod draw;
mod enumerate;
mod gather;
mod grow;
mod labels;
mod presets;
mod run;
mod samples;
mod setters;

pub use ask::Repeats;

use crate::backend::{Backend, Masks, Neighbourhood};
use crate::describe::{Departure, Setting};
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::explanation::{Rank, Timings, arg_max};
use crate::fit::Surrogate;
use crate::groups::Groups;
use crate::perturb::Perturber;
use crate::predict::BlackBox;
use crate::preset::Preset;
use crate::render::{Domain, Render};
use crate::select::{Selection, Selector};
use crate::uncertainty::{Adaptive, ErrorBars};
use crate::watch::{Interrupt, Listener, Watch};
use crate::weigh::Proximity;
use ask::{Asked, Question, labels as labels_of};
pub use enumerate::Enumerate;
use gather::one;
use samples::Samples;
use setters::Given;
use std::sync::Arc;

/// Explains classifiers on a backend. Cheap to clone; one explainer serves any number of instances and threads.
///
/// Made from a preset; every setting has a setter, and every departure from the paper ends up in the explanation.
///
/// # Setters
/// A setter of an explainer takes anything and never fails: what it is given can only be judged beside the rest (λ needs a
/// softmax, for instance), so [`explain`](Explainer::explain) says what does not fit, and [`check`](Explainer::check) says it
/// earlier. Their order does not matter; of two calls of one setter the last counts. Parts ([`Softmax`](crate::Softmax),
/// [`Forward`](crate::Forward), …) are judged where they are made: what takes a number that can be out of range returns a
/// `Result`.
///
/// Settings of the softmax change the softmax that is in use, be it the preset's or one that [`surrogate`](Explainer::surrogate)
/// brought. Beside another surrogate they are an error, never silently another surrogate.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explainer = lipex().samples(300).seed(7).rank(Rank::Absolute);
/// let explanation = explainer.explain(&text, &model)?;
/// assert_eq!((explanation.seed, explanation.rank), (7, Rank::Absolute));
/// // A ridge has no such setting: an error, and not another surrogate.
/// assert!(lime().lambda(0.1).check().is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone)]
pub struct Explainer<B: Backend> {
    backend: B,
    preset: Preset,
    perturber: Arc<dyn Perturber<B>>,
    proximity: Arc<dyn Proximity<B>>,
    selector: Arc<dyn Selector<B>>,
    surrogate: Arc<dyn Surrogate<B>>,
    evaluator: Arc<dyn Evaluator<B>>,
    groups: Groups,
    rank: Rank,
    samples: Samples,
    seed: u64,
    batch_size: usize,
    error_bars: Option<ErrorBars>,
    adaptive: Option<Adaptive>,
    repeats: Repeats,
    enumerate: Enumerate,
    asks: Option<Interrupt>,
    tells: Option<Listener>,
    given: Given<B>,
}

impl<B: Backend> Explainer<B> {
    /// The explainer for one run, whose stages ask and tell.
    fn started(&self) -> Self {
        let watch = Watch::new(self.asks.clone(), self.tells.clone());
        Explainer { backend: self.backend.clone().watched(watch), ..self.clone() }
    }

    /// The backend.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Every setting, as reports print it.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = self.perturber.describe();
        settings.push(Setting::new("samples", self.samples));
        if let Some(adaptive) = &self.adaptive {
            settings.push(Setting::new("adaptive", adaptive.rule_in_use()));
            settings.push(Setting::new("max-samples", adaptive.limit()));
        }
        settings.push(Setting::new("enumerate", self.enumerate));
        settings.extend(self.proximity.describe());
        settings.extend(self.selector.describe());
        settings.extend(self.surrogate.describe());
        settings.extend(self.evaluator.describe());
        settings.push(Setting::new("groups", &self.groups));
        settings.push(Setting::new("rank", self.rank.name()));
        if self.repeats == Repeats::AskAgain {
            settings.push(Setting::new("ask-again", true));
        }
        settings
    }

    /// Settings that differ from the preset or from the paper, when such instances are explained.
    pub fn departures(&self, domain: Domain) -> Vec<Departure> {
        self.preset.departures(&self.settings(), domain)
    }

    /// The model's probabilities at the instance with features removed: one call, to check what the surrogate says.
    ///
    /// Classes are those of the explanation: groups are merged as they are at the instance, which is then part of the call.
    ///
    /// # Errors
    /// Those of the model; [`Error::Setting`] when a feature does not exist.
    pub fn ask_without<I, M, Batch>(&self, instance: &I, model: &M, removed: &[usize]) -> Result<Vec<f64>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let features = instance.features().len();
        let words = features.div_ceil(32);
        // Row 0 is the instance, row 1 lacks the features.
        let mut bits = vec![0u32; 2 * words];
        (0..2 * features).for_each(|k| bits[k / features * words + k % features / 32] |= 1 << (k % features % 32));
        for &j in removed {
            if j >= features {
                let reason = format!("features are numbered 0 to {}", features.max(1) - 1);
                return Err(Error::setting("feature", j, reason));
            }
            bits[words + j / 32] &= !(1 << (j % 32));
        }
        let rows = if self.groups == Groups::All { 1 } else { 2 };
        let on = &self.backend;
        let masks = Masks::new(on, rows, features, on.upload(bits.split_off((2 - rows) * words))?)?;
        let mut timings = Timings::default();
        let mut asked = Asked::default();
        let question = Question::new(instance, &masks, &mut asked, &mut timings);
        let p = one(self.started().ask(model, &mut [question], false)?)??;
        let merged = self.groups.merge(on, p, labels_of(model)?)?.probabilities;
        let values = on.download(merged.values())?;
        Ok(values[values.len() - merged.classes()..].iter().copied().map(f64::from).collect())
    }

    /// Whether the model, asked once, confirms a change that the surrogate foresees.
    ///
    /// # Errors
    /// Those of [`ask_without`](Explainer::ask_without).
    pub fn check_change<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
        change: &crate::explanation::Change,
    ) -> Result<bool>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        Ok(arg_max(&self.ask_without(instance, model, &change.remove)?) == change.class)
    }

    /// The selection that a fit of `around` would use, for tools that run stages alone.
    ///
    /// # Errors
    /// Those of the selector.
    pub fn select(&self, around: &[Neighbourhood<B>]) -> Result<Vec<Selection>> {
        self.selector.select(&self.backend, around)
    }
}
