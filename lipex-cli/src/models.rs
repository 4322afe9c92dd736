//! `lipex models check`.

use crate::model::run_by;
use crate::options::{CheckOptions, ModelsCommand};
use crate::output;
use crate::staging::Staging;
use lipex::{Cell, Error, Images, Input, OnnxImage, OnnxOptions, OnnxTable, OnnxText, Picture, Result, Rows};
use std::path::Path;
use std::time::{Duration, Instant};

pub fn run(command: &ModelsCommand) -> Result<()> {
    let ModelsCommand::Check(options) = command;
    let folder = options.folder.strip_prefix("onnx:").unwrap_or(&options.folder);
    let lines = match OnnxOptions::input(folder)? {
        Input::Text => text(&built(options).open_text(folder)?)?,
        Input::Image => image(&built(options).open_image(folder)?)?,
        Input::Table => table(&built(options).open_table(folder)?)?,
    };
    let mut staged = Staging::default();
    staged.report(&lines.iter().map(|(name, value)| format!("{name:<15}{value}\n")).collect::<String>());
    staged.commit()
}

fn built(options: &CheckOptions) -> OnnxOptions {
    let onnx = run_by(OnnxOptions::new(), options.onnx_runtime.as_deref());
    match options.threads {
        Some(threads) => onnx.threads(threads),
        None => onnx,
    }
}

type Lines = Vec<(&'static str, String)>;

/// Rows of a call that are timed.
const ROWS: [usize; 3] = [1, 8, 32];
/// How long each is timed.
const TIME: Duration = Duration::from_millis(500);

const WORDS: &str =
    "the quick brown fox jumps over a lazy dog and runs away from it into some dark green wood near my old house";

fn text(model: &OnnxText) -> Result<Lines> {
    let mut lines = model.describe();
    if let Some(expected) = model.expected()? {
        lines.push(("expected.json", expected.to_string()));
    }
    // The same words in as many orders: all of one length, and no two alike.
    let words: Vec<&str> = WORDS.split(' ').collect();
    let turned = |by: usize| {
        let mut words = words.clone();
        let count = words.len();
        words.rotate_left(by % count);
        if by >= count {
            words.reverse();
        }
        words.join(" ")
    };
    let texts: Vec<String> = (0..ROWS[2]).map(turned).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let tokens = model.tokens(texts[0])?.0.len();
    let speed = speeds(|rows| model.logits(&texts[..rows]).map(drop))?;
    lines.push(("rows a second", format!("{speed} ({tokens} tokens a row)")));
    Ok(lines)
}

fn image(model: &OnnxImage) -> Result<Lines> {
    let mut lines = model.describe();
    let decode = |file: &Path| {
        let path = file.display().to_string();
        let picture = Picture::decode(&output::read_bytes("model", &path)?)
            .map_err(|e| Error::setting("model", &path, e.to_string()))?;
        Images::new(picture.width(), picture.height(), picture.as_rgb().to_vec())
    };
    if let Some(expected) = model.expected(decode)? {
        lines.push(("expected.json", expected.to_string()));
    }
    const SIDE: usize = 320;
    let one: Vec<u8> = (0..3 * SIDE * SIDE).map(|i| (i * 7 % 251) as u8).collect();
    let speed = speeds(|rows| model.logits(&Images::new(SIDE, SIDE, one.repeat(rows))?).map(drop))?;
    lines.push(("rows a second", format!("{speed} (pictures of {SIDE}×{SIDE}, resized)")));
    Ok(lines)
}

fn table(model: &OnnxTable) -> Result<Lines> {
    let mut lines = model.describe();
    if let Some(expected) = model.expected()? {
        lines.push(("expected.json", expected.to_string()));
    }
    let columns: Vec<String> = (1..=model.columns()).map(|i| i.to_string()).collect();
    let call = |rows: usize| {
        let row =
            |i: usize| (0..model.columns()).map(|c| Cell::Number(((7 * i + c) % 11) as f64 / 5.0 - 1.0)).collect();
        let rows_of = Rows::new(columns.clone().into(), (0..rows).map(row).collect(), (0..rows as u32).collect(), 1)?;
        model.logits(&rows_of).map(drop)
    };
    lines.push(("rows a second", format!("{} ({} columns)", speeds(call)?, model.columns())));
    Ok(lines)
}

/// Rows a second in calls of so many.
fn speeds(call: impl Fn(usize) -> Result<()>) -> Result<String> {
    let mut told = Vec::new();
    for rows in ROWS {
        call(rows)?;
        let (start, mut calls) = (Instant::now(), 0);
        while start.elapsed() < TIME {
            call(rows)?;
            calls += 1;
        }
        told.push(format!("{rows} a call: {:.0}", (rows * calls) as f64 / start.elapsed().as_secs_f64()));
    }
    Ok(told.join(", "))
}
