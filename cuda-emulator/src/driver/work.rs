//! Asking for work, waiting for it, and doing it.

use super::codes::{self, Code};
use super::queue::{Clock, Event, HostPointer, Piece, StreamId, Work};
use super::state::{DEFAULT_STREAM, State};
use crate::exec::launch::Launch;
use crate::memory::footprint::Recorder;
use crate::report::{Problem, Report};
use std::sync::Mutex;

/// A queue this long is worked off from its old end, so that a program that never waits does not fill memory.
const LONGEST_QUEUE: usize = 1 << 14;

impl State {
    /// Puts work at the end of a stream; gives its position there.
    ///
    /// # Errors
    /// There is no such stream.
    pub fn enqueue(&mut self, stream: StreamId, work: Work) -> Result<u64, Code> {
        let stream = self.known(stream)?;
        let mut clock = self.host.clone();
        // The default stream comes after all work of blocking streams, and they after its.
        if stream == DEFAULT_STREAM {
            for (&id, other) in self.streams.iter().filter(|(_, s)| s.blocking) {
                clock.reach(id, other.issued);
            }
        } else if self.streams.get(&stream).is_some_and(|s| s.blocking) {
            clock.reach(DEFAULT_STREAM, self.streams.get(&DEFAULT_STREAM).map_or(0, |s| s.issued));
        }
        let Some(s) = self.streams.get_mut(&stream) else { return Err(codes::INVALID_HANDLE) };
        clock.merge(&s.clock);
        clock.reach(stream, s.issued);
        s.issued += 1;
        s.clock = clock.clone();
        s.clock.reach(stream, s.issued);
        s.queue.push_back(Piece { work, clock });
        let position = s.issued;
        if s.queue.len() > LONGEST_QUEUE {
            let until = s.done + LONGEST_QUEUE as u64 / 2;
            self.run_unawaited(stream, until);
        }
        Ok(position)
    }

    /// Runs a stream's work up to position `until`, and before each piece what it comes after.
    pub fn run_until(&mut self, stream: StreamId, until: u64) {
        while let Some(s) = self.streams.get_mut(&stream).filter(|s| s.done < until) {
            let Some(piece) = s.queue.pop_front() else { return };
            for (other, n) in piece.clock.iter().filter(|(other, _)| *other != stream) {
                self.run_until(other, n);
            }
            if self.fault.is_none()
                && let Err(report) = self.perform_watched(stream, &piece)
            {
                self.fault = Some(report.problem.code());
                self.report(*report);
            }
            if let Some(s) = self.streams.get_mut(&stream) {
                s.done += 1;
            }
        }
    }

    /// As [`State::run_until`], where the host does not wait for the work.
    pub fn run_unawaited(&mut self, stream: StreamId, until: u64) {
        self.unawaited = true;
        self.run_until(stream, until);
        self.unawaited = false;
    }

    /// Does a piece of work, and compares what it touches with work that nothing orders against it.
    fn perform_watched(&mut self, stream: StreamId, piece: &Piece) -> Result<(), Box<Report>> {
        let position = self.streams.get(&stream).map_or(0, |s| s.done + 1);
        if !self.must_watch(stream, position, &piece.clock) {
            return self.perform(piece, None);
        }
        let mut footprint = piece.work.footprint(|address| self.heap.allocation(address).map_or(0, |a| a.size()));
        let recorder = Recorder::default();
        let done = self.perform(piece, Some(&recorder));
        if matches!(piece.work, Work::Kernel { .. }) {
            footprint = recorder.finish();
        }
        // Memory that another stream freed too early shows as a race, which says more than a use after free.
        self.watch(stream, position, piece, footprint)?;
        done
    }

    /// Waits for a stream, as the host.
    ///
    /// # Errors
    /// There is no such stream, or a kernel failed.
    pub fn wait_stream(&mut self, stream: StreamId) -> Result<(), Code> {
        let stream = self.known(stream)?;
        let Some(s) = self.streams.get(&stream) else { return Err(codes::INVALID_HANDLE) };
        let mut clock = s.clock.clone();
        let until = s.issued;
        if stream == DEFAULT_STREAM {
            for (&id, other) in self.streams.iter().filter(|(_, s)| s.blocking) {
                clock.reach(id, other.issued);
            }
        }
        self.run_until(stream, until);
        self.wait_clock(&clock)
    }

    /// Waits for everything in `clock`, as the host.
    pub fn wait_clock(&mut self, clock: &Clock) -> Result<(), Code> {
        for (stream, n) in clock.iter() {
            self.run_until(stream, n);
        }
        self.host.merge(clock);
        self.forget_watched();
        self.fault.map_or(Ok(()), Err)
    }

