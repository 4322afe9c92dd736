//! Surrogates that are anchored at the model's answer for the whole instance.

use crate::common::game::{Game, furthest};
use lipex_core::{
    Alpha, ErasedDivergence, Evaluator, Fitted, Hellinger, Intercept, JensenShannon, Kl, Masks, Neighbourhood,
    OutOfFold, Probabilities, Problem, ReverseKl, Selection, Softmax, Surrogate, TotalVariation, Weights, least_anchor,
};
use lipex_cpu::Cpu;
use std::sync::Arc;

fn anchored() -> Softmax {
    Softmax::default().intercept(Intercept::Anchored)
}

fn fit(softmax: &Softmax, problem: Problem<'_, Cpu>) -> Fitted {
    softmax.fit(&Cpu::new(), &[problem]).unwrap().remove(0)
}

/// TV between model and surrogate at the instance.
fn missed(softmax: &Softmax, around: &Neighbourhood<Cpu>, selection: &Selection) -> f64 {
    let (on, problem) = (Cpu::new(), [Problem::new(around, selection)]);
    let fitted = softmax.fit(&on, &problem).unwrap();
    let fidelity = OutOfFold { folds: 0 }.evaluate(&on, &problem, &fitted, softmax).unwrap();
    fidelity[0].at_instance.tv
}

#[test]
fn a_linear_model_is_recovered_under_every_divergence() {
    let divergences: Vec<Arc<dyn ErasedDivergence>> = vec![
        Arc::new(Hellinger),
        Arc::new(Kl),
        Arc::new(ReverseKl),
        Arc::new(JensenShannon),
        Arc::new(Alpha::new(0.3).unwrap()),
        Arc::new(Alpha::new(2.0).unwrap()),
    ];
    for (classes, features) in [(2, 2), (2, 5), (3, 16), (7, 13), (8, 9), (9, 33), (20, 12)] {
        let known = Game::new(features, classes, 0, classes as u64);
        let (around, selection) = (known.coins(600, 1), known.all());
        for divergence in &divergences {
            let softmax = anchored().lambda(1e-9).unwrap().erased_divergence(divergence.clone());
            let fitted = fit(&softmax, Problem::new(&around, &selection));
            let (off, name) = (furthest(fitted.shares().matrix(), &known.weights), divergence.name());
            assert!(off < 1e-3, "{name} at C = {classes}, D = {features}: {off:.1e}");
            assert!(fitted.report.converged, "{name} at C = {classes}, D = {features}: {}", fitted.report.stopped);
        }
    }
}

#[test]
fn total_variation_comes_close() {
    let known = Game::new(8, 4, 0, 5);
    let (around, selection) = (known.coins(600, 1), known.all());
    let softmax = anchored().lambda(1e-9).unwrap().divergence(TotalVariation);
    let fitted = fit(&softmax, Problem::new(&around, &selection));
    assert!(
        furthest(fitted.shares().matrix(), &known.weights) < 0.02,
        "{}",
        furthest(fitted.shares().matrix(), &known.weights)
    );
}

#[test]
fn the_instance_cannot_be_missed() {
    // Pairs, which no surrogate without them can follow, and features that are left out: there is misfit.
    for (features, classes, seed) in [(6, 2, 1), (14, 4, 2), (40, 7, 3)] {
        let known = Game::new(features, classes, 5, seed);
        let around = known.uniform(300, seed);
        let some = Selection::shared(classes, (0..features / 2).collect());
        for selection in [known.all(), some] {
            let fitted = Softmax::default();
            let (of_fitted, of_anchored) =
                (missed(&fitted, &around, &selection), missed(&anchored(), &around, &selection));
            assert!(of_anchored < 1e-4 && of_fitted > 1e-3, "D = {features}: {of_anchored:.1e}, {of_fitted:.1e}");
        }
    }
    // Nothing kept: the answer is P₀ everywhere.
    let known = Game::new(6, 3, 0, 9);
    let (around, none) = (known.coins(60, 1), Selection::shared(3, Vec::new()));
    assert!(missed(&anchored(), &around, &none) < 1e-6);
}

