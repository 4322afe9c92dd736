//! Select: forward selection of 5 features a class, and highest weights.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, SIZES, name, neighbourhood};
use lipex_core::{Forward, HighestWeights, Selector};
use lipex_cpu::Cpu;

fn select(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES {
        let around = [neighbourhood(&on, size).unwrap()];
        let selectors: [(&str, Box<dyn Selector<Cpu>>); 2] =
            [("forward", Box::new(Forward::default())), ("highest", Box::new(HighestWeights::default()))];
        for (kind, selector) in selectors {
            assert_eq!(selector.select(&on, &around).unwrap()[0].per_class.len(), size.2);
            c.bench_function(&format!("select {kind} {}", name(size)), |b| {
                b.iter(|| selector.select(&on, &around).unwrap())
            });
        }
    }
    for size in AXES {
        let around = [neighbourhood(&on, size).unwrap()];
        let forward = Forward::default();
        assert_eq!(forward.select(&on, &around).unwrap()[0].per_class.len(), size.2);
        c.bench_function(&format!("select axes {}", name(size)), |b| b.iter(|| forward.select(&on, &around).unwrap()));
    }
}

criterion_group!(benches, select);
criterion_main!(benches);
