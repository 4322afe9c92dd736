//! An explanation, and how to read it.

use crate::describe::{Departure, Setting};
use crate::error::{Error, Result};
use crate::evaluate::Fidelity;
use crate::fit::{FitReport, Fitted, Link, softmax_in_place};
use crate::flip::Flip;
use crate::predict::Calls;
use crate::reading::top_k;
use crate::render::{Domain, Feature};
use crate::uncertainty::{Growth, Uncertainty};

/// What a classifier does around one instance, for every class at once. Host data without parameters.
///
/// W has no sign of its own across classes: adding a constant to a column changes no probability. It is kept with columns
/// centred, so an entry says what a feature does to a class *relative to the others*, in log-odds.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// Class names, in the order of the matrix's rows.
    pub classes: Vec<String>,
    /// All D features.
    pub features: Vec<Feature>,
    /// S, ascending: the features that the matrix's columns belong to.
    pub kept: Vec<usize>,
    /// For each class the positions in `kept` that its row was fitted on.
    pub support: Vec<Vec<usize>>,
    /// W: C rows of F numbers.
    pub matrix: Vec<Vec<f64>>,
    /// b: C numbers. An extrapolation to no features at all, not a base rate.
    pub intercept: Vec<f64>,
    /// How scores become the surrogate's answer.
    pub link: Link,
    /// Both answers at the instance.
    pub probabilities: Answers,
    /// Classes that the black box gives less than 10⁻⁶ on every mask.
    pub never: Vec<bool>,
    /// How well the surrogate agrees with the black box.
    pub fidelity: Fidelity,
    /// How the fit went.
    pub fit: FitReport,
    /// Standard errors of W, where they were asked for.
    pub uncertainty: Option<Uncertainty>,
    /// The course of a run that added masks until its answer was steady.
    pub growth: Option<Growth>,
    /// What would take the prediction to another class, where that was asked.
    pub flip: Option<Flip>,
    /// The ranking that `top_k` uses unless another is named.
    pub rank: Rank,
    /// What the black box was asked.
    pub calls: Calls,
    /// Wall-clock time of each stage.
    pub timings_ms: Timings,
}

/// Both distributions at the instance, C numbers each.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answers {
    /// The black box's.
    pub model: Vec<f64>,
    /// The surrogate's.
    pub surrogate: Vec<f64>,
}

/// Wall-clock milliseconds of each stage.
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
    /// Error bars, their refits included; 0 where there are none.
    #[cfg_attr(feature = "serde", serde(default))]
    pub uncertainty: f64,
}

/// How features are ranked for a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Rank {
    /// Largest W first: what holds the class up.
    #[default]
    Supporting,
    /// Smallest W first: what speaks against the class.
    Opposing,
    /// Largest |W| first: what moves the odds. The paper's.
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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted {
    /// The feature's index among all D.
    pub feature: usize,
    /// Its number: an entry of W, a difference of two, or a change of probability.
    pub value: f64,
}

