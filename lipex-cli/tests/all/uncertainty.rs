//! The command's options that the data answer: λ, starts, error bars, how many masks.

use crate::common;

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

fn told(arguments: &[&str]) -> String {
    common::told(&[&["text"], arguments].concat())
}

fn refused(arguments: &[&str]) -> String {
    common::refused(&[&["text"], arguments].concat(), 2)
}

fn json(arguments: &[&str]) -> serde_json::Value {
    common::json(&[&["text", "--json", "-"], arguments].concat())
}

#[test]
fn lambda_is_chosen_and_told() {
    let made = json(&[TEXT, "--lambda", "auto"]);
    assert_eq!(made["settings"]["lambda"], "auto");
    let lambda = made["fit"]["lambda"].as_f64().unwrap();
    assert!([1e-2, 1e-3, 1e-4, 1e-5, 1e-6].contains(&lambda), "{lambda}");
    let fixed = json(&[TEXT, "--lambda", &lambda.to_string()]);
    assert_eq!((&made["matrix"], &made["calls"]), (&fixed["matrix"], &fixed["calls"]));
    let report = told(&[TEXT, "--lambda", "auto"]);
    assert!(report.contains(&format!("λ = {lambda}, chosen")) && report.contains("lambda = auto (paper: 0.001"));
    assert!(refused(&[TEXT, "--lambda", "much"]).contains("auto"));
}

#[test]
fn two_starts_are_told() {
    let report = told(&[TEXT, "--starts", "2"]);
    assert!(report.contains("from two starts"), "{report}");
    assert!(!told(&[TEXT]).contains("starts"));
    assert!(refused(&[TEXT, "--starts", "3"]).contains("1 or 2"));
    assert!(refused(&[TEXT, "--surrogate", "ridge", "--starts", "2"]).contains("ridge has no such setting"));
}

#[test]
fn error_bars_are_shown_and_saved() {
    let report = told(&[TEXT, "--uncertainty", "--contrast", "surprise:joy"]);
    for part in [
        "±0.",
        "How sure",
        "(sandwich; rows independent)",
        "In the top 5 of surprise",
        "masks in all",
        "op 5 of surprise, but for differences of 10%",
        "do not cover",
    ] {
        assert!(report.contains(part), "no {part}:\n{report}");
    }
    assert!(report.contains("(+0.0") || report.contains("(-0.0"), "nothing in parentheses:\n{report}");
    let joy = report.find("surprise over joy").unwrap();
    assert!(report[joy..].lines().next().unwrap().contains('±'));
    let plain = told(&[TEXT]);
    assert!(!plain.contains('±') && !plain.contains("How sure"));
    let (made, bare) = (json(&[TEXT, "--uncertainty", "--top", "2"]), json(&[TEXT]));
    assert_eq!((&made["matrix"], &made["calls"]), (&bare["matrix"], &bare["calls"]));
    assert!(bare["uncertainty"].is_null());
    let u = &made["uncertainty"];
    assert_eq!((u["method"].as_str(), u["rows"].as_str()), (Some("sandwich"), Some("independent")));
    assert_eq!((&u["in_top"]["k"], &u["in_top"]["refits"]), (&2.into(), &200.into()));
    // Four times the 1000 masks, less what is noise of the widest bar.
    let needed = u["needed"].as_u64().unwrap();
    assert!((3000..=4000).contains(&needed), "{needed}");
    let (quantile, few) = (u["quantile"].as_f64().unwrap(), &u["few_rows"]);
    assert!(quantile > 1.96 && quantile < 2.2 && u["band"].as_f64().unwrap() > quantile, "{quantile}");
    assert!(few["degrees"].as_f64().unwrap() > 10.0 && few["unevenness"].as_f64().unwrap() > 0.0, "{few}");
    let s = &u["settling"];
    let class = s["class"].as_u64().unwrap() as usize;
    assert_eq!((&s["k"], &s["indifference"]), (&2.into(), &0.1.into()), "{s}");
    assert_eq!(made["classes"][class], "surprise", "{s}");
    assert!(s["met"] == true && s["needed"].is_null() || s["needed"].as_u64().unwrap() > 1000, "{s}");
    let seed = told(&[TEXT, "--uncertainty", "--threads", "2", "--batch-size", "7"]);
    let one = told(&[TEXT, "--uncertainty"]);
    let untimed = |report: &str| report[..report.find("\nMilliseconds").unwrap()].to_string();
    assert_eq!(untimed(&seed), untimed(&one));
}

