//! The design of a fit: how masks become regressors, and the products with them, by look-up.
//!
//! Z·X: columns are taken in groups of four, whose 16 sums are tabulated; a row of the product adds one entry a group.
//! Zᵀ·Y: the same with rows and columns exchanged. Neither multiplies. (Adding rows of Y to buckets by their pattern needs
//! as many additions, but each waits for the last that fell into its bucket.)
//!
//! Rows of X and Y are `width` numbers, whole registers; tables hold a block of up to four registers.
//!
//! # Shapes
//! A design has K columns: F features, then one of ones where there is an intercept, then P pairs. X is K × width, Y is N ×
//! width, both row-major; width is C (or as many right-hand sides as there are), padded to whole registers.
//!
//! # Cost
//! With groups of four columns a row of Z·X takes ⌈K/4⌉ additions of `width` numbers in place of the K/2 that masks with half
//! of their bits set would take, and 15·⌈K/4⌉ additions once for the tables. A table holds 16 sums of a block of registers: 4
//! KiB for four registers of 512 bits, so that the tables of a few groups stay in the first cache.
//!
//! # Numerics
//! Sums run group after group, in the order of the columns, whatever the register width of the machine: results differ between
//! machines only by fused multiply-add elsewhere. Masks are never turned into numbers.
//!
//! # Source
//! The method of four Russians: Arlazarov, Dinic, Kronrod and Faradžev (1970), here for sums in place of Boolean products.

use crate::Cpu;
use crate::lanes::{Aligned, Number, Simd, WithSimd, blocks, vectorised, vectorised_rows};
use lipex_core::Masks;
use std::ops::Range;

/// Columns in a group.
pub(crate) const GROUP: usize = 4;
/// Patterns of a group.
pub(crate) const PATTERNS: usize = 1 << GROUP;

/// Rows that are worked on together, so that their numbers and tables stay in the fastest cache.
pub(crate) const TILE: usize = 32;
/// Groups of four rows in a tile.
pub(crate) const ROW_GROUPS: usize = TILE / GROUP;

/// The sum of each pattern's columns or rows, in a block of registers.
pub(crate) type Table<T, S, const K: usize> = [[<T as Number>::Register<S>; K]; PATTERNS];

/// What a bit of a column says of its feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// 1 where the feature is there.
    Kept,
    /// 1 where it is removed.
    Removed,
}

/// The columns of a design, in order: features, a column of ones if there is one, pairs of features.
///
/// The column of ones stands before the pairs, so that a design without them is the beginning of one with them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    /// Which of a feature's two states is the 1.
    pub coding: Coding,
    /// Features by their numbers in the masks, ascending.
    pub features: &'a [usize],
    pub ones: bool,
    /// Features that act together; their bit is the AND of both.
    pub pairs: &'a [[usize; 2]],
}

impl<'a> Columns<'a> {
    /// Features that are there, and a column of ones if `ones`.
    pub fn kept(features: &'a [usize], ones: bool) -> Self {
        Columns { coding: Coding::Kept, features, ones, pairs: &[] }
    }

    /// Features that are removed, each on its own and in pairs, and a column of ones if `ones`.
    pub fn removed(features: &'a [usize], ones: bool, pairs: &'a [[usize; 2]]) -> Self {
        Columns { coding: Coding::Removed, features, ones, pairs }
    }

    /// Columns in all.
    pub fn len(&self) -> usize {
        self.features.len() + usize::from(self.ones) + self.pairs.len()
    }

    /// The features of a column, none for that of ones.
    fn of(&self, column: usize) -> Option<[usize; 2]> {
        let features = self.features.len();
        match column.checked_sub(features) {
            None => Some([self.features[column]; 2]),
            Some(0) if self.ones => None,
            Some(later) => Some(self.pairs[later - usize::from(self.ones)]),
        }
    }
}

/// Columns made of the masks' bits, four to a group.
pub(crate) struct Design {
    /// K, that of ones and the pairs included.
    columns: usize,
    /// ⌈K/4⌉, at least 1.
    groups: usize,
    /// The pattern of each row in each group, rows × groups; empty of a design that is only turned.
    codes: Vec<u8>,
    /// The same, groups × rows.
    by_group: Vec<u8>,
}

impl Design {
    /// Every row of the masks.
    pub fn new(masks: &Masks<Cpu>, columns: Columns<'_>) -> Self {
        Design::of(masks, columns, true)
    }

