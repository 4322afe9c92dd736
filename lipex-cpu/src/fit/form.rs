//! What a softmax surrogate is fitted as: the columns of its design, what its logits start from, and how W and b lie in the
//! solver's vectors.
//!
//! A vector of the solver holds a row a column of the design, classes padded to whole registers with zeros. On masks of what
//! is kept a feature's row is W_j; on those of what is removed it is −W_j.

use crate::Cpu;
use crate::design::{Coding, Columns};
use crate::lanes::padded_f32;
use crate::ridge::whole_instance;
use lipex_core::{Fitted, Intercept, Neighbourhood, Result, Softmax, anchor};

/// The columns of a surrogate's design and what its logits start from.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    coding: Coding,
    ones: bool,
    /// ln P₀, clamped and centred; empty where the surrogate is not anchored.
    pub offset: Vec<f64>,
}

impl Form {
    /// softmax(W z + b).
    pub fn with_intercept() -> Self {
        Form { coding: Coding::Kept, ones: true, offset: Vec::new() }
    }

    /// The form of a fit around an instance.
    ///
    /// # Errors
    /// [`lipex_core::Error::Setting`] for an anchored fit whose row 0 is not the instance.
    pub fn new(settings: &Softmax, around: &Neighbourhood<Cpu>) -> Result<Self> {
        let intercept = settings.intercept_in_use();
        if intercept != Intercept::Anchored {
            return Ok(Form { coding: Coding::Kept, ones: intercept == Intercept::Fitted, offset: Vec::new() });
        }
        whole_instance(around, intercept)?;
        let mut offset = anchor(around.probabilities.row(0));
        centre(&mut offset);
        Ok(Form { coding: Coding::Removed, ones: false, offset })
    }

    /// The design's columns.
    pub fn columns<'a>(&self, kept: &'a [usize]) -> Columns<'a> {
        Columns { coding: self.coding, features: kept, ones: self.ones, pairs: &[] }
    }

    /// The column of ones, if there is one.
    pub fn ones(&self, features: usize) -> Option<usize> {
        self.ones.then_some(features)
    }

    /// W and b of a fit in the solver's layout, centred over classes.
    pub fn layout(&self, fitted: &Fitted) -> Vec<f64> {
        let (classes, features) = (fitted.matrix.len(), fitted.kept.len());
        let width = padded_f32(classes);
        let mut x = vec![0.0; (features + usize::from(self.ones)) * width];
        for (j, column) in x.chunks_exact_mut(width).enumerate() {
            let column = &mut column[..classes];
            for (c, v) in column.iter_mut().enumerate() {
                *v = if j < features { self.sign() * fitted.matrix[c][j] } else { fitted.intercept[c] };
            }
            centre(column);
        }
        x
    }

    /// W and b out of the solver's layout.
    pub fn read(&self, x: &[f64], features: usize, classes: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let width = padded_f32(classes);
        let row = |c: usize| -> Vec<f64> { (0..features).map(|j| self.sign() * x[j * width + c]).collect() };
        let matrix: Vec<Vec<f64>> = (0..classes).map(row).collect();
        let b = |c: usize| match self.coding {
            Coding::Kept if self.ones => x[features * width + c],
            Coding::Kept => 0.0,
            Coding::Removed => self.offset[c] - matrix[c].iter().sum::<f64>(),
        };
        let intercept = (0..classes).map(b).collect();
        (matrix, intercept)
    }

    /// What W is multiplied by in the solver's vectors.
    fn sign(&self) -> f64 {
        if self.coding == Coding::Kept { 1.0 } else { -1.0 }
    }
}

/// Takes the mean off.
fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter_mut().for_each(|v| *v -= mean);
}