#[test]
fn what_has_no_sandwich_is_told() {
    assert!(told(&["a good film", "--uncertainty", "--sampler", "exhaustive"]).contains("Exact: every mask was asked"));
    // Kernel SHAP's coalitions are all masks there are if there is room for them.
    let shap = ["--uncertainty", "--preset", "kernel-shap", "--samples"];
    assert!(told(&[&["a good film"], &shap[..], &["8"]].concat()).contains("Exact: every mask was asked"));
    assert!(!told(&[&["a good film"], &shap[..], &["7"]].concat()).contains("Exact"));
    let lime = told(&[TEXT, "--uncertainty", "--preset", "lime", "--samples", "300"]);
    assert!(lime.contains("(bootstrap; rows independent)"), "{lime}");
    assert!(told(&[TEXT, "--uncertainty", "--sampler", "antithetic"]).contains("pairs of rows together"));
}

#[test]
fn a_run_grows_until_it_is_settled() {
    let grown = json(&[TEXT, "--adaptive"]);
    let looks = grown["growth"]["looks"].as_array().unwrap();
    let last = looks.last().unwrap();
    assert_eq!((&looks[0]["masks"], &last["masks"]), (&100.into(), &grown["calls"]["masks"]));
    assert_eq!((&grown["growth"]["rule"], &grown["growth"]["met"]), (&"settled 3:0.1".into(), &true.into()));
    assert_eq!(last["inputs"], grown["calls"]["inputs"]);
    // As a plain run of as many masks.
    let plain = json(&[TEXT, "--samples", &last["masks"].to_string()]);
    for key in ["matrix", "intercept", "kept", "fidelity", "fit", "calls", "probabilities"] {
        assert_eq!(grown[key], plain[key], "{key}");
    }
    let report = told(&[TEXT, "--adaptive", "--settled", "1:0.2"]);
    assert!(report.contains("Stopped (settled 1:0.2): the top 1 of surprise"), "{report}");
    let bars = told(&[TEXT, "--adaptive", "--half-width", "0.2", "--uncertainty"]);
    assert!(bars.contains("Stopped (half-width 0.2)") && bars.contains("How sure"), "{bars}");
    let limit = told(&[TEXT, "--adaptive", "--settled", "4:order", "--max-samples", "120"]);
    assert!(limit.contains("Not settled (settled 4:order): the limit of 120 masks"), "{limit}");
}

#[test]
fn a_run_that_cannot_grow_is_refused() {
    for sampler in ["exhaustive", "lime"] {
        let message = refused(&["a b c", "--adaptive", "--sampler", sampler]);
        assert!(message.contains("cannot be extended") && message.contains(sampler), "{message}");
    }
    for (arguments, word) in [
        (vec!["--adaptive", "--samples", "300"], "--samples"),
        (vec!["--settled", "3"], "--adaptive"),
        (vec!["--adaptive", "--settled", "3", "--half-width", "0.1"], "--half-width"),
        (vec!["--adaptive", "--settled", "0"], "at least 1"),
        (vec!["--adaptive", "--settled", "3:2"], "indifference"),
        (vec!["--adaptive", "--settled", "x"], "number of words"),
        (vec!["--adaptive", "--half-width", "-1"], "above 0"),
        (vec!["--adaptive", "--max-samples", "1"], "from 2"),
    ] {
        let message = refused(&[&["a b c"], arguments.as_slice()].concat());
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}
