//! How far a slow model is: on standard error, and only where that is a terminal.

use lipex::{Backend, BlackBox, Probabilities, Result};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Nothing is shown of a model that has needed no longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two changes of the line.
const PAUSE: Duration = Duration::from_millis(100);

/// A model, and a line that counts its answers while it is at work. The line is gone with this value.
pub struct Watched<'a, B: Backend, Batch> {
    model: &'a dyn BlackBox<B, Batch>,
    line: Option<Mutex<Line>>,
}

struct Line {
    to: Box<dyn Write + Send>,
    patience: Duration,
    start: Instant,
    answers: usize,
    written: Option<Instant>,
}

impl<'a, B: Backend, Batch> Watched<'a, B, Batch> {
    pub fn new(model: &'a dyn BlackBox<B, Batch>) -> Self {
        let error = std::io::stderr();
        let to: Option<Box<dyn Write + Send>> = if error.is_terminal() { Some(Box::new(error)) } else { None };
        Self::on(model, to, PATIENCE)
    }

    fn on(model: &'a dyn BlackBox<B, Batch>, to: Option<Box<dyn Write + Send>>, patience: Duration) -> Self {
        let line = |to| Mutex::new(Line { to, patience, start: Instant::now(), answers: 0, written: None });
        Watched { model, line: to.map(line) }
    }
}

impl<B: Backend, Batch> BlackBox<B, Batch> for Watched<'_, B, Batch> {
    fn labels(&self) -> &[String] {
        self.model.labels()
    }

    fn largest_batch(&self, usual: usize) -> usize {
        self.model.largest_batch(usual)
    }

    fn predict(&self, on: &B, batch: &Batch, out: &mut Probabilities<B>) -> Result<()> {
        self.model.predict(on, batch, out)?;
        if let Some(line) = &self.line {
            line.lock().unwrap_or_else(PoisonError::into_inner).count(out.rows());
        }
        Ok(())
    }
}

impl Line {
    fn count(&mut self, answers: usize) {
        self.answers += answers;
        let seconds = self.start.elapsed();
        if seconds < self.patience || self.written.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        // A line that cannot be shown is no reason to fail.
        let _ = write!(self.to, "\r{} answers of the model, {} s\x1b[K", self.answers, seconds.as_secs());
        let _ = self.to.flush();
        self.written = Some(Instant::now());
    }
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
    use lipex::{Cpu, TextFn, Texts};
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
        let (screen, on) = (Screen::default(), Cpu::new());
        let model = TextFn::new(["no", "yes"], |texts: &[&str]| vec![[0.5, 0.5]; texts.len()]);
        let watched = Watched::<Cpu, Texts>::on(&model, Some(Box::new(screen.clone())), patience);
        let batch = Texts::from(vec!["a".to_string(); 3]);
        let mut out = Probabilities::new(&on, 3, 2, vec![0.0; 6]).unwrap();
        watched.predict(&on, &batch, &mut out).unwrap();
        assert_eq!((watched.labels(), out.row(2)), (["no".to_string(), "yes".into()].as_slice(), &[0.5, 0.5][..]));
        drop(watched);
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_slow_model_is_counted_and_the_line_goes_away() {
        assert_eq!(shown(Duration::ZERO), "\r3 answers of the model, 0 s\x1b[K\r\x1b[K");
        assert_eq!(shown(Duration::from_secs(3600)), "");
    }
}
