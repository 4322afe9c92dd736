//! What an explainer is set to. No setter fails, and their order does not matter; `check` says what does not fit.

use super::samples::Samples;
use super::{Enumerate, Explainer, Repeats};
use crate::backend::Backend;
use crate::describe::Setting;
use crate::divergence::{Divergence, ErasedDivergence};
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::explanation::Rank;
use crate::fit::{Intercept, LambdaScale, Normalise, Pairs, Softmax, Starts, Surrogate};
use crate::groups::Groups;
use crate::perturb::Perturber;
use crate::select::Selector;
use crate::uncertainty::{Adaptive, ErrorBars};
use crate::watch::Progress;
use crate::weigh::Proximity;
use std::any::Any;
use std::sync::Arc;

/// Makes a surrogate of a softmax's settings.
type Make<B> = fn(Softmax) -> Arc<dyn Surrogate<B>>;

/// What was set by a setter, so that the parts in use can be made of it in any order.
#[derive(Clone)]
pub(super) struct Given<B: Backend> {
    pub perturber: bool,
    pub proximity: bool,
    pub selector: bool,
    pub samples: bool,
    pub surrogate: bool,
    /// The surrogate without the changes below, if it is a softmax.
    pub softmax: Option<Softmax>,
    /// Changes of the softmax, one a name.
    changes: Vec<Change>,
    /// What makes a surrogate on the backend of a softmax. There once a change is.
    make: Option<Make<B>>,
}

/// A setting of the softmax.
#[derive(Clone)]
struct Change {
    name: &'static str,
    value: String,
    apply: Arc<dyn Fn(Softmax) -> Result<Softmax> + Send + Sync>,
}

impl<B: Backend> Given<B> {
    /// Nothing is set, over a preset whose surrogate is this softmax, or none.
    pub fn nothing_over(softmax: Option<Softmax>) -> Self {
        Given {
            perturber: false,
            proximity: false,
            selector: false,
            samples: false,
            surrogate: false,
            softmax,
            changes: Vec::new(),
            make: None,
        }
    }

    /// The softmax with its changes.
    fn changed(&self) -> Result<Option<Softmax>> {
        let Some(softmax) = &self.softmax else {
            let first = self.changes.iter().min_by_key(|change| change.name);
            let Some(Change { name, value, .. }) = first else { return Ok(None) };
            let reason =
                "the surrogate in use has no such setting; leave it out, or set the `surrogate` softmax as well";
            return Err(Error::setting(*name, value, reason));
        };
        self.changes.iter().try_fold(softmax.clone(), |softmax, change| (change.apply)(softmax)).map(Some)
    }
}

/// The surrogate itself, if it is a softmax.
pub(super) fn softmax_in<S: 'static>(surrogate: &S) -> Option<Softmax> {
    (surrogate as &dyn Any).downcast_ref().cloned()
}

/// The proximity that is the own weights of Kernel SHAP's sampler.
const SHAPLEY: &str = "shapley";

/// Most masks of a run.
const MOST_SAMPLES: usize = 10_000_000;

