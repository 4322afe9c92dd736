//! Times a gradient of an ONNX graph: a run forwards and one backwards, on one thread. For benches/peers/gradients.py.
//!
//! `gradient_time MODEL.onnx CUT ROUNDS [IDS]`: with token numbers (1,2,3) the graph is a text's and CUT the tensor of its embeddings, else
//! it takes a picture of 3 × 224 × 224. Prints CPU milliseconds a round, one a line.

use lipex_grad::{Network, Tensor, Way};
use std::error::Error;
use std::time::Instant;

/// Nanoseconds on the CPU of this thread, as Linux counts them; by the clock elsewhere.
fn cpu(start: Instant) -> u128 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let first = told.as_deref().and_then(|t| t.split_whitespace().next()?.parse().ok());
    first.unwrap_or_else(|| start.elapsed().as_nanos())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, cut, rounds, rest @ ..] = arguments.as_slice() else {
        return Err("gradient_time MODEL.onnx CUT ROUNDS [IDS]".into());
    };
    let network = Network::<f32>::open(model)?;
    let mut feeds: Vec<(String, Tensor)> = Vec::new();
    if let Some(ids) = rest.first() {
        let ids = ids.split(',').map(str::parse).collect::<Result<Vec<i64>, _>>()?;
        for name in network.inputs() {
            let values = match name.as_str() {
                "input_ids" => ids.clone(),
                "attention_mask" => vec![1; ids.len()],
                _ => vec![0; ids.len()],
            };
            feeds.push((name.clone(), Tensor::wholes(vec![1, ids.len()], values)?));
        }
    } else {
        let at = |i: usize| (0.05 * (i / 224 % 224) as f32 + 0.03 * (i % 224) as f32).sin();
        feeds.push((cut.clone(), Tensor::floats(vec![1, 3, 224, 224], (0..3 * 224 * 224).map(at).collect())?));
    }
    let start = Instant::now();
    for _ in 0..rounds.parse()? {
        let before = cpu(start);
        let fed: Vec<(&str, Tensor)> = feeds.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        let tape = network.forward(&fed, "logits")?;
        let mut seed = vec![0.0; tape.floats("logits")?.len()];
        seed[0] = 1.0;
        let gradient = network.backward(&tape, "logits", seed, &[cut], Way::Plain)?;
        assert!(gradient[0].iter().any(|g| *g != 0.0));
        println!("{}", (cpu(start) - before) as f64 / 1e6);
    }
    Ok(())
}
