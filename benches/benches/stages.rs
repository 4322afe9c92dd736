//! Perturb, weigh, select and fit together: all that an explanation costs beside rendering, the model and its fidelity.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{SIZES, masks, name, neighbourhood};
use lipex_core::{
    Exponential, Forward, Neighbourhood, Probabilities, Problem, Proximity, Selector, Softmax, Surrogate,
};
use lipex_cpu::Cpu;

fn stages(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES {
        let answers = neighbourhood(&on, size).unwrap().probabilities;
        let softmax = Softmax::default().lambda(1e-3).unwrap();
        let run = || {
            let masks = masks(&on, size.0, size.1).unwrap();
            let answers = Probabilities::new(&on, size.0, size.2, answers.values().clone()).unwrap();
            let masks = [masks];
            let weights = Exponential::default().weigh(&on, &masks).unwrap().remove(0);
            let [masks] = masks;
            let around = [Neighbourhood::new(&on, masks, answers, weights).unwrap()];
            let selection = Forward::default().select(&on, &around).unwrap().remove(0);
            softmax.fit(&on, &[Problem::new(&around[0], &selection)]).unwrap().remove(0)
        };
        assert!(run().report.converged);
        c.bench_function(&format!("stages λ=1e-3 {}", name(size)), |b| b.iter(run));
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
