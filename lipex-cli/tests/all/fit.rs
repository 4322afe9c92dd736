//! `lipex fit` as a stranger runs it, against SciPy, scikit-learn and `lipex text`.

use crate::common;

use common::{bytes, json, keys, matrix, path, refused};
use serde_json::Value;
use std::collections::BTreeMap;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/npy/");

fn golden(name: &str) -> String {
    format!("{GOLDEN}{name}")
}

/// A fit on the golden neighbourhood.
fn fit(arguments: &[&str]) -> Value {
    let files = [golden("masks.npy"), golden("probs.npy"), golden("weights.npy")];
    json(&[&["fit", "--masks", &files[0], "--probs", &files[1], "--weights", &files[2]], arguments].concat())
}

/// The document without its times.
fn untimed(mut document: Value) -> Value {
    document.as_object_mut().unwrap().remove("timings_ms").expect("timings_ms");
    document
}

/// What golden/stages.py found with SciPy and scikit-learn.
fn found(part: &str) -> Value {
    let all: BTreeMap<String, Value> = serde_json::from_str(include_str!("../golden/stages.json")).unwrap();
    all[part].clone()
}

fn vector(document: &Value, key: &str) -> Vec<f64> {
    serde_json::from_value(document[key].clone()).unwrap()
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn the_document_has_its_keys() {
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    let text = String::from_utf8(bytes(&["fit", "--masks", &masks, "--probs", &probs, "--json", "-"])).unwrap();
    let expected = [
        "schema",
        "kept",
        "matrix",
        "intercept",
        "support",
        "link",
        "terms",
        "coefficients",
        "base",
        "tree",
        "own",
        "objective",
        "gradient_norm",
        "lambda",
        "iterations",
        "evaluations",
        "hessian_products",
        "converged",
        "stopped",
        "fidelity",
        "std_error",
        "shrinkage",
        "uncertainty",
        "timings_ms",
    ];
    assert_eq!(keys(&text), expected);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], "lipex.fit/1");
    assert_eq!(document["converged"], true);
    assert!(document["std_error"].is_null() && document["shrinkage"].is_null());
    assert_eq!(matrix(&document, "matrix").len(), 3);
    assert!(document["own"].is_null());
    assert_eq!(document["base"]["kind"], "anchored");
    assert!(matrix(&document, "coefficients")[0].len() > matrix(&document, "matrix")[0].len(), "pairs have terms");
    let plain = json(&["fit", "--masks", &masks, "--probs", &probs, "--intercept", "fitted", "--pairs", "none"]);
    assert_eq!((&plain["coefficients"], &plain["base"]["kind"]), (&plain["matrix"], &"fitted".into()));
    assert!(document["timings_ms"]["fit"].as_f64().is_some_and(|ms| ms > 0.0));
    assert!(document["fidelity"]["out_of_fold"]["tv"].as_f64().is_some_and(|tv| (0.0..0.5).contains(&tv)));
}

#[test]
fn a_softmax_reaches_the_optimum_of_scipy() {
    let best = found("softmax");
    let lambda = best["lambda"].to_string();
    let plain = ["--intercept", "fitted", "--pairs", "none"];
    let ours = fit(&[["--lambda", &lambda, "--tolerance", "1e-12"], plain].concat());
    let objective = |d: &Value| d["objective"].as_f64().unwrap();
    assert!((objective(&ours) / objective(&best) - 1.0).abs() < 1e-9, "{} {}", ours["objective"], best["objective"]);
    let off = furthest(&matrix(&ours, "matrix").concat(), &matrix(&best, "matrix").concat());
    assert!(off < 1e-3, "{off}");
    assert!(furthest(&vector(&ours, "intercept"), &vector(&best, "intercept")) < 1e-3);
}

#[test]
fn a_ridge_is_that_of_scikit_learn() {
    let theirs = found("ridge");
    let keep: Vec<String> = vector(&theirs, "keep").iter().map(f64::to_string).collect();
    let alpha = theirs["alpha"].to_string();
    let ours = fit(&["--surrogate", "ridge", "--alpha", &alpha, "--keep", &keep.join(",")]);
    assert!(furthest(&matrix(&ours, "matrix").concat(), &matrix(&theirs, "matrix").concat()) < 1e-9);
    assert!(furthest(&vector(&ours, "intercept"), &vector(&theirs, "intercept")) < 1e-9);
    assert_eq!(ours["lambda"], theirs["alpha"]);
}

