//! A rule: features that, kept, keep the prediction, whatever else is removed.
//!
//! # Source
//! Ribeiro, Singh and Guestrin, Anchors: High-Precision Model-Agnostic Explanations (2018). The masks are ours: each other
//! feature is kept with probability ½. Where a black box says the same of every mask the rule is empty, where the published
//! code names a feature.

mod bounds;
mod search;

use crate::backend::Backend;
use crate::bits::whole_mask;
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};
use crate::explanation::arg_max;
use crate::leave_out::answers;
use crate::predict::BlackBox;
use crate::render::{Feature, Render};
use crate::watch::Stage;
use search::{Found, Search};

/// How a rule is searched.
///
/// ```
/// # use lipex::prelude::*;
/// use lipex::Anchors;
///
/// // Good if it is fine and nobody says "not".
/// let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
///     texts.iter().map(|t| if t.contains("fine") && t.contains("really") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// });
/// let text = TextInstance::new("really a fine day, all in all")?;
/// let rule = Anchors::default().explain(&Cpu::new(), &text, &model)?;
/// assert_eq!(rule.names(), ["really", "fine"]);
/// assert!(rule.met && rule.precision == 1.0 && rule.low > 0.9);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchors {
    precision: f64,
    delta: f64,
    tolerance: f64,
    margin: f64,
    batch: usize,
    beam: usize,
    coverage_rows: usize,
    max_rows: usize,
    seed: u64,
}

impl Default for Anchors {
    /// τ = .95, δ = .1, ε = .15, margin .05, batches of 10, a beam of 1, coverage on 1000 masks, at most 20 000 rows, seed 0.
    fn default() -> Self {
        Anchors {
            precision: 0.95,
            delta: 0.1,
            tolerance: 0.15,
            margin: 0.05,
            batch: 10,
            beam: 1,
            coverage_rows: 1000,
            max_rows: 20_000,
            seed: 0,
        }
    }
}

/// A share that is neither 0 nor 1.
fn share(name: &'static str, value: f64) -> Result<f64> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(Error::setting(name, value, "a number strictly between 0 and 1"))
    }
}

/// A count of at least 1.
fn count(name: &'static str, value: usize) -> Result<usize> {
    if value == 0 { Err(Error::setting(name, 0, "at least 1")) } else { Ok(value) }
}

