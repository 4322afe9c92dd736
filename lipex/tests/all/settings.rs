//! Settings by name: every name with values that are taken and values that are refused, and what excludes what.

use lipex::prelude::*;
use lipex::{AnyExplainer, Device, Domain, Error, Setting, SettingInfo, Settings, Topic};
use std::path::Path;

/// A setting, values that it takes, and values that it refuses with a word of the reason.
type Case = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    (
        "preset",
        &["lipex", "paper", "lime", "authors", "kernel-shap"],
        &[("limee", "did you mean `lime`?"), ("", "choose lipex"), ("Paper", "`paper`")],
    ),
    (
        "samples",
        &["1", "10000000"],
        &[("0", "from 1"), ("10000001", "to 10000000"), ("many", "\"many\""), ("-1", "masks")],
    ),
    (
        "sampler",
        &[
            "uniform-size",
            "antithetic",
            "bernoulli",
            "bernoulli:0.25",
            "weight-proportional",
            "kernel-shap",
            "exhaustive",
            "lime",
            "lime-image",
        ],
        &[
            ("dice", "uniform-size"),
            ("bernoulli:1", "probability"),
            ("bernoulli:x", "\"x\""),
            ("uniform", "`uniform-size`"),
        ],
    ),
    ("within-angle", &["none", "0.5", "1.5708"], &[("0", "angle"), ("2", "1.5708"), ("wide", "\"wide\"")]),
    ("filtered", &["true", "false"], &[("yes", "true or false"), ("True", "`true`")]),
    ("seed", &["0", "18446744073709551615"], &[("-1", "number"), ("x", "number")]),
    (
        "proximity",
        &["exponential", "exponential:0.5", "cosine-similarity", "cosine-distance", "shapley"],
        &[("exponential:0", "0.001"), ("near", "cosine"), ("cosine", "did you mean `cosine-")],
    ),
    (
        "select",
        &["forward:5", "exclusive:2", "highest:10", "lasso:3", "all"],
        &[("forward", "`forward:K`"), ("forward:0", "at least 1"), ("highest:x", "\"x\""), ("All", "`all`")],
    ),
    (
        "surrogate",
        &["softmax", "ridge", "authors", "kernel-shap", "tree", "tree:1", "tree:12"],
        &[
            ("forest", "ridge"),
            ("sofmax", "`softmax`"),
            ("trees", "`tree`"),
            ("tree:0", "as in tree:4"),
            ("tree:x", "\"x\""),
            ("tree:-1", "levels"),
            ("tree:", "levels"),
        ],
    ),
    ("leaf", &["mean", "asked"], &[("means", "`mean`"), ("model", "mean or asked")]),
    (
        "min-weight",
        &["0", "0.05", "0.5"],
        &[("0.6", "0 to 0.5"), ("-1", "0 to 0.5"), ("NaN", "0 to 0.5"), ("x", "\"x\"")],
    ),
    (
        "divergence",
        &["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:0.5", "hellinger-or-tv", "squared"],
        &[
            ("KL", "did you mean `kl`?"),
            ("alpha:1", "alpha"),
            ("hel", "hellinger"),
            ("Hellinger-or-TV", "hellinger-or-tv"),
        ],
    ),
    ("lambda", &["0", "0.1", "1e-6", "auto"], &[("-1", "not negative"), ("NaN", "finite"), ("much", "auto")]),
    ("lambda-scale", &["curvature", "raw", "class"], &[("log", "curvature, raw or class")]),
    ("normalise", &["count", "weight"], &[("sum", "count or weight"), ("weights", "`weight`")]),
    ("intercept", &["fitted", "anchored", "auto", "none"], &[("fited", "`fitted`"), ("true", "fitted")]),
    (
        "pairs",
        &["none", "auto", "3", "given:3+5,1+2"],
        &[("0", "at least 1"), ("given:1+1", "two features"), ("x", "auto")],
    ),
    ("starts", &["auto", "1", "2"], &[("3", "1 or 2"), ("two", "1 or 2")]),
    ("tolerance", &["1e-9", "0.5"], &[("0", "above 0"), ("1", "below 1"), ("x", "\"x\"")]),
    ("alpha", &["0.5", "10"], &[("0", "above 0"), ("x", "\"x\"")]),
    ("unit", &["word", "occurrence", "sentence"], &[("words", "occurrence")]),
    (
        "split",
        &["unicode", "lime", "char", "space", r"regex:#?\w+"],
        &[("Unicode", "`unicode`"), ("regex:", "matches a word"), ("regex:[", "unclosed"), ("spaces", "`space`")],
    ),
    ("removed", &["drop", "mask:[UNK]"], &[("mask:", "word"), ("blank", "mask:WORD")]),
    ("uncertainty", &["true", "false"], &[("1", "true or false")]),
    ("ask-again", &["true", "false"], &[("yes", "true or false")]),
    ("adaptive", &["true", "false"], &[("on", "true or false")]),
    ("enumerate", &["auto", "never"], &[("always", "auto"), ("nevr", "`never`")]),
    (
        "settled",
        &["3", "2:0", "3:0.5", "4:order"],
        &[("0", "at least 1"), ("3:1", "indifference"), ("x", "number of words")],
    ),
    ("half-width", &["0.1"], &[("0", "above 0"), ("wide", "\"wide\"")]),
    ("max-samples", &["2", "10000000"], &[("1", "from 2"), ("x", "\"x\"")]),
    ("top", &["1", "9"], &[("0", "at least 1"), ("all", "\"all\"")]),
    ("rank", &["supporting", "opposing", "absolute", "effect"], &[("best", "supporting"), ("absolut", "`absolute`")]),
    ("batch-size", &["1", "100000"], &[("0", "at least 1"), ("x", "\"x\"")]),
    ("threads", &["1", "2"], &[("0", "at least 1"), ("x", "\"x\"")]),
    (
        "backend",
        &["cpu", "cuda", "cuda:1", "auto"],
        &[("gpu", "cpu, cuda or auto"), ("CPU", "`cpu`"), ("cuda:x", "choose")],
    ),
];

