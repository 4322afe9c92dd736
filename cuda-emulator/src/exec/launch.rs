//! A launch: its shape, its blocks over threads, its counters.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::block::Block;
use super::warp::{Tally, counted};
use crate::decode::program::{Kind, Program};
use crate::memory::between::Shadow;
use crate::memory::footprint::Recorder;
use crate::memory::heap::Heap;
use crate::memory::traffic::Traffic;
use crate::ptx::Space;
use crate::report::{Problem, Report};

/// A kernel with its arguments and shape.
pub struct Launch<'a> {
    /// The kernel.
    pub program: &'a Program,
    /// Blocks in each direction.
    pub grid: [u32; 3],
    /// Threads of a block in each direction.
    pub block: [u32; 3],
    /// Shared memory given at launch, in bytes.
    pub dynamic_shared: u32,
    /// The parameter buffer.
    pub params: &'a [u8],
    /// Device memory.
    pub heap: &'a Heap,
    /// Where to note what the kernel touches, if anyone wants to know.
    pub recorder: Option<&'a Recorder>,
    /// Where to note who touches what, if device memory is watched. Blocks then run one after another.
    pub between: Option<&'a Mutex<Shadow>>,
}

/// How to run launches.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Threads of the host to use.
    pub threads: usize,
    /// Backward branches of warps that one worker may take before the launch counts as endless.
    pub loops: u64,
    /// Whether blocks run from the last to the first.
    pub backwards: bool,
}

/// Counters of a kernel, summed over its launches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Launches.
    pub launches: u64,
    /// Instructions of PTX executed by warps.
    pub warp_instructions: u64,
    /// Instructions of PTX executed by threads, guarded ones only where the guard held.
    pub thread_instructions: u64,
    /// Traffic of device memory: reads.
    pub loads: Traffic,
    /// Traffic of device memory: writes and atomics.
    pub stores: Traffic,
    /// Traffic of shared memory.
    pub shared: Traffic,
    /// Traffic of single instructions, in the order of the text.
    pub sites: Vec<Site>,
}

/// Traffic of one instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Index among the kernel's decoded instructions.
    pub index: u32,
    /// Line in the PTX text.
    pub line: u32,
    /// The opcode.
    pub opcode: String,
    /// Its traffic.
    pub traffic: Traffic,
}

