//! Where the words and sentences of a text are.

use super::settings::Split;
use regex::Regex;
use std::ops::Range;
use std::sync::LazyLock;
use unicode_segmentation::UnicodeSegmentation;

/// The words that LIME's separators `[^\p{L}\p{N}_]+` leave.
static LIME_WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]+").expect("the pattern is valid"));

/// The bytes of each word, in order.
pub(super) fn words(text: &str, split: Split) -> Vec<Range<usize>> {
    match split {
        Split::Lime => LIME_WORD.find_iter(text).map(|m| m.range()).collect(),
        Split::Unicode => text.unicode_word_indices().map(|(at, word)| at..at + word.len()).collect(),
    }
}

/// The bytes of each sentence that has a letter or a number, without the spaces around it, in order.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    text.split_sentence_bound_indices()
        .filter(|(_, sentence)| sentence.chars().any(char::is_alphanumeric))
        .map(|(at, sentence)| {
            let start = at + sentence.len() - sentence.trim_start().len();
            start..start + sentence.trim().len()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, ranges: &[Range<usize>]) -> Vec<&'a str> {
        ranges.iter().map(|r| &text[r.clone()]).collect()
    }

    #[test]
    fn lime_cuts_where_python_does() {
        // Python: [w for w in re.split(r'\W+', text) if w]
        let text = "I can't—x_1 naïve ½ हिन्दी 日本";
        let pieces = ["I", "can", "t", "x_1", "naïve", "½", "ह", "न", "द", "日本"];
        assert_eq!(found(text, &words(text, Split::Lime)), pieces);
    }

    #[test]
    fn unicode_keeps_words_whole() {
        let text = "I can't—x_1 हिन्दी 日本 e\u{301}te\u{301}";
        let pieces = ["I", "can't", "x_1", "हिन्दी", "日", "本", "e\u{301}te\u{301}"];
        assert_eq!(found(text, &words(text, Split::Unicode)), pieces);
    }

    #[test]
    fn sentences_are_trimmed_and_have_words() {
        let text = "  One. Two?\n\n!!!\n\nतीन है। Four";
        assert_eq!(found(text, &sentences(text)), ["One.", "Two?", "तीन है।", "Four"]);
        assert!(sentences(" … !? ").is_empty());
    }
}