    /// Waits for all streams: the newest runs first, as far as it may.
    pub fn wait_all(&mut self) -> Result<(), Code> {
        let mut clock = Clock::default();
        for (&id, s) in self.streams.iter().rev() {
            clock.reach(id, s.issued);
        }
        let newest_first: Vec<_> = clock.iter().collect();
        for (stream, n) in newest_first.into_iter().rev() {
            self.run_until(stream, n);
        }
        self.wait_clock(&clock)
    }

    /// Records an event at the end of a stream.
    pub fn record(&mut self, event: usize, stream: StreamId) -> Result<(), Code> {
        if !self.events.contains_key(&event) {
            return Err(codes::INVALID_HANDLE);
        }
        let stream = self.known(stream)?;
        let position = self.enqueue(stream, Work::Event(event))?;
        let clock = self.streams.get(&stream).map(|s| s.clock.clone()).unwrap_or_default();
        self.events.insert(event, Event { recorded: Some((stream, position, clock)), at: None });
        Ok(())
    }

    fn perform(&mut self, piece: &Piece, recorder: Option<&Recorder>) -> Result<(), Box<Report>> {
        let bad = |(problem, message)| Box::new(Report::new(problem, message));
        if self.heap.watched() {
            self.note_written(&piece.work).map_err(bad)?;
        }
        match &piece.work {
            Work::Kernel { .. } => self.run_kernel(&piece.work, recorder)?,
            Work::Upload(to, bytes) => {
                let spot = self.heap.spot(*to, bytes.len() as u64, false).map_err(bad)?;
                // SAFETY: the spot was found for that many bytes, and no kernel runs now.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), spot.pointer(), bytes.len()) };
            }
            Work::UploadPinned(to, from, n) => {
                let spot = self.heap.spot(*to, *n as u64, false).map_err(bad)?;
                // SAFETY: pinned memory is only released after all work is done; the spot is for `n` bytes.
                unsafe { std::ptr::copy(from.0.cast::<u8>(), spot.pointer(), *n) };
            }
            Work::Download(to, from, n) => {
                let spot = self.heap.spot(*from, *n as u64, false).map_err(bad)?;
                // SAFETY: as above.
                unsafe { std::ptr::copy(spot.pointer(), to.0.cast::<u8>(), *n) };
            }
            Work::Copy(to, from, n) => {
                let source = self.heap.spot(*from, *n, false).map_err(bad)?;
                let target = self.heap.spot(*to, *n, true).map_err(bad)?;
                // SAFETY: both spots were found for `n` bytes; `copy` allows overlap.
                unsafe { std::ptr::copy(source.pointer(), target.pointer(), *n as usize) };
            }
            Work::Fill(to, pattern, n) => self.fill(*to, pattern, *n).map_err(bad)?,
            Work::Free(address) => {
                self.freeing.remove(address);
                self.heap.free(*address).map_err(bad)?;
            }
            Work::Call(function, HostPointer(data)) => {
                // SAFETY: the program gave the function for this call; CUDA forbids it to call the driver.
                unsafe { function(*data) }
            }
            Work::Event(event) => {
                if let Some(e) = self.events.get_mut(event) {
                    e.at = Some(std::time::Instant::now());
                }
            }
        }
        Ok(())
    }

    fn run_kernel(&mut self, work: &Work, recorder: Option<&Recorder>) -> Result<(), Box<Report>> {
        let Work::Kernel { function, grid, block, shared, params } = work else { return Ok(()) };
        let shadow = self.settings.device_races.then(Mutex::default);
        let launch = Launch {
            program: &function.program,
            grid: *grid,
            block: *block,
            dynamic_shared: *shared,
            params,
            heap: &self.heap,
            recorder,
            between: shadow.as_ref(),
        };
        let counters = launch.run(&self.settings.limits)?;
        self.counters.entry(function.program.name.clone()).or_default().add(&counters);
        Ok(())
    }

    /// Remembers what a copy or fill is about to write, and checks what a copy to the host is about to read.
    fn note_written(&self, work: &Work) -> Result<(), (Problem, String)> {
        let footprint = work.footprint(|_| 0);
        for (from, to) in footprint.writes {
            self.heap.spot(from, to - from, false)?;
            self.heap.mark_written(from, to - from);
        }
        for (from, to) in footprint.reads {
            if self.settings.uninitialised > 1 && matches!(work, Work::Download(..)) {
                self.heap.spot(from, to - from, false)?;
                self.heap.check_written(from, to - from)?;
            }
        }
        Ok(())
    }

    fn fill(&mut self, to: u64, pattern: &[u8], n: u64) -> Result<(), (Problem, String)> {
        let bytes = n * pattern.len() as u64;
        let spot = self.heap.spot(to, bytes, true)?;
        // SAFETY: the spot was found for `bytes` bytes, and no kernel runs now.
        let target = unsafe { std::slice::from_raw_parts_mut(spot.pointer(), bytes as usize) };
        target.chunks_exact_mut(pattern.len()).for_each(|chunk| chunk.copy_from_slice(pattern));
        Ok(())
    }
}
