//! What a run has done, kept as it goes: a file of lines that is only ever added to.
//!
//! The first line says what the run is; then there is a line a row. A row that is tried again gets another line, and the last
//! counts. A tail without a line end, which a killed run leaves, is cut off.

use crate::streams::plain;
use lipex::{Error, Result};
use serde::Deserialize;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub struct Journal {
    path: PathBuf,
    file: File,
    /// The first row.
    start: u64,
    /// Where each row's last line is.
    lines: Vec<Option<Line>>,
    /// How many rows have a line, and how many of these failed.
    done: usize,
    failures: usize,
    end: u64,
}

#[derive(Clone, Copy)]
struct Line {
    at: u64,
    length: u64,
    failed: bool,
}

/// What of a line says which row it is of, and how that went.
#[derive(Deserialize)]
struct Mark {
    row: u64,
    error: Option<serde::de::IgnoredAny>,
}

/// Whether what is there already is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Former {
    GoOn,
    Restart,
}

impl Journal {
    /// Opens the journal of a run over such rows, or makes it. `header` is the first line.
    ///
    /// # Errors
    /// [`Error::Setting`] when another run has it open, it is of a run with other settings, or it cannot be read or written.
    pub fn open(path: &Path, header: &str, rows: Range<u64>, former: Former) -> Result<Self> {
        let io = |e: std::io::Error| Error::setting("out", path.display(), format!("cannot be written: {}", plain(&e)));
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = options.map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::setting("out", path.display(), "another run is at work on it"));
            }
            // Some file systems have no locks.
            Err(TryLockError::Error(_)) => {}
        }
        if former == Former::Restart {
            file.set_len(0).map_err(io)?;
        }
        let count = (rows.end - rows.start) as usize;
        let mut journal = Journal {
            path: path.to_path_buf(),
            file,
            start: rows.start,
            lines: vec![None; count],
            done: 0,
            failures: 0,
            end: 0,
        };
        journal.read(header)?;
        journal.file.set_len(journal.end).map_err(io)?;
        if journal.end == 0 {
            journal.write(header)?;
        }
        Ok(journal)
    }

    fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::setting("out", self.path.display(), reason)
    }

    /// What an earlier run has left.
    fn read(&mut self, header: &str) -> Result<()> {
        let path = self.path.clone();
        let io = |e: std::io::Error| Error::setting("out", path.display(), e.to_string());
        self.file.rewind().map_err(io)?;
        let mut lines = BufReader::new(self.file.try_clone().map_err(io)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(io)? == 0 || line.last() != Some(&b'\n') {
                return Ok(());
            }
            if self.end == 0 {
                let own = &line[..line.len() - 1];
                if own != header.as_bytes() {
                    return Err(self.refuse(differs(own, header)));
                }
            } else {
                let mark: Option<Mark> = serde_json::from_slice(&line).ok();
                let mark = mark.ok_or_else(|| self.refuse("is damaged; --restart begins anew"))?;
                self.note(mark.row, line.len() as u64 - 1, mark.error.is_some())?;
            }
            self.end += line.len() as u64;
        }
    }

    /// Notes a line that ends up at the end.
    fn note(&mut self, row: u64, length: u64, failed: bool) -> Result<()> {
        let place = row.checked_sub(self.start).and_then(|place| usize::try_from(place).ok());
        let Some(line) = place.and_then(|place| self.lines.get_mut(place)) else {
            return Err(self.refuse(format!("has row {row}, which is none of this run; --restart begins anew")));
        };
        let former = line.replace(Line { at: self.end, length, failed });
        self.done += usize::from(former.is_none());
        self.failures += usize::from(failed);
        self.failures -= usize::from(former.is_some_and(|former| former.failed));
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<()> {
        let written =
            self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(format!("{line}\n").as_bytes()));
        if let Err(e) = written {
            // Half a line is cut off now, or when the run goes on.
            let _ = self.file.set_len(self.end);
            let (done, all) = (self.done, self.lines.len());
            let reason = format!("cannot be written: {}; {done} of {all} rows are kept", plain(&e));
            return Err(self.refuse(format!("{reason}: make room, and the same command goes on")));
        }
        self.end += line.len() as u64 + 1;
        Ok(())
    }

    /// Adds a row's line.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no room for it; what was there stays.
    pub fn add(&mut self, row: u64, line: &str, failed: bool) -> Result<()> {
        let before = self.end;
        self.write(line)?;
        let after = std::mem::replace(&mut self.end, before);
        self.note(row, line.len() as u64, failed)?;
        self.end = after;
        Ok(())
    }

    fn line(&self, row: u64) -> Option<Line> {
        *self.lines.get(usize::try_from(row.checked_sub(self.start)?).ok()?)?
    }

    /// Whether a row has a line.
    pub fn has(&self, row: u64) -> bool {
        self.line(row).is_some()
    }

    /// Whether a row has a line that says why it failed.
    pub fn failed(&self, row: u64) -> bool {
        self.line(row).is_some_and(|line| line.failed)
    }

    /// How many rows the run has.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// How many rows have a line.
    pub fn done(&self) -> usize {
        self.done
    }

    /// How many of these failed.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Brings all of it to the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| self.refuse(format!("cannot be written: {}", plain(&e))))
    }

    /// The last line of each row, in the order of rows, without line ends.
    ///
    /// # Errors
    /// Those of `take`; [`Error::Setting`] when it cannot be read.
    pub fn each(&self, mut take: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let io = |e: std::io::Error| self.refuse(e.to_string());
        let mut file = BufReader::new(self.file.try_clone().map_err(io)?);
        let mut at = file.seek(SeekFrom::Start(0)).map_err(io)?;
        for line in self.lines.iter().flatten() {
            // Lines follow one another but for rows that were tried again.
            file.seek_relative(line.at as i64 - at as i64).map_err(io)?;
            let mut bytes = vec![0; line.length as usize];
            file.read_exact(&mut bytes).map_err(io)?;
            at = line.at + line.length;
            take(std::str::from_utf8(&bytes).map_err(|_| self.refuse("is damaged; --restart begins anew"))?)?;
        }
        Ok(())
    }

    /// Removes the file.
    pub fn remove(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|e| self.refuse(format!("cannot be removed: {e}")))
    }
}

