//! The net: sparse TF-IDF input, one ReLU layer, softmax.

use crate::tokens::{tokens, word_hashes};
use crate::weights::{self, Malformed};
use std::sync::{Arc, OnceLock};

/// The classes, in the order of the probabilities.
pub const CLASSES: [&str; 7] = ["anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"];
/// Hidden units.
pub const UNITS: usize = 32;

/// The classifier. Clones share the weights.
///
/// ```
/// use lipex_demo::Demo;
///
/// let demo = Demo::embedded();
/// assert_eq!((demo.classes().len(), demo.probabilities("so sad").len()), (7, 7));
/// ```
#[derive(Clone, Debug)]
pub struct Demo {
    layers: Arc<Layers>,
}

/// The weights, to be looked at or changed.
///
/// ```
/// use lipex_demo::{Demo, Layers};
///
/// let layers = Demo::embedded().layers().clone();
/// let read = Layers::from_bytes(&layers.to_bytes()).unwrap();
/// assert_eq!(read.hashes, layers.hashes);
/// assert!(read.hashes.is_sorted());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layers {
    /// The hashes of the n known tokens (words and pairs of words), ascending.
    pub hashes: Vec<u32>,
    /// The inverse document frequency of each token.
    pub idf: Vec<f32>,
    /// Hidden weights, n × 32, row-major: a row a token.
    pub hidden: Vec<f32>,
    /// Hidden biases, 32.
    pub hidden_bias: Vec<f32>,
    /// Output weights, 7 × 32, row-major: a row a class.
    pub output: Vec<f32>,
    /// Output biases, 7.
    pub output_bias: Vec<f32>,
}

impl Layers {
    /// The bytes of a file of weights; hidden weights are rounded to 8 bits.
    pub fn to_bytes(&self) -> Vec<u8> {
        weights::write(self)
    }

    /// Weights out of a file's bytes.
    ///
    /// # Errors
    /// [`Malformed`] says what does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        weights::read(bytes)
    }

    /// The TF-IDF vector of a list of words: positions of known tokens, ascending, with values of length 1 in all.
    pub fn input(&self, words: &[u32]) -> Vec<(usize, f32)> {
        let mut known: Vec<usize> = Vec::with_capacity(2 * words.len());
        tokens(words, |hash| known.extend(self.hashes.binary_search(&hash)));
        known.sort_unstable();
        let mut input: Vec<(usize, f32)> = Vec::with_capacity(known.len());
        for same in known.chunk_by(|a, b| a == b) {
            input.push((same[0], (1.0 + (same.len() as f32).ln()) * self.idf[same[0]]));
        }
        let length = input.iter().map(|(_, v)| v * v).sum::<f32>().sqrt();
        input.iter_mut().for_each(|(_, v)| *v /= length);
        input
    }

    /// The hidden units of an input.
    pub fn units(&self, input: &[(usize, f32)]) -> [f32; UNITS] {
        let mut units: [f32; UNITS] = std::array::from_fn(|u| self.hidden_bias[u]);
        for &(token, value) in input {
            let row = &self.hidden[token * UNITS..(token + 1) * UNITS];
            units.iter_mut().zip(row).for_each(|(u, w)| *u += value * w);
        }
        units.map(|u| u.max(0.0))
    }

    /// The logits of hidden units.
    pub fn logits(&self, units: &[f32; UNITS]) -> [f32; CLASSES.len()] {
        std::array::from_fn(|c| {
            let row = &self.output[c * UNITS..(c + 1) * UNITS];
            self.output_bias[c] + row.iter().zip(units).map(|(w, u)| w * u).sum::<f32>()
        })
    }

    fn check(&self) -> Result<(), Malformed> {
        let n = self.hashes.len();
        let lengths = [
            ("idf", self.idf.len(), n),
            ("hidden", self.hidden.len(), n * UNITS),
            ("hidden_bias", self.hidden_bias.len(), UNITS),
            ("output", self.output.len(), CLASSES.len() * UNITS),
            ("output_bias", self.output_bias.len(), CLASSES.len()),
        ];
        if let Some((name, got, expected)) = lengths.iter().find(|(_, got, expected)| got != expected) {
            return Err(Malformed(format!("{name} has {got} numbers, not {expected}")));
        }
        if self.hashes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Malformed("the hashes do not ascend".into()));
        }
        let numbers = [&self.idf, &self.hidden, &self.hidden_bias, &self.output, &self.output_bias];
        if numbers.iter().any(|list| list.iter().any(|v| !v.is_finite())) || self.idf.iter().any(|v| *v <= 0.0) {
            return Err(Malformed("weights must be finite, and idf above 0".into()));
        }
        Ok(())
    }
}

impl Demo {
    /// The classifier that is embedded in the program.
    pub fn embedded() -> Self {
        static EMBEDDED: OnceLock<Demo> = OnceLock::new();
        let load = || {
            let layers = Layers::from_bytes(include_bytes!("weights.bin"));
            layers.and_then(Demo::from_layers).expect("the embedded weights, which a test reads")
        };
        EMBEDDED.get_or_init(load).clone()
    }

    /// A classifier with weights of one's own.
    ///
    /// # Errors
    /// [`Malformed`] when the sizes do not fit together, the hashes do not ascend or a number is not finite.
    pub fn from_layers(layers: Layers) -> Result<Self, Malformed> {
        layers.check()?;
        Ok(Demo { layers: Arc::new(layers) })
    }

    /// The weights.
    pub fn layers(&self) -> &Layers {
        &self.layers
    }

    /// The classes, in the order of the probabilities.
    pub fn classes(&self) -> &'static [&'static str] {
        &CLASSES
    }

    /// The probabilities of a text.
    pub fn probabilities(&self, text: &str) -> [f32; CLASSES.len()] {
        softmax(self.logits_of_words(&word_hashes(text)))
    }

    /// The probabilities of many texts, a row of 7 each.
    pub fn predict(&self, texts: &[&str]) -> Vec<f32> {
        texts.iter().flat_map(|text| self.probabilities(text)).collect()
    }

    /// The logits of a list of words, by their hashes in order: what a text comes to once it is split.
    pub fn logits_of_words(&self, words: &[u32]) -> [f32; CLASSES.len()] {
        let layers = &self.layers;
        layers.logits(&layers.units(&layers.input(words)))
    }
}

/// Logits to probabilities.
fn softmax(logits: [f32; CLASSES.len()]) -> [f32; CLASSES.len()] {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let e = logits.map(|l| (l - top).exp());
    let sum: f32 = e.iter().sum();
    e.map(|v| v / sum)
}
