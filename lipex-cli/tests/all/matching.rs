//! `lipex match`: which words of two texts act together.

use crate::common::{has_python, json, keys, lipex, path, refused, told};
use serde_json::Value;
use std::io::Write;
use std::process::Stdio;

const FIRST: &str = "a dog chased the black cat";
const SECOND: &str = "the kitten ran from a puppy";

fn golden(name: &str) -> String {
    format!("onnx:{}/../lipex-onnx/tests/golden/pairs/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The program of the documents.
fn stub(kind: &str) -> Option<String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/pairs_stub.py");
    has_python().then(|| format!("command:python3 '{file}' {kind}"))
}

/// The numbers of `together`, named.
fn together(found: &Value) -> Vec<(String, String, f64)> {
    let name = |part: usize, j: usize| found["features"][part][j]["name"].as_str().unwrap().to_string();
    let rows = found["together"].as_array().unwrap().iter().enumerate();
    rows.flat_map(|(i, row)| {
        row.as_array().unwrap().iter().enumerate().map(move |(j, w)| (name(0, i), name(1, j), w.as_f64().unwrap()))
    })
    .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

const ALIKE: [[&str; 2]; 3] = [["dog", "puppy"], ["chased", "ran"], ["cat", "kitten"]];

#[test]
fn similarities_of_a_program_are_found_whole() {
    let Some(model) = stub("similarities") else { return };
    let found = json(&["match", FIRST, SECOND, "--model", &model, "--json", "-"]);
    assert_eq!(
        (&found["schema"], &found["value"], &found["class"]),
        (&"lipex.match/1".into(), &3.0.into(), &Value::Null)
    );
    for (a, b, w) in together(&found) {
        let known = if ALIKE.contains(&[&a, &b]) { 1.0 } else { 0.0 };
        assert!((w - known).abs() < 0.02, "{a}, {b}: {w}");
    }
    assert!(found["explained"]["bilinear"].as_f64().unwrap() > 0.999);
    assert!(found["explained"]["additive"].as_f64().unwrap() < 0.9);
    // Nothing works alone: a word's Shapley value is half of what its removal takes.
    for part in 0..2 {
        let (removal, shares) = (numbers(&found["removal"][part]), numbers(&found["shares"][part]));
        assert!(removal.iter().zip(&shares).all(|(r, s)| (r - 2.0 * s).abs() < 0.03), "{removal:?} {shares:?}");
    }
    assert_eq!(found["partitions"].as_array().unwrap().len(), 3);
    let report = told(&["match", FIRST, SECOND, "--model", &model]);
    for said in ["The model gives the two 3.000", "dog – puppy", "Words that act together", "Second text", "↔"] {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn embeddings_are_asked_for_once_a_side_and_swapped_texts_swap_the_answer() {
    let Some(model) = stub("embeddings") else { return };
    let of = |first, second| json(&["match", first, second, "--model", &model, "--json", "-"]);
    let (there, back) = (of(FIRST, SECOND), of(SECOND, FIRST));
    // 64 masks of six words are all there are.
    assert_eq!(there["asked"]["encodings"], serde_json::json!([64, 64]));
    assert_eq!(there["asked"]["complete"], true);
    let (one, other) = (together(&there), together(&back));
    for (a, b, w) in &one {
        let same = other.iter().find(|(x, y, _)| (x, y) == (b, a)).unwrap();
        assert!((w - same.2).abs() < 1e-9, "{a}, {b}: {w} {}", same.2);
    }
    let mut strongest = one.clone();
    strongest.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut first: Vec<[&str; 2]> = strongest.iter().take(3).map(|(a, b, _)| [a.as_str(), b.as_str()]).collect();
    first.sort_unstable();
    assert_eq!(first, [["cat", "kitten"], ["chased", "ran"], ["dog", "puppy"]]);
}

/// The program's log-odds are 2(n − 1) for n words that are alike, which is bilinear.
#[test]
fn classes_and_probabilities_are_explained_in_log_odds() {
    let Some(model) = stub("classes") else { return };
    let found = json(&["match", FIRST, SECOND, "--model", &model, "--samples", "1500", "--json", "-"]);
    assert_eq!((&found["class"], &found["unit"]), (&"alike".into(), &"log-odds".into()));
    for (a, b, w) in together(&found) {
        let known = if ALIKE.contains(&[&a, &b]) { 2.0 } else { 0.0 };
        assert!((w - known).abs() < 0.2, "{a}, {b}: {w}");
    }
    let apart = json(&["match", FIRST, SECOND, "--model", &model, "--class", "apart", "--json", "-"]);
    assert!(together(&apart).iter().any(|(a, b, w)| (a.as_str(), b.as_str()) == ("dog", "puppy") && *w < -1.0));
    // A number as a probability: σ(2(s − 1)) is the same model.
    let similar = stub("similarities").unwrap();
    let all = ["match", FIRST, SECOND, "--model", &similar, "--samples", "1500", "--scale", "2", "--shift", "1"];
    let scaled = json(&[&all[..], &["--json", "-"]].concat());
    assert_eq!(scaled["classes"], serde_json::json!(["match", "no match"]));
    let unlikely = json(&["match", FIRST, SECOND, "--model", &similar, "--scale", "2", "--shift", "5", "--json", "-"]);
    assert!(unlikely["class"] == "match" && unlikely["value"].as_f64().unwrap() < 0.1, "{unlikely}");
    for ((a, b, w), (_, _, other)) in together(&found).iter().zip(together(&scaled)) {
        assert!((w - other).abs() < 1e-3, "{a}, {b}: {w} {other}");
    }
}

#[test]
fn folders_are_dual_encoders_or_cross_encoders() {
    let texts = ["a man plays guitar", "music outside"];
    let of = |name: &str| json(&["match", texts[0], texts[1], "--model", &golden(name), "--json", "-"]);
    assert_eq!(of("encoder")["asked"]["encodings"], serde_json::json!([16, 4]));
    let score = of("cross-score");
    assert_eq!((&score["asked"]["encodings"], &score["classes"]), (&Value::Null, &serde_json::json!([])));
    assert!(score["explained"]["bilinear"].as_f64().unwrap() > 0.999);
    let classes = of("cross-classes");
    assert_eq!(classes["classes"].as_array().unwrap().len(), 3);
    let sum: f64 = numbers(&classes["whole"]).iter().sum();
    assert!((sum - 1.0).abs() < 1e-6 && classes["class"] == "contradiction", "{classes}");
}

#[test]
fn a_page_has_both_texts_and_lines_and_takes_nothing_for_markup() {
    let folder = tempfile::tempdir().unwrap();
    let page = path(folder.path(), "page.html");
    let texts = ["a <b>man</b> plays guitar", "music \"outside\" & more"];
    told(&["match", texts[0], texts[1], "--model", &golden("cross-score"), "--html", &page]);
    let html = std::fs::read_to_string(&page).unwrap();
    for said in ["What acts together", "<svg class=\"ties\"", "The first text", " – music: ", "&lt;", "Shapley"] {
        assert!(html.contains(said), "{said}");
    }
    assert!(!html.contains("<b>") && !html.contains("<script") && !html.contains("://"), "{html}");
    assert!(html.matches("<path class=\"").count() > 3);
}

#[test]
fn every_key_is_documented() {
    let document = told(&["match", "a man plays", "music outside", "--model", &golden("cross-score"), "--json", "-"]);
    let documented = include_str!("../../../docs/json.md").split_once("## Two texts").unwrap().1;
    let found = keys(&document);
    assert!(found.len() > 15, "{document}");
    for key in found {
        assert!(documented.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn equal_words_are_numbered() {
    let report =
        told(&["match", "a man plays a song", "music", "--unit", "occurrence", "--model", &golden("cross-score")]);
    assert!(report.contains("a (1)") && report.contains("a (2)"), "{report}");
}

#[test]
fn a_text_may_come_from_standard_input() {
    let model = golden("encoder");
    let mut child = lipex(&["match", "a man", "-", "--model", &model, "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"music outside").unwrap();
    let found: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(found["texts"], serde_json::json!(["a man", "music outside"]));
}

#[test]
fn mistakes_are_told_in_a_line() {
    let (encoder, score) = (golden("encoder"), golden("cross-score"));
    let long = (0..60).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
    let cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["a", "b"], "no model: give --model onnx:FOLDER"),
        (vec!["a"], "TEXT_B"),
        (vec!["a", "", "--model", &encoder], "TEXT_B: the text is empty"),
        (vec!["-", "-", "--model", &encoder], "only one of the two can be standard input"),
        (vec!["a", "b", "--model", "demo"], "is no model of two texts"),
        (vec!["a", "b", "--model", &encoder, "--samples", "100"], "--samples is for models that read both"),
        (vec!["a", "b", "--model", &score, "--encodings", "100"], "--encodings is for dual encoders"),
        (vec!["a", "b", "--model", &score, "--class", "x"], "leave it out"),
        (vec!["a", "b", "--model", &score, "--shift", "1"], "--scale"),
        (vec!["a", "b", "--model", &score, "--scale", "0"], "scale = 0: a number other than 0"),
        (vec!["a", "b", "--model", &score, "--answers", "f"], "answers about two texts are not kept"),
        (vec![&long, &long, "--model", &score], "60 and 60 features"),
    ];
    for (arguments, said) in cases {
        let line = refused(&[&["match"][..], &arguments].concat(), 2);
        assert!(line.replace("--", "").contains(&said.replace("--", "")), "{arguments:?}: {line}");
    }
}

#[test]
fn programs_for_one_text_and_for_two_are_told_apart() {
    let Some(model) = stub("similarities") else { return };
    let one = refused(&["text", "a dog", "--model", &model], 2);
    assert!(one.contains("use lipex match"), "{one}");
    assert!(refused(&["rule", "a dog", "--model", &model], 2).contains("use lipex match"));
    let text = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/predict_stub.py");
    let two = refused(&["match", "a dog", "a cat", "--model", &format!("command:python3 '{text}'")], 2);
    assert!(two.contains("must have \"pairs\": true or \"embeddings\": true"), "{two}");
    // Answers that are none.
    let folder = tempfile::tempdir().unwrap();
    for (first, answer, code, said) in [
        ("{'pairs': True}", "{'similarities': [float('nan')] * n}", 3, "similarities 0: it is NaN"),
        ("{'pairs': True}", "{'similarities': [1]}", 2, "similarities in the answer"),
        ("{'pairs': True}", "{'probabilities': [1] * n}", 3, "{\"similarities\": […]}"),
        ("{'embeddings': True}", "{'embeddings': [[1, 2], [1]] * (n // 2)}", 2, "numbers in a code"),
        ("{'pairs': True, 'labels': ['a']}", "{}", 2, "labels of"),
        ("{'embeddings': True, 'labels': ['a', 'b']}", "{}", 3, "embeddings have no labels"),
    ] {
        let program = format!(
            "import json, sys\nprint(json.dumps({first}), flush=True)\nfor line in sys.stdin:\n    \
             n = len(list(json.loads(line).values())[0])\n    print(json.dumps({answer}), flush=True)\n"
        );
        let file = path(folder.path(), "model.py");
        std::fs::write(&file, program).unwrap();
        let line = refused(&["match", "a dog", "a cat", "--model", &format!("command:python3 '{file}'")], code);
        assert!(line.contains(said), "{first} {answer}: {line}");
    }
}
