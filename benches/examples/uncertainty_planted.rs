//! Are error bars true? Planted problems, whose optimum over all masks is known, and as many seeds as are asked for:
//! `cargo run --release -p lipex-benches --example uncertainty_planted [SEEDS [PART]]`, PART one of
//! coverage, anchored, forecast, bootstrap, truth. The tables go to docs/uncertainty.md.

#[path = "../../lipex-cpu/tests/all/common/planted.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod planted;

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Dependence, ErrorBars, Estimate, Fitted, Intercept, Neighbourhood, Pairs, Problem, Rank, Softmax, Spread,
    Surrogate, Uncertainty,
};
use lipex_cpu::Cpu;
use planted::{CLASSES, Law, expected, kept, laws, sample};

const PROBLEM: u64 = 11;
/// C·F.
const ENTRIES: usize = CLASSES * 7;

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(200);
    let asked = |part: &str| std::env::args().nth(2).is_none_or(|only| only == part);
    println!("{seeds} seeds a cell");
    if asked("coverage") {
        println!("share of entries of W, and of contrasts, whose 95% interval holds the optimum over all masks\n");
        head("sampler | N | entries | contrasts | all entries in their bands");
        for law in laws() {
            [100, 200, 1000].into_iter().for_each(|rows| coverage(law.name, &law, rows, seeds, &Softmax::default()));
        }
    }
    if asked("anchored") {
        println!(
            "the same of anchored surrogates, without pairs and with two given ones (shares then), uniform size\n"
        );
        head("surrogate | N | entries | contrasts | all entries in their bands");
        for (name, softmax) in anchored() {
            [100, 200, 1000].into_iter().for_each(|rows| coverage(name, &laws()[0], rows, seeds, &softmax));
        }
    }
    if asked("forecast") {
        head("problem | N | N* asked for half-width | h at N* over h asked | N* over the N that was needed");
        for problem in PROBLEM..PROBLEM + 4 {
            for rows in [200, 500, 1000] {
                [0.7, 0.5].into_iter().for_each(|part| forecast(problem, rows, part, seeds));
            }
        }
    }
    if asked("bootstrap") {
        head("sampler | N | sandwich over 500 bootstrap refits: median, least, most | 500 other refits over them");
        for law in laws() {
            [200, 1000].into_iter().for_each(|rows| against_bootstrap(&law, rows));
        }
    }
    if asked("truth") {
        head("sampler | N | sandwich over truth: median, least, most | one run | bootstrap over truth | one run");
        for law in laws() {
            [200, 1000].into_iter().for_each(|rows| against_truth(&law, rows, seeds));
        }
    }
}

/// The first lines of a table.
fn head(columns: &str) {
    println!("\n| {columns} |\n|{}", "---|".repeat(columns.split(" | ").count()));
}

fn fit(around: &Neighbourhood<Cpu>, softmax: &Softmax) -> Fitted {
    softmax.fit(&Cpu::new(), &[Problem::new(around, &kept())]).expect("a planted problem").remove(0)
}

fn bars(around: &Neighbourhood<Cpu>, softmax: &Softmax, fitted: &Fitted, seed: u64) -> Uncertainty {
    let on = Cpu::new();
    let estimate = Estimate {
        on: &on,
        around,
        selection: &kept(),
        fitted,
        surrogate: softmax,
        selector: None,
        rank: Rank::Supporting,
        seed,
    };
    estimate.uncertainty(&ErrorBars::default()).expect("a planted problem")
}

