//! `lipex batch`: the same bytes whatever happens on the way.

use crate::common::{has_python, lipex, path, refused, run};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const WORDS: [&str; 16] = [
    "happy",
    "angry",
    "the",
    "party",
    "was",
    "awful",
    "nobody",
    "loves",
    "rain",
    "scared",
    "friends",
    "gone",
    "thanks",
    "night",
    "disgusting",
    "wow",
];

/// A table of so many short texts, as CSV with ids; the row `bad` has no text.
fn table(folder: &Path, rows: usize, bad: Option<usize>) -> String {
    let mut csv = String::from("id,review\n");
    for i in 0..rows {
        let words: Vec<&str> = (0..4 + i % 5).map(|k| WORDS[(i * 7 + k * (3 + i % 4)) % WORDS.len()]).collect();
        csv += &match bad == Some(i) {
            true => format!("r{i},\n"),
            false => format!("r{i},\"{}, and {i}\"\n", words.join(" ")),
        };
    }
    let file = path(folder, "reviews.csv");
    std::fs::write(&file, csv).unwrap();
    file
}

/// The arguments of a batch over that table.
fn over<'a>(table: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["batch", table, "--text-column", "review", "--id-column", "id", "--samples", "40", "-o", out];
    [&own, more].concat()
}

fn ended(output: &Output, code: i32) -> String {
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    told
}

fn rows(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn workers_and_parts_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), 23, Some(9));
    let at = |name: &str| path(folder.path(), name);
    let (one, four) = (at("one.jsonl"), at("four.jsonl"));
    ended(&run(&over(&table, &one, &["--workers", "1"])), 4);
    ended(&run(&over(&table, &four, &["--workers", "4", "--threads", "2"])), 4);
    let whole = std::fs::read(&one).unwrap();
    assert_eq!(whole, std::fs::read(&four).unwrap());
    let mut parts = Vec::new();
    for (i, code) in [(1, 0), (2, 4), (3, 0)] {
        let (part, shard) = (at(&format!("part{i}.jsonl")), format!("{i}/3"));
        ended(&run(&over(&table, &part, &["--shard", &shard])), code);
        parts.extend(std::fs::read(&part).unwrap());
    }
    assert_eq!(whole, parts);
    let rows = rows(&one);
    assert_eq!(rows.len(), 23);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!((row["row"].as_u64(), row["id"].as_str()), (Some(i as u64), Some(format!("r{i}").as_str())));
        assert_eq!(row["error"].is_null(), i != 9, "{row}");
        assert_eq!(row["explanation"].is_null(), i == 9);
    }
    assert!(rows[9]["error"].as_str().unwrap().contains("empty"), "{}", rows[9]);
    // A row is what one text alone gives.
    let text = std::fs::read_to_string(&table).unwrap().lines().nth(5).unwrap().split_once(',').unwrap().1.to_string();
    let alone: Value = crate::common::json(&["text", text.trim_matches('"'), "--samples", "40", "--json", "-"]);
    let mut alone = alone.as_object().unwrap().clone();
    alone.remove("timings_ms");
    let saved: Value = serde_json::from_str(rows[4]["explanation"].as_str().unwrap()).unwrap();
    assert_eq!(saved, Value::Object(alone));
    assert_eq!(rows[4]["p_model"], saved["probabilities"]["model"]);
}

/// A small generator: moments need not be the same in every run, and differ between kills.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Kills a batch thirty times, each after at most `most` of a run's time, a third of them with a torn tail, lets it end, and compares it with one that was left alone.
fn killed_thirty_times(
    program: &str,
    arguments: impl Fn(&str) -> Vec<String>,
    folder: &Path,
    (code, most): (i32, f64),
) {
    let (whole, killed) = (path(folder, "whole.jsonl"), path(folder, "killed.jsonl"));
    let command = |out: &str, workers: &str| {
        let mut command = Command::new(program);
        command.args(arguments(out)).args(["--workers", workers]).stdin(Stdio::null());
        command
    };
    let start = Instant::now();
    ended(&command(&whole, "1").output().unwrap(), code);
    let once = start.elapsed();
    let journal = format!("{killed}.part");
    let (mut state, mut torn, mut lengths) = (std::process::id().into(), 0, Vec::new());
    for kill in 1..=30 {
        let mut child = command(&killed, if kill % 2 == 0 { "1" } else { "3" });
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(once.mul_f64((next(&mut state) % 1000) as f64 / 1000.0 * most));
        child.kill().unwrap();
        child.wait().unwrap();
        // A machine that has become faster since the first run may be done before the last kill: begin again.
        if Path::new(&killed).exists() {
            assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(&killed).unwrap());
            std::fs::remove_file(&killed).unwrap();
        }
        let Ok(about) = std::fs::metadata(&journal) else { continue };
        let cut = next(&mut state) % 700;
        if kill % 3 == 0 && about.len() > cut {
            std::fs::File::options().write(true).open(&journal).unwrap().set_len(about.len() - cut).unwrap();
            torn += 1;
        }
        lengths.push(about.len());
    }
    assert!(torn >= 3, "{torn} of {lengths:?}");
    ended(&command(&killed, "1").output().unwrap(), code);
    assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(&killed).unwrap());
    // Something was there to go on from.
    assert!(lengths.windows(2).any(|pair| pair[1] > pair[0] && pair[0] > 1000), "{lengths:?}");
}