impl<B: Backend> Explainer<B> {
    /// Passes if all that was set fits together; [`explain`](Explainer::explain) asks it first.
    ///
    /// ```
    /// # use lipex_core::{Backend, Error, Explainer, HighestWeights, Softmax, Surrogate};
    /// # fn of<B: Backend>(lime: Explainer<B>) where Softmax: Surrogate<B> {
    /// let error = lime.lambda(0.1).check().unwrap_err(); // a ridge has no λ
    /// assert!(error.to_string().starts_with("lambda = 0.1: the surrogate in use has no such setting"));
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] names the first setting that does not.
    pub fn check(&self) -> Result<()> {
        if !(1..=MOST_SAMPLES).contains(&self.samples.of(0)) {
            return Err(Error::setting("samples", self.samples, format!("from 1 to {MOST_SAMPLES} masks")));
        }
        if self.batch_size == 0 {
            return Err(Error::setting("batch-size", 0, "at least 1 input a batch"));
        }
        self.check_proximity()?;
        if self.surrogate.requeries() {
            let reason = "refits would each ask the model again; leave it out, or choose a surrogate that does not ask (a tree: \
                          set `leaf` to mean)";
            let asked = [("uncertainty", self.error_bars.is_some()), ("adaptive", self.adaptive.is_some())];
            if let Some((name, _)) = asked.iter().find(|(_, asked)| *asked) {
                return Err(Error::setting(*name, true, reason));
            }
        }
        self.given.changed()?.map_or(Ok(()), |softmax| softmax.check())
    }

    /// Passes unless a proximity was set beside a sampler whose own weights take its place.
    fn check_proximity(&self) -> Result<()> {
        let name = |described: Vec<Setting>| described.into_iter().next().map_or_else(String::new, |s| s.value);
        let proximity = name(self.proximity.describe());
        if !self.given.proximity || !self.perturber.weighs_itself() || proximity == SHAPLEY {
            return Ok(());
        }
        let sampler = name(self.perturber.describe());
        let reason = format!("the sampler {sampler} weighs masks itself; leave it out, or choose another sampler");
        Err(Error::setting("proximity", proximity, reason))
    }

    /// The sampler; default [`UniformSize`](crate::UniformSize), [`Bernoulli`](crate::Bernoulli) for
    /// [`images`](Explainer::images).
    pub fn perturber(mut self, perturber: impl Perturber<B> + 'static) -> Self {
        self.perturber = Arc::new(perturber);
        self.given.perturber = true;
        self
    }

    /// The proximity; default [`Exponential`](crate::Exponential) of width 0.25.
    pub fn proximity(mut self, proximity: impl Proximity<B> + 'static) -> Self {
        self.proximity = Arc::new(proximity);
        self.given.proximity = true;
        self
    }

    /// The selector; default [`Forward`](crate::Forward) with 5 features a class.
    pub fn selector(mut self, selector: impl Selector<B> + 'static) -> Self {
        self.selector = Arc::new(selector);
        self.given.selector = true;
        self
    }

    /// The surrogate; default [`Softmax`]. A softmax keeps its own settings but for those that the explainer's setters
    /// change. A surrogate behind an `Arc<dyn Surrogate>` is taken whole: those setters cannot change it.
    pub fn surrogate<S: Surrogate<B> + 'static>(mut self, surrogate: S) -> Self {
        self.given.surrogate = true;
        self.given.softmax = softmax_in(&surrogate);
        self.surrogate = Arc::new(surrogate);
        self.remade()
    }

    /// How fidelity is measured; default [`OutOfFold`](crate::OutOfFold) with 5 folds.
    pub fn evaluator(mut self, evaluator: impl Evaluator<B> + 'static) -> Self {
        self.evaluator = Arc::new(evaluator);
        self
    }

    /// Merges classes before the fit; default [`Groups::All`], none merged.
    pub fn groups(mut self, groups: Groups) -> Self {
        self.groups = groups;
        self
    }

    /// The ranking that readings use unless another is named.
    pub fn rank(mut self, rank: Rank) -> Self {
        self.rank = rank;
        self
    }

    /// N, the number of masks, the instance included, from 1 to 10 million; default 1000 (LIME's preset: 5000;
    /// Kernel SHAP's: 2D + 2048, and never more than there are).
    pub fn samples(mut self, samples: usize) -> Self {
        self.samples = Samples::Fixed(samples);
        self.given.samples = true;
        self
    }

    /// The seed of the masks; default 0. Equal seeds give equal explanations.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Most inputs sent to the model at once, at least 1; default 64. It changes the last digits of an explanation where a model answers
    /// an input differently in batches of other sizes, as many neural nets do; see [`Batching`](crate::Batching).
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Adds standard errors, intervals and what follows from them to explanations; default: none. Costs refits, no call of
    /// the model.
    pub fn error_bars(mut self, error_bars: ErrorBars) -> Self {
        self.error_bars = Some(error_bars);
        self
    }

    /// Adds masks until a rule is met, in place of a fixed number of [`samples`](Explainer::samples), which is then not looked
    /// at whichever of the two is set first; default: a fixed number. The sampler must be one that can be extended.
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.adaptive = Some(adaptive);
        self
    }

    /// Whether instances with few features have every mask asked in place of [`samples`](Explainer::samples) drawn ones;
    /// default [`Enumerate::Auto`] in the preset `lipex`, else [`Enumerate::Never`]. Then there is no sampling error, and
    /// fewer calls. A model that is asked again ([`Repeats::AskAgain`]) is not enumerated: its answers are draws themselves.
    pub fn enumerate(mut self, enumerate: Enumerate) -> Self {
        self.enumerate = enumerate;
        self
    }

    /// Whether masks that render alike share an answer; default [`Repeats::Share`]. [`Repeats::AskAgain`] takes a fitted
    /// intercept for an anchored one: the answer to the instance is then one draw of many.
    pub fn repeats(mut self, repeats: Repeats) -> Self {
        self.repeats = repeats;
        self.remade()
    }

    /// Runs stop with [`Error::Interrupted`] once `stop` says yes; default: nothing stops them. The explainer can be used
    /// again afterwards.
    ///
    /// It is asked before each batch, refit, iteration of a solver and launch of a device, some thousand times a second, from
    /// any thread that works for the run and, while those work, every 10 ms from the thread that called. So it should be
    /// cheap, such as reading an [`AtomicBool`](std::sync::atomic::AtomicBool). What the black box takes for a batch is its
    /// own; a surrogate or selector of one's own is asked between its calls, and wherever it asks
    /// [`Backend::watch`] itself.
    ///
    /// ```no_run
    /// # fn explain<B: lipex_core::Backend>(explainer: lipex_core::Explainer<B>) {
    /// use std::time::{Duration, Instant};
    ///
    /// let deadline = Instant::now() + Duration::from_secs(5);
    /// let explainer = explainer.interrupt(move || Instant::now() > deadline);
    /// # }
    /// ```
    pub fn interrupt(mut self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.asks = Some(Arc::new(stop));
        self
    }

    /// Tells `listener` how far runs are: the stage, what is done of it, and what there is to do; default: nobody is told.
    ///
    /// It is called from any thread that works for the run, by one at a time, and the run waits for it.
    pub fn watch(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.tells = Some(Arc::new(listener));
        self
    }

    /// The surrogate in use, made anew of what is given. What does not fit is left out here and told by `check`.
    pub(super) fn remade(mut self) -> Self {
        if let (Some(make), Ok(Some(softmax))) = (self.given.make, self.given.changed()) {
            let anchored = matches!(softmax.intercept_in_use(), Intercept::Anchored | Intercept::Auto);
            let fitted = self.repeats == Repeats::AskAgain && anchored;
            self.surrogate = make(if fitted { softmax.intercept(Intercept::Fitted) } else { softmax });
        }
        self
    }
}

