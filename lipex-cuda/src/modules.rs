//! Kernels on a device: compiled by the driver when they are first asked for, and kept while they are in use.
//!
//! # Cost
//! The driver compiles a file's PTX in a fraction of a second to a few seconds the first time, and keeps the result in its own
//! cache on disk. Later launches look a kernel up by a comparison of the divergence's program: under a microsecond.
//!
//! # Threads
//! Compiling holds up only those that want the same module.

use crate::error::CudaError;
use crate::splice;
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaStream, sys};
use lipex_core::Program;
use lipex_kernels::{File, Parameter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most modules of one file that are kept: a sweep over α makes one for each value.
const MOST_MODULES: usize = 16;

/// What the driver may refuse.
type Outcome<T> = std::result::Result<T, CudaError>;

/// A kernel that is loaded.
pub(crate) struct Kernel {
    /// Its name in the PTX.
    pub name: &'static str,
    /// Its parameters, as the PTX declares them.
    pub parameters: &'static [Parameter],
    /// The driver's handle.
    pub function: CudaFunction,
}

/// A divergence's programs: the fit's, perhaps smoothed, and the exact one.
pub(crate) type Programs = (Program, Program);

/// The modules of a device, those used last at the end.
#[derive(Default)]
pub(crate) struct Modules(Mutex<Vec<Entry>>);

/// A module that is kept, by what it was made of.
struct Entry {
    /// The file of kernels.
    file: &'static str,
    /// The divergence in its places.
    programs: Option<Programs>,
    /// The module, once compiled.
    place: Arc<Place>,
}

impl Entry {
    /// Whether it is the module of these.
    fn is(&self, file: &File, programs: Option<&Programs>) -> bool {
        self.file == file.name && self.programs.as_ref() == programs
    }
}

/// A module with the kernels that were asked for. While one thread has it compiled, only those wait that want the same.
#[derive(Default)]
struct Place(Mutex<Option<Module>>);

/// A compiled module.
struct Module {
    /// The driver's handle.
    module: Arc<CudaModule>,
    /// Kernels that were asked for.
    kernels: Vec<Arc<Kernel>>,
}

/// The lock, also after a thread that held it has panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Modules {
    /// A kernel of `file`, loaded when first asked for; `programs` fill the file's places for a divergence.
    pub fn kernel(
        &self,
        on: &CudaStream,
        (file, name, programs): (&File, &'static str, Option<&Programs>),
    ) -> Outcome<Arc<Kernel>> {
        let (place, evicted) = self.place(file, programs);
        if evicted.is_some() {
            // A kernel of the module may still run.
            on.synchronize()?;
            drop(evicted);
        }
        let mut place = locked(&place.0);
        if let Some(kernel) = place.as_ref().and_then(|m| m.kernels.iter().find(|kernel| kernel.name == name)) {
            return Ok(kernel.clone());
        }
        let parameters = file.parameters(name).ok_or_else(|| CudaError::Launch {
            kernel: name.into(),
            reason: format!("{}.ptx does not have it", file.name),
        })?;
        if place.is_none() {
            let text = match programs {
                Some((fit, exact)) => splice::spliced(file.ptx, fit, exact),
                None => file.ptx.to_string(),
            };
            *place = Some(Module { module: load(on.context(), file.name, text)?, kernels: Vec::new() });
        }
        let Some(module) = place.as_mut() else {
            return Err(CudaError::Driver(format!("{} was not loaded", file.name)));
        };
        let function = module.module.load_function(name)?;
        allow_shared_memory(on.context(), &function)?;
        let kernel = Arc::new(Kernel { name, parameters, function });
        module.kernels.push(kernel.clone());
        Ok(kernel)
    }

    /// The place of a module, now the last one used, and one that must make room for it, if it is new.
    fn place(&self, file: &File, programs: Option<&Programs>) -> (Arc<Place>, Option<Entry>) {
        let mut all = locked(&self.0);
        if let Some(at) = all.iter().rposition(|entry| entry.is(file, programs)) {
            let entry = all.remove(at);
            let place = entry.place.clone();
            all.push(entry);
            return (place, None);
        }
        let of_file = all.iter().filter(|entry| entry.file == file.name).count();
        let oldest = all.iter().position(|entry| entry.file == file.name).filter(|_| of_file >= MOST_MODULES);
        let evicted = oldest.map(|at| all.remove(at));
        let place = Arc::<Place>::default();
        all.push(Entry { file: file.name, programs: programs.cloned(), place: place.clone() });
        (place, evicted)
    }
}

/// Lets launches give a kernel all the shared memory of a block that its own arrays leave. Without this a launch is
/// refused where both together are above 48 KiB, even if what it asks for alone is not.
fn allow_shared_memory(context: &CudaContext, function: &CudaFunction) -> Outcome<()> {
    let most =
        context.attribute(sys::CUdevice_attribute_enum::CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?;
    let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    // What a launch chooses begins at a multiple of its alignment.
    let own = (function.shared_size_bytes()? as usize).next_multiple_of(128);
    Ok(function.set_attribute(attribute, most - own as i32)?)
}

/// Has the driver compile a text; its log is in the error.
fn load(context: &Arc<CudaContext>, file: &'static str, text: String) -> Outcome<Arc<CudaModule>> {
    let loaded = context.load_module(cudarc::nvrtc::Ptx::from_src(&text));
    loaded.map_err(|error| match compiler_log(&text) {
        Some(log) => CudaError::Ptx { kernel: file, log },
        None => error.into(),
    })
}

/// What the driver's compiler says of PTX that it refuses; `None` if it takes it after all.
fn compiler_log(text: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{Alpha, ErasedDivergence};
    use lipex_kernels::{FIT, WEIGH};

    fn programs(alpha: f32) -> Programs {
        let divergence = Alpha::new(alpha).unwrap();
        (divergence.record(false), divergence.record(false))
    }

    #[test]
    fn modules_used_longest_ago_make_room() {
        let modules = Modules::default();
        let first = modules.place(&FIT, Some(&programs(0.1))).0;
        let plain = modules.place(&WEIGH, None).0;
        for i in 1..MOST_MODULES {
            assert!(modules.place(&FIT, Some(&programs(0.1 + 0.05 * i as f32))).1.is_none(), "{i}");
        }
        // What is used stays; the next in age goes.
        assert!(Arc::ptr_eq(&first, &modules.place(&FIT, Some(&programs(0.1))).0));
        let (_, evicted) = modules.place(&FIT, Some(&programs(0.97)));
        assert!(evicted.unwrap().programs == Some(programs(0.1 + 0.05)));
        assert!(Arc::ptr_eq(&first, &modules.place(&FIT, Some(&programs(0.1))).0));
        assert!(Arc::ptr_eq(&plain, &modules.place(&WEIGH, None).0));
        assert_eq!(locked(&modules.0).len(), MOST_MODULES + 1);
    }
}
