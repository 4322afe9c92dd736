//! Surrogates with terms for pairs of features.

use crate::common::game::{Game, furthest};
use crate::common::problem;
use lipex_core::{
    Alpha, ErasedDivergence, Evaluator, Fitted, Hellinger, Intercept, JensenShannon, Kl, LambdaScale, OutOfFold, Pairs,
    Problem, ReverseKl, Ridge, Selection, Softmax, Support, Surrogate, TotalVariation, by_name,
};
use lipex_cpu::Cpu;
use serde::Deserialize;
use std::sync::Arc;

fn anchored(pairs: Pairs) -> Softmax {
    Softmax::default().intercept(Intercept::Anchored).pairs(pairs)
}

fn given(game: &Game) -> Pairs {
    Pairs::given(game.pairs.iter().map(|([a, b], _)| (*a, *b)).collect()).unwrap()
}

fn fit(surrogate: &dyn Surrogate<Cpu>, problem: Problem<'_, Cpu>) -> Fitted {
    surrogate.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

/// Two features and what removing both adds for each class.
type Together = ([usize; 2], Vec<f64>);

/// W and the pairs' coefficients, pairs in the order of the game.
fn coefficients(fitted: &Fitted) -> (Vec<Vec<f64>>, Vec<Together>) {
    let linear = fitted.linear().unwrap();
    let features = linear.kept().len();
    let singles = linear.coefficients().iter().map(|row| row[..features].to_vec()).collect();
    (singles, linear.pairs().into_iter().map(|pair| (pair.features, pair.effects)).collect())
}

fn smooth() -> Vec<Arc<dyn ErasedDivergence>> {
    vec![
        Arc::new(Hellinger),
        Arc::new(Kl),
        Arc::new(ReverseKl),
        Arc::new(JensenShannon),
        Arc::new(Alpha::new(0.3).unwrap()),
        Arc::new(Alpha::new(2.0).unwrap()),
    ]
}

#[test]
fn a_planted_game_is_recovered_under_every_smooth_divergence() {
    for (features, classes, pairs) in [(4, 2, 2), (12, 3, 5), (15, 8, 7), (33, 6, 10)] {
        let known = Game::new(features, classes, pairs, features as u64);
        let (around, selection) = (known.coins(900, 1), known.all());
        for divergence in smooth() {
            for intercept in [Intercept::Anchored, Intercept::Fitted] {
                let softmax = anchored(given(&known)).lambda(1e-9).unwrap().erased_divergence(divergence.clone());
                let fitted = fit(&softmax.intercept(intercept), Problem::new(&around, &selection));
                let (singles, found) = coefficients(&fitted);
                let name = format!("{} {} at D = {features}, C = {classes}", intercept.name(), divergence.name());
                let off = furthest(&singles, &known.weights);
                assert!(off < 1e-3, "{name}: {off:.1e}");
                assert_eq!(found.len(), pairs);
                for ((pair, v), (of, truth)) in found.iter().zip(&known.pairs) {
                    let off = furthest(std::slice::from_ref(v), std::slice::from_ref(truth));
                    assert!(pair == of && off < 1e-3, "{name}, pair {pair:?}: {off:.1e}");
                }
                assert!(fitted.report.converged, "{name}: {}", fitted.report.stopped);
            }
        }
    }
}

#[test]
fn pairs_are_found_where_they_are_and_as_many_as_there_are() {
    for (features, classes, seed, least) in [(12, 3, 1, 5), (30, 6, 2, 3)] {
        let known = Game::new(features, classes, 5, seed);
        let (around, selection) = (known.uniform(1000, seed), known.all());
        let truth: Vec<[usize; 2]> = known.pairs.iter().map(|(pair, _)| *pair).collect();
        for wanted in [Pairs::Count(5), Pairs::Auto] {
            let fitted = fit(&anchored(wanted.clone()).lambda(1e-6).unwrap(), Problem::new(&around, &selection));
            let (_, found) = coefficients(&fitted);
            let right = found.iter().filter(|(pair, _)| truth.contains(pair)).count();
            println!("D = {features}, {wanted}: {right} of {} are true", found.len());
            assert!(right >= least && found.len() <= 20, "D = {features}, {wanted}: {found:?}");
            let without = fit(&anchored(Pairs::None).lambda(1e-6).unwrap(), Problem::new(&around, &selection));
            assert!(fitted.report.objective < 0.5 * without.report.objective, "{wanted}");
        }
    }
}

#[test]
fn other_surrogates_and_divergences_find_them_too() {
    let known = Game::new(10, 3, 4, 8);
    let (around, selection) = (known.uniform(600, 3), known.all());
    let truth: Vec<[usize; 2]> = known.pairs.iter().map(|(pair, _)| *pair).collect();
    let softmax = || anchored(Pairs::Count(5)).lambda(1e-6).unwrap();
    let ridge = Ridge::default().support(Support::Union).alpha(1e-3).unwrap().pairs(Pairs::Count(5));
    let tried: Vec<(&str, Box<dyn Surrogate<Cpu>>)> = vec![
        ("fitted", Box::new(softmax().intercept(Intercept::Fitted))),
        ("kl", Box::new(softmax().divergence(Kl))),
        ("tv", Box::new(softmax().divergence(TotalVariation))),
        ("ridge", Box::new(ridge.clone())),
        ("anchored ridge", Box::new(ridge.intercept(Intercept::Anchored).unwrap())),
    ];
    for (name, surrogate) in tried {
        let (_, found) = coefficients(&fit(surrogate.as_ref(), Problem::new(&around, &selection)));
        let right = found.iter().filter(|(pair, _)| truth.contains(pair)).count();
        assert!(found.len() == 5 && right >= 3, "{name}: {found:?}");
    }
}

#[test]
fn shares_are_the_shapley_values_of_the_centred_logits() {
    let known = Game::new(8, 4, 6, 5);
    let (around, selection) = (known.coins(400, 2), known.all());
    for intercept in [Intercept::Anchored, Intercept::Fitted] {
        let fitted = fit(&anchored(given(&known)).intercept(intercept), Problem::new(&around, &selection));
        let value = |mask: u32| -> Vec<f64> {
            let q = fitted.predict(&(0..8).map(|j| mask >> j & 1 == 1).collect::<Vec<_>>()).unwrap();
            let mean = q.iter().map(|q| q.ln()).sum::<f64>() / 4.0;
            q.iter().map(|q| q.ln() - mean).collect()
        };
        let values: Vec<Vec<f64>> = (0..256).map(value).collect();
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        for (c, j) in (0..4).flat_map(|c| (0..8).map(move |j| (c, j))) {
            let without = (0..256u32).filter(|mask| mask >> j & 1 == 0);
            let share: f64 = without
                .map(|mask| {
                    let size = mask.count_ones();
                    let weight = factorial(size) * factorial(7 - size) / factorial(8);
                    weight * (values[(mask | 1 << j) as usize][c] - values[mask as usize][c])
                })
                .sum();
            let ours = fitted.shares().matrix()[c][j];
            assert!((ours - share).abs() < 1e-9, "class {c}, feature {j}: {ours} for {share}");
            assert!((ours - coefficients(&fitted).0[c][j]).abs() > 1e-6);
        }
    }
}

/// Mean out-of-fold divergence over 20 games without pairs, and that on fresh masks.
fn without_pairs(pairs: &Pairs, rows: usize) -> (f64, f64) {
    let (on, mut told, mut truth) = (Cpu::new(), 0.0, 0.0);
    for seed in 0..20 {
        // Fewer features are kept than there are, so that there is misfit without any pair.
        let known = Game::new(14, 4, 0, 100 + seed);
        let selection = Selection::shared(4, (0..9).collect());
        let around = known.uniform(rows, seed);
        let softmax = anchored(pairs.clone());
        let problem = [Problem::new(&around, &selection)];
        let fitted = softmax.fit(&on, &problem).unwrap();
        let fidelity = OutOfFold::default().evaluate(&on, &problem, &fitted, &softmax);
        told += fidelity.unwrap()[0].out_of_fold.unwrap().hellinger / 20.0;
        let fresh = known.uniform(2000, 900 + seed);
        let (mut sum, mut total) = (0.0, 0.0);
        for i in 1..2000 {
            let keeps: Vec<bool> = (0..9).map(|j| fresh.masks.keeps(i, j)).collect();
            let q = fitted[0].predict(&keeps).unwrap();
            let p = fresh.probabilities.row(i);
            let h: f64 = p.iter().zip(q).map(|(&p, q)| 0.5 * (f64::from(p).sqrt() - q.sqrt()).powi(2)).sum();
            let w = f64::from(fresh.weights.values()[i]);
            (sum, total) = (sum + w * h, total + w);
        }
        truth += sum / total / 20.0;
    }
    (told, truth)
}

#[test]
fn out_of_fold_divergence_is_honest_where_there_are_no_pairs() {
    // Of fewer masks a fold's part is too little: without any pair it is 5 % off at 200.
    for pairs in [Pairs::Count(10), Pairs::Auto] {
        let (told, truth) = without_pairs(&pairs, 1000);
        println!("{pairs}: out of fold {told:.5}, fresh masks {truth:.5}");
        assert!((told / truth - 1.0).abs() < 0.03, "{pairs}: out of fold {told:.5}, fresh masks {truth:.5}");
    }
}

#[test]
fn a_pair_that_is_never_removed_together_weighs_nothing() {
    let known = Game::new(6, 3, 2, 4);
    // Features 2 and 3 are never removed together, nor is 5 at all.
    let keeps = |i: usize| {
        let coin = |j: usize| i == 0 || (i * 7 + j * 5 + i * j) % 5 > 1;
        let mut row: Vec<bool> = (0..6).map(coin).collect();
        row[3] |= !row[2];
        row[5] = true;
        row
    };
    let around = known.around((0..80).map(keeps).collect(), |_| 1.0);
    for lambda in [0.0, 1e-4] {
        let pairs = Pairs::given(vec![(0, 1), (2, 3), (4, 5)]).unwrap();
        let fitted = fit(&anchored(pairs).lambda(lambda).unwrap(), Problem::new(&around, &known.all()));
        let (singles, found) = coefficients(&fitted);
        assert!(singles.iter().all(|row| row[5] == 0.0), "{singles:?}");
        assert!(found[1].1.iter().chain(&found[2].1).all(|v| *v == 0.0), "{found:?}");
        assert!(found[0].1.iter().any(|v| v.abs() > 0.1) && fitted.report.converged, "{:?}", fitted.report);
        let chosen = fit(&anchored(Pairs::Count(15)).lambda(lambda).unwrap(), Problem::new(&around, &known.all()));
        let (_, found) = coefficients(&chosen);
        assert!(found.len() <= 9 && found.iter().all(|(pair, _)| *pair != [2, 3] && pair[1] != 5), "{found:?}");
    }
}

#[test]
fn refits_keep_the_pairs_and_the_folds_have_their_own() {
    let known = Game::new(12, 3, 6, 9);
    let (on, around, selection) = (Cpu::new(), known.uniform(300, 4), known.all());
    let softmax = anchored(Pairs::Auto);
    let fitted = fit(&softmax, Problem::new(&around, &selection));
    let pairs = |fitted: &Fitted| coefficients(fitted).1.into_iter().map(|(pair, _)| pair).collect::<Vec<_>>();
    assert!(!pairs(&fitted).is_empty());
    let times: Vec<u32> = (0..300).map(|i| 1 + i % 2).collect();
    let again = Problem { multiplicities: Some(&times), start: Some(&fitted), ..Problem::new(&around, &selection) };
    assert_eq!(pairs(&fit(&softmax, again)), pairs(&fitted));
    let folds = fitted.out_of_fold.as_ref().unwrap();
    assert_eq!((folds.answers.len(), folds.folds.len()), (5, 300));
    let of_folds: Vec<usize> = folds.answers.iter().map(|answer| answer.pairs().len()).collect();
    assert!(of_folds.iter().all(|&n| n == pairs(&fitted).len()), "{of_folds:?}");
    // Folds of another number are refitted, each choosing again.
    let problem = [Problem::new(&around, &selection)];
    let fitted = [fitted];
    let agreement = |folds| {
        let of = OutOfFold { folds }.evaluate(&on, &problem, &fitted, &softmax).unwrap();
        of[0].out_of_fold.unwrap().hellinger
    };
    let (five, ten) = (agreement(5), agreement(10));
    assert!(five != ten && (five / ten - 1.0).abs() < 0.3, "{five} {ten}");
}

#[test]
fn the_sandwich_of_shares_and_coefficients_agrees_with_rows_drawn_again() {
    let known = Game::new(8, 3, 3, 7);
    let (on, selection) = (Cpu::new(), known.all());
    // One pair of the game is not given: there is misfit.
    let pairs = Pairs::given(known.pairs[..2].iter().map(|([a, b], _)| (*a, *b)).collect()).unwrap();
    for intercept in [Intercept::Anchored, Intercept::Fitted] {
        let softmax = anchored(pairs.clone()).intercept(intercept);
        let around = known.uniform(1500, 3);
        let problem = Problem::new(&around, &selection);
        let fitted = fit(&softmax, Problem::new(&around, &selection));
        let sandwich = softmax.spread(&on, &problem, &fitted).unwrap().unwrap();
        let drawn: Vec<Fitted> = (0..300u64)
            .map(|seed| fit(&softmax, Problem::new(&known.uniform(1500, 1000 + seed), &selection)))
            .collect();
        let spread = |values: &dyn Fn(&Fitted) -> f64| {
            let values: Vec<f64> = drawn.iter().map(values).collect();
            let mean = values.iter().sum::<f64>() / 300.0;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 299.0).sqrt()
        };
        let terms = sandwich.terms_in_use().unwrap();
        for (c, of_class) in terms.iter().enumerate() {
            for j in 0..8 {
                let ratio = sandwich.std_error(c, j) / spread(&|fit| fit.shares().matrix()[c][j]);
                assert!((0.8..1.25).contains(&ratio), "{}, class {c}, share {j}: {ratio}", intercept.name());
            }
            for (t, error) in of_class.iter().enumerate() {
                let ratio = error / spread(&|fit| fit.linear().unwrap().coefficients()[c][t]);
                assert!((0.8..1.25).contains(&ratio), "{}, class {c}, term {t}: {ratio}", intercept.name());
            }
        }
        assert_eq!(terms[0].len(), 10);
    }
}

