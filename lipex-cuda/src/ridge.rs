//! Fit: the ridge surrogate, which is LIME for every class at once.
//!
//! # How
//! lipex_select_moments sums w·p and w·z; lipex_ridge_gram the products of columns; lipex_ridge_factor makes a Cholesky factor
//! for each set of columns that classes share, lipex_ridge_solve the classes' coefficients, a warp a class. One launch each
//! for all instances.
//!
//! # Numerics
//! In f64, each sum one thread's or in a fixed order. Equal to the CPU's within 10⁻⁸ (suite `ridges_equal_the_cpu`).
//!
//! # What goes to the host
//! An anchored ridge and one with pairs.

use crate::arena::{Arena, Plan, Spot};
use crate::device::Cuda;
use crate::error::by_chunks;
use crate::host_surrogate::on_the_host;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::least_squares::{Regression, room_for_moments, sum_moments};
use bytemuck::Zeroable;
use lipex_core::{
    FitReport, Fitted, Intercept, Linear, Link, Neighbourhood, Problem, Result, Ridge, Start, Support, Surrogate,
    expect_len,
};
use lipex_kernels::RIDGE;
use std::ops::Range;

/// Classes that share their columns.
pub(crate) struct System {
    /// Positions among the task's columns.
    pub members: Vec<u32>,
    /// The classes, which lie side by side.
    pub classes: Range<usize>,
}

/// The regressions of one instance.
pub(crate) struct Task<'a> {
    /// Masks, P and π on the device.
    pub near: &'a Neighbourhood<Cuda>,
    /// How often each row counts, if not once.
    pub times: Option<&'a [u32]>,
    /// The features that are columns; all if `None`.
    pub kept: Option<&'a [usize]>,
    /// The sets of columns, with the classes that have them.
    pub systems: Vec<System>,
}

/// The regression of one class.
pub(crate) struct Solution {
    /// One a member of the class's system.
    pub coefficients: Vec<f64>,
    /// b, not penalised.
    pub intercept: f64,
    /// Σ w (p − b − z·v)² + α‖v‖².
    pub objective: f64,
    /// The largest component of its gradient.
    pub gradient_norm: f64,
}

mirrored! {
    /// A system, field by field as the kernel has it.
    "ridge" "System"
    pub(crate) struct SystemJob {
        /// Positions among the columns.
        members: u64,
        /// Columns of the system.
        size: u64,
        /// The first class of the system.
        first_class: u64,
        /// C.
        classes: u64,
        /// Size × size.
        factor: u64,
        /// Classes × size.
        solutions: u64,
        /// Classes × 3: intercept, objective, largest component of the gradient.
        reports: u64,
    }
}

mirrored! {
    /// One instance of the kernels of ridge, field by field as they have it.
    "ridge" "Ridge"
    pub(crate) struct RidgeJob {
        /// N × words.
        bits: u64,
        /// N × C.
        p: u64,
        /// N.
        pi: u64,
        /// N; null: once.
        times: u64,
        /// Features of the columns; null: all.
        kept: u64,
        /// N, the rows of the masks.
        rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        words: u64,
        /// C.
        classes: u64,
        /// K, the columns of the fit.
        columns: u64,
        /// (C+1) × columns.
        moments: u64,
        /// Columns × columns.
        gram: u64,
        /// The systems of this instance, a table.
        systems: u64,
        /// How many there are.
        count: u64,
        /// Α, the ridge penalty.
        alpha: f64,
    }
}

/// What a task has on the device.
struct Placed {
    /// The features that are columns; none for all.
    kept: Option<Spot>,
    /// N counts; none for once each.
    times: Option<Spot>,
    /// K.
    columns: usize,
    /// (C + 1) × K sums.
    moments: Spot,
    /// K × K.
    gram: Spot,
    /// The columns of each system, one list.
    members: Spot,
    /// A factor a system.
    factors: Spot,
    /// The table of systems.
    systems: Spot,
    /// Coefficients, system by system.
    solutions: Spot,
    /// Three numbers a class: intercept, objective, gradient.
    reports: Spot,
}

