//! λ chosen by the data, and fits from two starts.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Evaluator, Fitted, Lambda, LambdaScale, Masks, Neighbourhood, OutOfFold, Probabilities, Problem, Selection,
    Softmax, Start, Starts, Surrogate, Weights, softmax_in_place,
};
use lipex_cpu::Cpu;

const FEATURES: usize = 10;
const CLASSES: usize = 3;

/// Fair coins and a black box of a linear map and noise in the logits, both of a given size.
fn neighbourhood(rows: usize, size: f64, noise: f64) -> Neighbourhood<Cpu> {
    let (mut bits, mut p) = (Vec::new(), Vec::new());
    for i in 0..rows as u32 {
        let mask = if i == 0 { 1023 } else { Draws::new(3, i, 0, Purpose::Masks).draw(0) & 1023 };
        let mut random = Draws::new(4, i, 0, Purpose::Starts);
        let mut score = |c: usize| {
            let kept = (0..FEATURES).filter(|j| mask >> j & 1 == 1);
            let linear: f64 = kept.map(|j| ((j * 7 + c * 5) % 11) as f64 / 5.0 - 1.0).sum();
            size * linear + noise * (random.unit(c as u32) - 0.5)
        };
        let mut q: Vec<f64> = (0..CLASSES).map(&mut score).collect();
        softmax_in_place(&mut q);
        bits.push(mask);
        p.extend(q.into_iter().map(|v| v as f32));
    }
    let on = Cpu::new();
    let masks = Masks::new(&on, rows, FEATURES, bits).unwrap();
    let p = Probabilities::new(&on, rows, CLASSES, p).unwrap();
    Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; rows])).unwrap()
}

fn fit(softmax: &Softmax, around: &Neighbourhood<Cpu>, on: &Cpu) -> Fitted {
    let selection = Selection::shared(CLASSES, (0..FEATURES).collect());
    softmax.fit(on, &[Problem::new(around, &selection)]).unwrap().remove(0)
}

/// The out-of-fold divergence at each candidate, by the evaluator of reports.
fn scores(around: &Neighbourhood<Cpu>) -> Vec<f64> {
    let (on, selection) = (Cpu::new(), Selection::shared(CLASSES, (0..FEATURES).collect()));
    let problems = [Problem::new(around, &selection)];
    let score = |lambda: f64| {
        let softmax = Softmax::default().lambda(lambda).unwrap();
        let fitted = softmax.fit(&on, &problems).unwrap();
        let of = OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax).unwrap();
        of[0].out_of_fold.unwrap().hellinger
    };
    LambdaScale::Curvature.candidates().into_iter().map(score).collect()
}

#[test]
fn the_choice_has_the_least_out_of_fold_divergence() {
    let mut chosen = Vec::new();
    for (rows, size, noise) in [(40, 0.1, 4.0), (60, 0.4, 4.0), (400, 1.0, 0.5)] {
        let around = neighbourhood(rows, size, noise);
        let auto = fit(&Softmax::default().lambda_auto(), &around, &Cpu::new());
        let scores = scores(&around);
        let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let least = scores.iter().position(|&s| s <= least * (1.0 + Lambda::CLOSE)).unwrap();
        assert_eq!(auto.report.lambda, LambdaScale::Curvature.candidates()[least], "{scores:?}");
        assert_eq!(auto, fit(&Softmax::default().lambda(auto.report.lambda).unwrap(), &around, &Cpu::new()));
        assert_eq!(auto, fit(&Softmax::default().lambda_auto(), &around, &Cpu::with_threads(2).unwrap()));
        chosen.push(auto.report.lambda);
    }
    println!("{chosen:?}");
    assert!(chosen[0] > chosen[2], "noise asks for a larger λ: {chosen:?}");
}

#[test]
fn the_choice_is_scaled_and_refits_keep_it() {
    let around = neighbourhood(60, 0.4, 4.0);
    let softmax = Softmax::default().divergence(lipex_core::Kl).lambda_auto();
    let full = fit(&softmax, &around, &Cpu::new());
    assert!(
        LambdaScale::Curvature.candidates().iter().any(|l| (4.0 * l - full.report.lambda).abs() < 1e-15),
        "{}",
        full.report.lambda
    );
    let selection = Selection::shared(CLASSES, (0..FEATURES).collect());
    let few: Vec<u32> = (0..60).map(|i| u32::from(i < 12)).collect();
    let refit = Problem { start: Some(&full), multiplicities: Some(&few), ..Problem::new(&around, &selection) };
    let refit = softmax.fit(&Cpu::new(), &[refit]).unwrap().remove(0);
    assert_eq!((refit.report.lambda, refit.report.start), (full.report.lambda, Start::Given));
    // Nothing can be held out of one mask.
    let alone = fit(&Softmax::default().lambda_auto(), &neighbourhood(1, 1.0, 0.0), &Cpu::new());
    assert_eq!(alone.report.lambda, 1e-4);
}

#[test]
fn the_better_of_two_starts_is_kept() {
    let mut won = [0, 0];
    for seed in 0..12 {
        let around = neighbourhood(30 + seed, 6.0, 10.0);
        let one = Softmax::default().lambda(1e-6).unwrap().starts(Starts::One);
        let two = one.clone().starts(Starts::Two);
        let (one, two) = (fit(&one, &around, &Cpu::new()), fit(&two, &around, &Cpu::new()));
        assert!(two.report.objective <= one.report.objective);
        assert!(two.report.evaluations > one.report.evaluations);
        match two.report.start {
            Start::Kl => won[1] += 1,
            Start::Own => {
                won[0] += 1;
                assert_eq!(two.shares().matrix(), one.shares().matrix());
            }
            other => panic!("{other:?}"),
        }
    }
    println!("own, KL: {won:?}");
    assert!(won[0] > 0 && won[1] > 0, "{won:?}");
}
