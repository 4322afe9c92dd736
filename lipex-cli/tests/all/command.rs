//! The command as a stranger runs it.

use crate::common;

use common::{json, lipex, refused, told, told_by};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

const README: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

fn given(text: &[u8], arguments: &[&str]) -> Output {
    let mut child =
        lipex(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    child.wait_with_output().unwrap()
}

fn without_times(report: &str) -> String {
    let at = report.find("\nMilliseconds:").unwrap_or(report.len());
    report[..at].to_string()
}

/// JSON with the time of each stage taken out.
fn without_timings(json: &str) -> String {
    let at = json.find("\"timings_ms\"").expect("timings_ms");
    json[..at].to_string()
}

/// `--model` for a Python program, or None, said aloud, where there is no Python.
fn python(folder: &Path, program: &str) -> Option<String> {
    if !common::has_python() {
        return None;
    }
    let file = folder.join("model.py");
    std::fs::write(&file, program).unwrap();
    Some(format!("command:python3 '{}'", file.display()))
}

/// A program that answers every text with `row`, a Python expression of the text `t` and its number `i` in the batch.
fn answering(row: &str) -> String {
    format!(
        "import json, sys\n\
         print(json.dumps({{'labels': ['no', 'yes']}}), flush=True)\n\
         for line in sys.stdin:\n    \
         print(json.dumps({{'probabilities': [{row} for i, t in enumerate(json.loads(line)['texts'])]}}), flush=True)\n"
    )
}

#[test]
fn the_readme_sentence_is_explained() {
    let report = told(&["text", README]);
    for word in ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise", "party", "shaking"] {
        assert!(report.contains(word), "{word} is missing:\n{report}");
    }
    let order = [
        "class",
        "log-odds (W)",
        "What holds surprise up",
        "unseen masks",
        "at the text",
        "Preset lipex",
        "1000 masks",
    ];
    let places: Vec<usize> =
        order.iter().map(|part| report.find(part).unwrap_or_else(|| panic!("no {part}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    for departure in [
        "lambda = 0.0001 (paper: 0.001)",
        "intercept = auto (paper: none)",
        "pairs = auto (paper: none)",
        "rank = supporting (paper: absolute)",
    ] {
        assert!(report.contains(departure), "{report}");
    }
    assert!(!report.contains('\u{1b}'), "colours into a pipe");
    assert!(report.lines().all(|line| !line.ends_with(' ')));
}

#[test]
fn narrow_pages_and_colours() {
    for width in [40, 60] {
        let output = lipex(&["text", README]).env("COLUMNS", width.to_string()).output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(report.lines().all(|line| line.chars().count() <= width), "{width}:\n{report}");
        assert!(report.contains("shaking") && report.contains("+1."));
    }
    let coloured = lipex(&["text", README]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(coloured.stdout).unwrap().contains("\u{1b}[32m"));
}

#[test]
fn every_option_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let ignored = folder.path().join("ignored.txt");
    std::fs::write(&ignored, "you me\n").unwrap();
    let cases: [&[&str]; 28] = [
        &["--preset", "paper"],
        &["--preset", "lime", "--samples", "500"],
        &["--preset", "lime", "--surrogate", "softmax", "--divergence", "kl", "--samples", "200"],
        &["--divergence", "kl"],
        &["--divergence", "reverse-kl"],
        &["--divergence", "js"],
        &["--divergence", "tv"],
        &["--divergence", "alpha:0.3", "--lambda-scale", "raw"],
        &["--proximity", "exponential:0.5"],
        &["--proximity", "cosine-similarity"],
        &["--proximity", "cosine-distance"],
        &["--select", "exclusive:2"],
        &["--select", "highest:3"],
        &["--select", "all", "--lambda", "1e-3", "--normalise", "weight"],
        &["--surrogate", "ridge"],
        &["--sampler", "antithetic"],
        &["--sampler", "bernoulli:0.7", "--within-angle", "0.8"],
        &["--sampler", "lime", "--seed", "3"],
        &["--within-angle", "0.7", "--intercept", "none"],
        &["--intercept", "anchored"],
        &["--intercept", "fitted"],
        &["--pairs", "none"],
        &["--pairs", "3"],
        &["--unit", "occurrence", "--split", "lime", "--removed", "mask:UNK"],
        &["--unit", "sentence"],
        &["--ignore-words", ignored.to_str().unwrap()],
        &["--batch-size", "7", "--threads", "2", "--timeout", "5"],
        &["--classes", "joy,fear", "--top", "2", "--rank", "opposing", "--contrast", "joy:surprise"],
    ];
    let plain = without_times(&told(&["text", README]));
    for case in cases {
        let report = told(&[&["text", README], case].concat());
        let same = case.contains(&"--batch-size");
        assert_eq!(without_times(&report) == plain, same, "{case:?}:\n{report}");
    }
    // Case counts only where two classes differ by it; a k is a thousand.
    let spelt = |of: &[&str]| without_times(&told(&[&["text", README], of].concat()));
    for (one, other) in [
        (&["--contrast", "JOY:Surprise"][..], &["--contrast", "joy:surprise"][..]),
        (&["--classes", "Joy, FEAR"], &["--classes", "joy,fear"]),
        (&["--samples", "0.3k"], &["--samples", "300"]),
    ] {
        assert_eq!(spelt(one), spelt(other));
    }
    let exhaustive = told(&["text", "one two three", "--sampler", "exhaustive"]);
    assert!(exhaustive.contains("All 8 masks: no sampling error; 8 distinct"), "{exhaustive}");
    assert!(told(&["text", README, "--preset", "paper"]).contains("nothing departs from it"));
}

#[test]
fn options_that_exclude_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ignored = folder.path().join("ignored.txt");
    std::fs::write(&ignored, "short").unwrap();
    for (arguments, word) in [
        (&["--surrogate", "ridge", "--divergence", "kl"][..], "divergence"),
        (&["--surrogate", "ridge", "--lambda", "1"], "lambda"),
        (&["--preset", "lime", "--intercept", "none"], "anchored or fitted"),
        (&["--preset", "authors", "--intercept", "anchored"], "no such setting"),
        (&["--preset", "kernel-shap", "--intercept", "fitted"], "anchored by nature"),
        (&["--no-intercept"], "--intercept"),
        (&["--pairs", "0"], "pairs = 0"),
        (&["--pairs", "given:1+1"], "two features"),
        (&["--pairs", "given:0+9"], "not selected"),
        (&["--preset", "paper", "--pairs", "2"], "--intercept anchored or fitted"),
        (&["--preset", "authors", "--pairs", "2"], "no such setting"),
        (&["--preset", "kernel-shap", "--pairs", "auto"], "no such setting"),
        (&["--preset", "lime", "--pairs", "auto"], "no such setting"),
        (&["--sampler", "exhaustive", "--samples", "10"], "exhaustive"),
        (&["--sampler", "exhaustive", "--within-angle", "1"], "within-angle"),
        (&["--sampler", "antithetic", "--within-angle", "1"], "within-angle"),
        (&["--file", "x"], "--file"),
        (&["--unit", "sentence", "--ignore-words", ignored.to_str().unwrap()], "ignore"),
    ] {
        let message = refused(&[&["text", "a short text"], arguments].concat(), 2);
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn mistakes_are_told_in_one_line() {
    let too_long = "x".repeat(300);
    for (arguments, word) in [
        (&["text", ""][..], "empty"),
        (&["text", " \u{200f} "], "word"),
        (&["text"], "no text"),
        (&[], "lipex text"),
        (&["explain"], "explain"),
        (&["so happy today"], "lipex text \"so happy today\""),
        (&["txt"], "'text'"),
        (&["text", "a b", "--samples", "0"], "samples = 0"),
        (&["text", "a b", "--samples", "many"], "many"),
        (&["text", "a b", "--preset", "best"], "authors or kernel-shap"),
        (&["text", "a b", "--divergence", "hel"], "hellinger"),
        (&["text", "a b", "--divergence", "alpha:1"], "alpha:1"),
        (&["text", "a b", "--proximity", "exponential:x"], "\"x\""),
        (&["text", "a b", "--proximity", "near"], "cosine"),
        (&["text", "a b", "--select", "forward"], "forward:K"),
        (&["text", "a b", "--select", "forward:0"], "at least 1"),
        (&["text", "a b", "--surrogate", "forest"], "ridge"),
        (&["text", "a b", "--sampler", "dice"], "uniform-size"),
        (&["text", "a b", "--sampler", "bernoulli:1"], "probability"),
        (&["text", "a b", "--sampler", "lime", "--seed", "4294967296"], "32 bits"),
        (&["text", "a b", "--within-angle", "2"], "1.5708"),
        (&["text", "a b", "--lambda", "-1"], "lambda"),
        (&["text", "a b", "--lambda", "nan"], "lambda"),
        (&["text", "a b", "--lambda-scale", "log"], "curvature, raw or class"),
        (&["text", "a b", "--normalise", "sum"], "count or weight"),
        (&["text", "a b", "--unit", "letter"], "word, occurrence or sentence"),
        (&["text", "a b", "--split", "spaces"], "did you mean space?"),
        (&["text", "a b", "--split", "regex:("], "unclosed group"),
        (&["text", "a b", "--removed", "blank"], "mask:WORD"),
        (&["text", "a b", "--batch-size", "0"], "batch-size"),
        (&["text", "a b", "--threads", "0"], "threads"),
        (&["text", "a b", "--timeout", "0"], "timeout"),
        (&["text", "a b", "--timeout", "soon"], "a number is wanted"),
        (&["text", "a b", "--max-tokens", "few"], "a whole number is wanted"),
        (&["text", "a b", "--classes", "love"], "anger, disgust"),
        (&["text", "a b", "--contrast", "joy:love"], "love"),
        (&["text", "a b", "--contrast", "joy"], "A:B"),
        (&["text", "a b", "--contrast", "joy:joy"], "different"),
        (&["text", "a b", "--classes", "joy,fear,joy"], "joy is named twice"),
        (&["text", "a b", "--top", "0"], "top = 0"),
        (&["text", "a b", "--json", ""], "the name of a file"),
        (&["text", "a b", "--model", "command:touch /", "--json", &too_long], "cannot be written"),
        (&["text", "a b", "--rank", "best"], "supporting"),
        (&["text", "a b", "--flip-to", "love"], "anger, disgust"),
        (&["show", "no/such/file", "--flip-to", "joy"], "--flip-to"),
        (&["text", "a b", "--model", "gpt"], "command:"),
        (&["text", "a b", "--model", "command:"], "command"),
        (&["text", "a b", "--model", "command:no-such-program-anywhere"], "no-such-program-anywhere"),
        (&["text", "--file", "no/such/file"], "no/such/file"),
        (&["text", "a b", "--ignore-words", "no/such/file"], "no/such/file"),
        (&["text", "a b", "--json", "no/such/folder/x.json"], "does not exist"),
        (&["text", "a b", "--json", "."], "folder"),
        (&["show", "no/such/file"], "no/such/file"),
    ] {
        let message = refused(arguments, 2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}

#[test]
fn texts_come_from_files_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text.txt");
    std::fs::write(&file, README).unwrap();
    let plain = without_times(&told(&["text", README]));
    assert_eq!(without_times(&told(&["text", "--file", file.to_str().unwrap()])), plain);
    let piped = given(README.as_bytes(), &["text", "-"]);
    assert_eq!(without_times(&String::from_utf8(piped.stdout).unwrap()), plain);
    std::fs::write(&file, b"caf\xe9 au lait").unwrap();
    let message = refused(&["text", "--file", file.to_str().unwrap()], 2);
    assert!(message.contains("UTF-8") && message.contains("byte 3"), "{message}");
    assert_eq!(given(b"\xff", &["text", "-"]).status.code(), Some(2));
}

#[test]
fn explanations_are_saved_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    let path = file.to_str().unwrap();
    for view in [&[][..], &["--contrast", "joy:fear", "--classes", "top:3", "--rank", "effect"]] {
        let report = told(&[&["text", README, "--json", path], view].concat());
        assert_eq!(told(&[&["show", path], view].concat()), report);
    }
    let to_stdout = told(&["text", README, "--json", "-"]);
    assert!(to_stdout.starts_with('{') && to_stdout.ends_with("}\n"));
    let shown = given(to_stdout.as_bytes(), &["show", "-"]);
    assert!(shown.status.success());
    // What cannot be read is refused, and nothing is overwritten by a failure.
    let json = std::fs::read_to_string(&file).unwrap();
    for (bad, word) in [
        (json.replace("lipex.explanation/2", "lipex.explanation/9"), "lipex.explanation/9"),
        (json[..json.len() / 2].to_string(), ""),
        ("[]".to_string(), "holds no explanation: "),
        (String::new(), "holds no explanation: EOF"),
    ] {
        let other = folder.path().join("bad.json");
        std::fs::write(&other, bad).unwrap();
        assert!(refused(&["show", other.to_str().unwrap()], 2).contains(word));
    }
    refused(&["text", "a b", "--json", path, "--samples", "0"], 2);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), json);
    let names = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!(names(folder.path()), 2, "no temporary file is left");
}

