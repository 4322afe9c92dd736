//! λ chosen by the data on the device: the least out-of-fold divergence over the masks.
//!
//! # How
//! For each candidate, largest first, the fits of all problems without each fold are one batch, from the fits of the candidate
//! before; then one launch sums the held-out divergence of each. The host compares the sums, as on the CPU.
//!
//! # Shapes
//! A table of evaluations, one a problem, fold and candidate; x is C × (F + 1), the intercept last; one f64 comes back for
//! each.

use crate::arena::Plan;
use crate::device::Cuda;
use crate::error::by_chunks;
use crate::evaluate::{first_rows, with_intercepts};
use crate::fit::{Task, fit_all};
use crate::launch::{Argument, Shape};
use crate::layout::mirrored;
use lipex_core::{
    Fitted, Lambda, Neighbourhood, Problem, Program, Result, Softmax, deal_folds, expect_len, without_fold,
};
use lipex_kernels::LAMBDA;

/// What fills the kernels' places: only those of the divergence itself are there.
type Programs = (Program, Program);

mirrored! {
    /// One evaluation of lipex_lambda_held_out, field by field as the kernel has it.
    "lambda" "HeldOut"
    pub(crate) struct HeldOut {
        /// N × words.
        bits: u64,
        /// N × C.
        p: u64,
        /// N.
        pi: u64,
        /// N; null: once.
        times: u64,
        /// N: the fold of each row.
        folds: u64,
        /// F.
        kept: u64,
        /// C × (F + 1).
        x: u64,
        /// N, the rows of the masks.
        rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        words: u64,
        /// C.
        classes: u64,
        /// F, the kept features.
        features: u64,
        /// The fold whose rows are summed.
        fold: u64,
        /// One number, the sum.
        sum: u64,
    }
}

/// λ of each problem as it enters the objective: the one that is set, the start's, or one chosen by the data.
pub(crate) fn of_each(settings: &Softmax, on: &Cuda, problems: &[Problem<'_, Cuda>]) -> Result<Vec<f64>> {
    if matches!(settings.lambda_set(), Lambda::Fixed(_)) {
        return Ok(vec![settings.lambda_used()?; problems.len()]);
    }
    let fresh: Vec<&Problem<'_, Cuda>> = problems.iter().filter(|p| p.start.is_none()).collect();
    let mut chosen = choose(settings, on, &fresh)?.into_iter();
    let own = |p: &Problem<'_, Cuda>| match p.start {
        Some(start) => Some(start.report.lambda),
        None => chosen.next(),
    };
    let lambdas: Vec<f64> = problems.iter().filter_map(own).collect();
    expect_len("penalties of the batch", problems.len(), lambdas.len())?;
    Ok(lambdas)
}

