//! The surrogate's objective against the best that SciPy's L-BFGS-B finds from several starts.

#[path = "common/optimum.rs"]
mod optimum;
#[path = "common/problem.rs"]
mod problem;

use lipex_core::{Intercept, LambdaScale, Problem, Selection, Softmax, Surrogate, by_name};
use lipex_cpu::Cpu;
use optimum::fits;

#[test]
fn objectives_are_within_a_millionth_of_the_best_known() {
    let mut late = Vec::new();
    for fit in fits() {
        let around = fit.problem.neighbourhood();
        let selection = Selection::shared(fit.problem.classes, (0..fit.problem.features).collect());
        let counts = fit.multiplicities();
        let intercept = if fit.intercept { Intercept::Fitted } else { Intercept::None };
        let softmax = Softmax::default()
            .erased_divergence(by_name(&fit.divergence).unwrap())
            .lambda_scale(LambdaScale::Raw)
            .lambda(fit.lambda)
            .unwrap()
            .intercept(intercept);
        let mut problem = Problem::new(&around, &selection);
        problem.multiplicities = counts.as_deref();
        let report = softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0).report;
        let excess = (report.objective - fit.objective) / fit.objective;
        println!("{:48} {excess:9.1e} in {:3} evaluations, {}", fit.name, report.evaluations, report.stopped);
        assert!(excess > -1e-9, "{}: below the optimum, so another objective was minimised", fit.name);
        if excess > 1e-6 || !report.converged {
            late.push(format!("{}: {excess:e}, {}", fit.name, report.stopped));
        }
    }
    assert!(late.is_empty(), "too far from the optimum:\n{}", late.join("\n"));
}
