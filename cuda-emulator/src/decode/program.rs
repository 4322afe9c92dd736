//! A kernel ready to run: instructions whose operands are columns, and what a launch has to know.

use crate::exec::registers::{Alu, Operands};
use crate::ptx::{Kernel, Param, Space, Type};

/// Generic addresses of shared memory begin here.
pub const SHARED_WINDOW: u64 = 1 << 36;
/// Generic addresses of local memory begin here.
pub const LOCAL_WINDOW: u64 = 2 << 36;

/// No instruction, or no reconvergence before the kernel ends.
pub const NOWHERE: u32 = u32::MAX;

/// A kernel, decoded.
pub struct Program {
    /// The kernel's name.
    pub name: String,
    /// Its instructions; control never runs past the last.
    pub code: Vec<Instruction>,
    /// The opcode of each instruction as written.
    pub opcodes: Vec<String>,
    /// Columns of up to 32 bits.
    pub narrow: u32,
    /// Columns of 64 bits.
    pub wide: u32,
    /// Predicates.
    pub truth: u32,
    /// Columns with a constant of up to 32 bits.
    pub constants: Vec<(u32, u32)>,
    /// Columns with a constant of 64 bits.
    pub wide_constants: Vec<(u32, u64)>,
    /// Columns with a special register.
    pub specials: Vec<(u32, Special)>,
    /// Columns of up to 32 bits that may be read before they are written.
    pub unset: Vec<u32>,
    /// Columns of 64 bits that may be read before they are written.
    pub unset_wide: Vec<u32>,
    /// Parameters.
    pub params: Vec<Param>,
    /// `.reqntid`.
    pub required: Option<[u32; 3]>,
    /// `.maxntid`.
    pub maximum: Option<[u32; 3]>,
    /// Shared memory declared with a size, in bytes.
    pub shared: u32,
    /// Whether the kernel declares shared memory whose size the launch gives.
    pub dynamic_shared: bool,
    /// Where that memory begins.
    pub dynamic_at: u32,
    /// Local memory of a thread, in bytes.
    pub local: u32,
    /// Whether results depend on the order of blocks, so that they must run one after another.
    pub ordered: bool,
    /// The unit in which shared accesses are watched: the narrowest access, at most 4 bytes.
    pub granule: u32,
    /// Registers declared by the text and used, 32-bit ones counted once and 64-bit ones twice.
    pub registers: u32,
    /// PTX target, such as 75.
    pub target: u32,
}

impl Program {
    /// A program for `kernel` without instructions.
    pub fn new(kernel: &Kernel, target: u32) -> Self {
        Self {
            name: kernel.name.clone(),
            code: Vec::new(),
            opcodes: Vec::new(),
            narrow: 0,
            wide: 0,
            truth: 0,
            constants: Vec::new(),
            wide_constants: Vec::new(),
            specials: Vec::new(),
            unset: Vec::new(),
            unset_wide: Vec::new(),
            params: kernel.params.clone(),
            required: kernel.required,
            maximum: kernel.maximum,
            shared: 0,
            dynamic_shared: false,
            dynamic_at: 0,
            local: 0,
            ordered: false,
            granule: 4,
            registers: 0,
            target,
        }
    }
}

/// One instruction.
#[derive(Clone)]
pub struct Instruction {
    /// The predicate that guards it: index · 2 + negated; [`NOWHERE`] without one.
    pub guard: u32,
    /// What it does.
    pub kind: Kind,
    /// Line in the PTX text.
    pub line: u32,
    /// Whether it counts: an instruction of PTX may be several here.
    pub counted: bool,
}

/// What an instruction does.
#[derive(Clone)]
pub enum Kind {
    /// Computes on registers.
    Compute(Alu, Operands),
    /// Goes elsewhere; lanes that part meet again at the second place.
    Branch(u32, u32),
    /// Ends the thread.
    Exit,
    /// Stops the kernel with an error.
    Trap,
    /// Orders memory: nothing to do where memory is sequential.
    Fence,
    /// Reads memory.
    Load(Box<Access>),
    /// Writes memory.
    Store(Box<Access>),
    /// Reads and writes memory in one step.
    Atomic(Box<Atomic>),
    /// Waits for the block.
    Barrier(Box<Barrier>),
    /// Waits for the lanes in the mask column.
    WarpBarrier(u32),
    /// Exchanges among lanes.
    Exchange(Box<Exchange>),
    /// Writes the mask of running lanes to a column.
    ActiveMask(u32),
}

