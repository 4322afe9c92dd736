//! Kernel SHAP against PyPI shap on the same coalitions, and against Shapley values from their definition.

use lipex_core::perturb::ShapleySize;
use lipex_core::{
    Draw, Exhaustive, Fitted, GivenMasks, GivenWeights, KernelShap, Law, Masks, Neighbourhood, Perturber,
    Probabilities, Problem, Proximity, Sample, Selection, ShapleyKernel, Surrogate, Weights,
};
use lipex_cpu::Cpu;
use serde::Deserialize;
use std::collections::HashMap;

/// As `golden/kernel_shap.py` writes it.
#[derive(Deserialize)]
struct Case {
    features: usize,
    classes: usize,
    nothing: Vec<u32>,
    whole: Vec<u32>,
    coalitions: Vec<String>,
    weights: Vec<f32>,
    answers: Vec<Vec<u32>>,
    values: Vec<Vec<f64>>,
    exact: Option<Vec<Vec<f64>>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../golden/kernel_shap.json")).unwrap()
}

const ONE: f32 = (1 << 20) as f32;

/// Everything, nothing, then shap's coalitions, with its weights.
fn neighbourhood(case: &Case) -> Neighbourhood<Cpu> {
    let (on, rows, d) = (Cpu::new(), case.coalitions.len() + 2, case.features);
    let mut numbers = [vec![1; d], vec![0; d]].concat();
    numbers.extend(case.coalitions.iter().flat_map(|m| m.bytes().map(|digit| digit - b'0')));
    let given = GivenMasks::new(rows, d, &numbers).unwrap();
    let masks = given.perturb(&on, &Draw::whole(&[d], rows, 0)).unwrap().remove(0).masks;
    let weights = GivenWeights::new([vec![1.0, 1.0], case.weights.clone()].concat()).unwrap();
    let mut weights = weights.weigh(&on, std::slice::from_ref(&masks)).unwrap();
    let answers = [case.whole.clone(), case.nothing.clone()].into_iter().chain(case.answers.clone());
    let p = answers.flatten().map(|p| p as f32 / ONE).collect();
    let p = Probabilities::new(&on, rows, case.classes, p).unwrap();
    Neighbourhood::new(&on, masks, p, weights.remove(0)).unwrap()
}

fn fit(around: &Neighbourhood<Cpu>) -> Fitted {
    let selection = Selection::shared(around.probabilities.classes(), (0..around.masks.features()).collect());
    KernelShap.fit(&Cpu::new(), &[Problem::new(around, &selection)]).unwrap().remove(0)
}