#[test]
fn every_form_of_a_file_gives_the_same_fit() {
    let plain = untimed(fit(&[]));
    let with = |masks: &str, probs: &str, weights: &str| {
        let files = [golden(masks), golden(probs), golden(weights)];
        untimed(json(&["fit", "--masks", &files[0], "--probs", &files[1], "--weights", &files[2]]))
    };
    for masks in ["masks-bool-fortran.npy", "masks-f4-fortran.npy", "masks-f8.npy", "masks-version-3.npy"] {
        assert_eq!(with(masks, "probs.npy", "weights.npy"), plain, "{masks}");
    }
    for probs in ["probs-f8-fortran.npy", "probs-big-endian.npy"] {
        assert_eq!(with("masks.npy", probs, "weights-f8.npy"), plain, "{probs}");
    }
    for archive in ["all.npz", "compressed.npz"] {
        assert_eq!(with(archive, archive, archive), plain, "{archive}");
    }
    // Without weights the exponential proximity serves; the golden weights are its.
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    let weighed = untimed(json(&["fit", "--masks", &masks, "--probs", &probs]));
    assert!(furthest(&matrix(&weighed, "matrix").concat(), &matrix(&plain, "matrix").concat()) < 1e-4);
}

#[test]
fn a_saved_neighbourhood_gives_the_matrix_of_the_text_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "around.npz");
    let text = "I can't believe you threw me a surprise party, I'm shaking with joy";
    for method in [
        &["--select", "forward:5"][..],
        &["--select", "all", "--divergence", "kl", "--lambda", "1e-3"],
        &["--select", "highest:3", "--surrogate", "ridge", "--proximity", "exponential:0.4"],
        &["--select", "exclusive:1", "--intercept", "none", "--normalise", "weight", "--threads", "2"],
    ] {
        let explained = json(&[&["text", text, "--json", "-", "--save-neighbourhood", &file], method].concat());
        // Its weights are in the file.
        let at = method.iter().position(|a| *a == "--proximity").unwrap_or(method.len());
        let again = ["fit", "--masks", &file, "--probs", &file, "--weights", &file, "--repeat", "2"];
        let fitted = json(&[&again, &method[..at]].concat());
        for key in ["kept", "matrix", "intercept", "fidelity"] {
            assert_eq!(fitted[key], explained[key], "{method:?}: {key}");
        }
        assert_eq!(fitted["objective"], explained["fit"]["objective"]);
        let selected = [&["select", "--masks", &file, "--probs", &file, "--weights", &file], &method[..2]].concat();
        assert_eq!(json(&selected)["kept"], explained["kept"], "{method:?}");
    }
}

#[test]
fn error_bars_are_those_of_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "around.npz");
    let text = "a dreadful film with a wonderful cast";
    for (sampler, rows) in [
        ("uniform-size", "unknown"),
        ("antithetic", "pairs"),
        ("exhaustive", "exhaustive"),
        ("weight-proportional", "stratified"),
        ("kernel-shap", "exhaustive"),
    ] {
        let draw = ["--sampler", sampler, "--uncertainty", "--select", "forward:2", "--enumerate", "never"];
        let explained = json(&[&["text", text, "--json", "-", "--save-neighbourhood", &file], &draw[..]].concat());
        let again = ["fit", "--masks", &file, "--probs", &file, "--weights", &file, "--uncertainty"];
        let fitted = json(&[&again[..], &["--select", "forward:2"]].concat());
        let bars = &explained["uncertainty"];
        assert_eq!(fitted["uncertainty"]["rows"], rows);
        assert_eq!(fitted["fidelity"], explained["fidelity"], "{sampler}");
        assert_eq!((&fitted["std_error"], &fitted["shrinkage"]), (&bars["std_error"], &bars["shrinkage"]), "{sampler}");
        assert_eq!(fitted["uncertainty"]["in_top"], bars["in_top"], "{sampler}");
        let errors = matrix(&fitted, "std_error").concat();
        assert_eq!(errors.iter().all(|e| *e > 0.0), rows != "exhaustive", "{errors:?}");
        assert!(fitted["shrinkage"].as_f64().is_some_and(|s| s > 0.0 && s <= 1.0), "{}", fitted["shrinkage"]);
    }
    let ridge = fit(&["--surrogate", "ridge", "--uncertainty"]);
    assert!(ridge["shrinkage"].is_null() && matrix(&ridge, "std_error").concat().iter().all(|e| *e > 0.0));
}

