//! The suite on a CUDA device, or on the emulator where there is none.

use super::device::device;
use super::{mutants, references};
use lipex_conformance::{self as suite, Case};
use lipex_core::{
    Backend, Draw, Explainer, Fitted, Intercept, Pairs, Perturber, Problem, Softmax, Surrogate, UniformSize,
};
use lipex_cuda::{Cuda, DeviceBuffer, LaunchMode, objective, objective_reference, uniform_size_reference};

#[test]
fn storage() {
    let Some((on, _turn)) = device() else { return };
    suite::arrays_keep_their_rows(&on);
}

#[test]
fn arrays_of_another_owner_are_used_where_they_lie() {
    let Some((on, _turn)) = device() else { return };
    let of_another = std::sync::Arc::new(on.upload((0..40).map(|i| i as f32).collect::<Vec<_>>()).unwrap());
    let address = of_another.address() + 16;
    // SAFETY: from its fifth number on the array has 30 more, and the share in it keeps it.
    let numbers = unsafe { DeviceBuffer::<f32>::from_raw(&on, address, 30, of_another.clone()) }.unwrap();
    let sent = on.transferred().sent;
    assert_eq!(on.download(&numbers).unwrap()[..3], [4.0, 5.0, 6.0]);
    assert_eq!(on.download(&on.gather(&numbers, 10, &[2]).unwrap()).unwrap()[0], 24.0);
    assert_eq!((numbers.address(), numbers.len(), on.transferred().sent), (address, 30, sent + 4));
    // Its owner is let go once, and the memory is not freed with it: here the test has the last share.
    assert_eq!(std::sync::Arc::strong_count(&of_another), 2);
    drop(numbers);
    assert_eq!(std::sync::Arc::strong_count(&of_another), 1);
    assert_eq!(on.download(&*of_another).unwrap()[39], 39.0);
    for (address, len) in [(0, 1), (of_another.address() + 2, 1), (of_another.address(), usize::MAX)] {
        // SAFETY: these are refused.
        let refused = unsafe { DeviceBuffer::<f32>::from_raw(&on, address, len, ()) };
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("must be a multiple of 4, not 0"), "{refused}");
    }
}

#[test]
fn perturb() {
    let Some((on, _turn)) = device() else { return };
    suite::masks_equal_the_cpu(&on);
}

#[test]
fn weigh() {
    let Some((on, _turn)) = device() else { return };
    suite::weights_equal_the_cpu(&on);
}

#[test]
fn select() {
    let Some((on, _turn)) = device() else { return };
    suite::picks_equal_the_cpu(&on);
}

#[test]
fn select_highest_weights() {
    let Some((on, _turn)) = device() else { return };
    suite::highest_weights_are_picked(&on);
}

#[test]
fn ridge() {
    let Some((on, _turn)) = device() else { return };
    suite::ridges_equal_the_cpu(&on);
}

#[test]
fn tree() {
    let Some((on, _turn)) = device() else { return };
    suite::trees_equal_the_cpu(&on);
}

#[test]
fn fit_with_other_settings() {
    let Some((on, _turn)) = device() else { return };
    suite::other_settings_equal_the_cpu(&on);
}

/// Objectives at a point, and fits, under each divergence: at a strong penalty and at the default's, of the sizes that a test can afford.
mod fit {
    use super::*;

    fn all(_: &Case) -> bool {
        true
    }

    fn but_the_largest(case: &Case) -> bool {
        case.kept < 100
    }

    fn of_few_classes(case: &Case) -> bool {
        case.kept < 100 && case.classes < 33
    }

    fn of_few_features(case: &Case) -> bool {
        case.kept < 67 && case.classes < 33
    }

