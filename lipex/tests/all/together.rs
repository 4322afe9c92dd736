//! Readings of features that act together, worked by hand.

use lipex::prelude::*;
use lipex::{
    Answer, Base, ErrorBars, Linear, Link, PageOptions, Pairs, Removal, Term, from_json, to_csv, to_html, to_json,
    to_svg,
};

/// "not so happy now" with a surrogate made by hand, classes joy and gloom: removing "not" alone or "happy" alone moves joy
/// little, both together much; "so" needs "now".
fn explained() -> Explanation {
    let model = TextFn::new(["joy", "gloom"], |texts: &[&str]| {
        texts.iter().map(|t| if t.contains("happy") { [0.8, 0.2] } else { [0.4, 0.6] }).collect()
    });
    let text = TextInstance::new("not so happy now").unwrap();
    let mut e = lipex().selector(All).explain(&text, &model).unwrap();
    let place = |name: &str| e.features.iter().position(|f| f.name == name).unwrap();
    let (not, so, happy, now) = (place("not"), place("so"), place("happy"), place("now"));
    let terms = vec![Term::pair(not, happy).unwrap(), Term::pair(so, now).unwrap()];
    let terms = [not, so, happy, now].map(Term::one).into_iter().chain(terms).collect();
    let joy = vec![0.25, 0.5, 0.25, 0.375, -1.25, 0.25];
    let gloom = joy.iter().map(|v| -v).collect();
    let base = Base::Anchored(vec![0.75, -0.75]);
    let linear = Linear::new(vec![0, 1, 2, 3], terms, vec![joy, gloom], base, vec![vec![0, 1, 2, 3]; 2], Link::Softmax);
    e.answer = Some(Answer::Linear(linear.unwrap()));
    let mut removal = e.what_to_remove(0).unwrap();
    removal.features.truncate(10);
    e.removal = Some(removal);
    e
}

/// joy, when its logit is s and that of gloom −s.
fn joy(s: f64) -> f64 {
    1.0 / (1.0 + (-2.0 * s).exp())
}

fn named(e: &Explanation, features: &[usize]) -> Vec<String> {
    features.iter().map(|&j| e.features[j].name.clone()).collect()
}

