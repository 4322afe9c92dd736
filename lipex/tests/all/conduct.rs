//! Models that are no function of their input, that nothing moves, that find several labels at once, and runs that fail.

use lipex::prelude::*;
use lipex::{Adaptive, Error, ErrorBars, Explanation, Link, Method, Pairs, Remembered, Repeats, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

fn text(words: &str) -> TextInstance {
    TextInstance::new(words).unwrap()
}

/// Three classes at random, whatever it reads: a new draw each time.
fn at_random(seed: u64) -> TextFn<'static> {
    let state = AtomicU64::new(seed);
    let unit = move || {
        let mut z = state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 11) as f64 / (1u64 << 53) as f64
    };
    let normal = move || (-2.0 * (1.0 - unit()).ln()).sqrt() * (std::f64::consts::TAU * unit()).cos();
    TextFn::new(["a", "b", "c"], move |texts: &[&str]| {
        texts.iter().map(|_| [normal(), normal(), normal()]).collect::<Vec<_>>()
    })
    .logits()
}

fn told_from_0(e: &Explanation) -> usize {
    let Some(u) = &e.uncertainty else { return 0 };
    let shares = e.shares();
    let clear = |c: usize| (0..e.kept().len()).filter(|&j| u.is_significant(c, j, shares.row(c)[j])).count();
    (0..e.classes.len()).map(clear).sum()
}

#[test]
fn a_model_that_answers_at_random_is_told_and_never_exact() {
    let six = text("one two three four five six");
    let explainer = lipex().selector(All).samples(400).error_bars(ErrorBars::default().refits(20).unwrap());
    let e = explainer.explain(&six, &at_random(1)).unwrap();
    assert!(e.observed.noise().is_some_and(|apart| apart > 0.01), "{:?}", e.observed);
    let told = &e.uncertainty.as_ref().unwrap().not_covered;
    assert!(told[0].contains("own noise"), "{told:?}");
    let all = explainer.clone().perturber(Exhaustive).explain(&six, &at_random(2)).unwrap();
    assert_ne!(all.uncertainty.unwrap().method, Method::Exact);
    // Asked again for every mask, it is seldom taken for more than noise.
    let again = explainer.repeats(Repeats::AskAgain);
    let found = |seed: u64| {
        let e = again.clone().seed(seed).explain(&six, &at_random(seed)).unwrap();
        assert_eq!(e.calls.inputs, 400, "every mask is asked for");
        assert!(!e.uncertainty.as_ref().unwrap().not_covered[0].contains("own noise"));
        assert!(e.departures.iter().any(|d| d.name == "ask-again"));
        told_from_0(&e) > 0
    };
    let wrong = (0..20).filter(|&seed| found(seed)).count();
    println!("something significant in {wrong} of 20 seeds");
    assert!(wrong <= 3, "{wrong} of 20");
}

#[test]
fn where_nothing_moves_the_model_nothing_is_found() {
    let same = TextFn::new(["ok", "not"], |texts: &[&str]| vec![[0.9, 0.1]; texts.len()]);
    let e = lipex().error_bars(ErrorBars::default()).explain(&text("a b c d e f"), &same).unwrap();
    assert!(e.observed.is_constant() && e.observed.noise().is_none());
    assert_eq!((e.uncertainty.as_ref(), told_from_0(&e)), (None, 0));
    let asked = AtomicUsize::new(0);
    let counted = TextFn::new(["ok", "not"], |texts: &[&str]| {
        asked.fetch_add(texts.len(), Ordering::Relaxed);
        vec![[0.9, 0.1]; texts.len()]
    });
    let e = lipex().adaptive(Adaptive::default()).explain(&text("a b c d e f"), &counted).unwrap();
    let growth = e.growth.unwrap();
    assert!(!growth.met && growth.looks.len() == 1 && growth.stopped.contains("nothing moves the model"));
    assert!(asked.load(Ordering::Relaxed) <= 65);
}

/// Log-odds of three labels: linear in words of their own, "free" in two.
fn many(texts: &[&str]) -> Vec<[f64; 3]> {
    let has = |text: &str, word: &str| f64::from(u8::from(text.split(' ').any(|w| w == word)));
    let row = |t: &&str| {
        let odds = [
            -2.0 + 3.0 * has(t, "idiot"),
            -1.0 + 2.0 * has(t, "free") + 0.5 * has(t, "money"),
            -1.5 + 1.0 * has(t, "now") - 1.0 * has(t, "free"),
        ];
        odds.map(|l| 1.0 / (1.0 + (-l).exp()))
    };
    texts.iter().map(row).collect()
}