/// A register as a memory instruction sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its column.
    pub column: u32,
    /// Its width in bits: 16, 32 or 64.
    pub bits: u32,
}

/// Where an address begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// At a number.
    Fixed(u64),
    /// In a column of 32 bits.
    Narrow(u32),
    /// In a column of 64 bits.
    Wide(u32),
}

/// A load or store.
#[derive(Clone, Debug)]
pub struct Access {
    /// The state space.
    pub space: Space,
    /// Type of an element.
    pub ty: Type,
    /// Registers, one an element.
    pub slots: Vec<Slot>,
    /// Address without the offset.
    pub base: Base,
    /// Added to the base.
    pub offset: i64,
}

/// The operation of an atomic access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are PTX's own")]
pub enum AtomicOp {
    Add,
    Min,
    Max,
    Inc,
    Dec,
    And,
    Or,
    Xor,
    Exch,
    Cas,
}

/// An atomic access.
#[derive(Clone, Debug)]
pub struct Atomic {
    /// Where, and the register for the old value if it is wanted.
    pub access: Access,
    /// The operation.
    pub op: AtomicOp,
    /// The operand: for `cas` the value compared with.
    pub value: Slot,
    /// For `cas` the new value.
    pub second: Slot,
}

/// What a barrier computes from a predicate of each thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// Nothing.
    None,
    /// How many hold, to a column.
    Count,
    /// Whether all hold, to a predicate.
    All,
    /// Whether any holds, to a predicate.
    Any,
}

/// A block-wide barrier.
#[derive(Clone, Debug)]
pub struct Barrier {
    /// Its number, 0 to 15.
    pub id: u32,
    /// Threads it waits for; 0 for the whole block.
    pub threads: u32,
    /// Whether the warp goes on without waiting.
    pub arrive: bool,
    /// What it computes.
    pub reduction: Reduction,
    /// Destination of the reduction.
    pub d: u32,
    /// The predicate: index · 2 + negated.
    pub predicate: u32,
}

/// An exchange among the lanes of a warp.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What is exchanged.
    pub what: Exchanged,
    /// Destination column or predicate.
    pub d: u32,
    /// Second destination, a predicate; [`NOWHERE`] if it is not wanted.
    pub p: u32,
    /// First source: a column, or a predicate's index · 2 + negated.
    pub a: u32,
    /// Second source, a column.
    pub b: u32,
    /// Third source, a column.
    pub c: u32,
    /// Column of the mask of lanes that take part.
    pub mask: u32,
}

/// The kinds of exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are PTX's own")]
pub enum Exchanged {
    ShuffleUp,
    ShuffleDown,
    ShuffleXor,
    ShuffleIndex,
    VoteAll,
    VoteAny,
    VoteUniform,
    Ballot,
    MatchAny,
    MatchAnyWide,
    MatchAll,
    MatchAllWide,
    Reduce(AtomicOp, bool),
}

/// A special register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are PTX's own")]
pub enum Special {
    Tid(usize),
    Ntid(usize),
    Ctaid(usize),
    Nctaid(usize),
    LaneId,
    WarpId,
    WarpCount,
    LaneMaskEq,
    LaneMaskLt,
    LaneMaskLe,
    LaneMaskGt,
    LaneMaskGe,
    DynamicShared,
    TotalShared,
}

impl Special {
    /// The special register of that name, with its percent sign.
    pub fn named(name: &str) -> Option<Special> {
        let axis = |rest: &str| ["x", "y", "z"].iter().position(|a| *a == rest);
        Some(match name.strip_prefix('%')?.split_once('.') {
            Some(("tid", a)) => Special::Tid(axis(a)?),
            Some(("ntid", a)) => Special::Ntid(axis(a)?),
            Some(("ctaid", a)) => Special::Ctaid(axis(a)?),
            Some(("nctaid", a)) => Special::Nctaid(axis(a)?),
            Some(_) => return None,
            None => match &name[1..] {
                "laneid" => Special::LaneId,
                "warpid" => Special::WarpId,
                "nwarpid" => Special::WarpCount,
                "lanemask_eq" => Special::LaneMaskEq,
                "lanemask_lt" => Special::LaneMaskLt,
                "lanemask_le" => Special::LaneMaskLe,
                "lanemask_gt" => Special::LaneMaskGt,
                "lanemask_ge" => Special::LaneMaskGe,
                "dynamic_smem_size" => Special::DynamicShared,
                "total_smem_size" => Special::TotalShared,
                _ => return None,
            },
        })
    }
}
