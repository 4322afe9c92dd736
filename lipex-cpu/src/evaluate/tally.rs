//! Agreement of a surrogate's rows with the black box's, a tile of rows at a time, in f64.
//!
//! # Shapes
//! A tile holds [`TILE`] rows of C numbers, padded: p of the black box, q, ln q and √q of the surrogate.
//!
//! # Numerics
//! TV = ½ Σ |p − q|, H² = ½ Σ (√p − √q)² and KL = Σ p (ln p − ln q) are of logarithms and roots that come from the logits, so that a q that
//! underflows still has its logarithm. A surrogate that may leave the simplex (a ridge) is clipped to at least 10⁻⁷ and
//! divided by its sum for H² and KL alone; how often it left it is counted. R² of a class is 1 − Σ w (p − q)²/Σ w (p − p̄)²,
//! and 0 for a class that does not vary.

use crate::Cpu;
use crate::design::{Columns, Design, TILE};
use crate::lanes::{Aligned, Simd, WithSimd, fused, padded_f64, vectorised};
use crate::softmax::Tile;
use lipex_core::{Agreement, Answer, Linear, Link, Masks, Neighbourhood, Real, Result, Wide, arg_max, expect_len};

/// The least probability that a row of a ridge is clipped to before H² and KL.
const FLOOR: f64 = 1e-7;

/// Weighted sums over rows.
#[derive(Default)]
pub(super) struct Tally {
    /// Σ of weight times the row's distances.
    sum: Agreement,
    /// Σ of the weights.
    pub weight: f64,
    /// Of each class: Σ w p, Σ w p², Σ w (p − q)².
    squares: [Aligned<f64>; 3],
    /// C.
    classes: usize,
}

/// The design of an answer: its kept features and an intercept, or what is removed of them and its pairs where it has some.
///
/// An answer of a user's own has a design too, which is then not used.
pub(super) fn design(masks: &Masks<Cpu>, answer: &Answer) -> Design {
    let pairs: Vec<[usize; 2]> = answer.pairs().iter().map(|pair| pair.features).collect();
    if pairs.is_empty() {
        return Design::new(masks, Columns::kept(answer.kept(), true));
    }
    Design::new(masks, Columns::removed(answer.kept(), true, &pairs))
}

/// The coefficients of a linear answer on its [`design`], columns × width.
///
/// # Shapes
/// A row of C numbers, padded, for each column of the design: W and b, or −W, the logits at the whole instance, and V.
fn columns(linear: &Linear, width: usize) -> Aligned<f64> {
    let rows: Vec<Vec<f64>> = match linear.presence() {
        Some((matrix, b)) => matrix.iter().zip(b).map(|(row, b)| row.iter().copied().chain([b]).collect()).collect(),
        None => {
            let of = |pairs: bool, sign: f64| {
                let terms =
                    linear.terms().iter().enumerate().filter(move |(_, term)| term.as_pair().is_some() == pairs);
                terms.map(move |(t, _)| (t, sign)).collect::<Vec<_>>()
            };
            let (singles, pairs) = (of(false, -1.0), of(true, 1.0));
            let row = |(row, whole): (&Vec<f64>, f64)| {
                let value = |&(t, sign): &(usize, f64)| sign * row[t];
                singles.iter().map(value).chain([whole]).chain(pairs.iter().map(value)).collect()
            };
            linear.coefficients().iter().zip(linear.whole()).map(row).collect()
        }
    };
    let mut x = Aligned::zeros(rows.first().map_or(0, Vec::len) * width);
    for (c, row) in rows.iter().enumerate() {
        x.iter_mut().skip(c).step_by(width).zip(row).for_each(|(x, v)| *x = *v);
    }
    x
}

/// Whether a linear answer has a term for each kept feature, in order, before its pairs: what [`design`] and [`columns`] take.
fn is_plain(linear: &Linear) -> bool {
    let singles = linear.terms().iter().filter(|term| term.as_pair().is_none());
    singles.map(|term| term.features()[0]).eq(linear.kept().iter().copied())
}

