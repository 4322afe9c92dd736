//! How far to trust it and how it was made: fidelity, noise, growth, settings; and what would change it.
//!
//! Every number of the JSON that a reader may want to check has its place here, with a word on how to read it.

use super::Page;
use crate::page::markup::Markup;
use crate::page::phrases;
use crate::page::scores::Scored;
use crate::page::tree::Drawing;
use lipex_core::{Agreement, Explanation, Flip, Growth, Method, Settling, Uncertainty, arg_max};

/// A section with a heading.
fn section(m: &mut Markup, id: &'static str, heading: &str, inside: impl FnOnce(&mut Markup)) {
    m.open("section", &[("aria-labelledby", id)]).line().element("h2", &[("id", id)], heading).line();
    inside(m);
    m.close("section").line();
}

/// A paragraph of small print.
fn note(m: &mut Markup, text: &str) {
    m.element("p", &[("class", "note")], text).line();
}

/// A row of a table.
fn row(m: &mut Markup, head: &str, cells: &[&str]) {
    m.open("tr", &[]).element("th", &[("scope", "row")], head);
    cells.iter().for_each(|cell| {
        m.element("td", &[], cell);
    });
    m.close("tr").line();
}

/// A table's first row.
fn head(m: &mut Markup, names: &[&str]) {
    m.open("thead", &[]).open("tr", &[]);
    names.iter().for_each(|name| {
        m.element("th", &[("scope", "col")], name);
    });
    m.close("tr").close("thead").line().open("tbody", &[]).line();
}

/// The tree, where the surrogate is one.
pub(super) fn tree(page: &Page<'_>, m: &mut Markup) {
    let Some(drawing) = Drawing::of(page.e()) else { return };
    section(m, "of-tree", &drawing.title(), |m| {
        m.open("div", &[("class", "scroll")]).line();
        drawing.element(m);
        m.close("div").line();
        drawing.readings().iter().for_each(|told| told.write(m));
        note(
            m,
            "A bar is the probability of a leaf's likeliest class: blue for the class of what is explained, orange for another.",
        );
    });
}

/// What would take the prediction to another class, and whether the model agrees.
pub(super) fn flip(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    let Some(flip) = &e.flip else { return };
    m.open("section", &[("aria-labelledby", "of-flip"), ("class", "flip")]).line();
    m.open("h2", &[("id", "of-flip")]).text("What would make it ").element("bdi", &[], &e.classes[flip.class]);
    m.close("h2").line();
    match flip.remove.as_deref() {
        Some([]) if flip.checked => {
            m.element("p", &[], "Nothing: it is what the model says already.");
        }
        Some([]) => {
            m.element("p", &[], "Nothing for the surrogate, which says so already; the model does not.");
        }
        Some(remove) => removal(e, flip, remove, m),
        None if e.answer.as_ref().is_some_and(|answer| answer.tree().is_some()) => {
            m.element("p", &[], "Nothing found. No leaf of the tree says so.");
        }
        None => {
            m.element(
                "p",
                &[],
                "Nothing found. However many go, each time the nearest to it, the surrogate does not say so.",
            );
        }
    }
    m.line().close("section").line();
}

/// The words to remove, one by one, with the class's probability so far.
fn removal(e: &Explanation, flip: &Flip, remove: &[usize], m: &mut Markup) {
    m.open("p", &[]).text("Without ");
    for (i, &j) in remove.iter().enumerate() {
        m.text(if i > 0 { ", " } else { "" }).element("b", &[("dir", "auto")], &phrases::quoted(e, j));
    }
    m.close("p").line().open("p", &[]).text("Checked: ");
    m.element("b", &[], if flip.checked { "yes, the model says so too." } else { "no, the model says otherwise." });
    m.close("p").line();
    let likeliest = arg_max(&flip.model);
    let mut classes = vec![flip.class, e.predicted(), likeliest];
    classes.dedup();
    if classes.len() == 3 && classes[0] == classes[2] {
        classes.pop();
    }
    m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain")]);
    head(m, &["class", "surrogate as it is", "without", "model as it is", "without"]);
    for c in classes {
        let p = &e.probabilities;
        let cells = [p.surrogate[c], flip.surrogate[c], p.model[c], flip.model[c]].map(|x| format!("{x:.3}"));
        row(m, &e.classes[c], &cells.each_ref().map(String::as_str));
    }
    m.close("tbody").close("table").close("div").line();
}

/// What takes the predicted class down fastest.
pub(super) fn what_to_remove(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    let Some(removal) = e.removal.as_ref().filter(|removal| !removal.features.is_empty()) else { return };
    m.open("section", &[("aria-labelledby", "of-removal"), ("class", "removal")]).line();
    m.open("h2", &[("id", "of-removal")]).text("What to remove for ").element("bdi", &[], &e.classes[removal.class]);
    m.text(" to fall fastest").close("h2").line();
    m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain")]);
    head(m, &["remove", "the surrogate then gives it"]);
    for (&j, q) in removal.features.iter().zip(&removal.surrogate) {
        m.open("tr", &[]).open("th", &[("scope", "row")]).element("bdi", &[], &phrases::quoted(e, j)).close("th");
        m.element("td", &[], &format!("{q:.3}")).close("tr").line();
    }
    m.close("tbody").close("table").close("div").line();
    note(
        m,
        "Each is the one whose removal lowers the class most, given that those above are gone. According to the surrogate alone.",
    );
    m.close("section").line();
}

