//! The design of a fit: how masks become regressors, and the products with them, by look-up.
//!
//! Columns are taken in groups of four. A row picks one of 16 patterns in each group, so Z·X is a sum of one table entry
//! a group, and Zᵀ·Y adds each row to one bucket a group and then folds buckets into columns. Neither multiplies.

use crate::Cpu;
use crate::lanes::{Chunk, LANES, Number, Vectorised, add, blocks, vectorised};
use lipex_core::Masks;

/// Columns in a group.
pub(crate) const GROUP: usize = 4;
/// Patterns of a group.
pub(crate) const PATTERNS: usize = 1 << GROUP;

/// The kept columns of the masks, and a column of ones if there is an intercept.
pub(crate) struct Design {
    columns: usize,
    groups: usize,
    /// The pattern of each row in each group, rows × groups.
    codes: Vec<u8>,
}

impl Design {
    /// Rows `rows` of the masks, columns `kept`, then a column of ones if `intercept`.
    pub fn new(masks: &Masks<Cpu>, rows: &[usize], kept: &[usize], intercept: bool) -> Self {
        let columns = kept.len() + usize::from(intercept);
        let groups = columns.div_ceil(GROUP);
        let mut codes = vec![0u8; rows.len() * groups];
        let places: Vec<(usize, usize)> = kept.iter().map(|&j| (j / 32, j % 32)).collect();
        let ones = if intercept { 1u8 << (kept.len() % GROUP) } else { 0 };
        for (&i, row) in rows.iter().zip(codes.chunks_exact_mut(groups.max(1))) {
            let bits = masks.row(i);
            for (code, group) in row.iter_mut().zip(places.chunks(GROUP)) {
                *code = group.iter().enumerate().fold(0, |c, (b, &(w, s))| c | (((bits[w] >> s) & 1) as u8) << b);
            }
            if let Some(last) = row.last_mut() {
                *last |= ones;
            }
        }
        Design { columns, groups, codes }
    }

    /// Columns, the intercept's included.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Groups of four columns.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The patterns of row `i`, one a group.
    #[inline(always)]
    pub fn row(&self, i: usize) -> &[u8] {
        &self.codes[i * self.groups..(i + 1) * self.groups]
    }

    /// The number of chunks in the tables and buckets of `chunks` chunks a column.
    pub fn table_len(&self, chunks: usize) -> usize {
        self.groups * PATTERNS * chunks
    }

    /// Fills `tables` with the sums of every pattern's columns of `x` (columns × chunks).
    #[inline(always)]
    pub fn tabulate<T: Number>(&self, x: &[Chunk<T>], chunks: usize, tables: &mut [Chunk<T>]) {
        for (g, table) in tables.chunks_exact_mut(PATTERNS * chunks).enumerate() {
            table[..chunks].fill([T::default(); LANES]);
            for b in 0..GROUP {
                let column = g * GROUP + b;
                let (low, high) = table.split_at_mut((1 << b) * chunks);
                for (pattern, sums) in high.chunks_exact_mut(chunks).take(1 << b).enumerate() {
                    sums.copy_from_slice(&low[pattern * chunks..(pattern + 1) * chunks]);
                    if column < self.columns {
                        sums.iter_mut().zip(&x[column * chunks..]).for_each(|(s, v)| add(s, v));
                    }
                }
            }
        }
    }

    /// Chunks `at`…`at + K` of row `i` of Z·X, from X's tables.
    #[inline(always)]
    pub fn look_up<T: Number, const K: usize>(
        &self,
        i: usize,
        tables: &[Chunk<T>],
        chunks: usize,
        at: usize,
    ) -> [Chunk<T>; K] {
        let mut sums = [[T::default(); LANES]; K];
        for (g, &code) in self.row(i).iter().enumerate() {
            let entry = (g * PATTERNS + usize::from(code)) * chunks + at;
            sums.iter_mut().zip(&tables[entry..entry + K]).for_each(|(s, v)| add(s, v));
        }
        sums
    }