#[test]
fn thirty_kills_and_torn_tails_change_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), 150, Some(60));
    let arguments = |out: &str| over(&table, out, &[]).into_iter().map(String::from).collect();
    killed_thirty_times(env!("CARGO_BIN_EXE_lipex"), arguments, folder.path(), (4, 0.25));
}

/// The tweets of emotion/test where they are at hand, else as many made of words.
fn tweets(folder: &Path) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/emotion/test.txt");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: there is no {}; made texts in its place", file.display());
        return table(folder, 2000, None);
    };
    let quoted = |line: &str| line.rsplit_once(';').map(|(text, _)| format!("\"{}\"", text.replace('"', "\"\"")));
    let rows: Vec<String> =
        text.lines().filter_map(quoted).enumerate().map(|(i, text)| format!("r{i},{text}\n")).collect();
    assert_eq!(rows.len(), 2000);
    let csv = path(folder, "tweets.csv");
    std::fs::write(&csv, format!("id,review\n{}", rows.concat())).unwrap();
    csv
}

/// By the program that `LIPEX` names, one that is built for speed: CI has it from the README's first command.
#[test]
#[ignore = "takes a minute with a release build"]
fn two_thousand_tweets_killed_thirty_times() {
    let folder = tempfile::tempdir().unwrap();
    let table = tweets(folder.path());
    let program = std::env::var("LIPEX").unwrap_or_else(|_| env!("CARGO_BIN_EXE_lipex").into());
    let model = format!("onnx:{}/../examples/models/emotions", env!("CARGO_MANIFEST_DIR"));
    let more = ["--model", &model, "--samples", "60"];
    let arguments = |out: &str| {
        // The options of a table, but for their number of samples.
        let own = ["batch", &table, "--text-column", "review", "--id-column", "id", "-o", out];
        own.iter().chain(&more).map(|a| a.to_string()).collect()
    };
    // A run that goes on keeps what it has, so all kills together take less than one.
    killed_thirty_times(&program, arguments, folder.path(), (0, 0.04));
}

#[test]
fn a_full_disk_is_a_mistake_and_the_run_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), 30, None);
    let (whole, full) = (path(folder.path(), "whole.jsonl"), path(folder.path(), "full.jsonl"));
    ended(&run(&over(&table, &whole, &[])), 0);
    // A file may have 64 blocks of 512 bytes or of 1024, as the shell has it.
    let mut shell = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_lipex")]).args(over(&table, &full, &[]));
    let told = ended(&shell.output().unwrap(), 2);
    assert!(told.lines().count() == 1 && told.contains("rows are kept") && told.contains("goes on"), "{told}");
    let kept = rows(&format!("{full}.part")).len();
    assert!((2..30).contains(&kept) && !Path::new(&full).exists(), "{kept}");
    let told = ended(&run(&over(&table, &full, &[])), 0);
    assert!(told.contains("30 rows explained, 0 failed"), "{told}");
    assert_eq!(std::fs::read(&whole).unwrap(), std::fs::read(&full).unwrap());
    assert!(!Path::new(&format!("{full}.part")).exists());
}

