//! Streams: work waits in queues and runs when the host asks for its results, as late as the program's own ordering allows.
//!
//! Every piece of work carries a vector clock: how far each other stream must have come before it may run. The host has one
//! too, made of everything it waited for. Running late and newest stream first, a missing wait shows as wrong data.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::sync::Arc;

use super::modules::Function;

/// A stream's handle.
pub type StreamId = usize;

/// For each stream, how many of its pieces of work come before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock(BTreeMap<StreamId, u64>);

impl Clock {
    /// Takes everything into account that `other` does.
    pub fn merge(&mut self, other: &Clock) {
        for (&stream, &n) in &other.0 {
            self.reach(stream, n);
        }
    }

    /// Takes the first `n` pieces of `stream` into account.
    pub fn reach(&mut self, stream: StreamId, n: u64) {
        let entry = self.0.entry(stream).or_default();
        *entry = (*entry).max(n);
    }

    /// How many pieces of `stream` come before.
    pub fn of(&self, stream: StreamId) -> u64 {
        self.0.get(&stream).copied().unwrap_or(0)
    }

    /// Streams and how far they must have come.
    pub fn iter(&self) -> impl Iterator<Item = (StreamId, u64)> + '_ {
        self.0.iter().map(|(&s, &n)| (s, n))
    }
}

/// A host address that the program promised to keep valid until the work is done.
#[derive(Clone, Copy)]
pub struct HostPointer(pub *mut c_void);

// SAFETY: the address is only used while the driver's state is locked; that it is valid is the program's promise.
unsafe impl Send for HostPointer {}

/// A function of the host that runs in a stream.
pub type HostFunction = unsafe extern "C" fn(*mut c_void);

/// A piece of work.
pub enum Work {
    /// A kernel.
    Kernel {
        /// The kernel.
        function: Arc<Function>,
        /// Blocks.
        grid: [u32; 3],
        /// Threads of a block.
        block: [u32; 3],
        /// Shared memory given at launch.
        shared: u32,
        /// The parameter buffer.
        params: Vec<u8>,
    },
    /// Bytes that were taken from the host when the copy was asked for.
    Upload(u64, Vec<u8>),
    /// Bytes to be read from pinned memory of the host when the work runs.
    UploadPinned(u64, HostPointer, usize),
    /// Bytes to be written to pinned memory of the host.
    Download(HostPointer, u64, usize),
    /// To, from, bytes, all on the device.
    Copy(u64, u64, u64),
    /// Address, pattern, repetitions.
    Fill(u64, Vec<u8>, u64),
    /// The end of an allocation.
    Free(u64),
    /// A call to the host.
    Call(HostFunction, HostPointer),
    /// The moment of an event.
    Event(usize),
}

/// A piece of work in its stream.
pub struct Piece {
    /// What.
    pub work: Work,
    /// What comes before.
    pub clock: Clock,
}

/// A stream.
#[derive(Default)]
pub struct Stream {
    /// Work that has not run.
    pub queue: VecDeque<Piece>,
    /// Pieces asked for so far.
    pub issued: u64,
    /// Pieces done so far.
    pub done: u64,
    /// What the next piece comes after.
    pub clock: Clock,
    /// Whether it waits for, and is waited for by, the default stream.
    pub blocking: bool,
    /// Whether the program has ended it; clocks of other work may still name it.
    pub ended: bool,
}

/// An event.
#[derive(Clone, Default)]
pub struct Event {
    /// Where it was recorded last: stream, position, everything before.
    pub recorded: Option<(StreamId, u64, Clock)>,
    /// When it happened.
    pub at: Option<std::time::Instant>,
}
