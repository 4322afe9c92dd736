//! How far a batch is, on standard error: a line that is written over on a terminal, else one every half minute.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

pub struct Progress {
    quiet: bool,
    terminal: bool,
    start: Instant,
    told: Instant,
    /// Rows that were done before.
    before: usize,
    total: usize,
}

impl Progress {
    pub fn new(quiet: bool, before: usize, total: usize) -> Self {
        let now = Instant::now();
        Progress { quiet, terminal: std::io::stderr().is_terminal(), start: now, told: now, before, total }
    }

    /// Tells, if it is time to.
    pub fn tell(&mut self, done: usize, failed: usize) {
        let pause = if self.terminal { Duration::from_millis(200) } else { Duration::from_secs(30) };
        if self.quiet || self.told.elapsed() < pause {
            return;
        }
        self.told = Instant::now();
        let line = line(done, self.total, failed, done.saturating_sub(self.before), self.start.elapsed());
        // A line that cannot be shown is no reason to fail.
        let _ = match self.terminal {
            true => write!(std::io::stderr(), "\r{line}\x1b[K"),
            false => writeln!(std::io::stderr(), "{line}"),
        };
    }

    /// Clears the line.
    pub fn end(&self) {
        if self.terminal && !self.quiet {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// `own` of the rows were done in `spent`.
fn line(done: usize, total: usize, failed: usize, own: usize, spent: Duration) -> String {
    let speed = own as f64 / spent.as_secs_f64().max(1e-3);
    let left = (total - done.min(total)) as f64 / speed;
    let failures = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    let time = if own > 0 { format!(", {speed:.1} a second, {} left", time(left)) } else { String::new() };
    format!("{done} of {total} rows{failures}{time}")
}

/// Seconds as a person says them.
fn time(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..120 => format!("{whole} s"),
        120..7200 => format!("{} min", whole / 60),
        _ => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end() {
        let ten = Duration::from_secs(10);
        assert_eq!(line(150, 1150, 0, 100, ten), "150 of 1150 rows, 10.0 a second, 100 s left");
        assert_eq!(line(150, 1150, 3, 50, ten), "150 of 1150 rows, 3 failed, 5.0 a second, 3 min left");
        assert_eq!(line(50, 90, 0, 0, ten), "50 of 90 rows");
        assert_eq!(time(9000.0), "2 h 30 min");
    }
}
