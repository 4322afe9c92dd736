//! Models of two texts, against what NumPy says of them (golden/pairs.py).

use crate::bad_folders::replace;
use crate::common::{json, numbers};
use lipex::{Cpu, InteractionLime, TextInstance, TwoPart};
use lipex_core::{BlackBox, Similarity, Texts, TwoTower, Watch, cosine};
use lipex_onnx::{OnnxCross, OnnxEncoder, OnnxOptions, OnnxPairs};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn encoder(folder: &Path) -> OnnxEncoder {
    match OnnxOptions::new().open_pairs(folder).unwrap() {
        OnnxPairs::Encoder(model) => *model,
        OnnxPairs::Cross(model) => panic!("{model:?}"),
    }
}

fn cross(name: &str) -> OnnxCross {
    match OnnxOptions::new().open_pairs(golden("pairs").join(name)).unwrap() {
        OnnxPairs::Cross(model) => *model,
        OnnxPairs::Encoder(model) => panic!("{model:?}"),
    }
}

/// The texts of all examples, first and second.
fn texts() -> [Vec<String>; 2] {
    let all = json(golden("pairs.json"));
    let of = |part: usize| {
        let examples = all["examples"].as_array().unwrap().iter();
        examples.map(|e| e["texts"][part].as_str().unwrap().to_string()).collect()
    };
    [of(0), of(1)]
}

#[test]
fn an_encoder_has_the_mean_over_tokens_without_padding() {
    let model = encoder(&golden("pairs/encoder"));
    assert_eq!(model.length(), 6);
    let [first, second] = texts().map(Texts::from);
    // All at once, so that short texts are padded.
    let codes = [model.first(&first, Watch::none()).unwrap(), model.second(&second, Watch::none()).unwrap()];
    for (i, example) in json(golden("pairs.json"))["examples"].as_array().unwrap().iter().enumerate() {
        let known = example["cosine"].as_f64().unwrap();
        assert!((cosine(&codes[0][i], &codes[1][i]) - known).abs() < 1e-6, "{example}");
    }
}

#[test]
fn a_cross_encoder_is_given_which_text_a_token_is_of() {
    let [first, second] = texts();
    let strs = |texts: &[String]| -> Vec<String> { texts.to_vec() };
    let (classes, score) = (cross("cross-classes"), cross("cross-score"));
    assert_eq!(
        (classes.labels(), classes.is_score()),
        (&["contradiction", "neutral", "entailment"].map(String::from)[..], false)
    );
    assert!(score.is_score() && score.labels().is_empty());
    let of = |model: &OnnxCross| {
        let (a, b): (Vec<&str>, Vec<&str>) = first.iter().zip(&second).map(|(a, b)| (a.as_str(), b.as_str())).unzip();
        model.logits(&a, &b).unwrap()
    };
    for (model, key) in [(&classes, "cross-classes"), (&score, "cross-score")] {
        for (row, example) in of(model).iter().zip(json(golden("pairs.json"))["examples"].as_array().unwrap()) {
            let near = row.iter().zip(numbers(&example[key])).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4);
            assert!(near && row.len() == model.labels().len().max(1), "{key}: {row:?} for {example}");
        }
    }
    let pair = (Texts::from(strs(&first)), Texts::from(strs(&second)));
    let p = BlackBox::<Cpu, _>::predict(&classes, &Cpu::new(), &pair).unwrap();
    assert!((p.row(0).iter().sum::<f32>() - 1.0).abs() < 1e-6);
    // Each refuses what the other is for.
    assert!(BlackBox::<Cpu, _>::predict(&score, &Cpu::new(), &pair).is_err());
    assert!(classes.similarities(&pair.0, &pair.1, Watch::none()).is_err());
    assert_eq!(score.cut("a man", "a dog").unwrap(), 0);
    assert_eq!(score.cut(&"a man ".repeat(30), "a dog").unwrap(), 60 + 2 + 3 - 32);
}

/// The score is bilinear in the words of both texts, so that the surrogate is exact.
#[test]
fn a_bilinear_model_is_found_whole() {
    let text = |text: &str| TextInstance::new(text).unwrap();
    let both = TwoPart::new(text("a man plays guitar"), text("music outside"));
    let lime = InteractionLime::default().alpha(1e-9).unwrap();
    let found = lime.explain_scores(&Cpu::new(), &both, &cross("cross-score")).unwrap();
    assert!(found.explained.unwrap()[0] > 0.999_99, "{:?}", found.explained);
    assert!((found.fitted(0).unwrap() - found.value(0).unwrap()).abs() < 1e-4);
    let dual = lime.explain_towers(&Cpu::new(), &both, &encoder(&golden("pairs/encoder"))).unwrap();
    let [with, without] = dual.explained.unwrap();
    assert!(dual.asked.complete && with > without, "{with} {without}");
}

fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("1_Pooling")).unwrap();
    for file in ["model.onnx", "config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"] {
        fs::copy(golden("pairs/encoder").join(file), folder.path().join(file)).unwrap();
    }
    folder
}

#[test]
fn poolings_are_those_of_the_folder_and_what_is_not_known_is_refused() {
    let folder = copy();
    let text = Texts::from(vec!["the dog runs".into(), "a man".into()]);
    let of = |folder: &Path| encoder(folder).first(&text, Watch::none()).unwrap();
    let mean = of(folder.path());
    replace(folder.path(), "1_Pooling/config.json", "mean_tokens\": true", "mean_tokens\": false");
    replace(folder.path(), "1_Pooling/config.json", "cls_token\": false", "cls_token\": true");
    let first = of(folder.path());
    // Every text begins with the same token.
    assert!(first[0] == first[1] && mean[0] != mean[1] && first[0] != mean[0]);
    let told = |folder: &Path| OnnxOptions::new().open_pairs(folder).unwrap_err().to_string();
    for (file, old, new, said) in [
        ("1_Pooling/config.json", "mean_tokens\": false", "mean_tokens\": true", "one pooling is taken"),
        ("1_Pooling/config.json", "cls_token\": true", "lasttoken\": true", "this pooling is not known"),
        ("modules.json", "models.Normalize", "models.Dense", "the module Dense is not known"),
    ] {
        let other = copy();
        if file == "1_Pooling/config.json" {
            fs::copy(folder.path().join(file), other.path().join(file)).unwrap();
        }
        replace(other.path(), file, old, new);
        let line = told(other.path());
        assert!(line.contains(said) && !line.contains('\n'), "{line}");
    }
    let labels = OnnxOptions::new().labels(["a", "b"]).open_pairs(golden("pairs/encoder")).unwrap_err();
    assert!(labels.to_string().contains("has no classes"), "{labels}");
}

#[test]
fn a_sentence_length_cuts_texts() {
    let folder = copy();
    assert!(encoder(folder.path()).seen("a man plays the guitar").unwrap().is_none());
    fs::write(folder.path().join("sentence_bert_config.json"), r#"{"max_seq_length": 4}"#).unwrap();
    let seen = encoder(folder.path()).seen("a man plays the guitar").unwrap().unwrap();
    assert_eq!((seen.bytes, seen.cut), (0..5, 3));
}
