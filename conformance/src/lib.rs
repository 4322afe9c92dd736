//! One suite that any backend is driven through: a function a stage, which panics with what differs and by how much.
//!
//! Masks are compared with the CPU's bit for bit, weights within 10⁻⁶, picks with the CPU's, objectives and gradients with
//! an f64 oracle, fits with the CPU's by the oracle's objective. Sizes cover the edges of words, warps and tiles.

mod evaluate;
mod fit;
mod lambda;
mod perturb;
mod problem;
mod ridge;
mod select;
mod storage;
mod tree;
mod uncertainty;
mod weigh;

pub use evaluate::{Bare, OfMasks, explanations_equal_the_cpu, fidelities_equal_the_cpu, instance_and_model};
pub use fit::{
    TIGHT, anchored_fits_equal_the_cpu, divergences, fits_start_and_count_as_told, fits_with_pairs_equal_the_cpu,
    gradient_matches_the_oracle, matrices_equal_the_cpu, objectives_equal_the_cpu, oracle,
    other_settings_equal_the_cpu, own_divergence, point,
};
pub use lambda::penalties_chosen_equal_the_cpu;
pub use perturb::masks_equal_the_cpu;
pub use problem::{Case, EVALUATED, Made, cases, made, made_by};
pub use ridge::ridges_equal_the_cpu;
pub use select::{highest_weights_are_picked, picks_equal_the_cpu};
pub use storage::arrays_keep_their_rows;
pub use tree::trees_equal_the_cpu;
pub use uncertainty::{bars_equal_the_cpu, spreads_equal_the_cpu};
pub use weigh::weights_equal_the_cpu;
