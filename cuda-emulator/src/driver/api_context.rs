//! Initialisation, devices, contexts, errors.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_uint, c_void};

use super::codes::{self, Code, describe};
use super::device;
use super::entry::give;
use super::state::State;

/// The handle of the primary context.
const PRIMARY: usize = 0xC0DA;

thread_local! {
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The calling thread's context; 0 without one.
pub fn current() -> usize {
    CURRENT.get()
}

fn known(state: &State, device: c_int) -> Result<(), Code> {
    if !state.initialised {
        return Err(codes::NOT_INITIALISED);
    }
    if (0..state.settings.devices).contains(&device) { Ok(()) } else { Err(codes::INVALID_DEVICE) }
}

fn release(state: &mut State) -> Result<(), Code> {
    if state.retained == 0 {
        return Err(codes::INVALID_CONTEXT);
    }
    state.retained -= 1;
    if state.retained == 0 {
        let _ = state.wait_all();
        state.destroy();
    }
    Ok(())
}

api! {
    /// Initialises the driver.
    plain fn cuInit(state, flags: c_uint) {
        if flags != 0 {
            return Err(codes::INVALID_VALUE);
        }
        if state.settings.devices == 0 {
            return Err(codes::NO_DEVICE);
        }
        state.initialised = true;
        Ok(())
    }

    /// The driver's version.
    plain fn cuDriverGetVersion(state, version: *mut c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(version, state.settings.driver) }
    }

    /// How many devices there are.
    plain fn cuDeviceGetCount(state, count: *mut c_int) {
        if !state.initialised {
            return Err(codes::NOT_INITIALISED);
        }
        // SAFETY: the caller's promise.
        unsafe { give(count, state.settings.devices) }
    }

    /// The device of that number.
    plain fn cuDeviceGet(state, device: *mut c_int, ordinal: c_int) {
        known(state, ordinal)?;
        // SAFETY: the caller's promise.
        unsafe { give(device, ordinal) }
    }

    /// The device's name, which says that it is an emulator.
    plain fn cuDeviceGetName(state, name: *mut c_char, length: c_int, device: c_int) {
        known(state, device)?;
        if name.is_null() || length <= 0 {
            return Err(codes::INVALID_VALUE);
        }
        let n = device::NAME.len().min(length as usize - 1);
        // SAFETY: `name` is valid for `length` bytes, of which `n` + 1 are written.
        unsafe {
            std::ptr::copy_nonoverlapping(device::NAME.as_ptr().cast(), name, n);
            name.add(n).write(0);
        }
        Ok(())
    }

    /// The device's identifier.
    plain fn cuDeviceGetUuid(state, uuid: *mut [u8; 16], device: c_int) {
        known(state, device)?;
        let mut bytes = *b"cuda-emulator\0\0\0";
        bytes[15] = device as u8;
        // SAFETY: the caller's promise.
        unsafe { give(uuid, bytes) }
    }

    /// The device's identifier.
    plain fn cuDeviceGetUuid_v2(state, uuid: *mut [u8; 16], device: c_int) {
        known(state, device)?;
        let mut bytes = *b"cuda-emulator\0\0\0";
        bytes[15] = device as u8;
        // SAFETY: the caller's promise.
        unsafe { give(uuid, bytes) }
    }

    /// The device's memory in bytes.
    plain fn cuDeviceTotalMem_v2(state, bytes: *mut usize, device: c_int) {
        known(state, device)?;
        // SAFETY: the caller's promise.
        unsafe { give(bytes, state.settings.memory as usize) }
    }

    /// An attribute of the device.
    plain fn cuDeviceGetAttribute(state, value: *mut c_int, which: c_int, device: c_int) {
        known(state, device)?;
        let found = device::attribute(which, &state.settings)?;
        // SAFETY: the caller's promise.
        unsafe { give(value, found) }
    }

    /// Takes a share in the device's primary context.
    plain fn cuDevicePrimaryCtxRetain(state, context: *mut usize, device: c_int) {
        known(state, device)?;
        state.retained += 1;
        // SAFETY: the caller's promise.
        unsafe { give(context, PRIMARY) }
    }

    /// Gives a share back; the last one ends the context.
    plain fn cuDevicePrimaryCtxRelease_v2(state, device: c_int) {
        known(state, device)?;
        release(state)
    }

    /// Ends the primary context, whoever has shares in it.
    plain fn cuDevicePrimaryCtxReset_v2(state, device: c_int) {
        known(state, device)?;
        let _ = state.wait_all();
        state.destroy();
        Ok(())
    }

    /// Whether the primary context is active.
    plain fn cuDevicePrimaryCtxGetState(state, device: c_int, flags: *mut c_uint, active: *mut c_int) {
        known(state, device)?;
        // SAFETY: the caller's promise.
        unsafe {
            give(flags, 0)?;
            give(active, c_int::from(state.retained > 0))
        }
    }

    /// Sets flags of the primary context, which have no effect here.
    plain fn cuDevicePrimaryCtxSetFlags_v2(state, device: c_int, _flags: c_uint) {
        known(state, device)
    }

    /// Makes a context; it shares everything with the primary one.
    plain fn cuCtxCreate_v2(state, context: *mut usize, _flags: c_uint, device: c_int) {
        known(state, device)?;
        state.retained += 1;
        CURRENT.set(PRIMARY);
        // SAFETY: the caller's promise.
        unsafe { give(context, PRIMARY) }
    }

    /// Makes a context; it shares everything with the primary one.
    plain fn cuCtxCreate_v3(
        state,
        context: *mut usize,
        _affinity: *mut c_void,
        _count: c_int,
        _flags: c_uint,
        device: c_int,
    ) {
        known(state, device)?;
        state.retained += 1;
        CURRENT.set(PRIMARY);
        // SAFETY: the caller's promise.
        unsafe { give(context, PRIMARY) }
    }

    /// Ends a context made by `cuCtxCreate`.
    plain fn cuCtxDestroy_v2(state, context: usize) {
        if context != PRIMARY {
            return Err(codes::INVALID_CONTEXT);
        }
        release(state)
    }

    /// The calling thread's context.
    plain fn cuCtxGetCurrent(state, context: *mut usize) {
        if !state.initialised {
            return Err(codes::NOT_INITIALISED);
        }
        // SAFETY: the caller's promise.
        unsafe { give(context, CURRENT.get()) }
    }

    /// Sets the calling thread's context.
    plain fn cuCtxSetCurrent(state, context: usize) {
        if !state.initialised {
            return Err(codes::NOT_INITIALISED);
        }
        if context != 0 && (context != PRIMARY || state.retained == 0) {
            return Err(codes::INVALID_CONTEXT);
        }
        CURRENT.set(context);
        Ok(())
    }

    /// The device of the calling thread's context.
    context fn cuCtxGetDevice(_state, device: *mut c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(device, 0) }
    }

    /// Waits for all work.
    context fn cuCtxSynchronize(state) {
        state.calls.synchronisations += 1;
        state.wait_all()
    }

    /// Sets flags of the context, which have no effect here.
    context fn cuCtxSetFlags(_state, _flags: c_uint) {
        Ok(())
    }

    /// A limit of the context.
    context fn cuCtxGetLimit(_state, value: *mut usize, _limit: c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(value, 0) }
    }

    /// Sets a limit of the context, which has no effect here.
    context fn cuCtxSetLimit(_state, _limit: c_int, _value: usize) {
        Ok(())
    }

    /// The cache preference, of which there is none.
    context fn cuCtxGetCacheConfig(_state, config: *mut c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(config, 0) }
    }

    /// Sets the cache preference, which has no effect here.
    context fn cuCtxSetCacheConfig(_state, _config: c_int) {
        Ok(())
    }

    /// Streams have one priority.
    context fn cuCtxGetStreamPriorityRange(_state, least: *mut c_int, greatest: *mut c_int) {
        // SAFETY: the caller's promise.
        unsafe {
            give(least, 0)?;
            give(greatest, 0)
        }
    }

    /// The name of an error code.
    plain fn cuGetErrorName(_state, code: c_int, text: *mut *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            match describe(code) {
                Some((name, _)) => give(text, name.as_ptr()),
                None => give(text, std::ptr::null()).and(Err(codes::INVALID_VALUE)),
            }
        }
    }

    /// The text of an error code.
    plain fn cuGetErrorString(_state, code: c_int, text: *mut *const c_char) {
        // SAFETY: the caller's promise.
        unsafe {
            match describe(code) {
                Some((_, message)) => give(text, message.as_ptr()),
                None => give(text, std::ptr::null()).and(Err(codes::INVALID_VALUE)),
            }
        }
    }

    /// There are no private tables; NVRTC from 12.9 on asks for one and copes.
    plain fn cuGetExportTable(_state, table: *mut *const c_void, _id: *const c_void) {
        // SAFETY: the caller's promise.
        unsafe { give(table, std::ptr::null()) }?;
        Err(codes::NOT_FOUND)
    }

    /// Starts profiling, of which there is none.
    context fn cuProfilerStart(_state) {
        Ok(())
    }

    /// Stops profiling, of which there is none.
    context fn cuProfilerStop(_state) {
        Ok(())
    }
}