/// What would take the surrogate's answer to another class.
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
    /// The index of a class by name.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no such class; lists those there are.
    pub fn class(&self, name: &str) -> Result<usize> {
        self.classes.iter().position(|c| c == name).ok_or_else(|| {
            Error::setting("class", format!("\"{name}\""), format!("the classes are {}", self.classes.join(", ")))
        })
    }

    /// What was explained: features of an image have regions.
    pub fn domain(&self) -> Domain {
        if self.features.iter().any(|f| f.region.is_some()) { Domain::Image } else { Domain::Text }
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

    /// The first `k` features for a class under a ranking; ties to the lowest index.
    ///
    /// Values are entries of W, for [`Rank::Effect`] changes of probability. Only features that the class's row was
    /// fitted on take part.
    pub fn top_k(&self, class: usize, k: usize, rank: Rank) -> Vec<Weighted> {
        let Some(row) = self.matrix.get(class) else { return Vec::new() };
        top_k(&self.kept, &self.support[class], row, |j| self.effect(class, j), k, rank)
    }

    /// W\[a\] − W\[b\]: the log-odds that each kept feature adds for class a against class b, largest first.
    pub fn contrast(&self, a: usize, b: usize) -> Vec<Weighted> {
        let mut list: Vec<Weighted> = (0..self.kept.len())
            .map(|j| Weighted { feature: self.kept[j], value: self.matrix[a][j] - self.matrix[b][j] })
            .collect();
        list.sort_by(|x, y| y.value.total_cmp(&x.value).then(x.feature.cmp(&y.feature)));
        list
    }

    /// The surrogate's answer when features (indices among all D) are removed from the instance.
    pub fn without(&self, removed: &[usize]) -> Vec<f64> {
        let mut scores = self.intercept.clone();
        for (j, _) in self.kept.iter().enumerate().filter(|(_, feature)| !removed.contains(feature)) {
            scores.iter_mut().zip(&self.matrix).for_each(|(s, row)| *s += row[j]);
        }
        if self.link == Link::Softmax {
            softmax_in_place(&mut scores);
        }
        scores
    }

    /// How much of class `class` the surrogate loses when kept feature number `j` is removed from the instance.
    pub fn effect(&self, class: usize, j: usize) -> f64 {
        self.without(&[])[class] - self.without(&[self.kept[j]])[class]
    }

    /// What would change the surrogate's answer to class `to`: the shortest prefix of the features, in order of
    /// W\[a\] − W\[to\] for the predicted class a, whose removal does; `None` if none does (a third class may win first).
    ///
    /// The surrogate's word only: have the model check it with [`Explainer::ask_without`](crate::Explainer::ask_without).
    pub fn what_would_change(&self, to: usize) -> Option<Change> {
        let from = arg_max(&self.without(&[]));
        if from == to {
            return Some(Change { class: to, remove: Vec::new(), surrogate: self.without(&[]) });
        }
        let order: Vec<usize> = self.contrast(from, to).iter().map(|w| w.feature).collect();
        (1..=order.len()).find_map(|n| {
            let surrogate = self.without(&order[..n]);
            (arg_max(&surrogate) == to).then(|| Change { class: to, remove: order[..n].to_vec(), surrogate })
        })
    }

    /// The parts that a fit gives, for readings that work on a fit alone.
    pub fn fitted(&self) -> Fitted {
        Fitted {
            kept: self.kept.clone(),
            matrix: self.matrix.clone(),
            intercept: self.intercept.clone(),
            support: self.support.clone(),
            link: self.link,
            report: self.fit.clone(),
        }
    }

    /// Passes if the parts fit together, as they must after reading one from a file.
    ///
    /// # Errors
    /// [`Error::Shape`] names the first part that does not.
    pub fn check(&self) -> Result<()> {
        let (c, d, f) = (self.classes.len(), self.features.len(), self.kept.len());
        let same = crate::error::expect_len;
        same("rows of the matrix", c, self.matrix.len())?;
        same("entries of the intercept", c, self.intercept.len())?;
        same("model probabilities", c, self.probabilities.model.len())?;
        same("surrogate probabilities", c, self.probabilities.surrogate.len())?;
        same("support", c, self.support.len())?;
        same("never", c, self.never.len())?;
        same("r2", c, self.fidelity.r2.len())?;
        if c < 2 {
            return Err(Error::shape("classes (at least)", 2, c));
        }
        for row in &self.matrix {
            same("entries of a matrix row", f, row.len())?;
        }
        if let Some(&j) = self.kept.iter().find(|&&j| j >= d) {
            return Err(Error::shape("kept features (below the number of features)", d, j));
        }
        if let Some(&j) = self.support.iter().flatten().find(|&&j| j >= f) {
            return Err(Error::shape("support (below the number of kept features)", f, j));
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
        self.flip.as_ref().map_or(Ok(()), |flip| flip.check(c, d))?;
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
pub fn arg_max(values: &[f64]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (1..values.len()).fold(0, better)
}
