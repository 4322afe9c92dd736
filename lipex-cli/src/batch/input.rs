//! The table of a batch: its rows one by one, as often as they are wanted.

use lipex::{Error, Result, RowId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A row: what is to be explained, or why there is nothing.
pub struct Row {
    pub number: u64,
    pub id: RowId,
    /// A text, or the path of a photo.
    pub content: std::result::Result<String, String>,
}

/// The rows of a table in order.
pub type Rows = Box<dyn Iterator<Item = Row> + Send>;

/// Which columns are read.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    pub text: Option<String>,
    pub image: Option<String>,
    pub id: Option<String>,
}

/// A table, looked through once.
pub struct Input {
    path: PathBuf,
    kind: Kind,
    /// How many rows it has.
    pub rows: u64,
    /// Of its bytes; of a folder, of names and sizes.
    pub sha256: String,
    /// Whether its contents are photos.
    pub is_images: bool,
}

enum Kind {
    /// With the places of content and id.
    Separated {
        by: u8,
        content: usize,
        id: Option<usize>,
    },
    JsonLines {
        content: String,
        id: Option<String>,
    },
    Folder(Vec<PathBuf>),
    #[cfg(feature = "parquet")]
    Parquet {
        content: usize,
        id: Option<usize>,
    },
}

fn refuse(path: &Path, reason: impl Into<String>) -> Error {
    Error::setting("FILE", path.display(), reason)
}

impl Input {
    /// Looks through the table: what it is, whether it has the columns, how many rows.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that cannot be read, an unknown format, or columns that are not there.
    pub fn open(file: &str, format: Option<&str>, columns: &Columns) -> Result<Self> {
        let path = PathBuf::from(file);
        if path.is_dir() {
            return Self::folder(path);
        }
        let io = |e: std::io::Error| refuse(&path, e.to_string());
        if !File::open(&path).and_then(|file| file.metadata()).map_err(io)?.is_file() {
            return Err(refuse(&path, "is no file: a run that is killed reads it again to go on"));
        }
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let kind = match format.or(ending.as_deref()) {
            Some("csv") => Self::separated(&path, b',', columns)?,
            Some("tsv") => Self::separated(&path, b'\t', columns)?,
            Some("jsonl" | "ndjson") => Self::json_lines(&path, columns)?,
            #[cfg(feature = "parquet")]
            Some("parquet") => super::parquet::find(&path, columns)
                .map(|(content, id)| Kind::Parquet { content, id })
                .map_err(|reason| refuse(&path, reason))?,
            #[cfg(not(feature = "parquet"))]
            Some("parquet") => return Err(refuse(&path, super::write::NO_PARQUET)),
            _ => return Err(refuse(&path, "what is it? Say --format csv, tsv, jsonl or parquet")),
        };
        let sha256 = hash(&path).map_err(io)?;
        let is_images = columns.image.is_some();
        let mut input = Input { path, kind, rows: 0, sha256, is_images };
        input.rows = input.read()?.count() as u64;
        if input.rows == 0 {
            return Err(refuse(&input.path, "has no rows"));
        }
        Ok(input)
    }

    /// Photos by the order of their names.
    fn folder(path: PathBuf) -> Result<Self> {
        const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"];
        let io = |e: std::io::Error| refuse(&path, e.to_string());
        let is_photo = |file: &Path| {
            let ending = file.extension().map(|e| e.to_string_lossy().to_lowercase());
            file.is_file() && ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
        };
        let (mut files, mut sum) = (Vec::new(), Sha256::new());
        for entry in std::fs::read_dir(&path).map_err(io)? {
            files.push(entry.map_err(io)?.path());
        }
        files.retain(|file| is_photo(file));
        files.sort();
        for file in &files {
            sum.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            sum.update(file.metadata().map_err(io)?.len().to_le_bytes());
        }
        if files.is_empty() {
            return Err(refuse(&path, format!("has no photo in it ({})", ENDINGS.join(", "))));
        }
        let rows = files.len() as u64;
        Ok(Input { path, kind: Kind::Folder(files), rows, sha256: hex(sum), is_images: true })
    }

    fn separated(path: &Path, by: u8, columns: &Columns) -> Result<Kind> {
        let mut reader = reader(path, by)?;
        let names = reader.byte_headers().map_err(|e| refuse(path, e.to_string()))?;
        let names: Vec<String> = names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let (content, id) = columns.find(&names).map_err(|reason| refuse(path, reason))?;
        Ok(Kind::Separated { by, content, id })
    }

