//! Device memory, page-locked memory, copies, fills.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_uint, c_void};

use super::codes::{self, Code};
use super::entry::give;
use super::queue::{HostPointer, StreamId, Work};
use super::state::{DEFAULT_STREAM, State};
use crate::report::Problem;

fn allocate(state: &mut State, to: *mut u64, bytes: usize) -> Result<(), Code> {
    if bytes == 0 || to.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    let free = state.settings.memory.saturating_sub(state.heap.used());
    if bytes as u64 > free {
        return Err(codes::OUT_OF_MEMORY);
    }
    let address = state.heap.allocate(bytes as u64, false, true).ok_or(codes::OUT_OF_MEMORY)?;
    state.calls.allocations += 1;
    // SAFETY: the caller's promise.
    unsafe { give(to, address) }
}

/// Checks that an allocation may be freed: it is alive, its free is not on its way, the address is its start.
fn freeable(state: &mut State, address: u64) -> Result<(), Code> {
    let found = state.heap.allocation(address).map(|a| (a.live() && !state.freeing.contains(&address), a.size()));
    match found {
        Some((true, _)) if address & ((1 << 36) - 1) == 0 => Ok(()),
        Some((false, size)) => {
            state.refuse(Problem::BadFree, format!("allocation of {size} bytes at {address:#x} is freed twice"))
        }
        _ => state.refuse(Problem::BadFree, format!("{address:#x} is not the start of an allocation")),
    }
}

/// Checks a range now, so that a copy that cannot work fails where it is asked for.
fn within(state: &mut State, address: u64, bytes: u64) -> Result<(), Code> {
    if bytes == 0 {
        return Ok(());
    }
    if state.freeing.contains(&(address >> 36 << 36)) {
        // Whether the free comes first depends on streams; it is found out when the work runs.
        return Ok(());
    }
    match state.heap.spot(address, bytes, false).map(|_| ()) {
        Ok(()) => Ok(()),
        Err((problem, message)) => {
            let _ = state.refuse::<()>(problem, format!("a copy or fill by the host: {message}"));
            Err(codes::INVALID_VALUE)
        }
    }
}

fn pinned(state: &State, address: *const c_void, bytes: usize) -> bool {
    let at = address as usize;
    state.pinned.range(..=at).next_back().is_some_and(|(&start, &size)| at + bytes <= start + size)
}

/// Copies from the host; `stream` is `None` for a copy that the host waits for.
fn upload(state: &mut State, to: u64, from: *const c_void, n: usize, stream: Option<StreamId>) -> Result<(), Code> {
    if n == 0 {
        return Ok(());
    }
    if from.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    within(state, to, n as u64)?;
    state.copied[0] += n as u64;
    state.calls.uploads += 1;
    let work = if stream.is_some() && pinned(state, from, n) {
        Work::UploadPinned(to, HostPointer(from.cast_mut()), n)
    } else {
        // SAFETY: the caller gave `n` readable bytes.
        Work::Upload(to, unsafe { std::slice::from_raw_parts(from.cast::<u8>(), n) }.to_vec())
    };
    state.enqueue(stream.unwrap_or(DEFAULT_STREAM), work)?;
    if stream.is_none() { state.wait_stream(DEFAULT_STREAM) } else { Ok(()) }
}

/// Copies to the host. Only a copy to page-locked memory goes on without the host.
fn download(state: &mut State, to: *mut c_void, from: u64, n: usize, stream: Option<StreamId>) -> Result<(), Code> {
    if n == 0 {
        return Ok(());
    }
    if to.is_null() {
        return Err(codes::INVALID_VALUE);
    }
    within(state, from, n as u64)?;
    state.copied[1] += n as u64;
    state.calls.downloads += 1;
    let id = stream.unwrap_or(DEFAULT_STREAM);
    state.enqueue(id, Work::Download(HostPointer(to), from, n))?;
    if stream.is_some() && pinned(state, to, n) { Ok(()) } else { state.wait_stream(id) }
}

