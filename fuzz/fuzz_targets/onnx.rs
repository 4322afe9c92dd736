//! Any bytes as one of the files of a model's folder: a model, or an error of one line. The first byte chooses the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex_onnx::{OnnxImage, OnnxText};
use std::fs;
use std::path::Path;

macro_rules! example {
    ($folder:literal, $($file:literal),*) => {
        [$(($file, &include_bytes!(concat!("../../examples/models/", $folder, "/", $file))[..])),*]
    };
}

fuzz_target!(|input: &[u8]| {
    let Some((&which, bytes)) = input.split_first() else { return };
    let digits = example!("digits", "model.onnx", "config.json", "preprocessor_config.json");
    let emotions = example!("emotions", "model.onnx", "config.json", "tokenizer.json");
    let folder = tempfile::tempdir().expect("a folder");
    let fill = |files: [(&str, &[u8]); 3], damaged: usize| {
        for (i, (name, whole)) in files.into_iter().enumerate() {
            fs::write(folder.path().join(name), if i == damaged { bytes } else { whole }).expect("a file");
        }
    };
    let path: &Path = folder.path();
    let refused = match which % 6 {
        i @ 0..3 => {
            fill(digits, usize::from(i));
            OnnxImage::open(path).err()
        }
        i => {
            fill(emotions, usize::from(i) - 3);
            OnnxText::open(path).and_then(|model| model.logits(&["so happy", ""])).err()
        }
    };
    if let Some(error) = refused {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
});
