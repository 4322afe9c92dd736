//! A device: its memory, its stream, the kernels loaded onto it.

use crate::error::{CudaError, at, is_out_of_memory};
use crate::fit::Road;
use crate::{probe, splice};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaSlice, CudaStream, DevicePtr, sys};
use lipex_core::{Element, Error, Program, Result, Watch};
use lipex_kernels::{File, Parameter};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of a device.
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

/// A CUDA device as a backend. Clones share the device, its default stream and the kernels loaded.
///
/// All work goes to the device's default stream in the order of the calls, so nothing needs an event. A library that
/// works on streams of its own has to wait for this one, and this one for it.
#[derive(Clone)]
pub struct Cuda {
    pub(crate) device: Arc<Device>,
    /// The road that fits take, if it is not for each problem to say.
    pub(crate) road: Option<Road>,
    /// The run under way, which is asked before each launch whether to go on.
    pub(crate) watch: Watch,
}

impl fmt::Debug for Cuda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cuda({}: {})", self.device.info.ordinal, self.device.info.name)
    }
}

pub(crate) struct Device {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    info: DeviceInfo,
    shared_memory: usize,
    modules: Mutex<HashMap<Loaded, Arc<CudaModule>>>,
    sent: AtomicU64,
    received: AtomicU64,
}

/// Which kernels, with which programs in their places.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Loaded {
    file: &'static str,
    programs: Option<(Program, Program)>,
}

/// Bytes that crossed between host and device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// To the device.
    pub sent: u64,
    /// From the device.
    pub received: u64,
}

/// The devices that there are.
///
/// # Errors
/// [`Error::Unavailable`] without a driver, with one that is broken or older than r525, or without a device.
pub fn devices() -> Result<Vec<DeviceInfo>> {
    (0..probe::devices()?).map(|ordinal| Ok(Cuda::device(ordinal)?.device.info.clone())).collect()
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
    /// As [`Cuda::new`], and for a number that no device has.
    pub fn device(ordinal: usize) -> Result<Self> {
        let count = probe::devices()?;
        if ordinal >= count {
            let reason = format!("devices are numbered 0 to {}", count - 1);
            return Err(Error::Unavailable { backend: "cuda", reason });
        }
        Self::open(ordinal).map_err(at("start"))
    }

    fn open(ordinal: usize) -> std::result::Result<Self, CudaError> {
        let context = CudaContext::new(ordinal)?;
        // SAFETY: every buffer is used on the one stream below, which orders its uses.
        unsafe { context.disable_event_tracking() };
        let attribute = |which| context.attribute(which);
        use sys::CUdevice_attribute_enum as A;
        let shared_memory = attribute(A::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)? as usize;
        let mut version = 0;
        // SAFETY: cuDriverGetVersion(int*) writes one int.
        unsafe { sys::cuDriverGetVersion(&mut version) }.result()?;
        let name = context.name()?;
        let info = DeviceInfo {
            ordinal,
            memory: context.total_mem()?,
            capability: context.compute_capability()?,
            driver: (version / 1000, version % 1000 / 10),
            is_emulator: name.to_lowercase().contains("emulator"),
            name,
        };
        let stream = context.default_stream();
        let device = Device {
            context,
            stream,
            info,
            shared_memory: shared_memory.max(48 << 10),
            modules: Mutex::default(),
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        };
        Ok(Cuda { device: Arc::new(device), road: None, watch: Watch::default() })
    }

    /// The same device with fits on this road where they can take it. Does not change any result.
    pub fn on_road(self, road: Road) -> Self {
        Cuda { road: Some(road), ..self }
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
        Ok(DeviceBuffer { bytes, len, element: PhantomData })
    }

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
        self.device.stream.memset_zeros(&mut buffer.bytes).map_err(|e| at(stage)(e.into()))?;
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

    /// Copies the bytes of `part` into `whole` from element `at` on, on the device.
    pub(crate) fn copy_into<T: Element>(
        &self,
        part: &DeviceBuffer<T>,
        whole: &mut DeviceBuffer<T>,
        at_element: usize,
    ) -> Result<()> {
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
        file: &File,
        name: &'static str,
        programs: Option<&(Program, Program)>,
    ) -> std::result::Result<Kernel, CudaError> {
        let key = Loaded { file: file.name, programs: programs.cloned() };
        let mut modules = self.device.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let module = match modules.get(&key) {
            Some(module) => module.clone(),
            None => {
                let text = match programs {
                    Some((fit, exact)) => splice::spliced(file.ptx, fit, exact),
                    None => file.ptx.to_string(),
                };
                let module = self.load(file.name, text)?;
                modules.insert(key, module.clone());
                module
            }
        };
        let parameters = file.kernels().into_iter().find(|(n, _)| *n == name).map(|(_, parameters)| parameters);
        let parameters = parameters.ok_or_else(|| CudaError::Launch {
            kernel: name.into(),
            reason: format!("{}.ptx does not have it", file.name),
        })?;
        Ok(Kernel { name, parameters, function: module.load_function(name)? })
    }

    fn load(&self, file: &'static str, text: String) -> std::result::Result<Arc<CudaModule>, CudaError> {
        let loaded = self.device.context.load_module(cudarc::nvrtc::Ptx::from_src(&text));
        loaded.map_err(|error| match self.compiler_log(&text) {
            Some(log) => CudaError::Ptx { kernel: file, log },
            None => error.into(),
        })
    }

    /// What the driver's compiler says of PTX that it refuses; `None` if it takes it after all.
    fn compiler_log(&self, text: &str) -> Option<String> {
        let text = std::ffi::CString::new(text).ok()?;
        let mut log = vec![0u8; 8192];
        let mut module = std::ptr::null_mut();
        use sys::CUjit_option_enum as Option_;
        let mut options = [Option_::CU_JIT_ERROR_LOG_BUFFER, Option_::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];
        let mut values = [log.as_mut_ptr().cast::<std::ffi::c_void>(), log.len() as *mut std::ffi::c_void];
        // SAFETY: cuModuleLoadDataEx(module, text ending in 0, 2 options, their values): the buffer's address and its
        // size, which the call takes by value; buffer and text live until after the call.
        let result = unsafe {
            sys::cuModuleLoadDataEx(&mut module, text.as_ptr().cast(), 2, options.as_mut_ptr(), values.as_mut_ptr())
        };
        if result.result().is_ok() {
            // SAFETY: the module was loaded just now and nothing else knows it.
            let _ = unsafe { sys::cuModuleUnload(module) };
            return None;
        }
        let end = log.iter().position(|&b| b == 0).unwrap_or(log.len());
        let log = String::from_utf8_lossy(&log[..end]).trim().to_string();
        Some(if log.is_empty() { "no log".into() } else { log })
    }
}

/// A kernel that is loaded.
pub(crate) struct Kernel {
    pub name: &'static str,
    /// Its parameters, as the PTX declares them.
    pub parameters: Vec<Parameter>,
    pub function: CudaFunction,
}

/// Numbers in a device's memory.
pub struct DeviceBuffer<T> {
    bytes: CudaSlice<u8>,
    len: usize,
    element: PhantomData<fn() -> T>,
}

impl<T: Element> DeviceBuffer<T> {
    /// The number of numbers.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address in device memory, aligned to 256 bytes, for kernels and for libraries that want raw pointers.
    ///
    /// The numbers are there once the work that was enqueued before on [`Cuda::stream`] is done.
    pub fn address(&self) -> u64 {
        self.bytes.device_ptr(self.bytes.stream()).0
    }

    /// The bytes as cudarc knows them, 16 at least.
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
