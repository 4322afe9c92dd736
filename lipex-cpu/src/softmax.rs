//! Rows of a softmax surrogate, a tile at a time: q, ln q and √q from tables of X = [W b]ᵀ.
//!
//! # Numerics
//! Numerators are e^(ℓ/2) of logits less their largest: their squares sum to the denominator, √q = e^(ℓ/2)/√Σ stays above 0
//! long after q = (√q)² has underflowed, and ln q = ℓ − ln Σ is always finite. Divergences are written in these three forms.
//!
//! # Shapes
//! A tile is [`TILE`] rows × `width` numbers in each form.

use crate::design::{Design, TILE, load, look_up, store};
use crate::lanes::{Aligned, Number, Simd, blocks, fused};
use lipex_core::{ErasedDivergence, Lane, QRows, Real, Wide};

/// The logit of a padding class.
const ABSENT: f64 = -1e30;

/// f32 or f64, with what a softmax and a divergence need beyond arithmetic.
pub(crate) trait Working: Number {
    /// e^(x/2) of every number. Compiled for the caller's instructions.
    fn exp_of_half<const FMA: bool>(x: &[Self], to: &mut [Self]);
    /// 1/√x and ln x of every number.
    fn scales<const FMA: bool>(x: &[Self; TILE]) -> ([Self; TILE], [Self; TILE]);
    /// The divergence's φ and ∂φ/∂ ln q for every number.
    fn terms(
        divergence: &dyn ErasedDivergence,
        p: &[Self],
        q: QRows<'_, Self>,
        smoothing: Option<f32>,
        value: &mut [Self],
        slope: &mut [Self],
    );
}

impl Working for f32 {
    /// By [`Lane`](lipex_core::Lane)'s polynomial, within 2 ULP.
    #[inline(always)]
    fn exp_of_half<const FMA: bool>(x: &[f32], to: &mut [f32]) {
        for (to, x) in to.iter_mut().zip(x) {
            *to = Lane::<FMA>(0.5 * x).exp().0;
        }
    }

    /// 1/√x and ln x of the row sums.
    #[inline(always)]
    fn scales<const FMA: bool>(x: &[f32; TILE]) -> ([f32; TILE], [f32; TILE]) {
        let (mut roots, mut logarithms) = ([0.0; TILE], [0.0; TILE]);
        for r in 0..TILE {
            roots[r] = 1.0 / x[r].sqrt();
            logarithms[r] = Lane::<FMA>(x[r]).ln().0;
        }
        (roots, logarithms)
    }

    fn terms(
        divergence: &dyn ErasedDivergence,
        p: &[f32],
        q: QRows<'_, f32>,
        smoothing: Option<f32>,
        value: &mut [f32],
        slope: &mut [f32],
    ) {
        divergence.terms(p, q, smoothing, value, slope);
    }
}

impl Working for f64 {
    /// By [`Wide`](lipex_core::Wide)'s series, within 3 ULP.
    #[inline(always)]
    fn exp_of_half<const FMA: bool>(x: &[f64], to: &mut [f64]) {
        for (to, x) in to.iter_mut().zip(x) {
            *to = Wide::<FMA>(0.5 * x).exp().0;
        }
    }

    /// 1/√x and ln x of the row sums.
    #[inline(always)]
    fn scales<const FMA: bool>(x: &[f64; TILE]) -> ([f64; TILE], [f64; TILE]) {
        let (mut roots, mut logarithms) = ([0.0; TILE], [0.0; TILE]);
        for r in 0..TILE {
            roots[r] = 1.0 / x[r].sqrt();
            logarithms[r] = Wide::<FMA>(x[r]).ln().0;
        }
        (roots, logarithms)
    }

    fn terms(
        divergence: &dyn ErasedDivergence,
        p: &[f64],
        q: QRows<'_, f64>,
        smoothing: Option<f32>,
        value: &mut [f64],
        slope: &mut [f64],
    ) {
        divergence.terms_f64(p, q, smoothing, value, slope);
    }
}

/// The numbers of a tile, rows × width each.
pub(crate) struct Tile<T> {
    /// q.
    pub q: Aligned<T>,
    /// ln q; the logits before the softmax.
    pub ln: Aligned<T>,
    /// √q.
    pub sqrt: Aligned<T>,
    /// 1 where there is a class, 0 in the padding; one row.
    pub there: Aligned<T>,
    /// What logits start from: the offset where there is a class, −10³⁰ in the padding; one row.
    base: Aligned<T>,
}

