//! Damage to any file of a folder is an error of one line, or goes unnoticed, but never a panic.

use crate::common::own;
use lipex_onnx::{OnnxImage, OnnxText};
use proptest::prelude::*;
use std::fs;

const FILES: [(&str, &str); 6] = [
    ("digits", "model.onnx"),
    ("digits", "config.json"),
    ("digits", "preprocessor_config.json"),
    ("emotions", "model.onnx"),
    ("emotions", "config.json"),
    ("emotions", "tokenizer.json"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_folders_do_no_harm(
        which in 0..FILES.len(),
        // Bytes, and how often each stands in a row: numbers that never end are the commonest trap.
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 1..16_usize), 1..4),
        cut in any::<bool>(),
    ) {
        let (model, file) = FILES[which];
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(own(model)).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
        }
        let mut bytes = fs::read(own(model).join(file)).unwrap();
        for (place, value, times) in &places {
            // The structure is at the ends of a graph; the middle is weights.
            let place = place.index(bytes.len());
            let near = if place % 2 == 0 { place } else { place % bytes.len().min(1500) };
            let end = bytes.len().min(near + times);
            bytes[near..end].fill(*value);
        }
        if cut {
            bytes.truncate(places[0].0.index(bytes.len()));
        }
        fs::write(folder.path().join(file), &bytes).unwrap();
        let message = match model {
            "digits" => OnnxImage::open(folder.path()).err().map(|e| e.to_string()),
            _ => OnnxText::open(folder.path()).and_then(|m| m.logits(&["so happy"])).err().map(|e| e.to_string()),
        };
        prop_assert!(message.is_none_or(|m| m.lines().count() == 1));
    }
}

#[test]
fn a_number_without_end_ends_the_reading() {
    let whole = fs::read(own("emotions").join("model.onnx")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(own("emotions")).unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, folder.path().join(from.file_name().unwrap())).unwrap();
    }
    // The field 1 of a model is a number of at most ten bytes; and one within a tensor's list, 10 bytes from the end.
    let tensor = [[0x3a, 17, 0x2a, 15, 0x3a, 13].as_slice(), &[0xff; 13]].concat();
    for more in [[[8].as_slice(), &[0xff; 20]].concat(), tensor] {
        fs::write(folder.path().join("model.onnx"), [whole.as_slice(), &more].concat()).unwrap();
        let message = OnnxText::open(folder.path()).unwrap_err().to_string();
        assert!(
            message.contains(&format!("byte {}", whole.len() + more.iter().position(|&b| b == 0xff).unwrap())),
            "{message}"
        );
    }
}
