//! What a split changes: features of texts under LIME's separators and under Unicode's boundaries.
//!
//! `cargo run --release -p lipex-benches --example words -- TEXTS STEP COUNT`: TEXTS holds lines `text;label`,
//! `text<TAB>label` or JSON lines with a `text`; every STEP-th line is taken, COUNT of them. Printed are
//!
//! * distinct words, in the mean of the texts, under both,
//! * words (occurrences) that LIME's separators cut into two or more, and the commonest of them,
//! * features that LIME's separators never give: emoji, punctuation that stands alone.
//!
//! The figures stand in docs/texts.md.

use lipex::{Instance, Result, Span, Split, TextInstance, Unit};
use std::collections::HashMap;

/// What was counted over all texts.
#[derive(Default)]
struct Counts {
    texts: usize,
    /// Texts whose features are not the same.
    other: usize,
    /// Distinct words: LIME's, Unicode's.
    words: [usize; 2],
    /// Occurrences: Unicode's.
    occurrences: usize,
    cut: HashMap<String, usize>,
    new: HashMap<String, usize>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, step, count] = &arguments[..] else { panic!("TEXTS STEP COUNT") };
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let content = std::fs::read_to_string(file).expect("the texts can be read");
    let mut counts = Counts::default();
    for line in content.lines().step_by(number(step)).take(number(count)) {
        counts.add(&text_of(line))?;
    }
    counts.print();
    Ok(())
}

/// The text of a line.
fn text_of(line: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(object) => object["text"].as_str().expect("a text").to_string(),
        Err(_) => line.rsplit_once('\t').or(line.rsplit_once(';')).map_or(line, |(text, _)| text).to_string(),
    }
}

/// Occurrences of words, in order.
fn places(text: &str, split: Split) -> Result<Vec<Span>> {
    let text = TextInstance::builder(text).split(split).unit(Unit::Occurrence).build()?;
    Ok(text.features().iter().flat_map(|feature| feature.spans.clone()).collect())
}

impl Counts {
    fn add(&mut self, text: &str) -> Result<()> {
        let [lime, unicode] = [places(text, Split::Lime)?, places(text, Split::Unicode)?];
        self.texts += 1;
        self.other += usize::from(lime != unicode);
        for (of, split) in [Split::Lime, Split::Unicode].into_iter().enumerate() {
            self.words[of] += TextInstance::builder(text).split(split).build()?.features().len();
        }
        self.occurrences += unicode.len();
        for word in unicode {
            let [from, to] = word.bytes;
            let pieces = lime.iter().filter(|piece| piece.bytes[0] < to && from < piece.bytes[1]).count();
            let kind = match pieces {
                0 => &mut self.new,
                1 => continue,
                _ => &mut self.cut,
            };
            *kind.entry(text[from..to].to_lowercase()).or_default() += 1;
        }
        Ok(())
    }

    fn print(&self) {
        let mean = |sum: usize| sum as f64 / self.texts as f64;
        let [lime, unicode] = self.words.map(mean);
        println!("{} texts, {} of them with other features", self.texts, self.other);
        println!("distinct words a text: lime {lime:.1}, unicode {unicode:.1}");
        let sum = |words: &HashMap<String, usize>| words.values().sum::<usize>();
        let share = |part: usize| 100.0 * part as f64 / self.occurrences as f64;
        for (what, words) in [("cut in two or more by lime", &self.cut), ("only unicode has", &self.new)] {
            let sum = sum(words);
            println!("{what}: {sum} of {} words ({:.2} %): {}", self.occurrences, share(sum), commonest(words));
        }
    }
}

/// The ten commonest, with their counts.
fn commonest(words: &HashMap<String, usize>) -> String {
    let mut words: Vec<(&String, &usize)> = words.iter().collect();
    words.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let told: Vec<String> = words.iter().take(10).map(|(word, count)| format!("{word} {count}")).collect();
    told.join(", ")
}
