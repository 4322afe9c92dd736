//! Evaluate: agreement of a surrogate with the black box, on masks that it has seen and on masks held out.
//!
//! # Numerics
//! Sums in f64, over rows weighted by π·m, divided by their weight: a mean over the masks that the proximity makes local. Out
//! of fold every row but those that share the instance's mask is judged once, by the refit that has not seen it.
//!
//! # Cost
//! One pass over the rows an agreement. The refits are the surrogate's own business; they start from the whole fit and stop
//! early ([`REFIT_TOLERANCE`](lipex_core::REFIT_TOLERANCE)).

mod tally;

use crate::Cpu;
use lipex_core::{
    Answer, Evaluator, Fidelity, Fitted, Linear, Neighbourhood, OutOfFold, Problem, Result, Surrogate, deal_folds,
    is_near, refit_without_folds,
};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use tally::Tally;

impl Evaluator<Cpu> for OutOfFold {
    /// Refits without each fold, then the agreement of each with the rows it has not seen.
    fn evaluate(
        &self,
        on: &Cpu,
        problems: &[Problem<'_, Cpu>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<Cpu>,
    ) -> Result<Vec<Fidelity>> {
        let folds: Vec<Vec<usize>> = problems.iter().map(|p| folds(p.around, self.folds)).collect();
        // A refit for each fold, shared out over threads by the surrogate.
        let refits = refit_without_folds(on, problems, fitted, &folds, surrogate)?;
        on.map(problems.len(), |i| fidelity(&problems[i], &fitted[i].answer, &folds[i], &refits[i]))
    }
}

/// The fold of each row; see [`deal_folds`].
pub(crate) fn folds(around: &Neighbourhood<Cpu>, folds: usize) -> Vec<usize> {
    let mut first: HashMap<&[u32], u32, BuildHasherDefault<MaskHasher>> = HashMap::default();
    let same: Vec<u32> = (0..around.rows()).map(|i| *first.entry(around.masks.row(i)).or_insert(i as u32)).collect();
    deal_folds(&same, folds, around.dependence)
}

/// Hashes masks eight bytes at a time: they are random bits, and nobody gains by making two collide.
#[derive(Default)]
struct MaskHasher(u64);

impl Hasher for MaskHasher {
    /// Eight bytes at a time; a rest is padded with zeros.
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    /// Mixes one word in, by a multiplication and a rotation.
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    /// The hash of all words so far.
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}

/// The agreement of an answer with the black box, and of `refits`, the answers without fold 1, 2 and so on, on those folds.
///
/// # Errors
/// Those of an answer of a user's own.
///
/// # Shapes
/// `folds` has the fold of each row, from 1, and 0 for rows that every fit has seen; empty where nothing was held out.
/// `refits[k − 1]` is the answer without fold k.
pub fn fidelity(problem: &Problem<'_, Cpu>, answer: &Answer, folds: &[usize], refits: &[Answer]) -> Result<Fidelity> {
    let around = problem.around;
    let design = tally::design(&around.masks, answer);
    let times = |i: u32| problem.multiplicities.map_or(1.0, |m| f64::from(m[i as usize]));
    let weight = |i: u32| f64::from(around.weights.values()[i as usize]) * times(i);
    let mut instance = Tally::default();
    instance.add(&design, around, answer, &[0], |_| 1.0)?;
    let mut seen = Tally::default();
    let all: Vec<u32> = (0..around.rows() as u32).collect();
    seen.add(&design, around, answer, &all, weight)?;
    let (mut unseen, mut near) = (Tally::default(), Tally::default());
    for (k, refit) in refits.iter().enumerate() {
        let held: Vec<u32> = all.iter().copied().filter(|&i| folds.get(i as usize) == Some(&(k + 1))).collect();
        let own = (refit.linear().map(Linear::terms) != answer.linear().map(Linear::terms))
            .then(|| tally::design(&around.masks, refit));
        let design = own.as_ref().unwrap_or(&design);
        unseen.add(design, around, refit, &held, weight)?;
        let is_near = |&i: &u32| weight(i) > 0.0 && is_near(around.masks.count(i as usize), around.masks.features());
        let held: Vec<u32> = held.into_iter().filter(is_near).collect();
        near.add(design, around, refit, &held, times)?;
    }
    Ok(Fidelity {
        out_of_fold: (unseen.weight > 0.0).then(|| unseen.mean()),
        near: (near.weight > 0.0).then(|| near.mean()),
        at_instance: instance.mean(),
        in_sample: seen.mean(),
        r2: seen.r2(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{Dependence, Masks, Probabilities, Weights};

    fn around(masks: &[u32]) -> Neighbourhood<Cpu> {
        let (on, rows) = (Cpu::new(), masks.len());
        let p = masks.iter().flat_map(|m| [m.count_ones() as f32 / 8.0, 1.0 - m.count_ones() as f32 / 8.0]).collect();
        Neighbourhood::new(
            &on,
            Masks::new(&on, rows, 8, masks.to_vec()).unwrap(),
            Probabilities::new(&on, rows, 2, p).unwrap(),
            Weights::new(vec![1.0; rows]),
        )
        .unwrap()
    }

    #[test]
    fn equal_masks_share_a_fold_and_the_instance_is_in_none() {
        let masks: Vec<u32> = [255].into_iter().chain((0..60).map(|i| i % 30)).chain([255]).collect();
        let of = folds(&around(&masks), 5);
        assert_eq!((of[0], of[61]), (0, 0));
        assert!((1..31).all(|i| of[i] == of[i + 30] && of[i] > 0));
        for k in 1..=5 {
            assert_eq!((1..31).filter(|&i| of[i] == k).count(), 6);
        }
    }

    #[test]
    fn pairs_share_a_fold() {
        let masks: Vec<u32> = [255].into_iter().chain((1..31).flat_map(|i| [i, 255 - i])).collect();
        let of = folds(&around(&masks).drawn(Dependence::Pairs), 5);
        assert!((1..31).all(|m| of[2 * m - 1] == of[2 * m]));
        let independent = folds(&around(&masks), 5);
        assert!((1..31).any(|m| independent[2 * m - 1] != independent[2 * m]));
    }

    #[test]
    fn too_few_masks_hold_nothing_out() {
        assert!(folds(&around(&[255, 255]), 5).is_empty());
        assert!(folds(&around(&[255, 3]), 5).is_empty());
        assert_eq!(folds(&around(&[255, 3, 5]), 5)[0], 0);
        assert!(folds(&around(&[255, 3, 5]), 0).is_empty());
    }
}
