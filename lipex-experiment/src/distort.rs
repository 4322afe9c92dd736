//! An ONNX model whose last layers are not what they were: noise on their weights, or weights in another order.
//!
//! The file's bytes are copied and the numbers of a few tensors changed in place, so that everything else of a model stays as it is.

use half::f16;
use lipex::philox::{Draws, Purpose};
use lipex::{Error, Result};
use rand_distr::{Distribution, Normal};
use std::collections::HashMap;
use std::ops::Range;

/// What becomes of the last layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distortion {
    /// Normal noise on the weights of the last layer; its standard deviation in those of the weights.
    Noise(f64),
    /// The weights of so many last layers in random order, so that they have learnt nothing: cascading randomisation, with the law that
    /// the weights had.
    Shuffled(usize),
}

/// A layer: a product with weights, in the order of the graph.
struct Layer {
    name: String,
    weights: Weights,
}

/// Where a tensor's numbers lie in the file.
#[derive(Clone)]
struct Weights {
    bytes: Range<usize>,
    kind: u64,
    dimensions: usize,
}

impl Distortion {
    /// A changed copy of a model's file, and the names of the tensors that differ, the last layer's first.
    ///
    /// # Errors
    /// [`Error::Instance`] for bytes that are no ONNX model, one without so many layers, and weights that lie in another file; for noise
    /// also weights that are neither f32 nor f16; [`Error::Setting`] for a standard deviation that is none.
    pub fn apply(self, model: &[u8], seed: u64) -> Result<(Vec<u8>, Vec<String>)> {
        let layers =
            layers(model).ok_or_else(|| Error::Instance("is no ONNX model, or one that is cut short".into()))?;
        let count = match self {
            Distortion::Noise(_) => 1,
            Distortion::Shuffled(count) => count,
        };
        if layers.len() < count || layers.is_empty() {
            let there = layers.len();
            return Err(Error::Instance(format!(
                "has {there} layers with weights of its own, and {count} were to change"
            )));
        }
        let mut changed = model.to_vec();
        let mut names = Vec::with_capacity(count);
        for (place, layer) in layers.iter().rev().take(count).enumerate() {
            let own = Draws::new(seed, place as u32, 0, Purpose::Own);
            let done = match self {
                Distortion::Noise(sigma) => layer.weights.add_noise(&mut changed, sigma, own)?,
                Distortion::Shuffled(_) => layer.weights.shuffle(&mut changed, own),
            };
            done.ok_or_else(|| {
                let reason = "has weights that lie in another file, or of a type that takes no noise (f32 and f16 do)";
                Error::Instance(format!("the layer {} {reason}", layer.name))
            })?;
            names.push(layer.name.clone());
        }
        Ok((changed, names))
    }
}

impl Weights {
    /// Bytes of a number.
    fn size(&self) -> Option<usize> {
        match self.kind {
            1 => Some(4),
            10 | 16 => Some(2),
            2 | 3 => Some(1),
            _ => None,
        }
    }

    /// Adds noise; `None` where that cannot be.
    fn add_noise(&self, model: &mut [u8], sigma: f64, draws: Draws) -> Result<Option<()>> {
        let Some(bytes) = model.get_mut(self.bytes.clone()).filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        let read = |b: &[u8]| match self.kind {
            1 => f64::from(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            _ => f16::from_le_bytes([b[0], b[1]]).to_f64(),
        };
        let (1 | 10, Some(size)) = (self.kind, self.size()) else { return Ok(None) };
        let numbers: Vec<f64> = bytes.chunks_exact(size).map(read).collect();
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        let deviation = (numbers.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / numbers.len() as f64).sqrt();
        let law = Normal::new(0.0, sigma * deviation).map_err(|e| Error::setting("sigma", sigma, e.to_string()))?;
        let mut random = draws.generator();
        for (to, value) in bytes.chunks_exact_mut(size).zip(numbers) {
            let noisy = value + law.sample(&mut random);
            match self.kind {
                1 => to.copy_from_slice(&(noisy as f32).to_le_bytes()),
                _ => to.copy_from_slice(&f16::from_f64(noisy).to_le_bytes()),
            }
        }
        Ok(Some(()))
    }

    /// Puts the numbers into another order (Fisher and Yates); `None` where they are not at hand.
    fn shuffle(&self, model: &mut [u8], mut draws: Draws) -> Option<()> {
        let (bytes, size) = (model.get_mut(self.bytes.clone()).filter(|bytes| !bytes.is_empty())?, self.size()?);
        for last in (1..bytes.len() / size).rev() {
            let other = draws.below(last as u32, last as u32 + 1) as usize;
            (0..size).for_each(|byte| bytes.swap(last * size + byte, other * size + byte));
        }
        Some(())
    }
}

/// A field of a message: its number, and the place of its content or its value.
enum Field {
    Bytes(u64, Range<usize>),
    Number(u64, u64),
    Other,
}

/// The fields of a message; `None` where bytes make no sense.
fn fields(bytes: &[u8], within: Range<usize>) -> Option<Vec<Field>> {
    let (mut at, mut found) = (within.start, Vec::new());
    let number = |at: &mut usize| -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *bytes[..within.end].get(*at)?;
            *at += 1;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    };
    while at < within.end {
        let key = number(&mut at)?;
        let (field, step) = match key & 7 {
            0 => (Field::Number(key >> 3, number(&mut at)?), 0),
            1 => (Field::Other, 8),
            2 => {
                let length = usize::try_from(number(&mut at)?).ok()?;
                (Field::Bytes(key >> 3, at..at.checked_add(length)?), length)
            }
            5 => (Field::Other, 4),
            _ => return None,
        };
        at = at.checked_add(step).filter(|at| *at <= within.end)?;
        found.push(field);
    }
    Some(found)
}

