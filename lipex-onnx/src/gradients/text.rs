//! Gradients of text classifiers, with respect to the embeddings of tokens.

use super::{Differentiable, Feeds};
use crate::text::{Given, OnnxText, number};
use lipex_core::{Error, Feature, Local, Result, WhiteBox};
use lipex_grad::Tensor;
use std::ops::Range;

/// A text with its features: pieces of it, each with its places in bytes.
///
/// ```
/// use lipex_core::{Feature, Span, WhiteBox};
/// use lipex_onnx::{MarkedText, OnnxText};
///
/// let model = OnnxText::open("../examples/models/emotions")?;
/// let gradients = model.gradients("word")?;
/// let happy = Feature { name: "happy".into(), spans: vec![Span { bytes: [3, 8], chars: [3, 8] }], region: None };
/// let at = gradients.at(&MarkedText { text: "so happy", features: &[happy] })?;
/// assert_eq!(at.owners().iter().filter(|owner| **owner == Some(0)).count(), 1); // "so" is of no feature
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MarkedText<'a> {
    /// The text.
    pub text: &'a str,
    /// The features; spans are bytes of the text.
    pub features: &'a [Feature],
}

/// A text classifier that can be looked into: [`OnnxText::gradients`].
///
/// Each token belongs to the feature that it shares most bytes with; special tokens, padding and tokens between features
/// belong to none.
///
/// ```no_run
/// use lipex_core::{Attributions, Feature, Output, Pool, Span, WhiteBox};
/// use lipex_grad::IntegratedGradients;
/// use lipex_onnx::{MarkedText, OnnxText};
///
/// let model = OnnxText::open("my-classifier")?;
/// let gradients = model.gradients("word")?;
/// let word = Feature { name: "good".into(), spans: vec![Span { bytes: [3, 7], chars: [3, 7] }], region: None };
/// let features = vec![word];
/// let at = gradients.at(&MarkedText { text: "so good", features: &features })?;
/// let found =
///     Attributions::pool(&IntegratedGradients::auto(), at.as_ref(), &[Output::Logit(0)], features.clone(), Pool::Sum)?;
/// println!("good: {:+.2}, all else: {:+.2}", found.scores[0][0], found.outside[0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct TextGradients<'a> {
    model: &'a OnnxText,
    graph: Differentiable<'a>,
}

/// A text as the graph takes it.
struct Tokenised {
    ids: Vec<u32>,
    /// Bytes of the text; `None` for special tokens.
    places: Vec<Option<Range<usize>>>,
    /// Tokens of the graph's input, padding included.
    length: usize,
}

impl std::fmt::Debug for TextGradients<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextGradients").field("model", self.model).field("cut", &self.cut()).finish_non_exhaustive()
    }
}

impl OnnxText {
    /// The classifier as one that gives gradients.
    ///
    /// `cut` says what the point is: `word`, the embeddings of the words before anything is added to them; `block`, the output
    /// of the first layer normalisation, which has places and parts in it; or the name of a tensor of the graph, 1 × tokens ×
    /// dimensions.
    ///
    /// # Errors
    /// [`Error::Setting`] in one line for a graph with an operator that has no gradient here (docs/onnx-gradients.md), one
    /// column for two classes, a fixed number of rows above 1, or no such cut.
    pub fn gradients(&self, cut: &str) -> Result<TextGradients<'_>> {
        let ids = self.given.iter().find(|(_, given)| *given == Given::Ids).map_or("", |(name, _)| name);
        let rows = self.limits.rows.unwrap_or(1);
        let graph = Differentiable::open(&self.graph, &self.answers, rows, |network| {
            let found = match cut {
                "word" => network.word_embedding(ids),
                "block" => network.embedding_block(ids, &self.graph.output.name),
                name => network.has(name).then_some(name),
            };
            let reason = "the graph has no such place; choose word (embeddings of words), block (after the first layer \
                          normalisation) or the name of a tensor of 1 × tokens × dimensions";
            found.map(String::from).ok_or_else(|| Error::setting("cut", cut, reason))
        })?;
        Ok(TextGradients { model: self, graph })
    }
}

