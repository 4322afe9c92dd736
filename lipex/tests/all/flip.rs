//! What would change a prediction, checked by the model.

use lipex::prelude::*;
use lipex::{Pairs, arg_max};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Evidence for three classes: "good" and "fine" speak for 0, "bad" for 1; 2 is never ahead. Counts its texts.
fn answer(text: &str) -> [f64; 3] {
    let has = |word: &str| if text.split_whitespace().any(|w| w == word) { 1.0f64 } else { 0.0 };
    let scores = [2.0 * has("good") + 1.5 * has("fine"), 1.0 + 0.5 * has("bad"), -1.0];
    let total: f64 = scores.iter().map(|s| s.exp()).sum();
    scores.map(|s| s.exp() / total)
}

#[test]
fn the_shortest_prefix_is_found_and_the_model_is_asked_once() {
    let asked = AtomicUsize::new(0);
    let model = TextFn::new(["up", "down", "none"], |texts: &[&str]| {
        asked.fetch_add(texts.len(), Ordering::Relaxed);
        texts.iter().map(|t| answer(t)).collect::<Vec<_>>()
    });
    let text = TextInstance::new("a good and fine but bad day").unwrap();
    let explainer = lipex();
    let explanation = explainer.explain(&text, &model).unwrap();
    assert_eq!(explanation.text.as_deref(), Some("a good and fine but bad day"));
    let flip_to = |class: usize| {
        let before = asked.load(Ordering::Relaxed);
        let flip = explainer.flip(&text, &model, &explanation, class).unwrap();
        (flip, asked.load(Ordering::Relaxed) - before)
    };

    let (down, calls) = flip_to(1);
    let names: Vec<&str> = down.remove.iter().flatten().map(|&j| explanation.features[j].name.as_str()).collect();
    assert_eq!(names, ["good", "fine"], "one of them alone does not do it");
    assert_eq!(calls, 1);
    assert!(down.checked && down.surrogate[1] > 0.5);
    let truth = answer("a and but bad day");
    assert!(down.model.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-6), "{:?}", down.model);

    let (up, calls) = flip_to(0);
    assert_eq!((up.remove, up.checked, calls), (Some(vec![]), true, 0));
    assert_eq!(up.model, explanation.probabilities.model);

    let (none, calls) = flip_to(2);
    assert_eq!((none.remove, none.checked, calls), (None, false, 0));
    assert!(explainer.flip(&text, &model, &explanation, 3).is_err());
}

#[test]
fn a_model_that_disagrees_is_heard() {
    let model = DemoModel::embedded();
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy").unwrap();
    // A surrogate that misses the model: pairs would mend it.
    let explainer = lipex().intercept(Intercept::Fitted).pairs(Pairs::None);
    let explanation = explainer.explain(&text, &model).unwrap();
    let anger = explanation.class("anger").unwrap();
    let flip = explainer.flip(&text, &model, &explanation, anger).unwrap();
    let removed = flip.remove.clone().unwrap();
    assert_eq!(arg_max(&flip.surrogate), anger, "the surrogate says so");
    assert_ne!(arg_max(&flip.model), anger, "this case is worth testing while the model does not");
    assert!(!flip.checked);
    assert_eq!(flip.model, explainer.ask_without(&text, &model, &removed).unwrap());
}

#[test]
fn merged_classes_are_merged_in_the_check_too() {
    let model =
        TextFn::new(["up", "down", "none"], |texts: &[&str]| texts.iter().map(|t| answer(t)).collect::<Vec<_>>());
    let text = TextInstance::new("a good and fine but bad day").unwrap();
    let explainer = lipex().groups(Groups::Top(1));
    let explanation = explainer.explain(&text, &model).unwrap();
    assert_eq!(explanation.classes, ["up", "the rest"]);
    let flip = explainer.flip(&text, &model, &explanation, 1).unwrap();
    let removed = flip.remove.clone().unwrap();
    let truth = answer(&text.without(&removed).unwrap());
    assert!(!removed.is_empty() && flip.model.len() == 2);
    // Without the words another class is likeliest; the groups are those of the instance all the same.
    assert!((flip.model[0] - truth[0]).abs() < 1e-6 && (flip.model[1] - truth[1] - truth[2]).abs() < 1e-6, "{flip:?}");
}