#[test]
fn what_would_change_it_is_told_and_checked() {
    for (class, words) in [
        ("joy", &["without surprise", "checked: yes"][..]),
        ("anger", &["the surrogate then says anger", "checked: no"]),
        ("fear", &["nothing found"]),
        ("surprise", &["nothing, it is surprise already"]),
    ] {
        let report = told(&["text", README, "--split", "lime", "--flip-to", class]).replace("\n  ", " ");
        let line = report.lines().find(|l| l.starts_with(&format!("What would make it {class}: "))).expect(class);
        assert!(words.iter().all(|w| line.to_lowercase().contains(w)), "{line}");
        let saved = told(&["text", README, "--split", "lime", "--flip-to", class, "--json", "-"]);
        let shown = given(saved.as_bytes(), &["show", "-"]);
        assert!(String::from_utf8(shown.stdout).unwrap().replace("\n  ", " ").contains(line), "{class}");
    }
    assert!(told(&["text", README, "--json", "-"]).contains("\"flip\": null"));
}

#[test]
fn equal_runs_write_equal_bytes() {
    let json = |threads: &str, batch: &str| {
        without_timings(&told(&["text", README, "--json", "-", "--threads", threads, "--batch-size", batch]))
    };
    let first = json("1", "1");
    for (threads, batch) in [("1", "7"), ("1", "1000"), ("2", "1"), ("2", "1000")] {
        assert_eq!(json(threads, batch), first, "{threads} threads, batches of {batch}");
    }
    assert_ne!(without_timings(&told(&["text", README, "--json", "-", "--seed", "1"])), first);
}

