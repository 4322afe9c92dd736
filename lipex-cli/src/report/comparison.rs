//! The report of two explanations side by side.

use super::layout::{Page, coloured, columns, cut, pad, pad_left, printable};
use super::unit;
use lipex::{Beside, Comparison};

/// Most columns of a name.
const NAME: usize = 20;
/// Columns of a number with its band.
const NUMBER: usize = 14;

/// A comparison in lines of at most `width` columns, with colours as escape sequences. `names` are those of the two files; of
/// the `classes`, places in those of both, the `top` entries are listed that are largest in either.
pub fn render(both: &Comparison<'_>, names: [&str; 2], (classes, top): (&[usize], usize), width: usize) -> String {
    let mut page = Page::new(width);
    both.told(classes).iter().for_each(|sentence| page.paragraph(&printable(sentence)));
    page.gap();
    let [a, b] = both.explanations();
    for (letter, name, e) in [("A", names[0], a), ("B", names[1], b)] {
        let (class, p) = (e.predicted(), e.probabilities.model[e.predicted()]);
        let grade = e.verdict().map_or(String::new(), |v| format!(", fidelity {}", v.grade.name()));
        page.paragraph(&format!(
            "{letter}: {}. The model says {} with {p:.3}; {} masks{grade}.",
            printable(name),
            printable(&e.classes[class]),
            e.calls.masks
        ));
    }
    for &class in classes {
        page.gap();
        entries(&mut page, both, class, top);
    }
    settings(&mut page, both);
    page.finish()
}

/// The entries of a class, the largest of either first.
fn entries(page: &mut Page, both: &Comparison<'_>, class: usize, top: usize) {
    let [first, _] = both.explanations();
    let name = printable(&first.classes[both.classes()[class][0]]);
    page.heading(&format!("{name} ({})", unit(first)));
    let mut list = both.largest(class);
    let hidden = list.len().saturating_sub(top);
    list.truncate(top);
    let largest = list.first().map_or(0.0, Beside::size);
    let told: Vec<String> = list.iter().map(|e| cut(&printable(&first.name(e.feature[0])), NAME)).collect();
    let wide = told.iter().map(|n| columns(n)).max().unwrap_or(0).max(4);
    // In a narrow terminal the bands make room.
    let bands = page.width() >= wide + 3 * NUMBER + 10;
    let cell = |value: Option<f64>, half: Option<f64>| {
        let number = value.map_or("–".to_string(), |v| format!("{v:+.2}"));
        let text = match half.filter(|half| bands && *half > 0.0 && value.is_some()) {
            Some(half) => format!("{number} ± {half:.2}"),
            None => number,
        };
        let text = pad_left(&text, if bands { NUMBER } else { 7 });
        value.map_or(text.clone(), |value| coloured(value, largest, &text))
    };
    let head = ["A", "B", "B − A"].map(|h| pad_left(h, if bands { NUMBER } else { 7 }));
    page.line(&format!("{}{}", pad("", wide), head.concat()));
    for (name, e) in told.iter().zip(&list) {
        let [a, b] = [0, 1].map(|side| cell(e.values[side], e.halves[side]));
        let mark = if e.differs() == Some(true) { "  differs" } else { "" };
        page.line(&format!("{}{a}{b}{}{mark}", pad(name, wide), cell(e.apart(), e.half)));
    }
    if hidden > 0 {
        page.note(&format!("{hidden} more with --top {}", hidden + top));
    }
}

fn settings(page: &mut Page, both: &Comparison<'_>) {
    let differ = both.settings();
    if differ.is_empty() {
        return;
    }
    page.gap();
    let one = |(name, [a, b]): &(String, [String; 2])| format!("{name} {} / {}", printable(a), printable(b));
    page.paragraph(&format!("Settings A / B: {}.", differ.iter().map(one).collect::<Vec<_>>().join("; ")));
}
