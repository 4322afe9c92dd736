//! scikit-learn's ridge on LIME's picks; `golden/selection.py` made it. A test that uses this has `mod problem` too.

use super::problem::Problem;
use serde::Deserialize;

/// Ridges (α = 1) of one problem.
#[derive(Debug, Deserialize)]
pub struct RidgeCase {
    pub problem: Problem,
    /// The sorted union of the picks.
    pub union: Vec<usize>,
    pub classes: Vec<RidgeClass>,
}

/// One class's ridges.
#[derive(Debug, Deserialize)]
pub struct RidgeClass {
    pub picks: Vec<usize>,
    /// Coefficients of the fit on the picks alone, in their order.
    pub own: Vec<f64>,
    pub own_intercept: f64,
    /// Coefficients of the fit on the union, in its order.
    pub union: Vec<f64>,
    pub union_intercept: f64,
}

/// All ridges of the golden file.
pub fn ridges() -> Vec<RidgeCase> {
    serde_json::from_str(include_str!("../../golden/selection.json"))
        .expect("selection.json is not as selection.py writes it")
}
