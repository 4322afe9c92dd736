//! A surrogate of one's own: each word's weight is the difference of two means, with the word and without it.
//! `cargo run --release -p lipex --example own_surrogate`

use lipex::prelude::*;
use lipex::{FitReport, Fitted, Link, Problem, Setting, Surrogate};

struct Means;

impl Describe for Means {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("surrogate", "means")]
    }
}

/// Σ π m p of a class over the rows that `counts` picks, divided by Σ π m. Folds and bootstraps set multiplicities m.
fn mean(problem: &Problem<'_, Cpu>, class: usize, counts: impl Fn(usize) -> bool) -> f64 {
    let (mut weight, mut sum) = (0.0, 0.0);
    for i in (0..problem.around.rows()).filter(|&i| counts(i)) {
        let times = problem.multiplicities.map_or(1.0, |m| f64::from(m[i]));
        let w = f64::from(problem.around.weights.values()[i]) * times;
        (weight, sum) = (weight + w, sum + w * f64::from(problem.around.probabilities.row(i)[class]));
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}

impl Surrogate<Cpu> for Means {
    fn fit(&self, _: &Cpu, problems: &[Problem<'_, Cpu>]) -> lipex::Result<Vec<Fitted>> {
        let one = |problem: &Problem<'_, Cpu>| {
            let (masks, kept) = (&problem.around.masks, &problem.selection.kept);
            let effect =
                |c, j: usize| mean(problem, c, |i| masks.keeps(i, j)) - mean(problem, c, |i| !masks.keeps(i, j));
            let classes = 0..problem.around.probabilities.classes();
            let matrix: Vec<Vec<f64>> = classes.clone().map(|c| kept.iter().map(|&j| effect(c, j)).collect()).collect();
            // Through the model's answer at the instance, row 0.
            let rest = |c: usize| f64::from(problem.around.probabilities.row(0)[c]) - matrix[c].iter().sum::<f64>();
            let (intercept, support) =
                (classes.clone().map(rest).collect(), vec![(0..kept.len()).collect(); classes.len()]);
            let report = FitReport::solved("means were taken");
            Fitted { kept: kept.clone(), matrix, intercept, support, link: Link::Identity, report }
        };
        Ok(problems.iter().map(one).collect())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    let model = DemoModel::embedded();
    let tv = |e: &Explanation| e.fidelity.out_of_fold.map_or(1.0, |f| f.tv);
    let (means, softmax) = (lipex().surrogate(Means).explain(&text, &model)?, lipex().explain(&text, &model)?);
    println!("on unseen masks: means are {:.3} off the model, the softmax {:.3}", tv(&means), tv(&softmax));
    let top = means.top_k(means.predicted(), 1, Rank::Supporting)[0].feature;
    assert!(tv(&softmax) < tv(&means) && means.features[top].name == "surprise");
    Ok(())
}
