//! Kernel SHAP: how many masks, whether they determine the weights, and what its error bars hold.

use lipex::prelude::*;
use lipex::{Dependence, ErrorBars, Method};

fn words(count: usize) -> TextInstance {
    let words: Vec<String> = (0..count).map(|i| format!("w{i}.")).collect();
    TextInstance::new(words.join(" ")).unwrap()
}

/// Which words of a text of [`words`] are left.
fn left(text: &str, count: usize) -> Vec<bool> {
    let mut left = vec![false; count];
    let numbers = text.split(|c: char| !c.is_alphanumeric()).filter_map(|w| w.strip_prefix('w')?.parse::<usize>().ok());
    numbers.for_each(|i| left[i] = true);
    left
}

/// Two classes, p = ½ + Σ a_i over the words that are left.
fn additive(weights: Vec<f64>) -> TextFn<'static> {
    TextFn::new(["no", "yes"], move |texts| {
        let p = |text: &&str| {
            let left = left(text, weights.len());
            0.5 + weights.iter().zip(left).filter(|(_, left)| *left).map(|(a, _)| a).sum::<f64>()
        };
        texts.iter().map(p).map(|p| [1.0 - p, p]).collect()
    })
}

/// Twelve words that act together in pairs and threes, three classes.
fn crowd() -> TextFn<'static> {
    TextFn::new(["a", "b", "c"], |texts| {
        let scores = |text: &&str| {
            let z: Vec<f64> = left(text, 12).into_iter().map(|kept| f64::from(u8::from(kept))).collect();
            let pairs: f64 = (0..11).map(|i| [0.9, -1.3, 0.6][i % 3] * z[i] * z[i + 1]).sum();
            let threes: f64 = (0..10).map(|i| [-0.8, 1.1][i % 2] * z[i] * z[i + 1] * z[i + 2]).sum();
            let mut logits = [pairs + z[0] - z[5], threes + 0.5 * z[3], 0.7 * z[7] - pairs * threes / 4.0];
            lipex::softmax_in_place(&mut logits);
            logits
        };
        texts.iter().map(scores).collect()
    })
}

#[test]
fn twice_the_words_and_2048_masks_or_all_there_are() {
    let weights = |n: usize| (0..n).map(|i| 0.3 / n as f64 * (i % 5) as f64 / 4.0).collect::<Vec<f64>>();
    for (count, masks, complete) in
        [(1, 2, true), (10, 1024, true), (11, 2048, true), (12, 2072, false), (13, 2074, false)]
    {
        let e = kernel_shap().explain(&words(count), &additive(weights(count))).unwrap();
        assert_eq!((e.calls.masks, e.calls.complete), (masks, complete), "{count} words");
        assert_eq!(e.settings.iter().find(|s| s.name == "samples").unwrap().value, "2D+2048");
        assert!(e.departures.iter().all(|d| d.name != "samples" || d.value == d.preset));
    }
    // What is asked for is what is drawn, as far as there is so much.
    assert_eq!(kernel_shap().samples(10_000).explain(&words(12), &crowd()).unwrap().calls.masks, 4096);
}

#[test]
fn masks_that_cannot_determine_the_weights_are_told() {
    let six = TextInstance::new("x u v w y z").unwrap();
    let model = TextFn::new(["no", "yes"], |texts| {
        texts.iter().map(|t| if t.contains('x') { [0.1, 0.9] } else { [0.8, 0.2] }).collect()
    });
    let information = |n: usize| {
        let e = kernel_shap().samples(n).explain(&six, &model).unwrap();
        (e.observed.information.unwrap(), e.observed.is_underdetermined())
    };
    // Everything, nothing and a pair of complements: what two groups have, and nothing within them.
    let (few, short) = information(4);
    assert!((few.unknowns, few.rank) == (6, 2) && short, "{few:?}");
    let (enough, short) = information(14);
    assert!((enough.unknowns, enough.rank) == (6, 6) && !short, "{enough:?}");
    // An intercept is one more; the effective number by hand: weights 1 and 2 of two masks each are 36/10.
    let e = lipex().samples(3).explain(&words(12), &crowd()).unwrap();
    assert!(e.observed.is_underdetermined() && e.observed.information.unwrap().rank <= 3);
    let e = lipex().samples(500).explain(&words(12), &crowd()).unwrap();
    let told = e.observed.information.unwrap();
    assert!(told.rank == told.unknowns && told.effective_masks > told.unknowns as f64 && told.effective_masks < 500.0);
}

#[test]
fn fifteen_hundred_words_are_right_at_the_default() {
    let weights: Vec<f64> = (0..1500).map(|i| 2e-4 * f64::from((i * 7 + 3) % 11 - 5) / 5.0).collect();
    let e = kernel_shap().explain(&words(1500), &additive(weights.clone())).unwrap();
    assert_eq!(e.calls.masks, 5048);
    assert!(!e.observed.is_underdetermined());
    let largest = weights.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
    let shares = e.shares();
    let off = shares.kept().iter().zip(&shares.matrix()[1]).map(|(&j, w)| (w - weights[j]).abs()).fold(0.0, f64::max);
    assert!(off <= 1e-4 * largest, "{off} of {largest}");
}

/// Intervals at twelve words hold the exact values at their level, but for what 60 seeds leave open.
#[test]
fn intervals_hold_the_exact_values() {
    let (text, model) = (words(12), crowd());
    let exact = kernel_shap().samples(4096).error_bars(ErrorBars::default()).explain(&text, &model).unwrap();
    assert_eq!(exact.uncertainty.as_ref().unwrap().method, Method::Exact);
    let truth = exact.shares().matrix().to_vec();
    for masks in [100, 200, 400, 1000, 2048] {
        let (mut inside, mut all) = (0.0, 0.0);
        for seed in 0..60 {
            let bars = ErrorBars::default().refits(100).unwrap();
            let e = kernel_shap().samples(masks).seed(seed).error_bars(bars).explain(&text, &model).unwrap();
            let u = e.uncertainty.as_ref().unwrap();
            assert_eq!((u.method, u.rows), (Method::Bootstrap, Dependence::Coalitions));
            assert!(
                u.needed.is_some_and(|n| n <= 4096) && !u.not_covered.iter().any(|s| s.contains("Nothing is known"))
            );
            for (c, row) in e.shares().matrix().iter().enumerate() {
                for (j, &w) in row.iter().enumerate() {
                    let [low, high] = u.interval(c, j, w);
                    inside += f64::from(u8::from((low..=high).contains(&truth[c][j])));
                    all += 1.0;
                }
            }
        }
        println!("{masks} masks: {:.3}", inside / all);
        assert!((0.92..=0.98).contains(&(inside / all)), "{masks} masks: {:.3}", inside / all);
    }
}
