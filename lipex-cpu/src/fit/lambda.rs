//! λ chosen by the data: the least out-of-fold divergence over the masks.
//!
//! # Method
//! The candidates of [`LambdaScale::candidates`](lipex_core::LambdaScale::candidates), largest first; each is fitted without
//! fold 1, without fold 2 and so on, every fit from the one with the λ before, and scored by the mean divergence of the rows
//! left out, weighted by π·m. The largest λ whose score is within a thousandth of the least is taken.
//!
//! # Cost
//! Candidates × folds fits, of which all but the first of a fold start close to their optimum: some twenty times a fit.
//!
//! # Source
//! Cross-validation: Stone (1974); the choice of the simplest model within a tolerance of the best: Breiman, Friedman, Olshen
//! and Stone, Classification and Regression Trees (1984), section 3.4.3.

use super::{Shared, fit_at};
use crate::Cpu;
use crate::evaluate::folds;
use lipex_core::{Fitted, Lambda, Linear, Masks, Problem, Result, Softmax, without_fold};

/// The candidate λ under which refits are closest to the black box on the masks that they were not fitted on, in the
/// divergence of the fit, weighted like the fit. Ties go to the larger λ.
///
/// # Errors
/// Those of the refits.
pub(super) fn choose(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>) -> Result<f64> {
    let scores = scores(settings, shared, problem, &candidates(settings)?)?;
    let scores = scores.and_then(|scores| scores.try_into().ok());
    Ok(settings.lambda_scale_in_use().least(scores.as_ref()))
}

/// What λ is, or what it is chosen from, largest first, as it enters the objective.
pub(super) fn candidates(settings: &Softmax) -> Result<Vec<f64>> {
    match settings.lambda_set() {
        Lambda::Fixed(_) => Ok(vec![settings.lambda_used()?]),
        Lambda::Auto => {
            let factor = settings.lambda_factor()?;
            Ok(settings.lambda_scale_in_use().candidates().map(|lambda| lambda * factor).to_vec())
        }
    }
}

/// For each λ the mean divergence of the masks that refits were not fitted on, weighted like the fit; `None` where there are
/// too few distinct masks.
///
/// # Shapes
/// As many scores as candidates, in their order.
pub(super) fn scores(
    settings: &Softmax,
    shared: &Shared<'_>,
    problem: &Problem<'_, Cpu>,
    lambdas: &[f64],
) -> Result<Option<Vec<f64>>> {
    let folds = folds_of(problem);
    let (mut scores, mut total) = (vec![0.0; lambdas.len()], 0.0);
    for k in 1..=folds.iter().copied().max().unwrap_or(0) {
        let multiplicities = without_fold(problem, &folds, k);
        let held = || (0..folds.len()).filter(|&i| folds[i] == k);
        total += held().map(|i| times(problem, i) * f64::from(problem.around.weights.values()[i])).sum::<f64>();
        // Candidates fall, so that each fit is near the one before it.
        let mut last: Option<Fitted> = None;
        for (score, &lambda) in scores.iter_mut().zip(lambdas) {
            let refit = Problem { multiplicities: Some(&multiplicities), start: last.as_ref(), ..*problem };
            let fitted = fit_at(settings, shared, &refit, lambda)?;
            *score += held_out(settings, problem, fitted.linear()?, held())?;
            last = Some(fitted);
        }
    }
    scores.iter_mut().for_each(|score| *score /= total);
    Ok((!folds.is_empty() && total > 0.0).then_some(scores))
}

/// m, how often row i counts.
fn times(problem: &Problem<'_, Cpu>, i: usize) -> f64 {
    problem.multiplicities.map_or(1.0, |m| f64::from(m[i]))
}

/// The fold of each row.
pub(crate) fn folds_of(problem: &Problem<'_, Cpu>) -> Vec<usize> {
    folds(problem.around, Lambda::FOLDS)
}

/// Σ π·m·d over some rows.
fn held_out(
    settings: &Softmax,
    problem: &Problem<'_, Cpu>,
    fitted: &Linear,
    rows: impl Iterator<Item = usize>,
) -> Result<f64> {
    let (around, divergence) = (problem.around, settings.divergence_in_use());
    let mut total = 0.0;
    for i in rows {
        let ln_q = ln_softmax(fitted, &around.masks, i)?;
        let terms = around.probabilities.row(i).iter().zip(ln_q);
        let divergence: f64 = terms.map(|(&p, u)| divergence.value(f64::from(p), u)).sum();
        total += times(problem, i) * f64::from(around.weights.values()[i]) * divergence;
    }
    Ok(total)
}

/// ln q of one row.
pub(crate) fn ln_softmax(fitted: &Linear, masks: &Masks<Cpu>, i: usize) -> Result<Vec<f64>> {
    let keeps: Vec<bool> = fitted.kept().iter().map(|&j| masks.keeps(i, j)).collect();
    let mut scores = fitted.logits(&keeps)?;
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ln_sum = scores.iter().map(|s| (s - top).exp()).sum::<f64>().ln();
    scores.iter_mut().for_each(|s| *s -= top + ln_sum);
    Ok(scores)
}