#[test]
fn an_answer_of_0_and_1_is_met_within_the_clamp() {
    let on = Cpu::new();
    // Class 0 as long as feature 0 is there, else class 1; class 2 never.
    let bits: Vec<u32> = std::iter::once(31).chain((0..80u32).map(|i| i * 7 % 32)).collect();
    let p = bits.iter().flat_map(|z| if z & 1 == 1 { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0f32] }).collect();
    let around = Neighbourhood::new(
        &on,
        Masks::new(&on, 81, 5, bits).unwrap(),
        Probabilities::new(&on, 81, 3, p).unwrap(),
        Weights::new(vec![1.0; 81]),
    )
    .unwrap();
    let selection = Selection::shared(3, (0..5).collect());
    let off = missed(&anchored(), &around, &selection);
    assert!(off <= 2.0 * least_anchor(3) && off > 0.0, "{off:.1e}");
    let fitted = fit(&anchored(), Problem::new(&around, &selection));
    assert!(
        fitted.report.converged && fitted.shares().matrix()[0][0] > 1.0 && fitted.shares().matrix()[1][0] < -1.0,
        "{:?}",
        fitted.shares().matrix()
    );
}

#[test]
fn a_feature_that_is_never_removed_weighs_nothing() {
    let known = Game::new(6, 3, 0, 4);
    let coins = |i: usize| (0..6).map(|j| i == 0 || j == 2 || (i * 7 + j * 3) % 5 > 1).collect();
    let around = known.around((0..50).map(coins).collect(), |_| 1.0);
    for lambda in [0.0, 1e-4] {
        let fitted = fit(&anchored().lambda(lambda).unwrap(), Problem::new(&around, &known.all()));
        assert!(
            fitted.shares().matrix().iter().all(|row| row[2] == 0.0 && row[3].abs() > 1e-3),
            "{:?}",
            fitted.shares().matrix()
        );
        assert!(fitted.report.converged, "{}", fitted.report.stopped);
    }
}

#[test]
fn lambda_can_be_chosen_and_starts_taken_up() {
    let known = Game::new(12, 4, 3, 6);
    let (around, selection) = (known.uniform(300, 2), known.all());
    let chosen = fit(&anchored().lambda_auto(), Problem::new(&around, &selection));
    assert!(chosen.report.lambda > 0.0 && chosen.report.converged);
    let cold = fit(&anchored(), Problem::new(&around, &selection));
    let warm = fit(&anchored(), Problem { start: Some(&cold), ..Problem::new(&around, &selection) });
    assert!(warm.report.evaluations == 1 && cold.report.evaluations > 2, "{:?} {:?}", warm.report, cold.report);
    let less = anchored().relaxed(&Cpu::new(), &Problem::new(&around, &selection), &cold).unwrap().unwrap();
    let left = cold.shrinkage(&less).unwrap();
    assert!(left > 0.5 && left < 1.0, "{left}");
}

#[test]
fn the_sandwich_agrees_with_rows_drawn_again() {
    let known = Game::new(9, 3, 3, 7);
    let (on, around, selection) = (Cpu::new(), known.uniform(1500, 3), known.all());
    let softmax = anchored();
    let fitted = fit(&softmax, Problem::new(&around, &selection));
    let problem = Problem::new(&around, &selection);
    let sandwich = softmax.spread(&on, &problem, &fitted).unwrap().unwrap();
    let drawn: Vec<Vec<f64>> = (0..300u64)
        .map(|seed| {
            fit(&softmax, Problem::new(&known.uniform(1500, 1000 + seed), &selection)).shares().matrix().concat()
        })
        .collect();
    let truth = lipex_core::Spread::from_refits(3, 9, &drawn).unwrap();
    for c in 0..3 {
        for j in 0..9 {
            let ratio = sandwich.std_error(c, j) / truth.std_error(c, j);
            assert!((0.8..1.25).contains(&ratio), "class {c}, feature {j}: {ratio}");
        }
    }
}

