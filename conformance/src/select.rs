//! Selections: the CPU's picks.

use crate::problem::{Case, Made, cases, made};
use lipex_core::{
    Backend, Forward, HighestWeights, LassoPath, Problem, Ridge, Selection, Selector, Support, Surrogate,
};
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

/// Passes if no class's coefficient of a feature left out is larger than one of a pick by more than 10⁻⁶ of the largest.
///
/// Coefficients are those of the CPU's ridge of all features. Of two rows, say, all features that tell them apart have one
/// coefficient, and which of them are picked is rounding.
fn picks_are_highest<B: Backend>(on: &B, problem: &Made, k: usize)
where
    HighestWeights: Selector<B>,
{
    let Case { features, classes, .. } = problem.case;
    let (cpu, all) = (Cpu::new(), Selection::shared(classes, (0..features).collect()));
    let ridge = Ridge::default().alpha(0.01).unwrap().support(Support::Union);
    let fitted = Surrogate::<Cpu>::fit(&ridge, &cpu, &[Problem::new(&problem.on(&cpu), &all)]).unwrap().remove(0);
    let got = picks::<B>(on, &HighestWeights::new(k).unwrap(), &[problem]).remove(0);
    assert_eq!(got.per_class.len(), classes);
    for (picks, row) in got.per_class.iter().zip(fitted.shares().matrix()) {
        let mut different = picks.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!((picks.len(), different.len()), (k.min(features), k.min(features)), "at {:?}", problem.case);
        let size = |j: usize| row[j].abs();
        let least = picks.iter().map(|&j| size(j)).fold(f64::INFINITY, f64::min);
        let left = (0..features).filter(|j| !picks.contains(j)).map(size).fold(0.0, f64::max);
        let largest = (0..features).map(size).fold(0.0, f64::max);
        assert!(left <= least + 1e-6 * largest, "at {:?}: {left} is left, {least} picked", problem.case);
    }
}

/// Highest weights over all sizes but the largest, whose least squares are 441 columns for 20 classes.
pub fn highest_weights_are_picked<B: Backend>(on: &B)
where
    HighestWeights: Selector<B>,
{
    for case in cases().into_iter().filter(|case| case.kept < 100) {
        picks_are_highest(on, &made(case, 5), 7);
    }
}

/// Forward selection, exclusive or not, over all sizes in one batch and alone; the lasso path.
pub fn picks_equal_the_cpu<B: Backend>(on: &B)
where
    Forward: Selector<B>,
    LassoPath: Selector<B>,
{
    let problems: Vec<Made> = cases().into_iter().map(|c| made(c, 5)).collect();
    let all: Vec<&Made> = problems.iter().collect();
    compare(on, &Forward::default(), &all);
    compare(on, &Forward::new(1).unwrap(), &all[..3]);
    for problem in &problems[2..7] {
        compare(on, &Forward::new(8).unwrap(), &[problem]);
        compare(on, &Forward::exclusive(3).unwrap(), &[problem]);
    }
    compare(on, &LassoPath::new(4).unwrap(), &all[2..4]);
    // Nothing changes: features are filled up by lowest index.
    let mut constant = made(Case { features: 9, rows: 60, classes: 3, kept: 9 }, 1);
    constant.p = [0.5f32, 0.25, 0.25].repeat(60);
    compare(on, &Forward::new(4).unwrap(), &[&constant]);
}
