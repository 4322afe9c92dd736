//! A block: its warps in turn from barrier to barrier.

use super::launch::Launch;
use super::warp::{Stop, Surroundings, Tally, Warp};
use crate::decode::program::{Barrier, Kind, Reduction};
use crate::memory::shared::Shared;
use crate::report::{Fault, Place, Problem, Report};

/// What a worker keeps from block to block, so that memory is asked for once.
#[derive(Default)]
pub struct Block {
    warps: Vec<Warp>,
    shared: Shared,
    /// The instruction each warp waits at.
    waiting: Vec<Option<u32>>,
    /// For each barrier, warps that have come to it without waiting.
    arrived: [usize; 16],
}

impl Block {
    /// Runs block `index` of `launch`.
    ///
    /// # Errors
    /// The first fault, in the order in which warps run.
    pub fn run(&mut self, launch: &Launch<'_>, index: [u32; 3], tally: &mut Tally) -> Result<(), Box<Report>> {
        let count = launch.threads().div_ceil(32);
        self.warps.resize_with(count as usize, Warp::default);
        self.waiting.clear();
        self.waiting.resize(count as usize, None);
        self.arrived = [0; 16];
        self.shared.reset(launch.shared_bytes(), launch.program.granule);
        for (number, warp) in self.warps.iter_mut().enumerate() {
            warp.start(launch, index, number as u32);
        }
        let mut done = vec![false; count as usize];
        loop {
            for w in 0..count as usize {
                if done[w] || self.waiting[w].is_some() {
                    continue;
                }
                done[w] = self.run_warp(launch, w, tally).map_err(|(pc, f)| report(launch, index, w as u32, pc, &f))?;
            }
            if done.iter().all(|d| *d) {
                return Ok(());
            }
            self.barrier(launch, index, &done)?;
        }
    }

    /// Runs a warp until it waits (`false`) or is done (`true`).
    fn run_warp(&mut self, launch: &Launch<'_>, w: usize, tally: &mut Tally) -> Result<bool, (u32, Box<Fault>)> {
        loop {
            let mut around = Surroundings { launch, shared: &mut self.shared, tally };
            match self.warps[w].run(&mut around)? {
                Stop::Done => return Ok(true),
                Stop::Barrier(pc) => {
                    self.waiting[w] = Some(pc);
                    return Ok(false);
                }
                Stop::Arrived(pc) => {
                    if let Kind::Barrier(b) = &launch.program.code[pc as usize].kind {
                        self.arrived[b.id as usize] += 1;
                    }
                }
            }
        }
    }

    /// Lets the warps go on that wait at a barrier which everyone it waits for has reached.
    fn barrier(&mut self, launch: &Launch<'_>, index: [u32; 3], done: &[bool]) -> Result<(), Box<Report>> {
        let code = &launch.program.code;
        let at = |pc: u32| match &code[pc as usize].kind {
            Kind::Barrier(b) => Some(b.as_ref()),
            _ => None,
        };
        let mut released = false;
        for id in 0..16 {
            let here: Vec<usize> =
                (0..self.warps.len()).filter(|&w| self.waiting[w].and_then(at).is_some_and(|b| b.id == id)).collect();
            let Some(barrier) = here.first().and_then(|&w| self.waiting[w]).and_then(at) else { continue };
            let wanted = if barrier.threads == 0 { self.warps.len() } else { barrier.threads as usize / 32 };
            if here.len() + self.arrived[id as usize] < wanted {
                continue;
            }
            self.arrived[id as usize] = 0;
            self.reduce(&here, at);
            for w in here {
                self.waiting[w] = None;
            }
            self.shared.barrier();
            released = true;
        }
        if released { Ok(()) } else { Err(self.stuck(launch, index, done)) }
    }

    /// What is reported where no barrier has all the warps that it waits for.
    fn stuck(&self, launch: &Launch<'_>, index: [u32; 3], done: &[bool]) -> Box<Report> {
        let stuck = self.waiting.iter().position(Option::is_some).unwrap_or(0);
        let pc = self.waiting[stuck].unwrap_or(0);
        let left = done.iter().filter(|d| **d).count();
        let message = if left > 0 {
            format!("warp {stuck} waits, but {left} of {} warps have left the kernel", done.len())
        } else {
            format!("warp {stuck} waits, but other warps wait elsewhere")
        };
        report(launch, index, stuck as u32, pc, &Fault::new(Problem::DivergentBarrier, 0, message))
    }

    /// The predicates of all threads at a barrier, combined.
    fn reduce<'a>(&mut self, here: &[usize], at: impl Fn(u32) -> Option<&'a Barrier>) {
        let barrier =
            |block: &Self, w: usize| block.waiting[w].and_then(&at).filter(|b| b.reduction != Reduction::None);
        let (mut holds, mut threads) = (0, 0);
        for &w in here {
            if let Some(b) = barrier(self, w) {
                let warp = &self.warps[w];
                let truth = warp.registers.truth[(b.predicate >> 1) as usize];
                let truth = if b.predicate & 1 == 1 { !truth } else { truth };
                holds += (truth & warp.lanes).count_ones();
                threads += warp.lanes.count_ones();
            }
        }
        for &w in here {
            let Some(b) = barrier(self, w) else { continue };
            let warp = &mut self.warps[w];
            let all = |truth: bool| if truth { u32::MAX } else { 0 };
            match b.reduction {
                Reduction::Count => warp.registers.store(b.d, &[holds; 32], warp.lanes),
                Reduction::All => warp.registers.store_truth(b.d, all(holds == threads), warp.lanes),
                _ => warp.registers.store_truth(b.d, all(holds > 0), warp.lanes),
            }
        }
    }
}

fn report(launch: &Launch<'_>, block: [u32; 3], warp: u32, pc: u32, fault: &Fault) -> Box<Report> {
    let program = launch.program;
    Box::new(Report {
        problem: fault.problem,
        message: fault.message.clone(),
        place: Some(Place {
            kernel: program.name.clone(),
            line: program.code[pc as usize].line,
            opcode: program.opcodes[pc as usize].clone(),
            block,
            thread: launch.thread_index(warp * 32 + fault.lane),
        }),
    })
}
