//! The files that the command leaves: pages, figures, tables.

mod common;

use std::path::Path;

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

fn told(folder: &Path, arguments: &[&str]) -> String {
    common::told_by(common::lipex(arguments).current_dir(folder))
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    common::refused_by(common::lipex(arguments).current_dir(folder), 2)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_file_is_written_at_once_and_again_from_the_saved_explanation() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let files = ["--html", "x.html", "--svg", "x.svg", "--csv", "x.csv"];
    let report = told(at, &[&["text", TEXT, "--flip-to", "joy", "--json", "x.json"], &files[..]].concat());
    assert!(report.contains("What holds surprise up"), "the report is printed too");
    assert_eq!(names(at), ["x.csv", "x.html", "x.json", "x.svg"]);
    let read = |name: &str| std::fs::read_to_string(at.join(name)).unwrap();
    assert!(read("x.html").contains("What would make it") && read("x.html").contains("shaking</span>"));
    for (option, name) in [("--html", "x.html"), ("--svg", "x.svg"), ("--csv", "x.csv")] {
        assert_eq!(told(at, &["show", "x.json", option, "-"]), read(name), "{option}");
    }
    let few = told(at, &["show", "x.json", "--classes", "joy,fear", "--svg", "-"]);
    assert!(few.contains(">joy<") && few.contains(">fear<") && !few.contains(">anger<"));
    let few = told(at, &["show", "x.json", "--contrast", "fear:anger", "--html", "-"]);
    assert!(few.contains("<bdi id=\"name-a\">fear</bdi>") && few.contains("<bdi id=\"name-b\">anger</bdi>"));
}

#[test]
fn what_cannot_be_written_is_refused_before_anything_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (arguments, word) in [
        (&["--html", "-", "--svg", "-"][..], "--html writes to"),
        (&["--json", "-", "--csv", "-"], "--json writes to"),
        (&["--save-neighbourhood", "n.npz", "--svg", "n.npz"], "--save-neighbourhood writes to"),
        (&["--html", "x", "--csv", "./x"], "--html writes to"),
        (&["--html", "a.html", "--svg", "no/such/x.svg"], "does not exist"),
        (&["--csv", "."], "folder"),
        (&["--html", "a.html", "--flip-to", "love"], "love"),
        (&["--html", "a.html", "--samples", "0"], "samples"),
    ] {
        let message = refused(at, &[&["text", TEXT], arguments].concat());
        assert!(message.contains(word), "{arguments:?}: {message}");
        assert!(names(at).is_empty(), "{arguments:?} left {:?}", names(at));
    }
    std::fs::write(at.join("old.html"), "old").unwrap();
    std::fs::write(at.join("bad.json"), "{}").unwrap();
    refused(at, &["show", "bad.json", "--html", "old.html"]);
    assert_eq!(std::fs::read_to_string(at.join("old.html")).unwrap(), "old");
}
