//! Lists of words: what holds the predicted class up, what speaks against it, a contrast.

use super::layout::{Page, printable, signed};
use super::{Choice, unit};
use lipex::{Explanation, Rank, Weighted};

fn list(e: &Explanation, words: &[Weighted]) -> String {
    // A space within a word would let a line break there.
    let name = |w: &Weighted| printable(&e.features[w.feature].name).replace(' ', "\u{a0}");
    let words: Vec<String> = words.iter().map(|w| format!("{}\u{a0}{}", name(w), signed(w.value))).collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

pub fn print(page: &mut Page, e: &Explanation, choice: &Choice) {
    let predicted = e.predicted();
    let class = printable(&e.classes[predicted]);
    let rank = choice.rank.unwrap_or(e.rank);
    let top = |rank: Rank, keep: fn(f64) -> bool| -> Vec<Weighted> {
        e.top_k(predicted, e.kept.len(), rank).into_iter().filter(|w| keep(w.value)).take(choice.top).collect()
    };
    page.gap();
    let unit = unit(e);
    let line = match rank {
        Rank::Supporting => format!("What holds {class} up (supporting, {unit}): {}", list(e, &top(rank, |v| v > 0.0))),
        Rank::Opposing => {
            format!("What speaks against {class} (opposing, {unit}): {}", list(e, &top(rank, |v| v < 0.0)))
        }
        Rank::Absolute => format!("What moves {class} most (absolute, |W|, {unit}): {}", list(e, &top(rank, |_| true))),
        Rank::Effect => {
            format!("What {class} would lose without the word (effect, probability): {}", list(e, &top(rank, |_| true)))
        }
    };
    page.paragraph(&line);
    if rank == Rank::Supporting {
        let against = top(Rank::Opposing, |v| v < 0.0);
        page.paragraph(&format!("What speaks against it: {}", list(e, &against)));
    }
    if let Some((a, b)) = choice.contrast {
        let (all, unit) = (e.contrast(a, b), super::unit(e));
        let (a, b) = (printable(&e.classes[a]), printable(&e.classes[b]));
        page.paragraph(&format!("{a} over {b} ({unit}): {}", list(e, &all)));
    }
}
