//! Fit: the softmax surrogate on the device.
//!
//! The whole minimisation (for a divergence with kinks: at one width of its smoothing) is one launch where tables and a tile of rows fit a block's shared memory, and alternating
//! launches of two kernels where they do not; both give the same bits. The solver is the CPU's, its evaluations are f32 with
//! sums in f64; where f32 stalls it goes on in f64. The reported objective is in f64, of the divergence itself.

use crate::device::{Cuda, DeviceBuffer};
use crate::error::by_chunks;
use crate::lambda;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::sandwich;
use bytemuck::Zeroable;
use lipex_core::{
    Dependence, Error, FitReport, Fitted, Kl, LambdaScale, Linear, Link, Normalise, Problem, Result, Softmax, Spread,
    Start, Starts, Surrogate, expect_len,
};
use lipex_kernels::FIT;

/// Rows of a tile, and threads of a block.
const TILE: usize = 256;
/// Numbers of the tables that a block's warps have for themselves.
const OWN: usize = 8 * 32 * 17;
/// Vectors of C × K numbers that the solver holds: point, trial, two gradients, direction, ten pairs.
const VECTORS: usize = 5 + 2 * MEMORY;
/// Pairs that L-BFGS keeps.
const MEMORY: usize = 10;
/// Bytes of the kernel's `Search`.
const SEARCH: usize = size_of::<Search>();
/// Where its `done` is, in words.
const DONE: usize = std::mem::offset_of!(Search, done) / 4;
/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[
    ("fit", "TILE", TILE),
    ("fit", "WARPS * OWN", OWN),
    ("fit", "MEMORY", MEMORY),
    ("fit", "5 + 2 * MEMORY", VECTORS),
    ("fit", "REPORT", REPORT),
    ("fit", "OVER", OVER),
    ("fit", "OWN_VALUE", OWN_VALUE),
];
/// Numbers in a report.
const REPORT: usize = 7;
/// Where a report says that nothing is left to do.
const OVER: usize = 6;
/// Where the objective in the solver's own terms is.
const OWN_VALUE: usize = 5;
/// Most additions of rows, classes and columns in one launch: a tenth of a second or so of one multiprocessor, so that a run
/// can be stopped, and no launch runs into the limits that systems set (2 s on Windows).
const MOST_WORK: usize = 600_000_000;
/// How many times as long they take in f64.
const DOUBLE: usize = 16;
/// Shared memory that a kernel uses beside what the launch chooses.
const STATIC: usize = 1024;
/// Launches between two looks at whether all are done.
const BETWEEN_LOOKS: usize = 16;
/// Most bytes of one instance's factors; beyond, their diagonals must do.
const MOST_BYTES: usize = 256 << 20;
/// Smoothing widths for a divergence with kinks, in order.
const WIDTHS: [f32; 7] = [0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4];
/// The tolerance of a fit at a width that is not the last: from there only a start is wanted.
const ON_THE_WAY: f64 = 1e-5;

/// How a fit runs on the device. Both roads give the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Road {
    /// One block an instance, the whole fit in one launch. For problems whose tables fit in shared memory.
    OneLaunch,
    /// A block for every 256 rows, two launches an evaluation. For any problem.
    ManyLaunches,
}

mirrored! {
    /// Where the minimiser is, field by field as the kernels have it.
    "fit" "Search"
    pub(crate) struct Search {
        value: f64,
        trial: f64,
        slope: f64,
        t: f64,
        low: f64,
        high: f64,
        norm: f64,
        scale: f64,
        rounding: f64,
        products: [f64; MEMORY],
        phase: u32,
        trials: u32,
        pairs: u32,
        newest: u32,
        idle: u32,
        stage: u32,
        evaluations: u32,
        iterations: u32,
        stop: u32,
        done: u32,
        refined: u32,
        unused: u32,
    }
}

