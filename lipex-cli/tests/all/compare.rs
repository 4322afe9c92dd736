//! `lipex compare`: two explanations of one input side by side.

use crate::common::{path, refused, told};
use std::fs;

const TEXT: &str = "what a wonderful party, but I am sad";

/// An explanation saved in a folder.
fn saved(folder: &tempfile::TempDir, name: &str, text: &str, more: &[&str]) -> String {
    let file = path(folder.path(), name);
    told(&[&["text", text, "--enumerate", "never", "--json", &file], more].concat());
    file
}

#[test]
fn two_runs_are_laid_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let one = saved(&folder, "one.json", TEXT, &["--uncertainty"]);
    let other = saved(&folder, "other.json", TEXT, &["--uncertainty", "--seed", "7"]);
    let report = told(&["compare", &one, &other]);
    for said in ["give the same answer, joy.", "A: one.json", "B: other.json", "seed 0 / 7", "wonderful  +", " ± "] {
        assert!(report.contains(said), "{said}: {report}");
    }
    // Another seed moves nothing by more than its bars.
    assert!(report.contains("None of ") && !report.contains("  differs"), "{report}");
    // The page shows the very entry of the file.
    let csv = told(&["show", &one, "--csv", "-"]);
    let entry = csv.lines().find(|line| line.starts_with("joy,wonderful,")).unwrap().split(',').nth(2).unwrap();
    let entry = format!("{:+.2}", entry.parse::<f64>().unwrap());
    assert!(report.contains(&entry) && told(&["compare", &one, &other, "--html", "-"]).contains(&entry), "{entry}");
}

#[test]
fn what_differs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let one = saved(&folder, "one.json", TEXT, &["--uncertainty"]);
    let sharper =
        saved(&folder, "sharper.json", TEXT, &["--uncertainty", "--proximity", "exponential:1", "--lambda", "0.01"]);
    let report = told(&["compare", &one, &sharper, "--classes", "joy,sadness", "--top", "3"]);
    assert!(
        report.contains("  differs") && report.contains("lambda ") && report.contains("sadness (log-odds)"),
        "{report}"
    );
    let bare = saved(&folder, "bare.json", TEXT, &[]);
    assert!(told(&["compare", &one, &bare]).contains("both need error bars (--uncertainty)"));
    let page = told(&["compare", &one, &sharper, "--html", "-"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("sharper.json") && !page.contains("://"), "{page}");
}

#[test]
fn what_cannot_be_compared_is_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let one = saved(&folder, "one.json", TEXT, &[]);
    let text = saved(&folder, "text.json", "another text of ours", &[]);
    let ridge = saved(&folder, "ridge.json", TEXT, &["--preset", "lime"]);
    let notes = path(folder.path(), "notes.md");
    fs::write(&notes, "# notes").unwrap();
    for (arguments, said) in [
        ([one.as_str(), &text], "explain different texts"),
        ([&one, &ridge], "one is in log-odds and one in probability"),
        ([&one, &notes], "holds no explanation"),
        (["-", "-"], "only one of the two can be standard input"),
    ] {
        let line = refused(&["compare", arguments[0], arguments[1]], 2);
        assert!(line.contains(said), "{line}");
    }
    assert!(refused(&["compare", &one, &one, "--classes", "jo"], 2).contains("did you mean joy?"));
}
