//! Device memory: allocations that never share an address, alive or dead.
//!
//! An address is the allocation's number times 2³⁶ plus an offset. Numbers are never used again, so an access past the end,
//! before the start or after the free is always recognised, and always names the allocation it was meant for.

use std::alloc::{Layout, alloc, dealloc};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::report::Problem;

/// Bits of an address that are the offset.
const OFFSET_BITS: u32 = 36;
/// Numbers below are the windows of shared and local memory, and null.
const FIRST: usize = 16;
/// Alignment of every allocation, in bytes.
const ALIGN: usize = 256;
/// New memory is filled with this byte up to this size: as f32 it is a NaN, as an integer −1.
const POISON: (u8, usize) = (0xff, 1 << 24);

/// One allocation.
pub struct Allocation {
    data: *mut u8,
    size: u64,
    live: bool,
    read_only: bool,
    /// A bit for each byte that was written, if anyone wants to know.
    written: Vec<AtomicU64>,
    /// Whether the program, and not a module, asked for it.
    pub owned_by_program: bool,
}

// SAFETY: `data` is owned by the allocation and only ever accessed through atomics or, by the driver, while no kernel runs.
unsafe impl Send for Allocation {}
// SAFETY: as above.
unsafe impl Sync for Allocation {}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.release();
    }
}

impl Allocation {
    fn layout(size: u64) -> Option<Layout> {
        Layout::from_size_align(usize::try_from(size).ok()?.max(1), ALIGN).ok()
    }

    fn new(size: u64, read_only: bool, owned_by_program: bool) -> Option<Self> {
        let layout = Self::layout(size)?;
        // SAFETY: the layout has a non-zero size.
        let data = unsafe { alloc(layout) };
        if data.is_null() {
            return None;
        }
        let filled = layout.size().min(POISON.1);
        // SAFETY: `data` points to at least `filled` bytes that belong to nobody else yet.
        unsafe { std::ptr::write_bytes(data, POISON.0, filled) };
        if filled < layout.size() {
            // SAFETY: as above, for the rest of the allocation.
            unsafe { std::ptr::write_bytes(data.add(filled), 0, layout.size() - filled) };
        }
        Some(Self { data, size, live: true, read_only, written: Vec::new(), owned_by_program })
    }

    fn release(&mut self) {
        if self.live
            && let Some(layout) = Self::layout(self.size)
        {
            // SAFETY: `data` was allocated with this layout and is released once, since `live` is cleared.
            unsafe { dealloc(self.data, layout) };
        }
        self.live = false;
        self.written = Vec::new();
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it has not been freed.
    pub fn live(&self) -> bool {
        self.live
    }
}

/// A place in device memory that was checked to lie within one live allocation.
#[derive(Clone, Copy)]
pub struct Spot(*mut u8);

impl Spot {
    /// The bytes from here on.
    pub fn pointer(self) -> *mut u8 {
        self.0
    }

    /// Reads 1, 2, 4 or 8 bytes, zero-extended.
    ///
    /// # Safety
    /// The spot was found for at least `bytes` bytes, is a multiple of `bytes`, and its allocation is still alive.
    #[inline(always)]
    pub unsafe fn load(self, bytes: u32) -> u64 {
        // SAFETY: the caller's promise; relaxed atomics, since other blocks may write the same place.
        unsafe {
            match bytes {
                1 => u64::from(AtomicU8::from_ptr(self.0).load(Relaxed)),
                2 => u64::from(AtomicU16::from_ptr(self.0.cast()).load(Relaxed)),
                4 => u64::from(AtomicU32::from_ptr(self.0.cast()).load(Relaxed)),
                _ => AtomicU64::from_ptr(self.0.cast()).load(Relaxed),
            }
        }
    }

    /// Writes the low 1, 2, 4 or 8 bytes of `value`.
    ///
    /// # Safety
    /// As for [`Spot::load`].
    #[inline(always)]
    pub unsafe fn store(self, bytes: u32, value: u64) {
        // SAFETY: the caller's promise.
        unsafe {
            match bytes {
                1 => AtomicU8::from_ptr(self.0).store(value as u8, Relaxed),
                2 => AtomicU16::from_ptr(self.0.cast()).store(value as u16, Relaxed),
                4 => AtomicU32::from_ptr(self.0.cast()).store(value as u32, Relaxed),
                _ => AtomicU64::from_ptr(self.0.cast()).store(value, Relaxed),
            }
        }
    }

    /// Replaces 4 or 8 bytes by what `f` makes of them, in one step; gives the old value.
    ///
    /// # Safety
    /// As for [`Spot::load`].
    pub unsafe fn update(self, bytes: u32, f: impl Fn(u64) -> u64) -> u64 {
        // SAFETY: the caller's promise.
        unsafe {
            if bytes == 4 {
                let cell = AtomicU32::from_ptr(self.0.cast());
                let step = |x| Some(f(u64::from(x)) as u32);
                u64::from(cell.fetch_update(Relaxed, Relaxed, step).unwrap_or_else(|x| x))
            } else {
                let cell = AtomicU64::from_ptr(self.0.cast());
                cell.fetch_update(Relaxed, Relaxed, |x| Some(f(x))).unwrap_or_else(|x| x)
            }
        }
    }

    /// The spot `bytes` further on.
    ///
    /// # Safety
    /// It still lies within what the spot was found for.
    #[inline(always)]
    pub unsafe fn after(self, bytes: usize) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { self.0.add(bytes) })
    }
}

/// Why an access is refused.
pub type Refused = (Problem, String);

/// All device memory.
#[derive(Default)]
pub struct Heap {
    allocations: Vec<Allocation>,
    used: u64,
    watched: bool,
}

