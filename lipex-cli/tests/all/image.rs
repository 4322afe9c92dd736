//! `lipex image` as a stranger runs it.

use crate::common::has_python;
use lipex::{Picture, from_json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Python alone: answers with the share of the picture's brightness that is red, of an array of bytes after 128 of header.
const MODEL: &str = r#"
import base64, json, sys
print(json.dumps({"labels": ["red", "green", "blue"], "images": "npy"}), flush=True)
for line in sys.stdin:
    rows = []
    for image in json.loads(line)["images"]:
        pixels = base64.b64decode(image)[128:]
        sums = [1 + sum(pixels[c::3]) for c in range(3)]
        rows.append([s / sum(sums) for s in sums])
    print(json.dumps({"probabilities": rows}), flush=True)
"#;

/// A folder with a photo of 12×8 pixels, a segment map and a model; `None`, said aloud, where there is no Python.
struct Place {
    folder: TempDir,
    model: String,
}

impl Place {
    fn new() -> Option<Self> {
        if !has_python() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        // Red on the left, a weaker green on the right, the lower half darker.
        let pixel = |i: usize| {
            let light = if i < 48 { 240 } else { 120 };
            let blue = 8 + (i % 5) as u8;
            if i % 12 < 6 { [light, 20, blue] } else { [20, light / 4 * 3, blue] }
        };
        write("photo.png", &picture(12, 8, pixel).to_png());
        write(
            "map.png",
            &picture(12, 8, |i| if i % 12 < 4 { [255, 0, 0] } else { [0, (i % 12 / 8 * 9) as u8, 0] }).to_png(),
        );
        write("small.png", &picture(6, 8, |i| [(i % 2) as u8, 2, 3]).to_png());
        write("plain.png", &picture(12, 8, |_| [1, 2, 3]).to_png());
        write("dot.png", &picture(1, 1, |_| [1, 2, 3]).to_png());
        write("cut.png", &picture(12, 8, pixel).to_png()[..50]);
        write("text.png", b"this is no picture");
        write("model.py", MODEL.as_bytes());
        let model = format!("command:python3 '{}'", folder.path().join("model.py").display());
        Some(Place { folder, model })
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_string()
    }

    fn lipex(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lipex"));
        command.args(arguments).env("COLUMNS", "160").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Standard output of `lipex image photo.png --model …` and more arguments, which must succeed.
    fn told(&self, arguments: &[&str]) -> String {
        let all = [&["image", "photo.png", "--model", &self.model], arguments].concat();
        let output = self.lipex(&all).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{all:?}: {}", error_of(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one line of a run that must fail with exit code 2 and write nothing.
    fn refused(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let output = self.lipex(arguments).output().unwrap();
        let message = error_of(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty() && message.lines().count() == 1, "{arguments:?}: {message}");
        assert!(message.starts_with("error: "), "{message}");
        assert_eq!(self.files(), before, "{arguments:?} wrote something");
        message
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = entries(self.folder.path());
        files.sort();
        files
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect()
}

fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn picture(width: usize, height: usize, pixel: impl Fn(usize) -> [u8; 3]) -> Picture {
    Picture::from_rgb(width, height, (0..width * height).flat_map(pixel).collect()).unwrap()
}

fn without_times(json: &str) -> String {
    json[..json.find("\"timings_ms\"").expect("timings_ms")].to_string()
}

const GRID: [&str; 4] = ["--segments", "grid:2x2", "--baseline", "black"];

#[test]
fn a_photo_is_explained() {
    let Some(place) = Place::new() else { return };
    let report = place.told(&[&GRID[..], &["--contrast", "red:green", "--flip-to", "green"]].concat());
    for part in [
        "What each segment does to each class, in log-odds (W)",
        "r1c1",
        "What holds red up",
        "red over green",
        "without r1c1",
        "checked: yes",
        "at the image",
        "baseline = black (paper: mean; preset: mean)",
        "All 16 masks: no sampling error; 16 distinct images sent to the model.",
    ] {
        assert!(report.contains(part), "{part} is missing:\n{report}");
    }
    for part in ["word", "text", "sampler ="] {
        assert!(!report.contains(part), "{part}:\n{report}");
    }
    let lime =
        place.told(&["--segments", "map:map.png", "--preset", "lime", "--sampler", "lime", "--baseline", "noise"]);
    assert!(lime.contains("#ff0000") && lime.contains("in probability (W)") && lime.contains("1000 masks"), "{lime}");
}

#[test]
fn explanations_are_saved_and_shown_again() {
    let Some(place) = Place::new() else { return };
    let json = place.path("x.json");
    let report = place.told(&[&GRID[..], &["--json", &json]].concat());
    let text = std::fs::read_to_string(&json).unwrap();
    let explanation = from_json(&text).unwrap();
    let region = explanation.features[3].region.unwrap();
    assert_eq!((region.pixels, region.bounds), (24, [6, 4, 12, 8]));
    assert!(text.contains(r#""region": {"pixels": 24, "box": [6, 4, 12, 8]}"#), "{text}");
    let shown = place.lipex(&["show", &json]).output().unwrap();
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), report);
    // From standard input; by batches and threads: the same bytes.
    let photo = std::fs::read(place.path("photo.png")).unwrap();
    let mut child = place
        .lipex(
            &[
                &["image", "-", "--model", &place.model, "--json", "-", "--threads", "2", "--batch-size", "3"],
                &GRID[..],
            ]
            .concat(),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&photo).unwrap();
    let piped = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(without_times(&piped), without_times(&text));
}

#[test]
fn pages_figures_tables_and_bars_are_for_images_too() {
    let Some(place) = Place::new() else { return };
    let files = ["--html", "x.html", "--svg", "x.svg", "--csv", "x.csv", "--save-neighbourhood", "x.npz"];
    let report = place.told(&[&GRID[..], &files, &["--uncertainty", "--sampler", "uniform-size"]].concat());
    assert!(report.contains("How sure") && !report.contains("word"), "{report}");
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let page = read("x.html");
    assert!(
        page.contains("data:image/png;base64,") && page.contains("r2c2") && page.contains("What each segment does")
    );
    assert!(read("x.svg").starts_with("<svg") && read("x.csv").contains("red,r1c1,"));
    assert!(std::fs::metadata(place.path("x.npz")).unwrap().len() > 100);
    let grown = place.told(&[&GRID[..], &["--adaptive", "--max-samples", "200"]].concat());
    assert!(grown.contains("masks") && !grown.contains("word"), "{grown}");
    // Two files in one place, or no room for both on standard output.
    let twice = ["image", "photo.png", "--segments", "grid:2x2", "--html", "y", "--json", "y", "--model", &place.model];
    assert!(place.refused(&twice).contains("--json"));
}

#[test]
fn overlays_are_written_for_the_classes_shown() {
    let Some(place) = Place::new() else { return };
    let report = place.told(&[&GRID[..], &["--overlay", "out", "--classes", "green,red"]].concat());
    assert!(report.contains("Overlays: 1-green.png, 2-red.png."), "{report}");
    let read = |name: &str| Picture::decode(&std::fs::read(place.path(name)).unwrap()).unwrap();
    let (green, red) = (read("out/1-green.png"), read("out/2-red.png"));
    assert_eq!(entries(&place.folder.path().join("out")).len(), 2);
    // Enlarged 54 times. Off the signs and the names, the upper left is blue for red, which it holds up, and orange for green.
    assert_eq!((red.width(), red.height()), (648, 432));
    let colour = |overlay: &Picture| overlay.pixel(20 * 648 + 20).unwrap();
    let ([r, _, b], [other, _, rest]) = (colour(&red), colour(&green));
    assert!(b > r && other > rest, "{:?} {:?}", colour(&red), colour(&green));
    // The sign can be read without colour: minus has no upright.
    let white = |overlay: &Picture, x: usize, y: usize| overlay.pixel(y * 648 + x).unwrap() == [255; 3];
    let middle = |overlay: &Picture| {
        let found = (0..108)
            .flat_map(|y| (0..162).map(move |x| (x, y)))
            .find(|&(x, y)| white(overlay, x, y) && white(overlay, x + 3, y));
        let (x, y) = found.unwrap();
        (0..12).any(|d| white(overlay, x + d, y + 5))
    };
    assert!(middle(&red) && !middle(&green));
}

#[test]
fn mistakes_are_told_in_one_line() {
    let Some(place) = Place::new() else { return };
    let with_model = |arguments: &[&str]| place.refused(&[arguments, &["--model", &place.model]].concat());
    for (photo, segments, more, word) in [
        ("none.png", "grid:2x2", "", "No such file"),
        (".", "grid:2x2", "", "directory"),
        ("text.png", "grid:2x2", "", "no picture"),
        ("cut.png", "grid:2x2", "", "cannot be decoded"),
        ("dot.png", "grid:1x1", "", "one segment"),
        ("dot.png", "grid:2x2", "", "does not fit"),
        ("photo.png", "grid:2", "", "grid:4x6"),
        ("photo.png", "grid:2xx", "", "grid:4x6"),
        ("photo.png", "grid:9x2", "", "does not fit"),
        ("photo.png", "slic:1", "", "from 2 to 10000"),
        ("photo.png", "slick", "", "grid:RxC"),
        ("photo.png", "quickshift:4", "", "three numbers"),
        ("photo.png", "map:small.png", "", "6×8"),
        ("photo.png", "map:plain.png", "", "one segment"),
        ("photo.png", "map:text.png", "", "no segment map"),
        ("photo.png", "map:none.png", "", "No such file"),
        ("photo.png", "grid:2x2", "--baseline=image:small.png", "6×8"),
        ("photo.png", "grid:2x2", "--baseline=image:none.png", "No such file"),
        ("photo.png", "grid:2x2", "--baseline=image:text.png", "no picture"),
        ("photo.png", "grid:2x2", "--baseline=image:photo.png", "changes nothing"),
        ("plain.png", "grid:2x2", "", "changes nothing"),
        ("photo.png", "grid:2x2", "--baseline=grey", "colour:#RRGGBB"),
        ("photo.png", "grid:2x2", "--overlay=no/such/folder", "does not exist"),
        ("photo.png", "grid:2x2", "--overlay=map.png", "not a folder"),
        ("photo.png", "grid:2x2", "--overlay=out --classes=pink", "pink"),
        ("photo.png", "grid:2x2", "--json=.", "folder"),
        ("photo.png", "grid:2x2", "--samples=0", "samples = 0"),
        ("photo.png", "grid:2x2", "--sampler=exhaustive --samples=9", "exhaustive"),
    ] {
        let more: Vec<&str> = more.split_whitespace().collect();
        let message = with_model(&[&["image", photo, "--segments", segments], &more[..]].concat());
        assert!(message.contains(word), "{photo} {segments} {more:?}: {message}");
    }
    for (arguments, word) in [
        (&["image", "photo.png", "--segments", "grid:2x2"][..], "no model: give --model"),
        (&["image", "photo.png", "--segments", "grid:2x2", "--model", "demo"], "the demo reads texts"),
        (&["image", "photo.png", "--segments", "grid:2x2", "--model", "onnx"], "is no program"),
        (&["image", "photo.png"], "no model: give --model"),
        (&["image"], "PHOTO"),
        (&["text", "a text", "--model", &place.model], "use lipex image"),
    ] {
        let message = place.refused(arguments);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}

#[test]
fn a_picture_of_100_megapixels_is_refused_by_its_header() {
    let Some(place) = Place::new() else { return };
    // A header and nothing else, as `png` writes it before the pixels.
    let mut file = std::fs::read(place.path("photo.png")).unwrap();
    file[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    file[29..33].copy_from_slice(&0x352c_f570_u32.to_be_bytes());
    std::fs::write(place.path("large.png"), &file).unwrap();
    let message = place.refused(&["image", "large.png", "--segments", "grid:2x2", "--model", &place.model]);
    assert!(message.contains("10000×10000") && message.contains("50 million"), "{message}");
}

#[test]
fn help_teaches() {
    let output = Command::new(env!("CARGO_BIN_EXE_lipex")).args(["image", "--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in [
        "--segments",
        "--baseline",
        "--overlay",
        "bernoulli",
        "[default: 1000, the paper's; kernel-shap: 2D+2048]",
        "[default: forward:5, the paper's; lime, kernel-shap: all]",
        "random_seed",
        "50 megapixels",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word} is missing from the help");
    }
}
