//! A batch from its start, or from where it was, to its end.

use super::input::{Columns, Input, Rows};
use super::instances::{Job, Kind, Outcome, Photos, Worker};
use super::journal::{Former, Journal};
use super::progress::Progress;
use super::queue::Queue;
use super::report;
use super::write::{self, Format};
use crate::options::BatchOptions;
use crate::output::{Target, Targets};
use crate::staging::Staging;
use crate::words::Words;
use lipex::{BATCH_SCHEMA, Error, Result, Summary, summary_to_html};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Rows failed.
const FAILED: u8 = 4;
/// Interrupted, as shells say it.
const INTERRUPTED: u8 = 130;
/// How many supports of a row count as those that hold its class up most.
const TOP: usize = 5;
/// Rows that a worker may be ahead by.
const AHEAD: usize = 8;

/// Runs, and gives the exit code.
pub fn run(options: &BatchOptions) -> Result<u8> {
    let format = Format::of(&options.out)?;
    let Target::File(out) = Target::new("out", &options.out)? else {
        return Err(Error::setting(
            "out",
            &options.out,
            "give the name of a file: a run that is killed goes on beside it",
        ));
    };
    let targets = Targets::new([("html", options.html.as_ref())])?;
    let job = job(options)?;
    let columns = Columns {
        text: options.text_column.clone(),
        image: options.image_column.clone(),
        id: options.id_column.clone(),
    };
    let input = Input::open(&options.file, options.format.as_deref(), &columns)?;
    let rows = shard(options.shard.as_deref(), input.rows)?;
    let mut journal = open_journal(options, &out, &header(&job, &input), rows.clone())?;
    let pending = pending(options, &journal, rows);
    if !pending.is_empty()
        && let Some(code) = work(&job, &input, pending, &mut journal)?
    {
        return Ok(code);
    }
    journal.sync()?;
    let summary = write::table(&journal, &out, format, Summary::new(TOP))?;
    let words = matches!(job.kind, Kind::Texts(_));
    let mut staged = Staging::default();
    let title = format!("Explanations of {}", options.file);
    targets.stage(&mut staged, |_| Ok(summary_to_html(&summary, &title, words).into_bytes()))?;
    if !targets.take_standard_output() {
        staged.report(&report::told(&summary, words));
    }
    staged.commit()?;
    if summary.failed() > 0 {
        return Ok(FAILED);
    }
    journal.remove()?;
    Ok(0)
}

fn job(options: &BatchOptions) -> Result<Job<'_>> {
    if options.model.answers.is_some() {
        let reason = "a batch keeps what it has done in its journal; leave it out";
        return Err(Error::setting("answers", "a file", reason));
    }
    if options.workers == 0 {
        return Err(Error::setting("workers", 0, "at least 1"));
    }
    let is_images = options.image_column.is_some() || PathBuf::from(&options.file).is_dir();
    let of_photos =
        [("segments", &options.segments), ("baseline", &options.baseline), ("background", &options.background)];
    let stray = of_photos.iter().find(|(_, value)| !is_images && value.is_some());
    if let Some((name, Some(value))) = stray {
        return Err(Error::setting(*name, value, "is for photos: give a folder of them, or --image-column"));
    }
    let settings = options.settings.settings()?;
    let kind = match is_images {
        true => Kind::Photos(Photos::read(options)?),
        false => Kind::Texts(Words::read(&options.words, &settings)?),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = crate::explain::threads(&settings).unwrap_or((cores / options.workers).max(1));
    Ok(Job { options, settings, kind, threads, stop: Arc::new(AtomicBool::new(false)) })
}

/// Part I of N of the rows.
fn shard(value: Option<&str>, rows: u64) -> Result<Range<u64>> {
    let Some(value) = value else { return Ok(0..rows) };
    let read = value.split_once('/').and_then(|(i, n)| Some((i.parse::<u64>().ok()?, n.parse::<u64>().ok()?)));
    let (i, n) = read
        .filter(|(i, n)| (1..=*n).contains(i))
        .ok_or_else(|| Error::setting("shard", value, "a part and a number of parts, from 1/N to N/N"))?;
    let cut = |i: u64| (u128::from(rows) * u128::from(i) / u128::from(n)) as u64;
    match cut(i - 1)..cut(i) {
        part if part.is_empty() => Err(Error::setting("shard", value, format!("has no row: there are {rows}"))),
        part => Ok(part),
    }
}

