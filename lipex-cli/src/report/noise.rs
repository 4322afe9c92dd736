//! How much of the matrix is noise: error bars, how often words are in the top, what would narrow the bars, and what they
//! do not cover.

use super::layout::{Page, printable, signed};
use super::words::word;
use super::{Choice, nouns};
use lipex::{Dependence, Explanation, Method, Uncertainty};

/// A number that is not significantly different from 0 stands in parentheses.
pub fn marked(e: &Explanation, class: usize, j: usize, value: f64) -> String {
    match &e.uncertainty {
        Some(u) if !u.is_significant(class, j, value) => format!("({})", signed(value)),
        _ => signed(value),
    }
}

/// The interval of a kept feature's entry, spelled after its number.
pub fn interval(e: &Explanation, class: usize, feature: usize) -> String {
    let place = e.kept().iter().position(|&j| j == feature);
    match (&e.uncertainty, place) {
        (Some(u), Some(j)) if u.method != Method::Exact => {
            let [low, high] = u.interval(class, j, e.shares().row(class)[j]);
            format!(" [{},\u{a0}{}]", signed(low), signed(high))
        }
        _ => String::new(),
    }
}

/// The course of a run that added masks, and what it does not tell apart.
pub fn growth(page: &mut Page, e: &Explanation) {
    let Some(growth) = &e.growth else { return };
    page.gap();
    page.heading(&format!("{:>7} {:>7} {:>9}", "masks", nouns(e).inputs, "widest ±"));
    for look in &growth.looks {
        let met = if look.met { "  met" } else { "" };
        page.line(&format!("{:>7} {:>7} {:>9.2}{met}", look.masks, look.inputs, look.half_width));
    }
    let stopped = printable(&growth.stopped);
    if growth.met {
        page.paragraph(&format!("Stopped ({}): {stopped}.", printable(&growth.rule)));
    } else {
        page.warning(&format!("Not settled ({}): {stopped}.", printable(&growth.rule)));
    }
    for group in growth.interchangeable.iter().filter(|g| !g.is_empty()) {
        let words: Vec<String> = group.iter().map(|&j| word(e, j)).collect();
        page.paragraph(&format!("Not separated, so any of: {}.", words.join(", ")));
    }
}

pub fn print(page: &mut Page, e: &Explanation, choice: &Choice) {
    let Some(u) = &e.uncertainty else { return };
    page.gap();
    page.heading("How sure");
    page.paragraph(&bars(u));
    if u.method == Method::Exact {
        page.paragraph("In parentheses: what the penalty may hold off 0 alone.");
    } else {
        page.paragraph(&format!(
            "In parentheses: not significantly different from 0. That is judged by bands that hold for every entry at once, {:.2} standard errors \
             wide on each side.",
            u.band
        ));
    }
    top(page, e, u, choice);
    if let Some(needed) = u.needed {
        page.paragraph(&format!("To halve the widest bar: {needed} masks in all, in place of {}.", e.calls.masks));
    }
    settling(page, e, u);
    page.paragraph("What the bars do not cover:");
    u.not_covered.iter().for_each(|line| page.paragraph(&format!("\u{a0}\u{a0}{}", printable(line))));
}

/// Whether the first of the predicted class are settled, and what it would take.
fn settling(page: &mut Page, e: &Explanation, u: &Uncertainty) {
    let Some(s) = &u.settling else { return };
    let (top, but) = (format!("the top {} of {}", s.k, printable(&e.classes[s.class])), 100.0 * s.indifference);
    if s.met {
        page.paragraph(&format!("Settled: {top}, but for differences of {but}% of the largest."));
    } else if let Some(needed) = s.needed {
        page.paragraph(&format!(
            "To settle {top}, but for differences of {but}% of the largest: about {needed} masks in all."
        ));
    }
}

/// How the bars were made, and the widest.
fn bars(u: &Uncertainty) -> String {
    let how = match u.method {
        Method::Sandwich => "sandwich",
        Method::SandwichGaussNewton => "sandwich with the Gauss–Newton matrix, since the Hessian is indefinite",
        Method::Bootstrap => "bootstrap",
        Method::Exact => return "Exact: every mask was asked, so no entry has a sampling error.".into(),
        _ => "standard errors",
    };
    let rows = match u.rows {
        Dependence::Independent => "rows independent",
        Dependence::Pairs => "pairs of rows together",
        Dependence::Stratified => "sizes as strata",
        Dependence::Coalitions => "drawn pairs of complements together",
        _ => "rows taken as independent",
    };
    let percent = 100.0 * u.level;
    format!("Bars of {percent:.0}% ({how}; {rows}). The widest is ±{:.2}.", u.half_width())
}

/// The words that are oftenest in the predicted class's top when rows are drawn again.
fn top(page: &mut Page, e: &Explanation, u: &Uncertainty, choice: &Choice) {
    let Some(top) = &u.in_top else { return };
    let class = e.predicted();
    let share = &top.share[class];
    let mut order: Vec<usize> = (0..share.len()).filter(|&j| share[j] >= 0.05).collect();
    order.sort_by(|&a, &b| share[b].total_cmp(&share[a]).then(a.cmp(&b)));
    let words = order.iter().take(2 * choice.top().max(top.k));
    let words: Vec<String> = words.map(|&j| format!("{}\u{a0}{:.0}%", word(e, j), 100.0 * share[j])).collect();
    page.paragraph(&format!(
        "In the top {} of {} ({}) when rows are drawn again and {} chosen again, {} times: {}.",
        top.k,
        printable(&e.classes[class]),
        e.rank.name(),
        nouns(e).features,
        top.refits,
        words.join(", ")
    ));
}
