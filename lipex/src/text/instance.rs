//! A text to be explained: its features, and the texts that masks make of it.

use super::sentences::sentences;
use super::settings::{Removed, Unit};
use super::split::Split;
use lipex_core::{
    Backend, Describe, Distinct, Error, Feature, Instance, Masks, Render, Result, Setting, Span, Texts, expect_len,
};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// A text as an instance: features are its words (or occurrences, or sentences) in order of appearance.
///
/// A removed feature disappears, or a mask takes its place; everything between features stays as it is. Any Unicode text
/// works, of any length: rendering takes time in proportion to the text.
///
/// ```
/// use lipex::{Instance, Removed, TextInstance, Unit};
///
/// let text = TextInstance::new("to be or not to be")?;
/// let words: Vec<&str> = text.features().iter().map(|f| f.name.as_str()).collect();
/// assert_eq!(words, ["to", "be", "or", "not"]);
/// assert_eq!(text.features()[0].spans[1].bytes, [13, 15]);
///
/// let text = TextInstance::builder("to be or not to be")
///     .unit(Unit::Occurrence)
///     .removed(Removed::Mask("UNK".into()))
///     .ignore(["or", "not"])
///     .build()?;
/// assert_eq!(text.features().len(), 4);
/// assert_eq!(text.without(&[0, 3])?, "UNK be or not to UNK");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TextInstance {
    pub(super) settings: TextBuilder,
    features: Vec<Feature>,
    /// The text in order: runs that are always there, and places of features.
    pub(super) pieces: Vec<Piece>,
    /// Words that the model does not see.
    unseen: Vec<String>,
    /// Words to ignore that the text does not have.
    unmatched: Vec<String>,
    /// Whether words stay when every feature is removed.
    words_stay: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) bytes: Range<usize>,
    pub(super) feature: Option<usize>,
}

/// Settings of a [`TextInstance`].
///
/// ```
/// use lipex::{Instance, Removed, TextInstance};
///
/// let builder = TextInstance::builder("Not bad, not bad at all").ignore(["at", "all"]);
/// let text = builder.removed(Removed::Mask("UNK".into())).build()?;
/// assert_eq!(text.features().iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["Not", "bad", "not"]);
/// assert_eq!(text.without(&[1])?, "Not UNK, not UNK at all");
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TextBuilder {
    pub(super) text: String,
    unit: Unit,
    split: Split,
    pub(super) removed: Removed,
    /// As they were given.
    ignored: Vec<String>,
    pub(super) when_empty: Option<String>,
    places: Option<Vec<Range<usize>>>,
    seen: Option<Range<usize>>,
}

impl TextBuilder {
    /// What a feature is; default [`Unit::Word`], as LIME's and the paper's.
    pub fn unit(self, unit: Unit) -> Self {
        TextBuilder { unit, ..self }
    }

    /// How words are found; default [`Split::Unicode`]. LIME's and the paper's is [`Split::Lime`].
    pub fn split(self, split: Split) -> Self {
        TextBuilder { split, ..self }
    }

    /// What takes the place of a removed feature; default [`Removed::Drop`].
    pub fn removed(self, removed: Removed) -> Self {
        TextBuilder { removed, ..self }
    }

    /// Words that are never removed and so are no features, in upper or lower case alike; default none.
    ///
    /// For units of words only: a sentence is removed whole. [`TextInstance::unmatched`] names those that the text does not
    /// have.
    pub fn ignore(mut self, words: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.ignored.extend(words.into_iter().map(|w| w.as_ref().to_string()));
        self
    }

    /// What the model is sent where no word of the text is left. By default that is whatever is left: separators, as LIME
    /// sends them, or masks.
    pub fn when_empty(self, text: impl Into<String>) -> Self {
        TextBuilder { when_empty: Some(text.into()), ..self }
    }

    /// The bytes that a model sees which cuts long texts; default all.
    ///
    /// Words that lie outside are no features and are never sent to the model: where others were removed, they would move into
    /// what it sees. A word that is cut in two is a feature.
    pub fn seen(self, bytes: Range<usize>) -> Self {
        TextBuilder { seen: Some(bytes), ..self }
    }

