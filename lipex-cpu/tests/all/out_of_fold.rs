//! Out-of-fold fidelity against masks that no fit has seen.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Agreement, Dependence, Describe, Evaluator, Fidelity, Fitted, FoldFits, Masks, Neighbourhood, OutOfFold,
    Probabilities, Problem, Selection, Setting, Softmax, Surrogate, Weights, deal_folds, softmax_in_place,
    without_fold,
};
use lipex_cpu::Cpu;

const FEATURES: usize = 12;
const CLASSES: usize = 4;

/// Fair coins from row `from` on, and a black box with products of features, which no surrogate can follow exactly.
fn neighbourhood(from: u32, rows: usize) -> Neighbourhood<Cpu> {
    let (mut bits, mut p) = (Vec::new(), Vec::new());
    for i in 0..rows as u32 {
        let mask = if i == 0 { 4095 } else { Draws::new(5, from + i, 0, Purpose::Masks).draw(0) & 4095 };
        let keeps = |j: usize| f64::from(mask >> j & 1);
        let score = |c: usize| {
            let linear: f64 = (0..FEATURES).map(|j| ((j * 7 + c * 5) % 11) as f64 / 5.0 * keeps(j) - keeps(j)).sum();
            let products: f64 = (0..FEATURES - 1).map(|j| keeps(j) * keeps(j + 1) * ((j + c) % 3) as f64).sum();
            linear + 0.5 * products
        };
        let mut q: Vec<f64> = (0..CLASSES).map(score).collect();
        softmax_in_place(&mut q);
        bits.push(mask);
        p.extend(q.into_iter().map(|v| v as f32));
    }
    let on = Cpu::new();
    let masks = Masks::new(&on, rows, FEATURES, bits).unwrap();
    let p = Probabilities::new(&on, rows, CLASSES, p).unwrap();
    Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; rows])).unwrap()
}

fn evaluate(rows: usize, fold: OutOfFold, on: &Cpu) -> (Fidelity, lipex_core::Fitted) {
    let around = neighbourhood(0, rows);
    let selection = Selection::shared(CLASSES, (0..FEATURES).collect());
    let softmax = Softmax::default();
    let problems = [Problem::new(&around, &selection)];
    let fitted = softmax.fit(on, &problems).unwrap();
    let fidelity = fold.evaluate(on, &problems, &fitted, &softmax).unwrap().remove(0);
    (fidelity, fitted.into_iter().next().unwrap())
}

#[test]
fn out_of_fold_is_what_fresh_masks_say() {
    let (fidelity, fitted) = evaluate(300, OutOfFold::default(), &Cpu::new());
    let fresh = neighbourhood(1_000_000, 3000);
    let mut tv = 0.0;
    for i in 0..3000 {
        let keeps: Vec<bool> = (0..FEATURES).map(|j| fresh.masks.keeps(i, j)).collect();
        let p = fresh.probabilities.row(i);
        tv += fitted.predict(&keeps).unwrap().iter().zip(p).map(|(q, p)| 0.5 * (q - f64::from(*p)).abs()).sum::<f64>()
            / 3000.0;
    }
    let unseen = fidelity.out_of_fold.unwrap();
    println!("out of fold {:.4}, fresh masks {tv:.4}, in sample {:.4}", unseen.tv, fidelity.in_sample.tv);
    assert!((unseen.tv - tv).abs() < 0.01);
    assert!(unseen.tv > fidelity.in_sample.tv && fidelity.in_sample.tv > 0.01);
    assert!(fidelity.r2.iter().all(|r| (0.5..1.0).contains(r)), "{:?}", fidelity.r2);
}

