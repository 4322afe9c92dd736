//! Perturb: masks drawn on the device, bit for bit those of the CPU.

use crate::device::Cuda;
use crate::launch::{MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::weigh::look_up;
use lipex_core::perturb::{Filtered, ShapleySize, WeightProportional};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Antithetic, Backend, Bernoulli, Dependence, Error, Exhaustive, GivenMasks, LimeImage, LimeText, Masks, Perturber,
    ProximityTable, Result, Sample, UniformSize, Weights,
};
use lipex_cpu::Cpu;
use lipex_kernels::PERTURB;
use std::ops::Range;

mirrored! {
    /// One instance of lipex_perturb, field by field as the kernel has it.
    "perturb" "Drawing"
    pub(crate) struct Drawing {
        bits: u64,
        features: u64,
        rows: u64,
        start: u64,
        most: u64,
        ends: u64,
    }
}

/// The laws that the kernel knows, by its numbers.
#[derive(Clone, Copy)]
enum Law {
    UniformSize = 0,
    Antithetic = 1,
    /// Keeps a feature if its draw is below the number.
    Bernoulli = 2,
    Exhaustive = 3,
    /// Turns the sequence of sizes by the number.
    WeightProportional = 4,
}

/// Numbers that the kernel has too.
#[cfg(test)]
pub(crate) const NUMBERS: &[(&str, &str, usize)] = &[
    ("perturb", "UNIFORM_SIZE", Law::UniformSize as usize),
    ("perturb", "ANTITHETIC", Law::Antithetic as usize),
    ("perturb", "BERNOULLI", Law::Bernoulli as usize),
    ("perturb", "EXHAUSTIVE", Law::Exhaustive as usize),
    ("perturb", "WEIGHT_PROPORTIONAL", Law::WeightProportional as usize),
];

/// Threads of a block, and most rows that it draws.
const THREADS: usize = 128;
/// Bytes of shared memory for a block's rows.
const SHARED: usize = 48 << 10;
/// Features of the widest row that fits there.
const MOST_FEATURES: usize = 32 * (SHARED / 4 * 32 / 65);

/// Rows that a block draws when the widest has so many words, and the bytes of shared memory that they take: the rows twice,
/// the second time with a word left free after 32 at most.
fn block_of(words: usize) -> (usize, usize) {
    let bytes = |rows: usize| 4 * (2 * rows * words + rows * words / 32);
    let whole_warps = (32..=THREADS).rev().step_by(32).find(|&rows| bytes(rows) <= SHARED);
    let rows = whole_warps.or_else(|| (1..32).rev().find(|&rows| bytes(rows) <= SHARED)).unwrap_or(1);
    (rows, bytes(rows))
}

/// Draws on the device; `bounds` are of an instance, by its number and features: the most features removed, and the address of
/// the ends of its sizes.
fn draw(
    on: &Cuda,
    law: Law,
    features: &[usize],
    rows: &Range<usize>,
    (seed, threshold): (u64, u64),
    bounds: impl Fn(usize, usize) -> (usize, u64),
) -> Result<Vec<Sample<Cuda>>> {
    let mut samples = Vec::with_capacity(features.len());
    for (chunk, part) in features.chunks(MOST_DOWN).enumerate() {
        let mut drawings = Vec::with_capacity(part.len());
        let mut masks = Vec::with_capacity(part.len());
        for (i, &d) in part.iter().enumerate() {
            let (most, ends) = bounds(chunk * MOST_DOWN + i, d);
            let bits = on.room::<u32>("perturb", rows.len() * d.div_ceil(32))?;
            drawings.push(Drawing {
                bits: bits.address(),
                features: d as u64,
                rows: rows.len() as u64,
                start: rows.start as u64,
                most: most as u64,
                ends,
            });
            masks.push(Masks::new(on, rows.len(), d, bits)?);
        }
        let (rows_a_block, shared) = block_of(part.iter().copied().max().unwrap_or(0).div_ceil(32));
        let jobs = on.send_jobs("perturb", &drawings)?;
        let shape = Shape { grid: (rows.len().div_ceil(rows_a_block), part.len()), threads: THREADS as u32, shared };
        let arguments =
            [(&jobs).into(), (rows_a_block as u32).into(), (law as u32).into(), threshold.into(), seed.into()];
        // SAFETY: lipex_perturb(drawings, rows_a_block, law, threshold, seed): a drawing an instance, whose bits have
        // rows · ⌈features/32⌉ words and live in `masks`, and whose ends, for the law that reads them, have as many numbers as
        // features and live with the caller; shared memory holds rows_a_block rows of the widest instance twice, spread.
        unsafe { on.launch("perturb", (&PERTURB, "lipex_perturb", None), shape, &arguments) }?;
        samples.extend(masks.into_iter().map(|masks| Sample { masks, weights: None }));
    }
    Ok(samples)
}

