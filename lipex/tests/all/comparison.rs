//! Two explanations of one input side by side.

use lipex::prelude::*;
use lipex::{Comparison, Enumerate, ErrorBars, Explanation};

const TEXT: &str = "a fine day, all in all";

/// Good by two words, with a third class that is called otherwise in the two models.
fn explained(labels: [&str; 3], fine: f32, error_bars: bool) -> Explanation {
    let places = ["bad", "good"].map(|name| labels.iter().position(|label| *label == name).unwrap());
    let model = TextFn::new(labels, move |texts: &[&str]| {
        let answer = |text: &&str| {
            let good =
                0.2 + if text.contains("fine") { fine } else { 0.0 } + if text.contains("day") { 0.1 } else { 0.0 };
            let mut p = [0.1f32; 3];
            (p[places[0]], p[places[1]]) = (0.9 - good, good);
            p
        };
        texts.iter().map(answer).collect()
    });
    let explainer = lipex().enumerate(Enumerate::Never).samples(200);
    let explainer = if error_bars { explainer.error_bars(ErrorBars::default()) } else { explainer };
    explainer.explain(&TextInstance::new(TEXT).unwrap(), &model).unwrap()
}

#[test]
fn classes_are_matched_by_name_and_bands_are_joined() {
    let (one, other) = (explained(["bad", "good", "odd"], 0.5, true), explained(["good", "rare", "bad"], 0.3, true));
    let both = Comparison::new(&one, &other).unwrap();
    // The likeliest of the first comes first; what either has alone is left out.
    assert_eq!(both.classes(), [[1, 0], [0, 2]]);
    assert!(both.agrees() && (both.distance() - 0.3).abs() < 1e-6, "{}", both.distance());
    let (mine, theirs) = (one.uncertainty.as_ref().unwrap(), other.uncertainty.as_ref().unwrap());
    let entries = both.entries(0);
    assert_eq!(entries.len(), one.features.len());
    for entry in entries.iter().filter(|entry| entry.values.iter().all(Option::is_some)) {
        let place = |e: &Explanation| e.kept().iter().position(|&j| j == entry.feature[0]).unwrap();
        let (i, j) = (place(&one), place(&other));
        assert_eq!(entry.values, [Some(one.shares().row(1)[i]), Some(other.shares().row(0)[j])]);
        let (a, b) = (mine.band * mine.std_error[1][i], theirs.band * theirs.std_error[0][j]);
        assert!((entry.half.unwrap() - (a * a + b * b).sqrt()).abs() < 1e-12);
        let apart = other.shares().row(0)[j] - one.shares().row(1)[i];
        assert!((entry.apart().unwrap() - apart).abs() < 1e-12);
        assert_eq!(entry.differs(), Some(apart.abs() > entry.half.unwrap()));
    }
    // "fine" does less in the second, and by more than noise.
    let fine = both.largest(0)[0];
    assert_eq!((one.name(fine.feature[0]).as_str(), fine.differs()), ("fine", Some(true)));
    assert!(fine.apart().unwrap() < 0.0);
}

#[test]
fn the_same_run_is_the_same_and_missing_bars_are_said() {
    let (one, bare) = (explained(["bad", "good", "odd"], 0.5, true), explained(["bad", "good", "odd"], 0.5, false));
    let both = Comparison::new(&one, &one).unwrap();
    assert_eq!((both.distance(), both.settings().len()), (0.0, 0));
    assert!(both.entries(0).iter().all(|entry| entry.differs() != Some(true)));
    assert!((both.correlation(0).unwrap() - 1.0).abs() < 1e-12);
    let told = both.told(&both.predicted()).join(" ");
    assert!(told.contains("give the same answer, good.") && told.contains("None of"), "{told}");
    let told = Comparison::new(&one, &bare).unwrap().told(&[0]).join(" ");
    assert!(told.contains("both need error bars"), "{told}");
}
