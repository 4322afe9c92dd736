//! Sentences that page and figure share.
//!
//! One wording for one thing: page, figure and their tests take it from here.

use super::scores::Scored;
use super::table::bars;
use lipex_core::{Dependence, Domain, Explanation, Link, Method};

/// What a feature is called.
pub(super) fn feature(e: &Explanation) -> &'static str {
    let unit = e.settings.iter().find(|s| s.name == "unit").map(|s| s.value.as_str());
    match (e.domain(), e.text.is_some(), unit) {
        (Domain::Image, false, _) => "segment",
        (Domain::Rows, _, _) => "column",
        (_, _, Some("sentence")) => "sentence",
        (_, true, _) | (_, _, Some("word" | "occurrence")) => "word",
        _ => "feature",
    }
}

/// What the matrix is.
pub(super) fn matrix_title(e: &Explanation) -> String {
    if let Some(scored) = Scored::of(e) {
        return format!("Scores of each {} by {}, for the {}", feature(e), scored.method, scored.output);
    }
    let unit = match e.link() {
        Some(Link::Identity) => "in probability",
        _ => "in log-odds",
    };
    format!("What each {} does to each class, {unit} (W)", feature(e))
}

/// How an entry is to be read.
pub(super) fn reading(e: &Explanation) -> String {
    if let Some(scored) = Scored::of(e) {
        return match scored.is_contrast() {
            true => "+ speaks for the class against the other, \u{2212} against it.".into(),
            false => {
                format!("+ holds the class's {} up, \u{2212} holds it down, as the method sees it.", scored.output)
            }
        };
    }
    match e.link() {
        Some(Link::Identity) => "+ adds to the class's probability, \u{2212} takes from it.".into(),
        Some(Link::Logistic) => {
            "+ speaks for the label, \u{2212} against it; each label is against not that label.".into()
        }
        _ => "+ speaks for the class, \u{2212} against it, relative to the other classes (columns sum to 0).".into(),
    }
}

/// What marks in the matrix mean; empty where there are none.
pub(super) fn marks(e: &Explanation) -> String {
    let mut notes = Vec::new();
    if let Some(u) = bars(e) {
        notes.push(format!("± half of the {} interval", percent(u.level)));
        notes.push("grey and in brackets: not significantly different from 0".to_string());
    }
    let is_tree = e.answer.as_ref().is_some_and(|answer| answer.tree().is_some());
    if !is_tree && !e.shares().is_full() {
        notes.push(format!("· {} not chosen for the class", feature(e)));
    }
    notes.join("; ")
}

/// A share as a percentage without needless digits.
pub(super) fn percent(share: f64) -> String {
    let hundred = (share * 1000.0).round() / 10.0;
    format!("{hundred}\u{a0}%")
}

/// What a contrast of two classes is.
pub(super) fn contrast(e: &Explanation) -> String {
    let what = feature(e);
    match (Scored::of(e), e.link()) {
        (Some(_), _) => format!("How much higher each {what}'s score is for the one class than for the other."),
        (None, Some(Link::Identity)) => {
            format!("How much more probability each {what} adds to the one class than to the other.")
        }
        _ => format!("The log-odds that each {what} adds for the one class against the other."),
    }
}

/// The features together.
pub(super) fn feature_set(e: &Explanation) -> &'static str {
    match feature(e) {
        "segment" => "image",
        "column" => "row",
        "feature" => "instance",
        _ => "text",
    }
}

/// A feature's name in running text: in quotation marks where it is more than a word.
pub(super) fn quoted(e: &Explanation, feature: usize) -> String {
    let name = e.name(feature);
    if e.features[feature].name.contains(char::is_whitespace) { format!("“{name}”") } else { name }
}

/// How rows depend on one another.
pub(super) fn rows(rows: Dependence) -> &'static str {
    match rows {
        Dependence::Independent => "independent",
        Dependence::Pairs => "pairs taken together",
        Dependence::Stratified => "sizes taken as strata",
        Dependence::Coalitions => "drawn pairs of complements taken together",
        _ => "taken as independent",
    }
}

/// How standard errors were made.
pub(super) fn method(method: Method) -> &'static str {
    match method {
        Method::Sandwich => "sandwich, exact Hessian",
        Method::SandwichGaussNewton => "sandwich, Gauss–Newton matrix (the exact Hessian is indefinite)",
        Method::Bootstrap => "bootstrap over masks",
        _ => "unnamed",
    }
}
