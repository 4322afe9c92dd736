//! Weighted least squares of the probabilities on columns of the masks: what selection and the ridge surrogate share.
//!
//! # Shapes
//! Rows that count, N′ of N; columns F; classes C. Moments come from one transposed look-up with C + 1 right-hand sides: w·p
//! of each class, and w.
//!
//! # Numerics
//! In f64. Variances below 10⁻²⁴ of a class's mean square, and of columns below 4 ε N′, are rounding and count as 0: a class
//! or a feature that does not vary must not seem to.

use crate::Cpu;
use crate::design::{ByColumn, Columns, transposed, transposed_by_parts};
use crate::lanes::{Aligned, padded_f64};
use crate::linalg::{Cholesky, dot};
use lipex_core::{Masks, Neighbourhood, Probabilities, Result, Watch};

/// The rows that count, with their weights.
pub(crate) struct Rows<'a> {
    /// All masks, N × D bits.
    pub masks: &'a Masks<Cpu>,
    /// P, N × C.
    pub probabilities: &'a Probabilities<Cpu>,
    /// Rows of weight above 0.
    pub index: Vec<u32>,
    /// π, times the multiplicity.
    pub weights: Vec<f64>,
    /// Σ of the weights.
    pub total: f64,
    /// The weighted mean of each class's probability.
    pub means: Vec<f64>,
    /// Σ w (p − p̄)² of each class, 0 if that is rounding.
    pub variances: Vec<f64>,
}

impl<'a> Rows<'a> {
    /// The rows of positive weight with their weighted moments.
    pub fn new(around: &'a Neighbourhood<Cpu>, multiplicities: Option<&[u32]>) -> Self {
        let weight = |i: usize| f64::from(around.weights.values()[i]) * multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let index: Vec<u32> = (0..around.rows() as u32).filter(|&i| weight(i as usize) > 0.0).collect();
        let weights: Vec<f64> = index.iter().map(|&i| weight(i as usize)).collect();
        let total: f64 = weights.iter().sum();
        let mut means = vec![0.0; around.probabilities.classes()];
        for (&i, w) in index.iter().zip(&weights) {
            means
                .iter_mut()
                .zip(around.probabilities.row(i as usize))
                .for_each(|(m, &p)| *m += w * f64::from(p) / total);
        }
        let (mut variances, mut sizes) = (vec![0.0; means.len()], vec![0.0; means.len()]);
        for (&i, w) in index.iter().zip(&weights) {
            let classes = variances.iter_mut().zip(&mut sizes).zip(&means);
            for (((variance, size), mean), &p) in classes.zip(around.probabilities.row(i as usize)) {
                let p = f64::from(p);
                *variance += w * (p - mean) * (p - mean);
                *size += w * p * p;
            }
        }
        for (variance, size) in variances.iter_mut().zip(sizes) {
            *variance = if *variance <= 1e-24 * size { 0.0 } else { *variance };
        }
        Rows { masks: &around.masks, probabilities: &around.probabilities, index, weights, total, means, variances }
    }

    /// Σ w (z − z̄)² of a column of mean `mean`, 0 if that is rounding.
    pub fn spread(&self, mean: f64) -> f64 {
        // Sums of the same weights in two orders differ: a column that never varies would seem to, a little.
        let variance = mean * (1.0 - mean);
        if variance <= 4.0 * f64::EPSILON * self.index.len() as f64 { 0.0 } else { self.total * variance }
    }

    /// The masks' columns `features` of these rows.
    pub fn by_column(&self, features: &[usize]) -> ByColumn {
        ByColumn::of(self.masks, Columns::kept(features, false), &self.index)
    }

    /// For each column of the design its weighted mean, and for each class the covariances Σ w (z − z̄)(p − p̄), which are 0
    /// for a class that does not vary.
    pub fn moments(&self, design: &ByColumn) -> (Vec<f64>, Vec<Vec<f64>>) {
        let classes = self.means.len();
        let width = padded_f64(classes + 1);
        let sums = transposed_by_parts(design, (self.index.len(), width), |part, y| {
            let rows = self.index[part.clone()].iter().zip(&self.weights[part]);
            for ((&i, &w), row) in rows.zip(y.chunks_exact_mut(width)) {
                row.iter_mut().zip(self.probabilities.row(i as usize)).for_each(|(o, &p)| *o = w * f64::from(p));
                row[classes] = w;
            }
        });
        let columns = || sums.chunks_exact(width);
        let means: Vec<f64> = columns().map(|column| column[classes] / self.total).collect();
        let of_class = |c: usize| -> Vec<f64> {
            if self.variances[c] == 0.0 {
                return vec![0.0; means.len()];
            }
            columns().map(|column| column[c] - column[classes] * self.means[c]).collect()
        };
        let covariances = (0..classes).map(of_class).collect();
        (means, covariances)
    }

