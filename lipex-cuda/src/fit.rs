//! Fit: the softmax surrogate on the device.
//!
//! The whole minimisation (for a divergence with kinks: at one width of its smoothing) is one launch where tables and a tile
//! of rows fit a block's shared memory, and alternating launches of two kernels where they do not; both give the same bits.
//! The solver is the CPU's, its evaluations are f32 with sums in f64; where f32 stalls it goes on in f64. The reported
//! objective is in f64, of the divergence itself.
//!
//! # How
//! Problems are laid out in one arena (`place.rs`). lipex_fit_prepare packs columns and weights; lipex_fit_precondition makes
//! factors; then one block fits an instance in one launch, or two launches an evaluation spread it over the device. A launch
//! makes as many evaluations as take about a tenth of a second, so a run can be stopped between.
//!
//! # Numerics
//! As on the CPU: f32 with sums over tiles in f64, then f64 where that stalls; the same stopping rule. Objectives equal the
//! CPU's within 10⁻⁵ of themselves (suite `objectives_equal_the_cpu`); both launch modes and every run give the same bits.

use crate::device::Cuda;
use crate::error::by_chunks;
use crate::host_surrogate::on_the_host;
use crate::lambda;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::modules::Programs;
use crate::sandwich;
use crate::select::to_host;
use lipex_core::{
    Backend, Error, FitReport, Fitted, Intercept, Kl, Lambda, LambdaScale, Problem, Result, Seen, Softmax, Spread,
    Start, Starts, Surrogate,
};
use lipex_cpu::Cpu;
use lipex_kernels::FIT;

mod form;
mod job;
mod place;

use form::Form;
use job::{DONE, OVER, OWN_VALUE, REPORT, SEARCH, Size, TILE, WHOLE};
#[cfg(test)]
pub(crate) use job::{Job, NUMBERS, Search};
use place::Batch;

/// Launches between two looks at whether all are done.
const BETWEEN_LOOKS: usize = 16;
/// Smoothing widths for a divergence with kinks, in order.
const WIDTHS: [f32; 7] = [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4];

/// How a fit runs on the device. Both modes give the same bits.
///
/// Chosen for each problem by whether its tables and factors fit the shared memory of a block;
/// [`Cuda::with_launch_mode`](crate::Cuda::with_launch_mode) asks for one, to measure or to test both.
///
/// ```no_run
/// use lipex_core::Explainer;
/// use lipex_cuda::{Cuda, LaunchMode};
///
/// // To time both ways on a device of your own; the answers are the same to the bit.
/// for mode in [LaunchMode::OneLaunch, LaunchMode::ManyLaunches] {
///     let explainer = Explainer::lipex(Cuda::new()?.with_launch_mode(mode));
///     assert!(explainer.check().is_ok());
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchMode {
    /// One block an instance, the whole fit in one launch. For problems whose tables fit in shared memory.
    OneLaunch,
    /// A block for every 256 rows, two launches an evaluation. For any problem.
    ManyLaunches,
}

/// One fit to be made, with what differs between fits of the same settings.
pub(crate) struct Task<'a> {
    pub problem: Problem<'a, Cuda>,
    pub lambda: f64,
    /// Whether only the first evaluation is wanted.
    pub once: bool,
}

