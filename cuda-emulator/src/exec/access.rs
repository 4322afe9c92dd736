//! Loads and stores: addresses, the space they are in, checks, and the way fast cases take.

use super::registers::Lane;
use super::warp::{Surroundings, Warp};
use crate::decode::program::{Access, Base, LOCAL_WINDOW, SHARED_WINDOW, Slot};
use crate::memory::between::{Collision, Shadow};
use crate::memory::heap::{Heap, Spot};
use crate::memory::shared::{Actor, Touch};
use crate::memory::traffic;
use crate::ptx::{Space, Type};
use crate::report::{Fault, Problem};
use std::sync::Mutex;

/// Size of the window that generic addresses of shared or local memory are in.
const WINDOW: u64 = 1 << 36;

/// Where an access goes, checked.
#[derive(Clone, Copy)]
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
    /// What it did.
    pub kind: Touch,
    /// The warp's first lane at this moment.
    pub actor: Actor,
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
        let done =
            Done { addresses: &addresses, mask, bytes, pc, kind: Touch::Read, actor: self.actor(), shared: false };
        match self.region(a, &addresses, mask, bytes, false, around.launch.heap) {
            Region::Device(spot, low) => {
                self.load_device(a, spot, low, &done);
                Self::account(a, &done, around)
            }
            Region::Shared(end) if end <= u64::from(around.shared.size()) => {
                self.load_shared(a, &done, around)?;
                Self::account(a, &Done { shared: true, ..done }, around)
            }
            _ => self.load_by_lane(a, &addresses, mask, pc, around),
        }
    }

    /// A load whose lanes all lie in one allocation, `spot` being where the lowest address `low` is.
    #[inline(always)]
    fn load_device(&mut self, a: &Access, spot: Spot, low: u64, done: &Done<'_>) {
        let step = a.ty.bytes();
        for (k, slot) in a.slots.iter().enumerate() {
            let read = |lane: usize| {
                let offset = (done.addresses[lane] - low) as usize + k * step as usize;
                // SAFETY: the region was found for all lanes in the mask, aligned; nothing is freed while a kernel runs.
                unsafe { spot.after(offset).load(step) }
            };
            self.fill(*slot, done.mask, a.ty, read);
        }
    }

    /// A load whose lanes all lie in shared memory.
    #[inline(always)]
    fn load_shared(&mut self, a: &Access, done: &Done<'_>, around: &mut Surroundings<'_>) -> Result<(), Box<Fault>> {
        let step = a.ty.bytes();
        for lane in (0..32).filter(|lane| done.mask >> lane & 1 == 1) {
            self.touch(done.addresses[lane] as u32, done.bytes, lane, Touch::Read, around)?;
        }
        for (k, slot) in a.slots.iter().enumerate() {
            let at = |lane: usize| done.addresses[lane] as u32 + step * k as u32;
            if step == 4 {
                self.fill(*slot, done.mask, a.ty, |lane| u64::from(around.shared.word(at(lane))));
            } else {
                self.fill(*slot, done.mask, a.ty, |lane| around.shared.load(at(lane), step));
            }
        }
        Ok(())
    }

    /// Writes what `read` gives for each lane in `mask` to a register.
    #[inline(always)]
    fn fill(&mut self, slot: Slot, mask: u32, ty: Type, read: impl Fn(usize) -> u64) {
        let lanes = (0..32).filter(|lane| mask >> lane & 1 == 1);
        if slot.bits == 32 && ty.bits() == 32 {
            let column = &mut self.registers.narrow[slot.column as usize];
            lanes.for_each(|lane| column[lane] = read(lane) as u32);
            return;
        }
        let mut values = [0; 32];
        lanes.for_each(|lane| values[lane] = read(lane));
        self.put(slot, &values, mask, ty);
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
        Self::account(a, &Done { addresses, mask, bytes, pc, kind: Touch::Read, actor: self.actor(), shared }, around)?;
        for (slot, column) in a.slots.iter().zip(&values) {
            self.put(*slot, column, mask, a.ty);
        }
        Ok(())
    }

    /// The first lane at this moment.
    #[inline(always)]
    pub(super) fn actor(&self) -> Actor {
        Actor { thread: self.number * 32, warp_epoch: self.epoch }
    }

    /// Counts what a finished access moved, and notes what it touched if anyone wants to know.
    #[inline(always)]
    pub(super) fn account(a: &Access, done: &Done<'_>, around: &mut Surroundings<'_>) -> Result<(), Box<Fault>> {
        let &Done { addresses, mask, bytes, pc, kind, shared, .. } = done;
        if let Some(recorder) = around.launch.recorder
            && matches!(a.space, Space::Global | Space::Const | Space::Generic)
        {
            recorder.mark(addresses, mask, bytes, kind != Touch::Read);
        }
        if let Some(shadow) = around.launch.between
            && matches!(a.space, Space::Global | Space::Generic)
        {
            let now = around.shared.stamp(done.actor);
            between(shadow, around.launch.heap, done, now)?;
        }
        let counters = &mut around.tally.traffic[pc as usize];
        match a.space {
            Space::Param | Space::Local | Space::Const => {}
            _ if shared => traffic::banks(counters, addresses, mask, bytes),
            _ => traffic::sectors(counters, addresses, mask, bytes),
        }
        Ok(())
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
        let bytes = a.ty.bytes() * a.slots.len() as u32;
        let addresses = self.addresses(a);
        let mut done =
            Done { addresses: &addresses, mask, bytes, pc, kind: Touch::Write, actor: self.actor(), shared: false };
        match self.region(a, &addresses, mask, bytes, true, around.launch.heap) {
            Region::Device(spot, low) => self.store_device(a, spot, low, &done),
            Region::Shared(..) | Region::Mixed => done.shared = self.store_by_lane(a, &done, around)?,
        }
        Self::account(a, &done, around)
    }

    /// A store whose lanes all lie in one allocation, `spot` being where the lowest address `low` is.
    #[inline(always)]
    fn store_device(&self, a: &Access, spot: Spot, low: u64, done: &Done<'_>) {
        let step = a.ty.bytes();
        for (k, slot) in a.slots.iter().enumerate() {
            for lane in (0..32).filter(|lane| done.mask >> lane & 1 == 1) {
                let offset = (done.addresses[lane] - low) as usize + k * step as usize;
                // SAFETY: as in `load_device`.
                unsafe { spot.after(offset).store(step, self.value(*slot, lane)) };
            }
        }
    }

    /// A store lane by lane, which finds out what is wrong; gives whether it went to shared memory.
    fn store_by_lane(
        &mut self,
        a: &Access,
        done: &Done<'_>,
        around: &mut Surroundings<'_>,
    ) -> Result<bool, Box<Fault>> {
        let (step, mut shared) = (a.ty.bytes(), false);
        for lane in (0..32).filter(|lane| done.mask >> lane & 1 == 1) {
            let target = self.target(a, done.addresses[lane], done.bytes, lane, true, around)?;
            if let Target::Shared(at) = target {
                shared = true;
                if let Err(fault) = self.touch(at, done.bytes, lane, Touch::Write, around)
                    && !self.written_alike(a, done, lane)
                {
                    return Err(fault);
                }
            }
            for (k, slot) in a.slots.iter().enumerate() {
                let (value, further) = (self.value(*slot, lane), k * step as usize);
                match target {
                    // SAFETY: the target was found for all elements, aligned; nothing is freed while a kernel runs.
                    Target::Device(spot) => unsafe { spot.after(further).store(step, value) },
                    Target::Shared(at) => around.shared.store(at + further as u32, step, value),
                    Target::Local(at) => {
                        let place = at + further..at + further + step as usize;
                        self.local[place].copy_from_slice(&value.to_le_bytes()[..step as usize]);
                    }
                    Target::Param(_) => return Err(Fault::new(Problem::ReadOnly, lane, "a store to parameters")),
                }
            }
        }
        Ok(shared)
    }

    /// Whether an earlier lane of the same store wrote the same values to the same place, which is harmless.
    #[cold]
    fn written_alike(&self, a: &Access, done: &Done<'_>, lane: usize) -> bool {
        let earlier = (0..lane).rev().find(|&l| done.mask >> l & 1 == 1 && done.addresses[l] == done.addresses[lane]);
        earlier.is_some_and(|l| a.slots.iter().all(|slot| self.value(*slot, l) == self.value(*slot, lane)))
    }

    /// A register's value in a lane, zero-extended.
    #[inline(always)]
    pub(super) fn value(&self, slot: Slot, lane: usize) -> u64 {
        if slot.bits == 64 {
            u64::column(&self.registers, slot.column)[lane]
        } else {
            u64::from(u32::column(&self.registers, slot.column)[lane])
        }
    }
}

