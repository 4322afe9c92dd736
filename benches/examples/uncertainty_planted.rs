//! Are error bars true? Planted problems, whose optimum over all masks is known, and as many seeds as are asked for:
//! `cargo run --release -p lipex-benches --example uncertainty_planted [SEEDS]`. The tables go to docs/uncertainty.md.

#[path = "../../lipex-cpu/tests/common/planted.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod planted;

use lipex_core::{
    Dependence, ErrorBars, Estimate, Fitted, Neighbourhood, Problem, Rank, Softmax, Spread, Surrogate, Uncertainty,
};
use lipex_cpu::Cpu;
use planted::{CLASSES, Law, expected, kept, laws, sample};

const PROBLEM: u64 = 11;

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(200);
    println!(
        "{seeds} seeds a cell; share of entries of W, and of contrasts, whose 95% interval holds the optimum over all masks"
    );
    println!("| sampler | N | entries | contrasts | all entries in their bands |\n|---|---|---|---|---|");
    for law in laws() {
        for rows in [100, 200, 1000] {
            coverage(&law, rows, seeds);
        }
    }
    println!(
        "\n| N | N* asked for half-width | h at N* over h asked | N* over the N that was needed |\n|---|---|---|---|"
    );
    for rows in [200, 500, 1000] {
        for part in [0.7, 0.5] {
            forecast(rows, part, seeds);
        }
    }
    println!("\n| sampler | N | sandwich over 500 bootstrap refits: median, least, most |\n|---|---|---|");
    for law in laws() {
        for rows in [200, 1000] {
            against_bootstrap(&law, rows);
        }
    }
}

fn fit(around: &Neighbourhood<Cpu>, softmax: &Softmax) -> Fitted {
    softmax.fit(&Cpu::new(), &[Problem::new(around, &kept())]).expect("a planted problem").remove(0)
}

fn bars(
    around: &Neighbourhood<Cpu>,
    softmax: &Softmax,
    fitted: &Fitted,
    dependence: Dependence,
    seed: u64,
) -> Uncertainty {
    let on = Cpu::new();
    let estimate = Estimate {
        on: &on,
        around,
        selection: &kept(),
        fitted,
        surrogate: softmax,
        selector: None,
        dependence,
        rank: Rank::Supporting,
        seed,
    };
    estimate.uncertainty(&ErrorBars::default()).expect("a planted problem")
}

fn coverage(law: &Law, rows: usize, seeds: u64) {
    let softmax = Softmax::default();
    let truth = fit(&expected(PROBLEM, law, rows), &softmax);
    let (mut inside, mut all, mut contrasts, mut pairs, mut banded) = (0, 0, 0, 0, 0);
    for seed in 0..seeds {
        let around = sample(PROBLEM, law, rows, 1000 + seed);
        let fitted = fit(&around, &softmax);
        let u = bars(&around, &softmax, &fitted, law.sampler.dependence(), seed);
        let mut within = true;
        for c in 0..CLASSES {
            for j in 0..truth.kept.len() {
                let off = (fitted.matrix[c][j] - truth.matrix[c][j]).abs();
                inside += u32::from(off <= u.quantile * u.std_error[c][j]);
                within &= off <= u.band * u.std_error[c][j];
                all += 1;
            }
            for b in 0..c {
                for (j, error) in u.contrast_error(c, b).iter().enumerate() {
                    let of = |fit: &Fitted| fit.matrix[c][j] - fit.matrix[b][j];
                    contrasts += u32::from((of(&fitted) - of(&truth)).abs() <= u.quantile * error);
                    pairs += 1;
                }
            }
        }
        banded += u32::from(within);
    }
    let share = |a: u32, b: u32| f64::from(a) / f64::from(b);
    let banded = f64::from(banded) / seeds as f64;
    println!("| {} | {rows} | {:.3} | {:.3} | {banded:.3} |", law.name, share(inside, all), share(contrasts, pairs));
}

/// Whether N* masks reach the half-width, and how many fewer would have.
fn forecast(rows: usize, part: f64, seeds: u64) {
    let (softmax, law) = (Softmax::default(), &laws()[0]);
    let measured = |rows: usize, seed: u64| {
        let around = sample(PROBLEM, law, rows, 5000 + seed);
        let fitted = fit(&around, &softmax);
        bars(&around, &softmax, &fitted, law.sampler.dependence(), seed)
    };
    let (mut reached, mut over) = (Vec::new(), Vec::new());
    for seed in 0..seeds {
        let u = measured(rows, seed);
        let wanted = part * u.half_width();
        let Some(needed) = u.masks_for(wanted, rows) else { continue };
        let ratio = measured(needed, seed).half_width() / wanted;
        reached.push(ratio);
        over.push(1.0 / (ratio * ratio));
    }
    println!("| {rows} | {part} h | {} | {} |", spread_of(&mut reached), spread_of(&mut over));
}

fn spread_of(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    format!("median {:.3}, 5–95 %: {:.3}–{:.3}", at(0.5), at(0.05), at(0.95))
}

fn against_bootstrap(law: &Law, rows: usize) {
    let softmax = Softmax::default();
    let around = sample(PROBLEM, law, rows, 77);
    let fitted = fit(&around, &softmax);
    let u = bars(&around, &softmax, &fitted, law.sampler.dependence(), 0);
    let step = if law.sampler.dependence() == Dependence::Pairs { 2 } else { 1 };
    let (units, kept) = ((rows - 1) / step, kept());
    let refits: Vec<Vec<f64>> = (0..500)
        .map(|r| {
            let mut draws = lipex_core::philox::Draws::new(9, r, 0, lipex_core::philox::Purpose::Bootstrap);
            let mut times = vec![0u32; rows];
            times[0] = 1;
            for k in 0..units as u32 {
                let first = 1 + step * draws.below(k, units as u32) as usize;
                (first..first + step).for_each(|i| times[i] += 1);
            }
            let problem =
                Problem { multiplicities: Some(&times), start: Some(&fitted), ..Problem::new(&around, &kept) };
            softmax.fit(&Cpu::new(), &[problem]).expect("a planted problem").remove(0).matrix.concat()
        })
        .collect();
    let spread = Spread::from_refits(CLASSES, fitted.kept.len(), &refits).expect("500 refits");
    let mut ratios = Vec::new();
    for c in 0..CLASSES {
        (0..fitted.kept.len()).for_each(|j| ratios.push(u.std_error[c][j] / spread.std_error(c, j)));
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "| {} | {rows} | {:.3}, {:.3}, {:.3} |",
        law.name,
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}
