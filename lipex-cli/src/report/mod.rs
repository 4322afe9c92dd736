//! The report that a person reads.

mod attribution;
mod comparison;
mod experiment;
mod footer;
mod layout;
mod matching;
mod matrix;
mod noise;
mod rule;
mod tree;
mod verdict;
mod words;

pub use attribution::{Attributed, render as render_attributions};
pub use comparison::render as render_comparison;
pub use experiment::render as render_experiment;
pub use layout::printable;
pub use matching::{Matched, render as render_match};
pub use rule::{Ruled, render as render_rule};

use crate::options::View;
use crate::parse::{self, Classes};
use layout::{Page, bar, cut, pad, pad_left};
use lipex::{Domain, Error, Explanation, Link, PageOptions, Rank, Result};

/// What to show, checked against the classes there are.
pub struct Choice {
    classes: Classes,
    top: usize,
    rank: Option<Rank>,
    contrast: Option<(usize, usize)>,
}

impl Choice {
    pub fn new(view: &View, labels: &[String]) -> Result<Self> {
        if view.top == 0 {
            return Err(Error::setting("top", 0, "at least 1 is listed"));
        }
        Ok(Choice {
            classes: parse::classes(&view.classes, labels)?,
            top: view.top,
            rank: view.rank.as_deref().map(Rank::by_name).transpose()?,
            contrast: view.contrast.as_deref().map(|c| parse::contrast("contrast", c, labels)).transpose()?,
        })
    }

    /// What a page or a figure shows.
    pub fn page(&self, e: &Explanation) -> PageOptions {
        let options = PageOptions::default().classes(self.shown(e));
        match self.contrast {
            Some((a, b)) => options.contrast(a, b),
            None => options,
        }
    }

    /// Words to list.
    fn top(&self) -> usize {
        self.top
    }

    /// The two classes to contrast.
    pub fn contrast(&self) -> Option<(usize, usize)> {
        self.contrast
    }

    /// The classes to show, in order.
    pub fn shown(&self, e: &Explanation) -> Vec<usize> {
        self.shown_of(&e.probabilities.model)
    }

    /// The same where the model's answer is all there is.
    pub fn shown_of(&self, probabilities: &[f64]) -> Vec<usize> {
        match &self.classes {
            Classes::Top(n) => {
                let mut order: Vec<usize> = (0..probabilities.len()).collect();
                order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
                order.truncate(*n);
                order
            }
            Classes::Named(list) => list.clone(),
        }
    }
}

/// An explanation in lines of at most `width` columns, with colours as escape sequences.
pub fn render(e: &Explanation, choice: &Choice, width: usize) -> String {
    let mut page = Page::new(width);
    let shown = choice.shown(e);
    verdict::print(&mut page, e);
    distributions(&mut page, e, &shown);
    if !e.observed.is_constant() {
        matrix::print(&mut page, e, &shown);
        words::print(&mut page, e, choice);
        tree::print(&mut page, e, choice);
    }
    noise::growth(&mut page, e);
    noise::print(&mut page, e, choice);
    footer::print(&mut page, e);
    page.finish()
}

/// What features, inputs and the instance are called.
struct Nouns {
    feature: &'static str,
    features: &'static str,
    inputs: &'static str,
    instance: &'static str,
}

fn nouns(e: &Explanation) -> Nouns {
    match e.domain() {
        Domain::Text => Nouns { feature: "word", features: "words", inputs: "texts", instance: "text" },
        Domain::Image => Nouns { feature: "segment", features: "segments", inputs: "images", instance: "image" },
        Domain::Rows => Nouns { feature: "column", features: "columns", inputs: "inputs", instance: "row" },
    }
}

/// How the surrogate's entries are measured.
fn unit(e: &Explanation) -> &'static str {
    match e.link() {
        Some(Link::Identity) => "probability",
        _ => "log-odds",
    }
}

/// The model's distribution beside the surrogate's.
fn distributions(page: &mut Page, e: &Explanation, shown: &[usize]) {
    let p = &e.probabilities;
    let numbers = |c: usize| vec![p.model[c], p.surrogate[c]];
    let bar = |c: usize, width: usize| if e.never[c] { "never".into() } else { bar(p.model[c], width) };
    classes(page, &e.classes, shown, &["model", "surrogate"], (&numbers, &bar));
}

/// What a line of a class has: its numbers, and what stands after them in so many columns.
type Line<'a> = (&'a dyn Fn(usize) -> Vec<f64>, &'a dyn Fn(usize, usize) -> String);

/// A line a class: its name, its numbers under their headings, and a bar.
fn classes(page: &mut Page, names: &[String], shown: &[usize], headings: &[&str], (numbers, bar): Line<'_>) {
    let told: Vec<String> = shown.iter().map(|&c| printable(&names[c])).collect();
    let longest = told.iter().map(|n| layout::columns(n)).max().unwrap_or(0).max(5);
    let name_width = longest.min(page.width().saturating_sub(18).max(5));
    let bar_width = page.width().saturating_sub(name_width + 20).min(30);
    let width = |heading: &str| heading.len().max(6) + 1;
    let head: String = headings.iter().map(|h| pad_left(h, width(h))).collect();
    page.heading(&format!("{} {head}", pad("class", name_width)));
    for (name, &c) in told.iter().zip(shown) {
        let cells = numbers(c).into_iter().zip(headings).map(|(v, h)| pad_left(&format!("{v:.3}"), width(h)));
        let cells: String = cells.collect();
        let line = format!("{} {cells}  {}", pad(&cut(name, name_width), name_width), bar(c, bar_width));
        page.line(line.trim_end());
    }
    let hidden = names.len().saturating_sub(shown.len());
    if hidden > 0 {
        page.note(&format!("{hidden} more with --classes all"));
    }
}