#[test]
fn what_to_remove_is_chosen_given_what_is_gone() {
    let e = explained();
    let removal = e.what_to_remove(0).unwrap();
    // so takes .5; then now .375 − .25, not and happy .25 each: not, the first; then happy .25 + 1.25; then now.
    assert_eq!(named(&e, &removal.features), ["so", "not", "happy", "now"]);
    let expected = [0.25, 0.0, -1.5, -1.625].map(joy);
    assert!(removal.surrogate.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{removal:?}");
    // Shares put not and happy first: .25 + .625 against .375 for so.
    assert_eq!(named(&e, &[e.top_k(0, 1, Rank::Supporting)[0].feature]), ["not"]);
    // Nothing lowers gloom but what joy has lost already.
    assert_eq!(e.what_to_remove(1).unwrap(), Removal { class: 1, features: vec![], surrogate: vec![] });
    assert!(e.what_to_remove(2).is_err());
}

#[test]
fn chosen_pairs_leave_the_ranking_to_the_fit_without_them() {
    // "good" and "fine" say the same, "not" turns both round.
    let model = TextFn::new(["good", "bad"], |texts: &[&str]| {
        let score = |t: &&str| {
            let has = |word: &str| t.split(' ').any(|w| w == word);
            let kind = if has("good") || has("fine") { 2.0 } else { -1.0 };
            let logit = if has("not") { -kind } else { kind } + if has("day") { 0.4 } else { 0.0 };
            let p = 1.0 / (1.0 + f64::exp(-logit));
            [p, 1.0 - p]
        };
        texts.iter().map(score).collect()
    });
    let text = TextInstance::new("not a good and fine day in the old town of ours").unwrap();
    let of = |pairs| {
        lipex().intercept(Intercept::Anchored).pairs(pairs).error_bars(ErrorBars::default().refits(20).unwrap())
    };
    let (with, without) =
        (of(Pairs::Auto).explain(&text, &model).unwrap(), of(Pairs::None).explain(&text, &model).unwrap());
    assert!(!with.pairs().is_empty() && without.ranking.is_none());
    assert_eq!(with.ranking.as_deref(), Some(without.shares().matrix()));
    for rank in [Rank::Supporting, Rank::Opposing, Rank::Absolute] {
        let order = |e: &Explanation| e.top_k(1, 5, rank).iter().map(|w| w.feature).collect::<Vec<_>>();
        assert_eq!(order(&with), order(&without), "{rank:?}");
        // The numbers are those of the surrogate that answers.
        let shares = with.shares();
        let row = shares.row(1);
        assert!(
            with.top_k(1, 5, rank)
                .iter()
                .all(|w| row[with.kept().iter().position(|j| *j == w.feature).unwrap()] == w.value)
        );
    }
    // So is what to remove, and what would change the prediction.
    let removed = with.what_to_remove(1).unwrap();
    assert_eq!(removed.features, without.what_to_remove(1).unwrap().features);
    assert_eq!(with.removal, Some(removed.clone()));
    for (k, answer) in removed.surrogate.iter().enumerate() {
        assert!((with.without(&removed.features[..=k]).unwrap()[1] - answer).abs() < 1e-12);
    }
    let change = with.what_would_change(0).unwrap().unwrap();
    assert_eq!(change.remove, removed.features[..change.remove.len()]);
    assert!(change.surrogate[0] > change.surrogate[1]);
    // What is said of the order is said of that fit.
    let settled = |e: &Explanation| e.uncertainty.as_ref().unwrap().settling.clone();
    assert_eq!(settled(&with), settled(&without));
    assert_eq!(from_json(&to_json(&with)).unwrap().ranking, with.ranking);
}

#[test]
fn a_change_takes_the_greedy_set() {
    let e = explained();
    // so .25, then not 0: joy and gloom are equal and joy is named; then happy.
    let change = e.what_would_change(1).unwrap().unwrap();
    assert_eq!(named(&e, &change.remove), ["so", "not", "happy"]);
    assert!((change.surrogate[0] - joy(-1.5)).abs() < 1e-12);
    assert!(e.what_would_change(0).unwrap().unwrap().remove.is_empty());
    assert!(e.what_would_change(5).is_err());
}

#[test]
fn probabilities_that_round_to_one_are_told_apart() {
    let mut e = explained();
    let joy = vec![1.0, 2.0, 0.5, 3.0];
    let matrix = vec![joy, vec![0.0; 4]];
    let base = Base::Anchored(vec![90.0, 0.0]);
    let support = vec![vec![0, 1, 2, 3]; 2];
    let linear = Linear::of_features(vec![0, 1, 2, 3], matrix, base, support, Link::Softmax).unwrap();
    e.answer = Some(linear.into());
    assert_eq!(e.what_to_remove(0).unwrap().features, [3, 1, 0, 2]);
}

#[test]
fn pairs_say_whether_they_do_more_together() {
    let e = explained();
    let pairs = e.pairs();
    assert_eq!(
        (named(&e, &pairs[0].features), pairs[0].effects[0], pairs[0].alone[0]),
        (vec!["not".into(), "happy".into()], -1.25, 0.5)
    );
    assert!(pairs[0].does_more(0) && pairs[0].does_more(1) && !pairs[1].does_more(0) && !pairs[1].does_more(1));
    assert!(!pairs[0].does_more(9));
}

#[test]
fn files_name_the_pairs() {
    let e = explained();
    let back = from_json(&to_json(&e)).unwrap();
    assert_eq!(back, e);
    let html = to_html(&e, &PageOptions::default()).unwrap();
    assert!(
        html.contains("words that act together for <bdi data-name>joy</bdi>")
            || html.contains("that act together for ")
    );
    assert!(html.contains("<bdi>not</bdi> + <bdi>happy</bdi></th><td class=\"n6\">\u{2212}1.25</td>"), "{html}");
    assert!(html.contains("together they do more than each") && html.contains("each needs the other"));
    assert!(html.contains("What to remove for") && html.contains("<td>0.622</td>"));
    assert!(html.contains(
        "\"pairs\":[{\"columns\":[0,2],\"names\":[\"not\",\"happy\"],\"effects\":[-1.25,1.25],\"more\":[true,true]}"
    ));
    let csv = to_csv(&e).unwrap();
    assert!(csv.contains("joy,not,-1.25,,,,happy\r\n") && csv.contains("gloom,so,-0.25,,,,now\r\n"), "{csv}");
    assert!(csv.contains("joy,not,0.875,,,,\r\n"));
    let svg = to_svg(&e, &PageOptions::default()).unwrap();
    assert!(svg.contains("not + happy, both removed, beside each alone: joy \u{2212}1.25, gloom +1.25"), "{svg}");
}
