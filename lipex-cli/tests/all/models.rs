//! Models that break an explanation: what the report says of them, and a run that fails and goes on.

use crate::common::{has_python, path, refused, told};
use std::path::Path;

/// A program that answers by its argument: at random, always the same, several labels, rounded, or until its luck ends.
const STUB: &str = r#"import json, math, os, random, sys
name = sys.argv[1]
labels = {"noise": ["a", "b", "c"], "multi": ["toxic", "spam", "urgent"], "rounded": ["x", "y", "z"]}.get(name, ["ok", "not"])
print(json.dumps({"labels": labels}), flush=True)
def row(words):
    if name == "noise":
        e = [math.exp(random.gauss(0, 1)) for _ in labels]
        return [x / sum(e) for x in e]
    if name == "multi":
        return [.9 if "idiot" in words else .02, .8 if "free" in words else .02, .7 if "now" in words else .02]
    if name == "rounded":
        return [.334, .334, .333] if "good" in words else [.1, .2, .7]
    if name == "lucky":
        return [.75, .25] if "good" in words else [.25, .75]
    return [.9, .1]
batches = 0
for line in sys.stdin:
    batches += 1
    if name == "lucky" and batches == 3 and not os.path.exists(sys.argv[2]):
        open(sys.argv[2], "w").close()
        sys.exit("out of luck")
    rows = [row(t.split()) for t in json.loads(line)["texts"]]
    print(json.dumps({"independent" if name == "multi" else "probabilities": rows}), flush=True)
"#;

/// `--model` for the stub of that name; `None` without Python.
fn stub(folder: &Path, arguments: &str) -> Option<String> {
    if !has_python() {
        return None;
    }
    let file = path(folder, "stub.py");
    std::fs::write(&file, STUB).unwrap();
    Some(format!("command:python3 '{file}' {arguments}"))
}

#[test]
fn a_model_that_answers_at_random_is_told_in_the_first_lines() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stub(folder.path(), "noise") else { return };
    let six = "one two three four five six";
    let report = told(&["text", six, "--model", &model, "--uncertainty", "--select", "all"]);
    let first: String = report.lines().take(3).collect::<Vec<_>>().join(" ");
    assert!(first.contains("answers the same text differently") && first.contains("--ask-again"), "{report}");
    assert!(!report.to_lowercase().contains("exact:"), "{report}");
    let all = told(&["text", six, "--model", &model, "--uncertainty", "--sampler", "exhaustive"]);
    assert!(!all.contains("Exact") && all.contains("own noise"), "{all}");
    let again = told(&["text", six, "--model", &model, "--uncertainty", "--select", "all", "--ask-again"]);
    assert!(again.contains("error bars cover that") && again.contains("ask-again = true"), "{again}");
    assert!(again.contains("1000 masks, 1000 "), "{again}");
}

#[test]
fn a_model_that_nothing_moves_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stub(folder.path(), "same") else { return };
    let report = told(&["text", "a b c d e f", "--model", &model, "--uncertainty"]);
    assert!(report.contains("Nothing moves the model"), "{report}");
    for word in ["ettled", "significant", "In the top", "± ", "hold"] {
        assert!(!report.contains(word), "{word}: {report}");
    }
}

#[test]
fn several_labels_are_read_together() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stub(folder.path(), "multi") else { return };
    let text = "you idiot get free money now";
    let report = told(&["text", text, "--model", &model, "--select", "all", "--uncertainty"]);
    assert!(report.contains("against not that label") && report.contains("0.900"), "{report}");
    let csv = told(&["text", text, "--model", &model, "--select", "all", "--lambda", "1e-6", "--csv", "-"]);
    let weight = |class: &str, word: &str| -> f64 {
        let row = csv.lines().find(|l| l.starts_with(&format!("{class},{word},"))).unwrap();
        row.split(',').nth(2).unwrap().parse().unwrap()
    };
    // ln(.9/.1) − ln(.02/.98) = 6.09: a word that is for one label says nothing against another.
    assert!((weight("toxic", "idiot") - 6.09).abs() < 0.3, "{csv}");
    assert!(
        weight("toxic", "free").abs() < 0.1 && weight("spam", "free") > 4.5 && weight("urgent", "free").abs() < 0.1
    );
}

#[test]
fn sums_that_were_rounded_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stub(folder.path(), "rounded") else { return };
    let report = told(&["text", "a good film", "--model", &model]);
    assert_eq!(report.matches("summed to 1 ± 0.0010").count(), 1, "{report}");
}

#[test]
fn a_run_that_fails_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = stub(folder.path(), &format!("lucky '{}'", path(folder.path(), "failed"))) else { return };
    let answers = path(folder.path(), "answers.jsonl");
    let arguments =
        ["text", "a good film and a long one too", "--model", &model, "--answers", &answers, "--batch-size", "8"];
    let message = refused(&arguments, 3);
    assert!(message.contains("out of luck"), "{message}");
    assert_eq!(std::fs::read_to_string(&answers).unwrap().lines().count(), 17);
    let report = told(&arguments);
    assert!(report.contains("good"), "{report}");
    let other = refused(&["text", "a good film", "--answers", &answers], 2);
    assert!(other.contains("has the answers of command:python3"), "{other}");
}
