//! What the kernels of fit are given, and how large it is.

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
        pub bits: u64,
        pub p: u64,
        pub pi: u64,
        pub times: u64,
        pub terms: u64,
        pub start: u64,
        pub widths: u64,
        pub rows: u64,
        pub words: u64,
        pub features: u64,
        pub classes: u64,
        pub count: u64,
        pub ones: u64,
        pub removed: u64,
        pub anchored: u64,
        pub by_weight: u64,
        pub by_curvature: u64,
        pub full: u64,
        pub stages: u64,
        pub limit: u64,
        pub renew: u64,
        pub most: u64,
        pub most_double: u64,
        pub lambda: f64,
        pub kappa: f64,
        pub tolerance: f64,
        pub divisor: f64,
        pub offset: u64,
        pub lambdas: u64,
        pub codes: u64,
        pub columns: u64,
        pub by_class: u64,
        pub weights: u64,
        pub means: u64,
        pub factors: u64,
        pub diagonals: u64,
        pub solved: u64,
        pub vectors: u64,
        pub slopes: u64,
        pub tiles: u64,
        pub tables: u64,
        pub partial: u64,
        pub values: u64,
        pub search: u64,
        pub rows_room: u64,
        pub answer: u64,
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
    pub rows: usize,
    pub classes: usize,
    /// K, the columns of the fit.
    pub columns: usize,
}

impl Size {
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
