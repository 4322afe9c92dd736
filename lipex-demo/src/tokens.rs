//! From a text to hashes of its words, and of pairs of neighbouring words.

use regex::Regex;
use std::sync::OnceLock;

/// The words of a text in order: what is left when it is split at everything but letters, numbers and `_`.
///
/// # Source
/// The splitting of LIME 0.2.0.1, `\W+` of Python.
///
/// ```
/// assert_eq!(lipex_demo::words("Don't stop!"), ["Don", "t", "stop"]);
/// ```
pub fn words(text: &str) -> Vec<&str> {
    static BETWEEN: OnceLock<Regex> = OnceLock::new();
    let between =
        BETWEEN.get_or_init(|| Regex::new(r"[^\p{L}\p{N}_]+").expect("a constant expression that a test runs"));
    between.split(text).filter(|word| !word.is_empty()).collect()
}

/// The hashes of a text's words in order.
pub fn word_hashes(text: &str) -> Vec<u32> {
    words(text).into_iter().map(word_hash).collect()
}

/// The hash of a word: FNV-1a, 32 bits, of its lower case in UTF-8.
pub fn word_hash(word: &str) -> u32 {
    let bytes = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    word.to_lowercase().bytes().fold(0x811c_9dc5, bytes)
}

/// The hash of two words that follow one another, from theirs.
pub fn bigram_hash(first: u32, second: u32) -> u32 {
    let mixed = first.rotate_left(13).wrapping_mul(0x9e37_79b1) ^ second.wrapping_mul(0x85eb_ca77);
    (mixed ^ (mixed >> 15)).wrapping_mul(0xc2b2_ae3d) | 1
}

/// Calls `each` with the hash of every word and of every pair of neighbours.
pub(crate) fn tokens(words: &[u32], mut each: impl FnMut(u32)) {
    words.iter().for_each(|&w| each(w));
    words.windows(2).for_each(|pair| each(bigram_hash(pair[0], pair[1])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_lime_splits_them() {
        assert_eq!(words("I'm  shaking-with_joy, 2day!"), ["I", "m", "shaking", "with_joy", "2day"]);
        assert_eq!(words("ça marché 你好"), ["ça", "marché", "你好"]);
        assert!(words("  ...!? ").is_empty() && words("").is_empty());
    }

    #[test]
    fn hashes_forget_case_and_keep_order() {
        assert_eq!(word_hash("Joy"), word_hash("jOY"));
        assert_eq!(word_hash(""), 0x811c_9dc5);
        // The published FNV-1a of "foobar".
        assert_eq!(word_hash("foobar"), 0xbf9c_f968);
        let (a, b) = (word_hash("not"), word_hash("good"));
        assert_ne!(bigram_hash(a, b), bigram_hash(b, a));
    }
}
