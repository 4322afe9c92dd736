//! A run of the stages, from instances to explanations.

use super::ask::{Asked, Question, labels as labels_of, total_variation};
use super::samples::Samples;
use super::{Explainer, Repeats, labels};
use crate::backend::{Backend, Neighbourhood, Probabilities, Sample};
use crate::describe::{Departure, Setting};
use crate::error::{Error, Result, expect_len};
use crate::evaluate::Fidelity;
use crate::explanation::{Answers, Explanation, Timings, arg_max};
use crate::fit::{Answer, Fitted, Information, Problem, Recorded};
use crate::perturb::Dependence;
use crate::predict::{BlackBox, Calls, Observed};
use crate::preset::Preset;
use crate::removal::{Removal, removal};
use crate::render::Render;
use crate::select::Selection;
use crate::uncertainty::{ErrorBars, Estimate, Growth, Uncertainty};
use crate::watch::Stage;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// A neighbourhood with what is known of the instance beside it.
pub(super) struct Gathered<B: Backend> {
    pub around: Neighbourhood<B>,
    /// What is known of it.
    pub about: About,
}

/// What is known of an instance once the black box has answered.
pub(super) struct About {
    /// Class names after merging.
    pub labels: Vec<String>,
    pub calls: Calls,
    pub observed: Observed,
    pub host: Host,
}

/// What the host reads of a neighbourhood, brought there once.
pub(super) struct Host {
    pub bits: Vec<u32>,
    pub answers: Vec<f32>,
    pub weights: Vec<f32>,
}

/// What the stages after the black box made of one neighbourhood.
pub(super) struct Made {
    pub fit: Fitted,
    pub fidelity: Fidelity,
    pub uncertainty: Option<Uncertainty>,
    pub information: Option<Information>,
}

impl<B: Backend> Explainer<B> {
    /// Explains each instance; what goes wrong with one is its own.
    pub(super) fn run<I, M, Batch>(&self, instances: &[&I], model: &M) -> Vec<Result<(Explanation, Neighbourhood<B>)>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        if self.check().is_err() {
            return instances.iter().filter_map(|_| self.check().err().map(Err)).collect();
        }
        if let Some(adaptive) = &self.adaptive {
            return instances.iter().map(|instance| self.grow(*instance, model, adaptive)).collect();
        }
        let mut asked: Vec<Asked<B>> = instances.iter().map(|_| Asked::default()).collect();
        let mut timings = vec![Timings::default(); instances.len()];
        let gathered = self.gather(instances, (self.samples, true), model, &mut asked, &mut timings);
        let mut results: Vec<Result<(Explanation, Neighbourhood<B>)>> = Vec::with_capacity(instances.len());
        let (mut there, mut around, mut about, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (i, gathered) in gathered.into_iter().enumerate() {
            // The place of one that is still to be made is taken below.
            results.push(Err(match gathered {
                Ok(gathered) => {
                    there.push(i);
                    around.push(gathered.around);
                    about.push(gathered.about);
                    times.push(timings[i]);
                    Error::shape("explanations", 1, 0)
                }
                Err(error) => error,
            }));
        }
        let instances: Vec<&I> = there.iter().map(|&i| instances[i]).collect();
        let explained = together_or_alone(there.len(), |part| {
            let (times, about) = (&mut times[part.clone()], &about[part.clone()]);
            self.conclude(&instances[part.clone()], &around[part], about, Vec::new(), times)
        });
        for ((i, explanation), around) in there.into_iter().zip(explained).zip(around) {
            results[i] = explanation.map(|explanation| (explanation, around));
        }
        results
    }

