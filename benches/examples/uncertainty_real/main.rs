//! Are error bars and settled sets true on a real classifier?
//!
//! `cargo run --release -p lipex-benches --example uncertainty_real -- 'PROGRAM ARGS' TEXTS CACHE [RUNS [PART]]`: the program is a
//! black box as in docs/command-protocol.md, TEXTS a file of lines `text;label` of which the first 50 are taken, CACHE a
//! folder for the model's answers. Each text is asked once, at 12,000 masks; runs then draw from those, so that the
//! optimum over all of them is known. PART is one of cost, coverage, fidelity, savings, settled; without it all are made. The
//! tables go to docs/uncertainty.md.

mod savings;

use lipex::philox::{Draws, Purpose};
use lipex::{
    Adaptive, All, BlackBox, CommandModel, Cpu, Describe, Distinct, Draw, ErrorBars, Evaluator, Explainer, Explanation,
    Exponential, Feature, Fitted, GivenFeatures, Instance, Law, Masks, Neighbourhood, OutOfFold, Perturber,
    Probabilities, Problem, Rank, Render, Result, Rule, Sample, Selection, Selector, Setting, Softmax, Surrogate,
    TextInstance, Weights, arg_max,
};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Masks that every text is asked at, beside the text itself.
const POOL: usize = 12_000;
/// The rows after these are kept for reference fits.
const FOR_RUNS: usize = 7_000;
const TEXTS: usize = 50;
const LOOKS: [usize; 8] = [100, 150, 200, 300, 400, 500, 700, 1000];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, texts, cache] = &arguments[..3] else { panic!("PROGRAM TEXTS CACHE [RUNS]") };
    let runs: u64 = arguments.get(3).map_or(10, |runs| runs.parse().expect("a number of runs"));
    let texts = std::fs::read_to_string(texts).expect("the texts");
    let mut pools = Vec::new();
    for (n, line) in texts.lines().take(TEXTS).enumerate() {
        let text = line.rsplit_once(';').map_or(line, |(text, _)| text);
        pools.push(Arc::new(Pool::new(text, &Path::new(cache).join(format!("{n:03}.bin")), program)?));
    }
    let inputs: usize = pools.iter().map(|p| p.answers.len()).sum();
    println!("{TEXTS} texts, {runs} runs of each, {inputs} distinct inputs");
    let asked = |part: &str| arguments.get(4).is_none_or(|only| only == part);
    if asked("cost") {
        cost(&pools, program, &texts)?;
    }
    if asked("coverage") {
        coverage(&pools, runs)?;
    }
    if asked("fidelity") {
        fidelity(&pools)?;
    }
    if asked("savings") {
        savings::print(&pools, runs)?;
    }
    if asked("settled") {
        settled(&pools, runs)?;
    }
    Ok(())
}

/// One text with the model's answers to 12,000 masks.
struct Pool {
    features: Vec<Feature>,
    labels: Vec<String>,
    /// Row 0 is the text itself.
    rows: Vec<Vec<u32>>,
    answers: HashMap<Vec<u32>, Vec<f32>>,
}

impl Pool {
    fn new(text: &str, file: &Path, program: &str) -> Result<Self> {
        let instance = TextInstance::new(text)?;
        if !file.exists() {
            let model = CommandModel::start(program, std::time::Duration::from_secs(120))?;
            let explainer = Explainer::lipex(Cpu::new()).samples(POOL + 1).batch_size(512);
            let explainer = explainer.evaluator(OutOfFold { folds: 0 });
            let (_, around) = explainer.explain_with_neighbourhood(&instance, &model)?;
            let classes = around.probabilities.classes() as u32;
            let mut bytes: Vec<u8> =
                [POOL as u32 + 1, around.masks.features() as u32, classes].map(u32::to_le_bytes).concat();
            bytes.extend(around.masks.bits().iter().flat_map(|w| w.to_le_bytes()));
            bytes.extend(around.probabilities.values().iter().flat_map(|p| p.to_le_bytes()));
            std::fs::write(file, bytes).expect("the cache");
        }
        let bytes = std::fs::read(file).expect("the cache");
        let words: Vec<u32> = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let (rows, width, classes) = (words[0] as usize, (words[1] as usize).div_ceil(32), words[2] as usize);
        assert_eq!(words[1] as usize, instance.features().len(), "{}: of another text", file.display());
        let masks: Vec<Vec<u32>> = words[3..3 + rows * width].chunks_exact(width).map(<[u32]>::to_vec).collect();
        let p =
            words[3 + rows * width..].chunks_exact(classes).map(|row| row.iter().map(|&p| f32::from_bits(p)).collect());
        let answers = masks.iter().cloned().zip(p).collect();
        let labels = (0..classes).map(|c| c.to_string()).collect();
        Ok(Pool { features: instance.features().to_vec(), labels, rows: masks, answers })
    }

