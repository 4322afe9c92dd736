//! Any program as a black box: one long-lived process, JSON lines in and out.
//!
//! # Life of a process
//! It is started with the first question and kept; each batch is one line to it and one line back. A reply that is late
//! ([`CommandModel::timeout`]), broken or not a distribution ends the run with one line that names the program, what was wrong
//! and the end of its standard error. Dropped, it is told by the end of its input, then has a second, then a signal.
//!
//! # Threads
//! A model that several threads ask has its questions answered one after the other.

#[cfg(feature = "image")]
mod images;
mod pairs;
mod process;
mod protocol;
mod rows;

use lipex_core::{
    Backend, Batching, BlackBox, CheckedRows, Domain, Error, Outputs, Probabilities, Result, Texts, distinct_labels,
};
pub use pairs::PairAnswers;
use process::{Failure, Process};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A program that answers batches of texts, or of images, with probabilities, or, said so, with logits.
///
/// The program runs once, as long as this value lives, and is ended with it. It first writes one line with its labels,
/// then answers each line of texts or images with one line of rows; `docs/command-protocol.md` has the protocol. What it writes to
/// stderr is shown at the end of an error, and nowhere else.
///
/// ```no_run
/// use lipex::CommandModel;
/// use std::time::Duration;
///
/// let model = CommandModel::start("python3 predict.py --model 'my model'", Duration::from_secs(60))?;
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct CommandModel {
    /// The command line, as errors name it.
    command: String,
    /// Class names, in the order of the columns.
    labels: Vec<String>,
    /// What its numbers are, if it said so at the start.
    outputs: Option<Outputs>,
    /// How it wants images; `None` if it takes texts.
    images: Option<protocol::Coding>,
    rows: bool,
    /// What it says of two texts; `None` where it takes something else.
    pairs: Option<PairAnswers>,
    /// Whether batches may be filled across instances.
    batching: Batching,
    /// How long a reply may take.
    timeout: Duration,
    /// None once it has failed: what an ended or silent program would say next is no answer.
    process: Mutex<Option<Process>>,
}

impl fmt::Debug for CommandModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandModel").field("command", &self.command).field("labels", &self.labels).finish()
    }
}

/// Most time that a program may be given for one answer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

impl CommandModel {
    /// Starts a program and reads its labels.
    ///
    /// `command` is split into words as a POSIX shell does it, quotes and backslashes included, but no shell runs:
    /// variables, pipes and wildcards mean nothing. `timeout` is how long the program may be silent before its first line,
    /// and before each answer; above 0, at most a week.
    ///
    /// # Errors
    /// [`Error::Setting`] when the command is empty, cannot be split or cannot be started, or for such a timeout;
    /// [`Error::Model`] when the program ends, is silent for too long, or does not begin with its labels;
    /// [`Error::Shape`] for fewer than 2 labels.
    pub fn start(command: &str, timeout: Duration) -> Result<Self> {
        if timeout.is_zero() || timeout > LONGEST {
            let reason = format!("above 0 and at most {} seconds", LONGEST.as_secs());
            return Err(Error::setting("timeout", timeout.as_secs_f64(), reason));
        }
        let words = shlex::split(command).ok_or_else(|| refuse(command, "a quote or a backslash is left open"))?;
        let mut process = Process::start(&words).map_err(|e| match e {
            Some(e) => refuse(command, &format!("cannot start \"{}\": {e}", words[0])),
            None => refuse(command, "name a program, as in command:python3 predict.py"),
        })?;
        let command = process::clean(command);
        let name = process::head(&command, 60);
        let line = process.line(timeout).map_err(|f| failed(&mut process, &name, f, timeout, "its first line"))?;
        let header = protocol::header(&line).map_err(|reason| {
            let end = process.stop().stderr;
            Error::model(format!("\"{name}\": {reason}{end}"))
        })?;
        let pairs = PairAnswers::of(&header);
        let labels = header.labels.unwrap_or_default();
        if labels.len() < 2 && pairs.is_none_or(|pairs| pairs == PairAnswers::Classes) {
            let what = format!("labels of \"{name}\" (at least){}", process.stop().stderr);
            return Err(Error::shape(what, 2, labels.len()));
        }
        Ok(CommandModel {
            command: name,
            labels: distinct_labels(labels),
            outputs: header.outputs,
            images: header.images,
            rows: header.rows,
            pairs,
            batching: if header.alone { Batching::Free } else { Batching::default() },
            timeout,
            process: Mutex::new(Some(process)),
        })
    }

    /// What the program takes: rows or images if its first line says so, else texts.
    pub fn domain(&self) -> Domain {
        match self.images {
            _ if self.rows => Domain::Rows,
            Some(_) => Domain::Image,
            None => Domain::Text,
        }
    }

    /// What it says of two texts, if its first line has `"pairs": true` or `"embeddings": true`.
    pub fn pairs(&self) -> Option<PairAnswers> {
        self.pairs
    }

    /// The answer to a batch of `inputs`.
    fn ask(&self, request: String, inputs: usize) -> Result<CheckedRows> {
        self.with_process(|process| self.ask_process(process, request, inputs))
    }

