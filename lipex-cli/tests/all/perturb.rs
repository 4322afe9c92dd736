//! `lipex perturb` as a stranger runs it.

use crate::common;

use common::{bytes, path, refused, run};
use lipex::npy;
use std::io::Cursor;

fn masks(file: &[u8]) -> npy::Array<u8> {
    npy::masks_from(Cursor::new(file), "masks").unwrap()
}

#[test]
fn masks_of_a_seed_go_to_a_file_or_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "masks.npy");
    let drawn = |arguments: &[&str]| bytes(&[&["perturb", "--features", "33", "--samples", "40"], arguments].concat());
    assert!(drawn(&["--seed", "5", "--out", &file]).is_empty());
    let masks = npy::read_masks(&file).unwrap();
    assert_eq!((masks.rows, masks.columns), (40, 33));
    assert!(masks.values[..33].iter().all(|&v| v == 1) && masks.values.contains(&0));
    assert_eq!(drawn(&["--seed", "5", "--out", "-"]), std::fs::read(&file).unwrap());
    assert_ne!(drawn(&["--seed", "6", "--out", "-"]), std::fs::read(&file).unwrap());
    let archive = path(folder.path(), "masks.npz");
    drawn(&["--seed", "5", "--out", &archive]);
    assert_eq!(npy::read_masks(&archive).unwrap(), masks);
    let weighted = path(folder.path(), "weighted.npz");
    for sampler in ["weight-proportional", "kernel-shap"] {
        drawn(&["--sampler", sampler, "--out", &weighted]);
        assert_eq!(npy::read_weights(&weighted).unwrap().len(), npy::read_masks(&weighted).unwrap().rows, "{sampler}");
    }
    // Only a sampler with weights of its own stores any.
    assert!(npy::read_weights(&archive).unwrap_err().to_string().contains("no array named weights"));
}

#[test]
fn every_sampler_draws() {
    for (sampler, rows) in
        [("uniform-size", 30), ("antithetic", 30), ("bernoulli", 30), ("bernoulli:0.9", 30), ("lime", 30)]
    {
        let file = bytes(&["perturb", "--features", "6", "--samples", "30", "--sampler", sampler, "--out", "-"]);
        assert_eq!((masks(&file).rows, masks(&file).columns), (rows, 6), "{sampler}");
    }
    let all = masks(&bytes(&["perturb", "--features", "3", "--sampler", "exhaustive", "--out", "-"]));
    assert_eq!(all.values.chunks(3).collect::<std::collections::BTreeSet<_>>().len(), 8);
    let weighted = bytes(&["perturb", "--features", "6", "--sampler", "weight-proportional", "--out", "-"]);
    assert_eq!(masks(&weighted).rows, 1000);
    let filtered = ["--within-angle", "0.7854", "--filtered", "--samples", "200", "--out", "-"];
    let filtered = masks(&bytes(&[&["perturb", "--features", "10"], &filtered[..]].concat()));
    assert!((20..200).contains(&filtered.rows), "{}", filtered.rows);
    // cos θ = √(m/D): within π/4 at most half are removed.
    let near = masks(&bytes(&["perturb", "--features", "10", "--within-angle", "0.7854", "--out", "-"]));
    assert_eq!(near.rows, 1000);
    assert!(near.values.chunks(10).all(|row| row.iter().filter(|&&v| v == 1).count() >= 5));
}

#[test]
fn masks_are_those_that_a_text_gets() {
    let folder = tempfile::tempdir().unwrap();
    let (own, alone) = (path(folder.path(), "text.npz"), path(folder.path(), "alone.npz"));
    for sampler in ["uniform-size", "antithetic", "bernoulli:0.3", "lime", "weight-proportional"] {
        let draw = ["--sampler", sampler, "--seed", "9", "--samples", "70"];
        let text = ["text", "one two three four five", "--enumerate", "never", "--save-neighbourhood", &own];
        bytes(&[&text[..], &draw[..]].concat());
        bytes(&[&["perturb", "--features", "5", "--out", &alone], &draw[..]].concat());
        assert_eq!(npy::read_masks(&own).unwrap(), npy::read_masks(&alone).unwrap(), "{sampler}");
    }
}

#[test]
fn mistakes_are_told_in_one_line_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path(), "masks.npy");
    for (arguments, word) in [
        (&["--features", "0"][..], "features = 0"),
        (&["--features", "-1"], "--features"),
        (&["--features", "5", "--samples", "0"], "samples = 0"),
        (&["--features", "5", "--sampler", "dice"], "uniform-size"),
        (&["--features", "21", "--sampler", "exhaustive"], "at most 20"),
        (&["--features", "5", "--sampler", "exhaustive", "--samples", "9"], "exhaustive"),
        (&["--features", "5", "--within-angle", "2"], "1.5708"),
        (&["--features", "10000000", "--samples", "10000000"], "GiB"),
        (&["--features", "18446744073709551615"], "10000000 features"),
        (&["--features", "1", "--samples", "18446744073709551615"], "10000000 masks"),
    ] {
        let message = refused(&[&["perturb", "--out", &out], arguments].concat(), 2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
    assert!(refused(&["perturb", "--features", "5"], 2).contains("--out"));
    assert!(refused(&["perturb", "--out", &out], 2).contains("--features"));
    let nowhere = path(folder.path(), "none/masks.npy");
    assert!(refused(&["perturb", "--features", "5", "--out", &nowhere], 2).contains("does not exist"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(String::from_utf8(run(&["perturb", "--help"]).stdout).unwrap().contains("--within-angle"));
}
