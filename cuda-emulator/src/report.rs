//! What went wrong in a kernel, and where.

/// The kinds of fault that the emulator finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Problem {
    /// An access outside every allocation, or past the end of one.
    OutOfBounds,
    /// An access whose address is not a multiple of its size.
    Misaligned,
    /// An access to memory that was freed.
    UseAfterFree,
    /// A write to memory that kernels may only read.
    ReadOnly,
    /// A read of memory that was never written.
    Uninitialised,
    /// Two threads of a block touch the same memory without a barrier between, one of them writing.
    Race,
    /// A barrier that not every thread reaches.
    DivergentBarrier,
    /// An exchange among lanes of which some do not take part.
    PartialWarp,
    /// More instructions than a launch may execute.
    Endless,
    /// A `trap` instruction.
    Trap,
    /// Two blocks of a launch touch the same device memory, one of them writing.
    BlockRace,
    /// Work on two streams touches the same memory without an event between.
    StreamRace,
    /// Device memory freed twice, or never allocated.
    BadFree,
    /// Device memory that was never freed.
    Leak,
    /// A launch whose shape or arguments do not fit the kernel.
    BadLaunch,
    /// A module that is refused.
    BadModule,
}

impl Problem {
    /// The name of the problem in reports.
    pub fn name(self) -> &'static str {
        match self {
            Problem::OutOfBounds => "out of bounds",
            Problem::Misaligned => "misaligned access",
            Problem::UseAfterFree => "use after free",
            Problem::ReadOnly => "write to read-only memory",
            Problem::Uninitialised => "uninitialised read",
            Problem::Race => "race",
            Problem::DivergentBarrier => "divergent barrier",
            Problem::PartialWarp => "partial warp",
            Problem::Endless => "endless kernel",
            Problem::Trap => "trap",
            Problem::BlockRace => "race between blocks",
            Problem::StreamRace => "race between streams",
            Problem::BadFree => "bad free",
            Problem::Leak => "leak",
            Problem::BadLaunch => "bad launch",
            Problem::BadModule => "refused module",
        }
    }

    /// The driver's error code (`CUresult`) that a device would most nearly give.
    pub fn code(self) -> i32 {
        match self {
            Problem::OutOfBounds | Problem::UseAfterFree | Problem::ReadOnly => 700,
            Problem::Misaligned => 716,
            Problem::Endless => 702,
            Problem::BadFree | Problem::BadLaunch | Problem::Leak => 1,
            Problem::BadModule => 218,
            _ => 719,
        }
    }
}

/// Where in a kernel's execution something happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The kernel.
    pub kernel: String,
    /// Line in the PTX text.
    pub line: u32,
    /// The opcode there.
    pub opcode: String,
    /// Block index.
    pub block: [u32; 3],
    /// Thread index in the block.
    pub thread: [u32; 3],
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its kind.
    pub problem: Problem,
    /// What exactly, in one line.
    pub message: String,
    /// Where, if it happened inside a kernel.
    pub place: Option<Place>,
}

impl Report {
    /// A report that belongs to no place in a kernel.
    pub fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self { problem, message: message.into(), place: None }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.problem.name(), self.message)?;
        if let Some(p) = &self.place {
            let ([bx, by, bz], [tx, ty, tz]) = (p.block, p.thread);
            write!(f, "; kernel {}, line {} ({}), ", p.kernel, p.line, p.opcode)?;
            write!(f, "block ({bx},{by},{bz}), thread ({tx},{ty},{tz})")?;
        }
        Ok(())
    }
}

/// A fault before its place is known: the kind, what exactly, and the lane.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its kind.
    pub problem: Problem,
    /// What exactly.
    pub message: String,
    /// The lane of the warp that ran into it.
    pub lane: u32,
}

impl Fault {
    /// A fault of `lane`.
    pub fn new(problem: Problem, lane: usize, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { problem, message: message.into(), lane: lane as u32 })
    }
}
