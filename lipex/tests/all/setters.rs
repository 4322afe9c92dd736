//! The setters of an explainer: none fails, none is silently ignored, and their order does not matter.

use lipex::perturb::ShapleySize;
use lipex::prelude::*;
use lipex::{
    Adaptive, Domain, Enumerate, ErrorBars, Lambda, LambdaScale, Normalise, OutOfFold, Pairs, Repeats, Setting,
    ShapleyKernel, Starts,
};
use std::sync::Arc;

type Setter = (&'static str, fn(Explainer<Cpu>) -> Explainer<Cpu>);

/// Setters of different things, each away from every preset.
const SETTERS: [Setter; 22] = [
    ("surrogate", |e| e.surrogate(Softmax::default().divergence(Kl).lambda(0.5).unwrap())),
    ("lambda", |e| e.lambda(0.25)),
    ("normalise", |e| e.normalise(Normalise::Weight)),
    ("intercept", |e| e.intercept(Intercept::None)),
    ("lambda-scale", |e| e.lambda_scale(LambdaScale::Raw)),
    ("starts", |e| e.starts(Starts::Two)),
    ("tolerance", |e| e.tolerance(1e-4)),
    ("images", |e| e.images()),
    ("samples", |e| e.samples(77)),
    ("perturber", |e| e.perturber(Antithetic)),
    ("selector", |e| e.selector(Forward::new(2).unwrap())),
    ("proximity", |e| e.proximity(CosineSimilarity)),
    ("rank", |e| e.rank(Rank::Opposing)),
    ("seed", |e| e.seed(9)),
    ("batch", |e| e.batch_size(3)),
    ("groups", |e| e.groups(Groups::Top(2))),
    ("repeats", |e| e.repeats(Repeats::AskAgain)),
    ("enumerate", |e| e.enumerate(Enumerate::Never)),
    ("evaluator", |e| e.evaluator(OutOfFold { folds: 3 })),
    ("divergence", |e| e.divergence(JensenShannon)),
    ("adaptive", |e| e.adaptive(Adaptive::default())),
    ("bars", |e| e.error_bars(ErrorBars::default())),
];

fn presets() -> Vec<Explainer<Cpu>> {
    Preset::ALL.map(|preset| Explainer::with_preset(Cpu::new(), preset)).to_vec()
}

fn value(settings: &[Setting], name: &str) -> String {
    settings.iter().find(|s| s.name == name).map_or_else(String::new, |s| s.value.clone())
}

#[test]
fn the_order_of_setters_does_not_matter() {
    for preset in presets() {
        let forwards = SETTERS.iter().fold(preset.clone(), |e, (_, set)| set(e));
        let told = forwards.settings();
        forwards.check().unwrap();
        assert_eq!((value(&told, "divergence"), value(&told, "lambda")), ("js".into(), "0.25".into()));
        let backwards = SETTERS.iter().rev().fold(preset.clone(), |e, (_, set)| set(e));
        assert_eq!(backwards.settings(), told);
        // Every pair, either way round, beside nothing else.
        for (a, set_a) in &SETTERS {
            for (b, set_b) in SETTERS.iter().filter(|(b, _)| b != a) {
                let (ab, ba) = (set_b(set_a(preset.clone())), set_a(set_b(preset.clone())));
                assert_eq!(ab.settings(), ba.settings(), "{a}, {b}");
                let told = |e: &Explainer<Cpu>| e.check().map_err(|e| e.to_string());
                assert_eq!(told(&ab), told(&ba), "{a}, {b}");
            }
        }
    }
}

#[test]
fn a_surrogate_that_is_brought_keeps_what_is_not_changed() {
    let own = Softmax::default().divergence(Kl).normalise(Normalise::Weight);
    for explainer in [lime().surrogate(own.clone()).lambda(0.1), lime().lambda(0.1).surrogate(own)] {
        let told = explainer.settings();
        explainer.check().unwrap();
        let of = |name| value(&told, name);
        assert_eq!(
            [of("surrogate"), of("divergence"), of("lambda"), of("normalise")],
            ["softmax", "kl", "0.1", "weight"]
        );
    }
    // The last of two counts.
    assert_eq!(value(&lipex().lambda(0.1).lambda_auto().settings(), "lambda"), Lambda::Auto.to_string());
    assert_eq!(value(&lipex().lambda_auto().lambda(0.1).settings(), "lambda"), "0.1");
    assert_eq!(value(&lime().samples(7).images().settings(), "samples"), "7");
    assert_eq!(value(&lime().images().settings(), "select"), "all");
}

#[test]
fn settings_of_another_surrogate_are_an_error_that_says_why() {
    let text = TextInstance::new("one two three").unwrap();
    let model = TextFn::new(["a", "b"], |texts| texts.iter().map(|_| [0.5, 0.5]).collect());
    for (explainer, told) in [
        (lime().lambda(0.1), "lambda = 0.1: the surrogate in use has no such setting"),
        (lime().lambda_auto(), "lambda = auto: the surrogate in use has no such setting"),
        (lime().divergence(Kl), "divergence = kl: the surrogate in use"),
        (kernel_shap().intercept(Intercept::None), "intercept = none: the surrogate in use"),
        (authors().lambda_scale(LambdaScale::Raw), "lambda-scale = raw: the surrogate in use"),
        (lipex().surrogate(Ridge::default()).starts(Starts::Two), "starts = 2: the surrogate in use"),
        (lipex().surrogate(Arc::new(Softmax::default())).lambda(0.1), "lambda = 0.1: the surrogate in use"),
        (lipex().lambda(-1.0), "lambda = -1: a finite number, not negative"),
        (lipex().lambda(f64::NAN), "lambda = NaN"),
        (lipex().tolerance(0.0), "tolerance = 0"),
        (lipex().samples(0), "samples = 0: from 1 to"),
        (lipex().samples(10_000_001), "samples = 10000001: from 1 to"),
        (lipex().batch_size(0), "batch-size = 0"),
        (lipex().pairs(Pairs::Count(2)).intercept(Intercept::None), "pairs = 2: a surrogate without an intercept"),
        (kernel_shap().proximity(CosineSimilarity), "proximity = cosine-similarity: the sampler kernel-shap weighs"),
        (lipex().proximity(CosineSimilarity).perturber(ShapleySize), "proximity = cosine-similarity: the sampler"),
    ] {
        let error = explainer.explain(&text, &model).unwrap_err().to_string();
        assert!(error.starts_with(told), "{error}");
        assert_eq!(explainer.check().unwrap_err().to_string(), error);
    }
    // What is set right afterwards is right.
    lipex().lambda(-1.0).lambda(0.1).explain(&text, &model).unwrap();
    lime().lambda(0.1).surrogate(Softmax::default()).explain(&text, &model).unwrap();
    kernel_shap().proximity(ShapleyKernel).explain(&text, &model).unwrap();
    kernel_shap().proximity(CosineSimilarity).perturber(Antithetic).check().unwrap();
}

#[test]
fn a_change_of_the_softmax_is_the_softmax_changed() {
    let text = TextInstance::new("one two three four").unwrap();
    let model = TextFn::new(["a", "b"], |texts| {
        texts.iter().map(|t| if t.contains("two") { [0.9, 0.1] } else { [0.3, 0.7] }).collect()
    });
    let own = Softmax::default().divergence(Kl).lambda(0.01).unwrap().intercept(Intercept::None);
    let brought = lipex().surrogate(own).explain(&text, &model).unwrap();
    let set = lipex().divergence(Kl).lambda(0.01).intercept(Intercept::None).explain(&text, &model).unwrap();
    assert_eq!((&brought.shares().matrix(), &brought.settings), (&set.shares().matrix(), &set.settings));
    assert_ne!(set.shares().matrix(), lipex().explain(&text, &model).unwrap().shares().matrix());
}

#[test]
fn presets_are_what_the_table_says() {
    for (preset, explainer) in Preset::ALL.into_iter().zip(presets()) {
        assert_eq!(explainer.settings(), preset.settings(Domain::Text), "{}", preset.name());
        assert_eq!(explainer.images().settings(), preset.settings(Domain::Image), "{}", preset.name());
    }
    assert_eq!(lipex().surrogate(Preset::Lipex.softmax(Domain::Text)).settings(), lipex().settings());
    let never = lipex().enumerate(Enumerate::Never);
    assert_eq!(never.surrogate(Softmax::paper()).rank(Rank::Absolute).settings(), paper().settings());
}