    /// Where the features are, in bytes of the text: for a tokenizer's offsets or a split of one's own, in place of
    /// [`split`](TextBuilder::split). Under [`Unit::Word`] equal pieces are one feature; the unit must not be sentences.
    ///
    /// ```
    /// use lipex::{Instance, TextInstance};
    ///
    /// let text = TextInstance::builder("unhappy people").places([0..2, 2..7, 8..14]).build()?;
    /// let names: Vec<&str> = text.features().iter().map(|f| f.name.as_str()).collect();
    /// assert_eq!(names, ["un", "happy", "people"]);
    /// assert_eq!(text.without(&[0])?, "happy people");
    /// # Ok::<(), lipex::Error>(())
    /// ```
    pub fn places(self, places: impl IntoIterator<Item = Range<usize>>) -> Self {
        TextBuilder { places: Some(places.into_iter().collect()), ..self }
    }

    /// The instance.
    ///
    /// # Errors
    /// [`Error::Instance`] for a text that is empty, has no words, or none but ignored ones; [`Error::Setting`] for an
    /// empty mask, words to ignore among sentences, or places that are empty, out of order, overlapping, outside the text or
    /// within a character.
    pub fn build(self) -> Result<TextInstance> {
        self.removed.check()?;
        self.check_places()?;
        if self.unit == Unit::Sentence && !self.ignored.is_empty() {
            let reason = "sentences are removed whole; use the unit word or occurrence";
            return Err(Error::setting("ignore-words", format!("{} words", self.ignored.len()), reason));
        }
        if self.text.is_empty() {
            return Err(Error::Instance("the text is empty".into()));
        }
        let found = match (&self.places, self.unit) {
            (Some(places), _) => places.clone(),
            (None, Unit::Word | Unit::Occurrence) => self.split.words(&self.text),
            (None, Unit::Sentence) => sentences(&self.text),
        };
        if found.is_empty() {
            return Err(Error::Instance("the text has no words: nothing can be removed from it".into()));
        }
        let (found, unseen) = self.split_seen(found)?;
        let count = found.len();
        let sent = self.sent(&found);
        let (places, unmatched) = self.split_ignored(found);
        if places.is_empty() {
            return Err(Error::Instance("every word of the text is ignored: nothing can be removed from it".into()));
        }
        let words_stay = places.len() < count;
        let (features, pieces) = cut(&self.text, sent, places, self.unit);
        Ok(TextInstance { settings: self, features, pieces, unseen, unmatched, words_stay })
    }

    /// Places that the model sees some of, and the words at those that it does not.
    fn split_seen(&self, found: Vec<Range<usize>>) -> Result<(Vec<Range<usize>>, Vec<String>)> {
        let Some(seen) = &self.seen else { return Ok((found, Vec::new())) };
        let (inside, outside): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|place| place.start < seen.end && seen.start < place.end);
        if inside.is_empty() {
            let reason = "of the text the model sees no word: nothing can be removed from what it sees";
            return Err(Error::Instance(reason.into()));
        }
        Ok((inside, outside.into_iter().map(|place| self.text[place].to_string()).collect()))
    }

    /// The bytes that are sent to the model: those that it sees, and words cut in two whole.
    fn sent(&self, places: &[Range<usize>]) -> Range<usize> {
        let Some(seen) = &self.seen else { return 0..self.text.len() };
        let inside = |byte: usize| byte.min(self.text.len());
        let down = |byte: usize| (0..=inside(byte)).rev().find(|&b| self.text.is_char_boundary(b)).unwrap_or(0);
        let start = places.first().map_or(0, |first| down(seen.start).min(first.start));
        let end = places.last().map_or(0, |last| down(seen.end).max(last.end));
        start..end
    }

    /// Passes if the places, where they are given, follow one another within the text.
    fn check_places(&self) -> Result<()> {
        let Some(places) = &self.places else { return Ok(()) };
        if self.unit == Unit::Sentence {
            let reason = "places are features themselves; use the unit word or occurrence";
            return Err(Error::setting("unit", self.unit, reason));
        }
        let mut end = 0;
        for (i, place) in places.iter().enumerate() {
            let problem = if place.is_empty() {
                "it is empty".into()
            } else if place.start < end {
                format!("it begins before byte {end}, where the one before it ends")
            } else if place.end > self.text.len() {
                format!("the text has {} bytes", self.text.len())
            } else if self.text.get(place.clone()).is_none() {
                "it begins or ends within a character".into()
            } else {
                end = place.end;
                continue;
            };
            return Err(Error::setting(
                "places",
                format!("{}..{}", place.start, place.end),
                format!("place {i}: {problem}"),
            ));
        }
        Ok(())
    }

    /// Places of words that are not ignored, and the words to ignore that none of the places has.
    fn split_ignored(&self, found: Vec<Range<usize>>) -> (Vec<Range<usize>>, Vec<String>) {
        if self.ignored.is_empty() {
            return (found, Vec::new());
        }
        let ignored: HashSet<String> = self.ignored.iter().map(|word| word.to_lowercase()).collect();
        let mut had = HashSet::new();
        let mut places = found;
        places.retain(|place| {
            let word = self.text[place.clone()].to_lowercase();
            let keeps = !ignored.contains(&word);
            if !keeps {
                had.insert(word);
            }
            keeps
        });
        let unmatched = self.ignored.iter().filter(|word| had.insert(word.to_lowercase())).cloned().collect();
        (places, unmatched)
    }
}

