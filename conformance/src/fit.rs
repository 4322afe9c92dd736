//! Softmax surrogates: objective and gradient against an f64 oracle, fits against the CPU's.

use crate::problem::{Case, EVALUATED, Made, cases, made};
use lipex_core::philox::{Draws, Purpose};
use lipex_core::{
    Alpha, Backend, Base, Divergence, ErasedDivergence, FitReport, Fitted, INTERCEPT_PENALTY, Intercept, Linear, Link,
    Normalise, Pairs, Problem, Q, Real, Result, Softmax, Start, Surrogate, Term, anchor, by_name,
};
use lipex_cpu::Cpu;
use std::sync::Arc;

/// The α-divergence as a user would write it.
struct OwnAlpha;

impl Divergence for OwnAlpha {
    fn name(&self) -> String {
        "own-alpha:0.4".into()
    }
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        let mixed = p.powf(0.4) * (q.ln * R::constant(0.6)).exp();
        (mixed - R::constant(0.4) * p - R::constant(0.6) * q.value) / R::constant(0.4 * -0.6)
    }
}

/// A divergence that only this suite knows.
pub fn own_divergence() -> Arc<dyn ErasedDivergence> {
    Arc::new(OwnAlpha)
}

/// Every built-in divergence, α inside and outside (0, 1), and one of the suite's own.
pub fn divergences() -> Vec<Arc<dyn ErasedDivergence>> {
    let mut all: Vec<Arc<dyn ErasedDivergence>> =
        ["hellinger", "kl", "reverse-kl", "js", "tv"].iter().map(|name| by_name(name).unwrap()).collect();
    all.push(Arc::new(Alpha::new(0.5).unwrap()));
    all.push(Arc::new(Alpha::new(2.0).unwrap()));
    all.push(own_divergence());
    all
}

/// The objective at W and b, and its gradient centred over classes, plainly and in f64. Of an anchored fit the gradient is by −W,
/// the weights of what is removed.
pub fn oracle(
    made: &Made,
    settings: &Softmax,
    (matrix, intercept): (&[Vec<f64>], &[f64]),
    width: Option<f32>,
) -> (f64, Vec<Vec<f64>>) {
    let Case { rows, classes, .. } = made.case;
    let (kept, lambda) = (&made.selection.kept, settings.lambda_used().unwrap());
    let anchored = settings.intercept_in_use() == Intercept::Anchored;
    let columns = kept.len() + usize::from(settings.has_intercept());
    let n = match settings.normalise_in_use() {
        Normalise::Count => rows as f64,
        Normalise::Weight => made.pi.iter().map(|&w| f64::from(w)).sum(),
    };
    let (mut value, mut gradient) = (0.0, vec![vec![0.0; columns]; classes]);
    for i in 0..rows {
        let present: Vec<usize> = (0..kept.len()).filter(|&j| made.keeps(i, kept[j])).collect();
        let logits: Vec<f64> =
            (0..classes).map(|c| intercept[c] + present.iter().map(|&j| matrix[c][j]).sum::<f64>()).collect();
        let top = logits.iter().copied().fold(f64::MIN, f64::max);
        let ln_sum = logits.iter().map(|l| (l - top).exp()).sum::<f64>().ln();
        let weight = f64::from(made.pi[i]) / n;
        let mut slopes = Vec::with_capacity(classes);
        for (c, l) in logits.iter().enumerate() {
            let p = f64::from(made.p[i * classes + c]);
            let p = if p < 4e-31 { 0.0 } else { p };
            let (v, s, _) = settings.divergence_in_use().derivatives(p, l - top - ln_sum, width);
            value += weight * v;
            slopes.push(s);
        }
        let all: f64 = slopes.iter().sum();
        for (c, l) in logits.iter().enumerate() {
            let g = weight * (slopes[c] - (l - top - ln_sum).exp() * all);
            let ones = (0..kept.len()).filter(|&j| made.keeps(i, kept[j]) != anchored);
            ones.for_each(|j| gradient[c][j] += g);
            if columns > kept.len() {
                gradient[c][kept.len()] += g;
            }
        }
    }
    (0..columns).for_each(|j| {
        let penalty = if j < kept.len() { lambda } else { INTERCEPT_PENALTY };
        let sign = if anchored { -1.0 } else { 1.0 };
        let x = |c: usize| matrix[c].get(j).map_or(intercept[c], |w| sign * w);
        (0..classes).for_each(|c| gradient[c][j] += penalty * x(c));
        value += 0.5 * penalty * (0..classes).map(|c| x(c) * x(c)).sum::<f64>();
        let mean = (0..classes).map(|c| gradient[c][j]).sum::<f64>() / classes as f64;
        (0..classes).for_each(|c| gradient[c][j] -= mean);
    });
    (value, gradient)
}

