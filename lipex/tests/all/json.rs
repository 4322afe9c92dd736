//! Explanations as JSON: nothing is lost, and what is no explanation is refused in one line.

use lipex::{
    Agreement, Answer, Answers, Base, Calls, Departure, Dependence, Error, Explanation, Feature, FewRows, Fidelity,
    FitReport, Flip, Growth, InTop, Information, Linear, Link, Look, Method, Observed, Rank, Recorded, Region, Removal,
    SCHEMA, Setting, Settling, Span, Start, Term, Timings, Uncertainty, from_json, to_json,
};
use proptest::collection::vec;
use proptest::prelude::*;
use std::process::Command;
use std::sync::Arc;

fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![-1.0..1.0f64, POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO]
}

fn agreement() -> impl Strategy<Value = Agreement> {
    vec(number(), 5).prop_map(|v| Agreement { tv: v[0], hellinger: v[1], kl: v[2], arg_max: v[3], off_simplex: v[4] })
}

fn feature() -> impl Strategy<Value = Feature> {
    let span = any::<[u32; 4]>().prop_map(|s| s.map(|x| x as usize));
    let region = any::<[u32; 5]>().prop_map(|r| {
        let [pixels, bounds @ ..] = r.map(|x| x as usize);
        Region { pixels, bounds }
    });
    ("\\PC*", vec(span, 0..3), proptest::option::of(region)).prop_map(|(name, spans, region)| Feature {
        name,
        region,
        spans: spans.into_iter().map(|s| Span { bytes: [s[0], s[1]], chars: [s[2], s[3]] }).collect(),
    })
}

fn settings() -> impl Strategy<Value = Vec<Setting>> {
    vec(any::<String>(), 0..4).prop_map(|values| {
        let named = |(i, value): (usize, &String)| Setting::new(format!("setting {i}"), value);
        let mut settings: Vec<Setting> = values.iter().enumerate().map(named).collect();
        // A name that occurs twice.
        settings.extend(settings.last().cloned());
        settings
    })
}

prop_compose! {
    fn fidelity(classes: usize)(
        held_out in proptest::option::of(agreement()),
        near in proptest::option::of(agreement()),
        at_instance in agreement(),
        in_sample in agreement(),
        r2 in vec(number(), classes),
    ) -> Fidelity {
        Fidelity { out_of_fold: held_out, near, at_instance, in_sample, r2 }
    }
}

prop_compose! {
    fn report()(numbers in vec(number(), 3), counts in any::<[u16; 3]>(), ok in any::<bool>(), words in "\\PC*") -> FitReport {
        FitReport {
            objective: numbers[0],
            gradient_norm: numbers[1],
            lambda: numbers[2],
            iterations: counts[0].into(),
            evaluations: counts[1].into(),
            hessian_products: counts[2].into(),
            converged: ok,
            stopped: words,
            start: [Start::Own, Start::Kl, Start::Given][usize::from(counts[0] % 3)],
            intercept: ok.then(|| lipex::Compared { anchored: numbers[0], fitted: numbers[1] }),
        }
    }
}

prop_compose! {
    fn texts()(strings in vec(any::<String>(), 3), settings in settings(), departures in vec(any::<[u8; 4]>(), 0..3))
        -> (Vec<String>, Vec<Setting>, Vec<Departure>) {
        let departure = |d: [u8; 4]| {
            let [name, value, preset, paper] = d.map(|b| b.to_string());
            Departure { name, value, preset, paper }
        };
        (strings, settings, departures.into_iter().map(departure).collect())
    }
}

/// Standard errors of the right sizes, from one number.
fn errors(c: usize, d: usize, f: usize, x: f64) -> Uncertainty {
    Uncertainty {
        rows: [Dependence::Independent, Dependence::Pairs, Dependence::Exhaustive, Dependence::Unknown][d % 4],
        method: [Method::Sandwich, Method::SandwichGaussNewton, Method::Bootstrap, Method::Exact][c % 4],
        level: x,
        std_error: vec![vec![x; f]; c],
        contrasted: Vec::new(),
        covariance: vec![vec![vec![x; c]; c]; f],
        quantile: x,
        band: x,
        few_rows: (d > 2).then_some(FewRows { degrees: x, unevenness: x }),
        terms: None,
        in_top: (d > 2).then(|| InTop { k: 3, refits: d, share: vec![vec![x; d]; c] }),
        shrinkage: (d > 3).then_some(x),
        relaxed: (d > 3).then(|| vec![vec![x; f]; c]),
        needed: (d > 2).then_some(d),
        settling: (d > 2).then(|| Settling {
            class: c - 1,
            k: d,
            indifference: x,
            met: d > 3,
            needed: (d > 4).then_some(d),
            interchangeable: vec![vec![0, d - 1], vec![]],
        }),
        not_covered: vec!["what λ shrinks".into()],
    }
}

