//! Fit: the ridge surrogate, which is LIME for every class at once.
//!
//! # Shapes
//! W is C × F on the kept features, zeros where a class was not fitted on one; b has C numbers.
//!
//! # Method
//! (G_S + αI) v = Σ w (z − z̄)(p − p̄) a class on its support S, b = p̄ − z̄·v. Classes of one support share a factor; with
//! more columns than rows the dual system of N′ rows is solved.
//!
//! # Numerics
//! In f64, by Cholesky factors; equal to scikit-learn's `Ridge` within 10⁻⁹.

mod pairs;

use crate::Cpu;
use crate::candidates::Wanted;
use crate::design::{ByColumn, Columns, Design, product, transposed};
use crate::fit::{folds_of, given_pairs, terms};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::{Rows, ridge};
use crate::normal::Normal;
use lipex_core::{
    Backend, Base, Error, FitReport, Fitted, FoldFits, Intercept, Linear, Link, Neighbourhood, Pairs, Problem, Result,
    Ridge, Support, Surrogate,
};
use std::collections::HashSet;

impl Surrogate<Cpu> for Ridge {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
        self.check()?;
        on.map(problems.len(), |i| fit_one(on, self, &problems[i]))
    }
}

/// One regression a class, plain, or on what is removed where it is anchored or has pairs.
fn fit_one(on: &Cpu, settings: &Ridge, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    problem.check()?;
    let kept = &problem.selection.kept;
    let classes = problem.around.probabilities.classes();
    if settings.intercept_in_use() == Intercept::Fitted && settings.pairs_in_use().is_none() {
        return plain(on, settings, problem);
    }
    let (wanted, pairs) = match (problem.start, settings.pairs_in_use()) {
        (Some(start), _) => (None, start.answer.pairs().into_iter().map(|pair| pair.features).collect()),
        (None, Pairs::Auto) => (Some(Wanted::Auto), Vec::new()),
        (None, Pairs::Count(count)) => (Some(Wanted::Count(*count)), Vec::new()),
        (None, given) => (None, given_pairs(given, kept, problem.multiplicities.is_some())?),
    };
    let Some(wanted) = wanted else {
        let support = supports(settings, problem, pairs.len())?;
        return removed(on, settings, problem, (problem.multiplicities, &pairs), &support);
    };
    let judged = problem.multiplicities.is_none() || matches!(wanted, Wanted::Auto);
    let folds = if judged { folds_of(problem) } else { Vec::new() };
    let mut chosen = pairs::choose(on, settings, problem, wanted, &folds)?;
    let held_out = chosen.split_off(1);
    let mut fitted = chosen.remove(0);
    if problem.multiplicities.is_none() && !folds.is_empty() {
        fitted.out_of_fold = Some(FoldFits { folds, answers: held_out.into_iter().map(|fit| fit.answer).collect() });
    }
    debug_assert_eq!(fitted.answer.classes(), classes);
    Ok(fitted)
}

/// The columns of each class: the places of its features among the kept, and of every pair after them.
fn supports(settings: &Ridge, problem: &Problem<'_, Cpu>, pairs: usize) -> Result<Vec<Vec<usize>>> {
    let kept = &problem.selection.kept;
    let classes = problem.around.probabilities.classes();
    let support: Vec<Vec<usize>> = match settings.support_in_use() {
        Support::Union => vec![(0..kept.len() + pairs).collect(); classes],
        Support::Own => problem.selection.per_class.iter().map(|picks| positions(picks, kept)).collect(),
    };
    lipex_core::expect_len("classes of the selection", classes, support.len())?;
    Ok(support)
}

/// LIME's: an intercept and the features that are there.
fn plain(on: &Cpu, settings: &Ridge, problem: &Problem<'_, Cpu>) -> Result<Fitted> {
    let (kept, alpha) = (&problem.selection.kept, settings.alpha_in_use());
    let support = supports(settings, problem, 0)?;
    let rows = Rows::new(problem.around, problem.multiplicities);
    let mut coefficients = vec![vec![0.0; kept.len() + 1]; support.len()];
    let solved = ridge(on.watch(), &rows, kept, &support, alpha)?;
    for ((row, support), (values, b)) in coefficients.iter_mut().zip(&support).zip(solved) {
        support.iter().zip(values).for_each(|(&j, v)| row[j] = v);
        row[kept.len()] = b;
    }
    let columns = Columns::kept(kept, true);
    let report = report(&rows, columns, &coefficients, &support, (alpha, true));
    let (matrix, intercept): (Vec<_>, Vec<_>) =
        coefficients.into_iter().map(|row| (row[..kept.len()].to_vec(), row[kept.len()])).unzip();
    let answer = Linear::from_presence(kept.clone(), matrix, Some(intercept), support, Link::Identity)?;
    Ok(Fitted::new(answer, report))
}