impl Surrogate<Cuda> for Softmax {
    fn fit(&self, on: &Cuda, problems: &[Problem<'_, Cuda>]) -> Result<Vec<Fitted>> {
        problems.iter().try_for_each(Problem::check)?;
        self.check()?;
        if is_of_the_host(self) {
            return on_the_host(self, on, problems);
        }
        let lambdas = lambda::of_each(self, on, problems)?;
        let tasks: Vec<Task<'_>> = problems
            .iter()
            .zip(&lambdas)
            .map(|(p, &lambda)| Task { problem: Problem { ..*p }, lambda, once: false })
            .collect();
        let own = fit_all(self, on, &tasks)?;
        if self.starts_in_use() != Starts::Two {
            return Ok(own);
        }
        // The KL divergence is convex in W, so its solution does not depend on where its fit starts.
        let fresh: Vec<usize> = (0..problems.len()).filter(|&i| problems[i].start.is_none()).collect();
        let scale = self.divergence_in_use().kappa().map_or(1.0, |kappa| 1.0 / kappa);
        let task = |i: usize, start, lambda| Task { problem: Problem { start, ..problems[i] }, lambda, once: false };
        let tasks: Vec<Task<'_>> = fresh.iter().map(|&i| task(i, None, lambdas[i] * scale)).collect();
        let kl = fit_all(&self.clone().divergence(Kl), on, &tasks)?;
        let tasks: Vec<Task<'_>> = fresh.iter().zip(&kl).map(|(&i, from)| task(i, Some(from), lambdas[i])).collect();
        let others = fit_all(self, on, &tasks)?;
        let mut best = own;
        for ((i, from), other) in fresh.into_iter().zip(&kl).zip(others) {
            best[i] = lower(&best[i], from, other);
        }
        Ok(best)
    }

    fn spread(&self, on: &Cuda, problem: &Problem<'_, Cuda>, fitted: &Fitted) -> Result<Option<Spread>> {
        sandwich::spread(self, on, problem, fitted)
    }

    fn left_by_penalty(&self, seen: &Seen<'_>, fitted: &Fitted) -> Option<f64> {
        self.left(seen, fitted)
    }

    fn relaxed(&self, on: &Cuda, problem: &Problem<'_, Cuda>, fitted: &Fitted) -> Result<Option<Fitted>> {
        problem.check()?;
        if is_of_the_host(self) {
            let around = to_host(on, problem.around)?;
            let Problem { selection, multiplicities, start, tolerance, requery, .. } = *problem;
            let copy = Problem { around: &around, selection, multiplicities, start, tolerance, requery };
            return self.relaxed(&Cpu::new().watched(on.watch.clone()), &copy, fitted);
        }
        let lambda = fitted.report.lambda / 100.0;
        let problem = Problem { start: Some(fitted), ..*problem };
        Ok(fit_all(self, on, &[Task { problem, lambda, once: false }])?.pop())
    }
}

/// Whether the host makes these fits: what the data choose by fits without a fold, an intercept or pairs, a penalty beside
/// pairs, and a penalty for each class.
fn is_of_the_host(settings: &Softmax) -> bool {
    let (pairs, chosen) = (settings.pairs_in_use(), !matches!(settings.lambda_set(), Lambda::Fixed(_)));
    let class = settings.lambda_scale_in_use() == LambdaScale::Class;
    settings.intercept_in_use() == Intercept::Auto || pairs.are_chosen() || chosen && !pairs.is_none() || class
}

/// The better of two fits of a problem, with the work of all three.
fn lower(own: &Fitted, from: &Fitted, other: Fitted) -> Fitted {
    let spent = [own, from, &other].map(|fit| (fit.report.iterations, fit.report.evaluations));
    let mut best = if other.report.objective < own.report.objective {
        let mut other = other;
        other.report.start = Start::Kl;
        other
    } else {
        own.clone()
    };
    best.report.iterations = spent.iter().map(|s| s.0).sum();
    best.report.evaluations = spent.iter().map(|s| s.1).sum();
    best
}

/// The fits of all tasks, as many at a time as the device has room for.
pub(crate) fn fit_all(settings: &Softmax, on: &Cuda, tasks: &[Task<'_>]) -> Result<Vec<Fitted>> {
    let all: Vec<&Task<'_>> = tasks.iter().collect();
    let mut fitted = Vec::with_capacity(tasks.len());
    for part in all.chunks(MOST_DOWN) {
        fitted.extend(by_chunks(part, &mut |part| Run::new(settings, on, part)?.fitted())?);
    }
    Ok(fitted)
}

/// The objective and its gradient at a point, as the device's fit evaluates them: for comparing, and for solvers of one's
/// own.
///
/// # Shapes
/// The gradient is C × K, the intercept's column after the features if there is one, then the pairs, centred over classes. Of
/// an anchored fit, and of one with pairs, it is by −W. A divergence with kinks is
/// smoothed with width 0.1.
///
/// # Errors
/// [`Shape`](lipex_core::Error::Shape) when the point does not have the problem's sizes; those of the device.
pub fn objective(
    on: &Cuda,
    settings: &Softmax,
    problem: &Problem<'_, Cuda>,
    point: &Fitted,
) -> Result<(f64, Vec<Vec<f64>>)> {
    let task = evaluation(settings, problem, point)?;
    let tasks = [&task];
    let run = Run::new(settings, on, &tasks)?;
    run.prepare()?;
    run.minimise()?;
    run.launch("lipex_fit_objective", shape(1, 1, 0), 0)?;
    run.evaluated(2)
}

/// The same as [`objective`] by a kernel without look-ups or tiles: what the fits are checked against.
///
/// # Errors
/// Those of [`objective`].
pub fn objective_reference(
    on: &Cuda,
    settings: &Softmax,
    problem: &Problem<'_, Cuda>,
    point: &Fitted,
) -> Result<(f64, Vec<Vec<f64>>)> {
    let task = evaluation(settings, problem, point)?;
    let tasks = [&task];
    let run = Run::new(settings, on, &tasks)?;
    for name in ["lipex_fit_prepare", "lipex_fit_reference"] {
        run.launch(name, shape(1, 1, 0), 0)?;
    }
    run.evaluated(3)
}

/// The objective at `point` alone, without a step.
fn evaluation<'a>(settings: &Softmax, problem: &Problem<'a, Cuda>, point: &'a Fitted) -> Result<Task<'a>> {
    let lambda = settings.lambda_used()?;
    Ok(Task { problem: Problem { start: Some(point), ..*problem }, lambda, once: true })
}

/// A batch of fits under way.
struct Run<'a> {
    settings: &'a Softmax,
    on: &'a Cuda,
    tasks: &'a [&'a Task<'a>],
    programs: Programs,
    batch: Batch,
}

impl<'a> Run<'a> {
    fn new(settings: &'a Softmax, on: &'a Cuda, tasks: &'a [&'a Task<'a>]) -> Result<Self> {
        let divergence = settings.divergence_in_use();
        let programs = (divergence.record(!divergence.is_smooth()), divergence.record(false));
        let batch = Batch::new(settings, on, tasks)?;
        Ok(Run { settings, on, tasks, programs, batch })
    }

