//! What the kernels of fit are given, and how large it is.
//!
//! # Memory
//! A problem's arrays lie in one arena; fields that are addresses point into it. What is sent comes first, then what is read
//! back, then what never leaves the device. With N = 1000, C = 6, K = 20 a problem takes about a megabyte; factors grow with
//! C·K².

use super::LaunchMode;
use super::form::Form;
use crate::device::Cuda;
use crate::layout::mirrored;
use lipex_core::Problem;

/// Rows of a tile, and threads of a block.
pub(super) const TILE: usize = 256;
/// Numbers of the tables that a block's warps have for themselves.
const OWN: usize = 8 * 32 * 17;
/// Pairs that L-BFGS keeps.
const MEMORY: usize = 10;
/// Vectors of C × K numbers that the solver holds: point, trial, two gradients, direction, ten pairs.
pub(super) const VECTORS: usize = 5 + 2 * MEMORY;
/// Bytes of the kernel's `Search`.
pub(super) const SEARCH: usize = size_of::<Search>();
/// Where its `done` is, in words.
pub(super) const DONE: usize = std::mem::offset_of!(Search, done) / 4;
/// Numbers in a report.
pub(super) const REPORT: usize = 8;
/// Where the objective in the solver's own terms is.
pub(super) const OWN_VALUE: usize = 5;
/// Where a report says that nothing is left to do.
pub(super) const OVER: usize = 6;
/// Where it says that row 0 keeps every feature.
pub(super) const WHOLE: usize = 7;
/// Both features of the column of ones.
pub(super) const ONES: u32 = u32::MAX;
/// Most additions of rows, classes and columns in one launch: a tenth of a second or so of one multiprocessor, so that a run
/// can be stopped, and no launch runs into the limits that systems set (2 s on Windows).
const MOST_WORK: usize = 600_000_000;
/// How many times as long they take in f64.
const DOUBLE: usize = 16;
/// Shared memory that a kernel uses beside what the launch chooses.
const STATIC: usize = 1024;
/// Most bytes of one instance's factors; beyond, their diagonals must do.
const MOST_BYTES: usize = 256 << 20;
/// The tolerance of a fit at a width that is not the last: from there only a start is wanted.
const ON_THE_WAY: f64 = 1e-5;

/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[
    ("fit", "TILE", TILE),
    ("fit", "WARPS * OWN", OWN),
    ("fit", "MEMORY", MEMORY),
    ("fit", "5 + 2 * MEMORY", VECTORS),
    ("fit", "REPORT", REPORT),
    ("fit", "OVER", OVER),
    ("fit", "WHOLE", WHOLE),
    ("fit", "OWN_VALUE", OWN_VALUE),
    ("fit", "ONES", ONES as usize),
];

mirrored! {
    /// Where the minimiser is, field by field as the kernels have it.
    "fit" "Search"
    pub(crate) struct Search {
        /// The objective at the point.
        value: f64,
        /// The objective at the trial point.
        trial: f64,
        /// gᵀd at the point, d the direction.
        slope: f64,
        /// The step tried, in lengths of d.
        t: f64,
        /// The largest step known to be too short.
        low: f64,
        /// The smallest step known to be too long; infinite at first.
        high: f64,
        /// The largest component of the gradient.
        norm: f64,
        /// Σ π·m/n, by which the noise of differences is judged.
        scale: f64,
        /// The share of the objective that is rounding: 10⁻⁷ in f32, 10⁻¹⁴ in f64.
        rounding: f64,
        /// 1/sᵀy of each pair.
        products: [f64; MEMORY],
        /// What the next step of the minimiser does.
        phase: u32,
        /// Evaluations of the line search so far.
        trials: u32,
        /// Pairs kept.
        pairs: u32,
        /// Where the newest of them is in the ring.
        newest: u32,
        /// Steps without progress beyond rounding.
        idle: u32,
        /// The width number of a divergence with kinks.
        stage: u32,
        /// Evaluations so far, of all launches.
        evaluations: u32,
        /// Steps so far.
        iterations: u32,
        /// Why it ended.
        stop: u32,
        /// 1 once nothing is left to do; blocks leave at once.
        done: u32,
        /// 1 while evaluations are made in f64.
        refined: u32,
        /// Fills the last eight bytes.
        unused: u32,
    }
}

