//! The suite on a CUDA device, or on the emulator where there is none.

#[allow(dead_code, reason = "only the device is used here")]
mod device;

use device::device;
use lipex_conformance as suite;
use lipex_core::{Backend, Fitted, Perturber, Problem, Softmax, Surrogate, UniformSize};
use lipex_cuda::{Cuda, Road, objective, objective_reference, uniform_size_reference};

#[test]
fn storage() {
    let Some(on) = device() else { return };
    suite::arrays_keep_their_rows(&on);
}

#[test]
fn perturb() {
    let Some(on) = device() else { return };
    suite::masks_equal_the_cpu(&on);
}

#[test]
fn weigh() {
    let Some(on) = device() else { return };
    suite::weights_equal_the_cpu(&on);
}

#[test]
fn select() {
    let Some(on) = device() else { return };
    suite::picks_equal_the_cpu(&on);
}

#[test]
fn ridge() {
    let Some(on) = device() else { return };
    suite::ridges_equal_the_cpu(&on);
}

#[test]
fn fit_gradients() {
    let Some(on) = device() else { return };
    suite::gradient_matches_the_oracle(&on, &|settings, problem, point| objective(&on, settings, problem, point));
}

#[test]
fn fit() {
    let Some(on) = device() else { return };
    suite::fits_equal_the_cpu(&on);
}

#[test]
fn fit_starts() {
    let Some(on) = device() else { return };
    suite::fits_start_and_count_as_told(&on);
    suite::fits_start_and_count_as_told(&on.on_road(Road::ManyLaunches));
}

#[test]
fn fit_with_penalties_chosen() {
    let Some(on) = device() else { return };
    suite::penalties_chosen_equal_the_cpu(&on);
}

#[test]
fn evaluate() {
    let Some(on) = device() else { return };
    suite::fidelities_equal_the_cpu(&on);
}

#[test]
fn explanations() {
    let Some(on) = device() else { return };
    suite::explanations_equal_the_cpu(&on);
}

/// Fits of a batch of all sizes on the device.
fn fitted(on: &Cuda, divergence: &str) -> Vec<Fitted> {
    let problems: Vec<_> = suite::cases().into_iter().filter(|c| c.classes < 33).map(|c| suite::made(c, 23)).collect();
    let around: Vec<_> = problems.iter().map(|m| m.on(on)).collect();
    let list: Vec<_> = around.iter().zip(&problems).map(|(a, m)| Problem::new(a, &m.selection)).collect();
    let settings = Softmax::default().erased_divergence(lipex_core::by_name(divergence).unwrap());
    settings.fit(on, &list).unwrap()
}

#[test]
fn both_roads_and_every_run_give_the_same_bits() {
    let Some(on) = device() else { return };
    let first = fitted(&on, "kl");
    assert!(first == fitted(&on, "kl"), "a second run differs");
    assert!(first == fitted(&on.clone().on_road(Road::ManyLaunches), "kl"), "the roads differ");
    assert!(first.iter().all(|f| f.report.evaluations > 0));
}

#[test]
fn kernels_equal_their_references() {
    let Some(on) = device() else { return };
    let law = UniformSize::default();
    let expected = uniform_size_reference(&on, 441, 300, 5).unwrap();
    let got = law.perturb(&on, &[441], 300, 0..300, 5, None).unwrap().remove(0).masks;
    assert!(on.download(got.bits()).unwrap() == on.download(expected.bits()).unwrap());
    suite::gradient_matches_the_oracle(&on, &|settings, problem, point| {
        objective_reference(&on, settings, problem, point)
    });
}
