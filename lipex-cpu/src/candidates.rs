//! Which pairs explain most of what a fit leaves.
//!
//! A pair's column r_a r_b is made orthogonal, with the rows' weights π, to a constant and to every term so far. Its gain is
//! what it would take off Σ π E² of the residuals E, summed over classes: Σ_c (z⊥ᵀΠE_c)² / z⊥ᵀΠz⊥. Masks hold no answers, so
//! that one elimination of the features serves every fit on the same rows, whichever of them it was fitted on.
//!
//! # Shapes
//! Masks N×D as bits; residuals E of the rows that count, N×C padded; B, the constant and the F features, N×(F + 1); Z, the
//! pairs among them, N×P with P = F(F − 1)/2.
//!
//! # Cost
//! One Gram of all columns, (F + 1 + P)² sums by look-up, and one Cholesky factor of BᵀΠB for all fits on the same rows; then
//! a product Zᵀ·(ΠE) a fit. Features beyond the strongest [`Pairs::CANDIDATES`] make no pairs.
//!
//! # Numerics
//! Sums of Grams in f32, as each entry is a sum of N weights; elimination and gains in f64. A pair of which less than
//! [`LEAST`] of its square is left after the elimination is a combination of what the fit has already, and is left out.
//!
//! # Source
//! Forward selection by the residual, as orthogonal least squares does it: Chen, Cowan and Grant, Orthogonal least squares
//! learning algorithm (1991).

use crate::Cpu;
use crate::design::{ByColumn, Columns, Design, transposed};
use crate::lanes::{Aligned, padded_f32};
use crate::linalg::add_scaled;
use lipex_core::{Masks, Pairs, Result};
use std::collections::HashMap;

/// A column that keeps less than this share of its square, once the terms so far are taken off, is left out.
const LEAST: f64 = 1e-4;
/// A pivot below this share of its diagonal entry is rounding: the column depends on those before it.
const DEPENDENT: f64 = 1e-5;

/// The places of the largest strengths, ascending; ties to the lowest place.
pub(crate) fn strongest(strengths: &[f64]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..strengths.len()).collect();
    places.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]).then(a.cmp(&b)));
    places.truncate(Pairs::CANDIDATES);
    places.sort_unstable();
    places
}

/// What a fit leaves, and what it has already.
pub(crate) struct Residuals<'a> {
    /// Rows × width, in the order of the candidates' rows.
    pub values: &'a [f32],
    /// Numbers in a row of the residuals: the classes and their padding.
    pub width: usize,
    /// C, of which each column of the residuals is one.
    pub classes: usize,
    /// Which of the rows the fit has seen.
    pub fitted: &'a [bool],
    /// The features, by their numbers in the masks, that pairs are chosen among, ascending.
    pub among: &'a [usize],
    /// The fit's pairs; [`Candidates::prepare`] knows them.
    pub taken: &'a [[usize; 2]],
}

/// The pairs of some features around one instance, with what of each a constant and the features leave.
pub(crate) struct Candidates {
    /// Pairs of features, by their numbers in the masks.
    pub pairs: Vec<[usize; 2]>,
    /// The columns by which Zᵀ·E is looked up.
    design: Design,
    /// All columns: features, a constant, the pairs.
    by_column: ByColumn,
    /// The constant and the features.
    fixed: usize,
    /// Rows of the masks that count, by number.
    rows: Vec<u32>,
    /// π over its sum.
    weights: Vec<f64>,
    /// L of LLᵀ = BᵀΠB, row-major; the diagonal inverted, 0 for a column that depends on those before.
    factor: Vec<f64>,
    /// L⁻¹BᵀΠZ, fixed × pairs.
    explained: Vec<f64>,
    /// zᵀΠz of each pair, and z⊥ᵀΠz⊥.
    whole: Vec<f64>,
    /// z⊥ᵀΠz⊥, what of each pair's square no other column accounts for; 0 for a pair that is left out.
    left: Vec<f64>,
    /// z⊥ᵀΠz⊥_c over all pairs, for each pair c that a fit has taken.
    products: HashMap<usize, Vec<f64>>,
}

