//! Threads that run a graph side by side, each with batches of its own.

use lipex_core::{Error, Result, Watch};
use rten::ThreadPool;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Threads of the library, one a worker.
pub(crate) struct Workers {
    pools: Vec<Arc<ThreadPool>>,
    /// What the machine is to do at once.
    threads: usize,
}

impl Workers {
    /// So many threads, of which `calls` call the graph; each of these has a pool of one thread.
    pub fn new(threads: usize, calls: usize) -> Self {
        let pools = (0..calls.max(1)).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect();
        Workers { pools, threads: threads.max(1) }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The first worker's threads, for one call alone.
    pub fn first(&self) -> &Arc<ThreadPool> {
        &self.pools[0]
    }

    /// What `work` makes of each of `count` pieces, in order. Workers take the next piece when they are done with one; the
    /// caller's thread is one of them, and alone asks whether to go on.
    ///
    /// # Errors
    /// [`Error::Interrupted`], or the first failure by the pieces' order.
    pub fn each<T: Send>(
        &self,
        count: usize,
        watch: &Watch,
        work: impl Fn(usize, &Arc<ThreadPool>) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(usize::MAX));
        let done: Mutex<Vec<(usize, Result<T>)>> = Mutex::new(Vec::with_capacity(count));
        let run = |pool: &Arc<ThreadPool>, go_on: &dyn Fn() -> Result<()>| {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= count || failed.load(Ordering::Relaxed) < i {
                    return;
                }
                let made = go_on().and_then(|()| work(i, pool));
                if made.is_err() {
                    failed.fetch_min(i, Ordering::Relaxed);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((i, made));
            }
        };
        std::thread::scope(|scope| {
            for pool in self.pools.iter().skip(1).take(count.saturating_sub(1)) {
                scope.spawn(|| run(pool, &|| Ok(())));
            }
            run(self.first(), &|| watch.check());
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(i, _)| *i);
        let made: Vec<T> = done.into_iter().map(|(_, made)| made).collect::<Result<_>>()?;
        if made.len() == count { Ok(made) } else { Err(Error::model("a thread of the model failed")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order_and_the_first_failure_counts() {
        let workers = Workers::new(3, 3);
        let nobody = Watch::none();
        assert_eq!(workers.each(100, nobody, |i, _| Ok(i * i)).unwrap(), (0..100).map(|i| i * i).collect::<Vec<_>>());
        let failed =
            workers.each(100, nobody, |i, _| if i % 30 == 29 { Err(Error::model(format!("at {i}"))) } else { Ok(()) });
        assert_eq!(failed.unwrap_err().to_string(), "the model failed: at 29");
        assert!(workers.each(0, nobody, |_, _| Ok(())).unwrap().is_empty());
        let stopped = Watch::new(Some(Arc::new(|| true)), None);
        assert!(matches!(Workers::new(1, 1).each(2, &stopped, |_, _| Ok(())), Err(Error::Interrupted)));
    }
}
