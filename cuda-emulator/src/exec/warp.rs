//! A warp: its registers, and the stack that lets lanes part at a branch and meet again.

use super::exchange;
use super::launch::Launch;
use super::registers::Registers;
use crate::decode::program::{Instruction, Kind, NOWHERE, Program, Special};
use crate::memory::shared::Shared;
use crate::memory::traffic::Traffic;
use crate::report::{Fault, Problem};

/// Lanes that wait for others, or that have not had their turn.
#[derive(Clone, Copy)]
struct Frame {
    pc: u32,
    mask: u32,
    meet: u32,
}

/// A warp of a block.
#[derive(Default)]
pub struct Warp {
    /// Its registers.
    pub registers: Registers,
    /// Its number in the block.
    pub number: u32,
    /// Lanes that exist.
    pub lanes: u32,
    /// Lanes that have not left the kernel.
    pub live: u32,
    /// Warp-wide barriers passed.
    pub epoch: u16,
    /// Local memory, lane after lane.
    pub local: Vec<u8>,
    pc: u32,
    mask: u32,
    meet: u32,
    stack: Vec<Frame>,
}

/// Why a warp stopped running.
pub enum Stop {
    /// All its lanes have left the kernel.
    Done,
    /// It waits at the barrier of that instruction.
    Barrier(u32),
    /// It has come to the barrier of that instruction, and can go on.
    Arrived(u32),
}

/// Where a warp stopped, or what it ran into at which instruction.
pub type Outcome = Result<Stop, (u32, Box<Fault>)>;

/// What a worker keeps while it runs blocks.
pub struct Tally {
    /// Executions of each instruction: by warps, by threads.
    pub executed: Vec<(u64, u64)>,
    /// Memory traffic of each instruction.
    pub traffic: Vec<Traffic>,
    /// Warp instructions that may still be executed.
    pub budget: u64,
}

/// What a warp works on besides its registers.
pub struct Surroundings<'a> {
    /// The launch.
    pub launch: &'a Launch<'a>,
    /// The block's shared memory.
    pub shared: &'a mut Shared,
    /// Counters.
    pub tally: &'a mut Tally,
}

impl Warp {
    /// Makes the warp ready to run block `block` as its `number`-th.
    pub fn start(&mut self, launch: &Launch<'_>, block: [u32; 3], number: u32) {
        let program = launch.program;
        let threads = launch.threads();
        let here = threads - (number * 32).min(threads);
        self.number = number;
        self.lanes = if here >= 32 { u32::MAX } else { (1 << here) - 1 };
        self.live = self.lanes;
        self.epoch = 0;
        (self.pc, self.mask, self.meet) = (0, self.lanes, NOWHERE);
        self.stack.clear();
        self.local.clear();
        self.local.resize(program.local as usize * 32, 0xff);
        let fresh = self.registers.narrow.len() != program.narrow as usize
            || self.registers.wide.len() != program.wide as usize;
        if fresh {
            self.registers.narrow.resize(program.narrow as usize, [0; 32]);
            self.registers.wide.resize(program.wide as usize, [0; 32]);
        }
        self.registers.truth.clear();
        self.registers.truth.resize(program.truth as usize, 0);
        // A value that shows where one is read that was never written.
        for &column in &program.unset {
            self.registers.narrow[column as usize] = [u32::MAX; 32];
        }
        for &column in &program.unset_wide {
            self.registers.wide[column as usize] = [u64::MAX; 32];
        }
        for &(column, value) in &program.constants {
            self.registers.narrow[column as usize] = [value; 32];
        }
        for &(column, value) in &program.wide_constants {
            self.registers.wide[column as usize] = [value; 32];
        }
        for &(column, special) in &program.specials {
            self.registers.narrow[column as usize] =
                std::array::from_fn(|lane| special_value(special, launch, block, number, lane as u32));
        }
    }

    /// The mask of lanes that execute `i`.
    #[inline(always)]
    fn guarded(&self, i: &Instruction) -> u32 {
        if i.guard == NOWHERE {
            return self.mask;
        }
        let truth = self.registers.truth[(i.guard >> 1) as usize];
        self.mask & if i.guard & 1 == 1 { !truth } else { truth }
    }

    /// Runs until the warp is done or waits; a fault comes with the index of the instruction.
    pub fn run(&mut self, around: &mut Surroundings<'_>) -> Outcome {
        #[cfg(target_arch = "x86_64")]
        if super::registers::wide_vectors() {
            // SAFETY: the processor was asked for these features.
            return unsafe { self.run_vector(around) };
        }
        self.run_plain(around)
    }

    /// [`Warp::run_plain`] compiled for newer processors, with the loops over lanes that it contains.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,f16c,popcnt,lzcnt,bmi1,bmi2")]
    unsafe fn run_vector(&mut self, around: &mut Surroundings<'_>) -> Outcome {
        self.run_plain(around)
    }

