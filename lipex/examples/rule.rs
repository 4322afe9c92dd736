//! A rule for one prediction: the fewest words that keep it, whatever else is removed (Anchors).
//!
//! ```sh
//! cargo run --example rule
//! ```

use lipex::Anchors;
use lipex::prelude::*;

fn main() -> Result<(), lipex::Error> {
    // A classifier of three words: praise counts unless "not" stands beside it.
    let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
        let good = |text: &&str| {
            let has = |word: &str| text.split_whitespace().any(|w| w == word);
            if has("good") && !has("not") || has("superb") { [0.1, 0.9] } else { [0.8, 0.2] }
        };
        texts.iter().map(good).collect()
    });
    for text in ["a good film with superb music", "a good film", "no more than a film"] {
        let rule = Anchors::default().precision(0.9)?.explain(&Cpu::new(), &TextInstance::new(text)?, &model)?;
        println!("{text:?} is {} while {:?} stay:", rule.classes[rule.class], rule.names());
        println!(
            "  of {:.1} % of the masks that keep them (at least {:.1} %); {:.0} % of random masks do; {} calls",
            100.0 * rule.precision,
            100.0 * rule.low,
            100.0 * rule.coverage,
            rule.calls
        );
    }
    Ok(())
}
