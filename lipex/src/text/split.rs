//! Where the words of a text are.
//!
//! # Invariants
//! Pieces do not overlap and lie on character boundaries; what is between them stays in every rendered text, so that removing
//! nothing gives the text back to the byte.

use lipex_core::{Error, Result};
use regex::Regex;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// How words are found in a text.
///
/// ```
/// use lipex::{Instance, Split, TextInstance};
///
/// let names = |split: Split| -> lipex::Result<Vec<String>> {
///     let text = TextInstance::builder("can't wait 👍🏽 !!!").split(split).build()?;
///     Ok(text.features().iter().map(|f| f.name.clone()).collect())
/// };
/// assert_eq!(names(Split::Unicode)?, ["can't", "wait", "👍🏽", "!!!"]);
/// assert_eq!(names(Split::Lime)?, ["can", "t", "wait"]);
/// assert_eq!(names(Split::regex("[a-z]+|!")?)?, ["can", "t", "wait", "!"]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Split {
    /// Unicode's word boundaries (UAX #29); emoji are words, and so is punctuation that stands alone.
    ///
    /// A word has a letter or a number, or is an emoji: one with its skin tone, a sequence joined by ZWJ, a flag. "can't",
    /// accents that are characters of their own and Hindi vowel signs stay within their word; each CJK ideograph is a word.
    /// Punctuation and symbols between white space (":)", "!!!", "->") are a word as a whole; beside a word they separate.
    /// Thai, Lao, Khmer and Burmese come apart into characters: their words are found by dictionaries, whose answers
    /// [`places`](crate::TextBuilder::places) takes.
    #[default]
    Unicode,
    /// LIME's: words are runs of letters, numbers and underscores, everything else separates them.
    ///
    /// The separators are `[^\p{L}\p{N}_]+`, which is what `\W+` means in Python. It cuts words at apostrophes ("can't" is
    /// "can" and "t"), at accents that are characters of their own, and Hindi words at their vowel signs.
    Lime,
    /// Characters as a reader counts them (grapheme clusters), but for white space and what is not visible.
    Char,
    /// What stands between white space.
    Space,
    /// What a regular expression matches.
    Regex(WordPattern),
}

/// A regular expression whose matches are words; made by [`Split::regex`].
///
/// ```
/// use lipex::{Instance, Split, TextInstance};
///
/// let letters = Split::regex("[a-z]+")?;
/// let text = TextInstance::builder("s3cret w0rd").split(letters).build()?;
/// assert_eq!(text.features().len(), 4); // s, cret, w, rd
/// assert!(Split::regex("(").is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct WordPattern(Regex);

impl WordPattern {
    /// The expression, as it was given.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for WordPattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for WordPattern {}

/// The names without an expression.
const NAMES: [&str; 5] = ["unicode", "lime", "char", "space", "regex:PATTERN"];

impl Split {
    /// Words are what the expression matches, in the syntax of the crate `regex`; empty matches are none.
    ///
    /// # Errors
    /// [`Error::Setting`] for what is no expression, says why.
    pub fn regex(pattern: &str) -> Result<Self> {
        let refuse = |reason: &str| Err(Error::setting("split", format!("regex:{pattern}"), reason));
        if pattern.is_empty() {
            return refuse("give the expression that matches a word, as in regex:[a-z]+");
        }
        match Regex::new(pattern) {
            Ok(regex) => Ok(Split::Regex(WordPattern(regex))),
            // Its report draws the place over several lines; the last says what is wrong.
            Err(e) => refuse(e.to_string().lines().last().unwrap_or_default().trim()),
        }
    }

    /// The splitting of that name: `unicode`, `lime`, `char`, `space` or `regex:PATTERN`.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other name; those of [`regex`](Split::regex).
    pub fn by_name(name: &str) -> Result<Self> {
        Ok(match name {
            "unicode" => Split::Unicode,
            "lime" => Split::Lime,
            "char" => Split::Char,
            "space" => Split::Space,
            other => match other.strip_prefix("regex:") {
                Some(pattern) => Split::regex(pattern)?,
                None => return Err(Error::choice("split", other, &NAMES)),
            },
        })
    }

    /// Whether a text is one word, whole: only such a text can equal a word of another.
    ///
    /// ```
    /// use lipex::Split;
    ///
    /// assert!(Split::Unicode.is_word("don't") && !Split::Lime.is_word("don't"));
    /// assert!(!Split::Unicode.is_word("[SEP]"));
    /// ```
    pub fn is_word(&self, text: &str) -> bool {
        let whole = 0..text.len();
        self.words(text) == std::slice::from_ref(&whole)
    }