/// Features and pieces of a text of which the bytes `sent` are rendered and whose features are at `places`, within them.
fn cut(text: &str, sent: Range<usize>, places: Vec<Range<usize>>, unit: Unit) -> (Vec<Feature>, Vec<Piece>) {
    let mut features: Vec<Feature> = Vec::new();
    let mut pieces = Vec::with_capacity(2 * places.len() + 1);
    let mut of_word: HashMap<&str, usize> = HashMap::new();
    let (mut byte, mut char) = (sent.start, text[..sent.start].chars().count());
    for place in places {
        if byte < place.start {
            pieces.push(Piece { bytes: byte..place.start, feature: None });
            char += text[byte..place.start].chars().count();
        }
        let word = &text[place.clone()];
        let next = features.len();
        let feature = if unit == Unit::Word { *of_word.entry(word).or_insert(next) } else { next };
        if feature == next {
            features.push(Feature { name: word.into(), ..Feature::default() });
        }
        let end = char + word.chars().count();
        features[feature].spans.push(Span { bytes: [place.start, place.end], chars: [char, end] });
        (byte, char) = (place.end, end);
        pieces.push(Piece { bytes: place, feature: Some(feature) });
    }
    if byte < sent.end {
        pieces.push(Piece { bytes: byte..sent.end, feature: None });
    }
    (features, pieces)
}

impl TextInstance {
    /// A text with the defaults: distinct words by Unicode's boundaries, removed words dropped.
    ///
    /// # Errors
    /// [`Error::Instance`] for a text that is empty or has no words.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        Self::builder(text).build()
    }

    /// Settings to choose before the text is split.
    pub fn builder(text: impl Into<String>) -> TextBuilder {
        TextBuilder {
            text: text.into(),
            unit: Unit::default(),
            split: Split::default(),
            removed: Removed::default(),
            ignored: Vec::new(),
            when_empty: None,
            places: None,
            seen: None,
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.settings.text
    }

    /// The words, or sentences, that lie outside of what the model [sees](TextBuilder::seen), in order; none by default.
    pub fn unseen(&self) -> &[String] {
        &self.unseen
    }

    /// The words to [ignore](TextBuilder::ignore) that are no words of the text, each once, in the order that they were given.
    /// One that is no word [by the split](Split::is_word), such as "don't" under LIME's, is none of any text.
    pub fn unmatched(&self) -> &[String] {
        &self.unmatched
    }

    /// The text without some features (indices), as the model would be sent it.
    ///
    /// # Errors
    /// [`Error::Setting`] when a feature does not exist.
    pub fn without(&self, removed: &[usize]) -> Result<String> {
        let mut bits = vec![u32::MAX; self.features.len().div_ceil(32)];
        for &j in removed {
            if j >= self.features.len() {
                let reason = format!("features are numbered 0 to {}", self.features.len() - 1);
                return Err(Error::setting("feature", j, reason));
            }
            bits[j / 32] &= !(1 << (j % 32));
        }
        Ok(self.render_row(&bits))
    }

    /// The text of one mask.
    fn render_row(&self, bits: &[u32]) -> String {
        let keeps = |j: usize| bits[j / 32] >> (j % 32) & 1 == 1;
        if let Some(replacement) = &self.settings.when_empty
            && !self.words_stay
            && !(0..self.features.len()).any(keeps)
        {
            return replacement.clone();
        }
        let mut out = String::with_capacity(self.settings.text.len());
        for piece in &self.pieces {
            match (piece.feature, &self.settings.removed) {
                (Some(j), Removed::Drop) if !keeps(j) => {}
                (Some(j), Removed::Mask(word)) if !keeps(j) => out.push_str(word),
                _ => out.push_str(&self.settings.text[piece.bytes.clone()]),
            }
        }
        out
    }

    /// Groups masks by the texts that they render to. No two texts are held at once for long: they may be large.
    fn group(&self, masks: &[&[u32]]) -> Distinct {
        let mut seen: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut distinct = Distinct::default();
        for (row, mask) in masks.iter().enumerate() {
            let text = self.render_row(mask);
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            let alike = seen.entry(hasher.finish()).or_default();
            let known =
                alike.iter().copied().find(|&k| self.render_row(masks[distinct.first[k as usize] as usize]) == text);
            let position = known.unwrap_or_else(|| {
                let next = distinct.first.len() as u32;
                distinct.first.push(row as u32);
                alike.push(next);
                next
            });
            distinct.of.push(position);
        }
        distinct
    }
}

