//! Exchanges among the lanes of a warp: shuffles, votes, matches, reductions.
//!
//! Every lane that the mask names and that has not left the kernel must take part at once, with the same mask; a value may
//! only come from a lane that takes part.

use super::warp::Warp;
use crate::decode::program::{AtomicOp, Exchange, Exchanged, NOWHERE};
use crate::report::{Fault, Problem};

/// Checks that the lanes in `mask` are exactly those that their own mask operands name.
///
/// # Errors
/// A named lane is elsewhere, a lane does not name itself, or lanes that wait for each other disagree.
pub fn participants(warp: &Warp, named: &[u32; 32], mask: u32) -> Result<(), Box<Fault>> {
    // Nearly always all lanes name the same others, which are here.
    let group = named[mask.trailing_zeros() as usize & 31];
    let mut alike = true;
    for lane in 0..32 {
        alike &= mask >> lane & 1 == 0 || named[lane] == group;
    }
    if alike && mask & !group == 0 && group & warp.live & !mask == 0 {
        return Ok(());
    }
    for lane in (0..32).filter(|l| mask >> l & 1 == 1) {
        let group = named[lane];
        let absent = group & warp.live & !mask;
        let fail = |message: String| Err(Fault::new(Problem::PartialWarp, lane, message));
        if group >> lane & 1 == 0 {
            return fail(format!("the lane is not in its own mask {group:#010x}"));
        }
        if absent != 0 {
            return fail(format!("mask {group:#010x} names lanes {absent:#010x}, which are elsewhere"));
        }
        if (0..32).any(|other| (group & mask) >> other & 1 == 1 && named[other] != group) {
            return fail(format!("lanes of mask {group:#010x} give other masks"));
        }
    }
    Ok(())
}

/// Carries out `e` for the lanes in `mask`.
///
/// # Errors
/// As [`participants`], or a value is asked of a lane that takes no part.
pub fn exchange(warp: &mut Warp, e: &Exchange, mask: u32) -> Result<(), Box<Fault>> {
    let named = warp.registers.narrow[e.mask as usize];
    participants(warp, &named, mask)?;
    use Exchanged::*;
    match e.what {
        ShuffleUp | ShuffleDown | ShuffleXor | ShuffleIndex => shuffle(warp, e, mask, &named),
        VoteAll | VoteAny | VoteUniform | Ballot => {
            vote(warp, e, mask, &named);
            Ok(())
        }
        MatchAny | MatchAnyWide | MatchAll | MatchAllWide => {
            matching(warp, e, mask, &named);
            Ok(())
        }
        Reduce(op, signed) => {
            reduce(warp, e, mask, &named, op, signed);
            Ok(())
        }
    }
}

/// The lane that `lane` reads, and whether it lies within its segment.
fn source_lane(what: Exchanged, lane: u32, b: u32, c: u32) -> (u32, bool) {
    let (clamp, segment) = (c & 31, c >> 8 & 31);
    let b = b & 31;
    let most = (lane & segment) | (clamp & !segment);
    let least = lane & segment;
    let (j, inside) = match what {
        Exchanged::ShuffleUp => (lane.wrapping_sub(b), lane as i32 - b as i32 >= most as i32),
        Exchanged::ShuffleDown => (lane + b, lane + b <= most),
        Exchanged::ShuffleXor => (lane ^ b, lane ^ b <= most),
        _ => {
            let j = least | (b & !segment);
            (j, j <= most)
        }
    };
    if inside { (j & 31, true) } else { (lane, false) }
}

fn shuffle(warp: &mut Warp, e: &Exchange, mask: u32, named: &[u32; 32]) -> Result<(), Box<Fault>> {
    let r = &mut warp.registers;
    let (a, b, c) = (r.narrow[e.a as usize], r.narrow[e.b as usize], r.narrow[e.c as usize]);
    let (mut out, mut inside) = ([0; 32], 0u32);
    for lane in (0..32usize).filter(|l| mask >> l & 1 == 1) {
        let (from, within) = source_lane(e.what, lane as u32, b[lane], c[lane]);
        if (mask & named[lane]) >> from & 1 == 0 {
            let message = format!("the value is asked of lane {from}, which takes no part");
            return Err(Fault::new(Problem::PartialWarp, lane, message));
        }
        out[lane] = a[from as usize];
        inside |= u32::from(within) << lane;
    }
    r.store(e.d, &out, mask);
    if e.p != NOWHERE {
        r.store_truth(e.p, inside, mask);
    }
    Ok(())
}

fn vote(warp: &mut Warp, e: &Exchange, mask: u32, named: &[u32; 32]) {
    let r = &mut warp.registers;
    let truth = r.truth[(e.a >> 1) as usize] ^ if e.a & 1 == 1 { u32::MAX } else { 0 };
    let (mut out, mut bits) = ([0; 32], 0u32);
    for lane in 0..32 {
        let group = mask & named[lane];
        let yes = truth & group;
        out[lane] = yes;
        let holds = match e.what {
            Exchanged::VoteAll => yes == group,
            Exchanged::VoteAny => yes != 0,
            _ => yes == 0 || yes == group,
        };
        bits |= u32::from(holds) << lane;
    }
    if e.what == Exchanged::Ballot {
        r.store(e.d, &out, mask);
    } else {
        r.store_truth(e.d, bits, mask);
    }
}

fn matching(warp: &mut Warp, e: &Exchange, mask: u32, named: &[u32; 32]) {
    let r = &mut warp.registers;
    let wide = matches!(e.what, Exchanged::MatchAnyWide | Exchanged::MatchAllWide);
    let value = |lane: usize| if wide { r.wide[e.a as usize][lane] } else { r.narrow[e.a as usize][lane].into() };
    let values: [u64; 32] = std::array::from_fn(value);
    let (mut out, mut bits) = ([0; 32], 0u32);
    for lane in 0..32 {
        let group = mask & named[lane];
        let same = (0..32).filter(|&o| group >> o & 1 == 1 && values[o] == values[lane]).fold(0, |m, o| m | 1 << o);
        let any = matches!(e.what, Exchanged::MatchAny | Exchanged::MatchAnyWide);
        out[lane] = if any || same == group { same } else { 0 };
        bits |= u32::from(same == group) << lane;
    }
    r.store(e.d, &out, mask);
    if e.p != NOWHERE {
        r.store_truth(e.p, bits, mask);
    }
}

fn reduce(warp: &mut Warp, e: &Exchange, mask: u32, named: &[u32; 32], op: AtomicOp, signed: bool) {
    let a = warp.registers.narrow[e.a as usize];
    let ty = if signed { crate::ptx::Type::S32 } else { crate::ptx::Type::U32 };
    let out: [u32; 32] = std::array::from_fn(|lane| {
        let group = mask & named[lane];
        let members = (0..32).filter(|&o| group >> o & 1 == 1).map(|o| u64::from(a[o]));
        members.reduce(|x, y| super::atomic::combine(op, ty, x, y)).unwrap_or(0) as u32
    });
    warp.registers.store(e.d, &out, mask);
}
