//! What `lipex text` and `lipex image` share: an explanation on any backend, as the options ask for it.

use crate::named::{Group, Named};
use crate::options::View;
use crate::{parse, progress, report};
use lipex::{Backend, BlackBox, Error, Explainer, Explanation, Neighbourhood, Render, Result, Settings, arg_max};

/// What is asked of an explainer.
pub struct Asked<'a> {
    pub flip_to: Option<&'a str>,
    pub view: &'a View,
}

/// An explanation, what it was made from, and what of it is shown.
pub type Explained<B> = (Explanation, Neighbourhood<B>, report::Choice);

/// The settings that the options give; how a report is to be read is among them.
pub fn settings<G: Group>(named: &Named<G>, view: &View) -> Result<Settings> {
    let settings = named.settings()?.with("top", &view.top.to_string())?;
    match &view.rank {
        Some(rank) => settings.with("rank", rank),
        None => Ok(settings),
    }
}

/// The threads that were asked for.
pub fn threads(settings: &Settings) -> Option<usize> {
    settings.get("threads").and_then(|threads| threads.parse().ok())
}

/// The answer to a backend that the library has and this command does not.
pub fn unknown_backend<T>() -> Result<T> {
    Err(Error::Unavailable { backend: "this one", reason: "the command has cpu and cuda".into() })
}

/// Of a tree the class of the nearest leaf of another one, which the model is then asked about.
fn other_leaf(explanation: &Explanation) -> Option<usize> {
    let tree = explanation.answer.as_ref()?.tree()?;
    let class = arg_max(&tree.nodes()[tree.nearest_other()?.node].value);
    (class != explanation.predicted()).then_some(class)
}

pub fn explain<B: Backend, Batch>(
    explainer: &Explainer<B>,
    instance: &dyn Render<B, Batch>,
    model: &dyn BlackBox<B, Batch>,
    asked: &Asked<'_>,
) -> Result<Explained<B>> {
    // Its line makes room for the report when this is done.
    let explainer = progress::watched(explainer.clone());
    let labels = model.labels().unwrap_or_default();
    let view = report::Choice::new(asked.view, labels)?;
    let flip_to = asked.flip_to.map(|to| parse::class("flip-to", to, labels)).transpose()?;
    let (mut explanation, around) = explainer.explain_with_neighbourhood(instance, model)?;
    if let Some(to) = flip_to.or_else(|| other_leaf(&explanation)) {
        explanation.flip = Some(explainer.flip(instance, model, &explanation, to)?);
    }
    Ok((explanation, around, view))
}
