//! The report that a person reads.

mod footer;
mod layout;
mod matrix;
mod noise;
mod verdict;
mod words;

pub use layout::printable;

use crate::options::View;
use crate::parse::{self, Classes};
use layout::{Page, bar, cut, pad};
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
            contrast: view.contrast.as_deref().map(|c| parse::contrast(c, labels)).transpose()?,
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

    /// The classes to show, in order.
    pub fn shown(&self, e: &Explanation) -> Vec<usize> {
        match &self.classes {
            Classes::Top(n) => e.classes_by_probability().into_iter().take(*n).collect(),
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
        _ if e.settings.iter().any(|setting| setting.name == "columns") => {
            Nouns { feature: "column", features: "columns", inputs: "inputs", instance: "row" }
        }
        Domain::Text => Nouns { feature: "word", features: "words", inputs: "texts", instance: "text" },
        Domain::Image => Nouns { feature: "segment", features: "segments", inputs: "images", instance: "image" },
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
    let names: Vec<String> = shown.iter().map(|&c| printable(&e.classes[c])).collect();
    let longest = names.iter().map(|n| layout::columns(n)).max().unwrap_or(0).max(5);
    let name_width = longest.min(page.width().saturating_sub(18).max(5));
    let bar_width = page.width().saturating_sub(name_width + 20).min(30);
    page.heading(&format!("{}  {:>6} {:>9}", pad("class", name_width), "model", "surrogate"));
    for (name, &c) in names.iter().zip(shown) {
        let never = if e.never[c] { "never" } else { "" };
        let (model, surrogate) = (format!("{:.3}", p.model[c]), format!("{:.3}", p.surrogate[c]));
        let bar = if e.never[c] { never.into() } else { bar(p.model[c], bar_width) };
        let line = format!("{}  {model:>6} {surrogate:>9}  {bar}", pad(&cut(name, name_width), name_width));
        page.line(line.trim_end());
    }
    let hidden = e.classes.len().saturating_sub(shown.len());
    if hidden > 0 {
        page.note(&format!("{hidden} more with --classes all"));
    }
}