fn furthest(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!((a.len(), a[0].len()), (b.len(), b[0].len()));
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn values_are_those_of_shap_on_its_own_coalitions() {
    let mut sampled = 0;
    for case in cases() {
        let ours = fit(&neighbourhood(&case));
        let error = furthest(ours.shares().matrix(), &case.values);
        println!("D = {}: {error:.1e} from shap, gradient {:.1e}", case.features, ours.report.gradient_norm);
        assert!(error < 1e-6, "D = {}: {error:.1e}", case.features);
        sampled += usize::from(case.exact.as_ref().is_none_or(|e| furthest(e, &case.values) > 1e-3));
        for (c, row) in ours.shares().matrix().iter().enumerate() {
            let gain = (f64::from(case.whole[c]) - f64::from(case.nothing[c])) / f64::from(ONE);
            assert!((row.iter().sum::<f64>() - gain).abs() < 1e-12, "efficiency");
            let nothing = f64::from(case.nothing[c]) / f64::from(ONE);
            assert!((ours.linear().unwrap().intercept()[c] - nothing).abs() < 1e-15);
        }
        // Scores are probabilities: at everything the surrogate is the model.
        let at_whole = ours.predict(&vec![true; case.features]).unwrap();
        assert!((at_whole[0] - f64::from(case.whole[0]) / f64::from(ONE)).abs() < 1e-12);
    }
    assert!(sampled >= 3);
}

/// The case's model on masks drawn here.
fn asked(case: &Case, sample: &Sample<Cpu>, weights: Weights<Cpu>) -> Neighbourhood<Cpu> {
    let (on, masks) = (Cpu::new(), &sample.masks);
    let word = |m: &String| m.bytes().enumerate().fold(0u32, |w, (j, digit)| w | u32::from(digit - b'0') << j);
    let mut answers: HashMap<u32, &Vec<u32>> = case.coalitions.iter().map(word).zip(&case.answers).collect();
    answers.insert(0, &case.nothing);
    answers.insert((1 << case.features) - 1, &case.whole);
    let p = (0..masks.rows()).flat_map(|i| answers[&masks.row(i)[0]].iter().map(|&p| p as f32 / ONE)).collect();
    let copy = Masks::new(&on, masks.rows(), masks.features(), masks.bits().clone()).unwrap();
    Neighbourhood::new(&on, copy, Probabilities::new(&on, masks.rows(), case.classes, p).unwrap(), weights).unwrap()
}

#[test]
fn every_mask_once_gives_exact_shapley_values() {
    let case = cases().into_iter().find(|c| c.features == 10).unwrap();
    let exact = case.exact.as_ref().unwrap();
    let on = Cpu::new();
    // All masks of the exhaustive sampler, weighed by the Shapley kernel.
    let sample = Exhaustive.perturb(&on, &Draw::whole(&[10], 1024, 0)).unwrap().remove(0);
    let weights = ShapleyKernel.weigh(&on, std::slice::from_ref(&sample.masks)).unwrap().remove(0);
    let error = furthest(fit(&asked(&case, &sample, weights)).shares().matrix(), exact);
    println!("exhaustive: {error:.1e}");
    assert!(error < 1e-6, "{error:.1e}");
    // The sampler of Kernel SHAP, given enough rows.
    let total = ShapleySize.total(10, 2048).unwrap();
    let mut sample = ShapleySize.perturb(&on, &Draw::whole(&[10], total, 3)).unwrap().remove(0);
    let weights = sample.weights.take().unwrap();
    let error = furthest(fit(&asked(&case, &sample, weights)).shares().matrix(), exact);
    println!("sampler: {error:.1e}");
    assert!(total == 1024 && error < 1e-6, "{error:.1e}");
}

#[test]
fn drawn_coalitions_come_close_and_closer() {
    let case = cases().into_iter().find(|c| c.features == 10).unwrap();
    let exact = case.exact.as_ref().unwrap();
    let error = |total: usize| {
        let one = |seed| {
            let mut sample = ShapleySize.perturb(&Cpu::new(), &Draw::whole(&[10], total, seed)).unwrap().remove(0);
            let weights = sample.weights.take().unwrap();
            fit(&asked(&case, &sample, weights)).shares().into_matrix()
        };
        let runs: Vec<_> = (0..60).map(one).collect();
        // What is left of the mean's error is bias.
        let mean: Vec<Vec<f64>> = (0..case.classes)
            .map(|c| (0..10).map(|j| runs.iter().map(|m| m[c][j]).sum::<f64>() / 60.0).collect())
            .collect();
        (furthest(&mean, exact), runs.iter().map(|m| furthest(m, exact)).sum::<f64>() / 60.0)
    };
    let ((bias, few), (_, many)) = (error(80), error(500));
    println!("80 rows: {few:.4}, of the mean {bias:.4}; 500 rows: {many:.4}");
    assert!(many < 0.5 * few && bias < 0.4 * few && few < 0.05);
}

#[test]
fn more_features_than_rows_are_shared_out_evenly() {
    // Features j and j + 20 always go together, and 12 coalitions leave 40 values undetermined.
    let (on, rows) = (Cpu::new(), 14);
    let pattern = |i: u64| 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(i + 1) >> 44 & 0xf_ffff;
    let mask = |i: u64| match i {
        0 => 0xf_ffff,
        1 => 0,
        _ => pattern(i),
    };
    let both = (0..rows).map(|i| mask(i) | mask(i) << 20).flat_map(|m| [m as u32, (m >> 32) as u32]).collect();
    let p: Vec<f32> = (0..rows).map(|i| 0.1 + 0.06 * i as f32).flat_map(|p| [p, 1.0 - p]).collect();
    let n = rows as usize;
    let masks = Masks::new(&on, n, 40, both).unwrap();
    let probabilities = Probabilities::new(&on, n, 2, p.clone()).unwrap();
    let around = Neighbourhood::new(&on, masks, probabilities, Weights::new(vec![1.0; n])).unwrap();
    let ours = fit(&around);
    let shares = ours.shares();
    let row = shares.row(0);
    assert!((0..20).all(|j| (row[j] - row[j + 20]).abs() < 1e-9), "{row:?}");
    assert!((row.iter().sum::<f64>() - (f64::from(p[0]) - f64::from(p[2]))).abs() < 1e-12);
    for i in 0..n {
        let keeps: Vec<bool> = (0..40).map(|j| around.masks.keeps(i, j)).collect();
        assert!((ours.predict(&keeps).unwrap()[0] - f64::from(p[2 * i])).abs() < 1e-6, "row {i}");
    }
    assert!(ours.report.gradient_norm < 1e-6 && ours.report.objective < 1e-12, "{:?}", ours.report);
}

#[test]
fn without_an_empty_mask_it_says_what_to_do() {
    let on = Cpu::new();
    let masks = Masks::new(&on, 2, 2, vec![3, 1]).unwrap();
    let p = Probabilities::new(&on, 2, 2, vec![0.5; 4]).unwrap();
    let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 2])).unwrap();
    let selection = Selection::shared(2, vec![0, 1]);
    let message = KernelShap.fit(&on, &[Problem::new(&around, &selection)]).unwrap_err().to_string();
    assert!(message.contains("sampler kernel-shap"), "{message}");
}
