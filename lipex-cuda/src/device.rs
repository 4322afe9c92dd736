//! A device: its memory, its stream, the kernels loaded onto it.
//!
//! # Errors
//! A driver that is missing, broken or too old, and a device that is too old, are found before cudarc is asked for anything,
//! since it panics there. What the driver says later becomes [`Error::Backend`] with the stage that asked.
//!
//! # Threads
//! A [`Cuda`] may be used from several threads; their work goes to one stream, in the order in which the calls come.

use crate::buffer::DeviceBuffer;
use crate::error::{CudaError, at, is_out_of_memory};
use crate::fit::LaunchMode;
use crate::modules::{Kernel, Modules, Programs};
use crate::probe;
use cudarc::driver::{CudaContext, CudaStream, result, sys};
use lipex_core::{Element, Error, Neighbourhood, Result, Watch};
use lipex_kernels::File;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What is known of a device.
///
/// ```no_run
/// for device in lipex_cuda::devices()? {
///     println!("{} {} {}", device.ordinal, device.name, if device.is_supported() { "" } else { "(too old)" });
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its number.
    pub ordinal: usize,
    /// The name that the driver gives it.
    pub name: String,
    /// Bytes of memory.
    pub memory: usize,
    /// Compute capability, major and minor.
    pub capability: (i32, i32),
    /// The newest CUDA version that the driver supports, major and minor.
    pub driver: (i32, i32),
    /// Whether it is an emulator: right results, no speed.
    pub is_emulator: bool,
}

impl DeviceInfo {
    /// Whether the kernels run on it: from compute capability 7.5 on (Turing, 2018).
    pub fn is_supported(&self) -> bool {
        self.capability >= (7, 5)
    }
}

/// A CUDA device as a backend. Clones share the device, its stream and the kernels loaded.
///
/// All work goes to one stream in the order of the calls, so nothing needs an event: the device's default stream, or that of another
/// library ([`Cuda::on_stream`]). A library that works on another stream has to wait for this one, and this one for it.
///
/// ```no_run
/// use lipex_core::Backend;
/// use lipex_cuda::Cuda;
///
/// let on = Cuda::device(0)?;
/// let numbers = on.upload(vec![1.0f32, 2.0, 3.0])?;
/// assert_eq!(on.download(&numbers)?, [1.0, 2.0, 3.0]);
/// assert_eq!(on.transferred().sent, 12);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Cuda {
    /// What clones share.
    pub(crate) device: Arc<Device>,
    /// How fits are launched, where that is not left to the size of each problem.
    pub(crate) launch_mode: Option<LaunchMode>,
    /// The evaluations that a launch of a fit makes at most, if it is not for its size to say.
    pub(crate) most_evaluations: Option<usize>,
    /// Whether every array of a stage is an allocation of its own.
    pub(crate) apart: bool,
    /// The run under way, which is asked before each launch whether to go on.
    pub(crate) watch: Watch,
}

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cuda({}: {})", self.device.info.ordinal, self.device.info.name)
    }
}

/// A device that is open.
pub(crate) struct Device {
    /// The device's primary context, which other libraries of the process share, or that of a stream which was given.
    context: Arc<CudaContext>,
    /// Its default stream, or one that was given.
    stream: Arc<CudaStream>,
    /// What the driver says of it.
    info: DeviceInfo,
    /// Bytes of shared memory that a block may have when it asks for them.
    shared_memory: usize,
    /// Kernels that are compiled.
    modules: Modules,
    /// Bytes sent.
    sent: AtomicU64,
    /// Bytes received.
    received: AtomicU64,
}

/// Bytes that crossed between host and device.
///
/// Counted since the device was opened, over all clones: a test that nothing crosses twice compares two of these.
///
/// ```no_run
/// use lipex_core::Backend;
/// use lipex_cuda::Cuda;
///
/// let on = Cuda::new()?;
/// let before = on.transferred();
/// let numbers = on.upload(vec![0f32; 256])?;
/// assert!(on.transferred().sent >= before.sent + 1024);
/// assert_eq!(on.transferred().received, before.received);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// To the device.
    pub sent: u64,
    /// From the device.
    pub received: u64,
}

