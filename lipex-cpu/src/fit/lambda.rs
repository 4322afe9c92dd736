//! λ chosen by the data: the least out-of-fold divergence over the masks.

use super::{Shared, fit_at};
use crate::Cpu;
use crate::evaluate::folds;
use lipex_core::{Dependence, Fitted, Lambda, Linear, Masks, Problem, Result, Softmax, without_fold};

/// The candidate λ under which refits are closest to the black box on the masks that they were not fitted on, in the
/// divergence of the fit, weighted like the fit. Ties go to the larger λ.
pub(super) fn choose(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>) -> Result<f64> {
    let masks = &problem.around.masks;
    let dependence = if in_pairs(masks) { Dependence::Pairs } else { Dependence::Independent };
    let folds = folds(problem.around, Lambda::FOLDS, dependence);
    let (factor, scale) = (settings.lambda_factor()?, settings.lambda_scale_in_use());
    let mut scores = [0.0; Lambda::CANDIDATES];
    for k in 1..=folds.iter().copied().max().unwrap_or(0) {
        let multiplicities = without_fold(problem, &folds, k);
        // Candidates fall, so that each fit is near the one before it.
        let mut last: Option<Fitted> = None;
        for (score, lambda) in scores.iter_mut().zip(scale.candidates()) {
            let refit = Problem { multiplicities: Some(&multiplicities), start: last.as_ref(), ..*problem };
            let fitted = fit_at(settings, shared, &refit, lambda * factor)?;
            *score += held_out(settings, problem, fitted.linear()?, (0..folds.len()).filter(|&i| folds[i] == k))?;
            last = Some(fitted);
        }
    }
    Ok(scale.least((!folds.is_empty()).then_some(&scores)))
}

/// Whether row 2m is the complement of row 2m − 1 throughout.
fn in_pairs(masks: &Masks<Cpu>) -> bool {
    let all = masks.row(0);
    let complements = |m: usize| {
        let pair = masks.row(2 * m - 1).iter().zip(masks.row(2 * m));
        pair.zip(all).all(|((a, b), all)| a ^ b == *all)
    };
    masks.rows() > 2 && (1..=(masks.rows() - 1) / 2).all(complements)
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
        let times = problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let ln_q = ln_softmax(fitted, &around.masks, i)?;
        let terms = around.probabilities.row(i).iter().zip(ln_q);
        let divergence: f64 = terms.map(|(&p, u)| divergence.value(f64::from(p), u)).sum();
        total += times * f64::from(around.weights.values()[i]) * divergence;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complements_are_found() {
        let on = Cpu::new();
        let paired = |rows: Vec<u32>| in_pairs(&Masks::new(&on, rows.len(), 4, rows).unwrap());
        assert!(paired(vec![15, 1, 14, 6, 9, 3]) && paired(vec![15, 1, 14]));
        assert!(!paired(vec![15, 1, 14, 6, 8]) && !paired(vec![15, 1]) && !paired(vec![15, 14, 13, 12]));
    }
}
