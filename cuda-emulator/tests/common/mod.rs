//! Maps the emulator before cudarc looks for a driver.
#![allow(dead_code, reason = "each test uses its part")]

use std::sync::{Arc, OnceLock};

use cudarc::driver::CudaContext;

/// The emulator's library.
pub fn library() -> &'static libloading::Library {
    static LIBRARY: OnceLock<libloading::Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let exe = std::env::current_exe().expect("the test's path");
        let path = exe.parent().expect("its folder").join("libcuda_emulator.so");
        // SAFETY: the library's initialisers do nothing.
        unsafe { libloading::Library::new(&path) }.expect("the emulator, built beside the tests")
    })
}

/// The emulator's device.
pub fn context() -> Arc<CudaContext> {
    library();
    CudaContext::new(0).expect("a context on the emulator")
}