/// How far the surrogate is from the model, unseen and seen.
pub(super) fn fidelity(page: &Page<'_>, m: &mut Markup) {
    let (e, subject) = (page.e(), page.subject());
    let Some(f) = &e.fidelity else { return };
    section(m, "of-fidelity", "Fidelity: how well the surrogate follows the model", |m| {
        let at = format!("at the {subject}");
        let rows = [
            ("unseen masks", f.out_of_fold.as_ref()),
            ("near, unseen", f.near.as_ref()),
            (&at, Some(&f.at_instance)),
            ("masks of the fit", Some(&f.in_sample)),
        ];
        m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain")]);
        head(m, &["", "TV", "H²", "KL", "same class"]);
        for (name, agreement) in rows {
            let Some(Agreement { tv, hellinger, kl, arg_max, .. }) = agreement else { continue };
            let distance = |x: f64| format!("{:.3}", if x < 0.0005 { 0.0 } else { x });
            let cells = [distance(*tv), distance(*hellinger), distance(*kl), phrases::percent(*arg_max)];
            row(m, name, &cells.each_ref().map(String::as_str));
        }
        m.close("tbody").close("table").close("div").line();
        note(
            m,
            "Means over masks, weighted by proximity; 0 is perfect. TV is the total variation distance, H² the squared Hellinger distance, KL in nats. Unseen masks were held out of refits: trust that line first. Near ones keep more than 80 % of the features and count alike.",
        );
        if f.in_sample.off_simplex > 0.0 {
            let share = phrases::percent(f.in_sample.off_simplex);
            note(m, &format!("{share} of the surrogate's answers leave 0 to 1."));
        }
    });
}

/// Error bars: by what, how wide, what they leave out.
pub(super) fn noise(page: &Page<'_>, m: &mut Markup) {
    let Some(u) = &page.e().uncertainty else { return };
    section(m, "of-noise", "How much of W is noise", |m| {
        if u.method == Method::Exact {
            m.element("p", &[], "None of it: every mask was asked, so no entry has a sampling error.").line();
            return not_covered(m, u);
        }
        m.open("table", &[("class", "plain")]).open("tbody", &[]).line();
        row(m, "standard errors", &[phrases::method(u.method)]);
        row(m, "rows of masks", &[phrases::rows(u.rows)]);
        row(m, "level", &[&phrases::percent(u.level)]);
        row(m, "widest interval", &[&page.table.plus_minus(u.half_width())]);
        let factor = |x: f64| format!("{x:.2} standard errors either way");
        row(m, "an interval", &[&factor(u.quantile)]);
        row(m, "the band of all entries", &[&factor(u.band)]);
        if let Some(shrinkage) = u.shrinkage {
            row(m, "left of W by the penalty", &[&phrases::percent(shrinkage)]);
        }
        if let Some(needed) = u.needed {
            row(m, "masks to halve the widest bar", &[&format!("{needed} in all")]);
        }
        if let Some(s) = &u.settling {
            settling(m, s);
        }
        m.close("tbody").close("table").line();
        note(m, &unclear(page, u));
        not_covered(m, u);
    });
}

/// Whether the top k is settled.
fn settling(m: &mut Markup, s: &Settling) {
    let told = match s.needed {
        _ if s.met => "settled already".to_string(),
        Some(needed) => format!("about {needed} in all"),
        None => return,
    };
    let but = phrases::percent(s.indifference);
    row(m, &format!("masks to settle the first {} of the predicted class, but for {but}", s.k), &[&told]);
}

/// What no bar says.
fn not_covered(m: &mut Markup, u: &Uncertainty) {
    if u.not_covered.is_empty() {
        return;
    }
    m.element("p", &[("class", "note")], "Not covered:").open("ul", &[("class", "note")]);
    u.not_covered.iter().for_each(|what| {
        m.element("li", &[], what);
    });
    m.close("ul").line();
}

/// How many entries are not significant.
fn unclear(page: &Page<'_>, u: &Uncertainty) -> String {
    let entries = page.table.classes.iter().flat_map(|&c| page.table.columns.iter().map(move |&j| (c, j)));
    let entries: Vec<bool> = entries.filter_map(|(c, j)| Some(page.table.entry(c, j)?.clear)).collect();
    let grey = entries.iter().filter(|clear| !**clear).count();
    format!(
        "{grey} of {} entries are grey: another seed may turn their sign (the band, which holds all entries at once with {} \
         confidence, has 0 in it).",
        entries.len(),
        phrases::percent(u.level)
    )
}

