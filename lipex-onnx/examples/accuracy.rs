//! How often a model in a folder is right, and how many rows a second it answers.
//!
//! ```text
//! cargo run --release -p lipex-onnx --example accuracy -- MODEL DATA [THREADS [MAX_TOKENS]]
//! ```
//!
//! DATA is a file of texts (`.txt`: text;label, `.tsv`: text, tab, label, `.jsonl`: {"text", "group"}) or a folder of photos
//! with a `labels.tsv` (file, number of the class, …).

use lipex::{Images, Picture};
use lipex_onnx::{OnnxImage, OnnxOptions, OnnxText};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

type Rows = Vec<(String, String)>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, data, numbers @ ..] = arguments.as_slice() else {
        return Err("give MODEL DATA [THREADS [MAX_TOKENS]]".into());
    };
    let mut options = OnnxOptions::new();
    if let Some(threads) = numbers.first() {
        options = options.threads(threads.parse()?);
    }
    if let Some(most) = numbers.get(1) {
        options = options.max_tokens(most.parse()?);
    }
    let start = Instant::now();
    let (right, rows) = if Path::new(data).is_dir() {
        photos(&options.open_image(model)?, Path::new(data))?
    } else {
        texts(&options.open_text(model)?, &read(Path::new(data))?)?
    };
    let seconds = start.elapsed().as_secs_f64();
    println!("{right} of {rows} right: {:.4}; {:.0} rows a second", right as f64 / rows as f64, rows as f64 / seconds);
    Ok(())
}

fn read(file: &Path) -> Result<Rows, Box<dyn Error>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let split = |line: &str, at: char| line.rsplit_once(at).map(|(text, label)| (text.to_string(), label.to_string()));
    match file.extension().and_then(|e| e.to_str()) {
        Some("jsonl") => lines
            .map(|line| -> Result<(String, String), Box<dyn Error>> {
                let row: serde_json::Value = serde_json::from_str(line)?;
                let field = |name: &str| row[name].as_str().map(String::from).ok_or("a row lacks text or group");
                Ok((field("text")?, field("group")?))
            })
            .collect(),
        Some("tsv") => Ok(lines.skip(1).filter_map(|line| split(line, '\t')).collect()),
        _ => Ok(lines.filter_map(|line| split(line, ';')).collect()),
    }
}

fn best(row: &[f32]) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

fn texts(model: &OnnxText, rows: &Rows) -> Result<(usize, usize), Box<dyn Error>> {
    let texts: Vec<&str> = rows.iter().map(|(text, _)| text.as_str()).collect();
    let answers = model.logits(&texts)?;
    let right = answers.iter().zip(rows).filter(|(row, (_, label))| model.labels()[best(row)] == *label);
    Ok((right.count(), rows.len()))
}

fn photos(model: &OnnxImage, folder: &Path) -> Result<(usize, usize), Box<dyn Error>> {
    let list = std::fs::read_to_string(folder.join("labels.tsv"))?;
    let (mut right, mut rows) = (0, 0);
    for line in list.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(file), Some(class)) = (fields.next(), fields.next()) else { continue };
        let picture = Picture::decode(&std::fs::read(folder.join(file))?)?;
        let one = Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec())?;
        right += usize::from(best(&model.logits(&one)?[0]) == class.parse::<usize>()?);
        rows += 1;
    }
    Ok((right, rows))
}
