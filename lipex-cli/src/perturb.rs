//! `lipex perturb`: masks alone.

use crate::named::{Named, OfSampling};
use crate::options::EXIT_CODES;
use crate::output::Target;
use clap::Args;
use lipex::{Cpu, Domain, Draw, Error, Law, Perturber, Proximity, Result, npy};

#[derive(Args)]
#[command(after_help = EXIT_CODES, allow_negative_numbers = true)]
pub struct PerturbOptions {
    /// D, the number of features
    #[arg(long, value_name = "D", help_heading = "Sampling")]
    pub features: usize,
    #[command(flatten)]
    pub settings: Named<OfSampling>,
    /// Where the masks go: .npy (uint8, N×D, row 0 all ones); .npz, which also has the sampler's own weights if it has any;
    /// - writes .npy to standard output
    #[arg(long, value_name = "F", help_heading = "Output")]
    pub out: String,
}

/// Masks where nothing is said of their number: the paper's.
const SAMPLES: u64 = 1000;
/// Most features.
const MOST: usize = 10_000_000;

pub fn run(options: &PerturbOptions) -> Result<()> {
    let target = Target::new("out", &options.out)?;
    if options.features == 0 || options.features > MOST {
        return Err(Error::setting("features", options.features, format!("from 1 to {MOST} features")));
    }
    let settings = options.settings.settings()?;
    let number = |name: &str, usual: u64| settings.get(name).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (asked, seed) = (number("samples", SAMPLES) as usize, number("seed", 0));
    let law = settings.sampler::<Cpu>(Domain::Text)?;
    let proximity = settings.proximity::<Cpu>(Domain::Text)?;
    let features = [options.features];
    let rows = law.total(options.features, asked)?;
    let bytes = (rows as u64).checked_mul(options.features as u64);
    if bytes.is_none_or(|bytes| bytes > npy::MOST_BYTES) {
        let reason = format!("{rows} masks of so many features are above {} GiB", npy::MOST_BYTES >> 30);
        return Err(Error::setting("features", options.features, reason));
    }
    let table = proximity.table(options.features)?;
    let (on, draw) = (Cpu::new(), Draw::whole(&features, rows, seed));
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
