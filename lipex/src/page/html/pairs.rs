//! Features that act together, by twos.

use super::{Page, level_class};
use crate::page::markup::Markup;
use crate::page::phrases;
use crate::page::table::Entry;
use lipex_core::Pair;
use serde::Serialize;

/// Most pairs on a page: those with the largest effect on a class that is shown.
const PAIRS: usize = 60;

/// A pair with its numbers for the classes of the page.
#[derive(Serialize)]
pub(super) struct PairRow<'a> {
    /// The page's columns of the two; null for a feature that is not on the page.
    columns: [Option<usize>; 2],
    /// The two by name.
    names: [&'a str; 2],
    /// For each class V, and whether together they do more than each.
    effects: Vec<f64>,
    /// For each class whether both together do more than each.
    more: Vec<bool>,
}

/// The pairs of a page, the strongest for the predicted class first.
pub(super) fn strongest(page: &Page<'_>) -> Vec<Pair> {
    let mut pairs = page.e().pairs();
    let most = |pair: &Pair| page.table.classes.iter().map(|&c| pair.effects[c].abs()).fold(0.0, f64::max);
    pairs.sort_by(|a, b| most(b).total_cmp(&most(a)));
    pairs.truncate(PAIRS);
    let class = page.predicted();
    pairs.sort_by(|a, b| b.effects[class].abs().total_cmp(&a.effects[class].abs()));
    pairs
}

/// The two names of a pair.
fn names<'a>(page: &'a Page<'_>, pair: &Pair) -> [&'a str; 2] {
    pair.features.map(|j| page.e().kept().binary_search(&j).map_or("", |place| page.table.names[place].as_str()))
}

/// What the script reads.
pub(super) fn told<'a>(page: &'a Page<'_>, pairs: &[Pair]) -> Vec<PairRow<'a>> {
    let column = |j: usize| page.table.columns.iter().position(|&place| page.e().kept()[place] == j);
    let one = |pair: &Pair| PairRow {
        columns: pair.features.map(column),
        names: names(page, pair),
        effects: page.table.classes.iter().map(|&c| pair.effects[c]).collect(),
        more: page.table.classes.iter().map(|&c| pair.does_more(c)).collect(),
    };
    pairs.iter().map(one).collect()
}

/// The pairs for the class that is chosen.
pub(super) fn section(page: &Page<'_>, m: &mut Markup) {
    let pairs = strongest(page);
    if pairs.is_empty() {
        return;
    }
    let (e, class) = (page.e(), page.predicted());
    m.open("section", &[("aria-labelledby", "of-pairs")]).line();
    m.open("h2", &[("id", "of-pairs")]).text(&format!("{}s that act together for ", phrases::feature(e)));
    m.element("bdi", &[("data-name", "")], &e.classes[class]).close("h2").line();
    m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain"), ("id", "pairs")]);
    m.open("thead", &[]).open("tr", &[]);
    for head in ["together", page.table.unit(), ""] {
        m.element("th", &[("scope", "col")], head);
    }
    m.close("tr").close("thead").line().open("tbody", &[]).line();
    for pair in &pairs {
        let [a, b] = names(page, pair);
        let weight = pair.effects[class];
        let level = page.table.level(Some(Entry { weight, half: None, clear: true }));
        m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], a).text(" + ").element("bdi", &[], b);
        m.close("th").element("td", &[("class", level_class(level))], &page.table.signed(weight));
        m.element("td", &[], pair.told(class)).close("tr").line();
    }
    m.close("tbody").close("table").close("div").line();
    let note =
        "What removing both adds to removing each. Half of it is in the share of either, above and in the matrix.";
    m.element("p", &[("class", "note")], note).line().close("section").line();
}