#[test]
fn answers_that_are_no_distributions_are_refused_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x.json");
    for (row, word) in [
        ("[0.5, float('nan')] if t.strip() == 'beta' else [0.5, 0.5]", "row"),
        ("[1.5, -0.5]", "row 0"),
        ("[0.5, 0.4]", "row 0"),
        ("[0.2, 0.3, 0.5]", "expected 2, got 3"),
    ] {
        let Some(model) = python(folder.path(), &answering(row)) else { return };
        let message = refused(&["text", "alpha beta gamma", "--model", &model, "--json", out.to_str().unwrap()], 2);
        assert!(message.contains(word), "{row}: {message}");
        assert!(!out.exists());
    }
    let short = answering("[0.5, 0.5]")
        .replace("enumerate(json.loads(line)['texts'])", "enumerate(json.loads(line)['texts'][1:])");
    let Some(model) = python(folder.path(), &short) else { return };
    let message = refused(&["text", "alpha beta gamma", "--model", &model], 2);
    assert!(message.contains("rows"), "{message}");
}

#[test]
fn a_model_that_fails_is_exit_3_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let head = "import json, sys, time\nprint(json.dumps({'labels': ['no', 'yes']}), flush=True)\n";
    for (program, word) in [
        ("import sys\nsys.exit('no weights here')\n".to_string(), "no weights here"),
        (format!("{head}sys.stdin.readline()\nraise ValueError('out of tea')\n"), "out of tea"),
        (format!("{head}time.sleep(60)\n"), "silent"),
        (format!("{head}sys.stdin.readline()\nprint('loading…', flush=True)\ntime.sleep(60)\n"), "loading"),
    ] {
        let Some(model) = python(folder.path(), &program) else { return };
        // Only silence has to be waited for; a busy machine may take seconds to start Python.
        let timeout = if word == "silent" { "2" } else { "50" };
        let message = refused(&["text", "alpha beta", "--model", &model, "--timeout", timeout], 3);
        assert!(message.contains(word), "{program}: {message}");
    }
}

