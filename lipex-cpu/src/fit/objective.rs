//! L(W, b) and its gradient, one pass over the rows.
//!
//! A vector of the solver holds X = [W b]ᵀ: a row a column of the design, classes padded to whole chunks with zeros.

use crate::Cpu;
use crate::design::Design;
use crate::lanes::{Chunk, LANES, Vectorised, add, blocks, sum, vectorised};
use lipex_core::{ErasedDivergence, INTERCEPT_PENALTY, Lane, Probabilities, QRows, Real};

/// Rows that are worked on together, so that their numbers stay in the fastest cache.
const TILE: usize = 32;
/// The logit of a padding class.
const ABSENT: f32 = -1e30;

/// The numbers that an evaluation is made in; sums over rows are the same in both but for rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// f32 on vectors.
    Single,
    /// f64, for the last digits where f32 stalls.
    Double,
}

/// The objective of one fit.
pub(crate) struct Objective<'a> {
    pub design: &'a Design,
    pub divergence: &'a dyn ErasedDivergence,
    pub classes: usize,
    pub chunks: usize,
    /// P of the rows that count, rows × chunks.
    pub p: Vec<Chunk<f32>>,
    /// π·m/n of those rows.
    pub weights: &'a [f64],
    /// The penalty on each column.
    pub penalties: Vec<f64>,
    width: Option<f32>,
    precision: Precision,
    single: Scratch<f32>,
    double: Scratch<f64>,
}

#[derive(Default)]
struct Scratch<T> {
    x: Vec<Chunk<T>>,
    tables: Vec<Chunk<T>>,
    buckets: Vec<Chunk<T>>,
    gradient: Vec<Chunk<T>>,
}

impl<T: crate::lanes::Number> Scratch<T> {
    fn fit(&mut self, columns: usize, table: usize) {
        let zero = [T::default(); LANES];
        self.x.resize(columns, zero);
        self.gradient.resize(columns, zero);
        self.tables.resize(table, zero);
        self.buckets.clear();
        self.buckets.resize(table, zero);
    }
}

impl<'a> Objective<'a> {
    pub fn new(
        design: &'a Design,
        probabilities: &Probabilities<Cpu>,
        rows: &[usize],
        weights: &'a [f64],
        divergence: &'a dyn ErasedDivergence,
        lambda: f64,
    ) -> Self {
        let classes = probabilities.classes();
        let chunks = classes.div_ceil(LANES);
        let mut p = vec![[0f32; LANES]; rows.len() * chunks];
        for (&i, out) in rows.iter().zip(p.chunks_exact_mut(chunks)) {
            // Below e⁻⁷⁰ a probability means nothing, and denormal numbers make arithmetic slow.
            let clean = |v: f32| if v < 4e-31 { 0.0 } else { v };
            out.as_flattened_mut().iter_mut().zip(probabilities.row(i)).for_each(|(o, &v)| *o = clean(v));
        }
        let penalties = vec![lambda; design.columns()];
        let (single, double) = (Scratch::default(), Scratch::default());
        let precision = Precision::Single;
        Objective { design, divergence, classes, chunks, p, weights, penalties, width: None, precision, single, double }
    }

    /// Takes the last column for an intercept, which has a penalty of its own.
    pub fn penalise_intercept(&mut self) {
        if let Some(last) = self.penalties.last_mut() {
            *last = INTERCEPT_PENALTY;
        }
    }

    pub fn is_smooth(&self) -> bool {
        self.divergence.is_smooth()
    }

    pub fn set_width(&mut self, width: Option<f32>) {
        self.width = width;
    }

    pub fn set_precision(&mut self, precision: Precision) {
        self.precision = precision;
    }

    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Numbers in a vector of the solver.
    pub fn len(&self) -> usize {
        self.design.columns() * self.chunks * LANES
    }

    /// Σ π·m/n: the scale of the sum of divergences.
    pub fn scale(&self) -> f64 {
        self.weights.iter().sum()
    }

