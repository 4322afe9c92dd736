//! Accuracy and F1 of the embedded classifier: `cargo run --release -p lipex-demo --example evaluate -- FILE.tsv`.
//!
//! The file has a header line, then text, tab, label.

use lipex_demo::{CLASSES, Demo};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: evaluate FILE.tsv")?;
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let demo = Demo::embedded();
    // Rows are true classes, columns answers.
    let mut counts = [[0usize; CLASSES.len()]; CLASSES.len()];
    for (n, line) in text.lines().enumerate().skip(1) {
        let (text, label) = line.rsplit_once('\t').ok_or_else(|| format!("{path}, line {}: no tab", n + 1))?;
        let class = CLASSES.iter().position(|c| *c == label);
        let class = class.ok_or_else(|| format!("{path}, line {}: no class {label}", n + 1))?;
        let p = demo.probabilities(text);
        let answer = (0..CLASSES.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best });
        counts[class][answer] += 1;
    }
    let rows: usize = counts.iter().flatten().sum();
    let right: usize = (0..CLASSES.len()).map(|c| counts[c][c]).sum();
    println!("rows {rows}, accuracy {:.4}", right as f64 / rows as f64);
    let mut mean = 0.0;
    for (c, class) in CLASSES.iter().enumerate() {
        let (of, said) = (counts[c].iter().sum::<usize>(), counts.iter().map(|row| row[c]).sum::<usize>());
        let f1 = 2.0 * counts[c][c] as f64 / (of + said).max(1) as f64;
        let recall = counts[c][c] as f64 / of.max(1) as f64;
        let precision = counts[c][c] as f64 / said.max(1) as f64;
        println!("{class:<9} rows {of:>5}  precision {precision:.2}  recall {recall:.2}  F1 {f1:.2}");
        mean += f1 / CLASSES.len() as f64;
    }
    println!("macro F1 {mean:.3}");
    Ok(())
}
