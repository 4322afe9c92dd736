//! The device that CUDA tests run on: a real one where there is one, else the emulator.
//!
//! `LIPEX_CUDA=device|emulator|off` chooses; `LIPEX_REQUIRE_DEVICE=1` makes a missing device a failure. A test that uses
//! this says on its first line which device it ran on.

use lipex_cuda::Cuda;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Most thread instructions that a test may interpret.
const MOST: f64 = 2e9;

/// A test's turn on the device: the only one, so that what it interprets can be told.
pub struct Turn {
    _alone: MutexGuard<'static, ()>,
    before: Option<f64>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(before) = self.before else { return };
        let spent = interpreted() - before;
        println!("{:.0} million thread instructions", spent / 1e6);
        assert!(std::thread::panicking() || spent <= MOST, "{spent} thread instructions are too many for one test");
    }
}

/// Thread instructions that the emulator has interpreted in this process.
fn interpreted() -> f64 {
    let kernels: BTreeMap<String, serde_json::Value> = serde_json::from_value(told("cuda_emulator_counters")).unwrap();
    kernels.values().map(|kernel| kernel["thread_instructions"].as_f64().unwrap()).sum()
}

/// What a function of the emulator writes as JSON.
pub fn told(function: &str) -> serde_json::Value {
    type Writes = unsafe extern "C" fn(*mut u8, usize, *mut usize) -> i32;
    // SAFETY: the emulator is mapped already. Its functions that tell something, such as cuda_emulator_counters(to, length,
    // needed), write at most `length` bytes and the size that they need, the ending 0 included.
    unsafe {
        let library = libloading::Library::new(emulator()).unwrap();
        let write = library.get::<Writes>(function.as_bytes()).unwrap();
        let (mut needed, mut text) = (0, Vec::new());
        write(std::ptr::null_mut(), 0, &mut needed);
        // What is told may grow meanwhile, by what another test launches.
        while needed > text.len() {
            text.resize(needed, 0u8);
            write(text.as_mut_ptr(), text.len(), &mut needed);
        }
        serde_json::from_slice(&text[..needed - 1]).unwrap()
    }
}

/// The device of this process with a turn on it; `None`, said aloud, where there is none.
pub fn device() -> Option<(Cuda, Turn)> {
    static TURN: Mutex<()> = Mutex::new(());
    let alone = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let device = found()?;
    let before = device.info().is_emulator.then(interpreted);
    Some((device, Turn { _alone: alone, before }))
}

fn found() -> Option<Cuda> {
    static DEVICE: OnceLock<Option<Cuda>> = OnceLock::new();
    let required = std::env::var("LIPEX_REQUIRE_DEVICE").is_ok_and(|v| v == "1");
    let device = DEVICE.get_or_init(|| match std::env::var("LIPEX_CUDA").as_deref() {
        Ok("off") => None,
        Ok("device") => Some(Cuda::new().unwrap()),
        Ok("emulator") => Some(emulated()),
        Ok(other) => panic!("LIPEX_CUDA is device, emulator or off, not {other}"),
        Err(_) if required => Some(Cuda::new().unwrap()),
        // A driver, once found, stays the one of the process: the emulator is for where there is none.
        Err(_) => Some(if lipex_cuda::driver_is_present() { Cuda::new().unwrap() } else { emulated() }),
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
    // Every array an allocation of its own, so that the emulator sees where it ends.
    Cuda::new().unwrap().arrays_apart()
}
