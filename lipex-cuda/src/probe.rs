//! Is there a driver, is it whole, is it new enough, does it see a device? Asked before anything that could panic.
//!
//! # Order
//! Library, its functions, its version, devices: the first that fails is what the message names, with what to do.

use crate::device::DeviceInfo;
use crate::error::at;
use cudarc::driver::{CudaContext, result, sys};
use libloading::Library;
use lipex_core::{Error, Result};

/// The oldest driver interface that takes the kernels' PTX: CUDA 12.0, drivers from r525 on.
const OLDEST: i32 = 12_000;

/// The driver functions that lipex calls, itself or through cudarc, which panics where one is missing.
const FUNCTIONS: &[&str] = &[
    "cuInit",
    "cuDriverGetVersion",
    "cuGetErrorName",
    "cuGetErrorString",
    "cuDeviceGet",
    "cuDeviceGetCount",
    "cuDeviceGetName",
    "cuDeviceGetAttribute",
    "cuDeviceTotalMem_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxGetCurrent",
    "cuCtxSetCurrent",
    "cuCtxSynchronize",
    "cuStreamSynchronize",
    "cuMemGetInfo_v2",
    "cuMemAlloc_v2",
    "cuMemAllocAsync",
    "cuMemFree_v2",
    "cuMemFreeAsync",
    "cuMemsetD8Async",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuMemcpyDtoDAsync_v2",
    "cuModuleLoadData",
    "cuModuleLoadDataEx",
    "cuModuleUnload",
    "cuModuleGetFunction",
    "cuFuncGetAttribute",
    "cuFuncSetAttribute",
    "cuLaunchKernel",
];

/// The one error of this file.
fn unavailable(reason: impl Into<String>) -> Error {
    Error::Unavailable { backend: "cuda", reason: format!("{}; use `backend` cpu", reason.into()) }
}

/// The driver's library by the names that cudarc tries first, where it loads libraries itself; where another crate has it link
/// them, the program would not have started without.
fn library() -> Option<Library> {
    let names: &[&str] = if cfg!(windows) { &["nvcuda.dll"] } else { &["libcuda.so", "libcuda.so.1"] };
    // SAFETY: the driver's initialisers do nothing but set it up, as when cudarc opens it.
    names.iter().find_map(|name| unsafe { Library::new(*name) }.ok())
}

/// Whether there is a library of that name at all: the first thing that [`Cuda::new`](crate::Cuda::new) asks.
///
/// ```
/// // Whatever the machine has: the question alone fails nowhere.
/// let there = lipex_cuda::driver_is_present();
/// assert!(there || lipex_cuda::Cuda::new().is_err());
/// ```
pub fn driver_is_present() -> bool {
    library().is_some()
}

/// Passes if the driver can be used, and gives the number of devices that it sees.
///
/// # Errors
/// [`Error::Unavailable`] says what is missing.
pub(crate) fn devices() -> Result<usize> {
    let Some(library) = library() else {
        return Err(unavailable("there is no NVIDIA driver here (libcuda is not found)"));
    };
    for name in FUNCTIONS {
        // SAFETY: the symbol is only looked up, never called through this type.
        if unsafe { library.get::<unsafe extern "C" fn()>(name.as_bytes()) }.is_err() {
            return Err(unavailable(format!("the NVIDIA driver lacks {name}: it is too old or broken")));
        }
    }
    let failed = |what: &str, error: &result::DriverError| {
        unavailable(format!("the NVIDIA driver {what}: {}", crate::error::describe(error)))
    };
    result::init().map_err(|e| failed("does not start", &e))?;
    let mut version = 0;
    // SAFETY: cuDriverGetVersion(int*) writes one int.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result().map_err(|e| failed("does not tell its version", &e))?;
    if version < OLDEST {
        let (major, minor) = (version / 1000, version % 1000 / 10);
        return Err(unavailable(format!(
            "the NVIDIA driver supports CUDA {major}.{minor}, and lipex needs 12.0 (driver r525 or newer)"
        )));
    }
    let count = CudaContext::device_count().map_err(|e| failed("does not count its devices", &e))?;
    if count < 1 {
        return Err(unavailable("the NVIDIA driver sees no device"));
    }
    Ok(count as usize)
}

/// What the driver knows of the device of that number, which [`devices`] has counted; makes no context.
///
/// # Errors
/// [`Error::Backend`] when the driver refuses.
pub(crate) fn info(ordinal: usize) -> Result<DeviceInfo> {
    read(ordinal).map_err(|error| at("start")(error.into()))
}

/// What the driver says of a device.
fn read(ordinal: usize) -> std::result::Result<DeviceInfo, result::DriverError> {
    use sys::CUdevice_attribute_enum as A;
    let device = result::device::get(ordinal as i32)?;
    let mut version = 0;
    // SAFETY: cuDriverGetVersion(int*) writes one int; the others are asked of a device that the driver gave just now.
    let (memory, major, minor) = unsafe {
        sys::cuDriverGetVersion(&mut version).result()?;
        (
            result::device::total_mem(device)?,
            result::device::get_attribute(device, A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
            result::device::get_attribute(device, A::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
        )
    };
    let name = result::device::get_name(device)?;
    Ok(DeviceInfo {
        ordinal,
        memory,
        capability: (major, minor),
        driver: (version / 1000, version % 1000 / 10),
        is_emulator: name.to_lowercase().contains("emulator"),
        name,
    })
}
