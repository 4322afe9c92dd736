//! Does the surrogate predict what the model says of damaged inputs?

use super::{Experiment, Line, no_surrogate};
use crate::measure::{Removals, total_variation};
use crate::method::Method;
use crate::occasion::Occasion;
use lipex::{Result, arg_max};

/// Rankings are tried to this length.
const MOST: usize = 5;

pub fn of_method<Batch>(at: &Occasion<'_, Batch>, method: &dyn Method<Batch>, round: usize) -> Result<Line> {
    let outcome = method.explain(at, round as u64)?;
    let e = outcome.surrogate().ok_or_else(|| no_surrogate(Experiment::Reprediction, method.name()))?;
    let ranking = outcome.ranking(at.predicted());
    let removals = Removals::new(at, &ranking, MOST)?;
    let mut measures = Vec::new();
    for k in 1..=MOST {
        let said = e.without(&ranking[..k.min(ranking.len())])?;
        let model = removals.without(k);
        measures.push((format!("same_{k}"), f64::from(arg_max(&said) == arg_max(model))));
        measures.push((format!("tv_{k}"), total_variation(model, &said)));
    }
    Ok(Line::new(method.name(), measures))
}
