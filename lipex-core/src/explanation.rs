//! An explanation, and how to read it.
//!
//! # Reading one
//! `top_k` lists a class's features, `contrast` compares two classes, `without` asks the surrogate for the answer without
//! features, `what_to_remove` and `what_would_change` look for sets. All of them ask the answer; none looks at how it was
//! fitted.

use crate::describe::{Departure, Setting};
use crate::error::{Error, Result};
use crate::evaluate::Fidelity;
use crate::fit::{Answer, FitReport, Link, Pair, Shares};
use crate::flip::Flip;
use crate::nearest::{class_by_name, nearest};
use crate::predict::{Calls, Observed};
use crate::reading::top_k;
use crate::removal::Removal;
use crate::render::{Domain, Feature};
use crate::uncertainty::{Growth, Uncertainty};

/// What a classifier does around one instance, for every class at once. Host data without parameters.
///
/// What was learnt is the [`Answer`]: [`shares`](Explanation::shares) is the matrix that one reads, and
/// [`without`](Explanation::without) says what the surrogate answers when features are removed. A softmax's shares have no
/// sign of their own across classes: adding a constant to a column changes no probability. They are kept with columns centred,
/// so an entry says what a feature does to a class *relative to the others*, in log-odds.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let good = explanation.class("good")?;
/// let first = explanation.top_k(good, 1, Rank::Supporting)[0].feature;
/// assert_eq!(explanation.name(first), "fine");
/// // Without it the model gives .4, and the surrogate nearly so.
/// assert!((explanation.without(&[first])?[good] - 0.4).abs() < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The version of lipex that made it.
    pub version: String,
    /// The backend that it was made on.
    pub backend: String,
    /// The preset that the settings started from.
    pub preset: String,
    /// Settings that differ from the preset or from the paper.
    pub departures: Vec<Departure>,
    /// Every setting.
    pub settings: Vec<Setting>,
    /// The seed of the masks.
    pub seed: u64,
    /// The text that was explained, which the spans of the features refer to; `None` for instances that are no text.
    pub text: Option<String>,
    /// Class names, in the order of the shares' rows.
    pub classes: Vec<String>,
    /// All D features.
    pub features: Vec<Feature>,
    /// What the surrogate learnt; `None` where the method has none.
    pub answer: Option<Answer>,
    /// Both answers at the instance.
    pub probabilities: Answers,
    /// Classes that the black box gives less than 10⁻⁶ on every mask.
    pub never: Vec<bool>,
    /// How well the surrogate agrees with the black box; `None` where that was not measured.
    pub fidelity: Option<Fidelity>,
    /// How the fit went; `None` where nothing was fitted.
    pub fit: Option<FitReport>,
    /// Standard errors of the shares, where they were asked for.
    pub uncertainty: Option<Uncertainty>,
    /// The course of a run that added masks until its answer was steady.
    pub growth: Option<Growth>,
    /// What would take the prediction to another class, where that was asked.
    pub flip: Option<Flip>,
    /// What to remove so that the predicted class falls fastest, ten features at most; `None` where there is no surrogate to ask.
    pub removal: Option<Removal>,
    /// The ranking that `top_k` uses unless another is named.
    pub rank: Rank,
    /// What shares are ranked by where pairs were chosen: C rows of F numbers, the shares of the fit without pairs. `None`
    /// where they are ranked by themselves.
    pub ranking: Option<Vec<Vec<f64>>>,
    /// What the black box was asked.
    pub calls: Calls,
    /// What was seen of its answers.
    pub observed: Observed,
    /// Wall-clock time of each stage.
    pub timings_ms: Timings,
}

/// Both distributions at the instance, C numbers each.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let both = lipex().explain(&text, &model)?.probabilities;
/// assert!((both.model[1] - 0.9).abs() < 1e-6);
/// assert!((both.surrogate[1] - 0.9).abs() < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answers {
    /// The black box's.
    pub model: Vec<f64>,
    /// The surrogate's.
    pub surrogate: Vec<f64>,
}

/// Wall-clock milliseconds of each stage.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let took = lipex().explain(&text, &model)?.timings_ms;
/// println!("the model took {:.1} ms, the fit {:.1} ms", took.predict, took.fit);
/// assert!(took.fit > took.uncertainty); // no error bars were asked for
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timings {
    /// Drawing masks.
    pub perturb: f64,
    /// Rendering inputs.
    pub render: f64,
    /// The black box.
    pub predict: f64,
    /// Proximity weights.
    pub weigh: f64,
    /// Selection.
    pub select: f64,
    /// The fit.
    pub fit: f64,
    /// Fidelity, its refits included.
    pub evaluate: f64,
    /// Error bars, their refits included; next to 0 where there are none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub uncertainty: f64,
}

