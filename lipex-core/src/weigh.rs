//! Weigh: proximity weights π, which say how much a mask counts.
//!
//! # Scale
//! Weights are not normalised: the instance weighs 1 under every built-in proximity but Kernel SHAP's, and a mask less the
//! more it removes. Multiplying all weights changes no selection; it changes fits by the penalty alone.

use crate::backend::{Backend, Masks, Weights};
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

/// Gives each mask its proximity weight.
///
/// ```
/// use lipex::{Cpu, Exponential, Masks, Proximity};
///
/// let masks = Masks::new(&Cpu::new(), 3, 2, vec![0b11, 0b01, 0b00])?;
/// let weights = Exponential::default().weigh(&Cpu::new(), &[masks])?.remove(0);
/// let [whole, one, none] = weights.values()[..] else { panic!("a weight a row") };
/// assert!(whole == 1.0 && one < whole && none < one);
/// # Ok::<(), lipex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not weigh masks on the backend `{B}`",
    note = "implement `Proximity<{B}>` for it, or choose a backend that it implements"
)]
pub trait Proximity<B: Backend>: Describe + Send + Sync {
    /// One weight a row for each instance of the batch.
    ///
    /// # Errors
    /// [`Error::Setting`] when the weights cannot be computed or are all 0.
    fn weigh(&self, on: &B, masks: &[Masks<B>]) -> Result<Vec<Weights<B>>>;

    /// The weight by the number of kept features, if it depends on nothing else.
    ///
    /// # Errors
    /// [`Error::Setting`] when it cannot be computed.
    fn table(&self, features: usize) -> Result<Option<ProximityTable>> {
        let _ = features;
        Ok(None)
    }
}

/// Weights by the number m of kept features: D + 1 numbers, entry m for m kept.
///
/// ```
/// use lipex_core::ProximityTable;
///
/// let linear = ProximityTable::new(4, |kept| kept as f64 / 4.0);
/// assert_eq!(linear.values(), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ProximityTable {
    values: Vec<f64>,
}

impl ProximityTable {
    /// Tabulates `weight(m)` for m = 0…`features`.
    pub fn new(features: usize, weight: impl Fn(usize) -> f64) -> Self {
        ProximityTable { values: (0..=features).map(weight).collect() }
    }

    /// The weights, entry m for m kept features.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// c(m) = 1 − √(m/D), the cosine distance of a mask with m ones from the all-ones mask; c(0) = 1.
///
/// ```
/// // Half of the features: 1 − √½.
/// assert!((lipex_core::cosine_distance(2, 4) - (1.0 - 0.5f64.sqrt())).abs() < 1e-15);
/// ```
pub fn cosine_distance(kept: usize, features: usize) -> f64 {
    if features == 0 { 0.0 } else { 1.0 - (kept as f64 / features as f64).sqrt() }
}

/// exp(−c²/(2ω²)), the default: LIME's weights for text and for images alike.
///
/// # Source
/// LIME 0.2.0.1: for text its `kernel_width` 25 acts on 100·c, for images 0.25 on c; both are `width` 0.25 here.
///
/// ```
/// use lipex_core::Exponential;
///
/// let near = Exponential::new(0.25)?.table(10);
/// assert!(near.values()[10] == 1.0 && near.values()[5] < near.values()[9]);
/// assert!(Exponential::new(0.0).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponential {
    width: f64,
}

impl Exponential {
    /// Weights of width ω (LIME's `kernel_width`, over 100 for text): smaller stays closer to the instance.
    ///
    /// # Errors
    /// [`Error::Setting`] unless ω is finite and at least 0.001.
    pub fn new(width: f64) -> Result<Self> {
        if width.is_finite() && width >= 1e-3 {
            Ok(Exponential { width })
        } else {
            Err(Error::setting("proximity", format!("exponential:{width}"), "a width of at least 0.001"))
        }
    }

    /// ω.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The table for D features.
    pub fn table(&self, features: usize) -> ProximityTable {
        let scale = -0.5 / (self.width * self.width);
        ProximityTable::new(features, |m| {
            let c = cosine_distance(m, features);
            (scale * c * c).exp()
        })
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Exponential { width: 0.25 }
    }
}

impl Describe for Exponential {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("proximity", format!("exponential:{}", self.width))]
    }
}

/// √(m/D).
///
/// ```
/// use lipex_core::CosineSimilarity;
///
/// // √(kept/D).
/// assert_eq!(CosineSimilarity.table(4).values()[1], 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosineSimilarity;

impl CosineSimilarity {
    /// The table for D features.
    pub fn table(&self, features: usize) -> ProximityTable {
        ProximityTable::new(features, |m| 1.0 - cosine_distance(m, features))
    }
}

impl Describe for CosineSimilarity {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("proximity", "cosine-similarity")]
    }
}

/// c(m), the weight that the paper prints: it gives the instance itself none and far masks most.
///
/// # Source
/// The paper's formula for π, which contradicts its own words; the authors' code weighs exponentially.
///
/// ```
/// use lipex_core::CosineDistance;
///
/// assert_eq!(CosineDistance.table(4).values().len(), 5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CosineDistance;

