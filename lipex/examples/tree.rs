//! A tree in the place of weights: what it asks about, and what would make it another class.
//! `cargo run --release -p lipex --example tree`

use lipex::prelude::*;
use lipex::{Leaf, TreeSurrogate, arg_max};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I was so happy until the rain came, now I am sad and cold")?;
    let model = DemoModel::embedded();
    // Leaves that the model is asked for make the tree exact at the text.
    let tree = TreeSurrogate::default().max_depth(3)?.leaf(Leaf::Asked);
    let explainer = lipex().selector(All).surrogate(tree);
    let explanation = explainer.explain(&text, &model)?;
    let tree = explanation.answer.as_ref().and_then(|answer| answer.tree()).ok_or("a tree was asked for")?;

    let class = |value: &[f64]| format!("{} {:.3}", explanation.classes[arg_max(value)], value[arg_max(value)]);
    for line in tree.outline(16) {
        let asked = line.answered.map(|(j, on)| (explanation.name(j), if on { "with" } else { "without" }));
        let node = &tree.nodes()[line.node];
        let indent = "  ".repeat(line.continues.len());
        let answer = if node.branch.is_none() { class(&node.value) } else { String::new() };
        println!("{indent}{} {answer}", asked.map_or("the text".into(), |(name, how)| format!("{how} {name}")));
    }
    println!("sent beside the masks, for leaves: {}", explanation.calls.requeried);
    for (at_text, model) in explanation.probabilities.surrogate.iter().zip(&explanation.probabilities.model) {
        assert!((at_text - model).abs() < 1e-6);
    }

    // The fewest words without which the tree says something else; the model is asked whether that is so.
    let leaf = tree.nearest_other().ok_or("every leaf is of one class")?;
    let to = arg_max(&tree.nodes()[leaf.node].value);
    let flip = explainer.flip(&text, &model, &explanation, to)?;
    let words: Vec<String> = leaf.removed().iter().map(|&j| explanation.name(j)).collect();
    println!("without {}: {}; the model says {}", words.join(", "), class(&flip.surrogate), class(&flip.model));
    assert!(flip.checked);
    Ok(())
}
