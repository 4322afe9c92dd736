//! Weigh: proximity weights, looked up by the number of kept features.

use crate::device::Cuda;
use crate::launch::{MOST_DOWN, Shape};
use bytemuck::{Pod, Zeroable};
use lipex_core::weigh::check_weights;
use lipex_core::{
    CosineDistance, CosineSimilarity, Exponential, GivenWeights, Masks, Proximity, ProximityTable, Result,
    ShapleyKernel, Weights, expect_len,
};
use lipex_kernels::WEIGH;

/// One instance of lipex_weigh, field by field as the kernel has it.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Weighing {
    bits: u64,
    table: u64,
    weights: u64,
    rows: u64,
    words: u64,
}

fn by_table(on: &Cuda, masks: &[Masks<Cuda>], table: impl Fn(usize) -> ProximityTable) -> Result<Vec<Weights<Cuda>>> {
    let mut all = Vec::with_capacity(masks.len());
    for part in masks.chunks(MOST_DOWN) {
        let (mut weighings, mut tables, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for m in part {
            let values: Vec<f32> = table(m.features()).values().iter().map(|&v| v as f32).collect();
            check_weights(&values)?;
            let (table, own) = (on.send("weigh", &values)?, on.room::<f32>("weigh", m.rows())?);
            weighings.push(Weighing {
                bits: m.bits().address(),
                table: table.address(),
                weights: own.address(),
                rows: m.rows() as u64,
                words: m.words() as u64,
            });
            tables.push(table);
            weights.push(own);
        }
        let (jobs, positive) = (on.send_jobs("weigh", &weighings)?, on.zeroed::<u32>("weigh", part.len())?);
        let most = part.iter().map(Masks::rows).max().unwrap_or(0);
        let shape = Shape { grid: (most.div_ceil(256), part.len()), threads: 256, shared: 0 };
        // SAFETY: lipex_weigh(weighings, positive): a weighing and a word of `positive` an instance; bits have rows · words
        // words, the table features + 1 numbers, weights one a row. All live until the weights are read below.
        unsafe { on.launch("weigh", (&WEIGH, "lipex_weigh", None), shape, &[(&jobs).into(), (&positive).into()]) }?;
        if on.receive("weigh", &positive)?.contains(&0) {
            // The one line that the CPU has for it.
            check_weights(&[0.0])?;
        }
        all.extend(weights.into_iter().map(Weights::new));
    }
    Ok(all)
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
