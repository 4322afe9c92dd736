//! Laws that throw rows away and laws with weights of their own.

use lipex_core::perturb::{Filtered, ShapleySize, WeightProportional};
use lipex_core::{
    Angle, Antithetic, Bernoulli, Dependence, Draw, Exponential, Law, Perturber, ProximityTable, Sample, UniformSize,
};
use lipex_cpu::Cpu;
use std::f64::consts::PI;
use std::ops::Range;

fn draw(law: &dyn Perturber<Cpu>, features: usize, rows: Range<usize>, seed: u64) -> Sample<Cpu> {
    let tables = [Exponential::default().table(features)];
    law.perturb_by(&Cpu::new(), &Draw { features: &[features], total: rows.end, rows, seed }, &tables)
        .unwrap()
        .remove(0)
}

fn filtered<L>(law: L, within: f64) -> Filtered<L> {
    Filtered { law, within: Angle::new(within).unwrap() }
}

/// The mean number of rows that are left, over seeds.
fn left(law: &dyn Perturber<Cpu>, features: usize, samples: usize) -> f64 {
    (0..40).map(|seed| draw(law, features, 0..samples, seed).masks.rows() as f64).sum::<f64>() / 40.0
}

#[test]
fn filters_leave_the_expected_numbers() {
    // D = 44: 1, 6, 22 sizes of 44 are near enough; and row 0.
    for (within, expected) in [(PI / 16.0, 114.0), (PI / 8.0, 682.0), (PI / 4.0, 2500.0)] {
        let mean = left(&filtered(UniformSize::default(), within), 44, 5000);
        assert!((mean - expected).abs() < 4.0 * (expected / 40.0f64).sqrt(), "{within}: {mean}");
    }
    // The paper's images: 228, 774, 994 of 1000. With 65 segments the binomial gives these.
    for (part, expected) in [(7.0, 229.0), (8.0, 771.0), (9.0, 994.0)] {
        let mean = left(&filtered(Bernoulli::default(), part * PI / 30.0), 65, 1000);
        assert!((mean - expected).abs() < 4.0 * (expected / 40.0f64).sqrt(), "{part}·π/30: {mean}");
    }
}

#[test]
fn a_filter_keeps_the_allowed_rows_in_order() {
    let most = Angle::new(0.6).unwrap().most_removed(40);
    let all = draw(&UniformSize::default(), 40, 0..300, 5).masks;
    let few = draw(&filtered(UniformSize::default(), 0.6), 40, 0..300, 5).masks;
    let expected: Vec<&[u32]> = (0..300).filter(|&i| 40 - all.count(i) <= most).map(|i| all.row(i)).collect();
    assert!(expected.len() > 50 && expected.len() < 200);
    assert!(few.rows() == expected.len() && (0..few.rows()).all(|i| few.row(i) == expected[i]));
    let law = filtered(UniformSize::default(), 0.6);
    assert!(!law.grows());
    assert_eq!(law.dependence(), Dependence::Independent);
    assert_eq!(filtered(Antithetic, 0.6).dependence(), Dependence::Unknown);
}

#[test]
fn a_filter_keeps_the_rows_own_weights() {
    let sample = draw(&filtered(WeightProportional, 0.8), 20, 0..200, 1);
    let sizes = WeightProportional::sizes(&Exponential::default().table(20)).unwrap();
    let weights = sample.weights.unwrap();
    assert!(sample.masks.rows() < 200 && weights.values().len() == sample.masks.rows());
    assert!((0..sample.masks.rows()).all(|i| weights.values()[i] == sizes.weights()[sample.masks.count(i)]));
}

