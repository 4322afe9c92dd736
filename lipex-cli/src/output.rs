//! Files and streams.

use crate::staging::Staging;
use crate::streams::{finish, folder_of, plain, unwritable};
use lipex::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The bytes of a file, or of standard input for `-`, as UTF-8, without a byte-order mark before them.
pub fn read(option: &str, path: &str) -> Result<String> {
    let text = String::from_utf8(read_bytes(option, path)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::setting(option, path, format!("is not UTF-8: byte {at} (counted from 0) starts no character"))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_string(),
        None => text,
    })
}

/// Most bytes that are read of a file: 1 GiB.
const MOST_BYTES: u64 = 1 << 30;

/// The bytes of a file, or of standard input for `-`.
pub fn read_bytes(option: &str, path: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let done = match path {
        "-" => std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)),
    };
    match done {
        Err(e) => Err(Error::setting(option, path, e.to_string())),
        Ok(read) if read as u64 > MOST_BYTES => Err(Error::setting(option, path, "is larger than 1 GiB")),
        Ok(_) => Ok(bytes),
    }
}

/// A folder that files will be written into; checked before any work is done, and made when the first is written.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(option: &str, path: &str) -> Result<Self> {
        let folder = PathBuf::from(path);
        let above = if folder.exists() { &folder } else { folder_of(&folder) };
        match check_folder(above) {
            None => Ok(Folder(folder)),
            Some(reason) => Err(Error::setting(option, path, reason)),
        }
    }

    /// Lays a file into the folder, which is made if it is not there.
    pub fn stage(&self, staging: &mut Staging, option: &'static str, name: &str, content: Vec<u8>) -> Result<()> {
        staging.folder(option, &self.0)?;
        staging.file(option, &self.0.join(name), content)
    }
}

/// Where a file will be written.
pub enum Target {
    StandardOutput,
    File(PathBuf),
}

impl Target {
    pub fn new(option: &str, path: &str) -> Result<Self> {
        // The name of a stream would else be replaced by a file.
        if ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].contains(&path) {
            return Ok(Target::StandardOutput);
        }
        let given = PathBuf::from(path);
        // What a link points to is replaced, not the link.
        let file = if given.is_symlink() { given.canonicalize().unwrap_or(given) } else { given };
        let refuse = |reason: String| Err(Error::setting(option, path, reason));
        if path.is_empty() {
            return refuse("give the name of a file, or - for standard output".into());
        }
        if file.is_dir() || file.file_name().is_none() {
            return refuse("is a folder; give the name of a file".into());
        }
        // A name that no file can have.
        if let Err(e) = file.symlink_metadata()
            && e.kind() != ErrorKind::NotFound
            && folder_of(&file).is_dir()
        {
            return Err(unwritable(option, path, &e));
        }
        if file.exists() && !file.is_file() {
            return Ok(Target::File(file));
        }
        match check_folder(folder_of(&file)) {
            None => Ok(Target::File(file)),
            Some(reason) => refuse(reason),
        }
    }

    /// Writes all of `content`, or leaves what was there.
    pub fn write(&self, option: &'static str, content: Vec<u8>) -> Result<()> {
        let mut staging = Staging::default();
        self.stage(&mut staging, option, content)?;
        staging.commit()
    }

    fn stage(&self, staging: &mut Staging, option: &'static str, content: Vec<u8>) -> Result<()> {
        match self {
            Target::StandardOutput => staging.standard_output(option, content),
            Target::File(file) => staging.file(option, file, content)?,
        }
        Ok(())
    }

    /// What tells two targets apart.
    fn place(&self) -> PathBuf {
        match self {
            Target::StandardOutput => PathBuf::from("-"),
            Target::File(file) => match (folder_of(file).canonicalize(), file.file_name()) {
                (Ok(folder), Some(name)) => folder.join(name),
                _ => file.clone(),
            },
        }
    }
}

/// All that a run is to write: checked before any work is done, and written together at its end.
pub struct Targets(Vec<(&'static str, Target)>);

impl Targets {
    /// The targets of options that were given, each with its path.
    pub fn new<'a>(asked: impl IntoIterator<Item = (&'static str, Option<&'a String>)>) -> Result<Self> {
        let mut targets: Vec<(&'static str, Target)> = Vec::new();
        for (option, path) in asked {
            let Some(path) = path else { continue };
            let target = Target::new(option, path)?;
            if let Some((other, _)) = targets.iter().find(|(_, t)| t.place() == target.place()) {
                return Err(Error::setting(option, path, format!("is what --{other} writes to; choose another")));
            }
            targets.push((option, target));
        }
        Ok(Targets(targets))
    }

    /// Whether one of them is standard output, which then has no room for a report.
    pub fn take_standard_output(&self) -> bool {
        self.0.iter().any(|(_, target)| matches!(target, Target::StandardOutput))
    }

    /// Makes the content of each, in files that are not yet in their places.
    pub fn stage(&self, staging: &mut Staging, make: impl Fn(&str) -> Result<Vec<u8>>) -> Result<()> {
        self.0.iter().try_for_each(|(option, target)| target.stage(staging, option, make(option)?))
    }
}

/// Why nothing can be written into a folder.
fn check_folder(folder: &Path) -> Option<String> {
    let name = folder.display();
    match folder.metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => Some(format!("the folder {name} does not exist; make it first")),
        Err(e) => Some(format!("the folder {name}: {e}")),
        Ok(about) if !about.is_dir() => Some(format!("{name} is not a folder")),
        // Nothing is left of a file without a name.
        Ok(_) => {
            let error = tempfile::tempfile_in(folder).err()?;
            Some(format!("nothing can be written to the folder {name}: {}", plain(&error)))
        }
    }
}

/// Writes to standard output, without colours where it takes none.
pub fn print(content: &str) -> Result<()> {
    finish(anstream::AutoStream::auto(std::io::stdout()), content.as_bytes())
}

/// Columns of the terminal; of what `COLUMNS` says, or 100, where there is none.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size().map(|(w, _)| usize::from(w.0));
    let told = || std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    terminal.or_else(told).unwrap_or(100).clamp(20, 200)
}
