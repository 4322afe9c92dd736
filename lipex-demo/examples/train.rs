//! Trains the demo classifier: `cargo run --release -p lipex-demo --example train -- FOLDER OUT.bin`.
//!
//! FOLDER holds train.tsv and dev.tsv of GoEmotions (Ekman grouping, single labels; a header line, then text, tab, label).
//! One thread, a fixed seed, a fixed order of sums: the same machine makes the same bytes.

use lipex_demo::{CLASSES, Demo, Layers, UNITS, bigram_hash, word_hashes};
use std::collections::HashMap;
use std::error::Error;

/// Tokens that the classifier knows.
const TOKENS: usize = 20_000;
const EPOCHS: usize = 8;
const BATCH: usize = 64;
const RATE: f32 = 3e-3;
/// Share of input tokens and of hidden units that are left out at random while training.
const DROPPED_TOKENS: f64 = 0.25;
const DROPPED_UNITS: f64 = 0.3;
const DECAY: f32 = 1e-5;

struct Example {
    words: Vec<u32>,
    class: usize,
}

fn read(path: &str) -> Result<Vec<Example>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let mut examples = Vec::new();
    for (n, line) in text.lines().enumerate().skip(1) {
        let (text, label) = line.rsplit_once('\t').ok_or_else(|| format!("{path}, line {}: no tab", n + 1))?;
        let class = CLASSES.iter().position(|c| *c == label);
        let class = class.ok_or_else(|| format!("{path}, line {}: no class {label}", n + 1))?;
        examples.push(Example { words: word_hashes(text), class });
    }
    Ok(examples)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, (self.unit() * (i + 1) as f64) as usize);
        }
    }
}

/// The tokens that tell most about the class, by mutual information; those of all words before pairs where equal.
fn vocabulary(examples: &[Example]) -> (Vec<u32>, Vec<f32>) {
    let mut counts: HashMap<u32, [u32; CLASSES.len()]> = HashMap::new();
    let mut classes = [0f64; CLASSES.len()];
    for example in examples {
        let mut tokens = example.words.clone();
        tokens.extend(example.words.windows(2).map(|pair| bigram_hash(pair[0], pair[1])));
        tokens.sort_unstable();
        tokens.dedup();
        tokens.into_iter().for_each(|t| counts.entry(t).or_default()[example.class] += 1);
        classes[example.class] += 1.0;
    }
    let n = examples.len() as f64;
    let information = |of: &[u32; CLASSES.len()]| -> f64 {
        let df = f64::from(of.iter().sum::<u32>());
        let term = |joint: f64, a: f64, b: f64| if joint > 0.0 { joint / n * (joint * n / (a * b)).ln() } else { 0.0 };
        let both =
            |(&with, &all): (&u32, &f64)| term(f64::from(with), df, all) + term(all - f64::from(with), n - df, all);
        of.iter().zip(&classes).map(both).sum()
    };
    let mut ranked: Vec<(f64, u32, f64)> = counts
        .iter()
        .filter(|(_, of)| of.iter().sum::<u32>() >= 2)
        .map(|(&hash, of)| (information(of), hash, f64::from(of.iter().sum::<u32>())))
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(TOKENS);
    ranked.sort_by_key(|(_, hash, _)| *hash);
    let idf = |df: f64| (((1.0 + n) / (1.0 + df)).ln() + 1.0) as f32;
    (ranked.iter().map(|r| r.1).collect(), ranked.iter().map(|r| idf(r.2)).collect())
}

/// Adam on one list of weights.
struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    fn new(len: usize) -> Self {
        Adam { mean: vec![0.0; len], square: vec![0.0; len] }
    }

    fn step(&mut self, at: usize, weights: &mut [f32], gradient: &mut [f32], rate: f32) {
        for (k, (w, g)) in weights.iter_mut().zip(gradient.iter_mut()).enumerate() {
            let (m, s) = (&mut self.mean[at + k], &mut self.square[at + k]);
            *m = 0.9 * *m + 0.1 * *g;
            *s = 0.999 * *s + 0.001 * *g * *g;
            *w -= rate * (*m / (s.sqrt() + 1e-8) + DECAY * *w);
            *g = 0.0;
        }
    }
}

struct Training {
    layers: Layers,
    gradient: Layers,
    optimisers: [Adam; 4],
    steps: i32,
}

impl Training {
    fn new(layers: Layers) -> Self {
        let sizes = [layers.hidden.len(), UNITS, layers.output.len(), CLASSES.len()];
        let zeros = |list: &Vec<f32>| vec![0.0; list.len()];
        let gradient = Layers {
            hidden: zeros(&layers.hidden),
            hidden_bias: zeros(&layers.hidden_bias),
            output: zeros(&layers.output),
            output_bias: zeros(&layers.output_bias),
            ..layers.clone()
        };
        Training { layers, gradient, optimisers: sizes.map(Adam::new), steps: 0 }
    }

