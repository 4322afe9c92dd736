//! Streams and events.

use std::ffi::{c_int, c_uint, c_void};

use super::codes::{self, Code};
use super::entry::give;
use super::queue::{Event, HostFunction, HostPointer, Stream, StreamId, Work};
use super::state::{PER_THREAD_STREAM, State};

const NON_BLOCKING: c_uint = 1;

fn create(state: &mut State, to: *mut StreamId, flags: c_uint) -> Result<(), Code> {
    let handle = state.handle();
    let stream = Stream { blocking: flags & NON_BLOCKING == 0, ..Stream::default() };
    state.streams.insert(handle, stream);
    // SAFETY: the caller's promise.
    unsafe { give(to, handle) }
}

/// Asked whether work is done, the emulator does some of it: a program that asks in a loop gets there.
fn progress(state: &mut State, stream: StreamId, until: u64) -> Result<(), Code> {
    let Some(s) = state.streams.get(&stream) else { return Err(codes::INVALID_HANDLE) };
    if s.done >= until {
        return state.fault.map_or(Ok(()), Err);
    }
    let next = s.done + 1;
    state.run_unawaited(stream, next);
    Err(state.fault.unwrap_or(codes::NOT_READY))
}

fn event(state: &State, handle: usize) -> Result<&Event, Code> {
    state.events.get(&handle).ok_or(codes::INVALID_HANDLE)
}

fn elapsed(state: &State, start: usize, end: usize) -> Result<f32, Code> {
    let (start, end) = (event(state, start)?, event(state, end)?);
    if start.recorded.is_none() || end.recorded.is_none() {
        return Err(codes::INVALID_HANDLE);
    }
    match (start.at, end.at) {
        (Some(a), Some(b)) => Ok(b.saturating_duration_since(a).as_secs_f32() * 1e3),
        _ => Err(codes::NOT_READY),
    }
}

api! {
    /// Makes a stream.
    context fn cuStreamCreate(state, to: *mut StreamId, flags: c_uint) {
        create(state, to, flags)
    }

    /// Makes a stream; there is one priority.
    context fn cuStreamCreateWithPriority(state, to: *mut StreamId, flags: c_uint, _priority: c_int) {
        create(state, to, flags)
    }

    /// Ends a stream; its work is still done.
    context fn cuStreamDestroy_v2(state, stream: StreamId) {
        if stream <= PER_THREAD_STREAM {
            return Err(codes::INVALID_HANDLE);
        }
        state.known(stream)?;
        let until = state.streams.get(&stream).map_or(0, |s| s.issued);
        state.run_unawaited(stream, until);
        if let Some(s) = state.streams.get_mut(&stream) {
            s.ended = true;
        }
        state.fault.map_or(Ok(()), Err)
    }

    /// Waits for a stream.
    context fn cuStreamSynchronize(state, stream: StreamId) {
        state.calls.synchronisations += 1;
        state.wait_stream(stream)
    }

    /// Whether a stream's work is done.
    context fn cuStreamQuery(state, stream: StreamId) {
        let stream = state.known(stream)?;
        let until = state.streams.get(&stream).ok_or(codes::INVALID_HANDLE)?.issued;
        progress(state, stream, until)?;
        state.wait_stream(stream)
    }

    /// Lets a stream wait for an event.
    context fn cuStreamWaitEvent(state, stream: StreamId, handle: usize, _flags: c_uint) {
        let recorded = event(state, handle)?.recorded.clone();
        let stream = state.known(stream)?;
        let s = state.streams.get_mut(&stream).ok_or(codes::INVALID_HANDLE)?;
        if let Some((_, _, clock)) = recorded {
            s.clock.merge(&clock);
        }
        Ok(())
    }

    /// Calls a function of the host in a stream's order.
    context fn cuLaunchHostFunc(state, stream: StreamId, function: Option<HostFunction>, data: *mut c_void) {
        let function = function.ok_or(codes::INVALID_VALUE)?;
        state.enqueue(stream, Work::Call(function, HostPointer(data))).map(|_| ())
    }

    /// Graphs are not offered: a stream is never captured.
    context fn cuStreamIsCapturing(_state, _stream: StreamId, status: *mut c_int) {
        // SAFETY: the caller's promise.
        unsafe { give(status, 0) }
    }

    /// Graphs are not offered.
    context fn cuStreamBeginCapture_v2(_state, _stream: StreamId, _mode: c_int) {
        Err(codes::NOT_SUPPORTED)
    }

    /// Graphs are not offered.
    context fn cuStreamEndCapture(_state, _stream: StreamId, _graph: *mut usize) {
        Err(codes::NOT_SUPPORTED)
    }

    /// Makes an event.
    context fn cuEventCreate(state, to: *mut usize, _flags: c_uint) {
        let handle = state.handle();
        state.events.insert(handle, Event::default());
        // SAFETY: the caller's promise.
        unsafe { give(to, handle) }
    }

    /// Ends an event.
    context fn cuEventDestroy_v2(state, handle: usize) {
        state.events.remove(&handle).map(|_| ()).ok_or(codes::INVALID_HANDLE)
    }

    /// Records an event in a stream.
    context fn cuEventRecord(state, handle: usize, stream: StreamId) {
        state.record(handle, stream)
    }

    /// Waits for an event.
    context fn cuEventSynchronize(state, handle: usize) {
        state.calls.synchronisations += 1;
        match event(state, handle)?.recorded.clone() {
            Some((stream, position, clock)) => {
                state.run_until(stream, position);
                state.wait_clock(&clock)
            }
            None => Ok(()),
        }
    }

    /// Whether an event has happened.
    context fn cuEventQuery(state, handle: usize) {
        match event(state, handle)?.recorded.clone() {
            Some((stream, position, clock)) => {
                progress(state, stream, position)?;
                state.wait_clock(&clock)
            }
            None => Ok(()),
        }
    }

    /// Milliseconds of the host's clock between two events.
    context fn cuEventElapsedTime(state, ms: *mut f32, start: usize, end: usize) {
        let value = elapsed(state, start, end)?;
        // SAFETY: the caller's promise.
        unsafe { give(ms, value) }
    }

    /// Milliseconds of the host's clock between two events.
    context fn cuEventElapsedTime_v2(state, ms: *mut f32, start: usize, end: usize) {
        let value = elapsed(state, start, end)?;
        // SAFETY: the caller's promise.
        unsafe { give(ms, value) }
    }
}