impl Candidates {
    /// Pairs of the features at `places` among `kept`.
    ///
    /// # Shapes
    /// `kept` are all features of the fit, `places` those among which pairs are made; `rows` are the rows that count, with a
    /// weight each. The constant and all kept features are taken off every pair, the features beyond `places` too.
    pub fn new(masks: &Masks<Cpu>, kept: &[usize], places: &[usize], (rows, weights): (&[u32], &[f64])) -> Self {
        let pairs: Vec<[usize; 2]> = places
            .iter()
            .enumerate()
            .flat_map(|(i, &b)| places[..i].iter().map(move |&a| [kept[a], kept[b]]))
            .collect();
        let design = Design::new(masks, Columns::removed(kept, true, &pairs));
        let by_column = ByColumn::new(&design, rows);
        let total: f64 = weights.iter().sum();
        let mut made = Candidates {
            design,
            by_column,
            fixed: kept.len() + 1,
            rows: rows.to_vec(),
            weights: weights.iter().map(|w| w / total).collect(),
            factor: Vec::new(),
            explained: Vec::new(),
            whole: Vec::new(),
            left: Vec::new(),
            products: HashMap::new(),
            pairs,
        };
        made.eliminate();
        made
    }

    /// Σ π x_column x over all columns (rows of the result), for each of `columns`.
    ///
    /// # Shapes
    /// Columns in all × `columns`, padded: entry (a, b) is the sum of weights over the rows that have both.
    fn grams(&self, columns: &[usize]) -> (Aligned<f32>, usize) {
        let width = padded_f32(columns.len());
        let mut y = Aligned::zeros(self.rows.len() * width);
        for ((&i, &w), y) in self.rows.iter().zip(&self.weights).zip(y.chunks_exact_mut(width)) {
            let (codes, w) = (self.design.row(i as usize), w as f32);
            for (y, &column) in y.iter_mut().zip(columns) {
                // w or 0, without a branch that half the masks would mispredict.
                let bit = u32::from(codes[column / 4] >> (column % 4) & 1);
                *y = f32::from_bits(w.to_bits() & bit.wrapping_neg());
            }
        }
        (transposed(&self.by_column, &y, width), width)
    }

