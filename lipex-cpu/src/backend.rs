//! The backend itself: the host's memory and, if asked for, several threads.
//!
//! # Threads
//! [`Cpu::with_threads`] makes a pool of rayon's. It shares out whole instances, folds or refits by [`Cpu::map`], whose
//! results come back in order, so that no sum depends on the number of threads. Arrays are plain vectors: an upload and a
//! download move or copy them, and neither fails.
//!
//! # Stopping
//! Work asks [`Watch::check`] between its pieces. With a pool the calling thread does none of the work and asks every 10 ms,
//! since a signal (Ctrl-C in Python, say) may be delivered to that thread alone.

use lipex_core::{Backend, Element, Error, Probabilities, Result, Watch, check_row, expect_len, normalise_row};
use rayon::prelude::*;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How often a caller whose threads are at work asks whether to go on.
const MEANWHILE: Duration = Duration::from_millis(10);

/// The CPU. One thread unless asked for more; results do not depend on their number.
///
/// ```
/// use lipex_cpu::Cpu;
///
/// assert_eq!(Cpu::new().threads(), 1);
/// assert!(Cpu::with_threads(0).is_err());
/// ```
#[derive(Clone, Default)]
pub struct Cpu {
    /// The threads; `None` for the caller's alone.
    pool: Option<Arc<rayon::ThreadPool>>,
    /// The callbacks of the run under way.
    watch: Watch,
}

impl fmt::Debug for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cpu({} threads)", self.threads())
    }
}

impl Cpu {
    /// The CPU with one thread: the caller's.
    pub fn new() -> Self {
        Cpu::default()
    }

    /// The CPU with `threads` threads of its own; 1 uses the caller's.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0 or more than 1024, [`Error::Backend`] when the system gives no threads.
    pub fn with_threads(threads: usize) -> Result<Self> {
        match threads {
            0 | 1025.. => Err(Error::setting("threads", threads, "from 1 to 1024 threads")),
            1 => Ok(Cpu::default()),
            _ => {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .map_err(|e| Error::Backend { backend: "cpu", stage: "start", source: Box::new(e) })?;
                Ok(Cpu { pool: Some(Arc::new(pool)), watch: Watch::default() })
            }
        }
    }

    /// The number of threads.
    pub fn threads(&self) -> usize {
        self.pool.as_ref().map_or(1, |p| p.current_num_threads())
    }

    /// Applies `work` to 0…`count`, on every thread there is; results in order. Asks before each whether to go on.
    ///
    /// # Errors
    /// The first error in order.
    pub(crate) fn map<T: Send>(&self, count: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
        let work = |i| self.watch.check().and_then(|()| work(i));
        match &self.pool {
            Some(pool) if count > 1 => {
                let all = || (0..count).into_par_iter().map(work).collect::<Vec<Result<T>>>();
                // A thread of the pool that waited for others would be one less to do the work.
                let here = pool.current_thread_index().is_some() || !self.watch.can_stop();
                let all = if here { pool.install(all) } else { self.asking_meanwhile(pool, all) };
                all.into_iter().collect()
            }
            _ => (0..count).map(work).collect(),
        }
    }

    /// Does `work` in the pool while the caller's thread goes on asking: some signals reach that thread alone.
    fn asking_meanwhile<T: Send>(&self, pool: &rayon::ThreadPool, work: impl FnOnce() -> Vec<T> + Send) -> Vec<T> {
        let (done, wait) = mpsc::channel();
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                // The receiver lives as long as the scope.
                let _ = done.send(work());
            });
            loop {
                match wait.recv_timeout(MEANWHILE) {
                    Ok(all) => return all,
                    // The threads see what was answered.
                    Err(RecvTimeoutError::Timeout) => drop(self.watch.check()),
                    // The work has panicked, and so does the scope.
                    Err(RecvTimeoutError::Disconnected) => return Vec::new(),
                }
            }
        })
    }
}

impl Backend for Cpu {
    type Buffer<T: Element> = Vec<T>;

