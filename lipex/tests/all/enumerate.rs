//! Small instances: every mask once, weighed as drawn rows would be in the mean.

use lipex::prelude::*;
use lipex::{
    Adaptive, Angle, Dependence, Draw, Enumerate, ErrorBars, GivenWeights, Law, Masks, Method, Perturber, Sample,
    Setting, Support,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Logistic in whether "good" is there: log-odds 3·[good] − 1.5 of good against bad.
fn model() -> TextFn<'static> {
    let good = |t: &&str| 1.0 / (1.0 + (1.5 - 3.0 * f64::from(u8::from(t.contains("good")))).exp());
    TextFn::new(["bad", "good"], move |texts| texts.iter().map(good).map(|p| [1.0 - p, p]).collect())
}

/// "good" and so many words that do nothing.
fn text(others: usize) -> TextInstance {
    let others: String = (0..others).map(|i| format!(" w{i}")).collect();
    TextInstance::new(format!("good{others}")).unwrap()
}

fn samplers() -> Vec<(&'static str, Arc<dyn Perturber<Cpu>>)> {
    let within = Some(Angle::new(1.0).unwrap());
    let mut near = Bernoulli::new(0.7).unwrap();
    near.within = within;
    vec![
        ("uniform-size", Arc::new(UniformSize::default())),
        ("within", Arc::new(UniformSize { within })),
        ("antithetic", Arc::new(Antithetic)),
        ("bernoulli", Arc::new(Bernoulli::new(0.7).unwrap())),
        ("bernoulli within", Arc::new(near)),
        ("weight-proportional", Arc::new(WeightProportional)),
    ]
}

fn contrast(e: &Explanation, feature: usize) -> f64 {
    e.contrast(1, 0).iter().find(|w| w.feature == feature).unwrap().value
}

#[test]
fn few_masks_are_all_asked_and_make_no_error() {
    let explainer = lipex().error_bars(ErrorBars::default());
    let e = explainer.explain(&text(7), &model()).unwrap();
    assert_eq!((e.calls.masks, e.calls.inputs, e.calls.complete), (256, 256, true));
    let bars = e.uncertainty.as_ref().unwrap();
    assert_eq!((bars.method, bars.rows), (Method::Exact, Dependence::Exhaustive));
    assert!(bars.std_error.iter().flatten().all(|&s| s == 0.0) && bars.needed.is_none());
    let value = |name: &str| e.settings.iter().find(|s| s.name == name).map(|s| s.value.clone());
    assert_eq!((value("enumerate").as_deref(), value("samples").as_deref()), (Some("auto"), Some("1000")));
    assert!(e.departures.iter().any(|d| d.name == "enumerate" && d.paper == "never"));
    // The seed draws nothing.
    assert_eq!(lipex().seed(9).explain(&text(7), &model()).unwrap().shares(), e.shares());
    // 2¹⁰ masks are more than 1000; as many as were asked for are few enough.
    assert!(!lipex().explain(&text(9), &model()).unwrap().calls.complete);
    assert_eq!(lipex().samples(1024).explain(&text(9), &model()).unwrap().calls.masks, 1024);
    for preset in [paper(), lime(), lipex().enumerate(Enumerate::Never)] {
        let drawn = preset.samples(300).explain(&text(7), &model()).unwrap();
        assert_eq!((drawn.calls.masks, drawn.calls.complete), (300, false));
    }
}

#[test]
fn what_cannot_be_weighed_is_drawn() {
    /// A law that does not say how likely a mask is.
    struct Own;
    impl Describe for Own {
        fn describe(&self) -> Vec<Setting> {
            vec![Setting::new("sampler", "own")]
        }
    }
    impl Law for Own {
        fn grows(&self) -> bool {
            true
        }
    }
    impl Perturber<Cpu> for Own {
        fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> lipex::Result<Vec<Sample<Cpu>>> {
            let d = draw.features[0];
            let bits = draw.rows.clone().map(|i| if i == 0 { (1 << d) - 1 } else { i as u32 % (1 << d) }).collect();
            Ok(vec![Sample::new(self, draw.total, Masks::new(on, draw.rows.len(), d, bits)?)])
        }
    }
    let asked = |explainer: Explainer<Cpu>| explainer.samples(50).explain(&text(2), &model()).unwrap().calls;
    assert!(asked(lipex()).complete);
    for explainer in [lipex().perturber(Own), lipex().perturber(LimeText)] {
        assert_eq!((asked(explainer.clone()).masks, asked(explainer).complete), (50, false));
    }
    let given = lipex().proximity(GivenWeights::new(vec![1.0; 50]).unwrap());
    assert_eq!((asked(given.clone()).masks, asked(given).complete), (50, false));
}

/// Runs of 1000 masks tend to the enumerated one, under every sampler that can and a proximity of another shape.
#[test]
fn drawn_runs_tend_to_the_enumerated_one() {
    let within = |sampler: &str, explainer: Explainer<Cpu>| {
        let all = explainer.explain(&text(8), &model()).unwrap();
        assert!(all.calls.complete && all.calls.masks <= 512, "{sampler}");
        let drawn = explainer.clone().enumerate(Enumerate::Never);
        let mean =
            (0..12).map(|s| contrast(&drawn.clone().seed(s).explain(&text(8), &model()).unwrap(), 0)).sum::<f64>();
        let (mean, whole) = (mean / 12.0, contrast(&all, 0));
        assert!((mean - whole).abs() < 0.01 && (whole - 3.0).abs() < 0.1, "{sampler}: {mean} {whole}");
    };
    for (name, sampler) in samplers() {
        within(name, lipex().perturber(sampler.clone()).selector(All));
        within(name, lipex().perturber(sampler).selector(All).proximity(CosineSimilarity));
    }
}