    #[inline(always)]
    fn run_plain(&mut self, around: &mut Surroundings<'_>) -> Outcome {
        let code = around.launch.program.code.as_slice();
        loop {
            while self.pc == self.meet {
                if !self.pop() {
                    return Ok(Stop::Done);
                }
            }
            let pc = self.pc;
            let i = &code[pc as usize];
            let mask = self.guarded(i);
            let executed = &mut around.tally.executed[pc as usize];
            executed.0 += 1;
            executed.1 += u64::from(mask.count_ones());
            self.pc = pc + 1;
            match &i.kind {
                Kind::Compute(run, o) => {
                    if mask != 0 {
                        // SAFETY: `choose` picked a form that this processor runs.
                        unsafe { run(&mut self.registers, o, mask) }
                    }
                }
                &Kind::Branch(target, meet) => {
                    if target <= pc {
                        spend(around.tally, pc)?;
                    }
                    self.branch(mask, target, meet);
                }
                Kind::Exit => {
                    if self.exit(mask) {
                        return Ok(Stop::Done);
                    }
                }
                Kind::Barrier(b) => {
                    if mask != 0 {
                        self.gather(mask).map_err(|f| (pc, f))?;
                        return Ok(if b.arrive { Stop::Arrived(pc) } else { Stop::Barrier(pc) });
                    }
                }
                other => {
                    if mask != 0 {
                        self.step(other, pc, mask, around).map_err(|f| (pc, f))?;
                    }
                }
            }
        }
    }

    /// Everything that is neither arithmetic nor control.
    #[inline(always)]
    fn step(&mut self, kind: &Kind, pc: u32, mask: u32, around: &mut Surroundings<'_>) -> Result<(), Box<Fault>> {
        match kind {
            Kind::Load(a) => self.load(a, mask, pc, around),
            Kind::Store(a) => self.store(a, mask, pc, around),
            Kind::Atomic(a) => self.atomic(a, mask, pc, around),
            Kind::Exchange(e) => exchange::exchange(self, e, mask),
            &Kind::WarpBarrier(column) => {
                let named = self.registers.narrow[column as usize];
                exchange::participants(self, &named, mask)?;
                self.epoch = self.epoch.wrapping_add(1);
                Ok(())
            }
            &Kind::ActiveMask(d) => {
                self.registers.store(d, &[mask; 32], mask);
                Ok(())
            }
            Kind::Trap => Err(Fault::new(Problem::Trap, mask.trailing_zeros() as usize, "the kernel stopped itself")),
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn branch(&mut self, taken: u32, target: u32, meet: u32) {
        if taken == 0 {
            return;
        }
        if taken == self.mask {
            self.pc = target;
            return;
        }
        let rest = Frame { pc: self.pc, mask: self.mask & !taken, meet };
        // Where the lanes meet at the place an outer frame waits for anyway, that frame has them already.
        if meet != NOWHERE && meet != self.meet {
            self.stack.push(Frame { pc: meet, mask: self.mask, meet: self.meet });
        }
        let outer_waits = meet != NOWHERE;
        if !(outer_waits && rest.pc == meet) {
            self.stack.push(rest);
        }
        (self.pc, self.mask, self.meet) = (target, taken, meet);
    }

    /// Goes on with the lanes that waited last; `false` if there are none.
    fn pop(&mut self) -> bool {
        while let Some(frame) = self.stack.pop() {
            let mask = frame.mask & self.live;
            if mask != 0 {
                (self.pc, self.mask, self.meet) = (frame.pc, mask, frame.meet);
                return true;
            }
        }
        self.mask = 0;
        false
    }

    /// Lets lanes leave; `true` if none is left.
    fn exit(&mut self, mask: u32) -> bool {
        self.live &= !mask;
        self.mask &= !mask;
        self.mask == 0 && !self.pop()
    }

    /// Checks that the whole warp is at a barrier.
    fn gather(&self, mask: u32) -> Result<(), Box<Fault>> {
        if mask != self.lanes {
            let missing = self.lanes & !mask;
            let gone = missing & !self.live;
            let message = if gone != 0 {
                format!("lanes {gone:#010x} of warp {} have left the kernel", self.number)
            } else {
                format!("lanes {missing:#010x} of warp {} are elsewhere", self.number)
            };
            return Err(Fault::new(Problem::DivergentBarrier, mask.trailing_zeros() as usize, message));
        }
        Ok(())
    }
}

/// Loops are paid for at their backward branches.
fn spend(tally: &mut Tally, pc: u32) -> Result<(), (u32, Box<Fault>)> {
    match tally.budget.checked_sub(1) {
        Some(left) => {
            tally.budget = left;
            Ok(())
        }
        None => Err((pc, Fault::new(Problem::Endless, 0, "the launch went round its loops too often"))),
    }
}

fn special_value(special: Special, launch: &Launch<'_>, block: [u32; 3], warp: u32, lane: u32) -> u32 {
    match special {
        Special::Tid(axis) => launch.thread_index(warp * 32 + lane)[axis],
        Special::Ntid(axis) => launch.block[axis],
        Special::Ctaid(axis) => block[axis],
        Special::Nctaid(axis) => launch.grid[axis],
        Special::LaneId => lane,
        Special::WarpId => warp,
        Special::WarpCount => launch.threads().div_ceil(32),
        Special::LaneMaskEq => 1 << lane,
        Special::LaneMaskLt => (1 << lane) - 1,
        Special::LaneMaskLe => u32::MAX >> (31 - lane),
        Special::LaneMaskGt => !(u32::MAX >> (31 - lane)),
        Special::LaneMaskGe => !((1 << lane) - 1),
        Special::DynamicShared => launch.dynamic_shared,
        Special::TotalShared => launch.shared_bytes(),
    }
}

/// The instructions of `program` that count.
pub fn counted(program: &Program) -> impl Iterator<Item = usize> + '_ {
    (0..program.code.len()).filter(|&i| program.code[i].counted)
}
