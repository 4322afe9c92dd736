//! Many instances at once, what their batches hold, and black boxes that learn their labels.

use lipex::prelude::*;
use lipex::{Batching, Error, Outputs, Probabilities, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const TEXTS: [&str; 4] = ["a good film", "poison in the well", "not a bad day at all", "it rained and rained"];

fn instances(texts: &[&str]) -> Vec<TextInstance> {
    texts.iter().map(|text| TextInstance::new(*text).unwrap()).collect()
}

fn row(text: &str) -> [f64; 2] {
    let p = 0.2 + 0.6 * f64::from(u8::from(text.contains("good") || text.contains("rained")));
    [p, 1.0 - p]
}

/// A model that notes its batches, and gives a row that is none where it reads "poison".
fn noting<'a>(batches: &'a Mutex<Vec<Vec<String>>>, batching: Batching) -> TextFn<'a> {
    let answer = |text: &&str| if text.contains("poison") { [2.0, 3.0] } else { row(text) };
    let function = move |texts: &[&str]| {
        batches.lock().unwrap().push(texts.iter().map(|t| t.to_string()).collect());
        texts.iter().map(answer).collect::<Vec<_>>()
    };
    TextFn::new(["yes", "no"], function).batching(batching)
}

fn same(a: &Explanation, b: &Explanation) -> bool {
    lipex::to_json_canonical(a) == lipex::to_json_canonical(b)
}

#[test]
fn one_bad_instance_harms_no_other_and_full_batches_change_nothing() {
    let texts = instances(&TEXTS);
    let all: Vec<&TextInstance> = texts.iter().collect();
    for batching in [Batching::Free, Batching::OneInstance, Batching::Own] {
        let batches = Mutex::new(Vec::new());
        let model = noting(&batches, batching);
        let explainer = lipex().samples(40).batch_size(8);
        let each = explainer.explain_each(&all, &model);
        let error = each[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("row 0") && error.contains("sums to 5"), "{error}");
        for i in [0, 2, 3] {
            let alone = explainer.explain(all[i], &model).unwrap();
            assert!(same(each[i].as_ref().unwrap(), &alone), "{batching:?}, {i}");
        }
        assert!(explainer.explain_many(&all, &model).unwrap_err().to_string().contains("sums to 5"));
        assert_eq!(explainer.explain_many(&[all[0], all[3]], &model).unwrap().len(), 2);
        assert!(explainer.explain_each(&[] as &[&TextInstance], &model).is_empty());
    }
}

/// Nobody but the instance decides what a batch of such a model holds; a model that says it is free gets full batches.
#[test]
fn batches_hold_what_the_model_says() {
    let texts = instances(&[TEXTS[0], TEXTS[2], TEXTS[3]]);
    let all: Vec<&TextInstance> = texts.iter().collect();
    let asked = |batching, instances: &[&TextInstance], size: usize| {
        let batches = Mutex::new(Vec::new());
        let explainer = lipex().samples(40).batch_size(size);
        explainer.explain_many(instances, &noting(&batches, batching)).unwrap();
        batches.into_inner().unwrap()
    };
    for batching in [Batching::OneInstance, Batching::Own] {
        let alone: Vec<Vec<String>> = all.iter().flat_map(|one| asked(batching, &[*one], 8)).collect();
        assert_eq!(asked(batching, &all, 8), alone, "{batching:?}");
    }
    // Its batches are its own, whatever the batch size.
    assert_eq!(asked(Batching::Own, &all, 8), asked(Batching::Own, &all, 3));
    assert_eq!(asked(Batching::Own, &all, 8).len(), 3);
    let free = asked(Batching::Free, &all, 8);
    let inputs: usize = free.iter().map(Vec::len).sum();
    assert_eq!((free.len(), inputs), (inputs.div_ceil(8), asked(Batching::Own, &all, 8).concat().len()));
    assert!(free.iter().rev().skip(1).all(|batch| batch.len() == 8));
}

#[test]
fn an_instance_is_asked_for_first_and_last() {
    let batches = Mutex::new(Vec::new());
    let text = TextInstance::new(TEXTS[2]).unwrap();
    let e = lipex().samples(30).explain(&text, &noting(&batches, Batching::OneInstance)).unwrap();
    let inputs = batches.into_inner().unwrap().concat();
    assert_eq!((inputs[0].as_str(), inputs.last().map(String::as_str)), (TEXTS[2], Some(TEXTS[2])));
    assert_eq!((inputs.len(), e.observed.asked_twice), (e.calls.inputs + 1, Some(0.0)));
}

