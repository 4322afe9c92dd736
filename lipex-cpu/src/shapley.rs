//! Fit: Kernel SHAP's surrogate, least squares held to the answers at everything and at nothing.
//!
//! Minimises Σ w (p − P_∅ − z·φ)² with Σφ = P_0 − P_∅. With the Gram G and b = Σ w z (p − P_∅) the solution is
//! G⁻¹b − ν G⁻¹1, ν = (1ᵀG⁻¹b − (P_0 − P_∅)) / 1ᵀG⁻¹1. With more features than rows it is sought among the vectors
//! (P_0 − P_∅)/F + Σ a_i (z_i − m_i/F), which all meet the constraint; m_i is the number of ones in z_i.
//!
//! # Shapes
//! φ is C × F on the kept features; P_∅ and P_0 have C numbers each.
//!
//! # Numerics
//! In f64. A Gram that is singular, as with fewer masks than features, is raised by 10⁻¹⁰ of its mean diagonal, which picks
//! the solution of least length. Rounding's rest of the constraint is spread evenly over the features, so Σφ = P_0 − P_∅ to
//! the last digit.
//!
//! # Source
//! Lundberg and Lee, A Unified Approach to Interpreting Model Predictions (2017), equation 8 and theorem 2.

use crate::Cpu;
use crate::design::{ByColumn, transposed};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::{Rows, gram, shared_ones};
use crate::linalg::Cholesky;
use crate::ridge::positions;
use lipex_core::{
    Backend, Base, Error, FitReport, Fitted, KernelShap, Linear, Link, Problem, Result, Surrogate, Watch,
};

/// What the diagonal of a Gram is raised by, as a share of its mean.
const RAISED: f64 = 1e-10;

impl Surrogate<Cpu> for KernelShap {
    /// The answer with nothing left fixes it.
    fn fits_intercept(&self) -> bool {
        false
    }

    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        on.map(problems.len(), |i| fit_one(on, &problems[i]))
    }
}

/// The values of every class, each on its own picks.
fn fit_one(on: &Cpu, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    problem.check()?;
    let around = problem.around;
    let kept = &problem.selection.kept;
    let classes = around.probabilities.classes();
    lipex_core::expect_len("classes of the selection", classes, problem.selection.per_class.len())?;
    let answer = |i: usize| -> Vec<f64> { around.probabilities.row(i).iter().map(|&p| f64::from(p)).collect() };
    let (whole, nothing) = (answer(0), answer(empty_row(problem)?));
    let support: Vec<Vec<usize>> = problem.selection.per_class.iter().map(|picks| positions(picks, kept)).collect();
    let rows = Rows::new(around, problem.multiplicities);
    let equations = Equations::new(on.watch(), &rows, kept, &nothing)?;
    let mut matrix = vec![vec![0.0; kept.len()]; classes];
    let mut solver: Option<(&[usize], Solver)> = None;
    for (c, (row, support)) in matrix.iter_mut().zip(&support).enumerate() {
        on.watch().check()?;
        if solver.as_ref().is_none_or(|(of, _)| of != support) {
            solver = Some((support, Solver::new(&equations, support)?));
        }
        if let Some((_, solver)) = &solver {
            let values = solver.solve(&equations, c, support, whole[c] - nothing[c]);
            support.iter().zip(values).for_each(|(&j, v)| row[j] = v);
        }
    }
    let (objective, gradient_norm) = equations.residuals(&matrix, &support);
    let report = FitReport { objective, gradient_norm, ..FitReport::solved("solved in closed form") };
    let answer = Linear::of_features(kept.clone(), matrix, Base::Anchored(whole), support, Link::Identity)?;
    Ok(Fitted::new(answer, report))
}

/// The row that keeps nothing.
fn empty_row(problem: &Problem<'_, Cpu>) -> Result<usize> {
    let masks = &problem.around.masks;
    (0..masks.rows()).find(|&i| masks.count(i) == 0).ok_or_else(|| {
        let reason =
            "no mask is empty, so the answer with nothing left is unknown; use the sampler kernel-shap or exhaustive";
        Error::setting("surrogate", "kernel-shap", reason)
    })
}

/// The normal equations of one problem, before any support.
struct Equations<'a> {
    /// Asked between systems.
    watch: &'a Watch,
    /// The rows that count.
    rows: &'a Rows<'a>,
    /// The features, by number.
    kept: &'a [usize],
    /// P_∅, C numbers.
    nothing: &'a [f64],
    /// The masks' patterns by column.
    design: ByColumn,
    /// Σ w z (p − P_∅) of each class.
    sides: Vec<Vec<f64>>,
    /// Σ w z zᵀ, unless there are more features than rows.
    gram: Option<Vec<f64>>,
}

impl<'a> Equations<'a> {
    /// Their sums over the rows.
    fn new(watch: &'a Watch, rows: &'a Rows<'a>, kept: &'a [usize], nothing: &'a [f64]) -> Result<Self> {
        let design = rows.by_column(kept);
        let (means, covariances) = rows.moments(&design);
        let side = |(c, covariances): (usize, Vec<f64>)| {
            let shift = rows.total * (rows.means[c] - nothing[c]);
            covariances.iter().zip(&means).map(|(v, m)| v + m * shift).collect()
        };
        let sides = covariances.into_iter().enumerate().map(side).collect();
        let gram = if kept.len() <= rows.index.len() { Some(gram(watch, rows, &design, kept)?) } else { None };
        Ok(Equations { watch, rows, kept, nothing, design, sides, gram })
    }