#[test]
fn every_setting_takes_its_values_and_refuses_others() {
    let names: Vec<&str> = CASES.iter().map(|(name, ..)| *name).collect();
    let mut all: Vec<&str> = SettingInfo::ALL.iter().map(SettingInfo::name).collect();
    assert_eq!(names.len(), all.len());
    all.retain(|name| !names.contains(name));
    assert!(all.is_empty(), "{all:?} have no case");
    for (name, good, bad) in CASES {
        for value in *good {
            let settings = Settings::new().with(name, value).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!((settings.get(name), settings.given().count()), (Some(*value), 1));
        }
        for (value, word) in *bad {
            let message = Settings::new().with(name, value).unwrap_err().to_string();
            let starts = format!("{name} = {value}: ");
            // Parts may say the number that they read, or only the part of a value that is wrong.
            assert!(message.starts_with(&starts) || message.starts_with(&format!("{name} = ")), "{message}");
            assert!(message.contains(word) && message.lines().count() == 1 && !message.contains("--"), "{message}");
        }
    }
}

#[test]
fn names_that_are_not_there_are_refused() {
    for (name, told) in [
        ("sampels", "unknown setting `sampels`; did you mean `samples`?"),
        ("Lambda", "unknown setting `Lambda`; did you mean `lambda`?"),
        ("lambda_scale", "unknown setting `lambda_scale`; did you mean `lambda-scale`?"),
    ] {
        let error = Settings::from_pairs([("preset", "lime"), (name, "10")]).unwrap_err();
        assert!(matches!(&error, Error::UnknownSetting { name: given, .. } if given == name));
        assert_eq!(error.to_string(), told);
    }
    let message = Settings::new().with("temperature", "1").unwrap_err().to_string();
    assert!(message.contains("there are preset, samples") && message.lines().count() == 1, "{message}");
}

