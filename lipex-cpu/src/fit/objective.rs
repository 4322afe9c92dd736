//! L(W, b) and its gradient, one pass over the rows.
//!
//! A vector of the solver holds X = [W b]ᵀ: a row a column of the design, classes padded to whole registers with zeros.
//!
//! # Method
//! A tile of [`TILE`] rows at a time: logits by look-up, softmax by rows, φ and ∂φ/∂ln q by the divergence's own vectorised
//! loop, g_c = w (s_c − q_c Σ s) with s = ∂φ/∂ln q, and g's share of the gradient by transposed look-up. What a tile needs
//! stays in the first cache.
//!
//! # Cost
//! An evaluation of N rows, K columns and C classes is some N·(2⌈K/4⌉ + 40)·C operations on registers; the constant 40 stands
//! for softmax and divergence.
//!
//! # Numerics
//! In f32 or f64 throughout, but for the sum over tiles, which is in f64. Probabilities below 4·10⁻³¹ count as 0. Padding
//! classes have logits of −10³⁰, so that they take part in no sum.

use crate::Cpu;
use crate::design::{ByColumn, Design, TILE, add_transposed, row_tables_len};
use crate::lanes::{Aligned, Simd, WithSimd, blocks, padded_f32, vectorised_rows};
use crate::softmax::{Tile, Working};
use lipex_core::{ErasedDivergence, INTERCEPT_PENALTY, Probabilities, QRows};

/// The numbers that an evaluation is made in; sums over rows are the same in both but for rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// f32.
    Single,
    /// f64, for the last digits where f32 stalls.
    Double,
}

/// P of every row, classes padded to whole registers with zeros.
///
/// # Shapes
/// N × width; padding is 0, which no divergence has to make sense of: its terms there are not added.
pub(crate) fn padded(probabilities: &Probabilities<Cpu>) -> Aligned<f32> {
    let width = padded_f32(probabilities.classes());
    let mut p = Aligned::zeros(probabilities.rows() * width);
    for (i, out) in p.chunks_exact_mut(width).enumerate() {
        // Below e⁻⁷⁰ a probability means nothing, and denormal numbers make arithmetic slow.
        let clean = |v: f32| if v < 4e-31 { 0.0 } else { v };
        out.iter_mut().zip(probabilities.row(i)).for_each(|(o, &v)| *o = clean(v));
    }
    p
}

/// P, padded, mixed with the uniform distribution over the classes.
///
/// Where the black box answers 0 and 1 this gives a divergence slopes again; it is used for starts alone.
pub(crate) fn smoothed(p: &[f32], uniform: f32, classes: usize) -> Aligned<f32> {
    let (width, share) = (padded_f32(classes), uniform / classes as f32);
    let mut out = Aligned::zeros(p.len());
    for (out, row) in out.chunks_exact_mut(width).zip(p.chunks_exact(width)) {
        out[..classes].iter_mut().zip(row).for_each(|(o, p)| *o = (1.0 - uniform) * p + share);
    }
    out
}

/// The objective of one fit.
pub(crate) struct Objective<'a> {
    /// The columns, as patterns.
    pub design: &'a Design,
    /// d, a term a class.
    pub divergence: &'a dyn ErasedDivergence,
    /// C.
    pub classes: usize,
    /// Numbers in a row of p: the classes and their padding.
    pub width: usize,
    /// P, as [`padded`] makes it.
    pub p: &'a [f32],
    /// Rows that count.
    pub rows: &'a [u32],
    /// Those rows by column.
    pub by_column: ByColumn,
    /// π·m/n of those rows.
    pub weights: &'a [f64],
    /// The penalty on each column.
    pub penalties: Vec<f64>,
    /// What the penalty of a class is of its column's, C numbers, for all columns but that of ones; empty where it is 1.
    pub by_class: &'a [f64],
    /// The column of ones, if there is one.
    pub ones: Option<usize>,
    /// What logits start from, C numbers; empty for zeros.
    pub offset: &'a [f64],
    /// The width of the smoothed φ; `None` for φ itself.
    smoothing: Option<f32>,
    /// What evaluations are made in from now on.
    precision: Precision,
    /// Room for evaluations in f32, made when first needed.
    single: Option<Scratch<f32>>,
    /// Room for evaluations in f64, made when first needed.
    double: Option<Scratch<f64>>,
}

