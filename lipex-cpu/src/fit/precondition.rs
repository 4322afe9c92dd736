//! The approximate inverse Hessian that the solver starts from: for each class
//! M_c = Zᵀ diag(κ π max(v_c, 10⁻⁴)/n) Z + λI, factored, between two centrings over classes.
//!
//! v is p(1 − p); where the surrogate is known, the mean of that and of q(1 − q). All classes' Grams are made at once, by look-up: an
//! entry is a sum of weights over the rows that have both columns.
//!
//! # Shapes
//! Grams are lower triangles row by row, K(K + 1)/2 entries of `width` numbers: the classes lie side by side, so that one
//! factorisation works on all of them in registers. A full factor takes 4·K(K + 1)/2·width bytes; beyond [`MOST_BYTES`] the
//! diagonal alone serves.
//!
//! # Why it is right
//! For a divergence with curvature κ the Hessian at p = q is κ Zᵀ diag(π (diag q − qqᵀ)) Z/n. Its diagonal blocks are κ Σ π
//! q_c(1 − q_c) z zᵀ/n; the blocks between classes are left out, and centring before and after makes up for the common shift
//! that they carry.
//!
//! # Cost
//! Grams: K²/2 sums over at most [`MOST_ROWS`] rows, by look-up; factor: K³/6 a class. [`Preconditioner::worth`] says to how
//! many evaluations that comes.
//!
//! # Numerics
//! In f32: a preconditioner only has to be near. Pivots are kept above 0, so every M is positive definite.
//!
//! # Source
//! Nocedal and Wright, Numerical Optimization, section 7.1 (preconditioning of inexact Newton methods).

mod border;

pub(crate) use border::Border;

use super::kinks::secant_curvatures;
use super::objective::Objective;
use crate::design::{
    ByColumn, ROW_GROUPS, TILE, add, add_rows, load, row_tables_len, store, tables_mut, tabulate_rows, transposed,
};
use crate::lanes::{Aligned, Number, Simd, WithSimd, blocks, fused, vectorised, vectorised_rows};
use lipex_core::least_anchor;
use std::borrow::Cow;
use std::ops::Range;

/// The least p(1 − p) of a row.
const FLOOR: f32 = 1e-4;
/// The least p whose logarithm the start is fitted to.
const LEAST: f32 = 1e-6;
/// Most rows that the Grams are summed over; with more, an evenly spaced part of them stands for all.
const MOST_ROWS: usize = 4096;
/// Most bytes of Grams; beyond, their diagonals must do.
const MOST_BYTES: usize = 256 << 20;

type Register<S> = <f32 as Number>::Register<S>;

/// M⁻¹ of every class.
pub(crate) struct Preconditioner {
    /// Classes and padding.
    width: usize,
    /// K.
    columns: usize,
    /// C.
    classes: usize,
    /// M factored, or its diagonal.
    factor: Factor,
}

/// How M is kept.
enum Factor {
    /// Cholesky factors, lower triangles row by row, (columns·(columns + 1)/2) × width; the diagonal is inverted.
    Full(Aligned<f32>),
    /// Inverted diagonals, columns × width.
    Diagonal(Aligned<f32>),
}

/// Row `i`, column `j` ≤ `i` of a lower triangle.
#[inline(always)]
fn entry(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// The rows that a preconditioner is made from, with the factor that each stands for.
struct Picked<'a> {
    /// Their numbers.
    rows: Vec<u32>,
    /// Their patterns by column; the objective's own where all rows are taken.
    by_column: Cow<'a, ByColumn>,
    /// κ π·m/n, times the number of rows that one stands for.
    scales: Vec<f32>,
    /// κ of the divergence, or its curvature at p = q = ½ where that depends on p.
    kappa: f64,
}

