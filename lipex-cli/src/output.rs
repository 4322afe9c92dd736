//! Files and streams.

use anstream::AutoStream;
use lipex::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// The bytes of a file, or of standard input for `-`, as UTF-8.
pub fn read(option: &str, path: &str) -> Result<String> {
    String::from_utf8(read_bytes(option, path)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::setting(option, path, format!("is not UTF-8: byte {at} (counted from 0) starts no character"))
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
        let refuse = |reason: String| Err(Error::setting(option, path, reason));
        let above = if folder.exists() { &folder } else { folder_of(&folder) };
        match above.metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                refuse(format!("the folder {} does not exist; make it first", above.display()))
            }
            Err(e) => refuse(format!("the folder {}: {e}", above.display())),
            Ok(about) if !about.is_dir() => refuse(format!("{} is not a folder", above.display())),
            // Nothing is left of a file without a name.
            Ok(_) => match tempfile::tempfile_in(above) {
                Err(e) => refuse(format!("nothing can be written to the folder {}: {e}", above.display())),
                Ok(_) => Ok(Folder(folder)),
            },
        }
    }

    /// Writes all of `content` to a file in the folder, or leaves what was there.
    pub fn write(&self, option: &'static str, name: &str, content: &[u8]) -> Result<()> {
        let file = self.0.join(name);
        let made = std::fs::create_dir_all(&self.0).and_then(|()| beside(&file, content));
        let done = made.and_then(|temporary| temporary.persist(&file).map(drop).map_err(|e| e.error));
        done.map_err(|e| refusal(option, &file, &e))
    }
}

/// Where a file will be written.
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
    pub fn write(&self, option: &'static str, content: &[u8]) -> Result<()> {
        self.stage(option, content)?.commit()
    }

    /// Writes all of `content` where it can still be taken back: a file not yet in its place.
    fn stage<'a>(&'a self, option: &'static str, content: &'a [u8]) -> Result<Staged<'a>> {
        match self {
            Target::StandardOutput => Ok(Staged::Stream(option, None, content)),
            // A pipe or a device cannot be replaced.
            Target::File(file) if file.exists() && !file.is_file() => Ok(Staged::Stream(option, Some(file), content)),
            Target::File(file) => {
                let temporary = beside(file, content).map_err(|e| refusal(option, file, &e))?;
                Ok(Staged::File(option, file, temporary))
            }
        }
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

fn refusal(option: &str, file: &Path, error: &std::io::Error) -> Error {
    Error::setting(option, file.display(), format!("cannot be written: {error}"))
}

/// Content on its way to a target.
enum Staged<'a> {
    File(&'static str, &'a Path, tempfile::NamedTempFile),
    /// Standard output, or a file that is a pipe or a device.
    Stream(&'static str, Option<&'a Path>, &'a [u8]),
}

impl Staged<'_> {
    fn commit(self) -> Result<()> {
        match self {
            Staged::File(option, file, temporary) => {
                temporary.persist(file).map(drop).map_err(|e| refusal(option, file, &e.error))
            }
            Staged::Stream(option, Some(file), content) => {
                let opened = File::options().write(true).open(file);
                opened.and_then(|mut f| f.write_all(content)).map_err(|e| refusal(option, file, &e))
            }
            Staged::Stream(_, None, content) => finish(std::io::stdout().lock(), content),
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

    /// Makes the content of each and writes them all; nothing is in its place before everything is made.
    pub fn write(&self, make: impl Fn(&str) -> Result<Vec<u8>>) -> Result<()> {
        let contents = self.0.iter().map(|(option, _)| make(option)).collect::<Result<Vec<_>>>()?;
        let staged = self.0.iter().zip(&contents).map(|((option, target), content)| target.stage(option, content));
        staged.collect::<Result<Vec<_>>>()?.into_iter().try_for_each(Staged::commit)
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file beside `file` that holds `content`.
fn beside(file: &Path, content: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder.tempfile_in(folder_of(file))?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// Writes to standard output, without colours where it takes none. A reader that has gone away wants no more.
pub fn print(content: &str) -> Result<()> {
    finish(AutoStream::auto(std::io::stdout()), content.as_bytes())
}

fn finish(mut out: impl Write, content: &[u8]) -> Result<()> {
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
