//! Neighbourhoods as NumPy files: masks, probabilities and weights in and out of `.npy` and `.npz`.
//!
//! A `.npz` file may stand wherever a `.npy` file can; its arrays are named `masks`, `probs` and `weights`.
//!
//! ```
//! use lipex::npy;
//! use lipex::prelude::*;
//!
//! let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
//!     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
//! });
//! let text = TextInstance::new("a fine day")?;
//! let (_, around) = lipex().samples(20).explain_with_neighbourhood(&text, &model)?;
//! let file = std::env::temp_dir().join("lipex-doc-neighbourhood.npz");
//! npy::save_neighbourhood(&file, &around)?; // numpy.load reads it
//! let again = npy::load_neighbourhood(&file)?;
//! assert_eq!(again.probabilities.values(), around.probabilities.values());
//! # std::fs::remove_file(&file).ok();
//! # Ok::<(), lipex::Error>(())
//! ```
//!
//! | array | shape | types that are read | what must hold |
//! |---|---|---|---|
//! | `masks` | N×D | `uint8`, `bool`, `float32`, `float64` | 0 or 1; row 0 all ones |
//! | `probs` | N×C, C ≥ 2 | `float32`, `float64` | rows are distributions (sum 1 ± 0.001) |
//! | `weights` | N | `float32`, `float64` | finite, not negative, not all 0 |
//!
//! C and Fortran order and either byte order are read. `float64` is checked as it is, then rounded to `float32`, in which
//! lipex holds probabilities and weights. An array holds at most [`MOST_BYTES`]; nothing is allocated because a header says so.

mod file;
pub(crate) mod header;
mod write;

use crate::{Cpu, Masks, Neighbourhood, Probabilities, Result, Weights, check_row, pack_bits};
use file::{Numbers, Origin, rounded};
use lipex_core::{Error, expect_len};
use std::fmt::Display;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

#[cfg(feature = "image")]
pub(crate) use file::row_major;
pub use write::{masks_to_npy, neighbourhood_to_npz, sample_to_npz, save_neighbourhood};

/// Most bytes of one array: 4 GiB.
pub const MOST_BYTES: u64 = 1 << 32;

/// A matrix out of a file, row-major.
///
/// ```
/// use lipex::npy::Array;
///
/// let masks = Array { rows: 2, columns: 3, values: vec![1u8, 1, 1, 0, 1, 0] };
/// assert_eq!(masks.values[masks.columns..], [0, 1, 0]); // row 1
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array<T> {
    /// Number of rows.
    pub rows: usize,
    /// Numbers in a row.
    pub columns: usize,
    /// `rows` × `columns` numbers.
    pub values: Vec<T>,
}

/// Masks out of a file: N×D numbers, 0 or 1, row 0 all ones.
///
/// # Errors
/// [`Error::Setting`] in one line with the file and the place in it.
///
/// # Shapes
/// N × D numbers, 0 or 1, row-major, whatever their order in the file.
pub fn read_masks(path: impl AsRef<Path>) -> Result<Array<u8>> {
    read(path.as_ref(), "masks", masks_from)
}

/// Probabilities out of a file: N×C numbers, each row a distribution.
///
/// # Errors
/// [`Error::Setting`] in one line with the file and the place in it.
///
/// # Shapes
/// N × C, each row divided by its sum.
pub fn read_probabilities(path: impl AsRef<Path>) -> Result<Array<f32>> {
    read(path.as_ref(), "probs", probabilities_from)
}

/// Proximity weights out of a file: N numbers.
///
/// # Errors
/// [`Error::Setting`] in one line with the file and the place in it.
///
/// # Shapes
/// N.
pub fn read_weights(path: impl AsRef<Path>) -> Result<Vec<f32>> {
    read(path.as_ref(), "weights", weights_from)
}

/// Opens a file and decodes it; errors name the path.
fn read<T>(path: &Path, what: &str, decode: impl FnOnce(File, &str) -> Result<T>) -> Result<T> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| Error::setting(what, &name, e.to_string()))?;
    decode(file, &name)
}

/// Masks out of an open file or bytes; errors call it `name`.
///
/// # Errors
/// Those of [`read_masks`].
pub fn masks_from(file: impl Read + Seek, name: &str) -> Result<Array<u8>> {
    let origin = Origin { what: "masks", name };
    let masks = origin.array(file)?.zeros_and_ones(&origin)?;
    match masks.values[..masks.columns].iter().position(|&v| v == 0) {
        Some(column) => {
            let reason = format!("row 0 must be the unperturbed instance, all ones; its column {column} is 0");
            Err(origin.refuse(reason))
        }
        None => Ok(masks),
    }
}

