//! `lipex select` as a stranger runs it.

use crate::common;

use common::{bytes, json, keys, path, refused};
use serde_json::{Value, json as value};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/npy/");

fn golden(name: &str) -> String {
    format!("{GOLDEN}{name}")
}

fn select(arguments: &[&str]) -> Value {
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    json(&[&["select", "--masks", &masks, "--probs", &probs], arguments].concat())
}

fn picks(document: &Value) -> Vec<Vec<usize>> {
    serde_json::from_value(document["per_class"].clone()).unwrap()
}

#[test]
fn the_document_has_its_keys_and_the_union_is_sorted() {
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    let text = bytes(&["select", "--masks", &masks, "--probs", &probs, "--select", "forward:3", "--json", "-"]);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(keys(&text), ["schema", "per_class", "kept", "timings_ms"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["schema"], "lipex.selection/1");
    let mut union: Vec<usize> = picks(&document).concat();
    union.sort_unstable();
    union.dedup();
    assert_eq!(document["kept"], value!(union));
    assert!(picks(&document).len() == 3 && picks(&document).iter().all(|class| class.len() == 3));
    for stage in ["weigh", "select"] {
        assert!(document["timings_ms"][stage].as_f64().is_some_and(|ms| ms >= 0.0), "{document}");
    }
}

#[test]
fn every_selector_selects() {
    let forward = picks(&select(&["--select", "forward:2"]));
    assert_eq!(picks(&select(&[])), picks(&select(&["--select", "forward:5"])));
    assert_eq!(picks(&select(&["--select", "all"]))[0], (0..9).collect::<Vec<_>>());
    let exclusive = picks(&select(&["--select", "exclusive:2"])).concat();
    assert_eq!(exclusive.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
    assert_eq!(exclusive[..2], forward[0], "the first class has the first choice");
    assert_eq!(picks(&select(&["--select", "highest:4"])).concat().len(), 12);
    assert!(picks(&select(&["--select", "lasso:4"])).iter().all(|class| class.len() <= 4));
}

#[test]
fn threads_and_repetitions_change_nothing_but_times() {
    let plain = select(&["--select", "forward:4"]);
    for arguments in [["--threads", "3"], ["--repeat", "4"]] {
        assert_eq!(picks(&select(&[&["--select", "forward:4"], &arguments[..]].concat())), picks(&plain));
    }
}

#[test]
fn weights_come_from_a_proximity_or_a_file() {
    let near = ["--select", "forward:5", "--proximity", "exponential:0.05"];
    assert_ne!(picks(&select(&near)), picks(&select(&["--proximity", "cosine-distance"])));
    // The golden weights are those of the default proximity.
    let default = picks(&select(&[]));
    for weights in ["weights.npy", "weights-f8.npy", "all.npz", "compressed.npz"] {
        assert_eq!(picks(&select(&["--weights", &golden(weights)])), default, "{weights}");
    }
    let both = ["--weights", "w.npy", "--proximity", "exponential"];
    let message = refused(&[&["select", "--masks", "m.npy", "--probs", "p.npy"], &both[..]].concat(), 2);
    assert!(message.contains("--proximity") && message.contains("cannot be used with"), "{message}");
}

#[test]
fn mistakes_are_told_in_one_line_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path(), "x.json");
    let (masks, probs) = (golden("masks.npy"), golden("probs.npy"));
    let good = ["select", "--masks", &masks, "--probs", &probs, "--json", &out];
    for (arguments, word) in [
        (&["--select", "forward:0"][..], "at least 1"),
        (&["--select", "best:3"], "forward:K"),
        (&["--proximity", "near"], "cosine"),
        (&["--repeat", "0"], "repeat = 0"),
        (&["--threads", "0"], "threads"),
        (&["--weights", "no/such.npy"], "no/such.npy"),
        (&["--weights", &masks], "one dimension"),
    ] {
        let message = refused(&[&good, arguments].concat(), 2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
    assert!(refused(&["select", "--masks", &masks], 2).contains("--probs"));
    let swapped = refused(&["select", "--masks", &probs, "--probs", &masks, "--json", &out], 2);
    assert!(swapped.contains("masks = ") && swapped.contains("row 0, column 0"), "{swapped}");
    assert!(!std::path::Path::new(&out).exists());
}
