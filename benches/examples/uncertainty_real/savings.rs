//! What the sampler of sizes in proportion to √π saves.

use super::{Pool, fit};
use lipex::perturb::{Sizes, WeightProportional};
use lipex::philox::{Draws, Purpose};
use lipex::{Cpu, Distinct, Exponential, Masks, Neighbourhood, Probabilities, Result, Selector, Weights};
use std::sync::Arc;

/// How many masks sizes in proportion to √π need in place of uniform ones for the same error of W: both draw a size, then
/// one of the pool's rows of that size, so that both aim at the same optimum.
pub fn print(pools: &[Arc<Pool>], runs: u64) -> Result<()> {
    println!(
        "\n| N | texts | masks in place of uniform size's: median | mean | distinct inputs in place of its: mean |"
    );
    println!("|---|---|---|---|---|");
    for samples in [200, 1000] {
        let (mut masks, mut inputs) = (Vec::new(), Vec::new());
        for sized in pools.iter().filter_map(|pool| BySize::new(pool)) {
            let whole = sized.whole(samples);
            let selection = lipex::Forward::default().select(&Cpu::new(), std::slice::from_ref(&whole))?.remove(0);
            let truth = fit(&whole, &selection, None, 1e-4)?;
            let mut of = [(0.0, 0.0); 2];
            for seed in 0..runs {
                for (proportional, of) in [false, true].into_iter().zip(&mut of) {
                    let around = sized.run(samples, proportional, 700 + seed)?;
                    let fitted = fit(&around, &selection, None, 1e-4)?;
                    let (of_fit, of_truth) = (fitted.shares(), truth.shares());
                    let pairs = of_fit.matrix().iter().flatten().zip(of_truth.matrix().iter().flatten());
                    of.0 += pairs.map(|(w, t)| (w - t).powi(2)).sum::<f64>();
                    of.1 += Distinct::by_key((0..samples).map(|i| around.masks.row(i))).first.len() as f64;
                }
            }
            let [uniform, proportional] = of;
            // The square of an error falls as 1/N.
            let share = proportional.0 / uniform.0;
            masks.push(share);
            inputs.push(share * proportional.1 / uniform.1);
        }
        masks.sort_by(f64::total_cmp);
        let count = masks.len() as f64;
        let (mean, asked) = (masks.iter().sum::<f64>() / count, inputs.iter().sum::<f64>() / count);
        println!("| {samples} | {count} | {:.3} | {mean:.3} | {asked:.3} |", masks[masks.len() / 2]);
    }
    Ok(())
}

/// The rows of a pool by the number of removed features.
struct BySize<'a> {
    pool: &'a Pool,
    /// Entry r − 1: the rows that remove r.
    rows: Vec<Vec<usize>>,
}

impl<'a> BySize<'a> {
    /// `None` where a size is missing.
    fn new(pool: &'a Pool) -> Option<Self> {
        let features = pool.features.len();
        let mut rows = vec![Vec::new(); features];
        for (i, row) in pool.rows.iter().enumerate().skip(1) {
            let kept: usize = row.iter().map(|w| w.count_ones() as usize).sum();
            rows[features - kept - 1].push(i);
        }
        rows.iter().all(|r| !r.is_empty()).then_some(BySize { pool, rows })
    }

    /// A neighbourhood of these rows of the pool with these weights.
    fn around(&self, index: &[usize], weights: Vec<f32>) -> Neighbourhood<Cpu> {
        let (on, pool) = (Cpu::new(), self.pool);
        let bits = index.iter().flat_map(|&i| pool.rows[i].iter().copied()).collect();
        let p = index.iter().flat_map(|&i| pool.answers[&pool.rows[i]].iter().copied()).collect();
        let masks = Masks::new(&on, index.len(), pool.features.len(), bits).expect("as many bits");
        let p = Probabilities::new(&on, index.len(), pool.labels.len(), p).expect("as many answers");
        Neighbourhood::new(&on, masks, p, Weights::new(weights)).expect("as many rows")
    }

    /// All rows, weighed so that a fit minimises the expected objective of a run of N masks.
    fn whole(&self, samples: usize) -> Neighbourhood<Cpu> {
        let (features, table) = (self.rows.len(), Exponential::default().table(self.rows.len()));
        let index: Vec<usize> = std::iter::once(0).chain(self.rows.iter().flatten().copied()).collect();
        let scale = index.len() as f64 / samples as f64;
        let share = |r: usize, count: usize| {
            scale * (samples - 1) as f64 / (features * count) as f64 * table.values()[features - r]
        };
        let of_size = |(r, rows): (usize, &Vec<usize>)| vec![share(r + 1, rows.len()) as f32; rows.len()];
        let weights = self.rows.iter().enumerate().flat_map(of_size);
        self.around(&index, std::iter::once(scale as f32).chain(weights).collect())
    }

    /// A run of N masks: sizes even, or in proportion to √π with the weights that undo it.
    fn run(&self, samples: usize, proportional: bool, seed: u64) -> Result<Neighbourhood<Cpu>> {
        let (features, table) = (self.rows.len(), Exponential::default().table(self.rows.len()));
        let sizes = WeightProportional::sizes(&table)?;
        let shift = Draws::new(seed, 0, 0, Purpose::Starts).draw(0);
        let one = |i: u32| {
            let mut draws = Draws::new(seed, i, 0, Purpose::Starts);
            let r = match proportional {
                true => sizes.removed(Sizes::point(i, shift)),
                false => 1 + draws.below(1, features as u32) as usize,
            };
            let weight = if proportional { sizes.weights()[features - r] } else { table.values()[features - r] as f32 };
            (self.rows[r - 1][draws.below(2, self.rows[r - 1].len() as u32) as usize], weight)
        };
        let drawn = std::iter::once((0, table.values()[features] as f32)).chain((1..samples as u32).map(one));
        let (index, weights): (Vec<usize>, Vec<f32>) = drawn.unzip();
        Ok(self.around(&index, weights))
    }
}
