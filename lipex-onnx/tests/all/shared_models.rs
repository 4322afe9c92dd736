//! Real models against what onnxruntime and Pillow gave for them (`expected.json` of each folder).

use crate::common::{beside, json, numbers};
use lipex::{Images, Picture};
use lipex_onnx::{OnnxImage, OnnxOptions, OnnxText};
use std::path::Path;

fn texts(model: &OnnxText, folder: &Path) {
    let expected = json(folder.join("expected.json"));
    let examples = expected["examples"].as_array().unwrap();
    assert!(examples.len() >= 5);
    let all: Vec<&str> = examples.iter().map(|e| e["text"].as_str().unwrap()).collect();
    // Together, padded to each other's length; expected are those of each alone.
    let together = model.logits(&all).unwrap();
    for (example, row) in examples.iter().zip(&together) {
        let text = example["text"].as_str().unwrap();
        let (ids, spelt) = model.tokens(text).unwrap();
        let ids: Vec<f64> = ids.into_iter().map(f64::from).collect();
        assert_eq!(ids, numbers(&example["input_ids"]));
        assert_eq!(
            spelt,
            example["tokens"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect::<Vec<_>>()
        );
        for (own, expected) in row.iter().zip(numbers(&example["logits"])) {
            // They are given to four decimals.
            assert!((f64::from(*own) - expected).abs() < 1e-4 + 5e-5, "{own} and {expected} of {text}");
        }
    }
}

#[test]
fn emotions_equal_onnxruntime() {
    let Some(models) = beside("models") else { return };
    let folder = models.join("minilm-emotion");
    let model = OnnxText::open(&folder).unwrap();
    assert_eq!(model.labels(), ["sadness", "joy", "love", "anger", "fear", "surprise"]);
    assert_eq!(model.max_tokens(), Some(512));
    texts(&model, &folder);
}

#[test]
fn newsgroups_equal_onnxruntime() {
    let Some(models) = beside("models") else { return };
    let folder = models.join("minilm-news6");
    let model = OnnxOptions::new().max_tokens(256).open_text(&folder).unwrap();
    texts(&model, &folder);
}

#[test]
fn photos_equal_pillow_and_onnxruntime() {
    let (Some(models), Some(photos)) = (beside("models/efficientnet-lite0"), beside("data/photos")) else { return };
    let model = OnnxImage::open(&models).unwrap();
    let expected = json(models.join("expected.json"));
    let listed = expected["photos_top5 [class index, name, logit, probability]"].as_array().unwrap();
    assert!(listed.len() >= 10);
    let mut worst = 0f64;
    for photo in listed {
        let bytes = std::fs::read(photos.join(photo["file"].as_str().unwrap())).unwrap();
        let picture = Picture::decode(&bytes).unwrap();
        let one = Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec()).unwrap();
        let row = &model.logits(&one).unwrap()[0];
        let sum: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
        for top in photo["top5"].as_array().unwrap() {
            let class = top[0].as_u64().unwrap() as usize;
            assert_eq!(model.labels()[class], top[1].as_str().unwrap());
            worst = worst.max((f64::from(row[class]).exp() / sum - top[3].as_f64().unwrap()).abs());
        }
    }
    assert!(worst < 0.02, "{worst}");
}