#[test]
fn ugly_texts_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let Some(model) = python(folder.path(), &answering("[0.2, 0.8] if 'goes' in t else [0.9, 0.1]")) else { return };
    let report = told(&["text", "a\u{1b}]0;owned\u{7} b\u{202e}c 你好 🎉 نص", "--model", &model, "--unit", "sentence"]);
    assert!(!report.contains('\u{1b}') && !report.contains('\u{7}') && !report.contains('\u{202e}'), "{report}");
    // Numbers stay with their names, however long those are.
    let sentences =
        "a very long sentence about nothing at all that goes on and on. Another one, a short one, has no end.";
    let output =
        lipex(&["text", sentences, "--unit", "sentence", "--model", &model]).env("COLUMNS", "40").output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.lines().all(|line| line.chars().count() <= 40), "{report}");
    let listed =
        report.lines().filter(|l| l.contains('…') && (l.contains(" 0.") || l.contains('+') || l.contains('-')));
    assert!(listed.count() > 0 && report.contains('“'), "{report}");
    let long = "x".repeat(5000);
    let report = told(&["text", &format!("a {long} b"), "--model", &model]);
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
    assert!(told(&["text", "word"]).contains("word"));
    let report = told(&["text", "a b c", "--model", &python(folder.path(), &answering("[1.0, 0.0]")).unwrap()]);
    assert!(report.contains("never"), "{report}");
}

