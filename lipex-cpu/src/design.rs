//! The design of a fit: how masks become regressors, and the products with them, by look-up.
//!
//! Z·X: columns are taken in groups of four, whose 16 sums are tabulated; a row of the product adds one entry a group.
//! Zᵀ·Y: the same with rows and columns exchanged. Neither multiplies. (Adding rows of Y to buckets by their pattern needs
//! as many additions, but each waits for the last that fell into its bucket.)
//!
//! Rows of X and Y are `width` numbers, whole registers; tables hold a block of up to four registers.

use crate::Cpu;
use crate::lanes::{Aligned, Number, Simd, WithSimd, blocks, vectorised};
use lipex_core::Masks;

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

/// The kept columns of the masks, and a column of ones if there is an intercept.
pub(crate) struct Design {
    columns: usize,
    groups: usize,
    /// The pattern of each row in each group, rows × groups.
    codes: Vec<u8>,
}

impl Design {
    /// Every row of the masks, columns `kept`, then a column of ones if `intercept`.
    pub fn new(masks: &Masks<Cpu>, kept: &[usize], intercept: bool) -> Self {
        let columns = kept.len() + usize::from(intercept);
        let groups = columns.div_ceil(GROUP);
        let mut codes = vec![0u8; masks.rows() * groups];
        if groups == 0 {
            return Design { columns, groups, codes };
        }
        // The commonest selection, all features, needs no search for bits.
        let neighbours = !kept.is_empty() && kept.iter().enumerate().all(|(at, &j)| at == j);
        let places: Vec<(usize, u32)> = kept.iter().map(|&j| (j / 32, (j % 32) as u32)).collect();
        let ones = if intercept { 1u8 << (kept.len() % GROUP) } else { 0 };
        let filled = kept.len().div_ceil(GROUP);
        let last_columns = !(!0u8 << (kept.len().saturating_sub(1) % GROUP + 1));
        for (i, row) in codes.chunks_exact_mut(groups).enumerate() {
            let bits = masks.row(i);
            if neighbours {
                for (word, codes) in bits.iter().zip(row[..filled].chunks_mut(32 / GROUP)) {
                    codes.iter_mut().enumerate().for_each(|(g, code)| *code = (word >> (GROUP * g)) as u8 & 15);
                }
                row[filled - 1] &= last_columns;
            } else {
                for (code, group) in row.iter_mut().zip(places.chunks(GROUP)) {
                    let bit = |(b, &(w, s)): (usize, &(usize, u32))| ((bits[w] >> s & 1) as u8) << b;
                    *code = group.iter().enumerate().map(bit).sum();
                }
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

/// Numbers as tables, as many as there is room for.
///
/// Tables belong into an [`Aligned`]: registers on the stack cross cache lines.
#[inline(always)]
pub(crate) fn tables_mut<T: Number, S: Simd, const K: usize>(numbers: &mut [T]) -> &mut [Table<T, S, K>] {
    T::registers_mut::<S>(numbers).as_chunks_mut::<K>().0.as_chunks_mut::<PATTERNS>().0
}

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
    columns: usize,
    /// For each tile of rows and each column eight bytes, the patterns of its groups of four rows.
    patterns: Vec<[u8; ROW_GROUPS]>,
}

impl ByColumn {
    pub fn new(design: &Design, rows: &[u32]) -> Self {
        let columns = design.columns;
        let mut patterns = vec![[0; ROW_GROUPS]; rows.len().div_ceil(TILE) * columns];
        for (tile, rows) in patterns.chunks_exact_mut(columns.max(1)).zip(rows.chunks(TILE)) {
            for (at, rows) in rows.chunks(GROUP).enumerate() {
                for (g, columns) in tile.chunks_mut(GROUP).enumerate() {
                    // Bit c of a row's code goes to byte c, and each row has a bit of its own there.
                    let spread = |code: u8| (u32::from(code) * 0x0020_4081) & 0x0101_0101;
                    let of_row = |(r, &i): (usize, &u32)| spread(design.row(i as usize)[g]) << r;
                    let bytes = rows.iter().enumerate().map(of_row).sum::<u32>().to_le_bytes();
                    columns.iter_mut().zip(bytes).for_each(|(patterns, byte)| patterns[at] = byte);
                }
            }
        }
        ByColumn { columns, patterns }
    }

    /// The patterns of every column in tile `t`.
    #[inline(always)]
    pub fn tile(&self, t: usize) -> &[[u8; ROW_GROUPS]] {
        &self.patterns[t * self.columns..(t + 1) * self.columns]
    }
}

/// Numbers that the row tables of a block of `K` registers take.
pub(crate) fn row_tables_len<T: Number, S: Simd, const K: usize>() -> usize {
    ROW_GROUPS * PATTERNS * K * T::lanes::<S>()
}

/// Fills the tables of a tile's groups of rows from up to [`TILE`] rows of Y; rows that are not there count as zeros.
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

/// Zᵀ·Y (columns × width) over some rows of a design; Y has a row of `width` numbers for each of them.
pub(crate) fn transposed<T: Number>(rows: &ByColumn, y: &[T], width: usize) -> Aligned<T> {
    let mut out = Aligned::zeros(rows.columns * width);
    vectorised(Transposed { rows, y, width, out: &mut out });
    out
}

struct Transposed<'a, T> {
    rows: &'a ByColumn,
    y: &'a [T],
    width: usize,
    out: &'a mut [T],
}

impl<T: Number> WithSimd for Transposed<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Transposed { rows, y, width, out } = self;
        let mut tables = Aligned::zeros(row_tables_len::<T, S, 4>());
        if width == 0 {
            return;
        }
        for (t, y) in y.chunks(TILE * width).enumerate() {
            blocks!(width / T::lanes::<S>(), |at, K| {
                add_transposed::<T, S, K>(simd, rows.tile(t), y, (width, at), &mut tables, out);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{padded_f32, padded_f64};

    fn masks(rows: usize, features: usize) -> Masks<Cpu> {
        let words = features.div_ceil(32);
        let keep = |i: usize, j: usize| (i * 7 + j * j * 3 + i * j) % 5 < 3;
        let mut bits = vec![0u32; rows * words];
        for i in 0..rows {
            (0..features).filter(|&j| keep(i, j)).for_each(|j| bits[i * words + j / 32] |= 1 << (j % 32));
        }
        Masks::new(&Cpu::new(), rows, features, bits).unwrap()
    }

    #[test]
    fn codes_are_the_masks_bits() {
        for features in [1, 3, 4, 5, 31, 32, 33, 70] {
            let masks = masks(9, features);
            let all: Vec<usize> = (0..features).collect();
            let odd: Vec<usize> = (0..features).filter(|j| j % 2 == 1).collect();
            for kept in [all.clone(), all[..features.div_ceil(2)].to_vec(), odd] {
                for intercept in [false, true] {
                    let design = Design::new(&masks, &kept, intercept);
                    for i in 0..9 {
                        let bit = |column: usize| design.row(i)[column / GROUP] >> (column % GROUP) & 1 == 1;
                        assert!(kept.iter().enumerate().all(|(at, &j)| bit(at) == masks.keeps(i, j)));
                        assert!(
                            (kept.len()..design.groups() * GROUP).all(|c| bit(c) == (intercept && c == kept.len()))
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn transposed_products_equal_sums() {
        let masks = masks(40, 37);
        let kept: Vec<usize> = (0..37).collect();
        let design = Design::new(&masks, &kept, true);
        let rows: Vec<u32> = (0..40).filter(|i| i % 3 != 1).collect();
        for classes in [1, 5, 8, 9, 16, 17, 70] {
            let width = padded_f64(classes).max(padded_f32(classes));
            let y: Vec<f64> = (0..rows.len() * width).map(|e| (e % 11) as f64 - 4.0).collect();
            let by_column = ByColumn::new(&design, &rows);
            let sums = transposed(&by_column, &y, width);
            let single: Vec<f32> = y.iter().map(|&v| v as f32).collect();
            let single = transposed(&by_column, &single, width);
            for column in 0..38 {
                for c in 0..classes {
                    let kept = |i: u32| column == 37 || masks.keeps(i as usize, column);
                    let terms = rows.iter().enumerate().filter(|(_, i)| kept(**i)).map(|(r, _)| y[r * width + c]);
                    let sum: f64 = terms.sum();
                    assert_eq!(sums[column * width + c], sum);
                    assert_eq!(f64::from(single[column * width + c]), sum);
                }
            }
        }
    }
}
