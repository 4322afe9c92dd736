//! What becomes of the model's answer when the first features of a ranking are removed, or nothing but them is kept.

use super::total_variation;
use crate::occasion::Occasion;
use lipex::{Result, arg_max};

/// The model's answers without the first 1 … K features of a ranking, and with these alone.
///
/// A ranking of fewer features ends earlier: what it does not have is not removed.
///
/// ```
/// use lipex::prelude::*;
/// use lipex_experiment::{Occasion, measure::Removals};
///
/// // Three words: "fine" is worth .5, "good" .2, "day" nothing.
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     let worth = |t: &str| 0.2 + 0.5 * f64::from(t.contains("fine")) + 0.2 * f64::from(t.contains("good"));
///     texts.iter().map(|t| [1.0 - worth(t), worth(t)]).collect()
/// });
/// let text = TextInstance::new("good fine day")?;
/// let removals = Removals::new(&Occasion::new(&text, &model)?, &[1, 0, 2], 2)?;
/// assert_eq!((removals.flips(1), removals.flips(2)), (true, true));
/// // Without "fine" .4 for .9, without both .2: (.5 + .7) / 2.
/// assert!((removals.comprehensiveness() - 0.6).abs() < 1e-6);
/// // "fine" alone .7, both .9: (.2 + 0) / 2.
/// assert!((removals.sufficiency() - 0.1).abs() < 1e-6);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Removals {
    class: usize,
    whole: Vec<f64>,
    without: Vec<Vec<f64>>,
    alone: Vec<Vec<f64>>,
}

impl Removals {
    /// Asks the model twice for each of the first `most` features of a ranking.
    ///
    /// # Errors
    /// Those of [`Occasion::without`].
    pub fn new<Batch>(at: &Occasion<'_, Batch>, ranking: &[usize], most: usize) -> Result<Self> {
        let sets: Vec<&[usize]> = (1..=most).map(|k| &ranking[..k.min(ranking.len())]).collect();
        let (class, whole) = (at.predicted(), at.whole().to_vec());
        Ok(Removals { class, whole, without: at.without(&sets)?, alone: at.with_only(&sets)? })
    }

    /// The model's answer without the first `k`; for the whole input without any.
    pub fn without(&self, k: usize) -> &[f64] {
        k.checked_sub(1).and_then(|k| self.without.get(k)).unwrap_or(&self.whole)
    }

    /// Whether the predicted class is another without the first `k`.
    pub fn flips(&self, k: usize) -> bool {
        arg_max(self.without(k)) != self.class
    }

    /// The mean over k of what the predicted class's probability loses without the first k (ERASER's comprehensiveness, over counts in
    /// place of shares of the words).
    pub fn comprehensiveness(&self) -> f64 {
        self.mean(&self.without, |p| self.whole[self.class] - p[self.class])
    }

    /// The same in total variation of the whole answer.
    pub fn comprehensiveness_tv(&self) -> f64 {
        self.mean(&self.without, |p| total_variation(&self.whole, p))
    }

    /// The mean over k of what the predicted class's probability loses when the first k are all that is kept (ERASER's sufficiency): small
    /// where a few features are enough.
    pub fn sufficiency(&self) -> f64 {
        self.mean(&self.alone, |p| self.whole[self.class] - p[self.class])
    }

    /// The same in total variation of the whole answer.
    pub fn sufficiency_tv(&self) -> f64 {
        self.mean(&self.alone, |p| total_variation(&self.whole, p))
    }

    fn mean(&self, answers: &[Vec<f64>], of: impl Fn(&[f64]) -> f64) -> f64 {
        answers.iter().map(|p| of(p)).sum::<f64>() / answers.len().max(1) as f64
    }
}
