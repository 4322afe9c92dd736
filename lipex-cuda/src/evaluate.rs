//! Evaluate: agreement of a surrogate with the black box, on masks that it has seen and on masks held out.
//!
//! # How
//! Equal masks are found by a hash table in device memory; the host deals folds. Refits of all folds of all instances are one
//! batch of the surrogate. Then a thread a row sums distances, in f64 and in a fixed order, of all rows, of each fold and of
//! the instance.
//!
//! # What goes to the host
//! Answers that are not W z + b: pairs, anchored bases on removals, and a user's own.
//!
//! # Shapes
//! Sums of an agreement are six f64: weight, TV, H², KL, rows of the same arg max, rows off the simplex; of a class three: Σ w
//! p, Σ w p², Σ w (p − q)². The host divides.

use crate::arena::{Arena, Plan, Spot};
use crate::device::Cuda;
use crate::error::by_chunks;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::select::to_host;
use bytemuck::Zeroable;
use lipex_core::{
    Agreement, Answer, Error, Evaluator, Fidelity, Fitted, Linear, Link, Masks, OutOfFold, Problem, Result, Surrogate,
    deal_folds, refit_without_folds,
};
use lipex_kernels::EVALUATE;

/// Numbers of an agreement: weight, TV, H², KL, same arg max, off the simplex.
const AGREEMENT: usize = 6;
/// Sums of an evaluation: over all rows, and over those near the instance.
const SUMS: usize = 2 * AGREEMENT;
/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] =
    &[("evaluate", "SUMS", SUMS), ("evaluate", "ALL", 0), ("evaluate", "FOLD", 1), ("evaluate", "INSTANCE", 2)];

mirrored! {
    /// One evaluation, field by field as the kernels have it.
    "evaluate" "Evaluation"
    pub(crate) struct Job {
        /// N × words.
        bits: u64,
        /// N × C.
        p: u64,
        /// N.
        pi: u64,
        /// N; null: once.
        times: u64,
        /// N: the fold of each row.
        folds: u64,
        /// F.
        kept: u64,
        /// C × (F + 1).
        x: u64,
        /// N, the rows of the masks.
        rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        words: u64,
        /// C.
        classes: u64,
        /// F, the kept features.
        features: u64,
        /// D, all features.
        all: u64,
        /// Which rows: all, one fold, or the instance.
        which: u64,
        /// The fold whose rows are summed.
        fold: u64,
        /// 1: scores are the answer (ridge).
        identity: u64,
        /// C × N, of the instance alone C: room for the surrogate's answers.
        answers: u64,
        /// Weight, TV, H², KL, same arg max, off the simplex; again, of near rows.
        sums: u64,
        /// C × 3: Σ w p, Σ w p², Σ w (p − q)².
        squares: u64,
    }
}

/// Rows that an evaluation is over, by the kernel's numbers.
#[derive(Clone, Copy)]
enum Rows {
    /// Every row.
    All,
    /// The rows of one fold, under the refit without it.
    Fold(usize),
    /// Row 0 alone.
    Instance,
}