impl<'a> Picked<'a> {
    /// All rows, or an evenly spaced part of at least [`MOST_ROWS`].
    fn of(o: &'a Objective<'_>) -> Self {
        // An odd step, so that neither row of a pair of complements is favoured.
        let count = o.rows.len();
        let step = if count > MOST_ROWS { (count / MOST_ROWS) | 1 } else { 1 };
        // A divergence without one curvature is taken by its curvature at ½.
        let kappa = o.divergence.kappa().unwrap_or_else(|| {
            let (_, slope, second) = o.divergence.derivatives(0.5, 0.5f64.ln(), None);
            ((second - slope) / 0.5).abs().max(1e-3)
        });
        let factor = kappa * step as f64;
        let rows: Vec<u32> = o.rows.iter().step_by(step).copied().collect();
        let by_column =
            if step == 1 { Cow::Borrowed(&o.by_column) } else { Cow::Owned(ByColumn::new(o.design, &rows)) };
        Picked { rows, by_column, scales: o.weights.iter().step_by(step).map(|w| (factor * w) as f32).collect(), kappa }
    }
}

impl Preconditioner {
    /// From P, with a start: each class's weighted least squares of ln p, without couplings between classes.
    ///
    /// # Why this start
    /// For logits that are linear in the masks, least squares of ln p finds them exactly; the centring over classes takes off
    /// what the softmax's denominator adds.
    pub fn cold(o: &Objective<'_>) -> (Self, Vec<f64>) {
        let picked = Picked::of(o);
        let (curvatures, targets) = rows_of(o, &picked);
        let made = Self::from_curvatures(o, &picked.by_column, &curvatures);
        let start = transposed(&picked.by_column, &targets, o.width);
        let mut x: Vec<f64> = start.iter().map(|&v| f64::from(v)).collect();
        made.solve(&mut x);
        o.centre(&mut x);
        (made, x)
    }

    /// From the surrogate's answers at `x`.
    ///
    /// Used where a start is given and where a run has spent as many evaluations as making one costs.
    pub fn at(o: &Objective<'_>, x: &[f64]) -> Self {
        let picked = Picked::of(o);
        let mut curvatures = o.answers(x, &picked.rows);
        match o.smoothing() {
            Some(width) => {
                secant_curvatures(
                    o,
                    &picked.rows,
                    (&picked.scales, picked.kappa as f32),
                    (width, FLOOR),
                    &mut curvatures,
                );
            }
            None => spread(o, &picked, &mut curvatures),
        }
        Self::from_curvatures(o, &picked.by_column, &curvatures)
    }

    /// M from a weight a row and class, factored.
    fn from_curvatures(o: &Objective<'_>, rows: &ByColumn, curvatures: &[f32]) -> Self {
        let (columns, width) = (o.design.columns(), o.width);
        let entries = columns * (columns + 1) / 2 * width;
        let factor = if entries * size_of::<f32>() <= MOST_BYTES {
            let (mut a, penalties) = (Aligned::zeros(entries), penalties(o));
            let grams = Grams { rows, columns: 0..columns, width, weights: curvatures, a: &mut a };
            vectorised_rows::<f32, _>(width, grams);
            let cholesky = Cholesky { columns: 0..columns, width, penalties: &penalties, a: &mut a };
            vectorised_rows::<f32, _>(width, cholesky);
            Factor::Full(a)
        } else {
            let mut diagonal = transposed(rows, curvatures, width);
            for (v, penalty) in diagonal.iter_mut().zip(&*penalties(o)) {
                *v = 1.0 / (*v + penalty).max(1e-20);
            }
            Factor::Diagonal(diagonal)
        };
        Preconditioner { width, columns, classes: o.classes, factor }
    }

    /// Evaluations of the objective that cost as much as making one of these, from the operations of both.
    pub fn worth(&self, o: &Objective<'_>) -> usize {
        let (groups, rows, columns) = (o.design.groups(), o.rows.len(), self.columns);
        let evaluation = rows * (2 * groups + 40);
        let grams = columns * columns / 2 * rows.min(MOST_ROWS) / 4;
        match self.factor {
            Factor::Full(_) => (grams + columns * columns * columns / 6) / evaluation.max(1),
            Factor::Diagonal(_) => 1,
        }
    }