fn text(bytes: &[u8], at: &Range<usize>) -> String {
    String::from_utf8_lossy(&bytes[at.clone()]).into_owned()
}

/// A node of a graph: what it takes, what it gives, which operator it is.
#[derive(Default)]
struct Node {
    inputs: Vec<String>,
    outputs: Vec<String>,
    kind: String,
}

fn node(model: &[u8], at: Range<usize>) -> Option<Node> {
    let mut node = Node::default();
    for field in fields(model, at)? {
        match field {
            // An input that is left out has no name.
            Field::Bytes(1, at) if !at.is_empty() => node.inputs.push(text(model, &at)),
            Field::Bytes(2, at) => node.outputs.push(text(model, &at)),
            Field::Bytes(4, at) => node.kind = text(model, &at),
            _ => {}
        }
    }
    Some(node)
}

/// The products with weights of a model, in the order of its graph.
fn layers(model: &[u8]) -> Option<Vec<Layer>> {
    let graph = fields(model, 0..model.len())?.into_iter().find_map(|field| match field {
        Field::Bytes(7, at) => Some(at),
        _ => None,
    })?;
    let mut tensors: HashMap<String, Weights> = HashMap::new();
    let (mut made, mut layers) = (HashMap::<String, String>::new(), Vec::new());
    let parts = fields(model, graph)?;
    for part in &parts {
        if let Field::Bytes(5, at) = part {
            let (name, weights) = tensor(model, at.clone())?;
            tensors.insert(name, weights);
        }
    }
    for part in &parts {
        let Field::Bytes(1, at) = part else { continue };
        let Node { inputs, outputs, kind } = node(model, at.clone())?;
        // Weights come to their product through what only changes their type or form: nodes of constants alone.
        let source = |name: &String| made.get(name).unwrap_or(name).clone();
        let own: Vec<String> = inputs.iter().map(source).filter(|n| tensors.contains_key(n)).collect();
        if !own.is_empty() && own.len() == inputs.len() {
            let large = own.iter().find(|name| tensors[*name].dimensions >= 2).unwrap_or(&own[0]).clone();
            made.extend(outputs.into_iter().map(|output| (output, large.clone())));
            continue;
        }
        if ["Gemm", "MatMul", "Conv"].contains(&kind.as_str()) {
            let weights = own.iter().find_map(|name| Some((name, tensors.get(name).filter(|w| w.dimensions >= 2)?)));
            layers.extend(weights.map(|(name, weights)| Layer { name: name.clone(), weights: weights.clone() }));
        }
    }
    Some(layers)
}

fn tensor(model: &[u8], at: Range<usize>) -> Option<(String, Weights)> {
    let (mut name, mut weights) = (String::new(), Weights { bytes: 0..0, kind: 0, dimensions: 0 });
    for field in fields(model, at)? {
        match field {
            Field::Number(1, _) => weights.dimensions += 1,
            // Packed: numbers end in bytes below 128.
            Field::Bytes(1, at) => weights.dimensions += model[at].iter().filter(|byte| **byte < 128).count(),
            Field::Number(2, kind) => weights.kind = kind,
            Field::Bytes(8, at) => name = text(model, &at),
            // Of f32 both forms lie in the file as they are in memory.
            Field::Bytes(9 | 4, at) => weights.bytes = at,
            _ => {}
        }
    }
    Some((name, weights))
}
