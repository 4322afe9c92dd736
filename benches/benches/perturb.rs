//! Perturb: drawing masks.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{AXES, SIZES, masks, name};
use lipex_cpu::Cpu;

fn perturb(c: &mut Criterion) {
    let on = Cpu::new();
    for size in SIZES.into_iter().chain(AXES) {
        assert_eq!(masks(&on, size.0, size.1).unwrap().rows(), size.0);
        c.bench_function(&format!("perturb {}", name(size)), |b| b.iter(|| masks(&on, size.0, size.1).unwrap()));
    }
}

criterion_group!(benches, perturb);
criterion_main!(benches);