    /// Replaces `v` by M⁻¹v, centred over classes before and after.
    ///
    /// # Numerics
    /// In f32, as M is; the solver's vectors stay f64.
    pub fn apply(&self, o: &Objective<'_>, v: &mut [f64]) {
        o.centre(v);
        self.solve(v);
        o.centre(v);
    }

    /// Replaces `v` by M⁻¹v.
    fn solve(&self, v: &mut [f64]) {
        match &self.factor {
            Factor::Full(a) => {
                let mut b = Aligned::zeros(v.len());
                b.iter_mut().zip(&*v).for_each(|(b, v)| *b = *v as f32);
                vectorised_rows::<f32, _>(self.width, Solve { columns: self.columns, width: self.width, a, b: &mut b });
                v.iter_mut().zip(&*b).for_each(|(v, b)| *v = f64::from(*b));
            }
            Factor::Diagonal(d) => v.iter_mut().zip(&**d).for_each(|(v, d)| *v *= f64::from(*d)),
        }
        v.chunks_exact_mut(self.width).for_each(|column| column[self.classes..].fill(0.0));
    }
}

/// The penalty of each class on each column, columns × padded classes.
fn penalties(o: &Objective<'_>) -> Aligned<f32> {
    let mut out: Aligned<f32> = Aligned::zeros(o.len());
    for (j, (column, penalty)) in out.chunks_exact_mut(o.width).zip(&o.penalties).enumerate() {
        column.fill(*penalty as f32);
        column.iter_mut().zip(o.shares(j)).for_each(|(c, share)| *c = (penalty * share) as f32);
    }
    out
}

/// Replaces q, picked rows × padded classes, by the weights κ π max(v, floor)/n, v the mean of p(1 − p) and of q(1 − q).
fn spread(o: &Objective<'_>, picked: &Picked<'_>, q: &mut [f32]) {
    for ((q, &i), scale) in q.chunks_exact_mut(o.width).zip(&picked.rows).zip(&picked.scales) {
        let p = &o.p[i as usize * o.width..][..o.width];
        for (q, p) in q[..o.classes].iter_mut().zip(p) {
            let spread = 0.5 * (*q * (1.0 - *q) + p * (1.0 - p));
            *q = scale * spread.max(FLOOR);
        }
        q[o.classes..].fill(0.0);
    }
}

/// For each picked row the weights κ π max(p(1−p), floor)/n, and those times the centred ln max(p, 10⁻⁶); of an anchored fit
/// those times what ln max(p, ε) has beyond ln max(P₀, ε), ε the least that the anchor lets stand. With two unequal floors
/// a start could be thousands of times the optimum.
///
/// # Shapes
/// Picked rows × padded classes, both.
fn rows_of(o: &Objective<'_>, picked: &Picked<'_>) -> (Aligned<f32>, Aligned<f32>) {
    let mut curvatures = Aligned::zeros(picked.rows.len() * o.width);
    let mut targets = Aligned::zeros(picked.rows.len() * o.width);
    vectorised(Start { o, picked, curvatures: &mut curvatures, targets: &mut targets });
    (curvatures, targets)
}

/// Makes what [`rows_of`] gives, on the widest registers.
struct Start<'a, 'b> {
    /// The objective.
    o: &'a Objective<'b>,
    /// The rows.
    picked: &'a Picked<'b>,
    /// The weights, a row each.
    curvatures: &'a mut [f32],
    /// The weights times centred logarithms.
    targets: &'a mut [f32],
}

