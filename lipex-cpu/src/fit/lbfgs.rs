//! The solver: L-BFGS with ten pairs on the subspace of vectors that sum to 0 over classes, from M⁻¹ as first guess of
//! the inverse Hessian.
//!
//! # Source
//! Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.5 (Wolfe conditions); near the optimum, where
//! differences of the objective are rounding, the approximate Wolfe conditions of Hager and Zhang (2005).
//!
//! # Method
//! From x the direction is −Hg by the two-loop recursion over the last ten pairs (s, y), with M⁻¹ in its middle. A step t = 1
//! is tried first; t is doubled until the value no longer falls enough, then taken by a parabola, then bisected. A pair is
//! kept if sᵀy > 0. Where no step helps, pairs are forgotten once.
//!
//! # Stopping
//! ½gᵀHg predicts how far the objective is above its least. The run ends when that is below `tolerance` times the objective,
//! after 3 steps without progress beyond rounding, or at the limit on evaluations.
//!
//! # Numerics
//! Vectors and products in f64, evaluations in f32 or f64 as the objective is set. Differences of the objective below 10⁻⁷
//! (f32) or 10⁻¹⁴ (f64) of its size are taken for rounding: then the slope alone decides (approximate Wolfe conditions).

use super::objective::{Objective, Precision};
use super::precondition::Preconditioner;
use crate::linalg::{add_scaled, dot};
use lipex_core::{Result, Watch};
use std::collections::VecDeque;

/// Pairs that are kept.
const MEMORY: usize = 10;
/// Evaluations in one line search.
const MOST_TRIALS: usize = 20;
/// Fewest evaluations after which the preconditioner is made anew.
const LEAST_PATIENCE: usize = 20;
/// Steps without progress beyond rounding after which a precision has nothing more to give.
const PATIENCE: usize = 3;

/// When to stop.
///
/// A tolerance of 10⁻⁷ leaves the objective within that share of its least, as far as the model of it is right; explanations
/// then differ from the optimum's by some 10⁻⁴ of their size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'a> {
    /// Share of the objective that the predicted excess ½gᵀH₀g may be.
    pub tolerance: f64,
    /// Most evaluations.
    pub evaluations: usize,
    /// Whether to go on at all.
    pub watch: &'a Watch,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The predicted excess is below the tolerance.
    #[default]
    Tolerance,
    /// Steps no longer lower the objective beyond rounding.
    Stalled,
    /// The limit on evaluations.
    Evaluations,
}

impl Stop {
    /// The rule in words, as [`FitReport::stopped`](lipex_core::FitReport) has it.
    pub fn describe(self) -> &'static str {
        match self {
            Stop::Tolerance => "the predicted excess is below the tolerance",
            Stop::Stalled => "steps no longer lower the objective beyond rounding",
            Stop::Evaluations => "the limit on evaluations was reached",
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Steps taken.
    pub iterations: usize,
    pub evaluations: usize,
    /// The objective as it was evaluated.
    pub value: f64,
    /// The largest component of the gradient, centred over classes.
    pub gradient_norm: f64,
    /// Which rule ended it.
    pub stop: Stop,
}

impl Outcome {
    /// Takes up a later run.
    pub fn add(&mut self, later: Outcome) {
        self.iterations += later.iterations;
        self.evaluations += later.evaluations;
        self.value = later.value;
        self.gradient_norm = later.gradient_norm;
        self.stop = later.stop;
    }
}

/// A step that was taken and what it changed.
struct Pair {
    /// s = x′ − x.
    step: Vec<f64>,
    /// y = g′ − g.
    change: Vec<f64>,
    /// 1/sᵀy.
    inverse_product: f64,
}

/// A point with the objective and its gradient there.
struct Point {
    /// Where it is, in the solver's layout.
    x: Vec<f64>,
    /// The objective there.
    value: f64,
    /// Its gradient, centred over classes.
    gradient: Vec<f64>,
}

impl Point {
    /// Evaluates the objective at `x`.
    fn at(o: &mut Objective<'_>, x: Vec<f64>) -> Self {
        let mut gradient = vec![0.0; o.len()];
        let value = o.evaluate(&x, &mut gradient);
        Point { x, value, gradient }
    }
}

/// The solver, with its guess of the inverse Hessian.
pub(crate) struct Solver<'a> {
    /// The one that was given, which fits from one start share.
    given: &'a Preconditioner,
    /// Made where the given one was no good.
    renewed: Option<Preconditioner>,
    /// Evaluations after which a new one is worth its cost.
    patience: usize,
    /// Evaluations since the last was made.
    spent: usize,
}

impl<'a> Solver<'a> {
    /// A solver that starts from this guess and renews it when enough evaluations have been spent to pay for another.
    pub fn new(given: &'a Preconditioner, o: &Objective<'_>) -> Self {
        Solver { given, renewed: None, patience: given.worth(o).max(LEAST_PATIENCE), spent: 0 }
    }

    /// Makes the preconditioner anew at `x`, until the next call: the curvature of a smoothed divergence is its width's.
    pub fn renew(&mut self, o: &Objective<'_>, x: &[f64]) {
        self.renewed = Some(Preconditioner::at(o, x));
        self.patience = usize::MAX;
    }

