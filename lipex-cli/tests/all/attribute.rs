//! `lipex attribute`: scores of words and segments by removals and by gradients.

use crate::common::{json, refused, told};
use serde_json::Value;

const TEXT: &str = "what a wonderful party, but I am sad";

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The probability of a class that the embedded model gives a text.
fn probability(text: &str, class: &str) -> f64 {
    let found = json(&["attribute", text, "--method", "random", "--json", "-"]);
    let at = found["classes"].as_array().unwrap().iter().position(|c| c == class).unwrap();
    found["probabilities"][at].as_f64().unwrap()
}

#[test]
fn leave_one_out_is_what_the_model_loses() {
    let found = json(&["attribute", TEXT, "--method", "leave-one-out", "--output", "probability", "--json", "-"]);
    assert_eq!((&found["schema"], &found["output"]), (&"lipex.attributions/1".into(), &"probability".into()));
    let row = found["classes"].as_array().unwrap().iter().position(|c| c == "joy").unwrap();
    let word = |name: &str| found["features"].as_array().unwrap().iter().position(|f| f["name"] == name).unwrap();
    let whole = probability(TEXT, "joy");
    for (name, rest) in [("wonderful", "what a  party, but I am sad"), ("sad", "what a wonderful party, but I am ")] {
        let score = numbers(&found["scores"][row])[word(name)];
        assert!((score - (whole - probability(rest, "joy"))).abs() < 1e-6, "{name}: {score}");
        assert!(score.abs() > 0.01, "{name}: {score}");
    }
    assert_eq!((found["delta"].is_null(), numbers(&found["outside"])[row]), (true, 0.0));
    // A window of two is the loss without both, for either; the middle word is in two of them.
    let text = "sad party today";
    let pairs = json(&["attribute", text, "--method", "occlusion", "--output", "probability", "--json", "-"]);
    let (scores, class) = (numbers(&pairs["scores"][0]), pairs["classes"][0].as_str().unwrap());
    let lost = |rest: &str| probability(text, class) - probability(rest, class);
    let (first, last) = (lost("  today"), lost("sad  "));
    for (score, expected) in scores.iter().zip([first, first + last, last]) {
        assert!((score - expected).abs() < 1e-6, "{scores:?}");
    }
}

#[test]
fn a_contrast_is_the_difference_of_two_rows() {
    let all = json(&["attribute", TEXT, "--method", "leave-one-out", "--json", "-"]);
    let one =
        json(&["attribute", TEXT, "--method", "leave-one-out", "--output", "contrast:joy:sadness", "--json", "-"]);
    let row = |class: &str| {
        let at = all["classes"].as_array().unwrap().iter().position(|c| c == class).unwrap();
        numbers(&all["scores"][at])
    };
    assert_eq!((&one["classes"], &one["against"]), (&serde_json::json!(["joy"]), &"sadness".into()));
    let (joy, sadness, both) = (row("joy"), row("sadness"), numbers(&one["scores"][0]));
    for ((a, b), both) in joy.iter().zip(&sadness).zip(&both) {
        assert!((a - b - both).abs() < 1e-9);
    }
    let report = told(&["attribute", TEXT, "--method", "leave-one-out", "--contrast", "joy:sadness", "--top", "2"]);
    for said in
        ["Scores of each word by leave-one-out, for the logit", "joy over sadness (logit): wonderful", "Lowest:"]
    {
        assert!(report.contains(said), "{said}: {report}");
    }
}