impl Evaluator<Cuda> for OutOfFold {
    fn evaluate(
        &self,
        on: &Cuda,
        problems: &[Problem<'_, Cuda>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<Cuda>,
    ) -> Result<Vec<Fidelity>> {
        let mut folds: Vec<Vec<usize>> = Vec::with_capacity(problems.len());
        for problem in problems {
            folds.push(deal_folds(&first_rows(on, &problem.around.masks)?, self.folds, problem.around.dependence));
        }
        let refits = refit_without_folds(on, problems, fitted, &folds, surrogate)?;
        let asked: Vec<Asked<'_>> = (0..problems.len())
            .map(|i| Asked { problem: &problems[i], answer: &fitted[i].answer, folds: &folds[i], refits: &refits[i] })
            .collect();
        let of_device: Vec<&Asked<'_>> = asked.iter().filter(|asked| asked.is_plain()).collect();
        let mut found = by_chunks(&of_device, &mut |part| fidelities(on, part))?.into_iter();
        asked
            .iter()
            .map(|asked| asked.is_plain().then(|| found.next()).flatten().map_or_else(|| asked.on_the_host(on), Ok))
            .collect()
    }
}

/// For each row the first one with its mask.
pub(crate) fn first_rows(on: &Cuda, masks: &Masks<Cuda>) -> Result<Vec<u32>> {
    let (rows, words) = (masks.rows(), masks.words());
    // Twice as many slots as rows, so that the search for one is short.
    let slots = (2 * rows).next_power_of_two();
    let (table, first) = (on.zeroed::<u32>("evaluate", slots)?, on.room::<u32>("evaluate", rows)?);
    let shape = Shape { grid: (rows.div_ceil(256), 1), threads: 256, shared: 0 };
    let last = Argument::Word((slots - 1) as u32);
    let enter = [masks.bits().into(), (&table).into(), rows.into(), words.into(), last];
    let find = [masks.bits().into(), (&table).into(), (&first).into(), rows.into(), words.into(), last];
    // SAFETY: lipex_evaluate_enter(bits, slots, rows, words, last) and lipex_evaluate_first(bits, slots, first, rows, words,
    // last): bits have rows · words words, slots last + 1, a power of two and more than rows, first one a row.
    unsafe {
        on.launch("evaluate", (&EVALUATE, "lipex_evaluate_enter", None), shape, &enter)?;
        on.launch("evaluate", (&EVALUATE, "lipex_evaluate_first", None), shape, &find)?;
    }
    on.receive("evaluate", &first)
}

/// W and b of an answer that is W z + b, which the kernels have.
fn plain(answer: &Answer) -> Option<(&[Vec<f64>], Vec<f64>)> {
    answer.linear().and_then(Linear::presence)
}

/// W and b of each class side by side, C × (F + 1).
pub(crate) fn with_intercepts(answer: &Answer) -> Result<Vec<f64>> {
    let (matrix, intercept) = plain(answer)
        .ok_or_else(|| Error::setting("backend", "cuda", "the kernels have surrogates without pairs; use the cpu"))?;
    Ok(matrix.iter().zip(&intercept).flat_map(|(row, b)| row.iter().copied().chain([*b])).collect())
}

/// What an evaluation of a problem has on the device.
struct Placed {
    times: Option<Spot>,
    kept: Spot,
    folds: Spot,
    /// Of the instance, of all rows, of the rows of each fold.
    points: Vec<Spot>,
    answers: [Spot; 3],
    sums: Spot,
    squares: Spot,
}

/// A problem with the fits to be evaluated.
struct Asked<'a> {
    problem: &'a Problem<'a, Cuda>,
    answer: &'a Answer,
    folds: &'a [usize],
    refits: &'a [Answer],
}

impl Asked<'_> {
    /// Whether all are W z + b.
    fn is_plain(&self) -> bool {
        self.all().all(|(_, answer)| plain(answer).is_some())
    }

    /// What is no W z + b is evaluated on the host, on a copy.
    fn on_the_host(&self, on: &Cuda) -> Result<Fidelity> {
        let around = to_host(on, self.problem.around)?;
        let Problem { selection, multiplicities, start, tolerance, requery, .. } = *self.problem;
        let copy = Problem { around: &around, selection, multiplicities, start, tolerance, requery };
        lipex_cpu::fidelity(&copy, self.answer, self.folds, self.refits)
    }

    /// The fits with their rows, in the order of [`Placed::points`].
    fn all(&self) -> impl Iterator<Item = (Rows, &Answer)> {
        let both = [(Rows::Instance, self.answer), (Rows::All, self.answer)];
        both.into_iter().chain(self.refits.iter().zip(1..).map(|(refit, k)| (Rows::Fold(k), refit)))
    }

    fn plan(&self, plan: &mut Plan) -> Result<Placed> {
        let around = self.problem.around;
        let classes = around.probabilities.classes();
        let kept: Vec<u32> = self.answer.kept().iter().map(|&j| j as u32).collect();
        let folds: Vec<u32> = self.folds.iter().map(|&k| k as u32).collect();
        // No row is in two folds, so that the folds' answers share an array.
        let apart = if self.refits.is_empty() { 0 } else { classes * around.rows() };
        let points = self.all().map(|(_, answer)| Ok(plan.send(&with_intercepts(answer)?))).collect::<Result<_>>()?;
        Ok(Placed {
            times: plan.send_some(self.problem.multiplicities),
            kept: plan.send(&kept),
            folds: plan.send(&folds),
            points,
            answers: [classes * around.rows(), apart, classes].map(|numbers| plan.room::<f32>(numbers)),
            sums: plan.answer::<f64>(SUMS * (2 + self.refits.len())),
            squares: plan.answer::<f64>(3 * classes),
        })
    }

    fn jobs(&self, on: &Cuda, arena: &Arena, placed: &Placed) -> Result<Vec<Job>> {
        let around = self.problem.around;
        let arrays = on.arrays("evaluate", around)?;
        let base = Job {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: arena.at_some(placed.times),
            folds: arena.at(placed.folds),
            kept: arena.at(placed.kept),
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: around.probabilities.classes() as u64,
            features: self.answer.kept().len() as u64,
            all: around.masks.features() as u64,
            squares: arena.at(placed.squares),
            ..Job::zeroed()
        };
        let one = |(at, (rows, answer)): (usize, (Rows, &Answer))| {
            let (which, fold) = match rows {
                Rows::All => (0, 0),
                Rows::Fold(k) => (1, k as u64),
                Rows::Instance => (2, 0),
            };
            Job {
                x: arena.at(placed.points[at]),
                which: which as u64,
                fold,
                identity: u64::from(answer.link() == Link::Identity),
                answers: arena.at(placed.answers[which]),
                sums: arena.at(placed.sums) + (8 * SUMS * at) as u64,
                ..base
            }
        };
        Ok(self.all().enumerate().map(one).collect())
    }
}

