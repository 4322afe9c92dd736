//! The verdict says what is wrong, and what to do about it.

use lipex::{About, Grade, Intercept, LambdaScale, Pairs, TextFn, TextInstance, from_json, lipex, to_json};
use std::sync::atomic::{AtomicUsize, Ordering};

const TEXT: &str = "please wire the urgent transfer for this invoice today without telling anybody else here";

fn has(text: &str, word: &str) -> f64 {
    f64::from(u8::from(text.split(' ').any(|w| w == word)))
}

fn softmax(scores: [f64; 2]) -> [f64; 2] {
    let [a, b] = scores.map(f64::exp);
    [a / (a + b), b / (a + b)]
}

/// Logistic in the words.
fn fraud(base: f64) -> TextFn<'static> {
    TextFn::new(["ok", "fraud"], move |texts: &[&str]| {
        let score = |text: &str| base + 2.0 * has(text, "urgent") + 1.5 * has(text, "wire") - has(text, "invoice");
        texts.iter().map(|text| softmax([0.0, score(text)])).collect::<Vec<_>>()
    })
}

#[test]
fn a_model_that_the_surrogate_follows_is_good() {
    let text = TextInstance::new(TEXT).unwrap();
    let verdict = lipex().intercept(Intercept::Anchored).explain(&text, &fraud(-1.0)).unwrap().verdict().unwrap();
    assert_eq!(verdict.grade, Grade::Good, "{verdict:?}");
    // The measure that it rests on, and nothing else.
    assert_eq!(verdict.reasons.iter().map(|r| r.about).collect::<Vec<_>>(), [About::Unseen]);
    assert!(verdict.reasons[0].advice.is_empty());
}

#[test]
fn what_masks_cannot_determine_is_poor() {
    let text = TextInstance::new(TEXT).unwrap();
    let verdict = lipex().samples(5).explain(&text, &fraud(-1.0)).unwrap().verdict().unwrap();
    assert_eq!((verdict.grade, verdict.reasons[0].about), (Grade::Poor, About::Masks), "{verdict:?}");
    assert!(verdict.reasons[0].advice.contains("--samples"));
}

#[test]
fn a_penalty_that_flattens_an_unlikely_class_is_told() {
    let text = TextInstance::new(TEXT).unwrap();
    let of = |scale| {
        let explainer = lipex().intercept(Intercept::Anchored).lambda_scale(scale).lambda(1e-3);
        explainer.explain(&text, &fraud(-9.0)).unwrap().verdict().unwrap()
    };
    let alike = of(LambdaScale::Curvature);
    let penalty = alike.reasons.iter().find(|r| r.about == About::Penalty).expect("a reason");
    assert!(alike.grade > Grade::Good && penalty.advice.contains("--lambda-scale class"), "{alike:?}");
    assert!(of(LambdaScale::Class).reasons.iter().all(|r| r.about != About::Penalty));
}

#[test]
fn a_model_that_nothing_moves_is_poor() {
    let same = TextFn::new(["ok", "fraud"], |texts: &[&str]| vec![[0.75, 0.25]; texts.len()]);
    let verdict = lipex().explain(&TextInstance::new(TEXT).unwrap(), &same).unwrap().verdict().unwrap();
    assert_eq!((verdict.grade, verdict.reasons.len()), (Grade::Poor, 1));
    assert!(verdict.reasons[0].told.starts_with("Nothing moves the model"));
}

#[test]
fn a_model_that_answers_differently_is_poor_unless_asked_again() {
    let count = AtomicUsize::new(0);
    let noisy = TextFn::new(["ok", "fraud"], |texts: &[&str]| {
        let one = |_: &&str| {
            let p = 0.3 + 0.4 * (count.fetch_add(1, Ordering::Relaxed) * 7 % 11) as f64 / 10.0;
            [p, 1.0 - p]
        };
        texts.iter().map(one).collect::<Vec<_>>()
    });
    let verdict = lipex().explain(&TextInstance::new(TEXT).unwrap(), &noisy).unwrap().verdict().unwrap();
    assert_eq!((verdict.grade, verdict.reasons[0].about), (Grade::Poor, About::Noise), "{verdict:?}");
    assert!(verdict.reasons[0].advice.contains("--ask-again"));
}

/// Whether an even number of words is there: no surrogate with few terms follows that.
#[test]
fn a_model_that_no_surrogate_follows_is_poor_and_pairs_are_offered_first() {
    let parity = TextFn::new(["even", "odd"], |texts: &[&str]| {
        let one = |text: &&str| if text.split_whitespace().count().is_multiple_of(2) { [0.9, 0.1] } else { [0.1, 0.9] };
        texts.iter().map(one).collect::<Vec<_>>()
    });
    let text = TextInstance::new(TEXT).unwrap();
    let verdict = lipex().pairs(Pairs::None).explain(&text, &parity).unwrap().verdict().unwrap();
    let unseen = verdict.reasons.iter().find(|r| r.about == About::Unseen).expect("a reason");
    assert_eq!((verdict.grade, unseen.grade), (Grade::Poor, Grade::Poor));
    assert!(unseen.advice.contains("--pairs auto"));
    let with = lipex().pairs(Pairs::Auto).explain(&text, &parity).unwrap().verdict().unwrap();
    let unseen = with.reasons.iter().find(|r| r.about == About::Unseen).expect("a reason");
    assert!(!unseen.advice.contains("--pairs"), "{unseen:?}");
}

#[test]
fn json_has_the_verdict_and_reads_it_again() {
    let text = TextInstance::new(TEXT).unwrap();
    let explanation = lipex().explain(&text, &fraud(-1.0)).unwrap();
    let json = to_json(&explanation);
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["verdict"], serde_json::to_value(explanation.verdict().unwrap()).unwrap());
    assert!(document["fidelity"]["near"]["tv"].as_f64().is_some_and(|tv| (0.0..0.5).contains(&tv)));
    assert_eq!(from_json(&json).unwrap().verdict(), explanation.verdict());
}