/// What a first line says that this run does not.
fn differs(own: &[u8], header: &str) -> String {
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).ok();
    let (Some(own), Some(header)) = (read(own), read(header.as_bytes())) else {
        return "is no journal of such a run; --restart begins anew, or give another --out".into();
    };
    let names: Vec<&str> = header.iter().filter(|(k, v)| own.get(*k) != Some(v)).map(|(k, _)| k.as_str()).collect();
    format!("was made with other settings ({}): --restart begins anew, or give another --out", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"{"schema":"s","model":"demo"}"#;

    fn lines(journal: &Journal) -> Vec<String> {
        let mut lines = Vec::new();
        journal
            .each(|line| {
                lines.push(line.into());
                Ok(())
            })
            .unwrap();
        lines
    }

    #[test]
    fn the_last_line_of_a_row_counts_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.part");
        let open = || Journal::open(&path, HEADER, 5..8, Former::GoOn);
        let mut journal = open().unwrap();
        assert!(open().is_err_and(|e| e.to_string().contains("another run")));
        let failed = r#"{"row":5,"error":"x"}"#;
        let (five, six) = (r#"{"row":5,"error":null}"#, r#"{"row":6,"error":null}"#);
        journal.add(5, failed, true).unwrap();
        journal.add(6, six, false).unwrap();
        journal.add(5, five, false).unwrap();
        assert_eq!(lines(&journal), [five, six]);
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        let second = whole.len() as u64 - five.len() as u64 - 1;
        for cut in (second..whole.len() as u64).rev() {
            File::options().write(true).open(&path).unwrap().set_len(cut).unwrap();
            let journal = open().unwrap();
            assert_eq!((lines(&journal), journal.failures(), journal.done()), (vec![failed.into(), six.into()], 1, 2));
            assert!(journal.failed(5) && journal.has(6) && !journal.has(7) && !journal.has(4));
        }
    }

    #[test]
    fn another_run_is_told_by_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.part");
        drop(Journal::open(&path, HEADER, 0..1, Former::GoOn).unwrap());
        let other = r#"{"schema":"s","model":"onnx:x"}"#;
        let refused = Journal::open(&path, other, 0..1, Former::GoOn).err().unwrap().to_string();
        assert!(refused.contains("other settings (model)"), "{refused}");
        std::fs::write(&path, "hello\n").unwrap();
        let refused = Journal::open(&path, other, 0..1, Former::GoOn).err().unwrap().to_string();
        assert!(refused.contains("no journal"), "{refused}");
        assert!(Journal::open(&path, other, 0..1, Former::Restart).is_ok());
        std::fs::write(&path, format!("{other}\n{{\"row\":3,\"error\":null}}\n")).unwrap();
        assert!(Journal::open(&path, other, 0..1, Former::GoOn).err().unwrap().to_string().contains("row 3"));
    }
}
