//! Perturb: drawing masks, bit by bit as the laws specify.
//!
//! # Specification
//! Bits are a specification: the same seed gives the same masks on every backend and in every version. Row i draws from Philox
//! streams (seed; row i, instance r): draw 0 the size, then Floyd's algorithm for the subset. Integer arithmetic only; shares
//! are compared as 32-bit thresholds.
//!
//! # Source
//! Floyd's algorithm: Bentley, Programming Pearls: A Sample of Brilliance (Communications of the ACM, 1987).

use crate::Cpu;
use crate::mt19937::Mt19937;
use lipex_core::philox::{Draws, Purpose, scaled};
use lipex_core::{
    Angle, Antithetic, Bernoulli, Draw, Error, Exhaustive, GivenMasks, Law, LimeImage, LimeText, Masks, Perturber,
    Result, Sample, UniformSize,
};
use std::ops::Range;

mod shapley;
mod weighted;

/// One row of masks.
type Row = [u32];

/// Sets the bits of all features.
fn keep_all(row: &mut Row, features: usize) {
    for (w, word) in row.iter_mut().enumerate() {
        let left = features - 32 * w;
        *word = if left >= 32 { u32::MAX } else { (1 << left) - 1 };
    }
}

/// Whether feature j's bit is set.
fn holds(row: &Row, j: usize) -> bool {
    row[j / 32] >> (j % 32) & 1 == 1
}

/// Sets feature j's bit.
fn put(row: &mut Row, j: usize) {
    row[j / 32] |= 1 << (j % 32);
}

/// The complement over the features.
fn invert(row: &mut Row, features: usize) {
    row.iter_mut().for_each(|w| *w = !*w);
    if !features.is_multiple_of(32) {
        row[features / 32] &= (1 << (features % 32)) - 1;
    }
}

/// Numbers that are drawn at a time.
const DRAWN: usize = 64;

/// Keeps all features but a random `removed` of them: Floyd's algorithm for the smaller side, on draws `first`, `first` + 1, …
///
/// # Cost
/// As many draws as the smaller of the removed and the kept, so that half of the features is the most.
fn remove_subset(row: &mut Row, features: usize, removed: usize, draws: &mut Draws, first: u32) {
    let fewer = removed.min(features - removed);
    row.fill(0);
    let (mut buffer, mut next) = ([0; DRAWN], first);
    let mut last = features - fewer;
    while last < features {
        let drawn = &mut buffer[..DRAWN.min(features - last)];
        draws.fill(next, drawn);
        for (&draw, j) in drawn.iter().zip(last..) {
            let t = scaled(draw, j as u32 + 1) as usize;
            put(row, if holds(row, t) { j } else { t });
        }
        next += drawn.len() as u32;
        last += drawn.len();
    }
    if removed <= features - removed {
        invert(row, features);
    }
}

/// Passes if rows and features can be numbered by 32 bits, as the draws number them.
fn check_counters(features: &[usize], rows: &Range<usize>) -> Result<()> {
    check_order(rows)?;
    if rows.end as u64 > 1 << 32 {
        return Err(Error::setting(
            "samples",
            rows.end,
            "at most 4294967296 masks, since rows are numbered by 32 bits",
        ));
    }
    match features.iter().find(|&&d| d as u64 > 1 << 31) {
        Some(d) => Err(Error::setting("features", d, "at most 2147483648 features")),
        None => Ok(()),
    }
}

/// Passes if the range is not backwards.
fn check_order(rows: &Range<usize>) -> Result<()> {
    if rows.start <= rows.end {
        return Ok(());
    }
    Err(Error::setting("rows", format!("{}..{}", rows.start, rows.end), "the first row is after the last"))
}

