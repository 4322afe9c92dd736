//! What `lipex text` and `lipex image` share: an explanation on any backend, as the options ask for it.

use crate::backend::Everything;
use crate::options::{MethodOptions, ModelOptions, NoiseOptions, SamplingOptions, View};
use crate::{method, parse, progress, report};
use lipex::{BlackBox, Domain, Explanation, Neighbourhood, Rank, Render, Result};

/// The options that an explanation depends on.
pub struct Asked<'a> {
    pub domain: Domain,
    pub model: &'a ModelOptions,
    pub method: &'a MethodOptions,
    pub sampling: &'a SamplingOptions,
    pub noise: &'a NoiseOptions,
    pub flip_to: Option<&'a str>,
    pub view: &'a View,
}

/// An explanation, what it was made from, and what of it is shown.
pub type Explained<B> = (Explanation, Neighbourhood<B>, report::Choice);

pub fn explain<B: Everything, Batch>(
    on: B,
    instance: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    asked: &Asked<'_>,
) -> Result<Explained<B>> {
    let mut explainer = on.explainer(asked.method, asked.sampling, asked.domain)?;
    explainer = method::with_noise(explainer, asked.noise, asked.view.top)?;
    if let Some(size) = asked.model.batch_size {
        explainer = explainer.batch_size(size);
    }
    if let Some(rank) = &asked.view.rank {
        explainer = explainer.rank(Rank::by_name(rank)?);
    }
    // Its line makes room for the report when this is done.
    let explainer = progress::watched(explainer);
    let labels = model.labels().unwrap_or_default();
    let view = report::Choice::new(asked.view, labels)?;
    let flip_to = asked.flip_to.map(|to| parse::class("flip-to", to, labels)).transpose()?;
    let (mut explanation, around) = explainer.explain_with_neighbourhood(instance, model)?;
    if let Some(to) = flip_to {
        explanation.flip = Some(explainer.flip(instance, model, &explanation, to)?);
    }
    Ok((explanation, around, view))
}
