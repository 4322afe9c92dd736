//! How inputs are put together into batches: sorted by length, cut by tokens.
//!
//! What a batch holds depends on the inputs alone, never on threads: the last digits of an answer may depend on its
//! neighbours in a batch, so that otherwise would a result.
//!
//! # Rule
//! Inputs by length, longest first, equal ones in their order; a batch ends where one more would take rows × longest above the
//! budget of tokens. Padding is therefore little, and the rule has no setting: threads, workers and instances beside change no
//! batch.

use crate::workers::Workers;
use lipex_core::{Result, Watch};
use rten::ThreadPool;
use std::sync::Arc;

/// Most tokens of a batch, padding included: larger ones are no faster, and take memory.
const TOKENS: usize = 2048;

/// What a graph allows in a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    /// The number of rows, where the graph has a fixed one.
    pub rows: Option<usize>,
    /// The number of tokens of a row, where the graph has a fixed one.
    pub tokens: Option<usize>,
    /// Whether rows may be padded.
    pub padded: bool,
}

/// Inputs that go to the graph together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Which inputs.
    pub of: Vec<usize>,
    /// Tokens a row.
    pub tokens: usize,
}

/// Cuts inputs of such lengths into batches, the longest rows first, so that short ones fill the gaps of threads at the
/// end.
pub(crate) fn cut(lengths: &[usize], limits: Limits) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(lengths[i]), i));
    let mut batches: Vec<Batch> = Vec::new();
    for i in order {
        let room = |batch: &&mut Batch| {
            let most = limits.rows.unwrap_or((TOKENS / batch.tokens.max(1)).max(1));
            batch.of.len() < most && (limits.padded || limits.tokens.is_some() || batch.tokens == lengths[i])
        };
        match batches.last_mut().filter(room) {
            Some(batch) => batch.of.push(i),
            None => batches.push(Batch { of: vec![i], tokens: limits.tokens.unwrap_or(lengths[i]) }),
        }
    }
    batches
}

/// What `run` makes of inputs of such lengths, batch by batch on the workers, in the order of the inputs.
///
/// # Errors
/// [`Interrupted`](lipex_core::Error::Interrupted); the first failure of `run`.
pub(crate) fn spread<T: Clone + Default + Send>(
    workers: &Workers,
    lengths: &[usize],
    limits: Limits,
    watch: &Watch,
    run: impl Fn(&Batch, &Arc<ThreadPool>) -> Result<Vec<T>> + Sync,
) -> Result<Vec<T>> {
    let batches = cut(lengths, limits);
    let parts = workers.each(batches.len(), watch, |i, pool| {
        let rows = run(&batches[i], pool)?;
        watch.advance(rows.len());
        Ok(rows)
    })?;
    let mut rows = vec![T::default(); lengths.len()];
    for (batch, part) in batches.iter().zip(parts) {
        batch.of.iter().zip(part).for_each(|(&input, row)| rows[input] = row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PADDED: Limits = Limits { rows: None, tokens: None, padded: true };

    #[test]
    fn long_rows_come_first_and_batches_end_at_the_budget() {
        let lengths = [3, 1000, 5, 1000, 1000, 3];
        let batches = cut(&lengths, PADDED);
        assert_eq!(batches[0], Batch { of: vec![1, 3], tokens: 1000 });
        assert_eq!(batches[1], Batch { of: vec![4, 2], tokens: 1000 });
        assert_eq!(batches[2], Batch { of: vec![0, 5], tokens: 3 });
        assert_eq!(cut(&[5000], PADDED), [Batch { of: vec![0], tokens: 5000 }]);
        assert!(cut(&[], PADDED).is_empty());
    }

    #[test]
    fn without_a_mask_only_equal_lengths_meet() {
        let batches = cut(&[2, 3, 2, 3], Limits { padded: false, ..PADDED });
        assert_eq!(batches, [Batch { of: vec![1, 3], tokens: 3 }, Batch { of: vec![0, 2], tokens: 2 }]);
        let fixed = cut(&[2, 3, 2], Limits { rows: Some(2), tokens: Some(8), padded: false });
        assert_eq!(fixed, [Batch { of: vec![1, 0], tokens: 8 }, Batch { of: vec![2], tokens: 8 }]);
    }
}