#[test]
fn several_labels_are_each_explained_against_not_that_label() {
    let model = TextFn::new(["toxic", "spam", "urgent"], many).independent();
    let words = text("you idiot take free money now");
    let explainer = lipex().selector(All).lambda(1e-8).error_bars(ErrorBars::default());
    let e = explainer.explain(&words, &model).unwrap();
    assert_eq!(e.link(), Some(Link::Logistic));
    let effect = |label: usize, word: &str| {
        let j = e.features.iter().position(|f| f.name == word).unwrap();
        e.shares().row(label)[e.kept().iter().position(|&k| k == j).unwrap()]
    };
    // Each label has the weights of its own log-odds, and no word speaks against a label that it does nothing to.
    for (label, word, truth) in [
        (0, "idiot", 3.0),
        (0, "free", 0.0),
        (1, "free", 2.0),
        (1, "money", 0.5),
        (1, "idiot", 0.0),
        (2, "now", 1.0),
        (2, "free", -1.0),
    ] {
        assert!((effect(label, word) - truth).abs() < 0.02, "{label} {word}: {} for {truth}", effect(label, word));
    }
    let p = many(&["you idiot take free money now"])[0];
    for (c, p) in p.iter().enumerate() {
        assert!((e.probabilities.model[c] - p).abs() < 1e-6 && (e.probabilities.surrogate[c] - p).abs() < 0.01);
    }
    let u = e.uncertainty.as_ref().unwrap();
    assert_eq!((u.std_error.len(), u.std_error[0].len()), (3, 6));
    assert!(
        u.std_error.iter().flatten().all(|se| se.is_finite()) && u.not_covered.iter().any(|l| l.contains("labels"))
    );
    assert!(e.fidelity.as_ref().unwrap().at_instance.tv < 0.01);
    // What is saved answers as what was made; other surrogates and growing runs read labels too.
    let back = from_json(&to_json(&e)).unwrap();
    assert_eq!(back, e);
    assert_eq!(back.without(&[0, 1]).unwrap(), e.without(&[0, 1]).unwrap());
    for explainer in [lime(), kernel_shap(), lipex().adaptive(Adaptive::default()), paper()] {
        let e = explainer.explain(&words, &model).unwrap();
        let top = e.top_k(1, 1, Rank::Supporting);
        assert_eq!(e.features[top[0].feature].name, "free", "{}", e.preset);
    }
    // Two words that only act together: pairs are chosen for the label that has them, and rankings go by the fits without.
    let together = |texts: &[&str]| -> Vec<[f64; 3]> {
        let of = |text: &&str| {
            let has = |word: &str| f64::from(u8::from(text.split(' ').any(|w| w == word)));
            let both = 3.0 * has("free") * has("money") - 2.0;
            [many(&[text])[0][0], 1.0 / (1.0 + f64::exp(-both)), many(&[text])[0][2]]
        };
        texts.iter().map(of).collect()
    };
    let model = TextFn::new(["toxic", "spam", "urgent"], together).independent();
    let of = |pairs| lipex().selector(All).pairs(pairs).explain(&words, &model).unwrap();
    let (with, without) = (of(Pairs::Auto), of(Pairs::None));
    assert!(!with.pairs().is_empty() && without.ranking.is_none());
    assert_eq!(with.ranking.as_deref(), Some(without.shares().matrix()));
    assert_eq!(from_json(&to_json(&with)).unwrap(), with);
    // What is left of a label when words go is a probability.
    let removed = with.what_to_remove(1).unwrap();
    assert!(!removed.features.is_empty());
    for (k, left) in removed.surrogate.iter().enumerate() {
        assert!((with.without(&removed.features[..=k]).unwrap()[1] - left).abs() < 1e-12, "{left}");
    }
    let groups = lipex().groups(Groups::Top(2)).explain(&words, &model).unwrap_err();
    assert!(groups.to_string().contains("cannot be merged"), "{groups}");
}

#[test]
fn no_label_at_all_is_an_answer() {
    let model = TextFn::new(["a", "b"], |texts: &[&str]| {
        texts.iter().map(|t| if t.contains("x") { [0.0, 0.0] } else { [1.0, 0.0] }).collect::<Vec<_>>()
    });
    let e = lipex().explain(&text("x y z"), &model.independent()).unwrap();
    assert_eq!(e.probabilities.model, [0.0, 0.0]);
    assert!(e.shares().row(0).iter().all(|w| w.is_finite()));
}

#[test]
fn a_run_that_fails_keeps_its_answers() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answers.jsonl");
    let seen = Mutex::new(Vec::<String>::new());
    let fail_after = AtomicUsize::new(3);
    let model = || {
        TextFn::fallible(["no", "yes"], |texts: &[&str]| {
            if fail_after.fetch_sub(1, Ordering::Relaxed) == 0 {
                return Err("out of luck");
            }
            seen.lock().unwrap().extend(texts.iter().map(|t| t.to_string()));
            Ok(texts.iter().map(|t| if t.contains("good") { [0.125, 0.875] } else { [0.5, 0.5] }).collect::<Vec<_>>())
        })
    };
    let (words, explainer) = (text("a good film and a long one too"), lipex().samples(60).batch_size(8));
    let run = || -> Result<Explanation> { explainer.explain(&words, &Remembered::open(&file, "mine", model())?) };
    assert!(matches!(run(), Err(Error::Model(_))));
    let before = seen.lock().unwrap().len();
    assert_eq!(before, 24);
    // The file of a killed run ends anywhere.
    let mut torn = std::fs::read(&file).unwrap();
    torn.extend(b"{\"key\":\"a go");
    std::fs::write(&file, torn).unwrap();
    fail_after.store(usize::MAX, Ordering::Relaxed);
    let resumed = run().unwrap();
    let asked = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(asked.len(), resumed.calls.inputs + 1);
    let whole = explainer.explain(&words, &model()).unwrap();
    assert_eq!(lipex::to_json_canonical(&resumed), lipex::to_json_canonical(&whole));
    let other = Remembered::open(&file, "other", model()).unwrap_err();
    assert!(other.to_string().contains("answers of mine"), "{other}");
    std::fs::write(&file, "hello\n").unwrap();
    assert!(Remembered::open(&file, "mine", model()).unwrap_err().to_string().contains("no such file"));
}
