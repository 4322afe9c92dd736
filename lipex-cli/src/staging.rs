//! All that a run writes, on its way to its places: all of it, or nothing.

use crate::streams::{self, folder_of, unwritable};
use lipex::Result;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// Content that is written, but not yet in its places. Without [`commit`](Staging::commit) nothing remains of it.
#[derive(Default)]
pub struct Staging {
    streams: Vec<Stream>,
    files: Vec<(&'static str, PathBuf, NamedTempFile)>,
    /// Folders made for files. Dropped last, when the files in them are gone.
    folders: Vec<MadeFolder>,
}

/// What cannot be taken back once it is written.
struct Stream {
    option: &'static str,
    to: Sink,
    content: Vec<u8>,
}

enum Sink {
    StandardOutput,
    /// The report, without colours where standard output takes none.
    Report,
    /// A pipe or a device.
    Device(PathBuf),
}

impl Staging {
    /// Standard output.
    pub fn standard_output(&mut self, option: &'static str, content: Vec<u8>) {
        self.streams.push(Stream { option, to: Sink::StandardOutput, content });
    }

    /// The report for a person, on standard output.
    pub fn report(&mut self, text: &str) {
        self.streams.push(Stream { option: "", to: Sink::Report, content: text.as_bytes().to_vec() });
    }

    /// A file, new or in the place of another; a pipe or a device is written to.
    pub fn file(&mut self, option: &'static str, file: &Path, content: Vec<u8>) -> Result<()> {
        if file.exists() && !file.is_file() {
            self.streams.push(Stream { option, to: Sink::Device(file.to_path_buf()), content });
            return Ok(());
        }
        let temporary = beside(file, &content).map_err(|e| unwritable(option, file.display(), &e))?;
        self.files.push((option, file.to_path_buf(), temporary));
        Ok(())
    }

    /// A folder for files to come, made if it is not there.
    pub fn folder(&mut self, option: &'static str, folder: &Path) -> Result<()> {
        if !folder.is_dir() {
            fs::create_dir(folder).map_err(|e| unwritable(option, folder.display(), &e))?;
            self.folders.push(MadeFolder(folder.to_path_buf()));
        }
        Ok(())
    }

    /// Puts everything in its place.
    ///
    /// Streams come first, since they fail sooner than names change and nothing takes them back. If a file does not get its
    /// name, those before it get back what was there. A file that can be neither linked nor copied does not come back.
    pub fn commit(self) -> Result<()> {
        self.streams.iter().try_for_each(Stream::write)?;
        let mut placed: Vec<Placed> = Vec::new();
        for (option, file, temporary) in self.files {
            match place(&file, temporary) {
                Ok(done) => placed.push(done),
                Err(e) => {
                    placed.into_iter().rev().for_each(Placed::take_back);
                    return Err(unwritable(option, file.display(), &e));
                }
            }
        }
        self.folders.into_iter().for_each(MadeFolder::keep);
        Ok(())
    }
}

impl Stream {
    fn write(&self) -> Result<()> {
        match &self.to {
            Sink::StandardOutput => streams::finish(io::stdout().lock(), &self.content),
            Sink::Report => streams::finish(anstream::AutoStream::auto(io::stdout()), &self.content),
            Sink::Device(file) => {
                let opened = fs::File::options().write(true).open(file);
                opened
                    .and_then(|mut f| f.write_all(&self.content))
                    .map_err(|e| unwritable(self.option, file.display(), &e))
            }
        }
    }
}

/// A folder of this run, removed again if it stays empty.
struct MadeFolder(PathBuf);

impl MadeFolder {
    fn keep(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // If something of another is in it, it stays.
            let _ = fs::remove_dir(&self.0);
        }
    }
}

/// A file in its place, and what was there.
struct Placed {
    file: PathBuf,
    former: Former,
}

enum Former {
    Nothing,
    /// Under another name; removed with it.
    Kept(TempPath),
    Lost,
}

impl Placed {
    fn take_back(self) {
        // There is nobody to tell but of the first failure.
        let _ = match self.former {
            Former::Nothing => fs::remove_file(&self.file),
            Former::Kept(former) => former.persist(&self.file).map_err(|e| e.error),
            Former::Lost => Ok(()),
        };
    }
}

fn place(file: &Path, temporary: NamedTempFile) -> io::Result<Placed> {
    let former = match file.symlink_metadata() {
        Err(_) => Former::Nothing,
        Ok(_) => kept(file).map_or(Former::Lost, Former::Kept),
    };
    temporary.persist(file).map_err(|e| e.error)?;
    Ok(Placed { file: file.to_path_buf(), former })
}

/// A second name of a file, or a copy where the file system has no such names.
fn kept(file: &Path) -> io::Result<TempPath> {
    let named = |to: &Path| match fs::hard_link(file, to) {
        // The name is taken; another is tried.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
        Err(_) => fs::copy(file, to).map(drop),
        Ok(()) => Ok(()),
    };
    tempfile::Builder::new().make_in(folder_of(file), named).map(NamedTempFile::into_temp_path)
}

/// A new file beside `file` that holds `content`.
fn beside(file: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut temporary = new_beside(file)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

/// A new file beside `file`, gone unless it gets a name.
pub fn new_beside(file: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder_of(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &Path) -> String {
        fs::read_to_string(file).unwrap()
    }

    #[test]
    fn what_fails_late_leaves_everything_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("old"), "old").unwrap();
        let mut staging = Staging::default();
        staging.folder("overlay", &at("made")).unwrap();
        staging.file("json", &at("old"), b"changed".to_vec()).unwrap();
        staging.file("csv", &at("new"), b"new".to_vec()).unwrap();
        staging.file("overlay", &at("made/1.png"), b"picture".to_vec()).unwrap();
        staging.file("svg", &at("late"), b"late".to_vec()).unwrap();
        assert_eq!(read(&at("old")), "old", "nothing is in its place yet");
        // A folder has taken the last name meanwhile.
        fs::create_dir(at("late")).unwrap();
        let error = staging.commit().unwrap_err().to_string();
        assert!(error.contains("svg") && error.contains("late"), "{error}");
        assert_eq!(read(&at("old")), "old");
        let mut names: Vec<_> = fs::read_dir(place.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["late", "old"], "neither new files, nor the folder, nor temporary files");
    }

    #[test]
    fn what_succeeds_leaves_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("old"), "old").unwrap();
        let mut staging = Staging::default();
        staging.folder("overlay", &at("made")).unwrap();
        staging.file("json", &at("old"), b"changed".to_vec()).unwrap();
        staging.file("overlay", &at("made/1.png"), b"picture".to_vec()).unwrap();
        staging.commit().unwrap();
        assert_eq!((read(&at("old")), read(&at("made/1.png"))), ("changed".into(), "picture".into()));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(at("made")).unwrap().count(), 1);
    }
}