    /// Columns of the Gram of the design: for each of `features` the sums Σ w z z_feature over every column z.
    ///
    /// # Cost
    /// ⌈N/4⌉ additions a column and feature; rows of w·z are made some at a time, so that none lies in memory as a whole.
    pub fn gram_columns(&self, design: &ByColumn, features: &[usize]) -> Vec<Vec<f64>> {
        let width = padded_f64(features.len());
        let places: Vec<(usize, u32)> = features.iter().map(|&j| (j / 32, (j % 32) as u32)).collect();
        let sums = transposed_by_parts(design, (self.index.len(), width), |part, y| {
            let rows = self.index[part.clone()].iter().zip(&self.weights[part]);
            for ((&i, &w), row) in rows.zip(y.chunks_exact_mut(width.max(1))) {
                let bits = self.masks.row(i as usize);
                for (o, &(word, shift)) in row.iter_mut().zip(&places) {
                    // w or 0, without a branch that half the masks would mispredict.
                    let keep = u64::from(bits[word] >> shift & 1);
                    *o = f64::from_bits(w.to_bits() & keep.wrapping_neg());
                }
            }
        });
        let column = |s: usize| sums.chunks_exact(width).map(|column| column[s]).collect();
        (0..features.len()).map(column).collect()
    }
}

/// Ridge regressions of every class on the columns `features`, each class on its own support.
///
/// Minimises Σ w (p − b − z·v)² + α‖v‖², b not penalised. Returns for each class the coefficients of its support and b.
///
/// # Shapes
/// `features` are the columns; `supports` for each class its places among them, ascending. Classes with one support share a
/// factor.
pub(crate) fn ridge(
    watch: &Watch,
    rows: &Rows<'_>,
    features: &[usize],
    supports: &[Vec<usize>],
    alpha: f64,
) -> Result<Vec<(Vec<f64>, f64)>> {
    let design = rows.by_column(features);
    let (means, covariances) = rows.moments(&design);
    let shared = supports.windows(2).all(|s| s[0] == s[1]);
    let widest = supports.iter().map(Vec::len).max().unwrap_or(0);
    let mut solver: Option<Solver> = None;
    let gram =
        if widest <= rows.index.len() { Some(centred_gram(watch, rows, &design, features, &means)?) } else { None };
    let mut solved = Vec::with_capacity(supports.len());
    for (c, support) in supports.iter().enumerate() {
        watch.check()?;
        if !shared || solver.is_none() {
            solver = Some(match &gram {
                Some(gram) => Solver::primal(watch, gram, features.len(), support, alpha)?,
                None => Solver::dual(watch, rows, (features, support), &means, alpha)?,
            });
        }
        let coefficients = match solver.as_ref() {
            Some(Solver::Primal(cholesky)) => {
                let mut b: Vec<f64> = support.iter().map(|&j| covariances[c][j]).collect();
                cholesky.solve(&mut b);
                b
            }
            Some(Solver::Dual(cholesky)) => dual_solution(rows, &design, cholesky, c, support, &means),
            None => Vec::new(),
        };
        let shift: f64 = support.iter().zip(&coefficients).map(|(&j, v)| means[j] * v).sum();
        solved.push((coefficients, rows.means[c] - shift));
    }
    Ok(solved)
}

/// A factor for one support.
enum Solver {
    /// Of (G + αI), columns × columns.
    Primal(Cholesky),
    /// Of (K + αI), rows × rows: for more columns than rows.
    Dual(Cholesky),
}

/// Columns of a Gram that are made together.
const BLOCK: usize = 64;

/// Σ w z zᵀ, columns × columns.
///
/// # Cost
/// F²/2 sums of N weights by look-up, a block of columns at a time.
pub(crate) fn gram(watch: &Watch, rows: &Rows<'_>, design: &ByColumn, features: &[usize]) -> Result<Vec<f64>> {
    let mut gram = Vec::with_capacity(features.len() * features.len());
    // In blocks, since a block's columns are held as numbers, a row each.
    for block in features.chunks(BLOCK) {
        watch.check()?;
        rows.gram_columns(design, block).into_iter().for_each(|column| gram.extend(column));
    }
    Ok(gram)
}