/// What an objective is made of, beside its rows.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The columns, as patterns.
    pub design: &'a Design,
    /// P of every row, padded.
    pub p: &'a [f32],
    /// C.
    pub classes: usize,
    /// d, a term a class.
    pub divergence: &'a dyn ErasedDivergence,
    /// λ as it enters the objective, already scaled.
    pub lambda: f64,
    /// λ_c over λ, C numbers; empty where they are all 1.
    pub by_class: &'a [f64],
    /// The column of ones, if there is one.
    pub ones: Option<usize>,
    /// What logits start from, C numbers; empty for zeros.
    pub offset: &'a [f64],
}

impl<'a> Objective<'a> {
    /// The objective over some rows with their weights.
    pub fn new(terms: Terms<'a>, rows: &'a [u32], weights: &'a [f64]) -> Self {
        let by_column = ByColumn::new(terms.design, rows);
        Self::with_columns(terms, rows, weights, by_column)
    }

    /// For values alone, without gradients.
    pub fn of_values(terms: Terms<'a>, rows: &'a [u32], weights: &'a [f64]) -> Self {
        let by_column = ByColumn::new(terms.design, &[]);
        Self::with_columns(terms, rows, weights, by_column)
    }

    /// With the rows by column at hand.
    fn with_columns(terms: Terms<'a>, rows: &'a [u32], weights: &'a [f64], by_column: ByColumn) -> Self {
        let Terms { design, p, classes, divergence, lambda, by_class, ones, offset } = terms;
        let mut penalties = vec![lambda; design.columns()];
        if let Some(ones) = ones {
            penalties[ones] = INTERCEPT_PENALTY;
        }
        Objective {
            design,
            divergence,
            classes,
            width: padded_f32(classes),
            p,
            rows,
            by_column,
            weights,
            penalties,
            by_class,
            ones,
            offset,
            smoothing: None,
            precision: Precision::Single,
            single: None,
            double: None,
        }
    }

    /// Whether φ itself has a gradient everywhere.
    pub fn is_smooth(&self) -> bool {
        self.divergence.is_smooth()
    }

    /// The width of the smoothed stand-in that is evaluated, if one is.
    pub fn smoothing(&self) -> Option<f32> {
        self.smoothing
    }

    /// Evaluates the smoothed φ of this width from now on; `None` for φ itself.
    pub fn set_smoothing(&mut self, smoothing: Option<f32>) {
        self.smoothing = smoothing;
    }

    /// Evaluates in these numbers from now on.
    pub fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    /// The numbers that evaluations are made in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Numbers in a vector of the solver.
    pub fn len(&self) -> usize {
        self.design.columns() * self.width
    }

    /// Σ π·m/n: the scale of the sum of divergences.
    pub fn scale(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// Takes the mean over classes off each column.
    pub fn centre(&self, x: &mut [f64]) {
        for column in x.chunks_exact_mut(self.width) {
            let column = &mut column[..self.classes];
            let mean = column.iter().sum::<f64>() / self.classes as f64;
            column.iter_mut().for_each(|v| *v -= mean);
        }
    }

    /// What each class's penalty is of that of column `j`; empty where it is 1.
    pub fn shares(&self, j: usize) -> &'a [f64] {
        if self.ones == Some(j) { &[] } else { self.by_class }
    }

    /// ½ Σ_k λ_k Σ_c share_c (x_kc − t_k)², t the [`shift`] that makes it least; without shares t is the mean, which is 0.
    fn penalty(&self, x: &[f64]) -> f64 {
        let of = |(j, column): (usize, &[f64])| match self.shares(j) {
            [] => column.iter().map(|v| v * v).sum::<f64>(),
            shares => {
                let shift = shift(shares, column);
                shares.iter().zip(column).map(|(share, v)| share * (v - shift) * (v - shift)).sum()
            }
        };
        let columns = x.chunks_exact(self.width).enumerate();
        0.5 * columns.zip(&self.penalties).map(|(column, penalty)| penalty * of(column)).sum::<f64>()
    }

    /// Adds the penalty's gradient at `x`.
    fn add_penalty_gradient(&self, x: &[f64], gradient: &mut [f64]) {
        let columns = gradient.chunks_exact_mut(self.width).zip(x.chunks_exact(self.width)).enumerate();
        for ((j, (g, x)), penalty) in columns.zip(&self.penalties) {
            match self.shares(j) {
                [] => g.iter_mut().zip(x).for_each(|(g, x)| *g += penalty * x),
                shares => {
                    let shift = shift(shares, x);
                    g.iter_mut().zip(x).zip(shares).for_each(|((g, x), share)| *g += penalty * share * (x - shift));
                }
            }
        }
    }

