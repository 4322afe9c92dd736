//! Trees: the CPU's, node by node.

use crate::problem::{cases, made};
use lipex_core::{Backend, Criterion, Fitted, Problem, Surrogate, TreeSurrogate};
use lipex_cpu::Cpu;

/// The CPU's fit. Not generic, since a bound on the backend would hide what the CPU implements.
fn fitted(tree: &TreeSurrogate, problem: Problem<'_, Cpu>) -> Fitted {
    tree.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

/// Trees of both criteria, with and without multiplicities.
pub fn trees_equal_the_cpu<B: Backend>(on: &B)
where
    TreeSurrogate: Surrogate<B>,
{
    for case in cases() {
        let problem = made(case, 9);
        let (expected, own) = (problem.on(&Cpu::new()), problem.on(on));
        let times: Vec<u32> = (0..case.rows as u32).map(|i| (i + 1) % 3).collect();
        for (criterion, multiplicities) in [(Criterion::Squared, None), (Criterion::Hellinger, Some(times.as_slice()))]
        {
            let tree = TreeSurrogate::default().criterion(criterion);
            let e = fitted(&tree, Problem { multiplicities, ..Problem::new(&expected, &problem.selection) });
            let g = Problem { multiplicities, ..Problem::new(&own, &problem.selection) };
            let g = tree.fit(on, &[g]).unwrap().remove(0);
            assert_eq!(g.answer, e.answer, "{case:?} {criterion:?}");
            assert_eq!(g.report, e.report, "{case:?} {criterion:?}");
            assert!(e.answer.tree().unwrap().depth() <= 4);
        }
    }
}