fn growth(d: usize, x: f64) -> Growth {
    Growth {
        rule: "settled 3:0.1".into(),
        class: d % 2,
        looks: vec![Look { masks: 100, inputs: d, half_width: x, met: d > 2 }],
        met: d > 2,
        needed: (d < 3).then_some(d),
        stopped: "the top 3 are settled".into(),
        interchangeable: vec![vec![0, d - 1], vec![]],
    }
}

fn flip(c: usize, d: usize, x: f64) -> Flip {
    let remove = [Some(vec![]), None, Some(vec![d - 1, 0])][d % 3].clone();
    Flip { class: c - 1, remove, surrogate: vec![x; c], model: vec![-x; c], checked: d > 2 }
}

/// An answer of F kept features and C classes: of a kind, with pairs or without, or none.
fn answer(kept: Vec<usize>, matrix: &[Vec<f64>], base: &[f64], kind: usize, link: Link) -> Option<Answer> {
    // Their sums are written too and must be finite.
    let small = |x: &f64| x / 64.0;
    let mut matrix: Vec<Vec<f64>> = matrix.iter().map(|row| row[..kept.len()].iter().map(small).collect()).collect();
    let base: Vec<f64> = base.iter().map(small).collect();
    let (classes, all): (usize, Vec<usize>) = (matrix.len(), (0..kept.len()).collect());
    let mut terms: Vec<Term> = kept.iter().map(|&j| Term::one(j)).collect();
    let base = match kind {
        0 => return None,
        1 => {
            let masks = vec![all.iter().map(|_| true).collect(), all.iter().map(|j| j % 2 == 0).collect()];
            return Some(Arc::new(Recorded::new(kept, link, matrix, masks, vec![base; 2]).unwrap()).into());
        }
        2 => Base::None,
        3 | 4 => Base::Intercept(base),
        _ => Base::Anchored(base),
    };
    if kind >= 4 && kept.len() >= 3 {
        terms.insert(1, Term::pair(kept[0], kept[1]).unwrap());
        terms.push(Term::pair(kept[2], kept[0]).unwrap());
        for row in &mut matrix {
            row.insert(1, -0.5 * row[0]);
            row.push(0.1 * row[1]);
        }
    }
    Some(Linear::new(kept, terms, matrix, base, vec![all; classes], link).unwrap().into())
}