fn copy(state: &mut State, to: u64, from: u64, n: usize, stream: StreamId) -> Result<(), Code> {
    within(state, to, n as u64)?;
    within(state, from, n as u64)?;
    if n == 0 {
        return Ok(());
    }
    state.copied[2] += n as u64;
    state.enqueue(stream, Work::Copy(to, from, n as u64)).map(|_| ())
}

fn fill(state: &mut State, to: u64, pattern: &[u8], n: usize, stream: StreamId) -> Result<(), Code> {
    if !to.is_multiple_of(pattern.len() as u64) {
        return Err(codes::INVALID_VALUE);
    }
    let Some(bytes) = (n as u64).checked_mul(pattern.len() as u64) else { return Err(codes::INVALID_VALUE) };
    within(state, to, bytes)?;
    if n == 0 {
        return Ok(());
    }
    state.enqueue(stream, Work::Fill(to, pattern.to_vec(), n as u64)).map(|_| ())
}

fn host_layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), 4096).ok()
}

api! {
    /// Allocates device memory.
    context fn cuMemAlloc_v2(state, to: *mut u64, bytes: usize) {
        allocate(state, to, bytes)
    }

    /// Allocates device memory in a stream's order; it may be used by others once they are ordered behind.
    context fn cuMemAllocAsync(state, to: *mut u64, bytes: usize, stream: StreamId) {
        state.known(stream)?;
        allocate(state, to, bytes)
    }

    /// Allocates device memory; there is one pool.
    context fn cuMemAllocFromPoolAsync(state, to: *mut u64, bytes: usize, _pool: usize, stream: StreamId) {
        state.known(stream)?;
        allocate(state, to, bytes)
    }

    /// Memory that host and device share is not offered.
    context fn cuMemAllocManaged(_state, _to: *mut u64, _bytes: usize, _flags: c_uint) {
        Err(codes::NOT_SUPPORTED)
    }

    /// Frees device memory once all work is done.
    context fn cuMemFree_v2(state, address: u64) {
        if address == 0 {
            return Ok(());
        }
        state.wait_all()?;
        freeable(state, address)?;
        state.heap.free(address).map_err(|(problem, _)| problem.code())
    }

    /// Frees device memory in a stream's order.
    context fn cuMemFreeAsync(state, address: u64, stream: StreamId) {
        if address == 0 {
            return Ok(());
        }
        freeable(state, address)?;
        state.enqueue(stream, Work::Free(address))?;
        state.freeing.insert(address);
        Ok(())
    }

    /// Free and total device memory.
    context fn cuMemGetInfo_v2(state, free: *mut usize, total: *mut usize) {
        let all = state.settings.memory;
        // SAFETY: the caller's promise.
        unsafe {
            give(free, all.saturating_sub(state.heap.used()) as usize)?;
            give(total, all as usize)
        }
    }

    /// The allocation that an address lies in.
    context fn cuMemGetAddressRange_v2(state, base: *mut u64, size: *mut usize, address: u64) {
        match state.heap.allocation(address).filter(|a| a.live()) {
            // SAFETY: the caller's promise; null means that the value is not wanted.
            Some(a) => unsafe {
                if !base.is_null() {
                    give(base, address >> 36 << 36)?;
                }
                if !size.is_null() {
                    give(size, a.size() as usize)?;
                }
                Ok(())
            },
            None => Err(codes::NOT_FOUND),
        }
    }

    /// Allocates page-locked memory of the host.
    context fn cuMemHostAlloc(state, to: *mut *mut c_void, bytes: usize, _flags: c_uint) {
        if to.is_null() {
            return Err(codes::INVALID_VALUE);
        }
        let layout = host_layout(bytes).ok_or(codes::OUT_OF_MEMORY)?;
        // SAFETY: the layout has a non-zero size.
        let at = unsafe { alloc_zeroed(layout) };
        if at.is_null() {
            return Err(codes::OUT_OF_MEMORY);
        }
        state.pinned.insert(at as usize, bytes);
        // SAFETY: the caller's promise.
        unsafe { give(to, at.cast()) }
    }

    /// Frees page-locked memory once all work is done.
    context fn cuMemFreeHost(state, at: *mut c_void) {
        state.wait_all()?;
        match state.pinned.remove(&(at as usize)) {
            Some(bytes) => {
                if let Some(layout) = host_layout(bytes) {
                    // SAFETY: allocated with this layout by `cuMemHostAlloc`, and taken off the list.
                    unsafe { dealloc(at.cast(), layout) };
                }
                Ok(())
            }
            None => state.refuse(Problem::BadFree, format!("{at:?} is not page-locked memory, or is freed twice")),
        }
    }

    /// Copies from the host to the device and waits.
    context fn cuMemcpyHtoD_v2(state, to: u64, from: *const c_void, n: usize) {
        upload(state, to, from, n, None)
    }

    /// Copies from the host to the device in a stream.
    context fn cuMemcpyHtoDAsync_v2(state, to: u64, from: *const c_void, n: usize, stream: StreamId) {
        upload(state, to, from, n, Some(stream))
    }

    /// Copies from the device to the host and waits.
    context fn cuMemcpyDtoH_v2(state, to: *mut c_void, from: u64, n: usize) {
        download(state, to, from, n, None)
    }

    /// Copies from the device to the host in a stream.
    context fn cuMemcpyDtoHAsync_v2(state, to: *mut c_void, from: u64, n: usize, stream: StreamId) {
        download(state, to, from, n, Some(stream))
    }

    /// Copies within the device.
    context fn cuMemcpyDtoD_v2(state, to: u64, from: u64, n: usize) {
        copy(state, to, from, n, DEFAULT_STREAM)
    }

    /// Copies within the device in a stream.
    context fn cuMemcpyDtoDAsync_v2(state, to: u64, from: u64, n: usize, stream: StreamId) {
        copy(state, to, from, n, stream)
    }

    /// Copies between contexts, which share their memory here.
    context fn cuMemcpyPeerAsync(
        state,
        to: u64,
        _to_context: usize,
        from: u64,
        _from_context: usize,
        n: usize,
        stream: StreamId,
    ) {
        copy(state, to, from, n, stream)
    }

    /// Fills with a byte.
    context fn cuMemsetD8_v2(state, to: u64, value: u8, n: usize) {
        fill(state, to, &[value], n, DEFAULT_STREAM)
    }

    /// Fills with a byte in a stream.
    context fn cuMemsetD8Async(state, to: u64, value: u8, n: usize, stream: StreamId) {
        fill(state, to, &[value], n, stream)
    }

    /// Fills with two bytes.
    context fn cuMemsetD16_v2(state, to: u64, value: u16, n: usize) {
        fill(state, to, &value.to_le_bytes(), n, DEFAULT_STREAM)
    }

    /// Fills with two bytes in a stream.
    context fn cuMemsetD16Async(state, to: u64, value: u16, n: usize, stream: StreamId) {
        fill(state, to, &value.to_le_bytes(), n, stream)
    }

    /// Fills with four bytes.
    context fn cuMemsetD32_v2(state, to: u64, value: c_uint, n: usize) {
        fill(state, to, &value.to_le_bytes(), n, DEFAULT_STREAM)
    }

    /// Fills with four bytes in a stream.
    context fn cuMemsetD32Async(state, to: u64, value: c_uint, n: usize, stream: StreamId) {
        fill(state, to, &value.to_le_bytes(), n, stream)
    }

    /// The one pool.
    plain fn cuDeviceGetDefaultMemPool(_state, pool: *mut usize, _device: c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(pool, 0x9001) }
    }

    /// The one pool.
    plain fn cuDeviceGetMemPool(_state, pool: *mut usize, _device: c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(pool, 0x9001) }
    }

    /// Attributes of pools have no effect here.
    context fn cuMemPoolSetAttribute(_state, _pool: usize, _which: c_int, _value: *mut c_void) {
        Ok(())
    }

    /// Nothing is kept that could be given back.
    context fn cuMemPoolTrimTo(_state, _pool: usize, _keep: usize) {
        Ok(())
    }
}
