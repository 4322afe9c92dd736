//! Modules, kernels, variables.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::codes::{self, Code};
use super::device;
use super::entry::give;
use super::modules::{self, Function};
use super::state::State;
use crate::report::{Problem, Report};

/// Loads PTX and gives the module's handle, or a code with the line for the log.
fn load(state: &mut State, source: &str) -> Result<usize, (Code, String)> {
    let handle = state.handle();
    let mut last = state.last_handle;
    let next = || {
        last += 16;
        last
    };
    let module = modules::load(source, &mut state.heap, &state.settings, next);
    state.last_handle = last;
    match module {
        Ok(module) => {
            for (handle, function) in module.functions.values() {
                state.functions.insert(*handle, Arc::clone(function));
            }
            state.modules.insert(handle, module);
            Ok(handle)
        }
        Err((code, message)) => {
            state.report(Report::new(Problem::BadModule, message.clone()));
            Err((code, message))
        }
    }
}

/// The text of an image: PTX only, ended by a zero.
///
/// # Safety
/// `image` points to a zero-terminated text.
unsafe fn text(image: *const c_void) -> Result<String, Code> {
    if image.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    // SAFETY: the caller's promise. A cubin begins with 0x7f and "ELF": it ends at its first zero and is refused as text.
    let bytes = unsafe { CStr::from_ptr(image.cast()) };
    String::from_utf8(bytes.to_bytes().to_vec()).map_err(|_| codes::INVALID_IMAGE)
}

