//! Masks and neighbourhoods as NumPy files.
//!
//! Files are little-endian, version 1.0, row-major: masks as u8, probabilities and weights as f32. An archive has no times in
//! it, so that equal runs give equal bytes.

use crate::{Cpu, Masks, Neighbourhood, Result, Sample, unpack_bits};
use lipex_core::Error;
use npyz::{AutoSerialize, WriteOptions, WriterBuilder};
use std::io::{self, Cursor, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Masks as a `.npy` file: `uint8`, N×D, 0 or 1.
///
/// # Errors
/// [`Error::Setting`] when they cannot be written.
///
/// ```
/// use lipex::perturb::Exhaustive;
/// use lipex::{Cpu, Draw, Perturber, npy};
///
/// let masks = Exhaustive.perturb(&Cpu::new(), &Draw::whole(&[3], 8, 0))?.remove(0).masks;
/// let bytes = npy::masks_to_npy(&masks)?;
/// let again = npy::masks_from(std::io::Cursor::new(bytes), "masks.npy")?;
/// assert_eq!((again.rows, again.columns), (8, 3));
/// # Ok::<(), lipex::Error>(())
/// ```
pub fn masks_to_npy(masks: &Masks<Cpu>) -> Result<Vec<u8>> {
    let values = (0..masks.rows()).flat_map(|i| unpack_bits(masks.row(i), masks.features()));
    array(&[masks.rows(), masks.features()], values)
}

/// What a sampler drew as a `.npz` file: `masks`, and `weights` (`float32`) where the sampler has weights of its own.
///
/// # Errors
/// [`Error::Setting`] when it cannot be written.
pub fn sample_to_npz(sample: &Sample<Cpu>) -> Result<Vec<u8>> {
    let mut arrays = vec![("masks", masks_to_npy(&sample.masks)?)];
    if let Some(weights) = &sample.weights {
        arrays.push(("weights", vector(weights.values())?));
    }
    archive(&arrays)
}

/// A neighbourhood as a `.npz` file: `masks` (`uint8`, N×D), `probs` (`float32`, N×C) and `weights` (`float32`, N).
///
/// Equal neighbourhoods give equal bytes; `numpy.load` reads them.
///
/// # Errors
/// [`Error::Setting`] when it cannot be written.
pub fn neighbourhood_to_npz(around: &Neighbourhood<Cpu>) -> Result<Vec<u8>> {
    let p = &around.probabilities;
    archive(&[
        ("masks", masks_to_npy(&around.masks)?),
        ("probs", array(&[p.rows(), p.classes()], p.values().iter().copied())?),
        ("weights", vector(around.weights.values())?),
    ])
}

/// Writes a neighbourhood to a `.npz` file, for [`load_neighbourhood`](super::load_neighbourhood) and `numpy.load`.
///
/// # Errors
/// [`Error::Setting`] when it cannot be written.
pub fn save_neighbourhood(path: impl AsRef<Path>, around: &Neighbourhood<Cpu>) -> Result<()> {
    let path = path.as_ref();
    std::fs::write(path, neighbourhood_to_npz(around)?)
        .map_err(|e| Error::setting("neighbourhood", path.display(), format!("cannot be written: {e}")))
}

/// What the file system says, as an error of the framework.
fn unwritable(error: io::Error) -> Error {
    Error::setting("neighbourhood", "NumPy file", format!("cannot be written: {error}"))
}

/// One array of f32.
fn vector(values: &[f32]) -> Result<Vec<u8>> {
    array(&[values.len()], values.iter().copied())
}

/// A `.npy` file in memory, in C order.
fn array<T: AutoSerialize + Copy>(shape: &[usize], values: impl Iterator<Item = T>) -> Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let mut bytes = Vec::new();
    let write = || -> io::Result<()> {
        let mut writer = WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
        writer.extend(values)?;
        writer.finish()
    };
    write().map_err(unwritable)?;
    Ok(bytes)
}

/// A `.npz` file in memory. Nothing is compressed, as `numpy.savez` has it, and no time is stored.
fn archive(arrays: &[(&str, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        let options = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Stored)
            .large_file(bytes.len() as u64 >= u64::from(u32::MAX));
        zip.start_file(format!("{name}.npy"), options).map_err(|e| unwritable(e.into()))?;
        zip.write_all(bytes).map_err(unwritable)?;
    }
    Ok(zip.finish().map_err(|e| unwritable(e.into()))?.into_inner())
}
