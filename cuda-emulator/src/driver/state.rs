//! Everything the driver knows, behind one lock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use super::codes::{self, Code};
use super::conflicts::Watched;
use super::modules::{Function, Module};
use super::queue::{Clock, Event, Stream, StreamId};
use super::settings::Settings;
use crate::exec::launch::Counters;
use crate::memory::heap::Heap;
use crate::report::{Problem, Report};

/// The handle of the default stream.
pub const DEFAULT_STREAM: StreamId = 0;

/// `CU_STREAM_PER_THREAD`; here all threads share it.
pub const PER_THREAD_STREAM: StreamId = 2;

/// The default stream by either of its names.
fn named(stream: StreamId) -> StreamId {
    const LEGACY: StreamId = 1;
    if stream == LEGACY { DEFAULT_STREAM } else { stream }
}

/// How often a program has asked for what costs it time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Allocations of device memory.
    pub allocations: u64,
    /// Copies from the host.
    pub uploads: u64,
    /// Copies to the host.
    pub downloads: u64,
    /// Waits for a stream, an event or everything.
    pub synchronisations: u64,
    /// Launches of kernels.
    pub launches: u64,
}

/// The driver's state.
pub struct State {
    /// Settings, read at the first call.
    pub settings: Settings,
    /// Whether `cuInit` was called.
    pub initialised: bool,
    /// Contexts retained on the device.
    pub retained: u32,
    /// The error that every call returns since a kernel failed.
    pub fault: Option<Code>,
    /// Everything that went wrong, oldest first.
    pub reports: Vec<Report>,
    /// Device memory.
    pub heap: Heap,
    /// Allocations whose free waits in a stream.
    pub freeing: HashSet<u64>,
    /// Page-locked memory of the host: address and size.
    pub pinned: BTreeMap<usize, usize>,
    /// Modules by handle.
    pub modules: HashMap<usize, Module>,
    /// Kernels by handle.
    pub functions: HashMap<usize, Arc<Function>>,
    /// Streams by handle; that of the default stream is 0.
    pub streams: BTreeMap<StreamId, Stream>,
    /// Events by handle.
    pub events: HashMap<usize, Event>,
    /// What the host waited for.
    pub host: Clock,
    /// Work that is done but that other work, not ordered behind it, could still conflict with.
    pub watched: Vec<Watched>,
    /// Whether work is being done that the host does not wait for.
    pub unawaited: bool,
    /// Counters by kernel.
    pub counters: BTreeMap<String, Counters>,
    /// The last handle given out.
    pub last_handle: usize,
    /// Bytes copied from the host, to the host, within the device.
    pub copied: [u64; 3],
    /// Calls that cost the host time.
    pub calls: Calls,
}

impl State {
    fn new() -> Self {
        let settings = Settings::read();
        let mut state = Self {
            settings,
            initialised: false,
            retained: 0,
            fault: None,
            reports: Vec::new(),
            heap: Heap::new(settings.uninitialised > 0),
            freeing: HashSet::new(),
            pinned: BTreeMap::new(),
            modules: HashMap::new(),
            functions: HashMap::new(),
            streams: BTreeMap::new(),
            events: HashMap::new(),
            host: Clock::default(),
            watched: Vec::new(),
            unawaited: false,
            counters: BTreeMap::new(),
            last_handle: 0x1000,
            copied: [0; 3],
            calls: Calls::default(),
        };
        state.add_default_stream();
        state
    }

    fn add_default_stream(&mut self) {
        for id in [DEFAULT_STREAM, PER_THREAD_STREAM] {
            self.streams.insert(id, Stream { blocking: true, ..Stream::default() });
        }
    }

    /// Checks that there is such a stream, by one of its names, and gives the name it has here.
    pub fn known(&self, stream: StreamId) -> Result<StreamId, Code> {
        let id = named(stream);
        match self.streams.get(&id) {
            Some(s) if !s.ended => Ok(id),
            _ => Err(codes::INVALID_HANDLE),
        }
    }

    /// A handle that was never given out before.
    pub fn handle(&mut self) -> usize {
        self.last_handle += 16;
        self.last_handle
    }

    /// Keeps a report and prints it.
    pub fn report(&mut self, report: Report) {
        if !self.settings.quiet {
            eprintln!("cuda-emulator: {report}");
        }
        self.reports.push(report);
    }

    /// Keeps a report and gives its code.
    pub fn refuse<T>(&mut self, problem: Problem, message: impl Into<String>) -> Result<T, Code> {
        self.report(Report::new(problem, message));
        Err(problem.code())
    }

    /// Ends everything that belongs to the context; memory that was not freed is reported.
    pub fn destroy(&mut self) {
        let leaks: Vec<_> = self.heap.live().filter(|(a, _)| !self.freeing.contains(a)).collect();
        if self.fault.is_none() && !leaks.is_empty() {
            let bytes: u64 = leaks.iter().map(|l| l.1).sum();
            let message = format!("{} allocations of {bytes} bytes in all were never freed", leaks.len());
            self.report(Report::new(Problem::Leak, message));
        }
        self.heap.release_all();
        self.freeing.clear();
        self.modules.clear();
        self.functions.clear();
        self.events.clear();
        self.streams.clear();
        self.host = Clock::default();
        self.watched.clear();
        self.fault = None;
        self.add_default_stream();
    }
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// The locked state.
pub struct Locked(MutexGuard<'static, Option<State>>);

impl std::ops::Deref for Locked {
    type Target = State;
    fn deref(&self) -> &State {
        match &*self.0 {
            Some(state) => state,
            None => unreachable!("`lock` fills it"),
        }
    }
}

impl std::ops::DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut State {
        self.0.get_or_insert_with(State::new)
    }
}

/// Locks the state.
pub fn lock() -> Locked {
    let mut guard = STATE.lock().unwrap_or_else(|e| e.into_inner());
    guard.get_or_insert_with(State::new);
    Locked(guard)
}
