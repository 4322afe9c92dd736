//! A run of the stages, from instances to explanations.

use super::Explainer;
use crate::backend::{Backend, Masks, Neighbourhood, Probabilities, Sample};
use crate::describe::{Departure, Setting};
use crate::error::{Error, Result, expect_len};
use crate::evaluate::Fidelity;
use crate::explanation::{Answers, Explanation, Timings};
use crate::fit::{Fitted, Problem};
use crate::perturb::Dependence;
use crate::predict::{BlackBox, Calls};
use crate::render::Render;
use crate::select::Selection;
use crate::uncertainty::{Estimate, Growth, Uncertainty};
use crate::watch::Stage;
use crate::weigh::{ProximityTable, check_weights};
use std::time::Instant;

/// The black box's answers so far to the distinct inputs of one instance.
pub(super) struct Asked<B: Backend> {
    answers: Option<Probabilities<B>>,
}

impl<B: Backend> Default for Asked<B> {
    fn default() -> Self {
        Asked { answers: None }
    }
}

impl<B: Backend> Asked<B> {
    /// Distinct inputs that the black box has seen.
    pub fn inputs(&self) -> usize {
        self.answers.as_ref().map_or(0, Probabilities::rows)
    }
}

/// Neighbourhoods with what is known of each instance beside them.
pub(super) struct Gathered<B: Backend> {
    pub around: Vec<Neighbourhood<B>>,
    /// Class names after merging, a list an instance.
    pub labels: Vec<Vec<String>>,
    pub calls: Vec<Calls>,
}

/// What the stages after the black box made of one instance.
struct Made {
    fit: Fitted,
    fidelity: Fidelity,
    uncertainty: Option<Uncertainty>,
    growth: Option<Growth>,
}