/// The devices that there are, those that are too old for lipex among them.
///
/// # Errors
/// [`Error::Unavailable`] without a driver, with one that is broken or older than r525, or without a device.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    (0..probe::devices()?).map(probe::info).collect()
}

/// What is known of the device of that number, if the kernels run there.
fn usable(ordinal: usize) -> Result<DeviceInfo> {
    let count = probe::devices()?;
    if ordinal >= count {
        let reason = format!("devices are numbered 0 to {}", count - 1);
        return Err(Error::Unavailable { backend: "cuda", reason });
    }
    let info = probe::info(ordinal)?;
    if !info.is_supported() {
        let (name, (major, minor)) = (info.name, info.capability);
        let reason =
            format!("{name} has compute capability {major}.{minor}, and lipex needs 7.5 or newer; use `backend` cpu");
        return Err(Error::Unavailable { backend: "cuda", reason });
    }
    Ok(info)
}

impl Cuda {
    /// The first device.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without a driver, with one that is broken or older than r525, or without a device.
    pub fn new() -> Result<Self> {
        Self::device(0)
    }

    /// The device of that number.
    ///
    /// # Errors
    /// As [`Cuda::new`], and for a number that no device has or a device of compute capability below 7.5.
    pub fn device(ordinal: usize) -> Result<Self> {
        let info = usable(ordinal)?;
        let open = || {
            let context = CudaContext::new(info.ordinal)?;
            // SAFETY: every buffer is used on the one stream below, which orders its uses.
            unsafe { context.disable_event_tracking() };
            Self::around(info, context.default_stream())
        };
        open().map_err(at("start"))
    }

    /// A stream that another library has, with the context that it is in: all work goes there, in the order of the calls, so that
    /// nothing has to wait for a model that enqueues its own work on it.
    ///
    /// A raw `CUstream` becomes one by cudarc's `CudaContext::wrap_borrowed_stream`, a context that is no primary one by
    /// `CudaContext::from_raw_context`. Whether the context tracks events is left as it is.
    ///
    /// # Errors
    /// As [`Cuda::device`].
    ///
    /// ```no_run
    /// use cudarc::driver::CudaContext;
    /// use lipex_cuda::Cuda;
    ///
    /// let context = CudaContext::new(0).expect("a device");
    /// // Candle's `CudaDevice::cuda_stream` gives one like this.
    /// let stream = context.new_stream().expect("a stream");
    /// let on = Cuda::on_stream(stream.clone())?;
    /// assert_eq!(on.stream(), &stream);
    /// # Ok::<(), lipex_core::Error>(())
    /// ```
    pub fn on_stream(stream: Arc<CudaStream>) -> Result<Self> {
        Self::around(usable(stream.context().ordinal())?, stream).map_err(at("start"))
    }

    /// Asks for what launches need to know.
    fn around(info: DeviceInfo, stream: Arc<CudaStream>) -> std::result::Result<Self, CudaError> {
        let context = stream.context().clone();
        use sys::CUdevice_attribute_enum as A;
        let shared_memory = context.attribute(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)? as usize;
        let device = Device {
            context,
            stream,
            info,
            shared_memory: shared_memory.max(48 << 10),
            modules: Modules::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        };
        Ok(Cuda {
            device: Arc::new(device),
            launch_mode: None,
            most_evaluations: None,
            apart: false,
            watch: Watch::default(),
        })
    }

    /// The same device with fits launched this way where their size allows it. Does not change any result.
    pub fn with_launch_mode(self, mode: LaunchMode) -> Self {
        Cuda { launch_mode: Some(mode), ..self }
    }

    /// The same device with at most so many evaluations of the objective in one launch of a fit; by default as many as take
    /// a tenth of a second or so. Does not change any result.
    pub fn evaluations_a_launch(self, most: usize) -> Self {
        Cuda { most_evaluations: Some(most.max(1)), ..self }
    }

    /// The same device with an allocation for every array of a stage instead of one for all, so that a checker of memory sees
    /// where each ends. Slower, and does not change any result.
    pub fn arrays_apart(self) -> Self {
        Cuda { apart: true, ..self }
    }