impl Tally {
    /// Adds some rows of an answer on its [`design`].
    pub fn add(
        &mut self,
        design: &Design,
        around: &Neighbourhood<Cpu>,
        answer: &Answer,
        rows: &[u32],
        weight: impl Fn(u32) -> f64,
    ) -> Result<()> {
        self.classes = around.probabilities.classes();
        let width = padded_f64(self.classes);
        if self.squares[0].is_empty() {
            self.squares = std::array::from_fn(|_| Aligned::zeros(width));
        }
        let Some(linear) = answer.linear().filter(|linear| is_plain(linear)) else {
            return self.add_answers(around, answer, rows, weight);
        };
        let x = columns(linear, width);
        let weights: Vec<f64> = rows.iter().map(|&i| weight(i)).collect();
        vectorised(Rows { tally: self, design, around, link: answer.link(), x: &x, rows, weights: &weights, width });
        Ok(())
    }

    /// Adds some rows of an answer that no design has, one by one.
    ///
    /// A user's own answer may cost anything, so it is asked row by row and nothing is asked twice within a call.
    fn add_answers(
        &mut self,
        around: &Neighbourhood<Cpu>,
        answer: &Answer,
        rows: &[u32],
        weight: impl Fn(u32) -> f64,
    ) -> Result<()> {
        let (mut ln_q, mut sqrt_q) = (vec![0.0; self.classes], vec![0.0; self.classes]);
        for &i in rows {
            let q = answer.predict_all(around.masks.row(i as usize), around.masks.features())?;
            expect_len("classes of the surrogate's answer", self.classes, q.len())?;
            if around.probabilities.is_independent() {
                let p: Vec<f64> = around.probabilities.row(i as usize).iter().map(|&p| f64::from(p)).collect();
                self.add_labels(&p, &q, weight(i));
                continue;
            }
            onto_simplex(&q, &mut ln_q, &mut sqrt_q);
            if answer.link() == Link::Softmax {
                ln_q.iter_mut().zip(&q).for_each(|(l, q)| *l = q.max(f64::MIN_POSITIVE).ln());
                sqrt_q.iter_mut().zip(&q).for_each(|(s, q)| *s = q.sqrt());
            }
            let p: Vec<f64> = around.probabilities.row(i as usize).iter().map(|&p| f64::from(p)).collect();
            self.add_row(&p, &q, (&ln_q, &sqrt_q), weight(i));
        }
        Ok(())
    }

    /// Adds one row of independent labels: the mean over labels, each against not that label.
    fn add_labels(&mut self, p: &[f64], q: &[f64], weight: f64) {
        let each = weight / self.classes.max(1) as f64;
        for (&p, &q) in p.iter().zip(q) {
            let (p, q) = ([p, 1.0 - p], [q, 1.0 - q]);
            let (mut ln_q, mut sqrt_q) = ([0.0; 2], [0.0; 2]);
            onto_simplex(&q, &mut ln_q, &mut sqrt_q);
            self.add_distances(&p, &q, (&ln_q, &sqrt_q), each);
        }
        self.add_squares(p, q, weight);
        self.weight += weight;
    }

    /// Adds one row, from its probabilities and those of the surrogate in all three forms.
    fn add_row(&mut self, p: &[f64], q: &[f64], forms: (&[f64], &[f64]), weight: f64) {
        self.add_distances(p, q, forms, weight);
        self.add_squares(p, q, weight);
        self.weight += weight;
    }

    /// Adds to what R² is made of.
    fn add_squares(&mut self, p: &[f64], q: &[f64], weight: f64) {
        let [sums, squares, residuals] = &mut self.squares;
        for (c, (p, q)) in p.iter().zip(q).enumerate() {
            sums[c] += weight * p;
            squares[c] += weight * p * p;
            residuals[c] += weight * (p - q) * (p - q);
        }
    }

    /// Adds the distances of a row.
    fn add_distances(&mut self, p: &[f64], q: &[f64], (ln_q, sqrt_q): (&[f64], &[f64]), weight: f64) {
        let mut row = Agreement { arg_max: f64::from(u8::from(arg_max(p) == arg_max(q))), ..Agreement::default() };
        for c in 0..p.len() {
            row.tv += 0.5 * (p[c] - q[c]).abs();
            row.hellinger += 0.5 * (p[c].sqrt() - sqrt_q[c]).powi(2);
            row.kl += p[c] * (p[c].max(f64::MIN_POSITIVE).ln() - ln_q[c]);
        }
        row.off_simplex = f64::from(u8::from(q.iter().any(|q| !(0.0..=1.0).contains(q))));
        let sum = &mut self.sum;
        sum.tv += weight * row.tv;
        sum.hellinger += weight * row.hellinger;
        sum.kl += weight * row.kl;
        sum.arg_max += weight * row.arg_max;
        sum.off_simplex += weight * row.off_simplex;
    }

