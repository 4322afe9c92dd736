//! What was learnt of a model of two inputs around two of them.

use super::bilinear::Bilinear;
use crate::describe::Setting;
use crate::error::{Error, Result};
use crate::explanation::arg_max;
use crate::fit::{Linear, Link};
use crate::nearest::distinct_labels;
use crate::render::Feature;

/// What a model of two inputs says, as a bilinear surrogate in the features of both.
///
/// ```
/// use lipex::prelude::*;
/// use lipex::{InteractionLime, Similarity, TwoPart, Watch};
///
/// /// Alike where one speaks of a cat and the other of a kitten.
/// struct Cats;
///
/// impl Similarity<Texts, Texts> for Cats {
///     fn similarities(&self, a: &Texts, b: &Texts, _: &Watch) -> lipex::Result<Vec<f64>> {
///         let both = |(a, b): (&str, &str)| f64::from(u8::from(a.contains("cat") && b.contains("kitten")));
///         Ok(a.as_strs().into_iter().zip(b.as_strs()).map(both).collect())
///     }
/// }
///
/// let both = TwoPart::new(TextInstance::new("a black cat")?, TextInstance::new("the kitten ran")?);
/// let found = InteractionLime::default().explain_scores(&Cpu::new(), &both, &Cats)?;
/// let together = found.bilinear(0)?.together;
/// assert!((together[2][1] - 1.0).abs() < 0.01); // cat and kitten
/// assert_eq!((found.value(0)?, found.names(1)), (1.0, vec!["the".into(), "kitten".into(), "ran".into()]));
/// assert!(found.told(0)?[0].starts_with("The model gives the two 1.000; the surrogate 1.0"));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The features of each part.
    pub parts: [Vec<Feature>; 2],
    /// The names of the classes; none where the model gives one number.
    pub classes: Vec<String>,
    /// The model's answer to the two inputs as they are: one number, or a probability a class.
    pub whole: Vec<f64>,
    /// The surrogate with terms across the parts: a row a class; its link is [`Link::Identity`] for one number, and
    /// [`Link::Softmax`] for classes.
    pub answer: Linear,
    /// The one without.
    pub additive: Linear,
    /// R² of each of the two, weighted like the fit, on pairs of masks that were not fitted to (on all, if all were); `None` where the
    /// model says the same of all.
    pub explained: Option<[f64; 2]>,
    /// What the model was asked.
    pub asked: Asked,
    /// How it was made.
    pub settings: Vec<Setting>,
}

/// What a model of two inputs was asked.
///
/// ```
/// let asked = lipex_core::Asked { encodings: Some([80, 80]), ..Default::default() };
/// assert!(!asked.complete);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// For a dual encoder the inputs of each part that were encoded, those of [`fresh`](Asked::fresh) included.
    pub encodings: Option<[usize; 2]>,
    /// Pairs that were fitted to.
    pub pairs: usize,
    /// Pairs that the fit was then judged by, and did not see; 0 where all masks were fitted to.
    pub fresh: usize,
    /// Whether all masks were fitted to: nothing is left to chance.
    pub complete: bool,
}

impl Match {
    /// How many features each part has.
    pub fn sizes(&self) -> [usize; 2] {
        [self.parts[0].len(), self.parts[1].len()]
    }

    /// The names of a part's features, 0 or 1; those of the same name are numbered, `a (1)`, `a (2)`.
    pub fn names(&self, part: usize) -> Vec<String> {
        let features = self.parts.get(part).map(Vec::as_slice).unwrap_or_default();
        distinct_labels(features.iter().map(|feature| feature.name.clone()).collect())
    }

    /// The class with the largest probability; 0 where the model gives one number.
    pub fn predicted(&self) -> usize {
        arg_max(&self.whole)
    }

    /// The model's answer for a class, or its one number (class 0).
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist.
    pub fn value(&self, class: usize) -> Result<f64> {
        self.whole.get(class).copied().ok_or_else(|| self.no_class(class))
    }

    /// What the features do to one output. For one number (class 0) it is that number; for a class its logit less the mean of the
    /// others' (of two classes: its log-odds).
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist.
    pub fn bilinear(&self, class: usize) -> Result<Bilinear> {
        let classes = self.whole.len();
        if class >= classes {
            return Err(self.no_class(class));
        }
        let other = if self.answer.link() == Link::Softmax { -1.0 / (classes - 1) as f64 } else { 0.0 };
        let weights: Vec<f64> = (0..classes).map(|c| if c == class { 1.0 } else { other }).collect();
        Bilinear::of(&self.answer, self.sizes(), &weights)
    }

    /// What the surrogate says of the two inputs as they are, in the model's own numbers.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist.
    pub fn fitted(&self, class: usize) -> Result<f64> {
        let all = self.answer.predict(&vec![true; self.answer.kept().len()])?;
        all.get(class).copied().ok_or_else(|| self.no_class(class))
    }

    /// What was found about a class, in sentences for people: both answers, how good the surrogate is, what was asked.
    ///
    /// # Errors
    /// [`Error::Setting`] for a class that does not exist.
    pub fn told(&self, class: usize) -> Result<Vec<String>> {
        let (value, fitted) = (self.value(class)?, self.fitted(class)?);
        let of = match self.classes.get(class) {
            Some(name) => format!("The model says “{name}” with {value:.3}; the surrogate with {fitted:.3}."),
            None => format!("The model gives the two {value:.3}; the surrogate {fitted:.3}."),
        };
        Ok(vec![of, self.judged(), self.told_asked()])
    }

    fn judged(&self) -> String {
        let Asked { fresh, complete, .. } = self.asked;
        match self.explained {
            Some([with, without]) => {
                let of = if complete {
                    "all pairs of masks".to_string()
                } else {
                    format!("{fresh} pairs of masks that were not fitted to")
                };
                format!("R² with what acts across the two: {with:.2}; without: {without:.2}; on {of}.")
            }
            None if fresh > 0 || complete => "The model says the same whatever is removed.".into(),
            None => "The fit was not judged.".into(),
        }
    }

    fn told_asked(&self) -> String {
        let pairs = self.asked.pairs;
        match self.asked.encodings {
            Some([first, second]) => {
                format!("{first} and {second} inputs were encoded; {pairs} pairs of them were fitted to.")
            }
            None => format!("{pairs} pairs of masks were fitted to, {} asked for.", pairs + self.asked.fresh),
        }
    }

    fn no_class(&self, class: usize) -> Error {
        Error::setting("class", class, format!("classes are numbered 0 to {}", self.whole.len().saturating_sub(1)))
    }
}