    /// The objective at `x`; its gradient, centred over classes, goes to `gradient`.
    ///
    /// # Shapes
    /// Both vectors are K × width. Padding of the gradient is 0.
    pub fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let smoothing = self.smoothing;
        let data = match self.precision {
            Precision::Single => {
                let mut scratch = self.single.take().unwrap_or_else(|| self.scratch());
                let data = self.pass(&mut scratch, x, smoothing, Some(gradient));
                self.single = Some(scratch);
                data
            }
            Precision::Double => {
                let mut scratch = self.double.take().unwrap_or_else(|| self.scratch());
                let data = self.pass(&mut scratch, x, smoothing, Some(gradient));
                self.double = Some(scratch);
                data
            }
        };
        self.add_penalty_gradient(x, gradient);
        self.centre(gradient);
        data + self.penalty(x)
    }

    /// The sum of divergences at `x` in f32, without the penalty.
    pub fn data(&self, x: &[f64]) -> f64 {
        self.pass::<f32>(&mut self.scratch(), x, None, None)
    }

    /// The objective in f64, of the divergence itself and not of its smoothed stand-in.
    ///
    /// What reports have: comparable between precisions, widths and backends.
    pub fn exact(&self, x: &[f64]) -> f64 {
        self.pass::<f64>(&mut self.scratch(), x, None, None) + self.penalty(x)
    }

    /// Room for an evaluation.
    fn scratch<T: Working>(&self) -> Scratch<T> {
        let (vector, tile) = (self.len(), TILE * self.width);
        Scratch {
            x: Aligned::zeros(vector),
            tables: Aligned::zeros(self.design.table_len(self.width)),
            gradient: Aligned::zeros(vector),
            tile: Tile::new(self.classes, self.width, self.offset),
            p: Aligned::zeros(tile),
            value: Aligned::zeros(tile),
            slope: Aligned::zeros(tile),
        }
    }

    /// Σ of weighted divergences, and its gradient if there is a place for it.
    fn pass<T: Working>(
        &self,
        scratch: &mut Scratch<T>,
        x: &[f64],
        smoothing: Option<f32>,
        gradient: Option<&mut [f64]>,
    ) -> f64 {
        scratch.x.iter_mut().zip(x).for_each(|(o, &v)| *o = T::of(v));
        let total = vectorised_rows::<T, _>(
            self.width,
            Pass { objective: self, scratch, smoothing, slopes: gradient.is_some() },
        );
        if let Some(gradient) = gradient {
            gradient.iter_mut().zip(&*scratch.gradient).for_each(|(g, &v)| *g = v.into());
        }
        total
    }

    /// q of some rows at `x`, rows × padded classes.
    pub fn answers(&self, x: &[f64], rows: &[u32]) -> Aligned<f32> {
        let mut single: Aligned<f32> = Aligned::zeros(self.len());
        single.iter_mut().zip(x).for_each(|(o, &v)| *o = v as f32);
        let mut out = Aligned::zeros(rows.len() * self.width);
        vectorised_rows::<f32, _>(self.width, Answers { objective: self, x: &single, rows, out: &mut out });
        out
    }
}

/// The common shift of a column that makes its penalty least: the mean weighted by the classes' shares.
pub(crate) fn shift(shares: &[f64], column: &[f64]) -> f64 {
    let weighted: f64 = shares.iter().zip(column).map(|(share, v)| share * v).sum();
    let all: f64 = shares.iter().sum();
    if all > 0.0 { weighted / all } else { 0.0 }
}

/// What an evaluation works on.
struct Scratch<T> {
    /// X in the numbers of the evaluation, K × width.
    x: Aligned<T>,
    /// Tables of X's sums, one a group of columns.
    tables: Aligned<T>,
    /// Zᵀ·G, K × width.
    gradient: Aligned<T>,
    /// q, ln q and √q of the tile at work.
    tile: Tile<T>,
    /// P of its rows.
    p: Aligned<T>,
    /// φ of its entries.
    value: Aligned<T>,
    /// ∂φ/∂ln q of its entries, then G, the gradient in the logits.
    slope: Aligned<T>,
}

/// Look-up, softmax, divergence and transposed product, a tile of rows at a time.
struct Pass<'a, 'b, T> {
    /// What is evaluated.
    objective: &'a Objective<'b>,
    /// Room to work in.
    scratch: &'a mut Scratch<T>,
    smoothing: Option<f32>,
    slopes: bool,
}

