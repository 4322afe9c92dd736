//! The demo classifier, explained.

use lipex::prelude::*;
use lipex_demo::{Demo, Layers};

const TEXT: &str = "I can't believe you threw me a surprise party, I'm shaking with joy";

#[test]
fn the_demo_is_explained_well_and_whole() {
    let (text, model) = (TextInstance::new(TEXT).unwrap(), DemoModel::embedded());
    let explainer = lipex();
    let explanation = explainer.explain(&text, &model).unwrap();
    assert_eq!(explanation.classes.len(), 7);
    assert_eq!(from_json(&to_json(&explanation)).unwrap(), explanation);
    let joy = explanation.class("joy").unwrap();
    let top: Vec<&str> = explanation
        .top_k(joy, 3, Rank::Supporting)
        .iter()
        .map(|w| explanation.features[w.feature].name.as_str())
        .collect();
    assert!(top.contains(&"joy"), "{top:?}");
    let unseen = explanation.fidelity.as_ref().unwrap().out_of_fold.unwrap().tv;
    assert!(unseen < 0.1, "{unseen}");
    // What the surrogate foresees, the model is asked about.
    let asked = explainer.ask_without(&text, &model, &[]).unwrap();
    assert_eq!(asked, explanation.probabilities.model);
}

#[test]
fn equal_runs_are_equal_whatever_the_batch() {
    let (text, model) = (TextInstance::new(TEXT).unwrap(), DemoModel::embedded());
    let of = |batch: usize, threads: usize| {
        let explainer = Explainer::lipex(Cpu::with_threads(threads).unwrap()).batch_size(batch);
        explainer.explain(&text, &model).unwrap()
    };
    let first = of(64, 1);
    for (batch, threads) in [(1, 1), (7, 2), (1000, 2)] {
        let other = of(batch, threads);
        assert_eq!(
            (&other.shares().matrix(), &other.answer.as_ref().unwrap().linear().unwrap().intercept()),
            (&first.shares().matrix(), &first.answer.as_ref().unwrap().linear().unwrap().intercept())
        );
        assert_eq!(other.fidelity, first.fidelity);
    }
}

/// The embedded classifier with its layers changed.
fn changed(change: impl Fn(&mut Layers)) -> DemoModel {
    let mut layers = Demo::embedded().layers().clone();
    change(&mut layers);
    DemoModel::new(Demo::from_layers(layers).unwrap())
}

/// Numbers from −1 to 1 that look random.
fn numbers(seed: u64) -> impl Iterator<Item = f32> {
    (1u64..).map(move |i| {
        let z = (seed * 1_000_003 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

fn add_noise(weights: &mut [f32], size: f32, seed: u64) {
    weights.iter_mut().zip(numbers(seed)).for_each(|(w, v)| *w += size * v);
}

/// New weights of the same spread in place of the trained ones.
fn initialise(weights: &mut [f32], seed: u64) {
    let spread = (3.0 * weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32).sqrt();
    weights.iter_mut().zip(numbers(seed)).for_each(|(w, v)| *w = spread * v);
}

/// The paper's Test 2 in small: a surrogate that explains the model moves as the model does.
#[test]
fn the_explanation_follows_changes_of_the_layers() {
    let text = TextInstance::new(TEXT).unwrap();
    let tv = |a: &[f64], b: &[f64]| 0.5 * a.iter().zip(b).map(|(x, y)| (x - y).abs()).sum::<f64>();
    let plain = lipex().explain(&text, &DemoModel::embedded()).unwrap();
    let noise = |size: f32| changed(move |l| add_noise(&mut l.output, size, 1));
    let distorted = [
        ("noise .1 on the output layer", noise(0.1)),
        ("noise .3 on the output layer", noise(0.3)),
        ("noise 1 on the output layer", noise(1.0)),
        ("a new output layer", changed(|l| initialise(&mut l.output, 2))),
        ("a new hidden layer", changed(|l| initialise(&mut l.hidden, 3))),
    ];
    let mut moves = Vec::new();
    for (what, model) in &distorted {
        let other = lipex().explain(&text, model).unwrap();
        let of_model = tv(&plain.probabilities.model, &other.probabilities.model);
        let of_surrogate = tv(&plain.probabilities.surrogate, &other.probabilities.surrogate);
        let of_matrix = {
            let square = |c: usize| other.kept().iter().enumerate().map(move |(j, f)| (c, j, f));
            let was = |c: usize, f: &usize| {
                plain.kept().iter().position(|k| k == f).map_or(0.0, |j| plain.shares().matrix()[c][j])
            };
            (0..7)
                .flat_map(square)
                .map(|(c, j, f)| (other.shares().matrix()[c][j] - was(c, f)).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        println!("{what}: the model moves by {of_model:.3}, Q by {of_surrogate:.3}, W by {of_matrix:.2}");
        assert!((of_model - of_surrogate).abs() < 0.08, "{what}: {of_model} {of_surrogate}");
        moves.push((of_model, of_surrogate, of_matrix));
    }
    // More noise moves both more, and new layers move them most.
    assert!(moves[0].0 < moves[2].0 && moves[0].1 < moves[2].1 && moves[0].2 < moves[2].2, "{moves:?}");
    assert!(moves[3..].iter().all(|m| m.0 > 0.2 && m.1 > 0.2 && m.2 > 1.0), "{moves:?}");
}
