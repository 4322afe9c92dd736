//! Is a top k good enough? Comparisons of the entries of one class.

use super::estimate::Estimate;
use super::forecast::fewest;
use super::spread::Spread;
use crate::backend::Backend;
use crate::error::{Result, expect_len};
use crate::explanation::Rank;
use crate::fit::Problem;
use crate::select::Selection;
use crate::uncertainty::bootstrap::start_on;

/// Refits where a surrogate has no formula for its spread.
const REFITS: usize = 200;

/// What a comparison found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    /// Whether the top k is settled.
    pub met: bool,
    /// If not, masks in all that would settle it, leads and standard errors as they are seen now.
    pub needed: Option<usize>,
    /// Groups of features (of all D), one of which is chosen and one left out, that are not separated.
    pub interchangeable: Vec<Vec<usize>>,
}

/// One feature of the class: its number among all D, its place among the kept, its sign, and its value under the ranking.
struct Entry {
    feature: usize,
    place: usize,
    sign: f64,
    value: f64,
}

impl<B: Backend> Estimate<'_, B> {
    /// Whether the class's top `k` is settled but for differences of `indifference` times the largest value: every chosen
    /// feature is above every other one, that share given away, by more than `z` standard errors.
    ///
    /// Features that were not kept take part through a refit with the `k` of them that explain most of what is left.
    pub(crate) fn set_is_settled(&self, class: usize, k: usize, indifference: f64, z: f64) -> Result<Verdict> {
        let ranked = self.of_ranking();
        if self.around.masks.features() <= k {
            return Ok(Verdict { met: true, ..Verdict::default() });
        }
        // The set in question is the one that is shown; the wider fit judges it.
        let shown: Vec<usize> = ranked.entries(class).iter().take(k).map(|e| e.feature).collect();
        ranked.widened(class, k, |wide| {
            let (chosen, others) = wide.entries(class).into_iter().partition(|e| shown.contains(&e.feature));
            let set = Set { chosen, others, k, indifference };
            Ok(set.compare(&wide.spread(REFITS)?, class, z, self.around.rows()))
        })
    }

    /// Whether the order of the class's first `k` is settled, the k-th against the next included: each neighbour is above
    /// the one after it by more than `z` standard errors.
    pub(crate) fn order_is_settled(&self, class: usize, k: usize, z: f64) -> Result<Verdict> {
        self.of_ranking().widened(class, k, |wide| {
            let (spread, entries) = (wide.spread(REFITS)?, wide.entries(class));
            let lead = |pair: &[Entry]| Lead {
                size: pair[0].value - pair[1].value,
                error: error(&spread, class, &pair[0], &pair[1]),
            };
            let pairs = || entries.windows(2).take(k);
            let unsettled = |pair: &&[Entry]| !lead(pair).is_significant(&spread, z, 1.0);
            let interchangeable: Vec<Vec<usize>> =
                pairs().filter(unsettled).map(|t| vec![t[0].feature, t[1].feature]).collect();
            let met = interchangeable.is_empty() && !entries.is_empty();
            let leads: Vec<Lead> = pairs().map(lead).collect();
            let needed = if met { None } else { masks_for(&leads, &spread, z, self.around.rows()) };
            Ok(Verdict { met, needed, interchangeable })
        })
    }

    /// The same of the fit that rankings go by.
    fn of_ranking(&self) -> Estimate<'_, B> {
        Estimate { fitted: self.fitted.ranking(), ..*self }
    }

    /// Calls `judge` with a fit on the kept features and the next `k` for this class.
    fn widened<T>(&self, class: usize, k: usize, judge: impl FnOnce(&Estimate<'_, B>) -> Result<T>) -> Result<T> {
        let next = self.next_features(class, k)?;
        if next.is_empty() {
            return judge(self);
        }
        let mut per_class = self.selection.per_class.clone();
        if let Some(picks) = per_class.get_mut(class) {
            picks.extend(&next);
        }
        let wide = Selection { kept: merged(&self.selection.kept, &next), per_class };
        let start = start_on(self.fitted, &wide)?;
        let problem = Problem { start: start.as_ref(), ..Problem::new(self.around, &wide) };
        let fitted = self.surrogate.fit(self.on, &[problem])?;
        expect_len("fits of the batch", 1, fitted.len())?;
        judge(&Estimate { selection: &wide, fitted: &fitted[0], ..*self })
    }

    /// The `k` features that were not kept and explain most of what the fit leaves of the class, each on its own.
    fn next_features(&self, class: usize, k: usize) -> Result<Vec<usize>> {
        let (on, masks) = (self.on, &self.around.masks);
        let bits = on.download(masks.bits())?;
        let p = on.download(self.around.probabilities.values())?;
        let weights = on.download(self.around.weights.values())?;
        let classes = self.around.probabilities.classes();
        let outside: Vec<usize> =
            (0..masks.features()).filter(|j| self.fitted.kept().binary_search(j).is_err()).collect();
        let (mut total, mut left) = (0.0, 0.0);
        // Of each outside feature Σ w z and Σ w z r, r what the fit leaves.
        let mut sums = vec![(0.0, 0.0); outside.len()];
        for ((row, p), &w) in bits.chunks_exact(masks.words().max(1)).zip(p.chunks_exact(classes)).zip(&weights) {
            on.watch().check()?;
            let holds = |j: usize| row[j / 32] >> (j % 32) & 1 == 1;
            let keeps: Vec<bool> = self.fitted.kept().iter().map(|&j| holds(j)).collect();
            let w = f64::from(w);
            let r = w * (f64::from(p[class]) - self.fitted.predict(&keeps)?[class]);
            (total, left) = (total + w, left + r);
            for (sum, _) in sums.iter_mut().zip(&outside).filter(|(_, j)| holds(**j)) {
                *sum = (sum.0 + w, sum.1 + r);
            }
        }
        let gain = |&(z, zr): &(f64, f64)| {
            let (spread, shared) = (z - z * z / total, zr - z * left / total);
            if spread > 1e-9 * total { shared * shared / spread } else { 0.0 }
        };
        let mut gains: Vec<(usize, f64)> = outside.into_iter().zip(sums.iter().map(gain)).collect();
        gains.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(gains.into_iter().take(k).map(|(j, _)| j).collect())
    }

    /// The class's features, largest value first; ties to the lowest index.
    fn entries(&self, class: usize) -> Vec<Entry> {
        let shares = self.fitted.shares();
        let row = shares.row(class);
        let entry = |&place: &usize| {
            let weight = row[place];
            let sign = match self.rank {
                Rank::Supporting | Rank::Effect => 1.0,
                Rank::Opposing => -1.0,
                Rank::Absolute => weight.signum(),
            };
            Entry { feature: shares.kept()[place], place, sign, value: sign * weight }
        };
        let mut entries: Vec<Entry> = shares.support(class).iter().map(entry).collect();
        entries.sort_by(|a, b| b.value.total_cmp(&a.value).then(a.feature.cmp(&b.feature)));
        entries
    }
}