    fn name(&self) -> &'static str {
        "cpu"
    }

    fn host_threads(&self) -> usize {
        self.threads()
    }

    fn watch(&self) -> &Watch {
        &self.watch
    }

    fn watched(self, watch: Watch) -> Self {
        Cpu { watch, ..self }
    }

    fn upload<T: Element>(&self, host: Vec<T>) -> Result<Vec<T>> {
        Ok(host)
    }

    fn download<T: Element>(&self, buffer: &Vec<T>) -> Result<Vec<T>> {
        Ok(buffer.clone())
    }

    fn zeros<T: Element>(&self, len: usize) -> Result<Vec<T>> {
        Ok(vec![T::zeroed(); len])
    }

    fn len<T: Element>(&self, buffer: &Vec<T>) -> usize {
        buffer.len()
    }

    fn gather<T: Element>(&self, rows: &Vec<T>, width: usize, index: &[u32]) -> Result<Vec<T>> {
        let count = rows.len().checked_div(width).unwrap_or(0);
        let mut out = Vec::with_capacity(index.len() * width);
        for &i in index {
            let i = i as usize;
            if i >= count {
                return Err(Error::shape("rows to gather from (more than the index)", i + 1, count));
            }
            out.extend_from_slice(&rows[i * width..(i + 1) * width]);
        }
        Ok(out)
    }

    fn place<T: Element>(&self, part: &Vec<T>, whole: &mut Vec<T>, width: usize, at: usize) -> Result<()> {
        let (start, end) = (at * width, at * width + part.len());
        if end > whole.len() {
            return Err(Error::shape("numbers in the array placed into (at least)", end, whole.len()));
        }
        whole[start..end].copy_from_slice(part);
        Ok(())
    }

    fn check(&self, probabilities: &Probabilities<Self>) -> Result<()> {
        expect_len("probabilities", probabilities.rows() * probabilities.classes(), probabilities.values().len())?;
        (0..probabilities.rows()).try_for_each(|i| check_row(i, probabilities.row(i)))
    }

    /// Each row divided by its sum, in f64, then rounded to f32; see [`normalise_row`](lipex_core::normalise_row).
    fn normalise(&self, probabilities: Probabilities<Self>) -> Result<Probabilities<Self>> {
        let (rows, classes) = (probabilities.rows(), probabilities.classes());
        expect_len("probabilities", rows * classes, probabilities.values().len())?;
        let (mut values, mut sums_off) = (Vec::with_capacity(rows * classes), 0.0f64);
        for i in 0..rows {
            let mut row: Vec<f64> = probabilities.row(i).iter().map(|&v| f64::from(v)).collect();
            sums_off = sums_off.max(normalise_row(i, &mut row)?);
            values.extend(row.into_iter().map(|v| v as f32));
        }
        Ok(Probabilities::new(self, rows, classes, values)?.checked(sums_off))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_gathered_and_placed() {
        let on = Cpu::new();
        let rows = vec![1u32, 2, 3, 4, 5, 6];
        assert_eq!(on.gather(&rows, 2, &[2, 0, 2]).unwrap(), [5, 6, 1, 2, 5, 6]);
        assert!(on.gather(&rows, 2, &[3]).is_err());
        let mut whole = vec![0u32; 6];
        on.place(&vec![7, 8], &mut whole, 2, 1).unwrap();
        assert_eq!(whole, [0, 0, 7, 8, 0, 0]);
        assert!(on.place(&vec![7, 8], &mut whole, 2, 3).is_err());
    }

    #[test]
    fn threads_are_checked_and_keep_the_order() {
        assert!(Cpu::with_threads(0).is_err());
        let two = Cpu::with_threads(2).unwrap();
        assert_eq!(two.threads(), 2);
        assert_eq!(two.map(100, Ok).unwrap(), (0..100).collect::<Vec<_>>());
        let failed = two.map(10, |i| if i >= 4 { Err(Error::setting("i", i, "")) } else { Ok(i) });
        assert!(failed.unwrap_err().to_string().starts_with("i = 4"));
    }

    #[test]
    fn work_stops_when_told_and_a_caller_asks_on_its_own_thread() {
        let caller = std::thread::current().id();
        let here_only = move || std::thread::current().id() == caller;
        let stopped = Cpu::with_threads(2).unwrap().watched(Watch::new(Some(Arc::new(here_only)), None));
        // Each piece goes on until the line is cut, which only the caller's thread does.
        let piece = |_| -> Result<()> {
            loop {
                stopped.watch().check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        };
        assert!(matches!(stopped.map(4, piece), Err(Error::Interrupted)));
        let going = Cpu::with_threads(2).unwrap().watched(Watch::new(Some(Arc::new(|| false)), None));
        assert_eq!(going.map(100, Ok).unwrap(), (0..100).collect::<Vec<_>>());
        let one = Cpu::new().watched(Watch::new(Some(Arc::new(|| true)), None));
        assert!(matches!(one.map(1, Ok), Err(Error::Interrupted)));
    }
}