/// Surrogates that are not the default; two of the pairs that the black box has are given, and one that it has is not.
fn anchored() -> [(&'static str, Softmax); 3] {
    let pairs = Pairs::Given(vec![(0, 1), (3, 4)]);
    let plain = Softmax::default().intercept(Intercept::Anchored);
    let fitted = Softmax::default().pairs(pairs.clone());
    [("anchored", plain.clone()), ("anchored, two pairs", plain.pairs(pairs)), ("fitted, two pairs", fitted)]
}

fn coverage(name: &str, law: &Law, rows: usize, seeds: u64, softmax: &Softmax) {
    let truth = fit(&expected(PROBLEM, law, rows), softmax);
    let (mut inside, mut all, mut contrasts, mut pairs, mut banded) = (0, 0, 0, 0, 0);
    for seed in 0..seeds {
        let around = sample(PROBLEM, law, rows, 1000 + seed);
        let fitted = fit(&around, softmax);
        let u = bars(&around, softmax, &fitted, seed);
        let mut within = true;
        for c in 0..CLASSES {
            for j in 0..truth.kept().len() {
                let off = (fitted.shares().matrix()[c][j] - truth.shares().matrix()[c][j]).abs();
                inside += u32::from(off <= u.quantile * u.std_error[c][j]);
                within &= off <= u.band * u.std_error[c][j];
                all += 1;
            }
            for b in 0..c {
                for (j, error) in u.contrast_error(c, b).expect("few classes").iter().enumerate() {
                    let of = |fit: &Fitted| fit.shares().matrix()[c][j] - fit.shares().matrix()[b][j];
                    contrasts += u32::from((of(&fitted) - of(&truth)).abs() <= u.quantile * error);
                    pairs += 1;
                }
            }
        }
        banded += u32::from(within);
    }
    let share = |a: u32, b: u32| f64::from(a) / f64::from(b);
    let banded = f64::from(banded) / seeds as f64;
    println!("| {name} | {rows} | {:.3} | {:.3} | {banded:.3} |", share(inside, all), share(contrasts, pairs));
}

/// Whether N* masks reach the half-width, and how many fewer would have.
fn forecast(problem: u64, rows: usize, part: f64, seeds: u64) {
    let (softmax, law) = (Softmax::default(), &laws()[0]);
    let measured = |rows: usize, seed: u64| {
        let around = sample(problem, law, rows, 5000 + seed);
        let fitted = fit(&around, &softmax);
        bars(&around, &softmax, &fitted, seed)
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
    println!("| {problem} | {rows} | {part} h | {} | {} |", spread_of(&mut reached), spread_of(&mut over));
}

fn spread_of(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize];
    format!("median {:.3}, 5–95 %: {:.3}–{:.3}", at(0.5), at(0.05), at(0.95))
}

/// Standard errors of all entries by 500 refits of rows drawn again.
fn by_refits(law: &Law, around: &Neighbourhood<Cpu>, fitted: &Fitted, seed: u64) -> Vec<f64> {
    let (softmax, rows) = (Softmax::default(), around.rows());
    let step = if law.sampler.dependence() == Dependence::Pairs { 2 } else { 1 };
    let (units, kept) = ((rows - 1) / step, kept());
    let times: Vec<Vec<u32>> = (0..500)
        .map(|r| {
            let mut draws = Draws::new(seed, r, 0, Purpose::Bootstrap);
            let mut times = vec![0u32; rows];
            times[0] = 1;
            for k in 0..units as u32 {
                let first = 1 + step * draws.below(k, units as u32) as usize;
                (first..first + step).for_each(|i| times[i] += 1);
            }
            times
        })
        .collect();
    let problem = |times| Problem { multiplicities: Some(times), start: Some(fitted), ..Problem::new(around, &kept) };
    let problems: Vec<Problem<'_, Cpu>> = times.iter().map(|times| problem(times.as_slice())).collect();
    let refits = softmax.fit(&Cpu::new(), &problems).expect("a planted problem");
    let refits: Vec<Vec<f64>> = refits.into_iter().map(|fit| fit.shares().matrix().concat()).collect();
    let spread = Spread::from_refits(CLASSES, fitted.kept().len(), &refits).expect("500 refits");
    (0..CLASSES * fitted.kept().len())
        .map(|e| spread.std_error(e / fitted.kept().len(), e % fitted.kept().len()))
        .collect()
}

/// Standard errors of all entries by the sandwich.
fn by_formula(around: &Neighbourhood<Cpu>, fitted: &Fitted) -> Vec<f64> {
    let kept = kept();
    let spread = Softmax::default().spread(&Cpu::new(), &Problem::new(around, &kept), fitted);
    let spread = spread.expect("a planted problem").expect("a smooth divergence");
    (0..CLASSES * fitted.kept().len())
        .map(|e| spread.std_error(e / fitted.kept().len(), e % fitted.kept().len()))
        .collect()
}

/// The median, the least and the most over entries of one standard error over another.
fn ratios(above: &[f64], below: &[f64]) -> String {
    let mut ratios: Vec<f64> = above.iter().zip(below).map(|(a, b)| a / b).collect();
    ratios.sort_by(f64::total_cmp);
    format!("{:.3}, {:.3}, {:.3}", ratios[ratios.len() / 2], ratios[0], ratios[ratios.len() - 1])
}

/// The sandwich and 500 refits of one run against each other, and the noise of refits themselves.
fn against_bootstrap(law: &Law, rows: usize) {
    let around = sample(PROBLEM, law, rows, 77);
    let fitted = fit(&around, &Softmax::default());
    let (formula, refits) = (by_formula(&around, &fitted), by_refits(law, &around, &fitted, 9));
    let other = by_refits(law, &around, &fitted, 10);
    println!("| {} | {rows} | {} | {} |", law.name, ratios(&formula, &refits), ratios(&other, &refits));
}

/// Both against the standard deviation of W over independent runs: root mean squares over runs, and how far off one run is.
fn against_truth(law: &Law, rows: usize, seeds: u64) {
    let runs = seeds.div_ceil(5);
    let (mut fits, mut squares, mut off) = (Vec::new(), [vec![0.0; ENTRIES], vec![0.0; ENTRIES]], [vec![], vec![]]);
    let mut estimates = Vec::new();
    for seed in 0..2 * seeds {
        let around = sample(PROBLEM, law, rows, 9000 + seed);
        let fitted = fit(&around, &Softmax::default());
        if seed < runs {
            estimates.push([by_formula(&around, &fitted), by_refits(law, &around, &fitted, seed)]);
        }
        fits.push(fitted.shares().matrix().concat());
    }
    let truth = Spread::from_refits(CLASSES, ENTRIES / CLASSES, &fits).expect("fits of many seeds");
    let truth: Vec<f64> =
        (0..ENTRIES).map(|e| truth.std_error(e / (ENTRIES / CLASSES), e % (ENTRIES / CLASSES))).collect();
    for estimate in &estimates {
        for ((errors, squares), off) in estimate.iter().zip(&mut squares).zip(&mut off) {
            squares.iter_mut().zip(errors).for_each(|(s, e)| *s += e * e / runs as f64);
            off.extend(errors.iter().zip(&truth).map(|(e, t)| (e / t).ln().abs()));
        }
    }
    let told = |which: usize| {
        let roots: Vec<f64> = squares[which].iter().map(|s: &f64| s.sqrt()).collect();
        let off: &Vec<f64> = &off[which];
        format!("{} | {:.3}", ratios(&roots, &truth), off.iter().sum::<f64>() / off.len() as f64)
    };
    println!("| {} | {rows} | {} | {} |", law.name, told(0), told(1));
}
