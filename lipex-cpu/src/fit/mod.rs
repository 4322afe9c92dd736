//! Fit: the softmax surrogate.
//!
//! objective.rs evaluates L(W, b) and its gradient, precondition.rs makes the approximate inverse Hessian, lbfgs.rs
//! minimises, kinks.rs has the curvature where a divergence has kinks, lambda.rs chooses λ where the data are to,
//! starts.rs chooses where to start, shared.rs has what several fits have in common; this file puts them together.

mod authors;
mod kinks;
mod lambda;
mod lbfgs;
mod objective;
mod precondition;
mod shared;
mod starts;

use crate::Cpu;
use crate::lanes::padded_f32;
use crate::sandwich;
pub(crate) use lambda::ln_softmax;
use lbfgs::{Limits, Outcome, Solver, Stop};
use lipex_core::{
    Backend, Dependence, FitReport, Fitted, Lambda, Linear, Link, Neighbourhood, Normalise, Problem, Result, Softmax,
    Spread, Start, Surrogate,
};
pub(crate) use objective::shift;
use objective::{Objective, Precision, Terms};
use precondition::Preconditioner;
pub(crate) use shared::by_class;
use shared::{Shared, together};

/// Smoothing widths for a divergence with kinks, in order.
const WIDTHS: [f32; 7] = [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4];

/// The tolerance of a fit at a width that is not the last: from there only a start is wanted.
const ON_THE_WAY: f64 = 1e-5;

/// Groups of problems that are prepared at a time, for each thread.
const PREPARED: usize = 4;

impl Surrogate<Cpu> for Softmax {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        problems.iter().try_for_each(Problem::check)?;
        let mut fitted: Vec<Option<Fitted>> = problems.iter().map(|_| None).collect();
        for groups in together(problems).chunks(PREPARED * on.threads()) {
            let shared = on.map(groups.len(), |g| Shared::new(on, self, problems, &groups[g]))?;
            let tasks: Vec<(usize, usize)> =
                groups.iter().enumerate().flat_map(|(g, group)| group.iter().map(move |&i| (g, i))).collect();
            let made = on.map(tasks.len(), |t| {
                let fit = fit_one(self, &shared[tasks[t].0], &problems[tasks[t].1])?;
                on.watch().advance(1);
                Ok(fit)
            })?;
            tasks.iter().zip(made).for_each(|(&(_, i), fit)| fitted[i] = Some(fit));
        }
        Ok(fitted.into_iter().flatten().collect())
    }

    fn spread(
        &self,
        on: &Cpu,
        problem: &Problem<'_, Cpu>,
        fitted: &Fitted,
        dependence: Dependence,
    ) -> Result<Option<Spread>> {
        sandwich::spread(on, self, problem, fitted, dependence)
    }

    fn shrinkage(&self, on: &Cpu, problem: &Problem<'_, Cpu>, fitted: &Fitted) -> Result<Option<f64>> {
        problem.check()?;
        let warm = Problem { start: Some(fitted), ..*problem };
        let shared = Shared::new(on, self, std::slice::from_ref(&warm), &[0])?;
        let less = fit_at(self, &shared, &warm, fitted.report.lambda / 100.0)?;
        Ok(fitted.shrinkage(&less))
    }
}

/// Rows that count, with π·m/n of each.
fn weights(settings: &Softmax, around: &Neighbourhood<Cpu>, multiplicities: Option<&[u32]>) -> (Vec<u32>, Vec<f64>) {
    let proximity = around.weights.values();
    let times = |i: usize| multiplicities.map_or(1.0, |m| f64::from(m[i]));
    let weight = |i: usize| f64::from(proximity[i]) * times(i);
    let all = 0..proximity.len();
    let n: f64 = match settings.normalise_in_use() {
        Normalise::Count => all.clone().map(times).sum(),
        Normalise::Weight => all.clone().map(weight).sum(),
    };
    all.filter(|&i| weight(i) > 0.0).map(|i| (i as u32, weight(i) / n)).unzip()
}

