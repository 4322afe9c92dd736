//! The lasso path against the picks of LIME, which are scikit-learn's.

use crate::common::problem;

use lipex_core::{LassoPath, Masks, Neighbourhood, Probabilities, Selector, Weights};
use lipex_cpu::Cpu;
use problem::Problem;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    problem: Problem,
    k: usize,
    classes: Vec<Class>,
}

#[derive(Deserialize)]
struct Class {
    picks: Vec<usize>,
    /// Rounding cannot change the picks.
    steady: bool,
}

fn lasso(k: usize, around: Neighbourhood<Cpu>) -> Vec<Vec<usize>> {
    LassoPath::new(k).unwrap().select(&Cpu::new(), &[around]).unwrap().remove(0).per_class
}

#[test]
fn picks_are_those_of_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/lasso.json")).unwrap();
    let (mut steady, mut wide) = (0, 0);
    for case in cases {
        let ours = lasso(case.k, case.problem.neighbourhood());
        for (c, (mut ours, theirs)) in ours.into_iter().zip(&case.classes).enumerate() {
            ours.sort_unstable();
            if theirs.steady {
                assert_eq!(ours, theirs.picks, "class {c} of {:?}, k = {}", case.problem, case.k);
                steady += 1;
                wide += usize::from(case.problem.features > case.problem.rows);
            }
            assert!(!ours.is_empty() && ours.len() <= case.k, "class {c} of {:?}: {ours:?}", case.problem);
        }
    }
    assert!(steady >= 45 && wide >= 3, "{steady} {wide}");
}

/// N masks of D features with every weight 1, and the probability of the first of two classes.
fn around(features: usize, masks: &[u32], first: impl Fn(u32) -> f32) -> Neighbourhood<Cpu> {
    let on = Cpu::new();
    let p = masks.iter().flat_map(|&z| [first(z), 1.0 - first(z)]).collect();
    let rows = masks.len();
    Neighbourhood::new(
        &on,
        Masks::new(&on, rows, features, masks.to_vec()).unwrap(),
        Probabilities::new(&on, rows, 2, p).unwrap(),
        Weights::new(vec![1.0; rows]),
    )
    .unwrap()
}

#[test]
fn orthogonal_columns_enter_by_size() {
    // With every mask once, columns are uncorrelated, and a coefficient is its least squares one, less the penalty.
    let masks: Vec<u32> = (0..16).rev().collect();
    let p = |z: u32| 0.2 + 0.1 * (z & 1) as f32 + 0.3 * (z >> 1 & 1) as f32 - 0.2 * (z >> 3 & 1) as f32;
    assert_eq!(lasso(2, around(4, &masks, p))[0], [1, 3]);
    // The third column has no part in it: even with room for four the path has three.
    assert_eq!(lasso(4, around(4, &masks, p))[0], [1, 3, 0]);
}

#[test]
fn repeated_and_constant_columns_and_classes() {
    // Column 2 repeats column 0, column 3 is constant.
    let masks: Vec<u32> = (0..32).map(|i: u32| i & 3 | (i & 1) << 2 | 8 | (i >> 2 & 1) << 4).collect();
    let p = |z: u32| 0.2 + 0.3 * (z & 1) as f32 + 0.1 * (z >> 1 & 1) as f32 + 0.05 * (z >> 4 & 1) as f32;
    for picks in lasso(5, around(5, &masks, p)) {
        assert_eq!(picks, [0, 1, 4]);
    }
    for flat in [0.0, 0.3] {
        assert_eq!(lasso(2, around(5, &masks, |_| flat)), [[0, 1], [0, 1]]);
    }
    assert_eq!(lasso(9, around(1, &[1, 0], |z| 0.25 + 0.5 * z as f32)), [[0], [0]]);
    assert_eq!(lasso(9, around(1, &[1], |_| 0.25)), [[0], [0]]);
}