impl<T: Working> WithSimd for Pass<'_, '_, T> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Pass { objective: o, scratch, smoothing, slopes } = self;
        let Scratch { x, tables, gradient, tile, p, value, slope } = scratch;
        let (design, width) = (o.design, o.width);
        tile.tabulate(simd, design, x, width, tables);
        gradient.fill(T::default());
        let mut row_tables = Aligned::zeros(row_tables_len::<T, S, 4>());
        let mut total = 0.0;
        for (t, (rows, weights)) in o.rows.chunks(TILE).zip(o.weights.chunks(TILE)).enumerate() {
            let flat = rows.len() * width;
            for (p, &i) in p.chunks_exact_mut(width).zip(rows) {
                let own = &o.p[i as usize * width..(i as usize + 1) * width];
                p.iter_mut().zip(own).for_each(|(p, &v)| *p = T::of(f64::from(v)));
            }
            tile.answer(simd, design, rows, tables, width);
            let q = QRows { value: &tile.q[..flat], ln: &tile.ln[..flat], sqrt: &tile.sqrt[..flat] };
            T::terms(o.divergence, &p[..flat], q, smoothing, &mut value[..flat], &mut slope[..flat]);
            total += through_softmax(simd, tile, (&value[..flat], &mut slope[..flat]), weights, width);
            if slopes {
                blocks!(width / T::lanes::<S>(), |at, K| {
                    let slopes = &slope[..flat];
                    let patterns = o.by_column.tile(t);
                    add_transposed::<T, S, K>(simd, patterns, slopes, (width, at), &mut row_tables, gradient);
                });
            }
        }
        total
    }
}

/// Slopes in ln q to gradients in the logits, times the rows' weights; returns the weighted sum of divergences.
///
/// # Source
/// With ℓ = ln q + const, ∂d/∂ℓ_c = s_c − q_c Σ_k s_k, s = ∂φ/∂ln q.
#[inline(always)]
fn through_softmax<T: Working, S: Simd>(
    simd: S,
    tile: &Tile<T>,
    (value, slope): (&[T], &mut [T]),
    weights: &[f64],
    width: usize,
) -> f64 {
    let mut total = 0.0;
    let there = T::registers::<S>(&tile.there);
    let rows = value.chunks_exact(width).zip(slope.chunks_exact_mut(width)).zip(tile.q.chunks_exact(width));
    for (((value, slope), q), &weight) in rows.zip(weights) {
        let (value, slope, q) = (T::registers::<S>(value), T::registers_mut::<S>(slope), T::registers::<S>(q));
        let (mut values, mut slopes) = (T::splat(simd, T::default()), T::splat(simd, T::default()));
        // A user's φ may be anything at p = q = 0, where padding is.
        for ((v, s), t) in value.iter().zip(slope.iter()).zip(there) {
            values = T::add(simd, values, T::where_positive(simd, *t, *v));
            slopes = T::add(simd, slopes, T::where_positive(simd, *t, *s));
        }
        total += weight * T::reduce_sum(simd, values).into();
        let all: f64 = T::reduce_sum(simd, slopes).into();
        let (weight, all) = (T::splat(simd, T::of(weight)), T::splat(simd, T::of(-all)));
        for ((s, q), t) in slope.iter_mut().zip(q).zip(there) {
            *s = T::mul(simd, weight, T::mul_add(simd, *q, all, T::where_positive(simd, *t, *s)));
        }
    }
    total
}

/// q of some rows.
struct Answers<'a, 'b> {
    /// Whose design and offset are used.
    objective: &'a Objective<'b>,
    /// X, K × width.
    x: &'a [f32],
    /// The rows to answer.
    rows: &'a [u32],
    /// q, a row each.
    out: &'a mut [f32],
}

impl WithSimd for Answers<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Answers { objective: o, x, rows, out } = self;
        let mut tile: Tile<f32> = Tile::new(o.classes, o.width, o.offset);
        let mut tables: Aligned<f32> = Aligned::zeros(o.design.table_len(o.width));
        tile.tabulate(simd, o.design, x, o.width, &mut tables);
        for (rows, out) in rows.chunks(TILE).zip(out.chunks_mut(TILE * o.width)) {
            tile.answer(simd, o.design, rows, &tables, o.width);
            out.copy_from_slice(&tile.q[..out.len()]);
        }
    }
}
