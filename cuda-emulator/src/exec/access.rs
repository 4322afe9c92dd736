//! Loads and stores: addresses, the space they are in, checks, and the way fast cases take.

use super::registers::Lane;
use super::warp::{Surroundings, Warp};
use crate::decode::program::{Access, Base, LOCAL_WINDOW, SHARED_WINDOW, Slot};
use crate::memory::heap::Spot;
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
                Ok(spot) => Ok(Target::Device(spot)),
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

    /// Carries out a load for the lanes in `mask`.
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
        self.account(a, &addresses, mask, bytes, shared, pc, around);
        for (slot, column) in a.slots.iter().zip(&values) {
            self.put(*slot, column, mask, a.ty);
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "all of it is one access")]
    #[inline(always)]
    fn account(
        &self,
        a: &Access,
        addresses: &[u64; 32],
        mask: u32,
        bytes: u32,
        shared: bool,
        pc: u32,
        around: &mut Surroundings<'_>,
    ) {
        let counters = &mut around.tally.traffic[pc as usize];
        match a.space {
            Space::Param | Space::Local | Space::Const => {}
            _ if shared => traffic::banks(counters, addresses, mask, bytes),
            _ => traffic::sectors(counters, addresses, mask, bytes),
        }
    }

    /// Carries out a store for the lanes in `mask`; where lanes write the same place the highest lane's value stays.
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
        self.account(a, &addresses, mask, bytes, shared, pc, around);
        Ok(())
    }
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
