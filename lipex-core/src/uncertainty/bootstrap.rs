//! Rows drawn again: refits that cost no call of the black box.

use super::estimate::Estimate;
use crate::backend::Backend;
use crate::error::{Result, expect_len};
use crate::fit::{Fitted, Problem};
use crate::perturb::{Dependence, units};
use crate::philox::{Draws, Purpose};
use crate::select::Selection;
use rand::RngExt;

/// How often each row counts in each refit: row 0 once, the others drawn with replacement, `groups` of rows together
/// within their stratum.
fn multiplicities(rows: usize, strata: &[Vec<Vec<usize>>], refits: usize, seed: u64) -> Vec<Vec<u32>> {
    let one = |refit: u32| {
        let mut generator = Draws::new(seed, refit, 0, Purpose::Bootstrap).generator();
        let mut times = vec![0; rows];
        times[..rows.min(1)].fill(1);
        for units in strata {
            for _ in units {
                let unit = &units[generator.random_range(0..units.len())];
                unit.iter().for_each(|&i| times[i] += 1);
            }
        }
        times
    };
    (0..refits as u32).map(one).collect()
}

impl<B: Backend> Estimate<'_, B> {
    /// How often each row counts in each refit.
    fn drawn_again(&self, refits: usize) -> Result<Vec<Vec<u32>>> {
        let masks = &self.around.masks;
        let stratified = self.around.dependence == Dependence::Stratified;
        let kept = if stratified { masks.counts(self.on)? } else { vec![masks.features(); masks.rows()] };
        Ok(multiplicities(masks.rows(), &units(&kept, self.around.dependence), refits, self.seed))
    }

    /// The tolerance of a refit. One that draws rows again moves the objective by about entries / (2N) of itself, so where
    /// there are as many entries as rows, stopping at 10⁻⁴ of it leaves a bar as it is; where there are fewer, the
    /// surrogate's own tolerance costs little.
    fn tolerance(&self) -> Option<f64> {
        let entries = self.fitted.answer.classes() * self.fitted.kept().len();
        (entries >= self.around.rows()).then_some(1e-4)
    }

    /// Refits on the features that the fit kept.
    pub(super) fn refits_on_kept(&self, refits: usize) -> Result<Vec<Fitted>> {
        let times = self.drawn_again(refits)?;
        self.on.watch().extend(refits);
        let tolerance = self.tolerance();
        let problem = |m| Problem { multiplicities: Some(m), start: Some(self.fitted), tolerance, ..self.problem() };
        let problems: Vec<Problem<'_, B>> = times.iter().map(|m| problem(m.as_slice())).collect();
        let fitted = self.surrogate.fit(self.on, &problems)?;
        expect_len("fits of the bootstrap", refits, fitted.len())?;
        Ok(fitted)
    }

    /// How often each of the D features is among a class's first `k` when rows are drawn again and selected from again.
    ///
    /// `known` are the refits on the kept features, if they were made: they serve where the same features are selected.
    pub(super) fn shares_in_top(
        &self,
        k: usize,
        refits: usize,
        known: Option<&[Fitted]>,
    ) -> Result<Option<Vec<Vec<f64>>>> {
        let Some(selector) = self.selector else { return Ok(None) };
        let times = self.drawn_again(refits)?;
        self.on.watch().extend(refits);
        let selections = selector.reselect(self.on, self.around, &times)?;
        expect_len("selections of the bootstrap", refits, selections.len())?;
        let known = |r: usize| known?.get(r).filter(|_| selections[r] == *self.selection);
        let left: Vec<usize> = (0..refits).filter(|&r| known(r).is_none()).collect();
        // Refits on equal selections share their start, and with it what a surrogate prepares for it.
        let mut starts: Vec<(&Selection, Option<Fitted>)> = Vec::new();
        for &r in &left {
            self.on.watch().check()?;
            if !starts.iter().any(|(selection, _)| **selection == selections[r]) {
                starts.push((&selections[r], start_on(self.fitted.ranking(), &selections[r])?));
            }
        }
        let problem = |&r: &usize| {
            let same = starts.iter().find(|(selection, _)| **selection == selections[r]);
            let start = same.and_then(|(_, start)| start.as_ref());
            let (multiplicities, tolerance) = (Some(times[r].as_slice()), self.tolerance());
            Problem { multiplicities, start, tolerance, ..Problem::new(self.around, &selections[r]) }
        };
        let problems: Vec<Problem<'_, B>> = left.iter().map(problem).collect();
        let fitted = self.surrogate.fit(self.on, &problems)?;
        expect_len("fits of the bootstrap", left.len(), fitted.len())?;
        let (classes, features) = (self.fitted.answer.classes(), self.around.masks.features());
        let mut shares = vec![vec![0.0; features]; classes];
        for fit in fitted.iter().chain((0..refits).filter_map(known)) {
            self.on.watch().check()?;
            let (fit, of_fit) = (fit.ranking(), fit.ranking().shares());
            for (c, share) in shares.iter_mut().enumerate() {
                fit.top_k_of((&of_fit, None), c, k, self.rank).iter().for_each(|w| share[w.feature] += 1.0);
            }
        }
        shares.iter_mut().flatten().for_each(|count| *count /= refits as f64);
        Ok(Some(shares))
    }
}

/// A fit carried over to another selection, for surrogates that start from one: what both have, zeros elsewhere.
pub(super) fn start_on(fitted: &Fitted, selection: &Selection) -> Result<Option<Fitted>> {
    let Some(linear) = fitted.answer.linear() else { return Ok(None) };
    let own = |c: usize| {
        let picks = selection.per_class.get(c);
        (0..selection.kept.len()).filter(|&j| picks.is_none_or(|p| p.contains(&selection.kept[j]))).collect()
    };
    let support = (0..fitted.answer.classes()).map(own).collect();
    let carried = linear.carried_to(selection.kept.clone(), support)?;
    Ok(Some(Fitted::new(carried, fitted.report.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(kept: &[usize], dependence: Dependence) -> Vec<Vec<u32>> {
        multiplicities(kept.len(), &units(kept, dependence), 50, 3)
    }

    #[test]
    fn the_instance_stays_and_pairs_stay_together() {
        let single = drawn(&[0; 100], Dependence::Independent);
        for times in &single {
            assert_eq!((times[0], times.iter().sum::<u32>()), (1, 100));
        }
        assert!(single.iter().any(|t| t[1] == 0) && single.iter().any(|t| t[99] > 1));
        assert_ne!(single[0], single[1]);
        let pairs = drawn(&[0; 100], Dependence::Pairs);
        for times in &pairs {
            assert_eq!(times[0], 1);
            assert!((1..50).all(|m| times[2 * m - 1] == times[2 * m]));
        }
        // The last row has lost its complement.
        assert!(pairs.iter().any(|t| t[99] == 2));
        assert!(drawn(&[0], Dependence::Independent).iter().all(|t| t == &[1]));
    }

    #[test]
    fn strata_keep_their_sizes() {
        let kept: Vec<usize> = (0..60).map(|i| 1 + i % 3).collect();
        for times in drawn(&kept, Dependence::Stratified) {
            for size in 1..=3 {
                let of_size = (1..60).filter(|&i| kept[i] == size);
                assert_eq!(of_size.clone().map(|i| times[i]).sum::<u32>(), of_size.count() as u32);
            }
        }
    }
}
