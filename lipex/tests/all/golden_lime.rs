//! All-class LIME on LIME's own masks is PyPI lime, whole explanations of it.

use crate::common::hash_model;
use crate::common::lime_text;

use lime_text::{LimeText as Golden, lime_texts};
use lipex::prelude::*;

fn explain(golden: &Golden) -> Explanation {
    let labels: Vec<String> = (0..golden.classes.len()).map(|c| format!("class {c}")).collect();
    let model = TextFn::new(labels, |texts| texts.iter().map(|t| hash_model::classify(t)).collect());
    let text = TextInstance::builder(golden.text.as_str()).split(Split::Lime).build().unwrap();
    let explainer = lime().perturber(LimeText).samples(golden.samples).seed(golden.seed);
    // LIME's `auto`: forward selection up to 6 features, highest weights beyond. The preset has 10.
    let explainer = match golden.features {
        10 => explainer,
        k => explainer.selector(Forward::new(k).unwrap()),
    };
    explainer.explain(&text, &model).unwrap()
}

#[test]
fn explanations_equal_limes() {
    let all = lime_texts();
    assert!(all.iter().any(|g| g.features == 5) && all.iter().any(|g| g.features == 10));
    let mut largest: f64 = 0.0;
    for golden in &all {
        let explanation = explain(golden);
        for (c, class) in golden.classes.iter().enumerate() {
            let at = format!("{:.30}…, {} features, class {c}", golden.text, golden.features);
            let ours = explanation.top_k(c, golden.features, Rank::Absolute);
            assert_eq!(ours.len(), class.words.len(), "{at}");
            for (word, value) in &class.words {
                let found = ours.iter().find(|w| explanation.features[w.feature].name == *word);
                let found = found.unwrap_or_else(|| panic!("{at}: LIME has {word}"));
                largest = largest.max((found.value - value).abs());
            }
            for (ours, lime) in [
                (explanation.answer.as_ref().unwrap().linear().unwrap().intercept()[c], class.intercept),
                (explanation.fidelity.as_ref().unwrap().r2[c], class.score),
                (explanation.probabilities.surrogate[c], class.local_pred),
            ] {
                largest = largest.max((ours - lime).abs());
            }
            assert!(largest < 1e-4, "{at}: {largest:e}");
        }
    }
    println!("largest difference from LIME of any weight, intercept, score or prediction: {largest:.1e}");
}