/// The name behind a pointer.
///
/// # Safety
/// `name` is null or points to a zero-terminated text.
unsafe fn name_of(name: *const c_char) -> Result<String, Code> {
    if name.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

/// Writes `message` to the log buffers among the options of a load (`CUjit_option`).
///
/// # Safety
/// The arrays have `count` entries, of the kinds that the options say.
unsafe fn log(message: &str, count: c_uint, options: *const c_int, values: *mut *mut c_void) {
    const ERROR_LOG: c_int = 5;
    const ERROR_LOG_SIZE: c_int = 6;
    if options.is_null() || values.is_null() {
        return;
    }
    let (mut buffer, mut size) = (std::ptr::null_mut::<u8>(), 0usize);
    for i in 0..count as usize {
        // SAFETY: the caller's promise.
        match unsafe { *options.add(i) } {
            // SAFETY: the caller's promise.
            ERROR_LOG => buffer = unsafe { *values.add(i) }.cast(),
            // SAFETY: as above; the size is the value itself, 32 bits of it.
            ERROR_LOG_SIZE => size = unsafe { *values.add(i) } as usize & 0xffff_ffff,
            _ => {}
        }
    }
    if buffer.is_null() || size == 0 {
        return;
    }
    let n = message.len().min(size - 1);
    // SAFETY: the buffer has `size` bytes, of which `n` + 1 are written.
    unsafe {
        std::ptr::copy_nonoverlapping(message.as_ptr(), buffer, n);
        buffer.add(n).write(0);
    }
    for i in 0..count as usize {
        // SAFETY: the caller's promise; the driver answers the size in the same place.
        unsafe {
            if *options.add(i) == ERROR_LOG_SIZE {
                *values.add(i) = (n + 1) as *mut c_void;
            }
        }
    }
}

/// The kernel of that handle.
pub fn function(state: &State, handle: usize) -> Result<Arc<Function>, Code> {
    state.functions.get(&handle).cloned().ok_or(codes::INVALID_HANDLE)
}

fn attribute(state: &State, which: c_int, f: &Function) -> Result<c_int, Code> {
    let p = &f.program;
    Ok(match which {
        0 => p.maximum.or(p.required).map_or(1024, |m| m.iter().product::<u32>().min(1024)) as c_int,
        1 => p.shared as c_int,
        2 => 0,
        3 => p.local as c_int,
        4 => p.registers.clamp(1, 255) as c_int,
        5 => p.target as c_int,
        6 => state.settings.capability.0 * 10 + state.settings.capability.1,
        7 => 0,
        8 => f.most_dynamic.load(Relaxed),
        9 => -1,
        _ => return Err(codes::INVALID_VALUE),
    })
}

api! {
    /// Loads a module from PTX in memory.
    context fn cuModuleLoadData(state, module: *mut usize, image: *const c_void) {
        // SAFETY: the caller's promise.
        let source = unsafe { text(image) }?;
        let handle = load(state, &source).map_err(|e| e.0)?;
        // SAFETY: the caller's promise.
        unsafe { give(module, handle) }
    }

    /// Loads a module from PTX in memory; the log of a refusal goes to the buffer among the options.
    context fn cuModuleLoadDataEx(
        state,
        module: *mut usize,
        image: *const c_void,
        count: c_uint,
        options: *const c_int,
        values: *mut *mut c_void,
    ) {
        // SAFETY: the caller's promise.
        let source = unsafe { text(image) }?;
        match load(state, &source) {
            // SAFETY: the caller's promise.
            Ok(handle) => unsafe {
                log("", count, options, values);
                give(module, handle)
            },
            Err((code, message)) => {
                // SAFETY: the caller's promise.
                unsafe { log(&message, count, options, values) };
                Err(code)
            }
        }
    }

    /// Loads a module from a file.
    context fn cuModuleLoad(state, module: *mut usize, path: *const c_char) {
        // SAFETY: the caller's promise.
        let path = unsafe { name_of(path) }?;
        let source = std::fs::read_to_string(path).map_err(|_| codes::FILE_NOT_FOUND)?;
        let handle = load(state, &source).map_err(|e| e.0)?;
        // SAFETY: the caller's promise.
        unsafe { give(module, handle) }
    }

    /// Unloads a module; work that still needs its variables is done first.
    context fn cuModuleUnload(state, module: usize) {
        state.wait_all()?;
        let module = state.modules.remove(&module).ok_or(codes::INVALID_HANDLE)?;
        for (handle, _) in module.functions.values() {
            state.functions.remove(handle);
        }
        for (address, _) in module.variables.values() {
            let _ = state.heap.free(*address);
        }
        Ok(())
    }

    /// A kernel of a module.
    context fn cuModuleGetFunction(state, function: *mut usize, module: usize, name: *const c_char) {
        // SAFETY: the caller's promise.
        let name = unsafe { name_of(name) }?;
        let module = state.modules.get(&module).ok_or(codes::INVALID_HANDLE)?;
        let handle = module.functions.get(&name).ok_or(codes::NOT_FOUND)?.0;
        // SAFETY: the caller's promise.
        unsafe { give(function, handle) }
    }

    /// Address and size of a variable of a module.
    context fn cuModuleGetGlobal_v2(state, address: *mut u64, bytes: *mut usize, module: usize, name: *const c_char) {
        // SAFETY: the caller's promise.
        let name = unsafe { name_of(name) }?;
        let module = state.modules.get(&module).ok_or(codes::INVALID_HANDLE)?;
        let &(at, size) = module.variables.get(&name).ok_or(codes::NOT_FOUND)?;
        // SAFETY: the caller's promise; null means that the value is not wanted.
        unsafe {
            if !address.is_null() {
                give(address, at)?;
            }
            if !bytes.is_null() {
                give(bytes, size as usize)?;
            }
        }
        Ok(())
    }

    /// An attribute of a kernel.
    context fn cuFuncGetAttribute(state, value: *mut c_int, which: c_int, handle: usize) {
        let f = function(state, handle)?;
        // SAFETY: the caller's promise.
        unsafe { give(value, attribute(state, which, &f)?) }
    }

    /// Sets an attribute of a kernel: the most shared memory a launch may give it.
    context fn cuFuncSetAttribute(state, handle: usize, which: c_int, value: c_int) {
        let f = function(state, handle)?;
        match which {
            8 => {
                let most = device::shared_limits(state.settings.capability).0;
                if value < 0 || value + f.program.dynamic_at as c_int > most {
                    return Err(codes::INVALID_VALUE);
                }
                f.most_dynamic.store(value, Relaxed);
                Ok(())
            }
            9 => Ok(()),
            _ => Err(codes::INVALID_VALUE),
        }
    }

    /// Sets the cache preference, which has no effect here.
    context fn cuFuncSetCacheConfig(state, handle: usize, _config: c_int) {
        function(state, handle).map(|_| ())
    }

    /// Offset and size of a kernel's parameter.
    context fn cuFuncGetParamInfo(state, handle: usize, index: usize, offset: *mut usize, size: *mut usize) {
        let f = function(state, handle)?;
        let p = f.program.params.get(index).ok_or(codes::INVALID_VALUE)?;
        // SAFETY: the caller's promise; null means that the value is not wanted.
        unsafe {
            if !size.is_null() {
                give(size, p.size as usize)?;
            }
            give(offset, p.offset as usize)
        }
    }
}