/// The looks of a growing run.
pub(super) fn growth(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    let Some(growth) = &e.growth else { return };
    section(m, "of-growth", "How many masks it took", |m| {
        m.open("p", &[])
            .text(&format!("Rule: {}, for ", growth.rule))
            .element("bdi", &[], &e.classes[growth.class])
            .text(". ");
        m.text(if growth.met { "Met: " } else { "Not met: " });
        m.text(&format!("{}.", growth.stopped)).close("p").line();
        m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain")]);
        head(m, &["masks", "distinct inputs", "half the widest bar", "rule met"]);
        for look in &growth.looks {
            let width = format!("{:.3}", look.half_width);
            let met = if look.met { "yes" } else { "no" };
            row(m, &look.masks.to_string(), &[&look.inputs.to_string(), &width, met]);
        }
        m.close("tbody").close("table").close("div").line();
        interchangeable(e, growth, m);
    });
}

/// Features that the rule does not separate.
fn interchangeable(e: &Explanation, growth: &Growth, m: &mut Markup) {
    for group in growth.interchangeable.iter().filter(|group| group.len() > 1) {
        m.open("p", &[("class", "note")]).text("Not separated by the rule, any of: ");
        for (i, &j) in group.iter().enumerate() {
            m.text(if i > 0 { ", " } else { "" }).element("bdi", &[], &phrases::quoted(e, j));
        }
        m.text(".").close("p").line();
    }
}

pub(super) fn settings(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    let spell = |value: &str| if value.is_empty() { "–".to_string() } else { value.to_string() };
    if Scored::of(e).is_some() {
        return section(m, "of-settings", "How it was made", |m| every_setting(e, m));
    }
    section(m, "of-settings", "How it was made", |m| {
        m.open("p", &[]).text("Preset ").element("b", &[], &e.preset);
        m.text(if e.departures.is_empty() {
            ", which is the paper's; nothing departs from it."
        } else {
            ". What departs from the paper, or from the preset:"
        });
        m.close("p").line();
        if !e.departures.is_empty() {
            m.open("div", &[("class", "scroll")]).open("table", &[("class", "plain")]);
            head(m, &["setting", "here", "preset", "paper"]);
            for d in &e.departures {
                row(m, &d.name, &[&spell(&d.value), &spell(&d.preset), &spell(&d.paper)]);
            }
            m.close("tbody").close("table").close("div").line();
        }
        m.open("details", &[]).element("summary", &[], "Every setting, the fit and the time of each stage").line();
        m.open("table", &[("class", "plain")]).open("tbody", &[]).line();
        e.settings.iter().for_each(|s| row(m, &s.name, &[&spell(&s.value)]));
        if let Some(fit) = &e.fit {
            row(m, "objective", &[&format!("{:.6}", fit.objective)]);
            row(m, "largest gradient", &[&format!("{:.1e}", fit.gradient_norm)]);
            row(m, "iterations, evaluations", &[&format!("{}, {}", fit.iterations, fit.evaluations)]);
            row(m, "converged", &[&format!("{}: {}", if fit.converged { "yes" } else { "no" }, fit.stopped)]);
        }
        for (stage, ms) in stages(e) {
            row(m, stage, &[&format!("{ms:.1} ms")]);
        }
        m.close("tbody").close("table").close("details").line();
    });
}

/// Where there are scores, their settings are all there is.
fn every_setting(e: &Explanation, m: &mut Markup) {
    m.open("table", &[("class", "plain")]).open("tbody", &[]).line();
    e.settings.iter().for_each(|s| row(m, &s.name, &[s.value.as_str()]));
    m.close("tbody").close("table").line();
}

/// The times of the stages.
fn stages(e: &Explanation) -> [(&'static str, f64); 7] {
    let t = &e.timings_ms;
    [
        ("perturb", t.perturb),
        ("render", t.render),
        ("predict", t.predict),
        ("weigh", t.weigh),
        ("select", t.select),
        ("fit", t.fit),
        ("evaluate", t.evaluate),
    ]
}

/// Settings, departures, times, version.
pub(super) fn footer(page: &Page<'_>, m: &mut Markup) {
    let e = page.e();
    if let Some(scored) = Scored::of(e) {
        m.open("footer", &[])
            .text(&format!("lipex {}. Scores by {}; no surrogate was fitted.", e.version, scored.method));
        m.close("footer").line();
        return;
    }
    let inputs = match page.subject() {
        "text" => "distinct texts",
        "image" => "distinct images",
        _ => "distinct inputs",
    };
    let masks = match e.calls.complete {
        true => format!("All {} masks, so no sampling error", e.calls.masks),
        false => format!("{} masks", e.calls.masks),
    };
    m.open("footer", &[]).text(&format!(
        "lipex {}, backend {}, seed {}. {masks}, {} {inputs} sent to the model. W is relative: an entry compares a class with \
         the others around this {} alone.",
        e.version,
        e.backend,
        e.seed,
        e.calls.inputs,
        page.subject()
    ));
    m.close("footer").line();
}
