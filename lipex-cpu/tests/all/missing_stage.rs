//! A type that lacks a stage is refused by the compiler with our hint. A package of its own is checked to see that.

use std::path::Path;
use std::process::Command;

const PROGRAM: &str = r#"
use lipex_cpu::prelude::*;

struct Dice;

impl Describe for Dice {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("part", "dice")]
    }
}

fn main() {
    lipex().perturber(Dice);
    lipex().proximity(Dice);
    lipex().selector(Dice);
    lipex().surrogate(Dice);
}
"#;

#[test]
fn the_compiler_says_what_to_implement() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("missing_stage");
    std::fs::create_dir_all(package.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"missing-stage\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nlipex-core = {{ path = {:?} }}\n\
         lipex-cpu = {{ path = {:?} }}\n\n[workspace]\n",
        here.join("../lipex-core"),
        here
    );
    std::fs::write(package.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(package.join("src/main.rs"), PROGRAM).unwrap();
    // The versions that are here already.
    std::fs::copy(here.join("../Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--target-dir"])
        .arg(package.join("target"))
        .current_dir(&package)
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for (does, implement) in [
        ("does not draw masks", "Perturber"),
        ("does not weigh masks", "Proximity"),
        ("does not select features", "Selector"),
        ("does not fit", "Surrogate"),
    ] {
        assert!(told.contains(&format!("`Dice` {does} on the backend `Cpu`")), "{told}");
        assert!(told.contains(&format!("implement `{implement}<Cpu>` for it")), "{told}");
    }
}
