//! Fidelity, and whole explanations.

use crate::fit::TIGHT;
use crate::problem::{Case, Made, made};
use lipex_core::{
    Agreement, Antithetic, Backend, BlackBox, Dependence, Describe, Evaluator, Explainer, Exponential, Feature,
    Fidelity, Fitted, Forward, HighestWeights, Instance, Masks, Neighbourhood, OutOfFold, Perturber, Preset,
    Probabilities, Problem, Proximity, Render, Result, Ridge, Selector, Setting, Softmax, Surrogate, UniformSize,
};
use lipex_cpu::Cpu;
use std::ops::Range;

/// What agreements of the same surrogate on the same rows may differ by.
const SLACK: f64 = 1e-5;
/// What out-of-fold agreements of refits that stop early may differ by: the figures that reports print.
const EARLY: f64 = 5e-3;

/// Refits that are carried on to [`TIGHT`], so that where they stop does not show in what is measured with them.
struct Tight<S>(S);

impl<S: Describe> Describe for Tight<S> {
    fn describe(&self) -> Vec<Setting> {
        self.0.describe()
    }
}

impl<B: Backend, S: Surrogate<B>> Surrogate<B> for Tight<S> {
    fn fit(&self, on: &B, problems: &[Problem<'_, B>]) -> Result<Vec<Fitted>> {
        let tight: Vec<_> = problems.iter().map(|p| Problem { tolerance: Some(TIGHT), ..*p }).collect();
        self.0.fit(on, &tight)
    }
}

/// Passes if two agreements are within `slack` of each other, relative to 0.05 and the number itself.
fn close(a: &Agreement, b: &Agreement, slack: f64, at: &str) {
    let pairs = [(a.tv, b.tv), (a.hellinger, b.hellinger), (a.kl, b.kl), (a.off_simplex, b.off_simplex)];
    assert!(pairs.iter().all(|(a, b)| (a - b).abs() <= slack * (0.05 + a.abs())), "{at}: {a:?} {b:?}");
    assert!((a.arg_max - b.arg_max).abs() <= 0.02, "{at}: {a:?} {b:?}");
}

/// Fidelities in sample, at the instance and out of fold, of a softmax and of a ridge, with pairs and without.
pub fn fidelities_equal_the_cpu<B: Backend>(on: &B)
where
    Softmax: Surrogate<B>,
    Ridge: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    // The last but one has masks of five words; the last the same masks over and over, so that folds depend on which rows are
    // equal.
    let cases = [(33, 127, 6, 16), (32, 300, 3, 8), (1, 2, 2, 1), (5, 127, 20, 5), (130, 90, 4, 3), (4, 600, 3, 4)];
    let problems: Vec<Made> = cases
        .into_iter()
        .map(|(features, rows, classes, kept)| made(Case { features, rows, classes, kept }, 19))
        .collect();
    let cpu = Cpu::new();
    let settings = Softmax::default().lambda(1e-3).unwrap();
    for dependence in [Dependence::Independent, Dependence::Pairs] {
        let (expected, own) = (drawn(&cpu, &problems, dependence), drawn(on, &problems, dependence));
        let expected: Vec<_> = expected.iter().zip(&problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
        let own: Vec<_> = own.iter().zip(&problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
        let tight = Tight(settings.clone());
        compare::<B>(on, (&tight, &tight), &expected, &own, SLACK);
        compare::<B>(on, (&Ridge::default(), &Ridge::default()), &expected, &own, SLACK);
        // As they are made by default, refits stop early: only averages of them are read.
        compare::<B>(on, (&settings, &settings), &expected, &own, EARLY);
    }
}

/// Neighbourhoods whose rows depend on one another so.
fn drawn<B: Backend>(on: &B, problems: &[Made], dependence: Dependence) -> Vec<Neighbourhood<B>> {
    problems.iter().map(|m| m.on(on).drawn(dependence)).collect()
}

/// Not generic, since a bound on the backend would hide what the CPU implements.
fn evaluated(problems: &[Problem<'_, Cpu>], fitted: &[Fitted], surrogate: &dyn Surrogate<Cpu>) -> Vec<Fidelity> {
    OutOfFold::default().evaluate(&Cpu::new(), problems, fitted, surrogate).unwrap()
}

fn explainer(preset: Preset) -> Explainer<Cpu> {
    of_preset(Cpu::new(), preset)
}

fn of_preset<B: Backend>(on: B, preset: Preset) -> Explainer<B>
where
    UniformSize: Perturber<B>,
    Exponential: Proximity<B>,
    Forward: Selector<B>,
    HighestWeights: Selector<B>,
    Softmax: Surrogate<B>,
    Ridge: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    let explainer = match preset {
        Preset::Lime => Explainer::lime(on),
        Preset::Paper => Explainer::paper(on),
        _ => Explainer::lipex(on),
    };
    explainer.samples(400)
}

fn compare<B: Backend>(
    on: &B,
    surrogate: (&dyn Surrogate<Cpu>, &dyn Surrogate<B>),
    expected: &[Problem<'_, Cpu>],
    own: &[Problem<'_, B>],
    slack: f64,
) where
    OutOfFold: Evaluator<B>,
{
    let cpu = Cpu::new();
    let fitted = surrogate.0.fit(&cpu, expected).unwrap();
    // Both evaluate the same fits, so that only the evaluation is compared.
    let e = evaluated(expected, &fitted, surrogate.0);
    let g = OutOfFold::default().evaluate(on, own, &fitted, surrogate.1).unwrap();
    assert_eq!(e.len(), g.len());
    for (i, (e, g)) in e.iter().zip(&g).enumerate() {
        close(&e.at_instance, &g.at_instance, SLACK, &format!("instance of {i}"));
        close(&e.in_sample, &g.in_sample, SLACK, &format!("in sample of {i}"));
        for (name, e, g) in [("out of fold", &e.out_of_fold, &g.out_of_fold), ("near", &e.near, &g.near)] {
            assert_eq!(e.is_some(), g.is_some(), "{name} of {i}");
            if let (Some(e), Some(g)) = (e, g) {
                close(e, g, slack, &format!("{name} of {i}"));
            }
        }
        assert!(e.r2.iter().zip(&g.r2).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", e.r2, g.r2);
    }
    assert!(e.iter().any(|e| e.out_of_fold.is_some()) && e.iter().any(|e| e.out_of_fold.is_none()));
    assert!(e.iter().any(|e| e.near.is_some_and(|near| near.tv > 0.0)));
}

/// Features without content, rendered to their own masks.
pub struct Bare(Vec<Feature>);

impl Bare {
    fn new(features: usize) -> Self {
        Bare((0..features).map(|j| Feature { name: format!("f{j}"), spans: Vec::new(), region: None }).collect())
    }
}

impl Instance for Bare {
    fn features(&self) -> &[Feature] {
        &self.0
    }
}

impl<B: Backend> Render<B, Vec<Vec<u32>>> for Bare {
    fn render(&self, on: &B, masks: &Masks<B>, rows: Range<usize>) -> Result<Vec<Vec<u32>>> {
        let bits = on.download(masks.bits())?;
        Ok(rows.map(|i| bits[i * masks.words()..(i + 1) * masks.words()].to_vec()).collect())
    }
}

/// A classifier of masks with pairs in it.
pub struct OfMasks(Vec<String>);

impl<B: Backend> BlackBox<B, Vec<Vec<u32>>> for OfMasks {
    fn labels(&self) -> Option<&[String]> {
        Some(&self.0)
    }

    fn predict(&self, on: &B, batch: &Vec<Vec<u32>>) -> Result<Probabilities<B>> {
        let mut values = Vec::new();
        for row in batch {
            let has = |j: usize| f64::from(u8::from(row[j / 32] >> (j % 32) & 1 == 1));
            let mut logits = vec![has(0) + 2.0 * has(1) * has(2), 1.5 * has(3), 0.7 * has(4) - has(0)];
            logits.extend((3..self.0.len()).map(|c| 0.3 * has(c)));
            lipex_core::softmax_in_place(&mut logits);
            values.extend(logits.iter().map(|&l| l as f32));
        }
        Probabilities::new(on, batch.len(), self.0.len(), on.upload(values)?)
    }
}

/// An instance of so many features, rendered to its own masks, and a classifier of masks with three classes or more.
pub fn instance_and_model(features: usize, classes: usize) -> (Bare, OfMasks) {
    (Bare::new(features), OfMasks((0..classes).map(|c| format!("class {c}")).collect()))
}

/// The presets end to end, fits carried on to [`TIGHT`]: the CPU's picks, W within 10⁻³, fidelity; `explain_many` equals `explain`; runs repeat to the bit.
pub fn explanations_equal_the_cpu<B: Backend>(on: &B)
where
    UniformSize: Perturber<B>,
    Antithetic: Perturber<B>,
    Exponential: Proximity<B>,
    Forward: Selector<B>,
    HighestWeights: Selector<B>,
    Softmax: Surrogate<B>,
    Ridge: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    let model = OfMasks(["a", "b", "c"].map(String::from).to_vec());
    let instances = [Bare::new(12), Bare::new(33), Bare::new(5)];
    let all: Vec<&Bare> = instances.iter().collect();
    // One by one: `with_preset` asks a backend for the stages of every preset.
    let presets = [
        (Preset::Lipex, Explainer::lipex(on.clone())),
        (Preset::Paper, Explainer::paper(on.clone())),
        (Preset::Lime, Explainer::lime(on.clone())),
    ];
    for (preset, own) in presets {
        let (mut cpu, mut own) = (explainer(preset), own.samples(400));
        if preset != Preset::Lime {
            let tight = preset.softmax(lipex_core::Domain::Text).tolerance(TIGHT).unwrap();
            (cpu, own) = (cpu.surrogate(tight.clone()), own.surrogate(tight));
        }
        let many = own.explain_many(&all, &model).unwrap();
        for (instance, one) in instances.iter().zip(&many) {
            let e = cpu.explain(instance, &model).unwrap();
            let g = own.explain(instance, &model).unwrap();
            // The 32 masks of five features are enumerated, with weights of their own.
            assert_eq!((g.calls, e.calls.complete), (e.calls, preset == Preset::Lipex && e.features.len() == 5));
            assert_eq!(
                (&g.shares().matrix(), &g.answer.as_ref().unwrap().linear().unwrap().intercept(), &g.fidelity),
                (&one.shares().matrix(), &one.answer.as_ref().unwrap().linear().unwrap().intercept(), &one.fidelity)
            );
            assert_eq!(
                (&g.kept(), &g.answer.as_ref().unwrap().linear().unwrap().support(), &g.probabilities.model),
                (&e.kept(), &e.answer.as_ref().unwrap().linear().unwrap().support(), &e.probabilities.model)
            );
            assert_eq!((&g.backend[..], &g.fit.as_ref().unwrap().lambda), (on.name(), &e.fit.as_ref().unwrap().lambda));
            for (a, b) in e.shares().matrix().iter().flatten().zip(g.shares().matrix().iter().flatten()) {
                assert!((a - b).abs() <= 1e-3, "{}: {a} {b}", preset.name());
            }
            close(
                &e.fidelity.as_ref().unwrap().in_sample,
                &g.fidelity.as_ref().unwrap().in_sample,
                SLACK,
                preset.name(),
            );
        }
    }
    let pairs = Explainer::lipex(on.clone()).samples(101).perturber(Antithetic);
    assert!(pairs.explain(&instances[0], &model).unwrap().fidelity.as_ref().unwrap().out_of_fold.is_some());
}
