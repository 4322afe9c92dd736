//! Top-k lists, from a fit or from an explanation.

use crate::explanation::{Rank, Weighted};
use crate::fit::{Fitted, Shares};

/// The first `k` of a class's features; `effect` is the change of probability when kept feature number j goes, where that is
/// known; `order` has what the shares are ranked by where it is not the shares themselves.
pub(crate) fn top_k(
    (shares, order): (&Shares<'_>, Option<&[f64]>),
    class: usize,
    effect: impl Fn(usize) -> Option<f64>,
    k: usize,
    rank: Rank,
) -> Vec<Weighted> {
    let row = shares.row(class);
    let entry = |&j: &usize| {
        let value = if rank == Rank::Effect { effect(j)? } else { row[j] };
        let by = order.map_or(row[j], |order| order[j]);
        let key = match rank {
            Rank::Supporting => by,
            Rank::Opposing => -by,
            Rank::Absolute => by.abs(),
            Rank::Effect => value,
        };
        Some((shares.kept()[j], value, key))
    };
    let mut entries: Vec<(usize, f64, f64)> = shares.support(class).iter().filter_map(entry).collect();
    entries.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.0.cmp(&b.0)));
    entries.into_iter().take(k).map(|(feature, value, _)| Weighted { feature, value }).collect()
}

impl Fitted {
    /// The first `k` features for a class under a ranking, as [`Explanation::top_k`](crate::Explanation::top_k) has them.
    pub fn top_k(&self, class: usize, k: usize, rank: Rank) -> Vec<Weighted> {
        let ranking = self.ranking().shares();
        self.top_k_of((&self.shares(), Some(ranking.row(class))), class, k, rank)
    }

    /// The same where its shares, and what ranks them, are at hand.
    pub(crate) fn top_k_of(
        &self,
        shares: (&Shares<'_>, Option<&[f64]>),
        class: usize,
        k: usize,
        rank: Rank,
    ) -> Vec<Weighted> {
        let all = vec![true; self.kept().len()];
        let effect = |j: usize| {
            let mut keeps = all.clone();
            let whole = *self.predict(&keeps).ok()?.get(class)?;
            keeps[j] = false;
            Some(whole - self.predict(&keeps).ok()?.get(class)?)
        };
        top_k(shares, class, effect, k, rank)
    }
}
