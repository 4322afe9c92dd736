//! Perturb: masks drawn on the device, bit for bit those of the CPU.
//!
//! # Shapes
//! A block makes [`THREADS`] rows at most in shared memory and writes them word by word, so that rows of any width leave in
//! whole sectors. The grid is (blocks of rows, instances): all instances of a batch are one launch.
//!
//! # Specification
//! The same draws as on the CPU, to the bit: Philox by integer arithmetic, sizes by 32-bit thresholds that the host computes.
//! Laws that draw in one sequence are drawn by the CPU and copied.

use crate::device::Cuda;
use crate::error::by_chunks;
use crate::launch::{MOST_DOWN, Shape};
use crate::layout::mirrored;
use crate::weigh::look_up;
use lipex_core::perturb::{Filtered, ShapleySize, WeightProportional};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Antithetic, Backend, Bernoulli, Draw, Error, Exhaustive, GivenMasks, Law, LimeImage, LimeText, Masks, Perturber,
    ProximityTable, Result, Sample, UniformSize, Weights,
};
use lipex_cpu::Cpu;
use lipex_kernels::PERTURB;

mirrored! {
    /// One instance of lipex_perturb, field by field as the kernel has it.
    "perturb" "Drawing"
    pub(crate) struct Drawing {
        /// Where the rows go, rows × words.
        bits: u64,
        /// D.
        features: u64,
        /// Rows to draw.
        rows: u64,
        /// The number of the first of them.
        start: u64,
        /// Uniform size: the most features that are removed.
        most: u64,
        /// Weight-proportional: r + 1 features are removed by points below entry r and not below the one before, of 2³².
        ends: u64,
    }
}

/// The laws that the kernel knows, by its numbers.
#[derive(Clone, Copy)]
enum Known {
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
    ("perturb", "UNIFORM_SIZE", Known::UniformSize as usize),
    ("perturb", "ANTITHETIC", Known::Antithetic as usize),
    ("perturb", "BERNOULLI", Known::Bernoulli as usize),
    ("perturb", "EXHAUSTIVE", Known::Exhaustive as usize),
    ("perturb", "WEIGHT_PROPORTIONAL", Known::WeightProportional as usize),
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

/// Masks drawn on the device by a law with its number; `bounds` are of an instance, by its place and features: the most features
/// removed, and the address of the ends of its sizes.
fn drawn_here(
    on: &Cuda,
    (law, number): (Known, u64),
    draw: &Draw<'_>,
    bounds: impl Fn(usize, usize) -> (usize, u64),
) -> Result<Vec<Masks<Cuda>>> {
    let all: Vec<(usize, usize)> = draw.features.iter().copied().enumerate().collect();
    let mut drawn = Vec::with_capacity(all.len());
    for part in all.chunks(MOST_DOWN) {
        drawn.extend(by_chunks(part, &mut |part| draw_some(on, (law, number), draw, part, &bounds))?);
    }
    Ok(drawn)
}

/// Masks as samples of a law.
fn samples(law: &impl Law, draw: &Draw<'_>, masks: Vec<Masks<Cuda>>) -> Vec<Sample<Cuda>> {
    masks.into_iter().map(|masks| Sample::new(law, draw.total, masks)).collect()
}

/// The same for instances by place and features.
fn draw_some(
    on: &Cuda,
    (law, number): (Known, u64),
    draw: &Draw<'_>,
    features: &[(usize, usize)],
    bounds: &dyn Fn(usize, usize) -> (usize, u64),
) -> Result<Vec<Masks<Cuda>>> {
    let rows = &draw.rows;
    let (mut drawings, mut masks) = (Vec::new(), Vec::new());
    for &(i, d) in features {
        let (most, ends) = bounds(i, d);
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
    let widest = features.iter().map(|(_, d)| *d).max().unwrap_or(0);
    let (rows_a_block, shared) = block_of(widest.div_ceil(32));
    let jobs = on.send_jobs("perturb", &drawings)?;
    let shape = Shape { grid: (rows.len().div_ceil(rows_a_block), features.len()), threads: THREADS as u32, shared };
    let arguments =
        [(&jobs).into(), (rows_a_block as u32).into(), (law as u32).into(), number.into(), draw.seed.into()];
    // SAFETY: lipex_perturb(drawings, rows_a_block, law, threshold, seed): a drawing an instance, whose bits have
    // rows · ⌈features/32⌉ words and live in `masks`, and whose ends, for the law that reads them, have as many numbers as
    // features and live with the caller; shared memory holds rows_a_block rows of the widest instance twice, spread.
    unsafe { on.launch("perturb", (&PERTURB, "lipex_perturb", None), shape, &arguments) }?;
    Ok(masks)
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
    let arguments = [(&jobs).into(), (Known::UniformSize as u32).into(), 0u64.into(), seed.into()];
    // SAFETY: lipex_perturb_reference(drawings, law, threshold, seed): one drawing, whose bits have rows · ⌈features/32⌉
    // words.
    unsafe { on.launch("perturb", (&PERTURB, "lipex_perturb_reference", None), shape, &arguments) }?;
    Masks::new(on, rows, features, bits)
}

/// Draws on the CPU and copies the masks to the device.
fn drawn_on_the_host(law: &impl Perturber<Cpu>, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
    law.perturb(&Cpu::new(), draw)?.into_iter().map(|sample| to_device(on, sample)).collect()
}

/// What the host drew, sent to the device.
fn to_device(on: &Cuda, sample: Sample<Cpu>) -> Result<Sample<Cuda>> {
    let (rows, features) = (sample.masks.rows(), sample.masks.features());
    let masks = Masks::new(on, rows, features, on.send("perturb", sample.masks.bits())?)?;
    let weights = sample.weights.map(|w| on.send("perturb", w.values()).map(Weights::new)).transpose()?;
    Ok(Sample { masks, weights, dependence: sample.dependence, asked: sample.asked })
}

/// Whether a block's shared memory holds a row of each instance.
fn fit_a_block(features: &[usize]) -> bool {
    features.iter().all(|&d| d <= MOST_FEATURES)
}

impl Perturber<Cuda> for UniformSize {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        if !fit_a_block(draw.features) {
            return drawn_on_the_host(self, on, draw);
        }
        let most = |d: usize| self.within.map_or(d, |angle| angle.most_removed(d));
        Ok(samples(self, draw, drawn_here(on, (Known::UniformSize, 0), draw, |_, d| (most(d), 0))?))
    }
}

impl Perturber<Cuda> for Antithetic {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        if !fit_a_block(draw.features) {
            return drawn_on_the_host(self, on, draw);
        }
        Ok(samples(self, draw, drawn_here(on, (Known::Antithetic, 0), draw, |_, d| (d, 0))?))
    }
}

