//! Fit: the ridge surrogate, which is LIME for every class at once.

use crate::Cpu;
use crate::least_squares::{Rows, ridge};
use lipex_core::{FitReport, Fitted, Link, Problem, Result, Ridge, Support, Surrogate};
use std::collections::HashSet;

impl Surrogate<Cpu> for Ridge {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        on.map(problems.len(), |i| fit_one(self, &problems[i]))
    }
}

fn fit_one(settings: &Ridge, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
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
    for ((row, support), (coefficients, b)) in matrix.iter_mut().zip(&support).zip(ridge(&rows, kept, &support, alpha))
    {
        support.iter().zip(coefficients).for_each(|(&j, v)| row[j] = v);
        intercept.push(b);
    }
    let (objective, gradient_norm) = objective(&rows, kept, &matrix, &intercept, &support, alpha);
    let report = FitReport { objective, gradient_norm, lambda: alpha, ..FitReport::solved("solved in closed form") };
    Ok(Fitted { kept: kept.clone(), matrix, intercept, support, link: Link::Identity, report })
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
    let (mut total, mut largest) = (0.0, 0.0f64);
    for (c, ((row, b), support)) in matrix.iter().zip(intercept).zip(support).enumerate() {
        total += alpha * row.iter().map(|v| v * v).sum::<f64>();
        let mut gradient: Vec<f64> = support.iter().map(|&j| 2.0 * alpha * row[j]).collect();
        let mut of_intercept = 0.0;
        for (&i, w) in rows.index.iter().zip(&rows.weights) {
            let present = |&&j: &&usize| rows.masks.keeps(i as usize, kept[j]);
            let answer = b + support.iter().filter(present).map(|&j| row[j]).sum::<f64>();
            let error = f64::from(rows.probabilities.row(i as usize)[c]) - answer;
            total += w * error * error;
            of_intercept -= 2.0 * w * error;
            for (g, _) in gradient.iter_mut().zip(support).filter(|(_, j)| present(j)) {
                *g -= 2.0 * w * error;
            }
        }
        largest = gradient.into_iter().fold(largest.max(of_intercept.abs()), |m, g| m.max(g.abs()));
    }
    (total, largest)
}
