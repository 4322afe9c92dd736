//! What to remove: greedy sets of features, each chosen given those that are gone.

use crate::error::{Error, Result};
use crate::explanation::{Change, Explanation, arg_max};
use crate::fit::{Answer, Link, TreeLeaf};

/// Features to remove so that a class falls fastest according to the surrogate.
///
/// Each is the one whose removal lowers the surrogate's probability of the class most, given that those before it are gone.
/// Where pairs were chosen by the data, the order is that of the fit without them, as it is of rankings: on long texts it flips
/// predictions more often. The surrogate's answers are those with pairs.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let removal = explanation.what_to_remove(explanation.class("good")?)?;
/// assert_eq!(explanation.name(removal.features[0]), "fine");
/// assert!(removal.surrogate[0] < 0.5); // from .9
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Removal {
    /// The class.
    pub class: usize,
    /// Features (of all D), in the order of removal.
    pub features: Vec<usize>,
    /// The surrogate's answer for the class when the features so far are gone, a number a feature.
    pub surrogate: Vec<f64>,
}

impl Removal {
    /// Features of an explanation's own removal at most.
    pub(crate) const SHOWN: usize = 10;

    /// Passes if the parts fit C classes and D features.
    pub(crate) fn check(&self, c: usize, d: usize) -> Result<()> {
        crate::error::expect_len("answers of removal", self.features.len(), self.surrogate.len())?;
        if self.class >= c {
            return Err(Error::shape("class of removal (below the number of classes)", c, self.class));
        }
        match self.features.iter().find(|&&j| j >= d) {
            Some(&j) => Err(Error::shape("features of removal (below the number of features)", d, j)),
            None => Ok(()),
        }
    }
}

/// An answer with some of its features gone.
struct Walk<'a> {
    answer: &'a Answer,
    keeps: Vec<bool>,
    /// Logits of a linear answer, else what it answers.
    scores: Vec<f64>,
    /// What the order goes by, where pairs were chosen: logits of the fit without them.
    without_pairs: Option<Additive<'a>>,
}

/// The fit without pairs: its shares (C×F), and its logits with some features gone.
struct Additive<'a> {
    shares: &'a [Vec<f64>],
    scores: Vec<f64>,
}

impl Additive<'_> {
    fn without(&self, place: usize, scores: &mut Vec<f64>) {
        scores.clear();
        scores.extend(self.scores.iter().zip(self.shares).map(|(score, row)| score - row.get(place).unwrap_or(&0.0)));
    }
}

impl<'a> Walk<'a> {
    /// `ranking` has the shares of the fit without pairs, where pairs were chosen.
    fn new(answer: &'a Answer, ranking: Option<&'a [Vec<f64>]>) -> Result<Self> {
        let keeps = vec![true; answer.kept().len()];
        let scores = match answer.linear() {
            Some(linear) => linear.whole(),
            None => answer.predict(&keeps)?,
        };
        let without_pairs = ranking.map(|shares| Additive { shares, scores: scores.clone() });
        Ok(Walk { answer, keeps, scores, without_pairs })
    }

    /// What the order goes by.
    fn leading(&self) -> &[f64] {
        self.without_pairs.as_ref().map_or(&self.scores, |additive| &additive.scores)
    }

    /// The scores when the feature at a place goes too.
    fn without(&mut self, place: usize, scores: &mut Vec<f64>) -> Result<()> {
        if let Some(linear) = self.answer.linear() {
            scores.clone_from(&self.scores);
            linear.remove(place, &self.keeps, scores);
            return Ok(());
        }
        self.keeps[place] = false;
        let found = self.answer.predict(&self.keeps);
        self.keeps[place] = true;
        *scores = found?;
        Ok(())
    }

    /// Whether scores are logits.
    fn is_softmax(&self) -> bool {
        self.answer.linear().is_some_and(|linear| linear.link() == Link::Softmax)
    }

    fn probabilities(&self) -> Vec<f64> {
        let mut scores = self.scores.clone();
        if let Some(linear) = self.answer.linear() {
            linear.link().apply(&mut scores);
        }
        scores
    }

