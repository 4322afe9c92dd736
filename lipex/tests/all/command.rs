//! Programs as black boxes, well and badly behaved ones.

use lipex::{BlackBox, CommandModel, Cpu, Error, Result, TextInstance, Texts, lipex};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A model that answers by the length of the text, in plain Python.
const GOOD: &str = r#"
import json, sys
print(json.dumps({"labels": ["short", "long"]}), flush=True)
for line in sys.stdin:
    lengths = [min(len(t), 100) / 100 for t in json.loads(line)["texts"]]
    print(json.dumps({"probabilities": [[1 - p, p] for p in lengths]}), flush=True)
"#;

/// Labels, then `answer` (an expression of `texts`) for each batch.
fn answering(answer: &str) -> String {
    format!(
        "import json, sys, time, os\nprint(json.dumps({{'labels': ['a', 'b']}}), flush=True)\nfor line in sys.stdin:\n    \
         texts = json.loads(line)['texts']\n    {answer}\n"
    )
}

fn python() -> bool {
    let there = Command::new("python3").arg("--version").output().is_ok();
    if !there {
        println!("skipped: there is no python3");
    }
    there
}

fn command_of(folder: &Path, script: &str) -> String {
    let file = folder.join("a model.py");
    std::fs::write(&file, script).unwrap();
    format!("python3 -u {}", shlex::try_quote(file.to_str().unwrap()).unwrap())
}

fn start(script: &str, seconds: f64) -> Result<CommandModel> {
    let folder = tempfile::tempdir().unwrap();
    CommandModel::start(&command_of(folder.path(), script), Duration::from_secs_f64(seconds))
}

fn ask(model: &CommandModel, texts: &[&str]) -> Result<Vec<f32>> {
    let on = Cpu::new();
    let batch: Texts = texts.iter().map(|t| t.to_string()).collect();
    Ok(BlackBox::<Cpu, Texts>::predict(model, &on, &batch)?.values().clone())
}

fn labels(model: &CommandModel) -> &[String] {
    BlackBox::<Cpu, Texts>::labels(model).unwrap()
}

/// The error of a batch of three, as one clear line.
fn error_of(answer: &str) -> (Error, String) {
    let model = start(&answering(answer), 20.0).unwrap();
    one_line(ask(&model, &["x", "y", "z"]).unwrap_err())
}

fn one_line(error: Error) -> (Error, String) {
    let text = error.to_string();
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.chars().count() < 700, "{text}");
    (error, text)
}

