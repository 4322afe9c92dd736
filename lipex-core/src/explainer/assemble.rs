//! An explanation out of what the stages made.

use super::Explainer;
use super::gather::{About, Host};
use super::run::Made;
use crate::backend::{Backend, Neighbourhood};
use crate::describe::{Departure, Setting};
use crate::error::{Error, Result};
use crate::explanation::{Answers, Explanation, Timings, arg_max};
use crate::fit::{Answer, Fitted, Recorded};
use crate::nearest::distinct_labels;
use crate::predict::Observed;
use crate::preset::Preset;
use crate::removal::{Removal, removal};
use crate::render::Render;
use std::sync::Arc;

/// A class that the model gives less than this on every mask is reported as one that never occurs.
const NEVER: f32 = 1e-6;

impl<B: Backend> Explainer<B> {
    /// The explanation of one instance, without what a growing run adds and without times.
    pub(super) fn assemble<I, Batch>(
        &self,
        instance: &I,
        (around, about): (&Neighbourhood<B>, &About),
        made: Made,
    ) -> Result<Explanation>
    where
        I: Render<B, Batch> + ?Sized,
    {
        let Host { bits, answers, .. } = &about.host;
        let Made { fit, fidelity, uncertainty, information } = made;
        let fit = record(around, bits, fit)?;
        let c = about.labels.len();
        let surrogate = fit.predict(&vec![true; fit.kept().len()])?;
        let probabilities = Answers { model: answers[..c].iter().map(|&p| f64::from(p)).collect(), surrogate };
        let ranking = fit.additive.as_ref().map(|without| without.shares().into_matrix());
        let removal = removal(&fit.answer, ranking.as_deref(), arg_max(&probabilities.model), Removal::SHOWN)?;
        let (settings, departures) = self.settings_of(instance);
        Ok(Explanation {
            version: env!("CARGO_PKG_VERSION").into(),
            backend: self.backend.name().into(),
            preset: self.preset.name().into(),
            departures,
            settings,
            seed: self.seed,
            text: instance.text().map(String::from),
            classes: distinct_labels(about.labels.clone()),
            features: instance.features().to_vec(),
            answer: Some(fit.answer),
            probabilities,
            never: (0..c).map(|k| answers.iter().skip(k).step_by(c).all(|&p| p < NEVER)).collect(),
            fidelity: Some(fidelity),
            fit: Some(fit.report),
            uncertainty,
            growth: None,
            flip: None,
            removal: Some(removal),
            rank: self.rank,
            ranking,
            calls: about.calls,
            observed: Observed { information, ..about.observed },
            timings_ms: Timings::default(),
        })
    }

    /// Every setting, the instance's own last, and those that differ from the preset or from the paper.
    fn settings_of<I, Batch>(&self, instance: &I) -> (Vec<Setting>, Vec<Departure>)
    where
        I: Render<B, Batch> + ?Sized,
    {
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
        (settings, departures)
    }
}

/// The fit as an explanation keeps it: an answer of a user's own with what it says to the masks of the run.
fn record<B: Backend>(around: &Neighbourhood<B>, bits: &[u32], mut fit: Fitted) -> Result<Fitted> {
    if let Answer::Own(own) = &fit.answer {
        let words = around.masks.words();
        let keeps = |row: &[u32]| own.kept().iter().map(|&j| row[j / 32] >> (j % 32) & 1 == 1).collect();
        if let Some(&j) = own.kept().iter().find(|&&j| j >= around.masks.features()) {
            return Err(Error::shape("kept features (below the number of features)", around.masks.features(), j));
        }
        let recorded = Recorded::ask(own.clone(), bits.chunks_exact(words).map(keeps))?;
        fit.answer = Arc::new(recorded).into();
    }
    Ok(fit)
}
