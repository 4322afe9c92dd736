//! Ctrl-C while the library works.
//!
//! Python notes a signal and runs its handler on the main thread, when that asks. The library asks whether to go on from the
//! thread that called, some thousand times a second; every 20 ms of those Python is asked.

use lipex::Error;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Between two questions to Python, each of which takes its lock.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks Python whether a run is to stop.
#[derive(Clone)]
pub struct Stop {
    /// The thread that called, the only one that runs handlers and calls models.
    caller: ThreadId,
    asked: Arc<Mutex<Asked>>,
}

struct Asked {
    at: Instant,
    /// What a handler raised.
    raised: Option<PyErr>,
}

impl Stop {
    /// For a run of the thread that calls this.
    pub fn new() -> Self {
        Stop { caller: thread::current().id(), asked: Arc::new(Mutex::new(Asked { at: Instant::now(), raised: None })) }
    }

    /// Whether a signal's handler has raised. Threads of a pool are stopped by the one that called.
    pub fn is_asked(&self) -> bool {
        if thread::current().id() != self.caller {
            return false;
        }
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.raised.is_some() {
            return true;
        }
        if asked.at.elapsed() < PAUSE {
            return false;
        }
        asked.at = Instant::now();
        asked.raised = Python::attach(|py| py.check_signals()).err();
        asked.raised.is_some()
    }

    /// The exception for a run's error: what the handler raised where that stopped the run.
    pub fn raise(&self, error: Error) -> PyErr {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match (error, asked.raised.take()) {
            (Error::Interrupted, Some(raised)) => raised,
            (error, _) => crate::errors::raise(error),
        }
    }
}