prop_compose! {
    fn explanation()(c in 2usize..5, d in 1usize..6)(
        classes in vec(any::<String>(), c),
        features in vec(feature(), d),
        keep in vec(any::<bool>(), d),
        matrix in vec(vec(number(), d), c),
        answers in (vec(number(), c), vec(number(), c), vec(number(), c)),
        never in vec(any::<bool>(), c),
        (identity, rank, seed, kind) in (any::<bool>(), 0usize..4, any::<u64>(), 0usize..7),
        fidelity in fidelity(c),
        fit in report(),
        (strings, settings, departures) in texts(),
        calls in any::<[u16; 2]>(),
        times in vec(number(), 8),
        [has_errors, has_growth, has_flip, has_text, has_fit] in any::<[bool; 5]>(),
    ) -> Explanation {
        // Spans are places in the text; these are drawn at random.
        let mut features = features;
        if has_text {
            features.iter_mut().for_each(|f| f.spans.clear());
        }
        let kept: Vec<usize> = (0..keep.len()).filter(|&j| keep[j]).collect();
        let link = if identity { Link::Identity } else { Link::Softmax };
        let answer = answer(kept.clone(), &matrix, &answers.0, kind, link);
        let kept = if answer.is_some() { kept } else { Vec::new() };
        Explanation {
            version: strings[0].clone(),
            backend: strings[1].clone(),
            preset: strings[2].clone(),
            departures,
            settings,
            seed,
            text: has_text.then(|| strings[0].clone()),
            answer,
            probabilities: Answers { model: answers.1, surrogate: answers.2 },
            never,
            fidelity: has_fit.then_some(fidelity),
            fit: has_fit.then_some(fit),
            uncertainty: has_errors.then(|| errors(classes.len(), features.len(), kept.len(), times[0])),
            growth: has_growth.then(|| growth(features.len(), times[1])),
            flip: has_flip.then(|| flip(classes.len(), features.len(), times[2])),
            removal: has_fit.then(|| Removal { class: 0, features: vec![0], surrogate: vec![times[3]] }),
            ranking: has_flip.then(|| vec![vec![times[1]; kept.len()]; classes.len()]),
            rank: [Rank::Supporting, Rank::Opposing, Rank::Absolute, Rank::Effect][rank],
            calls: Calls { masks: calls[0].into(), inputs: calls[1].into(), complete: calls[0] == calls[1], requeried: 0 },
            observed: Observed { asked_twice: has_text.then_some(times[0]), moved: has_flip.then_some(times[1]), sums_off: times[2], information: has_text.then_some(Information { effective_masks: times[0], unknowns: 3, rank: 2, left: has_flip.then_some(times[3]) }) },
            timings_ms: Timings {
                perturb: times[0],
                render: times[1],
                predict: times[2],
                weigh: times[3],
                select: times[4],
                fit: times[5],
                evaluate: times[6],
                uncertainty: times[7],
            },
            classes,
            features,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn nothing_is_lost(explanation in explanation()) {
        let json = to_json(&explanation);
        let back = from_json(&json).unwrap();
        prop_assert_eq!(&back, &explanation);
        // Equal numbers may differ in their sign of zero; equal text may not.
        prop_assert_eq!(to_json(&back), json);
    }

    #[test]
    fn any_text_is_an_explanation_or_an_error_of_one_line(json in any::<String>()) {
        if let Err(error) = from_json(&json) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }
}

#[test]
fn the_schema_before_is_read() {
    let first = include_str!("../golden/explanation-1.json");
    assert!(first.contains("\"lipex.explanation/1\"") && !first.contains("coefficients"));
    let (old, mut new) = (from_json(first).unwrap(), from_json(&example()).unwrap());
    let (removal, made) = (new.removal.take().unwrap(), new.what_to_remove(1).unwrap());
    assert_eq!((&removal.features, removal.features.len()), (&made.features, 1));
    assert!((removal.surrogate[0] - made.surrogate[0]).abs() < 1e-15);
    // What it did not have yet.
    assert!(new.observed.information.is_some() && old.observed.information.is_none());
    new.observed = old.observed;
    (new.settings, new.departures) = (old.settings.clone(), old.departures.clone());
    assert_eq!(old, new);
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15);
    assert!(near(&old.without(&[]).unwrap(), &old.probabilities.surrogate));
    let linear = old.answer.as_ref().unwrap().linear().unwrap();
    assert!(near(&linear.intercept(), &[0.1656536745269859, -0.1656536745269859]));
    assert_eq!(linear.base().kind(), "fitted");
    let none = first.replace("\"intercept\": \"fitted\"", "\"intercept\": \"none\"");
    let none = none.replace("[0.1656536745269859, -0.1656536745269859]", "[0.0, 0.0]");
    let answer = from_json(&none).unwrap().answer.unwrap();
    assert_eq!((answer.linear().unwrap().base(), answer.linear().unwrap().intercept()), (&Base::None, vec![0.0; 2]));
}

#[test]
fn the_matrix_of_a_file_is_that_of_its_terms() {
    let other = example().replacen("-1.2673432622321057", "-1.2", 1);
    assert!(refused(&other).contains("shares of its terms"), "{}", refused(&other));
    for key in ["terms", "coefficients", "base", "kept", "support", "link", "intercept"] {
        let without = example().replace(&format!("\"{key}\": "), &format!("\"{key}s\": "));
        assert!(refused(&without).contains(&format!("missing field `{key}`")), "{key}: {}", refused(&without));
    }
    assert!(refused(&example().replace("\"terms\": [[0],", "\"terms\": [[0, 0],")).contains("differ"));
    assert!(refused(&example().replace("\"terms\": [[0],", "\"terms\": [[7],")).contains("kept"));
    assert!(refused(&example().replace("\"kind\": \"fitted\"", "\"kind\": \"fit\\nted\"")).contains("anchored"));
}

/// Python with NumPy: `LIPEX_PYTHON`, which must have it, or `python3` if it has.
fn python() -> Option<String> {
    let (python, asked) = match std::env::var("LIPEX_PYTHON") {
        Ok(python) => (python, true),
        Err(_) => ("python3".to_string(), false),
    };
    let has = Command::new(&python).args(["-c", "import numpy"]).output().is_ok_and(|out| out.status.success());
    assert!(has || !asked, "LIPEX_PYTHON={python} does not have NumPy");
    has.then_some(python)
}

#[test]
fn the_document_predicts_with_numpy_what_the_surrogate_answers() {
    let Some(python) = python() else {
        println!("skipped: python3 has no NumPy");
        return;
    };
    let document = include_str!("../../../docs/json.md");
    let code = document.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let place = tempfile::tempdir().unwrap();
    let gone = "z[[1]] = 0";
    assert!(code.contains(gone) && code.contains("explanation.json"));
    let mut explanation = from_json(&example()).unwrap();
    let linear = explanation.answer.as_ref().unwrap().linear().unwrap().clone();
    for (pairs, link) in [(false, Link::Softmax), (true, Link::Softmax), (true, Link::Identity)] {
        let mut terms = linear.terms().to_vec();
        let mut coefficients = linear.coefficients().to_vec();
        if pairs {
            terms.push(Term::pair(0, 1).unwrap());
            terms.push(Term::pair(2, 1).unwrap());
            coefficients.iter_mut().zip([-0.7, 0.7]).for_each(|(row, v)| row.extend([v, 0.4 * v]));
        }
        let support = linear.support().to_vec();
        let answer = Linear::new(vec![0, 1, 2], terms, coefficients, linear.base().clone(), support, link).unwrap();
        explanation.answer = Some(answer.into());
        std::fs::write(place.path().join("explanation.json"), to_json(&explanation)).unwrap();
        for removed in [vec![], vec![1], vec![0, 1], vec![2, 1], vec![0, 1, 2]] {
            let code = format!("{}print(json.dumps(list(q)))", code.replace(gone, &format!("z[{removed:?}] = 0")));
            let code = code.replace("z[[]] = 0", "");
            let out = Command::new(&python).arg("-c").arg(code).current_dir(place.path()).output().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let q: Vec<f64> = serde_json::from_slice(&out.stdout).unwrap();
            let ours = explanation.without(&removed).unwrap();
            assert!(
                q.len() == 2 && q.iter().zip(&ours).all(|(a, b)| (a - b).abs() < 1e-12),
                "{removed:?}: {q:?} {ours:?}"
            );
        }
    }
}

/// A small explanation's JSON.
fn example() -> String {
    include_str!("../../../docs/explanation.json").to_string()
}

#[test]
fn the_documented_example_is_read_and_written_alike() {
    assert_eq!(to_json(&from_json(&example()).unwrap()), example());
}

#[test]
fn keys_stand_in_the_documented_order_and_in_the_document() {
    let document = include_str!("../../../docs/json.md");
    let json = example();
    let keys: Vec<&str> =
        json.lines().filter_map(|l| l.strip_prefix("  \"")).filter_map(|l| l.split('"').next()).collect();
    let expected = "schema version preset departures settings seed backend text classes features kept matrix intercept \
                    support link terms coefficients base tree own probabilities never verdict fidelity fit uncertainty growth flip \
                    removal ranking rank calls observed timings_ms";
    assert_eq!(keys.join(" "), expected);
    for key in keys {
        assert!(document.contains(&format!("\n| `{key}` |")), "docs/json.md does not have {key}");
    }
}

fn refused(json: &str) -> String {
    let text = from_json(json).unwrap_err().to_string();
    assert!(!text.contains(char::is_control), "{text}");
    text
}

#[test]
fn another_schema_is_refused_by_name() {
    let text = refused(&example().replace(SCHEMA, "lipex.explanation/3"));
    assert!(text.contains("lipex.explanation/3") && text.contains(SCHEMA), "{text}");
    assert!(refused("{\"labels\": []}").contains("no explanation"));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    assert!(refused("W = 3").contains("expected value"));
    assert!(refused("").contains("EOF"));
    assert!(refused(&example().replace("\"matrix\"", "\"matrice\"")).contains("missing field `matrix`"));
    assert!(refused(&example().replace("\"link\": \"softmax\"", "\"link\": \"soft\\nmax\"")).contains("`soft max`"));
    assert!(refused(&example().replace("\"seed\": 0", "\"seed\": -1")).contains("-1"));
    let more_classes = example().replace("\"classes\": [", "\"classes\": [\"more\", ");
    assert!(matches!(from_json(&more_classes), Err(Error::Shape { .. })));
    for (good, bad) in
        [("\"remove\": [1]", "\"remove\": [3]"), ("\"class\": 0", "\"class\": 2"), ("[0.6, 0.4]", "[0.6]")]
    {
        assert!(matches!(from_json(&example().replace(good, bad)), Err(Error::Shape { .. })), "{bad}");
    }
    for bad in ["A wonderful film, wonderfué", "A wonderful"] {
        let text = refused(&example().replace("A wonderful film, wonderful!", bad));
        assert!(text.contains("spans"), "{text}");
    }
    assert!(from_json(&example().replace("\"A wonderful film, wonderful!\"", "null")).is_ok());
    assert!(from_json(&example().replace("\"seed\"", "\"later\": [1], \"seed\"")).is_ok());
}
