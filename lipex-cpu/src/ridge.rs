//! Fit: the ridge surrogate, which is LIME for every class at once.

use crate::Cpu;
use crate::design::{ByColumn, Columns, Design, product, transposed};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::{Rows, ridge};
use crate::normal::Normal;
use lipex_core::{
    Backend, Error, FitReport, Fitted, Intercept, Link, Neighbourhood, Problem, Result, Ridge, Support, Surrogate,
};
use std::collections::HashSet;

impl Surrogate<Cpu> for Ridge {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        self.check()?;
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
    let anchored = settings.intercept_in_use() == Intercept::Anchored;
    let solved = if anchored {
        let whole = whole_instance(problem.around, settings.intercept_in_use())?;
        let normal = Normal::new(&rows, Columns::removed(kept, false, &[]), Some(whole));
        let turned = |(removed, base): (Vec<f64>, f64)| {
            let matrix: Vec<f64> = removed.iter().map(|v| -v).collect();
            let b = base - matrix.iter().sum::<f64>();
            (matrix, b)
        };
        normal.solve(on.watch(), &support, alpha)?.into_iter().map(turned).collect()
    } else {
        let spread = |(support, (values, b)): (&Vec<usize>, (Vec<f64>, f64))| {
            let mut row = vec![0.0; kept.len()];
            support.iter().zip(values).for_each(|(&j, v)| row[j] = v);
            (row, b)
        };
        let solved = ridge(on.watch(), &rows, kept, &support, alpha)?;
        support.iter().zip(solved).map(spread).collect::<Vec<_>>()
    };
    let (matrix, intercept): (Vec<_>, Vec<_>) = solved.into_iter().unzip();
    let (objective, gradient_norm) = objective(&rows, kept, (&matrix, &intercept), &support, (alpha, anchored));
    let report = FitReport { objective, gradient_norm, lambda: alpha, ..FitReport::solved("solved in closed form") };
    Ok(Fitted { kept: kept.clone(), matrix, intercept, support, link: Link::Identity, report })
}

/// P₀, of a neighbourhood whose row 0 is the instance.
///
/// # Errors
/// [`Error::Setting`] where it is not.
pub(crate) fn whole_instance(around: &Neighbourhood<Cpu>, intercept: Intercept) -> Result<Vec<f64>> {
    let features = around.masks.features();
    if around.rows() == 0 || around.masks.count(0) != features {
        let reason = format!("row 0 must keep all {features} features: it is the instance that the fit is anchored at");
        return Err(Error::setting("intercept", intercept.name(), reason));
    }
    Ok(around.probabilities.row(0).iter().map(|&p| f64::from(p)).collect())
}

/// Where a class's picks are among the kept features, ascending; both may be in any order.
pub(crate) fn positions(picks: &[usize], kept: &[usize]) -> Vec<usize> {
    let picks: HashSet<usize> = picks.iter().copied().collect();
    (0..kept.len()).filter(|&j| picks.contains(&kept[j])).collect()
}

/// Σ over classes of Σ w (p − b − W z)² + α‖W‖², and the largest component of its gradient on the supports; an anchored
/// fit's b follows from its W.
fn objective(
    rows: &Rows<'_>,
    kept: &[usize],
    (matrix, intercept): (&[Vec<f64>], &[f64]),
    support: &[Vec<usize>],
    (alpha, anchored): (f64, bool),
) -> (f64, f64) {
    let (classes, width) = (matrix.len(), padded_f64(matrix.len()));
    let design = Design::new(rows.masks, Columns::kept(kept, true));
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
        let of_ones = slope(kept.len(), c);
        // What moving W_j does to an anchored fit's b is minus that.
        let (along, alone) = if anchored { (of_ones, 0.0) } else { (0.0, of_ones) };
        let of_weights = support[c].iter().map(move |&j| 2.0 * alpha * matrix[c][j] - slope(j, c) + along);
        of_weights.chain([-alone]).fold(0.0, |most: f64, g| most.max(g.abs()))
    };
    (total, (0..classes).map(of_class).fold(0.0, f64::max))
}