/// What the model is sent where no word is left, unless set.
const WHAT_IS_LEFT: &str = "what is left";
/// How words are found where their places are given.
const GIVEN: &str = "given places";

impl TextInstance {
    /// Each setting with the value that it usually has. How words are split does not matter to sentences.
    fn described(&self) -> Vec<(Setting, String)> {
        let TextBuilder { unit, split, removed, ignored, when_empty, places, .. } = &self.settings;
        let of = |name: &str, value: String, usual: &str| (Setting::new(name, value), usual.to_string());
        let mut settings = vec![of("unit", unit.to_string(), Unit::default().name())];
        if *unit != Unit::Sentence {
            let value = if places.is_some() { GIVEN.to_string() } else { split.to_string() };
            settings.push(of("split", value, &Split::default().to_string()));
        }
        settings.push(of("removed", removed.to_string(), &Removed::default().to_string()));
        settings.push(of("ignored-words", ignored.len().to_string(), "0"));
        settings.push(of("when-empty", when_empty.as_deref().unwrap_or(WHAT_IS_LEFT).to_string(), WHAT_IS_LEFT));
        if let Some(seen) = &self.settings.seen {
            let value = format!("bytes {} to {} of {}", seen.start, seen.end, self.settings.text.len());
            settings.push(of("seen", value, "all"));
        }
        settings
    }
}

impl Describe for TextInstance {
    fn describe(&self) -> Vec<Setting> {
        self.described().into_iter().map(|(setting, _)| setting).collect()
    }
}

impl Instance for TextInstance {
    fn features(&self) -> &[Feature] {
        &self.features
    }

    fn text(&self) -> Option<&str> {
        Some(&self.settings.text)
    }

    fn settings(&self) -> Vec<(Setting, String)> {
        self.described()
    }
}

impl<B: Backend> Render<B, Texts> for TextInstance {
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Texts> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let index: Vec<u32> = (rows.start as u32..rows.end as u32).collect();
        let bits = on.download(&on.gather(masks.bits(), masks.words(), &index)?)?;
        Ok(bits.chunks_exact(masks.words()).map(|row| self.render_row(row)).collect())
    }

    fn join(&self, parts: Vec<Texts>) -> Option<Texts> {
        Some(parts.into_iter().flatten().collect())
    }

    fn distinct(&self, on: &B, masks: &Masks<B>) -> Result<Option<Distinct>> {
        expect_len("features of the masks", self.features.len(), masks.features())?;
        let bits = on.download(masks.bits())?;
        // Equal masks first, which is cheap; then equal texts, since two occurrences of a word may render alike.
        let by_mask = Distinct::by_key(bits.chunks_exact(masks.words()));
        let row = |&i: &u32| &bits[i as usize * masks.words()..][..masks.words()];
        let by_text = self.group(&by_mask.first.iter().map(row).collect::<Vec<_>>());
        Ok(Some(Distinct {
            first: by_text.first.iter().map(|&k| by_mask.first[k as usize]).collect(),
            of: by_mask.of.iter().map(|&k| by_text.of[k as usize]).collect(),
        }))
    }
}
