//! Launches and occupancy.

use std::ffi::{c_int, c_uint, c_void};
use std::sync::atomic::Ordering::Relaxed;

use super::api_module::function;
use super::codes::{self, Code};
use super::device;
use super::entry::give;
use super::modules::Function;
use super::queue::{StreamId, Work};
use super::state::State;
use crate::exec::launch::Launch;
use crate::report::Problem;

/// Copies the arguments into a parameter buffer.
///
/// The driver is given pointers without sizes, so a wrong argument cannot be recognised for certain. What can be is: fewer
/// pointers than parameters (a null among them), a pointer that is not aligned for its parameter, and a parameter that
/// reaches into the next argument's place, since the host's value is then smaller than the kernel's.
///
/// # Safety
/// `arguments` points to as many pointers as the kernel has parameters, each valid for its parameter's size.
unsafe fn gather(f: &Function, arguments: *mut *mut c_void) -> Result<Vec<u8>, String> {
    let params = &f.program.params;
    let Some(last) = params.last() else { return Ok(Vec::new()) };
    if arguments.is_null() {
        return Err(format!("no arguments where the kernel takes {}", params.len()));
    }
    // SAFETY: the caller's promise.
    let pointers: Vec<usize> = (0..params.len()).map(|i| unsafe { *arguments.add(i) } as usize).collect();
    let mut buffer = vec![0; (last.offset + last.size) as usize];
    for (i, (p, &at)) in params.iter().zip(&pointers).enumerate() {
        if at < 4096 {
            return Err(format!("argument {i} is missing: its pointer is {at:#x}"));
        }
        if at % p.align.clamp(1, 8) as usize != 0 {
            return Err(format!("argument {i} is not aligned for the kernel's {} bytes: another type?", p.size));
        }
        let inside = |other: &usize| *other > at && *other < at + p.size as usize;
        if let Some(other) = pointers.iter().position(inside) {
            return Err(format!("argument {i} of {} bytes reaches into argument {other}: another type?", p.size));
        }
        // SAFETY: the caller's promise.
        let value = unsafe { std::slice::from_raw_parts(at as *const u8, p.size as usize) };
        buffer[p.offset as usize..(p.offset + p.size) as usize].copy_from_slice(value);
    }
    Ok(buffer)
}

/// The parameter buffer given through `extra` (`CU_LAUNCH_PARAM_BUFFER_POINTER` 1, `…_SIZE` 2, `…_END` 0).
///
/// # Safety
/// `extra` is a list of keys and values that ends with the key 0.
unsafe fn buffer(extra: *mut *mut c_void) -> Result<Vec<u8>, String> {
    let (mut at, mut size, mut i) = (std::ptr::null::<u8>(), None, 0);
    loop {
        // SAFETY: the caller's promise.
        match unsafe { *extra.add(i) } as usize {
            0 => break,
            // SAFETY: the caller's promise.
            1 => at = unsafe { *extra.add(i + 1) }.cast_const().cast(),
            // SAFETY: the caller's promise.
            2 => size = Some(unsafe { *(*extra.add(i + 1)).cast::<usize>() }),
            key => return Err(format!("unknown key {key} in extra")),
        }
        i += 2;
    }
    match size {
        Some(n) if !at.is_null() && n <= 4096 => {
            // SAFETY: the caller's promise.
            Ok(unsafe { std::slice::from_raw_parts(at, n) }.to_vec())
        }
        _ => Err("extra has no buffer, or none of at most 4096 bytes".to_string()),
    }
}

#[allow(clippy::too_many_arguments, reason = "the driver's own list")]
fn launch(
    state: &mut State,
    handle: usize,
    grid: [c_uint; 3],
    block: [c_uint; 3],
    shared: c_uint,
    stream: StreamId,
    arguments: *mut *mut c_void,
    extra: *mut *mut c_void,
) -> Result<(), Code> {
    let f = function(state, handle)?;
    // SAFETY: the caller's promise.
    let gathered = unsafe { if extra.is_null() { gather(&f, arguments) } else { buffer(extra) } };
    let params = match gathered {
        Ok(params) => params,
        Err(message) => return state.refuse(Problem::BadLaunch, format!("{}: {message}", f.program.name)),
    };
    let most = f.program.dynamic_at + f.most_dynamic.load(Relaxed).max(0) as u32;
    let check = Launch {
        program: &f.program,
        grid,
        block,
        dynamic_shared: shared,
        params: &params,
        heap: &state.heap,
        recorder: None,
        between: None,
    }
    .check(most);
    if let Err(report) = check {
        let code = report.problem.code();
        state.report(report);
        return Err(code);
    }
    state.calls.launches += 1;
    state.enqueue(stream, Work::Kernel { function: f, grid, block, shared, params }).map(|_| ())
}