    /// W and b in the solver's layout, centred over classes.
    pub fn layout(&self, matrix: &[Vec<f64>], intercept: &[f64]) -> Vec<f64> {
        let width = self.chunks * LANES;
        let mut x = vec![0.0; self.len()];
        for (j, column) in x.chunks_exact_mut(width).enumerate() {
            for (c, v) in column[..self.classes].iter_mut().enumerate() {
                *v = matrix[c].get(j).copied().unwrap_or(intercept[c]);
            }
        }
        self.centre(&mut x);
        x
    }

    /// Takes the mean over classes off each column.
    pub fn centre(&self, x: &mut [f64]) {
        for column in x.chunks_exact_mut(self.chunks * LANES) {
            let column = &mut column[..self.classes];
            let mean = column.iter().sum::<f64>() / self.classes as f64;
            column.iter_mut().for_each(|v| *v -= mean);
        }
    }

    fn penalty(&self, x: &[f64]) -> f64 {
        let squares = |column: &[f64]| column.iter().map(|v| v * v).sum::<f64>();
        let columns = x.chunks_exact(self.chunks * LANES);
        0.5 * columns.zip(&self.penalties).map(|(column, penalty)| penalty * squares(column)).sum::<f64>()
    }

    /// The objective at `x`; its gradient, centred over classes, goes to `gradient`.
    pub fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let data = match self.precision {
            Precision::Single => self.evaluate_single(x, gradient),
            Precision::Double => self.evaluate_double(x, gradient),
        };
        let width = self.chunks * LANES;
        for ((g, x), penalty) in gradient.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(&self.penalties) {
            g.iter_mut().zip(x).for_each(|(g, x)| *g += penalty * x);
        }
        self.centre(gradient);
        data + self.penalty(x)
    }

    fn evaluate_single(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut scratch = std::mem::take(&mut self.single);
        scratch.fit(self.design.columns() * self.chunks, self.design.table_len(self.chunks));
        scratch.x.as_flattened_mut().iter_mut().zip(x).for_each(|(o, &v)| *o = v as f32);
        let mut total = 0.0;
        vectorised(Pass { objective: self, scratch: &mut scratch, total: &mut total });
        gradient.iter_mut().zip(scratch.gradient.as_flattened()).for_each(|(g, &v)| *g = f64::from(v));
        self.single = scratch;
        total
    }

    fn evaluate_double(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let mut s = std::mem::take(&mut self.double);
        let (chunks, classes) = (self.chunks, self.classes);
        s.fit(self.design.columns() * chunks, self.design.table_len(chunks));
        s.x.as_flattened_mut().copy_from_slice(x);
        self.design.tabulate(&s.x, chunks, &mut s.tables);
        let mut total = 0.0;
        let mut ln_q = vec![0.0; classes];
        let mut slopes = vec![[0.0; LANES]; chunks];
        for (i, (p, &weight)) in self.p.chunks_exact(chunks).zip(self.weights).enumerate() {
            self.ln_softmax(i, &s.tables, &mut ln_q);
            let slope = slopes.as_flattened_mut();
            for c in 0..classes {
                let (value, s, _) = self.divergence.derivatives(f64::from(p.as_flattened()[c]), ln_q[c], self.width);
                total += weight * value;
                slope[c] = s;
            }
            let sum: f64 = slope[..classes].iter().sum();
            slope.iter_mut().zip(&ln_q).for_each(|(s, u)| *s = weight * (*s - u.exp() * sum));
            blocks!(chunks, |at, K| {
                let y: [Chunk<f64>; K] = std::array::from_fn(|k| slopes[at + k]);
                self.design.scatter(i, &y, &mut s.buckets, chunks, at);
            });
        }
        self.design.fold(&mut s.buckets, chunks, &mut s.gradient);
        gradient.copy_from_slice(s.gradient.as_flattened());
        self.double = s;
        total
    }

    /// ln q of row `i` in f64, from the tables of X.
    fn ln_softmax(&self, i: usize, tables: &[Chunk<f64>], ln_q: &mut [f64]) {
        blocks!(self.chunks, |at, K| {
            let logits: [Chunk<f64>; K] = self.design.look_up(i, tables, self.chunks, at);
            ln_q[at * LANES..].iter_mut().zip(logits.as_flattened()).for_each(|(u, l)| *u = *l);
        });
        let top = ln_q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ln_sum = ln_q.iter().map(|l| (l - top).exp()).sum::<f64>().ln();
        ln_q.iter_mut().for_each(|l| *l -= top + ln_sum);
    }

    /// The objective in f64, of the divergence itself and not of its smoothed stand-in.
    pub fn exact(&self, x: &[f64]) -> f64 {
        let chunks = self.chunks;
        let mut tables = vec![[0.0; LANES]; self.design.table_len(chunks)];
        let (x_chunks, _) = x.as_chunks::<LANES>();
        self.design.tabulate(x_chunks, chunks, &mut tables);
        let mut ln_q = vec![0.0; self.classes];
        let mut total = 0.0;
        for (i, (p, &weight)) in self.p.chunks_exact(chunks).zip(self.weights).enumerate() {
            self.ln_softmax(i, &tables, &mut ln_q);
            let terms = p.as_flattened().iter().zip(&ln_q);
            total += weight * terms.map(|(&p, &u)| self.divergence.value(f64::from(p), u)).sum::<f64>();
        }
        total + self.penalty(x)
    }
}