/// Σ w (z − z̄)(z − z̄)ᵀ, columns × columns.
fn centred_gram(
    watch: &Watch,
    rows: &Rows<'_>,
    design: &ByColumn,
    features: &[usize],
    means: &[f64],
) -> Result<Vec<f64>> {
    let mut gram = gram(watch, rows, design, features)?;
    for (column, mean) in gram.chunks_exact_mut(features.len().max(1)).zip(means) {
        column.iter_mut().zip(means).for_each(|(g, m)| *g -= rows.total * m * mean);
    }
    Ok(gram)
}

impl Solver {
    /// The factor of G_S + αI of a support S.
    fn primal(watch: &Watch, gram: &[f64], n: usize, support: &[usize], alpha: f64) -> Result<Self> {
        let mut a: Vec<f64> = support.iter().flat_map(|&i| support.iter().map(move |&j| gram[i * n + j])).collect();
        (0..support.len()).for_each(|i| a[i * support.len() + i] += alpha);
        Ok(Solver::Primal(Cholesky::new(watch, a, support.len())?))
    }

    /// K_ik = √(w_i w_k) (z_i − z̄)·(z_k − z̄), from the numbers of ones that two rows share.
    fn dual(
        watch: &Watch,
        rows: &Rows<'_>,
        (features, support): (&[usize], &[usize]),
        means: &[f64],
        alpha: f64,
    ) -> Result<Self> {
        let n = rows.index.len();
        let mut k = shared_ones(watch, rows, features, support)?;
        let along: Vec<f64> =
            rows.index.iter().map(|&i| mean_along(rows, i as usize, features, support, means)).collect();
        let length: f64 = support.iter().map(|&s| means[s] * means[s]).sum();
        for i in 0..n {
            for j in 0..=i {
                let product = k[i * n + j] - along[i] - along[j] + length;
                k[i * n + j] = (rows.weights[i] * rows.weights[j]).sqrt() * product;
            }
            k[i * n + i] += alpha;
        }
        Ok(Solver::Dual(Cholesky::new(watch, k, n)?))
    }
}

/// z_i·z_k over a support, for each two rows; rows × rows, of which the lower triangle is filled.
///
/// # Cost
/// N²/2 counts of bits over F/32 words each: for more columns than rows alone.
pub(crate) fn shared_ones(watch: &Watch, rows: &Rows<'_>, features: &[usize], support: &[usize]) -> Result<Vec<f64>> {
    let n = rows.index.len();
    let mut columns = vec![0u32; rows.masks.words()];
    support.iter().for_each(|&s| columns[features[s] / 32] |= 1 << (features[s] % 32));
    let kept: Vec<Vec<u32>> = rows
        .index
        .iter()
        .map(|&i| rows.masks.row(i as usize).iter().zip(&columns).map(|(z, c)| z & c).collect())
        .collect();
    let mut shared = vec![0.0; n * n];
    for i in 0..n {
        watch.check()?;
        for k in 0..=i {
            let ones: u32 = kept[i].iter().zip(&kept[k]).map(|(a, b)| (a & b).count_ones()).sum();
            shared[i * n + k] = f64::from(ones);
        }
    }
    Ok(shared)
}

/// z_i·z̄ over a support.
fn mean_along(rows: &Rows<'_>, i: usize, features: &[usize], support: &[usize], means: &[f64]) -> f64 {
    support.iter().filter(|&&s| rows.masks.keeps(i, features[s])).map(|&s| means[s]).sum()
}

/// v = Σ √w_i a_i (z_i − z̄) with (K + αI)a = √w (p − p̄).
///
/// # Source
/// Saunders, Gammerman and Vovk, Ridge regression learning algorithm in dual variables (1998).
fn dual_solution(
    rows: &Rows<'_>,
    design: &ByColumn,
    cholesky: &Cholesky,
    class: usize,
    support: &[usize],
    means: &[f64],
) -> Vec<f64> {
    let roots: Vec<f64> = rows.weights.iter().map(|w| w.sqrt()).collect();
    let target = |i: u32| f64::from(rows.probabilities.row(i as usize)[class]) - rows.means[class];
    let mut a: Vec<f64> = rows.index.iter().zip(&roots).map(|(&i, root)| root * target(i)).collect();
    cholesky.solve(&mut a);
    let width = padded_f64(1);
    let mut y = Aligned::zeros(a.len() * width);
    y.iter_mut().step_by(width).zip(a.iter().zip(&roots)).for_each(|(y, (a, root))| *y = a * root);
    let sums = transposed(design, &y, width);
    let total = dot(&a, &roots);
    support.iter().map(|&s| sums[s * width] - means[s] * total).collect()
}