    /// Perturb, weigh, render and predict: the neighbourhoods of a run for which `samples` masks were asked for, with the
    /// instance asked twice or not.
    pub(super) fn gather<I, M, Batch>(
        &self,
        instances: &[&I],
        (samples, twice): (Samples, bool),
        model: &M,
        asked: &mut [Asked<B>],
        timings: &mut [Timings],
    ) -> Vec<Result<Gathered<B>>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let drawn = together_or_alone(instances.len(), |part| {
            shared(&mut timings[part.clone()], |t| &mut t.perturb, || self.perturb(&instances[part], samples))
        });
        let drawn = drawn.into_iter().map(|sample| sample.and_then(|sample| self.check_sample(sample)));
        let (mut results, mut masks, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for sample in drawn {
            results.push(sample.map(|(Sample { masks: of_one, weights, dependence, asked }, bits)| {
                masks.push(of_one);
                own.push((weights, dependence, asked, bits));
            }));
        }
        let there: Vec<usize> = (0..results.len()).filter(|&i| results[i].is_ok()).collect();
        let mut spent = vec![Timings::default(); there.len()];
        let weights = together_or_alone(there.len(), |part| {
            let weigh = || self.proximity.weigh(&self.backend, &masks[part.clone()]);
            shared(&mut spent[part.clone()], |t| &mut t.weigh, weigh)
        });
        there.iter().zip(&spent).for_each(|(&i, t)| timings[i].weigh += t.weigh);
        let asking = asked.iter_mut().zip(timings).enumerate().filter(|(i, _)| results[*i].is_ok());
        let mut questions: Vec<Question<'_, B, I>> = (masks.iter().zip(asking))
            .map(|(masks, (i, (asked, times)))| Question::new(instances[i], masks, asked, times))
            .collect();
        let Ok(answers) = self.ask(model, &mut questions, twice) else {
            // Nothing else stops every question at once.
            return instances.iter().map(|_| Err(Error::Interrupted)).collect();
        };
        let parts = masks.into_iter().zip(own).zip(weights.into_iter().zip(answers));
        let mut parts = parts.zip(there.into_iter().map(|i| &asked[i]));
        let around = results.into_iter().map(|result| {
            result?;
            let missing = || Error::shape("neighbourhoods of the batch", 1, 0);
            let (((masks, (own, dependence, of, bits)), (weights, answers)), told) =
                parts.next().ok_or_else(missing)?;
            let sample = Sample { masks, weights: Some(own.unwrap_or(weights?)), dependence, asked: of };
            self.put_together((sample, bits), answers?, labels_of(model)?, told)
        });
        around.collect()
    }

    /// Puts a weighted sample together with the answers.
    fn put_together(
        &self,
        (sample, bits): (Sample<B>, Vec<u32>),
        p: Probabilities<B>,
        labels: &[String],
        asked: &Asked<B>,
    ) -> Result<Gathered<B>> {
        let on = &self.backend;
        let merged = self.groups.merge(on, p, labels)?;
        let weights = sample.weights.ok_or_else(|| Error::shape("weights of the batch", 1, 0))?;
        let noisy = self.repeats == Repeats::AskAgain || asked.twice.is_some_and(|apart| apart > Observed::NOISE);
        // Answers that are drawn at random leave nothing exact, whatever masks there are.
        let dependence = match sample.dependence {
            Dependence::Exhaustive if noisy => Dependence::Independent,
            other => other,
        };
        let complete = dependence == Dependence::Exhaustive;
        let calls = Calls { masks: sample.masks.rows(), inputs: asked.inputs, complete };
        let around = Neighbourhood::new(on, sample.masks, merged.probabilities, weights)?;
        let around = around.drawn(dependence).asked(sample.asked);
        let answers = on.download(around.probabilities.values())?;
        let weights = on.download(around.weights.values())?;
        self.check_told(&around, &weights)?;
        let observed = Observed {
            asked_twice: asked.twice,
            moved: Some(moved(&around, &answers)),
            sums_off: asked.sums_off,
            information: None,
        };
        Ok(Gathered {
            around,
            about: About { labels: merged.labels, calls, observed, host: Host { bits, answers, weights } },
        })
    }

    /// Select, fit, evaluate and error bars; `grown` has the courses of growing runs, or nothing.
    pub(super) fn conclude<I, Batch>(
        &self,
        instances: &[&I],
        around: &[Neighbourhood<B>],
        about: &[About],
        grown: Vec<Growth>,
        timings: &mut [Timings],
    ) -> Result<Vec<Explanation>>
    where
        I: Render<B, Batch> + ?Sized,
    {
        if instances.is_empty() {
            return Ok(Vec::new());
        }
        let on = &self.backend;
        let independent = |i: usize| around[i].probabilities.is_independent();
        let made = match around {
            [labels] if independent(0) => vec![self.make_labels(labels, &about[0], timings)?],
            around if (0..around.len()).any(independent) => {
                let mut explanations = Vec::with_capacity(instances.len());
                for i in 0..instances.len() {
                    let of = i..i + 1;
                    let (around, about) = (&around[of.clone()], &about[of.clone()]);
                    let timings = &mut timings[of.clone()];
                    explanations.extend(self.conclude(&instances[of], around, about, Vec::new(), timings)?);
                }
                return Ok(explanations);
            }
            around => self.make(around, &about.iter().collect::<Vec<_>>(), self.error_bars, timings)?,
        };
        let mut grown = grown.into_iter();
        let mut explanations = Vec::with_capacity(instances.len());
        for (i, mut made) in made.into_iter().enumerate() {
            made.fit = record(on, &around[i], made.fit)?;
            let mut explanation = self.assemble(instances[i], &about[i], made, &about[i].host.answers)?;
            explanation.growth = grown.next();
            explanation.timings_ms = timings[i];
            explanations.push(explanation);
        }
        Ok(explanations)
    }