/// Near are the held-out masks that keep more than .8 of the features, each alike: a hand-made sum over refits says the same.
#[test]
fn near_is_the_mean_over_the_masks_that_keep_most() {
    let (on, around, softmax) = (Cpu::new(), neighbourhood(0, 300), Softmax::default());
    let selection = Selection::shared(CLASSES, (0..FEATURES).collect());
    let problems = [Problem::new(&around, &selection)];
    let fitted = softmax.fit(&on, &problems).unwrap();
    let fidelity = OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax).unwrap().remove(0);
    let first: Vec<u32> =
        (0..300).map(|i| (0..=i).find(|&k| around.masks.row(k) == around.masks.row(i)).unwrap() as u32).collect();
    let folds = deal_folds(&first, 5, Dependence::Independent);
    let (mut tv, mut count) = (0.0, 0.0);
    for k in 1..=5 {
        let left = without_fold(&problems[0], &folds, k);
        let refit = softmax
            .fit(&on, &[Problem { multiplicities: Some(&left), ..Problem::new(&around, &selection) }])
            .unwrap()
            .remove(0);
        for i in (0..300).filter(|&i| folds[i] == k && around.masks.count(i) >= 10) {
            let keeps: Vec<bool> = (0..FEATURES).map(|j| around.masks.keeps(i, j)).collect();
            let q = refit.predict(&keeps).unwrap();
            tv += q.iter().zip(around.probabilities.row(i)).map(|(q, p)| 0.5 * (q - f64::from(*p)).abs()).sum::<f64>();
            count += 1.0;
        }
    }
    let near = fidelity.near.unwrap();
    assert!(count >= 5.0 && (near.tv - tv / count).abs() < 1e-3, "{} {} {count}", near.tv, tv / count);
    assert!((near.tv - fidelity.out_of_fold.unwrap().tv).abs() > 1e-3);
}

#[test]
fn without_folds_there_is_none_and_threads_change_nothing() {
    let (none, _) = evaluate(100, OutOfFold { folds: 0 }, &Cpu::new());
    assert!(none.out_of_fold.is_none() && none.in_sample != Agreement::default());
    let one = evaluate(200, OutOfFold::default(), &Cpu::new());
    let two = evaluate(200, OutOfFold::default(), &Cpu::with_threads(2).unwrap());
    assert_eq!(one, two);
}

/// A softmax that carries its fits without each fold, and may not be asked for more.
struct Carries(Vec<usize>);

impl Describe for Carries {
    fn describe(&self) -> Vec<Setting> {
        Vec::new()
    }
}

impl Surrogate<Cpu> for Carries {
    fn fit(&self, on: &Cpu, problems: &[Problem<'_, Cpu>]) -> lipex_core::Result<Vec<Fitted>> {
        let one = |problem: &Problem<'_, Cpu>| {
            assert!(problem.multiplicities.is_none(), "asked for a refit");
            let softmax = Softmax::default();
            let fit = |problem: Problem<'_, Cpu>| softmax.fit(on, &[problem]).unwrap().remove(0);
            let whole = fit(Problem { ..*problem });
            let without = |k: usize| {
                let times = without_fold(problem, &self.0, k);
                fit(Problem { multiplicities: Some(&times), start: Some(&whole), tolerance: Some(1e-4), ..*problem })
                    .answer
            };
            let answers = (1..=self.0.iter().copied().max().unwrap_or(0)).map(without).collect();
            Fitted { out_of_fold: Some(FoldFits { folds: self.0.clone(), answers }), ..whole }
        };
        Ok(problems.iter().map(one).collect())
    }
}

#[test]
fn fits_without_a_fold_that_a_surrogate_carries_are_the_fidelitys() {
    let around = neighbourhood(0, 200);
    let selection = Selection::shared(CLASSES, (0..FEATURES).collect());
    let (on, folds, problems) = (Cpu::new(), OutOfFold::default(), [Problem::new(&around, &selection)]);
    let mut seen = std::collections::HashMap::new();
    let first: Vec<u32> = (0..200).map(|i| *seen.entry(around.masks.row(i).to_vec()).or_insert(i as u32)).collect();
    let carries = Carries(deal_folds(&first, folds.folds, Dependence::Independent));
    let fitted = carries.fit(&on, &problems).unwrap();
    let ours = folds.evaluate(&on, &problems, &fitted, &carries).unwrap().remove(0);
    assert_eq!(ours, evaluate(200, OutOfFold::default(), &on).0);
    // Of other folds they are not.
    let stale = Fitted { out_of_fold: Some(FoldFits { folds: vec![1; 200], answers: vec![] }), ..fitted[0].clone() };
    let refitted = folds.evaluate(&on, &problems, &[stale], &Softmax::default()).unwrap();
    assert_eq!(refitted[0], ours);
}
