//! Evaluate: agreement of a surrogate with the black box, on masks that it has seen and on masks held out.

use crate::Cpu;
use lipex_core::{
    Agreement, Dependence, Divergence, Evaluator, Fidelity, Fitted, Hellinger, Kl, Link, Neighbourhood, OutOfFold,
    Problem, Q, Result, Surrogate, arg_max, deal_folds,
};
use std::collections::HashMap;

/// The least probability that a row of a ridge is clipped to before H² and KL.
const FLOOR: f64 = 1e-7;

impl Evaluator<Cpu> for OutOfFold {
    fn evaluate(
        &self,
        on: &Cpu,
        problems: &[Problem<'_, Cpu>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<Cpu>,
        dependence: Dependence,
    ) -> Result<Vec<Fidelity>> {
        let folds: Vec<Vec<usize>> = problems.iter().map(|p| folds(p.around, self.folds, dependence)).collect();
        let tasks: Vec<(usize, usize)> = folds
            .iter()
            .enumerate()
            .flat_map(|(i, of)| (0..of.iter().copied().max().unwrap_or(0)).map(move |k| (i, k + 1)))
            .collect();
        // A refit for each fold, shared out over threads by the surrogate.
        let held: Vec<Vec<u32>> = tasks.iter().map(|&(i, k)| without_fold(&problems[i], &folds[i], k)).collect();
        let refits: Vec<Problem<'_, Cpu>> = tasks
            .iter()
            .zip(&held)
            .map(|(&(i, _), m)| Problem { multiplicities: Some(m), start: Some(&fitted[i]), ..problems[i] })
            .collect();
        let refits = surrogate.fit(on, &refits)?;
        on.map(problems.len(), |i| {
            let own = tasks.iter().zip(&refits).filter(|((p, _), _)| *p == i).map(|((_, k), refit)| (*k, refit));
            Ok(fidelity(&problems[i], &fitted[i], &folds[i], own))
        })
    }
}

/// The fold of each row; see [`deal_folds`].
pub(crate) fn folds(around: &Neighbourhood<Cpu>, folds: usize, dependence: Dependence) -> Vec<usize> {
    let mut first: HashMap<&[u32], u32> = HashMap::new();
    let same: Vec<u32> = (0..around.rows()).map(|i| *first.entry(around.masks.row(i)).or_insert(i as u32)).collect();
    deal_folds(&same, folds, dependence)
}

/// The problem's multiplicities with the rows of fold `k` taken out.
pub(crate) fn without_fold(problem: &Problem<'_, Cpu>, folds: &[usize], k: usize) -> Vec<u32> {
    let times = |i: usize| problem.multiplicities.map_or(1, |m| m[i]);
    folds.iter().enumerate().map(|(i, &fold)| if fold == k { 0 } else { times(i) }).collect()
}

fn fidelity<'a>(
    problem: &Problem<'_, Cpu>,
    fitted: &Fitted,
    folds: &[usize],
    refits: impl Iterator<Item = (usize, &'a Fitted)>,
) -> Fidelity {
    let mut instance = Mean::default();
    instance.add(problem, fitted, 0, 1.0);
    let weight = |i: usize| {
        f64::from(problem.around.weights.values()[i]) * problem.multiplicities.map_or(1.0, |m| f64::from(m[i]))
    };
    let mut seen = Mean::default();
    let mut squares = Squares::new(problem.around.probabilities.classes());
    for i in 0..problem.around.rows() {
        let q = seen.add(problem, fitted, i, weight(i));
        squares.add(problem.around.probabilities.row(i), &q, weight(i));
    }
    let mut unseen = Mean::default();
    for (k, refit) in refits {
        for i in (0..folds.len()).filter(|&i| folds[i] == k) {
            unseen.add(problem, refit, i, weight(i));
        }
    }
    Fidelity {
        out_of_fold: (unseen.weight > 0.0).then(|| unseen.mean()),
        at_instance: instance.mean(),
        in_sample: seen.mean(),
        r2: squares.r2(),
    }
}

/// A weighted mean of agreements.
#[derive(Default)]
struct Mean {
    sum: Agreement,
    weight: f64,
}

impl Mean {
    /// Adds row `i`; returns the surrogate's answer there.
    fn add(&mut self, problem: &Problem<'_, Cpu>, fitted: &Fitted, i: usize, weight: f64) -> Vec<f64> {
        let masks = &problem.around.masks;
        let keeps: Vec<bool> = fitted.kept.iter().map(|&j| masks.keeps(i, j)).collect();
        let q = fitted.predict(&keeps);
        let p: Vec<f64> = problem.around.probabilities.row(i).iter().map(|&p| f64::from(p)).collect();
        let one = agreement(&p, &q, fitted.link);
        let total = &mut self.sum;
        for (sum, value) in [
            (&mut total.tv, one.tv),
            (&mut total.hellinger, one.hellinger),
            (&mut total.kl, one.kl),
            (&mut total.arg_max, one.arg_max),
            (&mut total.off_simplex, one.off_simplex),
        ] {
            *sum += weight * value;
        }
        self.weight += weight;
        q
    }

