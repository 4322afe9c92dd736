//! Weigh: proximity weights, looked up by the number of kept features.

use crate::device::{Cuda, DeviceBuffer};
use crate::launch::{MOST_DOWN, Shape};
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
        bits: u64,
        table: u64,
        weights: u64,
        rows: u64,
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
    let (mut all, mut every) = (Vec::with_capacity(masks.len()), true);
    for (chunk, part) in masks.chunks(MOST_DOWN).enumerate() {
        let (mut weighings, mut tables, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (i, m) in part.iter().enumerate() {
            on.own(stage, m.bits())?;
            let (table, own) =
                (on.send(stage, &table(chunk * MOST_DOWN + i, m.features()))?, on.room::<f32>(stage, m.rows())?);
            weighings.push(Weighing {
                bits: m.bits().address(),
                table: table.address(),
                weights: own.address(),
                rows: m.rows() as u64,
                words: m.words() as u64,
            });
            tables.push(table);
            numbers.push(own);
        }
        let (jobs, positive) = (on.send_jobs(stage, &weighings)?, on.zeroed::<u32>(stage, part.len())?);
        let most = part.iter().map(Masks::rows).max().unwrap_or(0);
        let shape = Shape { grid: (most.div_ceil(256), part.len()), threads: 256, shared: 0 };
        // SAFETY: lipex_weigh(weighings, positive): a weighing and a word of `positive` an instance; bits have rows · words
        // words, the table features + 1 numbers, weights one a row. All live until `positive` is read below.
        unsafe { on.launch(stage, (&WEIGH, "lipex_weigh", None), shape, &[(&jobs).into(), (&positive).into()]) }?;
        every &= !on.receive(stage, &positive)?.contains(&0);
        all.extend(numbers);
    }
    Ok((all, every))
}

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
