//! Running the command.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Whether there is a Python; says that a test is skipped where there is none.
pub fn has_python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if !there {
        println!("skipped: no python3");
    }
    there
}

/// The command in an environment without wishes about its output.
pub fn lipex(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lipex"));
    command.args(arguments).env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command.stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Output {
    lipex(arguments).output().unwrap()
}

/// Standard output of a run that must succeed in silence.
pub fn bytes(arguments: &[&str]) -> Vec<u8> {
    bytes_of(&mut lipex(arguments))
}

fn bytes_of(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The report of a run that must succeed in silence.
pub fn told(arguments: &[&str]) -> String {
    told_by(&mut lipex(arguments))
}

/// The report of a command that must succeed in silence.
pub fn told_by(command: &mut Command) -> String {
    String::from_utf8(bytes_of(command)).unwrap()
}

/// The JSON that a run writes to standard output.
pub fn json(arguments: &[&str]) -> Value {
    serde_json::from_slice(&bytes(arguments)).unwrap()
}

/// The one line of a run that must fail with `code` and print nothing else.
pub fn refused(arguments: &[&str], code: i32) -> String {
    refused_by(&mut lipex(arguments), code)
}

/// The one line of a command that must fail with `code` and print nothing else.
pub fn refused_by(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {message}");
    assert!(output.stdout.is_empty(), "{command:?} printed {}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(message.lines().count(), 1, "{command:?}: {message}");
    assert!(message.starts_with("error: "), "{command:?}: {message}");
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
