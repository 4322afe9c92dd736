//! The laws of the samplers: pinned rows, rows by range, and the numbers that each law promises.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Angle, Antithetic, Bernoulli, Dependence, Draw, Exhaustive, GivenMasks, Law, LimeImage, LimeText, Masks, Perturber,
    UniformSize,
};
use lipex_cpu::Cpu;
use proptest::prelude::*;
use std::f64::consts::PI;

fn draw(
    law: &dyn Perturber<Cpu>,
    features: usize,
    total: usize,
    rows: std::ops::Range<usize>,
    seed: u64,
) -> Masks<Cpu> {
    let total = law.total(features, total).unwrap();
    law.perturb(&Cpu::new(), &Draw { features: &[features], total, rows, seed }).unwrap().remove(0).masks
}

fn words(masks: &Masks<Cpu>) -> &[u32] {
    masks.bits()
}

fn within(part: f64) -> Option<Angle> {
    Some(Angle::new(PI / part).unwrap())
}

fn confined(part: f64) -> Bernoulli {
    let mut law = Bernoulli::default();
    law.within = within(part);
    law
}

/// Every law that grows.
fn growing() -> Vec<Box<dyn Perturber<Cpu>>> {
    vec![
        Box::new(UniformSize::default()),
        Box::new(UniformSize { within: within(4.0) }),
        Box::new(Antithetic),
        Box::new(Bernoulli::new(0.3).unwrap()),
        Box::new(confined(5.0)),
    ]
}

#[test]
fn the_first_masks_of_seed_0_are_pinned() {
    // Made by golden/first_masks.py, which has a Philox of its own.
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/first_masks.json")).unwrap();
    for (name, law) in [
        ("uniform-size", Box::new(UniformSize::default()) as Box<dyn Perturber<Cpu>>),
        ("antithetic", Box::new(Antithetic)),
        ("bernoulli:0.5", Box::new(Bernoulli::default())),
        ("exhaustive", Box::new(Exhaustive)),
    ] {
        for (features, rows) in golden[name].as_object().unwrap() {
            let expected: Vec<u32> = serde_json::from_value(rows.clone()).unwrap();
            let d: usize = features.parse().unwrap();
            let rows = expected.len() / d.div_ceil(32);
            assert_eq!(words(&draw(law.as_ref(), d, rows, 0..rows, 0)), expected, "{name} at D = {d}");
        }
    }
}

#[test]
fn rows_are_the_same_whatever_the_total() {
    for law in growing() {
        assert!(law.grows());
        for d in [1, 2, 31, 32, 33, 441] {
            let long = draw(law.as_ref(), d, 1000, 0..1000, 7);
            let short = draw(law.as_ref(), d, 100, 0..100, 7);
            assert_eq!(words(&short), &words(&long)[..words(&short).len()]);
            let middle = draw(law.as_ref(), d, 1000, 50..70, 7);
            assert_eq!(words(&middle), &words(&long)[50 * long.words()..70 * long.words()]);
            assert!((0..d).all(|j| long.keeps(0, j)));
            assert!((1..1000).any(|i| long.count(i) < d));
        }
    }
    for law in [Box::new(LimeText) as Box<dyn Perturber<Cpu>>, Box::new(LimeImage), Box::new(Exhaustive)] {
        assert!(!law.grows());
        let whole = draw(law.as_ref(), 6, 64, 0..64, 3);
        assert_eq!(words(&draw(law.as_ref(), 6, 64, 10..20, 3)), &words(&whole)[10..20]);
    }
}

#[test]
fn seeds_and_batches() {
    let law = UniformSize::default();
    assert_ne!(words(&draw(&law, 44, 50, 0..50, 0)), words(&draw(&law, 44, 50, 0..50, 1)));
    assert_ne!(words(&draw(&law, 44, 50, 0..50, 0)), words(&draw(&law, 44, 50, 0..50, 1 << 32)));
    let on = Cpu::with_threads(2).unwrap();
    let batch = law.perturb(&on, &Draw::whole(&[3, 44, 100], 50, 0)).unwrap();
    for (sample, d) in batch.iter().zip([3, 44, 100]) {
        assert_eq!(words(&sample.masks), words(&draw(&law, d, 50, 0..50, 0)));
    }
}

#[test]
fn uniform_sizes_are_uniform_and_subsets_too() {
    let masks = draw(&UniformSize::default(), 5, 40_001, 0..40_001, 1);
    let mut sizes = [0; 6];
    let mut pairs = [[0; 5]; 5];
    for i in 1..40_001 {
        let removed = 5 - masks.count(i);
        sizes[removed] += 1;
        if removed == 2 {
            let gone: Vec<usize> = (0..5).filter(|&j| !masks.keeps(i, j)).collect();
            pairs[gone[0]][gone[1]] += 1;
        }
    }
    assert_eq!(sizes[0], 0);
    assert!(sizes[1..].iter().all(|s| (7700..8300).contains(s)), "{sizes:?}");
    let pairs: Vec<i32> = (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b))).map(|(a, b)| pairs[a][b]).collect();
    assert!(pairs.iter().all(|p| (690..910).contains(p)), "{pairs:?}");
}

