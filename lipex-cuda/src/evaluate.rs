//! Evaluate: agreement of a surrogate with the black box, on masks that it has seen and on masks held out.

use crate::device::{Cuda, DeviceBuffer};
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::select::to_host;
use bytemuck::Zeroable;
use lipex_core::{
    Agreement, Answer, Dependence, Error, Evaluator, Fidelity, Fitted, Linear, Link, Masks, OutOfFold, Problem, Result,
    Surrogate, deal_folds, refit_without_folds,
};
use lipex_kernels::EVALUATE;

/// Numbers of an agreement: weight, TV, H², KL, same arg max, off the simplex.
const SUMS: usize = 6;
/// Numbers that the kernels have too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] =
    &[("evaluate", "SUMS", SUMS), ("evaluate", "ALL", 0), ("evaluate", "FOLD", 1), ("evaluate", "INSTANCE", 2)];

mirrored! {
    /// One evaluation, field by field as the kernels have it.
    "evaluate" "Evaluation"
    pub(crate) struct Job {
        bits: u64,
        p: u64,
        pi: u64,
        times: u64,
        folds: u64,
        kept: u64,
        x: u64,
        rows: u64,
        words: u64,
        classes: u64,
        features: u64,
        which: u64,
        fold: u64,
        identity: u64,
        answers: u64,
        sums: u64,
        squares: u64,
    }
}

/// Rows that an evaluation is over, by the kernel's numbers.
#[derive(Clone, Copy)]
enum Rows {
    All,
    Fold(usize),
    Instance,
}

