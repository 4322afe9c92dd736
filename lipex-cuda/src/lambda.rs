//! λ chosen by the data on the device: the least out-of-fold divergence over the masks.

use crate::device::{Cuda, DeviceBuffer};
use crate::error::by_chunks;
use crate::evaluate::{first_rows, with_intercepts};
use crate::fit::{Task, fit_all};
use crate::launch::Shape;
use crate::layout::mirrored;
use lipex_core::{
    Dependence, Fitted, Lambda, Masks, Problem, Program, Result, Softmax, deal_folds, expect_len, without_fold,
};
use lipex_kernels::LAMBDA;

/// What fills the kernels' places: only those of the divergence itself are there.
type Programs = (Program, Program);

mirrored! {
    /// One evaluation of lipex_lambda_held_out, field by field as the kernel has it.
    "lambda" "HeldOut"
    pub(crate) struct HeldOut {
        bits: u64,
        p: u64,
        pi: u64,
        times: u64,
        folds: u64,
        kept: u64,
        x: u64,
        rows: u64,
        words: u64,
        classes: u64,
        features: u64,
        fold: u64,
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
    let folds = problems.iter().map(|p| folds_of(on, &programs, &p.around.masks)).collect::<Result<Vec<_>>>()?;
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

fn folds_of(on: &Cuda, programs: &Programs, masks: &Masks<Cuda>) -> Result<Vec<usize>> {
    let dependence = if in_pairs(on, programs, masks)? { Dependence::Pairs } else { Dependence::Independent };
    Ok(deal_folds(&first_rows(on, masks)?, Lambda::FOLDS, dependence))
}

/// Whether row 2m is the complement of row 2m − 1 throughout.
fn in_pairs(on: &Cuda, programs: &Programs, masks: &Masks<Cuda>) -> Result<bool> {
    let pairs = masks.rows().saturating_sub(1) / 2;
    if pairs == 0 {
        return Ok(false);
    }
    let paired = on.send("fit", &[1u32])?;
    let shape = Shape { grid: (pairs.div_ceil(256), 1), threads: 256, shared: 0 };
    let arguments = [masks.bits().into(), (&paired).into(), pairs.into(), masks.words().into()];
    // SAFETY: lipex_lambda_pairs(bits, paired, pairs, words): bits have (2 · pairs + 1) · words words at least, paired one.
    unsafe { on.launch("fit", (&LAMBDA, "lipex_lambda_pairs", Some(programs)), shape, &arguments) }?;
    Ok(on.receive("fit", &paired)?[0] == 1)
}

/// A refit, and the fold of its problem's rows that it has not seen.
struct Held<'a> {
    problem: &'a Problem<'a, Cuda>,
    folds: &'a [usize],
    fold: usize,
    fitted: &'a Fitted,
}

/// Σ π·m·d over the rows held out from each refit, in the divergence of the fit.
fn held_out(on: &Cuda, programs: &Programs, held: &[Held<'_>]) -> Result<Vec<f64>> {
    let sums = on.room::<f64>("fit", held.len())?;
    let (mut words, mut points, mut jobs): (Vec<DeviceBuffer<u32>>, Vec<DeviceBuffer<f64>>, Vec<HeldOut>) =
        Default::default();
    for (at, Held { problem, folds, fold, fitted }) in held.iter().enumerate() {
        let around = problem.around;
        let arrays = on.arrays("fit", around)?;
        let folds: Vec<u32> = folds.iter().map(|&k| k as u32).collect();
        let kept: Vec<u32> = fitted.kept().iter().map(|&j| j as u32).collect();
        let (folds, kept) = (on.send("fit", &folds)?, on.send("fit", &kept)?);
        let times = problem.multiplicities.map(|m| on.send("fit", m)).transpose()?;
        let x = on.send("fit", &with_intercepts(&fitted.answer)?)?;
        jobs.push(HeldOut {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: times.as_ref().map_or(0, DeviceBuffer::address),
            folds: folds.address(),
            kept: kept.address(),
            x: x.address(),
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: around.probabilities.classes() as u64,
            features: fitted.kept().len() as u64,
            fold: *fold as u64,
            sum: sums.address() + 8 * at as u64,
        });
        words.extend([Some(folds), Some(kept), times].into_iter().flatten());
        points.push(x);
    }
    let table = on.send_jobs("fit", &jobs)?;
    let shape = Shape { grid: (held.len(), 1), threads: 256, shared: 0 };
    // SAFETY: lipex_lambda_held_out(evaluations), one a block: arrays of rows as the neighbourhood has them, times (or null)
    // and folds one a row, kept one a feature, x classes · (features + 1), one sum. All live until the sums are read.
    unsafe { on.launch("fit", (&LAMBDA, "lipex_lambda_held_out", Some(programs)), shape, &[(&table).into()]) }?;
    on.receive("fit", &sums)
}