/// The f32 pass: look-up, softmax, divergence and scatter, a tile of rows at a time.
struct Pass<'a, 'b> {
    objective: &'a Objective<'b>,
    scratch: &'a mut Scratch<f32>,
    total: &'a mut f64,
}

/// The numbers of a tile, rows × chunks each.
struct Tile {
    q: Vec<Chunk<f32>>,
    ln: Vec<Chunk<f32>>,
    sqrt: Vec<Chunk<f32>>,
    value: Vec<Chunk<f32>>,
    slope: Vec<Chunk<f32>>,
    /// 1 where there is a class, 0 in the padding.
    there: Vec<Chunk<f32>>,
}

impl Tile {
    fn new(classes: usize, chunks: usize) -> Self {
        let zero = || vec![[0f32; LANES]; TILE * chunks];
        let mut there = zero();
        there.chunks_exact_mut(chunks).for_each(|row| row.as_flattened_mut()[..classes].fill(1.0));
        Tile { q: zero(), ln: zero(), sqrt: zero(), value: zero(), slope: zero(), there }
    }
}

impl Vectorised for Pass<'_, '_> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Pass { objective: o, scratch, total } = self;
        let (design, chunks) = (o.design, o.chunks);
        design.tabulate(&scratch.x, chunks, &mut scratch.tables);
        let mut tile = Tile::new(o.classes, chunks);
        for (t, p) in o.p.chunks(TILE * chunks).enumerate() {
            let (first, n) = (t * TILE, p.len());
            for (r, logits) in tile.ln[..n].chunks_exact_mut(chunks).enumerate() {
                blocks!(chunks, |at, K| {
                    let sums: [Chunk<f32>; K] = design.look_up(first + r, &scratch.tables, chunks, at);
                    logits[at..at + K].copy_from_slice(&sums);
                });
            }
            softmax::<FMA>(&mut tile, n, chunks);
            let q = QRows {
                value: tile.q[..n].as_flattened(),
                ln: tile.ln[..n].as_flattened(),
                sqrt: tile.sqrt[..n].as_flattened(),
            };
            let (value, slope) = (tile.value[..n].as_flattened_mut(), tile.slope[..n].as_flattened_mut());
            o.divergence.terms(p.as_flattened(), q, o.width, value, slope);
            *total += through_softmax(&mut tile, n, chunks, &o.weights[first..]);
            for (r, slope) in tile.slope[..n].chunks_exact(chunks).enumerate() {
                blocks!(chunks, |at, K| {
                    let y: [Chunk<f32>; K] = std::array::from_fn(|k| slope[at + k]);
                    design.scatter(first + r, &y, &mut scratch.buckets, chunks, at);
                });
            }
        }
        design.fold(&mut scratch.buckets, chunks, &mut scratch.gradient);
    }
}

