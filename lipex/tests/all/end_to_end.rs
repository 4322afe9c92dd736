//! Texts explained from end to end: what must be equal is equal, to the bit, and odd inputs are no trouble.

use lipex::prelude::*;
use lipex::{Enumerate, Error, LambdaScale, Timings};
use std::collections::HashMap;
use std::sync::Mutex;

const TEXTS: [&str; 4] = [
    "I can't believe you threw me a surprise party, I'm shaking with joy",
    "This is the worst service ever and I am so angry, so very angry",
    "Thanks",
    "I was afraid of the dark but now I just wonder why it made me cry",
];

fn instances() -> Vec<TextInstance> {
    TEXTS.iter().map(|t| TextInstance::new(*t).unwrap()).collect()
}

/// The JSON without what differs between equal runs.
fn timeless(explanation: &Explanation) -> String {
    to_json(&Explanation { timings_ms: Timings::default(), ..explanation.clone() })
}

/// A model of the first letters of words, with `classes` classes; not linear.
fn letters(classes: usize) -> TextFn<'static> {
    let labels: Vec<String> = (0..classes).map(|c| format!("class {c}")).collect();
    TextFn::new(labels, move |texts| {
        texts
            .iter()
            .map(|text| {
                let mut scores = vec![0.0f64; classes];
                for word in text.split_whitespace() {
                    scores[word.bytes().map(usize::from).sum::<usize>() % classes] += 0.7;
                }
                scores[0] += (scores[classes - 1] - 1.0).max(0.0);
                scores
            })
            .collect()
    })
    .logits()
}

/// An explainer of 300 masks; the authors' recipe ends after 20 passes over them.
fn quick(on: Cpu, preset: Preset) -> Explainer<Cpu> {
    let explainer = Explainer::with_preset(on, preset).samples(300);
    match preset {
        Preset::Authors => explainer.surrogate(Authors::default().epochs(20).unwrap()),
        _ => explainer,
    }
}

#[test]
fn many_are_explained_as_each_alone() {
    let (texts, model) = (instances(), letters(7));
    let references: Vec<&TextInstance> = texts.iter().collect();
    for explainer in Preset::ALL.map(|preset| quick(Cpu::new(), preset)) {
        let many = explainer.explain_many(&references, &model).unwrap();
        assert_eq!(many.len(), texts.len());
        for (text, one_of_many) in texts.iter().zip(&many) {
            assert_eq!(timeless(&explainer.explain(text, &model).unwrap()), timeless(one_of_many));
        }
    }
}

#[test]
fn batch_size_and_threads_change_nothing() {
    let (text, model) = (TextInstance::new(TEXTS[0]).unwrap(), letters(7));
    for preset in Preset::ALL {
        let mut seen: Option<String> = None;
        for (threads, batch) in [(1, 1), (1, 7), (1, 1000), (2, 7), (2, 1000)] {
            let on = Cpu::with_threads(threads).unwrap();
            let explainer = quick(on, preset).batch_size(batch);
            let json = timeless(&explainer.explain(&text, &model).unwrap());
            assert_eq!(*seen.get_or_insert_with(|| json.clone()), json, "{threads} threads, batches of {batch}");
        }
    }
}

#[test]
fn another_seed_is_another_sample() {
    let (text, model) = (TextInstance::new(TEXTS[0]).unwrap(), letters(7));
    let of = |seed| lipex().samples(100).seed(seed).explain(&text, &model).unwrap();
    assert_eq!(timeless(&of(1)), timeless(&of(1)));
    assert_ne!(of(1).shares().matrix(), of(2).shares().matrix());
}

#[test]
fn each_distinct_input_goes_to_the_model_once_and_the_text_itself_twice() {
    let asked = Mutex::new(HashMap::<String, usize>::new());
    let model = TextFn::new(["a", "b"], |texts| {
        let mut asked = asked.lock().unwrap();
        texts.iter().for_each(|t| *asked.entry(t.to_string()).or_default() += 1);
        texts.iter().map(|t| if t.contains("joy") { [0.2f32, 0.8] } else { [0.7, 0.3] }).collect()
    });
    let text = TextInstance::new("such a joy to see").unwrap();
    let explanation = lipex().enumerate(Enumerate::Never).explain(&text, &model).unwrap();
    let asked = asked.lock().unwrap();
    assert!(asked.iter().all(|(input, &n)| n == if input == text.text() { 2 } else { 1 }));
    // 2^5 texts at most, of 1000 masks.
    assert_eq!((explanation.calls.masks, explanation.calls.inputs), (1000, asked.len()));
    assert!(asked.len() <= 32 && asked.len() > 20);
}