    /// The weighted means; zeros where no row had a weight.
    pub fn mean(&self) -> Agreement {
        let s = &self.sum;
        // Without any weight nothing was measured; 0/0 would not survive a file.
        let w = if self.weight > 0.0 { self.weight } else { 1.0 };
        Agreement {
            tv: s.tv / w,
            hellinger: s.hellinger / w,
            // Below 0 by rounding alone.
            kl: (s.kl / w).max(0.0),
            arg_max: s.arg_max / w,
            off_simplex: s.off_simplex / w,
        }
    }

    /// R² of each class.
    pub fn r2(&self) -> Vec<f64> {
        let one = |c: usize| {
            let [p, p2, residual] = [0, 1, 2].map(|k| self.squares[k][c]);
            let spread = p2 - p * p / self.weight;
            // What is left of a constant class is rounding.
            if spread > 1e-12 * p2 { 1.0 - residual / spread } else { 0.0 }
        };
        (0..self.classes).map(one).collect()
    }
}

/// Some rows of a linear answer, worked on a tile at a time.
struct Rows<'a> {
    /// Where they are added.
    tally: &'a mut Tally,
    /// The columns of the answer.
    design: &'a Design,
    /// The masks with the black box's answers.
    around: &'a Neighbourhood<Cpu>,
    /// How scores become probabilities.
    link: Link,
    /// The coefficients on the design, K × width.
    x: &'a [f64],
    /// The rows to add, by number.
    rows: &'a [u32],
    /// What each of them weighs.
    weights: &'a [f64],
    /// Numbers in a row: C and padding.
    width: usize,
}

/// The black box's rows of a tile, and the surrogate's as they are; the tile has the surrogate's on the simplex.
struct Pair {
    /// P of the tile, rows × width.
    p: Aligned<f64>,
    /// ln P, with ln of the smallest number for a 0, which P then multiplies away.
    ln_p: Aligned<f64>,
    /// √P.
    sqrt_p: Aligned<f64>,
    /// The surrogate's answers as they are, for TV and the arg max.
    answer: Aligned<f64>,
}

impl WithSimd for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = self.width;
        let mut tile: Tile<f64> = Tile::new(self.tally.classes, width, &[]);
        let mut tables = Aligned::zeros(self.design.table_len(width));
        tile.tabulate(simd, self.design, self.x, width, &mut tables);
        let zeros = || Aligned::zeros(TILE * width);
        let mut pair = Pair { p: zeros(), ln_p: zeros(), sqrt_p: zeros(), answer: zeros() };
        for (rows, weights) in self.rows.chunks(TILE).zip(self.weights.chunks(TILE)) {
            let flat = rows.len() * width;
            for (p, &i) in pair.p.chunks_exact_mut(width).zip(rows) {
                let own = self.around.probabilities.row(i as usize);
                p.iter_mut().zip(own).for_each(|(p, &v)| *p = f64::from(v));
            }
            if fused::<S>() {
                logarithms::<true>(&pair.p[..flat], &mut pair.ln_p);
            } else {
                logarithms::<false>(&pair.p[..flat], &mut pair.ln_p);
            }
            pair.sqrt_p.iter_mut().zip(&pair.p[..flat]).for_each(|(s, p)| *s = p.sqrt());
            if self.link == Link::Softmax {
                tile.answer(simd, self.design, rows, &tables, width);
                pair.answer[..flat].copy_from_slice(&tile.q[..flat]);
            } else {
                tile.look_up(simd, self.design, rows, &tables, width);
                pair.answer[..flat].copy_from_slice(&tile.ln[..flat]);
                for (r, answer) in pair.answer[..flat].chunks_exact_mut(width).enumerate() {
                    answer[self.tally.classes..].fill(0.0);
                    let row = r * width..r * width + self.tally.classes;
                    onto_simplex(&answer[..self.tally.classes], &mut tile.ln[row.clone()], &mut tile.sqrt[row]);
                }
            }
            for (r, &weight) in weights.iter().enumerate() {
                self.row(simd, &tile, &pair, r * width..(r + 1) * width, weight);
            }
        }
    }
}

