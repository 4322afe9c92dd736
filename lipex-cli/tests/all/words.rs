//! How the command finds words.

use crate::common::{lipex, told};
use std::io::Write;
use std::process::Stdio;

/// Features of a text, as its explanation is saved.
fn features(arguments: &[&str]) -> Vec<String> {
    let json = told(&[&["text"], arguments, &["--samples", "20", "--json", "-"]].concat());
    let saved: serde_json::Value = serde_json::from_str(&json).unwrap();
    saved["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_string()).collect()
}

#[test]
fn every_split_has_its_words() {
    let text = "so nai\u{308}ve, can't 👍🏽 !!!";
    for (arguments, names) in [
        (&[][..], &["so", "nai\u{308}ve", "can't", "👍🏽", "!!!"][..]),
        (&["--preset", "paper"], &["so", "nai", "ve", "can", "t"]),
        (&["--preset", "lime"], &["so", "nai", "ve", "can", "t"]),
        (&["--preset", "lime", "--split", "space"], &["so", "nai\u{308}ve,", "can't", "👍🏽", "!!!"]),
        (&["--split", "regex:[a-z]+\u{308}?"], &["so", "nai\u{308}", "ve", "can", "t"]),
        (
            &["--split", "char", "--unit", "occurrence"],
            &["s", "o", "n", "a", "i\u{308}", "v", "e", ",", "c", "a", "n", "'", "t", "👍🏽", "!", "!", "!"],
        ),
    ] {
        assert_eq!(features(&[&[text], arguments].concat()), names, "{arguments:?}");
    }
}

#[test]
fn equal_words_are_numbered() {
    let report = told(&["text", "so good, so bad", "--unit", "occurrence", "--select", "all"]);
    assert!(report.contains("so (1)") && report.contains("so (2)") && !report.contains("good (1)"), "{report}");
    let report = told(&["text", "It rains. Good. It rains.", "--unit", "sentence", "--select", "all"]);
    assert!(report.contains("“It\u{a0}rains.\u{a0}(2)”") || report.contains("“It rains. (2)”"), "{report}");
}

#[test]
fn words_to_ignore_that_match_nothing_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ignored.txt");
    std::fs::write(&file, "\u{feff}the [SEP] don't sun").unwrap();
    let ignored = ["--ignore-words", file.to_str().unwrap(), "--samples", "20"];
    let report = told(&[&["text", "The rain, don't"], &ignored[..]].concat());
    assert!(report.contains("Words to ignore that are not in the text: sun."), "{report}");
    assert!(report.contains("no word under --split unicode and match nothing: [SEP]."), "{report}");
    let report = told(&[&["text", "The rain, don't", "--split", "lime"], &ignored[..]].concat());
    assert!(report.contains("no word under --split lime and match nothing: [SEP] don't."), "{report}");
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let mut child = lipex(&["text", "-", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("\u{feff}a joy".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let saved: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(saved["text"], "a joy");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.json");
    std::fs::write(&file, [b"\xef\xbb\xbf".as_slice(), &output.stdout].concat()).unwrap();
    assert!(told(&["show", file.to_str().unwrap()]).contains("joy"));
}
