//! The table of a batch that is done.

use super::journal::Journal;
use crate::staging;
use crate::streams::unwritable;
use lipex::{BatchRow, Error, Result, Summary};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

#[cfg(not(feature = "parquet"))]
pub const NO_PARQUET: &str = "this command was built without parquet: cargo install lipex-cli --features parquet";

/// What the table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    JsonLines,
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    /// By the file's name.
    pub fn of(path: &str) -> Result<Self> {
        let ending = Path::new(path).extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("jsonl" | "ndjson") => Ok(Format::JsonLines),
            #[cfg(feature = "parquet")]
            Some("parquet") => Ok(Format::Parquet),
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => Err(Error::setting("out", path, NO_PARQUET)),
            _ => Err(Error::setting("out", path, "must end in .jsonl or .parquet")),
        }
    }
}

/// The journal beside a table.
pub fn journal_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_os_string();
    name.push(".part");
    PathBuf::from(name)
}

/// Writes the table in one piece, and sums it up.
///
/// # Errors
/// [`Error::Setting`] when it cannot be written; what was there stays.
pub fn table(journal: &Journal, out: &Path, format: Format, mut summary: Summary) -> Result<Summary> {
    let io = |e: &std::io::Error| unwritable("out", out.display(), e);
    let temporary = staging::new_beside(out).map_err(|e| io(&e))?;
    let take = |line: &str| -> Result<BatchRow> {
        let row = BatchRow::from_json(line)?;
        summary.add(&row);
        Ok(row)
    };
    match format {
        Format::JsonLines => json_lines(journal, temporary.as_file(), take, io)?,
        #[cfg(feature = "parquet")]
        Format::Parquet => super::parquet::table(journal, temporary.as_file(), take, io)?,
    }
    temporary.as_file().sync_all().map_err(|e| io(&e))?;
    temporary.persist(out).map_err(|e| io(&e.error))?;
    Ok(summary)
}

fn json_lines(
    journal: &Journal,
    file: &std::fs::File,
    mut take: impl FnMut(&str) -> Result<BatchRow>,
    io: impl Fn(&std::io::Error) -> Error,
) -> Result<()> {
    let mut to = BufWriter::new(file);
    journal.each(|line| {
        take(line)?;
        writeln!(to, "{line}").map_err(|e| io(&e))
    })?;
    to.flush().map_err(|e| io(&e))
}