#[test]
fn a_linear_model_is_found_exactly() {
    // softmax of a sum over words: the surrogate's own form.
    let weights = [("angry", 2.0), ("service", -0.5), ("worst", 1.0), ("very", 0.25), ("ever", -1.5)];
    let model = TextFn::new(["calm", "cross"], |texts| {
        let score = |t: &&str| weights.iter().filter(|(w, _)| t.contains(w)).map(|(_, v)| v).sum::<f64>();
        texts.iter().map(|t| [0.0, score(t)]).collect()
    });
    let text = TextInstance::new("worst service, very angry, ever so late").unwrap();
    let explainer = lipex().selector(All).lambda(1e-9);
    let explanation = explainer.explain(&text, &model.logits()).unwrap();
    for w in explanation.contrast(1, 0) {
        let name = &explanation.features[w.feature].name;
        // "very" is found in "very" alone; "ever" in "ever" alone.
        let expected = weights.iter().find(|(word, _)| word == name).map_or(0.0, |(_, v)| *v);
        assert!((w.value - expected).abs() < 1e-2, "{name}: {} for {expected}", w.value);
    }
}

/// An explanation that holds together and is saved and loaded whole.
fn sound(explanation: &Explanation) {
    explanation.check().unwrap();
    assert_eq!(&from_json(&to_json(explanation)).unwrap(), explanation);
    let sum: f64 = explanation.probabilities.model.iter().sum();
    assert!((sum - 1.0).abs() < 1e-3);
}

#[test]
fn odd_inputs_are_explained() {
    let long: Vec<String> = (0..60).map(|i| format!("word{i}")).collect();
    let one = TextInstance::new("word").unwrap();
    let many = TextInstance::new(long.join(" ")).unwrap();
    let never = TextFn::new(["a", "b", "never"], |texts| {
        texts.iter().map(|t| if t.contains("word") { [0.3f32, 0.7, 0.0] } else { [0.8, 0.2, 0.0] }).collect()
    });
    let equal = TextFn::new(["a", "b", "c"], |texts| vec![[0.5f32, 0.25, 0.25]; texts.len()]);
    for explainer in [lipex(), paper(), lime(), quick(Cpu::new(), Preset::Authors), kernel_shap()] {
        for text in [&one, &many] {
            for samples in [1, 2, 3, 20] {
                let explainer = explainer.clone().samples(samples);
                // The instance alone tells nothing.
                if samples == 1 {
                    let refused = explainer.explain(text, &letters(4)).unwrap_err().to_string();
                    assert!(refused.contains("at least 2 masks"), "{refused}");
                    continue;
                }
                sound(&explainer.explain(text, &letters(4)).unwrap());
                let explanation = explainer.explain(text, &never).unwrap();
                sound(&explanation);
                assert_eq!(explanation.never, [false, false, true]);
                let explanation = explainer.explain(text, &equal).unwrap();
                sound(&explanation);
                // Without an intercept (the paper) the words must carry the constant; the authors' recipe ends where a
                // random start is good enough.
                let flat = explanation.shares().matrix().concat().iter().all(|w| w.abs() < 1e-3);
                assert!(
                    flat || ["paper", "authors"].contains(&explanation.preset.as_str()),
                    "{:?}",
                    explanation.shares().matrix()
                );
            }
        }
    }
}

#[test]
fn twenty_thousand_words_are_explained() {
    let words: Vec<String> = (0..20_000).map(|i| format!("w{i}")).collect();
    let text = TextInstance::new(words.join(" ")).unwrap();
    let model = TextFn::new(["without", "with"], |texts| {
        texts.iter().map(|t| if t.starts_with("w0 ") { [0.1f32, 0.9] } else { [0.9, 0.1] }).collect()
    });
    let explanation = lipex().samples(100).explain(&text, &model).unwrap();
    sound(&explanation);
    assert_eq!(explanation.top_k(1, 1, Rank::Supporting)[0].feature, 0);
}

