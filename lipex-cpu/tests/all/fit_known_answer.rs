//! Fits whose answer is known: a black box that is itself a softmax of a linear map.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Alpha, ErasedDivergence, Fitted, Hellinger, JensenShannon, Kl, LambdaScale, Masks, Neighbourhood, Probabilities,
    Problem, ReverseKl, Selection, Softmax, Surrogate, TotalVariation, Weights, softmax_in_place,
};
use lipex_cpu::Cpu;
use std::sync::Arc;

struct Linear {
    around: Neighbourhood<Cpu>,
    /// A, C×D, centred over classes.
    matrix: Vec<Vec<f64>>,
}

/// N masks of fair coins and the black box softmax(A z + c).
fn linear(rows: usize, features: usize, classes: usize, seed: u64) -> Linear {
    let mut draws = Draws::new(seed, u32::MAX, 0, Purpose::Starts);
    let mut at = 0;
    let mut next = || {
        at += 1;
        draws.unit(at) * 2.0 - 1.0
    };
    // Logits spread alike whatever D, so that no probability vanishes.
    let scale = 3.0 / (features as f64).sqrt();
    let mut matrix: Vec<Vec<f64>> = (0..classes).map(|_| (0..features).map(|_| scale * next()).collect()).collect();
    let shift: Vec<f64> = (0..classes).map(|_| next()).collect();
    let words = features.div_ceil(32);
    let (mut bits, mut p) = (vec![0u32; rows * words], Vec::new());
    for i in 0..rows {
        let mut row = Draws::new(seed, i as u32, 0, Purpose::Masks);
        let keeps: Vec<bool> = (0..features).map(|j| i == 0 || row.draw(j as u32) >> 31 == 1).collect();
        keeps.iter().enumerate().filter(|(_, k)| **k).for_each(|(j, _)| bits[i * words + j / 32] |= 1 << (j % 32));
        let score =
            |c: usize| shift[c] + matrix[c].iter().zip(&keeps).filter(|(_, k)| **k).map(|(a, _)| a).sum::<f64>();
        let mut q: Vec<f64> = (0..classes).map(score).collect();
        softmax_in_place(&mut q);
        p.extend(q.into_iter().map(|v| v as f32));
    }
    for j in 0..features {
        let mean = matrix.iter().map(|row| row[j]).sum::<f64>() / classes as f64;
        matrix.iter_mut().for_each(|row| row[j] -= mean);
    }
    let on = Cpu::new();
    let masks = Masks::new(&on, rows, features, bits).unwrap();
    let probabilities = Probabilities::new(&on, rows, classes, p).unwrap();
    let around = Neighbourhood::new(&on, masks, probabilities, Weights::new(vec![1.0; rows])).unwrap();
    Linear { around, matrix }
}

