//! The spread of a softmax fit's W over other draws of the masks: Cov = A⁺ M A⁺ / N.
//!
//! A is the Hessian of the objective at the fit, M the covariance of the rows' gradients. Both live on the subspace of
//! vectors that sum to 0 over classes, in an orthonormal basis of C − 1 contrasts, where A has an inverse.
//!
//! # Source
//! Huber (1967) and White (1982); for a small number of rows the gradients are scaled by their leverage, 1/√(1 − h)
//! (MacKinnon and White's HC2, 1985), and [`FewRows`] tells how noisy the errors are.
//!
//! # Shapes
//! E = K·(C − 1) entries, K the design's columns (terms, then the intercept); matrices are E × E, row-major. They cost N·E²
//! and E³, so that beyond `MOST_ENTRIES` numbers refits take their place.
//!
//! # Units
//! Rows that were drawn together (a pair of complements) are one unit; units of a stratum share a mean, which is taken off,
//! and n/(n − 1) makes up for it. Row 0 is not drawn and adds nothing to M.
//!
//! # Which Hessian
//! The exact one, if it is positive semi-definite; else that of Gauss and Newton, with q in the place of p, which always is:
//! [`Method`] says which.

mod terms;

use crate::Cpu;
use crate::fit::{by_class, ln_softmax, shift};
use crate::linalg::dot;
use lipex_core::{
    Backend, FewRows, Fitted, INTERCEPT_PENALTY, Linear, Method, Neighbourhood, Normalise, Problem, Result, RowShares,
    Softmax, Spread, Watch, perturb,
};
use std::collections::HashMap;
use terms::View;

/// The largest C·(F + 1) for which the matrices are made; they cost its cube. Refits of rows drawn again serve beyond.
const MOST_ENTRIES: usize = 600;
/// A pivot below this share of its diagonal entry is rounding: the data do not determine that direction.
const SINGULAR: f64 = 1e-12;

/// The spread, or `None` where it is not defined or too large: a divergence with kinks, or more entries than [`MOST_ENTRIES`].
///
/// # Shapes
/// Covariances of the shares, C·F squared, place c·F + j, and standard errors of the coefficients where there are pairs.
pub(crate) fn spread(
    on: &Cpu,
    settings: &Softmax,
    problem: &Problem<'_, Cpu>,
    fitted: &Fitted,
) -> Result<Option<Spread>> {
    problem.check()?;
    let (classes, features) = (fitted.answer.classes(), fitted.kept().len());
    let view = View::new(fitted.linear()?);
    if !is_defined(settings, classes, view.columns()) {
        return Ok(None);
    }
    let basis = Contrasts::new(classes);
    let rows = Rows::new(on, settings, (problem, &view, fitted.linear()?), &basis)?;
    let watch = on.watch();
    let shares = by_class(settings, problem.around);
    let penalty = basis.penalty(fitted.report.lambda, &shares);
    let exact = rows.hessian(|row| &row.exact, &penalty)?;
    let (method, factor) = match Cholesky::new(watch, exact, rows.entries())? {
        Some(factor) => (Method::Sandwich, factor),
        None => {
            let mut near = rows.hessian(|row| &row.gauss_newton, &penalty)?;
            // Positive semi-definite but for rounding.
            (0..rows.entries()).for_each(|e| near[e * rows.entries() + e] *= 1.0 + 1e-12);
            match Cholesky::new(watch, near, rows.entries())? {
                Some(factor) => (Method::SandwichGaussNewton, factor),
                None => return Ok(None),
            }
        }
    };
    let inverse = factor.inverse(watch)?;
    let units = rows.units(problem.around);
    let penalty = penalty_gradient(settings, (fitted, &shares), &basis)?;
    let drawn = Drawn { units, scales: rows.scales(&inverse, method)?, penalty };
    let covariance = between(watch, &inverse, &rows.noise(&drawn)?, rows.entries())?;
    let terms = view.term_errors(&basis, &covariance, rows.entries());
    let (covariance, entries) = view.share_covariances(covariance, basis.k(), rows.entries());
    let whole = basis.expand(watch, &covariance, features, entries)?;
    let size = classes * features;
    let variances = (0..size).map(|e| whole[e * size + e]).collect();
    let few_rows = rows.few_rows(&drawn, &inverse, (&basis, &view), variances)?;
    let spread = Spread::from_covariance(method, classes, features, whole)?.few_rows(few_rows);
    Ok(Some(match terms {
        Some(terms) => spread.terms(terms),
        None => spread,
    }))
}