impl Rows<'_> {
    /// Adds one row of a tile.
    #[inline(always)]
    fn row<S: Simd>(&mut self, simd: S, tile: &Tile<f64>, pair: &Pair, row: std::ops::Range<usize>, weight: f64) {
        let (p, ln_p, sqrt_p) = (
            S::as_simd_f64s(&pair.p[row.clone()]).0,
            S::as_simd_f64s(&pair.ln_p[row.clone()]).0,
            S::as_simd_f64s(&pair.sqrt_p[row.clone()]).0,
        );
        let (answer, ln_q, sqrt_q) = (
            S::as_simd_f64s(&pair.answer[row.clone()]).0,
            S::as_simd_f64s(&tile.ln[row.clone()]).0,
            S::as_simd_f64s(&tile.sqrt[row.clone()]).0,
        );
        let zero = simd.splat_f64s(0.0);
        let (w, mut tv, mut hellinger, mut kl) = (simd.splat_f64s(weight), zero, zero, zero);
        let [sums, squares, residuals] = &mut self.tally.squares;
        let sums = S::as_mut_simd_f64s(sums).0;
        let squares = S::as_mut_simd_f64s(squares).0;
        let residuals = S::as_mut_simd_f64s(residuals).0;
        for k in 0..p.len() {
            let off = simd.sub_f64s(p[k], answer[k]);
            tv = simd.add_f64s(tv, simd.max_f64s(off, simd.sub_f64s(zero, off)));
            let root = simd.sub_f64s(sqrt_p[k], sqrt_q[k]);
            hellinger = simd.mul_add_e_f64s(root, root, hellinger);
            kl = simd.mul_add_e_f64s(p[k], simd.sub_f64s(ln_p[k], ln_q[k]), kl);
            let weighted = simd.mul_f64s(w, p[k]);
            sums[k] = simd.add_f64s(sums[k], weighted);
            squares[k] = simd.mul_add_e_f64s(weighted, p[k], squares[k]);
            residuals[k] = simd.mul_add_e_f64s(simd.mul_f64s(w, off), off, residuals[k]);
        }
        let (p, answer) = (&pair.p[row.clone()][..self.tally.classes], &pair.answer[row][..self.tally.classes]);
        let off_simplex = self.link == Link::Identity && answer.iter().any(|q| !(0.0..=1.0).contains(q));
        let sum = &mut self.tally.sum;
        sum.tv += weight * 0.5 * simd.reduce_sum_f64s(tv);
        sum.hellinger += weight * 0.5 * simd.reduce_sum_f64s(hellinger);
        sum.kl += weight * simd.reduce_sum_f64s(kl);
        sum.arg_max += if arg_max(p) == arg_max(answer) { weight } else { 0.0 };
        sum.off_simplex += if off_simplex { weight } else { 0.0 };
        self.tally.weight += weight;
    }
}

/// ln of every number, by the polynomial of [`Wide`](lipex_core::Wide), compiled for the caller's instructions.
#[inline(always)]
fn logarithms<const FMA: bool>(x: &[f64], to: &mut [f64]) {
    to.iter_mut().zip(x).for_each(|(to, x)| *to = Wide::<FMA>(*x).ln().0);
}

