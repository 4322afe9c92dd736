//! Functions that no driver has: reports, counters, leaks. Programs find them with `dlsym`.

use std::ffi::{c_char, c_int};

use super::codes;
use super::entry::give;
use super::state::Calls;
use crate::exec::launch::{Counters, Site};
use crate::memory::traffic::Traffic;

/// Copies `text` into a buffer of `length` bytes with a terminator; gives the length that all of it needs.
///
/// # Safety
/// `to` is null or valid for `length` bytes.
unsafe fn copy_text(text: &str, to: *mut c_char, length: usize) -> usize {
    if !to.is_null() && length > 0 {
        let n = text.len().min(length - 1);
        // SAFETY: the caller's promise; `n` + 1 bytes are written.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, n);
            to.add(n).write(0);
        }
    }
    text.len() + 1
}

fn traffic(name: &str, t: &Traffic) -> String {
    format!("\"{name}\":{{\"accesses\":{},\"moved\":{},\"minimum\":{}}}", t.accesses, t.moved, t.minimum)
}

fn site(s: &Site) -> String {
    let moved = traffic("traffic", &s.traffic);
    format!("{{\"line\":{},\"opcode\":\"{}\",{moved}}}", s.line, escaped(&s.opcode))
}

fn kernel(name: &str, c: &Counters) -> String {
    let sites: Vec<String> = c.sites.iter().map(site).collect();
    format!(
        "\"{}\":{{\"launches\":{},\"warp_instructions\":{},\"thread_instructions\":{},{},{},{},\"sites\":[{}]}}",
        escaped(name),
        c.launches,
        c.warp_instructions,
        c.thread_instructions,
        traffic("loads", &c.loads),
        traffic("stores", &c.stores),
        traffic("shared", &c.shared),
        sites.join(",")
    )
}

fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if matches!(c, '"' | '\\') { vec!['\\', c] } else { vec![c] }).collect()
}

api! {
    /// Writes all reports since the last `cuda_emulator_clear`, a line each, oldest first; `needed` gets the size in bytes.
    plain fn cuda_emulator_reports(state, to: *mut c_char, length: usize, needed: *mut usize) {
        let text: String = state.reports.iter().map(|r| format!("{r}\n")).collect();
        // SAFETY: the caller's promise.
        unsafe {
            let n = copy_text(&text, to, length);
            if needed.is_null() { Ok(()) } else { give(needed, n) }
        }
    }

    /// Forgets reports and counters, and the error that every call returned since a kernel failed.
    plain fn cuda_emulator_clear(state) {
        state.reports.clear();
        state.counters.clear();
        state.copied = [0; 3];
        state.calls = Calls::default();
        state.fault = None;
        Ok(())
    }

    /// Writes counters as JSON: an object a kernel. `moved` and `minimum` count 32-byte sectors of device memory, and passes
    /// over the banks of shared memory. Work that waits is done first.
    plain fn cuda_emulator_counters(state, to: *mut c_char, length: usize, needed: *mut usize) {
        let _ = state.wait_all();
        let kernels: Vec<String> = state.counters.iter().map(|(name, c)| kernel(name, c)).collect();
        let text = format!("{{{}}}", kernels.join(","));
        // SAFETY: the caller's promise.
        unsafe {
            let n = copy_text(&text, to, length);
            if needed.is_null() { Ok(()) } else { give(needed, n) }
        }
    }

    /// How many allocations are alive, and their bytes. Work that waits is done first.
    plain fn cuda_emulator_live(state, allocations: *mut u64, bytes: *mut u64) {
        let _ = state.wait_all();
        let (mut n, mut sum) = (0, 0);
        for (_, size) in state.heap.live() {
            n += 1;
            sum += size;
        }
        // SAFETY: the caller's promise.
        unsafe {
            give(allocations, n)?;
            give(bytes, sum)
        }
    }

    /// Bytes copied from the host (0), to the host (1) or within the device (2).
    plain fn cuda_emulator_copied(state, which: c_int, bytes: *mut u64) {
        let found = state.copied.get(which as usize).copied().ok_or(codes::INVALID_VALUE)?;
        // SAFETY: the caller's promise.
        unsafe { give(bytes, found) }
    }

    /// Writes how often the program has asked for what costs it time, as JSON: allocations, uploads, downloads,
    /// synchronisations, launches.
    plain fn cuda_emulator_calls(state, to: *mut c_char, length: usize, needed: *mut usize) {
        let Calls { allocations, uploads, downloads, synchronisations, launches } = state.calls;
        let text = format!(
            "{{\"allocations\":{allocations},\"uploads\":{uploads},\"downloads\":{downloads},\
             \"synchronisations\":{synchronisations},\"launches\":{launches}}}"
        );
        // SAFETY: the caller's promise.
        unsafe {
            let n = copy_text(&text, to, length);
            if needed.is_null() { Ok(()) } else { give(needed, n) }
        }
    }
}