/// Masks by a law that makes each row alone; `make` gets the row, its number, the instance's number and D.
fn by_row(
    law: &impl Law,
    on: &Cpu,
    draw: &Draw<'_>,
    make: impl Fn(&mut Row, usize, usize, usize) + Sync,
) -> Result<Vec<Sample<Cpu>>> {
    let rows = &draw.rows;
    check_counters(draw.features, rows)?;
    on.map(draw.features.len(), |instance| {
        let d = draw.features[instance];
        let words = d.div_ceil(32);
        let mut bits = vec![0u32; rows.len() * words];
        if words > 0 {
            for (i, row) in rows.clone().zip(bits.chunks_exact_mut(words)) {
                if i == 0 { keep_all(row, d) } else { make(row, i, instance, d) }
            }
        }
        Ok(Sample::new(law, draw.total, Masks::new(on, rows.len(), d, bits)?))
    })
}

/// The draws of row `i`: rows are numbered by 32 bits.
fn draws(seed: u64, i: usize) -> Draws {
    Draws::new(seed, i as u32, 0, Purpose::Masks)
}

impl Perturber<Cpu> for UniformSize {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        by_row(self, on, draw, |row, i, _, d| {
            let most = self.within.map_or(d, |angle| angle.most_removed(d));
            let mut draws = draws(draw.seed, i);
            let removed = 1 + draws.below(0, most as u32) as usize;
            remove_subset(row, d, removed, &mut draws, 1);
        })
    }
}

impl Perturber<Cpu> for Antithetic {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        by_row(self, on, draw, |row, i, _, d| {
            // Row 2m is the complement of row 2m − 1, whose draws both use.
            let mut draws = draws(draw.seed, i - usize::from(i.is_multiple_of(2)));
            let removed = if d == 1 { 1 } else { 1 + draws.below(0, d as u32 - 1) as usize };
            remove_subset(row, d, removed, &mut draws, 1);
            if i.is_multiple_of(2) {
                invert(row, d);
            }
        })
    }
}

impl Perturber<Cpu> for Bernoulli {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        if let Some(angle) = self.within {
            let sizes: Vec<Vec<f64>> = draw.features.iter().map(|&d| binomial(d, self.keep(), angle)).collect();
            return by_row(self, on, draw, |row, i, instance, d| {
                let mut draws = draws(draw.seed, i);
                let (sizes, share) = (&sizes[instance], draws.unit(0));
                let removed = sizes.partition_point(|&cumulated| cumulated <= share).min(sizes.len() - 1);
                remove_subset(row, d, removed, &mut draws, 1);
            });
        }
        let threshold = (self.keep() * 4_294_967_296.0) as u64;
        by_row(self, on, draw, |row, i, _, d| {
            let mut draws = draws(draw.seed, i);
            row.fill(0);
            let mut drawn = [0; DRAWN];
            for first in (0..d).step_by(DRAWN) {
                let drawn = &mut drawn[..DRAWN.min(d - first)];
                draws.fill(first as u32, drawn);
                let kept = drawn.iter().zip(first..).filter(|&(&draw, _)| u64::from(draw) < threshold);
                kept.for_each(|(_, j)| put(row, j));
            }
        })
    }
}

/// Cumulated probabilities that 0, 1, … features are removed, of the binomial restricted to the sizes within an angle.
///
/// # Numerics
/// In f64, by the recurrence of binomial coefficients, divided by their sum within the angle; compared with draws as 32-bit
/// thresholds.
fn binomial(features: usize, keep: f64, within: Angle) -> Vec<f64> {
    let most = within.most_removed(features).min(features);
    let odds = (1.0 - keep).ln() - keep.ln();
    let mut logarithm = 0.0;
    let mut logarithms = vec![logarithm];
    for r in 1..=most {
        logarithm += ((features - r + 1) as f64 / r as f64).ln() + odds;
        logarithms.push(logarithm);
    }
    let top = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    let mut cumulated: Vec<f64> = logarithms
        .iter()
        .map(|l| {
            sum += (l - top).exp();
            sum
        })
        .collect();
    cumulated.iter_mut().for_each(|v| *v /= sum);
    cumulated
}