impl Evaluator<Cuda> for OutOfFold {
    fn evaluate(
        &self,
        on: &Cuda,
        problems: &[Problem<'_, Cuda>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<Cuda>,
        dependence: Dependence,
    ) -> Result<Vec<Fidelity>> {
        let mut folds: Vec<Vec<usize>> = Vec::with_capacity(problems.len());
        for problem in problems {
            folds.push(deal_folds(&first_rows(on, &problem.around.masks)?, self.folds, dependence));
        }
        let refits = refit_without_folds(on, problems, fitted, &folds, surrogate)?;
        let mut batch = Batch::default();
        // What is no W z + b is evaluated on the host.
        let is_plain = |i: usize| std::iter::once(&fitted[i].answer).chain(&refits[i]).all(|a| plain(a).is_some());
        for (i, problem) in problems.iter().enumerate().filter(|(i, _)| is_plain(*i)) {
            batch.add(on, problem, &fitted[i].answer, &folds[i], &refits[i])?;
        }
        batch.run(on)?;
        let mut on_device = 0..;
        let of = |i: usize| {
            if is_plain(i) {
                return batch.fidelity(on, on_device.next().unwrap_or_default());
            }
            let around = to_host(on, problems[i].around)?;
            let Problem { selection, multiplicities, start, tolerance, .. } = problems[i];
            let copy = lipex_core::Problem { around: &around, selection, multiplicities, start, tolerance };
            lipex_cpu::fidelity(&copy, &fitted[i].answer, &folds[i], &refits[i])
        };
        (0..problems.len()).map(of).collect()
    }
}

/// W and b of an answer that is W z + b, which the kernels have.
fn plain(answer: &Answer) -> Option<(&[Vec<f64>], Vec<f64>)> {
    answer.linear().and_then(Linear::presence)
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

/// W and b of each class side by side, C × (F + 1).
pub(crate) fn with_intercepts(answer: &Answer) -> Result<Vec<f64>> {
    let (matrix, intercept) = plain(answer)
        .ok_or_else(|| Error::setting("backend", "cuda", "the kernels have surrogates without pairs; use the cpu"))?;
    Ok(matrix.iter().zip(&intercept).flat_map(|(row, b)| row.iter().copied().chain([*b])).collect())
}

/// The evaluations of all problems: for each the instance, all rows, and the rows of each fold.
#[derive(Default)]
struct Batch {
    jobs: Vec<Job>,
    /// Of each problem: its first job, and how many folds it has.
    problems: Vec<(usize, usize)>,
    sums: Vec<DeviceBuffer<f64>>,
    squares: Vec<DeviceBuffer<f64>>,
    words: Vec<DeviceBuffer<u32>>,
    answers: Vec<DeviceBuffer<f32>>,
    points: Vec<DeviceBuffer<f64>>,
}

impl Batch {
    fn add(
        &mut self,
        on: &Cuda,
        problem: &Problem<'_, Cuda>,
        answer: &Answer,
        folds: &[usize],
        refits: &[Answer],
    ) -> Result<()> {
        let around = problem.around;
        let arrays = on.arrays("evaluate", around)?;
        let classes = around.probabilities.classes();
        let kept: Vec<u32> = answer.kept().iter().map(|&j| j as u32).collect();
        let folds: Vec<u32> = folds.iter().map(|&k| k as u32).collect();
        let (kept, folds) = (on.send("evaluate", &kept)?, on.send("evaluate", &folds)?);
        let times = problem.multiplicities.map(|m| on.send("evaluate", m)).transpose()?;
        let sums = on.room::<f64>("evaluate", SUMS * (2 + refits.len()))?;
        let squares = on.room::<f64>("evaluate", 3 * classes)?;
        let base = Job {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times: times.as_ref().map_or(0, DeviceBuffer::address),
            folds: folds.address(),
            kept: kept.address(),
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: classes as u64,
            features: answer.kept().len() as u64,
            squares: squares.address(),
            ..Job::zeroed()
        };
        self.problems.push((self.jobs.len(), refits.len()));
        // No row is in two folds, so that the folds' answers share an array.
        let apart = if refits.is_empty() { 0 } else { classes * around.rows() };
        let room = |numbers| on.room::<f32>("evaluate", numbers);
        let (of_all, of_instance, of_folds) = (room(classes * around.rows())?, room(classes)?, room(apart)?);
        let both = [(Rows::Instance, answer), (Rows::All, answer)];
        let all = both.into_iter().chain(refits.iter().zip(1..).map(|(refit, k)| (Rows::Fold(k), refit)));
        for (at, (rows, answer)) in all.enumerate() {
            let point = on.send("evaluate", &with_intercepts(answer)?)?;
            let (which, fold, answers) = match rows {
                Rows::All => (0, 0, &of_all),
                Rows::Fold(k) => (1, k as u64, &of_folds),
                Rows::Instance => (2, 0, &of_instance),
            };
            let identity = u64::from(answer.link() == Link::Identity);
            let (x, sums) = (point.address(), sums.address() + (8 * SUMS * at) as u64);
            let answers = answers.address();
            self.jobs.push(Job { x, which, fold, identity, answers, sums, ..base });
            self.points.push(point);
        }
        self.words.extend([Some(kept), Some(folds), times].into_iter().flatten());
        self.answers.extend([of_all, of_instance, of_folds]);
        self.sums.push(sums);
        self.squares.push(squares);
        Ok(())
    }

    fn run(&self, on: &Cuda) -> Result<()> {
        for jobs in self.jobs.chunks(MOST_DOWN) {
            let table = on.send_jobs("evaluate", jobs)?;
            let classes = jobs.iter().map(|j| j.classes as usize).max().unwrap_or(0);
            let shape = |across| Shape { grid: (across, jobs.len()), threads: 256, shared: 0 };
            // SAFETY: lipex_evaluate(evaluations) and lipex_evaluate_classes(evaluations), one a row of the grid: arrays of
            // rows as the neighbourhood has them, folds one a row where a fold is asked for, kept one a feature, x
            // classes · (features + 1), answers classes · rows (classes for the instance), sums 6, squares 3 · classes. All live
            // in `self`.
            unsafe {
                on.launch("evaluate", (&EVALUATE, "lipex_evaluate", None), shape(1), &[(&table).into()])?;
                on.launch("evaluate", (&EVALUATE, "lipex_evaluate_classes", None), shape(classes), &[(&table).into()])?;
            }
        }
        Ok(())
    }

    fn fidelity(&self, on: &Cuda, problem: usize) -> Result<Fidelity> {
        let (first, folds) = self.problems[problem];
        let sums = on.receive("evaluate", &self.sums[problem])?;
        let squares = on.receive("evaluate", &self.squares[problem])?;
        let of = |at: usize| &sums[at * SUMS..(at + 1) * SUMS];
        let unseen: Vec<f64> = (0..SUMS).map(|s| (0..folds).map(|k| of(2 + k)[s]).sum()).collect();
        let weight = of(1)[0];
        debug_assert!(self.jobs[first].which == 2);
        Ok(Fidelity {
            out_of_fold: (unseen[0] > 0.0).then(|| mean(&unseen)),
            at_instance: mean(of(0)),
            in_sample: mean(of(1)),
            r2: squares.chunks_exact(3).map(|s| r2(s, weight)).collect(),
        })
    }
}

fn mean(sums: &[f64]) -> Agreement {
    // Without any weight nothing was measured; 0/0 would not survive a file.
    let w = if sums[0] > 0.0 { sums[0] } else { 1.0 };
    Agreement {
        tv: sums[1] / w,
        hellinger: sums[2] / w,
        kl: sums[3] / w,
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