#[test]
fn photos_are_covered_by_squares_and_by_segments() {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");
    let photo = format!("{digits}/3.png");
    let model = format!("onnx:{digits}");
    let run = |method: &[&str]| {
        let all = ["attribute", &photo, "--model", &model, "--segments", "grid:4x4", "--json", "-", "--method"];
        json(&[&all[..], method].concat())
    };
    let squares = run(&["occlusion", "--window", "16", "--stride", "16"]);
    let segments = run(&["leave-one-out", "--baseline", "black"]);
    assert_eq!(squares["output"], "probability");
    // Squares that are the segments: each of the 256 pixels is under one, and gets its loss.
    for (a, b) in numbers(&squares["scores"][0]).iter().zip(numbers(&segments["scores"][0])) {
        assert!((a - 256.0 * b).abs() < 1e-6, "{a} and {b}");
    }
    assert!(numbers(&segments["scores"][0]).iter().any(|s| s.abs() > 0.01));
    // As published, one pixel apart, where that is not many; else fewer squares.
    let usual = run(&["occlusion"]);
    for (name, value) in [("window", "15"), ("stride", "2"), ("squares", "676")] {
        assert_eq!(usual["method"][name], value, "{}", usual["method"]);
    }
    let random = run(&["random", "--seed", "4"]);
    assert_ne!(random["scores"], run(&["random", "--seed", "5"])["scores"]);
    assert_eq!(random["scores"], run(&["random", "--seed", "4"])["scores"]);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let refused = |arguments: &[&str]| refused(&[&["attribute", "so sad"], arguments].concat(), 2);
    for (arguments, said) in [
        (&["--method", "salience"][..], "did you mean saliency?"),
        (
            &["--method", "random", "--steps", "3"],
            "random: has no --steps; that is of integrated-gradients, smoothgrad, guided-ig, blur-ig, xrai",
        ),
        (&["--method", "leave-one-out", "--baseline", "black"], "--removed"),
        (
            &["--method", "leave-one-out", "--output", "odds"],
            "output = odds: choose logit, probability or contrast:A:B",
        ),
        (&["--method", "leave-one-out", "--output", "contrast:joy:joy"], "two different classes"),
        (&["--method", "occlusion", "--window", "3"], "a window has 1 to 2 features"),
        (&["--method", "occlusion", "--stride", "3"], "is of photos"),
        (&["--method", "random", "--rank", "effect"], "--rank"),
        (&["--method", "random", "--compat", "captum"], "has no --compat; that is of guided, deeplift"),
    ] {
        let message = refused(arguments);
        assert!(message.contains(said), "{arguments:?}: {message}");
    }
}

#[test]
fn one_word_is_a_window_of_its_own() {
    let scores = |method| json(&["attribute", "happy", "--method", method, "--json", "-"])["scores"].clone();
    assert_eq!(scores("occlusion"), scores("leave-one-out"));
}

#[cfg(not(feature = "gradients"))]
#[test]
fn without_the_feature_a_line_says_how_to_get_it() {
    let message = refused(&["attribute", "so sad", "--method", "saliency"], 2);
    assert!(message.contains("cargo install lipex-cli --features gradients"), "{message}");
}

#[cfg(feature = "gradients")]
mod gradients {
    use super::*;
    use crate::common::path;

    const MODEL: &str = concat!("onnx:", env!("CARGO_MANIFEST_DIR"), "/../examples/models/emotions");

    fn run(arguments: &[&str]) -> Value {
        json(&[&["attribute", TEXT, "--model", MODEL, "--json", "-", "--method"], arguments].concat())
    }

    #[test]
    fn sums_of_scores_are_what_the_output_moved_by() {
        for method in
            [&["deeplift"][..], &["integrated-gradients", "--steps", "auto"], &["deeplift", "--baseline", "pad"]]
        {
            let found = run(method);
            let (totals, deltas) = (numbers(&found["total"]), numbers(&found["delta"]));
            assert_eq!(found["classes"].as_array().unwrap().len(), 7);
            for (row, (total, delta)) in totals.iter().zip(&deltas).enumerate() {
                let sum: f64 = numbers(&found["scores"][row]).iter().sum::<f64>() + numbers(&found["outside"])[row];
                assert!((sum - total - delta).abs() < 1e-4, "{method:?}: {sum} for {total} + {delta}");
                assert!(delta.abs() < 0.01 * total.abs().max(0.1), "{method:?}: {delta} of {total}");
            }
        }
    }

    #[test]
    fn an_integral_of_one_point_is_warned_of() {
        let arguments =
            ["attribute", TEXT, "--model", MODEL, "--method", "integrated-gradients", "--output", "probability"];
        let report = told(&[&arguments[..], &["--steps", "1"]].concat());
        assert!(report.contains("off what they should add up to") && report.contains("--steps auto"), "{report}");
        let enough = told(&[&arguments[..], &["--steps", "auto"]].concat());
        assert!(!enough.contains("off what they") && enough.contains("Off by at most"), "{enough}");
    }

