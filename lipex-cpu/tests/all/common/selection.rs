//! Features that PyPI lime picks; `golden/selection.py` made them. A test that uses this has `mod problem` too.

use super::problem::Problem;
use serde::Deserialize;

/// LIME's two ways to select.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Forward,
    Highest,
}

/// One selection.
#[derive(Debug, Deserialize)]
pub struct Case {
    pub problem: Problem,
    pub method: Method,
    /// Features a class.
    pub k: usize,
    pub classes: Vec<Picks>,
}

/// What LIME picked for one class.
#[derive(Debug, Deserialize)]
pub struct Picks {
    /// In LIME's order.
    pub picks: Vec<usize>,
    /// From the first on, how many picks lead the runner-up by more than 10⁻⁹; then rounding may decide.
    pub steady: usize,
}

/// All selections of the golden file.
pub fn selections() -> Vec<Case> {
    serde_json::from_str(include_str!("../../golden/selection.json"))
        .expect("selection.json is not as selection.py writes it")
}