    fn mean(&self) -> Agreement {
        let s = &self.sum;
        // Without any weight nothing was measured; 0/0 would not survive a file.
        let w = if self.weight > 0.0 { self.weight } else { 1.0 };
        Agreement {
            tv: s.tv / w,
            hellinger: s.hellinger / w,
            kl: s.kl / w,
            arg_max: s.arg_max / w,
            off_simplex: s.off_simplex / w,
        }
    }
}

fn agreement(p: &[f64], q: &[f64], link: Link) -> Agreement {
    let tv = 0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>();
    let same = if arg_max(p) == arg_max(q) { 1.0 } else { 0.0 };
    let off = link == Link::Identity && q.iter().any(|q| !(0.0..=1.0).contains(q));
    let simplex: Vec<f64> = if link == Link::Identity {
        let clipped: Vec<f64> = q.iter().map(|q| q.max(FLOOR)).collect();
        let sum: f64 = clipped.iter().sum();
        clipped.into_iter().map(|q| q / sum).collect()
    } else {
        q.to_vec()
    };
    let terms = |d: &dyn Fn(f64, Q<f64>) -> f64| {
        p.iter().zip(&simplex).map(|(&p, q)| d(p, Q::of_ln(q.max(f64::MIN_POSITIVE).ln()))).sum()
    };
    Agreement {
        tv,
        hellinger: terms(&|p, q| Hellinger.term(p, q)),
        kl: terms(&|p, q| Kl.term(p, q)),
        arg_max: same,
        off_simplex: if off { 1.0 } else { 0.0 },
    }
}

/// Sums for R² of each class.
struct Squares {
    weight: f64,
    /// Of each class: Σ w p, Σ w p², Σ w (p − q)².
    sums: Vec<[f64; 3]>,
}

impl Squares {
    fn new(classes: usize) -> Self {
        Squares { weight: 0.0, sums: vec![[0.0; 3]; classes] }
    }

    fn add(&mut self, p: &[f32], q: &[f64], weight: f64) {
        self.weight += weight;
        for (sums, (&p, q)) in self.sums.iter_mut().zip(p.iter().zip(q)) {
            let p = f64::from(p);
            sums[0] += weight * p;
            sums[1] += weight * p * p;
            sums[2] += weight * (p - q) * (p - q);
        }
    }

    fn r2(&self) -> Vec<f64> {
        let one = |&[p, p2, residual]: &[f64; 3]| {
            let spread = p2 - p * p / self.weight;
            // What is left of a constant class is rounding.
            if spread > 1e-12 * p2 { 1.0 - residual / spread } else { 0.0 }
        };
        self.sums.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{Masks, Probabilities, Weights};

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
        let of = folds(&around(&masks), 5, Dependence::Independent);
        assert_eq!((of[0], of[61]), (0, 0));
        assert!((1..31).all(|i| of[i] == of[i + 30] && of[i] > 0));
        for k in 1..=5 {
            assert_eq!((1..31).filter(|&i| of[i] == k).count(), 6);
        }
    }

    #[test]
    fn pairs_share_a_fold() {
        let masks: Vec<u32> = [255].into_iter().chain((1..31).flat_map(|i| [i, 255 - i])).collect();
        let of = folds(&around(&masks), 5, Dependence::Pairs);
        assert!((1..31).all(|m| of[2 * m - 1] == of[2 * m]));
        let independent = folds(&around(&masks), 5, Dependence::Independent);
        assert!((1..31).any(|m| independent[2 * m - 1] != independent[2 * m]));
    }

    #[test]
    fn too_few_masks_hold_nothing_out() {
        assert!(folds(&around(&[255, 255]), 5, Dependence::Independent).is_empty());
        assert!(folds(&around(&[255, 3]), 5, Dependence::Independent).is_empty());
        assert_eq!(folds(&around(&[255, 3, 5]), 5, Dependence::Independent)[0], 0);
        assert!(folds(&around(&[255, 3, 5]), 0, Dependence::Independent).is_empty());
    }

    #[test]
    fn hand_computed_agreement() {
        let a = agreement(&[0.75, 0.25], &[0.25, 0.75], Link::Softmax);
        assert_eq!((a.tv, a.arg_max, a.off_simplex), (0.5, 0.0, 0.0));
        assert!((a.hellinger - (1.0 - 2.0 * (0.75f64 * 0.25).sqrt())).abs() < 1e-12);
        assert!((a.kl - 0.5 * 3f64.ln()).abs() < 1e-12);
        let ridge = agreement(&[1.0, 0.0], &[1.25, -0.25], Link::Identity);
        assert_eq!((ridge.tv, ridge.arg_max, ridge.off_simplex), (0.25, 1.0, 1.0));
        assert!(ridge.kl.is_finite() && ridge.kl < 1e-6);
    }
}