impl CosineDistance {
    /// The table for D features.
    pub fn table(&self, features: usize) -> ProximityTable {
        ProximityTable::new(features, |m| cosine_distance(m, features))
    }
}

impl Describe for CosineDistance {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("proximity", "cosine-distance")]
    }
}

/// The Shapley kernel, (D−1)/(C(D,m)·m·(D−m)) for m kept features, as a share of its largest finite value.
///
/// It is infinite for everything and for nothing, which here weigh as much as the largest; the surrogate
/// [`KernelShap`](crate::KernelShap) takes both as constraints. Meant for exhaustive masks, where it makes Shapley values;
/// the sampler [`ShapleySize`](crate::ShapleySize) brings weights of its own.
///
/// # Source
/// Lundberg and Lee, A Unified Approach to Interpreting Model Predictions (2017), theorem 2.
///
/// ```
/// use lipex_core::ShapleyKernel;
///
/// // (D − 1)/(C(D, m) m (D − m)): of 4 features the kernel is largest at one and at three.
/// let kernel = ShapleyKernel.table(4);
/// assert!(kernel.values()[1] > kernel.values()[2] && kernel.values()[1] == kernel.values()[3]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShapleyKernel;

impl ShapleyKernel {
    /// The table for D features.
    pub fn table(&self, features: usize) -> ProximityTable {
        // From m − 1 to m the kernel changes by a ratio, so that no binomial can overflow.
        let mut values = vec![1.0; features + 1];
        for m in 2..=features / 2 {
            let (before, m_of, d) = (values[m - 1], m as f64, features as f64);
            values[m] = before * (m_of / (d - m_of + 1.0)) * ((m_of - 1.0) * (d - m_of + 1.0)) / (m_of * (d - m_of));
        }
        ProximityTable::new(features, |m| values[m.min(features - m)])
    }
}

impl Describe for ShapleyKernel {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("proximity", "shapley")]
    }
}

/// Weights of the user's own, one a row.
///
/// ```
/// use lipex_core::GivenWeights;
///
/// assert!(GivenWeights::new(vec![1.0, 0.5]).is_ok());
/// assert!(GivenWeights::new(vec![1.0, -0.5]).is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GivenWeights {
    values: Vec<f32>,
}

impl GivenWeights {
    /// Takes one weight a row: finite, not negative, not all 0.
    ///
    /// # Errors
    /// [`Error::Setting`] otherwise.
    pub fn new(values: Vec<f32>) -> Result<Self> {
        check_weights(&values)?;
        Ok(GivenWeights { values })
    }

    /// The weights.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Describe for GivenWeights {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("proximity", "given")]
    }
}

/// Passes if weights are finite, not negative and not all 0.
///
/// # Errors
/// [`Error::Setting`] names the first bad row.
pub fn check_weights(values: &[f32]) -> Result<()> {
    if let Some((row, v)) = values.iter().enumerate().find(|(_, v)| !(v.is_finite() && **v >= 0.0)) {
        return Err(Error::setting("proximity", v, format!("the weight of row {row} must be finite and not negative")));
    }
    if values.iter().all(|&v| v == 0.0) {
        let reason = "every weight is 0, so nothing can be fitted; choose another proximity or more samples";
        return Err(Error::setting("proximity", 0, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_the_formulas() {
        let t = Exponential::default().table(4);
        // m = 1: c = 1/2, exp(−.25/.125) = e⁻²; m = 0: c = 1, e⁻⁸ = 3.35e-4 as in LIME.
        assert!((t.values()[1] - (-2f64).exp()).abs() < 1e-15);
        assert!((t.values()[0] - 3.354_626_279_025_118e-4).abs() < 1e-15);
        assert_eq!(t.values()[4], 1.0);
        assert_eq!(CosineSimilarity.table(4).values(), &[0.0, 0.5, 0.5f64.sqrt(), 0.75f64.sqrt(), 1.0]);
        assert_eq!(CosineDistance.table(4).values()[1], 0.5);
        assert_eq!(CosineDistance.table(4).values()[4], 0.0);
    }

    #[test]
    fn the_shapley_kernel_is_its_formula() {
        for d in [1usize, 2, 3, 10, 33] {
            let table = ShapleyKernel.table(d);
            let binomial = |m: usize| (0..m).fold(1.0, |b, k| b * (d - k) as f64 / (k + 1) as f64);
            let kernel = |m: usize| (d as f64 - 1.0) / (binomial(m) * m as f64 * (d - m) as f64);
            for m in 1..d {
                let expected = kernel(m) / kernel(1);
                assert!((table.values()[m] - expected).abs() < 1e-12 * expected, "D = {d}, m = {m}");
            }
            assert_eq!((table.values()[0], table.values()[d]), (1.0, 1.0));
        }
        assert!(ShapleyKernel.table(5000).values().iter().all(|v| v.is_finite() && *v >= 0.0));
    }

    #[test]
    fn weights_are_checked() {
        assert!(GivenWeights::new(vec![0.0, 2.0]).is_ok());
        for bad in [vec![], vec![0.0, 0.0], vec![1.0, -1.0], vec![f32::NAN]] {
            assert!(GivenWeights::new(bad).is_err());
        }
        assert!(Exponential::new(0.0).is_err() && Exponential::new(f64::INFINITY).is_err());
    }
}
