//! `--surrogate tree`.

use crate::common::{bytes, has_python, json, lipex, path, refused, told, told_by};
use serde_json::Value;

/// A program with three labels at once.
const LABELS: &str = r#"import json, sys
print(json.dumps({"labels": ["toxic", "spam", "urgent"], "outputs": "independent"}), flush=True)
for line in sys.stdin:
    texts = json.loads(line)["texts"]
    rows = [[.9 if "hate" in t else .1, .8 if "free" in t and "now" in t else .2, .7 if "now" in t else .3] for t in texts]
    print(json.dumps({"independent": rows}), flush=True)
"#;

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

fn tree(document: &Value) -> &Vec<Value> {
    document["tree"]["nodes"].as_array().unwrap()
}

#[test]
fn a_text_has_a_tree_that_is_drawn_read_and_checked() {
    let report = told(&["text", TEXT, "--surrogate", "tree:3"]);
    for part in [
        "The tree (8 leaves; ◂ is the text)",
        "├ with ",
        "└ without ",
        "The path of the text: ",
        "What if one word goes: ",
        "What its questions gain, of all: ",
        "What would make it ",
        "checked:",
        "surrogate = tree:3 (paper: softmax",
        "in probability",
    ] {
        assert!(report.contains(part), "no {part}:\n{report}");
    }
    assert!(!report.contains("--pairs") && !report.contains("A dot"), "{report}");
    let document = json(&["text", TEXT, "--surrogate", "tree:3", "--json", "-"]);
    assert_eq!(tree(&document).len(), 15);
    assert_eq!(document["settings"]["select"], "all");
    assert!(document["flip"]["checked"].is_boolean() && document["calls"].get("requeried").is_none());
    for null in ["terms", "coefficients", "base", "intercept", "own"] {
        assert!(document[null].is_null(), "{null}");
    }
}

#[test]
fn asked_leaves_are_exact_and_counted() {
    let asked = ["text", TEXT, "--surrogate", "tree:3", "--leaf", "asked"];
    let document = json(&[&asked[..], &["--json", "-"]].concat());
    let p = &document["probabilities"];
    let numbers = |key: &str| -> Vec<f64> { serde_json::from_value(p[key].clone()).unwrap() };
    assert!(numbers("model").iter().zip(numbers("surrogate")).all(|(a, b)| (a - b).abs() < 1e-6));
    let more = document["calls"]["requeried"].as_u64().unwrap();
    assert!(more > 0);
    let report = told(&asked);
    let told = format!("{more} {} sent for the tree's leaves", if more == 1 { "more was" } else { "more were" });
    assert!(report.contains(&told), "{report}");
    assert!(report.contains("A leaf is the model's own answer"), "{report}");
}

#[test]
fn it_fits_a_narrow_terminal() {
    let long = format!("{TEXT} incomprehensibilities notwithstanding, disestablishmentarianism");
    for columns in ["20", "40", "80"] {
        for depth in ["tree:1", "tree:4", "tree:7"] {
            let mut command = lipex(&["text", &long, "--surrogate", depth]);
            let report = told_by(command.env("COLUMNS", columns));
            let drawn: Vec<&str> = report.lines().filter(|line| line.starts_with(['├', '└', '│'])).collect();
            assert!(drawn.len() >= 2, "{report}");
            for line in drawn {
                assert!(line.chars().count() <= columns.parse().unwrap(), "{columns} {depth}: {line}");
            }
        }
    }
    let deep = told(&["text", TEXT, "--surrogate", "tree:7"]);
    assert!(deep.contains("Only the path of the text is drawn") && deep.contains(" leaves, mean "), "{deep}");
    let none = told(&["text", "happy days", "--surrogate", "tree", "--flip-to", "fear"]);
    assert!(none.contains("No leaf of the tree says fear"), "{none}");
    // A word alone is one question.
    assert!(told(&["text", "happy", "--surrogate", "tree"]).contains("The tree (2 leaves"));
}

#[test]
fn labels_at_once_share_a_tree() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = path(folder.path(), "labels.py");
    std::fs::write(&program, LABELS).unwrap();
    let model = format!("command:python3 {program}");
    let report = told(&["text", "I hate it, get it free now", "--surrogate", "tree:3", "--model", &model]);
    for part in ["toxic 0.900, spam 0.800, urgent 0.700 ◂", "without now: urgent 0.300", "(8 of 64 masks)"] {
        assert!(report.contains(part), "no {part}:\n{report}");
    }
    // What cancels is nothing, not a hair below it.
    assert!(report.contains("What speaks against it: none"), "{report}");
}