/// Whether the matrices are made for a fit of so many classes and columns (features, and one for the intercept).
pub fn is_defined(settings: &Softmax, classes: usize, columns: usize) -> bool {
    settings.divergence_in_use().is_smooth() && classes >= 2 && classes * columns <= MOST_ENTRIES
}

/// A⁻¹ of a symmetric positive semi-definite n×n matrix, of which the lower triangle is read, with zeros for directions that
/// nothing determines; `None` for an indefinite one.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted).
///
/// # Numerics
/// By Cholesky in f64; a pivot below a tiny share of its diagonal entry is a direction that the data do not determine, and
/// gets zeros, as in a pseudo-inverse on the determined part.
pub fn inverse(watch: &Watch, a: Vec<f64>, n: usize) -> Result<Option<Vec<f64>>> {
    Cholesky::new(watch, a, n)?.map(|factor| factor.inverse(watch)).transpose()
}

/// The gradient of the penalty on the coefficients and b in the basis (place j·(C − 1) + m, the terms first), which rows share
/// where the sum of divergences is divided by their weights; zeros where it is divided by their count. `shares` has λ_c over
/// λ of each class, and is empty where they are all 1.
///
/// # Errors
/// [`Setting`](lipex_core::Error::Setting) for a fit that is not linear.
///
/// # Shapes
/// K·(C − 1) numbers; 0 for the intercept's own penalty, which is negligible.
pub fn penalty_gradient(
    settings: &Softmax,
    (fitted, shares): (&Fitted, &[f64]),
    basis: &Contrasts,
) -> Result<Vec<f64>> {
    let view = View::new(fitted.linear()?);
    let mut penalty = vec![0.0; view.columns() * basis.k()];
    if settings.normalise_in_use() == Normalise::Weight {
        for (j, out) in penalty.chunks_exact_mut(basis.k()).enumerate() {
            let (mut column, is_term) = (view.column(j), j < view.terms());
            let penalty = if is_term { fitted.report.lambda } else { INTERCEPT_PENALTY };
            if is_term {
                let shift = shift(shares, &column);
                column.iter_mut().zip(shares).for_each(|(w, share)| *w = share * (*w - shift));
            }
            out.iter_mut().zip(basis.reduce(&column)).for_each(|(o, v)| *o = penalty * v);
        }
    }
    Ok(penalty)
}

/// An orthonormal basis of the vectors over classes that sum to 0 (Helmert's), C × (C − 1).
///
/// ```
/// use lipex_cpu::sandwich::Contrasts;
///
/// let basis = Contrasts::new(3);
/// assert_eq!(basis.k(), 2);
/// // What all classes have in common is not seen; lengths of what sums to 0 are kept.
/// assert!(basis.reduce(&[5.0; 3]).iter().all(|v| v.abs() < 1e-12));
/// let length: f64 = basis.reduce(&[1.0, 0.0, -1.0]).iter().map(|v| v * v).sum();
/// assert!((length - 2.0).abs() < 1e-12);
/// ```
pub struct Contrasts {
    /// C.
    classes: usize,
    /// B, C × (C − 1), row-major.
    values: Vec<f64>,
}

impl Contrasts {
    /// The basis for at least one class: contrast m is +1 on classes 0…m and −(m + 1) on class m + 1, over its length.
    pub fn new(classes: usize) -> Self {
        let k = classes - 1;
        let mut values = vec![0.0; classes * k];
        for m in 0..k {
            let n = (m + 1) as f64;
            let length = (n * (n + 1.0)).sqrt();
            (0..=m).for_each(|c| values[c * k + m] = 1.0 / length);
            values[(m + 1) * k + m] = -n / length;
        }
        Contrasts { classes, values }
    }

    /// C − 1.
    pub fn k(&self) -> usize {
        self.classes - 1
    }

    /// The row of class c.
    fn row(&self, c: usize) -> &[f64] {
        &self.values[c * self.k()..(c + 1) * self.k()]
    }

    /// Bᵀ(diag s − ssᵀ/Σs)B times λ for the classes' shares s of it, row by row: the penalty's curvature in one column; λ on
    /// the diagonal where there are no shares.
    pub fn penalty(&self, lambda: f64, shares: &[f64]) -> Vec<f64> {
        if shares.is_empty() {
            let k = self.k();
            return (0..k * k).map(|e| if e % (k + 1) == 0 { lambda } else { 0.0 }).collect();
        }
        let all: f64 = shares.iter().sum();
        let mut full = vec![0.0; self.classes * self.classes];
        for ((a, row), share) in full.chunks_exact_mut(self.classes).enumerate().zip(shares) {
            row.iter_mut().zip(shares).for_each(|(v, other)| *v = -lambda * share * other / all);
            row[a] += lambda * share;
        }
        self.reduce_both(&full)
    }