fn fit(softmax: &Softmax, problem: Problem<'_, Cpu>) -> Fitted {
    softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

fn all(around: &Neighbourhood<Cpu>) -> Selection {
    Selection::shared(around.probabilities.classes(), (0..around.masks.features()).collect())
}

fn furthest(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn a_linear_model_is_recovered_under_every_divergence() {
    let divergences: Vec<Arc<dyn ErasedDivergence>> = vec![
        Arc::new(Hellinger),
        Arc::new(Kl),
        Arc::new(ReverseKl),
        Arc::new(JensenShannon),
        Arc::new(Alpha::new(0.5).unwrap()),
        Arc::new(Alpha::new(0.3).unwrap()),
        Arc::new(Alpha::new(2.0).unwrap()),
    ];
    for (classes, features) in [(2, 5), (3, 16), (7, 13), (8, 9), (9, 33), (20, 12)] {
        let known = linear(600, features, classes, classes as u64);
        let selection = all(&known.around);
        for divergence in &divergences {
            let softmax = Softmax::default().lambda(1e-9).unwrap().erased_divergence(divergence.clone());
            let fitted = fit(&softmax, Problem::new(&known.around, &selection));
            let error = furthest(fitted.shares().matrix(), &known.matrix);
            let name = divergence.name();
            println!("{name} C={classes} D={features}: {error:.1e} {:?}", fitted.report);
            assert!(error < 1e-3, "{name} at C={classes}, D={features}: {error:.1e}");
            assert!(fitted.report.converged, "{name} at C={classes}, D={features}: {}", fitted.report.stopped);
        }
    }
}

#[test]
fn columns_sum_to_zero_over_classes() {
    let known = linear(200, 9, 5, 3);
    let selection = all(&known.around);
    for lambda in [0.0, 1e-3] {
        let fitted = fit(&Softmax::default().lambda(lambda).unwrap(), Problem::new(&known.around, &selection));
        for j in 0..9 {
            assert!(fitted.shares().matrix().iter().map(|row| row[j]).sum::<f64>().abs() < 1e-12);
        }
        assert!(fitted.linear().unwrap().intercept().iter().sum::<f64>().abs() < 1e-12);
        assert!(fitted.shares().matrix().iter().flatten().any(|w| w.abs() > 0.1));
    }
}

#[test]
fn total_variation_comes_close_and_reports_its_exact_objective() {
    let known = linear(600, 8, 4, 5);
    let selection = all(&known.around);
    let softmax = Softmax::default().lambda(1e-9).unwrap().divergence(TotalVariation);
    let fitted = fit(&softmax, Problem::new(&known.around, &selection));
    let mut by_hand = 0.0;
    for i in 0..600 {
        let keeps: Vec<bool> = (0..8).map(|j| known.around.masks.keeps(i, j)).collect();
        let q = fitted.predict(&keeps).unwrap();
        let p = known.around.probabilities.row(i);
        by_hand += q.iter().zip(p).map(|(q, p)| 0.5 * (q - f64::from(*p)).abs()).sum::<f64>() / 600.0;
    }
    let squares: f64 = fitted.shares().matrix().iter().flatten().map(|w| w * w).sum();
    by_hand += 0.5e-9 * squares + 0.5e-8 * fitted.linear().unwrap().intercept().iter().map(|b| b * b).sum::<f64>();
    assert!((fitted.report.objective - by_hand).abs() < 1e-7 * by_hand, "{} {by_hand}", fitted.report.objective);
    assert!(
        furthest(fitted.shares().matrix(), &known.matrix) < 0.02,
        "{}",
        furthest(fitted.shares().matrix(), &known.matrix)
    );
}

#[test]
fn multiplicities_are_repeated_rows_and_a_start_is_taken_up() {
    let known = linear(60, 6, 3, 8);
    let selection = all(&known.around);
    let softmax = Softmax::default().divergence(Kl).lambda_scale(LambdaScale::Raw).tolerance(1e-12).unwrap();
    let times: Vec<u32> = (0..60).map(|i| i % 4).collect();
    let rows: Vec<u32> = (0..60).flat_map(|i| vec![i; times[i as usize] as usize]).collect();
    let on = Cpu::new();
    use lipex_core::Backend;
    let a = &known.around;
    let repeated = Neighbourhood::new(
        &on,
        Masks::new(&on, rows.len(), 6, on.gather(a.masks.bits(), 1, &rows).unwrap()).unwrap(),
        Probabilities::new(&on, rows.len(), 3, on.gather(a.probabilities.values(), 3, &rows).unwrap()).unwrap(),
        Weights::new(vec![1.0; rows.len()]),
    )
    .unwrap();
    let counted = fit(&softmax, Problem { multiplicities: Some(&times), ..Problem::new(a, &selection) });
    let spelled = fit(&softmax, Problem::new(&repeated, &selection));
    assert!(furthest(counted.shares().matrix(), spelled.shares().matrix()) < 1e-5);
    assert!((counted.report.objective / spelled.report.objective - 1.0).abs() < 1e-9);
    let softmax = softmax.tolerance(1e-7).unwrap();
    let cold = fit(&softmax, Problem { multiplicities: Some(&times), ..Problem::new(a, &selection) });
    let warm = Problem { multiplicities: Some(&times), start: Some(&counted), ..Problem::new(a, &selection) };
    let warm = fit(&softmax, warm);
    assert!(warm.report.evaluations == 1 && cold.report.evaluations > 2, "{:?} {:?}", warm.report, cold.report);
}

#[test]
fn a_batch_gives_what_each_fit_gives_alone() {
    let known = linear(200, 11, 5, 9);
    let (all, some) = (all(&known.around), Selection::shared(5, vec![1, 4, 7, 10]));
    let softmax = Softmax::default();
    let starts = [&all, &some].map(|s| fit(&softmax, Problem::new(&known.around, s)));
    let times: Vec<Vec<u32>> = (0..3).map(|k| (0..200).map(|i| u32::from(i % 3 != k)).collect()).collect();
    let mut problems = Vec::new();
    for (selection, start) in [&all, &some].into_iter().zip(&starts) {
        for m in &times {
            let warm =
                Problem { multiplicities: Some(m), start: Some(start), ..Problem::new(&known.around, selection) };
            problems.extend([Problem { start: None, ..warm }, Problem { tolerance: Some(1e-3), ..warm }, warm]);
        }
    }
    let together = softmax.fit(&Cpu::with_threads(2).unwrap(), &problems).unwrap();
    let alone: Vec<Fitted> = problems.iter().map(|p| fit(&softmax, Problem { ..*p })).collect();
    assert_eq!(together, alone);
    assert!(alone.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_fit_that_stops_short_says_so() {
    let known = linear(300, 12, 6, 2);
    let selection = all(&known.around);
    let short = fit(&Softmax::default().max_evaluations(2), Problem::new(&known.around, &selection));
    assert!(!short.report.converged && short.report.stopped.contains("limit"), "{:?}", short.report);
}
