//! Loads and stores: addresses, the space they are in, checks, and the way fast cases take.

use super::registers::Lane;
use super::warp::{Surroundings, Warp};
use crate::decode::program::{Access, Base, LOCAL_WINDOW, SHARED_WINDOW, Slot};
use crate::memory::heap::{Heap, Spot};
use crate::memory::shared::{Actor, Touch};
use crate::memory::traffic;
use crate::ptx::{Space, Type};
use crate::report::{Fault, Problem};

/// Size of the window that generic addresses of shared or local memory are in.
const WINDOW: u64 = 1 << 36;

/// Where an access goes, checked.
pub enum Target {
    /// Device memory.
    Device(Spot),
    /// Shared memory at that offset.
    Shared(u32),
    /// The lane's local memory at that offset.
    Local(usize),
    /// Parameters at that offset.
    Param(usize),
}

/// An access that went well.
pub(super) struct Done<'a> {
    /// Addresses of all lanes.
    pub addresses: &'a [u64; 32],
    /// Lanes that took part.
    pub mask: u32,
    /// Bytes a lane.
    pub bytes: u32,
    /// The instruction's index.
    pub pc: u32,
    /// Whether it wrote.
    pub write: bool,
    /// Whether it went to shared memory.
    pub shared: bool,
}

/// Where a whole warp's access goes.
enum Region {
    /// Device memory: the lowest lane's place and address.
    Device(Spot, u64),
    /// Shared memory, up to that offset.
    Shared(u64),
    /// Several places, another space, or something that is wrong.
    Mixed,
}

impl Warp {
    /// The address of each lane.
    #[inline(always)]
    pub(super) fn addresses(&self, a: &Access) -> [u64; 32] {
        let offset = a.offset as u64;
        match a.base {
            Base::Fixed(x) => [x.wrapping_add(offset); 32],
            Base::Narrow(column) => {
                let base = u32::column(&self.registers, column);
                std::array::from_fn(|lane| u64::from(base[lane].wrapping_add(offset as u32)))
            }
            Base::Wide(column) => {
                let base = u64::column(&self.registers, column);
                std::array::from_fn(|lane| base[lane].wrapping_add(offset))
            }
        }
    }

    /// Checks one lane's access of `bytes` bytes.
    #[inline(always)]
    pub(super) fn target(
        &self,
        a: &Access,
        address: u64,
        bytes: u32,
        lane: usize,
        write: bool,
        around: &Surroundings<'_>,
    ) -> Result<Target, Box<Fault>> {
        if !address.is_multiple_of(u64::from(bytes)) {
            let message = format!("{bytes} bytes at {address:#x} in {:?} memory", a.space);
            return Err(Fault::new(Problem::Misaligned, lane, message));
        }
        let (space, at) = match a.space {
            Space::Generic if address >= LOCAL_WINDOW + WINDOW => (Space::Global, address),
            Space::Generic if address >= LOCAL_WINDOW => (Space::Local, address - LOCAL_WINDOW),
            Space::Generic if address >= SHARED_WINDOW => (Space::Shared, address - SHARED_WINDOW),
            space => (space, address),
        };
        let inside = |size: u64| {
            if at.checked_add(u64::from(bytes)).is_some_and(|end| end <= size) {
                return Ok(());
            }
            let message = format!("{bytes} bytes at offset {at} of {size} bytes of {space:?} memory");
            Err(Fault::new(Problem::OutOfBounds, lane, message))
        };
        match space {
            Space::Shared => {
                inside(u64::from(around.shared.size()))?;
                Ok(Target::Shared(at as u32))
            }
            Space::Local => {
                inside(u64::from(around.launch.program.local))?;
                Ok(Target::Local(lane * around.launch.program.local as usize + at as usize))
            }
            Space::Param => {
                inside(around.launch.params.len() as u64)?;
                Ok(Target::Param(at as usize))
            }
            _ => match around.launch.heap.spot(at, u64::from(bytes), write) {
                Ok(spot) => {
                    if around.launch.heap.watched() {
                        written(around.launch.heap, at, bytes, lane, write)?;
                    }
                    Ok(Target::Device(spot))
                }
                Err((problem, message)) => Err(Fault::new(problem, lane, message)),
            },
        }
    }