/// The standard error of the difference of two values.
fn error(spread: &Spread, class: usize, a: &Entry, b: &Entry) -> f64 {
    let (of_a, of_b) = ((class, a.place), (class, b.place));
    let together = a.sign * b.sign * spread.covariance(of_a, of_b);
    (spread.covariance(of_a, of_a) + spread.covariance(of_b, of_b) - 2.0 * together).max(0.0).sqrt()
}

/// How far one value is above another.
struct Lead {
    size: f64,
    error: f64,
}

impl Lead {
    /// Whether it is more than noise with `times` as many masks.
    fn is_significant(&self, spread: &Spread, z: f64, times: f64) -> bool {
        self.size > spread.stretched(z, times) * self.error / times.sqrt()
    }
}

/// Masks in all with which every lead is clear, from a run of `masks`.
fn masks_for(leads: &[Lead], spread: &Spread, z: f64, masks: usize) -> Option<usize> {
    if leads.is_empty() {
        return None;
    }
    fewest(masks, |times| leads.iter().all(|lead| lead.is_significant(spread, z, times)))
}

/// A top k that is in question, each part largest value first.
struct Set {
    chosen: Vec<Entry>,
    others: Vec<Entry>,
    k: usize,
    indifference: f64,
}

impl Set {
    /// The set against the others, by a fit of so many masks.
    fn compare(&self, spread: &Spread, class: usize, z: f64, masks: usize) -> Verdict {
        let top = self.chosen.first().map_or(0.0, |e| e.value);
        // Where fewer than k support the class there is no top k to speak of.
        let there = self.chosen.len() == self.k && self.chosen.iter().all(|e| e.value > 0.0);
        let mut ties: Vec<Vec<usize>> = Vec::new();
        let mut leads = Vec::new();
        for a in &self.chosen {
            for b in &self.others {
                let lead = Lead { size: a.value - b.value, error: error(spread, class, a, b) };
                if !lead.is_significant(spread, z, 1.0) {
                    tie(&mut ties, a.feature, b.feature);
                }
                leads.push(Lead { size: lead.size + self.indifference * top, ..lead });
            }
        }
        let met = there && leads.iter().all(|lead| lead.is_significant(spread, z, 1.0));
        let needed = if met || !there { None } else { masks_for(&leads, spread, z, masks) };
        let mut all: Vec<&Entry> = self.chosen.iter().chain(&self.others).collect();
        all.sort_by(|a, b| b.value.total_cmp(&a.value));
        let order = |f: &usize| all.iter().position(|e| e.feature == *f);
        ties.iter_mut().for_each(|group| group.sort_by_key(order));
        Verdict { met, needed, interchangeable: ties }
    }
}

