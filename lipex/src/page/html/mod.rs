//! The page: one file that asks for nothing else.

mod charts;
mod data;
mod details;
mod instance;
mod matrix;
mod pairs;

use super::markup::{Markup, escape, fill, script_json};
use super::scores::Scored;
use super::table::Table;
use super::{PageOptions, phrases};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lipex_core::{Error, Explanation, Grade, Result, arg_max};
use sha2::{Digest, Sha256};

/// The page without its parts.
const TEMPLATE: &str = include_str!("page.html");
/// Its style sheet.
pub(super) const STYLE: &str = include_str!("page.css");
/// Its script.
const SCRIPT: &str = include_str!("page.js");

/// Most classes on a page.
const CLASSES: usize = 50;
/// Most features on a page: those with the largest entries.
const FEATURES: usize = 300;
/// Classes shown before a reader asks for more.
const SHOWN: usize = 12;

/// An explanation as a page: one HTML file without network access, for any text.
///
/// The text with its words coloured for the class that one points at, both distributions, the words for and against a class,
/// the contrast of any two classes, the matrix with signs and error bars, fidelity, what would change the prediction, how
/// certain W is, settings, seed and version. It is read without colour, in light and dark, by keyboard, at phone width, on
/// paper, and as it stands where scripts do not run. A content security policy forbids the page everything but its own
/// style and script.
///
/// A page holds at most 50 classes, the likeliest and those in the options, and at most 300 kept features, those with the
/// largest entries; it says so where something is left out. The matrix in the JSON or CSV file has everything.
///
/// # Errors
/// [`Error::Shape`] for a class that does not exist, an image with other segments, or an explanation made by hand
/// whose parts do not fit together.
///
/// ```
/// use lipex::prelude::*;
///
/// let text = TextInstance::new("good <day>")?;
/// let model = TextFn::new(["bad", "good"], |texts| texts.iter().map(|_| [0.4, 0.6]).collect());
/// let page = lipex::to_html(&lipex().explain(&text, &model)?, &lipex::PageOptions::default())?;
/// assert!(page.starts_with("<!") && page.contains("&lt;"));
/// # Ok::<(), lipex::Error>(())
/// ```
pub fn to_html(explanation: &Explanation, options: &PageOptions) -> Result<String> {
    let e = explanation;
    e.check()?;
    if let Some(image) = &options.image {
        image.check(e.features.len())?;
    }
    let shown = options.shown(e, SHOWN);
    let page = Page::new(e, options, shown)?;
    let body = page.body();
    let title = format!("{} {:.3} – lipex", e.classes[page.predicted()], e.probabilities.model[page.predicted()]);
    let mut escaped_title = String::new();
    escape(&title, &mut escaped_title);
    let (style_hash, script_hash) = (hash(STYLE), hash(SCRIPT));
    let data = script_json(&data::json(&page));
    Ok(fill(TEMPLATE, |name| match name {
        "title" => &escaped_title,
        "style" => STYLE,
        "script" => SCRIPT,
        "style-hash" => &style_hash,
        "script-hash" => &script_hash,
        "body" => &body,
        "data" => &data,
        _ => "",
    }))
}

/// What a content security policy calls a style or a script.
fn hash(source: &str) -> String {
    STANDARD.encode(Sha256::digest(source.as_bytes()))
}

/// A page without scripts, of a title and a body.
pub(super) fn plain(title: &str, body: Markup) -> String {
    let mut escaped = String::new();
    escape(title, &mut escaped);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{escaped} – lipex</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        hash(STYLE),
        body.finish()
    )
}

/// What the parts of a page are made from.
struct Page<'a> {
    /// What the caller asked for.
    options: &'a PageOptions,
    /// The classes and features that are shown.
    table: Table<'a>,
    /// How many of the table's classes are shown at first.
    shown: usize,
    /// The two classes contrasted at first, as places in the table.
    contrast: (usize, usize),
}

impl<'a> Page<'a> {
    /// Chooses what is shown: the likeliest classes with those of the options, the strongest features.
    fn new(e: &'a Explanation, options: &'a PageOptions, mut classes: Vec<usize>) -> Result<Self> {
        let by_probability = e.classes_by_probability();
        let named = options.contrast.unwrap_or((by_probability[0], by_probability[1]));
        if !classes.contains(&by_probability[0]) {
            classes.insert(0, by_probability[0]);
        }
        classes.truncate(CLASSES);
        let shown = classes.len();
        let needed: Vec<usize> = [named.0, named.1].into_iter().chain(e.flip.as_ref().map(|f| f.class)).collect();
        for class in needed.iter().chain(&by_probability) {
            if !classes.contains(class) && (needed.contains(class) || classes.len() < CLASSES) {
                classes.push(*class);
            }
        }
        let place = |class: usize| {
            let wrong = || Error::shape("class to contrast (below the number of classes)", e.classes.len(), class);
            classes.iter().position(|&c| c == class).ok_or_else(wrong)
        };
        let contrast = (place(named.0)?, place(named.1)?);
        let table = Table::new(e, classes, FEATURES)?;
        Ok(Page { options, table, shown, contrast })
    }

