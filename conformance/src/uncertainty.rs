//! Error bars: the sandwich, what the penalty leaves, and selections repeated on rows drawn again.

use crate::problem::{Case, Made, cases, made, made_by};
use lipex_core::{
    Antithetic, Backend, Dependence, Describe, Draw, ErrorBars, Estimate, Exponential, Fitted, Forward, Intercept, Law,
    Linear, Method, Neighbourhood, Normalise, Pairs, Perturber, Problem, ProximityTable, Rank, Result, Sample,
    Selection, Selector, Setting, Softmax, Spread, Surrogate, Uncertainty, WeightProportional, by_name,
};
use lipex_cpu::Cpu;

/// How far standard errors may be apart, relatively.
const SLACK: f64 = 1e-3;

/// Passes if every standard error, the error of every contrast, and what is known of few rows agree.
fn close(a: &Spread, b: &Spread, classes: usize, features: usize, at: &str) {
    assert_eq!(a.method(), b.method(), "{at}");
    let near = |a: f64, b: f64| (a - b).abs() <= SLACK * a.abs() + 1e-12;
    let entries = (0..classes).flat_map(|c| (0..features).map(move |j| (c, j)));
    for (c, j) in entries {
        let (x, y) = (a.std_error(c, j), b.std_error(c, j));
        assert!(near(x, y), "{at}: standard error of {c}, {j}: {x} {y}");
        let other = ((c + 1) % classes, j);
        let (x, y) = (a.difference_error((c, j), other), b.difference_error((c, j), other));
        assert!(near(x, y), "{at}: contrast of {c}, {j}: {x} {y}");
        // Features too: a whole row of the covariance.
        let (x, y) = (a.covariance((c, j), (0, 0)), b.covariance((c, j), (0, 0)));
        let scale = a.std_error(c, j) * a.std_error(0, 0);
        assert!((x - y).abs() <= 2.0 * SLACK * scale + 1e-15, "{at}: covariance of {c}, {j}: {x} {y}");
    }
    let (few, other) = (a.few_rows_in_use(), b.few_rows_in_use());
    if let (Some(few), Some(other)) = (few, other) {
        assert!(
            near(few.degrees, other.degrees) && (few.unevenness - other.unevenness).abs() < 1e-4,
            "{at}: {few:?} {other:?}"
        );
    }
    assert_eq!(few.is_some(), other.is_some(), "{at}");
}

/// The CPU's spread. Not generic, since a bound on the backend would hide what the CPU implements.
fn of_cpu(settings: &Softmax, problem: &Problem<'_, Cpu>, fitted: &Fitted) -> Option<Spread> {
    settings.spread(&Cpu::new(), problem, fitted).unwrap()
}

/// One of the suite's problems with settings, and how its rows depend on one another.
struct Asked {
    made: Made,
    settings: Softmax,
    /// Whether rows count as often as their number modulo 3.
    counted: bool,
    /// What W of the fit is multiplied by.
    times: f64,
}

