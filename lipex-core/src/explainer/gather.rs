//! Perturb, weigh, render and predict: the neighbourhood of each instance, and what is known of it once the model has
//! answered.

use super::ask::{Asked, Question, labels as labels_of, total_variation};
use super::samples::Samples;
use super::{Explainer, Repeats};
use crate::backend::{Backend, Masks, Neighbourhood, Probabilities, Sample, Weights};
use crate::error::{Error, Result, expect_len};
use crate::explanation::Timings;
use crate::fit::Seen;
use crate::perturb::Dependence;
use crate::predict::{BlackBox, Calls, Observed};
use crate::render::Render;
use std::ops::Range;
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

impl Host {
    /// The neighbourhood `around` that this was read of.
    pub fn seen<B: Backend>(&self, around: &Neighbourhood<B>) -> Seen<'_> {
        Seen {
            bits: &self.bits,
            words: around.masks.words(),
            probabilities: &self.answers,
            classes: around.probabilities.classes(),
            weights: &self.weights,
            samples: around.samples(None),
        }
    }
}

/// What a sampler gave beside the masks, and the masks in the host's memory.
struct Drawn<B: Backend> {
    weights: Option<Weights<B>>,
    dependence: Dependence,
    asked: usize,
    bits: Vec<u32>,
}

impl<B: Backend> Explainer<B> {
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
                own.push(Drawn { weights, dependence, asked, bits });
            }));
        }
        let there: Vec<usize> = (0..results.len()).filter(|&i| results[i].is_ok()).collect();
        let weights = self.weigh_each(&masks, &there, timings);
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
            let (((masks, own), (weights, answers)), asked) =
                parts.next().ok_or_else(|| Error::shape("neighbourhoods of the batch", 1, 0))?;
            self.put_together(masks, own, weights?, (answers?, labels_of(model)?), asked)
        });
        around.collect()
    }

    /// The proximity's weights of each instance that has masks; its time goes to those instances, `there`.
    fn weigh_each(&self, masks: &[Masks<B>], there: &[usize], timings: &mut [Timings]) -> Vec<Result<Weights<B>>> {
        let mut spent = vec![Timings::default(); there.len()];
        let weights = together_or_alone(there.len(), |part| {
            let weigh = || self.proximity.weigh(&self.backend, &masks[part.clone()]);
            shared(&mut spent[part.clone()], |t| &mut t.weigh, weigh)
        });
        there.iter().zip(&spent).for_each(|(&i, t)| timings[i].weigh += t.weigh);
        weights
    }

    /// Puts masks and weights, of which the sampler's own come first, together with the answers.
    fn put_together(
        &self,
        masks: Masks<B>,
        own: Drawn<B>,
        weights: Weights<B>,
        (p, labels): (Probabilities<B>, &[String]),
        asked: &Asked<B>,
    ) -> Result<Gathered<B>> {
        let on = &self.backend;
        let merged = self.groups.merge(on, p, labels)?;
        let noisy = self.repeats == Repeats::AskAgain || asked.twice.is_some_and(|apart| apart > Observed::NOISE);
        // Answers that are drawn at random leave nothing exact, whatever masks there are.
        let dependence = match own.dependence {
            Dependence::Exhaustive if noisy => Dependence::Independent,
            other => other,
        };
        let complete = dependence == Dependence::Exhaustive;
        let calls = Calls { masks: masks.rows(), inputs: asked.inputs, complete, requeried: 0 };
        let around = Neighbourhood::new(on, masks, merged.probabilities, own.weights.unwrap_or(weights))?;
        let around = around.drawn(dependence).asked(own.asked);
        let answers = on.download(around.probabilities.values())?;
        let weights = on.download(around.weights.values())?;
        self.check_told(&around, &weights)?;
        let observed = Observed {
            asked_twice: asked.twice,
            moved: Some(moved(&around, &answers)),
            sums_off: asked.sums_off,
            information: None,
        };
        let host = Host { bits: own.bits, answers, weights };
        Ok(Gathered { around, about: About { labels: merged.labels, calls, observed, host } })
    }
}

/// The largest total variation between the answers to row 0 and to any row.
fn moved<B: Backend>(around: &Neighbourhood<B>, host: &[f32]) -> f64 {
    let p = &around.probabilities;
    let first = &host[..p.classes().min(host.len())];
    let rows = host.chunks_exact(p.classes().max(1));
    rows.map(|row| total_variation(first, row, p.is_independent())).fold(0.0, f64::max)
}

/// A stage of all instances at once or, where that fails, of each alone, since the mistake may be one instance's.
pub(super) fn together_or_alone<T>(
    count: usize,
    mut stage: impl FnMut(Range<usize>) -> Result<Vec<T>>,
) -> Vec<Result<T>> {
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