    /// Some of the rows, each so many times over, around row 0.
    fn neighbourhood(&self, rows: Range<usize>) -> Neighbourhood<Cpu> {
        let index: Vec<usize> = std::iter::once(0).chain(rows).collect();
        let on = Cpu::new();
        let table = Exponential::default().table(self.features.len());
        let kept = |z: &[u32]| z.iter().map(|w| w.count_ones() as usize).sum::<usize>();
        let bits = index.iter().flat_map(|&i| self.rows[i].iter().copied()).collect();
        let p = index.iter().flat_map(|&i| self.answers[&self.rows[i]].iter().copied()).collect();
        let weights = index.iter().map(|&i| table.values()[kept(&self.rows[i])] as f32).collect();
        let masks = Masks::new(&on, index.len(), self.features.len(), bits).expect("as many bits");
        let p = Probabilities::new(&on, index.len(), self.labels.len(), p).expect("as many answers");
        Neighbourhood::new(&on, masks, p, Weights::new(weights)).expect("as many rows")
    }
}

impl Instance for Pool {
    fn features(&self) -> &[Feature] {
        &self.features
    }
}

impl Render<Cpu, Vec<Vec<u32>>> for Pool {
    fn render(&self, _: &Cpu, masks: &Masks<Cpu>, rows: Range<usize>) -> Result<Vec<Vec<u32>>> {
        Ok(rows.map(|i| masks.row(i).to_vec()).collect())
    }

    fn distinct(&self, _: &Cpu, masks: &Masks<Cpu>) -> Result<Option<Distinct>> {
        Ok(Some(Distinct::by_key((0..masks.rows()).map(|i| masks.row(i)))))
    }
}

/// The model, from what it answered before.
struct Answers(Arc<Pool>);

impl BlackBox<Cpu, Vec<Vec<u32>>> for Answers {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.0.labels)
    }

    fn predict(&self, on: &Cpu, batch: &Vec<Vec<u32>>) -> Result<Probabilities<Cpu>> {
        let values = batch.iter().flat_map(|row| self.0.answers[row].iter().copied()).collect();
        Probabilities::new(on, batch.len(), self.0.labels.len(), values)
    }
}

/// Draws rows of the pool: with replacement from all of it, or in random order from the first part.
struct FromPool {
    pool: Arc<Pool>,
    replaced: bool,
}

impl Describe for FromPool {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("sampler", "pool")]
    }
}

impl Perturber<Cpu> for FromPool {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        let (rows, seed) = (draw.rows.clone(), draw.seed);
        let mut order: Vec<usize> = (1..=FOR_RUNS).collect();
        for i in (1..FOR_RUNS).rev() {
            order.swap(i, Draws::new(seed, i as u32, 0, Purpose::Starts).below(0, i as u32 + 1) as usize);
        }
        let pick = |i: usize| match i {
            0 => 0,
            i if self.replaced => 1 + Draws::new(seed, i as u32, 0, Purpose::Starts).below(0, POOL as u32) as usize,
            i => order[i - 1],
        };
        let bits = rows.clone().flat_map(|i| self.pool.rows[pick(i)].iter().copied()).collect();
        Ok(vec![Sample::new(self, draw.total, Masks::new(on, rows.len(), draw.features[0], bits)?)])
    }
}

impl Law for FromPool {
    fn grows(&self) -> bool {
        true
    }
}

fn explainer(pool: &Arc<Pool>, replaced: bool, samples: usize, seed: u64) -> Result<Explainer<Cpu>> {
    let law = FromPool { pool: pool.clone(), replaced };
    let explainer = Explainer::lipex(Cpu::new()).perturber(law).samples(samples).seed(seed);
    Ok(explainer.evaluator(OutOfFold { folds: 0 }))
}

fn fit(around: &Neighbourhood<Cpu>, selection: &Selection, times: Option<&[u32]>, lambda: f64) -> Result<Fitted> {
    let softmax = Softmax::default().lambda(lambda)?;
    let problem = Problem { multiplicities: times, ..Problem::new(around, selection) };
    Ok(softmax.fit(&Cpu::new(), &[problem])?.remove(0))
}