    /// Every row of the masks, with patterns by row only if they are asked for.
    pub fn of(masks: &Masks<Cpu>, columns: Columns<'_>, by_row: bool) -> Self {
        // A design without columns has one empty group, whose only sum is what logits start from.
        let groups = columns.len().div_ceil(GROUP).max(1);
        let zeros = |rows: usize| vec![0; rows * groups];
        let codes = zeros(if by_row { masks.rows() } else { 0 });
        let mut design = Design { columns: columns.len(), groups, codes, by_group: zeros(masks.rows()) };
        if columns.len() > 0 {
            vectorised(Patterns { masks, columns, design: &mut design });
        }
        design
    }

    /// Columns, that of ones included.
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

    /// Numbers in the tables for rows of `width` numbers.
    pub fn table_len(&self, width: usize) -> usize {
        self.groups * PATTERNS * width
    }

    /// The tables of a block of `K` registers from register `at` on, within tables for all.
    #[inline(always)]
    pub fn block<'a, T: Number, S: Simd, const K: usize>(&self, tables: &'a [T], at: usize) -> &'a [Table<T, S, K>] {
        let registers = T::registers::<S>(&tables[self.table_len(at * T::lanes::<S>())..]);
        &registers.as_chunks::<K>().0.as_chunks::<PATTERNS>().0[..self.groups]
    }

    /// The same, to be written.
    #[inline(always)]
    pub fn block_mut<'a, T: Number, S: Simd, const K: usize>(
        &self,
        tables: &'a mut [T],
        at: usize,
    ) -> &'a mut [Table<T, S, K>] {
        let first = self.table_len(at * T::lanes::<S>());
        &mut tables_mut::<T, S, K>(&mut tables[first..])[..self.groups]
    }

    /// Fills tables with the sums of every pattern's columns of `x` (columns × width), registers `at`…`at + K`; the first
    /// group's start from `base`.
    #[inline(always)]
    pub fn tabulate<T: Number, S: Simd, const K: usize>(
        &self,
        simd: S,
        x: &[T],
        (width, at): (usize, usize),
        base: [T::Register<S>; K],
        tables: &mut [Table<T, S, K>],
    ) {
        let zero = [T::splat(simd, T::default()); K];
        for (g, table) in tables.iter_mut().enumerate() {
            table[0] = if g == 0 { base } else { zero };
            for b in 0..GROUP {
                let column = g * GROUP + b;
                let term = if column < self.columns { load::<T, S, K>(&x[column * width..], at) } else { zero };
                for pattern in 0..1 << b {
                    table[pattern | 1 << b] = add::<T, S, K>(simd, table[pattern], term);
                }
            }
        }
    }
}

/// Rows of a Y that is made in parts; whole tiles.
const PART: usize = 8 * TILE;

/// Rows whose patterns are made together.
const BLOCK: usize = 64;

/// Writes the patterns of a design, [`BLOCK`] rows at a time with a row a lane.
struct Patterns<'a> {
    /// The bits to be gathered.
    masks: &'a Masks<Cpu>,
    /// The columns in order.
    columns: Columns<'a>,
    /// Where the patterns go, both by row and by group.
    design: &'a mut Design,
}

impl WithSimd for Patterns<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Patterns { masks, columns, design } = self;
        let (rows, groups, words) = (masks.rows(), design.groups, masks.features().div_ceil(32));
        let flip = if columns.coding == Coding::Removed { u32::MAX } else { 0 };
        let mut bits = vec![[0u32; BLOCK]; words];
        for first in (0..rows).step_by(BLOCK) {
            let count = BLOCK.min(rows - first);
            for r in 0..count {
                bits.iter_mut().zip(masks.row(first + r)).for_each(|(of_word, word)| of_word[r] = *word ^ flip);
            }
            for g in 0..groups {
                let mut patterns = [0u32; BLOCK];
                for b in 0..GROUP.min(design.columns - g * GROUP) {
                    add_column(&bits, columns.of(g * GROUP + b), b, &mut patterns);
                }
                let of_group = &mut design.by_group[g * rows + first..][..count];
                of_group.iter_mut().zip(patterns).for_each(|(to, pattern)| *to = pattern as u8);
                let of_rows = design.codes.iter_mut().skip(first * groups + g).step_by(groups);
                of_rows.zip(patterns).take(count).for_each(|(to, pattern)| *to = pattern as u8);
            }
        }
    }
}