    /// What is known of the device.
    pub fn info(&self) -> &DeviceInfo {
        &self.device.info
    }

    /// The stream that all work goes to, for a model that enqueues work of its own.
    pub fn stream(&self) -> &Arc<CudaStream> {
        &self.device.stream
    }

    /// Waits until everything asked for so far is done.
    ///
    /// # Errors
    /// [`Error::Backend`] when some of it failed.
    pub fn synchronize(&self) -> Result<()> {
        self.device.stream.synchronize().map_err(|e| at("wait")(e.into()))
    }

    /// Bytes that crossed between host and device so far.
    pub fn transferred(&self) -> Transferred {
        Transferred {
            sent: self.device.sent.load(Ordering::Relaxed),
            received: self.device.received.load(Ordering::Relaxed),
        }
    }

    /// Bytes of shared memory that a block may have.
    pub(crate) fn shared_memory(&self) -> usize {
        self.device.shared_memory
    }

    /// Room for `len` numbers, whatever is in it.
    ///
    /// Every byte must be written before it is read; callers fill it by a copy, a memset or a kernel.
    pub(crate) fn room<T: Element>(&self, stage: &'static str, len: usize) -> Result<DeviceBuffer<T>> {
        let wanted = (len * size_of::<T>()).max(16);
        // SAFETY: bytes may hold anything, and the callers write them before anything reads them.
        let ask = || unsafe { self.device.stream.alloc::<u8>(wanted) };
        let bytes = ask().or_else(|error| {
            if !is_out_of_memory(&error) {
                return Err(error);
            }
            // What was freed on the stream is there once the stream has come to it.
            self.device.stream.synchronize()?;
            ask()
        });
        let bytes = bytes.map_err(|e| at(stage)(self.memory_error(e, wanted)))?;
        Ok(DeviceBuffer::owned(bytes, len))
    }

    /// An allocation's failure, with how much was wanted and how much is free.
    fn memory_error(&self, error: cudarc::driver::DriverError, wanted: usize) -> CudaError {
        if is_out_of_memory(&error) {
            let free = self.device.context.mem_get_info().map_or(0, |(free, _)| free);
            return CudaError::OutOfMemory { wanted, free };
        }
        error.into()
    }

    /// Room for `len` numbers, all zero.
    pub(crate) fn zeroed<T: Element>(&self, stage: &'static str, len: usize) -> Result<DeviceBuffer<T>> {
        let mut buffer = self.room(stage, len)?;
        self.device.stream.memset_zeros(&mut *buffer.bytes).map_err(|e| at(stage)(e.into()))?;
        Ok(buffer)
    }

    /// `len` words whose every bit is 1.
    pub(crate) fn all_ones(&self, stage: &'static str, len: usize) -> Result<DeviceBuffer<u32>> {
        let buffer = self.room::<u32>(stage, len)?;
        let filled = self.device.context.bind_to_thread().and_then(|()| {
            let stream = self.device.stream.cu_stream();
            // SAFETY: the buffer has as many bytes at least, and lives on the stream that fills it.
            unsafe { result::memset_d8_async(buffer.address(), 0xff, 4 * len, stream) }
        });
        filled.map_err(|e| at(stage)(e.into()))?;
        Ok(buffer)
    }

