//! What a fit returns: an answer to every mask, and what is read from it.
//!
//! # Why one method
//! Trees, tables and linear surrogates have nothing in common but that they answer masks. Reports, pages, files, flips and
//! fidelity therefore ask [`Answer::predict`], [`Answer::shares`] and [`Answer::pairs`], and a new kind of surrogate is read
//! by all of them.

use super::linear::Linear;
use super::own::OwnAnswer;
use super::report::FitReport;
use super::shares::{Pair, Shares};
use super::tree::Tree;
use crate::error::{Error, Result, expect_len};
use std::borrow::Cow;
use std::sync::Arc;

/// How the surrogate's scores become its answer.
///
/// ```
/// use lipex_core::Link;
///
/// let mut scores = [0.0, 3f64.ln()];
/// Link::Softmax.apply(&mut scores);
/// assert!((scores[1] - 0.75).abs() < 1e-12);
/// // Labels of their own: each against not that label.
/// let mut scores = [0.0, 3f64.ln()];
/// Link::Logistic.apply(&mut scores);
/// assert!((scores[0] - 0.5).abs() < 1e-12 && (scores[1] - 0.75).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Link {
    /// Probabilities are the softmax of the scores; shares are log-odds.
    Softmax,
    /// Each probability is the logistic function of its own score: independent labels; shares are log-odds of the label
    /// against not that label.
    Logistic,
    /// The scores themselves (ridge): rows may leave the simplex; shares are probabilities.
    Identity,
}

/// What a surrogate learnt: it answers masks and gives shares. Readers ask it; only the surrogate that made it looks inside.
///
/// ```
/// use lipex_core::{Answer, Linear, Link};
///
/// // Features 0 and 2 of three, without an intercept.
/// let matrix = vec![vec![1.0, 0.0], vec![0.0, 0.5]];
/// let answer = Answer::from(Linear::from_presence(vec![0, 2], matrix, None, vec![vec![0, 1]; 2], Link::Identity)?);
/// assert_eq!(answer.predict(&[true, false])?, [1.0, 0.0]);
/// assert_eq!(answer.predict_all(&[0b101, 0b100], 3)?, [1.0, 0.5, 0.0, 0.5]);
/// assert_eq!(answer.shares().row(1), [0.0, 0.5]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// Linear in the terms.
    Linear(Linear),
    /// A tree of questions about features.
    Tree(Tree),
    /// A surrogate's own.
    Own(Arc<dyn OwnAnswer>),
}

/// Equal where what is saved is equal.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Answer::Linear(a), Answer::Linear(b)) => a == b,
            (Answer::Tree(a), Answer::Tree(b)) => a == b,
            (Answer::Own(a), Answer::Own(b)) => {
                let saved = |of: &Arc<dyn OwnAnswer>| (of.kept().to_vec(), of.link(), of.shares());
                Arc::ptr_eq(a, b) || (a.recorded() == b.recorded() && saved(a) == saved(b))
            }
            _ => false,
        }
    }
}

impl From<Linear> for Answer {
    fn from(linear: Linear) -> Self {
        Answer::Linear(linear)
    }
}

impl From<Tree> for Answer {
    fn from(tree: Tree) -> Self {
        Answer::Tree(tree)
    }
}

impl<T: OwnAnswer + 'static> From<Arc<T>> for Answer {
    fn from(own: Arc<T>) -> Self {
        Answer::Own(own)
    }
}

impl Answer {
    /// S, ascending: the features that it was fitted on.
    pub fn kept(&self) -> &[usize] {
        match self {
            Answer::Linear(linear) => linear.kept(),
            Answer::Tree(tree) => tree.kept(),
            Answer::Own(own) => own.kept(),
        }
    }

