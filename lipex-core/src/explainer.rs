//! The explainer: runs the stages and puts the explanation together.

use crate::backend::{Backend, Masks, Neighbourhood, Probabilities, Sample};
use crate::describe::{Departure, Setting};
use crate::divergence::{Divergence, ErasedDivergence};
use crate::error::{Error, Result, expect_len};
use crate::evaluate::{Evaluator, Fidelity, OutOfFold};
use crate::explanation::{Answers, Explanation, Rank, Timings, arg_max};
use crate::fit::{
    Authors, Fitted, Intercept, KernelShap, LambdaScale, Normalise, Problem, Ridge, Softmax, Starts, Surrogate,
};
use crate::groups::Groups;
use crate::perturb::{Bernoulli, Perturber, ShapleySize, UniformSize};
use crate::predict::{BlackBox, Calls};
use crate::preset::Preset;
use crate::render::{Domain, Render};
use crate::select::{All, Forward, HighestWeights, Selection, Selector};
use crate::weigh::{Exponential, Proximity, ProximityTable, ShapleyKernel, check_weights};
use std::sync::Arc;
use std::time::Instant;

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

    /// The backend.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Every setting, as reports print it.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = self.perturber.describe();
        settings.push(Setting::new("samples", self.samples));
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
        let (mut explanations, mut around) = self.run(&[instance], model)?;
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
        Ok(self.run(instances, model)?.0)
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
        let (p, _) = self.predict(instance, model, &masks, &mut timings)?;
        let merged = self.groups.merge(on, p, model.labels())?.probabilities;
        let values = on.download(merged.values())?;
        Ok(values[values.len() - merged.classes()..].iter().copied().map(f64::from).collect())
    }

    fn run<I, M, Batch>(&self, instances: &[&I], model: &M) -> Result<(Vec<Explanation>, Vec<Neighbourhood<B>>)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        if instances.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let classes = model.labels().len();
        if classes < 2 {
            return Err(Error::setting("classes", classes, "a classifier has at least 2 classes"));
        }
        let on = &self.backend;
        let mut shared = Timings::default();
        let samples = timed(&mut shared.perturb, || self.perturb(instances))?;
        samples.iter().try_for_each(|sample| self.check_sample(sample))?;
        let mut predicted = Vec::with_capacity(instances.len());
        for (instance, sample) in instances.iter().zip(&samples) {
            let mut own = Timings::default();
            let (p, calls) = self.predict(*instance, model, &sample.masks, &mut own)?;
            predicted.push((self.groups.merge(on, p, model.labels())?, calls, own));
        }
        let (mut own_weights, mut masks) = (Vec::new(), Vec::new());
        for sample in samples {
            masks.push(sample.masks);
            own_weights.push(sample.weights);
        }
        let weights = timed(&mut shared.weigh, || self.proximity.weigh(on, &masks))?;
        expect_len("weights of the batch", masks.len(), weights.len())?;
        let (mut around, mut answers) = (Vec::new(), Vec::new());
        for (((masks, (merged, calls, own)), weights), own_weights) in
            masks.into_iter().zip(predicted).zip(weights).zip(own_weights)
        {
            around.push(Neighbourhood::new(on, masks, merged.probabilities, own_weights.unwrap_or(weights))?);
            answers.push((merged.labels, calls, own));
        }
        let selections = timed(&mut shared.select, || self.selector.select(on, &around))?;
        expect_len("selections of the batch", around.len(), selections.len())?;
        let problems: Vec<Problem<'_, B>> = around.iter().zip(&selections).map(|(a, s)| Problem::new(a, s)).collect();
        let fitted = timed(&mut shared.fit, || self.surrogate.fit(on, &problems))?;
        expect_len("fits of the batch", around.len(), fitted.len())?;
        let dependence = self.perturber.dependence();
        let fidelities = timed(&mut shared.evaluate, || {
            self.evaluator.evaluate(on, &problems, &fitted, self.surrogate.as_ref(), dependence)
        })?;
        expect_len("fidelities of the batch", around.len(), fidelities.len())?;
        let many = instances.len() as f64;
        let mut explanations = Vec::with_capacity(instances.len());
        for (i, (fit, fidelity)) in fitted.into_iter().zip(fidelities).enumerate() {
            let (labels, calls, own) = answers[i].clone();
            let timings_ms = Timings {
                perturb: shared.perturb / many,
                weigh: shared.weigh / many,
                select: shared.select / many,
                fit: shared.fit / many,
                evaluate: shared.evaluate / many,
                ..own
            };
            let model_rows = on.download(around[i].probabilities.values())?;
            let instance: &I = instances[i];
            explanations.push(self.assemble(instance, labels, fit, fidelity, &model_rows, calls, timings_ms));
        }
        Ok((explanations, around))
    }

    fn perturb<I, Batch>(&self, instances: &[&I]) -> Result<Vec<Sample<B>>>
    where
        I: Render<B, Batch> + ?Sized,
    {
        let on = &self.backend;
        let mut totals = Vec::with_capacity(instances.len());
        let mut tables: Vec<ProximityTable> = Vec::new();
        let mut features = Vec::with_capacity(instances.len());
        for instance in instances {
            let d = instance.features().len();
            if d == 0 {
                return Err(Error::Instance("the instance has no features: nothing can be removed from it".into()));
            }
            features.push(d);
            totals.push(self.perturber.total(d, self.samples)?);
            tables.extend(self.proximity.table(d)?);
        }
        let tables = (tables.len() == features.len()).then_some(tables.as_slice());
        // Laws that fix their number of rows by the features are drawn instance by instance.
        if totals.iter().all(|&t| t == totals[0]) {
            let samples = self.perturber.perturb(on, &features, totals[0], 0..totals[0], self.seed, tables)?;
            expect_len("samples of the batch", features.len(), samples.len())?;
            return Ok(samples);
        }
        let mut samples = Vec::with_capacity(features.len());
        for (i, &total) in totals.iter().enumerate() {
            let table = tables.map(|t| &t[i..=i]);
            samples.extend(self.perturber.perturb(on, &features[i..=i], total, 0..total, self.seed, table)?);
        }
        Ok(samples)
    }

    /// Passes if row 0 is the instance and the sampler's own weights are weights; both may come from a user's law.
    fn check_sample(&self, sample: &Sample<B>) -> Result<()> {
        let (on, masks) = (&self.backend, &sample.masks);
        let features = masks.features();
        let first =
            if masks.rows() == 0 { Vec::new() } else { on.download(&on.gather(masks.bits(), masks.words(), &[0])?)? };
        let kept: usize = first.iter().map(|w| w.count_ones() as usize).sum();
        if kept != features || masks.rows() == 0 {
            let reason = format!("row 0 must keep all {features} features: it stands for the instance itself");
            return Err(Error::setting("masks", format!("row 0 keeps {kept}"), reason));
        }
        match &sample.weights {
            Some(weights) => {
                expect_len("the sampler's own weights", masks.rows(), on.len(weights.values()))?;
                check_weights(&on.download(weights.values())?)
            }
            None => Ok(()),
        }
    }

    /// Probabilities of every mask; each distinct input goes to the model once, `batch_size` at a time.
    fn predict<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
        masks: &Masks<B>,
        timings: &mut Timings,
    ) -> Result<(Probabilities<B>, Calls)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let on = &self.backend;
        let classes = model.labels().len();
        let distinct = timed(&mut timings.render, || instance.distinct(on, masks))?;
        let gathered;
        let inputs = match &distinct {
            Some(d) if d.first.len() < masks.rows() => {
                let bits = on.gather(masks.bits(), masks.words(), &d.first)?;
                gathered = Masks::new(on, d.first.len(), masks.features(), bits)?;
                &gathered
            }
            _ => masks,
        };
        let rows = inputs.rows();
        let mut all = on.zeros(rows * classes)?;
        let calls = Calls { masks: masks.rows(), inputs: rows };
        let most = self.batch_size.min(instance.largest_batch()).max(1);
        for start in (0..rows).step_by(most) {
            let end = rows.min(start + most);
            let batch = timed(&mut timings.render, || instance.render(on, inputs, start..end))?;
            let mut part = Probabilities::new(on, end - start, classes, on.zeros((end - start) * classes)?)?;
            timed(&mut timings.predict, || model.predict(on, &batch, &mut part)).map_err(|e| in_whole(e, start))?;
            expect_len("probabilities from the model", (end - start) * classes, on.len(part.values()))?;
            on.place(part.values(), &mut all, classes, start)?;
        }
        let p = Probabilities::new(on, rows, classes, all)?;
        on.check(&p)?;
        match &distinct {
            Some(d) if rows < masks.rows() => {
                let values = on.gather(p.values(), classes, &d.of)?;
                Ok((Probabilities::new(on, masks.rows(), classes, values)?, calls))
            }
            _ => Ok((p, calls)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one struct, each named once")]
    fn assemble<I, Batch>(
        &self,
        instance: &I,
        classes: Vec<String>,
        fit: Fitted,
        fidelity: Fidelity,
        model_rows: &[f32],
        calls: Calls,
        timings_ms: Timings,
    ) -> Explanation
    where
        I: Render<B, Batch> + ?Sized,
    {
        let c = classes.len();
        let never = (0..c).map(|k| model_rows.iter().skip(k).step_by(c).all(|&p| p < 1e-6)).collect();
        let surrogate = fit.predict(&vec![true; fit.kept.len()]);
        let (mut settings, mut departures) = (self.settings(), self.departures(instance.domain()));
        for (Setting { name, value }, usual) in instance.settings() {
            if value != usual {
                let (name, value, preset) = (name.clone(), value.clone(), usual.clone());
                departures.push(Departure { name, value, preset, paper: usual });
            }
            settings.push(Setting { name, value });
        }
        Explanation {
            version: env!("CARGO_PKG_VERSION").into(),
            backend: self.backend.name().into(),
            preset: self.preset.name().into(),
            departures,
            settings,
            seed: self.seed,
            text: instance.text().map(String::from),
            classes,
            features: instance.features().to_vec(),
            kept: fit.kept,
            support: fit.support,
            matrix: fit.matrix,
            intercept: fit.intercept,
            link: fit.link,
            probabilities: Answers { model: model_rows[..c].iter().map(|&p| f64::from(p)).collect(), surrogate },
            never,
            fidelity,
            fit: fit.report,
            uncertainty: None,
            growth: None,
            flip: None,
            rank: self.rank,
            calls,
            timings_ms,
        }
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

/// A black box counts rows from the start of its batch, a user from the first input.
fn in_whole(error: Error, start: usize) -> Error {
    match error {
        Error::NotADistribution { row, problem } => Error::NotADistribution { row: row + start, problem },
        other => other,
    }
}

/// Runs a stage and adds its wall-clock milliseconds to `slot`.
fn timed<T>(slot: &mut f64, stage: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = stage();
    *slot += start.elapsed().as_secs_f64() * 1e3;
    result
}
