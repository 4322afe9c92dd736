//! Masks: bit for bit those of the CPU.

use lipex_core::{
    Angle, Antithetic, Backend, Bernoulli, Exhaustive, Filtered, GivenMasks, LimeImage, LimeText, Perturber,
    UniformSize,
};
use lipex_cpu::Cpu;

fn compare<B: Backend, L: Perturber<B> + Perturber<Cpu>>(on: &B, law: &L, features: &[usize], asked: usize) {
    let total = Perturber::<Cpu>::total(law, features[0], asked).unwrap();
    assert_eq!(Perturber::<B>::total(law, features[0], asked).unwrap(), total);
    assert_eq!(Perturber::<B>::grows(law), Perturber::<Cpu>::grows(law));
    assert_eq!(Perturber::<B>::dependence(law), Perturber::<Cpu>::dependence(law));
    let complete = |rows| {
        (Perturber::<B>::is_complete(law, features[0], rows), Perturber::<Cpu>::is_complete(law, features[0], rows))
    };
    for rows in [total, total / 2] {
        assert_eq!(complete(rows).0, complete(rows).1);
    }
    let name = &lipex_core::Describe::describe(law)[0].value;
    for rows in [0..total, total / 3..total / 2] {
        for seed in [0, 4_294_967_295] {
            let expected =
                Perturber::<Cpu>::perturb(law, &Cpu::new(), features, total, rows.clone(), seed, None).unwrap();
            let got = Perturber::<B>::perturb(law, on, features, total, rows.clone(), seed, None).unwrap();
            assert_eq!(got.len(), features.len());
            for (e, g) in expected.iter().zip(&got) {
                assert_eq!((g.masks.rows(), g.masks.features()), (e.masks.rows(), e.masks.features()));
                let bits = on.download(g.masks.bits()).unwrap();
                assert!(bits == *e.masks.bits(), "{name}, D = {}, rows {rows:?}", e.masks.features());
            }
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
    // So wide that a block draws fewer rows than a warp has threads.
    compare(on, &UniformSize::default(), &[20_000, 1], 25);
    // A seed of 64 bits, which LIME's generator does not take.
    let wide = |law: &dyn Perturber<Cpu>| law.perturb(&Cpu::new(), &[33], 50, 0..50, 1 << 40 | 7, None).unwrap();
    let got = Perturber::<B>::perturb(&UniformSize::default(), on, &[33], 50, 0..50, 1 << 40 | 7, None).unwrap();
    assert!(on.download(got[0].masks.bits()).unwrap() == *wide(&UniformSize::default())[0].masks.bits());
    for features in [1, 5, 12] {
        compare(on, &Exhaustive, &[features], 0);
    }
    assert!(Perturber::<B>::total(&Exhaustive, 21, 0).is_err());
    let given = GivenMasks::new(3, 2, &[1, 1, 0, 1, 1, 0]).unwrap();
    compare(on, &given, &[2], 0);
}