#[test]
fn what_cannot_be_is_told() {
    let known = Game::new(5, 2, 0, 1);
    let (on, around) = (Cpu::new(), known.coins(40, 1));
    let some = Selection::shared(2, vec![0, 1, 3]);
    let told =
        |surrogate: &dyn Surrogate<Cpu>| surrogate.fit(&on, &[Problem::new(&around, &some)]).unwrap_err().to_string();
    let given = Pairs::given(vec![(0, 4)]).unwrap();
    assert!(told(&anchored(given)).contains("pairs = 0+4"));
    assert!(told(&anchored(Pairs::Count(5)).intercept(Intercept::None)).contains("without an intercept"));
    assert!(told(&Ridge::default().pairs(Pairs::Auto)).contains("own picks"));
}

/// A softmax whose best objective SciPy found; `golden/pairs.py` made it.
#[derive(Deserialize)]
struct Golden {
    name: String,
    problem: problem::Problem,
    divergence: String,
    lambda: f64,
    intercept: String,
    multiplicities: bool,
    pairs: Vec<(usize, usize)>,
    objective: f64,
}

#[test]
fn objectives_are_within_a_millionth_of_the_best() {
    let all: Vec<Golden> = serde_json::from_str(include_str!("../golden/pairs.json")).unwrap();
    assert!(all.iter().any(|golden| golden.multiplicities) && all.len() >= 10);
    for golden in all {
        let around = golden.problem.neighbourhood();
        let selection = Selection::shared(golden.problem.classes, (0..golden.problem.features).collect());
        // Purpose 6 of the draws; row 0 counts at least once.
        let times: Vec<u32> = (0..golden.problem.rows)
            .map(|i| (problem::draw(golden.problem.seed, 6, i, 0) % 4) as u32)
            .enumerate()
            .map(|(i, m)| if i == 0 { m.max(1) } else { m })
            .collect();
        let softmax = anchored(Pairs::given(golden.pairs).unwrap())
            .intercept(Intercept::by_name(&golden.intercept).unwrap())
            .erased_divergence(by_name(&golden.divergence).unwrap())
            .lambda_scale(LambdaScale::Raw)
            .lambda(golden.lambda)
            .unwrap();
        let multiplicities = golden.multiplicities.then_some(times.as_slice());
        let fitted = fit(&softmax, Problem { multiplicities, ..Problem::new(&around, &selection) });
        let excess = fitted.report.objective / golden.objective - 1.0;
        println!("{}: {excess:+.1e} in {} evaluations", golden.name, fitted.report.evaluations);
        assert!(excess < 1e-6 && excess > -1e-6, "{}: {excess:+.1e}", golden.name);
        assert!(fitted.report.converged, "{}: {}", golden.name, fitted.report.stopped);
    }
}

