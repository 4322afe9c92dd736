//! The explainer: its settings, and what one asks of it. explainer/run.rs runs the stages.

mod grow;
mod run;

use crate::backend::{Backend, Masks, Neighbourhood};
use crate::describe::{Departure, Setting};
use crate::divergence::{Divergence, ErasedDivergence};
use crate::error::{Error, Result};
use crate::evaluate::{Evaluator, OutOfFold};
use crate::explanation::{Explanation, Rank, Timings, arg_max};
use crate::fit::{Authors, Intercept, KernelShap, LambdaScale, Normalise, Ridge, Softmax, Starts, Surrogate};
use crate::groups::Groups;
use crate::perturb::{Bernoulli, Perturber, ShapleySize, UniformSize};
use crate::predict::BlackBox;
use crate::preset::Preset;
use crate::render::{Domain, Render};
use crate::select::{All, Forward, HighestWeights, Selection, Selector};
use crate::uncertainty::{Adaptive, ErrorBars};
use crate::watch::{Asks, Progress, Tells, Watch};
use crate::weigh::{Exponential, Proximity, ShapleyKernel};
use run::Asked;
use std::sync::Arc;

/// Explains classifiers on a backend. Cheap to clone; one explainer serves any number of instances and threads.
///
/// Made from a preset; every setting has a setter, and every departure from the paper ends up in the explanation.
#[derive(Clone)]
pub struct Explainer<B: Backend> {
    backend: B,
    preset: Preset,
    perturber: Arc<dyn Perturber<B>>,
    proximity: Arc<dyn Proximity<B>>,
    selector: Arc<dyn Selector<B>>,
    softmax: Softmax,
    surrogate: Arc<dyn Surrogate<B>>,
    evaluator: Arc<dyn Evaluator<B>>,
    groups: Groups,
    rank: Rank,
    samples: usize,
    seed: u64,
    batch_size: usize,
    error_bars: Option<ErrorBars>,
    adaptive: Option<Adaptive>,
    asks: Option<Asks>,
    tells: Option<Tells>,
}

/// The stages that a preset is made of.
struct Parts<B: Backend> {
    perturber: Arc<dyn Perturber<B>>,
    proximity: Arc<dyn Proximity<B>>,
    selector: Arc<dyn Selector<B>>,
    surrogate: Arc<dyn Surrogate<B>>,
    evaluator: Arc<dyn Evaluator<B>>,
}

impl<B: Backend> Explainer<B> {
    fn of(backend: B, preset: Preset, parts: Parts<B>) -> Self {
        let Parts { perturber, proximity, selector, surrogate, evaluator } = parts;
        Explainer {
            backend,
            preset,
            perturber,
            proximity,
            selector,
            softmax: preset.softmax(),
            surrogate,
            evaluator,
            groups: Groups::All,
            rank: preset.rank(),
            samples: preset.samples(Domain::Text),
            seed: 0,
            batch_size: 64,
            error_bars: None,
            adaptive: None,
            asks: None,
            tells: None,
        }
    }
}

// A preset asks no more of a backend than the stages that it has.

impl<B: Backend> Explainer<B>
where
    UniformSize: Perturber<B>,
    Exponential: Proximity<B>,
    OutOfFold: Evaluator<B>,
{
    /// LIME's neighbourhood, with this selector and surrogate.
    fn around(
        backend: B,
        preset: Preset,
        selector: impl Selector<B> + 'static,
        surrogate: impl Surrogate<B> + 'static,
    ) -> Self {
        let parts = Parts {
            perturber: Arc::new(UniformSize::default()),
            proximity: Arc::new(Exponential::default()),
            selector: Arc::new(selector),
            surrogate: Arc::new(surrogate),
            evaluator: Arc::new(OutOfFold::default()),
        };
        Self::of(backend, preset, parts)
    }

    /// The default preset: the paper's, but with an intercept, λ = 10⁻⁴ and ranking by support.
    pub fn lipex(backend: B) -> Self
    where
        Forward: Selector<B>,
        Softmax: Surrogate<B>,
    {
        Self::around(backend, Preset::Lipex, Forward::default(), Preset::Lipex.softmax())
    }

    /// The paper's settings: no intercept, λ = 10⁻³, 1000 masks, 5 features a class, ranking by |W|.
    pub fn paper(backend: B) -> Self
    where
        Forward: Selector<B>,
        Softmax: Surrogate<B>,
    {
        Self::around(backend, Preset::Paper, Forward::default(), Preset::Paper.softmax())
    }

    /// All-class LIME: 5000 masks, highest weights (10), ridge on each class's own picks.
    pub fn lime(backend: B) -> Self
    where
        HighestWeights: Selector<B>,
        Ridge: Surrogate<B>,
    {
        Self::around(backend, Preset::Lime, HighestWeights::default(), Ridge::default())
    }

    /// The paper's settings with the surrogate fitted as the authors' released code does it; see [`Authors`].
    pub fn authors(backend: B) -> Self
    where
        Forward: Selector<B>,
        Authors: Surrogate<B>,
    {
        Self::around(backend, Preset::Authors, Forward::default(), Authors::default())
    }

    /// An explainer with a preset's settings.
    pub fn with_preset(backend: B, preset: Preset) -> Self
    where
        ShapleySize: Perturber<B>,
        ShapleyKernel: Proximity<B>,
        Forward: Selector<B>,
        HighestWeights: Selector<B>,
        Softmax: Surrogate<B>,
        Ridge: Surrogate<B>,
        Authors: Surrogate<B>,
        KernelShap: Surrogate<B>,
    {
        match preset {
            Preset::Lipex => Self::lipex(backend),
            Preset::Paper => Self::paper(backend),
            Preset::Lime => Self::lime(backend),
            Preset::Authors => Self::authors(backend),
            Preset::KernelShap => Self::kernel_shap(backend),
        }
    }
}