/// What error bars with 200 refits cost beside the model's own time, at 1000 masks and one thread.
fn cost(pools: &[Arc<Pool>], program: &str, texts: &str) -> Result<()> {
    let mut shares = Vec::new();
    let model = CommandModel::start(program, std::time::Duration::from_secs(120))?;
    for (pool, line) in pools.iter().zip(texts.lines()).filter(|(pool, _)| pool.features.len() >= 15).take(5) {
        let text = TextInstance::new(line.rsplit_once(';').map_or(line, |(text, _)| text))?;
        let e = Explainer::lipex(Cpu::new()).error_bars(ErrorBars::default()).explain(&text, &model)?;
        let thousand = e.timings_ms.predict / e.calls.inputs as f64 * 1000.0;
        println!(
            "{} words: error bars {:.0} ms, 1000 calls of the model {thousand:.0} ms",
            pool.features.len(),
            e.timings_ms.uncertainty
        );
        shares.push(e.timings_ms.uncertainty / thousand);
    }
    println!("share of 1000 calls: {:.3} on average", shares.iter().sum::<f64>() / shares.len() as f64);
    Ok(())
}

/// Shares of entries whose interval holds the optimum over the whole pool, at the run's λ and at a vanishing one.
fn coverage(pools: &[Arc<Pool>], runs: u64) -> Result<()> {
    println!(
        "\n| N | words | optimum at λ = 0.0001 | λ → 0 | all entries of a run in their bands | median shrinkage |"
    );
    println!("|---|---|---|---|---|---|");
    for samples in [100, 200, 1000] {
        for chosen in [true, false] {
            let mut cell = Cell::default();
            for pool in pools {
                let whole = pool.neighbourhood(1..POOL + 1);
                let on_all = lipex::Forward::default().select(&Cpu::new(), std::slice::from_ref(&whole))?.remove(0);
                for seed in 0..runs {
                    let mut run = explainer(pool, true, samples, 100 + seed)?;
                    if !chosen {
                        run = run.selector(GivenFeatures(on_all.kept.clone()));
                    }
                    let run = run.error_bars(ErrorBars::default().refits(20)?);
                    cell.add(&run.explain(pool.as_ref(), &Answers(pool.clone()))?, &whole, samples)?;
                }
            }
            let words = if chosen { "chosen in each run" } else { "chosen on all masks" };
            println!("| {samples} | {words} | {}", cell.told());
        }
    }
    Ok(())
}

/// Counts of one row of the table.
#[derive(Default)]
struct Cell {
    entries: f64,
    inside: f64,
    unpenalised: f64,
    runs: f64,
    banded: f64,
    shrinkage: Vec<f64>,
}

impl Cell {
    fn add(&mut self, e: &Explanation, whole: &Neighbourhood<Cpu>, samples: usize) -> Result<()> {
        let u = e.uncertainty.as_ref().expect("asked for");
        // A run's objective has row 0 once in N rows, so its expectation has it POOL times beside N − 1 of each.
        let times: Vec<u32> = (0..=POOL).map(|i| if i == 0 { POOL } else { samples - 1 } as u32).collect();
        let selection = Selection::shared(e.classes.len(), e.kept().to_vec());
        let truth = fit(whole, &selection, Some(&times), 1e-4)?;
        let limit = fit(whole, &selection, Some(&times), 1e-8)?;
        let mut within = true;
        for c in 0..e.classes.len() {
            for j in 0..e.kept().len() {
                let half = u.quantile * u.std_error[c][j];
                let off = |of: &Fitted| (e.shares().matrix()[c][j] - of.shares().matrix()[c][j]).abs();
                self.inside += f64::from(u8::from(off(&truth) <= half));
                self.unpenalised += f64::from(u8::from(off(&limit) <= half));
                within &= off(&truth) <= u.band * u.std_error[c][j];
                self.entries += 1.0;
            }
        }
        self.runs += 1.0;
        self.banded += f64::from(u8::from(within));
        self.shrinkage.extend(u.shrinkage);
        Ok(())
    }

    fn told(&mut self) -> String {
        self.shrinkage.sort_by(f64::total_cmp);
        let median = self.shrinkage[self.shrinkage.len() / 2];
        let (inside, limit) = (self.inside / self.entries, self.unpenalised / self.entries);
        format!("{inside:.3} | {limit:.3} | {:.3} | {median:.3} |", self.banded / self.runs)
    }
}

/// Out-of-fold fidelity of the first 1000 rows against the rows after them.
fn fidelity(pools: &[Arc<Pool>]) -> Result<()> {
    let (mut held_out, mut fresh, mut off) = (0.0, 0.0, 0.0f64);
    for pool in pools {
        let (near, far) = (pool.neighbourhood(1..1000), pool.neighbourhood(1000..POOL + 1));
        let on = Cpu::new();
        let selection = lipex::Forward::default().select(&on, std::slice::from_ref(&near))?.remove(0);
        let problems = [Problem::new(&near, &selection)];
        let softmax = Softmax::default();
        let fitted = softmax.fit(&on, &problems)?;
        let of = OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax)?.remove(0);
        let seen = OutOfFold { folds: 0 }.evaluate(&on, &[Problem::new(&far, &selection)], &fitted, &softmax)?;
        let Some(unseen) = of.out_of_fold else { continue };
        let n = pools.len() as f64;
        let tv = seen[0].in_sample.tv;
        (held_out, fresh, off) = (held_out + unseen.tv / n, fresh + tv / n, off.max((unseen.tv - tv).abs()));
    }
    println!(
        "\nTV on unseen masks at N = 1000: out of fold {held_out:.4}, fresh masks {fresh:.4}, largest difference of a text {off:.4}"
    );
    Ok(())
}

