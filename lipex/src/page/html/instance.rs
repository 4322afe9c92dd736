//! The text (or image) with its features coloured, and the classes to point at.
//!
//! A word is a `mark` element with a title; a segment is a shape over the picture. Both are reached by keyboard, and the class
//! that one points at decides their colour.

use super::{Page, level_class};
use crate::page::markup::Markup;
use crate::page::phrases;
use crate::page::scores::Scored;
use crate::page::table::{LEVELS, bars};
use crate::page::words::marked;

/// A saved explanation has the segments' names and places, not the image.
const WITHOUT_PICTURE: &str = "The picture is not here: a saved explanation holds no pixels. \
                               lipex image … --html makes the page with it.";

/// The instance beside the list of classes.
pub(super) fn section(page: &Page<'_>, m: &mut Markup) {
    let without_picture = phrases::feature(page.e()) == "segment" && page.options.image.is_none();
    let subject = if without_picture { "segments" } else { page.subject() };
    m.open("section", &[("aria-labelledby", "of-text")]).line();
    m.open("h2", &[("id", "of-text")]).text(&format!("The {subject}, coloured for "));
    let predicted = &page.e().classes[page.predicted()];
    m.element("bdi", &[("data-name", "")], predicted).close("h2").line();
    match (&page.options.image, &page.e().text) {
        (Some(_), _) => picture(page, m),
        (None, Some(text)) => words(page, m, text),
        (None, None) => list(page, m),
    }
    if without_picture {
        m.element("p", &[("class", "note")], WITHOUT_PICTURE).line();
    }
    legend(page, m);
    // Filled by the script when a feature is pointed at.
    let hint = format!("Point at a {0} to read what it does to every class.", phrases::feature(page.e()));
    let panel =
        [("id", "word"), ("class", "note"), ("aria-live", "polite"), ("data-hint", hint.as_str()), ("hidden", "")];
    m.open("p", &panel).close("p").line();
    m.close("section").line();
}

/// For each of all D features the column that it has on the page.
fn columns(page: &Page<'_>) -> Vec<Option<usize>> {
    let mut of = vec![None; page.e().features.len()];
    for (k, &j) in page.table.columns.iter().enumerate() {
        of[page.e().kept()[j]] = Some(k);
    }
    of
}

/// The style class, number and value of each column for the predicted class.
struct Marks(Vec<(String, String, String)>);

impl Marks {
    /// Attributes of every feature, made once.
    fn new(page: &Page<'_>) -> Self {
        let mark = |(k, &j): (usize, &usize)| {
            let entry = page.table.entry(page.predicted(), j);
            let class = format!("w {}", level_class(page.table.level(entry)));
            (class, k.to_string(), entry.map_or("·".into(), |e| page.table.signed(e.weight)))
        };
        Marks(page.table.columns.iter().enumerate().map(mark).collect())
    }

    /// Those of one feature.
    fn attributes(&self, column: usize) -> Vec<(&'static str, &str)> {
        let (class, number, value) = &self.0[column];
        vec![("class", class), ("data-f", number), ("data-v", value)]
    }
}

/// The text with its features marked.
fn words(page: &Page<'_>, m: &mut Markup, text: &str) {
    let (of, marks) = (columns(page), Marks::new(page));
    m.open("div", &[("id", "text"), ("dir", "auto"), ("lang", "")]);
    marked(&page.e().features, text, m, |m, feature, word| match of[feature] {
        Some(column) => {
            m.element("span", &marks.attributes(column), word);
            true
        }
        None => false,
    });
    m.close("div").line();
}

/// The picture with its segments.
fn picture(page: &Page<'_>, m: &mut Markup) {
    let (of, marks) = (columns(page), Marks::new(page));
    if let Some(image) = &page.options.image {
        image.draw(m, |feature| Some(marks.attributes((*of.get(feature)?)?)));
    }
}

/// The features' names, where neither text nor image is there.
fn list(page: &Page<'_>, m: &mut Markup) {
    let marks = Marks::new(page);
    m.open("div", &[("id", "text"), ("dir", "auto"), ("lang", "")]);
    for (k, &j) in page.table.columns.iter().enumerate() {
        m.element("span", &marks.attributes(k), &page.table.names[j]).text(" ");
    }
    m.close("div").line();
}

