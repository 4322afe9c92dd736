//! How the columns of a fit's design stand to its coefficients and to its shares.
//!
//! # Shapes
//! K columns in the basis of C − 1 contrasts. Shares have F columns: φ_j = W_j − ½ Σ_b V_jb is linear in the coefficients, so
//! its covariance is T Cov Tᵀ with the matrix T of ones and halves that [`View::parts`] gives.

use super::{Contrasts, dot};
use lipex_core::{Base, Linear, Masks};

/// The columns of a design: a term each, and one of ones, last, if there is a fitted intercept.
pub(super) struct View<'a> {
    /// The fit.
    linear: &'a Linear,
    /// Whether a term's bit says that its features are removed, and not that its feature is there.
    removed: bool,
    pub ones: bool,
    pairs: bool,
}

impl<'a> View<'a> {
    /// How the terms of a fit lie in its design.
    pub fn new(linear: &'a Linear) -> Self {
        let pairs = linear.terms().iter().any(|term| term.as_pair().is_some());
        let removed = pairs || matches!(linear.base(), Base::Anchored(_));
        View { linear, removed, ones: matches!(linear.base(), Base::Intercept(_)), pairs }
    }

    /// T.
    pub fn terms(&self) -> usize {
        self.linear.terms().len()
    }

    /// Columns, that of ones included.
    pub fn columns(&self) -> usize {
        self.terms() + usize::from(self.ones)
    }

    /// The columns that are 1 in row `i`, ascending.
    pub fn of_row(&self, masks: &Masks<crate::Cpu>, i: usize) -> Vec<usize> {
        let on = |j: &usize| masks.keeps(i, *j) != self.removed;
        let terms = self.linear.terms().iter().enumerate().filter(|(_, term)| term.features().iter().all(on));
        terms.map(|(t, _)| t).chain(self.ones.then_some(self.terms())).collect()
    }

    /// A column's coefficients in the design, C numbers: of removed features −W.
    pub fn column(&self, column: usize) -> Vec<f64> {
        if column == self.terms() {
            return if self.removed { self.linear.whole() } else { self.linear.intercept() };
        }
        self.linear.coefficients().iter().map(|row| self.sign(column) * row[column]).collect()
    }

    /// −1 for a feature in removal coding, whose column has −W; else 1.
    fn sign(&self, t: usize) -> f64 {
        if self.removed && self.linear.terms()[t].as_pair().is_none() { -1.0 } else { 1.0 }
    }

    /// For each kept feature the columns that its share is made of, φ_j = W_j − ½ Σ_b V_jb, with their factors.
    fn parts(&self) -> Vec<Vec<(usize, f64)>> {
        let mut parts = vec![Vec::new(); self.linear.kept().len()];
        for (t, term) in self.linear.terms().iter().enumerate() {
            let factor = if term.as_pair().is_some() { -0.5 } else { self.sign(t) };
            for j in term.features() {
                if let Ok(place) = self.linear.kept().binary_search(j) {
                    parts[place].push((t, factor));
                }
            }
        }
        parts
    }

    /// From a vector in the basis (place t·(C − 1) + m) to one of shares (place j·(C − 1) + m).
    pub fn shares(&self, v: Vec<f64>, k: usize) -> Vec<f64> {
        if !self.pairs && !self.removed {
            return v;
        }
        self.combine(&v, k)
    }

    /// The same of covariances, `entries` × `entries`.
    pub fn share_covariances(&self, v: Vec<f64>, k: usize, entries: usize) -> (Vec<f64>, usize) {
        // Signs of all columns alike leave covariances as they are.
        if !self.pairs {
            return (v, entries);
        }
        let half: Vec<Vec<f64>> = v.chunks_exact(entries.max(1)).map(|row| self.combine(row, k)).collect();
        let size = self.linear.kept().len() * k;
        let mut out = vec![0.0; size * size];
        for (j, parts) in self.parts().iter().enumerate() {
            for m in 0..k {
                let row = &mut out[(j * k + m) * size..(j * k + m + 1) * size];
                for &(t, factor) in parts {
                    row.iter_mut().zip(&half[t * k + m]).for_each(|(o, h)| *o += factor * h);
                }
            }
        }
        (out, size)
    }

    /// T·v for one vector of C − 1 numbers a column.
    fn combine(&self, v: &[f64], k: usize) -> Vec<f64> {
        let parts = self.parts();
        let mut out = vec![0.0; parts.len() * k];
        for (out, parts) in out.chunks_exact_mut(k).zip(&parts) {
            for &(t, factor) in parts {
                out.iter_mut().zip(&v[t * k..(t + 1) * k]).for_each(|(o, v)| *o += factor * v);
            }
        }
        out
    }

    /// The standard errors of the coefficients, C rows of T numbers, from their covariances in the basis; `None` without pairs,
    /// where shares are the coefficients.
    pub fn term_errors(&self, basis: &Contrasts, covariance: &[f64], entries: usize) -> Option<Vec<Vec<f64>>> {
        let k = basis.k();
        let error = |c: usize, t: usize| {
            let row = basis.row(c);
            let along = |m: usize| dot(&covariance[(t * k + m) * entries + t * k..][..k], row);
            (0..k).map(|m| row[m] * along(m)).sum::<f64>().max(0.0).sqrt()
        };
        let of_class = |c: usize| (0..self.terms()).map(|t| error(c, t)).collect();
        self.pairs.then(|| (0..self.linear.coefficients().len()).map(of_class).collect())
    }
}