fn resident(state: &State, f: &Function, threads: c_int, shared: usize) -> c_int {
    let registers = f.program.registers.clamp(1, 255) as c_int;
    device::occupancy(&state.settings, registers, threads, f.program.shared as c_int + shared as c_int)
}

/// The program's own function from a block's threads to its shared memory.
type SharedOf = unsafe extern "C" fn(c_int) -> usize;

/// Threads of the block with which a multiprocessor holds most threads, and how many such blocks it holds.
fn fullest(
    state: &State,
    handle: usize,
    shared_of: Option<SharedOf>,
    shared: usize,
    limit: c_int,
) -> Result<(c_int, c_int), Code> {
    let f = function(state, handle)?;
    let most = if limit > 0 { limit.min(1024) } else { 1024 };
    let resident_of = |threads: c_int| {
        // SAFETY: the program gave the function for this.
        let shared = shared_of.map_or(shared, |g| unsafe { g(threads) });
        (threads, resident(state, &f, threads, shared))
    };
    let sizes = (1..=most / 32).rev().map(|warps| resident_of(warps * 32));
    sizes.max_by_key(|(threads, blocks)| threads * blocks).ok_or(codes::INVALID_VALUE)
}

api! {
    /// Launches a kernel in a stream.
    context fn cuLaunchKernel(
        state,
        f: usize,
        grid_x: c_uint,
        grid_y: c_uint,
        grid_z: c_uint,
        block_x: c_uint,
        block_y: c_uint,
        block_z: c_uint,
        shared: c_uint,
        stream: StreamId,
        arguments: *mut *mut c_void,
        extra: *mut *mut c_void,
    ) {
        let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
        launch(state, f, grid, block, shared, stream, arguments, extra)
    }

    /// Cooperative launches are not offered: blocks run one after another.
    context fn cuLaunchCooperativeKernel(
        _state,
        _f: usize,
        _grid_x: c_uint,
        _grid_y: c_uint,
        _grid_z: c_uint,
        _block_x: c_uint,
        _block_y: c_uint,
        _block_z: c_uint,
        _shared: c_uint,
        _stream: StreamId,
        _arguments: *mut *mut c_void,
    ) {
        Err(codes::NOT_SUPPORTED)
    }

    /// Blocks that a multiprocessor holds at once.
    context fn cuOccupancyMaxActiveBlocksPerMultiprocessor(
        state,
        blocks: *mut c_int,
        handle: usize,
        threads: c_int,
        shared: usize,
    ) {
        let f = function(state, handle)?;
        // SAFETY: the caller's promise.
        unsafe { give(blocks, resident(state, &f, threads, shared)) }
    }

    /// Blocks that a multiprocessor holds at once.
    context fn cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        state,
        blocks: *mut c_int,
        handle: usize,
        threads: c_int,
        shared: usize,
        _flags: c_uint,
    ) {
        let f = function(state, handle)?;
        // SAFETY: the caller's promise.
        unsafe { give(blocks, resident(state, &f, threads, shared)) }
    }

    /// The block that keeps a multiprocessor fullest, and how many of them fill the device.
    context fn cuOccupancyMaxPotentialBlockSize(
        state,
        grid: *mut c_int,
        block: *mut c_int,
        handle: usize,
        shared_of: Option<SharedOf>,
        shared: usize,
        limit: c_int,
    ) {
        let (threads, blocks) = fullest(state, handle, shared_of, shared, limit)?;
        // SAFETY: the caller's promise.
        unsafe {
            give(grid, blocks * device::attribute(16, &state.settings)?)?;
            give(block, threads)
        }
    }

    /// As `cuOccupancyMaxPotentialBlockSize`; the flags have no effect here.
    context fn cuOccupancyMaxPotentialBlockSizeWithFlags(
        state,
        grid: *mut c_int,
        block: *mut c_int,
        handle: usize,
        shared_of: Option<SharedOf>,
        shared: usize,
        limit: c_int,
        _flags: c_uint,
    ) {
        let (threads, blocks) = fullest(state, handle, shared_of, shared, limit)?;
        // SAFETY: the caller's promise.
        unsafe {
            give(grid, blocks * device::attribute(16, &state.settings)?)?;
            give(block, threads)
        }
    }

    /// Shared memory left for a block when so many are to be held at once.
    context fn cuOccupancyAvailableDynamicSMemPerBlock(
        state,
        bytes: *mut usize,
        handle: usize,
        blocks: c_int,
        _threads: c_int,
    ) {
        let f = function(state, handle)?;
        let (block, processor) = device::shared_limits(state.settings.capability);
        let share = (processor / blocks.max(1)).min(block) - f.program.shared as c_int;
        // SAFETY: the caller's promise.
        unsafe { give(bytes, share.max(0) as usize) }
    }
}