    /// Bᵀv.
    pub fn reduce(&self, v: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.k()];
        for (c, v) in v.iter().enumerate() {
            out.iter_mut().zip(self.row(c)).for_each(|(o, b)| *o += b * v);
        }
        out
    }

    /// BᵀHB of a symmetric C×C matrix.
    fn reduce_both(&self, h: &[f64]) -> Vec<f64> {
        let half: Vec<Vec<f64>> = h.chunks_exact(self.classes).map(|row| self.reduce(row)).collect();
        let mut out = vec![0.0; self.k() * self.k()];
        for (c, half) in half.iter().enumerate() {
            for (m, b) in self.row(c).iter().enumerate() {
                out[m * self.k()..].iter_mut().zip(half).for_each(|(o, h)| *o += b * h);
            }
        }
        out
    }

    /// From a vector in the basis (place j·(C − 1) + m, the features first) to one of W (place c·F + j).
    pub fn entries(&self, v: &[f64], features: usize) -> Vec<f64> {
        let of_class = |c: usize| v.chunks_exact(self.k()).take(features).map(move |m| dot(self.row(c), m));
        (0..self.classes).flat_map(of_class).collect()
    }

    /// From covariances in the basis (place j·(C − 1) + m, the features first) to those of W (place c·F + j).
    ///
    /// # Errors
    /// [`Interrupted`](lipex_core::Error::Interrupted).
    pub fn expand(&self, watch: &Watch, v: &[f64], features: usize, entries: usize) -> Result<Vec<f64>> {
        let (k, size) = (self.k(), self.classes * features);
        let mut out = vec![0.0; size * size];
        for i in 0..features {
            for j in 0..features {
                watch.check()?;
                for a in 0..self.classes {
                    let mut left = vec![0.0; k];
                    for (m, b) in self.row(a).iter().enumerate() {
                        let at = (i * k + m) * entries + j * k;
                        left.iter_mut().zip(&v[at..at + k]).for_each(|(l, v)| *l += b * v);
                    }
                    for b in 0..self.classes {
                        out[(a * features + i) * size + b * features + j] = dot(&left, self.row(b));
                    }
                }
            }
        }
        Ok(out)
    }
}

/// What one row of the masks adds.
struct Row {
    /// Its number among the rows of the neighbourhood.
    index: usize,
    /// The columns of the design that are 1.
    ones: Vec<usize>,
    /// π·N/n, and how often the row counts.
    weight: f64,
    /// m, how often it counts.
    times: f64,
    /// Bᵀ∂d, and Bᵀ∂²d B, exact and with q in the place of p.
    gradient: Vec<f64>,
    /// Bᵀ∂²d B with the black box's p.
    exact: Vec<f64>,
    /// The same with q in the place of p.
    gauss_newton: Vec<f64>,
}

/// The rows that are random, which are all but row 0.
struct Drawn {
    /// Strata of units of rows that were drawn together, by their places.
    units: Vec<Vec<Vec<usize>>>,
    /// What the gradient of each row is scaled by for its leverage.
    scales: Vec<f64>,
    /// The gradient of the penalty, which rows share where the sum is divided by their weights.
    penalty: Vec<f64>,
}

/// The rows of one fit.
struct Rows<'a> {
    /// Asked between rows.
    watch: &'a Watch,
    /// C − 1.
    k: usize,
    /// K, the terms and the intercept.
    columns: usize,
    /// Columns that are terms; the rest is the intercept.
    terms: usize,
    /// N, the sum of the multiplicities.
    count: f64,
    /// Those that count.
    rows: Vec<Row>,
}

