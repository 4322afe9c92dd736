//! Selection against LIME's picks, and the ridge surrogate against scikit-learn's.

use crate::common::ridge;
use crate::common::selection;

use lipex_core::{Forward, HighestWeights, Problem, Ridge, Selection, Selector, Support, Surrogate};
use lipex_cpu::Cpu;
use ridge::ridges;
use selection::{Method, selections};

#[test]
fn picks_are_those_of_lime() {
    let mut steady = 0;
    for case in selections() {
        let around = [case.problem.neighbourhood()];
        let selector: Box<dyn Selector<Cpu>> = match case.method {
            Method::Forward => Box::new(Forward::new(case.k).unwrap()),
            Method::Highest => Box::new(HighestWeights::new(case.k).unwrap()),
        };
        let ours = selector.select(&Cpu::new(), &around).unwrap().remove(0);
        for (c, (ours, lime)) in ours.per_class.iter().zip(&case.classes).enumerate() {
            let what = format!("{:?}, class {c} of {:?}", case.method, case.problem);
            assert_eq!(ours[..lime.steady], lime.picks[..lime.steady], "{what}");
            assert_eq!(ours.len(), lime.picks.len(), "{what}");
            steady += lime.steady;
        }
    }
    assert!(steady > 100, "{steady}");
}

#[test]
fn ridge_is_that_of_scikit_learn() {
    for case in ridges() {
        let around = case.problem.neighbourhood();
        let picks = Selection::new(case.classes.iter().map(|class| class.picks.clone()).collect());
        assert_eq!(picks.kept, case.union);
        for support in [Support::Own, Support::Union] {
            let ridge = Ridge::default().support(support);
            let fitted = ridge.fit(&Cpu::new(), &[Problem::new(&around, &picks)]).unwrap().remove(0);
            assert!(fitted.report.gradient_norm < 1e-9, "{:?}", fitted.report);
            for (c, class) in case.classes.iter().enumerate() {
                let shares = fitted.shares();
                let row = shares.row(c);
                let (features, coefficients, intercept) = match support {
                    Support::Own => (&class.picks, &class.own, class.own_intercept),
                    Support::Union => (&case.union, &class.union, class.union_intercept),
                };
                let what = format!("{support:?}, class {c} of {:?}", case.problem);
                for (feature, expected) in features.iter().zip(coefficients) {
                    let at = picks.kept.iter().position(|f| f == feature).unwrap();
                    assert!((row[at] - expected).abs() < 1e-6, "{what}: {} {expected}", row[at]);
                }
                assert!((fitted.linear().unwrap().intercept()[c] - intercept).abs() < 1e-6, "{what}");
                let elsewhere = picks.kept.iter().zip(row).filter(|(f, _)| !features.contains(f));
                assert!(elsewhere.map(|(_, w)| w).all(|w| *w == 0.0), "{what}");
            }
        }
    }
}