/// Solves a batch: for each task a solution a class, in order.
pub(crate) fn solve(on: &Cuda, stage: &'static str, tasks: &[Task<'_>], alpha: f64) -> Result<Vec<Vec<Solution>>> {
    let mut plan = Plan::default();
    let (sums, table) = (plan.jobs::<Regression>(tasks.len()), plan.jobs::<RidgeJob>(tasks.len()));
    let placed: Vec<Placed> = tasks.iter().map(|task| Placed::plan(&mut plan, task)).collect();
    let mut arena = plan.place(on, stage)?;
    let (mut regressions, mut jobs) = (Vec::new(), Vec::new());
    for (task, placed) in tasks.iter().zip(&placed) {
        let addresses = (arena.at(placed.moments), arena.at_some(placed.times), arena.at_some(placed.kept));
        let regression = Regression::new(on, stage, task.near, placed.columns, addresses)?;
        jobs.push(placed.job(&arena, task, &regression, alpha));
        regressions.push(regression);
        let systems = placed.systems(&arena, task);
        arena.set(placed.systems, &systems);
    }
    arena.set(sums, &regressions);
    arena.set(table, &jobs);
    arena.send(on)?;
    sum_moments(on, stage, &regressions, arena.at(sums))?;
    let table = [Argument::Long(arena.at(table))];
    let pairs = jobs.iter().map(|j| (j.columns * j.columns) as usize).max().unwrap_or(0);
    let grams = Shape { grid: (pairs.div_ceil(256), jobs.len()), threads: 256, shared: 0 };
    let systems = jobs.iter().map(|j| j.count as usize).max().unwrap_or(0);
    let solves = Shape { grid: (systems, jobs.len()), threads: 256, shared: 0 };
    // SAFETY: lipex_ridge_gram(ridges), lipex_ridge_factor(ridges) and lipex_ridge_solve(ridges), one an instance: arrays of
    // rows as for the moments, moments (classes + 1) · columns numbers, gram columns², systems `count` with members below
    // columns, a factor of size², solutions classes · size and reports classes · 3. All live in the arena until the solutions
    // are read below.
    unsafe {
        on.launch(stage, (&RIDGE, "lipex_ridge_gram", None), grams, &table)?;
        on.launch(stage, (&RIDGE, "lipex_ridge_factor", None), solves, &table)?;
        on.launch(stage, (&RIDGE, "lipex_ridge_solve", None), solves, &table)?;
    }
    let answers = arena.receive_answers(on)?;
    let one = |(task, placed): (&Task<'_>, &Placed)| {
        read(task, &answers.of::<f64>(placed.solutions), &answers.of::<f64>(placed.reports))
    };
    Ok(tasks.iter().zip(&placed).map(one).collect())
}

impl Placed {
    /// Asks for the room of one instance.
    fn plan(plan: &mut Plan, task: &Task<'_>) -> Self {
        let kept: Option<Vec<u32>> = task.kept.map(|kept| kept.iter().map(|&j| j as u32).collect());
        let columns = kept.as_ref().map_or(task.near.masks.features(), Vec::len);
        let total = |each: fn(&System) -> usize| task.systems.iter().map(each).sum::<usize>();
        let members: Vec<u32> = task.systems.iter().flat_map(|s| s.members.iter().copied()).collect();
        Placed {
            kept: plan.send_some(kept.as_deref()),
            times: plan.send_some(task.times),
            columns,
            moments: room_for_moments(plan, task.near, columns),
            gram: plan.room::<f64>(columns * columns),
            members: plan.send(&members),
            factors: plan.room::<f64>(total(|s| s.members.len() * s.members.len())),
            systems: plan.jobs::<SystemJob>(task.systems.len()),
            solutions: plan.answer::<f64>(total(|s| s.members.len() * s.classes.len())),
            reports: plan.answer::<f64>(3 * total(|s| s.classes.len())),
        }
    }

    /// The table of systems, once addresses are known.
    fn systems(&self, arena: &Arena, task: &Task<'_>) -> Vec<SystemJob> {
        let mut next = SystemJob {
            members: arena.at(self.members),
            factor: arena.at(self.factors),
            solutions: arena.at(self.solutions),
            reports: arena.at(self.reports),
            ..SystemJob::zeroed()
        };
        let mut systems = Vec::with_capacity(task.systems.len());
        for system in &task.systems {
            let (size, classes) = (system.members.len() as u64, system.classes.len() as u64);
            systems.push(SystemJob { size, classes, first_class: system.classes.start as u64, ..next });
            next.members += 4 * size;
            next.factor += 8 * size * size;
            next.solutions += 8 * size * classes;
            next.reports += 8 * 3 * classes;
        }
        systems
    }