/// ln q and √q of a ridge's row, clipped and divided by its sum.
fn onto_simplex(answer: &[f64], ln: &mut [f64], sqrt: &mut [f64]) {
    let sum: f64 = answer.iter().map(|q| q.max(FLOOR)).sum();
    for ((l, s), q) in ln.iter_mut().zip(sqrt).zip(answer) {
        let q = q.max(FLOOR) / sum;
        (*l, *s) = (q.ln(), q.sqrt());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::{Base, OwnAnswer, Probabilities, Term, Weights};
    use std::sync::Arc;

    /// The tally of one row in which the surrogate answers `scores` by its intercept alone.
    fn tally(p: [f32; 2], scores: [f64; 2], link: Link) -> Tally {
        let on = Cpu::new();
        let around = Neighbourhood::new(
            &on,
            Masks::new(&on, 1, 1, vec![1]).unwrap(),
            Probabilities::new(&on, 1, 2, p.to_vec()).unwrap(),
            Weights::new(vec![1.0]),
        )
        .unwrap();
        let (kept, matrix, support) = (vec![0], vec![vec![0.0]; 2], vec![vec![0]; 2]);
        let linear = Linear::from_presence(kept.clone(), matrix, Some(scores.to_vec()), support, link).unwrap();
        let mut tally = Tally::default();
        tally
            .add(&Design::new(&around.masks, Columns::kept(&kept, true)), &around, &linear.into(), &[0], |_| 2.0)
            .unwrap();
        tally
    }

    #[test]
    fn hand_computed_agreement() {
        let a = tally([0.75, 0.25], [0.25f64.ln(), 0.75f64.ln()], Link::Softmax).mean();
        assert!((a.tv - 0.5).abs() < 1e-15);
        assert_eq!((a.arg_max, a.off_simplex), (0.0, 0.0));
        assert!((a.hellinger - (1.0 - 2.0 * (0.75f64 * 0.25).sqrt())).abs() < 1e-12);
        assert!((a.kl - 0.5 * 3f64.ln()).abs() < 1e-12);
        let ridge = tally([1.0, 0.0], [1.25, -0.25], Link::Identity).mean();
        assert_eq!((ridge.tv, ridge.arg_max, ridge.off_simplex), (0.25, 1.0, 1.0));
        assert!(ridge.kl.is_finite() && ridge.kl < 1e-6);
        let exact = tally([1.0, 0.0], [800.0, -800.0], Link::Softmax).mean();
        assert!(exact.kl.abs() < 1e-15 && exact.hellinger < 1e-15 && exact.arg_max == 1.0);
    }

    /// A softmax without pairs as a user's own answer, which goes row by row.
    #[derive(Debug)]
    struct Wrapped(Linear);

    impl OwnAnswer for Wrapped {
        fn kept(&self) -> &[usize] {
            self.0.kept()
        }

        fn classes(&self) -> usize {
            self.0.coefficients().len()
        }

        fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
            self.0.predict(keeps)
        }

        fn shares(&self) -> Vec<Vec<f64>> {
            self.0.shares().into_matrix()
        }

        fn link(&self) -> Link {
            self.0.link()
        }
    }

    #[test]
    fn answers_row_by_row_are_those_of_the_design() {
        let on = Cpu::new();
        let p: Vec<f32> = (0..8).flat_map(|i| [0.1 * i as f32, 0.9 - 0.1 * i as f32, 0.1]).collect();
        let around = Neighbourhood::new(
            &on,
            Masks::new(&on, 8, 3, (0..8).map(|i| 7 - i).collect()).unwrap(),
            Probabilities::new(&on, 8, 3, p).unwrap(),
            Weights::new((1..9).map(|w| w as f32).collect()),
        )
        .unwrap();
        let rows: Vec<u32> = (0..8).collect();
        for link in [Link::Softmax, Link::Identity] {
            let (matrix, support) = (vec![vec![0.5, -1.0], vec![0.25, 1.0], vec![-0.75, 0.0]], vec![vec![0, 1]; 3]);
            let linear = Linear::from_presence(vec![0, 2], matrix, Some(vec![0.4, 0.3, 0.2]), support, link).unwrap();
            let of = |answer: Answer| {
                let mut tally = Tally::default();
                let design = design(&around.masks, &answer);
                let weight = |i: u32| f64::from(around.weights.values()[i as usize]);
                tally.add(&design, &around, &answer, &rows, weight).unwrap();
                let m = tally.mean();
                [vec![m.tv, m.hellinger, m.kl, m.arg_max, m.off_simplex, tally.weight], tally.r2()].concat()
            };
            let terms = vec![Term::one(0), Term::one(2), Term::pair(0, 2).unwrap()];
            let coefficients = vec![vec![0.5, -0.7, 0.3], vec![0.25, 0.5, -0.4], vec![-0.75, 0.2, 0.1]];
            let base = Base::Anchored(vec![0.5, 0.3, 0.2]);
            let pairs = Linear::new(vec![0, 2], terms, coefficients, base, vec![vec![0, 1]; 3], link).unwrap();
            for linear in [linear, pairs] {
                let (fast, slow) = (of(linear.clone().into()), of(Arc::new(Wrapped(linear)).into()));
                assert!(fast.iter().zip(&slow).all(|(a, b)| (a - b).abs() < 1e-12), "{link:?}: {fast:?} {slow:?}");
                assert!(fast[0] > 0.1);
            }
        }
    }
}
