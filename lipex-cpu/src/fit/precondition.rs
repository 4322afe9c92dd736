//! The approximate inverse Hessian that the solver starts from: for each class
//! M_c = Zᵀ diag(κ π max(p_c(1−p_c), 10⁻⁴)/n) Z + λI, factored, between two centrings over classes.
//!
//! All classes' Grams are made at once: for each pair of column groups the rows fall into 256 buckets, and folding those
//! gives 16 entries.

use super::objective::Objective;
use crate::design::{GROUP, PATTERNS, fold_patterns};
use crate::lanes::{Chunk, LANES, Vectorised, add, blocks, vectorised};

/// The least weight p(1−p) of a row.
const FLOOR: f32 = 1e-4;
/// Most rows that the Grams are summed over; with more, an evenly spaced part of them stands for all.
const MOST_ROWS: usize = 4096;
/// Most bytes of Grams; beyond, their diagonals must do.
const MOST_BYTES: usize = 256 << 20;

/// M⁻¹ of every class.
pub(crate) struct Preconditioner {
    chunks: usize,
    columns: usize,
    classes: usize,
    factor: Factor,
    start: Vec<f64>,
}

enum Factor {
    /// Cholesky factors, lower triangles row by row, (columns·(columns + 1)/2) × chunks; the diagonal is inverted.
    Full(Vec<Chunk<f32>>),
    /// Inverted diagonals, columns × chunks.
    Diagonal(Vec<Chunk<f32>>),
}

/// Row `i`, column `j` ≤ `i` of a lower triangle.
#[inline(always)]
fn entry(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

impl Preconditioner {
    pub fn new(o: &Objective<'_>) -> Self {
        let (columns, chunks) = (o.design.columns(), o.chunks);
        // An odd step, so that neither row of a pair of complements is favoured.
        let rows = o.weights.len();
        let step = if rows > MOST_ROWS { (rows / MOST_ROWS) | 1 } else { 1 };
        let picked: Vec<usize> = (0..rows).step_by(step).collect();
        let (curvatures, targets) = rows_of(o, &picked, step as f32);
        let mut start = vec![[0f32; LANES]; columns * chunks];
        let full = columns * (columns + 1) / 2 * chunks * size_of::<Chunk<f32>>() <= MOST_BYTES;
        let factor = if full {
            let mut a = vec![[0f32; LANES]; columns * (columns + 1) / 2 * chunks];
            vectorised(Grams { o, rows: &picked, weights: &curvatures, a: &mut a });
            vectorised(Cholesky { columns, chunks, penalties: &o.penalties, a: &mut a });
            vectorised(Transposed { o, rows: &picked, y: &targets, out: &mut start });
            Factor::Full(a)
        } else {
            let mut diagonal = vec![[0f32; LANES]; columns * chunks];
            vectorised(Transposed { o, rows: &picked, y: &curvatures, out: &mut diagonal });
            for (row, penalty) in diagonal.chunks_exact_mut(chunks).zip(&o.penalties) {
                row.as_flattened_mut().iter_mut().for_each(|v| *v = 1.0 / (*v + *penalty as f32).max(1e-20));
            }
            Factor::Diagonal(diagonal)
        };
        let mut made = Preconditioner { chunks, columns, classes: o.classes, factor, start: Vec::new() };
        let mut x: Vec<f64> = start.as_flattened().iter().map(|&v| f64::from(v)).collect();
        made.solve(&mut x);
        o.centre(&mut x);
        made.start = x;
        made
    }

    /// The start: each class's weighted least squares of ln p, without couplings; zeros if only diagonals are known.
    pub fn start(&self) -> Vec<f64> {
        self.start.clone()
    }

    /// Replaces `v` by M⁻¹v, centred over classes before and after.
    pub fn apply(&self, o: &Objective<'_>, v: &mut [f64]) {
        o.centre(v);
        self.solve(v);
        o.centre(v);
    }

    /// Replaces `v` by M⁻¹v.
    fn solve(&self, v: &mut [f64]) {
        match &self.factor {
            Factor::Full(a) => {
                let mut b = vec![[0f32; LANES]; self.columns * self.chunks];
                b.as_flattened_mut().iter_mut().zip(&*v).for_each(|(b, v)| *b = *v as f32);
                vectorised(Solve { columns: self.columns, chunks: self.chunks, a, b: &mut b });
                v.iter_mut().zip(b.as_flattened()).for_each(|(v, b)| *v = f64::from(*b));
            }
            Factor::Diagonal(d) => v.iter_mut().zip(d.as_flattened()).for_each(|(v, d)| *v *= f64::from(*d)),
        }
        let width = self.chunks * LANES;
        v.chunks_exact_mut(width).for_each(|column| column[self.classes..].fill(0.0));
    }
}

/// For each picked row the weights κ π max(p(1−p), floor)/n, and those times the centred ln max(p, 10⁻⁶).
fn rows_of(o: &Objective<'_>, picked: &[usize], step: f32) -> (Vec<Chunk<f32>>, Vec<Chunk<f32>>) {
    let chunks = o.chunks;
    // A divergence without one curvature is taken by its curvature at ½.
    let kappa = o.divergence.kappa().unwrap_or_else(|| {
        let (_, slope, second) = o.divergence.derivatives(0.5, 0.5f64.ln(), None);
        ((second - slope) / 0.5).abs().max(1e-3)
    }) as f32;
    let mut curvatures = vec![[0f32; LANES]; picked.len() * chunks];
    let mut targets = curvatures.clone();
    for (r, &i) in picked.iter().enumerate() {
        let p = o.p[i * chunks..(i + 1) * chunks].as_flattened();
        let w = kappa * step * o.weights[i] as f32;
        let at = r * chunks..(r + 1) * chunks;
        let (curvature, target) = (curvatures[at.clone()].as_flattened_mut(), targets[at].as_flattened_mut());
        let mut mean = 0.0;
        for c in 0..o.classes {
            curvature[c] = w * (p[c] * (1.0 - p[c])).max(FLOOR);
            target[c] = p[c].max(1e-6).ln();
            mean += target[c];
        }
        mean /= o.classes as f32;
        (0..o.classes).for_each(|c| target[c] = (target[c] - mean) * curvature[c]);
    }
    (curvatures, targets)
}

/// Zᵀ·Y over some rows.
struct Transposed<'a, 'b> {
    o: &'a Objective<'b>,
    rows: &'a [usize],
    y: &'a [Chunk<f32>],
    out: &'a mut [Chunk<f32>],
}

impl Vectorised for Transposed<'_, '_> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let (design, chunks) = (self.o.design, self.o.chunks);
        let mut buckets = vec![[0f32; LANES]; design.table_len(chunks)];
        for (&i, y) in self.rows.iter().zip(self.y.chunks_exact(chunks)) {
            blocks!(chunks, |at, K| {
                let y: [Chunk<f32>; K] = std::array::from_fn(|k| y[at + k]);
                design.scatter(i, &y, &mut buckets, chunks, at);
            });
        }
        design.fold(&mut buckets, chunks, self.out);
    }
}