impl<B: Backend> Explainer<B>
where
    ShapleySize: Perturber<B>,
    ShapleyKernel: Proximity<B>,
    KernelShap: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    /// Kernel SHAP: at most 2048 coalitions with weights of their own, every feature, least squares with efficiency. Exact up
    /// to 11 features.
    pub fn kernel_shap(backend: B) -> Self {
        let parts = Parts {
            perturber: Arc::new(ShapleySize),
            proximity: Arc::new(ShapleyKernel),
            selector: Arc::new(All),
            surrogate: Arc::new(KernelShap),
            evaluator: Arc::new(OutOfFold::default()),
        };
        Self::of(backend, Preset::KernelShap, parts)
    }
}

impl<B: Backend> Explainer<B>
where
    Bernoulli: Perturber<B>,
    All: Selector<B>,
{
    /// The preset's settings where images have others: masks keep each segment with probability ½, as LIME's and the
    /// paper's do; LIME's preset has 1000 masks and keeps every segment. Kernel SHAP has no others. Call it first: it sets
    /// these anew.
    pub fn images(mut self) -> Self {
        if self.preset == Preset::KernelShap {
            return self;
        }
        self.perturber = Arc::new(Bernoulli::default());
        self.samples = self.preset.samples(Domain::Image);
        if self.preset == Preset::Lime {
            self.selector = Arc::new(All);
        }
        self
    }
}

impl<B: Backend> Explainer<B>
where
    Softmax: Surrogate<B>,
{
    fn with_softmax(mut self, softmax: Softmax) -> Self {
        self.surrogate = Arc::new(softmax.clone());
        self.softmax = softmax;
        self
    }

    /// The softmax surrogate under this divergence; default [`Hellinger`](crate::Hellinger).
    pub fn divergence(self, divergence: impl Divergence) -> Self {
        self.erased_divergence(Arc::new(divergence))
    }

    /// The same, with a divergence chosen at run time.
    pub fn erased_divergence(self, divergence: Arc<dyn ErasedDivergence>) -> Self {
        let softmax = self.softmax.clone().erased_divergence(divergence);
        self.with_softmax(softmax)
    }

    /// The softmax surrogate with penalty λ; see [`Softmax::lambda`].
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and not negative.
    pub fn lambda(self, lambda: f64) -> Result<Self> {
        let softmax = self.softmax.clone().lambda(lambda)?;
        Ok(self.with_softmax(softmax))
    }

    /// The softmax surrogate with λ chosen by the data; see [`Lambda::Auto`](crate::Lambda::Auto).
    pub fn lambda_auto(self) -> Self {
        let softmax = self.softmax.clone().lambda_auto();
        self.with_softmax(softmax)
    }

    /// The softmax surrogate fitted from so many starts; see [`Starts`].
    pub fn starts(self, starts: Starts) -> Self {
        let softmax = self.softmax.clone().starts(starts);
        self.with_softmax(softmax)
    }

    /// The softmax surrogate with this scale of λ; see [`LambdaScale`].
    pub fn lambda_scale(self, scale: LambdaScale) -> Self {
        let softmax = self.softmax.clone().lambda_scale(scale);
        self.with_softmax(softmax)
    }

    /// The softmax surrogate with this divisor; see [`Normalise`].
    pub fn normalise(self, normalise: Normalise) -> Self {
        let softmax = self.softmax.clone().normalise(normalise);
        self.with_softmax(softmax)
    }

    /// The softmax surrogate with or without an intercept.
    pub fn intercept(self, intercept: Intercept) -> Self {
        let softmax = self.softmax.clone().intercept(intercept);
        self.with_softmax(softmax)
    }
}

