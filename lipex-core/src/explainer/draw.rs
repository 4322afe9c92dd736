//! The masks of a run: enumerated where an instance is small, drawn elsewhere.

use super::Explainer;
use super::samples::Samples;
use crate::backend::{Backend, Neighbourhood, Sample};
use crate::describe::Setting;
use crate::error::{Error, Result, expect_len};
use crate::perturb::Draw;
use crate::render::Render;
use crate::weigh::{ProximityTable, check_weights};
use std::ops::Range;

/// Masks that weigh less than this share of the instance, all together, tell nothing.
const LEAST_OTHERS: f64 = 1e-6;

impl<B: Backend> Explainer<B> {
    /// A sample for each instance of a run for which `samples` masks were asked for.
    pub(super) fn perturb<I, Batch>(&self, instances: &[&I], samples: Samples) -> Result<Vec<Sample<B>>>
    where
        I: Render<B, Batch> + ?Sized,
    {
        let features: Vec<usize> = instances.iter().map(|instance| instance.features().len()).collect();
        if features.contains(&0) {
            return Err(Error::Instance("the instance has no features: nothing can be removed from it".into()));
        }
        let mut made = features.iter().map(|&d| self.enumerated(d)).collect::<Result<Vec<_>>>()?;
        let (left, of): (Vec<usize>, Vec<usize>) =
            features.into_iter().enumerate().filter(|&(i, _)| made[i].is_none()).unzip();
        for (i, sample) in left.into_iter().zip(self.drawn(&of, samples)?) {
            made[i] = Some(sample);
        }
        let samples: Vec<Sample<B>> = made.into_iter().flatten().collect();
        expect_len("samples of the batch", instances.len(), samples.len())?;
        Ok(samples)
    }

    /// Samples by the law, for instances of these many features.
    fn drawn(&self, features: &[usize], samples: Samples) -> Result<Vec<Sample<B>>> {
        let mut totals = Vec::with_capacity(features.len());
        let mut tables: Vec<ProximityTable> = Vec::new();
        for &d in features {
            totals.push(self.perturber.total(d, samples.of(d))?);
            tables.extend(self.proximity.table(d)?);
        }
        let known = tables.len() == features.len();
        let part = |of: Range<usize>| {
            let draw = Draw::whole(&features[of.clone()], totals[of.start], self.seed);
            let samples = match known {
                true => self.perturber.perturb_by(&self.backend, &draw, &tables[of]),
                false => self.perturber.perturb(&self.backend, &draw),
            }?;
            expect_len("samples of the batch", draw.features.len(), samples.len())?;
            Ok(samples)
        };
        // Laws that fix their number of rows by the features are drawn instance by instance.
        if totals.windows(2).all(|two| two[0] == two[1]) {
            return if features.is_empty() { Ok(Vec::new()) } else { part(0..features.len()) };
        }
        let mut samples = Vec::with_capacity(features.len());
        for i in 0..features.len() {
            samples.extend(part(i..i + 1)?);
        }
        Ok(samples)
    }

    /// Passes if masks other than the instance weigh anything beside it; says which setting left none.
    pub(super) fn check_told(&self, around: &Neighbourhood<B>) -> Result<()> {
        let weights = self.backend.download(around.weights.values())?;
        let others: f64 = weights.iter().skip(1).map(|&w| f64::from(w)).sum();
        if others > LEAST_OTHERS * f64::from(weights.first().copied().unwrap_or_default()) {
            return Ok(());
        }
        let named = |part: Vec<Setting>| {
            part.into_iter().next().map_or_else(|| ("masks".to_string(), String::new()), |s| (s.name, s.value))
        };
        let ((name, value), reason) = match around.rows() {
            0 | 1 if around.asked <= 1 => (
                ("samples".to_string(), around.asked.to_string()),
                "the instance alone tells nothing of its features; ask for at least 2 masks, better some hundred",
            ),
            0 | 1 => {
                (named(self.perturber.describe()), "no mask but the instance is left; draw more, or a wider angle")
            }
            _ => (
                named(self.proximity.describe()),
                "the instance is the only mask that this leaves any weight; choose a larger width",
            ),
        };
        Err(Error::setting(name, value, reason))
    }

    /// Passes if row 0 is the instance and the sampler's own weights are weights; both may come from a user's law.
    pub(super) fn check_sample(&self, sample: Sample<B>) -> Result<Sample<B>> {
        let (on, masks) = (&self.backend, &sample.masks);
        let features = masks.features();
        let first =
            if masks.rows() == 0 { Vec::new() } else { on.download(&on.gather(masks.bits(), masks.words(), &[0])?)? };
        let kept: usize = first.iter().map(|w| w.count_ones() as usize).sum();
        if kept != features || masks.rows() == 0 {
            let reason = format!("row 0 must keep all {features} features: it stands for the instance itself");
            return Err(Error::setting("masks", format!("row 0 keeps {kept}"), reason));
        }
        if let Some(weights) = &sample.weights {
            expect_len("the sampler's own weights", masks.rows(), on.len(weights.values()))?;
            check_weights(&on.download(weights.values())?)?;
        }
        Ok(sample)
    }
}
