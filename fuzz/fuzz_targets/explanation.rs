//! Any text as a saved explanation: what is read is written and read again alike, and readings of it do not panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex::{Rank, from_json, to_json};

fuzz_target!(|json: &str| match from_json(json) {
    Ok(explanation) => {
        let again = from_json(&to_json(&explanation)).expect("what was written is read");
        assert_eq!(to_json(&again), to_json(&explanation));
        for class in 0..explanation.classes.len() {
            for rank in [Rank::Supporting, Rank::Opposing, Rank::Absolute, Rank::Effect] {
                let top = explanation.top_k(class, 3, rank);
                assert!(top.len() <= 3 && top.iter().all(|t| t.feature < explanation.features.len()));
            }
        }
        assert_eq!(explanation.contrast(0, explanation.classes.len() - 1).len(), explanation.kept().len());
    }
    Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
});
