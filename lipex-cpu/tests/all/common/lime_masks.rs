//! Masks that PyPI lime draws; `golden/lime_masks.py` made them.

use serde::{Deserialize, Deserializer};

/// LIME's two samplers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampler {
    Text,
    Image,
}

/// The masks of one seed.
#[derive(Debug, Deserialize)]
pub struct LimeMasks {
    pub sampler: Sampler,
    pub seed: u64,
    /// D.
    pub features: usize,
    /// N.
    pub rows: usize,
    /// As `lipex_core::Masks` holds them: ⌈D/32⌉ words a row.
    #[serde(deserialize_with = "from_hexadecimal")]
    pub words: Vec<u32>,
}

fn from_hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let word = |i| digits.get(i..i + 8).and_then(|d| u32::from_str_radix(d, 16).ok());
    let words: Option<Vec<u32>> = (0..digits.len()).step_by(8).map(word).collect();
    words.ok_or_else(|| serde::de::Error::custom("not 8 hexadecimal digits a word"))
}

/// All masks of the golden file.
pub fn lime_masks() -> Vec<LimeMasks> {
    serde_json::from_str(include_str!("../../golden/lime_masks.json"))
        .expect("lime_masks.json is not as lime_masks.py writes it")
}
