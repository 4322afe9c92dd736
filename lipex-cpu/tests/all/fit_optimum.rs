//! The softmax fit against the best objective that SciPy's L-BFGS-B finds from several starts.

use crate::common::optimum;

use lipex_core::{Intercept, LambdaScale, Problem, Selection, Softmax, Surrogate, by_name};
use lipex_cpu::Cpu;
use optimum::fits;

#[test]
fn objectives_are_within_a_millionth_of_the_best() {
    let mut worst: f64 = 0.0;
    for fit in fits() {
        let around = fit.problem.neighbourhood();
        let selection = Selection::shared(fit.problem.classes, (0..fit.problem.features).collect());
        let multiplicities = fit.multiplicities();
        let softmax = Softmax::default()
            .erased_divergence(by_name(&fit.divergence).unwrap())
            .lambda_scale(LambdaScale::Raw)
            .lambda(fit.lambda)
            .unwrap()
            .intercept(if fit.intercept { Intercept::Fitted } else { Intercept::None });
        let problem = Problem { multiplicities: multiplicities.as_deref(), ..Problem::new(&around, &selection) };
        let fitted = softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0);
        let excess = fitted.report.objective / fit.objective - 1.0;
        worst = worst.max(excess);
        println!("{}: {excess:+.1e} in {} evaluations, {}", fit.name, fitted.report.evaluations, fitted.report.stopped);
        assert!(excess < 1e-6, "{}: {} against SciPy's {}", fit.name, fitted.report.objective, fit.objective);
        assert!(fitted.report.converged, "{}: {}", fit.name, fitted.report.stopped);
    }
    println!("worst: {worst:+.1e}");
}
