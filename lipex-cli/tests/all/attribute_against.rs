//! One class over another, from the nearest sample of the other: `--against`, `--baseline nearest:PATH`.

use crate::common::{json, path, refused, told};
use lipex::Picture;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/models/digits");
const TEXT: &str = "what a wonderful party, but I am sad";

/// A photo of the examples, one byte of it changed.
fn changed(photo: &str) -> Vec<u8> {
    let mut picture = Picture::decode(&std::fs::read(format!("{DIGITS}/{photo}")).unwrap()).unwrap();
    picture.as_rgb_mut()[0] ^= 1;
    picture.to_png()
}

/// A folder with a folder of samples for each class.
fn samples(of: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (i, (class, photo)) in of.iter().enumerate() {
        std::fs::create_dir_all(folder.path().join(class)).unwrap();
        std::fs::write(folder.path().join(class).join(format!("{i}.png")), changed(photo)).unwrap();
    }
    folder
}

fn image(more: &[&str]) -> Vec<String> {
    let all = ["image", &format!("{DIGITS}/3.png"), "--model", &format!("onnx:{DIGITS}"), "--segments", "grid:4x4"];
    [&all[..], &["--samples", "300", "--against", "eight"], more].concat().iter().map(|s| s.to_string()).collect()
}

fn texts(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn masks_take_the_nearest_photo_of_the_class() {
    let folder = samples(&[("eight", "8.png"), ("three", "3.png")]);
    let nearest = format!("nearest:{}", folder.path().display());
    let report = told(&texts(&image(&["--baseline", &nearest])));
    for said in [
        "three against eight, from the baseline nearest:",
        "eight/0.png",
        "most to eight",
        "of 255",
        "three over eight",
    ] {
        assert!(report.contains(said), "{said}: {report}");
    }
    assert!(!report.contains("Warning: the baseline"), "{report}");
    // The same as with that photo by its name.
    let by_name = format!("image:{}", path(&folder.path().join("eight"), "0.png"));
    let found = [nearest.as_str(), by_name.as_str()].map(|b| json(&texts(&image(&["--baseline", b, "--json", "-"]))));
    assert_eq!(found[0]["answer"], found[1]["answer"]);
    assert_eq!(found[0]["settings"]["against"], "eight");
}

#[test]
fn classes_are_the_models_where_no_folders_name_them() {
    let folder = tempfile::tempdir().unwrap();
    for photo in ["8.png", "3.png"] {
        std::fs::write(folder.path().join(photo), changed(photo)).unwrap();
    }
    let report = told(&texts(&image(&["--baseline", &format!("nearest:{}", folder.path().display())])));
    let line: String = report.lines().skip_while(|l| !l.starts_with("three against eight")).take(3).collect();
    assert!(line.contains("8.png (classes by the model)"), "{report}");
}

#[test]
fn a_baseline_of_another_class_is_warned_of() {
    let folder = samples(&[("eight", "3.png")]);
    let report = told(&texts(&image(&["--baseline", &format!("nearest:{}", folder.path().display())])));
    assert!(report.contains("Warning: the baseline is no eight to the model") && report.contains("as against three"));
    // So is one that is no sample at all.
    let report = told(&texts(&image(&["--baseline", "black"])));
    assert!(report.contains("from the baseline black: there the model gives eight"), "{report}");
}

#[test]
fn a_text_is_explained_over_a_class() {
    let report = told(&["text", TEXT, "--against", "sadness", "--samples", "300"]);
    for said in ["joy against sadness, from the baseline of the text without its words", "joy over sadness (log-odds)"]
    {
        assert!(report.contains(said), "{said}: {report}");
    }
    let other = told(&["text", TEXT, "--contrast", "joy:sadness", "--samples", "300"]);
    let line = |report: &str| report.lines().find(|l| l.starts_with("joy over sadness")).unwrap().to_string();
    assert_eq!(line(&report), line(&other));
}

#[test]
fn mistakes_are_told() {
    let folder = samples(&[("nine", "8.png")]);
    let nearest = format!("nearest:{}", folder.path().display());
    let photo = format!("{DIGITS}/3.png");
    let model = format!("onnx:{DIGITS}");
    let start = ["image", &photo, "--model", &model, "--segments", "grid:4x4"];
    for (more, said) in [
        (&["--baseline", &nearest][..], "wants a class to explain against: --against CLASS"),
        (&["--against", "three"], "is what the model says already"),
        (&["--against", "eight", "--baseline", &nearest], "has no photo of eight with 64×64 pixels"),
        (&["--against", "eight", "--contrast", "three:nine"], "is what --against sets"),
        (&["--against", "ate"], "no such class"),
        (&["--against", "eight", "--baseline", "nearest:/nowhere"], "give a folder of photos"),
    ] {
        let message = refused(&[&start[..], more].concat(), 2);
        assert!(message.contains(said), "{more:?}: {message}");
    }
    let message = refused(&["text", "so sad", "--removed", "nearest:texts.csv"], 2);
    assert!(message.contains("lipex attribute --baseline nearest:FILE --against CLASS"), "{message}");
    let both = ["attribute", TEXT, "--method", "leave-one-out", "--against", "sadness", "--output", "logit"];
    assert!(refused(&both, 2).contains("--output is what --against sets"));
}

#[cfg(feature = "gradients")]
mod gradients {
    use super::*;

    fn total(arguments: &[&str]) -> f64 {
        let found = json(&[&["attribute"], arguments, &["--method", "deeplift", "--json", "-"]].concat());
        assert!(found["delta"][0].as_f64().unwrap().abs() < 1e-3, "{}", found["delta"]);
        found["total"][0].as_f64().unwrap()
    }

    #[test]
    fn sums_go_from_the_nearest_photo_to_the_photo() {
        let folder = samples(&[("eight", "8.png")]);
        let (nearest, model) = (format!("nearest:{}", folder.path().display()), format!("onnx:{DIGITS}"));
        let (three, eight) = (format!("{DIGITS}/3.png"), path(&folder.path().join("eight"), "0.png"));
        let of =
            |photo: &str, more: &[&str]| total(&[&[photo, "--model", &model, "--segments", "grid:4x4"], more].concat());
        let from_black = |photo: &str| of(photo, &["--baseline", "black", "--output", "contrast:three:eight"]);
        let targeted = of(&three, &["--against", "eight", "--baseline", &nearest]);
        let expected = from_black(&three) - from_black(&eight);
        assert!((targeted - expected).abs() < 1e-3 && expected > 1.0, "{targeted} for {expected}");
    }

    #[test]
    fn sums_go_from_the_nearest_text_to_the_text() {
        const MODEL: &str = concat!("onnx:", env!("CARGO_MANIFEST_DIR"), "/../examples/models/emotions");
        let folder = tempfile::tempdir().unwrap();
        let table = path(folder.path(), "texts.csv");
        let text = "I was so happy at the party today";
        // As many tokens; the second shares all words but two.
        let far = "everything hurts me today and nothing helps";
        let near = "I was so sad at the funeral today";
        std::fs::write(&table, format!("text,label\n\"{far}\",sadness\n\"{near}\",sadness\nso happy,joy\n")).unwrap();
        let nearest = format!("nearest:{table}");
        let arguments = ["attribute", text, "--model", MODEL, "--method", "deeplift", "--baseline", &nearest];
        let found = json(&[&arguments[..], &["--json", "-", "--against", "sadness"]].concat());
        let report = told(&[&arguments[..], &["--against", "sadness"]].concat());
        assert!(report.contains(&format!("joy against sadness, from the baseline nearest:\"{near}\"")), "{report}");
        assert!(report.contains("most to sadness") && report.contains("mean |x − B| = 0."), "{report}");
        let from_zeros = |text: &str| total(&[text, "--model", MODEL, "--output", "contrast:joy:sadness"]);
        let expected = from_zeros(text) - from_zeros(near);
        let targeted = found["total"][0].as_f64().unwrap();
        assert!((targeted - expected).abs() < 1e-3 && expected > 0.1, "{targeted} for {expected}");
        // Without labels the model says what texts are.
        std::fs::write(&table, format!("text\n\"{far}\"\n\"{near}\"\nso happy\n")).unwrap();
        let again = told(&[&arguments[..], &["--against", "sadness"]].concat());
        assert!(again.contains(near), "{again}");
        std::fs::write(&table, "text,label\nso happy,joy\n").unwrap();
        let message = refused(&[&arguments[..], &["--against", "sadness"]].concat(), 2);
        assert!(message.contains("has no text of sadness"), "{message}");
        let message = refused(&arguments, 2);
        assert!(message.contains("wants a class to explain against"), "{message}");
    }
}
