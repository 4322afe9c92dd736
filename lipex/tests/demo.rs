//! The demo classifier, explained.

use lipex::prelude::*;

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

#[test]
fn the_demo_is_explained_well_and_whole() {
    let (text, model) = (TextInstance::new(TEXT).unwrap(), DemoModel::embedded());
    let explainer = lipex();
    let explanation = explainer.explain(&text, &model).unwrap();
    assert_eq!(explanation.classes.len(), 7);
    assert_eq!(from_json(&to_json(&explanation)).unwrap(), explanation);
    let joy = explanation.class("joy").unwrap();
    let top: Vec<&str> = explanation
        .top_k(joy, 3, Rank::Supporting)
        .iter()
        .map(|w| explanation.features[w.feature].name.as_str())
        .collect();
    assert!(top.contains(&"joy"), "{top:?}");
    let unseen = explanation.fidelity.out_of_fold.unwrap().tv;
    assert!(unseen < 0.1, "{unseen}");
    // What the surrogate foresees, the model is asked about.
    let asked = explainer.ask_without(&text, &model, &[]).unwrap();
    assert_eq!(asked, explanation.probabilities.model);
}

#[test]
fn equal_runs_are_equal_whatever_the_batch() {
    let (text, model) = (TextInstance::new(TEXT).unwrap(), DemoModel::embedded());
    let of = |batch: usize, threads: usize| {
        let explainer = Explainer::lipex(Cpu::with_threads(threads).unwrap()).batch_size(batch).unwrap();
        explainer.explain(&text, &model).unwrap()
    };
    let first = of(64, 1);
    for (batch, threads) in [(1, 1), (7, 2), (1000, 2)] {
        let other = of(batch, threads);
        assert_eq!((&other.matrix, &other.intercept), (&first.matrix, &first.intercept));
        assert_eq!(other.fidelity, first.fidelity);
    }
}
