//! Ridge surrogates: the CPU's coefficients.

use crate::problem::{Made, cases, made};
use lipex_core::{Backend, Fitted, Forward, Problem, Ridge, Selection, Selector, Support, Surrogate};
use lipex_cpu::Cpu;

/// The CPU's fit. Not generic, since a bound on the backend would hide what the CPU implements.
fn fitted(ridge: &Ridge, problem: Problem<'_, Cpu>) -> Fitted {
    ridge.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

fn compare<B: Backend>(on: &B, problem: &Made, selection: &Selection, times: Option<&[u32]>)
where
    Ridge: Surrogate<B>,
{
    let cpu = Cpu::new();
    let (expected, own) = (problem.on(&cpu), problem.on(on));
    for support in [Support::Own, Support::Union] {
        let ridge = Ridge::default().support(support);
        let e = fitted(&ridge, Problem { multiplicities: times, ..Problem::new(&expected, selection) });
        let g = ridge.fit(on, &[Problem { multiplicities: times, ..Problem::new(&own, selection) }]).unwrap().remove(0);
        assert_eq!(
            (&g.kept(), &g.linear().unwrap().support(), g.answer.link()),
            (&e.kept(), &e.linear().unwrap().support(), e.answer.link())
        );
        let numbers = |f: &Fitted| {
            f.shares().matrix().iter().flatten().chain(&f.linear().unwrap().intercept()).copied().collect::<Vec<_>>()
        };
        for (a, b) in numbers(&e).iter().zip(numbers(&g)) {
            assert!((a - b).abs() < 1e-8, "{a} {b} at {:?} {support:?}", problem.case);
        }
        let scale = e.report.objective.abs().max(1e-3);
        assert!((g.report.objective - e.report.objective).abs() <= 1e-8 * scale, "{:?} {:?}", g.report, e.report);
        assert!(g.report.gradient_norm < 1e-9 && g.report.converged);
    }
}

/// Ridges on each class's own picks and on their union, with and without multiplicities.
pub fn ridges_equal_the_cpu<B: Backend>(on: &B)
where
    Ridge: Surrogate<B>,
{
    for case in cases() {
        let problem = made(case, 9);
        let selection = Forward::default().select(&Cpu::new(), &[problem.on(&Cpu::new())]).unwrap().remove(0);
        compare(on, &problem, &selection, None);
        let times: Vec<u32> = (0..case.rows as u32).map(|i| (i + 1) % 3).collect();
        compare(on, &problem, &selection, Some(&times));
    }
}