    /// Talks to the program, unless it has failed before; a failure of the model is its last.
    fn with_process<T>(&self, talk: impl FnOnce(&mut Process) -> Result<T>) -> Result<T> {
        let mut guard = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(process) = guard.as_mut() else {
            return Err(Error::model(format!("\"{}\" has failed before", self.command)));
        };
        let answer = talk(process);
        if let Err(Error::Model(_)) = &answer {
            *guard = None;
        }
        answer
    }

    /// One request and its reply, checked row by row.
    fn ask_process(&self, process: &mut Process, request: String, inputs: usize) -> Result<CheckedRows> {
        let name = &self.command;
        let wanted = format!("the answer to a batch of {inputs}");
        let reply = process.ask(request, self.timeout).map_err(|f| failed(process, name, f, self.timeout, &wanted))?;
        let reply = protocol::reply(&reply, self.outputs).map_err(|reason| {
            let end = process.stop().stderr;
            Error::model(format!("\"{name}\": {reason}{end}"))
        })?;
        if reply.rows.len() != inputs {
            let what = format!("rows in the answer of \"{name}\"{}", process.stderr());
            return Err(Error::shape(what, inputs, reply.rows.len()));
        }
        let mut answer = CheckedRows::with_capacity(inputs, self.labels.len());
        for (i, row) in reply.rows.iter().enumerate() {
            let bad = |problem: String, process: &mut Process| Error::NotADistribution {
                row: i,
                problem: format!("{problem}{}", process.stderr()),
            };
            let row = protocol::numbers(row).map_err(|problem| bad(problem, process))?;
            if row.len() != self.labels.len() {
                let what = format!("numbers in row {i} of the answer of \"{name}\"{}", process.stderr());
                return Err(Error::shape(what, self.labels.len(), row.len()));
            }
            if let Err(Error::NotADistribution { problem, .. }) = answer.push(reply.outputs, row) {
                return Err(bad(problem, process));
            }
        }
        Ok(answer)
    }
}

impl<B: Backend> BlackBox<B, Texts> for CommandModel {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn batching(&self) -> Batching {
        self.batching
    }

    /// # Errors
    /// [`Error::Model`] when the program ends, is silent for too long, or writes anything but an answer;
    /// [`Error::Shape`] for a wrong number of rows or of numbers in a row; [`Error::NotADistribution`] for a row that holds
    /// anything but a distribution. Each is one line, with the end of the program's stderr.
    fn predict(&self, on: &B, batch: &Texts) -> Result<Probabilities<B>> {
        if self.images.is_some() {
            return Err(refuse(&self.command, "it takes images, as its first line says; this is a text"));
        }
        if self.rows {
            return Err(refuse(&self.command, "it takes rows of a table, as its first line says; this is a text"));
        }
        if self.pairs.is_some() {
            return Err(refuse(&self.command, "it is for two texts, as its first line says; this is one"));
        }
        self.ask(protocol::request(batch), batch.len())?.on(on)
    }
}

/// What a program may write, a line at a time: for fuzz/, since the protocol has no public door.
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn fuzz_protocol(line: &str) {
    let _ = protocol::header(line);
    for key in ["similarities", "embeddings"] {
        for value in protocol::plain_reply(line, key).unwrap_or_default() {
            let _ = protocol::numbers(&value);
        }
    }
    for promised in std::iter::once(None).chain(Outputs::ALL.map(Some)) {
        let Ok(reply) = protocol::reply(line, promised) else { continue };
        for row in &reply.rows {
            let Ok(row) = protocol::numbers(row) else { continue };
            let _ = reply.outputs.read(&lipex_cpu::Cpu::new(), &row, 1, row.len());
        }
    }
}

/// An error of the setting `model` that names the command.
fn refuse(command: &str, reason: &str) -> Error {
    Error::setting("model", format!("command:{}", process::clean(command)), reason)
}

/// Stops the program and says in one line why it gave no answer.
fn failed(process: &mut Process, name: &str, failure: Failure, timeout: Duration, wanted: &str) -> Error {
    let end = process.stop();
    let how = match failure {
        Failure::Silent => {
            let seconds = timeout.as_secs_f64();
            format!(
                "was silent for {seconds} s before {wanted}; it must flush its output after each line; a slow one needs a \
                 longer timeout or a smaller `batch-size`"
            )
        }
        Failure::Ended => match end.status {
            Some(status) => format!("ended before {wanted} ({status})"),
            None => format!("closed its output before {wanted}"),
        },
        Failure::NotRead(error) => match end.status {
            Some(status) => format!("ended before {wanted} ({status})"),
            None => format!("stopped reading before {wanted} ({error})"),
        },
        Failure::TooLong => format!("wrote more than {} MiB without an end of line", process::LONGEST_LINE >> 20),
        Failure::Unasked(line) => {
            format!("wrote a line that nothing had asked for, {}; {}", protocol::quoted(&line), protocol::ADVICE)
        }
    };
    Error::model(format!("\"{name}\" {how}{}", end.stderr))
}