    /// Takes the constant and the features off every pair.
    ///
    /// The Cholesky factor of BᵀΠB gives L⁻¹BᵀΠZ; what is left of a pair's square is zᵀΠz less the squares of its column
    /// there. Directions of B that depend on others are skipped, since they take off nothing more.
    fn eliminate(&mut self) {
        let (n, m) = (self.fixed, self.pairs.len());
        let (sums, width) = self.grams(&(0..n).collect::<Vec<_>>());
        let sum = |column: usize, fixed: usize| f64::from(sums[column * width + fixed]);
        let mut factor = vec![0.0; n * n];
        let mut explained = vec![0.0; n * m];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
                let left = sum(i, j) - dot;
                factor[i * n + j] = if j < i {
                    left * factor[j * n + j]
                } else if left > DEPENDENT * sum(i, i) && left > 0.0 {
                    1.0 / left.sqrt()
                } else {
                    0.0
                };
            }
            let (done, row) = explained.split_at_mut(i * m);
            let row = &mut row[..m];
            row.iter_mut().enumerate().for_each(|(t, v)| *v = sum(n + t, i));
            for j in 0..i {
                add_scaled(row, -factor[i * n + j], &done[j * m..(j + 1) * m]);
            }
            row.iter_mut().for_each(|v| *v *= factor[i * n + i]);
        }
        // The square of a column of bits is its product with the constant.
        self.whole = (0..m).map(|t| sum(n + t, n - 1)).collect();
        self.left = self.whole.clone();
        for row in explained.chunks_exact(m.max(1)) {
            self.left.iter_mut().zip(row).for_each(|(l, v)| *l -= v * v);
        }
        (self.factor, self.explained) = (factor, explained);
    }

    /// Makes z⊥ᵀΠz⊥_c for pairs c that some fit has taken.
    ///
    /// A fit that has pairs takes them off the candidates too, which needs their products with all others; they are made once
    /// for all fits that take them.
    pub fn prepare(&mut self, taken: &[[usize; 2]]) {
        let mut new: Vec<usize> = taken.iter().filter_map(|pair| self.place(pair)).collect();
        new.sort_unstable();
        new.dedup();
        new.retain(|t| !self.products.contains_key(t));
        if new.is_empty() {
            return;
        }
        let (n, m) = (self.fixed, self.pairs.len());
        let (sums, width) = self.grams(&new.iter().map(|t| n + t).collect::<Vec<_>>());
        for (k, &c) in new.iter().enumerate() {
            let mut product: Vec<f64> = (0..m).map(|t| f64::from(sums[(n + t) * width + k])).collect();
            for row in self.explained.chunks_exact(m) {
                add_scaled(&mut product, -row[c], row);
            }
            self.products.insert(c, product);
        }
    }

    fn place(&self, pair: &[usize; 2]) -> Option<usize> {
        self.pairs.iter().position(|p| p == pair)
    }

    /// z⊥ᵀΠE, classes × pairs.
    fn along(&self, residuals: &Residuals<'_>) -> Vec<f64> {
        let Residuals { values, width, classes, fitted, .. } = *residuals;
        let (n, m) = (self.fixed, self.pairs.len());
        let mut y = Aligned::zeros(values.len());
        for (((y, e), &w), &fitted) in
            y.chunks_exact_mut(width).zip(values.chunks_exact(width)).zip(&self.weights).zip(fitted)
        {
            let w = if fitted { w as f32 } else { 0.0 };
            y.iter_mut().zip(e).for_each(|(y, e)| *y = w * e);
        }
        let sums = transposed(&self.by_column, &y, width);
        let row = |column: usize| sums[column * width..][..classes].iter().map(|&v| f64::from(v));
        let mut of_fixed: Vec<f64> = (0..n).flat_map(row).collect();
        for i in 0..n {
            let (done, row) = of_fixed.split_at_mut(i * classes);
            let row = &mut row[..classes];
            for j in 0..i {
                add_scaled(row, -self.factor[i * n + j], &done[j * classes..(j + 1) * classes]);
            }
            row.iter_mut().for_each(|v| *v *= self.factor[i * n + i]);
        }
        // By classes × pairs, so that sums run over pairs.
        let mut along = vec![0.0; classes * m];
        for (c, along) in along.chunks_exact_mut(m.max(1)).enumerate() {
            along.iter_mut().enumerate().for_each(|(t, v)| *v = f64::from(sums[(n + t) * width + c]));
            for (i, row) in self.explained.chunks_exact(m).enumerate() {
                add_scaled(along, -of_fixed[i * classes + c], row);
            }
        }
        along
    }

    /// The pairs that take most off what a fit leaves, best first, at most `count`; ties to the first pair.
    ///
    /// A greedy choice: after each pair its share is taken off the others and off the residuals, as in forward selection of
    /// features.
    pub fn best(&self, residuals: &Residuals<'_>, count: usize) -> Vec<[usize; 2]> {
        let Residuals { among, taken, .. } = *residuals;
        let m = self.pairs.len();
        let mut along = self.along(residuals);
        let mut left = self.left.clone();
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for c in taken.iter().filter_map(|pair| self.place(pair)) {
            let Some(product) = self.products.get(&c) else { continue };
            let mut row = product.clone();
            rows.iter().for_each(|earlier| add_scaled(&mut row, -earlier[c], earlier));
            if left[c] <= DEPENDENT * self.whole[c] {
                continue;
            }
            let pivot = 1.0 / left[c].sqrt();
            row.iter_mut().for_each(|v| *v *= pivot);
            for along in along.chunks_exact_mut(m) {
                let own = along[c] * pivot;
                add_scaled(along, -own, &row);
            }
            left.iter_mut().zip(&row).for_each(|(l, v)| *l -= v * v);
            rows.push(row);
        }
        let gain = |t: usize| along.chunks_exact(m).map(|along| along[t] * along[t]).sum::<f64>() / left[t];
        let free = |t: &usize| {
            let pair = &self.pairs[*t];
            let strong = pair.iter().all(|j| among.binary_search(j).is_ok());
            strong && !taken.contains(pair) && left[*t] > LEAST * self.whole[*t] && self.whole[*t] > 0.0
        };
        let mut gains: Vec<(usize, f64)> = (0..m).filter(free).map(|t| (t, gain(t))).filter(|g| g.1 > 0.0).collect();
        gains.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        gains.into_iter().take(count).map(|(t, _)| self.pairs[t]).collect()
    }
}

