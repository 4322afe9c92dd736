//! Weigh: proximity weights.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, SIZES, masks, name};
use lipex_core::{Exponential, Proximity};
use lipex_cpu::Cpu;

fn weigh(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES.into_iter().chain(AXES) {
        let masks = [masks(&on, size.0, size.1).unwrap()];
        assert_eq!(Exponential::default().weigh(&on, &masks).unwrap()[0].values()[0], 1.0);
        c.bench_function(&format!("weigh {}", name(size)), |b| {
            b.iter(|| Exponential::default().weigh(&on, &masks).unwrap())
        });
    }
}

criterion_group!(benches, weigh);
criterion_main!(benches);
