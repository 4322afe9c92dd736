//! Fit: the ridge surrogate, which is LIME for every class at once.

use crate::Cpu;
use crate::design::{ByColumn, Design, product, transposed};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::{Rows, ridge};
use lipex_core::{Backend, FitReport, Fitted, Linear, Link, Problem, Result, Ridge, Support, Surrogate};
use std::collections::HashSet;

impl Surrogate<Cpu> for Ridge {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        on.map(problems.len(), |i| fit_one(on, self, &problems[i]))
    }
}

fn fit_one(on: &Cpu, settings: &Ridge, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    problem.check()?;
    let kept = &problem.selection.kept;
    let classes = problem.around.probabilities.classes();
    let support: Vec<Vec<usize>> = match settings.support_in_use() {
        Support::Union => vec![(0..kept.len()).collect(); classes],
        Support::Own => problem.selection.per_class.iter().map(|picks| positions(picks, kept)).collect(),
    };
    lipex_core::expect_len("classes of the selection", classes, support.len())?;
    let alpha = settings.alpha_in_use();
    let rows = Rows::new(problem.around, problem.multiplicities);
    let mut matrix = vec![vec![0.0; kept.len()]; classes];
    let mut intercept = Vec::with_capacity(classes);
    let solved = ridge(on.watch(), &rows, kept, &support, alpha)?;
    for ((row, support), (coefficients, b)) in matrix.iter_mut().zip(&support).zip(solved) {
        support.iter().zip(coefficients).for_each(|(&j, v)| row[j] = v);
        intercept.push(b);
    }
    let (objective, gradient_norm) = objective(&rows, kept, &matrix, &intercept, &support, alpha);
    let report = FitReport { objective, gradient_norm, lambda: alpha, ..FitReport::solved("solved in closed form") };
    let answer = Linear::from_presence(kept.clone(), matrix, Some(intercept), support, Link::Identity)?;
    Ok(Fitted::new(answer, report))
}

/// Where a class's picks are among the kept features, ascending; both may be in any order.
pub(crate) fn positions(picks: &[usize], kept: &[usize]) -> Vec<usize> {
    let picks: HashSet<usize> = picks.iter().copied().collect();
    (0..kept.len()).filter(|&j| picks.contains(&kept[j])).collect()
}

/// Σ over classes of Σ w (p − b − W z)² + α‖W‖², and the largest component of its gradient on the supports.
fn objective(
    rows: &Rows<'_>,
    kept: &[usize],
    matrix: &[Vec<f64>],
    intercept: &[f64],
    support: &[Vec<usize>],
    alpha: f64,
) -> (f64, f64) {
    let (classes, width) = (matrix.len(), padded_f64(matrix.len()));
    let design = Design::new(rows.masks, kept, true);
    let mut x = Aligned::zeros(design.columns() * width);
    for (c, (row, b)) in matrix.iter().zip(intercept).enumerate() {
        x.iter_mut().skip(c).step_by(width).zip(row.iter().chain([b])).for_each(|(x, v)| *x = *v);
    }
    let mut errors = product(&design, &rows.index, &x, width);
    let mut total = alpha * matrix.iter().flatten().map(|v| v * v).sum::<f64>();
    for ((&i, w), errors) in rows.index.iter().zip(&rows.weights).zip(errors.chunks_exact_mut(width)) {
        for (error, &p) in errors.iter_mut().zip(rows.probabilities.row(i as usize)) {
            let off = f64::from(p) - *error;
            total += w * off * off;
            *error = w * off;
        }
    }
    let slopes = transposed(&ByColumn::new(&design, &rows.index), &errors, width);
    let slope = |column: usize, c: usize| 2.0 * slopes[column * width + c];
    let of_class = |c: usize| {
        let of_weights = support[c].iter().map(move |&j| 2.0 * alpha * matrix[c][j] - slope(j, c));
        of_weights.chain([-slope(kept.len(), c)]).fold(0.0, |most: f64, g| most.max(g.abs()))
    };
    (total, (0..classes).map(of_class).fold(0.0, f64::max))
}
