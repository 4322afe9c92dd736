//! Arrays in device memory: lipex's own, and those that another library owns.
//!
//! # Lifetime
//! Memory of lipex's own is freed on the stream when its last user drops it, after the work that was asked for before. Memory of
//! another is never freed here: what owns it is dropped instead.

use crate::device::Cuda;
use crate::error::{CudaError, at};
use cudarc::driver::{CudaSlice, DevicePtr};
use lipex_core::{Element, Result};
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// Numbers in a device's memory.
///
/// # Lifetime
/// The memory is freed on the stream when the last owner drops it, after the work that was asked for before. A kernel or
/// library that is given [`address`](DeviceBuffer::address) must be on the same stream, or wait for it.
///
/// ```no_run
/// use lipex_core::Backend;
/// use lipex_cuda::{Cuda, DeviceBuffer};
///
/// let on = Cuda::new()?;
/// let numbers: DeviceBuffer<f32> = on.upload(vec![1.0, 2.0])?;
/// assert_ne!(numbers.address(), 0); // for a kernel of your own on the same stream
/// assert_eq!(on.download(&numbers)?, [1.0, 2.0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub struct DeviceBuffer<T> {
    /// The memory; where it is lipex's own, 16 bytes at least, so that it has an address.
    pub(crate) bytes: Memory,
    pub(crate) len: usize,
    /// What they are.
    element: PhantomData<fn() -> T>,
}

/// Bytes on a device, and what owns them where that is not this.
pub(crate) struct Memory {
    bytes: ManuallyDrop<CudaSlice<u8>>,
    owner: Option<Box<dyn Any + Send + Sync>>,
}

impl Deref for Memory {
    type Target = CudaSlice<u8>;

    fn deref(&self) -> &CudaSlice<u8> {
        &self.bytes
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut CudaSlice<u8> {
        &mut self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: nothing uses the bytes after this.
        let bytes = unsafe { ManuallyDrop::take(&mut self.bytes) };
        if self.owner.is_some() {
            // The owner, dropped after this, frees them.
            bytes.leak();
        }
    }
}

impl<T: Element> DeviceBuffer<T> {
    /// Numbers in memory of lipex's own.
    pub(crate) fn owned(bytes: CudaSlice<u8>, len: usize) -> Self {
        DeviceBuffer { bytes: Memory { bytes: ManuallyDrop::new(bytes), owner: None }, len, element: PhantomData }
    }

    /// `len` numbers that another library has on the device of `on`, from `address` on: nothing is copied.
    ///
    /// `owner` is kept until the last use of the buffer is over and dropped then; it should free the memory, or hold whatever does.
    /// Work that was asked for on [`Cuda::stream`] may still read the memory at that time: an owner that frees it out of
    /// that stream's order has to wait for the stream.
    ///
    /// # Errors
    /// [`Error::Backend`](lipex_core::Error::Backend) for an address that is 0, or no multiple of the number's size.
    ///
    /// # Safety
    /// Until `owner` is dropped the address must lead to `len` numbers in memory of this device, which work on the stream of
    /// `on` may read and write; what writes them elsewhere must be done, or the stream must wait for it.
    ///
    /// ```no_run
    /// use lipex_core::{Backend, Probabilities};
    /// use lipex_cuda::{Cuda, DeviceBuffer};
    ///
    /// # fn logits() -> (u64, std::sync::Arc<()>) { (0, Default::default()) }
    /// let on = Cuda::new()?;
    /// // A tensor of another framework, 100 × 7, and what keeps it alive.
    /// let (address, tensor) = logits();
    /// // SAFETY: the tensor has 700 numbers on this device, and lives as long as `tensor`.
    /// let numbers = unsafe { DeviceBuffer::<f32>::from_raw(&on, address, 700, tensor)? };
    /// let answers = Probabilities::new(&on, 100, 7, numbers)?;
    /// # let _ = answers;
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub unsafe fn from_raw(on: &Cuda, address: u64, len: usize, owner: impl Any + Send + Sync) -> Result<Self> {
        let size = size_of::<T>();
        let bytes = len.checked_mul(size).filter(|_| address != 0 && address.is_multiple_of(size as u64));
        let bytes = bytes.ok_or_else(|| at("from_raw")(CudaError::Address { address, len, size }))?;
        // SAFETY: the caller says that the address leads to so many bytes.
        let bytes = unsafe { on.stream().upgrade_device_ptr::<u8>(address, bytes) };
        let bytes = Memory { bytes: ManuallyDrop::new(bytes), owner: Some(Box::new(owner)) };
        Ok(DeviceBuffer { bytes, len, element: PhantomData })
    }

    /// The number of numbers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address in device memory, for kernels and for libraries that want raw pointers; aligned to 256 bytes where the memory is
    /// lipex's own.
    ///
    /// The numbers are there once the work that was enqueued before on [`Cuda::stream`] is done.
    pub fn address(&self) -> u64 {
        self.bytes.device_ptr(self.bytes.stream()).0
    }

    /// The number of the device that it lies on.
    pub fn ordinal(&self) -> usize {
        self.bytes.ordinal()
    }

    /// The bytes as cudarc knows them; of lipex's own memory 16 at least.
    pub fn bytes(&self) -> &CudaSlice<u8> {
        &self.bytes
    }

    /// The bytes, to be written through cudarc.
    pub fn bytes_mut(&mut self) -> &mut CudaSlice<u8> {
        &mut self.bytes
    }
}

impl<T> fmt::Debug for DeviceBuffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceBuffer({} × {})", self.len, std::any::type_name::<T>())
    }
}
