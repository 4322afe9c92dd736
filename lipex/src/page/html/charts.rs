//! Bars with error bars: what speaks for and against a class, and the contrast of two.
//!
//! Charts are SVG with real text, so that they are found by search, scaled without loss and printed. Whiskers are the
//! intervals of single entries; what the simultaneous bands do not clear of 0 is pale.

use super::Page;
use crate::page::markup::Markup;
use crate::page::phrases;
use crate::page::scores::Scored;
use crate::page::table::{Entry, bars};

/// Most bars in a chart: the longest.
pub(super) const BARS: usize = 12;

/// The features for and against the class that is shown.
pub(super) fn class_section(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    m.open("section", &[("aria-labelledby", "of-bars")]).line();
    m.open("h2", &[("id", "of-bars")]).text("For and against ");
    m.element("bdi", &[("data-name", "")], &e.classes[page.predicted()]).close("h2").line();
    let entries = |&j: &usize| Some((j, page.table.entry(page.predicted(), j)?));
    let list: Vec<(usize, Entry)> = page.table.columns.iter().filter_map(entries).collect();
    let shares = bars(e).and_then(|u| u.in_top.as_ref());
    let heading = shares.map(|top| format!("in top {}", top.k));
    let share = |j: usize| shares.map(|top| phrases::percent(top.share[page.predicted()][e.kept()[j]]));
    chart(page, m, "bars", &list, heading.as_deref(), share);
    m.element("p", &[("class", "note")], &phrases::reading(e)).line();
    if let Some(top) = shares {
        let note = format!(
            "In top {}: how often the {} is there in {} refits of rows drawn again, selection repeated.",
            top.k,
            phrases::feature(e),
            top.refits
        );
        m.element("p", &[("class", "note")], &note).line();
    }
    m.close("section").line();
}

/// What speaks for one class rather than another.
pub(super) fn contrast_section(page: &Page<'_>, m: &mut Markup) {
    if Scored::of(page.e()).is_some_and(|scored| scored.is_contrast()) {
        return;
    }
    let (a, b) = page.contrast;
    let name = |k: usize| &page.e().classes[page.table.classes[k]];
    m.open("section", &[("aria-labelledby", "of-contrast")]).line();
    m.open("h2", &[("id", "of-contrast")]).element("bdi", &[("id", "name-a")], name(a)).text(" over ");
    m.element("bdi", &[("id", "name-b")], name(b)).close("h2").line();
    m.open("p", &[("class", "script choose"), ("hidden", "")]);
    for (id, chosen, before) in [("class-a", a, ""), ("class-b", b, " over ")] {
        m.text(before)
            .open("select", &[("id", id), ("aria-label", if id == "class-a" { "class" } else { "other class" })]);
        for k in 0..page.table.classes.len() {
            let value = k.to_string();
            let mut attributes = vec![("value", value.as_str())];
            if k == chosen {
                attributes.push(("selected", ""));
            }
            m.element("option", &attributes, name(k));
        }
        m.close("select");
    }
    m.close("p").line();
    let list = page.table.contrast(page.table.classes[a], page.table.classes[b]);
    chart(page, m, "contrast", &list, None, |_| None);
    m.element("p", &[("class", "note")], &phrases::contrast(page.e())).line();
    m.close("section").line();
}

/// The longest bars, largest value first.
fn longest(list: &[(usize, Entry)]) -> Vec<(usize, Entry)> {
    let mut list = list.to_vec();
    list.sort_by(|a, b| b.1.weight.abs().total_cmp(&a.1.weight.abs()).then(a.0.cmp(&b.0)));
    list.truncate(BARS);
    list.sort_by(|a, b| b.1.weight.total_cmp(&a.1.weight).then(a.0.cmp(&b.0)));
    list
}

/// Bars of some entries, largest first.
fn chart(
    page: &Page<'_>,
    m: &mut Markup,
    id: &str,
    list: &[(usize, Entry)],
    extra: Option<&str>,
    extra_of: impl Fn(usize) -> Option<String>,
) {
    m.open("table", &[("class", "chart"), ("id", id)]);
    heading(page, m, extra);
    m.open("tbody", &[]).line();
    let longest = longest(list);
    let reach = longest.iter().map(|(_, e)| e.weight.abs() + e.half.unwrap_or(0.0)).fold(0.0, f64::max);
    for &(j, entry) in &longest {
        m.open("tr", &[("class", if entry.clear { "" } else { "noise" })]);
        m.open("th", &[("scope", "row")]).element("bdi", &[], &page.table.names[j]).close("th");
        m.element("td", &[], &page.table.signed(entry.weight));
        if let Some(half) = entry.half {
            m.element("td", &[], &page.table.plus_minus(half));
        }
        if let Some(extra) = extra_of(j) {
            m.element("td", &[], &extra);
        }
        m.open("td", &[("class", "bar")]);
        bar(m, entry, reach);
        m.close("td").close("tr").line();
    }
    m.close("tbody").close("table").line();
    let hidden = list.len() - longest.len();
    let note = format!("{hidden} more are closer to 0; the matrix has them.");
    let class = if hidden > 0 { "note" } else { "note none" };
    m.element("p", &[("class", class), ("id", &format!("{id}-more"))], &note).line();
}

/// A bar from 0, with its interval, on a scale of −100 to 100.
fn bar(m: &mut Markup, entry: Entry, reach: f64) {
    let scale = if reach > 0.0 { 100.0 / reach } else { 0.0 };
    let end = entry.weight * scale;
    let (x, width) = (format!("{:.1}", end.min(0.0)), format!("{:.1}", end.abs()));
    let class = if entry.weight < 0.0 { "minus" } else { "plus" };
    m.open("svg", &[("viewBox", "-101 0 202 14"), ("preserveAspectRatio", "none"), ("aria-hidden", "true")]);
    m.empty("rect", &[("class", class), ("x", &x), ("y", "3"), ("width", &width), ("height", "8")]);
    m.empty("path", &[("class", "axis"), ("d", "M0 0v14")]);
    if let Some(half) = entry.half {
        let (low, high) = (end - half * scale, end + half * scale);
        let whisker = format!("M{low:.1} 7H{high:.1}M{low:.1} 4v6M{high:.1} 4v6");
        m.empty("path", &[("class", "error"), ("d", &whisker)]);
    }
    m.close("svg");
}

/// The names of a chart's columns.
fn heading(page: &Page<'_>, m: &mut Markup, extra: Option<&str>) {
    m.open("thead", &[]).open("tr", &[]);
    let errors = bars(page.e()).map(|_| "±");
    let names = [Some(phrases::feature(page.e())), Some(page.table.unit()), errors, extra];
    for name in names.into_iter().flatten() {
        m.element("th", &[("scope", "col")], name);
    }
    m.open("th", &[("scope", "col")]).element("span", &[("class", "unseen")], "bar").close("th");
    m.close("tr").close("thead");
}
