//! A text with its features marked.

use super::markup::Markup;
use lipex_core::Feature;

/// Writes a text, and calls `mark` for the letters of each feature; where two claim the same letters the first has them. What `mark`
/// takes no part in, because it is `false` of its feature, stays plain text.
pub(super) fn marked(
    features: &[Feature],
    text: &str,
    m: &mut Markup,
    mut mark: impl FnMut(&mut Markup, usize, &str) -> bool,
) {
    let mut at = 0;
    for (from, to, feature) in places(features) {
        let from = from.max(at);
        if let (Some(before), Some(word)) = (text.get(at..from), text.get(from..to))
            && !word.is_empty()
        {
            m.text(before);
            if !mark(m, feature, word) {
                m.text(word);
            }
            at = to;
        }
    }
    m.text(text.get(at..).unwrap_or_default());
}

/// The bytes of every span with its feature, in order.
fn places(features: &[Feature]) -> Vec<(usize, usize, usize)> {
    let features = features.iter().enumerate();
    let mut places: Vec<(usize, usize, usize)> =
        features.flat_map(|(d, f)| f.spans.iter().map(move |s| (s.bytes[0], s.bytes[1], d))).collect();
    places.sort_unstable();
    places
}