#[test]
fn another_run_is_not_mixed_in() {
    let folder = tempfile::tempdir().unwrap();
    let table_file = table(folder.path(), 4, Some(2));
    let out = path(folder.path(), "out.jsonl");
    ended(&run(&over(&table_file, &out, &[])), 4);
    let first = std::fs::read(&out).unwrap();
    let told = refused(&over(&table_file, &out, &["--seed", "1"]), 2);
    assert!(told.contains("other settings (settings)") && told.contains("--restart"), "{told}");
    // Done again from the journal: the same.
    ended(&run(&over(&table_file, &out, &[])), 4);
    assert_eq!(std::fs::read(&out).unwrap(), first);
    table(folder.path(), 4, None);
    let told = refused(&over(&table_file, &out, &[]), 2);
    assert!(told.contains("(sha256)"), "{told}");
    ended(&run(&over(&table_file, &out, &["--restart"])), 0);
    assert!(rows(&out).iter().all(|row| row["error"].is_null()));
    let told = refused(&over(&table_file, &out, &[]), 2);
    assert!(told.contains("is there already"), "{told}");
    for (arguments, word) in [
        (vec!["batch", &table_file, "-o", &out], "--text-column"),
        (vec!["batch", &table_file, "-o", "-", "--text-column", "review"], "jsonl"),
        (vec!["batch", &table_file, "-o", &out, "--text-column", "nothing"], "it has id, review"),
        (vec!["batch", &table_file, "-o", &out, "--text-column", "review", "--segments", "slic"], "photos"),
        (vec!["batch", "nowhere.csv", "-o", &out], "No such file"),
        (over(&table_file, &out, &["--shard", "5/4"]), "1/N"),
        (over(&table_file, &out, &["--workers", "0"]), "at least 1"),
        (over(&table_file, &out, &["--answers", "f"]), "journal"),
    ] {
        let told = refused(&arguments, 2);
        assert!(told.contains(word), "{told}");
    }
}

/// A program that dies of a text with `poison` unless the file is there, and gives no distribution for `odd`.
const PROGRAM: &str = r#"import json, os, sys
print(json.dumps({"labels": ["no", "yes"]}), flush=True)
for line in sys.stdin:
    texts = json.loads(line)["texts"]
    if any("poison" in t for t in texts) and not os.path.exists(sys.argv[1]):
        sys.exit("poisoned")
    rows = [[.5, .7] if "odd" in t else [.25, .75] if "good" in t else [.75, .25] for t in texts]
    print(json.dumps({"probabilities": rows}), flush=True)
"#;

#[test]
fn a_poisoned_row_harms_no_other() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| path(folder.path(), name);
    std::fs::write(at("model.py"), PROGRAM).unwrap();
    let model = format!("command:python3 '{}' '{}'", at("model.py"), at("cure"));
    let texts = ["a good day", "poison and good", "an odd one", "good poison", "bad day", "poison", "good good night"];
    let lines = |texts: &[&str]| -> String {
        texts.iter().enumerate().map(|(i, text)| format!("{{\"id\":{i},\"text\":\"{text}\"}}\n")).collect()
    };
    let table = at("texts.jsonl");
    std::fs::write(&table, lines(&texts)).unwrap();
    let arguments = |out: &str, more: &[&str]| -> Vec<String> {
        let own = ["batch", &table, "--id-column", "id", "--model", &model, "--samples", "20", "-o", out];
        own.iter().chain(more).map(|a| a.to_string()).collect()
    };
    let go = |out: &str, more: &[&str]| {
        let arguments = arguments(out, more);
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (one, three) = (at("one.jsonl"), at("three.jsonl"));
    let told = ended(&go(&one, &[]), 4);
    assert!(told.contains("3 rows explained, 4 failed") && told.contains("yes (2): good 2/2"), "{told}");
    ended(&go(&three, &["--workers", "3"]), 4);
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&three).unwrap());
    let errors: Vec<Option<String>> = rows(&one).iter().map(|row| row["error"].as_str().map(String::from)).collect();
    for (i, word) in [(1, "poisoned"), (2, "no distribution"), (3, "poisoned"), (5, "poisoned")] {
        assert!(errors[i].as_ref().unwrap().contains(word), "{errors:?}");
    }
    assert!([0, 4, 6].iter().all(|&i| errors[i].is_none()), "{errors:?}");
    // What failed is tried again alone; the rest is as it was.
    std::fs::write(at("cure"), "").unwrap();
    let before = rows(&one);
    ended(&go(&one, &["--retry-failed"]), 4);
    let after = rows(&one);
    assert!([0, 2, 4, 6].iter().all(|&i| before[i] == after[i]), "{after:?}");
    assert!([1, 3, 5].iter().all(|&i| after[i]["error"].is_null()), "{after:?}");
    std::fs::remove_file(at("cure")).unwrap();
    let told = ended(&go(&at("most.jsonl"), &["--max-failures", "2"]), 4);
    assert!(told.contains("3 of 7 rows are done"), "{told}");
    // A program that fails time after time is to blame itself: its rows are kept for later.
    let dead = [texts[0], "poison", "more poison", "and poison", "good"];
    std::fs::write(&table, lines(&dead)).unwrap();
    let told = ended(&go(&at("dead.jsonl"), &["--restarts", "2", "--workers", "2"]), 3);
    assert!(told.contains("3 times in a row") && told.contains("1 of 5 rows are done"), "{told}");
    std::fs::write(at("cure"), "").unwrap();
    ended(&go(&at("dead.jsonl"), &["--restarts", "2"]), 0);
}

