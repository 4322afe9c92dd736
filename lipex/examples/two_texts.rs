//! Which words of two texts act together, for a model that encodes each text alone (InteractionLIME).
//!
//! ```sh
//! cargo run --example two_texts
//! ```

use lipex::prelude::*;
use lipex::{InteractionLime, TwoPart, TwoTower, Watch, match_to_json};

/// Encodes a text by how often it speaks of each of these.
struct Meanings;

const MEANINGS: [&[&str]; 3] = [&["dog", "puppy"], &["cat", "kitten"], &["ran", "chased"]];

impl TwoTower<Texts, Texts> for Meanings {
    fn first(&self, texts: &Texts, _: &Watch) -> lipex::Result<Vec<Vec<f32>>> {
        let count = |text: &str, words: &[&str]| text.split(' ').filter(|w| words.contains(w)).count() as f32;
        // The last number keeps a text that speaks of nothing from having no direction.
        let code = |text: &&str| MEANINGS.iter().map(|words| count(text, words)).chain([0.5]).collect();
        Ok(texts.as_strs().iter().map(code).collect())
    }

    fn second(&self, texts: &Texts, watch: &Watch) -> lipex::Result<Vec<Vec<f32>>> {
        self.first(texts, watch)
    }
}

fn main() -> Result<(), lipex::Error> {
    let texts = ["a dog chased the black cat", "the kitten ran from a puppy"];
    let both = TwoPart::new(TextInstance::new(texts[0])?, TextInstance::new(texts[1])?);
    let found = InteractionLime::default().explain_towers(&Cpu::new(), &both, &Meanings)?;
    found.told(0)?.iter().for_each(|line| println!("{line}"));
    let g = found.bilinear(0)?;
    for (i, j, w) in g.strongest(4) {
        println!("{:>8} – {:<8} {w:+.3}", found.parts[0][i].name, found.parts[1][j].name);
    }
    for group in g.partitions().iter().take(2) {
        let word = |part: usize, vector: &[f64]| {
            let most = (0..vector.len()).max_by(|&a, &b| vector[a].abs().total_cmp(&vector[b].abs()));
            most.map_or(String::new(), |j| found.parts[part][j].name.clone())
        };
        println!(
            "a group of strength {:.2} around {} and {}",
            group.strength,
            word(0, &group.first),
            word(1, &group.second)
        );
    }
    println!("{} bytes of JSON", match_to_json(&found, Some(texts), 0)?.len());
    Ok(())
}
