//! Explains the demo classifier on a sentence: `cargo run --release -p lipex --example quickstart -- "your own text"`.

use lipex::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let sentence = if words.is_empty() { "Thank you so much, this made my day!".to_string() } else { words.join(" ") };
    let text = TextInstance::new(sentence)?;
    let model = DemoModel::embedded();
    let explainer = lipex();
    let explanation = explainer.explain(&text, &model)?;

    println!("{}", text.text());
    for class in explanation.classes_by_probability() {
        let p = &explanation.probabilities;
        println!(
            "  {:<10} model {:.3}  surrogate {:.3}",
            explanation.classes[class], p.model[class], p.surrogate[class]
        );
    }
    let predicted = explanation.predicted();
    println!("what holds \"{}\" up, in log-odds against the other classes:", explanation.classes[predicted]);
    for word in explanation.top_k(predicted, 5, Rank::Supporting) {
        println!("  {:+.2} {}", word.value, explanation.features[word.feature].name);
    }
    let second = explanation.classes_by_probability()[1];
    if let Some(change) = explanation.what_would_change(second)? {
        let words: Vec<&str> = change.remove.iter().map(|&j| explanation.features[j].name.as_str()).collect();
        let confirmed = explainer.check_change(&text, &model, &change)?;
        println!("without {words:?} it would be \"{}\"; the model agrees: {confirmed}", explanation.classes[second]);
    }
    if let Some(unseen) = explanation.fidelity.as_ref().and_then(|f| f.out_of_fold) {
        println!("on masks that the fit has not seen, surrogate and model differ by {:.3} (TV)", unseen.tv);
    }
    Ok(())
}
