//! Fit: the softmax surrogate on the features that forward selection keeps, and the ridge.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, SIZES, name, neighbourhood};
use lipex_core::{Forward, Intercept, Kl, Problem, Ridge, Selector, Softmax, Surrogate};
use lipex_cpu::Cpu;

fn fit(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES {
        let around = [neighbourhood(&on, size).unwrap()];
        let selection = Forward::default().select(&on, &around).unwrap().remove(0);
        let problem = || [Problem::new(&around[0], &selection)];
        let plain = Softmax::default().lambda(1e-3).unwrap().intercept(Intercept::None);
        let surrogates: [(&str, Box<dyn Surrogate<Cpu>>); 5] = [
            ("hellinger λ=1e-4", Box::new(Softmax::default())),
            ("hellinger λ=1e-3 no intercept", Box::new(plain.clone())),
            ("hellinger λ=1e-6", Box::new(Softmax::default().lambda(1e-6).unwrap())),
            ("kl λ=1e-3 no intercept", Box::new(plain.divergence(Kl))),
            ("ridge", Box::new(Ridge::default())),
        ];
        for (kind, surrogate) in surrogates {
            assert!(surrogate.fit(&on, &problem()).unwrap()[0].report.converged);
            let name = format!("fit {kind} {} F={}", name(size), selection.kept.len());
            c.bench_function(&name, |b| b.iter(|| surrogate.fit(&on, &problem()).unwrap()));
        }
    }
    for size in AXES {
        let around = [neighbourhood(&on, size).unwrap()];
        let selection = Forward::default().select(&on, &around).unwrap().remove(0);
        let problem = [Problem::new(&around[0], &selection)];
        let softmax = Softmax::default();
        assert!(softmax.fit(&on, &problem).unwrap()[0].report.converged);
        let name = format!("fit axes {} F={}", name(size), selection.kept.len());
        c.bench_function(&name, |b| b.iter(|| softmax.fit(&on, &problem).unwrap()));
    }
}

criterion_group!(benches, fit);
criterion_main!(benches);
