//! The suite on the CPU: what is compared with the CPU holds trivially there, what is compared with the oracle does not.

use lipex_conformance as suite;
use lipex_cpu::Cpu;

#[test]
fn storage() {
    suite::arrays_keep_their_rows(&Cpu::new());
}

#[test]
fn perturb_and_weigh() {
    suite::masks_equal_the_cpu(&Cpu::new());
    suite::weights_equal_the_cpu(&Cpu::new());
}

#[test]
fn select_fit_and_evaluate_with_two_threads() {
    let two = Cpu::with_threads(2).unwrap();
    suite::picks_equal_the_cpu(&two);
    suite::highest_weights_are_picked(&two);
    suite::ridges_equal_the_cpu(&two);
    suite::trees_equal_the_cpu(&two);
    for divergence in suite::divergences() {
        suite::objectives_equal_the_cpu(&two, &divergence, 1e-4, |case| case.kept < 67);
    }
    suite::other_settings_equal_the_cpu(&two);
    suite::fits_start_and_count_as_told(&two);
    suite::penalties_chosen_equal_the_cpu(&two);
    suite::spreads_equal_the_cpu(&two);
    suite::bars_equal_the_cpu(&two);
    suite::fidelities_equal_the_cpu(&two);
    suite::explanations_equal_the_cpu(&two);
}
