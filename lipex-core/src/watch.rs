//! The callbacks of a run: whether to go on, and how far it is.

use crate::error::{Error, Result};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a run is doing.
///
/// ```
/// use lipex_core::Stage;
///
/// assert_eq!(Stage::Predict.name(), "predict"); // most of the time, with a model that takes any
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Asking the black box; counted in distinct inputs.
    Predict,
    /// Choosing features; counted in instances.
    Select,
    /// Fitting; counted in fits.
    Fit,
    /// Measuring fidelity; counted in refits.
    Evaluate,
    /// Error bars; counted in refits.
    Uncertainty,
    /// Searching a rule; counted in masks that are asked for, of which there may be fewer than the total in the end.
    Search,
}

impl Stage {
    /// The name that reports use.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Predict => "predict",
            Stage::Select => "select",
            Stage::Fit => "fit",
            Stage::Evaluate => "evaluate",
            Stage::Uncertainty => "uncertainty",
            Stage::Search => "search",
        }
    }
}

/// How far a run is in one of its stages: `done` of `total`, which is at least 1 and known from the start of the stage.
///
/// A run that adds masks comes to a stage more than once.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use std::sync::{Arc, Mutex};
///
/// let told = Arc::new(Mutex::new(Vec::new()));
/// let bar = told.clone();
/// lipex().watch(move |at| bar.lock().unwrap().push(at)).explain(&text, &model)?;
/// let told = told.lock().unwrap();
/// assert!(told.iter().all(|at| at.done <= at.total && at.total >= 1));
/// assert_eq!(told[0].stage, lipex::Stage::Predict);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// What is done of it, from 0 to `total`.
    pub done: usize,
    /// What there is to do; a front end may draw a bar of this length.
    pub total: usize,
}

/// Whether a run is to stop.
pub(crate) type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;
/// Takes how far a run is.
pub(crate) type Listener = Arc<dyn Fn(Progress) + Send + Sync>;

/// The callbacks of whoever started a run. The backend carries them, so that every stage can [`check`](Watch::check) whether to go
/// on, and count what it has done.
///
/// Cheap to clone: clones share the callbacks. Without a listener every call returns at once.
///
/// ```
/// use lipex_core::{Error, Watch};
/// use std::sync::Arc;
///
/// let stopped = Watch::new(Some(Arc::new(|| true)), None);
/// assert!(matches!(stopped.check(), Err(Error::Interrupted)));
/// assert!(Watch::default().check().is_ok());
/// ```
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Callbacks>>);

struct Callbacks {
    interrupt: Option<Interrupt>,
    progress: Option<Listener>,
    /// Once a run is told to stop, all of its threads are.
    stopped: AtomicBool,
    at: Mutex<Option<Progress>>,
}

/// For backends that carry none.
static NONE: Watch = Watch(None);

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(a listener)" } else { "Watch(nobody)" })
    }
}

impl Watch {
    /// The callbacks of one run.
    pub fn new(
        interrupt: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
        progress: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    ) -> Self {
        if interrupt.is_none() && progress.is_none() {
            return Watch(None);
        }
        let (stopped, at) = (AtomicBool::new(false), Mutex::new(None));
        Watch(Some(Arc::new(Callbacks { interrupt, progress, stopped, at })))
    }

    /// No callbacks: nothing stops the run and nobody is told how far it is.
    pub fn none() -> &'static Self {
        &NONE
    }

    /// Passes unless the run is to stop. Work between two calls should take a few milliseconds at most.
    ///
    /// # Errors
    /// [`Error::Interrupted`], from the first time on that the run is told to stop.
    pub fn check(&self) -> Result<()> {
        let Some(Callbacks { interrupt: Some(interrupt), stopped, .. }) = self.0.as_deref() else { return Ok(()) };
        if stopped.load(Ordering::Relaxed) || interrupt() {
            stopped.store(true, Ordering::Relaxed);
            return Err(Error::Interrupted);
        }
        Ok(())
    }

    /// Whether anybody may stop the run.
    pub fn can_stop(&self) -> bool {
        self.0.as_ref().is_some_and(|callbacks| callbacks.interrupt.is_some())
    }

    /// A stage begins, of which `total` pieces are to be done.
    pub fn begin(&self, stage: Stage, total: usize) {
        self.tell(|_| Some(Progress { stage, done: 0, total: total.max(1) }));
    }

    /// The stage under way has `more` pieces than it was said to have.
    pub fn extend(&self, more: usize) {
        self.tell(|at| at.map(|p| Progress { total: p.total + more, ..p }));
    }

    /// Another piece of the stage under way is done.
    pub fn advance(&self, pieces: usize) {
        self.tell(|at| at.map(|p| Progress { done: (p.done + pieces).min(p.total), ..p }));
    }

    /// All of the stage under way is done.
    pub fn finish(&self) {
        self.tell(|at| at.map(|p| Progress { done: p.total, ..p }));
    }

    fn tell(&self, next: impl FnOnce(Option<Progress>) -> Option<Progress>) {
        let Some(Callbacks { progress: Some(progress), at, .. }) = self.0.as_deref() else { return };
        // Held while it is told, so that a listener never sees the count go back.
        let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next(*at);
        if next != *at {
            *at = next;
            next.into_iter().for_each(|at| progress(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_stopped_it_stays_so() {
        // Only the second question is answered with yes.
        let asked = Arc::new(Mutex::new(0));
        let count = Arc::clone(&asked);
        let second = move || {
            let mut asked = count.lock().unwrap();
            *asked += 1;
            *asked == 2
        };
        let watch = Watch::new(Some(Arc::new(second)), None);
        assert!(watch.can_stop() && watch.check().is_ok());
        assert!((0..3).all(|_| matches!(watch.clone().check(), Err(Error::Interrupted))));
        assert_eq!(*asked.lock().unwrap(), 2);
        assert!(!Watch::none().can_stop() && Watch::none().check().is_ok());
    }

    #[test]
    fn progress_has_an_end_and_never_goes_back() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&told);
        let watch = Watch::new(None, Some(Arc::new(move |p: Progress| list.lock().unwrap().push((p.done, p.total)))));
        watch.advance(1);
        watch.begin(Stage::Fit, 2);
        watch.advance(1);
        watch.extend(1);
        watch.advance(5);
        watch.finish();
        watch.begin(Stage::Evaluate, 0);
        watch.finish();
        assert_eq!(*told.lock().unwrap(), [(0, 2), (1, 2), (1, 3), (3, 3), (0, 1), (1, 1)]);
    }
}