impl Perturber<Cuda> for Bernoulli {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        if self.within.is_some() || !fit_a_block(draw.features) {
            return drawn_on_the_host(self, on, draw);
        }
        let threshold = (self.keep() * 4_294_967_296.0) as u64;
        Ok(samples(self, draw, drawn_here(on, (Known::Bernoulli, threshold), draw, |_, d| (d, 0))?))
    }
}

impl Perturber<Cuda> for Exhaustive {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        for &d in draw.features {
            let total = Exhaustive::rows(d)?;
            if draw.rows.end > total {
                return Err(Error::setting("samples", draw.rows.end, format!("this sampler has {total} masks here")));
            }
        }
        Ok(samples(self, draw, drawn_here(on, (Known::Exhaustive, 0), draw, |_, d| (d, 0))?))
    }
}

/// Laws that draw in one sequence or are given: the CPU's, copied.
macro_rules! by_the_host {
    ($($law:ty),*) => {$(
        impl Perturber<Cuda> for $law {
            fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
                drawn_on_the_host(self, on, draw)
            }
        }
    )*};
}
by_the_host!(LimeText, LimeImage, GivenMasks, ShapleySize);

/// Sizes from their ends on the device, weights by a table of as many kept features.
impl Perturber<Cuda> for WeightProportional {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        drawn_on_the_host(self, on, draw)
    }

    fn perturb_by(&self, on: &Cuda, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<Cuda>>> {
        // What is wrong with the tables the CPU says in its own words.
        if !fit_a_block(draw.features) || !fit_tables(draw.features, proximity) {
            let samples = Perturber::<Cpu>::perturb_by(self, &Cpu::new(), draw, proximity)?;
            return samples.into_iter().map(|sample| to_device(on, sample)).collect();
        }
        let sizes = proximity.iter().map(WeightProportional::sizes).collect::<Result<Vec<_>>>()?;
        let ends = sizes.iter().map(|s| on.send_jobs("perturb", s.ends())).collect::<Result<Vec<_>>>()?;
        // Row 0 is the instance and has no draws of its own.
        let shift = Draws::new(draw.seed, 0, 0, Purpose::Masks).draw(0);
        let law = (Known::WeightProportional, u64::from(shift));
        let masks = drawn_here(on, law, draw, |i, d| (d, ends[i].address()))?;
        let (weights, _) = look_up(on, "perturb", &masks, |i, _| sizes[i].weights().to_vec())?;
        let drawn = samples(self, draw, masks).into_iter().zip(weights);
        Ok(drawn.map(|(sample, weights)| sample.weighing(Weights::new(weights))).collect())
    }
}

/// Whether each instance has a proximity table of its own number of features.
fn fit_tables(features: &[usize], tables: &[ProximityTable]) -> bool {
    features.len() == tables.len() && features.iter().zip(tables).all(|(d, table)| d + 1 == table.values().len())
}

/// Draws by the law on the device, then gathers there the rows that lie within the angle; a number a row comes back.
impl<L: Perturber<Cuda>> Perturber<Cuda> for Filtered<L> {
    fn perturb(&self, on: &Cuda, draw: &Draw<'_>) -> Result<Vec<Sample<Cuda>>> {
        keep_near(self, on, draw.total, self.law.perturb(on, draw)?)
    }

    fn perturb_by(&self, on: &Cuda, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<Cuda>>> {
        keep_near(self, on, draw.total, self.law.perturb_by(on, draw, proximity)?)
    }
}

fn keep_near<L: Law>(
    law: &Filtered<L>,
    on: &Cuda,
    total: usize,
    drawn: Vec<Sample<Cuda>>,
) -> Result<Vec<Sample<Cuda>>> {
    let (masks, weights): (Vec<_>, Vec<_>) = drawn.into_iter().map(|s| (s.masks, s.weights)).unzip();
    // 1 for as many kept features as are near enough.
    let near = |_, d: usize| {
        let least = d - law.within.most_removed(d).min(d);
        (0..=d).map(|kept| if kept >= least { 1.0 } else { 0.0 }).collect()
    };
    let (found, _) = look_up(on, "perturb", &masks, near)?;
    let one = |i: usize| {
        let (masks, near) = (&masks[i], on.receive("perturb", &found[i])?);
        let index: Vec<u32> = (0..).zip(near).filter(|(_, near)| *near > 0.0).map(|(row, _)| row).collect();
        let bits = on.gather(masks.bits(), masks.words(), &index)?;
        let sample = Sample::new(law, total, Masks::new(on, index.len(), masks.features(), bits)?);
        Ok(match &weights[i] {
            Some(weights) => sample.weighing(Weights::new(on.gather(weights.values(), 1, &index)?)),
            None => sample,
        })
    };
    (0..masks.len()).map(one).collect()
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