impl Heap {
    /// A heap that, if `watched`, remembers which bytes were written.
    pub fn new(watched: bool) -> Self {
        Self { watched, ..Self::default() }
    }

    /// Whether the heap remembers which bytes were written.
    #[inline(always)]
    pub fn watched(&self) -> bool {
        self.watched
    }

    /// Remembers that `bytes` bytes at `address`, which lie within an allocation, were written.
    pub fn mark_written(&self, address: u64, bytes: u64) {
        let offset = address & ((1 << OFFSET_BITS) - 1);
        let Some(a) = self.allocation(address).filter(|a| !a.written.is_empty()) else { return };
        let mut at = offset;
        while at < offset + bytes {
            let (bit, rest) = (at % 64, offset + bytes - at);
            let run = rest.min(64 - bit);
            let mask = if run == 64 { u64::MAX } else { ((1 << run) - 1) << bit };
            a.written[(at / 64) as usize].fetch_or(mask, Relaxed);
            at += run;
        }
    }

    /// Checks that `bytes` bytes at `address`, which lie within an allocation, were written.
    ///
    /// # Errors
    /// The first one that was not.
    pub fn check_written(&self, address: u64, bytes: u64) -> Result<(), Refused> {
        let offset = address & ((1 << OFFSET_BITS) - 1);
        let Some(a) = self.allocation(address).filter(|a| !a.written.is_empty()) else { return Ok(()) };
        let set = |at: u64| a.written[(at / 64) as usize].load(Relaxed) >> (at % 64) & 1 == 1;
        match (offset..offset + bytes).find(|&at| !set(at)) {
            None => Ok(()),
            Some(at) => Err((
                Problem::Uninitialised,
                format!("byte {at} of an allocation of {} bytes is read before it is written", a.size),
            )),
        }
    }

    /// Bytes in live allocations.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Allocates `size` bytes; `None` if the host has no memory for it.
    pub fn allocate(&mut self, size: u64, read_only: bool, owned_by_program: bool) -> Option<u64> {
        if size >= 1 << OFFSET_BITS {
            return None;
        }
        let mut new = Allocation::new(size, read_only, owned_by_program)?;
        if self.watched && owned_by_program {
            new.written.resize_with(size.div_ceil(64) as usize, AtomicU64::default);
        }
        self.allocations.push(new);
        self.used += size;
        Some(((self.allocations.len() - 1 + FIRST) as u64) << OFFSET_BITS)
    }

    /// The allocation that `address` is in or was meant for.
    pub fn allocation(&self, address: u64) -> Option<&Allocation> {
        self.allocations.get(((address >> OFFSET_BITS) as usize).checked_sub(FIRST)?)
    }

    /// Whether `address` is one of device memory, and not of the windows below it.
    pub fn is_device(address: u64) -> bool {
        address >> OFFSET_BITS >= FIRST as u64
    }

    /// The start of the allocation that `address` is in or was meant for.
    pub fn start(address: u64) -> u64 {
        address >> OFFSET_BITS << OFFSET_BITS
    }

    /// Frees the allocation that starts at `address`.
    ///
    /// # Errors
    /// It was freed before, or never allocated.
    pub fn free(&mut self, address: u64) -> Result<(), Refused> {
        let offset = address & ((1 << OFFSET_BITS) - 1);
        let index = ((address >> OFFSET_BITS) as usize).checked_sub(FIRST);
        match index.and_then(|i| self.allocations.get_mut(i)) {
            Some(a) if offset == 0 && a.live => {
                self.used -= a.size;
                a.release();
                Ok(())
            }
            Some(a) if offset == 0 => {
                Err((Problem::BadFree, format!("allocation of {} bytes at {address:#x} is freed twice", a.size)))
            }
            _ => Err((Problem::BadFree, format!("{address:#x} is not the start of an allocation"))),
        }
    }

    /// Releases every allocation.
    pub fn release_all(&mut self) {
        self.allocations.iter_mut().for_each(Allocation::release);
        self.used = 0;
    }

    /// Checks that `bytes` bytes at `address` lie within a live allocation.
    ///
    /// # Errors
    /// They do not, or they may not be written.
    #[inline(always)]
    pub fn spot(&self, address: u64, bytes: u64, write: bool) -> Result<Spot, Refused> {
        let index = ((address >> OFFSET_BITS) as usize).wrapping_sub(FIRST);
        let offset = address & ((1 << OFFSET_BITS) - 1);
        match self.allocations.get(index) {
            Some(a) if a.live && offset + bytes <= a.size && !(write && a.read_only) => {
                // SAFETY: the offset lies within the allocation.
                Ok(Spot(unsafe { a.data.add(offset as usize) }))
            }
            found => Err(explain(found, address, offset, bytes)),
        }
    }

    /// Live allocations that the program made: addresses and sizes.
    pub fn live(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let all = self.allocations.iter().enumerate();
        all.filter(|(_, a)| a.live && a.owned_by_program).map(|(i, a)| (((i + FIRST) as u64) << OFFSET_BITS, a.size))
    }
}

#[cold]
fn explain(found: Option<&Allocation>, address: u64, offset: u64, bytes: u64) -> Refused {
    match found {
        Some(a) if !a.live => (
            Problem::UseAfterFree,
            format!("{bytes} bytes at offset {offset} of a freed allocation of {} bytes", a.size),
        ),
        Some(a) if offset + bytes > a.size => {
            (Problem::OutOfBounds, format!("{bytes} bytes at offset {offset} of an allocation of {} bytes", a.size))
        }
        Some(_) => (Problem::ReadOnly, format!("{bytes} bytes at offset {offset} of constant memory")),
        None => (Problem::OutOfBounds, format!("{bytes} bytes at {address:#x}, which is in no allocation")),
    }
}
