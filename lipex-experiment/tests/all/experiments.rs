//! Experiments on models whose answers are known.

use lipex::{Domain, Removed, TextFn, TextInstance, Texts};
use lipex_experiment::measure::{Judges, Removals};
use lipex_experiment::{
    AsReleased, Experiment, Fitted, LeaveOneOut, Line, Method, Occasion, Random, Shared, Summary, method_by_name,
};

/// Log-odds of three classes: "fine" is for the second, "grim" for the third, "not" against both.
fn model() -> TextFn<'static> {
    TextFn::new(["flat", "good", "bad"], |texts: &[&str]| {
        let has = |t: &str, w: &str| f64::from(t.split(' ').any(|x| x == w));
        let row = |t: &&str| {
            let good = 2.0 * has(t, "fine") + has(t, "day") - 1.5 * has(t, "not");
            let bad = 2.5 * has(t, "grim") - 0.5 * has(t, "not");
            let e = [1.0, good.exp(), bad.exp()];
            e.map(|v| v / e.iter().sum::<f64>())
        };
        texts.iter().map(row).collect::<Vec<_>>()
    })
}

fn methods(names: &[&str]) -> Vec<Box<dyn Method<Texts>>> {
    names.iter().map(|name| method_by_name(name, Domain::Text).unwrap()).collect()
}

fn of(lines: &[Line], method: &str, measure: &str) -> f64 {
    lines.iter().find(|line| line.method == method).unwrap().measures[measure]
}

#[test]
fn a_softmax_of_words_is_told_exactly() {
    let (text, model) = (TextInstance::new("a fine day but not so grim").unwrap(), model());
    let at = Occasion::new(&text, &model).unwrap();
    let names = ["lipex:lambda=1e-9,intercept=anchored,pairs=none,select=all", "lime"];
    let lines = Experiment::Fidelity.run(&at, &methods(&names), 0).unwrap();
    for measure in ["at_instance", "unseen", "near", "uniform", "out_of_fold"] {
        assert!(of(&lines, names[0], measure) < 1e-4, "{measure}: {lines:?}");
        assert!(of(&lines, "lime", measure) > 1e-3, "{measure}: {lines:?}");
    }
    assert_eq!(of(&lines, names[0], "off_simplex"), 0.0);
    let lines = Experiment::Reprediction.run(&at, &methods(&names), 0).unwrap();
    for k in 1..=5 {
        assert_eq!(of(&lines, names[0], &format!("same_{k}")), 1.0);
        assert!(of(&lines, names[0], &format!("tv_{k}")) < 1e-4);
    }
}

#[test]
fn removals_are_those_worked_by_hand() {
    let (text, model) = (TextInstance::new("fine day grim").unwrap(), model());
    let at = Occasion::new(&text, &model).unwrap();
    // e^3, e^2.5 and 1 over their sum.
    let p = |good: f64, bad: f64| {
        let e = [1.0, good.exp(), bad.exp()];
        e.map(|v| v / e.iter().sum::<f64>())
    };
    let whole = p(3.0, 2.5);
    assert_eq!((at.predicted(), at.second()), (1, 2));
    let lines = Experiment::Ablation.run(&at, &[Box::new(LeaveOneOut) as Box<dyn Method<Texts>>], 0).unwrap();
    // Ranked fine (2), day (1), grim. Without fine e^1 against e^2.5: another class.
    let without = [p(1.0, 2.5), p(0.0, 2.5), p(0.0, 0.0), p(0.0, 0.0), p(0.0, 0.0)];
    let alone = [p(2.0, 0.0), p(3.0, 0.0), whole, whole, whole];
    let mean = |rows: &[[f64; 3]; 5]| rows.iter().map(|q| whole[1] - q[1]).sum::<f64>() / 5.0;
    let tv = |rows: &[[f64; 3]; 5]| {
        rows.iter().map(|q| 0.5 * q.iter().zip(whole).map(|(q, p)| (q - p).abs()).sum::<f64>()).sum::<f64>() / 5.0
    };
    for (measure, expected) in [
        ("comprehensiveness", mean(&without)),
        ("comprehensiveness_tv", tv(&without)),
        ("sufficiency", mean(&alone)),
        ("sufficiency_tv", tv(&alone)),
        ("flips_1", 1.0),
        ("flips_2", 1.0),
        // All alike: ties go to the first class.
        ("flips_3", 1.0),
    ] {
        let found = of(&lines, "leave-one-out", measure);
        assert!((found - expected).abs() < 1e-6, "{measure}: {found}, by hand {expected}");
    }
}

#[test]
fn classes_are_told_apart_by_their_words() {
    let (text, model) = (TextInstance::new("fine day grim").unwrap(), model());
    let at = Occasion::new(&text, &model).unwrap();
    let lines = Experiment::Classes.run(&at, &methods(&["lipex:pairs=none", "random"]), 0).unwrap();
    assert_eq!(of(&lines, "lipex:pairs=none", "overlap"), 0.0);
    assert_eq!(of(&lines, "random", "overlap"), 1.0); // three words of three
}

