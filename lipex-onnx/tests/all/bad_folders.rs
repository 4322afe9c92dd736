//! Folders that are wrong in one way: the message names the file and the key.

use crate::common::own;
use lipex_onnx::{OnnxImage, OnnxOptions, OnnxText};
use rten_onnx::onnx::{DataType, ModelProto};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A copy of a folder.
pub fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(own(name)).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    folder
}

fn text(folder: &Path) -> String {
    OnnxText::open(folder).unwrap_err().to_string()
}

fn image(folder: &Path) -> String {
    OnnxImage::open(folder).unwrap_err().to_string()
}

/// Replaces a piece of a file that must be there.
pub fn replace(folder: &Path, file: &str, old: &str, new: &str) {
    let path = folder.join(file);
    let before = fs::read_to_string(&path).unwrap();
    assert!(before.contains(old), "{file} has no {old}");
    fs::write(path, before.replacen(old, new, 1)).unwrap();
}

/// Rewrites the graph.
pub fn graph(folder: &Path, change: impl FnOnce(&mut ModelProto)) {
    let path = folder.join("model.onnx");
    let mut model = ModelProto::parse_file(fs::File::open(&path).unwrap()).unwrap();
    change(&mut model);
    fs::write(path, model.write_buf().unwrap()).unwrap();
}

fn says(message: &str, parts: &[&str]) {
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "{message} does not say {part}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let none = tempfile::tempdir().unwrap();
    says(&text(none.path()), &["the folder has no model.onnx"]);
    says(&text(&none.path().join("x")), &["no such folder or file"]);
    for (file, parts) in [
        ("tokenizer.json", &["tokenizer.json", "--tokenizer"][..]),
        ("config.json", &["config.json", "id2label", "--labels"]),
    ] {
        let folder = copy("emotions");
        fs::remove_file(folder.path().join(file)).unwrap();
        says(&text(folder.path()), parts);
    }
    let folder = copy("emotions");
    replace(folder.path(), "config.json", "id2label", "names");
    says(&text(folder.path()), &["config.json: id2label: is absent"]);
    let folder = copy("digits");
    fs::remove_file(folder.path().join("preprocessor_config.json")).unwrap();
    says(&image(folder.path()), &["preprocessor_config.json: there is no such file"]);
    let folder = copy("digits");
    replace(folder.path(), "preprocessor_config.json", "image_mean", "mean");
    says(&image(folder.path()), &["preprocessor_config.json: image_mean: is absent"]);
}

#[test]
fn what_contradicts_itself_is_named() {
    for (old, new, parts) in [
        ("\"6\": \"surprise\"", "\"7\": \"surprise\"", &["id2label: has 7 names but none of number 6"][..]),
        ("\"anger\": 0", "\"anger\": 1", &["label2id: \"anger\" is number 1, which id2label calls \"disgust\""]),
        ("\"max_position_embeddings\": 256", "\"max_position_embeddings\": 0", &["max-tokens = 0", "no room"]),
        ("single_label_classification", "regression", &["problem_type: regression gives no classes"]),
        ("\"pad_token_id\": 0", "\"pad_token_id\": \"zero\"", &["pad_token_id: must be a whole number"]),
    ] {
        let folder = copy("emotions");
        replace(folder.path(), "config.json", old, new);
        says(&text(folder.path()), parts);
    }
    let six = OnnxOptions::new().labels(["a", "b"]).open_text(own("emotions")).unwrap_err().to_string();
    says(&six, &["labels: 2 names", "output logits has 7"]);
    says(&OnnxOptions::new().max_tokens(257).open_text(own("emotions")).unwrap_err().to_string(), &["256"]);
    says(
        &OnnxOptions::new().output("x").open_text(own("emotions")).unwrap_err().to_string(),
        &["output = x", "logits"],
    );
    let folder = copy("digits");
    replace(folder.path(), "preprocessor_config.json", "\"height\": 8", "\"height\": 9");
    says(&image(folder.path()), &["preprocessor_config.json: size", "8×9", "8×8"]);
    says(&text(&own("digits")), &["pixel_values takes fractional numbers"]);
    says(&image(&own("emotions")), &["an image classifier has one input"]);
}

#[test]
fn a_file_that_is_cut_short_is_refused_at_any_length() {
    let folder = copy("digits");
    let whole = fs::read(folder.path().join("model.onnx")).unwrap();
    for part in [0, 1, 10, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.path().join("model.onnx"), &whole[..part]).unwrap();
        says(&image(folder.path()), &["model.onnx"]);
    }
    let folder = copy("emotions");
    let whole = fs::read(folder.path().join("tokenizer.json")).unwrap();
    fs::write(folder.path().join("tokenizer.json"), &whole[..whole.len() / 2]).unwrap();
    says(&text(folder.path()), &["tokenizer.json: is no tokenizer that can be read"]);
}

#[test]
fn an_operator_that_is_not_there_is_named() {
    let folder = copy("digits");
    graph(folder.path(), |model| {
        let node =
            model.graph.as_mut().unwrap().node.iter_mut().find(|n| n.op_type.as_deref() == Some("Relu")).unwrap();
        node.op_type = Some("TreeEnsembleClassifier".into());
        node.domain = Some("ai.onnx.ml".into());
    });
    says(&image(folder.path()), &["TreeEnsembleClassifier", "--model 'command:PROGRAM ARGS'"]);
}

#[test]
fn inputs_of_strings_are_refused() {
    let folder = copy("emotions");
    graph(folder.path(), |model| {
        let input = &mut model.graph.as_mut().unwrap().input[0];
        let tensor = input.r#type.as_mut().unwrap().tensor_type.as_mut().unwrap();
        tensor.elem_type = Some(DataType::STRING);
    });
    says(&text(folder.path()), &["input_ids takes strings", "tokens are whole numbers"]);
}

#[test]
fn a_tokenizer_that_makes_nothing_of_words_is_refused() {
    let folder = copy("emotions");
    let words = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"}}"#;
    fs::write(folder.path().join("tokenizer.json"), words).unwrap();
    says(&text(folder.path()), &["tokenizer.json", "makes nothing of words"]);
}