    /// C, the number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Answer::Linear(linear) => linear.coefficients().len(),
            Answer::Tree(tree) => tree.classes(),
            Answer::Own(own) => own.classes(),
        }
    }

    /// The linear answer, with its terms and coefficients; `None` for another kind.
    pub fn linear(&self) -> Option<&Linear> {
        match self {
            Answer::Linear(linear) => Some(linear),
            Answer::Tree(_) | Answer::Own(_) => None,
        }
    }

    /// The tree, with its nodes; `None` for another kind.
    pub fn tree(&self) -> Option<&Tree> {
        match self {
            Answer::Tree(tree) => Some(tree),
            Answer::Linear(_) | Answer::Own(_) => None,
        }
    }

    /// How scores become the answer, and what shares are measured in.
    pub fn link(&self) -> Link {
        match self {
            Answer::Linear(linear) => linear.link(),
            Answer::Tree(_) => Link::Identity,
            Answer::Own(own) => own.link(),
        }
    }

    /// The answer to one mask over the kept features, C numbers.
    ///
    /// # Shapes
    /// `keeps[j]` says whether feature `kept()[j]` is present.
    ///
    /// # Errors
    /// [`Error::Shape`] for a mask of another length; those of a surrogate of one's own, which cannot answer new masks after
    /// it was read from a file.
    pub fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        match self {
            Answer::Linear(linear) => linear.predict(keeps),
            Answer::Tree(tree) => tree.predict(keeps),
            Answer::Own(own) => {
                expect_len("kept features of a mask", own.kept().len(), keeps.len())?;
                let answer = own.predict(keeps)?;
                expect_len("classes of the surrogate's answer", own.classes(), answer.len())?;
                Ok(answer)
            }
        }
    }

    /// The answers to masks over all D features, N rows of C numbers in one array.
    ///
    /// # Shapes
    /// `bits`: N × ⌈D/32⌉ words, as [`Masks`](crate::Masks) have them.
    ///
    /// # Errors
    /// [`Error::Shape`] for a part of a row, or fewer than the kept features; those of [`predict`](Answer::predict).
    pub fn predict_all(&self, bits: &[u32], features: usize) -> Result<Vec<f64>> {
        let words = features.div_ceil(32).max(1);
        expect_len("words of the masks (whole rows)", bits.len() / words * words, bits.len())?;
        if let Some(&j) = self.kept().iter().find(|&&j| j >= features) {
            return Err(Error::shape("kept features (below the number of features)", features, j));
        }
        let mut answers = Vec::with_capacity(bits.len() / words * self.classes());
        let mut keeps = vec![false; self.kept().len()];
        for row in bits.chunks_exact(words) {
            keeps.iter_mut().zip(self.kept()).for_each(|(keep, &j)| *keep = row[j / 32] >> (j % 32) & 1 == 1);
            answers.extend(self.predict(&keeps)?);
        }
        Ok(answers)
    }

    /// What each kept feature does to each class.
    pub fn shares(&self) -> Shares<'_> {
        match self {
            Answer::Linear(linear) => linear.shares(),
            Answer::Tree(tree) => tree.shares(),
            Answer::Own(own) => {
                let (shares, all) = (own.shares(), (0..own.kept().len()).collect());
                let support = vec![all; shares.len()];
                Shares::new(Cow::Borrowed(own.kept()), Cow::Owned(shares), Cow::Owned(support))
            }
        }
    }

    /// The features that act together, by twos; none where the surrogate has no pairs.
    pub fn pairs(&self) -> Vec<Pair> {
        match self {
            Answer::Linear(linear) => linear.pairs(),
            Answer::Tree(_) | Answer::Own(_) => Vec::new(),
        }
    }
}

/// A fitted surrogate.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Problem, Rank, Selection, Softmax, Surrogate};
///
/// // `around` has all masks of two features, of which the first takes class 0 from .6 to .9.
/// let both = Selection::shared(2, vec![0, 1]);
/// let fitted = Softmax::default().fit(&on, &[Problem::new(&around, &both)])?.remove(0);
/// assert!(fitted.report.converged);
/// assert_eq!(fitted.top_k(0, 1, Rank::Supporting)[0].feature, 0);
/// assert!((fitted.predict(&[false, true])?[0] - 0.6).abs() < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// What it learnt.
    pub answer: Answer,
    /// How the fit went.
    pub report: FitReport,
    /// Fits without each fold of the rows, where the surrogate made them on the way; evaluators then need not.
    pub out_of_fold: Option<FoldFits>,
    /// Where pairs were chosen, the fit of the features alone from which they were; see [`Fitted::ranking`].
    pub additive: Option<Box<Fitted>>,
}

/// Fits that have not seen a fold of the rows: what a surrogate that chooses by held-out rows has made already.
///
/// Each made its choices (its pairs, say) from its own rows alone.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of four features; the first two together take class 0 from .1 to .9.
/// # let bits: Vec<u32> = (0..16).rev().collect();
/// # let p = bits.iter().flat_map(|z| if z & 3 == 3 { [0.9, 0.1] } else { [0.1, 0.9] }).collect();
/// # let masks = Masks::new(&on, 16, 4, bits)?;
/// # let around = Neighbourhood::new(&on, masks, Probabilities::new(&on, 16, 2, p)?, Weights::new(vec![1.0; 16]))?;
/// use lipex::{Intercept, Pairs, Problem, Selection, Softmax, Surrogate};
///
/// // `around` has all masks of four features. A pair is chosen, also without each fold.
/// let softmax = Softmax::default().intercept(Intercept::Anchored).pairs(Pairs::Count(1));
/// let all = Selection::shared(2, vec![0, 1, 2, 3]);
/// let fitted = softmax.fit(&on, &[Problem::new(&around, &all)])?.remove(0);
/// let held_out = fitted.out_of_fold.unwrap();
/// assert_eq!(held_out.folds[0], 0); // the instance is in every fit
/// assert_eq!(held_out.folds.iter().max(), Some(&held_out.answers.len()));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FoldFits {
    /// The fold of each row, from 1, as [`deal_folds`](crate::deal_folds) gives it; 0 is in every fit.
    pub folds: Vec<usize>,
    /// The answer without fold 1, without fold 2, and so on.
    pub answers: Vec<Answer>,
}

