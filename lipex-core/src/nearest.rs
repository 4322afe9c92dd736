//! Names that are not there, and the ones that were meant.

use crate::error::{Error, Result};
use std::collections::HashMap;

/// The name in `names` that `given` may be a misspelling of: the same but for case, its beginning, or a few letters away.
///
/// The part of a name after a colon is a placeholder (`alpha:A`) and is not compared.
///
/// ```
/// assert_eq!(lipex_core::nearest("KL", &["hellinger", "kl"]), Some("kl"));
/// assert_eq!(lipex_core::nearest("limee", &["lipex", "paper", "lime"]), Some("lime"));
/// assert_eq!(lipex_core::nearest("dice", &["uniform-size", "bernoulli"]), None);
/// ```
pub fn nearest<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| head(name).to_lowercase().replace('_', "-");
    let given = plain(given);
    let at_most = (given.chars().count() / 3).max(1);
    let distance = |name: &&'a str| {
        let name = plain(name);
        let begins = given.chars().count() >= 3 && name.starts_with(&given);
        edits(&given, &name).min(if begins { 1 } else { usize::MAX })
    };
    let closest = names.iter().min_by_key(|name| distance(name))?;
    (!given.is_empty() && distance(closest) <= at_most).then_some(*closest)
}

/// Labels that can be told apart: those of the same name are numbered, "crane (1)", "crane (2)", in their order.
///
/// ```
/// let labels = ["crane", "cat", "crane"].map(String::from).to_vec();
/// assert_eq!(lipex_core::distinct_labels(labels), ["crane (1)", "cat", "crane (2)"]);
/// ```
pub fn distinct_labels(labels: Vec<String>) -> Vec<String> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    labels.iter().for_each(|label| *count.entry(label).or_default() += 1);
    let mut next: HashMap<String, usize> = HashMap::new();
    let mut distinct = |label: &String| {
        if count[label.as_str()] == 1 {
            return label.clone();
        }
        let number = next.entry(label.clone()).or_default();
        loop {
            *number += 1;
            let told = format!("{label} ({number})");
            // A label may be called so already.
            if !count.contains_key(told.as_str()) {
                return told;
            }
        }
    };
    labels.iter().map(&mut distinct).collect()
}

/// The place of a class among labels: as it is spelt, else the only one that is the same but for case, else the place itself,
/// counted from 0.
///
/// ```
/// let labels = ["joy", "Joy", "FEAR"].map(String::from);
/// assert_eq!(lipex_core::class_by_name("Joy", &labels), Some(1));
/// assert_eq!(lipex_core::class_by_name("fear", &labels), Some(2));
/// assert_eq!(lipex_core::class_by_name("JOY", &labels), None); // Which of the two?
/// assert_eq!(lipex_core::class_by_name("2", &labels), Some(2));
/// ```
pub fn class_by_name(name: &str, labels: &[String]) -> Option<usize> {
    let but_for_case = || {
        let wanted = name.to_lowercase();
        let mut same = labels.iter().enumerate().filter(|(_, label)| label.to_lowercase() == wanted);
        same.next().filter(|_| same.next().is_none()).map(|(place, _)| place)
    };
    let as_a_place = || name.parse().ok().filter(|&place: &usize| place < labels.len());
    labels.iter().position(|label| label == name).or_else(but_for_case).or_else(as_a_place)
}

/// The part before a colon.
fn head(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// Letters to insert, delete, replace or swap with their neighbours (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Names with commas and an "or".
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_string(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The choice that `value` names.
///
/// # Errors
/// [`Error::Setting`] offers the nearest name, and lists all.
pub(crate) fn choose<T: Clone>(setting: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    match choices.iter().find(|(name, _)| *name == value) {
        Some((_, choice)) => Ok(choice.clone()),
        None => Err(Error::choice(setting, value, &choices.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised_and_other_names_are_not() {
        let names = ["samples", "sampler", "select", "seed", "lambda", "lambda-scale"];
        for (given, meant) in [
            ("sampels", Some("samples")),
            ("Sampler", Some("sampler")),
            ("lambda_scale", Some("lambda-scale")),
            ("lamdba", Some("lambda")),
            ("sel", Some("select")),
            ("temperature", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, &names), meant, "{given}");
        }
        assert_eq!(nearest("Forward:3", &["forward:K", "all"]), Some("forward:K"));
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn equal_labels_are_numbered_whatever_others_are_called() {
        let of = |labels: &[&str]| distinct_labels(labels.iter().map(ToString::to_string).collect());
        assert_eq!(of(&["a", "b"]), ["a", "b"]);
        assert_eq!(of(&["a", "a (1)", "a", "b", "b"]), ["a (2)", "a (1)", "a (3)", "b (1)", "b (2)"]);
        assert_eq!(of(&of(&["a", "a"]).iter().map(String::as_str).collect::<Vec<_>>()), ["a (1)", "a (2)"]);
        let cranes = of(&["crane", "cat", "crane"]);
        assert_eq!((class_by_name("crane", &cranes), class_by_name("crane (2)", &cranes)), (None, Some(2)));
        assert_eq!((class_by_name("2", &cranes), class_by_name("3", &cranes)), (Some(2), None));
    }

    #[test]
    fn edits_by_hand() {
        for (a, b, count) in [("", "abc", 3), ("kitten", "sitting", 3), ("ab", "ba", 1), ("same", "same", 0)] {
            assert_eq!((edits(a, b), edits(b, a)), (count, count), "{a} {b}");
        }
        assert_eq!(listed(&["a", "b", "c"]), "a, b or c");
    }
}