    /// The bytes of each word, in order.
    pub(super) fn words(&self, text: &str) -> Vec<Range<usize>> {
        let matches = |regex: &Regex| regex.find_iter(text).map(|m| m.range()).filter(|r| !r.is_empty()).collect();
        match self {
            Split::Unicode => unicode(text),
            Split::Lime => matches(&LIME_WORD),
            Split::Char => {
                let characters = text.grapheme_indices(true).filter(|(_, one)| VISIBLE.is_match(one));
                characters.map(|(at, one)| at..at + one.len()).collect()
            }
            Split::Space => between_white_space(text).filter(|r| VISIBLE.is_match(&text[r.clone()])).collect(),
            Split::Regex(pattern) => matches(&pattern.0),
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Split::Unicode => f.write_str("unicode"),
            Split::Lime => f.write_str("lime"),
            Split::Char => f.write_str("char"),
            Split::Space => f.write_str("space"),
            Split::Regex(pattern) => write!(f, "regex:{}", pattern.as_str()),
        }
    }
}

fn class(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is valid")
}

/// The words that LIME's separators `[^\p{L}\p{N}_]+` leave.
static LIME_WORD: LazyLock<Regex> = LazyLock::new(|| class(r"[\p{L}\p{N}_]+"));

/// Neither white space nor control nor format characters, among which is the byte-order mark.
static VISIBLE: LazyLock<Regex> = LazyLock::new(|| class(r"[^\s\p{Cc}\p{Cf}]"));

static PUNCTUATION: LazyLock<Regex> = LazyLock::new(|| class(r"[\p{P}\p{S}]"));

/// What makes a cluster an emoji: a character shown as one, the selector that asks for it, a letter of a flag, or one of the
/// pictures from ☀ on that are shown either way. © and ™ and arrows are none.
static EMOJI: LazyLock<Regex> = LazyLock::new(|| {
    class(r"\p{Emoji_Presentation}|\x{FE0F}|\p{Regional_Indicator}|[\x{2600}-\x{27BF}&&\p{Extended_Pictographic}]")
});

/// Whether a piece between Unicode's boundaries is a word.
pub(super) fn is_unicode_word(piece: &str) -> bool {
    piece.chars().any(char::is_alphanumeric) || EMOJI.is_match(piece)
}

/// The bytes between white space.
fn between_white_space(text: &str) -> impl Iterator<Item = Range<usize>> {
    let start = text.as_ptr() as usize;
    text.split_whitespace().map(move |run| {
        let at = run.as_ptr() as usize - start;
        at..at + run.len()
    })
}

/// Unicode's words, emoji, and punctuation between white space.
fn unicode(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for run in between_white_space(text) {
        let before = found.len();
        let pieces = text[run.clone()].split_word_bound_indices().filter(|(_, piece)| is_unicode_word(piece));
        found.extend(pieces.map(|(at, piece)| run.start + at..run.start + at + piece.len()));
        if found.len() == before && PUNCTUATION.is_match(&text[run.clone()]) {
            found.push(run);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, split: &Split) -> Vec<&'a str> {
        split.words(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn lime_cuts_where_python_does() {
        // Python: [w for w in re.split(r'\W+', text) if w]
        let text = "I can't—x_1 naïve ½ हिन्दी 日本 nai\u{308}ve";
        let pieces = ["I", "can", "t", "x_1", "naïve", "½", "ह", "न", "द", "日本", "nai", "ve"];
        assert_eq!(found(text, &Split::Lime), pieces);
    }

    #[test]
    fn unicode_keeps_words_whole() {
        for (text, pieces) in [
            (
                "I can't—x_1 हिन्दी 日本 e\u{301}te\u{301}",
                &["I", "can't", "x_1", "हिन्दी", "日", "本", "e\u{301}te\u{301}"][..],
            ),
            ("so nai\u{308}ve", &["so", "nai\u{308}ve"]),
            ("שָׁלוֹם مَرْحَبًا", &["שָׁלוֹם", "مَرْحَبًا"]),
            ("3.14 e.g. it’s well-known", &["3.14", "e.g", "it’s", "well", "known"]),
            ("1\u{fe0f}\u{20e3} ½", &["1\u{fe0f}\u{20e3}", "½"]),
        ] {
            assert_eq!(found(text, &Split::Unicode), pieces);
        }
    }

    #[test]
    fn emoji_are_words() {
        for (text, pieces) in [
            ("ok😀😀 fun", &["ok", "😀", "😀", "fun"][..]),
            ("👩‍👩‍👧👍🏽", &["👩‍👩‍👧", "👍🏽"]),
            // Flags: two letters each, and England's of tags.
            (
                "🇩🇪🇫🇷🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                &["🇩🇪", "🇫🇷", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"],
            ),
            ("love❤you ❤\u{fe0f}☺", &["love", "❤", "you", "❤\u{fe0f}", "☺"]),
            ("Acme™ © x→y", &["Acme", "©", "x", "y"]),
        ] {
            assert_eq!(found(text, &Split::Unicode), pieces);
        }
    }

    #[test]
    fn punctuation_that_stands_alone_is_a_word() {
        for (text, pieces) in [
            ("wow !!!", &["wow", "!!!"][..]),
            ("wow!!! (well) :-) ... -", &["wow", "well", ":-)", "...", "-"]),
            ("😂!!! ", &["😂"]),
            ("\u{feff}hi \u{200f}", &["hi"]),
            (" \u{301} \u{0} ", &[]),
        ] {
            assert_eq!(found(text, &Split::Unicode), pieces);
        }
    }

    #[test]
    fn characters_spaces_and_expressions() {
        assert_eq!(found("é e\u{301}\r\n👍🏽!\u{feff}", &Split::Char), ["é", "e\u{301}", "👍🏽", "!"]);
        assert_eq!(found(" can't,\u{a0}no \u{200f} 🙂.", &Split::Space), ["can't,", "no", "🙂."]);
        assert_eq!(found("a#b cc", &Split::regex("[a-z]*").unwrap()), ["a", "b", "cc"]);
    }

    #[test]
    fn names_round_trip() {
        for name in ["unicode", "lime", "char", "space", r"regex:#?\w+"] {
            assert_eq!(Split::by_name(name).unwrap().to_string(), name);
        }
        assert_eq!(Split::regex("a").unwrap(), Split::regex("a").unwrap());
        assert_ne!(Split::regex("a").unwrap(), Split::regex("b").unwrap());
    }

    #[test]
    fn other_names_are_refused_in_one_line() {
        for (name, reason) in [
            ("spaces", "did you mean `space`?"),
            ("", "unicode"),
            ("regex:", "matches a word"),
            ("regex:(", "unclosed group"),
            ("regex:\\p{Nope}", "property"),
        ] {
            let told = Split::by_name(name).unwrap_err().to_string();
            assert!(told.contains(reason) && !told.contains('\n'), "{told}");
        }
    }
}
