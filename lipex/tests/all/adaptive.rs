//! Runs that add masks until their answer is steady.

use lipex::prelude::*;
use lipex::{Adaptive, Error, ErrorBars, GivenMasks, Pairs, Rule, Timings, WeightProportional};
use std::collections::HashMap;
use std::sync::Mutex;

const TEXT: &str = "one two three four five six seven eight nine ten eleven twelve";

/// Words weigh by their length, and two of them together a little more: nothing that a surrogate can follow exactly.
fn scores(text: &str) -> [f64; 3] {
    let holds = |word: &str| text.split_whitespace().any(|w| w == word);
    let length: f64 = text.split_whitespace().map(|w| w.len() as f64).sum();
    let both = if holds("seven") && holds("two") { 1.0 } else { 0.0 };
    [0.12 * length + both, 0.4 * f64::from(u8::from(holds("six"))), 0.8 * f64::from(u8::from(holds("ten")))]
}

/// The model, and how often it saw each text.
fn counted(seen: &Mutex<HashMap<String, usize>>) -> TextFn<'_> {
    TextFn::new(["long", "six", "ten"], move |texts: &[&str]| {
        let mut seen = seen.lock().unwrap();
        texts.iter().for_each(|t| *seen.entry(t.to_string()).or_default() += 1);
        texts.iter().map(|t| scores(t)).collect()
    })
    .logits()
}

fn model() -> TextFn<'static> {
    TextFn::new(["long", "six", "ten"], |texts: &[&str]| texts.iter().map(|t| scores(t)).collect()).logits()
}

/// The JSON without what a plain run has otherwise.
fn plainly(e: &Explanation) -> String {
    let settings = e.settings.iter().filter(|s| !["adaptive", "max-samples"].contains(&s.name.as_str())).cloned();
    let departures = e.departures.iter().filter(|d| !["adaptive", "max-samples"].contains(&d.name.as_str())).cloned();
    to_json(&Explanation {
        timings_ms: Timings::default(),
        growth: None,
        settings: settings.collect(),
        departures: departures.collect(),
        ..e.clone()
    })
}

#[test]
fn a_grown_run_is_a_plain_run_and_repeats_no_call() {
    let text = TextInstance::new(TEXT).unwrap();
    let order = Adaptive::default().rule(Rule::Order { k: 2 }).unwrap().most(800).unwrap();
    let set = Adaptive::default().rule(Rule::Settled { k: 2, indifference: 0.02 }).unwrap().most(800).unwrap();
    // With fewer numbers to fit it stops earlier.
    let additive = || lipex().intercept(Intercept::Fitted).pairs(Pairs::None);
    let mut stops = Vec::new();
    for adaptive in [order, set] {
        for explainer in [
            lipex(),
            lipex().perturber(Antithetic),
            lipex().perturber(WeightProportional),
            additive()
                .perturber(Bernoulli::default())
                .selector(All)
                .error_bars(ErrorBars::default().refits(20).unwrap()),
            lime().samples(1000),
        ] {
            let explainer = explainer.seed(4);
            let seen = Mutex::default();
            let grown = explainer.clone().adaptive(adaptive).explain(&text, &counted(&seen)).unwrap();
            let seen = seen.into_inner().unwrap();
            // But for the text itself, which is asked for first and last.
            assert!(seen.iter().all(|(asked, &times)| times == if asked == text.text() { 2 } else { 1 }));
            assert_eq!(seen.len(), grown.calls.inputs);
            let growth = grown.growth.as_ref().unwrap();
            let last = growth.looks.last().unwrap();
            assert_eq!((last.masks, last.inputs, last.met), (grown.calls.masks, grown.calls.inputs, growth.met));
            assert!(growth.looks.iter().rev().skip(1).all(|look| !look.met));
            let plain = explainer.samples(grown.calls.masks).explain(&text, &model()).unwrap();
            assert_eq!(plainly(&grown), plainly(&plain));
            stops.push(growth.looks.len());
        }
    }
    println!("looks: {stops:?}");
    assert!(stops.iter().any(|&looks| looks > 1) && stops.iter().any(|&looks| looks < 7), "{stops:?}");
}