mirrored! {
    /// A problem, field by field as the kernels have it.
    "fit" "Problem"
    pub(crate) struct Job {
        bits: u64,
        p: u64,
        pi: u64,
        times: u64,
        kept: u64,
        start: u64,
        widths: u64,
        rows: u64,
        words: u64,
        classes: u64,
        features: u64,
        intercept: u64,
        by_weight: u64,
        full: u64,
        stages: u64,
        limit: u64,
        renew: u64,
        most: u64,
        most_double: u64,
        lambda: f64,
        kappa: f64,
        tolerance: f64,
        divisor: f64,
        codes: u64,
        columns: u64,
        by_class: u64,
        weights: u64,
        means: u64,
        factors: u64,
        diagonals: u64,
        solved: u64,
        vectors: u64,
        slopes: u64,
        tiles: u64,
        tables: u64,
        partial: u64,
        values: u64,
        search: u64,
        rows_room: u64,
        report: u64,
    }
}

impl Job {
    /// Whether its evaluations, those in f64 too, fit one launch.
    fn ends_in_one_launch(&self) -> bool {
        self.limit <= self.most.min(self.most_double)
    }

    /// Makes it the fit at width number `stage` of `all`, which starts where the one before ended.
    fn go_to(&mut self, stage: usize, all: usize, tolerance: f64) {
        self.renew = 1;
        self.stages = stage as u64 + 1;
        self.tolerance = if stage + 1 < all { tolerance.max(ON_THE_WAY) } else { tolerance };
        if stage > 0 {
            self.start = 0;
        }
    }
}

/// Sizes of a problem.
#[derive(Clone, Copy)]
struct Size {
    rows: usize,
    classes: usize,
    features: usize,
    /// K: the features, and one for the intercept.
    columns: usize,
}

impl Size {
    fn of(settings: &Softmax, problem: &Problem<'_, Cuda>) -> Self {
        let features = problem.selection.kept.len();
        Size {
            rows: problem.around.rows(),
            classes: problem.around.probabilities.classes(),
            features,
            columns: features + usize::from(settings.has_intercept()),
        }
    }

    fn numbers(&self) -> usize {
        self.classes * self.columns
    }

    fn tiles(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    fn tables(&self) -> usize {
        let stride = if self.classes.is_multiple_of(4) { self.classes + 1 } else { self.classes };
        // Tables are so far apart that neighbours in (table, class) lie in neighbouring banks.
        let pitch = 16 * stride + self.classes.wrapping_sub(16 * stride) % 32;
        self.columns.div_ceil(4) * pitch
    }

    /// Bytes of shared memory for the road of one launch.
    fn shared(&self) -> usize {
        4 * (self.classes * TILE + OWN + self.tables())
    }

    /// Most evaluations in one launch.
    fn most(&self, on: &Cuda) -> usize {
        let work = self.rows * self.numbers();
        on.most_evaluations.unwrap_or((MOST_WORK / work.max(1)).max(1))
    }

    fn road(&self, on: &Cuda) -> Road {
        let fits = self.shared() + STATIC <= on.shared_memory();
        match on.road {
            Some(Road::ManyLaunches) => Road::ManyLaunches,
            _ if fits => Road::OneLaunch,
            _ => Road::ManyLaunches,
        }
    }
}

/// One fit to be made, with what differs between fits of the same settings.
pub(crate) struct Task<'a> {
    pub problem: Problem<'a, Cuda>,
    pub lambda: f64,
    /// Whether only the first evaluation is wanted.
    pub once: bool,
}

/// What a task has on the device.
struct Placed {
    size: Size,
    road: Road,
    vectors: DeviceBuffer<f64>,
    _words: Vec<DeviceBuffer<u32>>,
    _floats: Vec<DeviceBuffer<f32>>,
    _doubles: Vec<DeviceBuffer<f64>>,
}

/// A batch on the device, fitted.
struct Done {
    placed: Vec<Placed>,
    reports: Vec<f64>,
}

