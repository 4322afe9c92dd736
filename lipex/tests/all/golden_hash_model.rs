//! The classifier that LIME's golden explanations are of, and that their reader reads them.

use crate::common::hash_model;
use crate::common::lime_text;

use hash_model::{classify, fnv};
use lime_text::lime_texts;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What only this test reads of lime_text.json.
#[derive(Deserialize)]
struct Checked {
    text: String,
    checksum: String,
}

#[test]
fn the_classifier_is_that_of_python_to_the_bit() {
    let checked: Vec<Checked> = serde_json::from_str(include_str!("../golden/lime_text.json")).unwrap();
    for c in &checked {
        let ends = c.text.char_indices().map(|(at, _)| at).chain([c.text.len()]);
        let bits = ends.flat_map(|end| classify(&c.text[..end])).map(f64::to_bits);
        assert_eq!(format!("{:016x}", fnv(bits)), c.checksum, "{}", c.text);
    }
    assert_eq!(classify(""), [0.25; 4]);
    assert!(checked.len() >= 10);
}

#[test]
fn explanations_are_whole() {
    for e in lime_texts() {
        let at = format!("{} ({} of {}, seed {})", e.text, e.features, e.samples, e.seed);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let distinct: BTreeSet<&str> = e.text.split(|c| !word(c)).filter(|w| !w.is_empty()).collect();
        assert_eq!(e.classes.len(), 4, "{at}");
        for c in &e.classes {
            assert_eq!(c.words.len(), e.features.min(distinct.len()), "{at}");
            assert!(c.words.iter().all(|(w, _)| distinct.contains(w.as_str())), "{at}: {:?}", c.words);
            assert!(c.words.is_sorted_by(|a, b| a.1.abs() >= b.1.abs()), "{at}");
            let sum = c.intercept + c.words.iter().map(|(_, v)| v).sum::<f64>();
            assert!((sum - c.local_pred).abs() < 1e-12, "{at}: {sum} {}", c.local_pred);
            assert!(c.score > 0.1 && c.score <= 1.0, "{at}: {}", c.score);
        }
        // The surrogates of all classes add up to 1 where every class has the same words.
        let total: f64 = e.classes.iter().map(|c| c.local_pred).sum();
        assert!((total - 1.0).abs() < 0.2, "{at}: {total}");
    }
}