mirrored! {
    /// A problem, field by field as the kernels have it.
    "fit" "Problem"
    pub(crate) struct Job {
        /// N × words.
        pub bits: u64,
        /// N × C.
        pub p: u64,
        /// N.
        pub pi: u64,
        /// N, how often a row counts; null: once.
        pub times: u64,
        /// K × 2: the features of a column, the same twice for one alone.
        pub terms: u64,
        /// C × K; null: the preconditioner's.
        pub start: u64,
        /// Smoothing widths, one a stage of the fit.
        pub widths: u64,
        /// N, the rows of the masks.
        pub rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        pub words: u64,
        /// F, the kept features.
        pub features: u64,
        /// C.
        pub classes: u64,
        /// K.
        pub count: u64,
        /// 1: there is a column of ones, after the features.
        pub ones: u64,
        /// 1: a feature's bit says that it is removed.
        pub removed: u64,
        /// 1: logits start from ln P₀.
        pub anchored: u64,
        /// 1: the sum is divided by Σπ·m, not by n.
        pub by_weight: u64,
        /// 1: each class has a penalty by its own curvature.
        pub by_curvature: u64,
        /// 1: factors are triangles, not diagonals.
        pub full: u64,
        /// Widths that are gone through.
        pub stages: u64,
        /// Most evaluations of the fit.
        pub limit: u64,
        /// 1: the preconditioner is made anew at the start.
        pub renew: u64,
        /// Most evaluations of one launch in f32.
        pub most: u64,
        /// Most evaluations of one launch in f64.
        pub most_double: u64,
        /// λ as it enters the objective.
        pub lambda: f64,
        /// κ of the divergence.
        pub kappa: f64,
        /// When to stop, as a share of the objective.
        pub tolerance: f64,
        /// n, what the sum of divergences is divided by.
        pub divisor: f64,
        /// C.
        pub offset: u64,
        /// C.
        pub lambdas: u64,
        /// N × ⌈K/32⌉: the kept columns, row by row.
        pub codes: u64,
        /// 2·tiles × K × 4: the same, column by column, 128 rows at a time.
        pub columns: u64,
        /// C × TILE·tiles: p, class by class; 0 past the last row.
        pub by_class: u64,
        /// TILE·tiles: π·m/n; 0 past the last row.
        pub weights: u64,
        /// TILE·tiles: mean over classes of ln max(p, 10⁻⁶).
        pub means: u64,
        /// C × K × K (or C × K if not full).
        pub factors: u64,
        /// C × K.
        pub diagonals: u64,
        /// C × K.
        pub solved: u64,
        /// 25 × C × K.
        pub vectors: u64,
        /// C × TILE (a tile's, a block's).
        pub slopes: u64,
        /// Many launches only: tiles × C × TILE.
        pub tiles: u64,
        /// Many launches only.
        pub tables: u64,
        /// Many launches only: 2·tiles × C × K.
        pub partial: u64,
        /// Many launches only: tiles.
        pub values: u64,
        /// The minimiser's state, a [`Search`].
        pub search: u64,
        /// 2 × C × TILE·tiles, for the last digits in f64 and for curvatures.
        pub rows_room: u64,
        /// C + C × K: the offset, and X at the fit's end.
        pub answer: u64,
        /// Objective, gradient norm, iterations, evaluations, stop, and `Report`.
        pub report: u64,
    }
}

impl Job {
    /// Whether its evaluations, those in f64 too, fit one launch.
    pub fn ends_in_one_launch(&self) -> bool {
        self.limit <= self.most.min(self.most_double)
    }

    /// Makes it the fit at width number `stage` of `all`, which starts where the one before ended.
    pub fn go_to(&mut self, stage: usize, all: usize, tolerance: f64) {
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
pub(super) struct Size {
    /// N.
    pub rows: usize,
    /// C.
    pub classes: usize,
    /// K, the columns of the fit.
    pub columns: usize,
}

impl Size {
    /// The sizes of a problem fitted in this form.
    pub fn of(form: &Form, problem: &Problem<'_, Cuda>) -> Self {
        Size {
            rows: problem.around.rows(),
            classes: problem.around.probabilities.classes(),
            columns: form.columns(problem.selection.kept.len()),
        }
    }

    /// Numbers of a vector of the solver.
    pub fn numbers(&self) -> usize {
        self.classes * self.columns
    }

    /// ⌈N/256⌉.
    pub fn tiles(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    /// Numbers of the tables that logits are looked up in.
    pub fn tables(&self) -> usize {
        let stride = if self.classes.is_multiple_of(4) { self.classes + 1 } else { self.classes };
        // Tables are so far apart that neighbours in (table, class) lie in neighbouring banks.
        let pitch = 16 * stride + self.classes.wrapping_sub(16 * stride) % 32;
        self.columns.div_ceil(4) * pitch
    }

    /// Whether factors are made, not their diagonals alone.
    pub fn is_full(&self) -> bool {
        self.numbers() * self.columns * 4 <= MOST_BYTES
    }

    /// Bytes of shared memory for a fit in one launch.
    pub fn shared(&self) -> usize {
        4 * (self.classes * TILE + OWN + self.tables())
    }

    /// Most evaluations in one launch, in f32 and in f64.
    pub fn most(&self, on: &Cuda) -> (usize, usize) {
        let most = on.most_evaluations.unwrap_or((MOST_WORK / (self.rows * self.numbers()).max(1)).max(1));
        (most, (most / DOUBLE).max(1))
    }

    pub fn launch_mode(&self, on: &Cuda) -> LaunchMode {
        let fits = self.shared() + STATIC <= on.shared_memory();
        match on.launch_mode {
            Some(LaunchMode::ManyLaunches) => LaunchMode::ManyLaunches,
            _ if fits => LaunchMode::OneLaunch,
            _ => LaunchMode::ManyLaunches,
        }
    }
}
