//! Running the command. Each test file is a crate of its own and uses a part of this.
#![allow(dead_code, reason = "each test file uses a part")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

pub fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lipex"));
    command.args(arguments).env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null()).output().unwrap()
}

/// Standard output of a run that must succeed in silence.
pub fn bytes(arguments: &[&str]) -> Vec<u8> {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The JSON that a run writes to standard output.
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_slice(&bytes(arguments)).unwrap()
}

/// The one line of a run that must fail with `code` and print nothing else.
pub fn refused(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed {}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
    assert!(message.starts_with("error: "), "{arguments:?}: {message}");
    message
}

/// The keys of an object in the order of the file, which an unordered map does not keep.
pub fn keys(document: &str) -> Vec<&str> {
    let quoted = |line: &'_ str| line.strip_prefix("  \"").and_then(|l| l.split_once('"')).map(|(key, _)| key.len());
    document.lines().filter_map(|line| quoted(line).map(|length| &line[3..3 + length])).collect()
}

/// A file's path as an argument.
pub fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_string()
}

/// A matrix of a document.
pub fn matrix(document: &Value, key: &str) -> Vec<Vec<f64>> {
    serde_json::from_value(document[key].clone()).unwrap_or_else(|e| panic!("{key}: {e}"))
}