impl WithSimd for Start<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        use lipex_core::{Lane, Real};
        let Start { o, picked, curvatures, targets } = self;
        let least = if o.offset.is_empty() { LEAST } else { least_anchor(o.classes) as f32 };
        let mut given = vec![0f32; o.width];
        given.iter_mut().zip(o.offset).for_each(|(g, &v)| *g = v as f32);
        let rows = picked.rows.iter().zip(&picked.scales);
        let places = curvatures.chunks_exact_mut(o.width).zip(targets.chunks_exact_mut(o.width));
        for ((&i, &w), (curvature, target)) in rows.zip(places) {
            let p = &o.p[i as usize * o.width..(i as usize + 1) * o.width];
            for (t, &p) in target.iter_mut().zip(p) {
                let p = if p > least { p } else { least };
                *t = if fused::<S>() { Lane::<true>(p).ln().0 } else { Lane::<false>(p).ln().0 };
            }
            let mean = target[..o.classes].iter().sum::<f32>() / o.classes as f32;
            for (((c, t), &p), given) in curvature.iter_mut().zip(target.iter_mut()).zip(p).zip(&given) {
                let v = p * (1.0 - p);
                *c = w * if v > FLOOR { v } else { FLOOR };
                *t = (*t - mean - given) * *c;
            }
            curvature[o.classes..].fill(0.0);
            target[o.classes..].fill(0.0);
        }
    }
}

/// Some rows of the lower triangles of Zᵀ diag(w_c) Z, all classes at once; `a` begins with the first of them.
struct Grams<'a> {
    /// The masks' patterns by column.
    rows: &'a ByColumn,
    /// The rows of the triangle to make.
    columns: Range<usize>,
    /// Classes and padding.
    width: usize,
    /// w, a row each.
    weights: &'a [f32],
    /// The triangle, from the first of `columns` on.
    a: &'a mut [f32],
}

impl WithSimd for Grams<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Grams { rows, columns, width, weights, a } = self;
        let skip = entry(columns.start, 0);
        // Two tiles at a time, so that sums are loaded and stored half as often.
        let mut tables = Aligned::zeros(2 * row_tables_len::<f32, S, 4>());
        for (pair, weights) in weights.chunks(2 * TILE * width).enumerate() {
            let (one, two) = weights.split_at(weights.len().min(TILE * width));
            let first = rows.tile(2 * pair);
            let second = if two.is_empty() { first } else { rows.tile(2 * pair + 1) };
            blocks!(width / S::F32_LANES, |at, K| {
                let tables = tables_mut::<f32, S, K>(&mut tables);
                tabulate_rows::<f32, S, K>(simd, one, (width, at), &mut tables[..ROW_GROUPS]);
                tabulate_rows::<f32, S, K>(simd, two, (width, at), &mut tables[ROW_GROUPS..2 * ROW_GROUPS]);
                let (tables, _) = tables.as_chunks::<ROW_GROUPS>();
                for i in columns.clone() {
                    let row = (entry(i, 0) - skip) * width..(entry(i + 1, 0) - skip) * width;
                    let entries = a[row].chunks_exact_mut(width);
                    for (j, sums) in entries.enumerate() {
                        // Rows of both columns: where both patterns have a bit.
                        let both = and(first[i], first[j]);
                        let sum = add_rows::<f32, S, K>(simd, &both, &tables[0], load::<f32, S, K>(sums, at));
                        let both = and(second[i], second[j]);
                        store::<f32, S, K>(sums, at, add_rows::<f32, S, K>(simd, &both, &tables[1], sum));
                    }
                }
            });
        }
    }
}

/// The rows that both columns have, a bit each.
#[inline(always)]
fn and(a: [u8; ROW_GROUPS], b: [u8; ROW_GROUPS]) -> [u8; ROW_GROUPS] {
    (u64::from_le_bytes(a) & u64::from_le_bytes(b)).to_le_bytes()
}

