//! Programs as black boxes for images.

use lipex::prelude::*;
use lipex::{Domain, Error, PlainColour, Result};
use std::process::Command;
use std::time::Duration;

/// Python alone: an array of bytes is what follows the 128 bytes of a header. Answers with the share of red.
const NPY: &str = r#"
import base64, json, sys
print(json.dumps({"labels": ["red", "not"], "images": "npy"}), flush=True)
for line in sys.stdin:
    rows = []
    for image in json.loads(line)["images"]:
        file = base64.b64decode(image)
        assert file[:6] == b"\x93NUMPY" and b"'shape': (4, 6, 3)" in file[:128], file[:128]
        pixels = file[128:]
        assert len(pixels) == 4 * 6 * 3
        red = sum(pixels[0::3]) / sum(max(pixels[i:i + 3]) or 1 for i in range(0, len(pixels), 3))
        rows.append([red, 1 - red])
    print(json.dumps({"probabilities": rows}), flush=True)
"#;

/// Reads the size out of a PNG's header.
const PNG: &str = r#"
import base64, json, struct, sys
print(json.dumps({"labels": ["a", "b"], "images": "png"}), flush=True)
for line in sys.stdin:
    files = [base64.b64decode(image) for image in json.loads(line)["images"]]
    assert all(f[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", f[16:24]) == (6, 4) for f in files)
    print(json.dumps({"probabilities": [[len(set(files)) / 64, 1 - len(set(files)) / 64] for f in files]}), flush=True)
"#;

const TEXTS: &str = "import json, sys\nprint(json.dumps({'labels': ['a', 'b']}), flush=True)\nsys.stdin.readline()\n";

fn start(script: &str) -> Option<Result<CommandModel>> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.py");
    std::fs::write(&file, script).unwrap();
    let model = CommandModel::start(&format!("python3 '{}'", file.display()), Duration::from_secs(20));
    Some(model)
}

/// Left red, right grey.
fn image() -> ImageInstance {
    let rgb = (0..24).flat_map(|i| if i % 6 < 3 { [200, 0, 0] } else { [90, 90, 90] }).collect();
    let picture = Picture::from_rgb(6, 4, rgb).unwrap();
    let segments = SegmentMap::grid(6, 4, 2, 2).unwrap();
    ImageInstance::builder(picture, segments).baseline(PlainColour([0, 0, 255])).build().unwrap()
}

fn explain(model: &CommandModel) -> Result<Explanation> {
    lipex().images().samples(60).explain(&image(), model)
}

#[test]
fn arrays_reach_the_program() {
    let Some(model) = start(NPY) else { return };
    let model = model.unwrap();
    assert_eq!(model.domain(), Domain::Image);
    let explanation = explain(&model).unwrap();
    // Grey is as red as it is anything.
    assert_eq!(explanation.probabilities.model, [1.0, 0.0]);
    let top: Vec<&str> = explanation
        .top_k(0, 2, Rank::Supporting)
        .iter()
        .map(|w| explanation.features[w.feature].name.as_str())
        .collect();
    assert!(top.contains(&"r1c1") && top.contains(&"r2c1"), "{top:?}");
    assert_eq!(explanation.calls.inputs, 16);
}

#[test]
fn pngs_reach_the_program() {
    let Some(model) = start(PNG) else { return };
    // Sixteen masks, all of them different images, in one batch.
    let explanation = explain(&model.unwrap()).unwrap();
    assert_eq!(explanation.probabilities.model[0], 16.0 / 64.0);
}

#[test]
fn texts_and_images_are_not_mixed_up() {
    let Some(model) = start(TEXTS) else { return };
    let model = model.unwrap();
    assert_eq!(model.domain(), Domain::Text);
    let error = explain(&model).unwrap_err();
    assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("\"images\": \"png\""), "{error}");
    let model = start(NPY).unwrap().unwrap();
    let error = lipex().explain(&TextInstance::new("a b").unwrap(), &model).unwrap_err();
    assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("takes images"), "{error}");
    let unknown = TEXTS.replace("'labels'", "'images': 'gif', 'labels'");
    let error = start(&unknown).unwrap().unwrap_err().to_string();
    assert!(error.contains("gif") && error.contains("npy"), "{error}");
}
