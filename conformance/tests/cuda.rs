//! The suite on a CUDA device, or on the emulator where there is none.

mod device;

use device::device;
use lipex_conformance as suite;
use lipex_cuda::{Road, objective};

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
fn evaluate() {
    let Some(on) = device() else { return };
    suite::fidelities_equal_the_cpu(&on);
}

#[test]
fn explanations() {
    let Some(on) = device() else { return };
    suite::explanations_equal_the_cpu(&on);
}
