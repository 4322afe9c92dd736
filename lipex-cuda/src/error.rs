//! What can go wrong on a device; the source inside [`lipex_core::Error::Backend`].
//!
//! # Shapes
//! A batch that does not fit the device is halved until it does; only an instance that does not fit alone is an error, which
//! says how many bytes were wanted and how many are free.

use cudarc::driver::DriverError;
use cudarc::driver::sys::CUresult;

/// A failure of the device or of its driver.
///
/// Within the crate; callers see [`Error::Backend`](lipex_core::Error::Backend) with the stage that failed and this as its
/// source.
///
/// ```
/// use lipex_cuda::CudaError;
///
/// let error = CudaError::OtherDevice { own: 0, other: 1 };
/// assert!(error.to_string().starts_with("an array of device 1 was given to device 0"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CudaError {
    /// The driver refused a call or a kernel failed.
    #[error("the CUDA driver says: {0}")]
    Driver(String),
    /// The device has no room. Batches are split before this is given up.
    #[error(
        "the device has no room for {wanted} bytes ({free} are free); explain fewer instances at once or draw fewer masks"
    )]
    OutOfMemory {
        /// Bytes asked for.
        wanted: usize,
        /// Bytes that were free.
        free: usize,
    },
    /// The driver could not compile a kernel.
    #[error("the driver could not compile the kernels of {kernel}: {log}")]
    Ptx {
        /// The file of kernels.
        kernel: &'static str,
        /// The log of the driver's compiler.
        log: String,
    },
    /// An array of another device.
    #[error("an array of device {other} was given to device {own}; make all arrays of an explanation with one `Cuda`")]
    OtherDevice {
        /// The device that was to work with it.
        own: usize,
        /// The device that it lies on.
        other: usize,
    },
    /// An address of another library's that leads to no array.
    #[error(
        "the address {address:#x} cannot be that of {len} numbers of {size} bytes: it must be a multiple of {size}, not 0"
    )]
    Address {
        /// The address.
        address: u64,
        /// Numbers that are to be there.
        len: usize,
        /// Bytes of each.
        size: usize,
    },
    /// A launch that does not fit the kernel or the device; a mistake in lipex.
    #[error("the launch of {kernel} does not fit: {reason}")]
    Launch {
        /// The kernel.
        kernel: String,
        /// What does not fit.
        reason: String,
    },
}

impl From<DriverError> for CudaError {
    fn from(error: DriverError) -> Self {
        CudaError::Driver(describe(&error))
    }
}

/// The driver's name and description of an error.
pub(crate) fn describe(error: &DriverError) -> String {
    match (error.error_name(), error.error_string()) {
        (Ok(name), Ok(text)) => format!("{} ({})", text.to_string_lossy(), name.to_string_lossy()),
        _ => format!("error {}", error.0 as u32),
    }
}

/// Whether the driver ran out of memory.
pub(crate) fn is_out_of_memory(error: &DriverError) -> bool {
    error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY
}

/// A backend error of a stage.
pub(crate) fn at(stage: &'static str) -> impl Fn(CudaError) -> lipex_core::Error {
    move |source| lipex_core::Error::Backend { backend: "cuda", stage, source: Box::new(source) }
}

/// Whether an error says that the device has no room.
pub(crate) fn lacks_room(error: &lipex_core::Error) -> bool {
    matches!(error, lipex_core::Error::Backend { source, .. }
        if matches!(source.downcast_ref(), Some(CudaError::OutOfMemory { .. })))
}

/// Works on a batch; where the device has no room, on halves of it.
///
/// # Errors
/// The work's own, and the lack of room for a single item.
pub(crate) fn by_chunks<I, T>(
    items: &[I],
    work: &mut dyn FnMut(&[I]) -> lipex_core::Result<Vec<T>>,
) -> lipex_core::Result<Vec<T>> {
    match work(items) {
        Err(error) if lacks_room(&error) && items.len() > 1 => {
            let (first, second) = items.split_at(items.len() / 2);
            let mut all = by_chunks(first, work)?;
            all.extend(by_chunks(second, work)?);
            Ok(all)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_halved_until_it_fits() {
        let full = || at("fit")(CudaError::OutOfMemory { wanted: 10, free: 1 });
        let mut sizes = Vec::new();
        let mut work = |items: &[u32]| {
            sizes.push(items.len());
            if items.len() > 2 { Err(full()) } else { Ok(items.iter().map(|i| i * 2).collect()) }
        };
        assert_eq!(by_chunks(&[1, 2, 3, 4, 5], &mut work).unwrap(), [2, 4, 6, 8, 10]);
        assert_eq!(sizes, [5, 2, 3, 1, 2]);
        let alone = by_chunks(&[1], &mut |_: &[u32]| Err::<Vec<u32>, _>(full()));
        assert!(alone.unwrap_err().to_string().contains("no room for 10 bytes"));
        let other = by_chunks(&[1, 2], &mut |_: &[u32]| Err::<Vec<u32>, _>(at("fit")(CudaError::Driver("x".into()))));
        assert!(other.unwrap_err().to_string().contains("fit"));
    }
}