    /// The columns are the keys of the first object.
    fn json_lines(path: &Path, columns: &Columns) -> Result<Kind> {
        let file = File::open(path).map_err(|e| refuse(path, e.to_string()))?;
        let mut lines = BufReader::new(file).lines().map_while(std::result::Result::ok);
        let first = lines.find_map(|line| serde_json::from_str::<serde_json::Map<String, Value>>(&line).ok());
        let first = first.ok_or_else(|| refuse(path, "no line of it is a JSON object"))?;
        let names: Vec<String> = first.keys().cloned().collect();
        let (content, id) = columns.find(&names).map_err(|reason| refuse(path, reason))?;
        Ok(Kind::JsonLines { content: names[content].clone(), id: id.map(|id| names[id].clone()) })
    }

    /// The rows from the first.
    ///
    /// # Errors
    /// [`Error::Setting`] when the file cannot be read.
    pub fn read(&self) -> Result<Rows> {
        let io = |e: std::io::Error| refuse(&self.path, e.to_string());
        Ok(match &self.kind {
            Kind::Folder(files) => {
                let named = |(number, file): (usize, PathBuf)| {
                    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    Row { number: number as u64, id: RowId::Text(name), content: Ok(file.display().to_string()) }
                };
                Box::new(files.clone().into_iter().enumerate().map(named))
            }
            Kind::Separated { by, content, id } => {
                let (content, id, place) = (*content, *id, self.beside());
                let records = reader(&self.path, *by)?.into_byte_records();
                Box::new(records.enumerate().map(move |(i, record)| of_record(i as u64, record, content, id, &place)))
            }
            Kind::JsonLines { content, id } => {
                let (content, id, place) = (content.clone(), id.clone(), self.beside());
                let lines = BufReader::new(File::open(&self.path).map_err(io)?).split(b'\n');
                let full = lines.map_while(std::result::Result::ok).filter(|line| !line.trim_ascii().is_empty());
                Box::new(
                    full.enumerate().map(move |(i, line)| of_line(i as u64, &line, &content, id.as_deref(), &place)),
                )
            }
            #[cfg(feature = "parquet")]
            Kind::Parquet { content, id } => {
                let (content, id, place) = (*content, *id, self.beside());
                let cells = super::parquet::cells(&self.path, content, id).map_err(|e| refuse(&self.path, e))?;
                Box::new(cells.enumerate().map(move |(i, cell)| {
                    let number = i as u64;
                    let (content, id) = cell;
                    Row {
                        number,
                        id: id.unwrap_or(RowId::Number(i as i64)),
                        content: content.map(|c| placed(&place, c)),
                    }
                }))
            }
        })
    }

    /// The folder that paths of photos start from; `None` for texts.
    fn beside(&self) -> Option<PathBuf> {
        self.is_images.then(|| self.path.parent().unwrap_or(Path::new("")).to_path_buf())
    }
}

impl Columns {
    /// The places of content and id among the names.
    pub fn find(&self, names: &[String]) -> std::result::Result<(usize, Option<usize>), String> {
        let place = |option: &str, name: &str| {
            let found = names.iter().position(|n| n == name);
            found.ok_or_else(|| format!("has no column {name} for --{option}; it has {}", names.join(", ")))
        };
        let content = match (&self.text, &self.image) {
            (_, Some(name)) => place("image-column", name)?,
            (Some(name), _) => place("text-column", name)?,
            _ => match names.iter().position(|n| n == "text") {
                Some(found) => found,
                None if names.len() == 1 => 0,
                None => {
                    let all = names.join(", ");
                    return Err(format!("which column has the texts? Say --text-column NAME, one of {all}"));
                }
            },
        };
        Ok((content, self.id.as_ref().map(|name| place("id-column", name)).transpose()?))
    }
}

fn reader(path: &Path, by: u8) -> Result<csv::Reader<File>> {
    let file = File::open(path).map_err(|e| refuse(path, e.to_string()))?;
    Ok(csv::ReaderBuilder::new().delimiter(by).flexible(true).from_reader(past_mark(file)))
}

/// A file after its byte-order mark, if it has one.
fn past_mark(mut file: File) -> File {
    use std::io::Seek;
    let mut start = [0; 3];
    let marked = file.read_exact(&mut start).is_ok() && start == [0xef, 0xbb, 0xbf];
    if !marked {
        // A file that was just opened can be read from its start.
        let _ = file.rewind();
    }
    file
}

/// A path as it is to be opened.
fn placed(place: &Option<PathBuf>, content: String) -> String {
    match place {
        Some(folder) => folder.join(&content).display().to_string(),
        None => content,
    }
}

