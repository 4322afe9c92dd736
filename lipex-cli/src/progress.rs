//! How far a slow run is: a bar on standard error, and only where that is a terminal.

use lipex::{Backend, Explainer, Progress, Stage, Watch};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nothing is shown of a run that has needed no longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two changes of the line.
const PAUSE: Duration = Duration::from_millis(100);
/// Cells of the bar.
const CELLS: usize = 20;

/// The explainer with a bar for its runs where standard error is a terminal. The bar is gone with the explainer.
pub fn watched<B: Backend>(explainer: Explainer<B>) -> Explainer<B> {
    match bar() {
        Some(bar) => explainer.watch(bar),
        None => explainer,
    }
}

/// The same for what a backend runs without an explainer.
pub fn on<B: Backend>(backend: B) -> B {
    match bar() {
        Some(bar) => backend.watched(Watch::new(None, Some(Arc::new(bar)))),
        None => backend,
    }
}

/// A bar that is drawn on standard error; `None` where that is no terminal.
fn bar() -> Option<impl Fn(Progress) + Send + Sync + 'static> {
    let error = std::io::stderr();
    let line = error.is_terminal().then(|| Mutex::new(Line::new(Box::new(error), PATIENCE)))?;
    Some(move |progress| line.lock().unwrap_or_else(PoisonError::into_inner).tell(progress))
}

struct Line {
    to: Box<dyn Write + Send>,
    patience: Duration,
    start: Instant,
    /// The stage under way, since when, and how much of it was done then.
    stage: Option<(Stage, Instant)>,
    written: Option<Instant>,
}

impl Line {
    fn new(to: Box<dyn Write + Send>, patience: Duration) -> Self {
        Line { to, patience, start: Instant::now(), stage: None, written: None }
    }

    fn tell(&mut self, progress: Progress) {
        let Progress { stage, done, total } = progress;
        let since = match self.stage {
            Some((before, since)) if before == stage && done > 0 => since,
            _ => Instant::now(),
        };
        self.stage = Some((stage, since));
        if self.start.elapsed() < self.patience || self.written.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        let full = CELLS * done / total.max(1);
        let bar = "█".repeat(full) + &"░".repeat(CELLS - full);
        // A line that cannot be shown is no reason to fail.
        // How long a search takes is not known.
        let left = if stage == Stage::Search { String::new() } else { left(since.elapsed(), done, total) };
        let _ = write!(self.to, "\r{} {bar} {done} of {total}{left}\x1b[K", name(stage));
        let _ = self.to.flush();
        self.written = Some(Instant::now());
    }
}

/// What is being done, and what is counted.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Predict => "asking the model",
        Stage::Select => "selecting",
        Stage::Fit => "fitting",
        Stage::Evaluate => "measuring fidelity",
        Stage::Uncertainty => "error bars",
        Stage::Search => "searching a rule, at most",
        other => other.name(),
    }
}

/// Seconds that are left if the rest goes as fast as what is done.
fn left(spent: Duration, done: usize, total: usize) -> String {
    if done == 0 {
        return String::new();
    }
    let seconds = spent.as_secs_f64() * (total - done) as f64 / done as f64;
    format!(", {seconds:.0} s left")
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.written.is_some() {
            let _ = write!(self.to, "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(patience: Duration) -> String {
        let screen = Screen::default();
        let mut line = Line::new(Box::new(screen.clone()), patience);
        line.tell(Progress { stage: Stage::Predict, done: 10, total: 40 });
        // Too soon after the first to be shown.
        line.tell(Progress { stage: Stage::Predict, done: 20, total: 40 });
        drop(line);
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_slow_run_has_a_bar_with_an_end_and_the_line_goes_away() {
        let bar = "█████░░░░░░░░░░░░░░░";
        assert_eq!(shown(Duration::ZERO), format!("\rasking the model {bar} 10 of 40, 0 s left\x1b[K\r\x1b[K"));
        assert_eq!(shown(Duration::from_secs(3600)), "");
        assert_eq!(left(Duration::from_secs(10), 25, 100), ", 30 s left");
        assert_eq!(left(Duration::from_secs(10), 0, 100), "");
    }
}
