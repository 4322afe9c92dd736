//! Error bars: they hold what they say, and they are what refits of rows drawn again give.

use crate::common::planted;

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Dependence, Describe, ErrorBars, Estimate, Fitted, Forward, Kl, Method, Neighbourhood, Normalise, Problem, Rank,
    Result, Ridge, Seen, Selection, Selector, Setting, Softmax, Surrogate, TotalVariation, Uncertainty,
};
use lipex_cpu::Cpu;
use planted::{CLASSES, FEATURES, Law, expected, kept, laws, sample};
use rand::RngExt;

const PROBLEM: u64 = 11;

fn fit(around: &Neighbourhood<Cpu>, surrogate: &dyn Surrogate<Cpu>) -> Fitted {
    surrogate.fit(&Cpu::new(), &[Problem::new(around, &kept())]).unwrap().remove(0)
}

fn bars(around: &Neighbourhood<Cpu>, surrogate: &dyn Surrogate<Cpu>, refits: usize) -> Uncertainty {
    let (on, selection) = (Cpu::new(), kept());
    let fitted = fit(around, surrogate);
    let estimate = Estimate {
        on: &on,
        around,
        selection: &selection,
        fitted: &fitted,
        surrogate,
        selector: None,
        rank: Rank::Supporting,
        seed: 5,
    };
    estimate.uncertainty(&ErrorBars::default().refits(refits).unwrap()).unwrap()
}

/// The share of entries whose interval holds the optimum over all masks.
fn coverage(law: &Law, softmax: &Softmax, rows: usize, seeds: u64) -> f64 {
    let truth = fit(&expected(PROBLEM, law, rows), softmax);
    let (mut inside, mut all) = (0.0, 0.0);
    for seed in 0..seeds {
        let around = sample(PROBLEM, law, rows, 400 + seed);
        let fitted = fit(&around, softmax);
        let u = bars(&around, softmax, 20);
        for c in 0..CLASSES {
            for j in 0..truth.kept().len() {
                let [low, high] = u.interval(c, j, fitted.shares().matrix()[c][j]);
                inside += f64::from(u8::from((low..=high).contains(&truth.shares().matrix()[c][j])));
                all += 1.0;
            }
        }
    }
    inside / all
}

/// Fewer seeds than docs/uncertainty.md has, so wider limits.
#[test]
fn intervals_hold_the_optimum_for_each_sampler() {
    for law in laws() {
        let share = coverage(&law, &Softmax::default(), 400, 15);
        println!("{}: {share:.3}", law.name);
        assert!((0.90..0.99).contains(&share), "{}: {share:.3}", law.name);
    }
}

#[test]
fn intervals_hold_the_optimum_when_divided_by_weights() {
    let softmax = Softmax::default().normalise(Normalise::Weight).divergence(Kl).lambda(3e-3).unwrap();
    let share = coverage(&laws()[0], &softmax, 400, 20);
    println!("{share:.3}");
    assert!((0.90..0.99).contains(&share), "{share:.3}");
}

#[test]
fn pairs_and_strata_matter() {
    // What is taken as independent and is not has another standard error.
    for (law, least) in [(1, 0.01), (3, 0.001)] {
        let law = &laws()[law];
        let of = |dependence| {
            let around = sample(PROBLEM, law, 400, 9).drawn(dependence);
            let u = bars(&around, &Softmax::default(), 20);
            u.std_error.iter().flatten().sum::<f64>()
        };
        let (right, wrong) = (of(law.sampler.dependence()), of(Dependence::Independent));
        assert!((right - wrong).abs() > least * right, "{}: {right} {wrong}", law.name);
        println!("{}: {:.3} of the independent one", law.name, right / wrong);
    }
}

