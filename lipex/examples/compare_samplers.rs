//! How many calls of the model a sampler needs for the same error of W: `cargo run --release -p lipex --example compare_samplers`.
//!
//! The error is against a fit on 30,000 masks, over seeds; its square falls as 1/calls, so error² · calls compares samplers.

use lipex::prelude::*;

const TEXTS: [&str; 4] = [
    "I can't believe you threw me a surprise party, I'm shaking with joy",
    "This is the worst service I have ever seen and I am so angry that I will never come back to this place again",
    "I was afraid of the dark when I was little but now I just wonder why it ever made me cry at night",
    "Thank you so much for the lovely letter, it made my whole day and I read it twice before breakfast",
];

/// Mean over seeds of Σ (W − W*)² · calls / Σ W*².
fn cost(explainer: &Explainer<Cpu>, text: &TextInstance, exact: &Explanation, model: &DemoModel) -> lipex::Result<f64> {
    let size: f64 = exact.shares().matrix().concat().iter().map(|w| w * w).sum();
    let mut sum = 0.0;
    for seed in 1..=100 {
        let e = explainer.clone().seed(seed).explain(text, model)?;
        let pairs = e.shares().matrix().concat().into_iter().zip(exact.shares().matrix().concat());
        sum += pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / size * e.calls.inputs as f64;
    }
    Ok(sum / 100.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = DemoModel::embedded();
    // No fold is refitted: only W is looked at.
    let explainer = lipex()
        .pairs(lipex::Pairs::None)
        .intercept(lipex::Intercept::Fitted)
        .selector(All)
        .evaluator(lipex::OutOfFold { folds: 0 });
    let mut ratios = [1.0f64; 2];
    for text in TEXTS {
        let text = TextInstance::new(text)?;
        let exact = explainer.clone().samples(30_000).explain(&text, &model)?;
        let few = explainer.clone().samples(400);
        let uniform = cost(&few, &text, &exact, &model)?;
        let proportional = cost(&few.clone().perturber(WeightProportional), &text, &exact, &model)? / uniform;
        let pairs = cost(&few.perturber(Antithetic), &text, &exact, &model)? / uniform;
        println!("{} words: weight-proportional {proportional:.2}, antithetic {pairs:.2}", exact.features.len());
        (ratios[0], ratios[1]) = (ratios[0] * proportional, ratios[1] * pairs);
    }
    let [proportional, pairs] = ratios.map(|r| r.powf(0.25));
    println!("calls for the same error, uniform sizes 1: weight-proportional {proportional:.2}, antithetic {pairs:.2}");
    // Neither law may cost much more than the default on such texts.
    assert!(proportional < 1.1 && pairs < 1.1, "{proportional} {pairs}");
    Ok(())
}
