//! Evaluate: fidelity with five refits.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, SIZES, name, neighbourhood};
use lipex_core::{Evaluator, Forward, OutOfFold, Problem, Selector, Softmax, Surrogate};
use lipex_cpu::Cpu;

fn evaluate(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES.into_iter().chain(AXES) {
        let around = [neighbourhood(&on, size).unwrap()];
        let selection = Forward::default().select(&on, &around).unwrap().remove(0);
        let (problems, softmax) = ([Problem::new(&around[0], &selection)], Softmax::default());
        let fitted = softmax.fit(&on, &problems).unwrap();
        let run = || OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax).unwrap().remove(0);
        assert!(run().out_of_fold.is_some());
        c.bench_function(&format!("evaluate {}", name(size)), |b| b.iter(run));
    }
}

criterion_group!(benches, evaluate);
criterion_main!(benches);