/// Puts two features into one group.
fn tie(groups: &mut Vec<Vec<usize>>, a: usize, b: usize) {
    let (mut joined, rest): (Vec<_>, Vec<_>) = groups.drain(..).partition(|g| g.contains(&a) || g.contains(&b));
    joined.push(vec![a, b]);
    *groups = rest;
    groups.push(merged(&joined.concat(), &[]));
}

/// The union, ascending.
fn merged(a: &[usize], b: &[usize]) -> Vec<usize> {
    let mut all = [a, b].concat();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uncertainty::Method;

    fn entries(values: &[f64]) -> Vec<Entry> {
        let entry = |(place, &value): (usize, &f64)| Entry { feature: 10 + place, place, sign: 1.0, value };
        values.iter().enumerate().map(entry).collect()
    }

    /// Independent entries with standard error 0.1 each, so that differences have 0.1414.
    fn spread(n: usize) -> Spread {
        let covariance = (0..n * n).map(|e| if e.is_multiple_of(n + 1) { 0.01 } else { 0.0 }).collect();
        Spread::from_covariance(Method::Sandwich, 1, n, covariance).unwrap()
    }

    #[test]
    fn sets_are_settled_but_for_an_indifference() {
        let judge = |values: &[f64], k: usize, indifference, z| {
            let mut chosen = entries(values);
            let others = chosen.split_off(k.min(values.len()));
            Set { chosen, others, k, indifference }.compare(&spread(values.len()), 0, z, 100)
        };
        // Leads of the second over the third: 0.5 is 3.5 standard errors.
        assert!(judge(&[2.0, 1.5, 1.0, 0.2], 2, 0.0, 3.0).met);
        let short = judge(&[2.0, 1.5, 1.0, 0.2], 2, 0.0, 4.0);
        // 4 standard errors of 0.5/√(100/n): (4·0.1414/0.5)²·100 = 128.
        assert!(!short.met && short.needed == Some(129), "{:?}", short.needed);
        assert_eq!(judge(&[2.0, 1.0, 1.0], 2, 0.0, 2.0).needed, None);
        // A tenth of 2 given away: 0.7 is 4.9.
        let given = judge(&[2.0, 1.5, 1.0, 0.2], 2, 0.1, 4.0);
        assert!(given.met && given.interchangeable == [[11, 12]]);
        assert!(!judge(&[2.0, 1.5, 1.0, 0.2], 2, 0.1, 5.0).met);
        // The first is never in doubt; the second, third and fourth are one group.
        assert_eq!(judge(&[3.0, 1.0, 0.9, 0.8], 2, 0.1, 2.0).interchangeable, [[11, 12, 13]]);
        // Nothing is claimed where fewer than k support.
        assert!(!judge(&[2.0, -0.1, -3.0], 2, 0.0, 1.0).met);
        assert!(!judge(&[2.0], 2, 0.0, 1.0).met);
        assert!(!judge(&[-2.0, -9.0], 1, 0.0, 1.0).met);
        // A wider fit that puts another feature first.
        let surprised = judge(&[1.0, 2.0, 0.0], 1, 0.1, 2.0);
        assert!(!surprised.met && surprised.interchangeable == [[11, 10]]);
    }

    #[test]
    fn groups_grow_together() {
        let mut groups = Vec::new();
        tie(&mut groups, 1, 2);
        tie(&mut groups, 3, 4);
        assert_eq!(groups, [[1, 2], [3, 4]]);
        tie(&mut groups, 2, 4);
        assert_eq!(groups, [[1, 2, 3, 4]]);
    }
}