/// Factors M = Gram + penalties in place, each class for itself; pivots are kept well above 0. Rows before the first of
/// `columns` are a factor already.
struct Cholesky<'a> {
    /// The rows of the triangle to factor.
    columns: Range<usize>,
    /// Classes and padding.
    width: usize,
    /// The penalty of each class on each column.
    penalties: &'a [f32],
    /// The triangle: the Gram in, the factor out.
    a: &'a mut [f32],
}

/// Entries of a row of the factor that are made together, so that one load of the row serves all of them.
const TOGETHER: usize = 4;

impl WithSimd for Cholesky<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        blocks!(self.width / S::F32_LANES, |at, K| {
            for i in self.columns.clone() {
                let mut j = 0;
                while j + TOGETHER <= i {
                    self.entries::<S, K>(simd, i, j, at);
                    j += TOGETHER;
                }
                while j < i {
                    self.entry::<S, K>(simd, i, j, at);
                    j += 1;
                }
                self.diagonal::<S, K>(simd, i, at);
            }
        });
    }
}

impl Cholesky<'_> {
    /// L_ij of a block of registers.
    #[inline(always)]
    fn get<S: Simd, const K: usize>(&self, i: usize, j: usize, at: usize) -> [Register<S>; K] {
        load::<f32, S, K>(&self.a[entry(i, j) * self.width..], at)
    }

    /// Writes L_ij of a block of registers.
    #[inline(always)]
    fn put<S: Simd, const K: usize>(&mut self, i: usize, j: usize, at: usize, values: [Register<S>; K]) {
        store::<f32, S, K>(&mut self.a[entry(i, j) * self.width..], at, values);
    }

    /// L_ij … L_i,j+3.
    #[inline(always)]
    fn entries<S: Simd, const K: usize>(&mut self, simd: S, i: usize, j: usize, at: usize) {
        let width = self.width;
        let mut sums = [[simd.splat_f32s(0.0); K]; TOGETHER];
        for (t, sum) in sums.iter_mut().enumerate() {
            *sum = self.get::<S, K>(i, j + t, at);
        }
        let row = self.row(i, j);
        let (a, b, c, d) = (self.row(j, j), self.row(j + 1, j), self.row(j + 2, j), self.row(j + 3, j));
        for k in (0..j * width).step_by(width) {
            let own = load::<f32, S, K>(&row[k..k + width], at);
            sums[0] = subtract_product(simd, sums[0], own, load::<f32, S, K>(&a[k..k + width], at));
            sums[1] = subtract_product(simd, sums[1], own, load::<f32, S, K>(&b[k..k + width], at));
            sums[2] = subtract_product(simd, sums[2], own, load::<f32, S, K>(&c[k..k + width], at));
            sums[3] = subtract_product(simd, sums[3], own, load::<f32, S, K>(&d[k..k + width], at));
        }
        for t in 0..TOGETHER {
            for earlier in 0..t {
                sums[t] = subtract_product(simd, sums[t], sums[earlier], self.get::<S, K>(j + t, j + earlier, at));
            }
            sums[t] = times::<S, K>(simd, sums[t], self.get::<S, K>(j + t, j + t, at));
            self.put::<S, K>(i, j + t, at, sums[t]);
        }
    }

    /// The first `count` entries of a row of the factor.
    #[inline(always)]
    fn row(&self, i: usize, count: usize) -> &[f32] {
        &self.a[entry(i, 0) * self.width..][..count * self.width]
    }

    /// L_ij, j < i.
    #[inline(always)]
    fn entry<S: Simd, const K: usize>(&mut self, simd: S, i: usize, j: usize, at: usize) {
        let mut sum = self.get::<S, K>(i, j, at);
        for k in 0..j {
            sum = subtract_product(simd, sum, self.get::<S, K>(i, k, at), self.get::<S, K>(j, k, at));
        }
        let value = times::<S, K>(simd, sum, self.get::<S, K>(j, j, at));
        self.put::<S, K>(i, j, at, value);
    }

    /// 1/L_ii.
    #[inline(always)]
    fn diagonal<S: Simd, const K: usize>(&mut self, simd: S, i: usize, at: usize) {
        let gram = self.get::<S, K>(i, i, at);
        let mut sums = [load::<f32, S, K>(&self.penalties[i * self.width..], at), gram];
        for k in 0..i {
            let l = self.get::<S, K>(i, k, at);
            sums[k % 2] = subtract_product(simd, sums[k % 2], l, l);
        }
        let (share, tiny, one) = (simd.splat_f32s(1e-6), simd.splat_f32s(1e-20), simd.splat_f32s(1.0));
        let mut pivot = gram;
        for k in 0..K {
            let least = simd.max_f32s(simd.mul_f32s(gram[k], share), tiny);
            let sum = simd.add_f32s(sums[0][k], sums[1][k]);
            pivot[k] = simd.div_f32s(one, simd.sqrt_f32s(simd.max_f32s(sum, least)));
        }
        self.put::<S, K>(i, i, at, pivot);
    }
}

