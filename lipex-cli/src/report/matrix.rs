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
    let shares = e.shares();
    let largest = shares.largest();
    page.gap();
    let feature = nouns(e).feature;
    let what = match e.link() {
        Some(Link::Identity) => format!("What each {feature} adds to each class, in probability (W)"),
        _ => format!("What each {feature} does to each class, in log-odds (W)"),
    };
    page.heading(&what);
    let names = shown.iter().map(|&c| e.classes[c].as_str());
    // What a tree does not ask about is in no row.
    let places: Vec<usize> =
        (0..shares.kept().len()).filter(|j| (0..e.classes.len()).any(|c| shares.support(c).contains(j))).collect();
    if places.is_empty() {
        page.note(&format!("Nothing: the surrogate answers the same whatever {feature} goes."));
        return;
    }
    let words: Vec<String> = places.iter().map(|&j| e.name(shares.kept()[j])).collect();
    // Parentheses take two more columns.
    let number = if e.uncertainty.is_some() { NUMBER + 2 } else { NUMBER };
    let numbers = |row: usize, j: usize, width: usize| cell(e, &shares, (shown[row], places[j]), width, largest);
    let bars = e.uncertainty.as_ref().filter(|u| u.method != Method::Exact);
    let below = |row: usize, j: usize| bars.map(|u| bar(&shares, u, shown[row], places[j]));
    table(page, (names.collect(), words), number, (&numbers, &below));
    if e.link() == Some(Link::Softmax) {
        page.note("An entry is relative to the other classes: columns are centred.");
        return;
    }
    if e.link() == Some(Link::Logistic) {
        page.note("An entry is for the label against not that label.");
    }
    let some = |c: usize| places.iter().any(|j| !shares.support(c).contains(j));
    if (0..e.classes.len()).any(some) {
        page.note(&format!("A dot: the {feature} was not chosen for this class."));
    }
}

/// What an entry says in so many columns, and what stands below it.
type Cells<'a> = (&'a dyn Fn(usize, usize, usize) -> String, &'a dyn Fn(usize, usize) -> Option<String>);

/// Rows and columns with names, in blocks that fit the page; an entry takes `number` columns at least.
pub fn table(page: &mut Page, names: (Vec<&str>, Vec<String>), number: usize, (cell, below): Cells<'_>) {
    let rows: Vec<String> = names.0.iter().map(|name| printable(name)).collect();
    let words: Vec<String> = names.1.iter().map(|name| cut(&printable(name), WORD)).collect();
    let left = rows.iter().map(|n| columns(n)).max().unwrap_or(0).clamp(1, (page.width() / 3).max(5));
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
        for (i, name) in rows.iter().enumerate() {
            let cells: String = (from..to).map(|j| cell(i, j, width(j))).collect();
            page.line(&format!("{}{cells}", pad(&cut(name, left), left)));
            let bars: Option<String> = (from..to).map(|j| Some(pad_left(&below(i, j)?, width(j)))).collect();
            if let Some(bars) = bars {
                page.note(&format!("{}{bars}", pad("", left)).replace(' ', "\u{a0}"));
            }
        }
        from = to;
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
