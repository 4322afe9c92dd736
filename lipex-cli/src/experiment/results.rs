//! The folder of an experiment's results.

use crate::batch::{Former, Journal};
use crate::options::ExperimentOptions;
use crate::staging::Staging;
use crate::{output, streams};
use lipex::{Error, Result};
use lipex_experiment::{Experiment, Line, Summary, figures};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What was measured of every method at one input in one round, or why nothing was.
#[derive(Serialize, Deserialize)]
pub struct Unit {
    /// The unit's number: rounds times inputs and the input's place.
    pub row: u64,
    pub error: Option<String>,
    pub lines: Vec<Line>,
}

impl Unit {
    /// A line of the journal.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|e| Error::Instance(e.to_string()))
    }
}

/// The folder of a run.
pub struct Folder {
    path: PathBuf,
    pub journal: Journal,
}

/// The first line of the results.
#[derive(Deserialize)]
struct Header {
    experiment: String,
}

impl Folder {
    /// Makes the folder, or finds what a run before this one has done.
    pub fn open(options: &ExperimentOptions, header: &str, units: u64) -> Result<Self> {
        let path = PathBuf::from(&options.out);
        if path.exists() && !path.is_dir() {
            return Err(Error::setting("out", &options.out, "is a file; give a folder"));
        }
        if path.join("results.jsonl").exists() && !options.restart {
            let reason = "has the results of a run that is done: --restart makes them anew, or give another";
            return Err(Error::setting("out", &options.out, reason));
        }
        std::fs::create_dir_all(&path).map_err(|e| streams::unwritable("out", &options.out, &e))?;
        let former = if options.restart { Former::Restart } else { Former::GoOn };
        let journal = Journal::open(&path.join("results.part"), header, 0..units, former)?;
        Ok(Folder { path, journal })
    }

    /// Writes results, summary, tables and figures, and gives the summary and how many units failed.
    pub fn finish(self, experiment: Experiment, header: &str) -> Result<(Summary, usize)> {
        let (mut lines, mut failed) = (Vec::new(), 0);
        let mut content = format!("{header}\n");
        self.journal.sync()?;
        self.journal.each(|line| {
            let unit: Unit = serde_json::from_str(line).map_err(|e| damaged(&self.path, &e))?;
            failed += usize::from(unit.error.is_some());
            for line in unit.lines {
                content.push_str(&serde_json::to_string(&line).map_err(|e| damaged(&self.path, &e))?);
                content.push('\n');
                lines.push(line);
            }
            Ok(())
        })?;
        let summary = Summary::of(experiment, &lines);
        let mut staged = Staging::default();
        let mut lay = |name: &str, content: Vec<u8>| staged.file("out", &self.path.join(name), content);
        let json = serde_json::to_string_pretty(&summary).map_err(|e| damaged(&self.path, &e))?;
        lay("results.jsonl", content.into_bytes())?;
        lay("summary.json", format!("{json}\n").into_bytes())?;
        lay("table.md", summary.to_markdown().into_bytes())?;
        lay("table.csv", summary.to_csv().into_bytes())?;
        for (name, svg) in figures(experiment, &summary, &lines) {
            lay(&format!("{name}.svg"), svg.into_bytes())?;
        }
        staged.commit()?;
        if failed == 0 {
            self.journal.remove()?;
        }
        Ok((summary, failed))
    }
}

fn damaged(path: &Path, e: &serde_json::Error) -> Error {
    Error::setting("out", path.display(), format!("its results are damaged ({e}); --restart makes them anew"))
}

/// The experiment and the lines of a folder.
pub fn read(folder: &str) -> Result<(Experiment, Vec<Line>)> {
    let refuse = |reason: String| Error::setting("FOLDER", folder, reason);
    let file = Path::new(folder).join("results.jsonl");
    if !file.is_file() {
        let part = Path::new(folder).join("results.part").is_file();
        let reason = if part { "its run is not done: give the same command again" } else { "has no results.jsonl" };
        return Err(refuse(reason.into()));
    }
    let content = output::read("FOLDER", &file.display().to_string())?;
    let mut lines = content.lines();
    let header: Option<Header> = lines.next().and_then(|line| serde_json::from_str(line).ok());
    let header = header.ok_or_else(|| refuse("its results.jsonl does not begin with what the run was".into()))?;
    let read = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| refuse(format!("line {} of its results.jsonl: {e}", i + 2)))
    };
    Ok((Experiment::by_name(&header.experiment)?, lines.enumerate().map(read).collect::<Result<_>>()?))
}