impl<B: Backend> Explainer<B> {
    pub(super) fn run<I, M, Batch>(
        &self,
        instances: &[&I],
        model: &M,
    ) -> Result<(Vec<Explanation>, Vec<Neighbourhood<B>>)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        self.check()?;
        if instances.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        if let Some(adaptive) = &self.adaptive {
            let grown = instances.iter().map(|instance| self.grow(*instance, model, adaptive));
            return Ok(grown.collect::<Result<Vec<_>>>()?.into_iter().unzip());
        }
        let mut timings = vec![Timings::default(); instances.len()];
        let mut asked: Vec<Asked<B>> = instances.iter().map(|_| Asked::default()).collect();
        let gathered = self.gather(instances, self.samples, model, &mut asked, &mut timings)?;
        let explanations = self.conclude(instances, &gathered, Vec::new(), &mut timings)?;
        Ok((explanations, gathered.around))
    }

    /// Perturb, render, predict and weigh: the neighbourhoods of a run for which `samples` masks were asked for.
    pub(super) fn gather<I, M, Batch>(
        &self,
        instances: &[&I],
        samples: usize,
        model: &M,
        asked: &mut [Asked<B>],
        timings: &mut [Timings],
    ) -> Result<Gathered<B>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let classes = model.labels().len();
        if classes < 2 {
            return Err(Error::setting("classes", classes, "a classifier has at least 2 classes"));
        }
        let on = &self.backend;
        let drawn = shared(timings, |t| &mut t.perturb, || self.perturb(instances, samples))?;
        drawn.iter().try_for_each(|sample| self.check_sample(sample))?;
        let (mut predicted, mut masks, mut own_weights) = (Vec::new(), Vec::new(), Vec::new());
        let (mut labels, mut calls) = (Vec::new(), Vec::new());
        for ((sample, instance), (asked, times)) in
            drawn.into_iter().zip(instances).zip(asked.iter_mut().zip(timings.iter_mut()))
        {
            let p = self.predict(*instance, model, &sample.masks, asked, times)?;
            let merged = self.groups.merge(on, p, model.labels())?;
            predicted.push(merged.probabilities);
            labels.push(merged.labels);
            calls.push(Calls { masks: sample.masks.rows(), inputs: asked.inputs() });
            masks.push(sample.masks);
            own_weights.push(sample.weights);
        }
        let weights = shared(timings, |t| &mut t.weigh, || self.proximity.weigh(on, &masks))?;
        expect_len("weights of the batch", masks.len(), weights.len())?;
        let mut around = Vec::with_capacity(masks.len());
        for (((masks, p), weights), own) in masks.into_iter().zip(predicted).zip(weights).zip(own_weights) {
            around.push(Neighbourhood::new(on, masks, p, own.unwrap_or(weights))?);
        }
        Ok(Gathered { around, labels, calls })
    }

    /// Select, fit, evaluate and error bars; `grown` has the courses of growing runs, or nothing.
    pub(super) fn conclude<I, Batch>(
        &self,
        instances: &[&I],
        gathered: &Gathered<B>,
        grown: Vec<Growth>,
        timings: &mut [Timings],
    ) -> Result<Vec<Explanation>>
    where
        I: Render<B, Batch> + ?Sized,
    {
        let (on, around) = (&self.backend, &gathered.around);
        let watch = on.watch();
        let step = |stage| {
            watch.begin(stage, around.len());
            watch.check()
        };
        step(Stage::Select)?;
        let selections = shared(timings, |t| &mut t.select, || self.selector.select(on, around))?;
        expect_len("selections of the batch", around.len(), selections.len())?;
        watch.finish();
        step(Stage::Fit)?;
        let problems: Vec<Problem<'_, B>> = around.iter().zip(&selections).map(|(a, s)| Problem::new(a, s)).collect();
        let fitted = shared(timings, |t| &mut t.fit, || self.surrogate.fit(on, &problems))?;
        expect_len("fits of the batch", around.len(), fitted.len())?;
        watch.finish();
        step(Stage::Evaluate)?;
        let dependence = self.perturber.dependence();
        let fidelities = shared(
            timings,
            |t| &mut t.evaluate,
            || self.evaluator.evaluate(on, &problems, &fitted, self.surrogate.as_ref(), dependence),
        )?;
        expect_len("fidelities of the batch", around.len(), fidelities.len())?;
        watch.finish();
        if self.error_bars.is_some() {
            step(Stage::Uncertainty)?;
        }
        let mut grown = grown.into_iter();
        let mut explanations = Vec::with_capacity(instances.len());
        for (i, (fit, fidelity)) in fitted.into_iter().zip(fidelities).enumerate() {
            let uncertainty = timed(&mut timings[i].uncertainty, || {
                let bars =
                    self.error_bars.map(|bars| self.estimate(&around[i], &selections[i], &fit).uncertainty(&bars));
                bars.transpose()
            })?;
            watch.advance(1);
            let made = Made { fit, fidelity, uncertainty, growth: grown.next() };
            let rows = on.download(around[i].probabilities.values())?;
            let instance: &I = instances[i];
            let mut explanation = self.assemble(instance, gathered.labels[i].clone(), made, &rows);
            explanation.calls = gathered.calls[i];
            explanation.timings_ms = timings[i];
            explanations.push(explanation);
        }
        if self.error_bars.is_some() {
            watch.finish();
        }
        Ok(explanations)
    }

    /// A fit with the parts that made it, of which error bars can be had.
    pub(super) fn estimate<'a>(
        &'a self,
        around: &'a Neighbourhood<B>,
        selection: &'a Selection,
        fitted: &'a Fitted,
    ) -> Estimate<'a, B> {
        let complete = self.perturber.is_complete(around.masks.features(), around.masks.rows());
        Estimate {
            on: &self.backend,
            around,
            selection,
            fitted,
            surrogate: self.surrogate.as_ref(),
            selector: Some(self.selector.as_ref()),
            dependence: if complete { Dependence::Exhaustive } else { self.perturber.dependence() },
            rank: self.rank,
            seed: self.seed,
        }
    }

    fn perturb<I, Batch>(&self, instances: &[&I], samples: usize) -> Result<Vec<Sample<B>>>
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
            totals.push(self.perturber.total(d, samples)?);
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

    /// Probabilities of every mask. Each distinct input goes to the model once, `batch_size` at a time; those of an earlier,
    /// shorter run of the same masks were `asked` before, and are not again.
    pub(super) fn predict<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
        masks: &Masks<B>,
        asked: &mut Asked<B>,
        timings: &mut Timings,
    ) -> Result<Probabilities<B>>
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
        // Distinct inputs are numbered as they appear, so a longer run begins with those of a shorter one.
        let known = asked.inputs().min(rows);
        if let Some(answers) = &asked.answers {
            on.place(answers.values(), &mut all, classes, 0)?;
        }
        let most = self.batch_size.min(instance.largest_batch()).max(1);
        let watch = on.watch();
        watch.begin(Stage::Predict, rows - known);
        for start in (known..rows).step_by(most) {
            let end = rows.min(start + most);
            watch.check()?;
            let batch = timed(&mut timings.render, || instance.render(on, inputs, start..end))?;
            let mut part = Probabilities::new(on, end - start, classes, on.zeros((end - start) * classes)?)?;
            timed(&mut timings.predict, || model.predict(on, &batch, &mut part)).map_err(|e| in_whole(e, start))?;
            expect_len("probabilities from the model", (end - start) * classes, on.len(part.values()))?;
            on.place(part.values(), &mut all, classes, start)?;
            watch.advance(end - start);
        }
        let p = Probabilities::new(on, rows, classes, all)?;
        on.check(&p)?;
        let of: Vec<u32> = match distinct {
            Some(d) => d.of,
            None => (0..rows as u32).collect(),
        };
        let values = on.gather(p.values(), classes, &of)?;
        asked.answers = Some(p);
        Probabilities::new(on, masks.rows(), classes, values)
    }

    fn assemble<I, Batch>(&self, instance: &I, classes: Vec<String>, made: Made, model_rows: &[f32]) -> Explanation
    where
        I: Render<B, Batch> + ?Sized,
    {
        let Made { fit, fidelity, uncertainty, growth } = made;
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
            uncertainty,
            growth,
            flip: None,
            rank: self.rank,
            calls: Calls::default(),
            timings_ms: Timings::default(),
        }
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
pub(super) fn timed<T>(slot: &mut f64, stage: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = stage();
    *slot += start.elapsed().as_secs_f64() * 1e3;
    result
}

/// The same for a stage that serves every instance at once: each is charged an equal share.
pub(super) fn shared<T>(
    timings: &mut [Timings],
    slot: impl Fn(&mut Timings) -> &mut f64,
    stage: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let mut spent = 0.0;
    let result = timed(&mut spent, stage);
    let each = spent / timings.len() as f64;
    timings.iter_mut().for_each(|t| *slot(t) += each);
    result
}
