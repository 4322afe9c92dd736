//! A program in which lipex and candle both use CUDA: one cudarc, one driver, one version of its interface.
//!
//! `interop/candle/check.sh` checks as much of it as a machine without CUDA can.

use candle_core::Device;
use lipex_cuda::Cuda;

/// Both on the first device, lipex on candle's stream: neither has to wait for the other.
///
/// # Errors
/// Those of either, in words.
pub fn both() -> Result<(Cuda, Device), String> {
    let theirs = Device::new_cuda(0).map_err(|error| error.to_string())?;
    let Device::Cuda(device) = &theirs else { return Err("candle's device is no CUDA device".into()) };
    let own = Cuda::on_stream(device.cuda_stream()).map_err(|error| error.to_string())?;
    Ok((own, theirs))
}