    /// The explanation.
    fn e(&self) -> &'a Explanation {
        self.table.e
    }

    /// The class that the model finds likeliest, among all C.
    fn predicted(&self) -> usize {
        self.e().predicted()
    }

    /// What is explained, in a word.
    fn subject(&self) -> &'static str {
        match (&self.options.image, &self.e().text) {
            (Some(_), _) => "image",
            (None, Some(_)) => "text",
            (None, None) => phrases::feature_set(self.e()),
        }
    }

    /// The sections in order.
    fn body(&self) -> String {
        let mut m = Markup::default();
        m.open("header", &[]).open("div", &[]);
        self.lead(&mut m);
        m.close("div").close("header").line().open("main", &[]).line();
        m.open("div", &[("class", "pair wide-left")]).line();
        instance::section(self, &mut m);
        instance::classes(self, &mut m);
        m.close("div").line();
        m.open("div", &[("class", "pair")]).line();
        charts::class_section(self, &mut m);
        charts::contrast_section(self, &mut m);
        m.close("div").line();
        pairs::section(self, &mut m);
        details::tree(self, &mut m);
        details::flip(self, &mut m);
        details::what_to_remove(self, &mut m);
        matrix::section(self, &mut m);
        m.open("div", &[("class", "columns")]).line();
        details::fidelity(self, &mut m);
        details::noise(self, &mut m);
        details::growth(self, &mut m);
        details::settings(self, &mut m);
        m.close("div").line();
        m.close("main").line();
        details::footer(self, &mut m);
        m.finish()
    }

    /// The first lines: what the model says, and how far the surrogate can be trusted.
    fn lead(&self, m: &mut Markup) {
        let (e, predicted) = (self.e(), self.predicted());
        let p = &e.probabilities;
        m.open("h1", &[]).element("bdi", &[], &e.classes[predicted]);
        m.element("span", &[("class", "share")], &format!(" {:.3}", p.model[predicted])).close("h1");
        m.open("p", &[]).text(&format!("is the model's answer to this {}, and its probability. ", self.subject()));
        if let Some(scored) = Scored::of(e) {
            return self.scored(m, &scored);
        }
        let best = arg_max(&p.surrogate);
        if best == predicted {
            m.text(&format!("The surrogate that is read here gives it {:.3}", p.surrogate[predicted]));
        } else {
            m.text("The surrogate that is read here says ").element("bdi", &[], &e.classes[best]);
            m.text(&format!(" {:.3}", p.surrogate[best]));
        }
        m.text(".").close("p");
        let Some(verdict) = e.verdict() else { return };
        m.open("p", &[("class", "verdict")]).text("Verdict: ").element("strong", &[], verdict.grade.name()).close("p");
        for reason in &verdict.reasons {
            let class = if reason.grade == Grade::Good { "note" } else { "warning" };
            m.element("p", &[("class", class)], format!("{} {}", reason.told, reason.advice).trim_end());
        }
    }
}

impl Page<'_> {
    /// The first lines where there are scores and no surrogate: whose they are, and how far their sums are off.
    fn scored(&self, m: &mut Markup, scored: &Scored<'_>) {
        m.text("The scores that are read here are by ").element("strong", &[], scored.method);
        m.text(&format!(", of the {}", scored.output));
        if scored.is_contrast() {
            m.text(" of ").element("bdi", &[], &self.e().classes[0]).text(" over ");
            m.element("bdi", &[], &self.e().classes[1]);
        }
        m.text(".").close("p");
        if let Some(off) = scored.off {
            let told = format!(
                "They and what is outside of all {}s are {off} off what they should add up to, at most.",
                phrases::feature(self.e())
            );
            let class = if scored.is_off() { "warning" } else { "note" };
            m.element("p", &[("class", class)], &told);
        }
    }
}

/// The style class of a level: p1 to p6 for +, n1 to n6 for −, z for neither.
pub(super) fn level_class(level: i32) -> &'static str {
    const PLUS: [&str; 7] = ["z", "p1", "p2", "p3", "p4", "p5", "p6"];
    const MINUS: [&str; 7] = ["z", "n1", "n2", "n3", "n4", "n5", "n6"];
    let side = if level < 0 { MINUS } else { PLUS };
    side[level.unsigned_abs().min(6) as usize]
}
