//! A sampler of one's own: it removes runs of neighbouring words, so that what is left still reads.
//! `cargo run --release -p lipex --example own_sampler`

use lipex::philox::{Draws, Purpose};
use lipex::prelude::*;
use lipex::{Draw, Law, Masks, Perturber, Sample, Setting, pack_bits};
use rand::RngExt;
use rand_distr::{Distribution, Poisson};

/// Row i ≥ 1 removes one run: its first word is drawn, then its length, which is 1 and a number of Poisson's law.
struct Runs {
    more: Poisson<f64>,
}

impl Describe for Runs {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("sampler", "runs"), Setting::new("mean-run", 1.0 + MORE)]
    }
}

impl Law for Runs {
    // The draws of a row depend on its number alone, so a longer run of masks extends a shorter one.
    fn grows(&self) -> bool {
        true
    }
}

impl Perturber<Cpu> for Runs {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> lipex::Result<Vec<Sample<Cpu>>> {
        let one = |&d: &usize| {
            let row = |i: usize| {
                let mut generator = Draws::new(draw.seed, i as u32, 0, Purpose::Masks).generator();
                let first = generator.random_range(0..d);
                let length = if i == 0 { 0 } else { 1 + self.more.sample(&mut generator) as usize };
                (0..d).map(move |j| u8::from(!(first..first + length).contains(&j)))
            };
            let bits = pack_bits(d, &draw.rows.clone().flat_map(row).collect::<Vec<u8>>());
            Ok(Sample::new(self, draw.total, Masks::new(on, draw.rows.len(), d, bits)?))
        };
        draw.features.iter().map(one).collect()
    }
}

/// Words that a run has beyond its first, in the mean.
const MORE: f64 = 3.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    let explanation = lipex().perturber(Runs { more: Poisson::new(MORE)? }).explain(&text, &DemoModel::embedded())?;
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
