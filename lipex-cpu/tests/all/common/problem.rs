//! Random neighbourhoods that Python and Rust generate alike, to the bit; `golden/problem.py` is the same generator.

use lipex_core::{Exponential, Masks, Neighbourhood, Probabilities, Weights};
use lipex_cpu::Cpu;
use serde::Deserialize;

// What a draw is for; purpose 6 is for multiplicities.
const REMOVED: u64 = 0;
const KEEP: u64 = 1;
const LINEAR: u64 = 2;
const PAIR: u64 = 3;
const NOISE: u64 = 4;
const BASE: u64 = 5;

/// A problem as golden files name it.
#[derive(Clone, Debug, Deserialize)]
pub struct Problem {
    pub seed: u64,
    /// N.
    pub rows: usize,
    /// D.
    pub features: usize,
    /// C.
    pub classes: usize,
    /// Largest coefficient of a feature, in 1/1024 of a logit; noise and pairs of features are as strong.
    strength: i64,
    /// The last so many features are kept in every row.
    constant: usize,
    /// Whether the last class has probability 0 in every row.
    empty: bool,
    /// Of masks, probabilities and weights, as Python had them.
    checksum: String,
}

impl Problem {
    /// Masks, probabilities and weights; panics if they are not Python's to the bit.
    pub fn neighbourhood(&self) -> Neighbourhood<Cpu> {
        let (cpu, masks) = (Cpu::new(), self.masks());
        let table = Exponential::default().table(self.features);
        let weights: Vec<f32> = masks.iter().map(|z| table.values()[kept(z)] as f32).collect();
        let probabilities: Vec<f32> = masks.iter().enumerate().flat_map(|(i, z)| self.row(i, z)).collect();
        let words: Vec<u32> = masks.iter().flat_map(|z| z.chunks(32)).map(pack).collect();

        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
        let all = words.iter().copied().chain(bits(&probabilities)).chain(bits(&weights));
        assert_eq!(format!("{:016x}", checksum(all)), self.checksum, "{self:?} differs from Python's");

        let masks = Masks::new(&cpu, self.rows, self.features, words).unwrap();
        let probabilities = Probabilities::new(&cpu, self.rows, self.classes, probabilities).unwrap();
        Neighbourhood::new(&cpu, masks, probabilities, Weights::new(weights)).unwrap()
    }

    /// Z: row i drops each feature with its own chance r/D, r from 1 to D; row 0 keeps all.
    fn masks(&self) -> Vec<Vec<bool>> {
        let d = self.features as u64;
        let row = |i: usize| -> Vec<bool> {
            let removed = 1 + draw(self.seed, REMOVED, i, 0) % d;
            let keeps =
                |j: usize| i == 0 || j + self.constant >= self.features || draw(self.seed, KEEP, i, j) % d >= removed;
            (0..self.features).map(keeps).collect()
        };
        (0..self.rows).map(row).collect()
    }

    /// Row i of P: a softmax of features, of pairs of neighbouring features and of noise.
    fn row(&self, i: usize, z: &[bool]) -> Vec<f32> {
        let term = |purpose, i, c, size: i64| (draw(self.seed, purpose, i, c) % (2 * size as u64 + 1)) as i64 - size;
        let score = |c: usize| {
            let linear = (0..z.len()).filter(|&j| z[j]).map(|j| term(LINEAR, j, c, self.strength));
            let pairs = (0..z.len() / 2).filter(|&t| z[2 * t] && z[2 * t + 1]);
            let pairs = pairs.map(|t| term(PAIR, t, c, self.strength));
            let rest = term(NOISE, i, c, self.strength) + term(BASE, 0, c, 1024);
            linear.sum::<i64>() + pairs.sum::<i64>() + rest
        };
        let mut e: Vec<f64> = (0..self.classes).map(|c| 1.0 + score(c) as f64 / 1024.0 / 256.0).collect();
        for e in &mut e {
            // (1 + x/256)^256 by squaring.
            for _ in 0..8 {
                *e *= *e;
            }
        }
        if self.empty {
            e[self.classes - 1] = 0.0;
        }
        let total = e.iter().fold(0.0, |sum, e| sum + e);
        e.iter().map(|e| (e / total) as f32).collect()
    }
}

/// 64 random bits for a counter.
pub fn draw(seed: u64, purpose: u64, i: usize, j: usize) -> u64 {
    mix(mix(seed << 8 | purpose) ^ ((i as u64) << 32 | j as u64))
}

/// One step of splitmix64.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn kept(z: &[bool]) -> usize {
    z.iter().filter(|&&k| k).count()
}

fn pack(bits: &[bool]) -> u32 {
    bits.iter().enumerate().fold(0, |word, (j, &keep)| word | u32::from(keep) << j)
}

/// FNV-1a over 32-bit words.
fn checksum(words: impl Iterator<Item = u32>) -> u64 {
    words.fold(0xcbf2_9ce4_8422_2325, |h: u64, w| (h ^ u64::from(w)).wrapping_mul(0x100_0000_01b3))
}
