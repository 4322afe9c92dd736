//! Any bytes as what a killed run of `lipex batch` has left: it goes on with what is whole, or says why not in one line. What went
//! on is read again alike, and holds a line that is added.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fs;

#[path = "../../lipex-cli/src/batch/journal.rs"]
#[allow(dead_code)]
mod journal;
#[path = "../../lipex-cli/src/streams.rs"]
#[allow(dead_code)]
mod streams;
use journal::{Former, Journal};

const HEADER: &str = r#"{"schema":"s","model":"demo"}"#;

fn lines(journal: &Journal) -> lipex::Result<Vec<String>> {
    let mut lines = Vec::new();
    journal.each(|line| {
        lines.push(line.into());
        Ok(())
    })?;
    Ok(lines)
}

fn go_on(bytes: &[u8]) -> lipex::Result<()> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.part");
    fs::write(&path, bytes).expect("a file");
    let open = || Journal::open(&path, HEADER, 5..9, Former::GoOn);
    let first = open()?;
    let (own, done, failures) = (lines(&first)?, first.done(), first.failures());
    assert!(own.len() == done && failures <= done && done <= 4);
    drop(first);
    let kept = fs::read(&path).expect("the file");
    assert!(kept.ends_with(b"\n") && (bytes.starts_with(&kept) || kept == format!("{HEADER}\n").as_bytes()));
    let mut again = open()?;
    assert_eq!((lines(&again)?, again.done(), again.failures()), (own, done, failures));
    let line = r#"{"row":8,"error":null}"#;
    again.add(8, line, false)?;
    assert_eq!(lines(&again)?.last().map(String::as_str), Some(line));
    Ok(())
}

fuzz_target!(|input: &[u8]| {
    let Some((&which, bytes)) = input.split_first() else { return };
    // Most inputs begin as they should, so that the rest is looked at.
    let whole = [format!("{HEADER}\n").as_bytes(), bytes].concat();
    let bytes = if which % 8 == 0 { bytes } else { &whole };
    if let Err(error) = go_on(bytes) {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
});