/// Lower triangles of Zᵀ diag(w_c) Z, all classes at once.
struct Grams<'a, 'b> {
    o: &'a Objective<'b>,
    rows: &'a [usize],
    weights: &'a [Chunk<f32>],
    a: &'a mut [Chunk<f32>],
}

impl Vectorised for Grams<'_, '_> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Grams { o, rows, weights, a } = self;
        let (columns, chunks) = (o.design.columns(), o.chunks);
        blocks!(chunks, |at, K| {
            let mut buckets = vec![[[0f32; LANES]; K]; PATTERNS * PATTERNS];
            for first in 0..o.design.groups() {
                for second in 0..=first {
                    sort_rows::<K>(o, rows, weights, (first, second), at, &mut buckets);
                    let sums = fold_twice(&mut buckets);
                    for (r, row) in sums.iter().enumerate() {
                        for (c, sum) in row.iter().enumerate() {
                            let (i, j) = (first * GROUP + r, second * GROUP + c);
                            if i < columns && j <= i {
                                let place = entry(i, j) * chunks + at;
                                a[place..place + K].copy_from_slice(sum);
                            }
                        }
                    }
                }
            }
        });
    }
}

/// Adds each row's weights to the bucket of its patterns in two groups.
#[inline(always)]
fn sort_rows<const K: usize>(
    o: &Objective<'_>,
    rows: &[usize],
    weights: &[Chunk<f32>],
    (first, second): (usize, usize),
    at: usize,
    buckets: &mut [[Chunk<f32>; K]],
) {
    buckets.fill([[0f32; LANES]; K]);
    for (&i, w) in rows.iter().zip(weights.chunks_exact(o.chunks)) {
        let codes = o.design.row(i);
        let bucket = &mut buckets[usize::from(codes[first]) * PATTERNS + usize::from(codes[second])];
        bucket.iter_mut().zip(&w[at..at + K]).for_each(|(b, w)| add(b, w));
    }
}