    /// Select, fit, evaluate and error bars of every neighbourhood.
    fn make(
        &self,
        around: &[Neighbourhood<B>],
        about: &[&About],
        bars: Option<ErrorBars>,
        timings: &mut [Timings],
    ) -> Result<Vec<Made>> {
        let on = &self.backend;
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
        let fidelities = shared(
            timings,
            |t| &mut t.evaluate,
            || self.evaluator.evaluate(on, &problems, &fitted, self.surrogate.as_ref()),
        )?;
        expect_len("fidelities of the batch", around.len(), fidelities.len())?;
        watch.finish();
        if bars.is_some() {
            step(Stage::Uncertainty)?;
        }
        let mut all = Vec::with_capacity(around.len());
        for (i, (fit, fidelity)) in fitted.into_iter().zip(fidelities).enumerate() {
            let observed = &about[i].observed;
            // Where nothing moves the model there is nothing to be sure of.
            let bars = bars.filter(|_| !observed.is_constant());
            let place = i.min(timings.len() - 1);
            let uncertainty = timed(&mut timings[place].uncertainty, || {
                let estimate = self.estimate(&around[i], &selections[i], &fit);
                bars.map(|bars| self.with_noise(estimate.uncertainty(&bars)?, observed)).transpose()
            })?;
            let Host { bits, weights, .. } = &about[i].host;
            let (free, host) = (self.surrogate.fits_intercept(), (bits.as_slice(), weights.as_slice()));
            let information = Information::of(&problems[i], &fit, free, host);
            watch.advance(1);
            all.push(Made { fit, fidelity, uncertainty, information });
        }
        if bars.is_some() {
            watch.finish();
        }
        Ok(all)
    }

    /// The same for independent labels: each against the rest, read together.
    fn make_labels(&self, around: &Neighbourhood<B>, about: &About, timings: &mut [Timings]) -> Result<Made> {
        let (on, count) = (&self.backend, around.probabilities.classes());
        let of_each = (0..count).map(|label| labels::of(on, around, label)).collect::<Result<Vec<_>>>()?;
        let bars = self.error_bars.map(|bars| labels::bars(&bars, count)).transpose()?;
        let made = self.make(&of_each, &vec![about; count], bars, timings)?;
        let whole = on.download(around.probabilities.gather(on, &[0])?.values())?;
        let whole: Vec<f64> = whole.into_iter().map(f64::from).collect();
        let level = self.error_bars.map_or(0.0, |bars| bars.level_in_use());
        labels::together(made, &whole, level, around.rows())
    }

    /// Says of error bars what they leave out of a model that answers the same input differently.
    fn with_noise(&self, mut bars: Uncertainty, observed: &Observed) -> Result<Uncertainty> {
        if let (Some(noise), Repeats::Share) = (observed.noise(), self.repeats) {
            let told = format!("The model's own noise: asked twice for the same input, it answered {noise:.3} apart.");
            bars.not_covered.insert(0, told);
        }
        Ok(bars)
    }