/// Settings of the softmax that is in use.
impl<B: Backend> Explainer<B>
where
    Softmax: Surrogate<B>,
{
    fn softmax(
        mut self,
        name: &'static str,
        value: impl ToString,
        apply: impl Fn(Softmax) -> Result<Softmax> + Send + Sync + 'static,
    ) -> Self {
        self.given.changes.retain(|change| change.name != name);
        self.given.changes.push(Change { name, value: value.to_string(), apply: Arc::new(apply) });
        self.given.make = Some(|softmax| Arc::new(softmax));
        self.remade()
    }

    /// Says that the backend fits a softmax, so that one can be made anew.
    pub(super) fn fits_softmax(mut self) -> Self {
        self.given.make = Some(|softmax| Arc::new(softmax));
        self
    }

    /// The softmax's divergence; default [`Hellinger`](crate::Hellinger).
    pub fn divergence(self, divergence: impl Divergence) -> Self {
        self.erased_divergence(Arc::new(divergence))
    }

    /// The same, with a divergence chosen at run time.
    pub fn erased_divergence(self, divergence: Arc<dyn ErasedDivergence>) -> Self {
        let name = divergence.name();
        self.softmax("divergence", name, move |softmax| Ok(softmax.erased_divergence(divergence.clone())))
    }

    /// The softmax's penalty λ, finite and not negative; default 10⁻⁴ (the paper: 10⁻³). See [`Softmax::lambda`].
    pub fn lambda(self, lambda: f64) -> Self {
        self.softmax("lambda", lambda, move |softmax| softmax.lambda(lambda))
    }

    /// λ chosen by the data; see [`Lambda::Auto`](crate::Lambda::Auto). In place of [`lambda`](Explainer::lambda).
    pub fn lambda_auto(self) -> Self {
        self.softmax("lambda", "auto", |softmax| Ok(softmax.lambda_auto()))
    }

    /// How many starts a softmax is fitted from; default [`Starts::One`].
    pub fn starts(self, starts: Starts) -> Self {
        self.softmax("starts", starts.name(), move |softmax| Ok(softmax.starts(starts)))
    }

    /// The scale of the softmax's λ; default [`LambdaScale::Curvature`].
    pub fn lambda_scale(self, scale: LambdaScale) -> Self {
        self.softmax(
            "lambda-scale",
            format!("{scale:?}").to_lowercase(),
            move |softmax| Ok(softmax.lambda_scale(scale)),
        )
    }

    /// What the softmax's sum of divergences is divided by; default [`Normalise::Count`].
    pub fn normalise(self, normalise: Normalise) -> Self {
        self.softmax("normalise", format!("{normalise:?}").to_lowercase(), move |softmax| {
            Ok(softmax.normalise(normalise))
        })
    }

    /// What the softmax answers from; default [`Intercept::Fitted`] (the paper: none).
    pub fn intercept(self, intercept: Intercept) -> Self {
        self.softmax("intercept", intercept.name(), move |softmax| Ok(softmax.intercept(intercept)))
    }

    /// Which pairs of kept features the softmax has terms for; default [`Pairs::None`]. See [`Softmax::pairs`].
    pub fn pairs(self, pairs: Pairs) -> Self {
        self.softmax("pairs", pairs.to_string(), move |softmax| Ok(softmax.pairs(pairs.clone())))
    }

    /// When a softmax fit stops, above 0 and below 1; default 10⁻⁷. See [`Softmax::tolerance`].
    pub fn tolerance(self, tolerance: f64) -> Self {
        self.softmax("tolerance", tolerance, move |softmax| softmax.tolerance(tolerance))
    }
}
