//! A child process that is talked to line by line, with deadlines.
//!
//! Three threads do what could block: one writes requests, one reads lines, one drains stderr and keeps its end. They end
//! by themselves when the child's pipes close, and are not waited for: a grandchild may hold a pipe open.
//!
//! # Deadlines
//! Reading has a deadline, writing need not: what a program does not read stays in the writer's thread, and its silence is
//! noticed where a reply is waited for. A line may be long; its length has a limit, so that a program that has gone wild fills
//! no memory.

use regex::Regex;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes in a line of the child's.
pub(super) const LONGEST_LINE: usize = 64 << 20;
/// Bytes of stderr that are remembered, and characters of them that are shown.
const REMEMBERED: usize = 4096;
/// Characters of a program's last words that an error quotes.
const SHOWN: usize = 300;
/// How long a child has to end once its input has: to run what it has registered for its exit, to write what it keeps.
const TO_END: Duration = Duration::from_secs(1);
/// How long it then has to end once it is told to terminate, and how long to wait for the rest of its stderr.
const GRACE: Duration = Duration::from_millis(500);

/// How long to wait for what a living child has just written to stderr: another thread reads it.
const SETTLE: Duration = Duration::from_millis(200);

/// Colours and other terminal sequences.
static SEQUENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[ -/]*[@-~]").expect("the pattern is valid"));

/// Why there is no line.
#[derive(Debug)]
pub(super) enum Failure {
    /// None came in time.
    Silent,
    /// The child has closed its output; most likely it has ended.
    Ended,
    /// A request could not be written.
    NotRead(Error),
    /// A line is longer than [`LONGEST_LINE`].
    TooLong,
    /// A line came before anything was asked.
    Unasked(String),
}

/// What the threads that wait for a program report.
enum Event {
    Line(String),
    TooLong,
    Ended,
    NotRead(Error),
}

/// A running child. Dropping it ends its input, then it if need be, and reaps it.
pub(super) struct Process {
    /// The operating system's handle.
    child: Child,
    /// Lines for the writer; `None` once no more come.
    requests: Option<Sender<String>>,
    /// What the readers have seen.
    events: Receiver<Event>,
    /// The last bytes of its standard error.
    stderr: Arc<Mutex<VecDeque<u8>>>,
    /// Disconnected once stderr has been read to its end.
    stderr_open: Receiver<()>,
}

/// How a child ended.
pub(super) struct End {
    /// Its status, if it had ended by itself.
    pub status: Option<ExitStatus>,
    /// The end of its stderr, as the tail of a message.
    pub stderr: String,
}

