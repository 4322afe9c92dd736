//! Maps the emulator before cudarc looks for a driver.

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

/// One test at a time where faults are provoked: a fault is the context's, and all tests of a process share it.
pub fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let guard = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    clear();
    guard
}

/// Calls one of the emulator's own functions that take a text buffer.
fn text(name: &str) -> String {
    type Query = unsafe extern "C" fn(*mut u8, usize, *mut usize) -> i32;
    let mut buffer = vec![0u8; 1 << 20];
    let mut needed = 0;
    // SAFETY: the function has this type, and the buffer the length that it is told.
    unsafe {
        let query = library().get::<Query>(name).expect("an extra function");
        assert_eq!(query(buffer.as_mut_ptr(), buffer.len(), &mut needed), 0);
    }
    buffer.truncate(needed - 1);
    String::from_utf8(buffer).expect("text")
}

/// Everything that went wrong since [`clear`], a line each.
pub fn reports() -> Vec<String> {
    text("cuda_emulator_reports").lines().map(str::to_string).collect()
}

/// Counters as JSON.
pub fn counters() -> String {
    text("cuda_emulator_counters")
}

/// Forgets reports, counters and the context's fault.
pub fn clear() {
    // SAFETY: the function has this type.
    unsafe {
        let clear = library().get::<unsafe extern "C" fn() -> i32>("cuda_emulator_clear").expect("an extra function");
        assert_eq!(clear(), 0);
    }
}