    /// Σ w (p − P_∅ − z·φ)² over classes, and the largest component of its gradient along the constraint.
    ///
    /// The gradient is projected on the vectors that sum to 0, the only ones along which the constraint lets φ move.
    fn residuals(&self, matrix: &[Vec<f64>], support: &[Vec<usize>]) -> (f64, f64) {
        let (rows, classes) = (self.rows, matrix.len());
        let width = padded_f64(classes);
        let mut weighted = Aligned::zeros(rows.index.len() * width);
        let mut objective = 0.0;
        for ((&i, w), out) in rows.index.iter().zip(&rows.weights).zip(weighted.chunks_exact_mut(width)) {
            let i = i as usize;
            let present: Vec<usize> = (0..self.kept.len()).filter(|&j| rows.masks.keeps(i, self.kept[j])).collect();
            let p = rows.probabilities.row(i).iter().zip(self.nothing);
            for ((o, row), (&p, nothing)) in out.iter_mut().zip(matrix).zip(p) {
                let error = f64::from(p) - nothing - present.iter().map(|&j| row[j]).sum::<f64>();
                objective += w * error * error;
                *o = w * error;
            }
        }
        let sums = transposed(&self.design, &weighted, width);
        let mut largest: f64 = 0.0;
        for (c, support) in support.iter().enumerate() {
            let gradient: Vec<f64> = support.iter().map(|&j| -2.0 * sums[j * width + c]).collect();
            let mean = gradient.iter().sum::<f64>() / gradient.len().max(1) as f64;
            largest = gradient.iter().fold(largest, |m, g| m.max((g - mean).abs()));
        }
        (objective, largest)
    }
}

/// A factor for one support.
enum Solver {
    /// Of G, with G⁻¹1.
    ByFeatures(Cholesky, Vec<f64>),
    /// Of √(w_i w_k) (z_i − m_i/F)·(z_k − m_k/F), with the m.
    ByRows(Cholesky, Vec<f64>),
}

/// Raises the diagonal of an n×n matrix and factors it.
///
/// A share of 10⁻¹⁰ moves no digit of a system that is determined.
fn raised(watch: &Watch, mut a: Vec<f64>, n: usize) -> Result<Cholesky> {
    let trace: f64 = (0..n).map(|i| a[i * n + i]).sum();
    (0..n).for_each(|i| a[i * n + i] += RAISED * trace / n as f64);
    Cholesky::new(watch, a, n)
}

impl Solver {
    /// The factor for the features of a support.
    fn new(equations: &Equations<'_>, support: &[usize]) -> Result<Self> {
        let watch = equations.watch;
        Ok(match &equations.gram {
            Some(gram) => {
                let f = equations.kept.len();
                let a = support.iter().flat_map(|&i| support.iter().map(move |&j| gram[i * f + j])).collect();
                let cholesky = raised(watch, a, support.len())?;
                let mut ones = vec![1.0; support.len()];
                cholesky.solve(&mut ones);
                Solver::ByFeatures(cholesky, ones)
            }
            None => {
                let rows = equations.rows;
                let shared = shared_ones(watch, rows, equations.kept, support)?;
                let (n, f) = (rows.index.len(), support.len() as f64);
                let counts: Vec<f64> = (0..n).map(|i| shared[i * n + i]).collect();
                let entry = |e: usize| {
                    let (i, k) = (e / n, e % n);
                    let product = if k <= i { shared[e] - counts[i] * counts[k] / f } else { 0.0 };
                    (rows.weights[i] * rows.weights[k]).sqrt() * product
                };
                Solver::ByRows(raised(watch, (0..n * n).map(entry).collect(), n)?, counts)
            }
        })
    }

    /// The values of class `c` on its support, which sum to `sum`.
    fn solve(&self, equations: &Equations<'_>, c: usize, support: &[usize], sum: f64) -> Vec<f64> {
        let share = 1.0 / support.len().max(1) as f64;
        let mut values = match self {
            Solver::ByFeatures(cholesky, ones) => {
                let mut values: Vec<f64> = support.iter().map(|&j| equations.sides[c][j]).collect();
                cholesky.solve(&mut values);
                let nu = (values.iter().sum::<f64>() - sum) / ones.iter().sum::<f64>();
                values.iter_mut().zip(ones).for_each(|(v, u)| *v -= nu * u);
                values
            }
            Solver::ByRows(cholesky, counts) => {
                let (rows, nothing) = (equations.rows, equations.nothing[c]);
                let target =
                    |i: u32, m: f64| f64::from(rows.probabilities.row(i as usize)[c]) - nothing - sum * share * m;
                let weighted = rows.index.iter().zip(&rows.weights).zip(counts);
                let mut a: Vec<f64> = weighted.map(|((&i, w), &m)| w.sqrt() * target(i, m)).collect();
                cholesky.solve(&mut a);
                a.iter_mut().zip(&rows.weights).for_each(|(a, w)| *a *= w.sqrt());
                let width = padded_f64(1);
                let mut y = Aligned::zeros(a.len() * width);
                y.iter_mut().step_by(width).zip(&a).for_each(|(y, a)| *y = *a);
                let sums = transposed(&equations.design, &y, width);
                let along: f64 = a.iter().zip(counts).map(|(a, m)| a * m * share).sum();
                support.iter().map(|&j| sum * share + sums[j * width] - along).collect()
            }
        };
        // What rounding has left of the constraint is spread evenly.
        let rest = (sum - values.iter().sum::<f64>()) * share;
        values.iter_mut().for_each(|v| *v += rest);
        values
    }
}
