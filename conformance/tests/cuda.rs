//! The suite on a CUDA device, or on the emulator where there is none.

#[allow(dead_code, reason = "only the device is used here")]
mod device;
mod mutants;
mod references;

use device::device;
use lipex_conformance::{self as suite, Case};
use lipex_core::{Backend, Draw, Fitted, Perturber, Problem, Softmax, Surrogate, UniformSize};
use lipex_cuda::{Cuda, Road, objective, objective_reference, uniform_size_reference};

#[test]
fn storage() {
    let Some((on, _turn)) = device() else { return };
    suite::arrays_keep_their_rows(&on);
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
        ($($name:ident: $number:literal, objectives $strong:ident $default:ident, matrices $tight:ident $weak:ident;)*) => {$(
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
                fn matrices() {
                    let Some((on, _turn)) = device() else { return };
                    suite::matrices_equal_the_cpu(&on, &suite::divergences()[$number], 1e-4, $weak);
                }
            }
        )*};
    }

    fits! {
        hellinger: 0, objectives all but_the_largest, matrices all but_the_largest;
        kl: 1, objectives all all, matrices all but_the_largest;
        reverse_kl: 2, objectives all but_the_largest, matrices all but_the_largest;
        js: 3, objectives all but_the_largest, matrices all but_the_largest;
        tv: 4, objectives but_the_largest of_few_classes, matrices of_few_classes of_few_features;
        alpha_half: 5, objectives all but_the_largest, matrices all but_the_largest;
        alpha_two: 6, objectives all but_the_largest, matrices but_the_largest but_the_largest;
        own: 7, objectives all but_the_largest, matrices all but_the_largest;
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
    suite::fits_start_and_count_as_told(&on.on_road(Road::ManyLaunches));
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

fn both_roads_and_every_run_give_the_same_bits(on: &Cuda, divergence: &str, wanted: impl Fn(&Case) -> bool) {
    let first = fitted(on, divergence, &wanted);
    assert!(first == fitted(on, divergence, &wanted), "a second run differs");
    assert!(first == fitted(&on.clone().on_road(Road::ManyLaunches), divergence, &wanted), "the roads differ");
    assert!(first.iter().all(|f| f.report.evaluations > 0));
}

#[test]
fn both_roads_and_every_run_give_the_same_bits_where_it_is_smooth() {
    let Some((on, _turn)) = device() else { return };
    both_roads_and_every_run_give_the_same_bits(&on, "kl", |case| case.classes < 33 && case.kept < 100);
}

#[test]
fn both_roads_and_every_run_give_the_same_bits_through_kinks() {
    let Some((on, _turn)) = device() else { return };
    both_roads_and_every_run_give_the_same_bits(&on, "tv", |case| case.kept <= 20);
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
    (&lipex_kernels::BACKEND, &["storage"]),
    (&lipex_kernels::PERTURB, &["perturb", "kernels_equal"]),
    (&lipex_kernels::WEIGH, &["weigh"]),
    (&lipex_kernels::SELECT, &["select"]),
    (&lipex_kernels::RIDGE, &["ridge", "select_highest"]),
    (
        &lipex_kernels::FIT,
        &[
            "fit::hellinger::gradients",
            "fit::hellinger::matrices_at",
            "fit::tv::objectives_at",
            "fit_starts",
            "fit_with_other",
            "smooth",
        ],
    ),
    (&lipex_kernels::LAMBDA, &["penalties"]),
    (&lipex_kernels::EVALUATE, &["evaluate"]),
    (&lipex_kernels::SANDWICH, &["uncertainty"]),
];

const WIDE: &str = "whether a division takes 32 bits; 64 give the same";
const TIMES: &str = "rows that count several times are selected from on the host";
const BARE: &str = "no surrogate is without features";
const SHIFT: &str = "the largest logit is a shift, which falls out";
const ALONE: &str = "a launch is of one instance, and has no block past its rows or units";
const LAST: &str = "the last barrier: nothing is written after it";

/// Lines whose mutants make no difference.
const EQUIVALENT: [mutants::Equivalent; 17] = [
    ("lipex_gather_bytes", 0, "setp.eq.s64 %p2, %rd16, 0;", WIDE),
    ("lipex_select_moments", 0, "setp.lt.u32 %p13, %r13, 768;", TIMES),
    ("lipex_select_moments", 0, "shl.b64 %rd115, %rd114, 2;", TIMES),
    ("lipex_lambda_held_out", 0, "setp.lt.u32 %p11, %r114, %r27;", BARE),
    ("lipex_lambda_held_out", 0, "shl.b64 %rd108, %rd107, 3;", BARE),
    ("lipex_lambda_held_out", 0, "and.b32 %r34, %r32, 31;", SHIFT),
    ("lipex_evaluate", 0, "add.s32 %r74, %r343, 2;", BARE),
    ("lipex_evaluate_classes", 5, "bar.sync 0;", LAST),
    (
        "lipex_fit_prepare",
        0,
        "and.b32 %r81, %r79, -8388608;",
        "the mean of logarithms falls out where the start is centred",
    ),
    ("lipex_fit", 5, "bar.warp.sync -1;", "where factors are diagonals, lanes read only what they wrote"),
    ("lipex_fit_bend", 0, "shl.b64 %rd123, %rd6, 2;", BARE),
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
