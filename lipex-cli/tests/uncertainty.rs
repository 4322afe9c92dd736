//! The command's options that the data answer: λ, starts, error bars, how many masks.

use std::process::{Command, Output};

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lipex")).arg("text").args(arguments).output().unwrap()
}

/// Standard output of a run that must succeed.
fn told(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one line of a run that must be refused.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert!(output.stdout.is_empty() && message.lines().count() == 1, "{arguments:?}: {message}");
    message
}

fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&told(&[arguments, &["--json", "-"]].concat())).unwrap()
}

#[test]
fn lambda_is_chosen_and_told() {
    let made = json(&[TEXT, "--lambda", "auto"]);
    assert_eq!(made["settings"]["lambda"], "auto");
    let lambda = made["fit"]["lambda"].as_f64().unwrap();
    assert!([1e-2, 1e-3, 1e-4, 1e-5, 1e-6].contains(&lambda), "{lambda}");
    let fixed = json(&[TEXT, "--lambda", &lambda.to_string()]);
    assert_eq!((&made["matrix"], &made["calls"]), (&fixed["matrix"], &fixed["calls"]));
    let report = told(&[TEXT, "--lambda", "auto"]);
    assert!(report.contains(&format!("λ = {lambda}, chosen")) && report.contains("lambda = auto (paper: 0.001"));
    assert!(refused(&[TEXT, "--lambda", "much"]).contains("auto"));
}

#[test]
fn two_starts_are_told() {
    let report = told(&[TEXT, "--starts", "2"]);
    assert!(report.contains("from two starts"), "{report}");
    assert!(!told(&[TEXT]).contains("starts"));
    assert!(refused(&[TEXT, "--starts", "3"]).contains("1 or 2"));
    assert!(refused(&[TEXT, "--surrogate", "ridge", "--starts", "2"]).contains("ridge has no such setting"));
}
