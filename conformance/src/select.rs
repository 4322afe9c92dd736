//! Selections: the CPU's picks.

use crate::problem::{Case, Made, cases, made};
use lipex_core::{Backend, Forward, HighestWeights, LassoPath, Selection, Selector};
use lipex_cpu::Cpu;

fn picks<B: Backend>(on: &B, selector: &dyn Selector<B>, problems: &[&Made]) -> Vec<Selection> {
    let around: Vec<_> = problems.iter().map(|m| m.on(on)).collect();
    selector.select(on, &around).unwrap()
}

fn compare<B: Backend, S: Selector<B> + Selector<Cpu>>(on: &B, selector: &S, problems: &[&Made]) {
    let expected = picks::<Cpu>(&Cpu::new(), selector, problems);
    let got = picks::<B>(on, selector, problems);
    assert_eq!(got.len(), expected.len());
    for ((e, g), problem) in expected.iter().zip(&got).zip(problems) {
        assert_eq!(g, e, "{} at {:?}", lipex_core::Describe::describe(selector)[0].value, problem.case);
    }
}

/// Forward selection, exclusive or not, and highest weights, over all sizes in one batch and alone.
pub fn picks_equal_the_cpu<B: Backend>(on: &B)
where
    Forward: Selector<B>,
    HighestWeights: Selector<B>,
    LassoPath: Selector<B>,
{
    let problems: Vec<Made> = cases().into_iter().map(|c| made(c, 5)).collect();
    let all: Vec<&Made> = problems.iter().collect();
    compare(on, &Forward::default(), &all);
    compare(on, &Forward::new(1).unwrap(), &all[..3]);
    for problem in &problems[2..7] {
        compare(on, &Forward::new(8).unwrap(), &[problem]);
        compare(on, &Forward::exclusive(3).unwrap(), &[problem]);
        // Of two rows, all features that tell them apart have one coefficient, and its rounding decides.
        if problem.case.rows > 2 {
            compare(on, &HighestWeights::new(7).unwrap(), &[problem]);
        }
    }
    compare(on, &LassoPath::new(4).unwrap(), &all[2..4]);
    // Nothing changes: features are filled up by lowest index.
    let mut constant = made(Case { features: 9, rows: 60, classes: 3, kept: 9 }, 1);
    constant.p = [0.5f32, 0.25, 0.25].repeat(60);
    compare(on, &Forward::new(4).unwrap(), &[&constant]);
}