/// How features are ranked for a class.
///
/// ```
/// use lipex_core::Rank;
///
/// assert_eq!("opposing".parse::<Rank>()?, Rank::Opposing);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Rank {
    /// Largest share first: what holds the class up.
    #[default]
    Supporting,
    /// Smallest share first: what speaks against the class.
    Opposing,
    /// Largest absolute share first: what moves the odds. The paper's.
    Absolute,
    /// Largest loss of the surrogate's probability when the feature is removed from the instance.
    Effect,
}

impl Rank {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Rank::Supporting => "supporting",
            Rank::Opposing => "opposing",
            Rank::Absolute => "absolute",
            Rank::Effect => "effect",
        }
    }

    /// The ranking of that name.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        [Rank::Supporting, Rank::Opposing, Rank::Absolute, Rank::Effect]
            .into_iter()
            .find(|r| r.name() == name)
            .ok_or_else(|| Error::choice("rank", name, &["supporting", "opposing", "absolute", "effect"]))
    }
}

/// One feature in a reading.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// // By what the surrogate loses of "good" when the word goes: .9 − .4.
/// let first = explanation.top_k(1, 1, Rank::Effect)[0];
/// assert_eq!(explanation.name(first.feature), "fine");
/// assert!((first.value - 0.5).abs() < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The feature's index among all D.
    pub feature: usize,
    /// Its number: an entry of W, a difference of two, or a change of probability.
    pub value: f64,
}

/// What would take the surrogate's answer to another class.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let change = explanation.what_would_change(explanation.class("bad")?)?.unwrap();
/// assert_eq!(change.remove.iter().map(|&j| explanation.name(j)).collect::<Vec<_>>(), ["fine"]);
/// // The surrogate says so; the model, asked once, agrees.
/// assert!(lipex().check_change(&text, &model, &change)?);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The class to reach.
    pub class: usize,
    /// Features to remove, in order.
    pub remove: Vec<usize>,
    /// The surrogate's probabilities without them.
    pub surrogate: Vec<f64>,
}

impl Explanation {
    /// The index of a class by name; case counts only where it must ([`class_by_name`]).
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such class; lists those there are.
    pub fn class(&self, name: &str) -> Result<usize> {
        class_by_name(name, &self.classes).ok_or_else(|| {
            let names: Vec<&str> = self.classes.iter().map(String::as_str).collect();
            let meant = nearest(name, &names).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
            Error::setting("class", format!("\"{name}\""), format!("{meant}the classes are {}", names.join(", ")))
        })
    }

    /// What was explained: features of an image have regions, and a row of a table says how many columns it has.
    pub fn domain(&self) -> Domain {
        if self.features.iter().any(|f| f.region.is_some()) {
            Domain::Image
        } else if self.settings.iter().any(|setting| setting.name == "columns") {
            Domain::Rows
        } else {
            Domain::Text
        }
    }

    /// The class that the black box finds likeliest; ties to the lowest index.
    pub fn predicted(&self) -> usize {
        arg_max(&self.probabilities.model)
    }

    /// Classes by the black box's probability, likeliest first.
    pub fn classes_by_probability(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by(|&a, &b| self.probabilities.model[b].total_cmp(&self.probabilities.model[a]));
        order
    }

    /// A feature's name, numbered where others have the same: the second "to" is "to (2)". Empty where there is no such feature.
    pub fn name(&self, feature: usize) -> String {
        let Some(own) = self.features.get(feature) else { return String::new() };
        let mut alike = self.features.iter().enumerate().filter(|(_, other)| other.name == own.name);
        let before = alike.by_ref().take_while(|(j, _)| *j < feature).count();
        let others = before + alike.count();
        if others == 0 { own.name.clone() } else { format!("{} ({})", own.name, before + 1) }
    }

    /// S, ascending: the features that the surrogate was fitted on; empty where there is none.
    pub fn kept(&self) -> &[usize] {
        self.answer.as_ref().map_or(&[], Answer::kept)
    }

