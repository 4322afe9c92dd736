//! Files that `lipex select` and `lipex fit` must refuse: one line with file and place, exit 2, nothing written.

use crate::common;

use common::{path, refused};
use std::path::Path;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/npy/");
/// Bytes before the numbers of a golden file.
const HEADER: usize = 128;

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(format!("{GOLDEN}{name}")).unwrap()
}

/// A golden file, changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = golden(name);
    change(&mut bytes);
    assert_ne!(bytes, golden(name));
    bytes
}

/// A golden file with another text of the same length in its header.
fn renamed(name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    changed(name, |bytes| {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    })
}

/// A golden file without its last row of `bytes` bytes.
fn fewer(name: &str, bytes: usize) -> Vec<u8> {
    let mut file = renamed(name, "(60,", "(59,");
    file.truncate(file.len() - bytes);
    file
}

/// Refusals of both commands, with one of the golden files replaced.
fn lines(folder: &Path, option: &str, bytes: &[u8]) -> Vec<String> {
    let (bad, out) = (path(folder, "bad.npy"), path(folder, "out.json"));
    std::fs::write(&bad, bytes).unwrap();
    let mut told = Vec::new();
    for command in ["select", "fit"] {
        let mut arguments = vec![command.to_string(), "--json".into(), out.clone()];
        for name in ["masks", "probs", "weights"] {
            let file = if name == option { bad.clone() } else { format!("{GOLDEN}{name}.npy") };
            arguments.extend([format!("--{name}"), file]);
        }
        let line = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2);
        assert!(line.contains("bad.npy"), "{line}");
        assert!(!Path::new(&out).exists());
        told.push(line);
    }
    told
}

#[test]
fn both_commands_refuse_them_alike() {
    let folder = tempfile::tempdir().unwrap();
    let probs = |at: usize, value: f32| {
        changed("probs.npy", |b| b[HEADER + 4 * at..HEADER + 4 * at + 4].copy_from_slice(&value.to_le_bytes()))
    };
    let last = |value: f64| {
        changed("weights-f8.npy", |b| {
            let end = b.len();
            b[end - 8..].copy_from_slice(&value.to_le_bytes());
        })
    };
    let first = |value: f64| changed("weights-f8.npy", |b| b[HEADER..HEADER + 8].copy_from_slice(&value.to_le_bytes()));
    let all = |value: f64| {
        let bytes = value.to_le_bytes();
        changed("weights-f8.npy", |b| b[HEADER..].chunks_exact_mut(8).for_each(|v| v.copy_from_slice(&bytes)))
    };
    // The golden probabilities as float64, with one of them replaced.
    let doubles = |at: usize, value: f64| {
        let single = golden("probs.npy");
        let numbers = single[HEADER..].chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())));
        let numbers = numbers.enumerate().flat_map(|(i, v)| if i == at { value } else { v }.to_le_bytes());
        let mut header = single[..HEADER].to_vec();
        let at = header.windows(3).position(|w| w == b"<f4").unwrap();
        header[at + 2] = b'8';
        header.into_iter().chain(numbers).collect::<Vec<u8>>()
    };
    let cases = [
        // Numbers of a float64 file that a float32 would hide.
        ("weights", first(-1e-60), "row 0 is -0.000"),
        ("weights", first(1e60), "row 0 is outside what a float32 holds"),
        ("weights", all(1e-60), "every weight is outside what a float32 holds"),
        ("probs", doubles(7, -1e-60), "which is negative"),
        ("probs", doubles(7, 1e60), "row 2 is no distribution: it sums to"),
        ("masks", Vec::new(), "no .npy or .npz"),
        ("masks", changed("masks.npy", |b| b.truncate(HEADER + 100)), "cut short"),
        ("masks", changed("masks.npy", |b| b.truncate(40)), "ends inside its header"),
        ("masks", changed("all.npz", |b| b.truncate(900)), "no .npz file that can be read"),
        ("masks", renamed("masks.npy", "|u1", "|S1"), "type '|S1'"),
        ("masks", renamed("masks.npy", "(60, 9)", "(540, )"), "two dimensions"),
        ("masks", fewer("masks.npy", 9), "has 60 rows, but the masks"),
        ("probs", fewer("probs.npy", 12), "has 59 rows, but the masks"),
        ("weights", fewer("weights.npy", 4), "has 59 rows, but the masks"),
        ("masks", renamed("masks.npy", "(60, 9)", "(00, 9)"), "nothing in it"),
        ("masks", renamed("masks-f8.npy", "(60, 9)", "(9e9,9)"), "header"),
        ("masks", changed("masks.npy", |b| b[HEADER + 20] = 2), "row 2, column 2 is 2"),
        ("masks", changed("masks.npy", |b| b[HEADER + 4] = 0), "its column 4 is 0"),
        ("probs", probs(7, f32::NAN), "row 2 is no distribution: class 1 has NaN"),
        ("probs", probs(7, 1.5), "row 2 is no distribution: it sums to"),
        ("probs", probs(7, -0.1), "which is negative"),
        ("probs", golden("masks.npy"), "type '|u1'; convert it to float32 or float64"),
        ("probs", changed("probs.npy", |b| b.truncate(HEADER + 700)), "needs 720 bytes, it has 700"),
        ("probs", golden("weights.npy"), "two dimensions"),
        ("weights", last(-1.0), "row 59 is -1"),
        ("weights", last(f64::INFINITY), "row 59 is inf"),
        ("weights", changed("weights.npy", |b| b[HEADER..].fill(0)), "every weight is 0"),
        ("weights", golden("probs.npy"), "one dimension"),
        ("weights", changed("weights.npy", |b| b.extend([0; 4])), "goes on after"),
    ];
    for (option, bytes, word) in cases {
        let [select, fit] = lines(folder.path(), option, &bytes).try_into().unwrap();
        assert!(select.contains(word), "{word}: {select}");
        assert_eq!(select, fit);
    }
}

#[test]
fn a_promise_of_a_trillion_numbers_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let huge = |shape: &str| {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    for (shape, word) in [
        ("(1000000, 1000000)", "above 4 GiB"),
        ("(400000, 1000)", "cut short"),
        ("(9999999999999, 9999999999999)", "header"),
    ] {
        for line in lines(folder.path(), "masks", &huge(shape)) {
            assert!(line.contains(word), "{shape}: {line}");
        }
    }
}
