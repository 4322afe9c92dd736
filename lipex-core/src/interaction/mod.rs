//! What features of two inputs do together: models of two inputs, and what is learnt of them.
//!
//! # Source
//! InteractionLIME: a bilinear surrogate of a model of two inputs. No code is published: its law of masks, its weights and its solver
//! are ours.

mod bilinear;
mod found;
mod svd;

pub use bilinear::{Bilinear, Partition};
pub use found::{Asked, Match};
pub use svd::Svd;

use crate::error::Result;
use crate::watch::Watch;

/// All pairs of a feature of the first part with one of the second, by their numbers among all: what a softmax is given as
/// [`Pairs::Given`](crate::Pairs::Given) to be bilinear.
///
/// ```
/// assert_eq!(lipex_core::cross_pairs([2, 1]), [(0, 2), (1, 2)]);
/// ```
pub fn cross_pairs(sizes: [usize; 2]) -> Vec<(usize, usize)> {
    bilinear::cross(sizes).collect()
}

/// A model that encodes each of its two inputs alone and compares what comes out: a dual encoder. m₁ + m₂ encodings give the answers to
/// m₁·m₂ pairs.
///
/// ```
/// use lipex_core::{Result, Texts, TwoTower, Watch};
///
/// /// Compares texts by how often they have each letter.
/// struct Letters;
///
/// impl TwoTower<Texts, Texts> for Letters {
///     fn first(&self, texts: &Texts, _: &Watch) -> Result<Vec<Vec<f32>>> {
///         let count = |text: &str, letter: char| text.matches(letter).count() as f32;
///         Ok(texts.as_strs().iter().map(|text| ('a'..='z').map(|letter| count(text, letter)).collect()).collect())
///     }
///
///     fn second(&self, texts: &Texts, watch: &Watch) -> Result<Vec<Vec<f32>>> {
///         self.first(texts, watch)
///     }
/// }
///
/// let texts = Texts::from(vec!["listen".into(), "silent".into()]);
/// let codes = Letters.first(&texts, Watch::none())?;
/// assert!((TwoTower::<Texts, Texts>::score(&Letters, &codes[0], &codes[1]) - 1.0).abs() < 1e-12);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait TwoTower<P, Q>: Send + Sync {
    /// The codes of a batch of first inputs, one an input, all of one length. A model that works for long asks the watch
    /// between its own batches, and tells it how many inputs are done.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails.
    fn first(&self, inputs: &P, watch: &Watch) -> Result<Vec<Vec<f32>>>;

    /// Those of a batch of second inputs.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails.
    fn second(&self, inputs: &Q, watch: &Watch) -> Result<Vec<Vec<f32>>>;

    /// How alike two codes are; default [`cosine`].
    fn score(&self, first: &[f32], second: &[f32]) -> f64 {
        cosine(first, second)
    }
}

/// The cosine of the angle between two vectors; 0 where one of them has no length.
///
/// ```
/// assert_eq!(lipex_core::cosine(&[3.0, 4.0], &[6.0, 8.0]), 1.0);
/// assert_eq!(lipex_core::cosine(&[3.0, 4.0], &[0.0, 0.0]), 0.0);
/// ```
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    if length > 0.0 { dot(a, b) / length } else { 0.0 }
}

/// A model that gives one number for two inputs together, any finite number: how alike they are, how well one answers the
/// other. One that gives probabilities of classes is a [`BlackBox`](crate::BlackBox) for pairs of batches.
///
/// ```
/// use lipex_core::{Result, Similarity, Texts, Watch};
///
/// /// Counts the words that two texts share.
/// struct Shared;
///
/// impl Similarity<Texts, Texts> for Shared {
///     fn similarities(&self, first: &Texts, second: &Texts, _: &Watch) -> Result<Vec<f64>> {
///         let shared = |a: &str, b: &str| a.split(' ').filter(|word| b.split(' ').any(|other| other == *word)).count();
///         Ok(first.as_strs().iter().zip(second.as_strs()).map(|(a, b)| shared(a, b) as f64).collect())
///     }
/// }
///
/// let text = |text: &str| Texts::from(vec![text.into()]);
/// assert_eq!(Shared.similarities(&text("a dog"), &text("the dog"), Watch::none())?, [1.0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait Similarity<P, Q>: Send + Sync {
    /// A number for each pair of a first and a second input, batches of equal length. A model that works for long asks the
    /// watch between its own batches, and tells it how many pairs are done.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails.
    fn similarities(&self, first: &P, second: &Q, watch: &Watch) -> Result<Vec<f64>>;
}
