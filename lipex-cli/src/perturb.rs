//! `lipex perturb`: masks alone.

use crate::options::{EXIT_CODES, SamplingOptions, WeighOptions};
use crate::output::Target;
use crate::parse;
use clap::Args;
use lipex::{Cpu, Domain, Draw, Error, Law, Perturber, Proximity, Result, npy};
use std::sync::Arc;

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_negative_numbers = true)]
pub struct PerturbOptions {
    /// D, the number of features
    #[arg(long, value_name = "D", help_heading = "Sampling")]
    pub features: usize,
    #[command(flatten)]
    pub sampling: SamplingOptions,
    #[command(flatten)]
    pub weigh: WeighOptions,
    /// Where the masks go: .npy (uint8, N×D, row 0 all ones); .npz, which also has the sampler's own weights if it has any;
    /// - writes .npy to standard output
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub out: String,
}

/// Masks where nothing is said of their number: the paper's.
const SAMPLES: usize = 1000;
/// Most masks, as in an explanation, and most features.
const MOST: usize = 10_000_000;

pub fn run(options: &PerturbOptions) -> Result<()> {
    let target = Target::new("out", &options.out)?;
    let sampling = &options.sampling;
    let asked = sampling.samples.unwrap_or(SAMPLES);
    for (option, value, what) in [("features", options.features, "features"), ("samples", asked, "masks")] {
        if value == 0 || value > MOST {
            return Err(Error::setting(option, value, format!("from 1 to {MOST} {what}")));
        }
    }
    let law: Arc<dyn Perturber<Cpu>> =
        parse::sampler(sampling.sampler.as_deref().unwrap_or("uniform-size"), sampling, Domain::Text)?;
    let proximity: Arc<dyn Proximity<Cpu>> =
        parse::proximity(options.weigh.proximity.as_deref().unwrap_or("exponential"))?;
    let features = [options.features];
    let rows = law.total(options.features, asked)?;
    let bytes = (rows as u64).checked_mul(options.features as u64);
    if bytes.is_none_or(|bytes| bytes > npy::MOST_BYTES) {
        let reason = format!("{rows} masks of so many features are above {} GiB", npy::MOST_BYTES >> 30);
        return Err(Error::setting("features", options.features, reason));
    }
    let table = proximity.table(options.features)?;
    let (on, draw) = (Cpu::new(), Draw::whole(&features, rows, sampling.seed));
    let samples = match &table {
        Some(table) => law.perturb_by(&on, &draw, std::slice::from_ref(table)),
        None => law.perturb(&on, &draw),
    }?;
    for sample in samples {
        let file = if options.out.ends_with(".npz") {
            npy::sample_to_npz(&sample)?
        } else {
            npy::masks_to_npy(&sample.masks)?
        };
        target.write("out", file)?;
    }
    Ok(())
}
