//! Samplers at the ends of what they can be asked: an error or a right answer, never a panic and never a wrong row.

use lipex_core::perturb::Filtered;
use lipex_core::{
    Angle, Antithetic, Bernoulli, Draw, Error, Exhaustive, GivenMasks, LimeImage, LimeText, Perturber, Sample,
    UniformSize,
};
use lipex_cpu::Cpu;
use std::ops::Range;

fn laws() -> Vec<Box<dyn Perturber<Cpu>>> {
    let within = Angle::new(0.5).unwrap();
    vec![
        Box::new(UniformSize::default()),
        Box::new(Antithetic),
        Box::new(Bernoulli::default()),
        Box::new(Exhaustive),
        Box::new(LimeText),
        Box::new(LimeImage),
        Box::new(GivenMasks::new(2, 1, &[1, 0]).unwrap()),
        Box::new(Filtered { law: UniformSize::default(), within }),
    ]
}

fn draw(law: &dyn Perturber<Cpu>, features: usize, rows: Range<usize>) -> Result<Sample<Cpu>, Error> {
    let total = law.total(features, rows.end)?;
    Ok(law.perturb(&Cpu::new(), &Draw { features: &[features], total, rows, seed: 0 })?.remove(0))
}

#[test]
fn rows_that_run_backwards_are_refused() {
    for law in laws() {
        #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
        let refused = draw(law.as_ref(), 1, 2..1).err().map(|e| e.to_string());
        assert!(refused.is_some_and(|e| e.starts_with("rows = 2..1")), "{:?}", law.describe());
    }
}

#[test]
fn rows_and_features_beyond_their_counters_are_refused() {
    // Row 2³² would be row 0 again.
    for law in [&UniformSize::default() as &dyn Perturber<Cpu>, &Antithetic, &Bernoulli::default()] {
        let last = (1 << 32) - 1;
        assert_eq!(draw(law, 8, last..last + 1).unwrap().masks.rows(), 1);
        assert!(draw(law, 8, last..last + 2).is_err(), "{:?}", law.describe());
        assert!(draw(law, (1 << 31) + 1, 0..1).is_err(), "{:?}", law.describe());
    }
    assert!(GivenMasks::new(usize::MAX, 2, &[1, 1]).is_err());
}

#[test]
fn one_feature_and_none() {
    for law in laws() {
        let given = law.describe()[0].value == "given";
        let one = draw(law.as_ref(), 1, 0..2).unwrap().masks;
        assert_eq!((one.features(), one.rows(), one.count(0)), (1, 2, 1), "{:?}", law.describe());
        let none = draw(law.as_ref(), 0, 0..1);
        assert!(if given { none.is_err() } else { none.unwrap().masks.rows() == 1 }, "{:?}", law.describe());
    }
}

#[test]
fn extreme_probabilities_within_an_angle() {
    for (keep, expected) in [(1e-300, 10), (1e-18, 10), (1.0 - 1e-16, 0)] {
        let mut law = Bernoulli::new(keep).unwrap();
        law.within = Some(Angle::new(std::f64::consts::FRAC_PI_4).unwrap());
        let masks = draw(&law, 20, 0..50).unwrap().masks;
        // All but certain to remove as many as may be, or none.
        assert!((1..50).all(|i| 20 - masks.count(i) == expected), "keep {keep}");
    }
}