/// Solves M v = b in place, forward and back.
struct Solve<'a> {
    /// K.
    columns: usize,
    /// Classes and padding.
    width: usize,
    /// The factor.
    a: &'a [f32],
    /// The right-hand side in, the solution out, K × width.
    b: &'a mut [f32],
}

impl WithSimd for Solve<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Solve { columns, width, a, b } = self;
        blocks!(width / S::F32_LANES, |at, K| {
            let zero = [simd.splat_f32s(0.0); K];
            for i in 0..columns {
                let (done, rest) = b.split_at_mut(i * width);
                // Four sums, so that a product need not wait for the one before.
                let mut sums = [load::<f32, S, K>(rest, at), zero, zero, zero];
                let row = &a[entry(i, 0) * width..entry(i, i) * width];
                for (l, v) in row.chunks(4 * width).zip(done.chunks(4 * width)) {
                    for (sum, (l, v)) in sums.iter_mut().zip(l.chunks_exact(width).zip(v.chunks_exact(width))) {
                        *sum = subtract_product(simd, *sum, load::<f32, S, K>(l, at), load::<f32, S, K>(v, at));
                    }
                }
                let sum = add::<f32, S, K>(
                    simd,
                    add::<f32, S, K>(simd, sums[0], sums[1]),
                    add::<f32, S, K>(simd, sums[2], sums[3]),
                );
                let pivot = load::<f32, S, K>(&a[entry(i, i) * width..], at);
                store::<f32, S, K>(rest, at, times::<S, K>(simd, sum, pivot));
            }
            for i in (0..columns).rev() {
                let (above, rest) = b.split_at_mut(i * width);
                let pivot = load::<f32, S, K>(&a[entry(i, i) * width..], at);
                let value = times::<S, K>(simd, load::<f32, S, K>(rest, at), pivot);
                store::<f32, S, K>(rest, at, value);
                let row = &a[entry(i, 0) * width..entry(i, i) * width];
                for (l, v) in row.chunks_exact(width).zip(above.chunks_exact_mut(width)) {
                    let rest = subtract_product(simd, load::<f32, S, K>(v, at), load::<f32, S, K>(l, at), value);
                    store::<f32, S, K>(v, at, rest);
                }
            }
        });
    }
}

/// x·y.
#[inline(always)]
fn times<S: Simd, const K: usize>(simd: S, x: [Register<S>; K], y: [Register<S>; K]) -> [Register<S>; K] {
    let mut products = x;
    for k in 0..K {
        products[k] = simd.mul_f32s(x[k], y[k]);
    }
    products
}

/// s − x·y.
#[inline(always)]
fn subtract_product<S: Simd, const K: usize>(
    simd: S,
    s: [Register<S>; K],
    x: [Register<S>; K],
    y: [Register<S>; K],
) -> [Register<S>; K] {
    let mut rest = s;
    for k in 0..K {
        rest[k] = simd.negate_mul_add_e_f32s(x[k], y[k], s[k]);
    }
    rest
}
