//! The matrix as a heat map: classes down, kept features across.
//!
//! A real table with header cells, so that a screen reader says class and feature of each number. Numbers that are not
//! significant stand in parentheses.

use super::{Page, level_class};
use crate::page::markup::Markup;
use crate::page::phrases;
use crate::page::table::{Entry, short};

/// Most characters of a column's name.
const NAME: usize = 18;

/// The table with its notes.
pub(super) fn section(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    m.open("section", &[("aria-labelledby", "of-matrix")]).line();
    m.element("h2", &[("id", "of-matrix")], &phrases::matrix_title(e)).line();
    m.open("p", &[("class", "script choose"), ("hidden", "")]).open("label", &[]).text("Columns in the order of ");
    m.open("select", &[("id", "order")]).element("option", &[("value", "place")], &format!("the {}", page.subject()));
    m.element("option", &[("value", "weight")], "what they do to the chosen class").close("select").close("label");
    m.close("p").line();
    let scroll = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-labelledby", "of-matrix")];
    m.open("div", &scroll).open("table", &[("class", "matrix")]).open("thead", &[]).open("tr", &[]);
    m.element("td", &[], "");
    for (k, &j) in page.table.columns.iter().enumerate() {
        let name = &page.table.names[j];
        let (cut, place) = (short(name, NAME), k.to_string());
        m.open("th", &[("scope", "col"), ("data-f", &place), ("title", name)]).element("bdi", &[], &cut).close("th");
    }
    m.close("tr").close("thead").line().open("tbody", &[]).line();
    for (k, &c) in page.table.classes.iter().enumerate() {
        let more = if k >= page.shown { "more" } else { "" };
        let chosen = if c == page.predicted() { "true" } else { "false" };
        m.open("tr", &[("data-c", &k.to_string()), ("class", more), ("data-chosen", chosen)]);
        m.open("th", &[("scope", "row")]).element("bdi", &[], &e.classes[c]).close("th");
        page.table.columns.iter().for_each(|&j| cell(page, m, page.table.entry(c, j)));
        m.close("tr").line();
    }
    m.close("tbody").close("table").close("div").line();
    m.element("p", &[("class", "note")], &notes(page)).line();
    m.close("section").line();
}

/// One entry, coloured and signed.
fn cell(page: &Page<'_>, m: &mut Markup, entry: Option<Entry>) {
    let level = level_class(page.table.level(entry));
    let Some(entry) = entry else {
        m.element("td", &[("class", "z")], "·");
        return;
    };
    let number = page.table.signed(entry.weight);
    let Some(half) = entry.half else {
        m.element("td", &[("class", level)], &number);
        return;
    };
    let class = if entry.clear { level } else { "z noise" };
    let number = if entry.clear { number } else { format!("({number})") };
    m.open("td", &[("class", class)]).text(&number).element("small", &[], &page.table.plus_minus(half));
    whisker(page, m, entry, half);
    m.close("td");
}

/// The entry as a bar from 0 with its interval, on the scale of the whole matrix.
fn whisker(page: &Page<'_>, m: &mut Markup, entry: Entry, half: f64) {
    let scale = if page.table.largest > 0.0 { 30.0 / page.table.largest } else { 0.0 };
    let place = |x: f64| (x * scale).clamp(-30.0, 30.0);
    let (low, high) = (place(entry.weight - half), place(entry.weight + half));
    let end = place(entry.weight);
    let (x, width) = (format!("{:.1}", end.min(0.0)), format!("{:.1}", end.abs()));
    let line = format!("M0 0v9M{low:.1} 4.5H{high:.1}M{low:.1} 2v5M{high:.1} 2v5");
    m.open("svg", &[("viewBox", "-31 0 62 9"), ("aria-hidden", "true")]);
    m.empty("rect", &[("x", &x), ("y", "2.5"), ("width", &width), ("height", "4")]);
    m.empty("path", &[("d", &line)]).close("svg");
}

/// What parentheses, dashes and units mean.
fn notes(page: &Page<'_>) -> String {
    let e = page.e();
    let mut notes = phrases::reading(e);
    let marks = phrases::marks(e);
    if !marks.is_empty() {
        notes += &format!(" {marks}.");
    }
    let left_out = page.table.left_out;
    if left_out > 0 {
        notes += &format!(
            " {left_out} kept {}s with smaller entries are not on this page; the JSON and CSV files have them.",
            phrases::feature(e)
        );
    }
    notes
}