    /// A fit with the parts that made it, of which error bars can be had.
    pub(super) fn estimate<'a>(
        &'a self,
        around: &'a Neighbourhood<B>,
        selection: &'a Selection,
        fitted: &'a Fitted,
    ) -> Estimate<'a, B> {
        Estimate {
            on: &self.backend,
            around,
            selection,
            fitted,
            surrogate: self.surrogate.as_ref(),
            selector: Some(self.selector.as_ref()),
            rank: self.rank,
            seed: self.seed,
        }
    }

    fn assemble<I, Batch>(&self, instance: &I, about: &About, made: Made, model_rows: &[f32]) -> Result<Explanation>
    where
        I: Render<B, Batch> + ?Sized,
    {
        let Made { fit, fidelity, uncertainty, information } = made;
        let classes = about.labels.clone();
        let c = classes.len();
        let never = (0..c).map(|k| model_rows.iter().skip(k).step_by(c).all(|&p| p < 1e-6)).collect();
        let surrogate = fit.predict(&vec![true; fit.kept().len()])?;
        let (mut settings, mut departures) = (self.settings(), self.departures(instance.domain()));
        for (Setting { name, value }, usual) in instance.settings() {
            let of = |preset: Preset| match preset.value(&name, instance.domain()) {
                "" => usual.clone(),
                own => own.to_string(),
            };
            let (preset, paper) = (of(self.preset), of(Preset::Paper));
            if value != preset || value != paper {
                departures.push(Departure { name: name.clone(), value: value.clone(), preset, paper });
            }
            settings.push(Setting { name, value });
        }
        let probabilities = Answers { model: model_rows[..c].iter().map(|&p| f64::from(p)).collect(), surrogate };
        let removal = removal(&fit.answer, arg_max(&probabilities.model), Removal::SHOWN)?;
        Ok(Explanation {
            version: env!("CARGO_PKG_VERSION").into(),
            backend: self.backend.name().into(),
            preset: self.preset.name().into(),
            departures,
            settings,
            seed: self.seed,
            text: instance.text().map(String::from),
            classes,
            features: instance.features().to_vec(),
            answer: Some(fit.answer),
            probabilities,
            never,
            fidelity: Some(fidelity),
            fit: Some(fit.report),
            uncertainty,
            growth: None,
            flip: None,
            removal: Some(removal),
            rank: self.rank,
            calls: about.calls,
            observed: Observed { information, ..about.observed },
            timings_ms: Timings::default(),
        })
    }
}

/// The fit as an explanation keeps it: an answer of a user's own with what it says to the masks of the run.
fn record<B: Backend>(on: &B, around: &Neighbourhood<B>, mut fit: Fitted) -> Result<Fitted> {
    if let Answer::Own(own) = &fit.answer {
        let (bits, words) = (on.download(around.masks.bits())?, around.masks.words());
        let keeps = |row: &[u32]| own.kept().iter().map(|&j| row[j / 32] >> (j % 32) & 1 == 1).collect();
        if let Some(&j) = own.kept().iter().find(|&&j| j >= around.masks.features()) {
            return Err(Error::shape("kept features (below the number of features)", around.masks.features(), j));
        }
        let recorded = Recorded::ask(own.clone(), bits.chunks_exact(words).map(keeps))?;
        fit.answer = Arc::new(recorded).into();
    }
    Ok(fit)
}

/// The largest total variation between the answers to row 0 and to any row.
fn moved<B: Backend>(around: &Neighbourhood<B>, host: &[f32]) -> f64 {
    let p = &around.probabilities;
    let first = &host[..p.classes().min(host.len())];
    let rows = host.chunks_exact(p.classes().max(1));
    rows.map(|row| total_variation(first, row, p.is_independent())).fold(0.0, f64::max)
}

/// A stage of all instances at once or, where that fails, of each alone, since the mistake may be one instance's.
fn together_or_alone<T>(count: usize, mut stage: impl FnMut(Range<usize>) -> Result<Vec<T>>) -> Vec<Result<T>> {
    if count == 0 {
        return Vec::new();
    }
    let right = |all: Vec<T>, count| expect_len("results of the batch", count, all.len()).map(|()| all);
    match stage(0..count).and_then(|all| right(all, count)) {
        Ok(all) => all.into_iter().map(Ok).collect(),
        Err(Error::Interrupted) => (0..count).map(|_| Err(Error::Interrupted)).collect(),
        Err(error) if count == 1 => vec![Err(error)],
        Err(_) => (0..count).map(|i| one(stage(i..i + 1)?)).collect(),
    }
}

/// The only one.
pub(super) fn one<T>(mut all: Vec<T>) -> Result<T> {
    expect_len("results of the batch", 1, all.len())?;
    all.pop().ok_or_else(|| Error::shape("results of the batch", 1, 0))
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