/// For each problem the candidate under which refits are closest to the black box on the masks that they were not fitted
/// on, scaled as the settings say. All problems and folds are one batch a candidate.
fn choose(settings: &Softmax, on: &Cuda, problems: &[&Problem<'_, Cuda>]) -> Result<Vec<f64>> {
    let (factor, scale) = (settings.lambda_factor()?, settings.lambda_scale_in_use());
    let exact = settings.divergence_in_use().record(false);
    let programs = (exact.clone(), exact);
    let folds = problems.iter().map(|p| folds_of(on, p.around)).collect::<Result<Vec<_>>>()?;
    let count = |of: &Vec<usize>| of.iter().copied().max().unwrap_or(0);
    let tasks: Vec<(usize, usize)> =
        folds.iter().enumerate().flat_map(|(i, of)| (1..=count(of)).map(move |k| (i, k))).collect();
    let left: Vec<Vec<u32>> = tasks.iter().map(|&(i, k)| without_fold(problems[i], &folds[i], k)).collect();
    let mut scores = vec![[0.0; Lambda::CANDIDATES]; problems.len()];
    // Candidates fall, so that each fit is near the one before it.
    let mut last: Option<Vec<Fitted>> = None;
    for (at, lambda) in scale.candidates().into_iter().enumerate() {
        let task = |t: usize| {
            let start = last.as_ref().map(|last| &last[t]);
            let problem = Problem { multiplicities: Some(&left[t]), start, ..*problems[tasks[t].0] };
            Task { problem, lambda: lambda * factor, once: false }
        };
        let refits: Vec<Task<'_>> = (0..tasks.len()).map(task).collect();
        let fitted = fit_all(settings, on, &refits)?;
        let held: Vec<Held<'_>> = tasks
            .iter()
            .zip(&fitted)
            .map(|(&(i, fold), fitted)| Held { problem: problems[i], folds: &folds[i], fold, fitted })
            .collect();
        let sums = by_chunks(&held, &mut |part| held_out(on, &programs, part))?;
        tasks.iter().zip(sums).for_each(|(&(i, _), sum)| scores[i][at] += sum);
        last = Some(fitted);
    }
    let least = |(scores, folds): (&_, &Vec<usize>)| scale.least((!folds.is_empty()).then_some(scores)) * factor;
    Ok(scores.iter().zip(&folds).map(least).collect())
}

/// The fold of each row, from the masks on the device.
fn folds_of(on: &Cuda, around: &Neighbourhood<Cuda>) -> Result<Vec<usize>> {
    Ok(deal_folds(&first_rows(on, &around.masks)?, Lambda::FOLDS, around.dependence))
}

/// A refit, and the fold of its problem's rows that it has not seen.
struct Held<'a> {
    /// What was fitted.
    problem: &'a Problem<'a, Cuda>,
    /// The fold of each row.
    folds: &'a [usize],
    /// The one that the fit has not seen.
    fold: usize,
    /// The fit.
    fitted: &'a Fitted,
}

/// Σ π·m·d over the rows held out from each refit, in the divergence of the fit.
fn held_out(on: &Cuda, programs: &Programs, held: &[Held<'_>]) -> Result<Vec<f64>> {
    let mut plan = Plan::default();
    let (table, sums) = (plan.jobs::<HeldOut>(held.len()), plan.answer::<f64>(held.len()));
    let words = |list: &[usize]| list.iter().map(|&v| v as u32).collect::<Vec<u32>>();
    let place = |Held { problem, folds, fitted, .. }: &Held<'_>| {
        let (folds, kept) = (plan.send(&words(folds)), plan.send(&words(fitted.kept())));
        let x = plan.send(&with_intercepts(&fitted.answer)?);
        Ok((folds, kept, plan.send_some(problem.multiplicities), x))
    };
    let spots = held.iter().map(place).collect::<Result<Vec<_>>>()?;
    let mut arena = plan.place(on, "fit")?;
    let mut jobs = Vec::with_capacity(held.len());
    for (at, (Held { problem, fold, fitted, .. }, (folds, kept, times, x))) in held.iter().zip(spots).enumerate() {
        let around = problem.around;
        let arrays = on.arrays("fit", around)?;
        jobs.push(HeldOut {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: arena.at_some(times),
            folds: arena.at(folds),
            kept: arena.at(kept),
            x: arena.at(x),
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: around.probabilities.classes() as u64,
            features: fitted.kept().len() as u64,
            fold: *fold as u64,
            sum: arena.at(sums) + 8 * at as u64,
        });
    }
    arena.set(table, &jobs);
    arena.send(on)?;
    let shape = Shape { grid: (held.len(), 1), threads: 256, shared: 0 };
    let jobs = [Argument::Long(arena.at(table))];
    // SAFETY: lipex_lambda_held_out(evaluations), one a block: arrays of rows as the neighbourhood has them, times (or null)
    // and folds one a row, kept one a feature, x classes · (features + 1), one sum. All live until the sums are read.
    unsafe { on.launch("fit", (&LAMBDA, "lipex_lambda_held_out", Some(programs)), shape, &jobs) }?;
    arena.receive(on, sums)
}