impl Launch<'_> {
    /// Threads of a block.
    pub fn threads(&self) -> u32 {
        self.block.iter().product()
    }

    /// Shared memory of a block, in bytes.
    pub fn shared_bytes(&self) -> u32 {
        let program = self.program;
        if self.dynamic_shared > 0 { program.dynamic_at + self.dynamic_shared } else { program.shared }
    }

    /// The index of thread `t` of a block.
    pub fn thread_index(&self, t: u32) -> [u32; 3] {
        let [x, y, _] = self.block;
        [t % x, t / x % y, t / x / y]
    }

    /// Checks the shape against the kernel.
    ///
    /// # Errors
    /// An extent of zero or beyond a limit of devices, a block other than `.reqntid` says or larger than `.maxntid`, too
    /// much shared memory, a parameter buffer of another size.
    pub fn check(&self, most_shared: u32) -> Result<(), Report> {
        let bad = |message: String| Err(Report::new(Problem::BadLaunch, format!("{}: {message}", self.program.name)));
        let ([gx, gy, gz], [bx, by, bz]) = (self.grid, self.block);
        if gx == 0 || gy == 0 || gz == 0 || gx > i32::MAX as u32 || gy > 65535 || gz > 65535 {
            return bad(format!("grid ({gx},{gy},{gz}) is empty or beyond (2147483647,65535,65535)"));
        }
        let threads = u64::from(bx) * u64::from(by) * u64::from(bz);
        if threads == 0 || threads > 1024 || bz > 64 {
            return bad(format!("block ({bx},{by},{bz}) is empty or beyond 1024 threads, 64 in z"));
        }
        if let Some(required) = self.program.required.filter(|r| *r != self.block) {
            return bad(format!("block ({bx},{by},{bz}) where the kernel requires {required:?}"));
        }
        if let Some(maximum) = self.program.maximum {
            let most: u32 = maximum.iter().product();
            if threads > u64::from(most) {
                return bad(format!("{threads} threads a block where the kernel allows {most}"));
            }
        }
        let shared = u64::from(self.program.dynamic_at) + u64::from(self.dynamic_shared);
        if shared > u64::from(most_shared) {
            return bad(format!("{shared} bytes of shared memory where {most_shared} are allowed"));
        }
        let wanted = self.program.params.last().map_or(0, |p| (p.offset + p.size) as usize);
        if self.params.len() != wanted {
            return bad(format!("{} bytes of arguments where the kernel takes {wanted}", self.params.len()));
        }
        Ok(())
    }

    /// Runs all blocks.
    ///
    /// # Errors
    /// The fault of the first block, in the order in which blocks are run, that has one.
    pub fn run(&self, limits: &Limits) -> Result<Counters, Box<Report>> {
        let total = self.grid.iter().map(|&g| u64::from(g)).product::<u64>();
        let workers = if self.program.ordered || self.between.is_some() {
            1
        } else {
            limits.threads.clamp(1, total.min(64) as usize)
        };
        let (next, first_bad) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let results = Mutex::new((Tally::new(self.program, 0), None::<Box<Report>>));
        let work = || {
            let mut tally = Tally::new(self.program, limits.loops);
            let mut block = Block::default();
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= total || n > first_bad.load(Relaxed) {
                    break;
                }
                let place = if limits.backwards { total - 1 - n } else { n };
                if let Some(shadow) = self.between {
                    shadow.lock().unwrap_or_else(|e| e.into_inner()).enter(place);
                }
                if let Err(report) = block.run(self, self.block_index(place), &mut tally) {
                    let mut results = results.lock().unwrap_or_else(|e| e.into_inner());
                    if n < first_bad.load(Relaxed) {
                        first_bad.store(n, Relaxed);
                        results.1 = Some(report);
                    }
                }
            }
            results.lock().unwrap_or_else(|e| e.into_inner()).0.add(&tally);
        };
        std::thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(work);
            }
            work();
        });
        let (tally, report) = results.into_inner().unwrap_or_else(|e| e.into_inner());
        match report {
            Some(report) => Err(report),
            None => Ok(tally.counters(self.program)),
        }
    }

    fn block_index(&self, n: u64) -> [u32; 3] {
        let [x, y, _] = self.grid.map(u64::from);
        [(n % x) as u32, (n / x % y) as u32, (n / x / y) as u32]
    }
}

impl Tally {
    fn new(program: &Program, budget: u64) -> Self {
        Self {
            executed: vec![(0, 0); program.code.len()],
            traffic: vec![Traffic::default(); program.code.len()],
            budget,
        }
    }

    fn add(&mut self, other: &Tally) {
        for (a, b) in self.executed.iter_mut().zip(&other.executed) {
            a.0 += b.0;
            a.1 += b.1;
        }
        for (a, b) in self.traffic.iter_mut().zip(&other.traffic) {
            a.add(b);
        }
    }

    fn counters(&self, program: &Program) -> Counters {
        let mut out = Counters { launches: 1, ..Counters::default() };
        for i in counted(program) {
            out.warp_instructions += self.executed[i].0;
            out.thread_instructions += self.executed[i].1;
            let traffic = &self.traffic[i];
            let sum = match &program.code[i].kind {
                Kind::Load(a) | Kind::Store(a) if a.space == Space::Shared => &mut out.shared,
                Kind::Atomic(a) if a.access.space == Space::Shared => &mut out.shared,
                Kind::Load(_) => &mut out.loads,
                Kind::Store(_) | Kind::Atomic(_) => &mut out.stores,
                _ => continue,
            };
            sum.add(traffic);
            if traffic.accesses > 0 {
                let (line, opcode) = (program.code[i].line, program.opcodes[i].clone());
                out.sites.push(Site { index: i as u32, line, opcode, traffic: *traffic });
            }
        }
        out
    }
}

impl Site {
    fn key(&self) -> (u32, u32, &str) {
        (self.index, self.line, &self.opcode)
    }
}

impl Counters {
    /// Adds the counters of another launch of the same kernel.
    pub fn add(&mut self, other: &Counters) {
        self.launches += other.launches;
        self.warp_instructions += other.warp_instructions;
        self.thread_instructions += other.thread_instructions;
        self.loads.add(&other.loads);
        self.stores.add(&other.stores);
        self.shared.add(&other.shared);
        for site in &other.sites {
            // Kernels of one name may come from several texts.
            match self.sites.binary_search_by(|s| s.key().cmp(&site.key())) {
                Ok(i) => self.sites[i].traffic.add(&site.traffic),
                Err(i) => self.sites.insert(i, site.clone()),
            }
        }
    }
}