    /// Launches a kernel of fit on the jobs from number `first` on.
    fn launch(&self, name: &'static str, shape: Shape, first: usize) -> Result<()> {
        let table = self.batch.arena.at(self.batch.table) + (first * size_of::<job::Job>()) as u64;
        // SAFETY: all kernels of fit take (problems): a job an instance of the grid, which ends at the table's end at most. Its
        // arrays have the sizes that the kernel's `Problem` states, which `Placed` made; all live in the batch, and what is freed
        // with it is freed on the stream of the launches.
        unsafe { self.on.launch("fit", (&FIT, name, Some(&self.programs)), shape, &[Argument::Long(table)]) }
    }

    fn prepare(&self) -> Result<()> {
        self.launch("lipex_fit_prepare", shape(self.tasks.len(), 1, 0), 0)?;
        self.precondition()
    }

    fn precondition(&self) -> Result<()> {
        let classes = self.batch.most(|size| size.classes);
        self.launch("lipex_fit_precondition", shape(classes, self.tasks.len(), 0), 0)
    }

    /// Prepare, precondition, minimise in one launch or many, evaluate the divergence itself; for a divergence with kinks a fit a
    /// width, each with factors of its own curvature.
    fn fitted(mut self) -> Result<Vec<Fitted>> {
        self.prepare()?;
        let smooth = self.settings.divergence_in_use().is_smooth();
        let stages = if smooth { 1 } else { WIDTHS.len() };
        for stage in 0..stages - 1 {
            self.renew(stage, stages)?;
            loop {
                self.go_on()?;
                let once = self.batch.jobs.iter().all(job::Job::ends_in_one_launch);
                if once || are_over(&self.batch.arena.receive(self.on, self.batch.reports)?) {
                    break;
                }
            }
        }
        if !smooth {
            self.renew(stages - 1, stages)?;
        }
        loop {
            self.go_on()?;
            self.launch("lipex_fit_objective", shape(self.tasks.len(), 1, 0), 0)?;
            let answers = self.batch.arena.receive_answers(self.on)?;
            let reports: Vec<f64> = answers.of(self.batch.reports);
            if are_over(&reports) {
                return self.read(&reports, |placed| answers.of(placed));
            }
        }
    }

    /// The next smoothing width: its curvature, and factors of it.
    fn renew(&mut self, stage: usize, stages: usize) -> Result<()> {
        for (job, &i) in self.batch.jobs.iter_mut().zip(&self.batch.order) {
            job.go_to(stage, stages, tolerance(self.settings, self.tasks[i]));
        }
        self.batch.send_jobs(self.on)?;
        self.launch("lipex_fit_bend", shape(self.batch.most(Size::tiles), self.tasks.len(), 0), 0)?;
        self.precondition()
    }

    /// As many evaluations as one launch may make, on to f64 where f32 has ended.
    fn go_on(&self) -> Result<()> {
        self.minimise()?;
        self.launch("lipex_fit_double", shape(self.tasks.len(), 1, 0), 0)
    }