#[test]
fn angles_admit_the_expected_share_of_uniform_sizes() {
    // With D = 44 and N = 5000 a share of 1/44, 6/44, 22/44 of the rows removes few enough, and row 0.
    let masks = draw(&UniformSize::default(), 44, 5000, 0..5000, 3);
    for (part, expected) in [(16.0, 114.0), (8.0, 682.0), (4.0, 2500.0)] {
        let most = Angle::new(PI / part).unwrap().most_removed(44);
        let count = (0..5000).filter(|&i| 44 - masks.count(i) <= most).count() as f64;
        let spread = f64::sqrt(expected * (1.0 - expected / 5000.0));
        assert!((count - expected).abs() < 4.0 * spread, "π/{part}: {count}");
        let confined = draw(&UniformSize { within: within(part) }, 44, 2000, 0..2000, 3);
        assert!((0..2000).all(|i| 44 - confined.count(i) <= most));
        assert!((1..=most).all(|r| (1..2000).any(|i| 44 - confined.count(i) == r)));
    }
}

#[test]
fn antithetic_rows_are_complements() {
    for d in [1, 2, 33, 100] {
        let masks = draw(&Antithetic, d, 101, 0..101, 9);
        for m in 1..=50 {
            assert!((0..d).all(|j| masks.keeps(2 * m - 1, j) != masks.keeps(2 * m, j)), "D = {d}, pair {m}");
            let kept = masks.count(2 * m - 1);
            assert!(if d == 1 { kept == 0 } else { (1..d).contains(&kept) });
        }
    }
    assert_eq!(Antithetic.dependence(), Dependence::Pairs);
}

#[test]
fn bernoulli_keeps_its_share_within_the_angle() {
    let masks = draw(&Bernoulli::new(0.3).unwrap(), 100, 2000, 0..2000, 4);
    let kept: usize = (1..2000).map(|i| masks.count(i)).sum();
    assert!((kept as f64 / 199_900.0 - 0.3).abs() < 0.005);
    let most = Angle::new(PI / 4.0).unwrap().most_removed(20);
    let confined = draw(&confined(4.0), 20, 20_000, 0..20_000, 4);
    let mut counts = vec![0.0; most + 1];
    (1..20_000).for_each(|i| counts[20 - confined.count(i)] += 1.0);
    // The binomial of 20 coins, restricted to 0…10 heads.
    let binomial: Vec<f64> = (0..=most).map(|r| (0..r).map(|k| (20 - k) as f64 / (k + 1) as f64).product()).collect();
    let all: f64 = binomial.iter().sum();
    for (count, b) in counts.iter().zip(&binomial) {
        let expected = 19_999.0 * b / all;
        assert!((count - expected).abs() <= 5.0 * (expected + 1.0).sqrt(), "{counts:?}");
    }
}

#[test]
fn exhaustive_and_given_masks() {
    let masks = draw(&Exhaustive, 5, 1, 0..32, 0);
    let mut seen: Vec<u32> = words(&masks).to_vec();
    assert_eq!(seen[0], 31);
    seen.sort_unstable();
    assert_eq!(seen, (0..32).collect::<Vec<_>>());
    assert!(Exhaustive.total(21, 1).is_err());
    let given = GivenMasks::new(2, 3, &[1, 1, 1, 0, 1, 0]).unwrap();
    assert_eq!(words(&draw(&given, 3, 99, 0..2, 0)), &[7, 2]);
    assert!(given.perturb(&Cpu::new(), &Draw::whole(&[4], 2, 0)).is_err());
    assert!(LimeText.perturb(&Cpu::new(), &Draw::whole(&[4], 2, 1 << 32)).is_err());
}

/// The size and the subset, read off the specification one draw after another.
fn by_the_book(features: usize, seed: u64, row: usize) -> Vec<bool> {
    let mut draws = Draws::new(seed, row as u32, 0, Purpose::Masks);
    let removed = 1 + draws.below(0, features as u32) as usize;
    let k = removed.min(features - removed);
    let mut taken = Vec::new();
    for (m, j) in (features - k..features).enumerate() {
        let t = draws.below(1 + m as u32, j as u32 + 1) as usize;
        taken.push(if taken.contains(&t) { j } else { t });
    }
    (0..features).map(|j| taken.contains(&j) != (removed <= features - removed)).collect()
}

proptest! {
    #[test]
    fn uniform_size_is_by_the_book(features in 1usize..100, seed: u64, row in 1usize..10_000) {
        let masks = draw(&UniformSize::default(), features, row + 1, row..row + 1, seed);
        let expected = by_the_book(features, seed, row);
        prop_assert!((0..features).all(|j| masks.keeps(0, j) == expected[j]));
    }
}

/// Masks of four features occur as often as their laws say.
#[test]
fn laws_know_the_probability_of_a_mask() {
    let near = Some(Angle::new(0.8).unwrap());
    let mut few = Bernoulli::new(0.6).unwrap();
    few.within = near;
    let laws: [Box<dyn Perturber<Cpu>>; 5] = [
        Box::new(UniformSize::default()),
        Box::new(UniformSize { within: near }),
        Box::new(Antithetic),
        Box::new(Bernoulli::new(0.6).unwrap()),
        Box::new(few),
    ];
    for law in laws {
        let (name, rows) = (law.describe()[0].value.clone(), 40_001);
        let masks = draw(law.as_ref(), 4, rows, 0..rows, 3);
        let mut counts = [0u32; 16];
        (1..rows).for_each(|i| counts[masks.row(i)[0] as usize] += 1);
        for (mask, &count) in (0u32..).zip(&counts) {
            let p = law.probability(mask.count_ones() as usize, 4).unwrap();
            // Six standard errors; complements come together, which doubles the variance at most.
            let off = 6.0 * (2.0 * p / rows as f64).sqrt();
            let share = f64::from(count) / (rows - 1) as f64;
            assert!((share - p).abs() <= off, "{name}: mask {mask:04b} {share} {p}");
        }
    }
}
