//! One word names a stage in every backend.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of the files (and folders) of a folder, without endings.
fn stems(folder: &str, ending: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter_map(|name| name.strip_suffix(ending).map(String::from).or((!name.contains('.')).then_some(name)))
        .collect()
}

#[test]
fn the_same_words_in_both_backends_and_in_the_kernels() {
    let (cpu, cuda, kernels) = (stems("lipex-cpu/src", ".rs"), stems("lipex-cuda/src", ".rs"), stems("kernels", ".cu"));
    for stage in ["backend", "perturb", "weigh", "select", "fit", "ridge", "evaluate"] {
        for (folder, names) in [("lipex-cpu/src", &cpu), ("lipex-cuda/src", &cuda), ("kernels", &kernels)] {
            assert!(names.contains(stage), "{folder} has no {stage}");
        }
    }
}

#[test]
fn every_kernel_file_says_what_it_is_checked_against() {
    for file in lipex_kernels::FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kernels").join(format!("{}.cu", file.name));
        let source = std::fs::read_to_string(path).unwrap();
        let header: String = source.lines().take_while(|l| l.starts_with("//")).collect();
        for word in ["thread", "hared memory", "Checked against"] {
            assert!(header.contains(word), "{}: {word}", file.name);
        }
    }
}
