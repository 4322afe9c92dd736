//! Fits of models that answer 0 and 1 end where the best of many starts ends, under every divergence.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Fitted, Linear, Link, Masks, Neighbourhood, Probabilities, Problem, Selection, Softmax, Start, Starts, Surrogate,
    Weights, by_name,
};
use lipex_cpu::Cpu;

const GAMES: u64 = 100;
const RANDOM: u32 = 20;

/// The class of a mask is the one of the largest score, a normal number for each feature and for each pair of features.
fn winner(seed: u64, features: usize, classes: usize) -> impl Fn(u32) -> usize {
    let mut draws = Draws::new(seed, u32::MAX, 0, Purpose::Starts);
    let mut at = 100;
    let mut normal = || {
        at += 2;
        let (u, v) = (draws.unit(at), draws.unit(at + 1));
        (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    };
    let mut numbers =
        |count: usize| -> Vec<Vec<f64>> { (0..classes).map(|_| (0..count).map(|_| normal()).collect()).collect() };
    let (alone, pairs) = (numbers(features + 1), numbers(features * features));
    move |mask| {
        let kept: Vec<usize> = (0..features).filter(|j| mask >> j & 1 == 1).collect();
        let score = |c: usize| {
            let of_pairs = kept.iter().flat_map(|j| kept.iter().take_while(move |k| *k < j).map(move |k| (j, k)));
            let together: f64 = of_pairs.map(|(j, k)| pairs[c][j * features + k]).sum();
            alone[c][features] + kept.iter().map(|&j| alone[c][j]).sum::<f64>() + together
        };
        (0..classes).max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap()
    }
}

/// All masks of the game, each with the weight that draws by uniform size and the exponential proximity give it.
fn game(seed: u64) -> (Neighbourhood<Cpu>, Selection) {
    let (classes, features) = (2 + (seed % 4) as usize, 3 + (seed / 4 % 5) as usize);
    let all = (1u32 << features) - 1;
    let winner = winner(seed, features, classes);
    let masks: Vec<u32> = (0..=all).map(|removed| all & !removed).collect();
    let choose = |r: usize| (0..r).map(|i| (features - i) as f64 / (i + 1) as f64).product::<f64>();
    let weight = |mask: &u32| {
        let kept = mask.count_ones() as usize;
        let distance = 1.0 - (kept as f64 / features as f64).sqrt();
        let chance = if kept == features { 1e-3 } else { 1.0 / features as f64 / choose(features - kept) };
        (masks.len() as f64 * chance * (-distance * distance / (2.0 * 0.0625)).exp()) as f32
    };
    let one_hot = |mask: &u32| {
        let winner = winner(*mask);
        (0..classes).map(move |c| f32::from(u8::from(c == winner)))
    };
    let (weights, p) = (masks.iter().map(weight).collect(), masks.iter().flat_map(one_hot).collect());
    let (on, rows) = (Cpu::new(), masks.len());
    let p = Probabilities::new(&on, rows, classes, p).unwrap();
    let masks = Masks::new(&on, rows, features, masks).unwrap();
    let around = Neighbourhood::new(&on, masks, p, Weights::new(weights)).unwrap();
    (around, Selection::shared(classes, (0..features).collect()))
}

fn fit(softmax: &Softmax, problem: Problem<'_, Cpu>) -> Fitted {
    softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

/// The lowest objective from random starts.
fn best_of_random(one: &Softmax, around: &Neighbourhood<Cpu>, selection: &Selection, seed: u64) -> f64 {
    let own = fit(one, Problem::new(around, selection));
    let (matrix, intercept) = own.presence().unwrap();
    let (mut matrix, mut intercept) = (matrix.to_vec(), intercept);
    let mut best = f64::INFINITY;
    for r in 0..RANDOM {
        let mut draws = Draws::new(1000 + seed, r, 0, Purpose::Starts);
        let numbers = matrix.iter_mut().flatten().chain(&mut intercept);
        numbers.zip(1..).for_each(|(w, at)| *w = 6.0 * draws.unit(at) - 3.0);
        let all = vec![(0..selection.kept.len()).collect(); matrix.len()];
        let (kept, matrix, intercept) = (selection.kept.clone(), matrix.clone(), Some(intercept.clone()));
        let linear = Linear::from_presence(kept, matrix, intercept, all, Link::Softmax).unwrap();
        let start = Fitted::new(linear, own.report.clone());
        let fitted = fit(one, Problem { start: Some(&start), ..Problem::new(around, selection) });
        best = best.min(fitted.report.objective);
    }
    best
}

/// How many of the games end within a hundredth of the best of the random starts, from one start and from as many as it
/// takes.
fn ends_low(divergence: &str, least: usize) {
    let auto = Softmax::default().erased_divergence(by_name(divergence).unwrap());
    let one = auto.clone().starts(Starts::One);
    let (mut low, mut evaluations) = ([0, 0], [0, 0]);
    for seed in 0..GAMES {
        let (around, selection) = game(seed);
        let best = best_of_random(&one, &around, &selection, seed);
        for (i, softmax) in [&one, &auto].into_iter().enumerate() {
            let report = fit(softmax, Problem::new(&around, &selection)).report;
            low[i] += usize::from(report.objective <= 1.01 * best);
            evaluations[i] += report.evaluations;
            if i == 1 {
                assert!(report.iterations > 0 && report.start != Start::Given, "{divergence}, game {seed}: {report:?}");
            }
        }
    }
    let each = evaluations.map(|e| e / GAMES as usize);
    println!(
        "{divergence}: {} of {GAMES} in {} evaluations, from one start {} in {}",
        low[1], each[1], low[0], each[0]
    );
    assert!(low[1] >= least, "{divergence}: {low:?}");
}

#[test]
fn hellinger_ends_low() {
    ends_low("hellinger", 97);
}

#[test]
fn kl_ends_low() {
    ends_low("kl", 97);
}

#[test]
fn reverse_kl_ends_low() {
    ends_low("reverse-kl", 97);
}

#[test]
fn jensen_shannon_ends_low() {
    ends_low("js", 97);
}

#[test]
fn total_variation_ends_low() {
    ends_low("tv", 93);
}

#[test]
fn alpha_below_0_ends_low() {
    ends_low("alpha:-1", 97);
}

#[test]
fn alpha_within_0_and_1_ends_low() {
    ends_low("alpha:0.4", 97);
}

#[test]
fn alpha_above_1_ends_low() {
    ends_low("alpha:2", 97);
}
