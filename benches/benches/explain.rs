//! A whole explanation with a model that costs nothing: perturb, weigh, select, fit and evaluate, and what lies between.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, Prepared, SIZES, name};
use lipex_core::{Explainer, Intercept, Pairs};
use lipex_cpu::Cpu;

fn explain(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES.into_iter().chain(AXES) {
        let prepared = Prepared::new(&on, size).unwrap();
        // What the preset was before 2026-11-30, so that times remain comparable; what it is stands below.
        let explainer = Explainer::lipex(on.clone()).samples(size.0).batch_size(1000);
        let explainer = explainer.intercept(Intercept::Fitted).pairs(Pairs::None);
        let run = || explainer.explain(&prepared, &prepared).unwrap();
        // What is timed must explain something: guesses would agree once in C.
        let agreement = run().fidelity.as_ref().unwrap().out_of_fold.map_or(0.0, |unseen| unseen.arg_max);
        assert!(agreement > 1.5 / size.2 as f64, "{}: {agreement}", name(size));
        c.bench_function(&format!("explain {}", name(size)), |b| b.iter(run));
    }
    for size in SIZES {
        let prepared = Prepared::new(&on, size).unwrap();
        for (what, intercept, pairs) in
            [("anchored", Intercept::Anchored, Pairs::None), ("preset: pairs auto", Intercept::Auto, Pairs::Auto)]
        {
            let explainer =
                Explainer::lipex(on.clone()).samples(size.0).batch_size(1000).intercept(intercept).pairs(pairs);
            let run = || explainer.explain(&prepared, &prepared).unwrap();
            // Where a class of the answer is all but 0, the better of both is fitted.
            assert!(intercept == Intercept::Auto || run().fidelity.as_ref().unwrap().at_instance.tv < 1e-4);
            c.bench_function(&format!("explain {}, {what}", name(size)), |b| b.iter(run));
        }
    }
}

criterion_group!(benches, explain);
criterion_main!(benches);