#[test]
fn features_are_kept_by_number_or_selected() {
    assert_eq!(fit(&["--keep", "7,3"])["kept"], serde_json::json!([3, 7]));
    assert_eq!(untimed(fit(&[])), untimed(fit(&["--select", "all"])));
    assert_eq!(untimed(fit(&["--threads", "2", "--repeat", "3"])), untimed(fit(&[])));
    let selected = fit(&["--select", "forward:2"]);
    let kept = selected["kept"].to_string();
    let list = kept.trim_matches(['[', ']']).to_string();
    assert!(matrix(&selected, "matrix")[0].len() < 9);
    assert_eq!(untimed(fit(&["--keep", &list])), untimed(selected));
}

#[test]
fn lambda_is_reported_as_used() {
    for (arguments, lambda) in [
        (&[][..], 1e-4),
        (&["--lambda", "0.002"], 0.002),
        (&["--lambda", "0.002", "--divergence", "kl"], 0.008),
        (&["--lambda", "0.002", "--divergence", "kl", "--lambda-scale", "raw"], 0.002),
    ] {
        let used = fit(arguments)["lambda"].as_f64().unwrap();
        assert!((used / lambda - 1.0).abs() < 1e-12, "{arguments:?}: {used}");
    }
    let chosen = fit(&["--lambda", "auto"])["lambda"].as_f64().unwrap();
    assert!((1e-6..=1e-2).contains(&chosen), "{chosen}");
}

#[test]
fn mistakes_are_told_in_one_line_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path(), "x.json");
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    let good = ["fit", "--masks", &masks, "--probs", &probs, "--json", &out];
    for (arguments, word) in [
        (&["--keep", "9"][..], "0 to 8"),
        (&["--keep", ""], "number of a feature"),
        (&["--keep", "1,x"], "\"x\""),
        (&["--keep", "1,1"], "named twice"),
        (&["--keep", "1", "--select", "all"], "cannot be used with"),
        (&["--surrogate", "forest"], "softmax, ridge"),
        (&["--surrogate", "ridge", "--tolerance", "1e-3"], "tolerance"),
        (&["--surrogate", "ridge", "--lambda", "1"], "lambda"),
        (&["--alpha", "1"], "alpha"),
        (&["--surrogate", "ridge", "--alpha", "0"], "alpha"),
        (&["--tolerance", "2"], "tolerance"),
        (&["--lambda", "-1"], "lambda"),
        (&["--repeat", "0"], "repeat"),
        (&["--divergence", "far"], "hellinger"),
    ] {
        let message = refused(&[&good, arguments].concat(), 2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
    assert!(!std::path::Path::new(&out).exists());
}

#[test]
fn weights_that_lie_beside_the_masks_are_spoken_of() {
    let folder = tempfile::tempdir().unwrap();
    let (masks, probs) = (path(folder.path(), "drawn.npz"), path(folder.path(), "probs.npz"));
    let text = ["text", "one fine day in the sun, and then a sad one without it"];
    let run = |arguments: &[&str]| {
        let output = common::run(arguments);
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (sampler, noted) in [("weight-proportional", true), ("kernel-shap", true), ("uniform-size", false)] {
        let draw = ["--sampler", sampler, "--samples", "150"];
        run(&[&["perturb", "--features", "12", "--out", &masks], &draw[..]].concat());
        run(&[&text[..], &draw[..], &["--save-neighbourhood", &probs]].concat());
        for stage in ["select", "fit"] {
            let own = [stage, "--masks", &masks, "--probs", &probs];
            let note = run(&own);
            assert_eq!(note.lines().count(), usize::from(noted), "{sampler}, {stage}: {note}");
            assert_eq!(note.starts_with("note: ") && note.contains(&format!("--weights {masks} uses them")), noted);
            // Whoever chooses is not told.
            assert_eq!(run(&[&own[..], &["--proximity", "exponential"]].concat()), "");
            if noted {
                assert_eq!(run(&[&own[..], &["--weights", &masks]].concat()), "");
            }
        }
    }
}