/// Notes what a warp touched in device memory, its first lane at the moment `now`, and finds out who is in its way.
#[cold]
fn between(shadow: &Mutex<Shadow>, heap: &Heap, done: &Done<'_>, now: u64) -> Result<(), Box<Fault>> {
    let mut shadow = shadow.lock().unwrap_or_else(|e| e.into_inner());
    for lane in (0..32).filter(|lane| done.mask >> lane & 1 == 1) {
        let address = done.addresses[lane];
        // Lanes of one store that write to one place write, as a rule, the same.
        let again = done.kind == Touch::Write && done.addresses[..lane].contains(&address);
        if again || !Heap::is_device(address) {
            continue;
        }
        if let Err(collision) = shadow.touch(address, done.bytes, done.kind, now + lane as u64) {
            let size = heap.allocation(address).map_or(0, |a| a.size());
            let does = match done.kind {
                Touch::Read => "reads",
                Touch::Write => "writes",
                Touch::Atomic => "changes",
            };
            let place = format!(
                "{} bytes at offset {} of an allocation of {size} bytes",
                done.bytes,
                address - Heap::start(address)
            );
            let (problem, who) = others(collision);
            return Err(Fault::new(problem, lane, format!("{does} {place} that {who}")));
        }
    }
    Ok(())
}

/// Who did what, in words.
fn others(collision: Collision) -> (Problem, String) {
    match collision {
        Collision::Block(other, did) => {
            let who = other.map_or("several other blocks".into(), |n| format!("block number {n}"));
            let did = match did {
                Touch::Read => "read",
                Touch::Write => "wrote",
                Touch::Atomic => "changed by an atomic",
            };
            (Problem::BlockRace, format!("{who} {did}"))
        }
        Collision::Thread(other, wrote) => {
            let who = other.map_or("several threads".into(), |n| format!("thread {n}"));
            (
                Problem::Race,
                format!("{who} of the block {} with no barrier between", if wrote { "wrote" } else { "read" }),
            )
        }
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

fn bytes_at(memory: &[u8], at: usize, bytes: u32) -> u64 {
    let mut buffer = [0; 8];
    buffer[..bytes as usize].copy_from_slice(&memory[at..at + bytes as usize]);
    u64::from_le_bytes(buffer)
}
