//! Weigh: proximity weights, looked up by the number of kept features.
//!
//! # Shapes
//! A table has D + 1 weights; a thread counts the bits of a row and looks its weight up. Instances of one width share a
//! launch.
//!
//! # Errors
//! A proximity that is no table of the number of kept features has no kernel: its trait's implementation for this backend is
//! the caller's to write.

use crate::arena::{Plan, Spot};
use crate::buffer::DeviceBuffer;
use crate::device::Cuda;
use crate::error::by_chunks;
use crate::launch::{Argument, MOST_DOWN, Shape};
use crate::layout::mirrored;
use lipex_core::weigh::check_weights;
use lipex_core::{
    CosineDistance, CosineSimilarity, Exponential, GivenWeights, Masks, Proximity, ProximityTable, Result,
    ShapleyKernel, Weights, expect_len,
};
use lipex_kernels::WEIGH;

mirrored! {
    /// One instance of lipex_weigh, field by field as the kernel has it.
    "weigh" "Weighing"
    pub(crate) struct Weighing {
        /// N × words.
        bits: u64,
        /// D + 1 weights, entry m for m kept features.
        table: u64,
        /// Where the N weights go.
        weights: u64,
        /// N, the rows of the masks.
        rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        words: u64,
    }
}

/// For each row the number that its instance's table has for the features that it keeps, and whether every instance has one
/// above 0. `table` gives features + 1 numbers for an instance, by its number and features.
pub(crate) fn look_up(
    on: &Cuda,
    stage: &'static str,
    masks: &[Masks<Cuda>],
    table: impl Fn(usize, usize) -> Vec<f32>,
) -> Result<(Vec<DeviceBuffer<f32>>, bool)> {
    let all: Vec<(usize, &Masks<Cuda>)> = masks.iter().enumerate().collect();
    let mut every = true;
    let mut numbers = Vec::with_capacity(masks.len());
    for part in all.chunks(MOST_DOWN) {
        numbers.extend(by_chunks(part, &mut |part| {
            let (own, positive) = look_up_some(on, stage, part, &table)?;
            every &= positive;
            Ok(own)
        })?);
    }
    Ok((numbers, every))
}

fn look_up_some(
    on: &Cuda,
    stage: &'static str,
    masks: &[(usize, &Masks<Cuda>)],
    table: &dyn Fn(usize, usize) -> Vec<f32>,
) -> Result<(Vec<DeviceBuffer<f32>>, bool)> {
    let mut plan = Plan::default();
    let (jobs, positive) = (plan.jobs::<Weighing>(masks.len()), plan.send(&vec![0u32; masks.len()]));
    let tables: Vec<Spot> = masks.iter().map(|(i, m)| plan.send(&table(*i, m.features()))).collect();
    let mut arena = plan.place(on, stage)?;
    let (mut weighings, mut numbers) = (Vec::new(), Vec::new());
    for ((_, m), table) in masks.iter().zip(tables) {
        on.own(stage, m.bits())?;
        let own = on.room::<f32>(stage, m.rows())?;
        weighings.push(Weighing {
            bits: m.bits().address(),
            table: arena.at(table),
            weights: own.address(),
            rows: m.rows() as u64,
            words: m.words() as u64,
        });
        numbers.push(own);
    }
    arena.set(jobs, &weighings);
    arena.send(on)?;
    let most = masks.iter().map(|(_, m)| m.rows()).max().unwrap_or(0);
    let shape = Shape { grid: (most.div_ceil(256), masks.len()), threads: 256, shared: 0 };
    let arguments = [Argument::Long(arena.at(jobs)), Argument::Long(arena.at(positive))];
    // SAFETY: lipex_weigh(weighings, positive): a weighing and a word of `positive` an instance; bits have rows · words words,
    // the table features + 1 numbers, weights one a row. All live until `positive` is read below.
    unsafe { on.launch(stage, (&WEIGH, "lipex_weigh", None), shape, &arguments) }?;
    let every = !arena.receive::<u32>(on, positive)?.contains(&0);
    Ok((numbers, every))
}

/// The weights of each instance by its table.
fn by_table(on: &Cuda, masks: &[Masks<Cuda>], table: impl Fn(usize) -> ProximityTable) -> Result<Vec<Weights<Cuda>>> {
    let values = |features| table(features).values().iter().map(|&v| v as f32).collect::<Vec<f32>>();
    masks.iter().try_for_each(|m| check_weights(&values(m.features())))?;
    let (weights, every) = look_up(on, "weigh", masks, |_, features| values(features))?;
    if !every {
        // The one line that the CPU has for it.
        check_weights(&[0.0])?;
    }
    Ok(weights.into_iter().map(Weights::new).collect())
}

macro_rules! by_count {
    ($($proximity:ty),*) => {$(
        impl Proximity<Cuda> for $proximity {
            fn weigh(&self, on: &Cuda, masks: &[Masks<Cuda>]) -> Result<Vec<Weights<Cuda>>> {
                by_table(on, masks, |features| <$proximity>::table(self, features))
            }

            fn table(&self, features: usize) -> Result<Option<ProximityTable>> {
                Ok(Some(<$proximity>::table(self, features)))
            }
        }
    )*};
}
by_count!(Exponential, CosineSimilarity, CosineDistance, ShapleyKernel);

impl Proximity<Cuda> for GivenWeights {
    fn weigh(&self, on: &Cuda, masks: &[Masks<Cuda>]) -> Result<Vec<Weights<Cuda>>> {
        let one = |m: &Masks<Cuda>| {
            expect_len("given proximity weights", m.rows(), self.values().len())?;
            Ok(Weights::new(on.send("weigh", self.values())?))
        };
        masks.iter().map(one).collect()
    }
}
