//! Times of the stages at one size: `cargo run --release -p lipex-benches --example scaling -- N D C`.
//!
//! Prints a row of the table in docs/performance.md: medians in milliseconds, and the process's peak memory. The model costs
//! nothing here: probabilities are made beforehand. Afterwards, for up to 100 classes, what 200 refits of rows drawn again
//! cost, selection repeated.

use lipex_benches::{masks, neighbourhood};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Evaluator, Exponential, Forward, Neighbourhood, OutOfFold, Problem, Proximity, Result, Selector, Softmax, Surrogate,
};
use lipex_cpu::Cpu;
use std::hint::black_box;
use std::time::Instant;

/// Median milliseconds of as many runs as fit into two seconds, at least 3 and at most 51.
fn median(mut stage: impl FnMut() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    stage()?;
    let mut times = Vec::new();
    while times.len() < 3 || (times.len() < 51 && start.elapsed().as_secs_f64() < 2.0) {
        let start = Instant::now();
        stage()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// The process's peak memory in MiB, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or("?".into(), |k| format!("{:.0}", k / 1024.0))
}

/// How often each of N rows counts when all but row 0 are drawn again.
fn drawn_again(seed: u64, n: usize) -> Vec<u32> {
    let mut times = vec![0u32; n];
    times[0] = 1;
    let mut draws = Draws::new(seed, 0, 0, Purpose::Bootstrap);
    (1..n).for_each(|i| times[1 + draws.below(i as u32, n as u32 - 1) as usize] += 1);
    times
}

fn main() -> Result<()> {
    let size: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let &[n, d, c] = size.as_slice() else {
        eprintln!("give N, D and C: scaling 1000 67 20");
        std::process::exit(2);
    };
    let on = Cpu::new();
    let around = [neighbourhood(&on, (n, d, c))?];
    let drawn = [masks(&on, n, d)?];
    let (proximity, selector, softmax) = (Exponential::default(), Forward::default(), Softmax::default());
    let selection = selector.select(&on, &around)?.remove(0);
    let problems = [Problem::new(&around[0], &selection)];
    let fitted = softmax.fit(&on, &problems)?;
    let evaluate = || OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax).map(drop);
    let times = [
        median(|| masks(&on, n, d).map(|m| drop(black_box(m))))?,
        median(|| proximity.weigh(&on, &drawn).map(|w| drop(black_box(w))))?,
        median(|| selector.select(&on, &around).map(|s| drop(black_box(s))))?,
        median(|| softmax.fit(&on, &problems).map(|f| drop(black_box(f))))?,
        median(evaluate)?,
    ];
    let columns: Vec<String> = times.iter().map(|t| format!("{t:.3}")).collect();
    let (kept, report, all) = (selection.kept.len(), &fitted[0].report, times.iter().sum::<f64>());
    let row = columns.join(" | ");
    println!("| {n} | {d} | {c} | {kept} | {row} | {all:.2} | {} | {} |", report.evaluations, peak());
    if c <= 100 && n <= 1000 {
        eprintln!("200 refits with selection repeated: {:.1} ms", 1e3 * refits(&on, &around[0])?);
    }
    Ok(())
}

/// Seconds of 200 refits to rows drawn again, features chosen anew for each.
fn refits(on: &Cpu, around: &Neighbourhood<Cpu>) -> Result<f64> {
    let start = Instant::now();
    let times: Vec<Vec<u32>> = (0..200).map(|b| drawn_again(b, around.rows())).collect();
    let selections = Forward::default().reselect(on, around, &times)?;
    let both = selections.iter().zip(&times);
    let refits: Vec<_> = both.map(|(s, m)| Problem { multiplicities: Some(m), ..Problem::new(around, s) }).collect();
    black_box(Softmax::default().fit(on, &refits)?);
    Ok(start.elapsed().as_secs_f64())
}