impl<B: Backend> Explainer<B> {
    /// The sampler; default [`UniformSize`].
    pub fn perturber(mut self, perturber: impl Perturber<B> + 'static) -> Self {
        self.perturber = Arc::new(perturber);
        self
    }

    /// The proximity; default [`Exponential`] of width 0.25.
    pub fn proximity(mut self, proximity: impl Proximity<B> + 'static) -> Self {
        self.proximity = Arc::new(proximity);
        self
    }

    /// The selector; default [`Forward`] with 5 features a class.
    pub fn selector(mut self, selector: impl Selector<B> + 'static) -> Self {
        self.selector = Arc::new(selector);
        self
    }

    /// The surrogate; default [`Softmax`].
    pub fn surrogate(mut self, surrogate: impl Surrogate<B> + 'static) -> Self {
        self.surrogate = Arc::new(surrogate);
        self
    }

    /// How fidelity is measured; default [`OutOfFold`] with 5 folds.
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

    /// N, the number of masks, the instance included; default 1000 (LIME's preset: 5000).
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 or more than 10 million.
    pub fn samples(mut self, samples: usize) -> Result<Self> {
        if samples == 0 || samples > 10_000_000 {
            return Err(Error::setting("samples", samples, "from 1 to 10000000 masks"));
        }
        self.samples = samples;
        Ok(self)
    }

    /// The seed of the masks; default 0. Equal seeds give equal explanations.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Most inputs sent to the model at once; default 64. Does not change the result.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn batch_size(mut self, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::setting("batch-size", 0, "at least 1 input a batch"));
        }
        self.batch_size = batch_size;
        Ok(self)
    }

    /// Adds standard errors, intervals and what follows from them to explanations; default: none. Costs refits, no call of
    /// the model.
    pub fn error_bars(mut self, error_bars: ErrorBars) -> Self {
        self.error_bars = Some(error_bars);
        self
    }

    /// Adds masks until a rule is met, in place of a fixed number of [`samples`](Explainer::samples); default: a fixed
    /// number. The sampler must be one that can be extended.
    pub fn adaptive(mut self, adaptive: Adaptive) -> Self {
        self.adaptive = Some(adaptive);
        self
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
        settings.extend(self.proximity.describe());
        settings.extend(self.selector.describe());
        settings.extend(self.surrogate.describe());
        settings.push(Setting::new("groups", &self.groups));
        settings.push(Setting::new("rank", self.rank.name()));
        settings
    }

    /// Settings that differ from the preset or from the paper, when such instances are explained.
    pub fn departures(&self, domain: Domain) -> Vec<Departure> {
        self.preset.departures(&self.settings(), domain)
    }

    /// Explains one instance for every class.
    ///
    /// # Errors
    /// [`Error::Instance`] without features, [`Error::Model`] and [`Error::NotADistribution`] from the black box, and
    /// those of the stages.
    pub fn explain<I, M, Batch>(&self, instance: &I, model: &M) -> Result<Explanation>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let (explanation, _) = self.explain_with_neighbourhood(instance, model)?;
        Ok(explanation)
    }

    /// Explains one instance and hands out the neighbourhood that the explanation was made from.
    ///
    /// # Errors
    /// Those of [`explain`](Explainer::explain).
    pub fn explain_with_neighbourhood<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
    ) -> Result<(Explanation, Neighbourhood<B>)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let (mut explanations, mut around) = self.started().run(&[instance], model)?;
        match (explanations.pop(), around.pop()) {
            (Some(explanation), Some(around)) => Ok((explanation, around)),
            _ => Err(Error::shape("explanations", 1, 0)),
        }
    }

    /// Explains many instances; each explanation equals that of [`explain`](Explainer::explain), timings aside (a
    /// stage's time is the batch's, divided by the number of instances).
    ///
    /// # Errors
    /// The first error of any instance.
    pub fn explain_many<I, M, Batch>(&self, instances: &[&I], model: &M) -> Result<Vec<Explanation>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        Ok(self.started().run(instances, model)?.0)
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
        let p = self.started().predict(instance, model, &masks, &mut Asked::default(), &mut timings)?;
        let merged = self.groups.merge(on, p, model.labels())?.probabilities;
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