/// Probabilities out of an open file or bytes; errors call it `name`.
///
/// # Errors
/// Those of [`read_probabilities`].
pub fn probabilities_from(file: impl Read + Seek, name: &str) -> Result<Array<f32>> {
    let origin = Origin { what: "probs", name };
    match origin.array(file)?.numbers(&origin)? {
        Numbers::Single(p) => check_distributions(&p, &origin).map(|()| p),
        Numbers::Double(p) => check_distributions(&p, &origin).map(|()| rounded(p)),
    }
}

/// Passes if every row is a distribution.
fn check_distributions<T: Copy + Into<f64> + Display>(p: &Array<T>, origin: &Origin<'_>) -> Result<()> {
    if p.columns < 2 {
        return Err(origin.refuse("has one column; a classifier has at least 2 classes, a column each".into()));
    }
    for (row, values) in p.values.chunks_exact(p.columns).enumerate() {
        if let Err(Error::NotADistribution { row, problem }) = check_row(row, values) {
            let rule = "rows must be non-negative and sum to 1 ± 0.001";
            return Err(origin.refuse(format!("row {row} is no distribution: {problem}; {rule}")));
        }
    }
    Ok(())
}

/// Proximity weights out of an open file or bytes; errors call it `name`.
///
/// # Errors
/// Those of [`read_weights`].
pub fn weights_from(file: impl Read + Seek, name: &str) -> Result<Vec<f32>> {
    let origin = Origin { what: "weights", name };
    let weights = match origin.vector(file)?.numbers(&origin)? {
        Numbers::Single(weights) => check_weights(&weights.values, &origin).map(|()| weights)?,
        Numbers::Double(weights) => check_weights(&weights.values, &origin).map(|()| rounded(weights))?,
    };
    // What rounding may have made of them: the same checks once more.
    let range = "outside what a float32 holds; multiply all of them by one number";
    if let Some(row) = weights.values.iter().position(|v| v.is_infinite()) {
        return Err(origin.refuse(format!("the weight of row {row} is {range}")));
    }
    if weights.values.iter().all(|&v| v == 0.0) {
        return Err(origin.refuse(format!("every weight is {range}")));
    }
    Ok(weights.values)
}

/// Passes if weights are finite, not negative and not all 0.
fn check_weights<T: Copy + Into<f64> + Display>(weights: &[T], origin: &Origin<'_>) -> Result<()> {
    let is_weight = |v: f64| v.is_finite() && v >= 0.0;
    if let Some((row, v)) = weights.iter().enumerate().find(|(_, v)| !is_weight((**v).into())) {
        return Err(origin.refuse(format!("the weight of row {row} is {v}; weights are finite and not negative")));
    }
    if weights.iter().all(|&v| v.into() == 0.0) {
        return Err(origin.refuse("every weight is 0, so nothing can be fitted".into()));
    }
    Ok(())
}

/// A neighbourhood of decoded arrays: packs the masks.
///
/// # Errors
/// [`Error::Shape`] when the numbers of rows differ.
///
/// # Shapes
/// Masks N × D, probabilities N × C, weights N; row 0 must keep everything.
pub fn neighbourhood(
    on: &Cpu,
    masks: &Array<u8>,
    probabilities: &Array<f32>,
    weights: Vec<f32>,
) -> Result<Neighbourhood<Cpu>> {
    expect_len("numbers in the masks", masks.rows * masks.columns, masks.values.len())?;
    let bits = pack_bits(masks.columns, &masks.values);
    let masks = Masks::new(on, masks.rows, masks.columns, bits)?;
    let values = probabilities.values.clone();
    let probabilities = Probabilities::new(on, probabilities.rows, probabilities.columns, values)?;
    Neighbourhood::new(on, masks, probabilities, Weights::new(weights))
}

/// A neighbourhood out of a `.npz` file that holds all three arrays, as [`save_neighbourhood`] writes it.
///
/// # Errors
/// [`Error::Setting`] in one line with the file and the place in it; [`Error::Shape`] when the numbers of rows differ.
pub fn load_neighbourhood(path: impl AsRef<Path>) -> Result<Neighbourhood<Cpu>> {
    let path = path.as_ref();
    neighbourhood(&Cpu::new(), &read_masks(path)?, &read_probabilities(path)?, read_weights(path)?)
}
