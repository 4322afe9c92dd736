//! A run of the stages, from instances to explanations: gather.rs perturbs, weighs and asks the model; here follow select,
//! fit, evaluate and error bars; assemble.rs puts explanations together.

use super::again::Again;
use super::ask::Asked;
use super::gather::{About, Gathered, Host, one, shared, timed, together_or_alone};
use super::{Explainer, Repeats, labels};
use crate::backend::{Backend, Neighbourhood};
use crate::error::{Error, Result, expect_len};
use crate::evaluate::Fidelity;
use crate::explanation::{Explanation, Timings};
use crate::fit::{Fitted, Information, Problem, Requery};
use crate::predict::{BlackBox, Observed};
use crate::render::Render;
use crate::select::Selection;
use crate::uncertainty::{ErrorBars, Estimate, Growth, Uncertainty};
use crate::watch::Stage;

/// What the stages after the black box made of one neighbourhood.
pub(super) struct Made {
    pub fit: Fitted,
    pub fidelity: Fidelity,
    pub uncertainty: Option<Uncertainty>,
    pub information: Option<Information>,
}

/// An explanation with the neighbourhood that it was made from.
type Explained<B> = (Explanation, Neighbourhood<B>);

impl<B: Backend> Explainer<B> {
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
        one(self.started().run(&[instance], model))?
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
        self.explain_each(instances, model).into_iter().collect()
    }

    /// Explains many instances, each for itself: an error is that of its instance alone, and the others are explained all the
    /// same. Each explanation equals that of [`explain`](Explainer::explain), timings aside.
    ///
    /// Inputs of several instances share batches where the black box says that this changes no answer
    /// ([`Batching::Free`](crate::Batching::Free)); else a batch holds inputs of one instance, as if it were explained alone.
    ///
    /// # Errors
    /// For each instance those of [`explain`](Explainer::explain). A run that is
    /// [interrupted](Explainer::interrupt) ends every instance that is not done.
    pub fn explain_each<I, M, Batch>(&self, instances: &[&I], model: &M) -> Vec<Result<Explanation>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let explained = self.started().run(instances, model);
        explained.into_iter().map(|result| result.map(|(explanation, _)| explanation)).collect()
    }

    /// Explains each instance; what goes wrong with one is its own.
    fn run<I, M, Batch>(&self, instances: &[&I], model: &M) -> Vec<Result<Explained<B>>>
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
        self.conclude_each(instances, model, gathered, &timings)
    }

    /// The stages after the black box for each instance that has a neighbourhood; the others keep their error.
    fn conclude_each<I, M, Batch>(
        &self,
        instances: &[&I],
        model: &M,
        gathered: Vec<Result<Gathered<B>>>,
        timings: &[Timings],
    ) -> Vec<Result<Explained<B>>>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let (mut around, mut about, mut times, mut there) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut results: Vec<Result<()>> = Vec::with_capacity(gathered.len());
        for ((gathered, instance), timings) in gathered.into_iter().zip(instances).zip(timings) {
            results.push(gathered.map(|gathered| {
                around.push(gathered.around);
                about.push(gathered.about);
                times.push(*timings);
                there.push(*instance);
            }));
        }
        let again = |i: usize| Again::new(self, there[i], model, &about[i].labels);
        let again: Vec<Again<'_, B, I, M, Batch>> = (0..there.len()).map(again).collect();
        let requery: Vec<&dyn Requery> = again.iter().map(|again| again as &dyn Requery).collect();
        let explained = together_or_alone(there.len(), |part| {
            let (times, about) = (&mut times[part.clone()], &about[part.clone()]);
            self.conclude(&there[part.clone()], (&around[part.clone()], &requery[part]), about, Vec::new(), times)
        });
        let requeried: Vec<usize> = again.iter().map(Again::inputs).collect();
        let mut explained = explained.into_iter().zip(requeried).zip(around);
        let explained = results.into_iter().map(|gathered| {
            gathered?;
            let ((explanation, requeried), around) =
                explained.next().ok_or_else(|| Error::shape("explanations", 1, 0))?;
            let mut explanation = explanation?;
            explanation.calls.requeried = requeried;
            Ok((explanation, around))
        });
        explained.collect()
    }

    /// Select, fit, evaluate and error bars; `again` asks the black box around each instance, `grown` has the courses of growing
    /// runs, or nothing.
    pub(super) fn conclude<I, Batch>(
        &self,
        instances: &[&I],
        (around, again): (&[Neighbourhood<B>], &[&dyn Requery]),
        about: &[About],
        grown: Vec<Growth>,
        timings: &mut [Timings],
    ) -> Result<Vec<Explanation>>
    where
        I: Render<B, Batch> + ?Sized,
    {
        // Each label on its own, unless the surrogate takes a row of them.
        let apart = !self.surrogate.takes_labels();
        let independent = |around: &Neighbourhood<B>| apart && around.probabilities.is_independent();
        let made = match around {
            [] => return Ok(Vec::new()),
            [labels] if independent(labels) => vec![self.make_labels(labels, &about[0], timings)?],
            around if around.iter().any(independent) => {
                let each = (0..instances.len()).map(|i| {
                    let of = i..i + 1;
                    let (part, about) = ((&around[of.clone()], &again[of.clone()]), &about[of.clone()]);
                    one(self.conclude(&instances[of.clone()], part, about, Vec::new(), &mut timings[of])?)
                });
                return each.collect();
            }
            around => {
                let about: Vec<&About> = about.iter().collect();
                self.make((around, Some(again)), &about, self.error_bars, timings)?
            }
        };
        let mut grown = grown.into_iter();
        let explanations = made.into_iter().enumerate().map(|(i, made)| {
            let explanation = self.assemble(instances[i], (&around[i], &about[i]), made)?;
            Ok(Explanation { growth: grown.next(), timings_ms: timings[i], ..explanation })
        });
        explanations.collect()
    }

    /// Select, fit, evaluate and error bars of every neighbourhood.
    fn make(
        &self,
        (around, again): (&[Neighbourhood<B>], Option<&[&dyn Requery]>),
        about: &[&About],
        bars: Option<ErrorBars>,
        timings: &mut [Timings],
    ) -> Result<Vec<Made>> {
        let (on, count) = (&self.backend, around.len());
        self.begin(Stage::Select, count)?;
        let selections = shared(timings, |t| &mut t.select, || self.selector.select(on, around))?;
        expect_len("selections of the batch", count, selections.len())?;
        on.watch().finish();
        self.begin(Stage::Fit, count)?;
        let again = again.filter(|_| self.surrogate.requeries());
        let problem = |i: usize| Problem {
            requery: again.and_then(|again| again.get(i)).copied(),
            ..Problem::new(&around[i], &selections[i])
        };
        let problems: Vec<Problem<'_, B>> = (0..count).map(problem).collect();
        let fitted = shared(timings, |t| &mut t.fit, || self.surrogate.fit(on, &problems))?;
        expect_len("fits of the batch", count, fitted.len())?;
        on.watch().finish();
        self.begin(Stage::Evaluate, count)?;
        let evaluate = || self.evaluator.evaluate(on, &problems, &fitted, self.surrogate.as_ref());
        let fidelities = shared(timings, |t| &mut t.evaluate, evaluate)?;
        expect_len("fidelities of the batch", count, fidelities.len())?;
        on.watch().finish();
        if bars.is_some() {
            self.begin(Stage::Uncertainty, count)?;
        }
        let mut all = Vec::with_capacity(count);
        for (i, (fit, fidelity)) in fitted.into_iter().zip(fidelities).enumerate() {
            let slot = &mut timings[i.min(timings.len() - 1)].uncertainty;
            let uncertainty = timed(slot, || self.bars(&problems[i], &fit, bars, &about[i].observed))?;
            let Host { bits, weights, .. } = &about[i].host;
            let (free, host) = (self.surrogate.fits_intercept(), (bits.as_slice(), weights.as_slice()));
            let left = self.surrogate.left_by_penalty(&about[i].host.seen(&around[i]), &fit);
            let information =
                Information::of(&problems[i], &fit, free, host).map(|found| Information { left, ..found });
            all.push(Made { fit, fidelity, uncertainty, information });
            on.watch().advance(1);
        }
        if bars.is_some() {
            on.watch().finish();
        }
        Ok(all)
    }

    /// Announces a stage of so many pieces; fails if the run is to stop.
    fn begin(&self, stage: Stage, pieces: usize) -> Result<()> {
        self.backend.watch().begin(stage, pieces);
        self.backend.watch().check()
    }

    /// The error bars of one fit, if `bars` are asked for and the model answers to anything at all.
    fn bars(
        &self,
        problem: &Problem<'_, B>,
        fit: &Fitted,
        bars: Option<ErrorBars>,
        observed: &Observed,
    ) -> Result<Option<Uncertainty>> {
        // Where nothing moves the model there is nothing to be sure of.
        let Some(bars) = bars.filter(|_| !observed.is_constant()) else { return Ok(None) };
        let estimate = self.estimate(problem.around, problem.selection, fit);
        Ok(Some(self.with_noise(estimate.uncertainty(&bars)?, observed)))
    }

    /// The same for independent labels: each against the rest, read together.
    fn make_labels(&self, around: &Neighbourhood<B>, about: &About, timings: &mut [Timings]) -> Result<Made> {
        let (on, count) = (&self.backend, around.probabilities.classes());
        let of_each = (0..count).map(|label| labels::of(on, around, label)).collect::<Result<Vec<_>>>()?;
        let bars = self.error_bars.map(|bars| labels::bars(&bars, count)).transpose()?;
        let made = self.make((&of_each, None), &vec![about; count], bars, timings)?;
        let whole = on.download(around.probabilities.gather(on, &[0])?.values())?;
        let whole: Vec<f64> = whole.into_iter().map(f64::from).collect();
        let level = self.error_bars.map_or(0.0, |bars| bars.level_in_use());
        labels::together(made, &whole, level, around.rows())
    }

    /// Says of error bars what they leave out of a model that answers the same input differently.
    fn with_noise(&self, mut bars: Uncertainty, observed: &Observed) -> Uncertainty {
        if let (Some(noise), Repeats::Share) = (observed.noise(), self.repeats) {
            let told = format!("The model's own noise: asked twice for the same input, it answered {noise:.3} apart.");
            bars.not_covered.insert(0, told);
        }
        bars
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
}
