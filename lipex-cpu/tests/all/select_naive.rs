//! Selection and ridge against least squares solved the long way, with elimination in f64.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Forward, HighestWeights, Masks, Neighbourhood, Probabilities, Problem, Ridge, Selection, Selector, Support,
    Surrogate, Weights,
};
use lipex_cpu::Cpu;

/// Random masks, probabilities of 3 classes and weights; column 2 repeats column 0, column 3 is constant.
fn neighbourhood(rows: usize, features: usize, seed: u64) -> Neighbourhood<Cpu> {
    let words = features.div_ceil(32);
    let (mut bits, mut p, mut weights) = (vec![0u32; rows * words], Vec::new(), Vec::new());
    for i in 0..rows {
        let mut draws = Draws::new(seed, i as u32, 0, Purpose::Masks);
        for j in 0..features {
            let keeps = i == 0 || j == 3 || draws.draw(if j == 2 { 0 } else { j as u32 }) >> 31 == 1;
            bits[i * words + j / 32] |= u32::from(keeps) << (j % 32);
        }
        let keeps = |j: usize| f64::from(bits[i * words + j / 32] >> (j % 32) & 1);
        let noise = draws.unit(features as u32) * 0.2;
        let a = 0.1 + 0.2 * keeps(0) + 0.1 * keeps(1) * keeps(4) + noise;
        let b = 0.15 * keeps(4) + 0.1 * keeps(5);
        p.extend([a as f32, b as f32, (1.0 - a - b) as f32]);
        weights.push(0.1 + draws.unit(features as u32 + 1) as f32);
    }
    let on = Cpu::new();
    let masks = Masks::new(&on, rows, features, bits).unwrap();
    let p = Probabilities::new(&on, rows, 3, p).unwrap();
    Neighbourhood::new(&on, masks, p, Weights::new(weights)).unwrap()
}

/// The weighted ridge of a class on some features and a constant: coefficients, then the intercept.
fn solve(around: &Neighbourhood<Cpu>, class: usize, features: &[usize], alpha: f64) -> Vec<f64> {
    let n = features.len() + 1;
    let mut a = vec![vec![0.0; n + 1]; n];
    for i in 0..around.rows() {
        let mut z: Vec<f64> = features.iter().map(|&j| f64::from(u8::from(around.masks.keeps(i, j)))).collect();
        z.extend([1.0, f64::from(around.probabilities.row(i)[class])]);
        let w = f64::from(around.weights.values()[i]);
        (0..n).for_each(|r| (0..=n).for_each(|c| a[r][c] += w * z[r] * z[c]));
    }
    (0..n - 1).for_each(|r| a[r][r] += alpha);
    for pivot in 0..n {
        let row = a[pivot].clone();
        for (_, other) in a.iter_mut().enumerate().filter(|(r, _)| *r != pivot) {
            let factor = other[pivot] / row[pivot];
            (0..=n).for_each(|c| other[c] -= factor * row[c]);
        }
    }
    (0..n).map(|r| a[r][n] / a[r][r]).collect()
}

fn residual(around: &Neighbourhood<Cpu>, class: usize, features: &[usize], x: &[f64]) -> f64 {
    let one = |i: usize| {
        let kept = features.iter().zip(x).filter(|(j, _)| around.masks.keeps(i, **j));
        let answer = x[features.len()] + kept.map(|(_, v)| v).sum::<f64>();
        f64::from(around.weights.values()[i]) * (f64::from(around.probabilities.row(i)[class]) - answer).powi(2)
    };
    (0..around.rows()).map(one).sum()
}

fn select(selector: &dyn Selector<Cpu>, around: Neighbourhood<Cpu>) -> Selection {
    selector.select(&Cpu::new(), &[around]).unwrap().remove(0)
}

/// Forward selection by refitting; ties to the lowest index.
fn by_refitting(around: &Neighbourhood<Cpu>, class: usize, k: usize, taken: &[usize]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    for _ in 0..k {
        let mut best: Option<(usize, f64)> = None;
        for j in (0..around.masks.features()).filter(|j| !chosen.contains(j) && !taken.contains(j)) {
            let with: Vec<usize> = chosen.iter().copied().chain([j]).collect();
            // A hair of a penalty keeps dependent columns solvable.
            let left = residual(around, class, &with, &solve(around, class, &with, 1e-9));
            if best.is_none_or(|(_, least)| left < least - 1e-7) {
                best = Some((j, left));
            }
        }
        chosen.extend(best.map(|(j, _)| j));
    }
    chosen
}

#[test]
fn forward_selection_equals_refitting() {
    for (rows, features) in [(200, 6), (300, 40), (60, 33)] {
        let expected: Vec<Vec<usize>> =
            (0..3).map(|c| by_refitting(&neighbourhood(rows, features, 1), c, 3, &[])).collect();
        let ours = select(&Forward::new(3).unwrap(), neighbourhood(rows, features, 1));
        assert_eq!(ours.per_class, expected, "{rows}×{features}");
    }
}

