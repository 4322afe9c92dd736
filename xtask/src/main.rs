//! `cargo xtask COMMAND`: the commands that CONTRIBUTING.md names.

use std::path::Path;
use std::process::{Command, ExitCode};

/// The commands of a task, each with its arguments.
type Steps = Vec<Vec<&'static str>>;

/// Features of the facade that must build alone.
const FEATURES: [&str; 11] =
    ["text", "command", "json", "page", "image", "npy", "remember", "demo", "cuda", "onnx", "ort"];

fn check() -> Steps {
    let mut steps = vec![
        vec!["cargo", "fmt", "--all", "--check"],
        vec!["cargo", "clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        vec!["cargo", "doc", "--workspace", "--no-deps", "--quiet"],
    ];
    steps.extend(features());
    steps
}

/// The facade without features, and with each alone.
fn features() -> Steps {
    let plain = vec!["cargo", "check", "--quiet", "-p", "lipex", "--no-default-features"];
    let with = |feature| [plain.as_slice(), &["--features", feature]].concat();
    let mut steps = vec![plain.clone()];
    steps.extend(FEATURES.map(with));
    steps
}

fn steps(task: &str) -> Option<Steps> {
    Some(match task {
        "check" => check(),
        "features" => features(),
        "test" => vec![vec!["cargo", "test", "--workspace"]],
        "docs" => vec![vec!["cargo", "test", "--quiet", "-p", "lipex", "--test", "all", "the_document_is_what"]],
        "dependencies" => vec![vec![".ci/dependencies"]],
        "ci" => vec![vec![".ci/run"]],
        _ => return None,
    })
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let Some(mut steps) = steps(&task) else {
        eprintln!("cargo xtask check | features | test | docs | dependencies | ci");
        return ExitCode::from(2);
    };
    let more: Vec<String> = arguments.collect();
    let last = steps.pop().unwrap_or_default();
    let plain = steps.into_iter().map(|step| (step, Vec::new()));
    for (step, more) in plain.chain([(last, more)]) {
        println!("{} {}", step.join(" "), more.join(" "));
        if !run(&step, &more, &task) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Runs a command in the project's folder; whether it succeeded.
fn run(step: &[&str], more: &[String], task: &str) -> bool {
    let Some((program, arguments)) = step.split_first() else { return true };
    let mut command = Command::new(program);
    command.args(arguments).args(more).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    if task == "docs" {
        command.env("LIPEX_WRITE_DOCS", "1");
    }
    if task == "check" {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{program}: {error}");
            false
        }
    }
}
