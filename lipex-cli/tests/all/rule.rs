//! `lipex rule`: features that, kept, keep the prediction.

use crate::common::{json, path, refused, told};
use serde_json::Value;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");

fn words(found: &Value) -> Vec<&str> {
    let name = |j: &Value| found["features"][j.as_u64().unwrap() as usize]["name"].as_str().unwrap();
    found["rule"].as_array().unwrap().iter().map(name).collect()
}

/// The class that the embedded model gives a text.
fn class(text: &str) -> String {
    let found = json(&["attribute", text, "--method", "random", "--json", "-"]);
    let p = |i: usize| found["probabilities"][i].as_f64().unwrap();
    let best = (0..7).max_by(|&a, &b| p(a).total_cmp(&p(b))).unwrap();
    found["classes"][best].as_str().unwrap().to_string()
}

#[test]
fn a_rule_holds_of_the_model_itself() {
    let text = ["not", "a", "bad", "movie", "I", "loved", "it"];
    let found = json(&["rule", &text.join(" "), "--json", "-"]);
    assert_eq!((&found["schema"], &found["met"]), (&"lipex.rule/1".into(), &true.into()));
    let rule = words(&found);
    assert!((1..3).contains(&rule.len()) && rule.contains(&"loved"), "{rule:?}");
    // Every mask that keeps it: the share of which it holds is within the bounds that were told.
    let kept: Vec<u32> = (0..1 << text.len())
        .filter(|mask| text.iter().enumerate().all(|(j, word)| !rule.contains(word) || mask >> j & 1 == 1))
        .collect();
    // The model is asked here for a part of them, evenly.
    let some: Vec<u32> = kept.iter().copied().step_by(4).collect();
    let left = |mask: u32| {
        let words = text.iter().enumerate().map(|(j, word)| if mask >> j & 1 == 1 { *word } else { "" });
        words.collect::<Vec<_>>().join(" ")
    };
    let holds = some.iter().filter(|&&mask| class(&left(mask)) == found["class"]).count() as f64 / some.len() as f64;
    assert!(holds >= 0.9, "{holds} of {}", some.len());
    let report = told(&["rule", &text.join(" ")]);
    for said in ["While “loved” ", "[loved]", "(coverage)", "inputs asked for: "] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn where_nothing_matters_the_rule_is_empty_and_where_little_may_be_asked_there_is_none() {
    let found = json(&["rule", "hi", "--json", "-"]);
    assert_eq!((words(&found).len(), &found["met"], &found["coverage"]), (0, &true.into(), &1.0.into()));
    assert!(told(&["rule", "hi"]).contains("whatever is removed: the rule is empty"));
    let text = "what a wonderful party, but I am sad";
    let report = told(&["rule", text, "--max-rows", "40"]);
    assert!(report.contains("No rule was found") && report.contains("--max-rows"), "{report}");
}

#[test]
fn photos_have_rules_of_segments_and_a_picture_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let picture = path(folder.path(), "rule.png");
    let (photo, model) = (format!("{DIGITS}/3.png"), format!("onnx:{DIGITS}"));
    let all = ["rule", &photo, "--model", &model, "--segments", "grid:3x3", "--baseline", "black"];
    let found = json(&[&all[..], &["--json", "-", "--show", &picture]].concat());
    assert!(found["met"] == true && !words(&found).is_empty(), "{found}");
    // What the picture shows is what the model says so of.
    let again = ["rule", &picture, "--model", &model, "--segments", "grid:3x3", "--baseline", "black", "--json", "-"];
    assert_eq!(json(&again)["class"], found["class"]);
}

#[test]
fn mistakes_are_told() {
    let photo = format!("{DIGITS}/3.png");
    let model = format!("onnx:{DIGITS}");
    for (arguments, said) in [
        (&["rule", "a text", "--precision", "1.5"][..], "--precision = 1.5: a number strictly between 0 and 1"),
        (&["rule", "a text", "--beam", "0"], "beam = 0: at least 1"),
        (&["rule", "a text", "--show", "x.png"], "--show is of photos"),
        (&["rule", "a text", "--segments", "slic:3"], "--segments is of photos"),
        (&["rule", &photo, "--model", &model, "--unit", "word"], "--unit is of texts"),
        (&["rule"], "no text: give it in quotes"),
    ] {
        let line = refused(arguments, 2);
        assert!(line.contains(said.trim_start_matches("--")), "{arguments:?}: {line}");
    }
}
