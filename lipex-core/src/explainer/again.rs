//! The black box around one instance of a run, for surrogates that ask it again.

use super::Explainer;
use super::ask::{Asked, Question, labels as labels_of};
use super::gather::one;
use crate::backend::{Backend, Masks};
use crate::bits::whole_mask;
use crate::error::{Error, Result};
use crate::explanation::Timings;
use crate::fit::Requery;
use crate::groups::Groups;
use crate::predict::BlackBox;
use crate::render::Render;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// An instance with its black box, and what was asked beside the run's masks.
pub(super) struct Again<'a, B: Backend, I: ?Sized, M: ?Sized, Batch> {
    explainer: &'a Explainer<B>,
    instance: &'a I,
    model: &'a M,
    /// The classes of the run, after merging.
    labels: &'a [String],
    asked: Mutex<Extra>,
    batch: PhantomData<fn(&Batch)>,
}

/// What was asked.
#[derive(Default)]
struct Extra {
    /// The answer to each mask.
    known: HashMap<Vec<u32>, Vec<f64>>,
    /// Distinct inputs that the black box saw for them.
    inputs: usize,
}

impl<'a, B: Backend, I: ?Sized, M: ?Sized, Batch> Again<'a, B, I, M, Batch> {
    /// Nothing was asked so far.
    pub fn new(explainer: &'a Explainer<B>, instance: &'a I, model: &'a M, labels: &'a [String]) -> Self {
        Again { explainer, instance, model, labels, asked: Mutex::default(), batch: PhantomData }
    }

    /// Distinct inputs that were asked for.
    pub fn inputs(&self) -> usize {
        self.extra().inputs
    }

    fn extra(&self) -> MutexGuard<'_, Extra> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B, I, M, Batch> Again<'_, B, I, M, Batch>
where
    B: Backend,
    I: Render<B, Batch> + ?Sized,
    M: BlackBox<B, Batch> + ?Sized,
{
    /// Asks for masks that are not known, after the instance where it says which classes are merged.
    fn learn(&self, extra: &mut Extra, masks: Vec<Vec<u32>>) -> Result<()> {
        let (on, features) = (&self.explainer.backend, self.instance.features().len());
        let first = usize::from(self.explainer.groups != Groups::All);
        let whole = whole_mask(features);
        let rows = std::iter::repeat_n(&whole, first).chain(&masks);
        let bits: Vec<u32> = rows.flatten().copied().collect();
        let all = Masks::new(on, first + masks.len(), features, on.upload(bits)?)?;
        let (mut timings, mut asked) = (Timings::default(), Asked::default());
        let question = Question::new(self.instance, &all, &mut asked, &mut timings);
        let p = one(self.explainer.ask(self.model, &mut [question], false)?)??;
        let merged = self.explainer.groups.merge(on, p, labels_of(self.model)?)?;
        if merged.labels != self.labels {
            let reason = "asked again, the model finds other classes likeliest; name the groups yourself";
            return Err(Error::setting("groups", &self.explainer.groups, reason));
        }
        extra.inputs += asked.inputs.saturating_sub(first);
        let values: Vec<f64> = on.download(merged.probabilities.values())?.into_iter().map(f64::from).collect();
        let answers = values.chunks_exact(self.labels.len().max(1)).skip(first).map(<[f64]>::to_vec);
        extra.known.extend(masks.into_iter().zip(answers));
        Ok(())
    }
}

impl<B, I, M, Batch> Requery for Again<'_, B, I, M, Batch>
where
    B: Backend,
    I: Render<B, Batch> + ?Sized,
    M: BlackBox<B, Batch> + ?Sized,
{
    fn ask(&self, bits: &[u32]) -> Result<Vec<f64>> {
        let words = self.instance.features().len().div_ceil(32).max(1);
        let mut extra = self.extra();
        let mut new: Vec<Vec<u32>> = Vec::new();
        for mask in bits.chunks_exact(words) {
            if !extra.known.contains_key(mask) && !new.iter().any(|other| other == mask) {
                new.push(mask.to_vec());
            }
        }
        if !new.is_empty() {
            self.learn(&mut extra, new)?;
        }
        Ok(bits.chunks_exact(words).filter_map(|mask| extra.known.get(mask)).flatten().copied().collect())
    }
}
