//! Top-k lists, from a fit or from an explanation.

use crate::explanation::{Rank, Weighted};
use crate::fit::Fitted;

/// The first `k` of a class's features: `support` are places in `row` and `kept`, `effect` the change of probability.
pub(crate) fn top_k(
    kept: &[usize],
    support: &[usize],
    row: &[f64],
    effect: impl Fn(usize) -> f64,
    k: usize,
    rank: Rank,
) -> Vec<Weighted> {
    let entry = |&j: &usize| {
        let value = if rank == Rank::Effect { effect(j) } else { row[j] };
        let key = match rank {
            Rank::Supporting | Rank::Effect => value,
            Rank::Opposing => -value,
            Rank::Absolute => value.abs(),
        };
        (kept[j], value, key)
    };
    let mut entries: Vec<(usize, f64, f64)> = support.iter().map(entry).collect();
    entries.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    entries.into_iter().take(k).map(|(feature, value, _)| Weighted { feature, value }).collect()
}

impl Fitted {
    /// The first `k` features for a class under a ranking, as [`Explanation::top_k`](crate::Explanation::top_k) has them.
    pub fn top_k(&self, class: usize, k: usize, rank: Rank) -> Vec<Weighted> {
        let Some(row) = self.matrix.get(class) else { return Vec::new() };
        let effect = |j: usize| {
            let mut keeps = vec![true; self.kept.len()];
            let whole = self.predict(&keeps)[class];
            keeps[j] = false;
            whole - self.predict(&keeps)[class]
        };
        top_k(&self.kept, &self.support[class], row, effect, k, rank)
    }
}
