//! Perturb: laws that throw rows away, and laws with weights of their own.

use super::{by_row, draws, remove_subset};
use crate::Cpu;
use lipex_core::perturb::{Filtered, Sizes, WeightProportional};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{Dependence, Error, Masks, Perturber, ProximityTable, Result, Sample, Weights, expect_len};
use std::ops::Range;

impl<L: Perturber<Cpu>> Perturber<Cpu> for Filtered<L> {
    fn perturb(
        &self,
        on: &Cpu,
        features: &[usize],
        total: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cpu>>> {
        let drawn = self.law.perturb(on, features, total, rows, seed, proximity)?;
        on.map(drawn.len(), |i| keep_near(on, &drawn[i], self.within.most_removed(drawn[i].masks.features())))
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

/// The rows that remove at most `most` features.
fn keep_near(on: &Cpu, drawn: &Sample<Cpu>, most: usize) -> Result<Sample<Cpu>> {
    let masks = &drawn.masks;
    let near: Vec<usize> = (0..masks.rows()).filter(|&i| masks.features() - masks.count(i) <= most).collect();
    let bits = near.iter().flat_map(|&i| masks.row(i)).copied().collect();
    let weights = drawn.weights.as_ref().map(|w| Weights::new(near.iter().map(|&i| w.values()[i]).collect()));
    Ok(Sample { masks: Masks::new(on, near.len(), masks.features(), bits)?, weights })
}

impl Perturber<Cpu> for WeightProportional {
    fn perturb(
        &self,
        on: &Cpu,
        features: &[usize],
        _: usize,
        rows: Range<usize>,
        seed: u64,
        proximity: Option<&[ProximityTable]>,
    ) -> Result<Vec<Sample<Cpu>>> {
        let reason = "needs a proximity that depends on the number of kept features alone, such as exponential";
        let tables = proximity.ok_or_else(|| Error::setting("sampler", "weight-proportional", reason))?;
        expect_len("proximity tables", features.len(), tables.len())?;
        let sizes: Vec<Sizes> = tables.iter().map(WeightProportional::sizes).collect::<Result<_>>()?;
        for (sizes, &d) in sizes.iter().zip(features) {
            expect_len("entries of the proximity table", d + 1, sizes.weights().len())?;
        }
        // Row 0 is the instance and has no draws of its own.
        let shift = Draws::new(seed, 0, 0, Purpose::Masks).draw(0);
        let samples = by_row(on, features, rows, |row, i, instance, d| {
            let removed = sizes[instance].removed(Sizes::point(i as u32, shift));
            remove_subset(row, d, removed, &mut draws(seed, i), 1);
        })?;
        let weigh = |(sample, sizes): (Sample<Cpu>, &Sizes)| {
            let weights = (0..sample.masks.rows()).map(|i| sizes.weights()[sample.masks.count(i)]).collect();
            Sample { weights: Some(Weights::new(weights)), ..sample }
        };
        Ok(samples.into_iter().zip(&sizes).map(weigh).collect())
    }

    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        Dependence::Stratified
    }
}