#[test]
fn mistakes_are_told_in_one_line() {
    for (arguments, word) in [
        (&["--surrogate", "tree:0"][..], "surrogate = tree:0: a tree without a level"),
        (&["--surrogate", "tree:two"], "\"two\" is not a number of levels"),
        (&["--surrogate", "tee"], "did you mean tree?"),
        (&["--surrogate", "tree", "--pairs", "3"], "pairs = 3: a tree has no such setting"),
        (&["--surrogate", "tree", "--intercept", "anchored"], "a tree has no such setting"),
        (&["--surrogate", "tree", "--lambda", "0.1"], "a tree has no such setting"),
        (&["--surrogate", "tree", "--divergence", "kl"], "squared or hellinger"),
        (&["--surrogate", "tree", "--leaf", "model"], "mean or asked"),
        (&["--surrogate", "tree", "--min-weight", "2"], "from 0 to 0.5"),
        (&["--surrogate", "tree", "--leaf", "asked", "--uncertainty"], "--leaf to mean"),
        (&["--surrogate", "tree", "--leaf", "asked", "--adaptive"], "--leaf to mean"),
        (&["--leaf", "asked"], "set --surrogate to tree"),
        (&["--divergence", "squared"], "hellinger"),
    ] {
        let message = refused(&[&["text", TEXT], arguments].concat(), 2);
        assert!(message.contains(word), "{message}");
    }
    assert!(told(&["text", TEXT, "--surrogate", "tree:2", "--uncertainty", "--samples", "100"]).contains("How sure"));
}

#[test]
fn saved_it_is_shown_drawn_and_fitted_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| path(folder.path(), name);
    let files = [at("e.json"), at("e.html"), at("e.svg"), at("around.npz")];
    let [json_file, html, svg, around] = &files;
    let save = ["--json", json_file, "--html", html, "--svg", svg, "--save-neighbourhood", around];
    let report = told(&[&["text", TEXT, "--surrogate", "tree:3"][..], &save].concat());
    assert_eq!(told(&["show", json_file]), report);
    for file in [html, svg] {
        let drawn = std::fs::read_to_string(file).unwrap();
        assert!(drawn.contains("The tree (8 leaves") && drawn.contains("without "), "{file}");
    }
    let explained: Value = serde_json::from_slice(&std::fs::read(json_file).unwrap()).unwrap();
    let again = ["fit", "--masks", around, "--probs", around, "--weights", around];
    let fitted = json(&[&again[..], &["--surrogate", "tree:3"]].concat());
    assert_eq!(fitted["tree"], explained["tree"]);
    assert_eq!((&fitted["matrix"], &fitted["fidelity"]), (&explained["matrix"], &explained["fidelity"]));
    let refused = refused(&[&again[..], &["--surrogate", "tree", "--leaf", "asked"]].concat(), 2);
    assert!(refused.contains("not at hand where a fit is made alone"), "{refused}");
}

#[test]
fn batches_and_tables_have_trees() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| path(folder.path(), name);
    let line = |text: &str| serde_json::json!({ "text": text }).to_string();
    let lines = [TEXT, "happy", "so very good to see you again"].map(line).join("\n");
    std::fs::write(at("texts.jsonl"), lines).unwrap();
    let batch = ["batch", &at("texts.jsonl"), "--surrogate", "tree:2", "--leaf", "asked", "--samples", "50"];
    bytes(&[&batch[..], &["--out", &at("out.jsonl"), "--quiet"]].concat());
    let rows = std::fs::read_to_string(at("out.jsonl")).unwrap();
    for row in rows.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let explanation: Value = serde_json::from_str(row["explanation"].as_str().unwrap()).unwrap();
        assert!(tree(&explanation).len() >= 3, "{row}");
    }
    assert_eq!(rows.lines().count(), 3);
    let iris = |name: &str| format!("{}/../examples/models/iris/{name}", env!("CARGO_MANIFEST_DIR"));
    let (table, model) = (iris("iris.csv"), format!("onnx:{}", iris("")));
    let report = told(&[
        "tabular",
        &table,
        "--row",
        "70",
        "--ignore-columns",
        "iris",
        "--model",
        &model,
        "--surrogate",
        "tree:2",
    ]);
    assert!(report.contains("with petal") && report.contains("◂ is the row"), "{report}");
}