#[test]
fn a_program_answers_any_text() {
    if !python() {
        return;
    }
    let model = start(GOOD, 20.0).unwrap();
    assert_eq!(labels(&model), ["short", "long"]);
    // Python counts characters: they must have arrived as they were.
    let texts = ["", "हिन्दी", "😀\n\"\\", "e\u{301}\u{2028}\u{0}", "שלום"];
    let p = ask(&model, &texts).unwrap();
    let expected: Vec<f32> =
        texts.iter().map(|t| t.chars().count() as f32 / 100.0).flat_map(|x| [1.0 - x, x]).collect();
    assert!(p.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{p:?}");
    // A second and a large batch go through the same process.
    let many = vec!["some words"; 20_000];
    assert_eq!(ask(&model, &many).unwrap().len(), 40_000);
}

#[test]
fn logits_and_independent_scores_become_probabilities() {
    if !python() {
        return;
    }
    let model = start(&answering("print(json.dumps({'logits': [[1000, 1000 + 1.0986123] for t in texts]}))"), 20.0);
    let p = ask(&model.unwrap(), &["x"]).unwrap();
    assert!((p[1] - 0.75).abs() < 1e-6, "{p:?}");
    let model = start(&answering("print(json.dumps({'independent': [[0.2, 0.6] for t in texts]}))"), 20.0);
    // Each is a probability of its own.
    assert_eq!(ask(&model.unwrap(), &["x"]).unwrap(), [0.2, 0.6]);
}

#[test]
fn a_program_runs_what_it_registered_for_its_exit() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    let script = format!(
        "import atexit, json, sys, time\natexit.register(lambda: (time.sleep(.3), open({left:?}, 'w').write('done')))\n\
         print(json.dumps({{'labels': ['a', 'b']}}))\nfor line in sys.stdin:\n    print(json.dumps({{'probabilities': \
         [[.5, .5] for t in json.loads(line)['texts']]}}))\n"
    );
    let model = CommandModel::start(&command_of(folder.path(), &script), Duration::from_secs(20)).unwrap();
    ask(&model, &["x"]).unwrap();
    drop(model);
    assert_eq!(std::fs::read_to_string(&left).unwrap(), "done");
    // One that heeds neither the end of its input nor the request to terminate is killed in the end.
    let deaf = "import json, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                print(json.dumps({'labels': ['a', 'b']}))\nwhile True: time.sleep(1)\n";
    let model = CommandModel::start(&command_of(folder.path(), deaf), Duration::from_secs(20)).unwrap();
    let start = std::time::Instant::now();
    drop(model);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn what_cannot_be_started_is_the_users_mistake() {
    let second = Duration::from_secs(1);
    for (command, word) in [
        ("", "name a program"),
        ("  ", "name a program"),
        ("''", "name a program"),
        ("/no/such/program --x", "cannot start \"/no/such/program\""),
        ("python3 'open", "left open"),
    ] {
        let (error, text) = one_line(CommandModel::start(command, second).unwrap_err());
        assert!(matches!(error, Error::Setting { .. }) && text.contains(word), "{text}");
    }
    let error = CommandModel::start("true", Duration::ZERO).unwrap_err();
    assert!(error.to_string().starts_with("timeout = 0"), "{error}");
}

#[test]
fn a_program_that_dies_is_named_with_its_last_words() {
    if !python() {
        return;
    }
    let (error, text) = one_line(start("raise SystemExit('no \\x1b[31mweights\\x1b[0m\\nfound')", 20.0).unwrap_err());
    assert!(matches!(error, Error::Model(_)), "{text}");
    for word in ["a model.py", "ended before its first line", "exit status: 1", "no weights | found"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let (error, text) = error_of("sys.exit('out of memory at ' + texts[2])");
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("before the answer to a batch of 3") && text.contains("out of memory at z"), "{text}");
    // Once dead it stays so, in one line too.
    let model = start(&answering("sys.exit(7)"), 20.0).unwrap();
    assert!(ask(&model, &["x"]).unwrap_err().to_string().contains("exit status: 7"));
    assert!(ask(&model, &["x"]).unwrap_err().to_string().contains("has failed before"));
}

#[test]
fn a_program_that_stops_reading_is_found_out() {
    if !python() {
        return;
    }
    // More than a pipe holds, so that writing fails or blocks.
    let large = "word ".repeat(100_000);
    let script = "import os, time\nprint('{\"labels\":[\"a\",\"b\"]}')\nos.close(0)\nos.close(1)\ntime.sleep(60)";
    let model = start(script, 20.0).unwrap();
    let (error, text) = one_line(ask(&model, &[&large]).unwrap_err());
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("stopped reading") || text.contains("closed its output"), "{text}");
    let model = start("import time\nprint('{\"labels\":[\"a\",\"b\"]}')\ntime.sleep(60)", 5.0).unwrap();
    let (_, text) = one_line(ask(&model, &[&large]).unwrap_err());
    assert!(text.contains("was silent for 5 s"), "{text}");
}

#[test]
fn silence_ends_with_the_timeout() {
    if !python() {
        return;
    }
    let begin = Instant::now();
    let script = "import sys, time\nprint('still loading', file=sys.stderr)\ntime.sleep(60)";
    let (error, text) = one_line(start(script, 1.0).unwrap_err());
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("was silent for 1 s before its first line") && text.contains("still loading"), "{text}");
    let model = start(&answering("time.sleep(60)"), 2.0).unwrap();
    let (error, text) = one_line(ask(&model, &["x"]).unwrap_err());
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("was silent for 2 s before the answer to a batch of 1"), "{text}");
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_wrong_number_of_rows_or_columns_names_both() {
    if !python() {
        return;
    }
    let (error, text) = error_of("print('half a batch', file=sys.stderr); print('{\"probabilities\":[[0.5,0.5]]}')");
    assert!(matches!(error, Error::Shape { expected: 3, got: 1, .. }), "{text}");
    assert!(text.contains("rows") && text.contains("half a batch"), "{text}");
    let (error, text) = error_of("print(json.dumps({'probabilities': [[0.5, 0.5], [0.5, 0.5], [0.2, 0.2, 0.6]]}))");
    assert!(matches!(error, Error::Shape { expected: 2, got: 3, .. }), "{text}");
    assert!(text.contains("row 2"), "{text}");
    let (error, text) = one_line(start("print('{\"labels\":[\"only\"]}')", 20.0).unwrap_err());
    assert!(matches!(error, Error::Shape { expected: 2, got: 1, .. }), "{text}");
}

#[test]
fn bad_numbers_name_their_row() {
    if !python() {
        return;
    }
    for (row, word) in [
        ("[float('nan'), 0.5]", "class 0 has NaN"),
        ("[0.5, float('inf')]", "class 1 has inf"),
        ("[None, 1.0]", "class 0 has null"),
        ("['0.5', 0.5]", "class 0 has the text \"0.5\""),
        ("[1.25, -0.25]", "class 1 has -0.25, which is negative"),
        ("[0.25, 0.25]", "sums to 0.5"),
        ("0.5", "not a list"),
    ] {
        let answer = format!("print(json.dumps({{'probabilities': [[0.5, 0.5], {row}, [0.5, 0.5]]}}))");
        let (error, text) = error_of(&answer);
        assert!(matches!(error, Error::NotADistribution { row: 1, .. }), "{text}");
        assert!(text.contains("row 1") && text.contains(word), "{text}");
    }
    let (error, text) = error_of("print(json.dumps({'logits': [[0, 0], [0, float('nan')], [0, 0]]}))");
    assert!(matches!(error, Error::NotADistribution { row: 1, .. }), "{text}");
}

