//! What a softmax surrogate is fitted as: the columns of the fit, what its logits start from, and how its coefficients lie in
//! the solver's vectors.
//!
//! # Shapes
//! Columns as on the CPU: the features, one of ones if there is an intercept, given pairs. A vector is C × K here, class by
//! class, since a block works on a class at a time; the CPU's is K × C.

use super::job::ONES;
use crate::device::Cuda;
use lipex_core::{Base, Error, INTERCEPT_PENALTY, Intercept, Linear, Link, Problem, Result, Softmax, Term, expect_len};
use lipex_cpu::given_pairs;

/// The columns of a fit, in order: features, ones if there is such a column, pairs of features.
///
/// A feature's bit says that it is kept, or, of an anchored fit and of one with pairs, that it is removed: then the solver's
/// number for it is −W, that of ones the logits at the whole instance, and a pair's its coefficient.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub anchored: bool,
    /// Whether there is a column of ones.
    pub ones: bool,
    pub removed: bool,
    /// Given pairs, by features.
    pairs: Vec<[usize; 2]>,
}

impl Form {
    /// The form of a fit: with the pairs of its start, or with those that are given.
    ///
    /// # Errors
    /// [`Error::Setting`] for a given pair of features that are not kept.
    pub fn of(settings: &Softmax, problem: &Problem<'_, Cuda>) -> Result<Self> {
        let (intercept, asked) = (settings.intercept_in_use(), settings.pairs_in_use());
        let pairs = match problem.start {
            Some(start) => start.answer.pairs().into_iter().map(|pair| pair.features).collect(),
            None => given_pairs(asked, &problem.selection.kept, problem.multiplicities.is_some())?,
        };
        let (anchored, ones) = (intercept == Intercept::Anchored, intercept == Intercept::Fitted);
        Ok(Form { anchored, ones, removed: anchored || !asked.is_none() || !pairs.is_empty(), pairs })
    }

    /// K, the columns of a fit of so many features.
    pub fn columns(&self, features: usize) -> usize {
        features + usize::from(self.ones) + self.pairs.len()
    }

    /// λ as it enters the objective: with λ = 0 a feature or a pair that is never removed would have no optimum.
    pub fn penalty(&self, lambda: f64) -> f64 {
        if self.removed && lambda == 0.0 { INTERCEPT_PENALTY } else { lambda }
    }

    /// The features of each column, the same twice for one alone.
    pub fn terms(&self, kept: &[usize]) -> Vec<u32> {
        let alone = kept.iter().flat_map(|&j| [j as u32; 2]);
        let ones = self.ones.then_some([ONES; 2]).into_iter().flatten();
        alone.chain(ones).chain(self.pairs.iter().flatten().map(|&j| j as u32)).collect()
    }

    /// A fit as the solver has it: C × K.
    ///
    /// # Errors
    /// [`Error::Shape`] for a fit of other sizes; [`Error::Setting`] for one with pairs where this form has none.
    pub fn layout(&self, fitted: &Linear, (classes, kept): (usize, &[usize])) -> Result<Vec<f64>> {
        expect_len("classes of the start", classes, fitted.coefficients().len())?;
        expect_len("features of the start", kept.len(), fitted.kept().len())?;
        let columns: Vec<Vec<f64>> = if self.removed {
            let singles = kept.iter().map(|&j| column(fitted, &[j], -1.0));
            let pairs = self.pairs.iter().map(|pair| column(fitted, pair, 1.0));
            singles.chain(self.ones.then(|| fitted.whole())).chain(pairs).collect()
        } else {
            let told = || Error::setting("start", "a fit with pairs", "this surrogate has none");
            let (matrix, b) = fitted.presence().ok_or_else(told)?;
            (0..kept.len()).map(|j| matrix.iter().map(|row| row[j]).collect()).chain(self.ones.then_some(b)).collect()
        };
        Ok((0..classes).flat_map(|c| columns.iter().map(move |column| column[c])).collect())
    }

    /// The fit out of what the kernels answer: the offset, C numbers, and the solver's C × K.
    ///
    /// # Errors
    /// Those of [`Linear::new`].
    pub fn read(&self, answer: &[f64], (classes, kept): (usize, &[usize])) -> Result<Linear> {
        let (features, support) = (kept.len(), vec![(0..kept.len()).collect(); classes]);
        let (offset, x) = answer.split_at(classes);
        let rows: Vec<&[f64]> = x.chunks_exact(self.columns(features).max(1)).collect();
        let of_ones = || rows.iter().map(|row| row[features]).collect::<Vec<f64>>();
        if !self.removed {
            let matrix = rows.iter().map(|row| row[..features].to_vec()).collect();
            return Linear::from_presence(kept.to_vec(), matrix, self.ones.then(of_ones), support, Link::Softmax);
        }
        let first = features + usize::from(self.ones);
        let row = |row: &&[f64]| row[..features].iter().map(|v| -v).chain(row[first..].iter().copied()).collect();
        let pairs = self.pairs.iter().map(|&[a, b]| Term::pair(a, b));
        let terms = kept.iter().map(|&j| Ok(Term::one(j))).chain(pairs).collect::<Result<Vec<_>>>()?;
        let base = if self.ones { Base::Intercept(of_ones()) } else { Base::Anchored(offset.to_vec()) };
        Linear::new(kept.to_vec(), terms, rows.iter().map(row).collect(), base, support, Link::Softmax)
    }
}

/// A term's coefficients over classes, times `sign`; zeros where the fit has no such term.
fn column(fitted: &Linear, features: &[usize], sign: f64) -> Vec<f64> {
    let place = fitted.terms().iter().position(|term| term.features() == features);
    fitted.coefficients().iter().map(|row| place.map_or(0.0, |t| sign * row[t])).collect()
}
