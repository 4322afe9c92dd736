//! Perturb: laws that throw rows away, and laws with weights of their own.
//!
//! # Shapes
//! A filtered sample has as many rows as were within the angle, row 0 among them; one with weights has a weight a row.

use super::{by_row, draws, remove_subset};
use crate::Cpu;
use lipex_core::perturb::{Filtered, Sizes, WeightProportional};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{Draw, Law, Masks, Perturber, ProximityTable, Result, Sample, Weights, expect_len};

impl<L: Perturber<Cpu>> Perturber<Cpu> for Filtered<L> {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        keep_near(self, on, draw.total, self.law.perturb(on, draw)?)
    }

    fn perturb_by(&self, on: &Cpu, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<Cpu>>> {
        keep_near(self, on, draw.total, self.law.perturb_by(on, draw, proximity)?)
    }
}

/// The rows that lie within the law's angle.
fn keep_near<L: Law>(law: &Filtered<L>, on: &Cpu, total: usize, drawn: Vec<Sample<Cpu>>) -> Result<Vec<Sample<Cpu>>> {
    on.map(drawn.len(), |k| {
        let (masks, d) = (&drawn[k].masks, drawn[k].masks.features());
        let most = law.within.most_removed(d);
        let near: Vec<usize> = (0..masks.rows()).filter(|&i| d - masks.count(i) <= most).collect();
        let bits = near.iter().flat_map(|&i| masks.row(i)).copied().collect();
        let sample = Sample::new(law, total, Masks::new(on, near.len(), d, bits)?);
        Ok(match &drawn[k].weights {
            Some(weights) => sample.weighing(Weights::new(near.iter().map(|&i| weights.values()[i]).collect())),
            None => sample,
        })
    })
}

impl Perturber<Cpu> for WeightProportional {
    fn perturb(&self, _: &Cpu, _: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        Err(Self::without_a_table())
    }

    fn perturb_by(&self, on: &Cpu, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<Cpu>>> {
        expect_len("proximity tables", draw.features.len(), proximity.len())?;
        let sizes: Vec<Sizes> = proximity.iter().map(WeightProportional::sizes).collect::<Result<_>>()?;
        for (sizes, &d) in sizes.iter().zip(draw.features) {
            expect_len("entries of the proximity table", d + 1, sizes.weights().len())?;
        }
        // Row 0 is the instance and has no draws of its own.
        let shift = Draws::new(draw.seed, 0, 0, Purpose::Masks).draw(0);
        let samples = by_row(self, on, draw, |row, i, instance, d| {
            let removed = sizes[instance].removed(Sizes::point(i as u32, shift));
            remove_subset(row, d, removed, &mut draws(draw.seed, i), 1);
        })?;
        let weigh = |(sample, sizes): (Sample<Cpu>, &Sizes)| {
            let weights = (0..sample.masks.rows()).map(|i| sizes.weights()[sample.masks.count(i)]).collect();
            sample.weighing(Weights::new(weights))
        };
        Ok(samples.into_iter().zip(&sizes).map(weigh).collect())
    }
}