#[test]
fn exclusive_classes_share_nothing() {
    let around = neighbourhood(200, 12, 2);
    let ours = select(&Forward::exclusive(3).unwrap(), neighbourhood(200, 12, 2));
    let mut taken = Vec::new();
    for class in 0..3 {
        assert_eq!(ours.per_class[class], by_refitting(&around, class, 3, &taken));
        taken.extend(&ours.per_class[class]);
    }
    assert_eq!(ours.kept.len(), 9);
    // Nothing is left for the third class.
    let all = select(&Forward::exclusive(7).unwrap(), neighbourhood(200, 12, 2));
    assert_eq!(all.per_class.iter().map(Vec::len).collect::<Vec<_>>(), [7, 5, 0]);
}

#[test]
fn dependent_columns_fill_up_by_lowest_index() {
    // With 6 features, column 2 repeats column 0 and column 3 is constant: four can be of use.
    let ours = select(&Forward::new(6).unwrap(), neighbourhood(400, 6, 3));
    for picks in &ours.per_class {
        assert_eq!(picks[4..], [2, 3], "{picks:?}");
    }
    assert_eq!(select(&Forward::new(99).unwrap(), neighbourhood(50, 6, 3)).per_class[0].len(), 6);
}

#[test]
fn what_does_not_vary_is_not_chosen_for_its_rounding() {
    for seed in 0..20 {
        // Column 3 is constant, class 0 all but constant and class 1 constant; none of the sums need come out as exactly 0.
        let around = || {
            let n = neighbourhood(500, 6, seed);
            let row = |i| [0.5 + 1e-5 * (i % 7) as f32, 0.3 + 0.01 * seed as f32, 0.1 - 1e-5 * (i % 7) as f32];
            let p = (0..500).flat_map(row).collect();
            Neighbourhood { probabilities: Probabilities::new(&Cpu::new(), 500, 3, p).unwrap(), ..n }
        };
        let forward = select(&Forward::new(6).unwrap(), around()).per_class;
        assert_eq!(forward[0][4..], [2, 3], "seed {seed}: {forward:?}");
        assert_eq!(forward[1], [0, 1, 2, 3, 4, 5], "seed {seed}: {forward:?}");
        assert_eq!(select(&HighestWeights::new(3).unwrap(), around()).per_class[1], [0, 1, 2], "seed {seed}");
    }
}

#[test]
fn highest_weights_are_those_of_the_ridge_for_few_rows_and_many() {
    for (rows, features) in [(200, 12), (20, 64)] {
        let around = neighbourhood(rows, features, 4);
        let all: Vec<usize> = (0..features).collect();
        let ours = select(&HighestWeights::new(4).unwrap(), neighbourhood(rows, features, 4));
        for class in 0..3 {
            let x = solve(&around, class, &all, 0.01);
            let mut order = all.clone();
            order.sort_by(|&a, &b| (x[b].abs() - 1e-9 * b as f64).total_cmp(&(x[a].abs() - 1e-9 * a as f64)));
            assert_eq!(ours.per_class[class], order[..4], "{rows}×{features}");
        }
    }
}

#[test]
fn ridge_solves_its_equations_for_few_rows_and_many_and_counts_repetitions() {
    for (rows, features) in [(100, 10), (15, 40)] {
        let around = neighbourhood(rows, features, 5);
        let picks = Selection::new(vec![(0..features).collect(), vec![5, 1, 0], vec![1]]);
        let times: Vec<u32> = (0..rows as u32).map(|i| i % 3).collect();
        for support in [Support::Own, Support::Union] {
            let ridge = Ridge::default().support(support).alpha(0.5).unwrap();
            let plain = ridge.fit(&Cpu::new(), &[Problem::new(&around, &picks)]).unwrap().remove(0);
            let features_of = |c: usize| if support == Support::Own { &picks.per_class[c] } else { &picks.kept };
            for c in 0..3 {
                let x = solve(&around, c, features_of(c), 0.5);
                for (j, v) in features_of(c).iter().zip(&x) {
                    assert!((plain.shares().matrix()[c][*j] - v).abs() < 1e-9, "{rows}×{features}, class {c}");
                }
                assert!((plain.linear().unwrap().intercept()[c] - x.last().unwrap()).abs() < 1e-9);
            }
            let problem = Problem { multiplicities: Some(&times), ..Problem::new(&around, &picks) };
            let counted = ridge.fit(&Cpu::new(), &[problem]).unwrap().remove(0);
            let scaled: Vec<f32> = around.weights.values().iter().zip(&times).map(|(w, t)| w * *t as f32).collect();
            let weighted = Neighbourhood { weights: Weights::new(scaled), ..neighbourhood(rows, features, 5) };
            let weighted = ridge.fit(&Cpu::new(), &[Problem::new(&weighted, &picks)]).unwrap().remove(0);
            let (a, b) = (counted.shares(), weighted.shares());
            let apart = a.matrix().iter().flatten().zip(b.matrix().iter().flatten());
            assert!(apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 1e-6);
            assert_ne!(counted.shares().matrix(), plain.shares().matrix());
        }
    }
}