/// A model that answers 0 and 1, by more than a linear rule.
fn hard(rows: u32) -> Neighbourhood<Cpu> {
    let on = Cpu::new();
    let bits: Vec<u32> = std::iter::once(255).chain((0..rows).map(|i| i.wrapping_mul(0x9e37_79b9) >> 24)).collect();
    let yes = |z: u32| (z & 3 == 3 && z >> 2 & 1 == 1) || (z >> 4).count_ones() > 2;
    let p = bits.iter().flat_map(|&z| if yes(z) { [1.0, 0.0] } else { [0.0, 1.0f32] }).collect();
    Neighbourhood::new(
        &on,
        Masks::new(&on, bits.len(), 8, bits.clone()).unwrap(),
        Probabilities::new(&on, bits.len(), 2, p).unwrap(),
        Weights::new(vec![1.0; bits.len()]),
    )
    .unwrap()
}

#[test]
fn auto_takes_whichever_is_closer_on_masks_held_out() {
    let auto = Softmax::default().intercept(Intercept::Auto);
    let on = Cpu::new();
    let around = hard(200);
    let selection = Selection::shared(2, (0..8).collect());
    let problem = [Problem::new(&around, &selection)];
    let fitted = auto.fit(&on, &problem).unwrap().remove(0);
    let compared = fitted.report.intercept.unwrap();
    let taken = if compared.fitted < compared.anchored { Intercept::Fitted } else { Intercept::Anchored };
    let own = fit(&Softmax::default().intercept(taken), Problem::new(&around, &selection));
    assert_eq!((&fitted.answer, compared.fitted < compared.anchored), (&own.answer, true));
    // What auto compares are the out-of-fold divergences of both.
    for (intercept, told) in [(Intercept::Fitted, compared.fitted), (Intercept::Anchored, compared.anchored)] {
        let softmax = Softmax::default().intercept(intercept);
        let fits = softmax.fit(&on, &problem).unwrap();
        let fidelity = OutOfFold::default().evaluate(&on, &problem, &fits, &softmax).unwrap();
        let measured = fidelity[0].out_of_fold.unwrap().hellinger;
        assert!((measured / told - 1.0).abs() < 0.02, "{}: {measured} for {told}", intercept.name());
    }
    let less = auto.relaxed(&on, &problem[0], &fitted).unwrap().unwrap();
    assert!(fitted.shrinkage(&less).unwrap() < 1.0);
    // Refits stay with the choice; where no class is ruled out there is none to make.
    let again = fit(&auto, Problem { start: Some(&fitted), ..Problem::new(&around, &selection) });
    assert_eq!((again.linear().unwrap().base().kind(), again.report.intercept), ("fitted", None));
    let soft = Game::new(6, 3, 0, 2);
    let soft = fit(&auto, Problem::new(&soft.coins(80, 1), &soft.all()));
    assert_eq!((soft.linear().unwrap().base().kind(), soft.report.intercept), ("anchored", None));
}

/// Two words of which one adds 3 to the log-odds: with a fitted intercept λ decides what two masks leave open.
#[test]
fn one_word_of_two_is_told_from_the_other() {
    let (weights, base) = (vec![vec![-1.5, 0.0], vec![1.5, 0.0]], vec![-0.75, 0.75]);
    let known = Game { classes: 2, features: 2, weights, pairs: Vec::new(), base };
    let (around, selection) = (known.uniform(1000, 1), known.all());
    let log_odds = |intercept| {
        let fitted = fit(&Softmax::default().intercept(intercept), Problem::new(&around, &selection));
        let shares = fitted.shares();
        [0, 1].map(|j| shares.matrix()[1][j] - shares.matrix()[0][j])
    };
    let anchored = log_odds(Intercept::Anchored);
    assert!((anchored[0] - 3.0).abs() < 0.05 && anchored[1].abs() < 0.05, "{anchored:?}");
    let fitted = log_odds(Intercept::Fitted);
    assert!((fitted[0] - 3.0).abs() > 0.5, "{fitted:?}");
}

#[test]
fn row_0_has_to_be_the_instance() {
    let known = Game::new(4, 2, 0, 1);
    let around = known.around(vec![vec![true, false, true, true], vec![true; 4], vec![false; 4]], |_| 1.0);
    let told = anchored().fit(&Cpu::new(), &[Problem::new(&around, &known.all())]).unwrap_err().to_string();
    assert!(told.contains("intercept = anchored") && told.contains("row 0"), "{told}");
}