/// A ridge that scikit-learn solved; `golden/pairs.py` made it.
#[derive(Deserialize)]
struct GoldenRidge {
    name: String,
    problem: problem::Problem,
    intercept: String,
    alpha: f64,
    pairs: Vec<(usize, usize)>,
    coefficients: Vec<Vec<f64>>,
    base: Vec<f64>,
}

#[test]
fn ridges_are_those_of_scikit_learn() {
    let all: Vec<GoldenRidge> = serde_json::from_str(include_str!("../golden/pairs_ridge.json")).unwrap();
    for golden in all {
        let around = golden.problem.neighbourhood();
        let selection = Selection::shared(golden.problem.classes, (0..golden.problem.features).collect());
        let ridge = Ridge::default()
            .support(Support::Union)
            .alpha(golden.alpha)
            .unwrap()
            .intercept(Intercept::by_name(&golden.intercept).unwrap())
            .unwrap()
            .pairs(Pairs::given(golden.pairs).unwrap());
        let fitted = fit(&ridge, Problem::new(&around, &selection));
        let linear = fitted.linear().unwrap();
        let off = furthest(linear.coefficients(), &golden.coefficients);
        let base = furthest(&[linear.whole()], &[golden.base]);
        assert!(off < 1e-9 && base < 1e-9, "{}: {off:.1e}, {base:.1e}", golden.name);
        assert!(fitted.report.gradient_norm < 1e-8, "{}: {:.1e}", golden.name, fitted.report.gradient_norm);
    }
}

/// Of two features all four masks are the fit's: none is left to say whether a pair is there.
#[test]
fn few_rows_speak_for_no_pair() {
    let known = Game::new(2, 3, 1, 1);
    let masks = [[true, true], [true, false], [false, true], [false, false]].map(Vec::from).to_vec();
    let (on, around, both) = (Cpu::new(), known.around(masks, |_| 1.0), known.all());
    let fit = |softmax: Softmax| softmax.fit(&on, &[Problem::new(&around, &both)]).unwrap().remove(0);
    for intercept in [Intercept::Anchored, Intercept::Fitted] {
        let auto = fit(anchored(Pairs::Auto).intercept(intercept));
        assert!(auto.answer.pairs().is_empty() && auto.additive.is_none());
        assert_eq!(auto.answer, fit(anchored(Pairs::None).intercept(intercept)).answer);
        // One that is asked for is there.
        assert_eq!(fit(anchored(Pairs::Count(1)).intercept(intercept)).answer.pairs().len(), 1);
    }
}