    #[test]
    fn every_method_says_what_it_did() {
        for (method, settings) in [
            (&["saliency"][..], &[("method", "saliency"), ("pool", "l2"), ("cut", "word (vectors)")][..]),
            (&["guided", "--cut", "vectors"], &[("method", "guided"), ("cut", "vectors")]),
            (&["input-x-gradient"], &[("pool", "sum")]),
            (&["deeplift", "--compat", "captum"], &[("compat", "captum"), ("pool", "sum")]),
            (
                &["smoothgrad", "--steps", "3", "--noise", "0.1", "--seed", "2"],
                &[("steps", "3"), ("noise", "0.1"), ("seed", "2")],
            ),
            (&["integrated-gradients", "--baseline", "pad"], &[("steps", "50"), ("baseline", "pad")]),
            (
                &["guided-ig", "--steps", "60", "--fraction", "0.5", "--distance", "0.1"],
                &[("steps", "60"), ("fraction", "0.5"), ("distance", "0.1"), ("baseline", "zeros"), ("pool", "sum")],
            ),
        ] {
            let found = run(method);
            for (name, value) in settings {
                assert_eq!(found["method"][name], *value, "{method:?}");
            }
            assert!(numbers(&found["scores"][0]).iter().any(|s| s.abs() > 1e-6), "{method:?}: {found}");
        }
    }

    #[test]
    fn photos_have_their_pixels_in_segments() {
        let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");
        let photo = path(std::path::Path::new(digits), "3.png");
        let model = format!("onnx:{digits}");
        let all = ["attribute", &photo, "--model", &model, "--segments", "grid:8x8", "--method", "deeplift"];
        let found = json(&[&all[..], &["--baseline", "black", "--json", "-"]].concat());
        assert_eq!((found["features"].as_array().unwrap().len(), &found["output"]), (64, &"probability".into()));
        assert!(numbers(&found["delta"]).iter().all(|d| d.abs() < 1e-5), "{}", found["delta"]);
        let report = told(&all);
        assert!(report.contains("Scores of each segment by deeplift") && report.contains("three"), "{report}");
    }

    #[test]
    fn methods_of_photos() {
        let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");
        let photo = path(std::path::Path::new(digits), "3.png");
        let model = format!("onnx:{digits}");
        let run = |method: &[&str]| {
            let all = ["attribute", &photo, "--model", &model, "--segments", "grid:4x4", "--classes", "top:1"];
            json(&[&all[..], &["--json", "-", "--method"], method].concat())
        };
        let of = |found: &Value| numbers(&found["scores"][0]);
        let xrai = run(&["xrai"]);
        assert_eq!((&xrai["method"]["steps"], &xrai["delta"]), (&"100".into(), &Value::Null));
        // The mean over a segment's pixels, of which the model sees 4 each: a pixel's number is of the same order.
        assert!(of(&xrai).iter().all(|s| s.abs() < 0.2) && of(&xrai).iter().any(|s| s.abs() > 1e-3), "{xrai}");
        let blur = run(&["blur-ig", "--sigma", "4", "--steps", "400", "--output", "logit"]);
        let (total, sum) = (numbers(&blur["total"])[0], of(&blur).iter().sum::<f64>());
        assert!((sum - total).abs() < 0.05 * total.abs() && total.abs() > 0.5, "{sum} for {total}");
        let guided = run(&["guided-ig", "--baseline", "black", "--steps", "400", "--output", "logit"]);
        let (total, sum) = (numbers(&guided["total"])[0], of(&guided).iter().sum::<f64>());
        assert!((sum - total).abs() < 0.05 * total.abs() && total.abs() > 0.5, "{sum} for {total}");
        // This network has no planes but its input.
        let cam = run(&["gradcam", "--layer", "pixel_values"]);
        assert_eq!(cam["method"]["layer"], "pixel_values");
        assert!(of(&cam).iter().all(|s| *s >= 0.0) && of(&cam).iter().any(|s| *s > 0.0), "{cam}");
        let all = ["attribute", &photo, "--model", &model, "--method"];
        let message = refused(&[&all[..], &["gradcam"]].concat(), 2);
        assert!(message.contains("layer = the last one: is no tensor of channels and planes"), "{message}");
        let message = refused(&[&all[..], &["xrai", "--pool", "l2"]].concat(), 2);
        assert!(message.contains("xrai: has no --pool"), "{message}");
        let message = refused(&["attribute", TEXT, "--model", MODEL, "--method", "blur-ig"], 2);
        assert!(message.contains("is of photos"), "{message}");
    }

    #[test]
    fn a_model_that_cannot_be_looked_into_is_refused() {
        let message = refused(&["attribute", "so sad", "--method", "saliency"], 2);
        assert!(message.contains("--model onnx:FOLDER"), "{message}");
        let message = refused(&["attribute", TEXT, "--model", MODEL, "--method", "saliency", "--cut", "block"], 2);
        assert!(message.contains("cut = block: the graph has no such place"), "{message}");
        let message = refused(&["attribute", TEXT, "--model", MODEL, "--method", "deeplift", "--baseline", "mean"], 2);
        assert!(message.contains("choose zeros, pad or nearest:FILE"), "{message}");
    }
}
