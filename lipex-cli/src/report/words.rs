//! Lists of words: what holds the predicted class up, what speaks against it, a contrast.

use super::layout::{Page, cut, printable, signed};
use super::noise::interval;
use super::{Choice, nouns, unit};
use lipex::{Explanation, Flip, Method, Rank, Weighted, arg_max};

/// Most columns of a name in a list, so that its number is on the same line.
const NAME: usize = 24;

/// A feature's name on one line, in quotation marks where it is more than a word: a space within would let a line break
/// there.
pub fn word(e: &Explanation, feature: usize) -> String {
    let name = cut(&printable(&e.name(feature)), NAME).replace(' ', "\u{a0}");
    if e.features[feature].name.contains(' ') { format!("“{name}”") } else { name }
}

/// Words with their numbers; `bar` adds what is known of a number's error.
fn list(e: &Explanation, words: &[Weighted], bar: impl Fn(usize) -> String) -> String {
    let one = |w: &Weighted| format!("{}\u{a0}{}{}", word(e, w.feature), signed(w.value), bar(w.feature));
    let words: Vec<String> = words.iter().map(one).collect();
    if words.is_empty() { "none".into() } else { words.join(", ") }
}

/// What a ranking says of the class.
fn title(rank: Rank, class: &str, unit: &str, feature: &str) -> String {
    match rank {
        Rank::Supporting => format!("What holds {class} up (supporting, {unit})"),
        Rank::Opposing => format!("What speaks against {class} (opposing, {unit})"),
        Rank::Absolute => format!("What moves {class} most (absolute, |W|, {unit})"),
        Rank::Effect => format!("What {class} would lose without the {feature} (effect, probability)"),
    }
}

pub fn print(page: &mut Page, e: &Explanation, choice: &Choice) {
    let predicted = e.predicted();
    let class = printable(&e.classes[predicted]);
    let rank = choice.rank.unwrap_or(e.rank);
    let top = |rank: Rank, keep: fn(f64) -> bool| -> Vec<Weighted> {
        e.top_k(predicted, e.kept().len(), rank).into_iter().filter(|w| keep(w.value)).take(choice.top).collect()
    };
    page.gap();
    let unit = unit(e);
    let bar = |feature| interval(e, predicted, feature);
    let words = match rank {
        Rank::Supporting => list(e, &top(rank, |v| v > 0.0), bar),
        Rank::Opposing => list(e, &top(rank, |v| v < 0.0), bar),
        Rank::Absolute => list(e, &top(rank, |_| true), bar),
        Rank::Effect => list(e, &top(rank, |_| true), |_| String::new()),
    };
    page.paragraph(&format!("{}: {words}", title(rank, &class, unit, nouns(e).feature)));
    if e.ranking.is_some() && rank != Rank::Effect {
        page.note("Their order is that of the fit without pairs, by which removals come true a little more often.");
    }
    if rank == Rank::Supporting {
        let against = top(Rank::Opposing, |v| v < 0.0);
        page.paragraph(&format!("What speaks against it: {}", list(e, &against, bar)));
    }
    pairs(page, e, choice);
    removal(page, e, choice);
    if let Some((a, b)) = choice.contrast {
        let (all, unit) = (e.contrast(a, b), super::unit(e));
        let bar = |feature| contrast_bar(e, a, b, feature);
        let words = list(e, &all, bar);
        let (a, b) = (printable(&e.classes[a]), printable(&e.classes[b]));
        page.paragraph(&format!("{a} over {b} ({unit}): {words}"));
    }
    if let Some(asked) = &e.flip {
        flip(page, e, asked);
    }
}

/// Features that act together on the predicted class, the strongest first.
fn pairs(page: &mut Page, e: &Explanation, choice: &Choice) {
    let class = e.predicted();
    let mut pairs = e.pairs();
    if pairs.is_empty() {
        return;
    }
    pairs.sort_by(|a, b| b.effects[class].abs().total_cmp(&a.effects[class].abs()));
    let (name, unit) = (printable(&e.classes[class]), unit(e));
    page.paragraph(&format!(
        "{} that act together for {name} (what removing both adds, {unit}):",
        capital(nouns(e).features)
    ));
    for pair in pairs.iter().take(choice.top) {
        let [a, b] = pair.features.map(|j| word(e, j));
        let value = signed(pair.effects[class]);
        page.paragraph(&format!("\u{a0}\u{a0}{a}\u{a0}+\u{a0}{b}\u{a0}{value}: {}", pair.told(class)));
    }
    let hidden = pairs.len().saturating_sub(choice.top);
    if hidden > 0 {
        page.note(&format!("{hidden} more do less"));
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// What takes the predicted class down fastest.
fn removal(page: &mut Page, e: &Explanation, choice: &Choice) {
    let Some(removal) = e.removal.as_ref().filter(|removal| !removal.features.is_empty()) else { return };
    let step = |(&j, q): (&usize, &f64)| format!("{}\u{a0}{q:.3}", word(e, j));
    let steps: Vec<String> = removal.features.iter().zip(&removal.surrogate).map(step).take(choice.top).collect();
    page.paragraph(&format!(
        "What to remove, one after the other, and what the surrogate then gives {}: {}",
        printable(&e.classes[removal.class]),
        steps.join(", ")
    ));
}

/// Half the interval of a contrast.
fn contrast_bar(e: &Explanation, a: usize, b: usize, feature: usize) -> String {
    match (&e.uncertainty, e.kept().iter().position(|&j| j == feature)) {
        (Some(u), Some(j)) if u.method != Method::Exact => u
            .contrast_error(a, b)
            .map_or_else(String::new, |errors| format!("\u{a0}±\u{a0}{:.2}", u.quantile * errors[j])),
        _ => String::new(),
    }
}

/// What would take the prediction to another class, and whether the model agrees.
fn flip(page: &mut Page, e: &Explanation, flip: &Flip) {
    let name = |c: usize| printable(&e.classes[c]);
    let (to, predicted) = (name(flip.class), name(e.predicted()));
    let likeliest = |answer: &[f64]| {
        let best = arg_max(answer);
        let other = if best == flip.class { e.predicted() } else { flip.class };
        format!("{} {:.3}, {} {:.3}", name(best), answer[best], name(other), answer[other])
    };
    let checked = if flip.checked { "yes" } else { "no" };
    page.paragraph(&match flip.remove.as_deref() {
        Some([]) if flip.checked => format!("What would make it {to}: nothing, it is {to} already."),
        Some([]) => format!(
            "What would make it {to}: nothing for the surrogate, which says {to} already; the model says {predicted}."
        ),
        Some(remove) => {
            let words: Vec<String> = remove.iter().map(|&j| word(e, j)).collect();
            format!(
                "What would make it {to}: without {}. The surrogate then says {}; checked: {checked}, the model says {}.",
                words.join(", "),
                likeliest(&flip.surrogate),
                likeliest(&flip.model)
            )
        }
        None if e.answer.as_ref().is_some_and(|answer| answer.tree().is_some()) => {
            format!("What would make it {to}: nothing found. No leaf of the tree says {to}.")
        }
        None => format!(
            "What would make it {to}: nothing found. However many {} go, each time the one that brings {to} nearest, the \
             surrogate does not say {to}.",
            nouns(e).features
        ),
    });
}