impl Process {
    /// Starts the program `words[0]` with the other words as arguments; the error is `None` without a program.
    pub fn start(words: &[String]) -> Result<Self, Option<Error>> {
        let (program, arguments) = words.split_first().filter(|(p, _)| !p.is_empty()).ok_or(None)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Some)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        // Few enough lines that a child which never stops writing has to wait.
        let (to_events, events) = mpsc::sync_channel(16);
        let (to_child, requests) = mpsc::channel();
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let (open, stderr_open) = mpsc::channel();
        if let (Some(stdin), Some(stdout), Some(errors)) = pipes {
            let (not_read, remembered) = (to_events.clone(), Arc::clone(&stderr));
            thread::spawn(move || write_requests(stdin, &requests, &not_read));
            thread::spawn(move || read_lines(BufReader::new(stdout), &to_events));
            thread::spawn(move || {
                remember(errors, &remembered);
                drop(open);
            });
        }
        Ok(Process { child, requests: Some(to_child), events, stderr, stderr_open })
    }

    /// The next line, which must come within `timeout`.
    pub fn line(&mut self, timeout: Duration) -> Result<String, Failure> {
        let deadline = Instant::now() + timeout;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Line(line)) if line.trim().is_empty() => {}
                Ok(Event::Line(line)) => return Ok(line),
                Ok(Event::TooLong) => return Err(Failure::TooLong),
                Ok(Event::NotRead(error)) => return Err(Failure::NotRead(error)),
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => return Err(Failure::Ended),
                Err(RecvTimeoutError::Timeout) => return Err(Failure::Silent),
            }
        }
    }

    /// Sends a line, its end included, and gives the line that answers it.
    pub fn ask(&mut self, request: String, timeout: Duration) -> Result<String, Failure> {
        while let Ok(event) = self.events.try_recv() {
            match event {
                Event::Line(line) if line.trim().is_empty() => {}
                Event::Line(line) => return Err(Failure::Unasked(line)),
                Event::TooLong => return Err(Failure::TooLong),
                Event::NotRead(error) => return Err(Failure::NotRead(error)),
                Event::Ended => return Err(Failure::Ended),
            }
        }
        let sent = self.requests.as_ref().map(|r| r.send(request));
        if !matches!(sent, Some(Ok(()))) {
            return Err(Failure::Ended);
        }
        self.line(timeout)
    }

    /// Ends the child and says how it went.
    pub fn stop(&mut self) -> End {
        let status = self.end();
        // Nothing is ever sent: this waits for the end of stderr, or not much longer.
        let _ = self.stderr_open.recv_timeout(GRACE);
        End { status, stderr: self.stderr() }
    }

    /// Ends the child's input, as it was promised; what does not end then is told to terminate, and what does not heed that
    /// is killed. Gives its status if it ended by itself.
    fn end(&mut self) -> Option<ExitStatus> {
        self.requests = None;
        let status = self.wait(TO_END);
        if status.is_none() {
            self.terminate();
            let _ = self.wait(GRACE);
        }
        // Both fail only for a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        status
    }

    /// The child's status, if it ends in time.
    fn wait(&mut self, time: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + time;
        loop {
            let status = self.child.try_wait().ok().flatten();
            if status.is_some() || Instant::now() >= deadline {
                return status;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Asks the child to end, where the system has a way to.
    fn terminate(&self) {
        #[cfg(unix)]
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
    }

    /// The end of stderr so far, as the tail of a message: empty if there is none.
    ///
    /// For messages only: waits a moment while stderr is open.
    pub fn stderr(&self) -> String {
        let _ = self.stderr_open.recv_timeout(SETTLE);
        let bytes: Vec<u8> =
            self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect::<Vec<u8>>();
        let text = tail(&clean(&String::from_utf8_lossy(&bytes)), SHOWN);
        if text.is_empty() { text } else { format!("; its stderr ends: {text}") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The writer's thread: lines in, until there are no more or the pipe breaks.
fn write_requests(mut stdin: ChildStdin, requests: &Receiver<String>, events: &SyncSender<Event>) {
    for request in requests {
        if let Err(error) = stdin.write_all(request.as_bytes()).and_then(|()| stdin.flush()) {
            let _ = events.send(Event::NotRead(error));
            return;
        }
    }
}

/// The reader's thread: a line an event.
fn read_lines(mut stdout: BufReader<ChildStdout>, events: &SyncSender<Event>) {
    loop {
        let mut line = Vec::new();
        let event = match stdout.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => Event::Ended,
            Ok(n) if n == LONGEST_LINE && line.last() != Some(&b'\n') => Event::TooLong,
            Ok(_) => Event::Line(String::from_utf8_lossy(&line).trim_end().to_string()),
        };
        let last = !matches!(event, Event::Line(_));
        if events.send(event).is_err() || last {
            return;
        }
    }
}

/// Keeps the end of a stream.
fn remember(mut from: impl Read, end: &Mutex<VecDeque<u8>>) {
    let mut chunk = [0; REMEMBERED];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        let mut end = end.lock().unwrap_or_else(PoisonError::into_inner);
        end.extend(&chunk[..n]);
        let surplus = end.len().saturating_sub(REMEMBERED);
        end.drain(..surplus);
    }
}

/// Text on one line: lines joined by " | ", terminal sequences and control characters gone.
pub(super) fn clean(text: &str) -> String {
    let text = SEQUENCE.replace_all(text, "");
    let lines: Vec<String> = text
        .split(['\n', '\r'])
        .map(|line| line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect())
        .map(|line: String| line.trim().to_string())
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(JOINT)
}

/// The first `most` characters; an ellipsis says that there are more.
pub(super) fn head(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}

/// What stands between lines that were joined.
const JOINT: &str = " | ";

/// The last `most` characters, from the start of a line where one begins among them; an ellipsis says that there are more.
fn tail(text: &str, most: usize) -> String {
    let Some((before, c)) = text.char_indices().rev().nth(most) else { return text.to_string() };
    let end = &text[before + c.len_utf8()..];
    format!("…{}", end.split_once(JOINT).map_or(end, |(_, whole)| whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cleaned_to_one_line() {
        assert_eq!(clean("\x1b[1;31mError:\x1b[0m\tno\r\n\n  file\0 \n"), "Error: no | file");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn heads_and_tails_count_characters() {
        assert_eq!((head("añb", 3).as_str(), head("añb", 2).as_str()), ("añb", "añ…"));
        assert_eq!((tail("añb", 3).as_str(), tail("añb", 2).as_str(), tail("", 2).as_str()), ("añb", "…ñb", ""));
        // The last lines of a traceback are whole.
        let traceback = "Traceback: | File \"model.py\", line 3 | KeyError: 'joy'";
        assert_eq!(tail(traceback, 30), "…KeyError: 'joy'");
    }
}