    /// Removes the feature that leads to the largest `value` of the scores, which it returns; `None` with nothing left. Ties go
    /// to the lowest place.
    fn step(&mut self, value: impl Fn(&[f64]) -> f64) -> Result<Option<(usize, f64)>> {
        let mut best: Option<(usize, f64)> = None;
        let (mut tried, mut scores) = (Vec::new(), Vec::new());
        for place in 0..self.keeps.len() {
            if !self.keeps[place] {
                continue;
            }
            match &self.without_pairs {
                Some(additive) => additive.without(place, &mut tried),
                None => self.without(place, &mut tried)?,
            }
            let found = value(&tried);
            if best.is_none_or(|(_, most)| found > most) {
                best = Some((place, found));
                std::mem::swap(&mut tried, &mut scores);
            }
        }
        let Some((place, found)) = best else { return Ok(None) };
        if self.without_pairs.is_some() {
            let mut whole = Vec::new();
            self.without(place, &mut whole)?;
            self.scores = whole;
        }
        *self.without_pairs.as_mut().map_or(&mut self.scores, |additive| &mut additive.scores) = scores;
        self.keeps[place] = false;
        Ok(Some((place, found)))
    }
}

/// ln Σ exp over every class but one: beside that class's logit it tells probabilities apart that round to 1.
fn others(logits: &[f64], class: usize) -> f64 {
    let rest = || logits.iter().enumerate().filter(|(c, _)| *c != class).map(|(_, s)| *s);
    let top = rest().fold(f64::NEG_INFINITY, f64::max);
    top + rest().map(|s| (s - top).exp()).sum::<f64>().ln()
}

/// The greedy set of a class, of at most so many features.
pub(crate) fn removal(answer: &Answer, ranking: Option<&[Vec<f64>]>, class: usize, most: usize) -> Result<Removal> {
    let mut walk = Walk::new(answer, ranking)?;
    let softmax = walk.is_softmax();
    let fallen = |scores: &[f64]| if softmax { others(scores, class) - scores[class] } else { -scores[class] };
    let (mut features, mut surrogate) = (Vec::new(), Vec::new());
    let mut last = fallen(walk.leading());
    while features.len() < most {
        match walk.step(fallen)? {
            Some((place, value)) if value > last => {
                features.push(answer.kept()[place]);
                surrogate.push(walk.probabilities()[class]);
                last = value;
            }
            _ => break,
        }
    }
    Ok(Removal { class, features, surrogate })
}

impl Explanation {
    /// What to remove so that `class` falls fastest: each time the feature whose removal lowers the surrogate's answer for it
    /// most, given those that are gone, until none lowers it. Where pairs were chosen, the fit without them says which lowers it
    /// most.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no surrogate; [`Error::Shape`] for a class that does not exist; those of
    /// [`Answer::predict`].
    pub fn what_to_remove(&self, class: usize) -> Result<Removal> {
        if class >= self.classes.len() {
            return Err(Error::shape("class to remove (below the number of classes)", self.classes.len(), class));
        }
        removal(self.asked()?, self.ranking.as_deref(), class, usize::MAX)
    }

    /// What would change the surrogate's answer to class `to`: a greedy set of features, each the one whose removal brings
    /// `to` nearest to the front, given those that are gone, as soon as it is there; `None` if it never is.
    ///
    /// How near a class is, is its log-odds against its strongest rival (for a ridge, the difference of the scores). Of a tree it is
    /// the nearest leaf of the class ([`Tree::nearest`](crate::Tree::nearest)), so that no smaller set exists.
    ///
    /// According to the surrogate alone; have the model check it with [`Explainer::ask_without`](crate::Explainer::ask_without).
    ///
    /// # Errors
    /// Those of [`what_to_remove`](Explanation::what_to_remove).
    pub fn what_would_change(&self, to: usize) -> Result<Option<Change>> {
        if to >= self.classes.len() {
            return Err(Error::shape("class to change to (below the number of classes)", self.classes.len(), to));
        }
        let answer = self.asked()?;
        if let Some(tree) = answer.tree() {
            let change = |leaf: TreeLeaf| {
                let surrogate = tree.nodes()[leaf.node].value.clone();
                Change { class: to, remove: leaf.removed(), surrogate }
            };
            return Ok(tree.nearest(to).map(change));
        }
        let mut walk = Walk::new(answer, self.ranking.as_deref())?;
        let ahead = |scores: &[f64]| {
            let rivals = scores.iter().enumerate().filter(|(c, _)| *c != to).map(|(_, s)| *s);
            scores[to] - rivals.fold(f64::NEG_INFINITY, f64::max)
        };
        let mut remove = Vec::new();
        while arg_max(&walk.scores) != to {
            match walk.step(ahead)? {
                Some((place, _)) => remove.push(answer.kept()[place]),
                None => return Ok(None),
            }
        }
        Ok(Some(Change { class: to, remove, surrogate: walk.probabilities() }))
    }
}