impl<'a> Rows<'a> {
    fn new(
        on: &'a Cpu,
        settings: &Softmax,
        (problem, view, fitted): (&Problem<'_, Cpu>, &View<'_>, &Linear),
        basis: &Contrasts,
    ) -> Result<Self> {
        let around = problem.around;
        let times = |i: usize| problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let proximity = |i: usize| f64::from(around.weights.values()[i]);
        let count: f64 = (0..around.rows()).map(times).sum();
        let scale = match settings.normalise_in_use() {
            Normalise::Count => count / problem.samples(),
            Normalise::Weight => count / (0..around.rows()).map(|i| times(i) * proximity(i)).sum::<f64>(),
        };
        let row = |index: usize| {
            on.watch().check()?;
            let ln_q = ln_softmax(fitted, &around.masks, index)?;
            let (gradient, exact) = derivatives(settings, around.probabilities.row(index), &ln_q, basis);
            let q: Vec<f32> = ln_q.iter().map(|u| u.exp() as f32).collect();
            let (_, gauss_newton) = derivatives(settings, &q, &ln_q, basis);
            let ones = view.of_row(&around.masks, index);
            let (weight, times) = (scale * proximity(index), times(index));
            Ok(Row { index, ones, weight, times, gradient, exact, gauss_newton })
        };
        let rows = (0..around.rows()).filter(|&i| times(i) > 0.0).map(row).collect::<Result<_>>()?;
        Ok(Rows { watch: on.watch(), k: basis.k(), columns: view.columns(), terms: view.terms(), count, rows })
    }

    /// E.
    fn entries(&self) -> usize {
        self.columns * self.k
    }

    /// The Hessian of the objective, from one of the two of each row and the penalty's in a column.
    fn hessian(&self, of: impl Fn(&Row) -> &Vec<f64>, penalty: &[f64]) -> Result<Vec<f64>> {
        let (k, n) = (self.k, self.entries());
        let mut a = vec![0.0; n * n];
        for row in &self.rows {
            self.watch.check()?;
            let weight = row.weight * row.times / self.count;
            let block: Vec<f64> = of(row).iter().map(|h| weight * h).collect();
            for &i in &row.ones {
                for &j in row.ones.iter().take_while(|&&j| j <= i) {
                    for (m, h) in block.chunks_exact(k).enumerate() {
                        let at = (i * k + m) * n + j * k;
                        a[at..at + k].iter_mut().zip(h).for_each(|(a, h)| *a += h);
                    }
                }
            }
        }
        for e in 0..n {
            let (j, m) = (e / k, e % k);
            if j < self.terms {
                let block = a[e * n + j * k..].iter_mut().zip(&penalty[m * k..]);
                block.take(m + 1).for_each(|(a, p)| *a += p);
            } else {
                a[e * n + e] += INTERCEPT_PENALTY;
            }
            (0..e).for_each(|f| a[f * n + e] = a[e * n + f]);
        }
        Ok(a)
    }

    /// M of the drawn rows, divided by N.
    fn noise(&self, drawn: &Drawn) -> Result<Vec<f64>> {
        let n = self.entries();
        let mut noise = vec![0.0; n * n];
        self.each_unit(drawn, |part, times| add_square(&mut noise, part, times))?;
        for e in 0..n {
            (0..e).for_each(|f| noise[f * n + e] = noise[e * n + f]);
        }
        Ok(noise)
    }