fn fit_one(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    let lambda = match (settings.lambda_set(), problem.start) {
        (Lambda::Fixed(_), _) => settings.lambda_used()?,
        (Lambda::Auto, Some(start)) => start.report.lambda,
        (Lambda::Auto, None) => lambda::choose(settings, shared, problem)? * settings.lambda_factor()?,
    };
    starts::fit(settings, shared, problem, lambda)
}

/// A fit with this penalty, from the problem's start or the surrogate's own.
fn fit_at(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    fit_to(settings, shared, &shared.p, problem, lambda)
}

/// The same to other probabilities than the black box's, padded like them.
fn fit_to(
    settings: &Softmax,
    shared: &Shared<'_>,
    p: &[f32],
    problem: &Problem<'_, Cpu>,
    lambda: f64,
) -> Result<Fitted> {
    let (rows, weights) = weights(settings, problem.around, problem.multiplicities);
    let classes = problem.around.probabilities.classes();
    let mut objective = Objective::new(Terms { p, ..shared.terms(settings, lambda) }, &rows, &weights);
    let made;
    let (mut x, preconditioner) = match (problem.start, &shared.warm) {
        (None, _) => {
            let (preconditioner, x) = Preconditioner::cold(&objective);
            made = preconditioner;
            (x, &made)
        }
        (Some(start), Some(warm)) if std::ptr::eq(start, warm.start) && lambda == warm.lambda => {
            (at(&objective, start)?, &warm.preconditioner)
        }
        (Some(start), _) => {
            made = shared.at_start(settings, start, lambda)?;
            (at(&objective, start)?, &made)
        }
    };
    let tolerance = problem.tolerance.unwrap_or(settings.tolerance_in_use());
    let limits = Limits { tolerance, evaluations: settings.evaluation_limit(), watch: shared.watch };
    let outcome = minimise(&mut objective, preconditioner, &mut x, limits)?;
    let kept = shared.kept.to_vec();
    let (matrix, intercept) = read(&x, kept.len(), classes, settings.has_intercept());
    let report = FitReport {
        // The objective of a refit is not read, and costs as much as two evaluations.
        objective: if problem.tolerance.is_some() { outcome.value } else { objective.exact(&x) },
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
    let intercept = settings.has_intercept().then_some(intercept);
    Ok(Fitted::new(Linear::from_presence(kept, matrix, intercept, support, Link::Softmax)?, report))
}

/// A fit in the solver's layout.
fn at(objective: &Objective<'_>, fitted: &Fitted) -> Result<Vec<f64>> {
    let (matrix, intercept) = fitted.presence()?;
    Ok(objective.layout(matrix, &intercept))
}

/// Minimises in f32, and on in f64 where f32 stalls; through ever narrower smoothing where the divergence has kinks.
fn minimise(objective: &mut Objective<'_>, h: &Preconditioner, x: &mut [f64], limits: Limits<'_>) -> Result<Outcome> {
    let mut solver = Solver::new(h, objective);
    let mut total = Outcome::default();
    let widths: Vec<Option<f32>> =
        if objective.is_smooth() { vec![None] } else { WIDTHS.iter().copied().map(Some).collect() };
    let last = widths.len() - 1;
    for (stage, width) in widths.into_iter().enumerate() {
        objective.set_smoothing(width);
        if width.is_some() {
            solver.renew(objective, x);
        }
        let tolerance = if stage < last { limits.tolerance.max(ON_THE_WAY) } else { limits.tolerance };
        for precision in [Precision::Single, Precision::Double] {
            objective.set_precision(precision);
            let left = limits.evaluations.saturating_sub(total.evaluations).max(1);
            let part = solver.minimise(objective, x, Limits { tolerance, evaluations: left, ..limits })?;
            total.add(part);
            if part.stop != Stop::Stalled {
                break;
            }
        }
    }
    Ok(total)
}

/// W and b out of the solver's layout (columns × padded classes).
fn read(x: &[f64], features: usize, classes: usize, intercept: bool) -> (Vec<Vec<f64>>, Vec<f64>) {
    let width = padded_f32(classes);
    let matrix = (0..classes).map(|c| (0..features).map(|j| x[j * width + c]).collect()).collect();
    let b = (0..classes).map(|c| if intercept { x[features * width + c] } else { 0.0 }).collect();
    (matrix, b)
}
