//! Does the surrogate say what the model says?

use super::{Experiment, Line, judging, named, no_surrogate};
use crate::measure::{Judges, total_variation};
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::{Domain, Result};

/// Masks that judge.
struct Apart {
    unseen: Judges,
    near: Judges,
    uniform: Judges,
}

pub fn run<Batch>(
    at: &Occasion<'_, Batch>,
    methods: &[Box<dyn Method<Batch> + '_>],
    round: usize,
) -> Result<Vec<Line>> {
    let count = if at.domain() == Domain::Image { 150 } else { 500 };
    let seed = judging(round);
    let unseen = Judges::unseen(at, count, seed)?;
    let near = unseen.near(at, count, seed)?;
    let uniform = match at.domain() {
        // They are of that law already.
        Domain::Image => unseen.clone(),
        _ => Judges::uniform(at, count / 2, seed)?,
    };
    let apart = Apart { unseen, near, uniform };
    methods.iter().map(|method| of_method(at, method.as_ref(), &apart, round)).collect()
}

fn of_method<Batch>(at: &Occasion<'_, Batch>, method: &dyn Method<Batch>, apart: &Apart, round: usize) -> Result<Line> {
    let outcome = method.explain(at, round as u64)?;
    let e = outcome.surrogate().ok_or_else(|| no_surrogate(Experiment::Fidelity, method.name()))?;
    let said = e.fidelity.as_ref().and_then(|fidelity| fidelity.out_of_fold.as_ref()).map(|agreement| agreement.tv);
    let measures = [
        ("at_instance", Some(total_variation(at.whole(), &e.probabilities.surrogate))),
        ("out_of_fold", said),
        ("unseen", apart.unseen.variation(e)?),
        ("near", apart.near.variation(e)?),
        ("uniform", apart.uniform.variation(e)?),
        ("off_simplex", apart.unseen.off_simplex(e)?),
        ("pairs", Some(e.pairs().len() as f64)),
        ("calls", Some(outcome.calls as f64)),
    ];
    Ok(Line::new(method.name(), measures.into_iter().filter_map(|(name, value)| named(name, value))))
}
