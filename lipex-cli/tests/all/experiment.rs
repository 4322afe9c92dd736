//! `lipex experiment`: what is written, that it goes on where it was, and what is said of mistakes.

use crate::common::{lipex, path, refused, told};
use serde_json::Value;
use std::path::Path;

const TEXTS: [&str; 5] = [
    "I was so happy until the rain came",
    "I am not happy at all",
    "what a wonderful surprise this is",
    "i feel angry and sad today",
    "nobody loves the awful party",
];

fn table(folder: &Path) -> String {
    let file = path(folder, "texts.csv");
    let rows: Vec<String> = TEXTS.iter().map(|text| format!("\"{text}\"\n")).collect();
    std::fs::write(&file, format!("text\n{}", rows.concat())).unwrap();
    file
}

fn over<'a>(name: &'a str, data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let own = ["experiment", name, "--data", data, "--out", out, "--rounds", "2", "--quiet"];
    let methods = ["--methods", "lipex:samples=60", "lime:samples=60"];
    [&own[..], more, &methods[..]].concat()
}

fn lines(folder: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(Path::new(folder).join("results.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_experiment_is_lines_tables_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (table(folder.path()), path(folder.path(), "done"));
    let said = told(&over("ablation", &data, &out, &["--count", "3"]));
    assert!(said.contains("3 inputs, rounds: 2") && said.contains("flips_1"), "{said}");
    let lines = lines(&out);
    assert_eq!(lines[0]["experiment"], "ablation");
    // Of five rows three at equal distances, two rounds and two methods each.
    assert_eq!(lines[0]["rows"], serde_json::json!([0, 1, 3]));
    assert_eq!(lines.len(), 1 + 3 * 2 * 2);
    assert_eq!((&lines[6]["row"], &lines[6]["method"]), (&3.into(), &"lime:samples=60".into()));
    for file in ["summary.json", "table.md", "table.csv", "flips.svg", "greedy.svg"] {
        assert!(Path::new(&out).join(file).is_file(), "{file}");
    }
    assert!(!Path::new(&out).join("results.part").exists());
    // What is written holds no text.
    let all = std::fs::read_to_string(Path::new(&out).join("results.jsonl")).unwrap();
    assert!(!TEXTS.iter().any(|text| all.contains(&text[..12])));
    let page = path(folder.path(), "page.html");
    told(&["experiment", "report", &out, "--html", &page]);
    assert!(std::fs::read_to_string(page).unwrap().contains("<svg"));
    let again = refused(&over("ablation", &data, &out, &["--count", "3"]), 2);
    assert!(again.contains("--restart"), "{again}");
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (data, whole, torn) = (table(folder.path()), path(folder.path(), "whole"), path(folder.path(), "torn"));
    told(&over("fidelity", &data, &whole, &[]));
    // The journal of a run that ended after three units and half of a fourth.
    let content = std::fs::read_to_string(Path::new(&whole).join("results.jsonl")).unwrap();
    let mut content = content.lines();
    let header = content.next().unwrap();
    let measured: Vec<&str> = content.collect();
    let unit =
        |u: usize| format!("{{\"row\":{u},\"error\":null,\"lines\":[{}]}}\n", measured[2 * u..2 * u + 2].join(","));
    let journal = format!("{header}\n{}{}{}{}", unit(0), unit(1), unit(2), &unit(3)[..20]);
    std::fs::create_dir(&torn).unwrap();
    std::fs::write(Path::new(&torn).join("results.part"), &journal).unwrap();
    // A run with other settings does not go on.
    let other = refused(&over("fidelity", &data, &torn, &["--removed", "mask:UNK"]), 2);
    assert!(other.contains("other settings (settings)"), "{other}");
    told(&over("fidelity", &data, &torn, &[]));
    for file in ["results.jsonl", "summary.json", "table.md", "unseen.svg"] {
        let of = |folder: &str| std::fs::read(Path::new(folder).join(file)).unwrap();
        assert!(of(&whole) == of(&torn), "{file}");
    }
}

#[test]
fn an_input_that_fails_is_counted_and_the_rest_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(folder.path(), "texts.jsonl");
    std::fs::write(&data, "{\"text\": \"I am not happy\"}\n{\"text\": \"\"}\n{\"text\": \"so angry and sad\"}\n")
        .unwrap();
    let out = path(folder.path(), "out");
    let output = lipex(&over("classes", &data, &out, &[])).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("2 failed"), "{said}");
    assert_eq!(lines(&out).len(), 1 + 2 * 2 * 2);
    let journal = std::fs::read_to_string(Path::new(&out).join("results.part")).unwrap();
    assert!(journal.lines().filter(|line| !line.contains("\"error\":null")).count() == 3, "{journal}");
}