/// What is asked: every size that is not too large, divergences, normalisations, dependences, rows that count differently.
fn asked() -> Vec<Asked> {
    let settings = || Softmax::default().lambda(1e-3).unwrap();
    let one = |made, settings, counted| Asked { made, settings, counted, times: 1.0 };
    let case = Case { features: 12, rows: 300, classes: 4, kept: 7 };
    let mut all: Vec<Asked> = cases()
        .into_iter()
        .filter(|c| c.rows > 2 && c.classes * (c.kept + 1) <= 220)
        .map(|c| one(made(c, 41), settings(), false))
        .collect();
    for divergence in ["kl", "reverse-kl", "js", "alpha:0.5", "alpha:2"] {
        let settings = settings().erased_divergence(by_name(divergence).unwrap());
        all.push(one(made(case, 41), settings, false));
    }
    all.push(one(made(case, 43), Softmax::paper(), true));
    all.push(one(made(case, 43), settings().normalise(Normalise::Weight), true));
    all.push(one(made_by(&Antithetic, case, 43), settings(), false));
    all.push(one(made_by(&Sizes, case, 43), settings().normalise(Normalise::Weight), true));
    let anchored = |settings: Softmax| settings.intercept(Intercept::Anchored);
    all.push(one(made(case, 43), anchored(settings()), false));
    all.push(one(made(case, 43), anchored(settings().normalise(Normalise::Weight)), true));
    let pairs = Pairs::Given(vec![(0, 1), (1, 3)]);
    all.push(one(made(case, 43), anchored(settings().pairs(pairs)), false));
    // 272 entries, which is 17 whole tiles, and more than a block has threads.
    let wide = Case { features: 16, rows: 40, classes: 17, kept: 16 };
    all.push(one(made(wide, 41), settings(), false));
    // Far from its optimum the exact Hessian is indefinite.
    let far = one(made(case, 47), settings().lambda(1e-6).unwrap(), false);
    all.push(Asked { times: -3.0, ..far });
    all
}

/// Weight-proportional masks, whose own weights the problems of the suite do without.
struct Sizes;

impl Describe for Sizes {
    fn describe(&self) -> Vec<Setting> {
        WeightProportional.describe()
    }
}

impl Law for Sizes {
    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        WeightProportional.dependence()
    }
}

impl Perturber<Cpu> for Sizes {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        let tables: Vec<ProximityTable> = draw.features.iter().map(|&d| Exponential::default().table(d)).collect();
        Perturber::<Cpu>::perturb_by(&WeightProportional, on, draw, &tables)
    }
}

/// Standard errors of W and of contrasts within 10⁻³ of the CPU's at the CPU's fit; the same method taken; the same shrinkage.
pub fn spreads_equal_the_cpu<B: Backend>(on: &B)
where
    Softmax: Surrogate<B>,
{
    let cpu = Cpu::new();
    let mut methods = Vec::new();
    for Asked { made, settings, counted, times: far } in asked() {
        let at = format!("{settings:?} at {:?}, {:?}, {counted} {far}", made.case, made.dependence);
        let times: Vec<u32> = (0..made.case.rows as u32).map(|i| if i == 0 { 1 } else { i % 3 }).collect();
        let multiplicities = counted.then_some(times.as_slice());
        let (expected, own) = (made.on(&cpu), made.on(on));
        let expected = Problem { multiplicities, ..Problem::new(&expected, &made.selection) };
        let own = Problem { multiplicities, ..Problem::new(&own, &made.selection) };
        let mut fitted = Surrogate::<Cpu>::fit(&settings, &cpu, &[Problem { ..expected }]).unwrap().remove(0);
        if far != 1.0 {
            let linear = fitted.linear().unwrap();
            let matrix = linear.coefficients().iter().map(|row| row.iter().map(|w| w * far).collect()).collect();
            let b = settings.has_intercept().then(|| linear.intercept());
            let support = linear.support().to_vec();
            fitted.answer =
                Linear::from_presence(linear.kept().to_vec(), matrix, b, support, linear.link()).unwrap().into();
        }
        let (a, b) = (of_cpu(&settings, &expected, &fitted), settings.spread(on, &own, &fitted));
        let (a, b) = (a.unwrap_or_else(|| panic!("{at}: no spread")), b.unwrap().unwrap());
        close(&a, &b, made.case.classes, made.case.kept, &at);
        methods.push(a.method());
        let shrunk = Surrogate::<Cpu>::relaxed(&settings, &cpu, &expected, &fitted).unwrap().unwrap();
        let other = settings.relaxed(on, &own, &fitted).unwrap().unwrap();
        let [shrunk, other] = [shrunk, other].map(|less| fitted.shrinkage(&less).unwrap());
        assert!((shrunk - other).abs() <= 1e-2 * shrunk, "{at}: {shrunk} {other}");
    }
    assert!(methods.contains(&Method::Sandwich) && methods.contains(&Method::SandwichGaussNewton), "{methods:?}");
    let problem = made(Case { features: 33, rows: 127, classes: 20, kept: 33 }, 41);
    let around = problem.on(on);
    let problem = Problem::new(&around, &problem.selection);
    let fitted = Softmax::default().max_evaluations(1).fit(on, &[Problem { ..problem }]).unwrap().remove(0);
    let wide = Softmax::default().spread(on, &problem, &fitted).unwrap();
    assert!(wide.is_none(), "680 entries are too many");
    let kinks = Softmax::default().erased_divergence(by_name("tv").unwrap());
    assert!(kinks.spread(on, &problem, &fitted).unwrap().is_none());
}