/// On what is removed, alone and in pairs, with an intercept or anchored at the answer for the whole instance.
///
/// # Shapes
/// Columns are the features, the constant if there is one, and pairs, all in removal coding; α is on every column but the
/// constant.
fn removed(
    on: &Cpu,
    settings: &Ridge,
    problem: &Problem<'_, Cpu>,
    (multiplicities, pairs): (Option<&[u32]>, &[[usize; 2]]),
    support: &[Vec<usize>],
) -> Result<Fitted> {
    let (kept, alpha) = (&problem.selection.kept, settings.alpha_in_use());
    let rows = Rows::new(problem.around, multiplicities);
    let anchored = settings.intercept_in_use() == Intercept::Anchored;
    let whole = anchored.then(|| whole_instance(problem.around)).transpose()?;
    let normal = Normal::new(&rows, Columns::removed(kept, false, pairs), whole);
    let solved = normal.solve(on.watch(), support, alpha)?;
    // Features, the constant, pairs.
    let with_base = |(row, base): &(Vec<f64>, f64)| {
        let (singles, pairs) = row.split_at(kept.len());
        singles.iter().chain([base]).chain(pairs).copied().collect::<Vec<f64>>()
    };
    let coefficients: Vec<Vec<f64>> = solved.iter().map(with_base).collect();
    let columns = Columns::removed(kept, true, pairs);
    let report = report(&rows, columns, &coefficients, support, (alpha, !anchored));
    let (mut rows, base): (Vec<Vec<f64>>, Vec<f64>) = solved.into_iter().unzip();
    rows.iter_mut().for_each(|row| row[..kept.len()].iter_mut().for_each(|v| *v = -*v));
    let base = if anchored { Base::Anchored(base) } else { Base::Intercept(base) };
    let of_features = support.iter().map(|places| places.iter().copied().filter(|&j| j < kept.len()).collect());
    let answer = Linear::new(kept.clone(), terms(kept, pairs)?, rows, base, of_features.collect(), Link::Identity)?;
    Ok(Fitted::new(answer, report))
}

/// P₀, of a neighbourhood whose row 0 is the instance.
///
/// # Errors
/// [`Error::Setting`] where it is not.
pub(crate) fn whole_instance(around: &Neighbourhood<Cpu>) -> Result<Vec<f64>> {
    let features = around.masks.features();
    if around.rows() == 0 || around.masks.count(0) != features {
        let reason = format!("row 0 must keep all {features} features: it is the instance that the fit is anchored at");
        return Err(Error::setting("intercept", "anchored", reason));
    }
    Ok(around.probabilities.row(0).iter().map(|&p| f64::from(p)).collect())
}

/// Where a class's picks are among the kept features, ascending; both may be in any order.
pub(crate) fn positions(picks: &[usize], kept: &[usize]) -> Vec<usize> {
    let picks: HashSet<usize> = picks.iter().copied().collect();
    (0..kept.len()).filter(|&j| picks.contains(&kept[j])).collect()
}

/// Σ over classes of Σ w (p − q)² + α‖W‖², and the largest component of its gradient on the supports; that along the column
/// of ones, which is not penalised, counts if it is `free`.
///
/// `coefficients` are C rows of a number a column; `support` counts columns without that of ones.
///
/// A closed form has no iterations; what is reported is its objective and how near 0 the gradient came.
fn report(
    rows: &Rows<'_>,
    columns: Columns<'_>,
    coefficients: &[Vec<f64>],
    support: &[Vec<usize>],
    (alpha, free): (f64, bool),
) -> FitReport {
    let (classes, width, ones) = (coefficients.len(), padded_f64(coefficients.len()), columns.features.len());
    let design = Design::new(rows.masks, columns);
    let mut x = Aligned::zeros(design.columns() * width);
    for (c, row) in coefficients.iter().enumerate() {
        x.iter_mut().skip(c).step_by(width).zip(row).for_each(|(x, v)| *x = *v);
    }
    let mut errors = product(&design, &rows.index, &x, width);
    let squares = |row: &Vec<f64>| row.iter().map(|v| v * v).sum::<f64>() - row[ones] * row[ones];
    let mut total = alpha * coefficients.iter().map(squares).sum::<f64>();
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
        let columns = support[c].iter().map(|&j| j + usize::from(j >= ones));
        let of_weights = columns.map(|j| 2.0 * alpha * coefficients[c][j] - slope(j, c));
        of_weights.chain(free.then(|| -slope(ones, c))).fold(0.0, |most: f64, g| most.max(g.abs()))
    };
    let gradient_norm = (0..classes).map(of_class).fold(0.0, f64::max);
    FitReport { objective: total, gradient_norm, lambda: alpha, ..FitReport::solved("solved in closed form") }
}