#[test]
fn the_sandwich_is_what_refits_give() {
    struct Refits(Softmax);
    impl Describe for Refits {
        fn describe(&self) -> Vec<Setting> {
            self.0.describe()
        }
    }
    // Without `spread`, so that rows are drawn again.
    impl Surrogate<Cpu> for Refits {
        fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> Result<Vec<Fitted>> {
            self.0.fit(on, problems)
        }
    }
    for law in laws() {
        let around = sample(PROBLEM, &law, 600, 31);
        let sandwich = bars(&around, &Softmax::default(), 20);
        let refits = bars(&around, &Refits(Softmax::default()), 300);
        assert_eq!((sandwich.method, refits.method), (Method::Sandwich, Method::Bootstrap));
        let mut ratios: Vec<f64> = (0..CLASSES * kept().kept.len())
            .map(|e| sandwich.std_error[e / 7][e % 7] / refits.std_error[e / 7][e % 7])
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!("{}: {:.3} ({:.3} to {:.3})", law.name, ratios[14], ratios[0], ratios[27]);
        assert!((ratios[14] - 1.0).abs() < 0.1 && ratios[0] > 0.8 && ratios[27] < 1.25, "{}: {ratios:?}", law.name);
        assert!((sandwich.band / refits.band - 1.0).abs() < 0.15, "{} {}", sandwich.band, refits.band);
    }
}

#[test]
fn multiplicities_are_rows() {
    let (on, selection, softmax) = (Cpu::new(), kept(), Softmax::default());
    let around = sample(PROBLEM, &laws()[0], 150, 3);
    let times: Vec<u32> = (0..150).map(|i| if i == 0 { 1 } else { 1 + i % 3 }).collect();
    let problem = Problem { multiplicities: Some(&times), ..Problem::new(&around, &selection) };
    let index: Vec<u32> = (0..150).flat_map(|i| std::iter::repeat_n(i, times[i as usize] as usize)).collect();
    let apart = planted::rows(&around, &index);
    let fitted = softmax.fit(&on, &[problem]).unwrap().remove(0);
    let problem = Problem { multiplicities: Some(&times), ..Problem::new(&around, &selection) };
    let with = softmax.spread(&on, &problem, &fitted).unwrap().unwrap();
    let without = softmax.spread(&on, &Problem::new(&apart, &selection), &fitted);
    let without = without.unwrap().unwrap();
    for (c, j) in [(0, 0), (2, 3), (3, 6)] {
        let (a, b) = (with.std_error(c, j), without.std_error(c, j));
        assert!((a - b).abs() < 1e-9 * a, "{a} {b}");
    }
}

#[test]
fn exhaustive_masks_have_no_error_and_kinks_no_sandwich() {
    let of = |dependence| sample(PROBLEM, &laws()[0], 120, 3).drawn(dependence);
    let exact = bars(&of(Dependence::Exhaustive), &Softmax::default(), 20);
    assert!(exact.method == Method::Exact && exact.std_error.iter().flatten().all(|&e| e == 0.0));
    assert!(exact.needed.is_none() && exact.not_covered[0].contains("Every mask"));
    let kinks = bars(&of(Dependence::Independent), &Softmax::default().divergence(TotalVariation), 20);
    let ridge = bars(&of(Dependence::Unknown), &Ridge::default(), 20);
    assert_eq!((kinks.method, ridge.method), (Method::Bootstrap, Method::Bootstrap));
    assert!(kinks.std_error.iter().chain(&ridge.std_error).flatten().all(|&e| e > 0.0 && e.is_finite()));
    assert!(ridge.not_covered[0].contains("Nothing is known"));
}

#[test]
fn shrinkage_is_what_the_penalty_takes() {
    let around = sample(PROBLEM, &laws()[0], 300, 3);
    let of = |lambda: f64| {
        let u = bars(&around, &Softmax::default().lambda(lambda).unwrap(), 20);
        u.shrinkage.unwrap()
    };
    let length = |lambda: f64| {
        let fitted = fit(&around, &Softmax::default().lambda(lambda).unwrap());
        fitted.shares().matrix().iter().flatten().map(|w| w * w).sum::<f64>().sqrt()
    };
    assert!((of(1e-2) - length(1e-2) / length(1e-4)).abs() < 1e-3);
    // One Newton step a coordinate comes close where the penalty takes little, and sees it where it takes much.
    let estimated = |lambda: f64| {
        let fitted = fit(&around, &Softmax::default().lambda(lambda).unwrap());
        let all: Vec<u32> = (0..around.rows()).flat_map(|i| around.masks.row(i).to_vec()).collect();
        let seen = Seen {
            bits: &all,
            words: around.masks.words(),
            probabilities: around.probabilities.values(),
            classes: CLASSES,
            weights: around.weights.values(),
            samples: around.samples(None),
        };
        Softmax::default().lambda(lambda).unwrap().left(&seen, &fitted).unwrap()
    };
    for lambda in [1e-2, 1e-3, 1e-4, 1e-5] {
        println!("λ {lambda}: left {:.3}, estimated {:.3}", of(lambda), estimated(lambda));
        assert!((of(lambda) - estimated(lambda)).abs() < 0.15);
    }
    assert!(of(1e-2) < of(1e-3) && of(1e-3) < of(1e-5) && of(1e-5) <= 1.001);
}