/// What the run is, on one line: whatever its rows depend on.
fn header(job: &Job<'_>, input: &Input) -> String {
    let (options, model) = (job.options, &job.options.model);
    let mut settings: Vec<(String, String)> =
        job.settings.given().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    settings.retain(|(name, _)| name != "threads");
    let more = match &job.kind {
        Kind::Texts(words) => Some(("ignore-words".to_string(), words.ignored())),
        Kind::Photos(_) => None,
    };
    settings.extend(more);
    let given = [
        ("text-column", options.text_column.clone()),
        ("image-column", options.image_column.clone()),
        ("id-column", options.id_column.clone()),
        ("segments", options.segments.clone()),
        ("baseline", options.baseline.clone()),
        ("background", options.background.clone()),
        ("tokenizer", model.tokenizer.clone()),
        ("labels", model.labels.clone()),
        ("output", model.output.clone()),
        ("max-tokens", model.max_tokens.map(|n| n.to_string())),
        ("sigmoid", model.sigmoid.then(|| "true".to_string())),
    ];
    settings.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?))));
    let settings: serde_json::Map<String, serde_json::Value> =
        settings.into_iter().map(|(name, value)| (name, value.into())).collect();
    let header = serde_json::json!({
        "schema": BATCH_SCHEMA,
        "version": env!("CARGO_PKG_VERSION"),
        "rows": input.rows,
        "sha256": input.sha256,
        "shard": options.shard,
        "model": model.model.as_deref().unwrap_or("demo"),
        "settings": settings,
    });
    header.to_string()
}

fn open_journal(options: &BatchOptions, out: &std::path::Path, header: &str, rows: Range<u64>) -> Result<Journal> {
    let path = write::journal_of(out);
    let refuse = |reason: &str| Err(Error::setting("out", &options.out, reason));
    if !path.exists() {
        if options.retry_failed {
            return refuse("no run before this one has failed rows: there is no journal beside it");
        }
        if out.exists() && !options.restart {
            return refuse("is there already: --restart writes it anew, or give another");
        }
    }
    let former = if options.restart { Former::Restart } else { Former::GoOn };
    Journal::open(&path, header, rows, former)
}

/// The rows that are to be explained.
fn pending(options: &BatchOptions, journal: &Journal, rows: Range<u64>) -> BTreeSet<u64> {
    let wanted = |row: &u64| !journal.has(*row) || (options.retry_failed && journal.failed(*row));
    rows.filter(wanted).collect()
}

/// Explains the rows that are left; an exit code where the run ends before its end.
fn work(job: &Job<'_>, input: &Input, pending: BTreeSet<u64>, journal: &mut Journal) -> Result<Option<u8>> {
    // What is wrong with the model is told before any row is tried.
    let first = Worker::new(job, Some(job.open()?))?;
    listen(&job.stop)?;
    let workers = job.options.workers;
    let rows: Rows = Box::new(input.read()?.filter(move |row| pending.contains(&row.number)));
    let queue = Queue::new(rows, AHEAD * workers);
    std::thread::scope(|scope| {
        let (to, from) = mpsc::channel();
        let (queue, sender) = (&queue, to.clone());
        scope.spawn(move || serve(first, queue, &sender));
        for _ in 1..workers {
            let to = to.clone();
            scope.spawn(move || {
                // The same was made a moment ago.
                if let Ok(worker) = Worker::new(job, None) {
                    serve(worker, queue, &to);
                }
            });
        }
        drop(to);
        let done = Committer::new(job, journal).all(&from, queue);
        queue.stop();
        done
    })
}

fn serve(mut worker: Worker<'_>, queue: &Queue, to: &Sender<(usize, Outcome)>) {
    while let Some((place, row)) = queue.take() {
        if to.send((place, worker.work(row))).is_err() {
            return;
        }
    }
}

/// Ctrl-C and its like set the flag; a second one ends the program at once.
fn listen(stop: &Arc<AtomicBool>) -> Result<()> {
    use signal_hook::{consts, flag};
    for signal in [consts::SIGINT, consts::SIGTERM] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), stop.clone())
            .and_then(|_| flag::register(signal, stop.clone()))
            .map_err(|e| Error::setting("batch", "signals", e.to_string()))?;
    }
    Ok(())
}