    /// Adds chunks `at`…`at + K` of row `i` of Y to the row's buckets.
    #[inline(always)]
    pub fn scatter<T: Number, const K: usize>(
        &self,
        i: usize,
        y: &[Chunk<T>; K],
        buckets: &mut [Chunk<T>],
        chunks: usize,
        at: usize,
    ) {
        for (g, &code) in self.row(i).iter().enumerate() {
            let entry = (g * PATTERNS + usize::from(code)) * chunks + at;
            buckets[entry..entry + K].iter_mut().zip(y).for_each(|(s, v)| add(s, v));
        }
    }

    /// Folds buckets into Zᵀ·Y (columns × chunks); the buckets are spent.
    #[inline(always)]
    pub fn fold<T: Number>(&self, buckets: &mut [Chunk<T>], chunks: usize, out: &mut [Chunk<T>]) {
        out.fill([T::default(); LANES]);
        for (g, bucket) in buckets.chunks_exact_mut(PATTERNS * chunks).enumerate() {
            for b in (0..GROUP).rev() {
                let column = g * GROUP + b;
                let (low, high) = bucket.split_at_mut((1 << b) * chunks);
                for (k, (l, h)) in low.iter_mut().zip(high.iter()).enumerate() {
                    add(l, h);
                    if column < self.columns {
                        add(&mut out[column * chunks + k % chunks], h);
                    }
                }
            }
        }
    }
}

/// Groups whose buckets are filled together, so that they stay in the fastest cache.
const TILE: usize = 8;

/// Zᵀ·Y (columns × chunks) for Y of `chunks` chunks a row.
pub(crate) fn transposed<T: Number>(design: &Design, y: &[Chunk<T>], chunks: usize) -> Vec<Chunk<T>> {
    let mut out = vec![[T::default(); LANES]; design.columns * chunks];
    vectorised(Transposed { design, y, chunks, out: &mut out });
    out
}

struct Transposed<'a, T> {
    design: &'a Design,
    y: &'a [Chunk<T>],
    chunks: usize,
    out: &'a mut [Chunk<T>],
}

impl<T: Number> Vectorised for Transposed<'_, T> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Transposed { design, y, chunks, out } = self;
        blocks!(chunks, |at, K| {
            let mut buckets = [[[T::default(); LANES]; K]; TILE * PATTERNS];
            for first in (0..design.groups).step_by(TILE) {
                let last = design.groups.min(first + TILE);
                buckets.fill([[T::default(); LANES]; K]);
                for (codes, y) in design.codes.chunks_exact(design.groups).zip(y.chunks_exact(chunks)) {
                    let y: [Chunk<T>; K] = std::array::from_fn(|k| y[at + k]);
                    for (table, &code) in buckets.chunks_exact_mut(PATTERNS).zip(&codes[first..last]) {
                        let bucket = &mut table[usize::from(code) % PATTERNS];
                        bucket.iter_mut().zip(&y).for_each(|(b, y)| add(b, y));
                    }
                }
                for (g, table) in (first..last).zip(buckets.chunks_exact_mut(PATTERNS)) {
                    let mut sums = [[[T::default(); LANES]; K]; GROUP];
                    fold_patterns(table, &mut sums);
                    for (column, sum) in (g * GROUP..design.columns).zip(&sums) {
                        out[column * chunks + at..column * chunks + at + K].copy_from_slice(sum);
                    }
                }
            }
        });
    }
}

/// The sums over the patterns that hold each bit; the buckets are spent.
#[inline(always)]
pub(crate) fn fold_patterns<T: Number, const K: usize>(
    buckets: &mut [[Chunk<T>; K]],
    out: &mut [[Chunk<T>; K]; GROUP],
) {
    for bit in (0..GROUP).rev() {
        let (low, high) = buckets[..2 << bit].split_at_mut(1 << bit);
        for (l, h) in low.iter_mut().zip(high.iter()) {
            for k in 0..K {
                add(&mut l[k], &h[k]);
                add(&mut out[bit][k], &h[k]);
            }
        }
    }
}