impl Perturber<Cpu> for Exhaustive {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        draw.features.iter().try_for_each(|&d| check_end(&draw.rows, Exhaustive::rows(d)?))?;
        by_row(self, on, draw, |row, i, _, d| {
            row[0] = i as u32;
            invert(row, d);
        })
    }
}

/// Passes if a law with `total` rows has these.
fn check_end(rows: &Range<usize>, total: usize) -> Result<()> {
    check_order(rows)?;
    if rows.end <= total {
        return Ok(());
    }
    Err(Error::setting("samples", rows.end, format!("this sampler has {total} masks here")))
}

/// Rows of a law that draws all `total` of them in one sequence; keeps those asked for.
///
/// LIME's generators cannot jump: rows before those that are asked for are drawn and thrown away.
fn in_sequence(
    law: &impl Law,
    on: &Cpu,
    draw: &Draw<'_>,
    make: impl Fn(usize, &mut dyn FnMut(usize, &Row)) + Sync,
) -> Result<Vec<Sample<Cpu>>> {
    let rows = &draw.rows;
    check_end(rows, draw.total)?;
    on.map(draw.features.len(), |instance| {
        let d = draw.features[instance];
        let words = d.div_ceil(32);
        let mut bits = vec![0u32; rows.len() * words];
        make(d, &mut |i, row| {
            if rows.contains(&i) {
                bits[(i - rows.start) * words..][..words].copy_from_slice(row);
            }
        });
        Ok(Sample::new(law, draw.total, Masks::new(on, rows.len(), d, bits)?))
    })
}

/// NumPy's legacy generator takes seeds of 32 bits.
fn legacy_seed(seed: u64) -> Result<u32> {
    u32::try_from(seed)
        .map_err(|_| Error::setting("seed", seed, "LIME's masks take a seed of 32 bits, 0 to 4294967295"))
}

impl Perturber<Cpu> for LimeText {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        let seed = legacy_seed(draw.seed)?;
        in_sequence(self, on, draw, |d, emit| {
            let mut generator = Mt19937::new(seed);
            let mut row = vec![0u32; d.div_ceil(32)];
            keep_all(&mut row, d);
            emit(0, &row);
            let most = d.saturating_sub(1) as u32;
            let sizes: Vec<usize> = (1..draw.total).map(|_| d.min(1) + generator.bounded(most) as usize).collect();
            let mut order: Vec<usize> = Vec::with_capacity(d);
            for (i, size) in sizes.into_iter().enumerate() {
                order.clear();
                order.extend(0..d);
                (1..d).rev().for_each(|a| order.swap(a, generator.bounded(a as u32) as usize));
                keep_all(&mut row, d);
                order[..size].iter().for_each(|&j| row[j / 32] &= !(1 << (j % 32)));
                emit(i + 1, &row);
            }
        })
    }
}

impl Perturber<Cpu> for LimeImage {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        let seed = legacy_seed(draw.seed)?;
        in_sequence(self, on, draw, |d, emit| {
            let mut generator = Mt19937::new(seed);
            let mut row = vec![0u32; d.div_ceil(32)];
            for i in 0..draw.total {
                row.fill(0);
                (0..d).filter(|_| generator.bounded(1) == 1).for_each(|j| put(&mut row, j));
                if i == 0 {
                    keep_all(&mut row, d);
                }
                emit(i, &row);
            }
        })
    }
}

impl Perturber<Cpu> for GivenMasks {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        let rows = &draw.rows;
        check_end(rows, self.rows())?;
        let words = self.features().div_ceil(32);
        on.map(draw.features.len(), |i| {
            lipex_core::expect_len("features of the given masks", draw.features[i], self.features())?;
            let bits = self.bits()[rows.start * words..rows.end * words].to_vec();
            Ok(Sample::new(self, draw.total, Masks::new(on, rows.len(), self.features(), bits)?))
        })
    }
}