/// Puts rows into the journal in the order of the table.
struct Committer<'a> {
    job: &'a Job<'a>,
    journal: &'a mut Journal,
    progress: Progress,
    /// Rows that came before their turn.
    early: BTreeMap<usize, Outcome>,
    next: usize,
    /// Rows at which a program failed, since the last at which it did not: it may be the program that is to blame.
    held: Vec<Outcome>,
    failures: usize,
}

impl<'a> Committer<'a> {
    fn new(job: &'a Job<'a>, journal: &'a mut Journal) -> Self {
        let total = journal.rows();
        let progress = Progress::new(job.options.quiet, journal.done(), total);
        Committer { job, journal, progress, early: BTreeMap::new(), next: 0, held: Vec::new(), failures: 0 }
    }

    fn all(mut self, from: &Receiver<(usize, Outcome)>, queue: &Queue) -> Result<Option<u8>> {
        loop {
            if self.job.stop.load(Ordering::Relaxed) {
                return self.interrupted();
            }
            self.progress.tell(self.journal.done(), self.journal.failures());
            match from.recv_timeout(Duration::from_millis(100)) {
                Ok((place, outcome)) => drop(self.early.insert(place, outcome)),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(outcome) = self.early.remove(&self.next) {
                // A program that was interrupted with this one fails a moment before that is known here.
                if outcome.died {
                    std::thread::sleep(Duration::from_millis(20));
                }
                if self.job.stop.load(Ordering::Relaxed) {
                    return self.interrupted();
                }
                self.next += 1;
                queue.done();
                if let Some(code) = self.take(outcome)? {
                    return Ok(Some(code));
                }
            }
        }
        let held = std::mem::take(&mut self.held);
        held.into_iter().try_for_each(|outcome| self.add(&outcome))?;
        self.progress.end();
        Ok(None)
    }

    /// Takes the next row of the table.
    fn take(&mut self, outcome: Outcome) -> Result<Option<u8>> {
        if outcome.died {
            self.held.push(outcome);
            if self.held.len() > self.job.options.restarts {
                let times = self.held.len();
                let last = self.held.pop().and_then(|outcome| outcome.row.error).unwrap_or_default();
                self.progress.end();
                self.journal.sync()?;
                let last = last.trim_start_matches("the model failed: ").to_string();
                return Err(Error::model(format!("{last}; that was {times} times in a row; {}", self.goes_on())));
            }
            return Ok(None);
        }
        let held = std::mem::take(&mut self.held);
        for outcome in held.iter().chain([&outcome]) {
            self.add(outcome)?;
        }
        if self.job.options.max_failures.is_some_and(|most| self.failures >= most.max(1)) {
            self.progress.end();
            self.journal.sync()?;
            eprintln!("{} rows failed; {}", self.failures, self.goes_on());
            return Ok(Some(FAILED));
        }
        Ok(None)
    }

    fn add(&mut self, outcome: &Outcome) -> Result<()> {
        let failed = outcome.row.error.is_some();
        self.failures += usize::from(failed);
        self.journal.add(outcome.row.row, &outcome.row.to_json(), failed).inspect_err(|_| self.progress.end())
    }

    fn interrupted(self) -> Result<Option<u8>> {
        self.progress.end();
        self.journal.sync()?;
        eprintln!("interrupted: {}", self.goes_on());
        Ok(Some(INTERRUPTED))
    }

    fn goes_on(&self) -> String {
        format!("{} of {} rows are done; the same command goes on", self.journal.done(), self.journal.rows())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_whole() {
        for (rows, parts) in [(10, 3), (7, 7), (100, 1)] {
            let mut next = 0;
            for i in 1..=parts {
                let part = shard(Some(&format!("{i}/{parts}")), rows).unwrap();
                assert_eq!(part.start, next);
                next = part.end;
            }
            assert_eq!(next, rows);
        }
        for bad in ["0/3", "4/3", "1/0", "x/3", "3", "1/8"] {
            assert!(shard(Some(bad), 5).is_err(), "{bad}");
        }
        assert_eq!(shard(None, 5).unwrap(), 0..5);
    }
}
