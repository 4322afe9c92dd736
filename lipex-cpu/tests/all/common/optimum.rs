//! Fits whose best objective SciPy found; `golden/optimum.py` made them. A test that uses this has `mod problem` too.

use super::problem::{Problem, draw};
use serde::Deserialize;

/// Which draws of a problem's seed are multiplicities.
const MULTIPLICITY: u64 = 6;

/// One fit, and how low its objective can be brought.
#[derive(Debug, Deserialize)]
pub struct Fit {
    pub name: String,
    pub problem: Problem,
    /// As `lipex_core::by_name` takes it.
    pub divergence: String,
    /// λ as it enters the objective.
    pub lambda: f64,
    /// Whether there is one; it is penalised by 10⁻⁸.
    pub intercept: bool,
    multiplicities: bool,
    /// The lowest objective that L-BFGS-B found.
    pub objective: f64,
}

impl Fit {
    /// How often each row counts, if not once: 0 to 3 times.
    pub fn multiplicities(&self) -> Option<Vec<u32>> {
        let row = |i| (draw(self.problem.seed, MULTIPLICITY, i, 0) % 4) as u32;
        self.multiplicities.then(|| (0..self.problem.rows).map(row).collect())
    }
}

/// All fits of the golden file.
pub fn fits() -> Vec<Fit> {
    serde_json::from_str(include_str!("../../golden/optimum.json"))
        .expect("optimum.json is not as optimum.py writes it")
}
