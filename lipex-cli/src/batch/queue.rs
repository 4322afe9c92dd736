//! Rows on their way to workers, and how far ahead of the journal these may run.

use super::input::{Row, Rows};
use std::sync::{Condvar, Mutex, PoisonError};

/// Hands rows out in order, each with its place among those handed out.
pub struct Queue {
    state: Mutex<State>,
    room: Condvar,
    /// Most rows that are taken and not yet done with.
    ahead: usize,
}

struct State {
    rows: Rows,
    taken: usize,
    done: usize,
    stopped: bool,
}

impl Queue {
    pub fn new(rows: Rows, ahead: usize) -> Self {
        let state = State { rows, taken: 0, done: 0, stopped: false };
        Queue { state: Mutex::new(state), room: Condvar::new(), ahead: ahead.max(1) }
    }

    /// The next row, once there is room for it; `None` at the end, or after a stop.
    pub fn take(&self) -> Option<(usize, Row)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.stopped && state.taken - state.done >= self.ahead {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return None;
        }
        let row = state.rows.next()?;
        state.taken += 1;
        Some((state.taken - 1, row))
    }

    /// One more row is done with.
    pub fn done(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).done += 1;
        self.room.notify_all();
    }

    /// Hands out nothing more.
    pub fn stop(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.room.notify_all();
    }
}
