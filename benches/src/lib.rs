//! Random neighbourhoods for the benches. A bench is named after the stage that it times.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    BlackBox, Draw, Exponential, Feature, Instance, Masks, Neighbourhood, Perturber, Probabilities, Proximity, Render,
    Result, UniformSize, softmax_in_place,
};
use lipex_cpu::Cpu;
use std::ops::Range;

/// Sizes that are timed: (N, D, C) of a short text with few classes and of a long one with many.
pub const SIZES: [(usize, usize, usize); 2] = [(1000, 44, 6), (1000, 441, 20)];

/// Sizes that are timed one axis at a time around (1000, 67, 20).
pub const AXES: [(usize, usize, usize); 10] = [
    (1000, 67, 20),
    (100, 67, 20),
    (10_000, 67, 20),
    (100_000, 67, 20),
    (1000, 15, 20),
    (1000, 441, 20),
    (1000, 5000, 20),
    (1000, 67, 2),
    (1000, 67, 200),
    (1000, 67, 1000),
];

/// A size as bench names have it.
pub fn name((rows, features, classes): (usize, usize, usize)) -> String {
    format!("N={rows} D={features} C={classes}")
}

/// N masks of D features by the default sampler.
///
/// # Errors
/// Those of the sampler.
pub fn masks(on: &Cpu, rows: usize, features: usize) -> Result<Masks<Cpu>> {
    let sample = UniformSize::default().perturb(on, &Draw::whole(&[features], rows, 0))?;
    Ok(sample.into_iter().next().expect("one instance, one sample").masks)
}

/// A neighbourhood of the default proximity: a softmax of features, half of them with a tenth of the weight, and noise in
/// the logits. It is the law of `problem` in benches/peers/peers.py.
///
/// # Errors
/// Those of the stages.
pub fn neighbourhood(on: &Cpu, (rows, features, classes): (usize, usize, usize)) -> Result<Neighbourhood<Cpu>> {
    let masks = masks(on, rows, features)?;
    let scale = 0.5 * (67.0 / features as f64).sqrt();
    let weak = |j: usize| Draws::new(1, j as u32, 0, Purpose::Starts).unit(0) < 0.5;
    let row = |stream, i: usize, scale: f64| -> Vec<f64> {
        let draws = Draws::new(1, i as u32, stream, Purpose::Starts);
        (0..classes).map(|c| scale * normal(draws.clone(), c as u32)).collect()
    };
    let weights: Vec<Vec<f64>> = (0..features).map(|j| row(1, j, if weak(j) { 0.1 * scale } else { scale })).collect();
    let base = row(2, 0, 1.0);
    let mut values = Vec::with_capacity(rows * classes);
    for i in 0..rows {
        let mut logits = row(3, i, 0.3);
        let kept = (0..features).filter(|&j| masks.keeps(i, j)).map(|j| &weights[j]);
        kept.chain([&base]).for_each(|terms| logits.iter_mut().zip(terms).for_each(|(l, a)| *l += a));
        softmax_in_place(&mut logits);
        values.extend(logits.into_iter().map(|p| p as f32));
    }
    let probabilities = Probabilities::new(on, rows, classes, values)?;
    let masks = [masks];
    let weights = Exponential::default().weigh(on, &masks)?.into_iter().next().expect("one instance, one vector");
    let [masks] = masks;
    Neighbourhood::new(on, masks, probabilities, weights)
}

/// A normal number by Box and Muller.
fn normal(mut draws: Draws, index: u32) -> f64 {
    let (radius, angle) = (1.0 - draws.unit(2 * index), draws.unit(2 * index + 1));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

/// An instance and a model in one that cost nothing: an input is the number of its mask, an answer is looked up.
pub struct Prepared {
    features: Vec<Feature>,
    labels: Vec<String>,
    answers: Vec<f32>,
}

impl Prepared {
    /// With the answers of [`neighbourhood`], which belong to the default sampler's masks of seed 0.
    ///
    /// # Errors
    /// Those of the stages.
    pub fn new(on: &Cpu, size: (usize, usize, usize)) -> Result<Self> {
        let feature = |j: usize| Feature { name: j.to_string(), spans: Vec::new(), region: None };
        Ok(Prepared {
            features: (0..size.1).map(feature).collect(),
            labels: (0..size.2).map(|c| c.to_string()).collect(),
            answers: neighbourhood(on, size)?.probabilities.values().clone(),
        })
    }
}

impl Instance for Prepared {
    fn features(&self) -> &[Feature] {
        &self.features
    }
}

impl Render<Cpu, Range<usize>> for Prepared {
    fn render(&self, _: &Cpu, _: &Masks<Cpu>, rows: Range<usize>) -> Result<Range<usize>> {
        Ok(rows)
    }
}

impl BlackBox<Cpu, Range<usize>> for Prepared {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.labels)
    }

    fn predict(&self, on: &Cpu, rows: &Range<usize>) -> Result<Probabilities<Cpu>> {
        let classes = self.labels.len();
        // Past its masks a run asks for the instance once more.
        let known = self.answers.len();
        let mut values = Vec::with_capacity(rows.len() * classes);
        values.extend_from_slice(&self.answers[(rows.start * classes).min(known)..(rows.end * classes).min(known)]);
        while values.len() < rows.len() * classes {
            values.extend_from_slice(&self.answers[..classes]);
        }
        Probabilities::new(on, rows.len(), classes, values)
    }
}