    /// How noisy the standard errors are, `variances` being their squares.
    fn few_rows(
        &self,
        drawn: &Drawn,
        inverse: &[f64],
        (basis, view): (&Contrasts, &View<'_>),
        variances: Vec<f64>,
    ) -> Result<FewRows> {
        let features = variances.len() / basis.classes;
        let mut shares = RowShares::new(variances);
        self.each_unit(drawn, |part, times| {
            let moved: Vec<f64> = inverse.chunks_exact(part.len().max(1)).map(|row| dot(row, part)).collect();
            shares.add(&basis.entries(&view.shares(moved, basis.k()), features), times);
        })?;
        Ok(shares.few_rows())
    }

    /// Calls `take` with what each draw of a unit adds to the gradient of the objective, its mean taken off, and how often
    /// the unit was drawn.
    fn each_unit(&self, drawn: &Drawn, mut take: impl FnMut(&[f64], f64)) -> Result<()> {
        let mut part = vec![0.0; self.entries()];
        for stratum in &drawn.units {
            let rows = || stratum.iter().flatten().map(|&r| &self.rows[r]);
            let count: f64 = rows().map(|row| row.times).sum();
            let mut mean = vec![0.0; self.entries()];
            rows().for_each(|row| self.add_gradient(row, &drawn.penalty, row.times / count, &mut mean));
            // What the mean takes of the spread.
            let lost = if count > 1.0 { (count / (count - 1.0)).sqrt() } else { 1.0 };
            for unit in stratum.iter().filter(|unit| !unit.is_empty()) {
                self.watch.check()?;
                part.fill(0.0);
                for &r in unit {
                    let scale = drawn.scales[r] * lost / self.count;
                    self.add_gradient(&self.rows[r], &drawn.penalty, scale, &mut part);
                    part.iter_mut().zip(&mean).for_each(|(p, m)| *p -= scale * m);
                }
                take(&part, self.rows[unit[0]].times);
            }
        }
        Ok(())
    }

    /// What the gradient of each row is scaled by.
    fn scales(&self, inverse: &[f64], method: Method) -> Result<Vec<f64>> {
        let scale = |row: &Row| {
            self.watch.check()?;
            let hessian = if method == Method::Sandwich { &row.exact } else { &row.gauss_newton };
            Ok(FewRows::scale(self.leverage(row, hessian, inverse) * row.weight / self.count))
        };
        self.rows.iter().map(scale).collect()
    }

    /// The drawn rows by their places here: strata of units that were drawn together.
    fn units(&self, around: &Neighbourhood<Cpu>) -> Vec<Vec<Vec<usize>>> {
        let masks = &around.masks;
        let places: HashMap<usize, usize> = self.rows.iter().enumerate().map(|(r, row)| (row.index, r)).collect();
        let kept: Vec<usize> = (0..masks.rows()).map(|i| masks.count(i)).collect();
        let here = |unit: Vec<usize>| unit.iter().filter_map(|i| places.get(i).copied()).collect();
        let strata = perturb::units(&kept, around.dependence).into_iter();
        strata.map(|stratum| stratum.into_iter().map(here).collect()).collect()
    }

    /// Adds the row's gradient, times `scale`.
    fn add_gradient(&self, row: &Row, penalty: &[f64], scale: f64, out: &mut [f64]) {
        let scale = scale * row.weight;
        for &j in &row.ones {
            let at = j * self.k..(j + 1) * self.k;
            out[at].iter_mut().zip(&row.gradient).for_each(|(o, g)| *o += scale * g);
        }
        out.iter_mut().zip(penalty).for_each(|(o, p)| *o += scale * p);
    }

    /// The mean over contrasts of the diagonal of ∂²d·(zᵀA⁻¹z).
    fn leverage(&self, row: &Row, hessian: &[f64], inverse: &[f64]) -> f64 {
        let (k, n) = (self.k, self.entries());
        let mut sum = 0.0;
        for &i in &row.ones {
            for &j in &row.ones {
                for (m, h) in hessian.chunks_exact(k).enumerate() {
                    let at = (i * k + m) * n + j * k;
                    sum += dot(&inverse[at..at + k], h);
                }
            }
        }
        sum / k as f64
    }
}

/// Adds vvᵀ times `scale` to the lower triangle.
fn add_square(square: &mut [f64], v: &[f64], scale: f64) {
    let n = v.len();
    for i in 0..n {
        let s = scale * v[i];
        if s != 0.0 {
            square[i * n..=i * n + i].iter_mut().zip(v).for_each(|(q, v)| *q += s * v);
        }
    }
}

/// A⁻¹ M A⁻¹ of n×n matrices.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted).
pub fn between(watch: &Watch, inverse: &[f64], noise: &[f64], n: usize) -> Result<Vec<f64>> {
    let half = product(watch, inverse, noise, n)?;
    product(watch, &half, inverse, n)
}

/// X·Y for a symmetric Y.
fn product(watch: &Watch, x: &[f64], y: &[f64], n: usize) -> Result<Vec<f64>> {
    let mut out = Vec::with_capacity(n * n);
    for row in x.chunks_exact(n.max(1)) {
        watch.check()?;
        out.extend(y.chunks_exact(n.max(1)).map(|column| dot(row, column)));
    }
    Ok(out)
}

/// Bᵀ∂d/∂ℓ and Bᵀ(∂²d/∂ℓ²)B of one row.
///
/// # Source
/// With s = ∂φ/∂ln q and S = Σ s the gradient in the logits is s − qS; second derivatives are the divergence's own, in f64.
fn derivatives(settings: &Softmax, p: &[f32], ln_q: &[f64], basis: &Contrasts) -> (Vec<f64>, Vec<f64>) {
    let classes = ln_q.len();
    let derivatives = |(&p, &u): (&f32, &f64)| settings.divergence_in_use().derivatives(f64::from(p), u, None);
    let of: Vec<(f64, f64, f64)> = p.iter().zip(ln_q).map(derivatives).collect();
    let q: Vec<f64> = ln_q.iter().map(|u| u.exp()).collect();
    let (slopes, seconds): (f64, f64) = of.iter().fold((0.0, 0.0), |(s, t), d| (s + d.1, t + d.2));
    let gradient: Vec<f64> = of.iter().zip(&q).map(|(d, q)| d.1 - q * slopes).collect();
    let mut hessian = vec![0.0; classes * classes];
    for (a, row) in hessian.chunks_exact_mut(classes).enumerate() {
        for (b, h) in row.iter_mut().enumerate() {
            *h = q[a] * q[b] * (seconds + slopes) - of[a].2 * q[b] - q[a] * of[b].2;
        }
        row[a] += of[a].2 - slopes * q[a];
    }
    (basis.reduce(&gradient), basis.reduce_both(&hessian))
}

/// LLᵀ = A of a positive semi-definite matrix.
struct Cholesky {
    /// The side of A.
    n: usize,
    /// L, row-major; a row of zeros for a direction that nothing determines.
    l: Vec<f64>,
}

impl Cholesky {
    /// The factor, or `None` for an indefinite matrix. Directions that nothing determines get a row of zeros.
    fn new(watch: &Watch, mut a: Vec<f64>, n: usize) -> Result<Option<Self>> {
        for i in 0..n {
            watch.check()?;
            let (above, row) = a.split_at_mut(i * n);
            let row = &mut row[..n];
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = if other[j] > 0.0 { (row[j] - dot(&row[..j], &other[..j])) / other[j] } else { 0.0 };
            }
            let (diagonal, left) = (row[i], row[i] - dot(&row[..i], &row[..i]));
            if left < -SINGULAR * diagonal.abs() || !left.is_finite() {
                return Ok(None);
            }
            row[i] = if left > SINGULAR * diagonal { left.sqrt() } else { 0.0 };
            row[i + 1..].fill(0.0);
        }
        Ok(Some(Cholesky { n, l: a }))
    }

