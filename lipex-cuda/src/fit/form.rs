//! What a softmax surrogate is fitted as: the columns of the fit, what its logits start from, and how W and b lie in the
//! solver's vectors.

use super::job::ONES;
use lipex_core::{Error, Fitted, Intercept, Result, Softmax, expect_len};

/// The columns of a fit. A feature's bit says that it is kept, or, of an anchored fit, that it is removed: then the solver's
/// number for it is −W.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub anchored: bool,
    /// Whether there is a column of ones.
    pub ones: bool,
}

impl Form {
    /// The form of the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for an intercept that the data are to choose, and for pairs: the kernels have neither.
    pub fn new(settings: &Softmax) -> Result<Self> {
        settings.check()?;
        let intercept = settings.intercept_in_use();
        if intercept == Intercept::Auto {
            let reason = "CUDA has anchored, fitted and none; use the CPU (--backend cpu)";
            return Err(Error::setting("intercept", intercept.name(), reason));
        }
        if !settings.pairs_in_use().is_none() {
            return Err(Error::setting("pairs", settings.pairs_in_use(), "CUDA has none; use the CPU (--backend cpu)"));
        }
        Ok(Form { anchored: intercept == Intercept::Anchored, ones: intercept == Intercept::Fitted })
    }

    /// K, the columns of a fit of so many features.
    pub fn columns(&self, features: usize) -> usize {
        features + usize::from(self.ones)
    }

    /// The features of each column, the same twice for one alone.
    pub fn terms(&self, kept: &[usize]) -> Vec<u32> {
        let alone = kept.iter().flat_map(|&j| [j as u32; 2]);
        alone.chain(self.ones.then_some([ONES; 2]).into_iter().flatten()).collect()
    }

    fn sign(&self) -> f64 {
        if self.anchored { -1.0 } else { 1.0 }
    }

    /// A fit as the solver has it: C × K.
    ///
    /// # Errors
    /// [`Error::Shape`] for a fit of other sizes.
    pub fn layout(&self, fitted: &Fitted, (classes, features): (usize, usize)) -> Result<Vec<f64>> {
        expect_len("classes of the intercept", classes, fitted.intercept.len())?;
        let mut x = Vec::with_capacity(classes * self.columns(features));
        for (row, b) in fitted.matrix.iter().zip(&fitted.intercept) {
            expect_len("features of the start", features, row.len())?;
            x.extend(row.iter().map(|w| self.sign() * w));
            x.extend(self.ones.then_some(*b));
        }
        Ok(x)
    }

    /// W and b out of what the kernels answer: the offset, C numbers, and the solver's C × K.
    pub fn read(&self, answer: &[f64], (classes, features): (usize, usize)) -> (Vec<Vec<f64>>, Vec<f64>) {
        let (offset, x) = answer.split_at(classes);
        let rows: Vec<&[f64]> = x.chunks_exact(self.columns(features).max(1)).collect();
        let matrix: Vec<Vec<f64>> =
            rows.iter().map(|row| row[..features].iter().map(|v| self.sign() * v).collect()).collect();
        let b = |c: usize| match (self.anchored, self.ones) {
            // ln q at the empty mask: all features are removed.
            (true, _) => offset[c] - matrix[c].iter().sum::<f64>(),
            (false, true) => rows[c][features],
            (false, false) => 0.0,
        };
        let intercept = (0..classes).map(b).collect();
        (matrix, intercept)
    }
}
