//! Does the surrogate follow a model that is distorted?

use super::{Experiment, Line, judging, no_surrogate};
use crate::measure::{Judges, total_variation};
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::{Error, Explanation, Result};

/// Masks that judge.
const APART: usize = 150;

/// A version of the model: how it answers the instance and the masks.
struct Answered<'a, Batch> {
    name: &'a str,
    at: Occasion<'a, Batch>,
    masks: Judges,
}

pub fn run<Batch>(
    at: &Occasion<'_, Batch>,
    methods: &[Box<dyn Method<Batch> + '_>],
    round: usize,
) -> Result<Vec<Line>> {
    if at.versions().is_empty() {
        return Err(Error::Instance("distortion wants distorted versions of the model".into()));
    }
    let masks = Judges::unseen(at, APART, judging(round))?;
    let mut versions = Vec::with_capacity(at.versions().len());
    for (name, model) in at.versions() {
        let at = Occasion::new(at.instance(), *model)?;
        // The same masks: their seed is.
        let masks = Judges::unseen(&at, APART, judging(round))?;
        versions.push(Answered { name, at, masks });
    }
    methods.iter().map(|method| of_method(at, &masks, &versions, method.as_ref(), round)).collect()
}

fn of_method<Batch>(
    at: &Occasion<'_, Batch>,
    masks: &Judges,
    versions: &[Answered<'_, Batch>],
    method: &dyn Method<Batch>,
    round: usize,
) -> Result<Line> {
    let none = || no_surrogate(Experiment::Distortion, method.name());
    let own = method.explain(at, round as u64)?;
    let own: &Explanation = own.surrogate().ok_or_else(none)?;
    let right = |name: &str, class: usize| (format!("right_{name}"), at.label().map(|label| f64::from(label == class)));
    let mut measures = vec![right("0", at.predicted())];
    for Answered { name, at: other, masks: answers } in versions {
        let distorted = method.explain(other, round as u64)?;
        let e = distorted.surrogate().ok_or_else(none)?;
        let both = (&own.probabilities.surrogate, &e.probabilities.surrogate);
        measures.extend([
            (format!("model_{name}"), Some(total_variation(at.whole(), other.whole()))),
            (format!("surrogate_{name}"), Some(total_variation(both.0, both.1))),
            (format!("model_unseen_{name}"), masks.between(answers)?),
            (format!("surrogate_unseen_{name}"), masks.between_surrogates(own, e)?),
            (format!("same_class_{name}"), Some(f64::from(other.predicted() == at.predicted()))),
            right(name, other.predicted()),
        ]);
    }
    let measures = measures.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Ok(Line::new(method.name(), measures))
}