#[test]
fn rows_are_counted_over_the_whole_run() {
    if !python() {
        return;
    }
    let answer = "print(json.dumps({'probabilities': [[0.5, 0.5] if 'party' in t else [None, 1] for t in texts]}))";
    let text = TextInstance::new("a surprise party for a friend of mine").unwrap();
    let row = |batch: usize| {
        let model = start(&answering(answer), 20.0).unwrap();
        match lipex().seed(3).batch_size(batch).explain(&text, &model).unwrap_err() {
            Error::NotADistribution { row, .. } => row,
            other => panic!("{other}"),
        }
    };
    assert!(row(2) > 0);
    assert_eq!((row(1), row(2)), (row(64), row(64)));
}

#[test]
fn chatter_is_shown_with_what_to_do() {
    if !python() {
        return;
    }
    let (error, text) = one_line(start(&format!("print('Loading weights')\n{GOOD}"), 20.0).unwrap_err());
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("first line must be") && text.contains("Loading weights"), "{text}");
    let (error, text) = error_of("print('predicting', len(texts)); print('{\"probabilities\":[[0.5,0.5]]}')");
    assert!(matches!(error, Error::Model(_)), "{text}");
    assert!(text.contains("\"predicting 3\"") && text.contains("to stderr"), "{text}");
    let (_, text) = error_of("print(json.dumps({'error': 'x' * 5000}))");
    assert!(text.contains("\"probabilities\""), "{text}");
    // A line after the answer is found before the next batch is sent.
    let model = start(&answering("print('{\"probabilities\":[[0.5,0.5]]}\\ndone')"), 20.0).unwrap();
    ask(&model, &["x"]).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let (_, text) = one_line(ask(&model, &["x"]).unwrap_err());
    assert!(text.contains("nothing had asked for, \"done\""), "{text}");
}

#[test]
fn a_flood_of_stderr_blocks_nothing() {
    if !python() {
        return;
    }
    let answer = "sys.stderr.write('noise ' * 500000 + 'the end'); print(json.dumps({'probabilities': [[0.5, 0.5]]}))";
    let model = start(&answering(answer), 20.0).unwrap();
    for _ in 0..3 {
        ask(&model, &["x"]).unwrap();
    }
    let (_, text) = one_line(ask(&model, &["x", "y"]).unwrap_err());
    assert!(text.contains("…") && text.contains("noise the end"), "{text}");
}

/// What a script of the repository's examples says of two reviews.
fn example(name: &str) -> Result<Vec<f32>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let command = format!("python3 {}", shlex::try_quote(file.to_str().unwrap()).unwrap());
    let model = CommandModel::start(&command, Duration::from_secs(120))?;
    assert_eq!(labels(&model), ["bad", "good"]);
    ask(&model, &["a wonderful story", "a dreadful story", ""])
}

#[test]
fn the_examples_tell_wonderful_from_dreadful() {
    if !python() {
        return;
    }
    let p = example("predict_stub.py").unwrap();
    assert!(p[1] > 0.9 && p[3] < 0.1 && p[5] == 0.5, "{p:?}");
    if !Command::new("python3").args(["-c", "import sklearn"]).status().is_ok_and(|s| s.success()) {
        println!("skipped: python3 has no scikit-learn");
        return;
    }
    let p = example("sklearn_predict.py").unwrap();
    assert!(p[1] > 0.6 && p[3] < 0.4, "{p:?}");
}

#[test]
fn no_process_is_left_behind() {
    if !python() || !Path::new("/proc/self").exists() {
        println!("skipped: processes are looked for in /proc");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("import os\nopen({:?}, 'w').write(str(os.getpid()))\n{GOOD}", pid_file.to_str().unwrap());
    let command = command_of(folder.path(), &script);
    let process = || format!("/proc/{}", std::fs::read_to_string(&pid_file).unwrap());
    let model = CommandModel::start(&command, Duration::from_secs(20)).unwrap();
    assert!(Path::new(&process()).exists());
    drop(model);
    assert!(!Path::new(&process()).exists());
    let silent = script.replace("print(", "import time; time.sleep(60); print(");
    let command = command_of(folder.path(), &silent);
    CommandModel::start(&command, Duration::from_secs(1)).unwrap_err();
    assert!(!Path::new(&process()).exists());
}