    /// Adds one example's gradient.
    fn learn(&mut self, input: &[(usize, f32)], class: usize, random: &mut Random) {
        let mut units = self.layers.units(input);
        let keep: [f32; UNITS] =
            std::array::from_fn(
                |_| {
                    if random.unit() < DROPPED_UNITS { 0.0 } else { 1.0 / (1.0 - DROPPED_UNITS as f32) }
                },
            );
        units.iter_mut().zip(keep).for_each(|(u, k)| *u *= k);
        let logits = self.layers.logits(&units);
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let e = logits.map(|l| (l - top).exp());
        let sum: f32 = e.iter().sum();
        let mut back = [0f32; UNITS];
        for (c, e) in e.into_iter().enumerate() {
            let error = e / sum - f32::from(u8::from(c == class));
            self.gradient.output_bias[c] += error;
            for u in 0..UNITS {
                self.gradient.output[c * UNITS + u] += error * units[u];
                back[u] += error * self.layers.output[c * UNITS + u];
            }
        }
        for u in 0..UNITS {
            back[u] = if units[u] > 0.0 { back[u] * keep[u] } else { 0.0 };
            self.gradient.hidden_bias[u] += back[u];
        }
        for &(token, value) in input {
            let row = &mut self.gradient.hidden[token * UNITS..(token + 1) * UNITS];
            row.iter_mut().zip(back).for_each(|(g, b)| *g += value * b);
        }
    }

    /// Takes a step; of the hidden rows only those that were touched.
    fn step(&mut self, touched: &mut Vec<usize>, rate: f32) {
        self.steps += 1;
        let warm = (1.0 - 0.999f32.powi(self.steps)).sqrt() / (1.0 - 0.9f32.powi(self.steps));
        let rate = rate * warm;
        touched.sort_unstable();
        touched.dedup();
        let [hidden, hidden_bias, output, output_bias] = &mut self.optimisers;
        for token in touched.drain(..) {
            let row = token * UNITS..(token + 1) * UNITS;
            let at = row.start;
            hidden.step(at, &mut self.layers.hidden[row.clone()], &mut self.gradient.hidden[row], rate);
        }
        hidden_bias.step(0, &mut self.layers.hidden_bias, &mut self.gradient.hidden_bias, rate);
        output.step(0, &mut self.layers.output, &mut self.gradient.output, rate);
        output_bias.step(0, &mut self.layers.output_bias, &mut self.gradient.output_bias, rate);
    }
}

fn accuracy(layers: &Layers, examples: &[Example]) -> f64 {
    let right = |example: &&Example| {
        let logits = layers.logits(&layers.units(&layers.input(&example.words)));
        (0..CLASSES.len()).all(|c| logits[c] <= logits[example.class])
    };
    examples.iter().filter(right).count() as f64 / examples.len() as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = arguments.as_slice() else { return Err("usage: train FOLDER OUT.bin".into()) };
    let (train, dev) = (read(&format!("{folder}/train.tsv"))?, read(&format!("{folder}/dev.tsv"))?);
    let mut random = Random(7);
    let (hashes, idf) = vocabulary(&train);
    let mut draw =
        |n: usize, scale: f32| -> Vec<f32> { (0..n).map(|_| scale * (random.unit() as f32 - 0.5)).collect() };
    let layers = Layers {
        hidden: draw(hashes.len() * UNITS, 0.2),
        hidden_bias: vec![0.05; UNITS],
        output: draw(CLASSES.len() * UNITS, 0.5),
        output_bias: vec![0.0; CLASSES.len()],
        hashes,
        idf,
    };
    let mut training = Training::new(layers);
    let mut order: Vec<usize> = (0..train.len()).collect();
    let inputs: Vec<Vec<(usize, f32)>> = train.iter().map(|e| training.layers.input(&e.words)).collect();
    let mut best = (0.0, training.layers.clone());
    for epoch in 0..EPOCHS {
        random.shuffle(&mut order);
        let mut touched = Vec::new();
        let rate = RATE * 0.5f32.powi(epoch as i32 / 2);
        for batch in order.chunks(BATCH) {
            for &i in batch {
                let input: Vec<(usize, f32)> =
                    inputs[i].iter().copied().filter(|_| random.unit() >= DROPPED_TOKENS).collect();
                training.learn(&input, train[i].class, &mut random);
                touched.extend(input.iter().map(|(token, _)| *token));
            }
            training.step(&mut touched, rate);
        }
        let (seen, held) = (accuracy(&training.layers, &train), accuracy(&training.layers, &dev));
        eprintln!("epoch {}: training {seen:.4}, dev {held:.4}", epoch + 1);
        if held > best.0 {
            best = (held, training.layers.clone());
        }
    }
    let bytes = best.1.to_bytes();
    let rounded = Demo::from_layers(Layers::from_bytes(&bytes)?)?;
    eprintln!("rounded to 8 bits: dev {:.4}, {} bytes", accuracy(rounded.layers(), &dev), bytes.len());
    std::fs::write(out, bytes).map_err(|e| format!("{out}: {e}"))?;
    Ok(())
}
