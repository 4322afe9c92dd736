//! Rows of Grams for columns that come to those of a factor: fits that add different columns to the same ones share both.
//!
//! With M = [A Bᵀ; B D] and A = LLᵀ, the factor of M is [L 0; BL⁻ᵀ S] with SSᵀ = D − BA⁻¹Bᵀ: the rows of A's factor stay as
//! they are, so a fit with pairs costs the pairs' rows alone.
//!
//! # Shapes
//! Row p of the border has entries for the F + 1 columns before the pairs and for the pairs up to its own, `width` numbers
//! each.
//!
//! # Source
//! Golub and Van Loan, Matrix Computations, section 4.2 (block Cholesky).

use super::{Cholesky, Factor, Grams, Picked, Preconditioner, entry, spread};
use crate::fit::objective::Objective;
use crate::lanes::{Aligned, vectorised_rows};
use std::ops::Range;

/// The rows of the Grams' triangles that belong to pairs, below those of a fit without them.
pub(crate) struct Border {
    /// Columns of the fit without pairs.
    first: usize,
    /// Classes and padding.
    width: usize,
    /// Every pair that some fit has wanted so far.
    pairs: Vec<[usize; 2]>,
    /// Rows `first`… of the triangle, unfactored.
    a: Aligned<f32>,
    /// Pairs whose rows are made.
    made: usize,
}

impl Border {
    /// No pairs yet, below so many columns of `width` numbers.
    pub fn new(first: usize, width: usize) -> Self {
        Border { first, width, pairs: Vec::new(), a: Aligned::zeros(0), made: 0 }
    }

    /// The pairs, in the order of their rows.
    pub fn pairs(&self) -> &[[usize; 2]] {
        &self.pairs
    }

    /// Takes pairs in that are not there yet; whether there were any.
    pub fn add(&mut self, pairs: &[[usize; 2]]) -> bool {
        let before = self.pairs.len();
        for pair in pairs {
            if !self.pairs.contains(pair) {
                self.pairs.push(*pair);
            }
        }
        self.pairs.len() > before
    }

    /// Makes the rows that are missing, at `x`; the objective has the columns of all pairs.
    ///
    /// # Cost
    /// (K + 1) sums by look-up a pair, at the point of the features' fit, for all parts at once.
    pub fn fill(&mut self, o: &Objective<'_>, x: &[f64]) {
        let (columns, width) = (self.first + self.made..self.first + self.pairs.len(), self.width);
        let picked = Picked::of(o);
        let mut curvatures = o.answers(x, &picked.rows);
        spread(o, &picked, &mut curvatures);
        let mut a = Aligned::zeros(self.len(0..self.pairs.len()));
        let old = self.len(0..self.made);
        a[..old].copy_from_slice(&self.a[..old]);
        let (rows, weights) = (&*picked.by_column, &*curvatures);
        vectorised_rows::<f32, _>(width, Grams { rows, columns, width, weights, a: &mut a[old..] });
        (self.a, self.made) = (a, self.pairs.len());
    }

    /// Numbers in the rows of some pairs.
    fn len(&self, pairs: Range<usize>) -> usize {
        (entry(self.first + pairs.end, 0) - entry(self.first + pairs.start, 0)) * self.width
    }

    /// The row of a pair up to the diagonal's column `i`, in the order of the triangle.
    fn at(&self, i: usize, j: usize) -> &[f32] {
        let (i, j) = (i.max(j), i.min(j));
        let place = (entry(i, j) - entry(self.first, 0)) * self.width;
        &self.a[place..place + self.width]
    }
}

impl Preconditioner {
    /// The factor with the columns of some pairs of a border more; `o` is the objective that has them. `None` where there is
    /// no factor to go on from, or a pair is not in the border.
    pub fn bordered(&self, border: &Border, pairs: &[[usize; 2]], o: &Objective<'_>) -> Option<Self> {
        let Factor::Full(factor) = &self.factor else { return None };
        let (width, old, columns) = (self.width, self.columns, self.columns + pairs.len());
        let places: Vec<usize> =
            pairs.iter().map(|p| border.pairs.iter().position(|q| q == p)).collect::<Option<_>>()?;
        if columns != o.design.columns() || places.iter().any(|&p| p >= border.made) {
            return None;
        }
        let mut a = Aligned::zeros(entry(columns, 0) * width);
        a[..entry(old, 0) * width].copy_from_slice(&factor[..entry(old, 0) * width]);
        for (k, &place) in places.iter().enumerate() {
            let row = &mut a[entry(old + k, 0) * width..entry(old + k + 1, 0) * width];
            let (before, own) = row.split_at_mut(old * width);
            let first = (entry(old + place, 0) - entry(old, 0)) * width;
            before.copy_from_slice(&border.a[first..first + old * width]);
            for (to, &other) in own.chunks_exact_mut(width).zip(&places) {
                to.copy_from_slice(border.at(old + place, old + other));
            }
        }
        let penalties = &super::penalties(o);
        vectorised_rows::<f32, _>(width, Cholesky { columns: old..columns, width, penalties, a: &mut a });
        Some(Preconditioner { width, columns, classes: self.classes, factor: Factor::Full(a) })
    }
}
