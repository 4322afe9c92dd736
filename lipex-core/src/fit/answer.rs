//! What a fit returns.

use super::report::FitReport;

/// How the surrogate's scores become its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Link {
    /// Probabilities softmax(W z + b).
    Softmax,
    /// W z + b itself (ridge): rows may leave the simplex.
    Identity,
}

/// A fitted surrogate.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// S, ascending: the features that the columns of `matrix` belong to.
    pub kept: Vec<usize>,
    /// W, C rows of F numbers; for a softmax each column has mean 0 over classes.
    pub matrix: Vec<Vec<f64>>,
    /// b, C numbers; zeros without an intercept. For a softmax they have mean 0.
    pub intercept: Vec<f64>,
    /// For each class the positions in `kept` that its row was fitted on.
    pub support: Vec<Vec<usize>>,
    /// How scores become the surrogate's answer.
    pub link: Link,
    /// How the fit went.
    pub report: FitReport,
}

impl Fitted {
    /// ‖W‖ over the ‖W‖ of a fit with less penalty; `None` where that one has no length.
    pub fn shrinkage(&self, less: &Fitted) -> Option<f64> {
        let length = |fit: &Fitted| fit.matrix.iter().flatten().map(|w| w * w).sum::<f64>().sqrt();
        (length(less) > 0.0).then(|| length(self) / length(less))
    }

    /// Q of one mask over the kept features, in f64.
    ///
    /// # Shapes
    /// `kept[j]` says whether feature `self.kept[j]` is present.
    pub fn predict(&self, kept: &[bool]) -> Vec<f64> {
        let mut scores: Vec<f64> = self
            .matrix
            .iter()
            .zip(&self.intercept)
            .map(|(row, b)| b + row.iter().zip(kept).filter(|(_, k)| **k).map(|(w, _)| w).sum::<f64>())
            .collect();
        if self.link == Link::Softmax {
            softmax_in_place(&mut scores);
        }
        scores
    }
}

/// Replaces logits by probabilities.
pub fn softmax_in_place(logits: &mut [f64]) {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    logits.iter_mut().for_each(|l| *l = (*l - top).exp());
    let sum: f64 = logits.iter().sum();
    logits.iter_mut().for_each(|l| *l /= sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fitted_surrogate_predicts() {
        let report = FitReport::solved("by hand");
        let mut fitted = Fitted {
            kept: vec![0, 2],
            matrix: vec![vec![3f64.ln(), 0.0], vec![0.0, 9f64.ln()]],
            intercept: vec![0.0, 0.0],
            support: vec![vec![0, 1]; 2],
            link: Link::Softmax,
            report,
        };
        assert!((fitted.predict(&[true, false])[0] - 0.75).abs() < 1e-15);
        assert!((fitted.predict(&[true, true])[1] - 0.75).abs() < 1e-15);
        fitted.link = Link::Identity;
        assert_eq!(fitted.predict(&[true, true]), [3f64.ln(), 9f64.ln()]);
    }
}
