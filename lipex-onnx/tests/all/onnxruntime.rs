//! Graphs by the user's libonnxruntime against the same by rten. `LIPEX_REQUIRE_ONNXRUNTIME=1` makes a missing library a failure.

use crate::common::{beside, own};
use lipex::{Cell, Images, Picture, Rows};
use lipex_onnx::OnnxOptions;

/// Options with the library of one of the usual places; says so and gives `None` where there is none.
fn by_library() -> Option<OnnxOptions> {
    let options = OnnxOptions::new().onnx_runtime(None);
    match options.clone().open_table(own("iris")) {
        Ok(_) => Some(options),
        Err(e) if std::env::var_os("LIPEX_REQUIRE_ONNXRUNTIME").is_none() => {
            println!("skipped: {e}");
            None
        }
        Err(e) => panic!("{e}"),
    }
}

/// The largest difference; answers must not be all the same.
fn apart(one: &[Vec<f32>], other: &[Vec<f32>]) -> f32 {
    assert_eq!(one.len(), other.len());
    assert!(one.windows(2).any(|pair| pair[0] != pair[1]), "{one:?}");
    let pairs = one.iter().flatten().zip(other.iter().flatten());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

const TEXTS: [&str; 5] =
    ["i am so happy today", "", "awful", "i feel a little scared of all these people, and sad too", "!"];

#[test]
fn both_runtimes_answer_alike() {
    let Some(by) = by_library() else { return };
    let mut folders = vec![(own("emotions"), 256)];
    folders.extend(beside("models/minilm-emotion").map(|folder| (folder, 64)));
    for (folder, most) in folders {
        let rten = OnnxOptions::new().max_tokens(most).open_text(&folder).unwrap();
        let ort = by.clone().max_tokens(most).open_text(&folder).unwrap();
        let off = apart(&rten.logits(&TEXTS).unwrap(), &ort.logits(&TEXTS).unwrap());
        println!("{}: off by {off:.1e}", folder.display());
        assert!(off < 1e-4, "{off}");
        assert!(ort.describe().iter().any(|(name, value)| *name == "runtime" && value.contains("onnxruntime")));
    }
    let rows = (0..30).map(|i| (0..4).map(|c| Cell::Number(f64::from(i * (c + 1) % 9))).collect()).collect();
    let columns: Vec<String> = (0..4).map(|c| c.to_string()).collect();
    let rows = Rows::new(columns.into(), rows, (0..30).collect(), 1).unwrap();
    let rten = OnnxOptions::new().open_table(own("iris")).unwrap().logits(&rows).unwrap();
    assert!(apart(&rten, &by.open_table(own("iris")).unwrap().logits(&rows).unwrap()) < 1e-4);
}

fn picture(file: &std::path::Path) -> Images {
    let picture = Picture::decode(&std::fs::read(file).unwrap()).unwrap();
    Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec()).unwrap()
}

#[test]
fn pictures_are_answered_alike() {
    let Some(by) = by_library() else { return };
    let digits = own("digits");
    let mut cases = vec![(digits.clone(), vec![digits.join("3.png"), digits.join("8.png")])];
    if let (Some(model), Some(photos)) = (beside("models/efficientnet-lite0"), beside("data/photos")) {
        let mut files: Vec<_> = std::fs::read_dir(photos).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "jpg"));
        files.sort();
        files.truncate(2);
        cases.push((model, files));
    }
    for (folder, files) in cases {
        let rten = OnnxOptions::new().open_image(&folder).unwrap();
        let ort = by.clone().open_image(&folder).unwrap();
        let [a, b] =
            [&rten, &ort].map(|m| files.iter().map(|f| m.logits(&picture(f)).unwrap().remove(0)).collect::<Vec<_>>());
        let off = apart(&a, &b);
        println!("{}: off by {off:.1e}", folder.display());
        assert!(off < 1e-4, "{off}");
    }
}

#[test]
fn threads_change_no_digit() {
    let Some(by) = by_library() else { return };
    let texts: Vec<String> =
        (0..60).map(|i| TEXTS[3].split(' ').cycle().take(1 + i).collect::<Vec<_>>().join(" ")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let with = |threads| by.clone().threads(threads).open_text(own("emotions")).unwrap().logits(&texts).unwrap();
    assert_eq!(with(1), with(3));
}

#[test]
fn another_library_beside_the_first_is_refused() {
    let Some(_) = by_library() else { return };
    let file = own("digits").join("3.png");
    let refused = OnnxOptions::new().onnx_runtime(Some(&file)).open_table(own("iris")).unwrap_err().to_string();
    assert!(refused.contains("3.png") && refused.contains("one library") && refused.lines().count() == 1, "{refused}");
}
