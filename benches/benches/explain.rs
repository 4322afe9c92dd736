//! A whole explanation with a model that costs nothing: perturb, weigh, select, fit and evaluate, and what lies between.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, Prepared, SIZES, name};
use lipex_core::Explainer;
use lipex_cpu::Cpu;

fn explain(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES.into_iter().chain(AXES) {
        let prepared = Prepared::new(&on, size).unwrap();
        let explainer = Explainer::lipex(on.clone()).samples(size.0).unwrap().batch_size(1000).unwrap();
        let run = || explainer.explain(&prepared, &prepared).unwrap();
        assert!(run().fidelity.out_of_fold.is_some_and(|unseen| unseen.arg_max > 0.5));
        c.bench_function(&format!("explain {}", name(size)), |b| b.iter(run));
    }
}

criterion_group!(benches, explain);
criterion_main!(benches);
