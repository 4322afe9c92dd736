//! The fit under total variation against the best exact objective that SciPy's annealed smoothing finds.

use crate::common::problem;

use lipex_core::{Intercept, Problem, Selection, Softmax, Surrogate, TotalVariation};
use lipex_cpu::Cpu;
use serde::Deserialize;

/// As `golden/tv.py` writes it.
#[derive(Deserialize)]
struct Case {
    problem: problem::Problem,
    lambda: f64,
    intercept: bool,
    objective: f64,
}

/// How far above the best objective a fit may end, as a share of it.
const EXCESS: f64 = 1e-4;

#[test]
fn exact_objectives_are_within_a_ten_thousandth_of_the_best() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/tv.json")).unwrap();
    for case in &cases {
        let around = case.problem.neighbourhood();
        let selection = Selection::shared(case.problem.classes, (0..case.problem.features).collect());
        let softmax = Softmax::default()
            .divergence(TotalVariation)
            .lambda(case.lambda)
            .unwrap()
            .intercept(if case.intercept { Intercept::Fitted } else { Intercept::None });
        let fitted = softmax.fit(&Cpu::new(), &[Problem::new(&around, &selection)]).unwrap().remove(0);
        let excess = fitted.report.objective / case.objective - 1.0;
        println!("{:?}: {excess:+.1e} in {} evaluations", case.problem, fitted.report.evaluations);
        assert!(excess < EXCESS, "{:?}: {excess:+.1e}", case.problem);
    }
    assert!(cases.len() >= 5);
}