    /// Watches a lane's access to shared memory.
    #[inline(always)]
    pub(super) fn touch(
        &self,
        at: u32,
        bytes: u32,
        lane: usize,
        touch: Touch,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Box<Fault>> {
        let actor = Actor { thread: self.number * 32 + lane as u32, warp_epoch: self.epoch };
        match around.shared.touch(at, bytes, actor, touch) {
            Ok(()) => Ok(()),
            Err(conflict) => Err(Fault::new(conflict.problem, lane, conflict.message)),
        }
    }

    /// Writes `values` of type `ty` to a register, extended to its width.
    #[inline(always)]
    pub(super) fn put(&mut self, slot: Slot, values: &[u64; 32], mask: u32, ty: Type) {
        let spare = 64 - ty.bits();
        let extend = |x: u64| if ty.signed() { ((x << spare) as i64 >> spare) as u64 } else { x };
        if slot.bits == 64 {
            self.registers.store(slot.column, &values.map(extend), mask);
        } else {
            let keep = if slot.bits == 16 { 0xffff } else { u32::MAX };
            self.registers.store(slot.column, &values.map(|x| extend(x) as u32 & keep), mask);
        }
    }

    /// The place that all lanes of an access lie in, if it is one and nothing is wrong with it.
    ///
    /// This is the fast way: one check for the warp. Everything else goes lane by lane, which finds out what is wrong.
    #[inline(always)]
    fn region(&self, a: &Access, addresses: &[u64; 32], mask: u32, bytes: u32, write: bool, heap: &Heap) -> Region {
        let first = addresses[mask.trailing_zeros() as usize & 31];
        let (mut low, mut high, mut bits) = (first, first, 0);
        for lane in 0..32 {
            let address = if mask >> lane & 1 == 1 { addresses[lane] } else { first };
            low = low.min(address);
            high = high.max(address);
            bits |= address;
        }
        if !bits.is_multiple_of(u64::from(bytes)) {
            return Region::Mixed;
        }
        let span = high - low + u64::from(bytes);
        match a.space {
            Space::Global | Space::Const => {}
            Space::Shared => return Region::Shared(high.saturating_add(u64::from(bytes))),
            Space::Generic if low >= LOCAL_WINDOW + WINDOW => {}
            _ => return Region::Mixed,
        }
        if heap.watched() {
            return Region::Mixed;
        }
        match heap.spot(low, span, write) {
            Ok(spot) => Region::Device(spot, low),
            Err(_) => Region::Mixed,
        }
    }

    /// Carries out a load for the lanes in `mask`.
    #[inline(always)]
    pub(super) fn load(
        &mut self,
        a: &Access,
        mask: u32,
        pc: u32,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Box<Fault>> {
        let (step, count) = (a.ty.bytes(), a.slots.len());
        let bytes = step * count as u32;
        let addresses = self.addresses(a);
        if a.space == Space::Param {
            if let Base::Fixed(at) = a.base {
                return self.load_param(a, at.wrapping_add(a.offset as u64), mask, around);
            }
            return self.load_by_lane(a, &addresses, mask, pc, around);
        }
        let words = step == 4 && a.slots.iter().all(|s| s.bits == 32);
        match self.region(a, &addresses, mask, bytes, false, around.launch.heap) {
            Region::Device(spot, low) => {
                for (k, slot) in a.slots.iter().enumerate() {
                    let place = |lane: usize| {
                        // SAFETY: the region was found for all lanes in the mask, aligned.
                        unsafe { spot.after((addresses[lane] - low) as usize + k * step as usize) }
                    };
                    if words {
                        let column = &mut self.registers.narrow[slot.column as usize];
                        for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                            // SAFETY: as above; nothing is freed while a kernel runs.
                            column[lane] = unsafe { place(lane).load(4) } as u32;
                        }
                    } else {
                        let mut values = [0; 32];
                        for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                            // SAFETY: as above.
                            values[lane] = unsafe { place(lane).load(step) };
                        }
                        self.put(*slot, &values, mask, a.ty);
                    }
                }
                let done = Done { addresses: &addresses, mask, bytes, pc, write: false, shared: false };
                Self::account(a, &done, around);
                return Ok(());
            }
            Region::Shared(end) if end <= u64::from(around.shared.size()) => {
                for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                    self.touch(addresses[lane] as u32, bytes, lane, Touch::Read, around)?;
                }
                for (k, slot) in a.slots.iter().enumerate() {
                    if words {
                        let column = &mut self.registers.narrow[slot.column as usize];
                        for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                            column[lane] = around.shared.word(addresses[lane] as u32 + 4 * k as u32);
                        }
                    } else {
                        let mut values = [0; 32];
                        for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                            values[lane] = around.shared.load(addresses[lane] as u32 + step * k as u32, step);
                        }
                        self.put(*slot, &values, mask, a.ty);
                    }
                }
                traffic::banks(&mut around.tally.traffic[pc as usize], &addresses, mask, bytes);
                return Ok(());
            }
            _ => {}
        }
        self.load_by_lane(a, &addresses, mask, pc, around)
    }

    /// A parameter, the same for all lanes.
    fn load_param(&mut self, a: &Access, at: u64, mask: u32, around: &Surroundings<'_>) -> Result<(), Box<Fault>> {
        let lane = mask.trailing_zeros() as usize & 31;
        let bytes = a.ty.bytes() * a.slots.len() as u32;
        let Target::Param(at) = self.target(a, at, bytes, lane, false, around)? else {
            return Err(Fault::new(Problem::OutOfBounds, lane, "a parameter elsewhere"));
        };
        for (k, slot) in a.slots.iter().enumerate() {
            let value = bytes_at(around.launch.params, at + k * a.ty.bytes() as usize, a.ty.bytes());
            self.put(*slot, &[value; 32], mask, a.ty);
        }
        Ok(())
    }

    fn load_by_lane(
        &mut self,
        a: &Access,
        addresses: &[u64; 32],
        mask: u32,
        pc: u32,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Box<Fault>> {
        let (step, count) = (a.ty.bytes(), a.slots.len());
        let bytes = step * count as u32;
        let mut values = [[0u64; 32]; 4];
        let mut shared = false;
        for lane in 0..32usize {
            if mask >> lane & 1 == 0 {
                continue;
            }
            match self.target(a, addresses[lane], bytes, lane, false, around)? {
                Target::Device(spot) => {
                    for (k, column) in values.iter_mut().enumerate().take(count) {
                        // SAFETY: the target was found for all elements, aligned; nothing is freed while a kernel runs.
                        column[lane] = unsafe { spot.after(k * step as usize).load(step) };
                    }
                }
                Target::Shared(at) => {
                    shared = true;
                    self.touch(at, bytes, lane, Touch::Read, around)?;
                    for (k, column) in values.iter_mut().enumerate().take(count) {
                        column[lane] = around.shared.load(at + k as u32 * step, step);
                    }
                }
                Target::Local(at) => {
                    for (k, column) in values.iter_mut().enumerate().take(count) {
                        column[lane] = bytes_at(&self.local, at + k * step as usize, step);
                    }
                }
                Target::Param(at) => {
                    for (k, column) in values.iter_mut().enumerate().take(count) {
                        column[lane] = bytes_at(around.launch.params, at + k * step as usize, step);
                    }
                }
            }
        }
        Self::account(a, &Done { addresses, mask, bytes, pc, write: false, shared }, around);
        for (slot, column) in a.slots.iter().zip(&values) {
            self.put(*slot, column, mask, a.ty);
        }
        Ok(())
    }

    /// Counts what a finished access moved, and notes what it touched if anyone wants to know.
    #[inline(always)]
    pub(super) fn account(a: &Access, done: &Done<'_>, around: &mut Surroundings<'_>) {
        let &Done { addresses, mask, bytes, pc, write, shared } = done;
        if let Some(recorder) = around.launch.recorder
            && matches!(a.space, Space::Global | Space::Const | Space::Generic)
        {
            recorder.mark(addresses, mask, bytes, write);
        }
        let counters = &mut around.tally.traffic[pc as usize];
        match a.space {
            Space::Param | Space::Local | Space::Const => {}
            _ if shared => traffic::banks(counters, addresses, mask, bytes),
            _ => traffic::sectors(counters, addresses, mask, bytes),
        }
    }

    /// Carries out a store for the lanes in `mask`; where lanes write the same place the highest lane's value stays.
    #[inline(always)]
    pub(super) fn store(
        &mut self,
        a: &Access,
        mask: u32,
        pc: u32,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Box<Fault>> {
        let (step, count) = (a.ty.bytes(), a.slots.len());
        let bytes = step * count as u32;
        let addresses = self.addresses(a);
        if step == 4 && a.slots.iter().all(|s| s.bits == 32) {
            match self.region(a, &addresses, mask, bytes, true, around.launch.heap) {
                Region::Device(spot, low) => {
                    for (k, slot) in a.slots.iter().enumerate() {
                        let column = &self.registers.narrow[slot.column as usize];
                        for lane in (0..32).filter(|lane| mask >> lane & 1 == 1) {
                            let offset = (addresses[lane] - low) as usize + 4 * k;
                            // SAFETY: as in `load`.
                            unsafe { spot.after(offset).store(4, u64::from(column[lane])) };
                        }
                    }
                    let done = Done { addresses: &addresses, mask, bytes, pc, write: true, shared: false };
                    Self::account(a, &done, around);
                    return Ok(());
                }
                Region::Shared(..) | Region::Mixed => {}
            }
        }
        let mut values = [[0u64; 32]; 4];
        for (slot, column) in a.slots.iter().zip(&mut values) {
            if slot.bits == 64 {
                *column = *u64::column(&self.registers, slot.column);
            } else {
                *column = u32::column(&self.registers, slot.column).map(u64::from);
            }
        }
        let mut shared = false;
        for lane in 0..32usize {
            if mask >> lane & 1 == 0 {
                continue;
            }
            match self.target(a, addresses[lane], bytes, lane, true, around)? {
                Target::Device(spot) => {
                    for (k, column) in values.iter().enumerate().take(count) {
                        // SAFETY: as in `load`.
                        unsafe { spot.after(k * step as usize).store(step, column[lane]) };
                    }
                }
                Target::Shared(at) => {
                    shared = true;
                    if let Err(fault) = self.touch(at, bytes, lane, Touch::Write, around)
                        && !written_alike(&addresses, &values[..count], lane, mask)
                    {
                        return Err(fault);
                    }
                    for (k, column) in values.iter().enumerate().take(count) {
                        around.shared.store(at + k as u32 * step, step, column[lane]);
                    }
                }
                Target::Local(at) => {
                    for (k, column) in values.iter().enumerate().take(count) {
                        let at = at + k * step as usize;
                        self.local[at..at + step as usize]
                            .copy_from_slice(&column[lane].to_le_bytes()[..step as usize]);
                    }
                }
                Target::Param(_) => return Err(Fault::new(Problem::ReadOnly, lane, "a store to parameters")),
            }
        }
        Self::account(a, &Done { addresses: &addresses, mask, bytes, pc, write: true, shared }, around);
        Ok(())
    }
}

/// Remembers a write to device memory, or checks that what is read was written.
#[cold]
fn written(heap: &Heap, at: u64, bytes: u32, lane: usize, write: bool) -> Result<(), Box<Fault>> {
    if write {
        heap.mark_written(at, u64::from(bytes));
        return Ok(());
    }
    heap.check_written(at, u64::from(bytes)).map_err(|(problem, message)| Fault::new(problem, lane, message))
}

/// Whether an earlier lane of the same store wrote the same values to the same place, which is harmless.
#[cold]
fn written_alike(addresses: &[u64; 32], values: &[[u64; 32]], lane: usize, mask: u32) -> bool {
    (0..lane)
        .rev()
        .find(|&l| mask >> l & 1 == 1 && addresses[l] == addresses[lane])
        .is_some_and(|l| values.iter().all(|column| column[l] == column[lane]))
}

fn bytes_at(memory: &[u8], at: usize, bytes: u32) -> u64 {
    let mut buffer = [0; 8];
    buffer[..bytes as usize].copy_from_slice(&memory[at..at + bytes as usize]);
    u64::from_le_bytes(buffer)
}
