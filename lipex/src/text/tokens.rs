//! A text as tokens that masks leave there or not, for models on a device: rendering is dropping ids.
//!
//! # When it applies
//! Dropping words must drop tokens and change no other: a tokenizer of words, without context across them. Subword tokenizers
//! do that only where words are separated before they are cut.

use super::TextInstance;
use super::settings::Removed;
use lipex_core::{Describe, Distinct, Domain, Error, Feature, Instance, Masks, Render, Result, Setting};
use lipex_cuda::{Cuda, TokenBatch, TokenTemplate, When};
use std::ops::Range;

/// A text with the tokens that a model makes of it; renders to token ids in device memory.
///
/// Only for models whose tokens of a damaged text are tokens of the whole one or of the masks that replace words.
///
/// # Errors
/// A text whose words are no tokens of the model, and a unit or replacement that dropping ids cannot make, are refused when
/// the tokens are given.
///
/// ```
/// use lipex::{Instance, TextInstance, TokenText, When};
///
/// let text: TokenText = TextInstance::new("not bad")?.with_tokens(lipex::word_hashes)?;
/// assert_eq!(text.features().len(), 2);
/// assert_eq!(text.template().tokens[1].1, When::Kept(1)); // its second token is there while "bad" is
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenText {
    /// The text, for its features and reports.
    text: TextInstance,
    /// Its tokens, each with the rule by which masks leave it there.
    template: TokenTemplate,
}

impl TextInstance {
    /// The text for a model on a device that takes the ids which `tokens` gives for a piece of text.
    ///
    /// ```
    /// let text = lipex::TextInstance::new("Not bad, not bad at all")?;
    /// let tokens = text.with_tokens(lipex_demo::word_hashes)?;
    /// assert_eq!(tokens.template().tokens.len(), 6);
    /// # Ok::<(), lipex::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Instance`] where two words could merge into one token when what is between them is removed;
    /// [`Error::Setting`] where a text of its own takes the place of the empty one.
    pub fn with_tokens(self, tokens: impl Fn(&str) -> Vec<u32>) -> Result<TokenText> {
        if let Some(text) = &self.settings.when_empty {
            return Err(Error::setting(
                "when-empty",
                text,
                "a text rendered as tokens stays empty where all is removed",
            ));
        }
        let mask = match &self.settings.removed {
            Removed::Drop => "",
            Removed::Mask(word) => word,
        };
        let joins = |text: &str| !tokens(text).is_empty();
        let mut template = TokenTemplate::default();
        // Whether what may stand right before the next piece ends within a token.
        let mut open = false;
        for piece in &self.pieces {
            let text = &self.settings.text[piece.bytes.clone()];
            let other = if piece.feature.is_some() { mask } else { text };
            let starts = |t: &str| t.chars().next().is_some_and(|c| joins(c.encode_utf8(&mut [0; 4])));
            let ends = |t: &str| t.chars().next_back().is_some_and(|c| joins(c.encode_utf8(&mut [0; 4])));
            if open && (starts(text) || starts(other)) {
                let reason = format!("\"{text}\" could merge with the word before it; use a model of texts");
                return Err(Error::Instance(reason));
            }
            // A piece that may vanish leaves the one before it next to the one after.
            open = ends(text) || ends(other) || (open && other.is_empty());
            let rule = |when: fn(usize) -> When| piece.feature.map_or(When::Always, when);
            template.tokens.extend(tokens(text).into_iter().map(|t| (t, rule(When::Kept))));
            if piece.feature.is_some() {
                template.tokens.extend(tokens(mask).into_iter().map(|t| (t, rule(When::Removed))));
            }
        }
        Ok(TokenText { text: self, template })
    }
}

impl TokenText {
    /// The tokens with their rules.
    pub fn template(&self) -> &TokenTemplate {
        &self.template
    }
}

impl Describe for TokenText {
    fn describe(&self) -> Vec<Setting> {
        self.text.describe()
    }
}

impl Instance for TokenText {
    fn features(&self) -> &[Feature] {
        self.text.features()
    }

    fn settings(&self) -> Vec<(Setting, String)> {
        self.text.settings()
    }

    fn domain(&self) -> Domain {
        self.text.domain()
    }

    fn text(&self) -> Option<&str> {
        Instance::text(&self.text)
    }
}

impl Render<Cuda, TokenBatch> for TokenText {
    fn render(&self, on: &Cuda, masks: &Masks<Cuda>, rows: Range<usize>) -> Result<TokenBatch> {
        self.template.render(on, masks, rows)
    }

    fn distinct(&self, on: &Cuda, masks: &Masks<Cuda>) -> Result<Option<Distinct>> {
        lipex_cuda::distinct(on, masks).map(Some)
    }
}