fn of_record(
    number: u64,
    record: csv::Result<csv::ByteRecord>,
    content: usize,
    id: Option<usize>,
    place: &Option<PathBuf>,
) -> Row {
    let own = RowId::Number(number as i64);
    let record = match record {
        Ok(record) => record,
        Err(e) => return Row { number, id: own, content: Err(e.to_string()) },
    };
    let text = |at: usize, what: &str| match record.get(at).map(|field| String::from_utf8(field.to_vec())) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => Err(format!("the {what} is not UTF-8")),
        None => Err(format!("the row has {} fields, and none for the {what}", record.len())),
    };
    match id.map(|at| text(at, "id")).transpose() {
        Ok(id) => {
            let content = text(content, "text").map(|content| placed(place, content));
            Row { number, id: id.map_or(own, RowId::Text), content }
        }
        Err(reason) => Row { number, id: own, content: Err(reason) },
    }
}

fn of_line(number: u64, line: &[u8], content: &str, id: Option<&str>, place: &Option<PathBuf>) -> Row {
    let own = RowId::Number(number as i64);
    let object: serde_json::Map<String, Value> = match serde_json::from_slice(line) {
        Ok(object) => object,
        Err(_) => return Row { number, id: own, content: Err("the line is no JSON object".into()) },
    };
    let told = match id.map(|key| object.get(key)) {
        None => Ok(own.clone()),
        Some(Some(Value::String(id))) => Ok(RowId::Text(id.clone())),
        Some(Some(Value::Number(id))) => Ok(id.as_i64().map_or_else(|| RowId::Text(id.to_string()), RowId::Number)),
        Some(_) => Err("the row has no id that is a text or a number".to_string()),
    };
    let text = match object.get(content) {
        Some(Value::String(text)) => Ok(placed(place, text.clone())),
        Some(Value::Null) | None => Err(format!("the row has no {content}")),
        Some(_) => Err(format!("the row's {content} is no text")),
    };
    match told {
        Ok(id) => Row { number, id, content: text },
        Err(reason) => Row { number, id: own, content: Err(reason) },
    }
}

fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(path: &Path) -> std::io::Result<String> {
    let (mut file, mut sum) = (File::open(path)?, Sha256::new());
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(sum)),
            read => sum.update(&piece[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(name: &str, content: &[u8], columns: &Columns) -> Vec<(String, std::result::Result<String, String>)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let input = Input::open(file.to_str().unwrap(), None, columns).unwrap();
        let rows: Vec<Row> = input.read().unwrap().collect();
        assert_eq!(rows.len() as u64, input.rows);
        assert!(rows.iter().enumerate().all(|(i, row)| row.number == i as u64));
        rows.into_iter().map(|row| (row.id.to_string(), row.content)).collect()
    }

    #[test]
    fn a_bad_row_is_a_row() {
        let columns = Columns { id: Some("id".into()), ..Columns::default() };
        let ok = |text: &str| Ok(text.to_string());
        let csv = b"\xef\xbb\xbfid,text\n7,\"a, \"\"b\"\"\nc\"\n8\n9,\xff\n,d\n";
        let got = rows("t.csv", csv, &columns);
        assert_eq!(got[0], ("7".into(), ok("a, \"b\"\nc")));
        assert_eq!(got[1].0, "8");
        assert!(got[1].1.as_ref().unwrap_err().contains("1 fields"), "{got:?}");
        assert!(got[2].1.as_ref().unwrap_err().contains("UTF-8"), "{got:?}");
        assert_eq!(got[3], (String::new(), ok("d")));
        let jsonl =
            b"{\"id\":7,\"text\":\"a\"}\n\n[1]\n{\"id\":\"x\",\"text\":null}\n{\"text\":\"b\"}\n{\"id\":1,\"text\":3}";
        let got = rows("t.jsonl", jsonl, &columns);
        assert_eq!(got[0], ("7".into(), ok("a")));
        let reasons = ["no JSON object", "has no text", "no id", "is no text"];
        assert_eq!(got.len(), 5);
        for (row, reason) in got[1..].iter().zip(reasons) {
            assert!(row.1.as_ref().unwrap_err().contains(reason), "{row:?}");
        }
    }

    #[test]
    fn columns_are_found_or_named() {
        let names = ["a".to_string(), "text".to_string()];
        let find = |text: Option<&str>, names: &[String]| {
            Columns { text: text.map(String::from), ..Columns::default() }.find(names)
        };
        assert_eq!(find(None, &names).unwrap(), (1, None));
        assert_eq!(find(Some("a"), &names).unwrap(), (0, None));
        assert_eq!(find(None, &names[..1]).unwrap(), (0, None));
        assert!(find(Some("b"), &names).unwrap_err().contains("it has a, text"));
        assert!(find(None, &["a".into(), "b".into()]).unwrap_err().contains("--text-column"));
    }
}
