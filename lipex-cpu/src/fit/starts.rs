//! Where a fit starts: once from the surrogate's own start, or from several places of which the lowest is carried on.
//!
//! Where the black box answers 0 and 1 a divergence other than KL levels off as the surrogate does so too, rightly or
//! wrongly. The own start, least squares of ln p, lies far out on such a plain, and a fit from there ends high although its
//! gradient is small.
//!
//! # Source
//! Continuation (Allgower and Georg, Numerical Continuation Methods, 1990): a problem that is convex, or nearly, leads to
//! the one that is not.
//!
//! # The four starts of `auto`
//! Twice the solution under KL, the solution itself, no effect of any feature (that times 0), and the fit to probabilities
//! mixed with 5 % of the uniform distribution, which has slopes everywhere. Each is fitted to a tolerance of 10⁻², and the
//! lowest carried on to the end: some five times the evaluations of one start.

use super::objective::smoothed;
use super::shared::Shared;
use super::{fit_at, fit_to, weights};
use crate::Cpu;
use lipex_core::{ErasedDivergence, Fitted, Kl, LambdaScale, Problem, Result, Softmax, Start, Starts};

/// The tolerance of a fit from which only a start is wanted, and of those of which only the lowest is carried on.
const ROUGH: f64 = 1e-2;
/// The share of a uniform distribution that probabilities are mixed with.
const UNIFORM: f32 = 0.05;

/// A fit with this penalty, from where the settings say and the problem asks for.
pub(super) fn fit(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    let starts = if problem.start.is_some() { Starts::One } else { settings.starts_in_use() };
    match starts {
        Starts::One => fit_at(settings, shared, problem, lambda),
        Starts::Two => best_of_two(settings, shared, problem, lambda),
        // KL is convex in W.
        Starts::Auto if is_kl(settings) || !is_sure(settings, shared, problem) => {
            fit_at(settings, shared, problem, lambda)
        }
        Starts::Auto => best_of_many(settings, shared, problem, lambda),
    }
}

/// Whether the divergence is KL, whose objective has one minimum.
fn is_kl(settings: &Softmax) -> bool {
    settings.divergence_in_use().name() == ErasedDivergence::name(&Kl)
}

/// Whether the black box is sure of its class on much of what weighs.
///
/// More than a quarter of the weight on rows with a class above .99: there objectives other than KL's have several minima, as
/// measured on one-hot models.
fn is_sure(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>) -> bool {
    let (rows, weights) = weights(settings, problem.around, problem.multiplicities);
    let sure = |i: u32| shared.around.probabilities.row(i as usize).iter().any(|&p| p > Starts::CONFIDENT);
    let of_sure: f64 = rows.iter().zip(&weights).filter(|(i, _)| sure(**i)).map(|(_, w)| w).sum();
    of_sure > Starts::CONFIDENT_SHARE * weights.iter().sum::<f64>()
}

/// The settings under the KL divergence, and this λ there.
///
/// λ is scaled so that a reported λ means the same curvature under KL.
fn under_kl(settings: &Softmax, lambda: f64) -> (Softmax, f64) {
    let scale = match (settings.lambda_scale_in_use(), settings.divergence_in_use().kappa()) {
        (LambdaScale::Class, _) | (_, None) => 1.0,
        (_, Some(kappa)) => 1.0 / kappa,
    };
    (settings.clone().divergence(Kl), lambda * scale)
}

/// From the own start and from the solution under KL; the lower objective, ties to the own start.
fn best_of_two(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    let own = fit_at(settings, shared, problem, lambda)?;
    let (kl, of_kl) = under_kl(settings, lambda);
    let from = fit_at(&kl, shared, problem, of_kl)?;
    let other = fit_at(settings, shared, &Problem { start: Some(&from), ..*problem }, lambda)?;
    let mut work = Work::default();
    [&own, &from, &other].into_iter().for_each(|fit| work.add(fit));
    let (best, start) =
        if other.report.objective < own.report.objective { (other, Start::Kl) } else { (own, Start::Own) };
    Ok(work.report(best, start))
}

/// From four starts roughly, then on from the lowest.
///
/// # Cost
/// Two rough fits for starts and four from them, then one to the end: about five times one fit.
fn best_of_many(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    let rough = Problem { tolerance: Some(problem.tolerance.unwrap_or(0.0).max(ROUGH)), ..*problem };
    let (kl, of_kl) = under_kl(settings, lambda);
    let of_kl = fit_at(&kl, shared, &rough, of_kl)?;
    let smooth = smoothed(&shared.p, UNIFORM, of_kl.answer.classes());
    let of_smooth = fit_to(settings, shared, &smooth, &rough, lambda)?;
    let starts = [
        (times(&of_kl, 2.0)?, Start::Twice),
        (times(&of_kl, 0.0)?, Start::Flat),
        (of_kl, Start::Kl),
        (of_smooth, Start::Smoothed),
    ];
    let mut work = Work::default();
    starts[2..].iter().for_each(|(fit, _)| work.add(fit));
    let mut lowest: Option<(Fitted, Start)> = None;
    for (start, named) in &starts {
        let fit = fit_at(settings, shared, &Problem { start: Some(start), ..rough }, lambda)?;
        work.add(&fit);
        // What is no number is not lower.
        if lowest.as_ref().is_none_or(|(low, _)| fit.report.objective.total_cmp(&low.report.objective).is_lt()) {
            lowest = Some((fit, *named));
        }
    }
    let (start, named) = lowest.map_or((None, Start::Own), |(fit, named)| (Some(fit), named));
    let best = fit_at(settings, shared, &Problem { start: start.as_ref(), ..*problem }, lambda)?;
    work.add(&best);
    Ok(work.report(best, named))
}

/// The fit with what was fitted multiplied.
fn times(fit: &Fitted, by: f64) -> Result<Fitted> {
    Ok(Fitted::new(fit.linear()?.scaled(by), fit.report.clone()))
}

/// The work of several fits.
#[derive(Default)]
struct Work {
    /// Steps.
    iterations: usize,
    /// Evaluations of objective and gradient.
    evaluations: usize,
}

impl Work {
    /// Adds a fit's.
    fn add(&mut self, fit: &Fitted) {
        self.iterations += fit.report.iterations;
        self.evaluations += fit.report.evaluations;
    }

    /// The fit, with the work of all and where it started.
    fn report(self, mut fit: Fitted, start: Start) -> Fitted {
        fit.report.start = start;
        (fit.report.iterations, fit.report.evaluations) = (self.iterations, self.evaluations);
        fit
    }
}