#[test]
fn surrogates_follow_a_model_that_is_distorted() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(folder.path(), "texts.csv");
    let rows = [
        "I was so happy until the rain came,joy",
        "i feel angry and sad today,sadness",
        "what a surprise this is,surprise",
    ];
    std::fs::write(&data, format!("text,label\n{}\n", rows.join("\n"))).unwrap();
    let out = path(folder.path(), "out");
    let model = "onnx:../examples/models/emotions";
    let more = ["--model", model, "--sigmas", "0.05,3", "--shuffled", "1", "--label-column", "label"];
    told(&over("distortion", &data, &out, &more));
    let summary: Value = serde_json::from_slice(&std::fs::read(Path::new(&out).join("summary.json")).unwrap()).unwrap();
    let mean = |measure: &str| {
        let found = summary["means"].as_array().unwrap().iter();
        let of = |m: &&Value| m["measure"] == measure && m["method"] == "lipex:samples=60";
        found.clone().find(of).unwrap_or_else(|| panic!("no {measure}"))["mean"].as_f64().unwrap()
    };
    assert!(mean("model_unseen_00.05") < 0.1 && mean("model_unseen_03.00") > 3.0 * mean("model_unseen_00.05"));
    for version in ["00.05", "03.00", "shuffled_01"] {
        let (model, surrogate) =
            (mean(&format!("model_unseen_{version}")), mean(&format!("surrogate_unseen_{version}")));
        assert!((model - surrogate).abs() < 0.35 * model.max(0.02), "{version}: {model} {surrogate}");
    }
    assert!((0.0..=1.0).contains(&mean("right_0")) && (0.0..=1.0).contains(&mean("right_03.00")));
    let own = ["experiment", "distortion", "--data", &data, "--out", &path(folder.path(), "none")].map(String::from);
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    assert!(refused(&own, 2).contains("onnx:FOLDER"));
    let photos =
        ["experiment", "distortion", "--data", "../examples/models/digits", "--out", own[5], "--label-column", "a"];
    assert!(refused(&photos, 2).contains("no columns"));
    let bad = [&own[..], &["--model", model, "--sigmas", "0.1,x"]].concat();
    assert!(refused(&bad, 2).contains("sigmas"));
}

#[test]
#[cfg(feature = "gradients")]
fn gradients_rank_words_of_a_model_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (table(folder.path()), path(folder.path(), "out"));
    let own = ["experiment", "ablation", "--data", &data, "--out", &out, "--rounds", "1", "--quiet"];
    let more = ["--model", "onnx:../examples/models/emotions", "--methods", "input-x-gradient", "deeplift", "random"];
    told(&[&own[..], &more].concat());
    let lines = lines(&out);
    let mean = |method: &str| {
        let of = lines.iter().filter(|line| line["method"] == method);
        of.map(|line| line["comprehensiveness"].as_f64().unwrap()).sum::<f64>() / 5.0
    };
    assert!(mean("deeplift") > mean("random") + 0.1, "{} {}", mean("deeplift"), mean("random"));
    // The demo is no folder; a fit is what fidelity measures.
    let demo = ["experiment", "ablation", "--data", &data, "--out", &out, "--restart", "--methods", "deeplift"];
    assert!(refused(&demo, 2).contains("onnx:FOLDER"));
    let fits = ["experiment", "fidelity", "--data", &data, "--out", &out, "--methods", "deeplift"];
    assert!(refused(&fits, 2).contains("has no surrogate"));
}

#[test]
#[cfg(not(feature = "gradients"))]
fn gradients_are_told_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (table(folder.path()), path(folder.path(), "out"));
    let own = ["experiment", "ablation", "--data", &data, "--out", &out, "--methods", "deeplift"];
    assert!(refused(&own, 2).contains("the feature gradients"));
}

#[test]
fn mistakes_are_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (table(folder.path()), path(folder.path(), "out"));
    let of = |more: &[&str]| refused(&[&["experiment", "fidelity", "--data", &data, "--out", &out], more].concat(), 2);
    for (more, part) in [
        (&["--methods", "limes"][..], "did you mean lime?"),
        (&["--methods", "lipex:samples=many"], "samples"),
        (&["--methods", "lipex", "lipex"], "named twice"),
        (&["--methods", "lipex", "random"], "has no surrogate"),
        (&["--rows", "3..9"], "at most 5"),
        (&["--rounds", "0"], "at least 1"),
        (&["--count", "0"], "at least 1"),
        (&["--segments", "grid:2x2"], "of photos"),
        (&["--sigmas", "0.1"], "of the experiment distortion"),
        (&["--judge", "drop", "--as-released"], "cannot be used with"),
    ] {
        let error = of(more);
        assert!(error.contains(part), "{more:?}: {error}");
    }
    assert!(!Path::new(&out).exists());
    let error = refused(&["experiment", "report", folder.path().to_str().unwrap()], 2);
    assert!(error.contains("has no results.jsonl"), "{error}");
}
