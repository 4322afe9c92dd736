//! Asking the black box again, during a fit.

use crate::error::Result;

/// The black box around one instance, for a surrogate that asks it about masks of its own choice.
///
/// An explainer puts it into the [`Problem`](super::Problem) of a surrogate that [wants](super::Surrogate::requeries) it. What is
/// asked is counted in [`Calls::requeried`](crate::Calls::requeried); a mask that was asked before costs nothing.
///
/// ```
/// use lipex_core::{Requery, Result};
///
/// /// Two features, of which the first takes class 0 from .6 to .9.
/// struct Known;
///
/// impl Requery for Known {
///     fn ask(&self, bits: &[u32]) -> Result<Vec<f64>> {
///         Ok(bits.iter().flat_map(|mask| if mask & 1 == 1 { [0.9, 0.1] } else { [0.6, 0.4] }).collect())
///     }
/// }
///
/// assert_eq!(Known.ask(&[0b10, 0b11])?, [0.6, 0.4, 0.9, 0.1]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait Requery: Send + Sync {
    /// The answers to some masks, C numbers each, in the classes of the neighbourhood.
    ///
    /// # Shapes
    /// `bits`: rows of ⌈D/32⌉ words, as [`Masks`](crate::Masks) have them.
    ///
    /// # Errors
    /// Those of the black box.
    fn ask(&self, bits: &[u32]) -> Result<Vec<f64>>;
}
