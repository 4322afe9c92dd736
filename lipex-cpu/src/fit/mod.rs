//! Fit: the softmax surrogate.
//!
//! form.rs says what is fitted, objective.rs evaluates L(W, b) and its gradient, precondition.rs makes the approximate inverse
//! Hessian, lbfgs.rs minimises, kinks.rs has the curvature where a divergence has kinks, lambda.rs chooses λ where the data
//! are to, starts.rs chooses where to start, pairs.rs chooses pairs, shared.rs has what several fits have in common; this file
//! puts them together.
//!
//! # What is minimised
//! L(X) = Σ_i w_i d(p_i ‖ softmax(o + z_i X)) + ½ Σ_k λ_k ‖X_k‖², with w_i = π_i m_i/n, z_i the row's columns, o what logits
//! start from (0, or ln P₀ of an anchored fit) and λ_k the column's penalty (λ; 10⁻⁸ for the intercept). Adding a vector to
//! all of a column's classes changes no answer, so X is sought among columns that sum to 0.
//!
//! # How
//! Least squares of ln p give a first X and the preconditioner; L-BFGS in f32, on in f64 where that stalls. A divergence with
//! kinks is smoothed by [`WIDTHS`], each fit from the one before. KL is convex in X; under other divergences several starts
//! may be tried.
//!
//! # Shapes
//! Problems of one neighbourhood with the same features form a group, which shares its design, P, and the preconditioner at a
//! common start.

mod authors;
mod auto_intercept;
mod form;
mod kinks;
mod lambda;
mod lbfgs;
mod objective;
mod pairs;
mod precondition;
mod shared;
mod starts;

use crate::Cpu;
use crate::candidates::Wanted;
use crate::sandwich;
pub use form::given_pairs;
pub(crate) use form::terms;
pub(crate) use lambda::{folds_of, ln_softmax};
use lbfgs::{Limits, Outcome, Solver, Stop};
use lipex_core::{
    Backend, FitReport, Fitted, FoldFits, Intercept, Lambda, Neighbourhood, Normalise, Pairs, Problem, Result, Seen,
    Softmax, Spread, Start, Surrogate,
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
        self.check()?;
        problems.iter().try_for_each(Problem::check)?;
        if self.intercept_in_use() == Intercept::Auto {
            return auto_intercept::fit(self, on, problems);
        }
        let mut fitted: Vec<Option<Fitted>> = problems.iter().map(|_| None).collect();
        for groups in together(self, problems)?.chunks(PREPARED * on.threads()) {
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

    /// The sandwich; `None` where it is not defined, and refits serve.
    fn spread(&self, on: &Cpu, problem: &Problem<'_, Cpu>, fitted: &Fitted) -> Result<Option<Spread>> {
        sandwich::spread(on, self, problem, fitted)
    }

    fn left_by_penalty(&self, seen: &Seen<'_>, fitted: &Fitted) -> Option<f64> {
        self.left(seen, fitted)
    }

    /// By one more fit from this one.
    fn relaxed(&self, on: &Cpu, problem: &Problem<'_, Cpu>, fitted: &Fitted) -> Result<Option<Fitted>> {
        problem.check()?;
        let warm = Problem { start: Some(fitted), ..*problem };
        let settings = auto_intercept::settled(self, fitted)?;
        let shared = Shared::new(on, &settings, std::slice::from_ref(&warm), &[0])?;
        fit_at(&settings, &shared, &warm, fitted.report.lambda / 100.0).map(Some)
    }
}

/// Rows that count, with π·m/n of each.
///
/// # Shapes
/// Row numbers, ascending, and a weight each; rows of weight 0 are left out of every sum.
fn weights(settings: &Softmax, around: &Neighbourhood<Cpu>, multiplicities: Option<&[u32]>) -> (Vec<u32>, Vec<f64>) {
    let proximity = around.weights.values();
    let times = |i: usize| multiplicities.map_or(1.0, |m| f64::from(m[i]));
    let weight = |i: usize| f64::from(proximity[i]) * times(i);
    let all = 0..proximity.len();
    let n: f64 = match settings.normalise_in_use() {
        Normalise::Count => around.samples(multiplicities),
        Normalise::Weight => all.clone().map(weight).sum(),
    };
    all.filter(|&i| weight(i) > 0.0).map(|i| (i as u32, weight(i) / n)).unzip()
}

/// One fit: λ, then a start, then pairs if the data are to choose them.
fn fit_one(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    let lambda = match (settings.lambda_set(), problem.start) {
        (Lambda::Fixed(_), _) => settings.lambda_used()?,
        (Lambda::Auto, Some(start)) => start.report.lambda,
        (Lambda::Auto, None) => lambda::choose(settings, shared, problem)? * settings.lambda_factor()?,
    };
    let main = starts::fit(settings, shared, problem, lambda)?;
    match (settings.pairs_in_use(), problem.start) {
        (Pairs::Auto, None) if pairs::are_idle(settings, problem) => Ok(main),
        (Pairs::Auto, None) => with_pairs(settings, shared, problem, main, Wanted::Auto),
        (Pairs::Count(count), None) => with_pairs(settings, shared, problem, main, Wanted::Count(*count)),
        _ => Ok(main),
    }
}

/// A fit with this penalty, from the problem's start or the surrogate's own.
fn fit_at(settings: &Softmax, shared: &Shared<'_>, problem: &Problem<'_, Cpu>, lambda: f64) -> Result<Fitted> {
    fit_to(settings, shared, &shared.p, problem, lambda)
}

/// The same to other probabilities than the black box's, padded like them.
///
/// # Starts
/// Without a start the preconditioner's own least squares of ln p; with one that several problems share, its preconditioner as
/// well; with another, one that is made for it. The same problem gives the same bits whichever way.
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
            (shared.form.layout(start.linear()?, shared.kept)?, &warm.preconditioner)
        }
        (Some(start), _) => {
            made = shared.at_start(settings, start, lambda)?;
            (shared.form.layout(start.linear()?, shared.kept)?, &made)
        }
    };
    let tolerance = problem.tolerance.unwrap_or(settings.tolerance_in_use());
    let limits = Limits { tolerance, evaluations: settings.evaluation_limit(), watch: shared.watch };
    let outcome = minimise(&mut objective, preconditioner, &mut x, limits)?;
    let answer = shared.form.read(&x, (shared.kept, shared.form.pairs()), classes)?;
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
        intercept: None,
    };
    Ok(Fitted::new(answer, report))
}