    macro_rules! fits {
        ($($name:ident: $number:literal, objectives $strong:ident $default:ident, matrices $tight:ident $weak:ident,
           anchored $firm:ident $loose:ident;)*) => {$(
            mod $name {
                use super::*;

                #[test]
                fn gradients() {
                    let Some((on, _turn)) = device() else { return };
                    suite::gradient_matches_the_oracle(&on, &suite::divergences()[$number], &|settings, problem, point| {
                        objective(&on, settings, problem, point)
                    });
                }

                #[test]
                fn gradients_of_the_reference() {
                    let Some((on, _turn)) = device() else { return };
                    suite::gradient_matches_the_oracle(&on, &suite::divergences()[$number], &|settings, problem, point| {
                        objective_reference(&on, settings, problem, point)
                    });
                }

                #[test]
                fn objectives_at_a_strong_penalty() {
                    let Some((on, _turn)) = device() else { return };
                    suite::objectives_equal_the_cpu(&on, &suite::divergences()[$number], 1e-2, $strong);
                }

                #[test]
                fn objectives() {
                    let Some((on, _turn)) = device() else { return };
                    suite::objectives_equal_the_cpu(&on, &suite::divergences()[$number], 1e-4, $default);
                }

                #[test]
                fn matrices_at_a_strong_penalty() {
                    let Some((on, _turn)) = device() else { return };
                    suite::matrices_equal_the_cpu(&on, &suite::divergences()[$number], 1e-2, $tight);
                }

                #[test]
                fn anchored() {
                    let Some((on, _turn)) = device() else { return };
                    suite::anchored_fits_equal_the_cpu(&on, &suite::divergences()[$number], 1e-2, $firm);
                    suite::anchored_fits_equal_the_cpu(&on, &suite::divergences()[$number], 1e-4, $loose);
                }

                #[test]
                fn pairs() {
                    let Some((on, _turn)) = device() else { return };
                    suite::fits_with_pairs_equal_the_cpu(&on, &suite::divergences()[$number], 1e-2);
                }

                #[test]
                fn matrices() {
                    let Some((on, _turn)) = device() else { return };
                    suite::matrices_equal_the_cpu(&on, &suite::divergences()[$number], 1e-4, $weak);
                }
            }
        )*};
    }

    fits! {
        hellinger: 0, objectives all but_the_largest, matrices all but_the_largest, anchored of_few_classes of_few_features;
        kl: 1, objectives all all, matrices all but_the_largest, anchored of_few_classes of_few_features;
        reverse_kl: 2, objectives all but_the_largest, matrices all but_the_largest, anchored of_few_classes of_few_features;
        js: 3, objectives all but_the_largest, matrices all but_the_largest, anchored of_few_classes of_few_features;
        tv: 4, objectives but_the_largest of_few_classes, matrices of_few_classes of_few_features, anchored of_few_features of_few_features;
        alpha_half: 5, objectives all but_the_largest, matrices all but_the_largest, anchored of_few_classes of_few_features;
        alpha_two: 6, objectives all but_the_largest, matrices but_the_largest but_the_largest, anchored of_few_classes of_few_features;
        own: 7, objectives all but_the_largest, matrices all but_the_largest, anchored of_few_classes of_few_features;
    }

    #[test]
    fn every_divergence_is_listed() {
        let names: Vec<String> = suite::divergences().iter().map(|d| d.name()).collect();
        assert_eq!(names, ["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:0.5", "alpha:2", "own-alpha:0.4"]);
    }
}

#[test]
fn fit_starts() {
    let Some((on, _turn)) = device() else { return };
    suite::fits_start_and_count_as_told(&on);
    suite::fits_start_and_count_as_told(&on.with_launch_mode(LaunchMode::ManyLaunches));
}

#[test]
fn fit_with_penalties_chosen() {
    let Some((on, _turn)) = device() else { return };
    suite::penalties_chosen_equal_the_cpu(&on);
}

#[test]
fn uncertainty() {
    let Some((on, _turn)) = device() else { return };
    suite::spreads_equal_the_cpu(&on);
    suite::bars_equal_the_cpu(&on);
}

#[test]
fn evaluate() {
    let Some((on, _turn)) = device() else { return };
    suite::fidelities_equal_the_cpu(&on);
}

#[test]
fn explanations() {
    let Some((on, _turn)) = device() else { return };
    suite::explanations_equal_the_cpu(&on);
}

