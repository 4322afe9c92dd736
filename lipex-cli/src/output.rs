//! Files and streams.

use anstream::AutoStream;
use lipex::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a file, or of standard input for `-`, as UTF-8.
pub fn read(option: &str, path: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let done = match path {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes),
        path => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    done.map_err(|e| Error::setting(option, path, e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::setting(option, path, format!("is not UTF-8: byte {at} (counted from 0) starts no character"))
    })
}

/// Where a file will be written; checked before any work is done.
pub enum Target {
    StandardOutput,
    File(PathBuf),
}

impl Target {
    pub fn new(option: &str, path: &str) -> Result<Self> {
        if path == "-" {
            return Ok(Target::StandardOutput);
        }
        let file = PathBuf::from(path);
        let refuse = |reason: String| Err(Error::setting(option, path, reason));
        if file.is_dir() || file.file_name().is_none() {
            return refuse("is a folder; give the name of a file".into());
        }
        let folder = folder_of(&file);
        match folder.metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                refuse(format!("the folder {} does not exist; make it first", folder.display()))
            }
            Err(e) => refuse(format!("the folder {}: {e}", folder.display())),
            Ok(about) if !about.is_dir() => refuse(format!("{} is not a folder", folder.display())),
            Ok(_) => Ok(Target::File(file)),
        }
    }

    /// Writes all of `content`, or leaves what was there.
    pub fn write(&self, option: &str, content: &[u8]) -> Result<()> {
        match self {
            Target::StandardOutput => finished(std::io::stdout().lock(), content),
            Target::File(file) => write_whole(file, content)
                .map_err(|e| Error::setting(option, file.display(), format!("cannot be written: {e}"))),
        }
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Writes to a new file beside the old one and then takes its place.
fn write_whole(file: &Path, content: &[u8]) -> std::io::Result<()> {
    // A pipe or a device cannot be replaced.
    if file.exists() && !file.is_file() {
        return File::options().write(true).open(file)?.write_all(content);
    }
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder_of(file))?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    Ok(())
}

/// Writes to standard output, without colours where it takes none. A reader that has gone away wants no more.
pub fn print(content: &str) -> Result<()> {
    finished(AutoStream::auto(std::io::stdout()), content.as_bytes())
}

fn finished(mut out: impl Write, content: &[u8]) -> Result<()> {
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::setting("standard output", "", e.to_string())),
        _ => Ok(()),
    }
}

/// Columns of the terminal; of what `COLUMNS` says, or 100, where there is none.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size().map(|(w, _)| usize::from(w.0));
    let told = || std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    terminal.or_else(told).unwrap_or(100).clamp(20, 200)
}
