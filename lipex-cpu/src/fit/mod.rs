//! Fit: the softmax surrogate.
//!
//! objective.rs evaluates L(W, b) and its gradient, precondition.rs makes the approximate inverse Hessian, lbfgs.rs
//! minimises, lambda.rs chooses λ where the data are to; this file puts them together.

mod authors;
mod lambda;
mod lbfgs;
mod objective;
mod precondition;

use crate::Cpu;
use crate::design::Design;
use crate::lanes::LANES;
use crate::sandwich;
pub(crate) use lambda::ln_softmax;
use lbfgs::{Limits, Outcome, Stop};
use lipex_core::{
    Dependence, FitReport, Fitted, Kl, Lambda, Link, Normalise, Problem, Result, Softmax, Spread, Start, Starts,
    Surrogate,
};
use objective::{Objective, Precision};
use precondition::Preconditioner;

/// Smoothing widths for a divergence with kinks, in order.
const WIDTHS: [f32; 7] = [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4];

impl Surrogate<Cpu> for Softmax {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        on.map(problems.len(), |i| fit_one(self, &problems[i]))
    }

    fn spread(
        &self,
        _: &Cpu,
        problem: &Problem<'_, Cpu>,
        fitted: &Fitted,
        dependence: Dependence,
    ) -> Result<Option<Spread>> {
        sandwich::spread(self, problem, fitted, dependence)
    }

    fn shrinkage(&self, _: &Cpu, problem: &Problem<'_, Cpu>, fitted: &Fitted) -> Result<Option<f64>> {
        let less = fit_at(self, &Problem { start: Some(fitted), ..*problem }, fitted.report.lambda / 100.0)?;
        let length = |fit: &Fitted| fit.matrix.iter().flatten().map(|w| w * w).sum::<f64>().sqrt();
        Ok((length(&less) > 0.0).then(|| length(fitted) / length(&less)))
    }
}

/// Rows that count, with π·m/n of each.
fn weights(settings: &Softmax, problem: &Problem<'_, Cpu>) -> (Vec<usize>, Vec<f64>) {
    let proximity = problem.around.weights.values();
    let times = |i: usize| problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
    let weight = |i: usize| f64::from(proximity[i]) * times(i);
    let all = 0..proximity.len();
    let n: f64 = match settings.normalise_in_use() {
        Normalise::Count => all.clone().map(times).sum(),
        Normalise::Weight => all.clone().map(weight).sum(),
    };
    all.filter(|&i| weight(i) > 0.0).map(|i| (i, weight(i) / n)).unzip()
}

fn fit_one(settings: &Softmax, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    problem.check()?;
    let lambda = match (settings.lambda_set(), problem.start) {
        (Lambda::Fixed(_), _) => settings.lambda_used()?,
        (Lambda::Auto, Some(start)) => start.report.lambda,
        (Lambda::Auto, None) => lambda::choose(settings, problem)? * settings.lambda_factor()?,
    };
    let own = fit_at(settings, problem, lambda)?;
    if settings.starts_in_use() == Starts::One || problem.start.is_some() {
        return Ok(own);
    }
    // The KL divergence is convex in W, so its solution does not depend on where its fit starts.
    let kl = settings.clone().divergence(Kl);
    let bend = settings.divergence_in_use().kappa().map_or(1.0, |kappa| 1.0 / kappa);
    let from = fit_at(&kl, problem, lambda * bend)?;
    let other = fit_at(settings, &Problem { start: Some(&from), ..*problem }, lambda)?;
    let spent = [&own, &from, &other].map(|fit| (fit.report.iterations, fit.report.evaluations));
    let (mut best, start) =
        if other.report.objective < own.report.objective { (other, Start::Kl) } else { (own, Start::Own) };
    best.report.start = start;
    best.report.iterations = spent.iter().map(|s| s.0).sum();
    best.report.evaluations = spent.iter().map(|s| s.1).sum();
    Ok(best)
}

/// A fit with this penalty, from the problem's start or the surrogate's own.
fn fit_at(settings: &Softmax, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    let (rows, weights) = weights(settings, problem);
    let kept = &problem.selection.kept;
    let classes = problem.around.probabilities.classes();
    let design = Design::new(&problem.around.masks, &rows, kept, settings.has_intercept());
    let divergence = settings.divergence_in_use();
    let mut objective = Objective::new(&design, &problem.around.probabilities, &rows, &weights, divergence, lambda);
    if settings.has_intercept() {
        objective.penalise_intercept();
    }
    let preconditioner = Preconditioner::new(&objective);
    let mut x = match problem.start {
        Some(start) => objective.layout(&start.matrix, &start.intercept),
        None => preconditioner.start(),
    };
    let limits = Limits { tolerance: settings.tolerance_in_use(), evaluations: settings.evaluation_limit() };
    let outcome = minimise(&mut objective, &preconditioner, &mut x, limits);
    let (matrix, intercept) = read(&x, kept.len(), classes, settings.has_intercept());
    let report = FitReport {
        objective: objective.exact(&x),
        gradient_norm: outcome.gradient_norm,
        lambda,
        iterations: outcome.iterations,
        evaluations: outcome.evaluations,
        hessian_products: 0,
        converged: outcome.stop == Stop::Tolerance,
        stopped: outcome.stop.describe().into(),
        start: if problem.start.is_some() { Start::Given } else { Start::Own },
    };
    let support = vec![(0..kept.len()).collect(); classes];
    Ok(Fitted { kept: kept.clone(), matrix, intercept, support, link: Link::Softmax, report })
}

/// Minimises in f32, and on in f64 where f32 stalls; through ever narrower smoothing where the divergence has kinks.
fn minimise(objective: &mut Objective<'_>, h: &Preconditioner, x: &mut [f64], limits: Limits) -> Outcome {
    let mut total = Outcome::default();
    let widths: Vec<Option<f32>> =
        if objective.is_smooth() { vec![None] } else { WIDTHS.iter().copied().map(Some).collect() };
    for width in widths {
        objective.set_width(width);
        for precision in [Precision::Single, Precision::Double] {
            objective.set_precision(precision);
            let left = limits.evaluations.saturating_sub(total.evaluations).max(1);
            let part = lbfgs::minimise(objective, h, x, Limits { evaluations: left, ..limits });
            total.add(part);
            if part.stop != Stop::Stalled {
                break;
            }
        }
    }
    total
}

/// W and b out of the solver's layout (columns × padded classes).
fn read(x: &[f64], features: usize, classes: usize, intercept: bool) -> (Vec<Vec<f64>>, Vec<f64>) {
    let width = classes.div_ceil(LANES) * LANES;
    let matrix = (0..classes).map(|c| (0..features).map(|j| x[j * width + c]).collect()).collect();
    let b = (0..classes).map(|c| if intercept { x[features * width + c] } else { 0.0 }).collect();
    (matrix, b)
}
