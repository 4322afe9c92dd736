//! A program in which lipex and candle both use CUDA: one cudarc, one driver, one version of its interface.
//!
//! `interop/candle/check.sh` checks as much of it as a machine without CUDA can.

use candle_core::Device;
use lipex_cuda::Cuda;

/// Both on the first device.
///
/// # Errors
/// Those of either, in words.
pub fn both() -> Result<(Cuda, Device), String> {
    let own = Cuda::new().map_err(|error| error.to_string())?;
    let theirs = Device::new_cuda(0).map_err(|error| error.to_string())?;
    Ok((own, theirs))
}
