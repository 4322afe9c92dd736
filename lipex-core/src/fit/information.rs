//! Whether masks can determine what is fitted on them.

use crate::backend::Backend;
use crate::fit::{Base, Fitted, Problem};

/// How much the masks of a fit can tell, beside how much is asked of them.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let information = lipex().explain(&text, &model)?.observed.information.unwrap();
/// assert!(information.is_determined());
/// // Five masks cannot tell five words and what they are added to apart from chance.
/// let few = lipex().samples(4).explain(&text, &model)?.observed.information.unwrap();
/// assert!(few.rank < few.unknowns);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Information {
    /// The effective number of masks, (Σπ)²/Σπ²: so many equal weights would vary as little in the mean.
    pub effective_masks: f64,
    /// Numbers that are fitted for a class: an entry a term, and the intercept where it is fitted freely.
    pub unknowns: usize,
    /// How many of them masks with a weight determine: the rank of their matrix. As many as there are, unless something is
    /// left to the penalty or to chance.
    pub rank: usize,
    /// About what share of their entries the penalty leaves the two likeliest classes, the lesser of the two; `None` where that
    /// is not known. See [`Surrogate::left_by_penalty`](super::Surrogate::left_by_penalty).
    #[cfg_attr(feature = "serde", serde(default))]
    pub left: Option<f64>,
}

impl Information {
    /// What the masks of a problem tell of its fit; `None` for an answer that is not linear. `intercept` says whether a
    /// fitted base is free; `bits` and `weights` are those of the neighbourhood, in the host's memory.
    ///
    /// # Numerics
    /// The rank is that over the field of two elements, which real rank is at least; where that is short of `unknowns` and
    /// these are at most 400, that over the field of 2³¹ − 1.
    pub fn of<B: Backend>(
        problem: &Problem<'_, B>,
        fitted: &Fitted,
        intercept: bool,
        (bits, weights): (&[u32], &[f32]),
    ) -> Option<Information> {
        let linear = fitted.answer.linear()?;
        let words = problem.around.masks.words();
        let times = |i: usize| problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let terms: Vec<&[usize]> = linear.terms().iter().map(|term| term.features()).collect();
        let free = intercept && matches!(linear.base(), Base::Intercept(_));
        // Without a base, columns are what is kept; else what is removed, which one more column makes the same.
        let kept = matches!(linear.base(), Base::None);
        let unknowns = terms.len() + usize::from(free);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (i, &weight) in weights.iter().enumerate() {
            let (weight, times) = (f64::from(weight), times(i));
            (sum, squares) = (sum + times * weight, squares + times * weight * weight);
        }
        let effective_masks = if squares > 0.0 { sum * sum / squares } else { 0.0 };
        // The rank is mostly full after little more rows than unknowns: the rest are never made.
        let counts = |(i, (_, weight)): &(usize, (&[u32], &f32))| **weight > 0.0 && times(*i) > 0.0;
        let counted = bits.chunks_exact(words.max(1)).zip(weights).enumerate().filter(counts);
        let rows = counted.map(|(_, (row, _))| columns(row, &terms, free, kept));
        Some(Information { effective_masks, unknowns, rank: rank(rows, unknowns), left: None })
    }

    /// Whether the masks determine every number that is fitted.
    pub fn is_determined(&self) -> bool {
        self.rank >= self.unknowns
    }
}

/// The row of the design: a bit a term, set where all its features are `kept` or all removed, and one for the intercept.
fn columns(row: &[u32], terms: &[&[usize]], intercept: bool, kept: bool) -> Vec<u64> {
    let mut bits = vec![0u64; (terms.len() + 1).div_ceil(64)];
    let holds = |&j: &usize| row.get(j / 32).is_some_and(|word| (word >> (j % 32) & 1 == 1) == kept);
    let set = terms.iter().enumerate().filter(|(_, term)| term.iter().all(holds)).map(|(t, _)| t);
    set.chain(intercept.then_some(terms.len())).for_each(|t| bits[t / 64] |= 1 << (t % 64));
    bits
}

fn rank(rows: impl Iterator<Item = Vec<u64>> + Clone, columns: usize) -> usize {
    let binary = rank_of_bits(rows.clone(), columns);
    if binary == columns || columns > 400 { binary } else { binary.max(rank_of_numbers(rows, columns)) }
}

/// Over the field of two elements.
fn rank_of_bits(rows: impl Iterator<Item = Vec<u64>>, columns: usize) -> usize {
    let mut pivots: Vec<Option<Vec<u64>>> = vec![None; columns];
    let mut rank = 0;
    for mut row in rows {
        while let Some(lead) = (0..columns).find(|c| row[c / 64] >> (c % 64) & 1 == 1) {
            let Some(pivot) = &pivots[lead] else {
                pivots[lead] = Some(row);
                rank += 1;
                break;
            };
            row.iter_mut().zip(pivot).for_each(|(a, b)| *a ^= b);
        }
        if rank == columns {
            break;
        }
    }
    rank
}

/// Over the field of 2³¹ − 1.
fn rank_of_numbers(rows: impl Iterator<Item = Vec<u64>>, columns: usize) -> usize {
    const P: u64 = (1 << 31) - 1;
    let inverse = |a: u64| {
        // a^(P − 2), after Fermat.
        let (mut result, mut base, mut exponent) = (1, a, P - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * base % P;
            }
            base = base * base % P;
            exponent >>= 1;
        }
        result
    };
    let mut pivots: Vec<Option<Vec<u64>>> = vec![None; columns];
    let mut rank = 0;
    for row in rows {
        let mut row: Vec<u64> = (0..columns).map(|c| row[c / 64] >> (c % 64) & 1).collect();
        for lead in 0..columns {
            if row[lead] == 0 {
                continue;
            }
            let factor = row[lead];
            let Some(pivot) = &pivots[lead] else {
                let scale = inverse(factor);
                row.iter_mut().for_each(|v| *v = *v * scale % P);
                pivots[lead] = Some(row);
                rank += 1;
                break;
            };
            row.iter_mut().zip(pivot).for_each(|(v, p)| *v = (*v + (P - factor) * p) % P);
        }
        if rank == columns {
            break;
        }
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[u64]) -> impl Iterator<Item = Vec<u64>> + Clone {
        rows.iter().map(|&r| vec![r])
    }

    #[test]
    fn ranks_are_those_of_the_real_matrix() {
        // 110, 101, 011: singular over two elements, determinant −2 over the reals.
        let odd = of(&[0b011, 0b101, 0b110]);
        assert_eq!((rank_of_bits(odd.clone(), 3), rank_of_numbers(odd.clone(), 3), rank(odd, 3)), (2, 3, 3));
        // Complements: 1100, 0011 and all ones are of rank 2.
        assert_eq!(rank(of(&[0b1111, 0b0011, 0b1100]), 4), 2);
        assert_eq!(rank(of(&[0, 0b1]), 2), 1);
        assert_eq!(rank(of(&[]), 3), 0);
        let identity: Vec<Vec<u64>> =
            (0..70u64).map(|c| vec![u64::from(c < 64) << (c % 64), u64::from(c >= 64) << (c % 64)]).collect();
        assert_eq!(rank(identity.iter().cloned(), 70), 70);
        assert_eq!(rank(identity[1..].iter().cloned(), 70), 69);
    }
}
