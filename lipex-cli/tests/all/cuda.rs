//! `lipex devices` and `--backend`: on the emulator, which is put where a driver would be, and without any driver.

use crate::common::has_python;
use std::path::PathBuf;
use std::process::{Command, Output};

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

/// A folder with the emulator under the driver's name.
fn emulator() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let library = program.parent().unwrap().join("libcuda_emulator.so");
    assert!(library.exists(), "{}", library.display());
    let folder = std::env::temp_dir().join(format!("lipex-emulator-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // Tests of this file run at once: whoever comes second finds the link there.
    let _ = std::os::unix::fs::symlink(library, folder.join("libcuda.so"));
    folder
}

fn lipex(arguments: &[&str], with_driver: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lipex"));
    let folder = if with_driver { emulator() } else { std::env::temp_dir().join("lipex-no-such-folder") };
    command.args(arguments).env("LD_LIBRARY_PATH", folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The explanations of both backends with the same options, W within 10⁻³ of each other.
fn on_both(arguments: &[&str]) -> [::lipex::Explanation; 2] {
    let both = ["cpu", "cuda"].map(|backend| {
        let done = lipex(&[arguments, &["--json", "-", "--backend", backend]].concat(), true);
        assert!(done.status.success(), "{}", text(&done.stderr));
        let explanation = ::lipex::from_json(&text(&done.stdout)).unwrap();
        assert_eq!(explanation.backend, backend);
        explanation
    });
    let [cpu, cuda] = both.each_ref().map(|e| e.shares().matrix().concat());
    assert_eq!(cpu.len(), cuda.len());
    for (a, b) in cpu.iter().zip(&cuda) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
    both
}

#[test]
fn a_device_gives_the_matrix_of_the_cpu() {
    on_both(&["text", TEXT, "--samples", "300", "--lambda", "0.01"]);
}

#[test]
fn a_device_chooses_the_penalty_of_the_cpu() {
    let [cpu, cuda] =
        on_both(&["text", TEXT, "--samples", "300", "--lambda", "auto", "--proximity", "exponential:0.1"]);
    assert!(
        cpu.fit.as_ref().unwrap().lambda == cuda.fit.as_ref().unwrap().lambda
            && cpu.fit.as_ref().unwrap().lambda != 1e-4,
        "{} {}",
        cpu.fit.as_ref().unwrap().lambda,
        cuda.fit.as_ref().unwrap().lambda
    );
}

#[test]
fn a_device_has_the_error_bars_of_the_cpu() {
    let [cpu, cuda] = on_both(&["text", TEXT, "--samples", "120", "--lambda", "0.01", "--uncertainty"])
        .map(|e| e.uncertainty.expect("error bars"));
    assert_eq!((cpu.method, &cpu.not_covered), (cuda.method, &cuda.not_covered));
    for (a, b) in cpu.std_error.iter().flatten().zip(cuda.std_error.iter().flatten()) {
        assert!(*a > 0.0 && (a - b).abs() < 5e-3 * a, "{a} {b}");
    }
    assert!((cpu.band - cuda.band).abs() < 0.02 && (cpu.quantile - cuda.quantile).abs() < 0.01);
    let shares = [cpu.in_top, cuda.in_top].map(|top| top.expect("shares in the top").share.concat());
    let apart = shares[0].iter().zip(&shares[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart <= 0.03, "{apart}");
}

/// What the data choose is fitted on the host; what is said of the penalty is then of that fit too.
#[test]
fn a_device_says_of_chosen_pairs_what_the_cpu_says() {
    let chosen = ["--intercept", "auto", "--pairs", "auto", "--uncertainty"];
    let [cpu, cuda] = on_both(&[&["text", TEXT, "--samples", "300"][..], &chosen].concat());
    assert!(!cpu.pairs().is_empty());
    let [cpu, cuda] = [cpu, cuda].map(|e| e.uncertainty.expect("error bars"));
    assert_eq!(cpu.not_covered, cuda.not_covered);
    assert!((cpu.shrinkage.unwrap() - cuda.shrinkage.unwrap()).abs() < 1e-6);
}

/// Answers with the share of the picture's brightness that is red, of an array of bytes after 128 of header.
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

#[test]
fn a_device_renders_the_pictures_of_the_cpu() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    // 13 · 9 pixels: no multiple of what the device reads at once.
    let pixel = |i: usize| [(i * 37 % 256) as u8, if i % 13 < 6 { 200 } else { 20 }, (i * i % 251) as u8];
    let photo = ::lipex::Picture::from_rgb(13, 9, (0..13 * 9).flat_map(pixel).collect()).unwrap();
    std::fs::write(path("photo.png"), photo.to_png()).unwrap();
    std::fs::write(path("model.py"), MODEL).unwrap();
    let model = format!("command:python3 '{}'", path("model.py"));
    let (photo, segments) = (path("photo.png"), ["--segments", "grid:3x4", "--samples", "150", "--batch-size", "7"]);
    let base = [&["image", &photo, "--model", &model], &segments[..]].concat();
    let saved: Vec<Vec<u8>> = ["cpu", "cuda"]
        .iter()
        .map(|backend| {
            let done = lipex(&[&base[..], &["--backend", backend, "--save-neighbourhood", "-"]].concat(), true);
            assert!(done.status.success(), "{}", text(&done.stderr));
            done.stdout
        })
        .collect();
    // Masks, weights, and every answer of the model: it saw the same bytes.
    assert!(saved[0].len() > 1000 && saved[0] == saved[1]);
    on_both(&[&base[..], &["--lambda", "0.01"]].concat());
    let (page, overlays) = (path("page.html"), path("overlays"));
    let more = ["--backend", "auto", "--html", &page, "--overlay", &overlays, "--flip-to", "blue"];
    let done = lipex(&[&base[..], &more].concat(), true);
    let told = text(&done.stderr);
    assert!(done.status.success() && told.contains("backend: cuda") && told.contains("bytes sent"), "{told}");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("data:image/png;base64,") && html.contains("cuda"));
    assert_eq!(std::fs::read_dir(&overlays).unwrap().count(), 3);
    let done = lipex(&[&base[..], &["--backend", "cuda"]].concat(), false);
    if !done.status.success() {
        let line = text(&done.stderr);
        assert!(done.status.code() == Some(2) && line.lines().count() == 1 && line.contains("--backend cpu"), "{line}");
    }
}

#[test]
fn devices_are_listed_and_traffic_is_told() {
    let done = lipex(&["devices"], true);
    let list = text(&done.stdout);
    assert!(done.status.success() && list.starts_with("0: ") && list.contains("emulator"), "{list}");
    assert!(list.contains("GiB") && list.contains("compute capability"), "{list}");
    let done = lipex(&["text", TEXT, "--samples", "50", "--backend", "auto"], true);
    let told = text(&done.stderr);
    assert!(done.status.success() && told.contains("backend: cuda") && told.contains("bytes sent"), "{told}");
}

#[test]
fn without_a_driver_one_line_says_how_to_go_on() {
    for arguments in [&["devices"][..], &["text", TEXT, "--backend", "cuda"]] {
        let done = lipex(arguments, false);
        let line = text(&done.stderr);
        if done.status.success() {
            println!("skipped: there is a driver here");
            return;
        }
        assert_eq!((done.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.contains("cuda is not available") && line.contains("--backend cpu"), "{line}");
        // `lipex devices` has no such option, so it does not tell to use it.
        assert_eq!(line.contains("lipex text"), arguments == ["devices"], "{line}");
        assert!(done.stdout.is_empty());
    }
    let done = lipex(&["text", TEXT, "--samples", "50", "--backend", "auto"], false);
    assert!(done.status.success() && text(&done.stderr).contains("backend: cpu"));
    let wrong = lipex(&["text", TEXT, "--backend", "tpu"], false);
    assert!(wrong.status.code() == Some(2) && text(&wrong.stderr).contains("choose cpu, cuda or auto"));
}
