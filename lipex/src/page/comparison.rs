//! Two explanations side by side, as a page.

use super::html::{level_class, plain};
use super::markup::Markup;
use super::table::{Table, signed};
use super::words::marked;
use lipex_core::{Comparison, Error, Link, Result};

/// Most features of a class in a table, those with the largest entries.
const MOST: usize = 40;

/// Two explanations of one input as a page: one HTML file without network access or scripts.
///
/// What agrees in sentences, both texts coloured for the first of `classes` (places in [`Comparison::classes`]), the models' answers,
/// for each of the classes the entries of both and their difference, the settings that differ. `names` are what the two are called.
///
/// # Errors
/// [`Error::Shape`] for a class that does not exist.
pub fn comparison_to_html(both: &Comparison<'_>, names: [&str; 2], classes: &[usize]) -> Result<String> {
    if let Some(&c) = classes.iter().find(|&&c| c >= both.classes().len()) {
        return Err(Error::shape("class to compare (below the number of classes of both)", both.classes().len(), c));
    }
    let title = format!("{} and {}", names[0], names[1]);
    let mut m = Markup::default();
    m.open("header", &[]).element("h1", &[], &title);
    both.told(classes).iter().for_each(|sentence| {
        m.element("p", &[], sentence);
    });
    m.close("header").line().open("main", &[]).line();
    if let Some(&class) = classes.first() {
        m.open("div", &[("class", "pair")]).line();
        for (side, letter) in ["A", "B"].into_iter().enumerate() {
            instance(both, (side, letter, names[side]), class, &mut m)?;
        }
        m.close("div").line();
    }
    answers(both, &mut m);
    classes.iter().for_each(|&class| entries(both, class, &mut m));
    settings(both, &mut m);
    m.close("main").line();
    Ok(plain(&title, m))
}

/// The text with its words coloured, or the features where there is no text.
fn instance(
    both: &Comparison<'_>,
    (side, letter, name): (usize, &str, &str),
    class: usize,
    m: &mut Markup,
) -> Result<()> {
    let e = both.explanations()[side];
    let class = both.classes()[class][side];
    let table = Table::new(e, vec![class], usize::MAX)?;
    m.open("section", &[]).open("h2", &[]).text(&format!("{letter}: {name}, coloured for "));
    m.element("bdi", &[], &e.classes[class]).close("h2").line();
    m.open("div", &[("class", "text"), ("dir", "auto"), ("lang", "")]);
    let mark = |m: &mut Markup, feature: usize, told: &str| {
        let entry = e.kept().iter().position(|&j| j == feature).and_then(|j| table.entry(class, j));
        let style = format!("w {}", level_class(table.level(entry)));
        let value = entry.map_or("·".to_string(), |entry| table.signed(entry.weight));
        m.element("span", &[("class", &style), ("title", &value)], told);
    };
    match &e.text {
        Some(text) => marked(&e.features, text, m, |m, feature, word| {
            mark(m, feature, word);
            true
        }),
        None => (0..e.features.len()).for_each(|j| {
            mark(m, j, &e.name(j));
            m.text(" ");
        }),
    }
    m.close("div").close("section").line();
    Ok(())
}

/// What the models say of the instance.
fn answers(both: &Comparison<'_>, m: &mut Markup) {
    let [a, b] = both.explanations();
    m.open("section", &[]).element("h2", &[], "The models' answers").open("table", &[("class", "plain")]).line();
    head(m, "class", &["A", "B"]);
    for &[x, y] in both.classes().iter().take(MOST) {
        m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], &a.classes[x]).close("th");
        for p in [a.probabilities.model[x], b.probabilities.model[y]] {
            m.element("td", &[], &format!("{p:.3}"));
        }
        m.close("tr").line();
    }
    m.close("table").close("section").line();
}

/// The line above a table.
fn head(m: &mut Markup, of: &str, columns: &[&str]) {
    m.open("thead", &[]).open("tr", &[]).element("th", &[("scope", "col")], of);
    columns.iter().for_each(|column| {
        m.element("th", &[("scope", "col")], column);
    });
    m.close("tr").close("thead").line();
}

/// The entries of a class in either, the largest first.
fn entries(both: &Comparison<'_>, class: usize, m: &mut Markup) {
    let [first, _] = both.explanations();
    let unit = if first.link() == Some(Link::Identity) { "probability" } else { "log-odds" };
    m.open("section", &[]).open("h2", &[]).element("bdi", &[], &first.classes[both.classes()[class][0]]);
    m.text(&format!(", {unit}")).close("h2").open("table", &[("class", "plain")]).line();
    head(m, "feature", &["A", "B", "B − A", ""]);
    let list = both.largest(class);
    for e in list.iter().take(MOST) {
        m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], &first.name(e.feature[0])).close("th");
        let number = |value: Option<f64>, half: Option<f64>| match (value, half.filter(|half| *half > 0.0)) {
            (None, _) => "–".to_string(),
            (Some(value), None) => signed(value, 2),
            (Some(value), Some(half)) => format!("{} ± {half:.2}", signed(value, 2)),
        };
        for told in [number(e.values[0], e.halves[0]), number(e.values[1], e.halves[1]), number(e.apart(), e.half)] {
            m.element("td", &[], &told);
        }
        m.element("td", &[], if e.differs() == Some(true) { "differs" } else { "" }).close("tr").line();
    }
    m.close("table");
    if list.len() > MOST {
        m.element("p", &[("class", "note")], &format!("{} more are smaller.", list.len() - MOST));
    }
    m.close("section").line();
}

/// The settings that differ.
fn settings(both: &Comparison<'_>, m: &mut Markup) {
    let differ = both.settings();
    if differ.is_empty() {
        return;
    }
    m.open("section", &[]).element("h2", &[], "Settings that differ").open("table", &[("class", "plain")]).line();
    head(m, "setting", &["A", "B"]);
    for (name, [a, b]) in &differ {
        m.open("tr", &[]).element("th", &[("scope", "row")], name).element("td", &[], a).element("td", &[], b);
        m.close("tr").line();
    }
    m.close("table").close("section").line();
}