/// Any function of a mask that is neither linear nor a function of its size.
fn answer(mask: u32) -> f64 {
    f64::from(mask.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 + f64::from(mask & 1)
}

/// Σ π(z)·answer(z) under uniform sizes, summed over all masks.
fn target(features: usize, table: &ProximityTable) -> f64 {
    let all = 0..(1u32 << features) - 1;
    let subsets = |m: usize| (0..m).map(|k| (features - k) as f64 / (k + 1) as f64).product::<f64>();
    let one = |z: u32| {
        let m = z.count_ones() as usize;
        table.values()[m] * answer(z) / (features as f64 * subsets(m))
    };
    all.map(one).sum()
}

#[test]
fn weight_proportional_sizes_estimate_the_same_sum() {
    let table = Exponential::default().table(8);
    let expected = target(8, &table);
    let (mut means, rows) = (Vec::new(), 500);
    for seed in 0..400 {
        let Sample { masks, weights, .. } = draw(&WeightProportional, 8, 1..rows + 1, seed);
        let weights = weights.unwrap();
        let sum: f64 = (0..rows).map(|i| f64::from(weights.values()[i]) * answer(masks.row(i)[0])).sum();
        means.push(sum / rows as f64);
    }
    let mean = means.iter().sum::<f64>() / 400.0;
    let deviation = (means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
    assert!((mean - expected).abs() < 4.0 * deviation / 20.0, "{mean} for {expected} ± {}", deviation / 20.0);
    assert!(deviation / expected < 0.05, "{deviation}");
}

#[test]
fn weight_proportional_sizes_come_close_to_their_shares_and_runs_grow() {
    let law = WeightProportional;
    assert!(law.grows());
    for features in [1, 2, 33, 100] {
        let long = draw(&law, features, 0..1000, 7);
        let part = draw(&law, features, 40..90, 7);
        let words = long.masks.words();
        assert_eq!(part.masks.bits(), &long.masks.bits()[40 * words..90 * words]);
        let (all, some) = (long.weights.unwrap(), part.weights.unwrap());
        assert_eq!(some.values(), &all.values()[40..90]);
        assert!(all.values()[0] == 1.0 && long.masks.count(0) == features);
        // Of 999 points of the sequence an interval holds its share, give or take the logarithm of their number.
        let table = Exponential::default().table(features);
        let root = |r: usize| table.values()[features - r].sqrt();
        let sum: f64 = (1..=features).map(root).sum();
        for r in 1..=features {
            let count = (1..1000).filter(|&i| features - long.masks.count(i) == r).count() as f64;
            assert!((count - 999.0 * root(r) / sum).abs() < 11.0, "{features} features, {r} removed: {count}");
        }
    }
}

#[test]
fn weight_proportional_needs_a_table() {
    let refused = WeightProportional.perturb(&Cpu::new(), &Draw::whole(&[4], 9, 0)).err().unwrap().to_string();
    assert!(refused.contains("number of kept features"), "{refused}");
    let other = [Exponential::default().table(5)];
    assert!(WeightProportional.perturb_by(&Cpu::new(), &Draw::whole(&[4], 9, 0), &other).is_err());
}

#[test]
fn coalitions_are_pairs_and_small_sizes_all_occur() {
    for (features, rows) in [(1, 2), (2, 4), (7, 128), (12, 300), (13, 301), (40, 100)] {
        let total = ShapleySize.total(features, rows).unwrap();
        assert_eq!(total, rows);
        let Sample { masks, weights, .. } = draw(&ShapleySize, features, 0..rows, 5);
        let weights = weights.unwrap();
        assert!(masks.count(0) == features && masks.count(1) == 0);
        for i in (2..rows - 1).step_by(2) {
            assert!((0..features).all(|j| masks.keeps(i, j) != masks.keeps(i + 1, j)), "D = {features}, row {i}");
        }
        assert!((2..rows).all(|i| (1..features).contains(&masks.count(i))));
        let sum: f64 = weights.values()[2..].iter().map(|&w| f64::from(w)).sum();
        assert!((sum - (rows - 2) as f64).abs() < 1e-3, "D = {features}: {sum}");
        let plan = ShapleySize::plan(features, rows);
        let end = 2 + plan.enumerated.iter().map(|s| s.rows).sum::<usize>();
        let mut seen: Vec<&[u32]> = (2..end).map(|i| masks.row(i)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), end - 2, "D = {features}");
        // Parts of a run are parts of the whole.
        let part = draw_rows(&ShapleySize, features, rows, rows / 3..rows / 2);
        let words = masks.words();
        assert_eq!(part.masks.bits(), &masks.bits()[rows / 3 * words..rows / 2 * words]);
        assert_eq!(part.weights.unwrap().values(), &weights.values()[rows / 3..rows / 2]);
    }
    assert!(ShapleySize.total(5, 1).is_err());
}

fn draw_rows(law: &dyn Perturber<Cpu>, features: usize, total: usize, rows: Range<usize>) -> Sample<Cpu> {
    law.perturb(&Cpu::new(), &Draw { features: &[features], total, rows, seed: 5 }).unwrap().remove(0)
}
