//! LIME's masks, LIME's picks and scikit-learn's ridges.

#[path = "common/lime_masks.rs"]
mod lime_masks;
#[path = "common/problem.rs"]
mod problem;
#[path = "common/ridge.rs"]
mod ridge;
#[path = "common/selection.rs"]
mod selection;

use lime_masks::{Sampler, lime_masks};
use lipex_core::{
    Forward, HighestWeights, LimeImage, LimeText, Perturber, Problem, Ridge, Selection, Selector, Support, Surrogate,
};
use lipex_cpu::Cpu;
use ridge::ridges;
use selection::{Method, selections};

#[test]
fn masks_are_those_of_lime() {
    for golden in lime_masks() {
        let law: &dyn Perturber<Cpu> = match golden.sampler {
            Sampler::Text => &LimeText,
            Sampler::Image => &LimeImage,
        };
        let n = golden.rows;
        let drawn = law.perturb(&Cpu::new(), &[golden.features], n, 0..n, golden.seed, None).unwrap().remove(0);
        let at = format!("{:?} seed {} D {}", golden.sampler, golden.seed, golden.features);
        assert_eq!(golden.words.len(), n * golden.features.div_ceil(32), "{at}");
        assert!(drawn.masks.bits() == &golden.words, "{at}: the masks differ");
    }
}

#[test]
fn picks_are_those_of_lime() {
    let mut steady = 0;
    for case in selections() {
        let around = [case.problem.neighbourhood()];
        let selector: Box<dyn Selector<Cpu>> = match case.method {
            Method::Forward => Box::new(Forward::new(case.k).unwrap()),
            Method::Highest => Box::new(HighestWeights::new(case.k).unwrap()),
        };
        let chosen = selector.select(&Cpu::new(), &around).unwrap().remove(0);
        assert_eq!(chosen.per_class.len(), case.classes.len());
        for (got, lime) in chosen.per_class.iter().zip(&case.classes) {
            let at = format!("{:?} {} of {:?}: {got:?}, LIME {:?}", case.method, case.k, case.problem, lime.picks);
            assert_eq!(got.len(), lime.picks.len(), "{at}");
            assert_eq!(got[..lime.steady], lime.picks[..lime.steady], "{at}");
            steady += lime.steady;
        }
    }
    assert!(steady > 200);
}

#[test]
fn ridges_are_those_of_scikit_learn() {
    for case in ridges() {
        let around = case.problem.neighbourhood();
        let selection = Selection::new(case.classes.iter().map(|c| c.picks.clone()).collect());
        assert_eq!(selection.kept, case.union);
        for support in [Support::Own, Support::Union] {
            let ridge = Ridge::default().support(support);
            let fitted = ridge.fit(&Cpu::new(), &[Problem::new(&around, &selection)]).unwrap().remove(0);
            for (c, class) in case.classes.iter().enumerate() {
                let (features, coefficients, intercept) = match support {
                    Support::Own => (&class.picks, &class.own, class.own_intercept),
                    Support::Union => (&case.union, &class.union, class.union_intercept),
                };
                let mut row = vec![0.0; case.union.len()];
                for (j, v) in features.iter().zip(coefficients) {
                    row[case.union.iter().position(|k| k == j).unwrap()] = *v;
                }
                let away = row.iter().zip(&fitted.matrix[c]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let away = away.max((intercept - fitted.intercept[c]).abs());
                assert!(away < 1e-6, "{support:?}, class {c} of {:?}: {away:e}", case.problem);
            }
        }
    }
}