#[test]
fn short_help_is_a_screen_with_examples_and_long_help_is_all() {
    for command in ["text", "image", "tabular", "attribute", "rule", "batch"] {
        let short = told_by(lipex(&[command, "-h"]).env("COLUMNS", "80"));
        let long = told_by(lipex(&[command, "--help"]).env("COLUMNS", "80"));
        assert!(short.lines().count() <= 45, "{command}: {}", short.lines().count());
        assert!(short.lines().all(|line| line.chars().count() <= 80));
        for help in [&short, &long] {
            assert_eq!(help.matches(&format!("\n  lipex {command} ")).count(), 3, "{help}");
        }
        assert!(long.contains("--tokenizer") && long.contains("Exit codes"), "{long}");
        assert!(command == "rule" || (!short.contains("--tokenizer") && short.contains("--help says everything")));
    }
    assert!(told(&["-h"]).contains("lipex image photo.jpg"));
}

#[test]
fn the_commonest_options_have_letters() {
    let long = json(&["text", "so happy today", "--model", "demo", "--samples", "60", "--json", "-"]);
    let short = json(&["text", "so happy today", "-m", "demo", "-n", "60", "-c", "joy", "-k", "2", "-j", "-"]);
    assert_eq!(long["answer"], short["answer"]);
}

#[test]
fn completions_and_manual_know_every_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = told(&["completions", shell]);
        assert!(script.contains("flip-to") && script.contains("segments"), "{shell}");
    }
    let page = told(&["man", "text"]);
    assert!(page.starts_with(".ie") && page.contains(".TH lipex-text 1") && page.contains("\\-\\-flip\\-to"), "{page}");
    assert!(told(&["man"]).contains("completions"));
    assert!(refused(&["completions", "fsh"], 2).contains("did you mean fish?"));
    assert!(refused(&["man", "txt"], 2).contains("did you mean text?"));
}

#[test]
fn classes_of_the_same_name_are_numbered_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let program = answering("[0.2, 0.1, 0.7] if 'steel' in t else [0.6, 0.3, 0.1]")
        .replace("'no', 'yes'", "'crane', 'cat', 'crane'");
    let Some(model) = python(folder.path(), &program) else { return };
    let all = ["text", "steel feather mouse", "--model", &model];
    fn joined<'a>(all: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
        [all, more].concat()
    }
    let with = |more: &[&'static str]| joined(&all, more);
    let found = json(&with(&["--json", "-"]));
    assert_eq!(found["classes"], serde_json::json!(["crane (1)", "cat", "crane (2)"]));
    let csv = told(&with(&["--csv", "-"]));
    assert_eq!(csv.lines().filter(|line| line.starts_with("crane (2),steel,")).count(), 1, "{csv}");
    let named = told(&with(&["--contrast", "crane (2):cat", "--flip-to", "crane (1)"]));
    assert!(
        named.contains("crane (2) over cat") && named.contains("What would make it crane (1): without steel"),
        "{named}"
    );
    // By place, counted from 0, too.
    assert!(told(&with(&["--contrast", "2:1"])).contains("crane (2) over cat"));
    let message = refused(&with(&["--classes", "crane"]), 2);
    assert!(message.contains("did you mean crane (1)?"), "{message}");
}