#[test]
fn an_interrupted_run_says_that_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), 400, None);
    let out = path(folder.path(), "out.jsonl");
    let arguments = over(&table, &out, &[]);
    let child = lipex(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = format!("{out}.part");
    let start = Instant::now();
    while std::fs::metadata(&journal).map_or(0, |about| about.len()) < 5000 {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing is done");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let told = ended(&child.wait_with_output().unwrap(), 130);
    assert!(told.contains("of 400 rows are done; the same command goes on"), "{told}");
    assert!(rows(&journal).len() > 1 && !Path::new(&out).exists());
}

#[test]
fn photos_of_a_folder_and_of_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models/digits");
    std::fs::copy(digits.join("3.png"), photos.join("b.png")).unwrap();
    std::fs::copy(digits.join("3.png"), photos.join("a.png")).unwrap();
    std::fs::write(photos.join("broken.png"), "no picture").unwrap();
    let model = format!("onnx:{}", digits.display());
    let more = ["--segments", "grid:4x4", "--baseline", "black", "--samples", "60", "--model", &model];
    let (out, out2, page) =
        (path(folder.path(), "o.jsonl"), path(folder.path(), "o2.jsonl"), path(folder.path(), "p.html"));
    let told = ended(&run(&[&["batch", photos.to_str().unwrap(), "-o", &out, "--html", &page], &more[..]].concat()), 4);
    assert!(told.contains("2 rows explained, 1 failed") && told.contains("three (2)\n"), "{told}");
    let of_folder = rows(&out);
    let ids: Vec<&str> = of_folder.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a.png", "b.png", "broken.png"]);
    assert_eq!(of_folder[0]["matrix"], of_folder[1]["matrix"]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("broken.png") && !html.contains("<script"), "{html}");
    let list = path(folder.path(), "list.csv");
    std::fs::write(&list, "name,file\nx,photos/a.png\ny,photos/none.png\n").unwrap();
    let columns = ["--image-column", "file", "--id-column", "name"];
    ended(&run(&[&["batch", &list, "-o", &out2], &columns[..], &more].concat()), 4);
    let of_column = rows(&out2);
    assert_eq!(of_column[0]["matrix"], of_folder[0]["matrix"]);
    assert!(of_column[1]["error"].as_str().unwrap().contains("No such file"), "{}", of_column[1]);
}

/// Reads a parquet file with `LIPEX_PYTHON`'s pyarrow, and prints it as JSON lines; `None` without pyarrow.
#[cfg(feature = "parquet")]
fn by_pyarrow(file: &str) -> Option<Vec<Value>> {
    let python = std::env::var("LIPEX_PYTHON").unwrap_or_else(|_| "python3".into());
    let script = "import json, sys, pyarrow.parquet as p\nt = p.read_table(sys.argv[1])\n\
                  assert t.schema.metadata[b'lipex.schema'] == b'lipex.batch/1', t.schema\n\
                  [print(json.dumps(r)) for r in t.to_pylist()]";
    let output = Command::new(&python).args(["-c", script, file]).output().ok()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("No module named") {
        println!("skipped: {python} has no pyarrow");
        return None;
    }
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_what_json_lines_hold() {
    let folder = tempfile::tempdir().unwrap();
    let table = table(folder.path(), 12, Some(3));
    let at = |name: &str| path(folder.path(), name);
    let (lines, first, again) = (at("out.jsonl"), at("out.parquet"), at("again.parquet"));
    ended(&run(&over(&table, &lines, &[])), 4);
    ended(&run(&over(&table, &first, &[])), 4);
    ended(&run(&over(&table, &again, &["--workers", "3"])), 4);
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&again).unwrap());
    if let Some(read) = by_pyarrow(&first) {
        assert_eq!(read, rows(&lines));
    }
    // In: its own explanations are texts as well, and its row numbers ids.
    let back = at("back.jsonl");
    let columns = ["--text-column", "predicted", "--id-column", "row", "--samples", "10", "-o", &back];
    ended(&run(&[&["batch", &first], &columns[..]].concat()), 4);
    let back = rows(&back);
    assert_eq!((back.len(), back[5]["id"].as_i64()), (12, Some(5)));
    assert!(back[3]["error"].as_str().unwrap().contains("no predicted"), "{}", back[3]);
    let told = refused(&["batch", &first, "--text-column", "matrix", "-o", &at("x.jsonl")], 2);
    assert!(told.contains("holds no texts"), "{told}");
}
