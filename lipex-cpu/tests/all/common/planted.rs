//! Planted problems: a black box that is known, so that the optimum over *all* masks of a law is known too.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Antithetic, Backend, Bernoulli, Draw, Exponential, Masks, Neighbourhood, Perturber, Probabilities, Selection,
    UniformSize, Weights, softmax_in_place,
};
use lipex_cpu::Cpu;

/// D: few enough that every mask can be listed.
pub const FEATURES: usize = 11;
/// C.
pub const CLASSES: usize = 4;

/// A law of masks, with the probability that a row removes r given features.
pub struct Law {
    pub name: &'static str,
    pub sampler: Box<dyn Perturber<Cpu>>,
    pub chance: fn(usize) -> f64,
}

fn choose(r: usize) -> f64 {
    (0..r).map(|i| (FEATURES - i) as f64 / (i + 1) as f64).product()
}

fn uniform(r: usize, least: usize, most: usize) -> f64 {
    if (least..=most).contains(&r) { 1.0 / (most - least + 1) as f64 / choose(r) } else { 0.0 }
}

/// The laws that are tried.
pub fn laws() -> Vec<Law> {
    let angle = lipex_core::Angle::new(0.7).unwrap();
    assert_eq!(angle.most_removed(FEATURES), 4);
    let within = UniformSize { within: Some(angle) };
    vec![
        Law { name: "uniform size", sampler: Box::new(UniformSize::default()), chance: |r| uniform(r, 1, FEATURES) },
        Law { name: "antithetic", sampler: Box::new(Antithetic), chance: |r| uniform(r, 1, FEATURES - 1) },
        Law { name: "bernoulli", sampler: Box::new(Bernoulli::default()), chance: |_| 0.5f64.powi(FEATURES as i32) },
        // Drawn so that a mean with the weights is the mean under uniform size with the proximity.
        Law {
            name: "weight-proportional",
            sampler: Box::new(lipex_core::perturb::WeightProportional),
            chance: |r| uniform(r, 1, FEATURES),
        },
        Law { name: "within angle", sampler: Box::new(within), chance: |r| uniform(r, 1, 4) },
    ]
}

/// The black box: a linear map and products of neighbouring features, which no surrogate can follow exactly.
pub fn answer(problem: u64, mask: u32) -> Vec<f64> {
    let keeps = |j: usize| f64::from(mask >> (j % FEATURES) & 1);
    let score = |c: usize| {
        let mut draws = Draws::new(problem, c as u32, 0, Purpose::Starts);
        let mut size = |i: usize| 2.0 * draws.unit(i as u32) - 1.0;
        let linear: f64 = (0..FEATURES).map(|j| 1.5 * size(j) * keeps(j)).sum();
        let pairs: f64 = (0..FEATURES).map(|j| 1.2 * size(FEATURES + j) * keeps(j) * keeps(j + 1)).sum();
        linear + pairs
    };
    let mut q: Vec<f64> = (0..CLASSES).map(score).collect();
    softmax_in_place(&mut q);
    q
}

fn neighbourhood(problem: u64, bits: Vec<u32>, weights: Vec<f32>) -> Neighbourhood<Cpu> {
    let (on, rows) = (Cpu::new(), bits.len());
    let p = bits.iter().flat_map(|&z| answer(problem, z)).map(|p| p as f32).collect();
    let p = Probabilities::new(&on, rows, CLASSES, p).unwrap();
    Neighbourhood::new(&on, Masks::new(&on, rows, FEATURES, bits).unwrap(), p, Weights::new(weights)).unwrap()
}

/// N masks of a seed, by a law, weighed exponentially.
pub fn sample(problem: u64, law: &Law, rows: usize, seed: u64) -> Neighbourhood<Cpu> {
    let table = Exponential::default().table(FEATURES);
    let drawn =
        law.sampler.perturb_by(&Cpu::new(), &Draw::whole(&[FEATURES], rows, seed), std::slice::from_ref(&table));
    let drawn = drawn.unwrap().remove(0);
    let weight = |z: &u32| table.values()[z.count_ones() as usize] as f32;
    let bits = drawn.masks.bits().clone();
    let weights = drawn.weights.map_or_else(|| bits.iter().map(weight).collect(), |w| w.values().clone());
    neighbourhood(problem, bits, weights).drawn(drawn.dependence)
}

/// Every mask, weighed so that a fit minimises the *expected* objective of a run of N masks by the law.
pub fn expected(problem: u64, law: &Law, rows: usize) -> Neighbourhood<Cpu> {
    let table = Exponential::default().table(FEATURES);
    let all = (1u32 << FEATURES) - 1;
    let bits: Vec<u32> = std::iter::once(all).chain(0..=all).collect();
    let scale = bits.len() as f64 / rows as f64;
    let weight = |(i, z): (usize, &u32)| {
        let kept = z.count_ones() as usize;
        let times = if i == 0 { 1.0 } else { (rows - 1) as f64 * (law.chance)(FEATURES - kept) };
        (scale * times * table.values()[kept]) as f32
    };
    let weights = bits.iter().enumerate().map(weight).collect();
    neighbourhood(problem, bits, weights)
}

/// The features that every fit keeps: too few, so that there is misfit.
pub fn kept() -> Selection {
    Selection::shared(CLASSES, vec![0, 1, 3, 4, 6, 8, 10])
}

/// The rows of `index`, in that order.
pub fn rows(around: &Neighbourhood<Cpu>, index: &[u32]) -> Neighbourhood<Cpu> {
    let on = Cpu::new();
    let masks = on.gather(around.masks.bits(), around.masks.words(), index).unwrap();
    let p = on.gather(around.probabilities.values(), CLASSES, index).unwrap();
    let weights = Weights::new(on.gather(around.weights.values(), 1, index).unwrap());
    let masks = Masks::new(&on, index.len(), FEATURES, masks).unwrap();
    Neighbourhood::new(&on, masks, Probabilities::new(&on, index.len(), CLASSES, p).unwrap(), weights).unwrap()
}