#[test]
fn a_judge_damages_in_its_own_way() {
    let model = TextFn::new(["no", "yes"], |texts: &[&str]| {
        texts.iter().map(|t| if t.contains("UNKWORDZ") { [0.9, 0.1] } else { [0.2, 0.8] }).collect()
    });
    let text = TextInstance::new("he and the other one").unwrap();
    let unknown =
        TextInstance::builder("he and the other one").removed(Removed::by_name("mask:UNKWORDZ").unwrap()).build();
    let unknown = unknown.unwrap();
    let plain: Occasion<'_, Texts> = Occasion::new(&text, &model).unwrap();
    assert!(!Removals::new(&plain, &[0, 1], 2).unwrap().flips(2));
    let judged = Occasion::new(&text, &model).unwrap().judged_by(&unknown);
    assert!(Removals::new(&judged, &[0, 1], 2).unwrap().flips(1));
    let released = AsReleased::new(&text);
    let judged = Occasion::new(&text, &model).unwrap().judged_by(&released);
    assert!(!Removals::new(&judged, &[0, 1], 2).unwrap().flips(1));
}

#[test]
fn a_confident_wrong_set_is_broken_by_the_limit() {
    /// Claims the first three words, whatever they are; its limit is that of LIPEX.
    struct First(Fitted);
    impl Method<Texts> for First {
        fn name(&self) -> &str {
            "first"
        }
        fn explain(&self, at: &Occasion<'_, Texts>, _: u64) -> lipex::Result<lipex_experiment::Outcome> {
            let features = at.instance().features().to_vec();
            let row: Vec<f64> = (0..features.len()).map(|j| (features.len() - j) as f64).collect();
            let scores = vec![row; at.whole().len()];
            let outside = vec![0.0; scores.len()];
            let found = lipex::Attributions { features, scores, outside, ..lipex::Attributions::default() };
            Ok(lipex_experiment::Outcome::of(found, 0))
        }
        fn fitted(&self) -> Option<&Fitted> {
            Some(&self.0)
        }
    }
    let (text, model) = (TextInstance::new("so it was a fine day and not grim at all today").unwrap(), model());
    let shared = Shared::new(&model);
    let at = Occasion::new(&text, &shared).unwrap();
    let first = First(Fitted::by_name("lipex", Domain::Text).unwrap());
    let methods: Vec<Box<dyn Method<Texts>>> =
        vec![Box::new(first), method_by_name("lipex:adaptive=true", Domain::Text).unwrap(), Box::new(Random)];
    let lines = Experiment::Time.run(&at, &methods, 0).unwrap();
    assert_eq!(of(&lines, "first", "broken"), 1.0);
    // Two words support the class: no set of three is claimed, or what is claimed holds.
    assert!(lines[1].measures.get("broken").is_none_or(|broken| *broken == 0.0), "{lines:?}");
    assert!(!lines[2].measures.contains_key("broken"));
    assert!(shared.asked() <= 4096);
}

#[test]
fn what_judges_has_been_seen_by_no_fit() {
    let (text, model) =
        (TextInstance::new("one fine day we saw a grim but not so grim a town or two").unwrap(), model());
    let at = Occasion::new(&text, &model).unwrap();
    let unseen = Judges::unseen(&at, 300, 1).unwrap();
    assert_eq!(unseen.len(), 300);
    let near = unseen.near(&at, 300, 1).unwrap();
    assert!((10..300).contains(&near.len()));
    // A fit that learnt its masks by heart would differ; the surrogate's own out-of-fold figure is near this one.
    let (e, _) = Fitted::by_name("lipex:pairs=none", Domain::Text).unwrap().around(&at, 0).unwrap();
    let said = e.fidelity.as_ref().unwrap().out_of_fold.as_ref().unwrap().tv;
    let found = unseen.variation(&e).unwrap().unwrap();
    assert!((said - found).abs() < 0.3 * said.max(0.003), "{said} {found}");
}

#[test]
fn rounds_of_an_input_count_once() {
    let line = |row, round, method: &str, value| {
        let measures = [("unseen".to_string(), value)].into();
        Line { row, round, method: method.into(), measures }
    };
    // Input 0 has three rounds, input 1 one: the mean is that of inputs.
    let lines = [
        line(0, 0, "a", 1.0),
        line(0, 1, "a", 1.0),
        line(0, 2, "a", 1.0),
        line(1, 0, "a", 3.0),
        line(0, 0, "b", 0.0),
        line(1, 0, "b", 1.0),
        line(2, 0, "b", 9.0),
    ];
    let summary = Summary::of(Experiment::Fidelity, &lines);
    assert_eq!((summary.mean("a", "unseen"), summary.inputs, summary.rounds), (Some(2.0), 3, 3));
    // Paired: −1 and −2; the input that only b has takes no part.
    let difference = &summary.differences[0];
    assert_eq!((difference.mean, difference.inputs, difference.smaller), (-1.5, 2, 1.0));
    let back: Summary = serde_json::from_str(&serde_json::to_string(&summary).unwrap()).unwrap();
    assert_eq!(back, summary);
    let json = serde_json::to_string(&lines[0]).unwrap();
    assert_eq!(json, r#"{"row":0,"round":0,"method":"a","unseen":1.0}"#);
    assert_eq!(serde_json::from_str::<Line>(&json).unwrap(), lines[0]);
}

#[test]
fn names_of_methods_are_checked() {
    for (name, told) in [
        ("limes", "did you mean `lime`?"),
        ("lipex:divergance=kl", "did you mean `divergence`?"),
        ("lipex:kl", "NAME=VALUE"),
        ("lime:lambda=0.1", "lambda"),
    ] {
        let error = method_by_name::<Texts>(name, Domain::Text).err().unwrap().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
    let pairs = Fitted::by_name("lipex:pairs=given:0+1,1+2,select=all", Domain::Text).unwrap();
    assert_eq!(pairs.settings().get("pairs"), Some("given:0+1,1+2"));
    let refused = Experiment::Fidelity.check::<Texts>(&LeaveOneOut).unwrap_err().to_string();
    assert!(refused.contains("has no surrogate"), "{refused}");
}