    /// The job of one instance.
    fn job(&self, arena: &Arena, task: &Task<'_>, r: &Regression, alpha: f64) -> RidgeJob {
        RidgeJob {
            bits: r.bits,
            p: r.p,
            pi: r.pi,
            times: r.times,
            kept: r.kept,
            rows: r.rows,
            words: r.words,
            classes: r.classes,
            columns: r.columns,
            moments: r.moments,
            gram: arena.at(self.gram),
            systems: arena.at(self.systems),
            count: task.systems.len() as u64,
            alpha,
        }
    }
}

/// The solutions of one instance out of what came back.
fn read(task: &Task<'_>, numbers: &[f64], reports: &[f64]) -> Vec<Solution> {
    let mut solved = Vec::new();
    let (mut at, mut reports) = (0, reports.chunks_exact(3));
    for system in &task.systems {
        for _ in system.classes.clone() {
            let report = reports.next().unwrap_or(&[f64::NAN; 3]);
            let coefficients = numbers[at..at + system.members.len()].to_vec();
            at += system.members.len();
            solved.push(Solution {
                coefficients,
                intercept: report[0],
                objective: report[1],
                gradient_norm: report[2],
            });
        }
    }
    solved
}

impl Surrogate<Cuda> for Ridge {
    fn fit(&self, on: &Cuda, problems: &[Problem<'_, Cuda>]) -> Result<Vec<Fitted>> {
        if self.intercept_in_use() != Intercept::Fitted || !self.pairs_in_use().is_none() {
            return on_the_host(self, on, problems);
        }
        let all: Vec<&Problem<'_, Cuda>> = problems.iter().collect();
        let mut fitted = Vec::with_capacity(all.len());
        for part in all.chunks(MOST_DOWN) {
            fitted.extend(by_chunks(part, &mut |part| fit(self, on, part))?);
        }
        Ok(fitted)
    }
}

/// One or more systems a problem: one for the union of supports, or one for each group of classes that share a support.
fn fit(settings: &Ridge, on: &Cuda, problems: &[&Problem<'_, Cuda>]) -> Result<Vec<Fitted>> {
    let mut tasks = Vec::with_capacity(problems.len());
    for problem in problems {
        problem.check()?;
        let (kept, classes) = (&problem.selection.kept, problem.around.probabilities.classes());
        let systems = match settings.support_in_use() {
            Support::Union => vec![System { members: (0..kept.len() as u32).collect(), classes: 0..classes }],
            Support::Own => {
                expect_len("classes of the selection", classes, problem.selection.per_class.len())?;
                let own =
                    |(c, picks): (usize, &Vec<usize>)| System { members: positions(picks, kept), classes: c..c + 1 };
                problem.selection.per_class.iter().enumerate().map(own).collect()
            }
        };
        tasks.push(Task { near: problem.around, times: problem.multiplicities, kept: Some(kept), systems });
    }
    let solved = solve(on, "fit", &tasks, settings.alpha_in_use())?;
    tasks.iter().zip(solved).map(|(task, solved)| assemble(task, &solved, settings.alpha_in_use())).collect()
}

/// Where a class's picks are among the kept features, ascending.
fn positions(picks: &[usize], kept: &[usize]) -> Vec<u32> {
    (0..kept.len()).filter(|&j| picks.contains(&kept[j])).map(|j| j as u32).collect()
}

/// A fit out of the solutions of its classes.
fn assemble(task: &Task<'_>, solved: &[Solution], alpha: f64) -> Result<Fitted> {
    let kept = task.kept.unwrap_or_default();
    let mut matrix = vec![vec![0.0; kept.len()]; solved.len()];
    let mut support = vec![Vec::new(); solved.len()];
    for system in &task.systems {
        for c in system.classes.clone() {
            support[c] = system.members.iter().map(|&j| j as usize).collect();
            support[c].iter().zip(&solved[c].coefficients).for_each(|(&j, v)| matrix[c][j] = *v);
        }
    }
    let report = FitReport {
        objective: solved.iter().map(|s| s.objective).sum(),
        gradient_norm: solved.iter().fold(0.0, |m, s| m.max(s.gradient_norm)),
        lambda: alpha,
        iterations: 0,
        evaluations: 0,
        hessian_products: 0,
        converged: true,
        stopped: "solved in closed form".into(),
        start: Start::Own,
        intercept: None,
    };
    let intercept = solved.iter().map(|s| s.intercept).collect();
    let answer = Linear::from_presence(kept.to_vec(), matrix, Some(intercept), support, Link::Identity)?;
    Ok(Fitted::new(answer, report))
}
