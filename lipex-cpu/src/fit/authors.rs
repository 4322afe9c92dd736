//! Fit: the recipe of the authors' released code, step for step.
//!
//! # Source
//! Adam: Kingma and Ba, A Method for Stochastic Optimization (2015), algorithm 1, with weight decay added to the gradient.
//!
//! # Shapes
//! Vectors lie as the solver's: a row a column of the design, C numbers and padding in a row. The random start is drawn as the
//! recipe's layers are: F + 1 numbers a class.
//!
//! # Numerics
//! The loss and its gradient are evaluated in f32, Adam's moments and the parameters held in f64. Columns are centred over
//! classes once, at the end: weight decay keeps them nearly so on the way.
//!
//! # Cost
//! A step is one evaluation of 128 rows. 1000 epochs of N = 1000 masks are 8000 steps, some 1000 evaluations of all rows,
//! where [`Softmax`](lipex_core::Softmax) takes tens.

use super::form::Form;
use super::objective::{Objective, Precision, Terms, padded};
use crate::Cpu;
use crate::design::{Columns, Design};
use crate::lanes::{Aligned, padded_f32};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Authors, AuthorsLoss, Backend, ErasedDivergence, FitReport, Fitted, Hellinger, Problem, Result, Start, Surrogate,
    TotalVariation,
};

/// β₁, the decay of the mean of gradients.
const FIRST_DECAY: f64 = 0.9;
/// β₂, the decay of the mean of their squares.
const SECOND_DECAY: f64 = 0.999;
/// ε, added to the root of the latter.
const EPSILON: f64 = 1e-8;

impl Surrogate<Cpu> for Authors {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        on.map(problems.len(), |i| fit_one(on, self, &problems[i]))
    }
}

/// One fit, under the loss that is set, or under both with the lower best loss kept.
fn fit_one(on: &Cpu, settings: &Authors, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    problem.check()?;
    let data = Data::new(problem);
    let from = start(settings, problem)?;
    let train = |divergence: &dyn ErasedDivergence| Training::new(&data, problem, divergence).run(on, settings, &from);
    let (best, divergence): (Best, &dyn ErasedDivergence) = match settings.loss_in_use() {
        AuthorsLoss::Hellinger => (train(&Hellinger)?, &Hellinger),
        AuthorsLoss::TotalVariation => (train(&TotalVariation)?, &TotalVariation),
        AuthorsLoss::Lower => {
            let (h, tv) = (train(&Hellinger)?, train(&TotalVariation)?);
            if tv.loss < h.loss { (tv, &TotalVariation) } else { (h, &Hellinger) }
        }
    };
    fitted(&data, problem, divergence, best)
}

/// The parameters of the lowest loss, and how the training went.
struct Best {
    /// Columns × padded classes, as the solver lays vectors out.
    x: Vec<f64>,
    /// The lowest loss of a minibatch, which chose them.
    loss: f64,
    /// Steps taken.
    steps: usize,
    /// Evaluations, each of one minibatch.
    evaluations: usize,
    /// Which rule ended the training, in words.
    stopped: &'static str,
    /// Whether the recipe's own rule ended it.
    met: bool,
}

/// The rows that count, in order, each as often as it counts.
fn rows_in_order(problem: &Problem<'_, Cpu>) -> Vec<u32> {
    let times = |i: u32| problem.multiplicities.map_or(1, |m| m[i as usize] as usize);
    (0..problem.around.rows() as u32).flat_map(|i| std::iter::repeat_n(i, times(i))).collect()
}

/// π of those rows, not divided by anything.
fn proximity(problem: &Problem<'_, Cpu>, rows: &[u32]) -> Vec<f64> {
    rows.iter().map(|&i| f64::from(problem.around.weights.values()[i as usize])).collect()
}

/// A minibatch: its rows, and π/n_batch.
struct Batch {
    /// Its rows, by number.
    rows: Vec<u32>,
    /// π of each over the number of rows of the minibatch.
    weights: Vec<f64>,
}

/// A minibatch of these rows, each weighing π over their number.
fn batch(problem: &Problem<'_, Cpu>, rows: &[u32]) -> Batch {
    let weights = proximity(problem, rows).into_iter().map(|w| w / rows.len() as f64).collect();
    Batch { rows: rows.to_vec(), weights }
}

/// What minibatches share: the design of every row, and P.
struct Data {
    /// The columns of the features and one of ones.
    design: Design,
    /// P, padded.
    p: Aligned<f32>,
    /// C.
    classes: usize,
}

impl Data {
    /// What all minibatches of a problem have in common.
    fn new(problem: &Problem<'_, Cpu>) -> Self {
        let probabilities = &problem.around.probabilities;
        let design = Design::new(&problem.around.masks, Columns::kept(&problem.selection.kept, true));
        Data { design, p: padded(probabilities), classes: probabilities.classes() }
    }

    /// The loss of a minibatch, without a penalty.
    fn loss<'a>(&'a self, batch: &'a Batch, divergence: &'a dyn ErasedDivergence) -> Objective<'a> {
        let (design, p, classes) = (&self.design, &self.p, self.classes);
        let terms = Terms { design, p, classes, divergence, lambda: 0.0, by_class: &[], ones: None, offset: &[] };
        let mut loss = Objective::new(terms, &batch.rows, &batch.weights);
        loss.set_precision(Precision::Double);
        loss
    }
}

/// One training under one divergence.
struct Training<'a> {
    /// The design and P.
    data: &'a Data,
    /// Minibatches in the order of the rows, never shuffled.
    batches: Vec<Batch>,
    /// What the loss sums.
    divergence: &'a dyn ErasedDivergence,
}