/// A fit of the features alone with the pairs that explain most of what it leaves.
///
/// Parts that leave a fold out choose for themselves; their answers go into the fit, so that the fidelity need not refit.
fn with_pairs(
    settings: &Softmax,
    shared: &Shared<'_>,
    problem: &Problem<'_, Cpu>,
    mut main: Fitted,
    wanted: Wanted,
) -> Result<Fitted> {
    // Rows drawn again for a fixed number of pairs are not judged.
    let judged = problem.multiplicities.is_none() || matches!(wanted, Wanted::Auto);
    let folds = if judged { lambda::folds_of(problem) } else { Vec::new() };
    let x = shared.form.layout(main.linear()?, shared.kept)?;
    let chosen = pairs::choose(settings, shared, problem, (x, main.report.lambda), (wanted, &folds))?;
    let classes = problem.around.probabilities.classes();
    let read = |part: &pairs::Part| shared.form.read(&part.x, (shared.kept, &part.pairs), classes);
    let alone = main.report.clone();
    let report = &mut main.report;
    report.evaluations += chosen.spent.evaluations;
    report.iterations += chosen.spent.iterations;
    if let Some((outcome, objective)) = chosen.last {
        report.objective = objective;
        report.gradient_norm = outcome.gradient_norm;
        report.evaluations += outcome.evaluations;
        report.iterations += outcome.iterations;
        report.converged = outcome.stop == Stop::Tolerance;
        report.stopped = outcome.stop.describe().into();
        let without = Fitted::new(std::mem::replace(&mut main.answer, read(&chosen.whole)?.into()), alone);
        main.additive = Some(Box::new(without));
    }
    if problem.multiplicities.is_none() && !folds.is_empty() {
        let answers = chosen.folds.iter().map(|part| Ok(read(part)?.into())).collect::<Result<_>>()?;
        main.out_of_fold = Some(FoldFits { folds, answers });
    }
    Ok(main)
}

/// Minimises in f32, and on in f64 where f32 stalls; through ever narrower smoothing where the divergence has kinks.
///
/// # Order
/// Widths from .1 down to 10⁻⁴, each from the point before, with a preconditioner made anew; within each, f32 first. A stage
/// that is not the last stops early.
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