#[test]
fn every_divergence_explains() {
    let (text, model) = (TextInstance::new(TEXTS[1]).unwrap(), letters(7));
    for name in ["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:0.5", "alpha:-0.5"] {
        let divergence = lipex::by_name(name).unwrap();
        let explanation = lipex().erased_divergence(divergence).explain(&text, &model).unwrap();
        sound(&explanation);
        let tv = explanation.fidelity.as_ref().unwrap().out_of_fold.unwrap().tv;
        assert!(tv < 0.15, "{name}: {tv}");
        let raw = lipex().erased_divergence(lipex::by_name(name).unwrap()).lambda_scale(LambdaScale::Raw);
        sound(&raw.explain(&text, &model).unwrap());
    }
}

#[test]
fn a_row_that_is_no_distribution_is_named() {
    let text = TextInstance::new(TEXTS[0]).unwrap();
    // The instance is row 0; "party" is in it.
    let model = TextFn::new(["a", "b"], |texts| {
        texts.iter().map(|t| if t.contains("party") { [0.5f32, 0.5] } else { [0.5, f32::NAN] }).collect()
    });
    let of = |batch| lipex().batch_size(batch).explain(&text, &model).unwrap_err();
    let Error::NotADistribution { row, .. } = of(64) else { panic!("{}", of(64)) };
    assert!(row > 0);
    assert_eq!(of(64).to_string(), of(1).to_string());
    let short = TextFn::new(["a", "b"], |_| vec![[0.5f32, 0.5]]);
    assert!(matches!(lipex().explain(&text, &short), Err(Error::Shape { expected: 64, got: 1, .. })));
    let alone = TextFn::new(["a"], |texts| vec![[1.0f32]; texts.len()]);
    assert!(matches!(lipex().explain(&text, &alone), Err(Error::Setting { .. })));
}

/// A net of one ReLU layer on hashed words, four classes, with noise of size `sigma` on its weights.
fn net(sigma: f64) -> TextFn<'static> {
    /// A number from −1 to 1 that looks random.
    fn number(seed: u64) -> f64 {
        let z = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 32)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
    let weight = move |i: u64| number(i) + sigma * number(i + 1_000_000);
    let answer = move |text: &str| {
        let mut hidden = [0.2f64; 8];
        for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            let hash = word.bytes().fold(7, |h: u64, b| (h * 31 + u64::from(b)) % 10_007);
            (0..8).for_each(|h| hidden[h] += weight(hash * 8 + h as u64));
        }
        let score = |c: u64| (0..8).map(|h| hidden[h as usize].max(0.0) * weight(200_000 + c * 8 + h)).sum::<f64>();
        [0, 1, 2, 3].map(score)
    };
    TextFn::new(["a", "b", "c", "d"], move |texts| texts.iter().map(|t| answer(t)).collect()).logits()
}

#[test]
fn the_explanation_follows_a_model_that_is_distorted() {
    let tv = |a: &[f64], b: &[f64]| 0.5 * a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum::<f64>();
    let (mut moved, mut apart) = (0.0f64, 0.0f64);
    for text in instances().iter().filter(|t| t.features().len() > 1) {
        let plain = lipex().explain(text, &net(0.0)).unwrap();
        for sigma in [0.1, 0.3, 1.0] {
            let other = lipex().explain(text, &net(sigma)).unwrap();
            let of_model = tv(&plain.probabilities.model, &other.probabilities.model);
            let of_surrogate = tv(&plain.probabilities.surrogate, &other.probabilities.surrogate);
            println!("σ = {sigma}: the model moves by {of_model:.3}, the surrogate by {of_surrogate:.3}");
            assert!(plain.shares().matrix() != other.shares().matrix());
            moved = moved.max(of_model);
            apart = apart.max((of_model - of_surrogate).abs());
        }
    }
    assert!(moved > 0.5 && apart < 0.1, "the model moved by {moved}, the surrogate {apart} otherwise");
}