/// Fits of a batch of the sizes wanted on the device.
fn fitted(on: &Cuda, divergence: &str, wanted: impl Fn(&Case) -> bool) -> Vec<Fitted> {
    let problems: Vec<_> = suite::cases().into_iter().filter(wanted).map(|c| suite::made(c, 23)).collect();
    let around: Vec<_> = problems.iter().map(|m| m.on(on)).collect();
    let list: Vec<_> = around.iter().zip(&problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
    let settings = Softmax::default().erased_divergence(lipex_core::by_name(divergence).unwrap());
    settings.fit(on, &list).unwrap()
}

fn both_launch_modes_and_every_run_give_the_same_bits(on: &Cuda, divergence: &str, wanted: impl Fn(&Case) -> bool) {
    let first = fitted(on, divergence, &wanted);
    assert!(first == fitted(on, divergence, &wanted), "a second run differs");
    assert!(
        first == fitted(&on.clone().with_launch_mode(LaunchMode::ManyLaunches), divergence, &wanted),
        "the launch modes differ"
    );
    assert!(first.iter().all(|f| f.report.evaluations > 0));
}

#[test]
fn both_launch_modes_and_every_run_give_the_same_bits_where_it_is_smooth() {
    let Some((on, _turn)) = device() else { return };
    both_launch_modes_and_every_run_give_the_same_bits(&on, "kl", |case| case.classes < 33 && case.kept < 100);
}

#[test]
fn both_launch_modes_and_every_run_give_the_same_bits_through_kinks() {
    let Some((on, _turn)) = device() else { return };
    both_launch_modes_and_every_run_give_the_same_bits(&on, "tv", |case| case.kept <= 20);
}

/// What stages cost the host: allocations, copies and waits that do not grow with the number of instances.
mod host {
    use super::*;
    use crate::device::told;
    use lipex_core::{
        Evaluator, Exponential, Forward, Neighbourhood, OutOfFold, Proximity, Ridge, Selection, Selector,
    };

    /// Allocations, uploads, downloads, synchronisations and launches of some work.
    fn calls(on: &Cuda, work: &mut dyn FnMut()) -> [f64; 5] {
        let now = || {
            on.synchronize().unwrap();
            let told = told("cuda_emulator_calls");
            ["allocations", "uploads", "downloads", "synchronisations", "launches"].map(|n| told[n].as_f64().unwrap())
        };
        let before = now();
        work();
        let after = now();
        // The last wait is this function's own.
        let own = [0.0, 0.0, 0.0, 1.0, 0.0];
        std::array::from_fn(|i| after[i] - before[i] - own[i])
    }

    /// A device whose arrays are not apart; `None` where nothing counts calls.
    fn counted() -> Option<(Cuda, crate::device::Turn)> {
        let (on, turn) = device()?;
        if !on.info().is_emulator {
            println!("skipped: only the emulator counts calls");
            return None;
        }
        Some((Cuda::new().unwrap(), turn))
    }

    const CASE: Case = Case { features: 44, rows: 120, classes: 6, kept: 15 };

    #[test]
    fn a_further_instance_costs_a_stage_nothing() {
        let Some((on, _turn)) = counted() else { return };
        let near: Vec<Neighbourhood<Cuda>> = (0..3).map(|seed| suite::made(CASE, seed).on(&on)).collect();
        let selection = Selection::shared(6, (0..15).collect());
        let problems: Vec<_> = near.iter().map(|near| Problem::new(near, &selection)).collect();
        let anchored = Softmax::default().intercept(lipex_core::Intercept::Anchored);
        type Stage<'a> = (&'static str, Box<dyn FnMut(usize) + 'a>);
        let mut stages: Vec<Stage<'_>> = vec![
            ("select", Box::new(|n| drop(Forward::default().select(&on, &near[..n]).unwrap()))),
            ("fit", Box::new(|n| drop(Softmax::default().fit(&on, &problems[..n]).unwrap()))),
            ("fit, anchored", Box::new(|n| drop(anchored.fit(&on, &problems[..n]).unwrap()))),
            (
                "fit: ridge",
                Box::new(|n| {
                    drop(Ridge::default().support(lipex_core::Support::Union).fit(&on, &problems[..n]).unwrap())
                }),
            ),
        ];
        for (stage, work) in &mut stages {
            work(3);
            let (one, three) = (calls(&on, &mut || work(1)), calls(&on, &mut || work(3)));
            println!("{stage}: {one:?} for one instance");
            assert_eq!(one[..4], [1.0, 1.0, 1.0, 1.0], "{stage}");
            assert_eq!(one, three, "{stage}");
        }
        // These give an array an instance back, or look for equal masks instance by instance.
        let masks: Vec<_> = (0..3).map(|seed| suite::made(CASE, seed).on(&on).masks).collect();
        let weigh = |n: usize| calls(&on, &mut || drop(Exponential::default().weigh(&on, &masks[..n]).unwrap()));
        let (one, three) = (weigh(1), weigh(3));
        assert_eq!((one[0], three[0], &one[1..]), (2.0, 4.0, &three[1..]), "weigh");
    }

    #[test]
    fn a_further_instance_costs_an_evaluation_the_search_for_equal_masks() {
        let Some((on, _turn)) = counted() else { return };
        let near: Vec<Neighbourhood<Cuda>> = (0..3).map(|seed| suite::made(CASE, seed).on(&on)).collect();
        let selection = Selection::shared(6, (0..15).collect());
        let problems: Vec<_> = near.iter().map(|near| Problem::new(near, &selection)).collect();
        let settings = Softmax::default();
        let fitted = settings.fit(&on, &problems).unwrap();
        let evaluate = |n: usize| {
            calls(&on, &mut || {
                OutOfFold::default().evaluate(&on, &problems[..n], &fitted[..n], &settings).unwrap();
            })
        };
        let (one, three) = (evaluate(1), evaluate(3));
        println!("evaluate: {one:?} for one instance, {three:?} for three");
        let further: Vec<f64> = (0..5).map(|i| (three[i] - one[i]) / 2.0).collect();
        assert_eq!(further, [2.0, 0.0, 1.0, 1.0, 2.0]);
        assert_eq!(one[..4], [4.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn an_explanation_costs_few_calls() {
        let Some((on, _turn)) = counted() else { return };
        let (instance, model) = suite::instance_and_model(44, 6);
        let preset = Explainer::lipex(on.clone()).samples(100);
        let on_device = preset.clone().intercept(Intercept::Fitted).pairs(Pairs::None);
        // Most uploads and waits are of single rows that the explainer looks at, not of stages. Pairs that the data choose are
        // fitted by the host, which reads masks and probabilities back.
        for (name, explainer, most) in [("without pairs", on_device, 14.0), ("pairs chosen", preset, 17.0)] {
            let mut explain = || drop(explainer.explain(&instance, &model).unwrap());
            explain();
            let [allocations, uploads, downloads, synchronisations, launches] = calls(&on, &mut explain);
            println!(
                "{name}: {allocations} allocations, {uploads} uploads, {downloads} downloads, {synchronisations} \
                 synchronisations, {launches} launches"
            );
            assert!(allocations <= 25.0 && uploads <= 11.0 && downloads <= most && synchronisations <= most, "{name}");
        }
    }
}

#[test]
fn a_stream_of_another_library_gives_the_same_bits() {
    let Some((on, _turn)) = device() else { return };
    let stream = on.stream().context().new_stream().unwrap();
    let other = Cuda::on_stream(stream.clone()).unwrap();
    assert_eq!(other.stream(), &stream);
    assert_ne!(other.stream(), on.stream());
    let (instance, model) = suite::instance_and_model(9, 4);
    let explain = |on: &Cuda| Explainer::lipex(on.clone()).samples(60).explain(&instance, &model).unwrap();
    let (one, two) = (explain(&on), explain(&other));
    assert_eq!((one.answer, one.fidelity), (two.answer, two.fidelity));
    // Arrays lie on the stream of who made them.
    assert_eq!(other.upload(vec![1f32]).unwrap().bytes().stream(), &stream);
}

#[test]
fn fits_that_take_many_launches_give_the_same_bits() {
    let Some((on, _turn)) = device() else { return };
    for (divergence, most) in [("kl", 20), ("tv", 6)] {
        let wanted = |case: &Case| case.classes < 7 && case.kept <= most;
        let first = fitted(&on, divergence, wanted);
        assert!(first.iter().any(|fit| fit.report.evaluations > 6), "{divergence} has nothing to interrupt");
        for at_most in [1, 3] {
            let few = on.clone().evaluations_a_launch(at_most);
            assert!(first == fitted(&few, divergence, wanted), "{divergence}, {at_most} evaluations a launch");
        }
    }
}

/// Fits of these sizes launch, whatever the tables take of a block's shared memory, static and dynamic together.
mod launches {
    use super::*;
    use std::ops::RangeInclusive;

    /// Evaluates once, each size alone; a few are fitted. Returns how many there were.
    fn launch(on: &Cuda, sizes: impl Iterator<Item = (usize, usize)>) -> usize {
        let settings = Softmax::default();
        let mut count = 0;
        for (classes, kept) in sizes {
            let made = suite::made(Case { features: kept, rows: 3, classes, kept }, 3);
            let around = made.on(on);
            let (problem, start) = (Problem::new(&around, &made.selection), suite::point(made.case, true));
            let (value, gradient) = objective(on, &settings, &problem, &start)
                .unwrap_or_else(|error| panic!("{classes} classes, {kept} features: {error}"));
            assert!(
                value.is_finite() && value > 0.0 && gradient.len() == classes,
                "{classes} classes, {kept} features"
            );
            if (kept + classes).is_multiple_of(37) {
                let fit = settings.clone().max_evaluations(3).fit(on, &[problem]).unwrap();
                assert!((1..=4).contains(&fit[0].report.evaluations), "{:?}: {:?}", made.case, fit[0].report);
            }
            count += 1;
        }
        count
    }

    /// Bytes of shared memory that a launch of this size chooses, nearly.
    fn dynamic(classes: usize, kept: usize) -> usize {
        4 * (classes * 256 + 8 * 32 * 17 + (kept + 1).div_ceil(4) * 17 * classes)
    }

    #[test]
    fn around_48_kib() {
        let Some((on, _turn)) = device() else { return };
        let near = |&(c, k): &(usize, usize)| (47_000..50_000).contains(&dynamic(c, k));
        let sizes = (2..=30).flat_map(|c| (1..=80).map(move |k| (c, k))).filter(near);
        assert!(launch(&on, sizes) > 100);
    }

    fn all(classes: RangeInclusive<usize>) {
        let Some((on, _turn)) = device() else { return };
        launch(&on, classes.flat_map(|c| (1..=80).map(move |k| (c, k))));
    }

    #[test]
    #[ignore = "some 10 s on the emulator; a step of .ci/run has it"]
    fn of_2_to_13_classes() {
        all(2..=13);
    }

    #[test]
    #[ignore = "some 10 s on the emulator; a step of .ci/run has it"]
    fn of_14_to_18_classes() {
        all(14..=18);
    }

    #[test]
    #[ignore = "some 10 s on the emulator; a step of .ci/run has it"]
    fn of_19_to_22_classes() {
        all(19..=22);
    }

    #[test]
    #[ignore = "some 10 s on the emulator; a step of .ci/run has it"]
    fn of_23_to_26_classes() {
        all(23..=26);
    }

    #[test]
    #[ignore = "some 10 s on the emulator; a step of .ci/run has it"]
    fn of_27_to_30_classes() {
        all(27..=30);
    }
}

#[test]
fn kernels_equal_their_references() {
    let Some((on, _turn)) = device() else { return };
    let law = UniformSize::default();
    for features in [1, 31, 32, 33, 250, 441] {
        let expected = uniform_size_reference(&on, features, 300, 5).unwrap();
        let got = law.perturb(&on, &Draw::whole(&[features], 300, 5)).unwrap().remove(0).masks;
        assert!(on.download(got.bits()).unwrap() == on.download(expected.bits()).unwrap(), "D = {features}");
    }
    references::masks_of_every_law(&on);
}

/// The tests that a file's kernels are in.
const TESTS: [(&lipex_kernels::File, &[&str]); 9] = [
    (&lipex_kernels::BACKEND, &["cuda::storage"]),
    (&lipex_kernels::PERTURB, &["cuda::perturb", "cuda::kernels_equal"]),
    (&lipex_kernels::WEIGH, &["cuda::weigh"]),
    (&lipex_kernels::SELECT, &["cuda::select"]),
    (&lipex_kernels::RIDGE, &["cuda::ridge", "cuda::select_highest"]),
    (
        &lipex_kernels::FIT,
        &[
            "cuda::fit::hellinger::gradients",
            "cuda::fit::hellinger::matrices_at",
            "cuda::fit::hellinger::anchored",
            "cuda::fit::tv::objectives_at",
            "cuda::fit_starts",
            "cuda::fit_with_other",
            "cuda::smooth",
        ],
    ),
    (&lipex_kernels::LAMBDA, &["cuda::penalties"]),
    (&lipex_kernels::EVALUATE, &["cuda::evaluate"]),
    (&lipex_kernels::SANDWICH, &["cuda::uncertainty"]),
];

const WIDE: &str = "whether a division takes 32 bits; 64 give the same";
const TIMES: &str = "rows that count several times are selected from on the host";
const BARE: &str = "no surrogate is without features";
const SHIFT: &str = "the largest logit is a shift, which falls out";
const ALONE: &str = "a launch is of one instance, and has no block past its rows or units";
const LAST: &str = "the last barrier: nothing is written after it";

/// Lines whose mutants make no difference.
const EQUIVALENT: [mutants::Equivalent; 15] = [
    ("lipex_gather_bytes", 0, "setp.eq.s64 %p2, %rd16, 0;", WIDE),
    ("lipex_select_moments", 0, "setp.lt.u32 %p13, %r13, 768;", TIMES),
    ("lipex_select_moments", 0, "shl.b64 %rd115, %rd114, 2;", TIMES),
    ("lipex_lambda_held_out", 0, "setp.lt.u32 %p11, %r114, %r27;", BARE),
    ("lipex_lambda_held_out", 0, "shl.b64 %rd108, %rd107, 3;", BARE),
    ("lipex_lambda_held_out", 0, "and.b32 %r34, %r32, 31;", SHIFT),
    ("lipex_evaluate", 0, "shl.b64 %rd161, %rd160, 3;", BARE),
    ("lipex_evaluate_classes", 5, "bar.sync 0;", LAST),
    ("lipex_fit", 5, "bar.warp.sync -1;", "where factors are diagonals, lanes read only what they wrote"),
    ("lipex_fit_double", 21, "bar.sync 0;", "another barrier comes before the trial point is read"),
    ("lipex_fit_objective", 0, "setp.eq.s32 %p19, %r102, 0;", BARE),
    ("lipex_fit_objective", 3, "bar.sync 0;", LAST),
    ("lipex_fit_reference", 0, "setp.eq.s32 %p14, %r4, 2;", SHIFT),
    ("lipex_sandwich_leverage", 0, "setp.le.u64 %p1, %rd4, %rd3;", ALONE),
    ("lipex_sandwich_parts", 0, "setp.le.u64 %p1, %rd25, %rd2;", ALONE),
];

#[test]
fn mutants_that_make_no_difference_are_lines_of_their_kernels() {
    mutants::are_lines_of_their_kernels(&TESTS, &EQUIVALENT);
}

#[test]
#[ignore = "a run of the suite a mutant"]
fn mutants_are_noticed() {
    mutants::all_are_noticed(&TESTS, &EQUIVALENT);
}