/// Puts a column's bits of a block of rows into bit `b` of their patterns.
///
/// # Shapes
/// A block is [`BLOCK`] rows, of which word w of row i stands at `[w][i]`, so that a shift and a mask work on a register of
/// rows.
#[inline(always)]
fn add_column(bits: &[[u32; BLOCK]], column: Option<[usize; 2]>, b: usize, patterns: &mut [u32; BLOCK]) {
    match column {
        Some([j, k]) if j == k => {
            let of_word = &bits[j / 32];
            for r in 0..BLOCK {
                patterns[r] |= (of_word[r] >> (j % 32) & 1) << b;
            }
        }
        Some([j, k]) => {
            let (of_j, of_k) = (&bits[j / 32], &bits[k / 32]);
            for r in 0..BLOCK {
                patterns[r] |= (of_j[r] >> (j % 32) & of_k[r] >> (k % 32) & 1) << b;
            }
        }
        None => patterns.iter_mut().for_each(|pattern| *pattern |= 1 << b),
    }
}

/// Numbers as tables, as many as there is room for.
///
/// Tables belong into an [`Aligned`]: registers on the stack cross cache lines.
#[inline(always)]
pub(crate) fn tables_mut<T: Number, S: Simd, const K: usize>(numbers: &mut [T]) -> &mut [Table<T, S, K>] {
    T::registers_mut::<S>(numbers).as_chunks_mut::<K>().0.as_chunks_mut::<PATTERNS>().0
}

/// The registers of a row from number `at` on.
#[inline(always)]
fn registers_at<T: Number, S: Simd>(row: &[T], at: usize) -> &[T::Register<S>] {
    &T::registers::<S>(row)[at..]
}

/// Registers `at`…`at + K` of a row.
#[inline(always)]
pub(crate) fn load<T: Number, S: Simd, const K: usize>(row: &[T], at: usize) -> [T::Register<S>; K] {
    let (values, _) = registers_at::<T, S>(row, at).as_chunks::<K>();
    values[0]
}

/// Registers `at`…`at + K` of a row, to be written.
#[inline(always)]
pub(crate) fn store<T: Number, S: Simd, const K: usize>(row: &mut [T], at: usize, values: [T::Register<S>; K]) {
    T::registers_mut::<S>(row)[at..at + K].copy_from_slice(&values);
}

/// The sum of two blocks, register by register.
#[inline(always)]
pub(crate) fn add<T: Number, S: Simd, const K: usize>(
    simd: S,
    a: [T::Register<S>; K],
    b: [T::Register<S>; K],
) -> [T::Register<S>; K] {
    // No closures here and below: one that is not inlined is compiled for the narrowest registers.
    let mut sums = a;
    for k in 0..K {
        sums[k] = T::add(simd, a[k], b[k]);
    }
    sums
}

/// A row of Z·X from X's tables.
#[inline(always)]
pub(crate) fn look_up<T: Number, S: Simd, const K: usize>(
    simd: S,
    codes: &[u8],
    tables: &[Table<T, S, K>],
) -> [T::Register<S>; K] {
    let mut sums = [T::splat(simd, T::default()); K];
    for (table, &code) in tables.iter().zip(codes) {
        let entry = &table[usize::from(code) % PATTERNS];
        for k in 0..K {
            sums[k] = T::add(simd, sums[k], entry[k]);
        }
    }
    sums
}

/// Some rows of a design by column: which of them have it.
#[derive(Clone)]
pub(crate) struct ByColumn {
    /// K of the design that was turned.
    columns: usize,
    /// For each tile of rows and each column eight bytes, the patterns of its groups of four rows.
    patterns: Vec<[u8; ROW_GROUPS]>,
}

impl ByColumn {
    /// The rows that count, in the order of `rows`; tiles of [`TILE`] of them, the last filled with rows that have no bit.
    pub fn new(design: &Design, rows: &[u32]) -> Self {
        let columns = design.columns;
        let mut patterns = vec![[0; ROW_GROUPS]; rows.len().div_ceil(TILE) * columns];
        vectorised(Transpose { design, rows, patterns: &mut patterns });
        ByColumn { columns, patterns }
    }

