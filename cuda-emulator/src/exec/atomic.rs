//! Atomic accesses, lane by lane in ascending order.

use super::access::{Done, Target};
use super::rounding::{double, single};
use super::warp::{Surroundings, Warp};
use crate::decode::program::{Atomic, AtomicOp};
use crate::memory::shared::Touch;
use crate::ptx::Type;
use crate::report::{Fault, Problem};

/// `old` combined with `x`, both in the low bits of type `ty`.
pub fn combine(op: AtomicOp, ty: Type, old: u64, x: u64) -> u64 {
    let narrow = ty.bits() == 32;
    let (signed_old, signed_x) =
        if narrow { (i64::from(old as u32 as i32), i64::from(x as u32 as i32)) } else { (old as i64, x as i64) };
    let value = match (op, ty) {
        (AtomicOp::Add, Type::F32) => u64::from(single(f32::from_bits(old as u32) + f32::from_bits(x as u32))),
        (AtomicOp::Add, Type::F64) => double(f64::from_bits(old) + f64::from_bits(x)),
        (AtomicOp::Add, _) => old.wrapping_add(x),
        (AtomicOp::Min, _) if ty.signed() => signed_old.min(signed_x) as u64,
        (AtomicOp::Max, _) if ty.signed() => signed_old.max(signed_x) as u64,
        (AtomicOp::Min, _) => old.min(x),
        (AtomicOp::Max, _) => old.max(x),
        (AtomicOp::Inc, _) => {
            if old >= x {
                0
            } else {
                old + 1
            }
        }
        (AtomicOp::Dec, _) => {
            if old == 0 || old > x {
                x
            } else {
                old - 1
            }
        }
        (AtomicOp::And, _) => old & x,
        (AtomicOp::Or, _) => old | x,
        (AtomicOp::Xor, _) => old ^ x,
        (AtomicOp::Exch | AtomicOp::Cas, _) => x,
    };
    if narrow { value & 0xffff_ffff } else { value }
}

impl Warp {
    /// Carries out an atomic access for the lanes in `mask`.
    pub(super) fn atomic(
        &mut self,
        a: &Atomic,
        mask: u32,
        pc: u32,
        around: &mut Surroundings<'_>,
    ) -> Result<(), Box<Fault>> {
        let bytes = a.access.ty.bytes();
        let addresses = self.addresses(&a.access);
        let mut old = [0; 32];
        let mut shared = false;
        for lane in (0..32usize).filter(|l| mask >> l & 1 == 1) {
            let x = self.value(a.value, lane);
            let second = self.value(a.second, lane);
            let change = |before: u64| match a.op {
                AtomicOp::Cas if before == x => second,
                AtomicOp::Cas => before,
                op => combine(op, a.access.ty, before, x),
            };
            if around.launch.heap.watched() {
                self.target(&a.access, addresses[lane], bytes, lane, false, around)?;
            }
            old[lane] = match self.target(&a.access, addresses[lane], bytes, lane, true, around)? {
                // SAFETY: the target was found for `bytes` bytes, aligned; nothing is freed while a kernel runs.
                Target::Device(spot) => unsafe { spot.update(bytes, change) },
                Target::Shared(at) => {
                    shared = true;
                    self.touch(at, bytes, lane, Touch::Atomic, around)?;
                    let before = around.shared.load(at, bytes);
                    around.shared.store(at, bytes, change(before));
                    before
                }
                _ => return Err(Fault::new(Problem::OutOfBounds, lane, "an atomic access to local memory")),
            };
        }
        let done = Done { addresses: &addresses, mask, bytes, pc, kind: Touch::Atomic, actor: self.actor(), shared };
        Self::account(&a.access, &done, around)?;
        if let Some(&slot) = a.access.slots.first() {
            self.put(slot, &old, mask, a.access.ty);
        }
        Ok(())
    }
}