impl TextGradients<'_> {
    /// The tensor that stands for the point, by its name in the graph.
    pub fn cut(&self) -> &str {
        &self.graph.cut
    }

    /// Guided gradients and DeepLIFT as captum has them, plain where it has no rule: [`Point::as_captum`](lipex_grad::Point::as_captum).
    pub fn as_captum(mut self) -> Self {
        self.graph.captum = true;
        self
    }

    /// The point of a text whose every token but the special ones is the padding's: a base for integrals and DeepLIFT.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer or the graph fails.
    pub fn padded(&self, text: &str) -> Result<Vec<f32>> {
        let mut tokens = self.tokenised(text)?;
        let pad = self.model.tokens.pad;
        tokens.ids.iter_mut().zip(&tokens.places).filter(|(_, place)| place.is_some()).for_each(|(id, _)| *id = pad);
        self.graph.numbers(&self.feeds(&tokens)?)
    }

    /// The point of another text with as many tokens as this one: shorter, it is filled up with the padding's token; longer, its
    /// last tokens are cut but for the special one at its end. A base for integrals and DeepLIFT.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer or the graph fails.
    pub fn beside(&self, text: &str, other: &str) -> Result<Vec<f32>> {
        let (mut tokens, places) = self.model.tokens.placed(other)?;
        let (own, last) = (self.tokenised(text)?, tokens.last().copied().filter(|_| places.last() == Some(&None)));
        if tokens.len() > own.ids.len() {
            tokens.truncate(own.ids.len());
            if let (Some(end), Some(special)) = (tokens.last_mut(), last) {
                *end = special;
            }
        }
        tokens.resize(own.ids.len(), self.model.tokens.pad);
        self.graph.numbers(&self.feeds(&Tokenised { ids: tokens, ..own })?)
    }

    fn tokenised(&self, text: &str) -> Result<Tokenised> {
        let (ids, places) = self.model.tokens.placed(text)?;
        let length = self.model.limits.tokens.unwrap_or(ids.len());
        Ok(Tokenised { ids, places, length })
    }

    /// What the graph's inputs are given.
    fn feeds(&self, tokens: &Tokenised) -> Result<Feeds> {
        let mut feeds = Vec::new();
        for (name, given) in self.model.given.iter().filter(|(name, _)| self.graph.network.has(name)) {
            let value = |t| i64::from(number(*given, tokens.ids.get(t).copied(), t, self.model.tokens.pad));
            let values = Tensor::wholes(vec![1, tokens.length], (0..tokens.length).map(value).collect());
            feeds.push((name.clone(), values.map_err(Error::model)?));
        }
        Ok(feeds)
    }
}

impl<'t> WhiteBox<MarkedText<'t>> for TextGradients<'_> {
    fn labels(&self) -> &[String] {
        self.model.labels()
    }

    /// # Errors
    /// [`Error::Model`] when the tokenizer or the graph fails, or the graph's numbers are not those of the black box;
    /// [`Error::Shape`] for a cut that is not 1 × tokens × dimensions.
    fn at(&self, input: &MarkedText<'t>) -> Result<Box<dyn Local + '_>> {
        let tokens = self.tokenised(input.text)?;
        let mut owners: Vec<Option<u32>> =
            tokens.places.iter().map(|place| owner(place.as_ref()?, input.features)).collect();
        owners.resize(tokens.length, None);
        self.graph.at(self.feeds(&tokens)?, &self.model.logits(&[input.text])?, owners)
    }
}

/// The feature that a token at a place belongs to: that which has most of its bytes, of equal ones the first.
fn owner(place: &Range<usize>, features: &[Feature]) -> Option<u32> {
    let shared = |feature: &Feature| -> usize {
        let one = |[from, to]: [usize; 2]| to.min(place.end).saturating_sub(from.max(place.start));
        feature.spans.iter().map(|span| one(span.bytes)).sum()
    };
    let best = features.iter().map(shared).enumerate().max_by_key(|&(j, bytes)| (bytes, std::cmp::Reverse(j)))?;
    (best.1 > 0).then_some(best.0 as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::Span;

    #[test]
    fn tokens_belong_where_most_of_their_bytes_are() {
        let feature = |spans: &[[usize; 2]]| Feature {
            spans: spans.iter().map(|&bytes| Span { bytes, chars: bytes }).collect(),
            ..Feature::default()
        };
        let features = [feature(&[[0, 3], [10, 13]]), feature(&[[4, 9]])];
        for (place, expected) in [
            (0..3, Some(0)),
            (3..9, Some(1)),  // with the space before it
            (2..6, Some(1)),  // a byte of the one, two of the other
            (9..11, Some(0)), // the second occurrence
            (3..4, None),     // between words
            (13..14, None),
            (2..5, Some(0)), // as much of either
        ] {
            assert_eq!(owner(&place, &features), expected, "{place:?}");
        }
        assert_eq!(owner(&(0..1), &[]), None);
    }
}