impl<T: Working> Tile<T> {
    /// Logits start from `offset`, C numbers, or from 0 where it is empty.
    pub fn new(classes: usize, width: usize, offset: &[f64]) -> Self {
        let mut there = Aligned::zeros(width);
        let mut base = Aligned::zeros(width);
        there[..classes].fill(T::of(1.0));
        base.iter_mut().zip(offset).for_each(|(b, &v)| *b = T::of(v));
        base[classes..].fill(T::of(ABSENT));
        let zeros = || Aligned::zeros(TILE * width);
        Tile { q: zeros(), ln: zeros(), sqrt: zeros(), there, base }
    }

    /// Fills tables of `x` (columns × width) whose sums are the logits.
    #[inline(always)]
    pub fn tabulate<S: Simd>(&self, simd: S, design: &Design, x: &[T], width: usize, tables: &mut [T]) {
        blocks!(width / T::lanes::<S>(), |at, K| {
            let base = load::<T, S, K>(&self.base, at);
            design.tabulate::<T, S, K>(simd, x, (width, at), base, design.block_mut::<T, S, K>(tables, at));
        });
    }

    /// Makes q, ln q and √q of up to [`TILE`] rows of the design.
    #[inline(always)]
    pub fn answer<S: Simd>(&mut self, simd: S, design: &Design, rows: &[u32], tables: &[T], width: usize) {
        self.look_up(simd, design, rows, tables, width);
        if fused::<S>() {
            self.softmax::<S, true>(simd, rows.len(), width);
        } else {
            self.softmax::<S, false>(simd, rows.len(), width);
        }
    }

    /// Puts the logits of up to [`TILE`] rows into `ln`.
    #[inline(always)]
    pub fn look_up<S: Simd>(&mut self, simd: S, design: &Design, rows: &[u32], tables: &[T], width: usize) {
        blocks!(width / T::lanes::<S>(), |at, K| {
            let tables = design.block::<T, S, K>(tables, at);
            for (&i, logits) in rows.iter().zip(self.ln.chunks_exact_mut(width)) {
                store::<T, S, K>(logits, at, look_up::<T, S, K>(simd, design.row(i as usize), tables));
            }
        });
    }

    /// Logits, in `ln`, to ln q, q and √q.
    ///
    /// # Cost
    /// Two passes over a tile in the first cache: exponentials with the row's sum, then the three forms.
    #[inline(always)]
    fn softmax<S: Simd, const FMA: bool>(&mut self, simd: S, n: usize, width: usize) {
        for row in self.ln.chunks_exact_mut(width).take(n) {
            let row = T::registers_mut::<S>(row);
            let mut tops = row[0];
            for l in &row[1..] {
                tops = T::max(simd, tops, *l);
            }
            let top = T::splat(simd, T::reduce_max(simd, tops));
            for l in row {
                *l = T::sub(simd, *l, top);
            }
        }
        // √ of the numerators first: q underflows long before its root does.
        T::exp_of_half::<FMA>(&self.ln[..n * width], &mut self.sqrt[..n * width]);
        let mut totals = [T::of(1.0); TILE];
        for (total, row) in totals.iter_mut().zip(self.sqrt.chunks_exact(width)).take(n) {
            let row = T::registers::<S>(row);
            let mut squares = T::mul(simd, row[0], row[0]);
            for s in &row[1..] {
                squares = T::mul_add(simd, *s, *s, squares);
            }
            *total = T::reduce_sum(simd, squares);
        }
        let (scales, logarithms) = T::scales::<FMA>(&totals);
        let rows = self.ln.chunks_exact_mut(width).zip(self.sqrt.chunks_exact_mut(width));
        for (r, ((ln, sqrt), q)) in rows.zip(self.q.chunks_exact_mut(width)).enumerate().take(n) {
            let (scale, logarithm) = (T::splat(simd, scales[r]), T::splat(simd, logarithms[r]));
            let (ln, sqrt) = (T::registers_mut::<S>(ln), T::registers_mut::<S>(sqrt));
            for ((l, s), q) in ln.iter_mut().zip(sqrt).zip(T::registers_mut::<S>(q)) {
                *l = T::sub(simd, *l, logarithm);
                *s = T::mul(simd, *s, scale);
                *q = T::mul(simd, *s, *s);
            }
        }
    }
}