impl Fitted {
    /// A fit without more than its answer and report.
    pub fn new(answer: impl Into<Answer>, report: FitReport) -> Self {
        Fitted { answer: answer.into(), report, out_of_fold: None, additive: None }
    }

    /// The fit that rankings go by: that of the features alone where pairs were chosen, else this one.
    ///
    /// Removing the first of a ranking changes the predicted class a little more often by the fit without pairs: of .010 to .018
    /// more of 500 texts at the first two (docs/anchoring-and-pairs.md).
    pub fn ranking(&self) -> &Fitted {
        self.additive.as_deref().unwrap_or(self)
    }

    /// S, ascending: the features of the fit.
    pub fn kept(&self) -> &[usize] {
        self.answer.kept()
    }

    /// What each kept feature does to each class.
    pub fn shares(&self) -> Shares<'_> {
        self.answer.shares()
    }

    /// The answer to one mask over the kept features.
    ///
    /// # Errors
    /// Those of [`Answer::predict`].
    pub fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        self.answer.predict(keeps)
    }

    /// The linear answer, for the surrogate that made it.
    ///
    /// # Errors
    /// [`Error::Setting`] for another kind of answer.
    pub fn linear(&self) -> Result<&Linear> {
        let reason = "this surrogate goes on from a linear one";
        self.answer.linear().ok_or_else(|| Error::setting("start", "a surrogate of another kind", reason))
    }

    /// W and b of W z + b, for the surrogate that made it.
    ///
    /// # Errors
    /// [`Error::Setting`] for another kind of answer, pairs included.
    pub fn presence(&self) -> Result<(&[Vec<f64>], Vec<f64>)> {
        let reason = "this surrogate goes on from a linear one without pairs";
        self.linear()?.presence().ok_or_else(|| Error::setting("start", "a fit with pairs", reason))
    }

    /// ‖W‖ over the ‖W‖ of a fit with less penalty; `None` where that one has no length.
    pub fn shrinkage(&self, less: &Fitted) -> Option<f64> {
        let length = |fit: &Fitted| fit.shares().matrix().iter().flatten().map(|w| w * w).sum::<f64>().sqrt();
        let less = length(less);
        (less > 0.0).then(|| length(self) / less)
    }
}

impl Link {
    /// Replaces scores by the answer.
    pub fn apply(self, scores: &mut [f64]) {
        match self {
            Link::Softmax => softmax_in_place(scores),
            Link::Logistic => scores.iter_mut().for_each(|s| *s = 1.0 / (1.0 + (-*s).exp())),
            Link::Identity => {}
        }
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
        let fitted = |link| {
            let matrix = vec![vec![3f64.ln(), 0.0], vec![0.0, 9f64.ln()]];
            let linear = Linear::from_presence(vec![0, 2], matrix, Some(vec![0.0; 2]), vec![vec![0, 1]; 2], link);
            Fitted::new(linear.unwrap(), FitReport::solved("by hand"))
        };
        let softmax = fitted(Link::Softmax);
        assert!((softmax.predict(&[true, false]).unwrap()[0] - 0.75).abs() < 1e-15);
        assert!((softmax.predict(&[true, true]).unwrap()[1] - 0.75).abs() < 1e-15);
        let logistic = fitted(Link::Logistic).predict(&[true, true]).unwrap();
        assert!((logistic[0] - 0.75).abs() < 1e-15 && (logistic[1] - 0.9).abs() < 1e-15);
        assert_eq!(fitted(Link::Identity).predict(&[true, true]).unwrap(), [3f64.ln(), 9f64.ln()]);
        assert!(softmax.predict(&[true]).is_err());
        // Masks over all three features, of which 0 and 2 are kept.
        let all = softmax.answer.predict_all(&[0b011, 0b111], 3).unwrap();
        assert!((all[0] - 0.75).abs() < 1e-15 && (all[3] - 0.75).abs() < 1e-15);
        assert!(softmax.answer.predict_all(&[1], 2).is_err());
    }
}