/// 256 buckets of two groups' patterns to the 4×4 entries of their columns; the buckets are spent.
#[inline(always)]
fn fold_twice<const K: usize>(buckets: &mut [[Chunk<f32>; K]]) -> [[[Chunk<f32>; K]; GROUP]; GROUP] {
    let mut half = [[[[0f32; LANES]; K]; GROUP]; PATTERNS];
    for (patterns, out) in buckets.chunks_exact_mut(PATTERNS).zip(&mut half) {
        fold_patterns(patterns, out);
    }
    let mut sums = [[[[0f32; LANES]; K]; GROUP]; GROUP];
    for c in 0..GROUP {
        let mut column: [[Chunk<f32>; K]; PATTERNS] = std::array::from_fn(|pattern| half[pattern][c]);
        let mut out = [[[0f32; LANES]; K]; GROUP];
        fold_patterns(&mut column, &mut out);
        (0..GROUP).for_each(|r| sums[r][c] = out[r]);
    }
    sums
}

/// Factors M = Gram + penalties in place, each class for itself; pivots are kept well above 0.
struct Cholesky<'a> {
    columns: usize,
    chunks: usize,
    penalties: &'a [f64],
    a: &'a mut [Chunk<f32>],
}

impl Vectorised for Cholesky<'_> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Cholesky { columns, chunks, penalties, a } = self;
        blocks!(chunks, |at, K| {
            let load =
                |a: &[Chunk<f32>], e: usize| -> [Chunk<f32>; K] { std::array::from_fn(|k| a[e * chunks + at + k]) };
            for (i, &penalty) in penalties.iter().enumerate().take(columns) {
                for j in 0..=i {
                    let mut s = load(a, entry(i, j));
                    let diagonal = s;
                    if i == j {
                        s.as_flattened_mut().iter_mut().for_each(|v| *v += penalty as f32);
                    }
                    for k in 0..j {
                        subtract_product::<FMA, K>(&mut s, &load(a, entry(i, k)), &load(a, entry(j, k)));
                    }
                    let s = s.as_flattened_mut();
                    if i == j {
                        let least = diagonal.as_flattened().iter().map(|v| (1e-6 * v).max(1e-20));
                        s.iter_mut().zip(least).for_each(|(v, least)| *v = 1.0 / v.max(least).sqrt());
                    } else {
                        let pivot = load(a, entry(j, j));
                        s.iter_mut().zip(pivot.as_flattened()).for_each(|(v, p)| *v *= p);
                    }
                    let place = entry(i, j) * chunks + at;
                    a[place..place + K].as_flattened_mut().copy_from_slice(s);
                }
            }
        });
    }
}

/// Solves M v = b in place, forward and back.
struct Solve<'a> {
    columns: usize,
    chunks: usize,
    a: &'a [Chunk<f32>],
    b: &'a mut [Chunk<f32>],
}

impl Vectorised for Solve<'_> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Solve { columns, chunks, a, b } = self;
        blocks!(chunks, |at, K| {
            let load =
                |a: &[Chunk<f32>], e: usize| -> [Chunk<f32>; K] { std::array::from_fn(|k| a[e * chunks + at + k]) };
            let times = |s: &mut [Chunk<f32>; K], p: [Chunk<f32>; K]| {
                s.as_flattened_mut().iter_mut().zip(p.as_flattened()).for_each(|(v, p)| *v *= p);
            };
            for i in 0..columns {
                let mut s = load(b, i);
                for k in 0..i {
                    subtract_product::<FMA, K>(&mut s, &load(a, entry(i, k)), &load(b, k));
                }
                times(&mut s, load(a, entry(i, i)));
                b[i * chunks + at..i * chunks + at + K].copy_from_slice(&s);
            }
            for i in (0..columns).rev() {
                let mut s = load(b, i);
                times(&mut s, load(a, entry(i, i)));
                b[i * chunks + at..i * chunks + at + K].copy_from_slice(&s);
                for k in 0..i {
                    let mut t = load(b, k);
                    subtract_product::<FMA, K>(&mut t, &load(a, entry(i, k)), &s);
                    b[k * chunks + at..k * chunks + at + K].copy_from_slice(&t);
                }
            }
        });
    }
}

/// s −= x·y, lane by lane.
#[inline(always)]
fn subtract_product<const FMA: bool, const K: usize>(
    s: &mut [Chunk<f32>; K],
    x: &[Chunk<f32>; K],
    y: &[Chunk<f32>; K],
) {
    for k in 0..K {
        for l in 0..LANES {
            s[k][l] = if FMA { (-x[k][l]).mul_add(y[k][l], s[k][l]) } else { s[k][l] - x[k][l] * y[k][l] };
        }
    }
}