/// A point away from any optimum, centred over classes; logits are a few units apart however many features there are.
pub fn point(case: Case, intercept: bool) -> Fitted {
    let size = (4.0 / (case.kept as f64).sqrt()).min(2.0);
    let number = |c: usize, j: usize| {
        let away = if j == 0 && c < 2 { 1.5 - 3.0 * c as f64 } else { 0.0 };
        away + size * (2.0 * Draws::new(5, c as u32, j as u32, Purpose::Starts).unit(0) - 1.0)
    };
    let mut matrix: Vec<Vec<f64>> = (0..case.classes).map(|c| (0..case.kept).map(|j| number(c, j)).collect()).collect();
    let mut b: Vec<f64> = (0..case.classes).map(|c| if intercept { number(c, case.kept) } else { 0.0 }).collect();
    for j in 0..case.kept {
        let mean = matrix.iter().map(|row| row[j]).sum::<f64>() / case.classes as f64;
        matrix.iter_mut().for_each(|row| row[j] -= mean);
    }
    let mean = b.iter().sum::<f64>() / case.classes as f64;
    b.iter_mut().for_each(|b| *b -= mean);
    let report = FitReport {
        objective: 0.0,
        gradient_norm: 0.0,
        lambda: 0.0,
        iterations: 0,
        evaluations: 0,
        hessian_products: 0,
        converged: false,
        stopped: String::new(),
        start: Start::Given,
        intercept: None,
    };
    let support = vec![(0..case.kept).collect(); case.classes];
    let b = intercept.then_some(b);
    let linear = Linear::from_presence((0..case.kept).collect(), matrix, b, support, Link::Softmax).unwrap();
    Fitted::new(linear, report)
}

/// The same weights, anchored at row 0.
fn anchored_at(made: &Made, point: &Fitted) -> Fitted {
    let (linear, mut base) = (point.linear().unwrap(), anchor(&made.p[..made.case.classes]));
    let mean = base.iter().sum::<f64>() / base.len() as f64;
    base.iter_mut().for_each(|b| *b -= mean);
    let (kept, coefficients) = (made.selection.kept.clone(), linear.coefficients().to_vec());
    let (terms, support) = (kept.iter().map(|&j| Term::one(j)).collect(), linear.support().to_vec());
    let answer = Linear::new(kept, terms, coefficients, Base::Anchored(base), support, Link::Softmax).unwrap();
    Fitted::new(answer, point.report.clone())
}

