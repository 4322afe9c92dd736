//! The readers of the golden files, and that both languages mean the same by a problem and by an objective.

use crate::common::optimum;

use lipex_core::{INTERCEPT_PENALTY, Neighbourhood, by_name};
use lipex_cpu::Cpu;
use optimum::{Fit, fits};
use serde::Deserialize;

/// What only this test reads of optimum.json.
#[derive(Deserialize)]
struct More {
    at_zero: f64,
    solution: Option<Solution>,
}

/// A minimiser and the objective there.
#[derive(Deserialize)]
struct Solution {
    matrix: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    objective: f64,
}

/// L(W, b), worked out in f64 as the formula stands.
fn objective(fit: &Fit, around: &Neighbourhood<Cpu>, matrix: &[Vec<f64>], intercept: &[f64]) -> f64 {
    let divergence = by_name(&fit.divergence).unwrap();
    let counts = fit.multiplicities().unwrap_or(vec![1; around.rows()]);
    let mut sum = 0.0;
    for (i, &count) in counts.iter().enumerate() {
        let score = |c: usize| {
            let kept = (0..fit.problem.features).filter(|&j| around.masks.keeps(i, j));
            intercept[c] + kept.map(|j| matrix[c][j]).sum::<f64>()
        };
        let scores: Vec<f64> = (0..fit.problem.classes).map(score).collect();
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ln_total = top + scores.iter().map(|s| (s - top).exp()).sum::<f64>().ln();
        let p = around.probabilities.row(i).iter().map(|&p| f64::from(p));
        let d: f64 = p.zip(&scores).map(|(p, s)| divergence.value(p, s - ln_total)).sum();
        sum += f64::from(around.weights.values()[i]) * f64::from(count) * d;
    }
    let squares = |row: &[f64]| row.iter().map(|w| w * w).sum::<f64>();
    let penalty = 0.5 * fit.lambda * matrix.iter().map(|row| squares(row)).sum::<f64>();
    sum / f64::from(counts.iter().sum::<u32>()) + penalty + 0.5 * INTERCEPT_PENALTY * squares(intercept)
}

#[test]
fn problems_and_objectives_are_those_of_python() {
    let more: Vec<More> = serde_json::from_str(include_str!("../golden/optimum.json")).unwrap();
    let (mut solutions, mut repeated) = (0, 0);
    for (fit, more) in fits().iter().zip(more) {
        let around = fit.problem.neighbourhood();
        repeated += usize::from(fit.multiplicities().is_some());
        let (c, f) = (fit.problem.classes, fit.problem.features);
        let close = |got: f64, want: f64, at: &str| {
            assert!((got - want).abs() <= 1e-9 * want, "{}: {got:e} {at}, SciPy has {want:e}", fit.name);
        };
        close(objective(fit, &around, &vec![vec![0.0; f]; c], &vec![0.0; c]), more.at_zero, "at zero");
        assert!(fit.objective < 0.5 * more.at_zero, "{}: nothing to fit", fit.name);
        if let Some(s) = more.solution {
            close(objective(fit, &around, &s.matrix, &s.intercept), s.objective, "at SciPy's solution");
            close(s.objective, fit.objective, "at the rounded solution");
            assert_eq!(fit.intercept, s.intercept.iter().any(|b| *b != 0.0), "{}", fit.name);
            solutions += 1;
        }
    }
    assert!(solutions >= 5 && repeated >= 2);
}