// Functions of single numbers run over whole tiles: such loops become vector instructions, which loops over one chunk
// do not.

/// The logits of a tile's first `n` chunks, in `ln`, to ln q (in place), q and √q.
#[inline(always)]
fn softmax<const FMA: bool>(tile: &mut Tile, n: usize, chunks: usize) {
    let flat = n * LANES;
    let (ln, there) = (tile.ln.as_flattened_mut(), &tile.there.as_flattened()[..flat]);
    for (l, t) in ln[..flat].iter_mut().zip(there) {
        *l = if *t > 0.0 { *l } else { ABSENT };
    }
    for row in tile.ln[..n].chunks_exact_mut(chunks) {
        let mut tops = row[0];
        for l in &row[1..] {
            (0..LANES).for_each(|k| tops[k] = if l[k] > tops[k] { l[k] } else { tops[k] });
        }
        let top = tops.iter().copied().fold(f32::MIN, |a, b| if b > a { b } else { a });
        row.as_flattened_mut().iter_mut().for_each(|l| *l -= top);
    }
    // √ of the numerators first: q underflows long before its root does.
    for (s, l) in tile.sqrt.as_flattened_mut()[..flat].iter_mut().zip(tile.ln.as_flattened()) {
        *s = Lane::<FMA>(0.5 * l).exp().0;
    }
    let mut totals = [1f32; TILE];
    for (total, row) in totals.iter_mut().zip(tile.sqrt[..n].chunks_exact(chunks)) {
        let mut squares = [0f32; LANES];
        for s in row {
            (0..LANES).for_each(|k| squares[k] += s[k] * s[k]);
        }
        *total = sum(&squares);
    }
    let (mut scales, mut logarithms) = ([0f32; TILE], [0f32; TILE]);
    for r in 0..TILE {
        scales[r] = 1.0 / totals[r].sqrt();
        logarithms[r] = Lane::<FMA>(totals[r]).ln().0;
    }
    for (r, (l, s)) in tile.ln[..n].chunks_exact_mut(chunks).zip(tile.sqrt.chunks_exact_mut(chunks)).enumerate() {
        l.as_flattened_mut().iter_mut().for_each(|l| *l -= logarithms[r]);
        s.as_flattened_mut().iter_mut().for_each(|s| *s *= scales[r]);
    }
    for (q, s) in tile.q.as_flattened_mut()[..flat].iter_mut().zip(tile.sqrt.as_flattened()) {
        *q = s * s;
    }
}

/// Slopes in ln q to gradients in the logits, times the rows' weights; returns the weighted sum of divergences.
#[inline(always)]
fn through_softmax(tile: &mut Tile, n: usize, chunks: usize, weights: &[f64]) -> f64 {
    let flat = n * LANES;
    // A user's φ may be anything at p = q = 0, where padding is.
    let there = &tile.there.as_flattened()[..flat];
    for (numbers, t) in tile.value.as_flattened_mut().iter_mut().zip(tile.slope.as_flattened_mut()).zip(there) {
        let (value, slope) = numbers;
        *value = if *t > 0.0 { *value } else { 0.0 };
        *slope = if *t > 0.0 { *slope } else { 0.0 };
    }
    let mut total = 0.0;
    let rows = tile.value[..n].chunks_exact(chunks).zip(tile.slope.chunks_exact_mut(chunks));
    for (((value, slope), q), &weight) in rows.zip(tile.q.chunks_exact(chunks)).zip(weights) {
        let (mut values, mut slopes) = ([0f32; LANES], [0f32; LANES]);
        value.iter().for_each(|v| add(&mut values, v));
        slope.iter().for_each(|s| add(&mut slopes, s));
        total += weight * f64::from(sum(&values));
        let (all, weight) = (sum(&slopes), weight as f32);
        for (s, q) in slope.as_flattened_mut().iter_mut().zip(q.as_flattened()) {
            *s = weight * (*s - q * all);
        }
    }
    total
}
