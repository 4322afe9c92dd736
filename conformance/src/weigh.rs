//! Proximity weights: the CPU's within 10⁻⁶.

use crate::problem::{Case, cases, made};
use lipex_core::{Backend, CosineDistance, CosineSimilarity, Exponential, GivenWeights, Masks, Proximity};
use lipex_cpu::Cpu;

fn compare<B: Backend, P: Proximity<B> + Proximity<Cpu>>(on: &B, proximity: &P) {
    // A mask of a whole number of 16 bytes too.
    let whole = Case { features: 128, rows: 127, classes: 2, kept: 1 };
    let cases = cases().into_iter().filter(|c| c.rows > 1).chain([whole]);
    let problems: Vec<_> = cases.map(|c| made(c, 3)).collect();
    let cpu = Cpu::new();
    let expected: Vec<Masks<Cpu>> = problems.iter().map(|m| m.on(&cpu).masks).collect();
    let own: Vec<Masks<B>> = problems.iter().map(|m| m.on(on).masks).collect();
    let expected = Proximity::<Cpu>::weigh(proximity, &cpu, &expected).unwrap();
    let got = Proximity::<B>::weigh(proximity, on, &own).unwrap();
    assert_eq!(got.len(), problems.len());
    for ((e, g), problem) in expected.iter().zip(&got).zip(&problems) {
        let g = on.download(g.values()).unwrap();
        let far = e.values().iter().zip(&g).map(|(e, g)| (e - g).abs()).fold(0.0, f32::max);
        assert_eq!(e.values().len(), g.len());
        assert!(far <= 1e-6, "{}: {far} at {:?}", lipex_core::Describe::describe(proximity)[0].value, problem.case);
    }
}

/// Every proximity over a batch of all sizes; weights that are all 0 are refused.
pub fn weights_equal_the_cpu<B: Backend>(on: &B)
where
    Exponential: Proximity<B>,
    CosineSimilarity: Proximity<B>,
    CosineDistance: Proximity<B>,
    GivenWeights: Proximity<B>,
{
    compare(on, &Exponential::default());
    compare(on, &Exponential::new(0.01).unwrap());
    compare(on, &CosineSimilarity);
    compare(on, &CosineDistance);
    let alone = Masks::new(on, 1, 4, on.upload(vec![15]).unwrap()).unwrap();
    let refused = Proximity::<B>::weigh(&CosineDistance, on, &[alone]).err().map(|e| e.to_string());
    assert!(refused.as_ref().is_some_and(|e| e.contains("every weight is 0")), "{refused:?}");
    let given = GivenWeights::new(vec![0.0, 2.5]).unwrap();
    let two = || Masks::new(on, 2, 4, on.upload(vec![15, 1]).unwrap()).unwrap();
    assert_eq!(on.download(given.weigh(on, &[two()]).unwrap()[0].values()).unwrap(), [0.0, 2.5]);
    assert!(GivenWeights::new(vec![1.0]).unwrap().weigh(on, &[two()]).is_err());
}