/// Masks of uniform size by a kernel that works row by row in global memory: what the tiled one is checked against.
///
/// # Errors
/// Those of the device.
pub fn uniform_size_reference(on: &Cuda, features: usize, rows: usize, seed: u64) -> Result<Masks<Cuda>> {
    let bits = on.room::<u32>("perturb", rows * features.div_ceil(32))?;
    let (wide, most) = (features as u64, features as u64);
    let drawing = Drawing { bits: bits.address(), features: wide, rows: rows as u64, start: 0, most, ends: 0 };
    let jobs = on.send_jobs("perturb", &[drawing])?;
    let shape = Shape { grid: (rows.div_ceil(THREADS), 1), threads: THREADS as u32, shared: 0 };
    let arguments = [(&jobs).into(), (Law::UniformSize as u32).into(), 0u64.into(), seed.into()];
    // SAFETY: lipex_perturb_reference(drawings, law, threshold, seed): one drawing, whose bits have rows · ⌈features/32⌉
    // words.
    unsafe { on.launch("perturb", (&PERTURB, "lipex_perturb_reference", None), shape, &arguments) }?;
    Masks::new(on, rows, features, bits)
}

/// Draws on the CPU and copies the masks to the device.
fn drawn_on_the_host<P: Perturber<Cpu>>(
    law: &P,
    on: &Cuda,
    features: &[usize],
    total: usize,
    rows: Range<usize>,
    seed: u64,
    proximity: Option<&[ProximityTable]>,
) -> Result<Vec<Sample<Cuda>>> {
    let samples = law.perturb(&Cpu::new(), features, total, rows, seed, proximity)?;
    let copy = |sample: Sample<Cpu>| {
        let (rows, features) = (sample.masks.rows(), sample.masks.features());
        let bits = on.send("perturb", sample.masks.bits())?;
        let weights = sample.weights.map(|w| on.send("perturb", w.values())).transpose()?;
        Ok(Sample { masks: Masks::new(on, rows, features, bits)?, weights: weights.map(lipex_core::Weights::new) })
    };
    samples.into_iter().map(copy).collect()
}

fn fit_a_block(features: &[usize]) -> bool {
    features.iter().all(|&d| d <= MOST_FEATURES)
}

impl Perturber<Cuda> for UniformSize {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        if !fit_a_block(features) {
            return drawn_on_the_host(self, on, features, total, rows, seed, proximity);
        }
        let most = |d: usize| self.within.map_or(d, |angle| angle.most_removed(d));
        draw(on, Law::UniformSize, features, &rows, (seed, 0), |_, d| (most(d), 0))
    }

    fn grows(&self) -> bool {
        true
    }
}

impl Perturber<Cuda> for Antithetic {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        if !fit_a_block(features) {
            return drawn_on_the_host(self, on, features, total, rows, seed, proximity);
        }
        draw(on, Law::Antithetic, features, &rows, (seed, 0), |_, d| (d, 0))
    }

    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        Dependence::Pairs
    }
}

impl Perturber<Cuda> for Bernoulli {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        if self.within.is_some() || !fit_a_block(features) {
            return drawn_on_the_host(self, on, features, total, rows, seed, proximity);
        }
        let threshold = (self.keep() * 4_294_967_296.0) as u64;
        draw(on, Law::Bernoulli, features, &rows, (seed, threshold), |_, d| (d, 0))
    }

    fn grows(&self) -> bool {
        true
    }
}

impl Perturber<Cuda> for Exhaustive {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        _: usize,
        rows: Range<usize>,
        seed: u64,
        _: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        for &d in features {
            let total = Exhaustive::rows(d)?;
            if rows.end > total {
                return Err(Error::setting("samples", rows.end, format!("this sampler has {total} masks here")));
            }
        }
        draw(on, Law::Exhaustive, features, &rows, (seed, 0), |_, d| (d, 0))
    }

    fn total(&self, features: usize, _: usize) -> Result<usize> {
        Exhaustive::rows(features)
    }

    fn grows(&self) -> bool {
        false
    }

    fn dependence(&self) -> Dependence {
        Dependence::Exhaustive
    }
}

