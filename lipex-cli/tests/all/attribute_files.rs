//! Pages, figures, tables and pictures of `lipex attribute`.

use crate::common::{json, path, refused, told};
use lipex::Picture;
use std::path::Path;

const TEXT: &str = "what a wonderful party, but I am sad";

fn saved(name: &Path) -> String {
    std::fs::read_to_string(name).unwrap()
}

#[test]
fn a_text_has_a_page_a_figure_and_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let [page, figure, table, scores] =
        ["page.html", "figure.svg", "table.csv", "scores.json"].map(|name| path(folder.path(), name));
    let files = ["--html", &page, "--svg", &figure, "--csv", &table, "--json", &scores];
    let shown = ["attribute", TEXT, "--method", "leave-one-out", "--classes", "top:3", "--contrast", "joy:sadness"];
    told(&[&shown[..], &files].concat());
    let page = saved(page.as_ref());
    for said in [
        "The scores that are read here are by <strong>leave-one-out</strong>, of the logit.",
        "Scores of each word by leave-one-out, for the logit",
        "holds the class&#39;s logit up",
        "<bdi id=\"name-a\">joy</bdi> over <bdi id=\"name-b\">sadness</bdi>",
        "How much higher each word&#39;s score is",
        "no surrogate was fitted",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    // Nothing of a surrogate, no second bar.
    for absent in [">surrogate<", "Preset", "log-odds", "Verdict", "Fidelity"] {
        assert!(!page.contains(absent), "{absent}");
    }
    // The table is the JSON.
    let scores: serde_json::Value = serde_json::from_str(&saved(scores.as_ref())).unwrap();
    let (classes, features) = (scores["classes"].as_array().unwrap(), scores["features"].as_array().unwrap());
    let table = saved(table.as_ref());
    let lines: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(lines.len(), classes.len() * features.len());
    for (row, class) in classes.iter().enumerate() {
        for (j, feature) in features.iter().enumerate() {
            let (class, name) = (class.as_str().unwrap(), feature["name"].as_str().unwrap());
            let line = format!("{class},{name},{},", scores["scores"][row][j].as_f64().unwrap());
            assert!(lines.iter().any(|l| l.starts_with(&line)), "{line}: {table}");
        }
    }
    let figure = saved(figure.as_ref());
    assert!(figure.contains("Scores of each word by leave-one-out") && figure.contains("wonderful"), "{figure}");
    assert!(figure.contains(">neutral</text>") && !figure.contains(">fear</text>"), "{figure}");
}

#[test]
fn a_page_of_a_contrast_has_both_classes_and_no_second_contrast() {
    let arguments = ["attribute", TEXT, "--method", "leave-one-out", "--output", "contrast:joy:sadness"];
    let page = told(&[&arguments[..], &["--html", "-"]].concat());
    assert!(page.contains("of the contrast of <bdi>joy</bdi> over <bdi>sadness</bdi>"), "{page}");
    assert!(!page.contains("id=\"class-a\""), "{page}");
    let table = told(&[&arguments[..], &["--csv", "-"]].concat());
    let number = |start: &str| -> f64 {
        let line = table.lines().find(|l| l.starts_with(start)).unwrap();
        line[start.len()..].split(',').next().unwrap().parse().unwrap()
    };
    assert!(number("joy,wonderful,") > 0.1);
    assert_eq!(number("joy,wonderful,"), -number("sadness,wonderful,"));
}

#[test]
fn a_photo_has_a_page_and_a_picture_a_class() {
    let folder = tempfile::tempdir().unwrap();
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");
    let (photo, model) = (format!("{digits}/3.png"), format!("onnx:{digits}"));
    let (page, overlays) = (path(folder.path(), "page.html"), path(folder.path(), "overlays"));
    let arguments = [
        "attribute",
        &photo,
        "--model",
        &model,
        "--segments",
        "grid:4x4",
        "--method",
        "leave-one-out",
        "--output",
        "logit",
    ];
    let report = told(&[&arguments[..], &["--classes", "top:1", "--html", &page, "--overlay", &overlays]].concat());
    assert!(report.contains("Overlays: 1-three.png.") && report.contains("|score| = "), "{report}");
    let picture = Picture::decode(&std::fs::read(path(overlays.as_ref(), "1-three.png")).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (640, 640));
    // The strongest segment of the class is tinted blue or orange in full.
    let found = json(&[&arguments[..], &["--classes", "top:1", "--json", "-"]].concat());
    let scores: Vec<f64> = found["scores"][0].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    let strongest = (0..16).max_by(|&a, &b| scores[a].abs().total_cmp(&scores[b].abs())).unwrap();
    let (x, y) = (strongest % 4 * 160 + 8, strongest / 4 * 160 + 8);
    let [red, _, blue] = picture.pixel(y * 640 + x).unwrap();
    assert_eq!(scores[strongest] > 0.0, blue > red, "{red} {blue}: {scores:?}");
    let page = saved(page.as_ref());
    assert!(page.contains("data:image/png;base64,") && page.contains("Scores of each segment by leave-one-out"));
}

#[test]
fn a_text_has_no_overlay() {
    let message = refused(&["attribute", "so sad", "--method", "random", "--overlay", "x"], 2);
    assert!(message.contains("--overlay is of photos"), "{message}");
}
