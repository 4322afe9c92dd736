//! Kernel SHAP's surrogate.

use crate::describe::{Describe, Setting};

/// Kernel SHAP: per class the π-weighted least squares of P on the masks, held to the answers at everything and at nothing.
///
/// The intercept is P_∅, the answer with nothing left, and Σ_j W_cj = P_0 − P_∅ (efficiency); no penalty. With every mask
/// once and the weights of [`ShapleyKernel`](crate::ShapleyKernel), or with [`ShapleySize`](crate::ShapleySize) and enough
/// rows, W holds the Shapley values. Each class is fitted on its own picks, zeros elsewhere. One mask must be empty; its
/// answer, like that of row 0, is used whatever its weight and multiplicity.
///
/// # Numerics
/// In f64, by a Cholesky factor of the Gram. Where masks do not determine W (fewer rows than features), 10⁻¹⁰ of the Gram's
/// mean diagonal on its diagonal picks the smallest.
///
/// # Source
/// Lundberg and Lee, A Unified Approach to Interpreting Model Predictions (2017), equation 8.
///
/// ```
/// use lipex_core::{Describe, KernelShap};
///
/// assert_eq!(KernelShap.describe()[0].value, "kernel-shap");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelShap;

impl Describe for KernelShap {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("surrogate", "kernel-shap")]
    }
}