/// How many pairs are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// So many.
    Count(usize),
    /// As many as the folds find worth it.
    Auto,
}

/// Fits that grow by pairs together: first that on all rows, then those without fold 1, 2 and so on.
pub(crate) trait Growing {
    /// A fit with some pairs.
    type Fit: Clone;
    /// The number of its pairs.
    fn pairs(fit: &Self::Fit) -> usize;
    /// Chooses at most so many pairs more for each, and fits them; whether the fit on all rows found any.
    fn more(&mut self, fits: &mut [Self::Fit], most: usize) -> Result<bool>;
    /// The divergence on the rows that each has not seen.
    fn score(&self, fits: &[Self::Fit]) -> Result<f64>;
}

/// Adds pairs, [`Pairs::TOGETHER`] at a time, until there are as many as are wanted or as are worth it: 5, 10, 20 … for as
/// long as the score falls by more than [`Pairs::GATE`].
///
/// # Stopping
/// For `auto`, after 5, 10, 20, … pairs the score of the parts on rows that they have not seen is compared with the one
/// before. The growth ends with the last that was better by the gate; fits are cloned before each step, so that the step can
/// be undone.
pub(crate) fn grow<G: Growing>(growing: &mut G, wanted: Wanted, mut fits: Vec<G::Fit>) -> Result<Vec<G::Fit>> {
    let Wanted::Auto = wanted else {
        while let Wanted::Count(count) = wanted {
            let most = count.saturating_sub(G::pairs(&fits[0])).min(Pairs::TOGETHER);
            if most == 0 || !growing.more(&mut fits, most)? {
                break;
            }
        }
        return Ok(fits);
    };
    // Without rows held out nothing speaks for a pair.
    if fits.len() == 1 {
        return Ok(fits);
    }
    let (mut best, mut score, mut next) = (fits.clone(), growing.score(&fits)?, Pairs::TOGETHER);
    while growing.more(&mut fits, Pairs::TOGETHER)? {
        if G::pairs(&fits[0]) < next {
            continue;
        }
        let now = growing.score(&fits)?;
        if now > (1.0 - Pairs::GATE) * score {
            break;
        }
        (score, best, next) = (now, fits.clone(), 2 * next);
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::padded_f32;

    /// Masks of 7 features, residuals of 3 classes and weights, of no meaning.
    fn problem(rows: usize) -> (Masks<Cpu>, Vec<f32>, Vec<f64>) {
        let mix = |i: usize, j: usize| {
            (i.wrapping_mul(0x9e37_79b9) ^ j.wrapping_mul(0x85eb_ca6b)).wrapping_mul(0xc2b2_ae35) >> 7
        };
        let bits = (0..rows).map(|i| (mix(i, 3) & 127) as u32).collect();
        let masks = Masks::new(&Cpu::new(), rows, 7, bits).unwrap();
        let width = padded_f32(3);
        let mut values = vec![0f32; rows * width];
        for (i, row) in values.chunks_exact_mut(width).enumerate() {
            row.iter_mut().take(3).enumerate().for_each(|(c, v)| *v = (mix(i, 100 + c) % 201) as f32 / 100.0 - 1.0);
        }
        (masks, values, (0..rows).map(|i| 0.2 + (mix(i, 50) % 10) as f64 / 10.0).collect())
    }

    /// The gain of a pair, by Gram and Schmidt on the rows themselves.
    fn naive(
        masks: &Masks<Cpu>,
        values: &[f32],
        weights: &[f64],
        fitted: &[bool],
        terms: &[Vec<usize>],
        pair: [usize; 2],
    ) -> f64 {
        let rows = weights.len();
        let column = |of: &[usize]| -> Vec<f64> {
            (0..rows).map(|i| f64::from(u8::from(of.iter().all(|&j| !masks.keeps(i, j))))).collect()
        };
        let dot = |a: &[f64], b: &[f64]| (0..rows).map(|i| weights[i] * a[i] * b[i]).sum::<f64>();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let orthogonal = |basis: &[Vec<f64>], mut v: Vec<f64>| {
            // Twice, so that rounding of the first time is taken off.
            for _ in 0..2 {
                for b in basis {
                    let along = dot(&v, b);
                    v.iter_mut().zip(b).for_each(|(v, b)| *v -= along * b);
                }
            }
            v
        };
        for term in terms {
            let v = orthogonal(&basis, column(term));
            let length = dot(&v, &v).sqrt();
            basis.push(v.into_iter().map(|v| v / length).collect());
        }
        let z = orthogonal(&basis, column(&pair));
        let width = padded_f32(3);
        let along = |c: usize| {
            let kept = (0..rows).filter(|&i| fitted[i]);
            kept.map(|i| weights[i] * z[i] * f64::from(values[i * width + c])).sum::<f64>()
        };
        (0..3).map(|c| along(c) * along(c)).sum::<f64>() / dot(&z, &z)
    }

    #[test]
    fn gains_are_those_of_orthogonal_columns() {
        let (masks, values, weights) = problem(150);
        let rows: Vec<u32> = (0..150).collect();
        let kept = [0, 1, 2, 4, 5, 6];
        let mut candidates = Candidates::new(&masks, &kept, &[0, 1, 2, 3, 4, 5], (&rows, &weights));
        assert_eq!(candidates.pairs.len(), 15);
        let half: Vec<bool> = (0..150).map(|i| i % 3 != 0).collect();
        for (fitted, taken) in [(vec![true; 150], vec![]), (half, vec![[0, 1], [2, 6], [4, 5]])] {
            candidates.prepare(&taken);
            let mut terms: Vec<Vec<usize>> = vec![Vec::new()];
            terms.extend(kept.iter().map(|&j| vec![j]));
            terms.extend(taken.iter().map(|pair: &[usize; 2]| pair.to_vec()));
            let free = candidates.pairs.iter().filter(|pair| !taken.contains(pair));
            let mut expected: Vec<(f64, [usize; 2])> =
                free.map(|&pair| (naive(&masks, &values, &weights, &fitted, &terms, pair), pair)).collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0));
            let among = kept.as_slice();
            let residuals =
                Residuals { values: &values, width: padded_f32(3), classes: 3, fitted: &fitted, among, taken: &taken };
            let best = candidates.best(&residuals, 20);
            assert_eq!(best, expected.iter().map(|e| e.1).collect::<Vec<_>>());
            // Some of the features alone.
            let few = Residuals { among: &[1, 2, 4], ..residuals };
            assert!(candidates.best(&few, 20).iter().all(|pair| pair.iter().all(|j| [1, 2, 4].contains(j))));
        }
    }
}
