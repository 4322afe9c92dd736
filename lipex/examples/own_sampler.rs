//! A sampler of one's own: it removes runs of neighbouring words, so that what is left still reads.
//! `cargo run --release -p lipex --example own_sampler`

use lipex::philox::{Draws, Purpose};
use lipex::prelude::*;
use lipex::{Masks, Perturber, ProximityTable, Sample, Setting, pack_bits};
use std::ops::Range;

/// Row i ≥ 1 removes one run: its first word is drawn, then its length.
struct Runs;

impl Describe for Runs {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("sampler", "runs")]
    }
}

impl Perturber<Cpu> for Runs {
    fn perturb(
        &self,
        on: &Cpu,
        features: &[usize],
        _total: usize,
        rows: Range<usize>,
        seed: u64,
        _proximity: Option<&[ProximityTable]>,
    ) -> lipex::Result<Vec<Sample<Cpu>>> {
        let one = |&d: &usize| {
            let row = |i: usize| {
                // The draws of a row depend on its number alone, so a longer run extends a shorter one.
                let mut draws = Draws::new(seed, i as u32, 0, Purpose::Masks);
                let first = draws.below(0, d as u32) as usize;
                let length = if i == 0 { 0 } else { 1 + draws.below(1, (d - first) as u32) as usize };
                (0..d).map(move |j| u8::from(!(first..first + length).contains(&j)))
            };
            let bits = pack_bits(d, &rows.clone().flat_map(row).collect::<Vec<u8>>());
            Ok(Sample { masks: Masks::new(on, rows.len(), d, bits)?, weights: None })
        };
        features.iter().map(one).collect()
    }

    fn grows(&self) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    let explanation = lipex().perturber(Runs).explain(&text, &DemoModel::embedded())?;
    let top = &explanation.top_k(explanation.predicted(), 1, Rank::Supporting)[0];
    let word = &explanation.features[top.feature].name;
    println!(
        "{} texts asked; most for {}: {word}",
        explanation.calls.inputs,
        explanation.classes[explanation.predicted()]
    );
    // 14 words have 14·15/2 runs, and the whole text.
    assert!(explanation.calls.inputs <= 106 && word == "surprise");
    Ok(())
}