    /// A⁻¹, with zeros for directions that nothing determines.
    fn inverse(&self, watch: &Watch) -> Result<Vec<f64>> {
        let (n, l) = (self.n, &self.l);
        // The rows of L⁻¹ᵀ: column e of L⁻¹ by forward substitution.
        let mut columns = vec![0.0; n * n];
        for (e, x) in columns.chunks_exact_mut(n.max(1)).enumerate() {
            watch.check()?;
            for i in e..n {
                let target = if i == e { 1.0 } else { 0.0 };
                let pivot = l[i * n + i];
                x[i] = if pivot > 0.0 { (target - dot(&x[e..i], &l[i * n + e..i * n + i])) / pivot } else { 0.0 };
            }
        }
        let mut out = vec![0.0; n * n];
        for a in 0..n {
            watch.check()?;
            for b in 0..=a {
                let value = dot(&columns[a * n + a..a * n + n], &columns[b * n + a..b * n + n]);
                (out[a * n + b], out[b * n + a]) = (value, value);
            }
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrasts_are_orthonormal_and_sum_to_zero() {
        for classes in 2..7 {
            let basis = Contrasts::new(classes);
            for m in 0..basis.k() {
                let column = |m: usize| (0..classes).map(|c| basis.row(c)[m]).collect::<Vec<f64>>();
                assert!(column(m).iter().sum::<f64>().abs() < 1e-12);
                for l in 0..basis.k() {
                    let expected = if l == m { 1.0 } else { 0.0 };
                    assert!((dot(&column(m), &column(l)) - expected).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn an_inverse_is_one_and_indefinite_matrices_are_told() {
        // A = BBᵀ + I for B_ij = (i + 2j) mod 5.
        let n = 9;
        let b = |i: usize, j: usize| ((i + 2 * j) % 5) as f64;
        let entry =
            |e: usize| (0..n).map(|k| b(e / n, k) * b(e % n, k)).sum::<f64>() + f64::from(e.is_multiple_of(n + 1));
        let a: Vec<f64> = (0..n * n).map(entry).collect();
        let watch = Watch::none();
        let unit = product(watch, &a, &inverse(watch, a.clone(), n).unwrap().unwrap(), n).unwrap();
        assert!((0..n * n).all(|e| (unit[e] - f64::from(e.is_multiple_of(n + 1))).abs() < 1e-9));
        assert!(inverse(watch, vec![1.0, 2.0, 2.0, 1.0], 2).unwrap().is_none());
        // Nothing determines the second direction.
        assert_eq!(inverse(watch, vec![4.0, 0.0, 0.0, 0.0], 2).unwrap().unwrap(), [0.25, 0.0, 0.0, 0.0]);
    }
}
