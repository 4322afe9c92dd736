//! What would take the prediction to another class, with the model's check of it.

use crate::backend::Backend;
use crate::error::{Result, expect_len};
use crate::explainer::Explainer;
use crate::explanation::{Explanation, arg_max};
use crate::predict::BlackBox;
use crate::render::Render;

/// The answer to "what would make it class B?": features to remove, and what surrogate and model say without them.
///
/// The features are a greedy set, each the one whose removal brings B nearest to the front of the surrogate's answer, given those
/// that are gone, by the fit without pairs where pairs were chosen ([`Explanation::what_would_change`]). The model was asked once to check it.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let flip = lipex().flip(&text, &model, &explanation, explanation.class("bad")?)?;
/// let names: Vec<String> = flip.remove.iter().flatten().map(|&j| explanation.name(j)).collect();
/// assert_eq!(names, ["fine"]);
/// assert!(flip.checked && flip.model[0] > flip.model[1]); // the model was asked
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Flip {
    /// B, the class asked for.
    pub class: usize,
    /// Features (of all D) to remove, in order. Empty where B is likeliest as it is; `None` where they never lead to B.
    pub remove: Option<Vec<usize>>,
    /// The surrogate's answer without them, C numbers; at the instance where there is nothing to remove.
    pub surrogate: Vec<f64>,
    /// The model's answer without them, C numbers; at the instance where there is nothing to remove.
    pub model: Vec<f64>,
    /// Whether the model finds B likeliest there.
    pub checked: bool,
}

impl Flip {
    /// Passes if the parts fit C classes and D features.
    pub(crate) fn check(&self, c: usize, d: usize) -> Result<()> {
        expect_len("surrogate probabilities of flip", c, self.surrogate.len())?;
        expect_len("model probabilities of flip", c, self.model.len())?;
        let below = |what: &str, limit: usize, found: Option<usize>| match found {
            Some(found) => Err(crate::Error::shape(what, limit, found)),
            None => Ok(()),
        };
        below("class of flip (below the number of classes)", c, (self.class >= c).then_some(self.class))?;
        let beyond = self.remove.iter().flatten().copied().find(|&j| j >= d);
        below("features of flip (below the number of features)", d, beyond)
    }
}

impl<B: Backend> Explainer<B> {
    /// What would take the prediction to class `to`: the surrogate's proposal
    /// ([`Explanation::what_would_change`]) and the model's answer to it, for [`Explanation::flip`].
    ///
    /// Asks the model once, and not at all where there is nothing to remove.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) when there is no such class; those of
    /// [`ask_without`](Explainer::ask_without).
    pub fn flip<I, M, Batch>(&self, instance: &I, model: &M, explanation: &Explanation, to: usize) -> Result<Flip>
    where
        I: Render<B, Batch> + ?Sized,
        M: BlackBox<B, Batch> + ?Sized,
    {
        let classes = explanation.classes.len();
        if to >= classes {
            return Err(crate::Error::shape("class to flip to (below the number of classes)", classes, to));
        }
        let remove = if explanation.predicted() == to {
            Some(Vec::new())
        } else {
            explanation.what_would_change(to)?.map(|change| change.remove)
        };
        let removed = remove.as_deref().unwrap_or_default();
        let surrogate = explanation.without(removed)?;
        let answer = match removed {
            [] => explanation.probabilities.model.clone(),
            removed => self.ask_without(instance, model, removed)?,
        };
        let checked = arg_max(&answer) == to;
        Ok(Flip { class: to, remove, surrogate, model: answer, checked })
    }
}
