//! Every stage on a CUDA device: one instance, and a batch of 100. Skipped, aloud, where there is no device.

use criterion::{Criterion, criterion_group, criterion_main};
use lipex_benches::{SIZES, name, neighbourhood};
use lipex_core::{
    Backend, Draw, Evaluator, Exponential, Forward, Masks, Neighbourhood, OutOfFold, Perturber, Probabilities, Problem,
    Proximity, Selector, Softmax, Surrogate, UniformSize, Weights,
};
use lipex_cpu::Cpu;
use lipex_cuda::Cuda;

fn copied(on: &Cuda, near: &Neighbourhood<Cpu>) -> Neighbourhood<Cuda> {
    let (rows, features, classes) = (near.rows(), near.masks.features(), near.probabilities.classes());
    let masks = Masks::new(on, rows, features, on.upload(near.masks.bits().clone()).unwrap()).unwrap();
    let p = on.upload(near.probabilities.values().clone()).unwrap();
    let weights = Weights::new(on.upload(near.weights.values().clone()).unwrap());
    Neighbourhood::new(on, masks, Probabilities::new(on, rows, classes, p).unwrap(), weights).unwrap()
}

fn stages(c: &mut Criterion) {
    let on = match Cuda::new() {
        Ok(on) if !on.info().is_emulator => on,
        Ok(on) => return println!("skipped: {} is no device", on.info().name),
        Err(reason) => return println!("skipped: {reason}"),
    };
    println!("on {}", on.info().name);
    let done = || on.synchronize().unwrap();
    for size in SIZES {
        let near = neighbourhood(&Cpu::new(), size).unwrap();
        for count in [1, 100] {
            let title = |stage: &str| format!("cuda {stage} × {count} {}", name(size));
            let features = vec![size.1; count];
            c.bench_function(&title("perturb"), |b| {
                b.iter(|| {
                    UniformSize::default().perturb(&on, &Draw::whole(&features, size.0, 0)).unwrap();
                    done();
                });
            });
            let around: Vec<_> = (0..count).map(|_| copied(&on, &near)).collect();
            let masks: Vec<_> = around.iter().map(|a| copied_masks(&on, a)).collect();
            c.bench_function(&title("weigh"), |b| b.iter(|| Exponential::default().weigh(&on, &masks).unwrap()));
            c.bench_function(&title("select"), |b| b.iter(|| Forward::default().select(&on, &around).unwrap()));
            let selections = Forward::default().select(&on, &around).unwrap();
            let list: Vec<_> = around.iter().zip(&selections).map(|(a, s)| Problem::new(a, s)).collect();
            let fitted = Softmax::default().fit(&on, &list).unwrap();
            assert!(fitted.iter().all(|f| f.report.objective.is_finite()));
            c.bench_function(&title("fit"), |b| b.iter(|| Softmax::default().fit(&on, &list).unwrap()));
            let evaluate = || OutOfFold::default().evaluate(&on, &list, &fitted, &Softmax::default()).unwrap();
            c.bench_function(&title("evaluate"), |b| b.iter(evaluate));
        }
    }
}

fn copied_masks(on: &Cuda, around: &Neighbourhood<Cuda>) -> Masks<Cuda> {
    let bits = on.download(around.masks.bits()).unwrap();
    Masks::new(on, around.rows(), around.masks.features(), on.upload(bits).unwrap()).unwrap()
}

criterion_group!(benches, stages);
criterion_main!(benches);