impl<'a> Training<'a> {
    /// Cuts the rows into minibatches of [`Authors::BATCH`](lipex_core::Authors::BATCH), the last one short.
    fn new(data: &'a Data, problem: &Problem<'_, Cpu>, divergence: &'a dyn ErasedDivergence) -> Self {
        let batches = rows_in_order(problem).chunks(Authors::BATCH).map(|rows| batch(problem, rows)).collect();
        Training { data, batches, divergence }
    }

    /// Trains from `start` until a rule of the recipe ends it, and gives the parameters of the lowest loss.
    fn run(&self, on: &Cpu, settings: &Authors, start: &[f64]) -> Result<Best> {
        let mut x = start.to_vec();
        let mut losses: Vec<Objective<'_>> = self.batches.iter().map(|b| self.data.loss(b, self.divergence)).collect();
        let mut adam = Adam::new(x.len());
        let mut gradient = vec![0.0; x.len()];
        let stopped = "the limit on passes over the rows was reached";
        let mut best = Best { x: x.clone(), loss: f64::INFINITY, steps: 0, evaluations: 0, stopped, met: false };
        let mut since = 0;
        for _ in 0..settings.epoch_limit() {
            for loss in &mut losses {
                on.watch().check()?;
                let value = loss.evaluate(&x, &mut gradient);
                best.evaluations += 1;
                if value < best.loss {
                    (best.loss, since) = (value, 0);
                    best.x.copy_from_slice(&x);
                } else {
                    since += 1;
                }
                if value < Authors::TARGET || since > Authors::PATIENCE {
                    best.met = true;
                    best.stopped = if since == 0 {
                        "a minibatch's loss is below 0.001"
                    } else {
                        "more than 1000 steps without a lower loss"
                    };
                    return Ok(best);
                }
                adam.step(&mut x, &gradient);
                best.steps += 1;
            }
        }
        Ok(best)
    }
}

/// The given start, or numbers uniform on ±1/√F: draw c·(F + 1) + j for W[c][j], and for b[c] the one after them.
///
/// # Source
/// The layers of the authors' framework draw so: U(−1/√F, 1/√F) for weights and biases alike.
fn start(settings: &Authors, problem: &Problem<'_, Cpu>) -> Result<Vec<f64>> {
    let (features, classes) = (problem.selection.kept.len(), problem.around.probabilities.classes());
    let width = padded_f32(classes);
    let mut x = vec![0.0; (features + 1) * width];
    let bound = 1.0 / (features.max(1) as f64).sqrt();
    let mut draws = Draws::new(settings.seed_in_use(), 0, 0, Purpose::Starts);
    let given = problem.start.map(Fitted::presence).transpose()?;
    for c in 0..classes {
        for j in 0..=features {
            x[j * width + c] = match &given {
                Some((matrix, intercept)) => *matrix[c].get(j).unwrap_or(&intercept[c]),
                None => bound * (2.0 * draws.unit((c * (features + 1) + j) as u32) - 1.0),
            };
        }
    }
    Ok(x)
}

/// Adam's state for a vector of parameters.
struct Adam {
    /// t, by which the moments are freed of their bias.
    steps: i32,
    /// m, the running mean of gradients.
    first: Vec<f64>,
    /// v, the running mean of their squares.
    second: Vec<f64>,
}

impl Adam {
    /// Moments of zero.
    fn new(len: usize) -> Self {
        Adam { steps: 0, first: vec![0.0; len], second: vec![0.0; len] }
    }

    /// x −= lr · m̂/(√v̂ + ε), with the weight decay already in the gradient.
    fn step(&mut self, x: &mut [f64], gradient: &[f64]) {
        self.steps += 1;
        let (first_bias, second_bias) = (1.0 - FIRST_DECAY.powi(self.steps), 1.0 - SECOND_DECAY.powi(self.steps));
        for (((x, g), m), v) in x.iter_mut().zip(gradient).zip(&mut self.first).zip(&mut self.second) {
            let g = g + Authors::WEIGHT_DECAY * *x;
            *m = FIRST_DECAY * *m + (1.0 - FIRST_DECAY) * g;
            *v = SECOND_DECAY * *v + (1.0 - SECOND_DECAY) * g * g;
            let denominator = (*v / second_bias).sqrt() + EPSILON;
            *x -= Authors::LEARNING_RATE * (*m / first_bias) / denominator;
        }
    }
}

/// The result, its columns centred over classes; objective and gradient over all rows.
///
/// What is reported is of all rows and with the penalty, so that it can be compared with other fits; the recipe itself looked
/// at minibatches.
fn fitted(data: &Data, problem: &Problem<'_, Cpu>, divergence: &dyn ErasedDivergence, best: Best) -> Result<Fitted> {
    let kept = &problem.selection.kept;
    let classes = problem.around.probabilities.classes();
    let rows = rows_in_order(problem);
    let all = batch(problem, &rows);
    let mut objective = data.loss(&all, divergence);
    objective.penalties.fill(Authors::WEIGHT_DECAY);
    let mut x = best.x;
    objective.centre(&mut x);
    let mut gradient = vec![0.0; x.len()];
    let value = objective.evaluate(&x, &mut gradient);
    let answer = Form::with_intercept().read(&x, (kept, &[]), classes)?;
    let report = FitReport {
        objective: value,
        gradient_norm: gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs())),
        lambda: Authors::WEIGHT_DECAY,
        iterations: best.steps,
        evaluations: best.evaluations,
        hessian_products: 0,
        converged: best.met,
        stopped: best.stopped.into(),
        start: if problem.start.is_some() { Start::Given } else { Start::Own },
        intercept: None,
    };
    Ok(Fitted::new(answer, report))
}
