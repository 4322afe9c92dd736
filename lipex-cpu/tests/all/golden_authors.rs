//! The authors' recipe against numpy's trajectory from the same start.

use crate::common::problem;

use lipex_core::{
    Authors, AuthorsLoss, FitReport, Fitted, Linear, Link, Masks, Neighbourhood, Probabilities, Selection, Surrogate,
    Weights,
};
use lipex_cpu::Cpu;
use problem::Problem;
use serde::Deserialize;

/// As `golden/authors.py` writes it.
#[derive(Deserialize)]
struct Case {
    problem: Problem,
    loss: String,
    kept: Vec<usize>,
    epochs: usize,
    start: Parameters,
    matrix: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    steps: usize,
    stopped: String,
}

#[derive(Clone, Deserialize)]
struct Parameters {
    matrix: Vec<Vec<f64>>,
    intercept: Vec<f64>,
}

fn begun(case: &Case) -> Fitted {
    let report = FitReport::solved("given");
    let support = vec![(0..case.kept.len()).collect(); case.problem.classes];
    let Parameters { matrix, intercept } = case.start.clone();
    let linear = Linear::from_presence(case.kept.clone(), matrix, Some(intercept), support, Link::Softmax).unwrap();
    Fitted::new(linear, report)
}

#[test]
fn trajectories_are_those_of_numpy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/authors.json")).unwrap();
    let mut endings = Vec::new();
    for case in &cases {
        let around = case.problem.neighbourhood();
        let selection = Selection::shared(case.problem.classes, case.kept.clone());
        let start = begun(case);
        let problem = lipex_core::Problem { start: Some(&start), ..lipex_core::Problem::new(&around, &selection) };
        let recipe = Authors::default().loss(AuthorsLoss::by_name(&case.loss).unwrap()).epochs(case.epochs).unwrap();
        let ours = recipe.fit(&Cpu::new(), &[problem]).unwrap().remove(0);
        let what = format!("{} after {} epochs of {:?}", case.loss, case.epochs, case.problem);
        assert_eq!(ours.report.iterations, case.steps, "{what}");
        let told = ["target", "below 0.001", "patience", "more than 1000", "epochs", "passes"];
        let words = told[1 + told.iter().position(|t| *t == case.stopped).unwrap()];
        assert!(ours.report.stopped.contains(words), "{what}: {}", ours.report.stopped);
        assert_eq!(ours.report.converged, case.stopped != "epochs", "{what}");
        endings.push(case.stopped.as_str());
        let (from, shares) = (start.shares(), ours.shares());
        let pairs = shares.matrix().iter().flatten().zip(case.matrix.iter().flatten());
        let error = pairs
            .chain(ours.linear().unwrap().intercept().iter().zip(&case.intercept))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        println!("{what}: {error:.1e} after {} steps", case.steps);
        assert!(error < 1e-8, "{what}: {error:.1e}");
        let moved =
            from.matrix().iter().flatten().zip(shares.matrix().iter().flatten()).any(|(a, b)| (a - b).abs() > 1e-3);
        assert!(moved, "{what}");
    }
    endings.sort_unstable();
    endings.dedup();
    assert_eq!(endings, ["epochs", "patience", "target"]);
}

#[test]
fn the_start_is_drawn_from_the_seed_and_little_is_left_of_it() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/authors.json")).unwrap();
    let case = &cases[3];
    let around = case.problem.neighbourhood();
    let selection = Selection::shared(case.problem.classes, case.kept.clone());
    let fit = |recipe: Authors, times: Option<&[u32]>| {
        let problem = lipex_core::Problem { multiplicities: times, ..lipex_core::Problem::new(&around, &selection) };
        recipe.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
    };
    let recipe = Authors::default();
    // A step moves a parameter by 0.01 at most, so that after the first minibatch they lie where they were drawn.
    let early = fit(recipe.epochs(1).unwrap(), None);
    let bound = 1.0 / (case.kept.len() as f64).sqrt();
    assert!(early.shares().matrix().iter().flatten().all(|w| w.abs() < 2.0 * bound + 0.1));
    assert!(early.shares().matrix().iter().flatten().any(|w| w.abs() > 0.3 * bound));
    assert_ne!(early.shares().matrix(), fit(recipe.epochs(1).unwrap().seed(1), None).shares().matrix());
    let (one, other) = (fit(recipe, None), fit(recipe.seed(1), None));
    for (a, b) in one.shares().matrix().iter().flatten().zip(other.shares().matrix().iter().flatten()) {
        assert!((a - b).abs() < 0.05, "{a} {b}");
    }
    assert!(one.shares().matrix().iter().map(|row| row[0]).sum::<f64>().abs() < 1e-12);
    // Rows that count 0 times are none: the fit is that of the first 200 rows.
    let times: Vec<u32> = (0..case.problem.rows).map(|i| u32::from(i < 200)).collect();
    let fewer = fit(recipe, Some(&times));
    let (on, classes) = (Cpu::new(), case.problem.classes);
    let few = Neighbourhood::new(
        &on,
        Masks::new(&on, 200, case.problem.features, around.masks.bits()[..200].to_vec()).unwrap(),
        Probabilities::new(&on, 200, classes, around.probabilities.values()[..200 * classes].to_vec()).unwrap(),
        Weights::new(around.weights.values()[..200].to_vec()),
    )
    .unwrap();
    let alone = recipe.fit(&on, &[lipex_core::Problem::new(&few, &selection)]).unwrap().remove(0);
    assert_eq!(fewer.shares().matrix(), alone.shares().matrix());
    assert_ne!(fewer.shares().matrix(), one.shares().matrix());
}