/// The numbers are NumPy's of 2026-11-29, from the normal equations over all masks: `w = 999 / (D C(D, r)) exp(-8 (1 - sqrt(m / D))²)`, plus 1 for the instance; ridge of α = 1.
#[test]
fn a_ridge_is_what_numpy_makes_of_all_masks() {
    let ridge = || lipex().selector(All).surrogate(Ridge::default().support(Support::Union));
    for (others, good, other) in
        [(8, 0.628_647_763, 2.661_837_64e-4), (1, 0.431_952_78, -0.198_184_51), (0, 0.317_415_61, 0.0)]
    {
        let e = ridge().explain(&text(others), &model()).unwrap();
        let matrix = e.shares().matrix()[1].clone();
        assert!((matrix[0] - good).abs() < 1e-6, "{others}: {matrix:?}");
        assert!(others == 0 || (matrix[1] - other).abs() < 1e-6, "{others}: {matrix:?}");
    }
    let mean = (0..20).map(|s| {
        let e = ridge().enumerate(Enumerate::Never).seed(s).explain(&text(8), &model()).unwrap();
        e.shares().matrix()[1][0]
    });
    let mean = mean.sum::<f64>() / 20.0;
    assert!((mean - 0.6286).abs() < 0.003, "{mean}");
}

#[test]
fn texts_sentences_and_grids_of_one_or_two_features() {
    let sentences = TextInstance::builder("It is good. It rains.").unit(Unit::Sentence).build().unwrap();
    let calls = AtomicUsize::new(0);
    let counted = TextFn::new(["bad", "good"], |texts| {
        calls.fetch_add(texts.len(), Ordering::Relaxed);
        texts.iter().map(|t| if t.contains("good") { [0.2, 0.8] } else { [0.7, 0.3] }).collect()
    });
    for (name, sampler) in samplers() {
        for (instance, features) in [(&text(0), 1), (&text(1), 2), (&sentences, 2)] {
            calls.store(0, Ordering::Relaxed);
            let e = lipex()
                .perturber(sampler.clone())
                .error_bars(ErrorBars::default())
                .explain(instance, &counted)
                .unwrap();
            assert!(e.calls.complete && e.calls.masks <= 1 << features, "{name} of {features}");
            assert_eq!(e.features.len(), features, "{name}");
            // The instance is asked twice.
            assert_eq!(calls.load(Ordering::Relaxed), e.calls.inputs + 1, "{name} of {features}");
            assert_eq!(e.uncertainty.unwrap().method, Method::Exact);
        }
    }
    let picture = Picture::from_rgb(4, 2, (0..24).map(|i| 10 * i).collect()).unwrap();
    let grid = ImageInstance::new(picture, SegmentMap::grid(4, 2, 1, 2).unwrap()).unwrap();
    let images = ImageFn::new(["dark", "light"], |pictures| {
        let light = |p: &&[u8]| f64::from(p[0]) / 255.0;
        pictures.iter().map(|p| [1.0 - light(&p), light(&p)]).collect()
    });
    for (name, sampler) in samplers() {
        let e = lipex().images().perturber(sampler).explain(&grid, &images).unwrap();
        assert!(e.calls.complete && e.features.len() == 2, "{name}");
    }
}

#[test]
fn a_growing_run_of_few_masks_has_them_all_at_once() {
    let e = lipex().adaptive(Adaptive::default()).error_bars(ErrorBars::default()).explain(&text(6), &model()).unwrap();
    let growth = e.growth.as_ref().unwrap();
    assert_eq!((growth.looks.len(), growth.looks[0].masks, e.calls.masks), (1, 128, 128));
    assert_eq!(growth.stopped, "all 128 masks were asked: no sampling error");
    assert!(growth.needed.is_none() && e.uncertainty.unwrap().method == Method::Exact);
    // 256 masks are more than two looks.
    let more = lipex().adaptive(Adaptive::default()).explain(&text(7), &model()).unwrap();
    assert!(!more.calls.complete);
}

#[test]
fn instances_of_many_and_few_features_go_together() {
    let (few, many) = (text(3), text(20));
    let together = lipex().explain_many(&[&many, &few, &many], &model()).unwrap();
    assert_eq!([0, 1, 2].map(|i| together[i].calls.complete), [false, true, false]);
    assert_eq!(together[1].shares(), lipex().explain(&few, &model()).unwrap().shares());
    assert_eq!(together[2].shares(), lipex().explain(&many, &model()).unwrap().shares());
}

/// Anchored, the effect of a word is read off masks near the instance, however few words there are.
#[test]
fn an_anchored_surrogate_is_right_of_one_and_two_words() {
    let explainer = lipex().intercept(Intercept::Anchored);
    for (others, tolerance) in [(0, 0.05), (1, 0.05), (8, 0.05)] {
        for (name, sampler) in samplers() {
            let e = explainer.clone().perturber(sampler).selector(All).explain(&text(others), &model()).unwrap();
            assert!(
                e.calls.complete && (contrast(&e, 0) - 3.0).abs() < tolerance,
                "{name}, {others}: {}",
                contrast(&e, 0)
            );
            let other = (1..=others).map(|j| contrast(&e, j).abs()).fold(0.0, f64::max);
            assert!(other < tolerance, "{name}, {others}: {other}");
        }
    }
    // λ is 10⁻⁴ and n is the 1000 that were asked for: W is shrunk by a thousandth.
    let one = contrast(&explainer.explain(&text(0), &model()).unwrap(), 0);
    assert!((one - 2.996).abs() < 2e-3, "{one}");
}