    /// The same from the masks, without a design by row.
    ///
    /// # Cost
    /// Half the memory and half the stores of a design that is turned, for who asks for columns alone.
    pub fn of(masks: &Masks<Cpu>, columns: Columns<'_>, rows: &[u32]) -> Self {
        ByColumn::new(&Design::of(masks, columns, false), rows)
    }

    /// The patterns of every column in tile `t`.
    #[inline(always)]
    pub fn tile(&self, t: usize) -> &[[u8; ROW_GROUPS]] {
        &self.patterns[t * self.columns..(t + 1) * self.columns]
    }
}

/// Turns patterns of columns into patterns of rows.
struct Transpose<'a> {
    /// Patterns by row, to be turned.
    design: &'a Design,
    /// The rows that count.
    rows: &'a [u32],
    /// Where they go: tile after tile, in it column after column.
    patterns: &'a mut [[u8; ROW_GROUPS]],
}

impl WithSimd for Transpose<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Transpose { design, rows, patterns } = self;
        let all = design.by_group.len() / design.groups.max(1);
        for (tile, rows) in patterns.chunks_exact_mut(design.columns.max(1)).zip(rows.chunks(TILE)) {
            for (columns, of_group) in tile.chunks_mut(GROUP).zip(design.by_group.chunks_exact(all)) {
                let mut codes = [[0u8; GROUP]; ROW_GROUPS];
                codes.as_flattened_mut().iter_mut().zip(rows).for_each(|(code, &i)| *code = of_group[i as usize]);
                for (b, patterns) in columns.iter_mut().enumerate() {
                    for (pattern, codes) in patterns.iter_mut().zip(codes) {
                        // A bit a byte; the factor moves that of row r to bit 24 + r, and the others out of its way.
                        let bits = u32::from_le_bytes(codes) >> b & 0x0101_0101;
                        *pattern = (bits.wrapping_mul(0x0102_0408) >> 24 & 15) as u8;
                    }
                }
            }
        }
    }
}

/// Numbers that the row tables of a block of `K` registers take.
pub(crate) fn row_tables_len<T: Number, S: Simd, const K: usize>() -> usize {
    ROW_GROUPS * PATTERNS * K * T::lanes::<S>()
}

/// Fills the tables of a tile's groups of rows from up to [`TILE`] rows of Y; rows that are not there count as zeros.
///
/// # Shapes
/// Up to [`TILE`] rows of `width` numbers; the tables of a block of K registers are [`ROW_GROUPS`] × 16 × K registers.
#[inline(always)]
pub(crate) fn tabulate_rows<T: Number, S: Simd, const K: usize>(
    simd: S,
    y: &[T],
    (width, at): (usize, usize),
    tables: &mut [Table<T, S, K>],
) {
    let zero = [T::splat(simd, T::default()); K];
    for (g, table) in tables.iter_mut().enumerate() {
        table[0] = zero;
        for b in 0..GROUP {
            let row = (g * GROUP + b) * width;
            let term = if row < y.len() { load::<T, S, K>(&y[row..row + width], at) } else { zero };
            for pattern in 0..1 << b {
                table[pattern | 1 << b] = add::<T, S, K>(simd, table[pattern], term);
            }
        }
    }
}

/// Adds to `sums` the rows of a tile that the patterns pick.
#[inline(always)]
pub(crate) fn add_rows<T: Number, S: Simd, const K: usize>(
    simd: S,
    patterns: &[u8; ROW_GROUPS],
    tables: &[Table<T, S, K>; ROW_GROUPS],
    sums: [T::Register<S>; K],
) -> [T::Register<S>; K] {
    let mut sums = sums;
    for g in 0..ROW_GROUPS {
        let entry = &tables[g][usize::from(patterns[g]) % PATTERNS];
        for k in 0..K {
            sums[k] = T::add(simd, sums[k], entry[k]);
        }
    }
    sums
}

/// Adds a tile's share of Zᵀ·Y to `out` (columns × width), registers `at`…`at + K`.
///
/// # Numerics
/// Sums go tile after tile in the order of the rows, whatever the number of threads: threads share out fits, never rows.
#[inline(always)]
pub(crate) fn add_transposed<T: Number, S: Simd, const K: usize>(
    simd: S,
    patterns: &[[u8; ROW_GROUPS]],
    y: &[T],
    (width, at): (usize, usize),
    tables: &mut [T],
    out: &mut [T],
) {
    let tables = tables_mut::<T, S, K>(tables);
    tabulate_rows::<T, S, K>(simd, y, (width, at), &mut tables[..ROW_GROUPS]);
    let Some(tables) = tables.first_chunk::<ROW_GROUPS>() else { return };
    for (column, patterns) in out.chunks_exact_mut(width).zip(patterns) {
        let sums = load::<T, S, K>(column, at);
        store::<T, S, K>(column, at, add_rows::<T, S, K>(simd, patterns, tables, sums));
    }
}