#[test]
fn help_teaches() {
    let help = told(&["text", "--help"]);
    for word in [
        "--preset",
        "--model",
        "--divergence",
        "--proximity",
        "--select",
        "--surrogate",
        "--samples",
        "--sampler",
        "--within-angle",
        "--seed",
        "--lambda",
        "--lambda-scale",
        "--normalise",
        "--intercept",
        "--pairs",
        "--unit",
        "--split",
        "--removed",
        "--ignore-words",
        "--batch-size",
        "--timeout",
        "--threads",
        "--classes",
        "--top",
        "--rank",
        "--contrast",
        "--flip-to",
        "--json",
        "--html",
        "--svg",
        "--csv",
        "--file",
        "paper",
        "Exit codes",
        "excludes",
        "exhaustive",
    ] {
        assert!(help.contains(word), "{word} is missing from the help");
    }
    let defaults = help.matches("[default").count();
    assert!(defaults >= 20, "{defaults} defaults are told");
    assert!(told(&["--help"]).contains("Exit codes") && told(&["--version"]).starts_with("lipex "));
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let mut child = lipex(&["text", README]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Paths that documents name.
#[test]
fn documents_name_files_that_exist() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders =
        ["lipex", "lipex-core", "lipex-cpu", "lipex-cli", "lipex-demo", "benches", "docs", "examples", "cuda-emulator"];
    let mut checked = 0;
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "docs/command-protocol.md",
        "docs/images.md",
        "docs/json.md",
        "docs/page.md",
        "docs/stages.md",
        "docs/verdict.md",
        "docs/anchoring-and-pairs.md",
    ] {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        for word in text.split(|c: char| c.is_whitespace() || "`()[]|,;'\"".contains(c)) {
            let word = word.trim_end_matches(['.', ':']);
            if word.contains('/') && folders.iter().any(|f| word.starts_with(&format!("{f}/"))) {
                assert!(root.join(word).exists(), "{document} names {word}, which is not there");
                checked += 1;
            }
        }
    }
    assert!(checked > 15, "{checked}");
    // One word names a stage everywhere.
    for stage in ["perturb", "weigh", "select", "fit", "evaluate"] {
        let there = |path: &str| root.join(format!("{path}.rs")).exists() || root.join(path).join("mod.rs").exists();
        for folder in ["lipex-core/src", "lipex-cpu/src", "benches/benches"] {
            assert!(there(&format!("{folder}/{stage}")), "{folder}: {stage}");
        }
    }
}

