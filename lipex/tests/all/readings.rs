//! Readings of an explanation: rankings, effects, contrasts, changes, class groups.

use lipex::prelude::*;
use lipex::{Change, Error, Pairs, REST};

/// Three classes with W = [2 1 0; 0 −1 1; 0 0 0] on the words up, down, sideways, without an intercept.
fn model() -> TextFn<'static> {
    let answer = |text: &str| {
        let has = |word: &str| f64::from(u8::from(text.contains(word)));
        [2.0 * has("up") + has("down"), has("sideways") - has("down"), 0.0]
    };
    TextFn::new(["rise", "turn", "rest"], move |texts| texts.iter().map(|t| answer(t)).collect()).logits()
}

fn explained() -> Explanation {
    let text = TextInstance::new("up down sideways").unwrap();
    // Anchored at numbers of single precision, ties would be told apart.
    lipex().intercept(Intercept::Fitted).perturber(Exhaustive).lambda(1e-9).explain(&text, &model()).unwrap()
}

fn names(e: &Explanation, class: usize, rank: Rank) -> Vec<&str> {
    e.top_k(class, 3, rank).iter().map(|w| e.features[w.feature].name.as_str()).collect()
}

#[test]
fn rankings_differ_as_they_should() {
    let e = explained();
    // Centred columns: up (4/3, −2/3, −2/3), down (1, −1, 0), sideways (−1/3, 2/3, −1/3).
    assert_eq!(names(&e, 0, Rank::Supporting), ["up", "down", "sideways"]);
    assert_eq!(names(&e, 0, Rank::Opposing), ["sideways", "down", "up"]);
    assert_eq!(names(&e, 1, Rank::Absolute)[0], "down");
    assert_eq!(names(&e, 1, Rank::Supporting), ["sideways", "up", "down"]);
    let up = e.top_k(0, 1, Rank::Supporting)[0];
    assert!((up.value - 4.0 / 3.0).abs() < 1e-3, "{}", up.value);
    assert!(e.top_k(9, 3, Rank::Supporting).is_empty());
}

#[test]
fn effects_and_contrasts_are_what_removal_does() {
    let e = explained();
    let softmax = |l: [f64; 3]| {
        let sum: f64 = l.iter().map(|v| v.exp()).sum();
        l.map(|v| v.exp() / sum)
    };
    let (whole, without_up) = (softmax([3.0, 0.0, 0.0])[0], softmax([1.0, 0.0, 0.0])[0]);
    assert!((e.effect(0, 0).unwrap() - (whole - without_up)).abs() < 1e-3);
    assert_eq!(names(&e, 0, Rank::Effect)[0], "up");
    let contrast = e.contrast(0, 1);
    let expected = [("up", 2.0), ("down", 2.0), ("sideways", -1.0)];
    for (word, value) in expected {
        let found = contrast.iter().find(|w| e.features[w.feature].name == word).unwrap();
        assert!((found.value - value).abs() < 2e-3, "{word}: {}", found.value);
    }
}

#[test]
fn a_change_is_the_shortest_prefix_and_the_model_checks_it() {
    let (text, explainer) = (TextInstance::new("up down sideways").unwrap(), lipex());
    let e = explained();
    let turn = e.what_would_change(1).unwrap().unwrap();
    // Without up the odds of rise over turn are still e¹; without down, too, turn wins.
    assert_eq!(turn.remove.len(), 2);
    assert!(turn.surrogate[1] > turn.surrogate[0]);
    assert!(explainer.check_change(&text, &model(), &turn).unwrap());
    let asked = explainer.ask_without(&text, &model(), &turn.remove).unwrap();
    assert!(turn.surrogate.iter().zip(&asked).all(|(a, b)| (a - b).abs() < 1e-3));
    // The rest never wins before nothing is left to remove, when all three are equal and the first is named.
    assert_eq!(e.what_would_change(2).unwrap(), None);
    let none = e.what_would_change(0).unwrap().unwrap();
    assert!(none.remove.is_empty());
    let wrong = Change { class: 1, remove: vec![0], surrogate: vec![] };
    assert!(!explainer.check_change(&text, &model(), &wrong).unwrap());
    let beyond = Change { class: 1, remove: vec![3], surrogate: vec![] };
    assert!(matches!(explainer.check_change(&text, &model(), &beyond), Err(Error::Setting { .. })));
}

#[test]
fn merged_classes_are_closer_than_all() {
    let text = TextInstance::builder("I can't believe you threw me a surprise party, I'm shaking with joy");
    let text = text.split(Split::Lime).build().unwrap();
    let model = DemoModel::embedded();
    let additive = || lipex().intercept(Intercept::Fitted).pairs(Pairs::None);
    let full = additive().explain(&text, &model).unwrap();
    let merged = additive().groups(Groups::Top(2)).explain(&text, &model).unwrap();
    assert_eq!(merged.classes.len(), 3);
    assert_eq!(merged.classes[2], REST);
    let likeliest = &full.classes[full.predicted()];
    let of = |e: &Explanation| e.probabilities.model[e.class(likeliest).unwrap()];
    assert!((of(&merged) - of(&full)).abs() < 1e-6);
    assert!((merged.probabilities.model.iter().sum::<f64>() - 1.0).abs() < 1e-3);
    // H² of merged rows is at most that of full ones; here the fits differ too, and are good ones.
    let unseen = |e: &Explanation| e.fidelity.as_ref().unwrap().out_of_fold.unwrap().hellinger;
    assert!(unseen(&merged) <= unseen(&full), "{} {}", unseen(&merged), unseen(&full));
    let valence = Groups::Named(vec![
        ("good".into(), vec!["joy".into(), "surprise".into()]),
        ("bad".into(), ["anger", "disgust", "fear", "sadness"].map(String::from).to_vec()),
    ]);
    let named = lipex().groups(valence).explain(&text, &model).unwrap();
    assert_eq!(named.classes, ["good", "bad", REST]);
    assert!(named.departures.iter().any(|d| d.name == "groups"));
}
