//! Whole explanations by PyPI lime of the classifier in `hash_model.rs`; `golden/lime_text.py` made them.

use serde::Deserialize;

/// LIME's explanation of one text, every class on the same masks.
#[derive(Debug, Deserialize)]
pub struct LimeText {
    pub text: String,
    pub seed: u64,
    /// Features a class: 5 (LIME selects forward) or 10 (highest weights).
    pub features: usize,
    /// N.
    pub samples: usize,
    pub classes: Vec<LimeClass>,
}

/// One class's explanation.
#[derive(Debug, Deserialize)]
pub struct LimeClass {
    /// Words and weights, by |weight| downwards.
    pub words: Vec<(String, f64)>,
    pub intercept: f64,
    /// R² of the surrogate on the masks, weighted by proximity.
    pub score: f64,
    /// The surrogate at the text.
    pub local_pred: f64,
}

/// All explanations of the golden file.
pub fn lime_texts() -> Vec<LimeText> {
    serde_json::from_str(include_str!("../../golden/lime_text.json"))
        .expect("lime_text.json is not as lime_text.py writes it")
}
