//! Measures that captum has by the same formula: its numbers (the script `measures.py` beside this file prints them).

use lipex_experiment::measure::{infidelity, sensitivity};

const SCORES: [f64; 6] = [0.4, -0.2, 0.9, 0.1, 0.3, -0.5];

#[test]
fn infidelity_is_captums() {
    let masks = [[1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 1, 1], [1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 0, 1]];
    let removed = masks.map(|mask| (0..6).filter(|&j| mask[j] == 0).collect::<Vec<usize>>());
    let output = |z: [i32; 6]| {
        let linear: f64 = z.iter().zip([0.5, -0.3, 1.0, 0.2, 0.1, -0.7]).map(|(z, w)| f64::from(*z) * w).sum();
        1.0 / (1.0 + (-(linear + f64::from(z[0] * z[2]))).exp())
    };
    let lost = masks.map(|mask| output([1; 6]) - output(mask));
    let found = infidelity(&SCORES, &removed, &lost);
    assert!((found - 0.064_303_477_442_813_38).abs() < 1e-12, "{found}");
}

#[test]
fn sensitivity_is_captums() {
    let others = [vec![0.5, -0.2, 0.8, 0.1, 0.3, -0.5], vec![0.4, 0.0, 0.9, 0.4, 0.3, -0.5]];
    let found = sensitivity(&SCORES, &others).unwrap();
    assert!((found - 0.309_173_471_200_421_16).abs() < 1e-12, "{found}");
}