#[test]
fn the_presets_of_relatives_explain_and_name_what_they_have_no_use_for() {
    let shap = told(&["text", README, "--preset", "kernel-shap", "--samples", "300"]);
    assert!(shap.contains("Preset kernel-shap") && shap.contains("in probability"), "{shap}");
    let json = told(&["text", "so very glad", "--preset", "kernel-shap", "--json", "-"]);
    let e = lipex::from_json(&json).unwrap();
    // 2³ masks: every one, and values that sum to what the words change.
    assert_eq!(e.calls.masks, 8);
    for (c, row) in e.shares().matrix().iter().enumerate() {
        let reached = e.answer.as_ref().unwrap().linear().unwrap().intercept()[c] + row.iter().sum::<f64>();
        assert!((reached - e.probabilities.model[c]).abs() < 1e-9);
    }
    // Four masks of six words: too few, and the report says how far they go.
    let few = told(&["text", "x u v w y z", "--preset", "kernel-shap", "--samples", "4"]);
    assert!(few.contains("determine 2 of the 6 weights"), "{few}");
    let all = told(&["text", "so very glad"]);
    assert!(all.contains("All 8 masks: no sampling error") && !all.contains("seed 0"), "{all}");
    let drawn = told(&["text", "so very glad", "--enumerate", "never"]);
    assert!(drawn.contains("1000 masks, 8 distinct texts") && drawn.contains("enumerate = never"), "{drawn}");
    let authors = ["text", README, "--preset", "authors", "--samples", "100"];
    let report = told(&authors);
    assert!(report.contains("surrogate = authors (paper: softmax)"), "{report}");
    assert_ne!(without_times(&report), without_times(&told(&[&authors[..], &["--seed", "1"]].concat())));
    told(&[&authors[..], &["--divergence", "hellinger-or-tv"]].concat());
    for (arguments, reason) in [
        (["--preset", "kernel-shap", "--divergence", "kl"], "kernel-shap has no such setting"),
        (["--preset", "kernel-shap", "--proximity", "exponential"], "weighs masks itself"),
        (["--preset", "kernel-shap", "--samples", "1"], "at least 2 masks"),
        (["--preset", "kernel-shap", "--within-angle", "1"], "cannot be confined"),
        (["--preset", "authors", "--divergence", "kl"], "hellinger-or-tv"),
        (["--preset", "authors", "--lambda", "1"], "no such setting"),
        (["--surrogate", "kernel-shap", "--samples", "2"], "no mask is empty"),
        (["--select", "lasso:0", "--samples", "9"], "at least 1 feature"),
        (["--samples", "1", "--seed", "3"], "at least 2 masks"),
        (["--proximity", "exponential:0.001", "--samples", "50"], "the only mask that this leaves any weight"),
        (["--enumerate", "always", "--samples", "50"], "choose auto or never"),
    ] {
        let message = refused(&[&["text", README][..], &arguments].concat(), 2);
        assert!(message.contains(reason), "{message}");
    }
    let two = ["text", README, "--preset", "authors", "--divergence", "tv", "--starts", "2"];
    assert!(refused(&two, 2).contains("starts = 2: the authors' recipe has no such setting"));
    let one =
        ["text", "one", "--sampler", "weight-proportional", "--proximity", "cosine-similarity", "--enumerate", "never"];
    assert!(refused(&one, 2).contains("no weight"));
}

#[test]
fn an_angle_is_drawn_or_filtered() {
    let masks = |arguments: &[&str]| {
        let json = told(&[&["text", README, "--json", "-"][..], arguments].concat());
        lipex::from_json(&json).unwrap().calls.masks
    };
    assert_eq!(masks(&["--within-angle", "0.6"]), 1000);
    // 13 words: at most ⌊13·sin²0.6⌋ = 4 may go, of 13 sizes.
    let left = masks(&["--within-angle", "0.6", "--filtered"]);
    assert!((250..370).contains(&left), "{left}");
    assert!(refused(&["text", README, "--filtered"], 2).contains("--within-angle"));
}

#[test]
fn pairs_and_what_to_remove_are_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.json");
    let path = file.to_str().unwrap();
    let report = told(&["text", "I love this happy day", "--json", path]);
    assert!(report.contains("What to remove, one after the other, and what the surrogate then gives"), "{report}");
    assert!(!report.contains("act together"), "{report}");
    let mut e = lipex::from_json(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let linear = e.answer.as_ref().unwrap().linear().unwrap();
    let (kept, class) = (linear.kept().to_vec(), e.predicted());
    let mut terms = linear.terms().to_vec();
    terms.push(lipex::Term::pair(kept[0], kept[1]).unwrap());
    let mut coefficients = linear.coefficients().to_vec();
    let far = |row: &[f64]| 9.0 + (row[0] + row[1]).abs();
    let v = -far(&coefficients[class]);
    coefficients.iter_mut().enumerate().for_each(|(c, row)| row.push(if c == class { v } else { 0.0 }));
    let (base, support, link) = (linear.base().clone(), linear.support().to_vec(), linear.link());
    e.answer = Some(lipex::Linear::new(kept.clone(), terms, coefficients, base, support, link).unwrap().into());
    std::fs::write(&file, lipex::to_json(&e)).unwrap();
    let shown = told(&["show", path]);
    let [a, b] = [0, 1].map(|k| e.features[kept[k]].name.clone());
    let line = format!("{a}\u{a0}+\u{a0}{b}\u{a0}{v:+.2}: together they do more than each");
    assert!(shown.contains(&line.replace('\u{a0}', " ")) || shown.contains(&line), "{shown}");
    assert!(shown.contains("Words that act together for"), "{shown}");
}