    /// Minimises each job, in one launch or many.
    fn minimise(&self) -> Result<()> {
        let placed = &self.batch.placed;
        let alone = placed.iter().filter(|placed| placed.mode == LaunchMode::OneLaunch).count();
        let shared = placed[..alone].iter().map(|placed| placed.size.shared()).max().unwrap_or(0);
        self.launch("lipex_fit", shape(alone, 1, shared), 0)?;
        let together = placed.len() - alone;
        if together == 0 {
            return Ok(());
        }
        let tiles = placed[alone..].iter().map(|placed| placed.size.tiles()).max().unwrap_or(0);
        self.launch("lipex_fit_advance", shape(together, 1, 0), alone)?;
        loop {
            for _ in 0..BETWEEN_LOOKS {
                self.launch("lipex_fit_tile", shape(tiles, together, 0), alone)?;
                self.launch("lipex_fit_advance", shape(together, 1, 0), alone)?;
            }
            let searches: Vec<u32> = self.batch.arena.receive(self.on, self.batch.searches)?;
            if searches.chunks_exact(SEARCH / 4).skip(alone).all(|search| search[DONE] != 0) {
                return Ok(());
            }
        }
    }

    /// The objective of the first task as the kernels have it, and vector number `at` of the solver, a row a class.
    fn evaluated(&self, at: usize) -> Result<(f64, Vec<Vec<f64>>)> {
        let (placed, arena) = (&self.batch.placed[0], &self.batch.arena);
        let (vectors, n) = (arena.receive::<f64>(self.on, placed.vectors)?, placed.size.numbers());
        let rows = vectors[at * n..(at + 1) * n].chunks_exact(placed.size.columns.max(1));
        Ok((arena.receive::<f64>(self.on, self.batch.reports)?[OWN_VALUE], rows.map(<[f64]>::to_vec).collect()))
    }

    /// The fits, in the order of the tasks.
    fn read(&self, reports: &[f64], answer: impl Fn(crate::arena::Spot) -> Vec<f64>) -> Result<Vec<Fitted>> {
        let mut fitted = Vec::with_capacity(self.tasks.len());
        let reports = reports.chunks_exact(REPORT);
        for ((placed, &i), report) in self.batch.placed.iter().zip(&self.batch.order).zip(reports) {
            fitted.push((i, one(self.tasks[i], &placed.form, &answer(placed.answer), report)?));
        }
        fitted.sort_by_key(|(i, _)| *i);
        Ok(fitted.into_iter().map(|(_, fit)| fit).collect())
    }
}

/// A fit as the device left it: the answer's numbers, and its report of [`REPORT`] numbers.
fn one(task: &Task<'_>, form: &Form, answer: &[f64], report: &[f64]) -> Result<Fitted> {
    let problem = &task.problem;
    let (kept, classes) = (&problem.selection.kept, problem.around.probabilities.classes());
    if form.anchored && report[WHOLE] == 0.0 {
        let features = problem.around.masks.features();
        let reason = format!("row 0 must keep all {features} features: it is the instance that the fit is anchored at");
        return Err(Error::setting("intercept", "anchored", reason));
    }
    let stopped = match report[4] as u32 {
        0 => "the predicted excess is below the tolerance",
        1 => "steps no longer lower the objective beyond rounding",
        _ => "the limit on evaluations was reached",
    };
    let report = FitReport {
        objective: report[0],
        gradient_norm: report[1],
        lambda: task.lambda,
        iterations: report[2] as usize,
        evaluations: report[3] as usize,
        hessian_products: 0,
        converged: report[4] == 0.0,
        stopped: stopped.into(),
        start: if problem.start.is_some() { Start::Given } else { Start::Own },
        intercept: None,
    };
    Ok(Fitted::new(form.read(answer, (classes, kept))?, report))
}

/// Whether every fit of a launch has ended; those that have not go on in the next.
fn are_over(reports: &[f64]) -> bool {
    reports.chunks_exact(REPORT).all(|report| report[OVER] != 0.0)
}

/// A launch of `across` × `down` blocks, a tile's rows of threads each.
fn shape(across: usize, down: usize, shared: usize) -> Shape {
    Shape { grid: (across, down), threads: TILE as u32, shared }
}

/// The tolerance of a task's fit.
fn tolerance(settings: &Softmax, task: &Task<'_>) -> f64 {
    task.problem.tolerance.unwrap_or(settings.tolerance_in_use())
}

/// κ; a divergence without one is taken by its curvature at ½.
fn curvature(settings: &Softmax) -> f64 {
    let divergence = settings.divergence_in_use();
    divergence.kappa().unwrap_or_else(|| {
        let (_, slope, second) = divergence.derivatives(0.5, 0.5f64.ln(), None);
        ((second - slope) / 0.5).abs().max(1e-3)
    })
}
