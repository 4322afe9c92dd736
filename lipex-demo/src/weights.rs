//! The file of weights.
//!
//! Little-endian: the four bytes `LXD1`; the number n of tokens (u32); n token hashes (u32), ascending; n inverse document
//! frequencies (f32); a scale for each of the 32 units (f32); n × 32 hidden weights (i8, in units of the scale); 32 hidden
//! biases (f32); 7 × 32 output weights (f32); 7 output biases (f32).

use crate::net::{CLASSES, Layers, UNITS};

const MAGIC: &[u8; 4] = b"LXD1";

/// Weights that do not fit together.
///
/// ```
/// use lipex_demo::Layers;
///
/// let error = Layers::from_bytes(b"PNG").unwrap_err();
/// assert!(error.to_string().contains("malformed"));
/// ```
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the weights of the demo classifier are malformed: {0}")]
pub struct Malformed(pub(crate) String);

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| Malformed("the file ends early".into()))?;
        self.0 = rest;
        Ok(taken)
    }

    fn u32s(&mut self, count: usize) -> Result<Vec<u32>, Malformed> {
        let (words, _) = self.take(4 * count)?.as_chunks::<4>();
        Ok(words.iter().map(|w| u32::from_le_bytes(*w)).collect())
    }

    fn f32s(&mut self, count: usize) -> Result<Vec<f32>, Malformed> {
        Ok(self.u32s(count)?.into_iter().map(f32::from_bits).collect())
    }
}

/// Layers out of a file's bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<Layers, Malformed> {
    let mut reader = Reader(bytes);
    if reader.take(4)? != MAGIC {
        return Err(Malformed("it does not start with LXD1".into()));
    }
    let tokens = reader.u32s(1)?[0] as usize;
    if tokens > bytes.len() {
        return Err(Malformed("the file ends early".into()));
    }
    let hashes = reader.u32s(tokens)?;
    let idf = reader.f32s(tokens)?;
    let scales = reader.f32s(UNITS)?;
    let quantised = reader.take(tokens * UNITS)?;
    let hidden = quantised.iter().enumerate().map(|(e, &q)| f32::from(q as i8) * scales[e % UNITS]).collect();
    let hidden_bias = reader.f32s(UNITS)?;
    let output = reader.f32s(CLASSES.len() * UNITS)?;
    let output_bias = reader.f32s(CLASSES.len())?;
    if !reader.0.is_empty() {
        return Err(Malformed(format!("{} bytes too many", reader.0.len())));
    }
    Ok(Layers { hashes, idf, hidden, hidden_bias, output, output_bias })
}

/// A file's bytes out of layers; hidden weights are rounded to 8 bits.
pub(crate) fn write(layers: &Layers) -> Vec<u8> {
    let mut scales = [1e-12f32; UNITS];
    for (e, w) in layers.hidden.iter().enumerate() {
        scales[e % UNITS] = scales[e % UNITS].max(w.abs() / 127.0);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend((layers.hashes.len() as u32).to_le_bytes());
    let put = |numbers: &[f32]| numbers.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    bytes.extend(layers.hashes.iter().flat_map(|h| h.to_le_bytes()));
    bytes.extend(put(&layers.idf));
    bytes.extend(put(&scales));
    bytes.extend(layers.hidden.iter().enumerate().map(|(e, w)| (w / scales[e % UNITS]).round() as i8 as u8));
    bytes.extend(put(&layers.hidden_bias));
    bytes.extend(put(&layers.output));
    bytes.extend(put(&layers.output_bias));
    bytes
}
