//! Registers that may be read before they are written.
//!
//! PTX gives such a read no value. A warp's columns are used again by the next block, so without care the value would be
//! what another block left there, and depend on threads. The columns found here are filled when a warp starts.

use super::program::{Access, Base, Exchanged, Instruction, Kind, NOWHERE, Program, Reduction, Slot};
use crate::exec::opcode::Computation;
use crate::exec::registers::Operands;
use crate::ptx::Type;

/// Sets of registers are kept for each block of code; beyond this many words all registers count as unset instead.
const MOST_WORDS: usize = 1 << 22;

/// Columns that an instruction reads and writes: narrow ones as they are, wide ones behind them.
#[derive(Default)]
struct Effects {
    reads: Vec<usize>,
    writes: Vec<usize>,
}

struct Columns {
    narrow: usize,
}

impl Columns {
    fn typed(&self, column: u32, ty: Type) -> Option<usize> {
        match ty.bits() {
            1 => None,
            64 => Some(self.narrow + column as usize),
            _ => Some(column as usize),
        }
    }

    fn slot(&self, slot: &Slot) -> usize {
        if slot.bits == 64 { self.narrow + slot.column as usize } else { slot.column as usize }
    }

    fn access(&self, a: &Access, out: &mut Effects) {
        match a.base {
            Base::Narrow(column) => out.reads.push(column as usize),
            Base::Wide(column) => out.reads.push(self.narrow + column as usize),
            Base::Fixed(_) => {}
        }
    }

    fn compute(&self, c: &Computation, o: &Operands, out: &mut Effects) {
        let columns = [o.a, o.b, o.c, o.e];
        out.reads.extend(c.from.iter().zip(columns).filter_map(|(ty, column)| self.typed(column, (*ty)?)));
        out.writes.extend(self.typed(o.d, c.to));
    }

    fn effects(&self, i: &Instruction, made: Option<&Computation>) -> Effects {
        let mut out = Effects::default();
        match &i.kind {
            Kind::Compute(_, o) => {
                if let Some(c) = made {
                    self.compute(c, o, &mut out);
                }
            }
            Kind::Load(a) => {
                self.access(a, &mut out);
                out.writes.extend(a.slots.iter().map(|s| self.slot(s)));
            }
            Kind::Store(a) => {
                self.access(a, &mut out);
                out.reads.extend(a.slots.iter().map(|s| self.slot(s)));
            }
            Kind::Atomic(a) => {
                self.access(&a.access, &mut out);
                out.reads.extend([self.slot(&a.value), self.slot(&a.second)]);
                out.writes.extend(a.access.slots.iter().map(|s| self.slot(s)));
            }
            Kind::Barrier(b) if b.reduction == Reduction::Count => out.writes.push(b.d as usize),
            Kind::WarpBarrier(mask) => out.reads.push(*mask as usize),
            Kind::ActiveMask(d) => out.writes.push(*d as usize),
            Kind::Exchange(e) => {
                use Exchanged::*;
                out.reads.push(e.mask as usize);
                match e.what {
                    ShuffleUp | ShuffleDown | ShuffleXor | ShuffleIndex => {
                        out.reads.extend([e.a, e.b, e.c].map(|c| c as usize));
                        out.writes.push(e.d as usize);
                    }
                    VoteAll | VoteAny | VoteUniform => {}
                    Ballot => out.writes.push(e.d as usize),
                    MatchAnyWide | MatchAllWide => {
                        out.reads.push(self.narrow + e.a as usize);
                        out.writes.push(e.d as usize);
                    }
                    MatchAny | MatchAll | Reduce(..) => {
                        out.reads.push(e.a as usize);
                        out.writes.push(e.d as usize);
                    }
                }
            }
            _ => {}
        }
        out
    }
}

/// Fills in the program's columns that may be read before they are written; `made` says what each computation is.
pub fn find(program: &mut Program, made: &[Option<Computation>]) {
    let columns = Columns { narrow: program.narrow as usize };
    let total = columns.narrow + program.wide as usize;
    let words = total.div_ceil(64);
    let starts = starts(&program.code);
    let mut unset = vec![false; total];
    if starts.len() * words > MOST_WORDS {
        unset.fill(true);
    } else {
        scan(program, made, &columns, &starts, &mut unset);
    }
    for &(column, _) in &program.constants {
        unset[column as usize] = false;
    }
    for &(column, _) in &program.specials {
        unset[column as usize] = false;
    }
    for &(column, _) in &program.wide_constants {
        unset[columns.narrow + column as usize] = false;
    }
    let found = |from: usize, to: usize| (from..to).filter(|&c| unset[c]).map(|c| (c - from) as u32).collect();
    program.unset = found(0, columns.narrow);
    program.unset_wide = found(columns.narrow, total);
}

/// First instruction of each block of code.
fn starts(code: &[Instruction]) -> Vec<usize> {
    let mut leader = vec![false; code.len() + 1];
    leader[0] = true;
    for (i, instruction) in code.iter().enumerate() {
        if let Kind::Branch(target, _) = instruction.kind {
            leader[target as usize] = true;
            leader[i + 1] = true;
        }
    }
    (0..code.len()).filter(|&i| leader[i]).collect()
}

/// Which registers are certainly written where each block begins, to a fixed point; then reads of others.
fn scan(program: &Program, made: &[Option<Computation>], columns: &Columns, starts: &[usize], unset: &mut [bool]) {
    let code = &program.code;
    let words = unset.len().div_ceil(64);
    let end = |block: usize| starts.get(block + 1).copied().unwrap_or(code.len());
    let mut before = vec![u64::MAX; starts.len() * words];
    before[..words].fill(0);
    let mut waiting = vec![0];
    let (mut seen, mut queued) = (vec![false; starts.len()], vec![false; starts.len()]);
    while let Some(block) = waiting.pop() {
        (seen[block], queued[block]) = (true, false);
        let mut set = before[block * words..(block + 1) * words].to_vec();
        for i in starts[block]..end(block) {
            let effects = columns.effects(&code[i], made[i].as_ref());
            if code[i].guard == NOWHERE {
                effects.writes.iter().for_each(|&c| set[c / 64] |= 1 << (c % 64));
            }
        }
        let last = &code[end(block) - 1];
        let (branch, falls) = match last.kind {
            Kind::Branch(target, _) => (Some(target as usize), last.guard != NOWHERE),
            Kind::Exit | Kind::Trap => (None, last.guard != NOWHERE),
            _ => (None, true),
        };
        let next = (falls && block + 1 < starts.len()).then_some(block + 1);
        for to in branch.and_then(|t| starts.binary_search(&t).ok()).into_iter().chain(next) {
            let mut changed = !seen[to];
            for (word, set) in before[to * words..(to + 1) * words].iter_mut().zip(&set) {
                changed |= *word & set != *word;
                *word &= set;
            }
            if changed && !queued[to] {
                queued[to] = true;
                waiting.push(to);
            }
        }
    }
    for block in (0..starts.len()).filter(|&b| seen[b]) {
        let mut set = before[block * words..(block + 1) * words].to_vec();
        for i in starts[block]..end(block) {
            let effects = columns.effects(&code[i], made[i].as_ref());
            effects.reads.iter().filter(|&&c| set[c / 64] >> (c % 64) & 1 == 0).for_each(|&c| unset[c] = true);
            if code[i].guard == NOWHERE {
                effects.writes.iter().for_each(|&c| set[c / 64] |= 1 << (c % 64));
            }
        }
    }
}