    /// A copy of plain data on the device.
    pub(crate) fn send<T: Element>(&self, stage: &'static str, data: &[T]) -> Result<DeviceBuffer<T>> {
        let mut buffer = self.room(stage, data.len())?;
        let bytes: &[u8] = bytemuck::cast_slice(data);
        if !bytes.is_empty() {
            let mut view = buffer.bytes.slice_mut(..bytes.len());
            self.device.stream.memcpy_htod(bytes, &mut view).map_err(|e| at(stage)(e.into()))?;
            self.device.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(buffer)
    }

    /// Writes bytes into a buffer from byte `start` on.
    pub(crate) fn write(
        &self,
        stage: &'static str,
        to: &mut DeviceBuffer<u8>,
        start: usize,
        bytes: &[u8],
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut view = to.bytes.slice_mut(start..start + bytes.len());
        self.device.stream.memcpy_htod(bytes, &mut view).map_err(|e| at(stage)(e.into()))?;
        self.device.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Reads bytes of a buffer from byte `start` on; waits for all work that was asked for before.
    pub(crate) fn read(
        &self,
        stage: &'static str,
        from: &DeviceBuffer<u8>,
        start: usize,
        len: usize,
    ) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        if len > 0 {
            let view = from.bytes.slice(start..start + len);
            self.device.stream.memcpy_dtoh(&view, &mut bytes).map_err(|e| at(stage)(e.into()))?;
            self.device.stream.synchronize().map_err(|e| at(stage)(e.into()))?;
            self.device.received.fetch_add(len as u64, Ordering::Relaxed);
        }
        Ok(bytes)
    }

    /// A copy of a kernel's table of jobs on the device.
    pub(crate) fn send_jobs<J: bytemuck::Pod>(&self, stage: &'static str, jobs: &[J]) -> Result<DeviceBuffer<u8>> {
        self.send::<u8>(stage, bytemuck::cast_slice(jobs))
    }

    /// A copy of a buffer on the host; waits for all work that was asked for before.
    pub(crate) fn receive<T: Element>(&self, stage: &'static str, buffer: &DeviceBuffer<T>) -> Result<Vec<T>> {
        self.receive_first(stage, buffer, buffer.len)
    }

    /// The first `len` numbers of a buffer on the host.
    pub(crate) fn receive_first<T: Element>(
        &self,
        stage: &'static str,
        buffer: &DeviceBuffer<T>,
        len: usize,
    ) -> Result<Vec<T>> {
        self.own(stage, buffer)?;
        let mut host = vec![T::zeroed(); len.min(buffer.len)];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut host);
        if !bytes.is_empty() {
            let view = buffer.bytes.slice(..bytes.len());
            self.device.stream.memcpy_dtoh(&view, bytes).map_err(|e| at(stage)(e.into()))?;
            self.device.stream.synchronize().map_err(|e| at(stage)(e.into()))?;
            self.device.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(host)
    }

    /// Passes if a buffer is of this device: another's address leads nowhere here.
    pub(crate) fn own<T: Element>(&self, stage: &'static str, buffer: &DeviceBuffer<T>) -> Result<()> {
        let (own, other) = (self.device.info.ordinal, buffer.ordinal());
        if own == other { Ok(()) } else { Err(at(stage)(CudaError::OtherDevice { own, other })) }
    }

    /// Where the arrays of a neighbourhood lie.
    pub(crate) fn arrays(&self, stage: &'static str, around: &Neighbourhood<Cuda>) -> Result<Arrays> {
        let (p, pi) = (around.probabilities.values(), around.weights.values());
        self.own(stage, around.masks.bits())?;
        self.own(stage, p)?;
        self.own(stage, pi)?;
        Ok(Arrays { bits: around.masks.bits().address(), p: p.address(), pi: pi.address() })
    }

    /// Copies the bytes of `part` into `whole` from element `at` on, on the device.
    pub(crate) fn copy_into<T: Element>(
        &self,
        part: &DeviceBuffer<T>,
        whole: &mut DeviceBuffer<T>,
        at_element: usize,
    ) -> Result<()> {
        self.own("copy", part)?;
        self.own("copy", whole)?;
        let (size, start) = (part.len * size_of::<T>(), at_element * size_of::<T>());
        if size > 0 {
            let mut view = whole.bytes.slice_mut(start..start + size);
            let from = part.bytes.slice(..size);
            self.device.stream.memcpy_dtod(&from, &mut view).map_err(|e| at("copy")(e.into()))?;
        }
        Ok(())
    }

    /// A kernel, loaded when first asked for; `programs` (the fit's and the exact divergence) fill its places.
    pub(crate) fn kernel(
        &self,
        kernel: (&File, &'static str, Option<&Programs>),
    ) -> std::result::Result<Arc<Kernel>, CudaError> {
        self.device.modules.kernel(&self.device.stream, kernel)
    }
}

/// Addresses of a neighbourhood's arrays.
#[derive(Clone, Copy)]
pub(crate) struct Arrays {
    /// N × words.
    pub bits: u64,
    /// N × C, f32.
    pub p: u64,
    /// N, f32.
    pub pi: u64,
}
