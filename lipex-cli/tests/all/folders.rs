//! `--model onnx:…`, `lipex models check` and `lipex segments`, with the models of examples/models/.

use crate::common::{bytes, json, matrix, path, refused, told};
use std::path::Path;
use std::process::Command;

fn example(name: &str) -> String {
    path(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"), name)
}

#[test]
fn a_folder_and_a_graph_explain_alike() {
    let text = "I am so happy today, thank you for the lovely surprise!";
    let folder = format!("onnx:{}", example("models/emotions"));
    let run = |model: &str, more: &[&str]| {
        let mut e = json(&[&["text", text, "--samples", "300", "--json", "-", "--model", model], more].concat());
        e["timings_ms"].take();
        e
    };
    let e = run(&folder, &[]);
    assert_eq!(e["classes"].as_array().unwrap().len(), 7);
    assert_eq!(e["probabilities"]["model"].as_array().unwrap().len(), 7);
    for threads in ["1", "3"] {
        assert_eq!(run(&folder, &["--threads", threads]), e);
    }
    assert_eq!(run(&folder, &["--batch-size", "7"])["matrix"], e["matrix"]);
    let graph = example("models/emotions/model.onnx");
    assert_eq!(run(&graph, &[]), e);
    assert_eq!(run(&format!("onnx:{graph}"), &["--tokenizer", &example("models/emotions/tokenizer.json")]), e);
    let named = run(&folder, &["--labels", "a,b,c,d,e,f,g", "--output", "logits"]);
    assert_eq!(named["classes"][6], "g");
    assert_eq!(named["probabilities"], e["probabilities"]);
    assert_ne!(run(&folder, &["--sigmoid"])["probabilities"], e["probabilities"]);
}

#[test]
fn words_past_the_cut_are_no_features_and_the_report_says_so() {
    let folder = format!("onnx:{}", example("models/emotions"));
    let text = "I am so happy today my friend and so are you";
    let cut = ["text", text, "--model", &folder, "--max-tokens", "5"];
    let report = told(&cut);
    assert!(report.contains("sees 5 of the text's 11 tokens, 6 are cut"), "{report}");
    assert!(report.contains("6 words are left out of the explanation: my friend and so are you"), "{report}");
    let e = json(&[&cut[..], &["--json", "-"]].concat());
    let names: Vec<&str> = e["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["I", "am", "so", "happy", "today"]);
    assert_eq!(e["features"][2]["spans"].as_array().unwrap().len(), 1);
}

#[test]
fn a_picture_of_a_digit_is_explained() {
    let digits = format!("onnx:{}", example("models/digits"));
    let picture = example("models/digits/3.png");
    let e =
        json(&["image", &picture, "--segments", "grid:8x8", "--baseline", "black", "--model", &digits, "--json", "-"]);
    let p: Vec<f64> = serde_json::from_value(e["probabilities"]["model"].clone()).unwrap();
    assert_eq!((e["classes"][3].as_str(), p[3] > 0.9), (Some("three"), true));
}

/// What is said of a library that is not there, and of a file that is none.
const NO_RUNTIME: [&str; 2] = if cfg!(feature = "ort") {
    ["there is no libonnxruntime", "is no onnxruntime of use"]
} else {
    ["build it with the feature ort"; 2]
};

#[test]
fn mistakes_with_models_are_one_line() {
    let (emotions, digits) = (example("models/emotions"), example("models/digits"));
    let onnx = format!("onnx:{emotions}");
    let picture = example("models/digits/3.png");
    for (arguments, word) in [
        (vec!["text", "a b", "--model", "onnx:no-such-folder"], "no such folder"),
        (vec!["text", "a b", "--model", &emotions], "say onnx:"),
        (vec!["text", "a b", "--model", &onnx, "--labels", "a,b"], "2 names"),
        (vec!["text", "a b", "--model", &onnx, "--labels", "no-such-file"], "cannot be read"),
        (vec!["text", "a b", "--model", &onnx, "--max-tokens", "1000"], "room for 256"),
        (vec!["text", "a b", "--model", &onnx, "--output", "x"], "no such output"),
        (vec!["text", "a b", "--sigmoid"], "--sigmoid is for models in folders"),
        (vec!["text", "a b", "--onnx-runtime", "auto"], "--onnx-runtime is for models in folders"),
        (vec!["text", "a b", "--model", &onnx, "--onnx-runtime", "no-such-file"], NO_RUNTIME[0]),
        // No library, and one that is another.
        (vec!["models", "check", &emotions, "--onnx-runtime", &picture], NO_RUNTIME[1]),
        (vec!["image", &picture, "--segments", "grid:2x2", "--model", &onnx], "one input"),
        (vec!["models", "check", &picture], "is no ONNX graph"),
        (vec!["segments", &picture, "--segments", "grid:2x2", "--out", "map.jpg"], ".png or .npy"),
        (vec!["segments", &picture, "--segments", "grid:2x2", "--background", "pink"], "#RRGGBB"),
    ] {
        let message = refused(&arguments, 2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
    assert!(digits.ends_with("digits"));
}

#[test]
fn a_check_says_what_a_model_is_and_how_fast() {
    let told = |name: &str| told(&["models", "check", &example(name)]);
    let text = told("models/emotions");
    for word in [
        "input_ids (?×?: whole numbers)",
        "logits, taken as logits",
        "7: anger, disgust",
        "at most 256",
        "5 inputs, tokens as expected in 5",
        "32 a call:",
    ] {
        assert!(text.contains(word), "{text}");
    }
    let image = told("models/digits");
    for word in
        ["pixel_values (?×1×8×8: fractional numbers)", "10: zero", "2 inputs, numbers off by", "runtime        rten"]
    {
        assert!(image.contains(word), "{image}");
    }
    let rows = told("models/iris");
    let off = rows.split("3 inputs, numbers off by ").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(off.unwrap().parse::<f64>().unwrap() < 1e-4, "{rows}");
    assert!(rows.contains("32 a call:") && rows.contains("(4 columns)"), "{rows}");
}

#[test]
fn segments_are_saved_and_used() {
    let place = tempfile::tempdir().unwrap();
    let (map, show) = (path(place.path(), "map.npy"), path(place.path(), "show.png"));
    let cat = example("cat.jpg");
    let said = told(&["segments", &cat, "--segments", "slic:20", "--out", &map, "--show", &show]);
    assert!(said.contains(" segments; pixels of the smallest"), "{said}");
    let again = path(place.path(), "again.png");
    told(&["segments", &cat, "--segments", &format!("map:{map}"), "--out", &again]);
    assert_eq!(bytes(&["segments", &cat, "--segments", "slic:20", "--out", "-"]), std::fs::read(&again).unwrap());
    assert!(std::fs::read(&show).unwrap().starts_with(b"\x89PNG"));
}

/// `LIPEX_PYTHON` names a Python with onnxruntime and tokenizers, where `python3` has none.
#[test]
fn an_explanation_equals_that_of_onnxruntime() {
    let python = std::env::var("LIPEX_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import onnxruntime, tokenizers"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        println!("skipped: {python} has no onnxruntime and tokenizers");
        return;
    }
    let mut folders = vec![example("models/emotions")];
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/models/minilm-emotion");
    match shared.is_dir() {
        true => folders.push(shared.to_str().unwrap().into()),
        false => println!("skipped: there is no {}", shared.display()),
    }
    let text = "i feel so happy about the party but a little scared of all the people i do not know";
    for folder in folders {
        let with = |model: &str| {
            let more = ["--samples", "300", "--select", "all", "--json", "-", "--model", model];
            json(&[&["text", text], &more[..]].concat())
        };
        let own = with(&format!("onnx:{folder}"));
        let theirs = with(&format!("command:{python} '{}' '{folder}'", example("onnx_text.py")));
        assert_eq!((&own["calls"], &own["features"]), (&theirs["calls"], &theirs["features"]));
        let (own, theirs) = (matrix(&own, "coefficients"), matrix(&theirs, "coefficients"));
        let pairs = own.iter().flatten().zip(theirs.iter().flatten());
        let (off, most) =
            pairs.fold((0.0f64, 0.0f64), |(off, most), (a, b)| (off.max((a - b).abs()), most.max(a.abs())));
        println!("{folder}: W off by {off:.1e}, the largest entry is {most:.2}");
        assert!(off < 1e-3 && most > 0.1, "{off} {most}");
    }
}
