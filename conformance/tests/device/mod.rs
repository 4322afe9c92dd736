//! The device that CUDA tests run on: a real one where there is one, else the emulator.
//!
//! `LIPEX_CUDA=device|emulator|off` chooses; `LIPEX_REQUIRE_DEVICE=1` makes a missing device a failure. A test that uses
//! this says on its first line which device it ran on.

use lipex_cuda::Cuda;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The device of this process; `None`, said aloud, where there is none.
pub fn device() -> Option<Cuda> {
    static DEVICE: OnceLock<Option<Cuda>> = OnceLock::new();
    let required = std::env::var("LIPEX_REQUIRE_DEVICE").is_ok_and(|v| v == "1");
    let device = DEVICE.get_or_init(|| match std::env::var("LIPEX_CUDA").as_deref() {
        Ok("off") => None,
        Ok("device") => Some(Cuda::new().unwrap()),
        Ok("emulator") => Some(emulated()),
        Ok(other) => panic!("LIPEX_CUDA is device, emulator or off, not {other}"),
        Err(_) if required => Some(Cuda::new().unwrap()),
        // A driver, once found, stays the one of the process: the emulator is for where there is none.
        Err(_) => Some(if present() { Cuda::new().unwrap() } else { emulated() }),
    });
    match device {
        Some(device) => {
            let info = device.info();
            assert!(!(required && info.is_emulator), "a device is required, and this is {}", info.name);
            println!("on {} (compute capability {}.{})", info.name, info.capability.0, info.capability.1);
        }
        None => println!("skipped: LIPEX_CUDA=off"),
    }
    device.clone()
}

fn present() -> bool {
    // SAFETY: opens the library as cudarc itself would and runs nothing of it but its initialisers.
    unsafe { lipex_cuda::cudarc::driver::sys::is_culib_present() }
}

/// Where cargo puts the emulator: beside the test's own program.
pub fn emulator() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().join("libcuda_emulator.so")
}

fn emulated() -> Cuda {
    let path = emulator();
    // SAFETY: the emulator's initialisers do nothing; it stays mapped, so that the driver's name leads to it from now on.
    let library = unsafe { libloading::Library::new(&path) }.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    std::mem::forget(library);
    Cuda::new().unwrap()
}
