//! Games whose answer is known: softmax(c − Σ A_j r_j + Σ V_ab r_a r_b), r what is removed.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{Exponential, Masks, Neighbourhood, Probabilities, Selection, Weights, softmax_in_place};
use lipex_cpu::Cpu;

/// A game with draws of its masks.
pub struct Game {
    pub classes: usize,
    pub features: usize,
    /// A, C×D, centred over classes.
    pub weights: Vec<Vec<f64>>,
    /// Pairs with their coefficients over classes, centred.
    pub pairs: Vec<([usize; 2], Vec<f64>)>,
    /// c, which is ln P₀ but for a constant.
    pub base: Vec<f64>,
}

impl Game {
    /// A game with so many pairs of neighbours, and coefficients up to 3/√D and 1.5.
    pub fn new(features: usize, classes: usize, pairs: usize, seed: u64) -> Self {
        let mut draws = Draws::new(seed, u32::MAX, 0, Purpose::Starts);
        let mut at = 0;
        let mut column = |scale: f64| -> Vec<f64> {
            let values: Vec<f64> = (0..classes)
                .map(|_| {
                    at += 1;
                    scale * (draws.unit(at) * 2.0 - 1.0)
                })
                .collect();
            let mean = values.iter().sum::<f64>() / classes as f64;
            values.into_iter().map(|v| v - mean).collect()
        };
        let columns: Vec<Vec<f64>> = (0..features).map(|_| column(3.0 / (features as f64).sqrt())).collect();
        let base = column(1.0);
        let pairs = (0..pairs).map(|k| ([2 * k % (features - 1), 2 * k % (features - 1) + 1], column(1.5))).collect();
        let weights = (0..classes).map(|c| columns.iter().map(|column| column[c]).collect()).collect();
        Game { classes, features, weights, pairs, base }
    }

    /// The answer to a mask.
    pub fn answer(&self, keeps: &[bool]) -> Vec<f64> {
        let mut q = self.base.clone();
        for (c, q) in q.iter_mut().enumerate() {
            *q -= self.weights[c].iter().zip(keeps).filter(|(_, k)| !**k).map(|(a, _)| a).sum::<f64>();
            *q += self.pairs.iter().filter(|([a, b], _)| !keeps[*a] && !keeps[*b]).map(|(_, v)| v[c]).sum::<f64>();
        }
        softmax_in_place(&mut q);
        q
    }

    /// Draws of fair coins, row 0 the instance, each of weight 1.
    pub fn coins(&self, rows: usize, seed: u64) -> Neighbourhood<Cpu> {
        let keep = |i: usize| -> Vec<bool> {
            let mut row = Draws::new(seed, i as u32, 0, Purpose::Masks);
            (0..self.features).map(|j| i == 0 || row.draw(j as u32) >> 31 == 1).collect()
        };
        self.around((0..rows).map(keep).collect(), |_| 1.0)
    }

    /// Masks of uniform size, row 0 the instance, weighed exponentially.
    pub fn uniform(&self, rows: usize, seed: u64) -> Neighbourhood<Cpu> {
        let keep = |i: usize| -> Vec<bool> {
            let mut row = Draws::new(seed, i as u32, 0, Purpose::Masks);
            let removed = if i == 0 { 0 } else { 1 + row.below(0, self.features as u32) as usize };
            let mut order: Vec<usize> = (0..self.features).collect();
            order.sort_by_key(|&j| row.draw(1 + j as u32));
            (0..self.features).map(|j| !order[..removed].contains(&j)).collect()
        };
        let table = Exponential::default().table(self.features);
        self.around((0..rows).map(keep).collect(), |kept| table.values()[kept] as f32)
    }

    /// The neighbourhood of these masks.
    pub fn around(&self, keeps: Vec<Vec<bool>>, weight: impl Fn(usize) -> f32) -> Neighbourhood<Cpu> {
        let (on, rows, words) = (Cpu::new(), keeps.len(), self.features.div_ceil(32));
        let (mut bits, mut p, mut weights) = (vec![0u32; rows * words], Vec::new(), Vec::new());
        for (i, keeps) in keeps.iter().enumerate() {
            keeps.iter().enumerate().filter(|(_, k)| **k).for_each(|(j, _)| bits[i * words + j / 32] |= 1 << (j % 32));
            p.extend(self.answer(keeps).into_iter().map(|v| v as f32));
            weights.push(weight(keeps.iter().filter(|k| **k).count()));
        }
        let masks = Masks::new(&on, rows, self.features, bits).unwrap();
        let probabilities = Probabilities::new(&on, rows, self.classes, p).unwrap();
        Neighbourhood::new(&on, masks, probabilities, Weights::new(weights)).unwrap()
    }

    /// Every feature.
    pub fn all(&self) -> Selection {
        Selection::shared(self.classes, (0..self.features).collect())
    }
}

/// The furthest of two matrices.
pub fn furthest(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