    /// Minimises from `x`, which it replaces by the best point found.
    ///
    /// # Errors
    /// [`Interrupted`](lipex_core::Error::Interrupted).
    pub fn minimise(&mut self, o: &mut Objective<'_>, x: &mut [f64], limits: Limits<'_>) -> Result<Outcome> {
        // Differences of the objective below this are rounding.
        let rounding = match o.precision() {
            Precision::Single => 1e-7,
            Precision::Double => 1e-14,
        };
        let mut outcome = Outcome::default();
        let mut here = Point::at(o, x.to_vec());
        outcome.evaluations = 1;
        let mut pairs: VecDeque<Pair> = VecDeque::new();
        let mut idle = 0;
        outcome.stop = loop {
            let h = self.renewed.as_ref().unwrap_or(self.given);
            let (excess, direction) = step(o, h, &here, &pairs);
            if excess <= limits.tolerance * here.value.abs() + f64::MIN_POSITIVE {
                break Stop::Tolerance;
            }
            if idle >= PATIENCE {
                break Stop::Stalled;
            }
            if outcome.evaluations >= limits.evaluations {
                break Stop::Evaluations;
            }
            if self.spent >= self.patience {
                self.renewed = Some(Preconditioner::at(o, &here.x));
                (self.spent, self.patience) = (0, 3 * self.patience);
                continue;
            }
            let noise = rounding * (here.value.abs() + 0.1 * o.scale());
            let left = Limits { evaluations: limits.evaluations - outcome.evaluations, ..limits };
            let before = outcome.evaluations;
            let found = search(o, &here, &direction, noise, left, &mut outcome.evaluations)?;
            self.spent += outcome.evaluations - before;
            let Some(next) = found else {
                if pairs.is_empty() {
                    break Stop::Stalled;
                }
                pairs.clear();
                continue;
            };
            outcome.iterations += 1;
            idle = if here.value - next.value > rounding * here.value.abs() { 0 } else { idle + 1 };
            let mut s = next.x.clone();
            add_scaled(&mut s, -1.0, &here.x);
            let mut y = next.gradient.clone();
            add_scaled(&mut y, -1.0, &here.gradient);
            let product = dot(&s, &y);
            if product > 0.0 {
                if pairs.len() == MEMORY {
                    pairs.pop_front();
                }
                pairs.push_back(Pair { step: s, change: y, inverse_product: 1.0 / product });
            }
            here = next;
        };
        outcome.value = here.value;
        outcome.gradient_norm = here.gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
        x.copy_from_slice(&here.x);
        Ok(outcome)
    }
}

/// The predicted excess ½gᵀHg and the direction −Hg.
///
/// # Source
/// Nocedal and Wright, algorithm 7.4, with the preconditioner in the place of γI.
fn step(o: &Objective<'_>, h: &Preconditioner, here: &Point, pairs: &VecDeque<Pair>) -> (f64, Vec<f64>) {
    let mut q = here.gradient.clone();
    let mut shares = [0.0; MEMORY];
    for (share, pair) in shares.iter_mut().zip(pairs).rev() {
        *share = dot(&pair.step, &q) * pair.inverse_product;
        add_scaled(&mut q, -*share, &pair.change);
    }
    h.apply(o, &mut q);
    for (share, pair) in shares.iter().zip(pairs) {
        let back = dot(&pair.change, &q) * pair.inverse_product;
        add_scaled(&mut q, share - back, &pair.step);
    }
    let excess = 0.5 * dot(&here.gradient, &q);
    q.iter_mut().for_each(|v| *v = -*v);
    (excess, q)
}

/// A point along `direction` that meets the Wolfe conditions, exact or approximate.
///
/// # Source
/// Nocedal and Wright, algorithm 3.5, in the form of doubling and bisection; Hager and Zhang, A new conjugate gradient method
/// with guaranteed descent (2005), for the approximate conditions: `noise` is what differences of the objective may be by
/// rounding.
fn search(
    o: &mut Objective<'_>,
    here: &Point,
    direction: &[f64],
    noise: f64,
    left: Limits<'_>,
    evaluations: &mut usize,
) -> Result<Option<Point>> {
    /// c₁ of the Wolfe conditions: the share of the predicted decrease that a step must reach.
    const DECREASE: f64 = 1e-4;
    /// c₂: the share of the slope that may be left.
    const CURVATURE: f64 = 0.9;
    let slope = dot(&here.gradient, direction);
    if slope >= 0.0 {
        return Ok(None);
    }
    let (mut t, mut low, mut high) = (1.0, 0.0, f64::INFINITY);
    for _ in 0..MOST_TRIALS.min(left.evaluations) {
        left.watch.check()?;
        let mut x = here.x.clone();
        add_scaled(&mut x, t, direction);
        let there = Point::at(o, x);
        *evaluations += 1;
        let new_slope = dot(&there.gradient, direction);
        let lower = there.value <= here.value + DECREASE * t * slope;
        let flat = there.value <= here.value + noise && new_slope <= (2.0 * DECREASE - 1.0) * slope;
        // A value that is no number fails both.
        if !(lower || flat) {
            high = t;
        } else if new_slope < CURVATURE * slope {
            low = t;
        } else {
            return Ok(Some(there));
        }
        t = if high.is_infinite() {
            2.0 * t
        } else if low == 0.0 {
            let parabola = -slope * t * t / (2.0 * (there.value - here.value - slope * t));
            if parabola.is_finite() { parabola.clamp(0.1 * t, 0.5 * t) } else { 0.5 * t }
        } else {
            0.5 * (low + high)
        };
    }
    Ok(None)
}