#[test]
fn thousands_and_millions_may_be_letters() {
    let told = |value: &str| {
        let settings = Settings::from_pairs([("samples", value)])?;
        let settings = settings.explainer_on(Cpu::new(), Domain::Text)?.settings();
        Ok::<_, Error>(settings.iter().find(|s| s.name == "samples").unwrap().value.clone())
    };
    for (given, number) in [("2k", "2000"), ("1.5K", "1500"), ("0.25M", "250000"), ("3m", "3000000"), ("700", "700")] {
        assert_eq!(told(given).unwrap(), number);
    }
    for wrong in ["k", "1.2345k", "-2k", "2kk", "1.5", ".5k", "11M"] {
        assert!(told(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn settings_of_texts_make_texts_alone() {
    let words = |pairs: &[(&str, &str)]| {
        let text = Settings::from_pairs(pairs.iter().copied()).unwrap().text("I can't 👍").unwrap().build().unwrap();
        text.features().iter().map(|feature| feature.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(words(&[]), ["I", "can't", "👍"]);
    assert_eq!(words(&[("preset", "lime")]), ["I", "can", "t"]);
    assert_eq!(words(&[("preset", "lime"), ("split", "space")]), ["I", "can't", "👍"]);
    assert_eq!(words(&[("unit", "sentence")]), ["I can't 👍"]);
    for pair in [("unit", "word"), ("split", "lime"), ("removed", "drop")] {
        let settings = Settings::from_pairs([pair]).unwrap();
        assert!(settings.explainer_on(Cpu::new(), Domain::Text).is_ok());
        let told = settings.explainer_on(Cpu::new(), Domain::Image).err().unwrap().to_string();
        assert!(told.contains("of texts alone"), "{told}");
    }
}

/// What an explainer of these settings is set to.
fn told(pairs: &[(&str, &str)], domain: Domain) -> Vec<Setting> {
    let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
    settings.explainer_on(Cpu::new(), domain).unwrap().settings()
}

#[test]
fn without_changes_they_are_the_presets() {
    for preset in Preset::ALL {
        for domain in [Domain::Text, Domain::Image] {
            assert_eq!(told(&[("preset", preset.name())], domain), preset.settings(domain), "{}", preset.name());
        }
    }
    assert_eq!(told(&[], Domain::Text), lipex().settings());
}

#[test]
fn a_value_reaches_the_explainer_and_the_order_of_pairs_does_not_matter() {
    let pairs = [
        ("preset", "lime"),
        ("samples", "77"),
        ("sampler", "bernoulli:0.3"),
        ("within-angle", "0.8"),
        ("proximity", "cosine-similarity"),
        ("select", "lasso:2"),
        ("surrogate", "softmax"),
        ("divergence", "kl"),
        ("lambda", "0.25"),
        ("lambda-scale", "raw"),
        ("normalise", "weight"),
        ("intercept", "none"),
        ("starts", "2"),
        ("tolerance", "0.001"),
        ("rank", "effect"),
    ];
    let forwards = told(&pairs, Domain::Text);
    for (name, value) in &pairs[1..] {
        assert!(forwards.contains(&Setting::new(*name, value)), "{name} is not in {forwards:?}");
    }
    let mut backwards = pairs;
    backwards.reverse();
    assert_eq!(told(&backwards, Domain::Text), forwards);
    // The last of two counts.
    assert_eq!(told(&[("samples", "5"), ("samples", "7")], Domain::Text), lipex().samples(7).settings());
    let grown = told(&[("adaptive", "true"), ("settled", "2:order"), ("max-samples", "300")], Domain::Text);
    assert!(grown.contains(&Setting::new("adaptive", "settled 2:order")), "{grown:?}");
    assert!(grown.contains(&Setting::new("max-samples", 300)));
}

#[test]
fn what_does_not_fit_together_is_an_error_that_names_the_settings() {
    for (pairs, name, word) in [
        (&[("preset", "lime"), ("lambda", "0.1")][..], "lambda", "a ridge has no such setting"),
        (&[("preset", "authors"), ("starts", "2")], "starts", "`surrogate`"),
        (&[("preset", "authors"), ("divergence", "kl")], "divergence", "hellinger-or-tv"),
        (&[("surrogate", "kernel-shap"), ("divergence", "kl")], "divergence", "kernel-shap has no such setting"),
        (&[("surrogate", "tree"), ("divergence", "kl")], "divergence", "choose squared or hellinger"),
        (&[("surrogate", "tree"), ("pairs", "3")], "pairs", "a tree has no such setting"),
        (&[("surrogate", "tree:2"), ("intercept", "fitted")], "intercept", "a tree has no such setting"),
        (&[("surrogate", "tree"), ("lambda", "auto")], "lambda", "a tree has no such setting"),
        (&[("surrogate", "tree"), ("alpha", "2")], "alpha", "set `surrogate` to ridge"),
        (&[("leaf", "asked")], "leaf", "set `surrogate` to tree"),
        (&[("preset", "lime"), ("intercept", "none")], "intercept", "anchored or fitted"),
        (&[("preset", "lime"), ("pairs", "3")], "pairs", "a ridge has no such setting"),
        (&[("preset", "paper"), ("pairs", "3")], "pairs", "`intercept`"),
        (&[("preset", "kernel-shap"), ("intercept", "fitted")], "intercept", "anchored by nature"),
        (&[("alpha", "2")], "alpha", "set `surrogate` to ridge"),
        (&[("divergence", "hellinger-or-tv")], "divergence", "choose hellinger"),
        (&[("sampler", "exhaustive"), ("samples", "9")], "sampler", "`samples`"),
        (&[("sampler", "antithetic"), ("within-angle", "1")], "within-angle", "bernoulli"),
        (&[("filtered", "true")], "filtered", "`within-angle`"),
        (&[("preset", "kernel-shap"), ("proximity", "exponential")], "proximity", "weighs masks itself"),
        (&[("adaptive", "true"), ("samples", "9")], "samples", "`adaptive`"),
        (&[("settled", "3")], "settled", "`adaptive`"),
        (&[("half-width", "1")], "half-width", "`adaptive`"),
        (&[("max-samples", "9")], "max-samples", "`adaptive`"),
        (&[("adaptive", "true"), ("settled", "3"), ("half-width", "1")], "settled", "`half-width`"),
    ] {
        let settings = Settings::from_pairs(pairs.iter().copied()).unwrap();
        let error = settings.explainer_on(Cpu::new(), Domain::Text).err().unwrap_or_else(|| panic!("{pairs:?}"));
        let message = error.to_string();
        assert!(matches!(error, Error::Setting { name: told, .. } if told == name), "{message}");
        assert!(message.contains(word) && !message.contains("--"), "{message}");
    }
}

#[test]
fn an_explainer_of_settings_can_be_changed_further() {
    let settings = Settings::new().with("divergence", "kl").unwrap();
    let explainer = settings.explainer_on(Cpu::new(), Domain::Text).unwrap().lambda(0.125);
    explainer.check().unwrap();
    for (name, value) in [("divergence", "kl"), ("lambda", "0.125")] {
        assert!(explainer.settings().contains(&Setting::new(name, value)), "{name}");
    }
}

#[test]
fn devices_are_chosen_by_name() {
    assert_eq!(Device::by_name("cuda:3").unwrap(), Device::Cuda(3));
    assert_eq!(Settings::new().with("backend", "auto").unwrap().device(), Device::Auto);
    assert_eq!(Settings::new().device(), Device::Cpu);
    for device in [Device::Cpu, Device::Auto] {
        let explainer = Settings::new().with("threads", "2").unwrap().explainer(device, Domain::Text).unwrap();
        match explainer {
            AnyExplainer::Cpu(explainer) => assert_eq!(explainer.settings(), lipex().settings()),
            _ => assert_eq!(device, Device::Auto, "a device was found"),
        }
    }
}

/// A table of docs/settings.md for such instances.
fn table(domain: Domain) -> String {
    let mut lines = vec![
        format!("| setting | {} |", Preset::ALL.map(Preset::name).join(" | ")),
        "|---|---|---|---|---|---|".to_string(),
    ];
    for setting in SettingInfo::ALL {
        let values = Preset::ALL.map(|preset| preset.value(setting.name(), domain));
        if values.iter().any(|value| !value.is_empty()) {
            let values = values.map(|value| if value.is_empty() { "–" } else { value });
            lines.push(format!("| `{}` | {} |", setting.name(), values.join(" | ")));
        }
    }
    lines.join("\n")
}

/// The list of docs/settings.md.
fn list() -> String {
    let heading = |topic: Topic| format!("{topic:?}");
    let mut lines = Vec::new();
    for topic in [Topic::Method, Topic::Text, Topic::Sampling, Topic::Uncertainty, Topic::Reading, Topic::Running] {
        lines.push(format!("### {}\n", heading(topic)));
        for setting in SettingInfo::ALL.iter().filter(|setting| setting.topic() == topic) {
            let value = if setting.is_flag() { "true or false" } else { setting.values() };
            let default = match setting.default(Domain::Text) {
                told if told.is_empty() => "false".into(),
                told => told,
            };
            lines.push(format!("* **`{}`** ({value}): {}. Default: {default}.", setting.name(), setting.about()));
        }
        lines.push(String::new());
    }
    lines.join("\n")
}

/// docs/settings.md is made of the tables; `LIPEX_WRITE_DOCS=1 cargo test -p lipex --test all settings` writes it anew.
#[test]
fn the_document_is_what_the_tables_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut made = text.clone();
    for (what, content) in
        [("texts", table(Domain::Text)), ("images", table(Domain::Image)), ("settings", list().trim().to_string())]
    {
        let (before, rest) = made.split_once(&format!("<!-- {what} -->\n")).unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        made = format!("{before}<!-- {what} -->\n{content}\n<!-- end -->{after}");
    }
    if std::env::var_os("LIPEX_WRITE_DOCS").is_some() {
        std::fs::write(&file, &made).unwrap();
        return;
    }
    assert!(made == text, "docs/settings.md is not what the tables say; LIPEX_WRITE_DOCS=1 writes it:\n\n{made}");
}
