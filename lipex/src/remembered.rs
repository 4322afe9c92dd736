//! A black box whose answers are kept in a file as they come, for the next run to read.
//!
//! # File
//! JSON lines: a header that names the model, then an answer a line under the SHA-256 of its input. Lines are appended and
//! flushed as answers come, so a run that is killed loses at most the last one; a torn line is asked for again. Equal inputs
//! that were asked twice have two lines, and are given out in turn.

use lipex_core::{Backend, Batching, BlackBox, Error, Images, Probabilities, Result, Texts, expect_len};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The first line's schema.
const SCHEMA: &str = "lipex.answers/1";

/// A batch whose inputs can be told apart in a file.
///
/// ```
/// use lipex::{Keys, TextFn, Texts};
///
/// let texts = Texts::from(vec!["a fine day".to_string(), "a day".to_string()]);
/// assert_eq!(texts.keys(), ["a fine day", "a day"]);
/// ```
pub trait Keys {
    /// For each input what tells it from any other: a text itself, the SHA-256 of an image.
    fn keys(&self) -> Vec<String>;
}

impl Keys for Texts {
    /// Hashes of the texts' bytes.
    fn keys(&self) -> Vec<String> {
        self.as_slice().to_vec()
    }
}

impl Keys for Images {
    /// Hashes of size and pixels.
    fn keys(&self) -> Vec<String> {
        let hex = |image: &[u8]| Sha256::digest(image).iter().map(|byte| format!("{byte:02x}")).collect();
        self.iter().map(hex).collect()
    }
}

/// A black box that writes its answers to a file as they come, so that a run that fails has not asked in vain: the next one
/// finds them there. Each is used once, so an input that a run asks for twice is asked for again.
///
/// A batch is answered from the file only if all of it is there: what the model sees in one batch stays the same.
///
/// ```
/// use lipex::{Remembered, TextFn, TextInstance, lipex};
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("answers.jsonl");
/// let text = TextInstance::new("a good film")?;
/// let model = || TextFn::new(["bad", "good"], |texts: &[&str]| vec![[0.4, 0.6]; texts.len()]);
/// let first = lipex().explain(&text, &Remembered::open(&file, "mine", model())?)?;
/// let none = TextFn::fallible(["bad", "good"], |_: &[&str]| Err::<Vec<[f64; 2]>, _>("asked again"));
/// let second = lipex().explain(&text, &Remembered::open(&file, "mine", none)?)?;
/// assert_eq!(first.probabilities, second.probabilities);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Remembered<M> {
    /// The model that is asked for what is not known.
    model: M,
    /// Its answers.
    file: Mutex<AnswerFile>,
}

impl<M> fmt::Debug for Remembered<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

/// The file of answers, and those read from it that no call has used yet.
struct AnswerFile {
    file: File,
    /// Answers by key, in the order of the file.
    known: HashMap<String, VecDeque<Answer>>,
}

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    /// Name and version of the format.
    schema: String,
    /// Which model the answers are of.
    model: String,
}

/// One answer, a line.
#[derive(Serialize, Deserialize)]
struct Answer {
    /// SHA-256 of the input, hexadecimal.
    key: String,
    /// The probabilities.
    p: Vec<f32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    independent: bool,
}

impl<M> Remembered<M> {
    /// Opens the file, or makes it. `name` says which model its answers are of.
    ///
    /// # Errors
    /// [`Error::Setting`] when it cannot be read or written, or is of another model or no such file.
    pub fn open(path: impl AsRef<Path>, name: &str, model: M) -> Result<Self> {
        let path = path.as_ref();
        let refuse = |reason: String| Error::setting("answers", path.display(), reason);
        let io = |e: std::io::Error| refuse(e.to_string());
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(io)?;
        let (mut known, mut end, mut named) = (HashMap::<String, VecDeque<Answer>>::new(), 0, false);
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(io)? > 0 {
            // A line that a killed run has torn is asked for again.
            if line.last() != Some(&b'\n') {
                break;
            }
            if named {
                let answer: Answer = serde_json::from_slice(&line).map_err(|_| refuse("a line is no answer".into()))?;
                known.entry(answer.key.clone()).or_default().push_back(answer);
            } else {
                let header: Option<Header> = serde_json::from_slice(&line).ok();
                let header = header.filter(|h| h.schema == SCHEMA).ok_or_else(|| refuse("is no such file".into()))?;
                if header.model != name {
                    return Err(refuse(format!("has the answers of {}; give another file", header.model)));
                }
                named = true;
            }
            end += line.len() as u64;
            line.clear();
        }
        file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0))).map_err(io)?;
        if !named {
            write_line(&mut file, &Header { schema: SCHEMA.into(), model: name.into() }).map_err(io)?;
        }
        Ok(Remembered { model, file: Mutex::new(AnswerFile { file, known }) })
    }
}

impl<M> Remembered<M> {
    /// The black box itself.
    pub fn model(&self) -> &M {
        &self.model
    }
}

/// One line, flushed.
fn write_line(file: &mut File, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

impl AnswerFile {
    /// The answers to a whole batch, if all are known.
    fn take(&mut self, keys: &[String]) -> Option<Vec<Answer>> {
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        keys.iter().for_each(|key| *wanted.entry(key).or_default() += 1);
        let all = wanted.iter().all(|(key, times)| self.known.get(*key).is_some_and(|known| known.len() >= *times));
        if !all {
            return None;
        }
        keys.iter().map(|key| self.known.get_mut(key)?.pop_front()).collect()
    }

    /// The answers to a batch.
    fn write(&mut self, keys: Vec<String>, values: &[f32], independent: bool) -> Result<()> {
        let classes = values.len() / keys.len().max(1);
        for (key, p) in keys.into_iter().zip(values.chunks_exact(classes.max(1))) {
            let written = write_line(&mut self.file, &Answer { key, p: p.to_vec(), independent });
            written.map_err(|e| Error::setting("answers", "the file", format!("cannot be written: {e}")))?;
        }
        Ok(())
    }
}

impl<B: Backend, Batch: Keys, M: BlackBox<B, Batch>> BlackBox<B, Batch> for Remembered<M> {
    fn labels(&self) -> Option<&[String]> {
        self.model.labels()
    }

    fn predict(&self, on: &B, batch: &Batch) -> Result<Probabilities<B>> {
        let (keys, classes) = (batch.keys(), self.model.labels().map(<[String]>::len));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A model that learns its labels from its first answer has to give that one itself.
        let known = if classes.is_some() { file.take(&keys) } else { None };
        let Some(known) = known else {
            let p = self.model.predict(on, batch)?;
            file.write(keys, &on.download(p.values())?, p.is_independent())?;
            return Ok(p);
        };
        let classes = classes.unwrap_or_default();
        known.iter().try_for_each(|answer| expect_len("numbers of a kept answer", classes, answer.p.len()))?;
        let independent = known.iter().any(|answer| answer.independent);
        let values = on.upload(known.into_iter().flat_map(|answer| answer.p).collect())?;
        let p = Probabilities::new(on, keys.len(), classes, values)?;
        Ok(if independent { p.independent() } else { p })
    }

    fn batching(&self) -> Batching {
        self.model.batching()
    }
}