impl Surrogate<Cuda> for Softmax {
    fn fit(&self, on: &Cuda, problems: &[Problem<'_, Cuda>]) -> Result<Vec<Fitted>> {
        problems.iter().try_for_each(Problem::check)?;
        if self.lambda_scale_in_use() == LambdaScale::Class {
            let reason =
                "a penalty for each class is fitted on the CPU only; take curvature or raw, or the backend cpu";
            return Err(Error::setting("lambda-scale", "class", reason));
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
        let bend = self.divergence_in_use().kappa().map_or(1.0, |kappa| 1.0 / kappa);
        let task = |i: usize, start, lambda| Task { problem: Problem { start, ..problems[i] }, lambda, once: false };
        let tasks: Vec<Task<'_>> = fresh.iter().map(|&i| task(i, None, lambdas[i] * bend)).collect();
        let kl = fit_all(&self.clone().divergence(Kl), on, &tasks)?;
        let tasks: Vec<Task<'_>> = fresh.iter().zip(&kl).map(|(&i, from)| task(i, Some(from), lambdas[i])).collect();
        let others = fit_all(self, on, &tasks)?;
        let mut best = own;
        for ((i, from), other) in fresh.into_iter().zip(&kl).zip(others) {
            best[i] = lower(&best[i], from, other);
        }
        Ok(best)
    }

    fn spread(
        &self,
        on: &Cuda,
        problem: &Problem<'_, Cuda>,
        fitted: &Fitted,
        dependence: Dependence,
    ) -> Result<Option<Spread>> {
        sandwich::spread(self, on, problem, fitted, dependence)
    }

    fn shrinkage(&self, on: &Cuda, problem: &Problem<'_, Cuda>, fitted: &Fitted) -> Result<Option<f64>> {
        problem.check()?;
        let lambda = fitted.report.lambda / 100.0;
        let less =
            fit_all(self, on, &[Task { problem: Problem { start: Some(fitted), ..*problem }, lambda, once: false }])?;
        Ok(less.first().and_then(|less| fitted.shrinkage(less)))
    }
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
        fitted.extend(by_chunks(part, &mut |part| {
            let done = run(settings, on, part)?;
            let reports = done.reports.chunks_exact(REPORT);
            part.iter().zip(&done.placed).zip(reports).map(|((task, placed), r)| read(on, task, placed, r)).collect()
        })?);
    }
    Ok(fitted)
}

/// The objective and its gradient at a point, as the device's fit evaluates them: for comparing, and for solvers of one's
/// own.
///
/// # Shapes
/// `matrix` C × F and `intercept` C (zeros without one); the gradient is C × K, the intercept's column last if there is
/// one, centred over classes like the point itself. A divergence with kinks is smoothed with width 0.1.
///
/// # Errors
/// [`Shape`](lipex_core::Error::Shape) when the point does not have the problem's sizes; those of the device.
pub fn objective(
    on: &Cuda,
    settings: &Softmax,
    problem: &Problem<'_, Cuda>,
    point: &Fitted,
) -> Result<(f64, Vec<Vec<f64>>)> {
    let lambda = settings.lambda_used()?;
    let task = Task { problem: Problem { start: Some(point), ..*problem }, lambda, once: true };
    let done = run(settings, on, &[&task])?;
    let gradient = vector(on, &done.placed[0], 2)?;
    Ok((done.reports[OWN_VALUE], gradient))
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
    let lambda = settings.lambda_used()?;
    let divergence = settings.divergence_in_use();
    let programs = (divergence.record(!divergence.is_smooth()), divergence.record(false));
    let task = Task { problem: Problem { start: Some(point), ..*problem }, lambda, once: true };
    let (placed, job) = place(settings, on, &task)?;
    let logits = on.room::<f32>("fit", placed.size.rows * placed.size.classes)?;
    let (search, report) = (on.room::<u32>("fit", SEARCH / 4)?, on.room::<f64>("fit", REPORT)?);
    let widths = on.send("fit", &[if divergence.is_smooth() { 0.0 } else { WIDTHS[0] }])?;
    // The kernel evaluates at the trial point, which is the start here.
    let x = on.send("fit", &layout(point, placed.size)?)?;
    let mut vectors = placed.vectors;
    on.copy_into(&x, &mut vectors, placed.size.numbers())?;
    let placed = Placed { vectors, ..placed };
    let (widths_at, report_at) = (widths.address(), report.address());
    let job = Job { widths: widths_at, partial: logits.address(), search: search.address(), report: report_at, ..job };
    let table = on.send_jobs("fit", &[job])?;
    let shape = Shape { grid: (1, 1), threads: TILE as u32, shared: 0 };
    for name in ["lipex_fit_prepare", "lipex_fit_reference"] {
        // SAFETY: as in `run`, and `partial` has rows · classes numbers, as the reference wants.
        unsafe { on.launch("fit", (&FIT, name, Some(&programs)), shape, &[(&table).into()]) }?;
    }
    Ok((on.receive("fit", &report)?[OWN_VALUE], vector(on, &placed, 3)?))
}

/// Vector number `at` of the solver, a row a class.
fn vector(on: &Cuda, placed: &Placed, at: usize) -> Result<Vec<Vec<f64>>> {
    let (size, vectors) = (placed.size, on.receive("fit", &placed.vectors)?);
    let vector = &vectors[at * size.numbers()..(at + 1) * size.numbers()];
    Ok(vector.chunks_exact(size.columns.max(1)).map(<[f64]>::to_vec).collect())
}

/// Runs a batch: prepare, precondition, minimise on either road, evaluate the divergence itself.
fn run(settings: &Softmax, on: &Cuda, tasks: &[&Task<'_>]) -> Result<Done> {
    let divergence = settings.divergence_in_use();
    let programs = (divergence.record(!divergence.is_smooth()), divergence.record(false));
    let searches = on.room::<u32>("fit", tasks.len() * SEARCH / 4)?;
    let reports = on.room::<f64>("fit", tasks.len() * REPORT)?;
    let widths = if divergence.is_smooth() { &[0.0][..] } else { &WIDTHS[..] };
    let widths_there = on.send("fit", widths)?;
    let (mut placed, mut jobs) = (Vec::new(), Vec::new());
    for (i, task) in tasks.iter().enumerate() {
        let (one, job) = place(settings, on, task)?;
        let search = searches.address() + (i * SEARCH) as u64;
        let report = reports.address() + (8 * i * REPORT) as u64;
        jobs.push(Job { widths: widths_there.address(), search, report, ..job });
        placed.push(one);
    }
    let mut table = on.send_jobs("fit", &jobs)?;
    let launch = |name: &'static str, shape: Shape, table: &DeviceBuffer<u8>| {
        let arguments: [Argument; 1] = [table.into()];
        // SAFETY: all kernels of fit take (problems): a job an instance of the grid. Its arrays have the sizes that the
        // kernel's `Problem` states, which `place` made; jobs, arrays, searches and reports live until `run` returns or
        // in its result, and what is freed then is freed on the stream of the launches.
        unsafe { on.launch("fit", (&FIT, name, Some(&programs)), shape, &arguments) }
    };
    let most = |each: fn(&Size) -> usize| placed.iter().map(|p| each(&p.size)).max().unwrap_or(0);
    launch("lipex_fit_prepare", shape(tasks.len(), 1, 0), &table)?;
    launch("lipex_fit_precondition", shape(most(|s| s.classes), tasks.len(), 0), &table)?;
    if tasks.iter().all(|task| task.once) {
        minimise(on, &launch, (&placed, &jobs), &searches)?;
        launch("lipex_fit_objective", shape(tasks.len(), 1, 0), &table)?;
        return Ok(Done { placed, reports: on.receive("fit", &reports)? });
    }
    let stages = widths.len();
    for stage in 0..stages {
        if !divergence.is_smooth() {
            // The curvature of a smoothed divergence is its width's, so the factors are too.
            jobs.iter_mut().zip(tasks).for_each(|(job, task)| job.go_to(stage, stages, tolerance(settings, task)));
            table = on.send_jobs("fit", &jobs)?;
            launch("lipex_fit_bend", shape(most(Size::tiles), tasks.len(), 0), &table)?;
            launch("lipex_fit_precondition", shape(most(|s| s.classes), tasks.len(), 0), &table)?;
        }
        loop {
            minimise(on, &launch, (&placed, &jobs), &searches)?;
            launch("lipex_fit_double", shape(tasks.len(), 1, 0), &table)?;
            // The last stage's answer is waited for anyway.
            if stage + 1 == stages {
                launch("lipex_fit_objective", shape(tasks.len(), 1, 0), &table)?;
            } else if jobs.iter().all(Job::ends_in_one_launch) {
                break;
            }
            let reports = on.receive("fit", &reports)?;
            if reports.chunks_exact(REPORT).all(|report| report[OVER] != 0.0) {
                if stage + 1 == stages {
                    return Ok(Done { placed, reports });
                }
                break;
            }
        }
    }
    Ok(Done { placed, reports: on.receive("fit", &reports)? })
}

/// Launches a kernel of fit by name, with this shape, on this table of jobs.
type Launch<'a> = &'a dyn Fn(&'static str, Shape, &DeviceBuffer<u8>) -> Result<()>;

fn shape(across: usize, down: usize, shared: usize) -> Shape {
    Shape { grid: (across, down), threads: TILE as u32, shared }
}

/// Minimises each job on its road.
fn minimise(
    on: &Cuda,
    launch: Launch<'_>,
    (placed, jobs): (&[Placed], &[Job]),
    searches: &DeviceBuffer<u32>,
) -> Result<()> {
    let of_road = |road| -> Vec<usize> { (0..jobs.len()).filter(|&i| placed[i].road == road).collect() };
    let table = |some: &[usize]| on.send_jobs("fit", &some.iter().map(|&i| jobs[i]).collect::<Vec<_>>());
    let alone = of_road(Road::OneLaunch);
    if !alone.is_empty() {
        let shared = alone.iter().map(|&i| placed[i].size.shared()).max().unwrap_or(0);
        launch("lipex_fit", shape(alone.len(), 1, shared), &table(&alone)?)?;
    }
    let together = of_road(Road::ManyLaunches);
    if !together.is_empty() {
        let tiles = together.iter().map(|&i| placed[i].size.tiles()).max().unwrap_or(0);
        let part = table(&together)?;
        launch("lipex_fit_advance", shape(together.len(), 1, 0), &part)?;
        loop {
            for _ in 0..BETWEEN_LOOKS {
                launch("lipex_fit_tile", shape(tiles, together.len(), 0), &part)?;
                launch("lipex_fit_advance", shape(together.len(), 1, 0), &part)?;
            }
            let searches = on.receive("fit", searches)?;
            if together.iter().all(|&i| searches[i * SEARCH / 4 + DONE] != 0) {
                break;
            }
        }
    }
    Ok(())
}

/// The tolerance of a task's fit.
fn tolerance(settings: &Softmax, task: &Task<'_>) -> f64 {
    task.problem.tolerance.unwrap_or(settings.tolerance_in_use())
}

fn place(settings: &Softmax, on: &Cuda, task: &Task<'_>) -> Result<(Placed, Job)> {
    let problem = &task.problem;
    problem.check()?;
    let size = Size::of(settings, problem);
    let around = problem.around;
    let arrays = on.arrays("fit", around)?;
    let kept: Vec<u32> = problem.selection.kept.iter().map(|&j| j as u32).collect();
    let kept = on.send("fit", &kept)?;
    let times = problem.multiplicities.map(|m| on.send("fit", m)).transpose()?;
    let start = problem.start.map(|s| layout(s, size)).transpose()?.map(|x| on.send("fit", &x)).transpose()?;
    let road = size.road(on);
    // For one evaluation a diagonal is enough.
    let full = !task.once && size.numbers() * size.columns * 4 <= MOST_BYTES;
    let (n, c, t) = (size.numbers(), size.classes, size.tiles());
    let many = |numbers: usize| if road == Road::ManyLaunches { numbers } else { 0 };
    let words = |len| on.room::<u32>("fit", len);
    let floats = |len| on.room::<f32>("fit", len);
    let (codes, columns) = (words(size.rows * size.columns.div_ceil(32))?, words(size.columns * t * 8)?);
    let (weights, means, by_class) = (floats(t * TILE)?, floats(t * TILE)?, floats(c * t * TILE)?);
    let factors = floats(if full { n * size.columns } else { n })?;
    let (diagonals, solved) = (floats(n)?, floats(n)?);
    let slopes = floats(c * TILE * if road == Road::ManyLaunches { t } else { 1 })?;
    let (tiles, tables) = (floats(many(t * c * TILE))?, floats(many(size.tables()))?);
    let (partial, values) = (floats(many(2 * t * n))?, on.room::<f64>("fit", many(t))?);
    let vectors = on.room::<f64>("fit", VECTORS * n)?;
    let rows_room = on.room::<f64>("fit", 2 * c * t * TILE)?;
    let address = |buffer: &Option<DeviceBuffer<u32>>| buffer.as_ref().map_or(0, DeviceBuffer::address);
    let count = problem.multiplicities.map_or(size.rows as f64, |m| m.iter().map(|&m| f64::from(m)).sum());
    let job = Job {
        bits: arrays.bits,
        p: arrays.p,
        pi: arrays.pi,
        times: address(&times),
        kept: kept.address(),
        start: start.as_ref().map_or(0, DeviceBuffer::address),
        rows: size.rows as u64,
        words: around.masks.words() as u64,
        classes: c as u64,
        features: size.features as u64,
        intercept: u64::from(settings.has_intercept()),
        by_weight: u64::from(settings.normalise_in_use() == Normalise::Weight),
        full: u64::from(full),
        stages: 1,
        limit: if task.once { 1 } else { settings.evaluation_limit() as u64 },
        most: size.most(on) as u64,
        most_double: (size.most(on) / DOUBLE).max(1) as u64,
        lambda: task.lambda,
        kappa: curvature(settings),
        tolerance: tolerance(settings, task),
        divisor: count,
        codes: codes.address(),
        columns: columns.address(),
        by_class: by_class.address(),
        weights: weights.address(),
        means: means.address(),
        factors: factors.address(),
        diagonals: diagonals.address(),
        solved: solved.address(),
        vectors: vectors.address(),
        slopes: slopes.address(),
        tiles: tiles.address(),
        tables: tables.address(),
        partial: partial.address(),
        values: values.address(),
        rows_room: rows_room.address(),
        ..Job::zeroed()
    };
    let placed = Placed {
        size,
        road,
        vectors,
        _words: [Some(kept), times, Some(codes), Some(columns)].into_iter().flatten().collect(),
        _floats: vec![by_class, weights, means, factors, diagonals, solved, slopes, tiles, tables, partial],
        _doubles: [start, Some(values), Some(rows_room)].into_iter().flatten().collect(),
    };
    Ok((placed, job))
}

/// κ; a divergence without one is taken by its curvature at ½.
fn curvature(settings: &Softmax) -> f64 {
    let divergence = settings.divergence_in_use();
    divergence.kappa().unwrap_or_else(|| {
        let (_, slope, second) = divergence.derivatives(0.5, 0.5f64.ln(), None);
        ((second - slope) / 0.5).abs().max(1e-3)
    })
}

/// A fit as the solver has it: C × K, the intercept last.
fn layout(fitted: &Fitted, size: Size) -> Result<Vec<f64>> {
    let (matrix, intercept) = fitted.presence()?;
    expect_len("classes of the start", size.classes, intercept.len())?;
    let mut x = Vec::with_capacity(size.numbers());
    for (row, b) in matrix.iter().zip(&intercept) {
        expect_len("features of the start", size.features, row.len())?;
        x.extend_from_slice(row);
        x.extend((size.columns > size.features).then_some(*b));
    }
    Ok(x)
}

fn read(on: &Cuda, task: &Task<'_>, placed: &Placed, report: &[f64]) -> Result<Fitted> {
    let size = placed.size;
    let x = on.receive_first("fit", &placed.vectors, size.numbers())?;
    let row = |c: usize| &x[c * size.columns..(c + 1) * size.columns];
    let matrix = (0..size.classes).map(|c| row(c)[..size.features].to_vec()).collect();
    let intercept = (size.columns > size.features).then(|| (0..size.classes).map(|c| row(c)[size.features]).collect());
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
        start: if task.problem.start.is_some() { Start::Given } else { Start::Own },
    };
    let support = vec![(0..size.features).collect(); size.classes];
    let kept = task.problem.selection.kept.clone();
    Ok(Fitted::new(Linear::from_presence(kept, matrix, intercept, support, Link::Softmax)?, report))
}
