//! How many texts a second a model in a folder answers, in rounds, for `benches/peers/onnx.py`.
//!
//! ```text
//! cargo run --release -p lipex-onnx --example rows -- MODEL THREADS
//! ```
//!
//! Reads a JSON list of texts on one line and says `ready`; for every further line it answers all of them and prints rows a second,
//! tokenising included.

use lipex_onnx::OnnxOptions;
use std::error::Error;
use std::io::BufRead;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, threads] = arguments.as_slice() else { return Err("give MODEL THREADS".into()) };
    let model = OnnxOptions::new().threads(threads.parse()?).open_text(model)?;
    let mut lines = std::io::stdin().lock().lines();
    let texts: Vec<String> = serde_json::from_str(&lines.next().ok_or("no texts")??)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    model.logits(&texts)?;
    println!("ready");
    for line in lines {
        line?;
        let start = Instant::now();
        model.logits(&texts)?;
        println!("{:.1}", texts.len() as f64 / start.elapsed().as_secs_f64());
    }
    Ok(())
}
