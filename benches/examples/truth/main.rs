//! How true is a surrogate at the instance, near it, and on masks that it has not seen: with and without anchoring and pairs?
//!
//! `cargo run --release -p lipex-benches --example truth -- FOLDER TEXTS FIRST STEP COUNT [MAX_TOKENS]`: FOLDER holds an ONNX
//! classifier, TEXTS lines `text;label` or JSON lines with a `text`; lines FIRST, FIRST + STEP, … are taken, COUNT of them
//! that have 8 distinct words or more. Each text is asked at 1500 masks; fits see the first N, the last 500 judge them.
//!
//! * **at x**: total variation between model and surrogate for the whole text.
//! * **unseen**: the same on the 500 masks, weighted by proximity.
//! * **near**: the same on those of them that keep more than .8 of the words, each alike.
//! * **flips**: the share of texts whose predicted class changes when the first 1 … 5 words of a ranking are removed.
//!
//! Differences are from the first row of the same N, with the 95 % interval of a bootstrap over texts. The tables go to
//! docs/anchoring-and-pairs.md.

mod remembered;
mod table;

use lipex::{
    Cpu, Explainer, Explanation, Intercept, Neighbourhood, OnnxOptions, OutOfFold, Pairs, Rank, Result, TextInstance,
    arg_max,
};
use remembered::Remembered;
use table::{Judged, print};

/// Masks a text is asked at, and how many of them fits may see.
const POOL: usize = 1500;
const SEEN: usize = 1000;
/// Rankings are tried to this length.
pub const REMOVED: usize = 5;

/// A way to fit: its name and what it changes of the preset.
struct Way {
    name: &'static str,
    samples: usize,
    intercept: Intercept,
    pairs: Pairs,
}

fn ways() -> Vec<Way> {
    let mut ways = Vec::new();
    for samples in [100, 200, 1000] {
        let mut add = |name, intercept, pairs| ways.push(Way { name, samples, intercept, pairs });
        add("fitted", Intercept::Fitted, Pairs::None);
        add("anchored", Intercept::Anchored, Pairs::None);
        add("anchored, 5 pairs", Intercept::Anchored, Pairs::Count(5));
        add("anchored, 15 pairs", Intercept::Anchored, Pairs::Count(15));
        add("anchored, auto pairs", Intercept::Anchored, Pairs::Auto);
        add("fitted, auto pairs", Intercept::Fitted, Pairs::Auto);
    }
    ways
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, texts, first, step, count] = &arguments[..5] else { panic!("FOLDER TEXTS FIRST STEP COUNT") };
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let mut options = OnnxOptions::new();
    if let Some(most) = arguments.get(5) {
        options = options.max_tokens(number(most));
    }
    let model = Remembered::new(options.open_text(folder)?);
    let texts = read(texts, number(first), number(step), number(count));
    let ways = ways();
    let mut judged: Vec<Vec<Judged>> = vec![Vec::new(); ways.len()];
    for text in &texts {
        let instance = TextInstance::new(text)?;
        let all = fixed(Explainer::lipex(Cpu::new())).samples(POOL);
        let (_, pool) = all.explain_with_neighbourhood(&instance, &model)?;
        for (way, judged) in ways.iter().zip(&mut judged) {
            let explainer = fixed(Explainer::lipex(Cpu::new()));
            let explainer = explainer.samples(way.samples).intercept(way.intercept).pairs(way.pairs.clone());
            let explanation = explainer.explain(&instance, &model)?;
            judged.push(judge(&explainer, &explanation, &pool, &instance, &model)?);
        }
        model.forget();
    }
    println!("{} texts, {} distinct inputs", texts.len(), model.asked());
    let names: Vec<(usize, &str)> = ways.iter().map(|way| (way.samples, way.name)).collect();
    print(&names, &judged);
    Ok(())
}

/// What every run here shares: drawn masks, the first rows of one another, and no fidelity of its own.
fn fixed(explainer: Explainer<Cpu>) -> Explainer<Cpu> {
    explainer.evaluator(OutOfFold { folds: 0 })
}

fn read(file: &str, first: usize, step: usize, count: usize) -> Vec<String> {
    let lines = std::fs::read_to_string(file).expect("the texts");
    let text = |line: &str| {
        let json = line.starts_with('{').then(|| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        match json {
            Some(value) => value["text"].as_str().expect("a text").to_string(),
            None => line.rsplit_once(';').map_or(line, |(text, _)| text).to_string(),
        }
    };
    let long = |text: &String| text.split_whitespace().collect::<std::collections::HashSet<_>>().len() >= 8;
    lines.lines().skip(first).step_by(step).map(text).filter(long).take(count).collect()
}

fn judge(
    explainer: &Explainer<Cpu>,
    e: &Explanation,
    pool: &Neighbourhood<Cpu>,
    instance: &TextInstance,
    model: &Remembered,
) -> Result<Judged> {
    let answer = e.answer.as_ref().expect("a fit");
    let (mut weights, mut unseen, mut near) = (0.0, 0.0, Vec::new());
    for i in SEEN..pool.rows() {
        let keeps: Vec<bool> = answer.kept().iter().map(|&j| pool.masks.keeps(i, j)).collect();
        let q = answer.predict(&keeps)?;
        let tv = variation(pool.probabilities.row(i).iter().map(|&p| f64::from(p)), &q);
        let weight = f64::from(pool.weights.values()[i]);
        (weights, unseen) = (weights + weight, unseen + weight * tv);
        if pool.masks.count(i) as f64 > 0.8 * pool.masks.features() as f64 {
            near.push(tv);
        }
    }
    let class = e.predicted();
    let changes =
        |removed: &[usize]| -> Result<bool> { Ok(arg_max(&explainer.ask_without(instance, model, removed)?) != class) };
    let order: Vec<usize> = e.top_k(class, REMOVED, Rank::Supporting).iter().map(|w| w.feature).collect();
    let greedy = greedy(e, class)?;
    let flips = |order: &[usize]| (1..=REMOVED).map(|k| changes(&order[..k.min(order.len())])).collect::<Result<_>>();
    Ok(Judged {
        at_instance: variation(e.probabilities.model.iter().copied(), &e.probabilities.surrogate),
        unseen: unseen / weights,
        near: (!near.is_empty()).then(|| near.iter().sum::<f64>() / near.len() as f64),
        pairs: e.pairs().len(),
        flips: flips(&order)?,
        greedy: flips(&greedy)?,
    })
}

/// The features whose removal lowers the surrogate's probability of the class most, each given those before it.
fn greedy(e: &Explanation, class: usize) -> Result<Vec<usize>> {
    let mut gone: Vec<usize> = Vec::new();
    while gone.len() < REMOVED.min(e.kept().len()) {
        let mut best: Option<(f64, usize)> = None;
        for &j in e.kept().iter().filter(|j| !gone.contains(j)) {
            let left = e.without(&[gone.as_slice(), &[j]].concat())?[class];
            if best.is_none_or(|(least, _)| left < least) {
                best = Some((left, j));
            }
        }
        gone.extend(best.map(|(_, j)| j));
    }
    Ok(gone)
}

fn variation(p: impl Iterator<Item = f64>, q: &[f64]) -> f64 {
    0.5 * p.zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}