    /// What each kept feature does to each class, C×F; without columns where there is no surrogate.
    pub fn shares(&self) -> Shares<'_> {
        self.answer.as_ref().map_or_else(|| Shares::none(self.classes.len()), Answer::shares)
    }

    /// The features that act together, by twos.
    pub fn pairs(&self) -> Vec<Pair> {
        self.answer.as_ref().map(Answer::pairs).unwrap_or_default()
    }

    /// How the surrogate's scores become its answer, and what shares are measured in; `None` where there is no surrogate.
    pub fn link(&self) -> Option<Link> {
        self.answer.as_ref().map(Answer::link)
    }

    /// The first `k` features for a class under a ranking; ties to the lowest index.
    ///
    /// Values are shares, for [`Rank::Effect`] changes of probability. Only features that the class's row was fitted on take
    /// part, under [`Rank::Effect`] those of them whose effect the surrogate can tell: one of a user's own that was read from
    /// a file knows the masks of its run.
    pub fn top_k(&self, class: usize, k: usize, rank: Rank) -> Vec<Weighted> {
        let order = self.ranking.as_ref().and_then(|rows| rows.get(class)).map(Vec::as_slice);
        top_k((&self.shares(), order), class, |j| self.effect(class, j).ok(), k, rank)
    }

    /// φ\[a\] − φ\[b\]: the log-odds that each kept feature adds for class a against class b, largest first; empty where a
    /// class does not exist.
    pub fn contrast(&self, a: usize, b: usize) -> Vec<Weighted> {
        let shares = self.shares();
        // What a tree does not ask about has no share of either.
        let is_tree = self.answer.as_ref().is_some_and(|answer| answer.tree().is_some());
        let asked = |j: &usize| !is_tree || shares.support(a).contains(j);
        let entry = |j: usize| Weighted { feature: shares.kept()[j], value: shares.row(a)[j] - shares.row(b)[j] };
        let places = 0..shares.row(a).len().min(shares.row(b).len());
        let mut list: Vec<Weighted> = places.filter(asked).map(entry).collect();
        list.sort_by(|x, y| y.value.total_cmp(&x.value).then(x.feature.cmp(&y.feature)));
        list
    }

    /// The surrogate's answer when features (indices among all D) are removed from the instance.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is no surrogate; those of [`Answer::predict`].
    pub fn without(&self, removed: &[usize]) -> Result<Vec<f64>> {
        let answer = self.asked()?;
        answer.predict(&answer.kept().iter().map(|j| !removed.contains(j)).collect::<Vec<bool>>())
    }

    /// The surrogate, to be asked.
    pub(crate) fn asked(&self) -> Result<&Answer> {
        self.answer.as_ref().ok_or_else(|| {
            Error::setting("answer", "none", "this explanation was made without a surrogate that could be asked")
        })
    }

    /// How much of class `class` the surrogate loses when kept feature number `j` is removed from the instance.
    ///
    /// # Errors
    /// Those of [`without`](Explanation::without); [`Error::Shape`] for a class or a place that does not exist.
    pub fn effect(&self, class: usize, j: usize) -> Result<f64> {
        let kept = self.kept();
        let feature =
            kept.get(j).ok_or_else(|| Error::shape("place (below the number of kept features)", kept.len(), j))?;
        let (whole, less) = (self.without(&[])?, self.without(&[*feature])?);
        match (whole.get(class), less.get(class)) {
            (Some(whole), Some(less)) => Ok(whole - less),
            _ => Err(Error::shape("class (below the number of classes)", whole.len(), class)),
        }
    }

    /// Passes if the parts fit together, as they must after reading one from a file.
    ///
    /// # Errors
    /// [`Error::Shape`] names the first part that does not.
    pub fn check(&self) -> Result<()> {
        let (c, d, f) = (self.classes.len(), self.features.len(), self.kept().len());
        let same = crate::error::expect_len;
        if let Some(answer) = &self.answer {
            same("rows of the matrix", c, answer.classes())?;
        }
        same("model probabilities", c, self.probabilities.model.len())?;
        same("surrogate probabilities", c, self.probabilities.surrogate.len())?;
        same("never", c, self.never.len())?;
        if let Some(fidelity) = &self.fidelity {
            same("r2", c, fidelity.r2.len())?;
        }
        if c < 2 {
            return Err(Error::shape("classes (at least)", 2, c));
        }
        if let Some(&j) = self.kept().iter().find(|&&j| j >= d) {
            return Err(Error::shape("kept features (below the number of features)", d, j));
        }
        if let Some(u) = &self.uncertainty {
            u.check(c, d, f)?;
        }
        if let Some(g) = self.growth.as_ref().filter(|g| g.class >= c) {
            return Err(Error::shape("class of growth (below the number of classes)", c, g.class));
        }
        let named = |g: &Growth| g.interchangeable.iter().flatten().copied().find(|&j| j >= d);
        if let Some(j) = self.growth.as_ref().and_then(named) {
            return Err(Error::shape("interchangeable features (below the number of features)", d, j));
        }
        if let Some(rows) = &self.ranking {
            same("rows of the ranking", c, rows.len())?;
            rows.iter().try_for_each(|row| same("features of the ranking", f, row.len()))?;
        }
        self.flip.as_ref().map_or(Ok(()), |flip| flip.check(c, d))?;
        self.removal.as_ref().map_or(Ok(()), |removal| removal.check(c, d))?;
        self.check_spans()
    }
}

impl Explanation {
    /// Passes if every span is a piece of the text, where there is a text.
    fn check_spans(&self) -> Result<()> {
        let Some(text) = &self.text else { return Ok(()) };
        for span in self.features.iter().flat_map(|f| &f.spans) {
            let [from, to] = span.bytes;
            if text.get(from..to).is_none() {
                return Err(Error::shape("spans (at most the bytes of the text, between characters)", text.len(), to));
            }
        }
        Ok(())
    }
}

/// The index of the largest number; ties to the lowest, 0 for none.
///
/// ```
/// assert_eq!(lipex_core::arg_max(&[0.2, 0.4, 0.4]), 1);
/// ```
pub fn arg_max(values: &[f64]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (1..values.len()).fold(0, better)
}