/// Shares in the top k, against refits made here.
#[test]
fn shares_in_the_top_repeat_the_selection() {
    let (on, around, softmax, selector) =
        (Cpu::new(), sample(PROBLEM, &laws()[0], 80, 3), Softmax::default(), Forward::new(2).unwrap());
    let selection = selector.select(&on, std::slice::from_ref(&around)).unwrap().remove(0);
    let fitted = softmax.fit(&on, &[Problem::new(&around, &selection)]).unwrap().remove(0);
    let estimate = Estimate {
        on: &on,
        around: &around,
        selection: &selection,
        fitted: &fitted,
        surrogate: &softmax,
        selector: Some(&selector),
        rank: Rank::Absolute,
        seed: 8,
    };
    let top = estimate.uncertainty(&ErrorBars::default().top(2).unwrap().refits(60).unwrap()).unwrap().in_top.unwrap();
    assert_eq!((top.k, top.refits, top.share.len(), top.share[0].len()), (2, 60, CLASSES, FEATURES));
    let mut expected = vec![vec![0.0; FEATURES]; CLASSES];
    for r in 0..60 {
        let mut generator = Draws::new(8, r, 0, Purpose::Bootstrap).generator();
        let index: Vec<u32> =
            (0..80).map(|i| if i == 0 { 0 } else { 1 + generator.random_range(0..79usize) as u32 }).collect();
        let drawn = planted::rows(&around, &index);
        let selection: Selection = selector.select(&on, std::slice::from_ref(&drawn)).unwrap().remove(0);
        let fitted = softmax.fit(&on, &[Problem::new(&drawn, &selection)]).unwrap().remove(0);
        for (c, share) in expected.iter_mut().enumerate() {
            fitted.top_k(c, 2, Rank::Absolute).iter().for_each(|w| share[w.feature] += 1.0 / 60.0);
        }
    }
    let off = top.share.concat().iter().zip(expected.concat()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // A near-tie may fall the other way from another start.
    assert!(off <= 1.5 / 60.0, "{off}");
    assert!(top.share.iter().flatten().any(|s| (0.2..0.8).contains(s)), "{:?}", top.share);
    assert!(top.share.iter().all(|row| (row.iter().sum::<f64>() - 2.0).abs() < 1e-9));
}

/// A selector that knows nothing of multiplicities is shown rows as often as they count.
#[test]
fn selections_of_rows_drawn_again_are_those_of_their_copies() {
    struct Copies<S>(S);
    impl<S: Describe> Describe for Copies<S> {
        fn describe(&self) -> Vec<Setting> {
            self.0.describe()
        }
    }
    impl<S: Selector<Cpu>> Selector<Cpu> for Copies<S> {
        fn select(&self, on: &Cpu, around: &[Neighbourhood<Cpu>]) -> Result<Vec<Selection>> {
            self.0.select(on, around)
        }
    }
    let (on, around) = (Cpu::new(), sample(PROBLEM, &laws()[0], 90, 3));
    let times: Vec<Vec<u32>> = (0..20).map(|r| (0..90).map(|i| (i * (r + 3) + r) % 4).collect()).collect();
    let forward = Forward::new(3).unwrap();
    let own = forward.reselect(&on, &around, &times).unwrap();
    assert_eq!(own, Copies(forward).reselect(&on, &around, &times).unwrap());
    assert_ne!(own[0], own[7]);
    let highest = lipex_core::HighestWeights::new(2).unwrap();
    let copies = Copies(highest).reselect(&on, &around, &times).unwrap();
    assert_eq!(highest.reselect(&on, &around, &times).unwrap(), copies);
    assert!(forward.reselect(&on, &around, &[vec![1; 3]]).is_err());
}