#[test]
fn labels_come_with_the_first_answer() {
    let calls = AtomicUsize::new(0);
    let model = TextFn::numbered(|texts: &[&str]| {
        calls.fetch_add(1, Ordering::Relaxed);
        texts.iter().map(|t| row(t)).collect::<Vec<_>>()
    });
    let text = TextInstance::new(TEXTS[0]).unwrap();
    let e = lipex().samples(20).explain(&text, &model).unwrap();
    assert_eq!(e.classes, ["0", "1"]);
    assert_eq!(calls.load(Ordering::Relaxed), 1, "no extra call");
    let one = TextFn::numbered(|texts: &[&str]| vec![[1.0]; texts.len()]);
    assert!(lipex().explain(&text, &one).unwrap_err().to_string().contains("at least 2 classes"));

    /// Knows its labels no better after answering.
    struct Silent;
    impl BlackBox<Cpu, Texts> for Silent {
        fn labels(&self) -> Option<&[String]> {
            None
        }
        fn predict(&self, on: &Cpu, batch: &Texts) -> Result<Probabilities<Cpu>> {
            Outputs::Probabilities.read(on, &[0.5, 0.5].repeat(batch.len()), batch.len(), 2)
        }
    }
    assert!(lipex().explain(&text, &Silent).unwrap_err().to_string().contains("must know its labels"));
}

#[test]
fn rounded_answers_are_divided_by_their_sums() {
    let model = TextFn::new(["a", "b", "c"], |texts: &[&str]| {
        let row = |t: &&str| if t.contains("good") { [0.334, 0.334, 0.333] } else { [0.2, 0.3, 0.5] };
        texts.iter().map(row).collect::<Vec<_>>()
    });
    let e = lipex().samples(50).explain(&TextInstance::new("a good film").unwrap(), &model).unwrap();
    assert!((e.observed.sums_off - 0.001).abs() < 1e-9);
    assert!((e.probabilities.model.iter().sum::<f64>() - 1.0).abs() < 1e-7);
    let fidelity = e.fidelity.unwrap();
    assert!(fidelity.in_sample.kl >= 0.0 && fidelity.at_instance.kl >= 0.0);
}

#[test]
fn places_are_checked() {
    let place = |start, end| std::ops::Range { start, end };
    let build = |places: &[std::ops::Range<usize>]| TextInstance::builder("né well").places(places.to_vec()).build();
    let text = build(&[0..3, 4..6, 6..8]).unwrap();
    let names: Vec<&str> = text.features().iter().map(|f| f.name.as_str()).collect();
    assert_eq!((names, text.without(&[1]).unwrap().as_str()), (vec!["né", "we", "ll"], "né ll"));
    assert_eq!(text.features()[1].spans[0].chars, [3, 5]);
    for (places, word) in [
        (&[0..3, 2..5][..], "begins before byte 3"),
        (&[place(0, 2)], "within a character"),
        (&[place(4, 4)], "is empty"),
        (&[place(4, 9)], "has 8 bytes"),
    ] {
        let text = build(places).unwrap_err().to_string();
        assert!(text.starts_with("places = ") && text.contains(word), "{text}");
    }
    let sentences = TextInstance::builder("a b").places([place(0, 1)]).unit(Unit::Sentence).build();
    assert!(matches!(sentences, Err(Error::Setting { .. })));
    assert!(matches!(build(&[]), Err(Error::Instance(_))));
}

#[test]
fn canonical_json_is_one_line_and_has_no_times() {
    let text = TextInstance::new(TEXTS[0]).unwrap();
    let model = TextFn::new(["yes", "no"], |texts: &[&str]| texts.iter().map(|t| row(t)).collect::<Vec<_>>());
    let run = || lipex().samples(30).explain(&text, &model).unwrap();
    let (a, b) = (run(), run());
    let line = lipex::to_json_canonical(&a);
    assert_eq!(line, lipex::to_json_canonical(&b));
    assert!(!line.contains('\n') && !line.contains("timings_ms"));
    let back = from_json(&line).unwrap();
    assert_eq!(back, Explanation { timings_ms: Default::default(), ..a });
}
