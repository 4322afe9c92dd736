//! `lipex tabular`.

use crate::common::{has_python, json, lipex, matrix, path, refused, told};
use std::path::Path;

fn iris(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/models/iris").join(name).to_str().unwrap().to_string()
}

/// A program that takes a number and a category.
const PROGRAM: &str = r#"import json, sys
print(json.dumps({"labels": ["no", "yes"], "rows": True, "outputs": "probabilities"}), flush=True)
for line in sys.stdin:
    rows = json.loads(line)["rows"]
    yes = [.5 if r["age"] is None else .9 if r["colour"] == "red" and r["age"] > 30 else .2 for r in rows]
    print(json.dumps({"probabilities": [[1 - p, p] for p in yes]}), flush=True)
"#;

#[test]
fn a_row_is_explained_by_a_graph() {
    let (table, model) = (iris("iris.csv"), format!("onnx:{}", iris("")));
    let own = ["tabular", &table, "--row", "70", "--ignore-columns", "iris", "--model", &model];
    let report = told(&own);
    for part in ["versicolor", "petal width", "100 background rows", "column", "All 16 masks"] {
        assert!(report.contains(part), "no {part}:\n{report}");
    }
    let shap = [&own[..], &["--preset", "kernel-shap", "--reference", "sample:149", "--json", "-"]].concat();
    let document = json(&shap);
    let w = matrix(&document, "coefficients");
    let p: Vec<f64> = serde_json::from_value(document["probabilities"]["model"].clone()).unwrap();
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(iris("expected.json")).unwrap()).unwrap();
    let logits: Vec<f64> = serde_json::from_value(expected["rows"][1]["logits"].clone()).unwrap();
    let whole: f64 = logits.iter().map(|l| l.exp()).sum();
    for (class, logit) in logits.iter().enumerate() {
        assert!((p[class] - logit.exp() / whole).abs() < 1e-5, "{p:?} {logits:?}");
    }
    // Petals tell irises apart.
    assert!(w[2][3] > 3.0 * w[2][1].abs(), "{w:?}");
    assert_eq!(told(&["models", "check", &iris("")]).matches("versicolor").count(), 1);
}

#[test]
fn numbers_and_categories_go_to_a_program() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| path(folder.path(), name);
    std::fs::write(at("model.py"), PROGRAM).unwrap();
    std::fs::write(at("t.csv"), "id,age,colour\n7,41,red\n8,17,blue\n9,,green\n10,50,blue\n").unwrap();
    let model = format!("command:python3 '{}'", at("model.py"));
    let table = at("t.csv");
    let own = ["tabular", &table, "--row", "0", "--ignore-columns", "id", "--model", &model];
    let document = json(&[&own[..], &["--preset", "kernel-shap", "--json", "-"]].concat());
    let w = matrix(&document, "coefficients");
    // v(all) = .9; age kept: mean of .2, .2, .2; colour kept: .2, .5, .9; none: .2, .5, .2.
    let (all, age, colour, none) = (0.9, 0.2, 1.6 / 3.0, 0.3);
    let expected = [(age - none + all - colour) / 2.0, (colour - none + all - age) / 2.0];
    for (own, expected) in w[1].iter().zip(expected) {
        assert!((own - expected).abs() < 1e-6, "{w:?}");
    }
    let features: Vec<&str> =
        document["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
    assert_eq!(features, ["age = 41", "colour = red"]);
    let report = told(&[&own[..], &["--reference", "row:1"]].concat());
    assert!(report.contains("one background row") && report.contains("--reference row:1"), "{report}");
    std::fs::write(at("b.csv"), "colour,age\nred,2\n").unwrap();
    let with = json(&[&own[..], &["--background", &at("b.csv"), "--preset", "kernel-shap", "--json", "-"]].concat());
    assert!((matrix(&with, "coefficients")[1][0] - 0.7).abs() < 1e-6, "{with}");
    let page = at("page.html");
    told(&[&own[..], &["--html", &page]].concat());
    assert!(std::fs::read_to_string(&page).unwrap().contains("age = 41"));
    for (arguments, code, word) in [
        (vec!["tabular", &table, "--row", "9", "--model", &model], 2, "rows 0 to 3"),
        (vec!["tabular", &table, "--row", "0"], 2, "no embedded one for tables"),
        (vec!["tabular", &table, "--row", "0", "--ignore-columns", "none", "--model", &model], 2, "ignore-columns"),
        (vec!["text", "a text", "--model", &model], 2, "use lipex tabular"),
        ([&own[..], &["--background", &at("none.csv")]].concat(), 2, "background"),
        ([&own[..], &["--reference", "mode"]].concat(), 2, "choose mean"),
    ] {
        let told = refused(&arguments, code);
        assert!(told.contains(word), "{told}");
    }
    let demo = "command:python3 -c 'print(\"{\\\"labels\\\": [\\\"a\\\", \\\"b\\\"]}\", flush=True); input()'";
    let told = refused(&["tabular", &table, "--row", "0", "--model", demo], 2);
    assert!(told.contains("\"rows\": true"), "{told}");
    assert!(lipex(&["tabular", "--help"]).output().unwrap().status.success());
}
