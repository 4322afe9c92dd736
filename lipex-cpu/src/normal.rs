//! The normal equations of least squares on what is removed, alone and in pairs.
//!
//! # Shapes
//! Columns K: features and pairs, in removal coding (1 where removed), without one of ones. The square matrix is K × K, the
//! products C × K.
//!
//! # Numerics
//! In f64. With an intercept both are centred at the weighted means; anchored they are about 0 and P₀, and the fit passes
//! through the model's answer for the whole instance.

use crate::design::{ByColumn, Columns, Design, transposed};
use crate::lanes::{Aligned, padded_f64};
use crate::least_squares::Rows;
use crate::linalg::Cholesky;
use lipex_core::{Result, Watch};

/// Σ w (x − m)(x − m)ᵀ and Σ w (x − m)(p − q) over columns x and classes, where m and q are the weighted means, or, for least
/// squares without an intercept, 0 and an answer that is given.
pub(crate) struct Normal {
    /// K.
    columns: usize,
    /// Columns × columns.
    gram: Vec<f64>,
    /// Classes × columns.
    products: Vec<f64>,
    /// m.
    means: Vec<f64>,
    /// q.
    base: Vec<f64>,
}

impl Normal {
    /// Of columns without one of ones; `anchored` is the answer that the products are taken from.
    ///
    /// # Cost
    /// One pass over the rows: every row adds the products of the columns that it has, K²/8 on average.
    pub fn new(rows: &Rows<'_>, columns: Columns<'_>, anchored: Option<Vec<f64>>) -> Self {
        let design = Design::new(rows.masks, columns);
        let (count, classes) = (design.columns(), rows.means.len());
        let base = anchored.clone().unwrap_or_else(|| rows.means.clone());
        // Of each row [w x, w (p − q), w].
        let width = padded_f64(count + classes + 1);
        let mut y = Aligned::zeros(rows.index.len() * width);
        for ((&i, &w), y) in rows.index.iter().zip(&rows.weights).zip(y.chunks_exact_mut(width)) {
            let codes = design.row(i as usize);
            for (column, y) in y[..count].iter_mut().enumerate() {
                *y = if codes[column / 4] >> (column % 4) & 1 == 1 { w } else { 0.0 };
            }
            let answers = rows.probabilities.row(i as usize).iter().zip(&base);
            y[count..].iter_mut().zip(answers).for_each(|(y, (&p, q))| *y = w * (f64::from(p) - q));
            y[count + classes] = w;
        }
        let sums = transposed(&ByColumn::new(&design, &rows.index), &y, width);
        let sum = |column: usize, of: usize| sums[column * width + of];
        let mean = |column: usize| if anchored.is_some() { 0.0 } else { sum(column, count + classes) / rows.total };
        let means: Vec<f64> = (0..count).map(mean).collect();
        // Where q is the mean, Σ w (p − q) is 0 and products need no centring.
        let gram =
            (0..count * count).map(|e| sum(e / count, e % count) - rows.total * means[e / count] * means[e % count]);
        let products = (0..classes * count).map(|e| sum(e % count, count + e / count)).collect();
        Normal { columns: count, gram: gram.collect(), products, means, base }
    }

    /// For each class the coefficients of the columns of its support, zeros elsewhere, under a penalty, and the answer where no
    /// column is 1.
    ///
    /// # Errors
    /// [`lipex_core::Error::Interrupted`].
    ///
    /// # Shapes
    /// `supports` for each class its columns, ascending; coefficients K numbers a class. Classes with one support share a
    /// factor.
    pub fn solve(&self, watch: &Watch, supports: &[Vec<usize>], alpha: f64) -> Result<Vec<(Vec<f64>, f64)>> {
        let mut factor: Option<(&[usize], Cholesky)> = None;
        let mut solved = Vec::with_capacity(supports.len());
        for (c, support) in supports.iter().enumerate() {
            if factor.as_ref().is_none_or(|(of, _)| of != support) {
                factor = Some((support, self.factor(watch, support, alpha)?));
            }
            let products = &self.products[c * self.columns..(c + 1) * self.columns];
            let mut values: Vec<f64> = support.iter().map(|&j| products[j]).collect();
            if let Some((_, factor)) = &factor {
                factor.solve(&mut values);
            }
            let mut coefficients = vec![0.0; self.columns];
            support.iter().zip(values).for_each(|(&j, v)| coefficients[j] = v);
            let shift: f64 = coefficients.iter().zip(&self.means).map(|(v, m)| v * m).sum();
            solved.push((coefficients, self.base[c] - shift));
        }
        Ok(solved)
    }

    /// The factor of the columns of a support, with α on its diagonal.
    fn factor(&self, watch: &Watch, support: &[usize], alpha: f64) -> Result<Cholesky> {
        let (n, size) = (self.columns, support.len());
        let mut a: Vec<f64> =
            support.iter().flat_map(|&i| support.iter().map(move |&j| self.gram[i * n + j])).collect();
        (0..size).for_each(|i| a[i * size + i] += alpha);
        Cholesky::new(watch, a, size)
    }
}
