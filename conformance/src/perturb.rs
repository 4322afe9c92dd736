//! Masks: bit for bit those of the CPU.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Angle, Antithetic, Backend, Bernoulli, Draw, Exhaustive, Exponential, Filtered, GivenMasks, Law, LimeImage,
    LimeText, Perturber, ProximityTable, UniformSize, WeightProportional,
};
use lipex_cpu::Cpu;

fn compare<B: Backend, L: Perturber<B> + Perturber<Cpu>>(on: &B, law: &L, features: &[usize], asked: usize) {
    let total = law.total(features[0], asked).unwrap();
    let name = &lipex_core::Describe::describe(law)[0].value;
    for rows in [0..total, total / 3..total / 2] {
        for seed in [0, 4_294_967_295] {
            let draw = Draw { features, total, rows: rows.clone(), seed };
            let expected = Perturber::<Cpu>::perturb(law, &Cpu::new(), &draw).unwrap();
            let got = Perturber::<B>::perturb(law, on, &draw).unwrap();
            assert_eq!(got.len(), features.len());
            for (e, g) in expected.iter().zip(&got) {
                assert_eq!((g.masks.rows(), g.masks.features()), (e.masks.rows(), e.masks.features()));
                assert_eq!(g.dependence, e.dependence, "{name}");
                let bits = on.download(g.masks.bits()).unwrap();
                assert!(bits == *e.masks.bits(), "{name}, D = {}, rows {rows:?}", e.masks.features());
            }
        }
    }
}

/// Weight-proportional masks and their weights, whole and in part.
fn weighted<B: Backend>(on: &B, features: &[usize])
where
    WeightProportional: Perturber<B>,
{
    let law = WeightProportional;
    let tables: Vec<ProximityTable> = features.iter().map(|&d| Exponential::default().table(d)).collect();
    for rows in [0..130, 40..41] {
        let cpu: &dyn Perturber<Cpu> = &law;
        let draw = Draw { features, total: 130, rows, seed: 1 << 33 | 5 };
        let expected = cpu.perturb_by(&Cpu::new(), &draw, &tables).unwrap();
        let got = law.perturb_by(on, &draw, &tables).unwrap();
        for (e, g) in expected.iter().zip(&got) {
            assert!(on.download(g.masks.bits()).unwrap() == *e.masks.bits(), "D = {}", e.masks.features());
            let weights = g.weights.as_ref().map(|w| on.download(w.values()).unwrap());
            assert!(weights == e.weights.as_ref().map(|w| w.values().clone()), "D = {}", e.masks.features());
        }
        assert_eq!(got.len(), expected.len());
    }
    weighted_at_ends(on, features, &tables);
    let draw = Draw::whole(features, 130, 5);
    assert!(law.perturb(on, &draw).is_err());
    assert!(law.perturb_by(on, &draw, &tables[1..]).is_err());
}

/// Weight-proportional rows whose points are the ends of sizes, which belong to the next size.
fn weighted_at_ends<B: Backend>(on: &B, features: &[usize], tables: &[ProximityTable])
where
    WeightProportional: Perturber<B>,
{
    let (law, seed) = (WeightProportional, 5);
    let shift = Draws::new(seed, 0, 0, Purpose::Masks).draw(0);
    for (d, table) in features.iter().zip(tables) {
        let sizes = WeightProportional::sizes(table).unwrap();
        for end in [0, d / 2].map(|r| sizes.ends()[r]) {
            // The last end is beyond every point.
            let Ok(point) = u32::try_from(end) else { continue };
            let row = point.wrapping_sub(shift).reverse_bits() as usize;
            let (features, table) = (std::slice::from_ref(d), std::slice::from_ref(table));
            let cpu: &dyn Perturber<Cpu> = &law;
            let draw = Draw { features, total: row + 1, rows: row..row + 1, seed };
            let expected = cpu.perturb_by(&Cpu::new(), &draw, table).unwrap();
            let got = law.perturb_by(on, &draw, table).unwrap();
            let bits = on.download(got[0].masks.bits()).unwrap();
            assert!(bits == *expected[0].masks.bits(), "D = {d}, row {row} at the point {point}");
        }
    }
}

/// Every law over D at the edges of words, N at the edges of blocks, batches of 1, 3 and 17 instances of different sizes.
pub fn masks_equal_the_cpu<B: Backend>(on: &B)
where
    UniformSize: Perturber<B>,
    Antithetic: Perturber<B>,
    Bernoulli: Perturber<B>,
    Exhaustive: Perturber<B>,
    LimeText: Perturber<B>,
    LimeImage: Perturber<B>,
    GivenMasks: Perturber<B>,
    Filtered<UniformSize>: Perturber<B>,
    Filtered<Antithetic>: Perturber<B>,
    WeightProportional: Perturber<B>,
{
    let many: Vec<usize> = (0..17).map(|i| 1 + 13 * i).collect();
    for features in [&[1][..], &[31, 32, 33], &[441], &many] {
        for rows in [1, 2, 127, 1000] {
            compare(on, &UniformSize::default(), features, rows);
        }
        compare(on, &UniformSize { within: Some(Angle::new(0.5).unwrap()) }, features, 127);
        compare(on, &Antithetic, features, 128);
        for keep in [0.5, 0.3, 0.999] {
            compare(on, &Bernoulli::new(keep).unwrap(), features, 127);
        }
        let mut within = Bernoulli::default();
        within.within = Some(Angle::new(1.0).unwrap());
        compare(on, &within, features, 127);
        for angle in [0.2, 0.7] {
            let within = Angle::new(angle).unwrap();
            compare(on, &Filtered { law: UniformSize::default(), within }, features, 127);
            compare(on, &Filtered { law: Antithetic, within }, features, 20);
        }
        compare(on, &LimeText, features, 20);
        compare(on, &LimeImage, features, 20);
    }
    weighted(on, &[1, 31, 32, 33, 441]);
    weighted(on, &[20_000, 7]);
    // So wide that a block draws fewer rows than a warp has threads.
    compare(on, &UniformSize::default(), &[20_000, 1], 25);
    // A seed of 64 bits, which LIME's generator does not take.
    let draw = Draw::whole(&[33], 50, 1 << 40 | 7);
    let wide = |law: &dyn Perturber<Cpu>| law.perturb(&Cpu::new(), &draw).unwrap();
    let got = Perturber::<B>::perturb(&UniformSize::default(), on, &draw).unwrap();
    assert!(on.download(got[0].masks.bits()).unwrap() == *wide(&UniformSize::default())[0].masks.bits());
    for features in [1, 5, 12] {
        compare(on, &Exhaustive, &[features], 0);
    }
    assert!(Exhaustive.total(21, 0).is_err());
    let given = GivenMasks::new(3, 2, &[1, 1, 0, 1, 1, 0]).unwrap();
    compare(on, &given, &[2], 0);
}
