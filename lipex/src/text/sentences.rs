//! Where the sentences of a text are.

use super::split::is_unicode_word;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// Words after which a full stop ends no sentence: what stands before a name or a number, and what is said in the midst of one.
/// "etc.", "p.m." and "Inc." may end one.
const GO_ON: [&str; 43] = [
    "Adm", "Capt", "Cmdr", "Col", "Cpl", "Dr", "Drs", "Fr", "Gen", "Gov", "Hon", "Lt", "Maj", "Messrs", "Mlle", "Mme",
    "Mr", "Mrs", "Ms", "Mt", "Mx", "Pres", "Prof", "Rep", "Rev", "Sen", "Sgt", "St", "Ste", "Supt", "e.g", "i.e",
    "E.g", "I.e", "cf", "Cf", "vs", "viz", "approx", "Fig", "Figs", "Eq", "Eqs",
];

/// The bytes of each sentence that has a word, without the spaces around it, in order.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = None;
    for (at, piece) in text.split_sentence_bound_indices() {
        let (start, end) = (open.take().unwrap_or(at), at + piece.len());
        if end < text.len() && goes_on(&text[start..end]) {
            open = Some(start);
        } else {
            found.push(trimmed(text, start..end));
        }
    }
    found.retain(|sentence| text[sentence.clone()].split_word_bounds().any(is_unicode_word));
    found
}

/// Whether what Unicode takes for a sentence ends with an abbreviation or an initial, and not with a paragraph.
fn goes_on(piece: &str) -> bool {
    let sentence = piece.trim_end();
    let lines = piece[sentence.len()..].matches('\n').count();
    let Some(before) = sentence.strip_suffix('.') else { return false };
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut letters = word.chars();
    // "I." is more often an end ("so do I.") than an initial.
    let initial = letters.next().is_some_and(|c| c.is_uppercase() && c != 'I') && letters.next().is_none();
    lines < 2 && (initial || GO_ON.contains(&word))
}

/// A piece without white space and byte-order marks around it.
fn trimmed(text: &str, piece: Range<usize>) -> Range<usize> {
    let around = |c: char| c.is_whitespace() || c == '\u{feff}';
    let inner = text[piece.clone()].trim_start_matches(around);
    let start = piece.end - inner.len();
    start..start + inner.trim_end_matches(around).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|r| &text[r]).collect()
    }

    #[test]
    fn sentences_are_trimmed_and_have_words() {
        let text = "  One. Two?\n\n!!!\n\nतीन है। Four 🙂";
        assert_eq!(found(text), ["One.", "Two?", "तीन है।", "Four 🙂"]);
        assert!(sentences(" … !? ").is_empty());
        assert_eq!(found("Great. 😂😂"), ["Great.", "😂😂"]);
    }

    #[test]
    fn abbreviations_end_none() {
        for (text, pieces) in [
            ("Dr. Smith came. He left.", &["Dr. Smith came.", "He left."][..]),
            ("Fruit, e.g. Apples. (I.e. Round ones.) Yes.", &["Fruit, e.g. Apples.", "(I.e. Round ones.)", "Yes."]),
            ("By J. R. R. Tolkien. So do I. Good.", &["By J. R. R. Tolkien.", "So do I.", "Good."]),
            (
                "See Fig. A there. No. It rains, etc. It pours.",
                &["See Fig. A there.", "No.", "It rains, etc.", "It pours."],
            ),
            ("Call the Dr.\nSmith is ill.\n\nMr.\n\nNext", &["Call the Dr.\nSmith is ill.", "Mr.", "Next"]),
            ("Mr.", &["Mr."]),
        ] {
            assert_eq!(found(text), pieces);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_sentence() {
        assert_eq!(found("\u{feff}It rains. It pours."), ["It rains.", "It pours."]);
        assert!(sentences("\u{feff}").is_empty());
    }
}