/// The fidelities of a batch.
fn fidelities(on: &Cuda, asked: &[&Asked<'_>]) -> Result<Vec<Fidelity>> {
    let mut plan = Plan::default();
    let count = asked.iter().map(|asked| 2 + asked.refits.len()).sum();
    let table = plan.jobs::<Job>(count);
    let placed = asked.iter().map(|asked| asked.plan(&mut plan)).collect::<Result<Vec<Placed>>>()?;
    let mut arena = plan.place(on, "evaluate")?;
    let mut jobs = Vec::with_capacity(count);
    for (asked, placed) in asked.iter().zip(&placed) {
        jobs.extend(asked.jobs(on, &arena, placed)?);
    }
    arena.set(table, &jobs);
    arena.send(on)?;
    for (part, first) in jobs.chunks(MOST_DOWN).zip((0..).step_by(MOST_DOWN)) {
        let classes = part.iter().map(|j| j.classes as usize).max().unwrap_or(0);
        let shape = |across| Shape { grid: (across, part.len()), threads: 256, shared: 0 };
        let jobs = [Argument::Long(arena.at(table) + (first * size_of::<Job>()) as u64)];
        // SAFETY: lipex_evaluate(evaluations) and lipex_evaluate_classes(evaluations), one a row of the grid: arrays of rows as
        // the neighbourhood has them, folds one a row where a fold is asked for, kept one a feature, x classes · (features + 1),
        // answers classes · rows (classes for the instance), sums 12, squares 3 · classes. All live in the arena.
        unsafe {
            on.launch("evaluate", (&EVALUATE, "lipex_evaluate", None), shape(1), &jobs)?;
            on.launch("evaluate", (&EVALUATE, "lipex_evaluate_classes", None), shape(classes), &jobs)?;
        }
    }
    let answers = arena.receive_answers(on)?;
    Ok(placed
        .iter()
        .map(|placed| fidelity(&answers.of::<f64>(placed.sums), &answers.of::<f64>(placed.squares)))
        .collect())
}

/// A fidelity from the sums of the instance, of all rows and of each fold, and those of R².
fn fidelity(sums: &[f64], squares: &[f64]) -> Fidelity {
    let all: Vec<&[f64]> = sums.chunks_exact(SUMS).collect();
    let sums: Vec<f64> = (0..SUMS).map(|s| all[2..].iter().map(|of| of[s]).sum()).collect();
    let (unseen, near) = sums.split_at(AGREEMENT);
    let weight = all[1][0];
    Fidelity {
        out_of_fold: (unseen[0] > 0.0).then(|| mean(unseen)),
        near: (near[0] > 0.0).then(|| mean(near)),
        at_instance: mean(all[0]),
        in_sample: mean(all[1]),
        r2: squares.chunks_exact(3).map(|s| r2(s, weight)).collect(),
    }
}

/// Weighted means out of sums of [w, w·TV, w·Hellinger …] over some rows.
fn mean(sums: &[f64]) -> Agreement {
    // Without any weight nothing was measured; 0/0 would not survive a file.
    let w = if sums[0] > 0.0 { sums[0] } else { 1.0 };
    Agreement {
        tv: sums[1] / w,
        hellinger: sums[2] / w,
        // Below 0 by rounding alone.
        kl: (sums[3] / w).max(0.0),
        arg_max: sums[4] / w,
        off_simplex: sums[5] / w,
    }
}

/// R² of a class from Σ w p, Σ w p² and Σ w (p − q)².
fn r2(sums: &[f64], weight: f64) -> f64 {
    let spread = sums[1] - sums[0] * sums[0] / weight;
    // What is left of a constant class is rounding.
    if spread > 1e-12 * sums[1] { 1.0 - sums[2] / spread } else { 0.0 }
}