/// Z·X over some rows of a design, a row of `width` numbers for each; X has a row for each column.
///
/// # Cost
/// ⌈K/4⌉ additions of a row a row, after 15·⌈K/4⌉ for the tables.
pub(crate) fn product<T: Number>(design: &Design, rows: &[u32], x: &[T], width: usize) -> Aligned<T> {
    let mut out = Aligned::zeros(rows.len() * width);
    vectorised_rows::<T, _>(width, Product { design, rows, x, width, out: &mut out });
    out
}

/// Z·X of some rows on the widest registers; see [`product`].
struct Product<'a, T> {
    /// The masks' patterns by row.
    design: &'a Design,
    /// The rows of the product.
    rows: &'a [u32],
    /// X, K × width.
    x: &'a [T],
    /// Numbers in a row of X.
    width: usize,
    /// The product, a row each.
    out: &'a mut [T],
}

impl<T: Number> WithSimd for Product<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Product { design, rows, x, width, out } = self;
        let mut tables = Aligned::zeros(design.table_len(width));
        blocks!(width / T::lanes::<S>(), |at, K| {
            let zero = [T::splat(simd, T::default()); K];
            let tables = design.block_mut::<T, S, K>(&mut tables, at);
            design.tabulate::<T, S, K>(simd, x, (width, at), zero, tables);
            for (&i, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
                store::<T, S, K>(out, at, look_up::<T, S, K>(simd, design.row(i as usize), tables));
            }
        });
    }
}

/// Zᵀ·Y (columns × width) over some rows of a design; Y has a row of `width` numbers for each of them.
///
/// # Cost
/// ⌈N/4⌉ additions of a row a column, after 15·⌈N/4⌉ for the tables.
pub(crate) fn transposed<T: Number>(rows: &ByColumn, y: &[T], width: usize) -> Aligned<T> {
    let mut out = Aligned::zeros(rows.columns * width);
    vectorised_rows::<T, _>(width, Transposed { rows, first: 0, y, width, out: &mut out });
    out
}

/// [`transposed`] of a Y that is made some rows at a time, so that it stays in a fast cache: `fill` gets a range of the `count`
/// rows, and their numbers to be written over.
///
/// # Numerics
/// The same to the bit as of a Y made whole: sums go in the order of the rows.
pub(crate) fn transposed_by_parts<T: Number>(
    rows: &ByColumn,
    (count, width): (usize, usize),
    mut fill: impl FnMut(Range<usize>, &mut [T]),
) -> Aligned<T> {
    let mut out = Aligned::zeros(rows.columns * width);
    let mut part = Aligned::zeros(count.min(PART) * width);
    for first in (0..count).step_by(PART) {
        let range = first..count.min(first + PART);
        let y = &mut part[..range.len() * width];
        fill(range, y);
        vectorised_rows::<T, _>(width, Transposed { rows, first: first / TILE, y, width, out: &mut out });
    }
    out
}

/// Zᵀ·Y of some rows on the widest registers, added to what is there; see [`transposed`].
struct Transposed<'a, T> {
    /// The masks' patterns by column.
    rows: &'a ByColumn,
    /// The tile of Y's first row.
    first: usize,
    /// Y, a row for each row from there on.
    y: &'a [T],
    /// Numbers in a row of Y.
    width: usize,
    /// The product, K × width.
    out: &'a mut [T],
}

impl<T: Number> WithSimd for Transposed<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Transposed { rows, first, y, width, out } = self;
        let mut tables = Aligned::zeros(row_tables_len::<T, S, 4>());
        if width == 0 {
            return;
        }
        for (t, y) in y.chunks(TILE * width).enumerate() {
            blocks!(width / T::lanes::<S>(), |at, K| {
                add_transposed::<T, S, K>(simd, rows.tile(first + t), y, (width, at), &mut tables, out);
            });
        }
    }
}

#[cfg(test)]
mod tests;
