//! Means over inputs, and differences with intervals.

use crate::judge::{Judged, REMOVED};
use lipex::{Grade, Verdict};
use lipex_experiment::statistics;

pub fn print(ways: &[(usize, &str)], judged: &[Vec<Judged>]) {
    println!(
        "| N | fit | at x | unseen | near | said | pairs | flips by 1 … {REMOVED} | greedy |\n|---|---|---|---|---|---|---|---|---|"
    );
    for ((samples, name), texts) in ways.iter().zip(judged) {
        let share = |of: fn(&Judged) -> &Vec<bool>| -> String {
            let at = |k: usize| mean(texts.iter().map(|t| f64::from(of(t)[k])));
            (0..REMOVED).map(|k| format!("{:.2}", at(k))).collect::<Vec<_>>().join(" ")
        };
        println!(
            "| {samples} | {name} | {:.4} | {:.4} | {:.4} | {:.4} | {:.1} | {} | {} |",
            mean(texts.iter().map(|t| t.at_instance)),
            mean(texts.iter().map(|t| t.unseen)),
            mean(texts.iter().filter_map(|t| t.near)),
            mean(texts.iter().filter_map(|t| t.said)),
            mean(texts.iter().map(|t| t.pairs as f64)),
            share(|t| &t.flips),
            share(|t| &t.greedy),
        );
    }
    print_differences(ways, judged);
}

/// Each way less the first of its number of masks.
fn print_differences(ways: &[(usize, &str)], judged: &[Vec<Judged>]) {
    println!(
        "\n| N | fit against the first of its N | unseen | near | flips by 1 … {REMOVED} | greedy against the first's ranking |\n|---|---|---|---|---|---|"
    );
    let mut first = 0;
    for (i, (samples, name)) in ways.iter().enumerate() {
        if ways[first].0 != *samples {
            first = i;
        }
        if first == i {
            continue;
        }
        let of = |value: fn(&Judged, usize) -> Option<f64>, k: usize| {
            let both = judged[i].iter().zip(&judged[first]);
            interval(&both.filter_map(|(a, b)| Some(value(a, k)? - value(b, k)?)).collect::<Vec<f64>>())
        };
        let flips: Vec<String> = (0..REMOVED).map(|k| of(|t, k| Some(f64::from(t.flips[k])), k)).collect();
        let greedy = |k: usize| {
            let both = judged[i].iter().zip(&judged[first]);
            interval(&both.map(|(a, b)| f64::from(a.greedy[k]) - f64::from(b.flips[k])).collect::<Vec<f64>>())
        };
        let greedy: Vec<String> = (0..REMOVED).map(greedy).collect();
        let (unseen, near) = (of(|t, _| Some(t.unseen), 0), of(|t, _| t.near, 0));
        println!("| {samples} | {name} | {unseen} | {near} | {} | {} |", flips.join("; "), greedy.join("; "));
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    statistics::mean(&values.collect::<Vec<f64>>())
}

/// The mean and its 95 % interval, texts drawn again.
fn interval(differences: &[f64]) -> String {
    let (low, high) = statistics::interval(differences);
    format!("{:+.4} [{low:+.4}, {high:+.4}]", statistics::mean(differences))
}

/// How often a verdict was given and was right, and what other thresholds would have given.
pub fn print_verdicts(ways: &[(usize, &str)], judged: &[Vec<Judged>]) {
    let good = |texts: &[&Judged]| {
        let right = texts.iter().filter(|t| t.unseen <= Verdict::TRUE).count();
        format!("{} ({right})", texts.len())
    };
    println!("\n| N | fit | good (unseen within .08) | fair | poor |\n|---|---|---|---|---|");
    for ((samples, name), texts) in ways.iter().zip(judged) {
        let of = |grade| good(&texts.iter().filter(|t| t.grade == Some(grade)).collect::<Vec<_>>());
        println!("| {samples} | {name} | {} | {} | {} |", of(Grade::Good), of(Grade::Fair), of(Grade::Poor));
    }
    println!("\n| out of fold at most | all fits: so many (unseen within .08) |\n|---|---|");
    for most in [0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1] {
        let under = judged.iter().flatten().filter(|t| t.said.is_some_and(|said| said <= most));
        println!("| {most} | {} |", good(&under.collect::<Vec<_>>()));
    }
}
