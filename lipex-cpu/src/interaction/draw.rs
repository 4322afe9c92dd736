//! Distinct masks of each part, and what the model says of pairs of them.

use crate::Cpu;
use lipex_core::{Bernoulli, Draw, Exhaustive, Exponential, Masks, Perturber, Result, whole_mask};
use std::collections::HashSet;
use std::ops::Range;

/// Most rows that are drawn to find distinct ones among.
const MOST_ROWS: usize = 1 << 22;

/// Distinct masks; row 0 is the instance.
pub(super) struct Drawn {
    pub features: usize,
    words: usize,
    bits: Vec<u32>,
    /// The first so many rows are fitted to.
    pub fitted: usize,
    /// Whether those are all masks there are.
    pub complete: bool,
}

impl Drawn {
    pub fn rows(&self) -> usize {
        self.bits.len() / self.words
    }

    pub fn row(&self, i: usize) -> &[u32] {
        &self.bits[i * self.words..][..self.words]
    }

    pub fn masks(&self, on: &Cpu) -> Result<Masks<Cpu>> {
        Masks::new(on, self.rows(), self.features, self.bits.clone())
    }

    /// The rows that the fit has not seen; where it has seen all masks, all of them.
    pub fn unseen(&self) -> Range<usize> {
        if self.complete { 0..self.fitted } else { self.fitted..self.rows() }
    }

    /// A weight a row.
    pub fn weights(&self, proximity: &Exponential) -> Vec<f64> {
        let table = proximity.table(self.features);
        (0..self.rows()).map(|i| table.values()[kept(self.row(i))]).collect()
    }
}

/// Bits that are set.
pub(super) fn kept(row: &[u32]) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

/// Distinct masks of so many features: all of them where there are at most `fitted`, else so many and `fresh` more, each feature kept
/// with probability ½.
///
/// They depend on the number of features and the seed alone, so that parts in the other order have the same masks.
pub(super) fn draw(on: &Cpu, features: usize, fitted: usize, fresh: usize, seed: u64) -> Result<Drawn> {
    let (words, of) = (features.div_ceil(32), [features]);
    let all = (features <= Exhaustive::MOST_FEATURES).then(|| 1usize << features);
    if let Some(all) = all.filter(|all| *all <= fitted) {
        let sample = Exhaustive.perturb(on, &Draw::whole(&of, all, seed))?.remove(0);
        return Ok(Drawn { features, words, bits: sample.masks.bits().clone(), fitted: all, complete: true });
    }
    let wanted = (fitted + fresh).min(all.unwrap_or(usize::MAX));
    let mut seen = HashSet::from([whole_mask(features)]);
    let mut bits = whole_mask(features);
    let chunk = wanted.max(64);
    for start in (0..MOST_ROWS).step_by(chunk) {
        let draw = Draw { rows: start..start + chunk, ..Draw::whole(&of, MOST_ROWS, seed) };
        let sample = Bernoulli::default().perturb(on, &draw)?.remove(0);
        for i in 0..chunk {
            let row = sample.masks.row(i);
            if seen.len() < wanted && seen.insert(row.to_vec()) {
                bits.extend(row);
            }
        }
        if seen.len() == wanted {
            break;
        }
    }
    Ok(Drawn { features, words, bits, fitted: fitted.min(seen.len()), complete: false })
}

/// What a model says of pairs of masks: one number each, or probabilities.
#[derive(Default)]
pub(super) struct Said {
    /// d₁ and d₂.
    pub sizes: [usize; 2],
    /// ⌈d₁/32⌉ words a row.
    first: Vec<u32>,
    /// ⌈d₂/32⌉ words a row.
    second: Vec<u32>,
    /// π₁·π₂, a row.
    pub weights: Vec<f64>,
    /// Row by row, as many numbers each.
    pub values: Vec<f64>,
}

impl Said {
    pub fn new(sizes: [usize; 2]) -> Self {
        Said { sizes, ..Said::default() }
    }

    pub fn push(&mut self, masks: [&[u32]; 2], weight: f64, values: &[f64]) {
        self.first.extend(masks[0]);
        self.second.extend(masks[1]);
        self.weights.push(weight);
        self.values.extend(values);
    }

    pub fn rows(&self) -> usize {
        self.weights.len()
    }

    /// Numbers a row.
    pub fn columns(&self) -> usize {
        self.values.len() / self.rows().max(1)
    }

    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns()..][..self.columns()]
    }

    /// The masks of a row.
    pub fn masks(&self, i: usize) -> [&[u32]; 2] {
        let [w1, w2] = self.sizes.map(|size| size.div_ceil(32));
        [&self.first[i * w1..][..w1], &self.second[i * w2..][..w2]]
    }

    /// Which features of both parts a row keeps.
    pub fn keeps(&self, i: usize) -> Vec<bool> {
        let of = |mask: &[u32], size: usize| (0..size).map(|j| mask[j / 32] >> (j % 32) & 1 == 1).collect::<Vec<_>>();
        let [first, second] = self.masks(i);
        [of(first, self.sizes[0]), of(second, self.sizes[1])].concat()
    }

    /// With other numbers.
    pub fn with(self, of: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let values = (0..self.rows()).flat_map(|i| of(self.row(i))).collect();
        Said { values, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_distinct_and_begin_with_the_instance() {
        let drawn = [7, 40, 3].map(|d| draw(&Cpu::new(), d, 80, 40, 3).unwrap());
        for part in &drawn {
            let rows: HashSet<&[u32]> = (0..part.rows()).map(|i| part.row(i)).collect();
            assert_eq!((rows.len(), kept(part.row(0))), (part.rows(), part.features));
        }
        let sizes = drawn.each_ref().map(|d| (d.rows(), d.fitted, d.unseen(), d.complete));
        assert_eq!(sizes, [(120, 80, 80..120, false), (120, 80, 80..120, false), (8, 8, 0..8, true)]);
        // 80 of 128 masks are fitted to; asked for 100 more, 48 are left.
        assert_eq!(draw(&Cpu::new(), 7, 80, 100, 3).unwrap().unseen(), 80..128);
    }
}
