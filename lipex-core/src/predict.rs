//! Predict: the black box.

use crate::backend::{Backend, Probabilities};
use crate::error::Result;
use crate::fit::Information;

/// A classifier that is asked for probabilities and nothing else.
///
/// ```
/// use lipex_core::{Backend, BlackBox, Probabilities, Result};
///
/// /// Finds every input as likely to be the one as the other.
/// struct Undecided([String; 2]);
///
/// impl<B: Backend> BlackBox<B, Vec<f64>> for Undecided {
///     fn labels(&self) -> Option<&[String]> {
///         Some(&self.0)
///     }
///
///     fn predict(&self, on: &B, batch: &Vec<f64>) -> Result<Probabilities<B>> {
///         Probabilities::new(on, batch.len(), 2, on.upload(vec![0.5; 2 * batch.len()])?)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{Batch}` on the backend `{B}`",
    note = "implement `BlackBox<{B}, {Batch}>` for it, or wrap a host function in an adapter"
)]
pub trait BlackBox<B: Backend, Batch>: Send + Sync {
    /// The classes' names, in the order of the columns. `None` where they are not known before the first answer, which then
    /// tells them.
    fn labels(&self) -> Option<&[String]>;

    /// The probabilities of a batch, one row an input.
    ///
    /// Rows are checked afterwards, unless they come [`checked`](Probabilities::checked). A model that names a row in an
    /// error counts from the start of the batch.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails.
    fn predict(&self, on: &B, batch: &Batch) -> Result<Probabilities<B>>;

    /// What its batches are made of; default [`Batching::OneInstance`].
    fn batching(&self) -> Batching {
        Batching::OneInstance
    }
}

impl<B: Backend, Batch, T: BlackBox<B, Batch> + ?Sized> BlackBox<B, Batch> for Box<T> {
    fn labels(&self) -> Option<&[String]> {
        (**self).labels()
    }

    fn predict(&self, on: &B, batch: &Batch) -> Result<Probabilities<B>> {
        (**self).predict(on, batch)
    }

    fn batching(&self) -> Batching {
        (**self).batching()
    }
}

/// What a batch of a black box is made of: a fact that the black box states about itself.
///
/// Many models answer an input differently in the last digits beside other inputs (in the runtimes of neural nets a
/// difference of 10⁻⁶ is usual, with quantised weights more). What their batches hold must then depend on nothing but the
/// instance and the settings.
///
/// ```
/// use lipex_core::Batching;
///
/// assert_eq!(Batching::default(), Batching::OneInstance);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batching {
    /// The answer to an input is the same to the bit in any batch. Batches are filled across instances.
    Free,
    /// It may not be: a batch holds inputs of one instance, in order, as many as
    /// [`batch_size`](crate::Explainer::batch_size) says. Neither threads nor other instances change it.
    #[default]
    OneInstance,
    /// The same, and the black box cuts batches itself, by a rule of its own that no setting changes, such as inputs of
    /// about equal length up to a number of tokens. It is given all inputs of an instance at once, but for large images;
    /// it should ask [`Backend::watch`] between its own batches.
    Own,
}

/// What the black box was asked.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let calls = lipex().explain(&text, &model)?.calls;
/// assert!(calls.complete && calls.inputs <= 32); // five words, and every mask was asked
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calls {
    /// Masks drawn, the instance included.
    pub masks: usize,
    /// Distinct inputs that the model saw, the second question for the instance itself left out.
    pub inputs: usize,
    /// Whether those were all the masks that could be drawn, so that there is no sampling error.
    #[cfg_attr(feature = "serde", serde(default))]
    pub complete: bool,
    /// Distinct inputs that the surrogate asked for itself, beside those of the masks: leaves of a tree that are
    /// [asked](crate::Leaf::Asked), those of refits for its fidelity included.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub requeried: usize,
}

/// Whether nothing is to be written.
#[cfg(feature = "serde")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What was seen of the black box's answers, beside the answers.
///
/// ```
/// use lipex::prelude::*;
///
/// let deaf = TextFn::new(["a", "b"], |texts: &[&str]| vec![[0.5, 0.5]; texts.len()]);
/// let observed = lipex().explain(&TextInstance::new("a fine day")?, &deaf)?.observed;
/// assert!(observed.is_constant() && observed.noise().is_none());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Observed {
    /// The total variation between the answers to the instance asked first and asked last; `None` where it was not asked
    /// twice.
    pub asked_twice: Option<f64>,
    /// The largest total variation between the answer to the instance and that to any mask (of independent labels the largest
    /// difference); `None` where it is not known, as in files of an older version.
    pub moved: Option<f64>,
    /// How far from 1 the sum of a row was, at most, before the row was divided by it.
    pub sums_off: f64,
    /// How much the masks can tell beside what was asked of them; `None` for answers that are not linear.
    #[cfg_attr(feature = "serde", serde(default))]
    pub information: Option<Information>,
}

impl Observed {
    /// Above this total variation between two answers to the same input a model is no function of its input: more than
    /// batches of other sizes do.
    pub const NOISE: f64 = 1e-3;
    /// Below this one nothing moves the model: rounding of f32.
    pub const STILL: f64 = 1e-6;
    /// Sums that are further off were not rounded in f32 alone.
    pub const ROUNDED: f64 = 1e-5;

    /// How much two answers to the instance differ, where that is more than [`NOISE`](Observed::NOISE).
    pub fn noise(&self) -> Option<f64> {
        self.asked_twice.filter(|tv| *tv > Self::NOISE)
    }

    /// Whether the masks leave some of the weights to the penalty or to chance.
    pub fn is_underdetermined(&self) -> bool {
        self.information.is_some_and(|information| !information.is_determined())
    }

    /// Whether no mask moves the model.
    pub fn is_constant(&self) -> bool {
        self.moved.is_some_and(|moved| moved <= Self::STILL)
    }
}
