//! A run that adds masks until its answer is steady.

use super::again::Again;
use super::ask::Asked;
use super::gather::{About, Gathered, one, shared, timed};
use super::samples::Samples;
use super::{Explainer, labels};
use crate::backend::{Backend, Neighbourhood};
use crate::error::{Error, Result, expect_len};
use crate::explanation::{Explanation, Timings, arg_max};
use crate::fit::{Problem, Requery};
use crate::predict::{BlackBox, Calls};
use crate::render::Render;
use crate::uncertainty::{Adaptive, Growth, Look, Verdict};

impl<B: Backend> Explainer<B> {
    /// Explains one instance with as many masks as `adaptive` finds enough.
    pub(super) fn grow<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
        adaptive: &Adaptive,
    ) -> Result<(Explanation, Neighbourhood<B>)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        self.check_grows(adaptive)?;
        let mut timings = [Timings::default()];
        let mut asked = [Asked::default()];
        let mut looks: Vec<Look> = Vec::new();
        let counts = adaptive.looks();
        for &masks in &counts {
            let gathered =
                one(self.gather(&[instance], (Samples::Fixed(masks), false), model, &mut asked, &mut timings))??;
            let class = self.predicted(&gathered)?;
            let constant = gathered.about.observed.is_constant();
            let (verdict, half_width) = match constant {
                true => (Verdict::default(), 0.0),
                false => self.look(&gathered, adaptive, class, &mut timings)?,
            };
            let Calls { masks: made, complete, .. } = gathered.about.calls;
            looks.push(Look { masks: made, inputs: asked[0].inputs, half_width, met: verdict.met });
            if verdict.met || constant || complete || looks.len() == counts.len() {
                let growth = growth(adaptive, &gathered.about, class, looks, verdict);
                let [asked] = &asked;
                return self.settle(instance, model, (gathered, asked), growth, timings);
            }
        }
        Err(Error::shape("looks (at least)", 1, 0))
    }

    /// Passes if the sampler can add masks to those that it drew.
    fn check_grows(&self, adaptive: &Adaptive) -> Result<()> {
        if self.perturber.grows() {
            return Ok(());
        }
        let sampler = self.perturber.describe().into_iter().next().map_or_else(String::new, |s| s.value);
        let reason = format!(
            "the sampler {sampler} cannot be extended; choose uniform-size, antithetic, bernoulli or weight-proportional"
        );
        Err(Error::setting("adaptive", adaptive.rule_in_use(), reason))
    }

    /// The end of a growing run: from here on it is a plain run of that many masks.
    fn settle<I, M, Batch>(
        &self,
        instance: &I,
        model: &M,
        (mut gathered, asked): (Gathered<B>, &Asked<B>),
        growth: Growth,
        mut timings: [Timings; 1],
    ) -> Result<(Explanation, Neighbourhood<B>)>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let masks = &gathered.around.masks;
        gathered.about.observed.asked_twice = asked.compare(self, instance, model, masks, &mut timings[0])?;
        let plain = Explainer { samples: Samples::Fixed(gathered.around.asked), ..self.clone() };
        let (around, about) = (std::slice::from_ref(&gathered.around), std::slice::from_ref(&gathered.about));
        let again = Again::new(&plain, instance, model, &gathered.about.labels);
        let parts = (around, &[&again as &dyn Requery][..]);
        let mut explanation = one(plain.conclude(&[instance], parts, about, vec![growth], &mut timings)?)?;
        explanation.calls.requeried = again.inputs();
        Ok((explanation, gathered.around))
    }

    /// The class that the black box finds likeliest at the instance.
    fn predicted(&self, gathered: &Gathered<B>) -> Result<usize> {
        let p = &gathered.around.probabilities;
        let row = self.backend.gather(p.values(), p.classes(), &[0])?;
        let row: Vec<f64> = self.backend.download(&row)?.into_iter().map(f64::from).collect();
        Ok(arg_max(&row))
    }

    /// Selects, fits and judges the masks so far.
    fn look(
        &self,
        gathered: &Gathered<B>,
        adaptive: &Adaptive,
        class: usize,
        timings: &mut [Timings],
    ) -> Result<(Verdict, f64)> {
        let on = &self.backend;
        // Of independent labels the likeliest is looked at, against not that label.
        let label;
        let apart = gathered.around.probabilities.is_independent() && !self.surrogate.takes_labels();
        let (around, class) = if apart {
            label = labels::of(on, &gathered.around, class)?;
            (std::slice::from_ref(&label), 0)
        } else {
            (std::slice::from_ref(&gathered.around), class)
        };
        let selections = shared(timings, |t| &mut t.select, || self.selector.select(on, around))?;
        expect_len("selections of the batch", 1, selections.len())?;
        let problem = [Problem::new(&around[0], &selections[0])];
        let fitted = shared(timings, |t| &mut t.fit, || self.surrogate.fit(on, &problem))?;
        expect_len("fits of the batch", 1, fitted.len())?;
        let estimate = self.estimate(&around[0], &selections[0], &fitted[0]);
        timed(&mut timings[0].uncertainty, || adaptive.judge(&estimate, class))
    }
}

/// The course of a run that ends with these looks.
fn growth(adaptive: &Adaptive, about: &About, class: usize, looks: Vec<Look>, verdict: Verdict) -> Growth {
    let Calls { masks, complete, .. } = about.calls;
    let name = about.labels.get(class).map_or("the class", String::as_str);
    let stopped = match (about.observed.is_constant(), complete) {
        (true, _) => "nothing moves the model, and more masks would not".into(),
        (_, true) => format!("all {masks} masks were asked: no sampling error"),
        _ => adaptive.told(&verdict, name),
    };
    Growth {
        rule: adaptive.rule_in_use().to_string(),
        class,
        looks,
        met: verdict.met,
        needed: verdict.needed.filter(|_| !complete),
        stopped,
        interchangeable: verdict.interchangeable,
    }
}
