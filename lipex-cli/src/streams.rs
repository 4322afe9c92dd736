//! What is said and done of any file or stream that is written.

use lipex::{Error, Result};
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The folder that a file is in.
pub fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes all of `content` to standard output. A reader that has gone away wants no more.
pub fn finish(mut out: impl Write, content: &[u8]) -> Result<()> {
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(unwritable("output", "-", &e)),
        _ => Ok(()),
    }
}

/// What is told of something that cannot be written.
pub fn unwritable(option: &str, what: impl Display, error: &std::io::Error) -> Error {
    Error::setting(option, what, format!("cannot be written: {}", plain(error)))
}

/// An error without the name of a temporary file, which nobody knows.
pub fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" at path \"").next().unwrap_or_default().to_string()
}