impl Anchors {
    /// τ: of what share of masks that keep the rule's features the prediction must hold; default 0.95.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn precision(self, precision: f64) -> Result<Self> {
        Ok(Anchors { precision: share("precision", precision)?, ..self })
    }

    /// δ: the chance that a bound is wrong; default 0.1.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn delta(self, delta: f64) -> Result<Self> {
        Ok(Anchors { delta: share("delta", delta)?, ..self })
    }

    /// ε: how much less precise than the best the chosen features of a size may be; default 0.15. Smaller costs more rows.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn tolerance(self, tolerance: f64) -> Result<Self> {
        Ok(Anchors { tolerance: share("tolerance", tolerance)?, ..self })
    }

    /// How far below τ the lower bound of a rule's precision may be; default 0.05.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn margin(self, margin: f64) -> Result<Self> {
        Ok(Anchors { margin: share("margin", margin)?, ..self })
    }

    /// Rows that are drawn at a time for a set of features; default 10.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn batch(self, batch: usize) -> Result<Self> {
        Ok(Anchors { batch: count("batch", batch)?, ..self })
    }

    /// Sets of a size that are followed; default 1. More find rules of more coverage, at many times the rows.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn beam(self, beam: usize) -> Result<Self> {
        Ok(Anchors { beam: count("beam", beam)?, ..self })
    }

    /// Masks that coverage is counted on; default 1000. They are not asked for.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn coverage_rows(self, rows: usize) -> Result<Self> {
        Ok(Anchors { coverage_rows: count("coverage-rows", rows)?, ..self })
    }

    /// Most rows that are drawn; default 20 000. A mask that is drawn again is not asked for again.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn max_rows(self, rows: usize) -> Result<Self> {
        Ok(Anchors { max_rows: count("max-rows", rows)?, ..self })
    }

    /// The seed of the masks; default 0.
    pub fn seed(self, seed: u64) -> Self {
        Anchors { seed, ..self }
    }

    /// The rule of one instance: for the predicted class; of independent labels, for the answer to the likeliest.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; those of the model, and of rendering.
    ///
    /// # Cost
    /// Rows are drawn and asked for in batches; each distinct mask is asked for once.
    pub fn explain<B: Backend, Batch>(
        &self,
        on: &B,
        instance: &dyn Render<B, Batch>,
        model: &dyn BlackBox<B, Batch>,
    ) -> Result<AnchorRule> {
        let features = instance.features().len();
        let (rows, independent) = answers(on, instance, model, &[whole_mask(features)])?;
        let probabilities = rows.into_iter().next().unwrap_or_default();
        let class = arg_max(&probabilities);
        let says = |p: &[f64]| if independent { p[class] >= 0.5 } else { arg_max(p) == class };
        let expected = says(&probabilities);
        let watch = on.watch();
        watch.begin(Stage::Search, self.max_rows);
        let mut holds = |masks: &[Vec<u32>]| {
            watch.check()?;
            let (rows, _) = answers(on, instance, model, masks)?;
            watch.advance(masks.len());
            Ok(rows.iter().map(|p| says(p) == expected).collect())
        };
        let found = Search::new(self, features, &mut holds).run()?;
        watch.finish();
        let classes = model.labels().unwrap_or_default().to_vec();
        let features = instance.features().to_vec();
        Ok(self
            .rule(found, AnchorRule { features, classes, class, probabilities, independent, ..AnchorRule::default() }))
    }

    fn rule(&self, found: Found, about: AnchorRule) -> AnchorRule {
        let Found { candidate, met, rows, asked, level } = found;
        let [low, high] = candidate.bounds(level);
        AnchorRule {
            precision: candidate.precision(),
            low,
            high,
            coverage: candidate.coverage,
            kept: candidate.features,
            met,
            rows,
            // The instance itself, which came first.
            calls: asked + 1,
            settings: self.describe(),
            ..about
        }
    }
}

impl Describe for Anchors {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("method", "anchors"),
            Setting::new("precision", self.precision),
            Setting::new("delta", self.delta),
            Setting::new("tolerance", self.tolerance),
            Setting::new("margin", self.margin),
            Setting::new("batch", self.batch),
            Setting::new("beam", self.beam),
            Setting::new("coverage-rows", self.coverage_rows),
            Setting::new("max-rows", self.max_rows),
            Setting::new("seed", self.seed),
        ]
    }
}

/// Features that, kept, keep the prediction, and how sure that is.
///
/// ```
/// use lipex_core::{AnchorRule, Feature};
///
/// let word = |name: &str| Feature { name: name.into(), ..Feature::default() };
/// let rule = AnchorRule { features: vec![word("not"), word("good")], kept: vec![1], ..AnchorRule::default() };
/// assert_eq!(rule.names(), ["good"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnchorRule {
    /// The features of the rule, ascending; none where the prediction holds whatever is removed.
    pub kept: Vec<usize>,
    /// The share of its rows of which the prediction holds.
    pub precision: f64,
    /// The lower bound of the precision, at level ln((1 + (beam − 1)D)/δ) over the rows of the rule.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
    /// The share of random masks that keep the rule's features.
    pub coverage: f64,
    /// Whether it is as precise as was asked. If not, it is the most precise that was found.
    pub met: bool,
    /// Rows that were drawn in all.
    pub rows: usize,
    /// Inputs that the black box was asked for.
    pub calls: usize,
    /// All D features of the instance.
    pub features: Vec<Feature>,
    /// The names of the classes.
    pub classes: Vec<String>,
    /// The class that the rule is about: the likeliest.
    pub class: usize,
    /// The black box's answer to the instance.
    pub probabilities: Vec<f64>,
    /// Whether the classes are independent labels; the rule is then about whether the label's probability is .5 or more.
    pub independent: bool,
    /// How it was searched.
    pub settings: Vec<Setting>,
}

impl AnchorRule {
    /// The names of its features, in the instance's order.
    pub fn names(&self) -> Vec<&str> {
        self.kept.iter().filter_map(|&j| self.features.get(j)).map(|feature| feature.name.as_str()).collect()
    }
}