/// Laws that draw in one sequence or are given: the CPU's, copied.
macro_rules! by_the_host {
    ($($law:ty),*) => {$(
        impl Perturber<Cuda> for $law {
            fn perturb(
                &self,
                on: &Cuda,
                features: &[usize],
                total: usize,
                rows: Range<usize>,
                seed: u64,
                proximity: Option<&[ProximityTable]>,
            ) -> Result<Vec<Sample<Cuda>>> {
                drawn_on_the_host(self, on, features, total, rows, seed, proximity)
            }

            fn total(&self, features: usize, asked: usize) -> Result<usize> {
                Perturber::<Cpu>::total(self, features, asked)
            }

            fn grows(&self) -> bool {
                Perturber::<Cpu>::grows(self)
            }

            fn dependence(&self) -> Dependence {
                Perturber::<Cpu>::dependence(self)
            }

            fn is_complete(&self, features: usize, total: usize) -> bool {
                Perturber::<Cpu>::is_complete(self, features, total)
            }
        }
    )*};
}
by_the_host!(LimeText, LimeImage, GivenMasks, ShapleySize);

/// Sizes from their ends on the device, weights by a table of as many kept features.
impl Perturber<Cuda> for WeightProportional {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        let tables = match proximity {
            Some(tables) if fit_a_block(features) && fit_tables(features, tables) => tables,
            // What is wrong with the tables the CPU says in its own words.
            _ => return drawn_on_the_host(self, on, features, total, rows, seed, proximity),
        };
        let sizes = tables.iter().map(WeightProportional::sizes).collect::<Result<Vec<_>>>()?;
        let ends = sizes.iter().map(|s| on.send_jobs("perturb", s.ends())).collect::<Result<Vec<_>>>()?;
        // Row 0 is the instance and has no draws of its own.
        let shift = Draws::new(seed, 0, 0, Purpose::Masks).draw(0);
        let law = (seed, u64::from(shift));
        let drawn = draw(on, Law::WeightProportional, features, &rows, law, |i, d| (d, ends[i].address()))?;
        let masks: Vec<Masks<Cuda>> = drawn.into_iter().map(|sample| sample.masks).collect();
        let (weights, _) = look_up(on, "perturb", &masks, |i, _| sizes[i].weights().to_vec())?;
        let one = |(masks, weights)| Sample { masks, weights: Some(Weights::new(weights)) };
        Ok(masks.into_iter().zip(weights).map(one).collect())
    }

    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        Dependence::Stratified
    }
}

fn fit_tables(features: &[usize], tables: &[ProximityTable]) -> bool {
    features.len() == tables.len() && features.iter().zip(tables).all(|(d, table)| d + 1 == table.values().len())
}

/// Draws by the law on the device, then gathers there the rows that lie within the angle; a number a row comes back.
impl<L: Perturber<Cuda>> Perturber<Cuda> for Filtered<L> {
    fn perturb(
        &self,
        on: &Cuda,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cuda>>> {
        let drawn = self.law.perturb(on, features, total, rows, seed, proximity)?;
        let (masks, weights): (Vec<_>, Vec<_>) = drawn.into_iter().map(|s| (s.masks, s.weights)).unzip();
        // 1 for as many kept features as are near enough.
        let near = |_, d: usize| {
            let least = d - self.within.most_removed(d).min(d);
            (0..=d).map(|kept| if kept >= least { 1.0 } else { 0.0 }).collect()
        };
        let (found, _) = look_up(on, "perturb", &masks, near)?;
        let one = |i: usize| {
            let (masks, near) = (&masks[i], on.receive("perturb", &found[i])?);
            let index: Vec<u32> = (0..).zip(near).filter(|(_, near)| *near > 0.0).map(|(row, _)| row).collect();
            let bits = on.gather(masks.bits(), masks.words(), &index)?;
            let weights = weights[i].as_ref().map(|w| on.gather(w.values(), 1, &index)).transpose()?;
            let masks = Masks::new(on, index.len(), masks.features(), bits)?;
            Ok(Sample { masks, weights: weights.map(Weights::new) })
        };
        (0..masks.len()).map(one).collect()
    }

    fn total(&self, features: usize, asked: usize) -> Result<usize> {
        self.law.total(features, asked)
    }

    fn grows(&self) -> bool {
        false
    }

    fn dependence(&self) -> Dependence {
        match self.law.dependence() {
            // One of the two may be gone.
            Dependence::Pairs => Dependence::Unknown,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_draws_as_many_rows_as_its_shared_memory_holds() {
        for words in [1, 2, 14, 47, 48, 100, 500, MOST_FEATURES / 32] {
            let (rows, bytes) = block_of(words);
            assert!((1..=THREADS).contains(&rows) && bytes <= SHARED, "{words} words: {rows} rows, {bytes} bytes");
            assert!(rows < 32 || rows.is_multiple_of(32), "{words} words: {rows} rows");
        }
        assert_eq!((block_of(2).0, block_of(MOST_FEATURES / 32).0), (THREADS, 1));
    }
}
