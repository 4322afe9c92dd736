//! Problems of the suite: sizes, and neighbourhoods that any backend can be given.

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Backend, Dependence, Draw, Exponential, Masks, Neighbourhood, Perturber, Probabilities, Selection, UniformSize,
    Weights, softmax_in_place,
};
use lipex_cpu::Cpu;

/// Sizes of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// D.
    pub features: usize,
    /// N.
    pub rows: usize,
    /// C.
    pub classes: usize,
    /// F.
    pub kept: usize,
}

const fn case(features: usize, rows: usize, classes: usize, kept: usize) -> Case {
    Case { features, rows, classes, kept }
}

/// Sizes that are fitted: every value of D, N and C at an edge of a word, a warp or a tile, not their product.
pub fn cases() -> Vec<Case> {
    vec![
        case(1, 1, 2, 1),
        case(1, 2, 3, 1),
        case(31, 127, 6, 5),
        case(32, 1000, 2, 20),
        case(33, 127, 33, 33),
        case(32, 2, 6, 32),
        case(33, 1000, 6, 16),
        case(441, 127, 3, 67),
        case(441, 1000, 20, 100),
    ]
}

/// Sizes that are evaluated and not fitted.
pub const EVALUATED: Case = case(441, 127, 1000, 12);

/// A problem in the host's memory.
pub struct Made {
    /// The sizes.
    pub case: Case,
    /// Packed masks.
    pub bits: Vec<u32>,
    /// P, N × C, with exact zeros and ones.
    pub p: Vec<f32>,
    /// π, N.
    pub pi: Vec<f32>,
    /// The features to fit on, spread over all.
    pub selection: Selection,
    /// How rows depend on one another.
    pub dependence: Dependence,
}

impl Made {
    /// The neighbourhood on a backend.
    pub fn on<B: Backend>(&self, on: &B) -> Neighbourhood<B> {
        let Case { features, rows, classes, .. } = self.case;
        let masks = Masks::new(on, rows, features, on.upload(self.bits.clone()).unwrap()).unwrap();
        let p = Probabilities::new(on, rows, classes, on.upload(self.p.clone()).unwrap()).unwrap();
        Neighbourhood::new(on, masks, p, Weights::new(on.upload(self.pi.clone()).unwrap()))
            .unwrap()
            .drawn(self.dependence)
    }

    /// Whether row `i` keeps feature `j`.
    pub fn keeps(&self, i: usize, j: usize) -> bool {
        self.bits[i * self.case.features.div_ceil(32) + j / 32] >> (j % 32) & 1 == 1
    }
}

/// A problem of these sizes: classes depend on some features and on some pairs; a few rows are certain.
pub fn made(case: Case, seed: u64) -> Made {
    made_by(&UniformSize::default(), case, seed)
}

/// Makes some rows certain of a class, and lets some give a class nothing.
fn make_extreme(p: &mut [f64], i: usize) {
    let classes = p.len();
    match i % 23 {
        7 => (0..classes).for_each(|c| p[c] = if c == i % classes { 1.0 } else { 0.0 }),
        11 if classes > 2 => {
            let rest = 1.0 - p[1];
            p[1] = 0.0;
            p.iter_mut().for_each(|p| *p /= rest);
        }
        _ => {}
    }
}

/// The same with masks of another law.
pub fn made_by(law: &dyn Perturber<Cpu>, case: Case, seed: u64) -> Made {
    let Case { features, rows, classes, kept } = case;
    let cpu = Cpu::new();
    let sample = law.perturb(&cpu, &Draw::whole(&[features], rows, seed)).unwrap().remove(0);
    let coefficient = |purpose: u32, j: usize, c: usize| {
        let size = if (j + c).is_multiple_of(3) { 2.0 } else { 0.3 };
        size * (Draws::new(seed, j as u32, purpose, Purpose::Starts).unit(c as u32) - 0.5)
    };
    let mut p = Vec::with_capacity(rows * classes);
    for i in 0..rows {
        let present: Vec<usize> = (0..features).filter(|&j| sample.masks.keeps(i, j)).collect();
        let mut logits: Vec<f64> = (0..classes).map(|c| coefficient(2, 0, c)).collect();
        for &j in present.iter().step_by(1 + features / 64) {
            let pair = sample.masks.keeps(i, (j + 1) % features);
            for (c, l) in logits.iter_mut().enumerate() {
                *l += coefficient(0, j, c) + if pair { coefficient(1, j, c) } else { 0.0 };
            }
        }
        softmax_in_place(&mut logits);
        make_extreme(&mut logits, i);
        p.extend(logits.into_iter().map(|l| l as f32));
    }
    let table = Exponential::default().table(features);
    let pi = (0..rows).map(|i| table.values()[sample.masks.count(i)] as f32).collect();
    let features: Vec<usize> = (0..kept).map(|k| k * features / kept).collect();
    let selection = Selection::shared(classes, features);
    Made { case, bits: sample.masks.bits().clone(), p, pi, selection, dependence: sample.dependence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_what_they_are_for() {
        let made = made(case(33, 127, 6, 16), 1);
        assert!(made.p.contains(&0.0) && made.p.contains(&1.0));
        assert!(made.p.chunks(6).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
        assert_eq!(made.selection.kept.len(), 16);
        assert!(made.pi.iter().all(|&w| w > 0.0) && made.pi[0] == 1.0);
        let all = cases();
        for d in [1, 31, 32, 33, 441] {
            assert!(all.iter().any(|c| c.features == d));
        }
        for n in [1, 2, 127, 1000] {
            assert!(all.iter().any(|c| c.rows == n));
        }
        for c in [2, 3, 6, 20, 33] {
            assert!(all.iter().any(|case| case.classes == c));
        }
    }
}
