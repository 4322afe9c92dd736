//! The files that the command leaves: pages, figures, tables.

use crate::common;

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

#[cfg(unix)]
#[test]
fn a_run_that_cannot_write_one_file_leaves_every_file_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // The name of the last file is taken while the model answers.
    let program = "echo '{\"labels\": [\"no\", \"yes\"]}'\nmkdir late.svg\n\
                   while read line; do echo '{\"probabilities\": [[0.5, 0.5]]}'; done";
    std::fs::write(at.join("model.sh"), program).unwrap();
    std::fs::write(at.join("old.json"), "old").unwrap();
    let files = ["--json", "old.json", "--csv", "new.csv", "--html", "new.html", "--svg", "late.svg"];
    let model = ["text", "a b c", "--model", "command:sh model.sh", "--batch-size", "1", "--samples", "20"];
    let output = common::lipex(&[&model[..], &files[..]].concat()).current_dir(at).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.starts_with("error: svg = late.svg: cannot be written: ") && message.lines().count() == 1);
    assert_eq!(names(at), ["late.svg", "model.sh", "old.json"]);
    assert_eq!(std::fs::read_to_string(at.join("old.json")).unwrap(), "old");

    std::fs::remove_dir(at.join("late.svg")).unwrap();
    std::fs::write(at.join("model.sh"), program.replace("mkdir late.svg", ":")).unwrap();
    told(at, &[&model[..], &files[..]].concat());
    assert_eq!(names(at), ["late.svg", "model.sh", "new.csv", "new.html", "old.json"]);
    assert!(std::fs::read_to_string(at.join("old.json")).unwrap().starts_with('{'));
}

#[cfg(target_os = "linux")]
#[test]
fn streams_and_links_are_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    // A report that nobody can get: no file either.
    let output = common::lipex(&["text", TEXT, "--csv", "x.csv"]).current_dir(at).stdout(full()).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), names(at).len()), (Some(2), 0), "{message}");
    assert_eq!(message, "error: output = -: cannot be written: No space left on device (os error 28)\n");
    assert!(refused(at, &["text", TEXT, "--csv", "/dev/full"]).contains("csv = /dev/full: cannot be written"));

    // Standard output under another name, going to a file, which stays the same file.
    let csv = told(at, &["text", TEXT, "--csv", "-"]);
    let mut file = std::fs::File::create(at.join("out.csv")).unwrap();
    let done = common::lipex(&["text", TEXT, "--csv", "/dev/fd/1"]).stdout(file.try_clone().unwrap()).status().unwrap();
    assert!(done.success());
    std::io::Write::write_all(&mut file, b"more").unwrap();
    assert_eq!(std::fs::read_to_string(at.join("out.csv")).unwrap(), csv.clone() + "more");

    std::os::unix::fs::symlink("out.csv", at.join("link.csv")).unwrap();
    told(at, &["text", TEXT, "--csv", "link.csv"]);
    assert!(at.join("link.csv").is_symlink());
    assert_eq!(std::fs::read_to_string(at.join("out.csv")).unwrap(), csv);
    assert!(refused(at, &["text", TEXT, "--csv", "out.csv", "--json", "link.csv"]).contains("--json writes to"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_is_found_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    // The model is never started.
    let model = ["text", TEXT, "--model", "command:touch started"];
    let message = refused(folder.path(), &[&model[..], &["--json", "/proc/x.json"]].concat());
    assert!(message.contains("nothing can be written to the folder /proc: "), "{message}");
    assert!(!message.contains("tmp"), "{message}");
    assert!(names(folder.path()).is_empty());
}