/// What the colours mean.
fn legend(page: &Page<'_>, m: &mut Markup) {
    m.open("p", &[("class", "legend")]).element("span", &[], "\u{2212} against").open("span", &[("class", "keys")]);
    for level in -LEVELS..=LEVELS {
        m.element("i", &[("class", level_class(level))], "");
    }
    m.close("span").element("span", &[], "+ for");
    if page.options.image.is_none() {
        m.open("label", &[("class", "script"), ("hidden", "")]);
        m.empty("input", &[("type", "checkbox"), ("id", "numbers")]).text(" numbers").close("label");
    }
    m.close("p").line();
    let what = phrases::feature(page.e());
    let mut note = match page.options.image {
        Some(_) => "Segments without a number: close to 0".to_string(),
        None => "Underlined: speaks for the class. Dashed: against it. Plain: close to 0".to_string(),
    };
    if bars(page.e()).is_some() {
        note += ", or not significantly different from it";
    }
    if page.e().kept().len() < page.e().features.len() {
        note += &format!(", or a {what} that selection left out");
    }
    if page.e().answer.as_ref().is_some_and(|answer| answer.tree().is_some()) {
        note += &format!(", or a {what} that the tree does not ask about");
    }
    if page.table.left_out > 0 {
        note += &format!(", or a {what} that this page leaves out");
    }
    m.element("p", &[("class", "note")], &format!("{note}.")).line();
}

/// Both distributions; a row is what one points at.
pub(super) fn classes(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    m.open("section", &[("aria-labelledby", "of-classes")]).line();
    m.element("h2", &[("id", "of-classes")], "Classes").line();
    let hint = format!("Point at a class, or choose it, to colour the {} for it.", page.subject());
    m.element("p", &[("class", "note script"), ("hidden", "")], &hint).line();
    filter(page, m);
    m.open("table", &[("class", "classes")]).open("thead", &[]).open("tr", &[]);
    m.element("th", &[("scope", "col")], "class");
    let scored = Scored::of(e).is_some();
    for name in ["model", "surrogate"].into_iter().take(if scored { 1 } else { 2 }) {
        m.open("th", &[("scope", "col")]).element("i", &[("class", name)], "").text(name).close("th");
    }
    m.open("th", &[("scope", "col")]).element("span", &[("class", "unseen")], "bars").close("th");
    m.close("tr").close("thead").line().open("tbody", &[]).line();
    for (k, &c) in page.table.classes.iter().enumerate() {
        let more = if k >= page.shown { "more" } else { "" };
        let chosen = if c == page.predicted() { "true" } else { "false" };
        m.open("tr", &[("data-c", &k.to_string()), ("class", more), ("data-chosen", chosen)]);
        m.open("th", &[("scope", "row")]).element("bdi", &[], &e.classes[c]).close("th");
        let (model, surrogate) = (e.probabilities.model[c], e.probabilities.surrogate[c]);
        let told = if e.never[c] { "never".to_string() } else { format!("{model:.3}") };
        m.element("td", &[], &told);
        if !scored {
            m.element("td", &[], &format!("{surrogate:.3}"));
        }
        m.open("td", &[("class", "bar")]);
        m.open("svg", &[("viewBox", "0 0 100 10"), ("preserveAspectRatio", "none"), ("aria-hidden", "true")]);
        let bars = [("0", model, "model"), ("6", surrogate, "surrogate")];
        for (y, share, class) in bars.into_iter().take(if scored { 1 } else { 2 }) {
            let width = format!("{:.1}", 100.0 * share.clamp(0.0, 1.0));
            m.empty("rect", &[("class", class), ("y", y), ("width", &width), ("height", "4")]);
        }
        m.close("svg").close("td").close("tr").line();
    }
    m.close("tbody").close("table").line();
    let left_out = e.classes.len() - page.table.classes.len();
    if left_out > 0 {
        let note = format!("{left_out} less likely classes are not on this page; the JSON and CSV files have them.");
        m.element("p", &[("class", "note")], &note).line();
    }
    m.close("section").line();
}

/// The field that finds classes by name.
fn filter(page: &Page<'_>, m: &mut Markup) {
    let all = page.table.classes.len();
    if all <= page.shown {
        return;
    }
    m.open("p", &[("class", "script filter"), ("hidden", "")]);
    m.open("label", &[]).text("Find ").empty("input", &[("type", "search"), ("id", "find"), ("autocomplete", "off")]);
    m.close("label").text(" ");
    m.open("label", &[]).empty("input", &[("type", "checkbox"), ("id", "all")]).text(&format!(" all {all}"));
    m.close("label").close("p").line();
}
