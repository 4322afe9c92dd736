//! What does trust cost?

use super::{Line, judging};
use crate::measure::breaks;
use crate::method::{Fitted, Method, Outcome};
use crate::occasion::Occasion;
use lipex::Result;

/// Features of the predicted class that are trusted.
const TOP: usize = 3;
/// How much worth a feature outside may exceed one inside by, as a share of the largest.
const EPSILON: f64 = 0.1;
/// Masks of the run that is taken for the method's limit.
const LIMIT: &str = "5000";

pub fn of_method<Batch>(at: &Occasion<'_, Batch>, method: &dyn Method<Batch>, round: usize) -> Result<Line> {
    let outcome = method.explain(at, round as u64)?;
    let mut measures =
        vec![("calls".to_string(), outcome.calls as f64), ("milliseconds".to_string(), outcome.milliseconds)];
    if let Some(settled) = settled(&outcome) {
        measures.push(("settled".to_string(), f64::from(settled)));
    }
    let class = at.predicted();
    let set = outcome.supporting(class, TOP);
    // Only a set that is claimed can break.
    if set.len() == TOP
        && settled(&outcome) != Some(false)
        && let Some(fitted) = method.fitted()
    {
        let truth = limit(fitted, at, class, round)?;
        measures.extend(breaks(&set, &truth, EPSILON).map(|broken| ("broken".to_string(), f64::from(broken))));
    }
    Ok(Line::new(method.name(), measures))
}

/// Whether a run that grows until it is settled was; `None` of others.
fn settled(outcome: &Outcome) -> Option<bool> {
    let growth = outcome.surrogate()?.growth.as_ref()?;
    Some(growth.met)
}

/// What features are worth to the class by an independent large run of the method: all features, no pairs.
fn limit<Batch>(method: &Fitted, at: &Occasion<'_, Batch>, class: usize, round: usize) -> Result<Vec<f64>> {
    let mut changes = vec![("samples", LIMIT), ("select", "all"), ("adaptive", "false")];
    // Where pairs are a setting at all.
    let settings = method.settings();
    let is_softmax = settings.get("surrogate").is_none_or(|name| name == "softmax");
    if is_softmax && settings.preset().value("pairs", at.domain()) == "auto" {
        changes.push(("pairs", "none"));
    }
    let large = method.with(&changes, at.domain())?;
    let (e, _) = large.around(at, judging(round))?;
    let mut worth = vec![0.0; at.features()];
    let shares = e.shares();
    for (&feature, &share) in shares.kept().iter().zip(shares.row(class)) {
        worth[feature] = share;
    }
    Ok(worth)
}
