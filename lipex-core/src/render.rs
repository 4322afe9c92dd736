//! Render: an instance, its features, and the inputs that masks make of it.
//!
//! # An instance of one's own
//! Implement [`Instance`] (its features and what they are called) and [`Render`] for the backend and the batch that the model
//! takes. The prelude of lipex-cpu has an example in fifteen lines.

use crate::backend::{Backend, Masks};
use crate::describe::Setting;
use crate::error::Result;
use std::ops::Range;

/// One interpretable feature of an instance.
///
/// ```
/// use lipex_core::{Feature, Span};
///
/// // The fourth word of "to be or not", and one that is no part of a text.
/// let spans = vec![Span { bytes: [9, 12], chars: [9, 12] }];
/// let word = Feature { name: "not".into(), spans, ..Feature::default() };
/// let [from, to] = word.spans[0].bytes;
/// assert_eq!(&"to be or not"[from..to], word.name);
/// assert!(Feature { name: "income".into(), ..Feature::default() }.spans.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Feature {
    /// What a reader sees: the word, the sentence, the segment's number.
    pub name: String,
    /// Where it sits in the original, for text; every occurrence.
    pub spans: Vec<Span>,
    /// Where it sits in the original, for an image.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub region: Option<Region>,
}

/// A segment's place in an image.
///
/// ```
/// use lipex_core::Region;
///
/// // An L of three pixels in the corner of an image.
/// let region = Region { pixels: 3, bounds: [0, 0, 2, 2] };
/// let [left, top, right, bottom] = region.bounds;
/// assert!(region.pixels < (right - left) * (bottom - top));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Region {
    /// How many pixels it has.
    pub pixels: usize,
    /// The smallest box around it, in pixels from the top left corner: left, top, right, bottom. Right and bottom are the
    /// first column and row outside.
    #[cfg_attr(feature = "serde", serde(rename = "box"))]
    pub bounds: [usize; 4],
}

/// What kind of thing is explained; presets differ by it in sampler and number of masks.
///
/// ```
/// use lipex_core::{Domain, Preset};
///
/// assert_eq!(Preset::Paper.value("sampler", Domain::Text), "uniform-size");
/// assert_eq!(Preset::Paper.value("sampler", Domain::Image), "bernoulli:0.5");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Domain {
    /// A text.
    #[default]
    Text,
    /// An image.
    Image,
    /// A row of a table: presets are those of texts.
    Rows,
}

/// A place in a text, half-open, counted in bytes and in characters (Unicode scalar values).
///
/// ```
/// use lipex_core::Span;
///
/// // "é!" : the second word of a text whose first character takes two bytes.
/// let span = Span { bytes: [2, 3], chars: [1, 2] };
/// assert_eq!(&"é!"[span.bytes[0]..span.bytes[1]], "!");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Span {
    /// First byte and the byte after the last.
    pub bytes: [usize; 2],
    /// First character and the character after the last.
    pub chars: [usize; 2],
}

/// What is being explained.
///
/// ```
/// use lipex_core::{Feature, Instance};
///
/// /// A loan, by the names of what is known of it.
/// struct Loan(Vec<Feature>);
///
/// impl Instance for Loan {
///     fn features(&self) -> &[Feature] {
///         &self.0
///     }
/// }
///
/// let loan = Loan(["income", "debt"].map(|name| Feature { name: name.into(), ..Feature::default() }).into());
/// assert_eq!((loan.features().len(), loan.text()), (2, None));
/// ```
pub trait Instance: Send + Sync {
    /// The features, in the order of the masks' bits. D is their number.
    fn features(&self) -> &[Feature];

    /// The text that the features' spans refer to, for reports; `None` for instances that are no text.
    fn text(&self) -> Option<&str> {
        None
    }

    /// What kind of thing it is: departures are told from the preset's settings for that.
    fn domain(&self) -> Domain {
        Domain::Text
    }

    /// How the features were made, for reports: each setting with the value that it usually has, the paper's and every preset's
    /// unless [`Preset::value`](crate::Preset::value) names another.
    fn settings(&self) -> Vec<(Setting, String)> {
        Vec::new()
    }
}

/// Makes model inputs out of masks (the paper's T).
///
/// ```
/// use lipex::{Cpu, Feature, Instance, Masks, Render, Result};
/// use std::ops::Range;
///
/// /// Its inputs are the number of features that are kept.
/// struct Crowd(Vec<Feature>);
///
/// impl Instance for Crowd {
///     fn features(&self) -> &[Feature] {
///         &self.0
///     }
/// }
///
/// impl Render<Cpu, Vec<usize>> for Crowd {
///     fn render(&self, _: &Cpu, masks: &Masks<Cpu>, rows: Range<usize>) -> Result<Vec<usize>> {
///         Ok(rows.map(|i| masks.count(i)).collect())
///     }
/// }
///
/// let masks = Masks::new(&Cpu::new(), 2, 3, vec![0b111, 0b100])?;
/// assert_eq!(Crowd(vec![Feature::default(); 3]).render(&Cpu::new(), &masks, 0..2)?, [3, 1]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not render `{Batch}` on the backend `{B}`",
    note = "implement `Render<{B}, {Batch}>` for it, or explain with a model that takes another batch"
)]
pub trait Render<B: Backend, Batch>: Instance {
    /// The inputs of rows `rows` of `masks`.
    ///
    /// # Errors
    /// Whatever the instance needs and lacks.
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Batch>;

    /// Most rows in one batch, where inputs are large; the explainer's own batch size counts if it is smaller.
    fn largest_batch(&self) -> usize {
        usize::MAX
    }

    /// One batch of several, this instance's and others', in order; `None` if they do not go together, and each is asked alone.
    /// By default they do not.
    fn join(&self, parts: Vec<Batch>) -> Option<Batch> {
        let _ = parts;
        None
    }

    /// Which rows render to the same input, so that the black box sees each once; `None` if that is not known.
    ///
    /// # Errors
    /// Whatever the instance needs and lacks.
    fn distinct(&self, on: &B, masks: &Masks<B>) -> Result<Option<Distinct>> {
        let _ = (on, masks);
        Ok(None)
    }
}

/// Rows grouped by what they render to.
///
/// ```
/// use lipex_core::Distinct;
///
/// // Three masks that render to two texts: the model is asked for rows 0 and 1.
/// let distinct = Distinct::by_key(["a fine day", "a day", "a fine day"].iter());
/// assert_eq!((distinct.first, distinct.of), (vec![0, 1], vec![0, 1, 0]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distinct {
    /// For each distinct input the first row that renders to it, ascending.
    pub first: Vec<u32>,
    /// For each row the position of its input in `first`.
    pub of: Vec<u32>,
}

impl Distinct {
    /// Groups rows by a key of each.
    pub fn by_key<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> Self {
        let mut seen = std::collections::HashMap::new();
        let mut distinct = Distinct::default();
        for (row, key) in keys.enumerate() {
            let next = distinct.first.len() as u32;
            let position = *seen.entry(key).or_insert(next);
            if position == next {
                distinct.first.push(row as u32);
            }
            distinct.of.push(position);
        }
        distinct
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_keeps_the_first_of_each() {
        let d = Distinct::by_key(["a", "b", "a", "c", "b"].iter());
        assert_eq!(d.first, [0, 1, 3]);
        assert_eq!(d.of, [0, 1, 0, 2, 1]);
    }
}