/// Objective and centred gradient of a problem at a point, as a backend evaluates them while fitting.
pub type Objective<'a, B> = &'a dyn Fn(&Softmax, &Problem<'_, B>, &Fitted) -> Result<(f64, Vec<Vec<f64>>)>;

/// Objective within 10⁻⁵·F + 10⁻⁸ and gradient within 10⁻⁵ of its largest component, away from the optimum.
pub fn gradient_matches_the_oracle<B: Backend>(
    on: &B,
    divergence: &Arc<dyn ErasedDivergence>,
    objective: Objective<'_, B>,
) {
    let settings = Softmax::default().erased_divergence(divergence.clone());
    for case in cases().into_iter().chain([EVALUATED]) {
        let made = made(case, 11);
        let around = made.on(on);
        for intercept in [Intercept::Fitted, Intercept::None, Intercept::Anchored] {
            let settings = settings.clone().intercept(intercept);
            let mut point = point(case, settings.has_intercept());
            if intercept == Intercept::Anchored {
                // At the instance the divergence is 0 but for rounding, and its rounding is all there is to compare.
                if case.rows <= 2 || case == EVALUATED {
                    continue;
                }
                point = anchored_at(&made, &point);
            }
            let (value, gradient) = objective(&settings, &Problem::new(&around, &made.selection), &point).unwrap();
            let width = (!divergence.is_smooth()).then_some(0.1);
            let (v, g) =
                oracle(&made, &settings, (point.shares().matrix(), &point.linear().unwrap().intercept()), width);
            let at = format!("{} at {case:?}, {intercept:?}", divergence.name());
            assert!((value - v).abs() <= 1e-5 * v.abs() + 1e-8, "{at}: {value} {v}");
            let largest = g.iter().flatten().fold(0.0f64, |m, x| m.max(x.abs()));
            assert!(largest > 1e-5, "{at}: nothing to compare");
            assert_eq!((gradient.len(), gradient[0].len()), (g.len(), g[0].len()));
            for (a, b) in gradient.iter().flatten().zip(g.iter().flatten()) {
                assert!((a - b).abs() <= 1e-5 * largest, "{at}: {a} {b}, largest {largest}");
            }
        }
    }
}

/// A tolerance at which W is a matter of the problem and no more of where a solver stops.
///
/// A fit that stops with a predicted excess of t·F leaves an entry of W within √(2·t·F/μ) of the optimum, μ being the least
/// curvature. With the default t = 10⁻⁷ that is up to 6·10⁻³ where λ = 10⁻⁴ (N = 1000, C = 20, F = 100), although
/// objectives agree to 3·10⁻⁷ of themselves; with this one no problem of this suite is ill conditioned.
pub const TIGHT: f64 = 1e-10;

/// A fit that has two minima: the divergence's name and the features kept. They are 5·10⁻⁴ of F apart.
///
/// An objective that is not convex may; each backend's steps lead to one of them, and each stays at the other's.
const TWO_MINIMA: (&str, usize) = ("own-alpha:0.4", 67);

/// Problems of the sizes that are wanted.
fn problems(wanted: impl Fn(&Case) -> bool, seed: u64) -> Vec<Made> {
    let all: Vec<Made> = cases().into_iter().filter(wanted).map(|c| made(c, seed)).collect();
    assert!(!all.is_empty());
    all
}

/// Fits in one batch of the sizes wanted, with this divergence and λ: objectives are the CPU's within 10⁻⁵ of F.
pub fn objectives_equal_the_cpu<B: Backend>(
    on: &B,
    divergence: &Arc<dyn ErasedDivergence>,
    lambda: f64,
    wanted: impl Fn(&Case) -> bool,
) where
    Softmax: Surrogate<B>,
{
    let settings = Softmax::default().erased_divergence(divergence.clone()).lambda(lambda).unwrap();
    compare(on, &settings, &problems(wanted, 13));
}

/// The same fits carried on to [`TIGHT`]: objectives within 10⁻⁵ of F, W within 10⁻³.
pub fn matrices_equal_the_cpu<B: Backend>(
    on: &B,
    divergence: &Arc<dyn ErasedDivergence>,
    lambda: f64,
    wanted: impl Fn(&Case) -> bool,
) where
    Softmax: Surrogate<B>,
{
    let settings = Softmax::default().erased_divergence(divergence.clone()).lambda(lambda).unwrap();
    compare(on, &settings.tolerance(TIGHT).unwrap(), &problems(wanted, 13));
}

/// Fits that are anchored at row 0: at [`TIGHT`] the CPU's objectives within 10⁻⁵ of F, W within 10⁻³; the instance's own answer
/// within the clamp; refused where row 0 is not the instance.
pub fn anchored_fits_equal_the_cpu<B: Backend>(
    on: &B,
    divergence: &Arc<dyn ErasedDivergence>,
    lambda: f64,
    wanted: impl Fn(&Case) -> bool,
) where
    Softmax: Surrogate<B>,
{
    let settings = Softmax::default().erased_divergence(divergence.clone()).lambda(lambda).unwrap();
    let settings = settings.tolerance(TIGHT).unwrap().intercept(Intercept::Anchored);
    let problems = problems(wanted, 13);
    for (made, fit) in problems.iter().zip(compare(on, &settings, &problems)) {
        let whole = fit.predict(&vec![true; made.case.kept]).unwrap();
        let tv: f64 = made.p.iter().zip(&whole).map(|(&p, q)| 0.5 * (f64::from(p) - q).abs()).sum();
        assert!(tv <= 1e-4, "{:?}: TV {tv} at the instance", made.case);
    }
    let mut other = made(Case { features: 33, rows: 20, classes: 3, kept: 5 }, 13);
    other.bits[0] &= !1;
    let around = other.on(on);
    let refused = settings.fit(on, &[Problem::new(&around, &other.selection)]).unwrap_err().to_string();
    assert!(refused.contains("row 0 must keep all 33 features"), "{refused}");
}

/// Fits with given pairs, anchored and with an intercept: the CPU's coefficients within 10⁻³, and its answers to every row within
/// 10⁻⁴; a warm start stays where it is.
pub fn fits_with_pairs_equal_the_cpu<B: Backend>(on: &B, divergence: &Arc<dyn ErasedDivergence>, lambda: f64)
where
    Softmax: Surrogate<B>,
{
    let case = Case { features: 33, rows: 300, classes: 4, kept: 11 };
    let made = made(case, 13);
    let kept = &made.selection.kept;
    let pairs = vec![(kept[0], kept[1]), (kept[3], kept[10]), (kept[4], kept[5])];
    let cpu = Cpu::new();
    let (expected, own) = (made.on(&cpu), made.on(on));
    for intercept in [Intercept::Anchored, Intercept::Fitted] {
        let settings = Softmax::default().erased_divergence(divergence.clone()).lambda(lambda).unwrap();
        let settings = settings.tolerance(TIGHT).unwrap().intercept(intercept);
        let settings = settings.pairs(Pairs::Given(pairs.clone()));
        let e = fitted(&settings, &[Problem::new(&expected, &made.selection)]).remove(0);
        let g = settings.fit(on, &[Problem::new(&own, &made.selection)]).unwrap().remove(0);
        let at = format!("{} with pairs, {intercept:?}", divergence.name());
        let (a, b) = (e.linear().unwrap(), g.linear().unwrap());
        assert_eq!((a.terms(), b.pairs().len(), a.base().kind()), (b.terms(), 3, b.base().kind()), "{at}");
        for (a, b) in a.coefficients().iter().flatten().zip(b.coefficients().iter().flatten()) {
            assert!((a - b).abs() <= 1e-3, "{at}: {a} {b}");
        }
        let largest =
            |fit: &Linear| fit.coefficients().iter().flat_map(|row| &row[11..]).fold(0.0f64, |m, v| m.max(v.abs()));
        assert!(largest(b) > 0.01, "{at}: the pairs do nothing");
        let answers = |fit: &Fitted| fit.answer.predict_all(&made.bits, case.features).unwrap();
        for (a, b) in answers(&e).iter().zip(answers(&g)) {
            assert!((a - b).abs() <= 1e-4, "{at}: an answer of {a} {b}");
        }
        assert!((e.report.objective - g.report.objective).abs() <= 1e-5 * e.report.objective + 1e-8, "{at}");
        let warm = settings.fit(on, &[Problem { start: Some(&g), ..Problem::new(&own, &made.selection) }]).unwrap();
        assert!(warm[0].report.evaluations <= 3 || !divergence.is_smooth(), "{at}: {:?}", warm[0].report);
    }
}

/// The paper's settings, weights that sum to one, and a batch of 17 sizes, each of which fits as it does alone.
pub fn other_settings_equal_the_cpu<B: Backend>(on: &B)
where
    Softmax: Surrogate<B>,
{
    let few = problems(|case| case.features == 33, 13);
    compare(on, &Softmax::paper().tolerance(TIGHT).unwrap(), &few);
    compare(on, &Softmax::default().normalise(Normalise::Weight), &few);
    let case = |i: usize| Case { features: 1 + 4 * i, rows: 20 + 13 * i, classes: 2 + i % 5, kept: 1 + 2 * i };
    let many: Vec<Made> = (0..17).map(|i| made(case(i), 41)).collect();
    let settings = Softmax::default().tolerance(TIGHT).unwrap();
    let together = compare(on, &settings, &many);
    for (made, fit) in many.iter().zip(&together).step_by(5) {
        assert!(compare(on, &settings, std::slice::from_ref(made))[0] == *fit, "{:?} fits otherwise alone", made.case);
    }
}

/// The CPU's fits. Not generic, since a bound on the backend would hide what the CPU implements.
fn fitted(settings: &Softmax, problems: &[Problem<'_, Cpu>]) -> Vec<Fitted> {
    settings.fit(&Cpu::new(), problems).unwrap()
}

/// Compares a batch of fits with the CPU's, W only where the tolerance is [`TIGHT`]; returns the backend's.
fn compare<B: Backend>(on: &B, settings: &Softmax, problems: &[Made]) -> Vec<Fitted>
where
    Softmax: Surrogate<B>,
{
    let cpu = Cpu::new();
    let (expected, own): (Vec<_>, Vec<_>) = problems.iter().map(|m| (m.on(&cpu), m.on(on))).unzip();
    let expected: Vec<_> = expected.iter().zip(problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
    let own: Vec<_> = own.iter().zip(problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
    let (fits, got) = (fitted(settings, &expected), settings.fit(on, &own).unwrap());
    assert_eq!((fits.len(), got.len()), (problems.len(), problems.len()));
    let name = settings.divergence_in_use().name();
    for (i, made) in problems.iter().enumerate() {
        let (e, g) = (&fits[i], &got[i]);
        let value =
            |f: &Fitted| oracle(made, settings, (f.shares().matrix(), &f.linear().unwrap().intercept()), None).0;
        if (name.as_str(), made.case.kept) == TWO_MINIMA && (value(e) - value(g)).abs() > 1e-5 * value(e) {
            assert!((value(e) - value(g)).abs() < 1e-3 * value(e), "{} {}", value(e), value(g));
            equal(settings, made, &fitted(settings, &[Problem { start: Some(g), ..expected[i] }])[0], g);
            equal(settings, made, e, &settings.fit(on, &[Problem { start: Some(e), ..own[i] }]).unwrap()[0]);
        } else {
            equal(settings, made, e, g);
        }
    }
    got
}

/// Passes if `g` is the CPU's fit `e` of a problem.
fn equal(settings: &Softmax, made: &Made, e: &Fitted, g: &Fitted) {
    let divergence = settings.divergence_in_use();
    let at = format!(
        "{} at {:?}, λ = {}, tolerance {}",
        divergence.name(),
        made.case,
        e.report.lambda,
        settings.tolerance_in_use()
    );
    let value = |f: &Fitted| oracle(made, settings, (f.shares().matrix(), &f.linear().unwrap().intercept()), None).0;
    let (e_value, g_value) = (value(e), value(g));
    // Below its last smoothing width (10⁻⁴ a class) the total variation has digits that no fit determines.
    let least = if divergence.is_smooth() { 1e-8 } else { 1e-7 };
    assert!(
        (g_value - e_value).abs() <= 1e-5 * e_value.abs() + least,
        "{at}: {g_value} {e_value} {:?} {:?}",
        g.report,
        e.report
    );
    assert!((g.report.objective - g_value).abs() <= 1e-6 * g_value.abs() + 1e-8, "{at}: {:?} {g_value}", g.report);
    assert!(
        g.report.evaluations > 0 && g.report.converged && e.report.converged,
        "{at}: {:?} {:?}",
        g.report,
        e.report
    );
    assert_eq!(
        (&g.kept(), &g.linear().unwrap().support(), g.answer.link(), g.report.lambda),
        (&e.kept(), &e.linear().unwrap().support(), e.answer.link(), e.report.lambda)
    );
    let means = (0..made.case.kept).map(|j| g.shares().matrix().iter().map(|row| row[j]).sum::<f64>().abs());
    assert!(means.fold(0.0, f64::max) < 1e-9, "{at}: W is not centred");
    if settings.tolerance_in_use() <= TIGHT {
        for (a, b) in e.shares().matrix().iter().flatten().zip(g.shares().matrix().iter().flatten()) {
            assert!((a - b).abs() <= 1e-3, "{at}: W {a} {b}");
        }
    }
}

/// A start is started from, multiplicities count rows, and the limit on evaluations holds.
pub fn fits_start_and_count_as_told<B: Backend>(on: &B)
where
    Softmax: Surrogate<B>,
{
    let made = made(Case { features: 33, rows: 127, classes: 6, kept: 16 }, 17);
    let around = made.on(on);
    let settings = Softmax::default();
    let problem = Problem::new(&around, &made.selection);
    let cold = settings.fit(on, std::slice::from_ref(&problem)).unwrap().remove(0);
    assert!(cold.report.converged, "{:?}", cold.report);
    let warm = settings.fit(on, &[Problem { start: Some(&cold), ..problem }]).unwrap().remove(0);
    assert!(warm.report.evaluations <= 3 && warm.report.start == Start::Given, "{:?}", warm.report);
    let stopped =
        settings.clone().max_evaluations(2).fit(on, &[Problem::new(&around, &made.selection)]).unwrap().remove(0);
    assert!(!stopped.report.converged && stopped.report.evaluations <= 3, "{:?}", stopped.report);
    // Counting a row as often as its twin occurs is the fit of the longer problem.
    let times: Vec<u32> = (0..127).map(|i| i % 4).collect();
    let cpu = Cpu::new();
    let expected = made.on(&cpu);
    let counted = Problem { multiplicities: Some(&times), ..Problem::new(&around, &made.selection) };
    let on_cpu = Problem { multiplicities: Some(&times), ..Problem::new(&expected, &made.selection) };
    let strong = settings.lambda(1e-2).unwrap();
    let (g, e) = (strong.fit(on, &[counted]).unwrap().remove(0), fitted(&strong, &[on_cpu]).remove(0));
    for (a, b) in e.shares().matrix().iter().flatten().zip(g.shares().matrix().iter().flatten()) {
        assert!((a - b).abs() <= 1e-3, "W {a} {b}");
    }
}
