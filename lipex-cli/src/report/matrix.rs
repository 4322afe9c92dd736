//! The explanation matrix as a table: classes down, kept words across, in blocks that fit the page.

use super::layout::{Page, coloured, columns, cut, pad, pad_left, printable};
use super::noise::marked;
use super::nouns;
use lipex::{Explanation, Link, Method, Shares, Uncertainty};

/// Columns of a number.
const NUMBER: usize = 6;
/// Most columns of a word.
const WORD: usize = 14;

pub fn print(page: &mut Page, e: &Explanation, shown: &[usize]) {
    let names: Vec<String> = shown.iter().map(|&c| printable(&e.classes[c])).collect();
    let shares = e.shares();
    let words: Vec<String> = shares.kept().iter().map(|&j| cut(&printable(&e.name(j)), WORD)).collect();
    let left = names.iter().map(|n| columns(n)).max().unwrap_or(0).clamp(1, (page.width() / 3).max(5));
    let largest = shares.largest();
    page.gap();
    let feature = nouns(e).feature;
    let what = match e.link() {
        Some(Link::Identity) => format!("What each {feature} adds to each class, in probability (W)"),
        _ => format!("What each {feature} does to each class, in log-odds (W)"),
    };
    page.heading(&what);
    // Parentheses take two more columns.
    let number = if e.uncertainty.is_some() { NUMBER + 2 } else { NUMBER };
    let width = |j: usize| columns(&words[j]).max(number) + 1;
    let mut from = 0;
    while from < words.len() {
        let mut to = from + 1;
        let mut used = left + width(from);
        while to < words.len() && used + width(to) <= page.width() {
            used += width(to);
            to += 1;
        }
        if from > 0 {
            page.gap();
        }
        let head: String = (from..to).map(|j| pad_left(&words[j], width(j))).collect();
        page.line(&format!("{}{head}", pad("", left)));
        for (name, &c) in names.iter().zip(shown) {
            let cells: String = (from..to).map(|j| cell(e, &shares, (c, j), width(j), largest)).collect();
            page.line(&format!("{}{cells}", pad(&cut(name, left), left)));
            if let Some(u) = e.uncertainty.as_ref().filter(|u| u.method != Method::Exact) {
                let bars: String = (from..to).map(|j| pad_left(&bar(&shares, u, c, j), width(j))).collect();
                page.note(&format!("{}{bars}", pad("", left).replace(' ', "\u{a0}")).replace(' ', "\u{a0}"));
            }
        }
        from = to;
    }
    if e.link() == Some(Link::Softmax) {
        page.note("An entry is relative to the other classes: columns are centred.");
        return;
    }
    if e.link() == Some(Link::Logistic) {
        page.note("An entry is for the label against not that label.");
    }
    if !shares.is_full() {
        page.note(&format!("A dot: the {feature} was not chosen for this class."));
    }
}

fn cell(e: &Explanation, shares: &Shares<'_>, (c, j): (usize, usize), width: usize, largest: f64) -> String {
    if !shares.support(c).contains(&j) {
        return pad_left("·", width);
    }
    let value = shares.row(c)[j];
    coloured(value, largest, &pad_left(&marked(e, c, j, value), width))
}

/// Half the interval of an entry.
fn bar(shares: &Shares<'_>, u: &Uncertainty, c: usize, j: usize) -> String {
    if shares.support(c).contains(&j) { format!("±{:.2}", u.quantile * u.std_error[c][j]) } else { String::new() }
}