/// The share of sets that break the indifference against an independent fit on all features, and what they cost.
fn settled(pools: &[Arc<Pool>], runs: u64) -> Result<()> {
    const INDIFFERENCE: f64 = 0.1;
    let references: Vec<Vec<f64>> = pools.iter().map(|pool| reference(pool)).collect::<Result<_>>()?;
    println!(
        "\n| top | z | broken of the settled | settled by 1000 | mean masks | median | mean inputs | fixed N of that mean: broken |\n|---|---|---|---|---|---|---|---|"
    );
    for k in [1, 3, 5] {
        for z in [1.96, 2.2, 2.5, 2.9] {
            let adaptive =
                Adaptive::default().rule(Rule::Settled { k, indifference: INDIFFERENCE })?.most(1000)?.z(z)?;
            let (mut stopped, mut broken, mut inputs, mut masks) = (0.0, 0.0, 0.0, Vec::new());
            for (pool, reference) in pools.iter().zip(&references) {
                for seed in 0..runs {
                    let e = explainer(pool, false, 1000, 500 + seed)?
                        .adaptive(adaptive)
                        .explain(pool.as_ref(), &Answers(pool.clone()))?;
                    masks.push(e.calls.masks);
                    inputs += e.calls.inputs as f64;
                    if e.growth.as_ref().is_some_and(|g| g.met) {
                        stopped += 1.0;
                        broken += f64::from(u8::from(breaks(&e, reference, k, INDIFFERENCE)));
                    }
                }
            }
            masks.sort_unstable();
            let count = masks.len() as f64;
            let mean = masks.iter().sum::<usize>() as f64 / count;
            let fixed = fixed(pools, &references, runs, k, mean.round() as usize, INDIFFERENCE)?;
            println!(
                "| {k} | {z} | {:.3} | {:.3} | {mean:.0} | {} | {:.0} | {fixed:.3} |",
                broken / stopped,
                stopped / count,
                masks[masks.len() / 2],
                inputs / count
            );
        }
    }
    println!("\n| top | {} |\n|---|{}", LOOKS.map(|n| format!("N = {n}")).join(" | "), "---|".repeat(LOOKS.len()));
    for k in [1, 3, 5] {
        let cells = LOOKS.map(|n| fixed(pools, &references, runs, k, n, INDIFFERENCE).map(|b| format!("{b:.3}")));
        println!("| {k} | {} |", cells.into_iter().collect::<Result<Vec<_>>>()?.join(" | "));
    }
    Ok(())
}

/// The share of broken sets among runs of a fixed number of masks.
fn fixed(
    pools: &[Arc<Pool>],
    references: &[Vec<f64>],
    runs: u64,
    k: usize,
    samples: usize,
    indifference: f64,
) -> Result<f64> {
    let mut broken = 0.0;
    for (pool, reference) in pools.iter().zip(references) {
        for seed in 0..runs {
            let e = explainer(pool, false, samples, 500 + seed)?.explain(pool.as_ref(), &Answers(pool.clone()))?;
            broken += f64::from(u8::from(breaks(&e, reference, k, indifference)));
        }
    }
    Ok(broken / (pools.len() as f64 * runs as f64))
}

/// W of the predicted class from the rows kept apart, on all features.
fn reference(pool: &Pool) -> Result<Vec<f64>> {
    let around = pool.neighbourhood(FOR_RUNS + 1..POOL + 1);
    let selection = All.select(&Cpu::new(), std::slice::from_ref(&around))?.remove(0);
    let p: Vec<f64> = around.probabilities.row(0).iter().map(|&p| f64::from(p)).collect();
    Ok(fit(&around, &selection, None, 1e-4)?.shares().into_matrix().swap_remove(arg_max(&p)))
}

/// Whether a feature that was left out is above a chosen one by more than the indifference, in the reference.
fn breaks(e: &Explanation, reference: &[f64], k: usize, indifference: f64) -> bool {
    let chosen: Vec<usize> = e.top_k(e.predicted(), k, Rank::Supporting).iter().map(|w| w.feature).collect();
    let least = chosen.iter().map(|&j| reference[j]).fold(f64::INFINITY, f64::min);
    let top = reference.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let left_out = (0..reference.len()).filter(|j| !chosen.contains(j)).map(|j| reference[j]);
    left_out.fold(f64::NEG_INFINITY, f64::max) > least + indifference * top
}
