//! λ chosen by the data: the scores worked out plainly, and the CPU's choice.

use crate::problem::{Case, Made, made, made_by};
use lipex_core::{
    Antithetic, Backend, Dependence, ErasedDivergence, Fitted, Lambda, LambdaScale, Problem, Softmax, Surrogate,
    by_name, deal_folds, without_fold,
};
use lipex_cpu::Cpu;

/// Candidates whose scores are closer than this, relatively, may be chosen either way.
const CLOSE: f64 = 1e-4;

/// The first row with the mask of each row.
fn first(made: &Made) -> Vec<u32> {
    let words = made.case.features.div_ceil(32);
    let row = |i: usize| &made.bits[i * words..(i + 1) * words];
    let same = |i: usize| (0..i).find(|&k| row(k) == row(i)).unwrap_or(i);
    (0..made.case.rows).map(|i| same(i) as u32).collect()
}

/// Σ π·d over the rows of a fold.
fn held_out(made: &Made, divergence: &dyn ErasedDivergence, fitted: &Fitted, folds: &[usize], fold: usize) -> f64 {
    let classes = made.case.classes;
    let one = |i: usize| {
        let present: Vec<bool> = fitted.kept().iter().map(|&j| made.keeps(i, j)).collect();
        let q = fitted.predict(&present).unwrap();
        let terms = made.p[i * classes..(i + 1) * classes].iter().zip(&q);
        let sum: f64 = terms.map(|(&p, q)| divergence.value(f64::from(p), q.ln())).sum();
        f64::from(made.pi[i]) * sum
    };
    (0..made.case.rows).filter(|&i| folds[i] == fold).map(one).sum()
}

/// The score of each candidate: refits on the CPU, one λ and one fold at a time, each from its own start.
fn scores(made: &Made, settings: &Softmax, dependence: Dependence) -> Vec<f64> {
    let cpu = Cpu::new();
    let around = made.on(&cpu);
    let folds = deal_folds(&first(made), Lambda::FOLDS, dependence);
    let problem = Problem::new(&around, &made.selection);
    let score = |lambda: f64| {
        let settings = settings.clone().lambda(lambda).unwrap();
        let one = |fold: usize| {
            let times = without_fold(&problem, &folds, fold);
            let refit = Problem { multiplicities: Some(&times), ..Problem::new(&around, &made.selection) };
            let fitted = Surrogate::<Cpu>::fit(&settings, &cpu, &[refit]).unwrap().remove(0);
            held_out(made, settings.divergence_in_use(), &fitted, &folds, fold)
        };
        (1..=Lambda::FOLDS).map(one).sum()
    };
    settings.lambda_scale_in_use().candidates().into_iter().map(score).collect()
}

/// The largest penalties whose scores are as good as the least, give or take what is too close to tell.
fn least(scores: &[f64]) -> Vec<f64> {
    let bound = scores.iter().copied().fold(f64::INFINITY, f64::min) * (1.0 + Lambda::CLOSE);
    let within = |slack: f64| scores.iter().position(|&s| s <= bound * (1.0 + slack));
    let places = [within(CLOSE), within(-CLOSE)];
    places.into_iter().flatten().map(|at| LambdaScale::Curvature.candidates()[at]).collect()
}

/// The λ that is least by plain scores, which is the CPU's, with single masks and with pairs; kept by refits from a start.
pub fn penalties_chosen_equal_the_cpu<B: Backend>(on: &B)
where
    Softmax: Surrogate<B>,
{
    let case = |features, rows, classes, kept| Case { features, rows, classes, kept };
    let single = Dependence::Independent;
    let problems = [
        (made(case(12, 200, 3, 12), 29), single),
        (made(case(33, 127, 6, 16), 29), single),
        (made(case(40, 60, 4, 3), 31), single),
        (made_by(&Antithetic, case(12, 61, 3, 8), 29), Dependence::Pairs),
    ];
    // Where pairs lie in different folds, another λ is least.
    let (paired, settings) = (&problems[3].0, Softmax::default());
    assert_ne!(least(&scores(paired, &settings, Dependence::Pairs)), least(&scores(paired, &settings, single)));
    let mut seen = Vec::new();
    for divergence in ["hellinger", "kl"] {
        let settings = Softmax::default().erased_divergence(by_name(divergence).unwrap()).lambda_auto();
        let factor = settings.lambda_factor().unwrap();
        let around: Vec<_> = problems.iter().map(|(m, _)| m.on(on)).collect();
        let list: Vec<_> = around.iter().zip(&problems).map(|(a, (m, _))| Problem::new(a, &m.selection)).collect();
        let fitted = settings.fit(on, &list).unwrap();
        for ((fit, (made, dependence)), problem) in fitted.iter().zip(&problems).zip(&list) {
            let at = format!("{divergence} at {:?}, {dependence:?}", made.case);
            let (lambda, scores) = (fit.report.lambda / factor, scores(made, &settings, *dependence));
            let allowed = least(&scores);
            assert!(
                allowed.iter().any(|l| (l - lambda).abs() <= 1e-9 * l),
                "{at}: {lambda}, not of {allowed:?} {scores:?}"
            );
            seen.push((allowed.len(), lambda));
            let warm = settings.fit(on, &[Problem { start: Some(fit), ..*problem }]).unwrap().remove(0);
            assert!(warm.report.lambda == fit.report.lambda && warm.report.evaluations <= 3, "{at}: {:?}", warm.report);
        }
    }
    // Not the same for all, and mostly not a matter of rounding.
    assert!(seen.iter().any(|(_, l)| (l - seen[0].1).abs() > 1e-9), "{seen:?}");
    assert!(seen.iter().filter(|(n, _)| *n == 1).count() >= seen.len() - 1, "{seen:?}");
    // A mask or two: nothing can be held out.
    let few = made(case(1, 2, 3, 1), 29);
    let around = few.on(on);
    let fit = Softmax::default().lambda_auto().fit(on, &[Problem::new(&around, &few.selection)]).unwrap().remove(0);
    assert_eq!(fit.report.lambda, 1e-4);
}