#[test]
fn bars_grow_short() {
    let text = TextInstance::new(TEXT).unwrap();
    let until = |h: f64| {
        let adaptive = Adaptive::default().rule(Rule::HalfWidth(h)).unwrap();
        lipex()
            .adaptive(adaptive)
            .error_bars(ErrorBars::default().refits(20).unwrap())
            .explain(&text, &model())
            .unwrap()
    };
    let short = until(0.08);
    let growth = short.growth.unwrap();
    let looks = growth.looks;
    assert!(growth.met && looks.len() > 2, "{looks:?}");
    assert!(looks[looks.len() - 2].half_width > 0.08);
    let last = looks.last().unwrap().half_width;
    assert!(last <= 0.08 && (last - short.uncertainty.unwrap().half_width()).abs() < 1e-12);
    // What cannot be reached says how far away it is.
    let far = Adaptive::default().rule(Rule::HalfWidth(1e-3)).unwrap().most(150).unwrap();
    let far = lipex().adaptive(far).explain(&text, &model()).unwrap().growth.unwrap();
    assert!(
        !far.met && far.looks.len() == 2 && far.stopped.contains("150 masks") && far.stopped.contains("would do"),
        "{}",
        far.stopped
    );
}

#[test]
fn what_is_left_out_of_the_fit_is_compared_too() {
    // Two words of equal weight, one of which a selection of one word a class leaves out.
    let twins = |texts: &[&str]| -> Vec<[f64; 2]> {
        let holds = |t: &str, word: &str| f64::from(u8::from(t.split_whitespace().any(|w| w == word)));
        texts.iter().map(|t| [holds(t, "two") + holds(t, "six"), 0.1 * holds(t, "nine") * holds(t, "ten")]).collect()
    };
    let model = TextFn::new(["twins", "other"], twins).logits();
    let text = TextInstance::new(TEXT).unwrap();
    let run = |indifference: f64| {
        let rule = Rule::Settled { k: 1, indifference };
        let adaptive = Adaptive::default().rule(rule).unwrap().most(200).unwrap();
        let one = lipex().selector(Forward::new(1).unwrap());
        one.adaptive(adaptive).explain(&text, &model).unwrap()
    };
    let strict = run(0.0);
    assert!(strict.kept().len() < 3, "{:?}", strict.kept());
    let growth = strict.growth.unwrap();
    let twins: Vec<usize> = [1, 5].to_vec();
    let mut group = growth.interchangeable[0].clone();
    group.sort_unstable();
    assert!(!growth.met && group == twins, "{growth:?}");
    assert!(run(0.3).growth.unwrap().met);
}

#[test]
fn samplers_that_cannot_grow_are_refused() {
    let text = TextInstance::new("a b").unwrap();
    let given = GivenMasks::new(2, 2, &[1, 1, 0, 1]).unwrap();
    for explainer in [lipex().perturber(Exhaustive), lipex().perturber(LimeText), lipex().perturber(given)] {
        let error = explainer.adaptive(Adaptive::default()).explain(&text, &model()).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }) && error.to_string().contains("cannot be extended"), "{error}");
    }
}

#[test]
fn few_words_and_guarantees() {
    // As many words as are asked for: there is nothing to settle.
    let text = TextInstance::new("one two three").unwrap();
    let run = |adaptive: Adaptive| lipex().adaptive(adaptive).explain(&text, &model()).unwrap().growth.unwrap();
    assert!(run(Adaptive::default()).met);
    let one = TextInstance::new("one").unwrap();
    assert!(lipex().adaptive(Adaptive::default()).explain(&one, &model()).is_ok());
    // A guarantee asks for more than the level of one comparison.
    let text = TextInstance::new(TEXT).unwrap();
    let masks = |adaptive: Adaptive| lipex().adaptive(adaptive).explain(&text, &model()).unwrap().calls.masks;
    let rule = Rule::Settled { k: 2, indifference: 0.05 };
    let usual = Adaptive::default().rule(rule).unwrap().z(1.96).unwrap();
    assert!(
        masks(usual.guarantee(0.95).unwrap()) > masks(usual),
        "{} {}",
        masks(usual.guarantee(0.95).unwrap()),
        masks(usual)
    );
    let texts = [&text, &text];
    let many = lipex().adaptive(usual).explain_many(&texts, &model()).unwrap();
    assert_eq!((many.len(), many[0].calls.masks), (2, masks(usual)));
}