/// The bars of an estimate on any backend.
fn bars<B: Backend>(on: &B, around: &Neighbourhood<B>, made: &Made, fitted: &Fitted) -> Uncertainty
where
    Forward: Selector<B>,
    Softmax: Surrogate<B>,
{
    let estimate = Estimate {
        on,
        around,
        selection: &made.selection,
        fitted,
        surrogate: &Softmax::default(),
        selector: Some(&Forward::new(3).unwrap()),
        rank: Rank::Supporting,
        seed: 5,
    };
    estimate.uncertainty(&ErrorBars::default().refits(30).unwrap().top(3).unwrap()).unwrap()
}

/// Those of the CPU, for the same reason as [`of_cpu`].
fn bars_of_cpu(around: &Neighbourhood<Cpu>, made: &Made, fitted: &Fitted) -> Uncertainty {
    bars(&Cpu::new(), around, made, fitted)
}

/// Intervals, bands and the shares in the top k; selections of rows drawn again are the CPU's, in one batch as one by one.
pub fn bars_equal_the_cpu<B: Backend>(on: &B)
where
    Forward: Selector<B>,
    Softmax: Surrogate<B>,
{
    let cpu = Cpu::new();
    let made = made(Case { features: 12, rows: 200, classes: 3, kept: 6 }, 53);
    let (expected, own) = (made.on(&cpu), made.on(on));
    let problem = Problem::new(&expected, &made.selection);
    let fitted = Surrogate::<Cpu>::fit(&Softmax::default(), &cpu, &[problem]).unwrap().remove(0);
    let (a, b) = (bars_of_cpu(&expected, &made, &fitted), bars(on, &own, &made, &fitted));
    assert_eq!((a.method, a.rows, a.not_covered.len()), (b.method, b.rows, b.not_covered.len()));
    for (x, y) in [(a.quantile, b.quantile), (a.band, b.band)] {
        assert!((x - y).abs() <= 5e-3 * x, "{x} {y}");
    }
    let (top, other) = (a.in_top.unwrap(), b.in_top.unwrap());
    let uneven = top.share.iter().flatten().filter(|s| **s > 0.1 && **s < 0.9).count();
    assert!(uneven > 5, "{:?}", top.share);
    for (x, y) in top.share.iter().flatten().zip(other.share.iter().flatten()) {
        // One refit of thirty may break a near tie the other way.
        assert!((x - y).abs() < 0.05, "{x} {y}");
    }
    let times: Vec<Vec<u32>> = (0..3u32).map(|r| (0..200).map(|i| (i * (r + 1)) % 4).collect()).collect();
    let selector = Forward::default();
    let drawn = selector.reselect(on, &own, &times).unwrap();
    assert_eq!(drawn, reselected(&selector, &expected, &times));
    assert!(drawn.iter().any(|d| d.per_class != drawn[0].per_class));
    assert!(selector.reselect(on, &own, &[vec![1; 3]]).is_err());
}

fn reselected(selector: &Forward, around: &Neighbourhood<Cpu>, times: &[Vec<u32>]) -> Vec<Selection> {
    Selector::<Cpu>::reselect(selector, &Cpu::new(), around, times).unwrap()
}
