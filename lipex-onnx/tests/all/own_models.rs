//! The models of `examples/models/`, which need nothing from elsewhere, against what onnxruntime and Pillow gave.

use crate::common::{json, numbers, own};
use lipex::{Batching, BlackBox, Cpu, Images, Outputs, Picture, Texts, lipex, prelude::TextInstance};
use lipex_onnx::{OnnxImage, OnnxOptions, OnnxText};

#[test]
fn emotions_equal_onnxruntime_alone_and_padded() {
    let model = OnnxText::open(own("emotions")).unwrap();
    assert_eq!((model.labels().len(), model.max_tokens(), model.outputs()), (7, Some(256), Outputs::Logits));
    let expected = json(own("emotions").join("expected.json"));
    let examples = expected["examples"].as_array().unwrap();
    let texts: Vec<&str> = examples.iter().map(|e| e["text"].as_str().unwrap()).collect();
    let together = model.logits(&texts).unwrap();
    for ((example, text), row) in examples.iter().zip(&texts).zip(&together) {
        let ids: Vec<f64> = model.tokens(text).unwrap().0.into_iter().map(f64::from).collect();
        assert_eq!(ids, numbers(&example["input_ids"]));
        for own in [row, &model.logits(&[text]).unwrap()[0]] {
            let near = own.iter().zip(numbers(&example["logits"])).all(|(a, b)| (f64::from(*a) - b).abs() < 2e-5);
            assert!(near, "{text}: {own:?}");
        }
    }
}

#[test]
fn digits_equal_pillow_and_onnxruntime() {
    let model = OnnxImage::open(own("digits")).unwrap();
    let expected = json(own("digits").join("expected.json"));
    for picture in expected["pictures"].as_array().unwrap() {
        let file = picture["file"].as_str().unwrap();
        let large = Picture::decode(&std::fs::read(own("digits").join(file)).unwrap()).unwrap();
        let one = Images::new(large.width(), large.height(), large.as_rgb().to_vec()).unwrap();
        let row = &model.logits(&one).unwrap()[0];
        let near = row.iter().zip(numbers(&picture["logits"])).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4);
        assert!(near, "{file}: {row:?}");
        let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
        assert_eq!(model.labels()[best], if file == "3.png" { "three" } else { "eight" });
    }
}

#[test]
fn nothing_but_the_inputs_decides_an_answer() {
    let words = ["so", "happy", "and", "sad", "about", "the", "awful", "rain", "today", "friend"];
    let texts: Vec<String> =
        (0..400).map(|i| (0..=i % 97).map(|k| words[(i * 7 + k * 3) % 10]).collect::<Vec<_>>().join(" ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).chain(["", "!", " "]).collect();
    let with = |threads| OnnxOptions::new().threads(threads).open_text(own("emotions")).unwrap();
    let one = with(1).logits(&texts).unwrap();
    assert_eq!(one, with(3).logits(&texts).unwrap());
    assert_eq!(with(2).logits(&["", ""]).unwrap()[0], with(2).logits(&["", ""]).unwrap()[1]);
    assert_eq!(BlackBox::<Cpu, Texts>::batching(&with(1)), Batching::Own);
}

#[test]
fn a_long_text_is_cut_and_the_rest_is_no_feature() {
    let model = OnnxOptions::new().max_tokens(4).open_text(own("emotions")).unwrap();
    let text = "I am so happy today, my friend";
    let seen = model.seen(text).unwrap().unwrap();
    assert_eq!((&text[seen.bytes.clone()], seen.tokens, seen.cut), ("I am so happy", 8, 4));
    assert_eq!(model.seen("I am so happy").unwrap(), None);
    let instance = TextInstance::builder(text).seen(seen.bytes).build().unwrap();
    assert_eq!(instance.unseen(), ["today", "my", "friend"]);
    // Where a word is removed, none from beyond the cut moves in.
    assert_eq!(instance.without(&[0]).unwrap(), " am so happy");
    assert_eq!(model.logits(&[text]).unwrap(), model.logits(&["I am so happy"]).unwrap());
    let e = lipex().samples(50).explain(&instance, &model).unwrap();
    assert!(e.settings.iter().any(|s| s.name == "seen" && s.value == "bytes 0 to 13 of 30"), "{:?}", e.settings);
}

#[test]
fn options_stand_in_place_of_the_folder() {
    let file = own("emotions").join("model.onnx");
    let labels = ["a", "b", "c", "d", "e", "f", "g"];
    let model = OnnxOptions::new()
        .tokenizer(own("emotions").join("tokenizer.json"))
        .labels(labels)
        .output("logits")
        .sigmoid()
        .open_text(&file)
        .unwrap();
    assert_eq!((model.labels(), model.outputs()), (labels.map(String::from).as_slice(), Outputs::Independent));
    let p = model.predict(&Cpu::new(), &Texts::from(vec!["so happy".to_string()])).unwrap();
    let scores: Vec<f64> =
        model.logits(&["so happy"]).unwrap()[0].iter().map(|&x| 1.0 / (1.0 + (-f64::from(x)).exp())).collect();
    assert!(p.is_independent() && p.row(0).iter().zip(&scores).all(|(p, s)| (f64::from(*p) - s).abs() < 1e-6));
}
