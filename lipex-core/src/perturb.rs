//! Perturb: drawing masks. The laws as types with their facts; each backend implements [`Perturber`] for them.
//!
//! # Which one
//! Uniform sizes are LIME's for texts, Bernoulli(½) LIME's for images and the paper's; antithetic pairs halve the noise of
//! main effects; weight-proportional draws rows where the proximity counts them; exhaustive asks every mask of small
//! instances; Kernel SHAP's has weights of its own. The masks of a seed are the same to the bit on every backend.

use crate::bits::pack_bits;
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};

mod law;
mod shapley;
mod weighted;

use law::binomial;
pub use law::{Dependence, Draw, Law, Perturber};
pub use shapley::{Coalitions, Enumerated, ShapleySize};
pub use weighted::{Filtered, Sizes, WeightProportional};

/// The rows that were drawn, which are all but row 0: strata of units of rows that were drawn together.
///
/// `kept` has the number of features that each row keeps, which [`Dependence::Stratified`] asks for; of row 0
/// [`Dependence::Coalitions`] does.
pub fn units(kept: &[usize], dependence: Dependence) -> Vec<Vec<Vec<usize>>> {
    let rows = kept.len();
    match dependence {
        Dependence::Pairs => {
            vec![(1..rows).step_by(2).map(|first| (first..rows.min(first + 2)).collect()).collect()]
        }
        Dependence::Coalitions => coalitions(kept.first().copied().unwrap_or(0), rows),
        Dependence::Stratified => {
            let alone = |group: Vec<usize>| group.into_iter().map(|i| vec![i]).collect();
            strata(kept).into_iter().map(alone).collect()
        }
        _ => vec![(1..rows).map(|i| vec![i]).collect()],
    }
}

/// Rows that occur in every run are strata of their own, so that drawing again changes nothing; pairs of complements are one.
fn coalitions(features: usize, rows: usize) -> Vec<Vec<Vec<usize>>> {
    let first = ShapleySize::first_drawn(features, rows).min(rows);
    let mut strata: Vec<Vec<Vec<usize>>> = (1..first).map(|i| vec![vec![i]]).collect();
    if first < rows {
        strata.push((first..rows).step_by(2).map(|i| (i..rows.min(i + 2)).collect()).collect());
    }
    strata
}

/// Groups of rows that were drawn alike under [`Dependence::Stratified`]: by the number of kept features, neighbouring
/// numbers together until a group has 2 rows. Row 0, which is not drawn, is in none.
pub fn strata(kept: &[usize]) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (1..kept.len()).collect();
    rows.sort_by_key(|&i| (kept[i], i));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for of_size in rows.chunk_by(|&a, &b| kept[a] == kept[b]) {
        match groups.last_mut() {
            Some(last) if last.len() < 2 => last.extend(of_size),
            _ => groups.push(of_size.to_vec()),
        }
    }
    if groups.len() > 1 && groups.last().is_some_and(|g| g.len() < 2) {
        let alone = groups.pop().unwrap_or_default();
        groups.last_mut().into_iter().for_each(|g| g.extend(&alone));
    }
    groups
}

/// The largest angle between a mask and the all-ones mask, for laws that can be confined to it.
///
/// cos θ = √(m/D), so at most max(1, ⌊D sin²δ + 10⁻⁹⌋) features are removed; the max admits one removal that may lie
/// outside δ. δ = π/2 allows the empty mask.
///
/// ```
/// use lipex_core::Angle;
///
/// // 30°: at most D sin² δ = a quarter of the features are removed.
/// assert_eq!(Angle::new(30f64.to_radians())?.most_removed(44), 11);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Angle(f64);

impl Angle {
    /// An angle in radians, above 0 and at most π/2.
    ///
    /// # Errors
    /// [`Error::Setting`] outside that range.
    pub fn new(radians: f64) -> Result<Self> {
        // A user types π/2 with few digits.
        if radians > 0.0 && radians <= std::f64::consts::FRAC_PI_2 + 1e-3 {
            Ok(Angle(radians.min(std::f64::consts::FRAC_PI_2)))
        } else {
            Err(Error::setting("within-angle", radians, "an angle in radians, above 0 and at most 1.5708 (π/2)"))
        }
    }

    /// The angle in radians.
    pub fn radians(self) -> f64 {
        self.0
    }

    /// The largest number of features that may be removed of `features`.
    pub fn most_removed(self, features: usize) -> usize {
        let sine = self.0.sin();
        ((features as f64 * sine * sine + 1e-9).floor() as usize).clamp(1, features.max(1))
    }
}

fn describe_law(name: impl ToString, within: Option<Angle>) -> Vec<Setting> {
    let angle = within.map_or("none".to_string(), |a| a.radians().to_string());
    vec![Setting::new("sampler", name), Setting::new("within-angle", angle)]
}

/// LIME's text sampler: the number of removed features is uniform on 1…D, then all subsets of that size are equally likely.
///
/// # Source
/// LIME 0.2.0.1, `LimeTextExplainer`; Floyd's subset algorithm on draws 1, 2, … of the row, the size from draw 0.
///
/// ```
/// use lipex_core::{Law, UniformSize};
///
/// // Of 4 features, 1 removed: one of four sizes, then one of four masks.
/// assert_eq!(UniformSize::default().probability(3, 4), Some(1.0 / 16.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UniformSize {
    /// If set, sizes are uniform on 1…[`Angle::most_removed`] (the conditional variant).
    pub within: Option<Angle>,
}

impl Describe for UniformSize {
    fn describe(&self) -> Vec<Setting> {
        describe_law("uniform-size", self.within)
    }
}

impl Law for UniformSize {
    fn grows(&self) -> bool {
        true
    }

    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        let removed = features - kept.min(features);
        let most = self.within.map_or(features, |angle| angle.most_removed(features));
        let drawn = (1..=most).contains(&removed);
        Some(if drawn { 1.0 / (most as f64 * binomial(features, removed)) } else { 0.0 })
    }
}

/// Uniform sizes in pairs: row 2m−1 removes 1…D−1 features, row 2m is its complement.
///
/// ```
/// use lipex_core::{Antithetic, Dependence, Law};
///
/// assert_eq!(Antithetic.dependence(), Dependence::Pairs);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Antithetic;

impl Describe for Antithetic {
    fn describe(&self) -> Vec<Setting> {
        describe_law("antithetic", None)
    }
}

impl Law for Antithetic {
    fn grows(&self) -> bool {
        true
    }

    fn dependence(&self) -> Dependence {
        Dependence::Pairs
    }

    /// Of a row at a random place: both rows of a pair have uniform sizes.
    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        // Of one feature, a pair is nothing and the instance.
        if features == 1 {
            return Some(0.5);
        }
        let drawn = (1..features).contains(&kept);
        Some(if drawn { 1.0 / ((features - 1) as f64 * binomial(features, kept)) } else { 0.0 })
    }
}

/// Each feature is kept with probability `keep`, independently; LIME's image sampler has ½.
///
/// ```
/// use lipex_core::{Bernoulli, Law};
///
/// // Fair coins: each of the 8 masks of 3 features alike.
/// assert_eq!(Bernoulli::default().probability(1, 3), Some(0.125));
/// assert!(Bernoulli::new(1.0).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli {
    keep: f64,
    /// If set, the number of removed features is the binomial restricted to 0…[`Angle::most_removed`].
    pub within: Option<Angle>,
}

impl Bernoulli {
    /// Keeps features with probability `keep`, strictly between 0 and 1.
    ///
    /// # Errors
    /// [`Error::Setting`] outside that range.
    pub fn new(keep: f64) -> Result<Self> {
        if keep > 0.0 && keep < 1.0 {
            Ok(Bernoulli { keep, within: None })
        } else {
            Err(Error::setting("sampler", format!("bernoulli:{keep}"), "a probability strictly between 0 and 1"))
        }
    }

    /// The probability of keeping a feature.
    pub fn keep(&self) -> f64 {
        self.keep
    }
}

impl Default for Bernoulli {
    fn default() -> Self {
        Bernoulli { keep: 0.5, within: None }
    }
}

impl Describe for Bernoulli {
    fn describe(&self) -> Vec<Setting> {
        describe_law(format!("bernoulli:{}", self.keep), self.within)
    }
}

impl Law for Bernoulli {
    fn grows(&self) -> bool {
        true
    }

    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        let removed = features - kept.min(features);
        let most = self.within.map_or(features, |angle| angle.most_removed(features).min(features));
        if removed > most {
            return Some(0.0);
        }
        let mask =
            |removed: usize| self.keep.powi((features - removed) as i32) * (1.0 - self.keep).powi(removed as i32);
        let within: f64 = (0..=most).map(|r| binomial(features, r) * mask(r)).sum();
        Some(mask(removed) / within)
    }
}

/// All 2^D masks, for at most [`Exhaustive::MOST_FEATURES`] features; row i is the complement of i's bits.
///
/// ```
/// use lipex_core::perturb::Exhaustive;
///
/// assert_eq!(Exhaustive::rows(5)?, 32);
/// assert!(Exhaustive::rows(21).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exhaustive;

impl Exhaustive {
    /// The largest D.
    pub const MOST_FEATURES: usize = 20;

    /// 2^D.
    ///
    /// # Errors
    /// [`Error::Setting`] when D is above [`Exhaustive::MOST_FEATURES`].
    pub fn rows(features: usize) -> Result<usize> {
        if features <= Self::MOST_FEATURES {
            Ok(1 << features)
        } else {
            let reason = format!(
                "{features} features have 2^{features} masks; at most {} features, so choose another sampler",
                Self::MOST_FEATURES
            );
            Err(Error::setting("sampler", "exhaustive", reason))
        }
    }
}

impl Describe for Exhaustive {
    fn describe(&self) -> Vec<Setting> {
        describe_law("exhaustive", None)
    }
}

impl Law for Exhaustive {
    fn total(&self, features: usize, _: usize) -> Result<usize> {
        Exhaustive::rows(features)
    }

    fn grows(&self) -> bool {
        false
    }

    fn dependence(&self) -> Dependence {
        Dependence::Exhaustive
    }
}

/// LIME's own text masks for a seed, bit for bit, so that both tools can be compared on one neighbourhood.
///
/// # Source
/// LIME 0.2.0.1, `LimeTextExplainer` over NumPy's legacy `RandomState` (MT19937).
///
/// ```
/// use lipex_core::{Law, LimeText};
///
/// assert!(!LimeText.grows()); // NumPy's generator draws all rows in one sequence
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimeText;

impl Describe for LimeText {
    fn describe(&self) -> Vec<Setting> {
        describe_law("lime", None)
    }
}

impl Law for LimeText {
    fn grows(&self) -> bool {
        false
    }
}

/// LIME's own image masks for a seed, bit for bit: N·D fair coin tosses, row 0 then set to ones.
///
/// # Source
/// LIME 0.2.0.1, `LimeImageExplainer` over NumPy's legacy `RandomState` (MT19937).
///
/// ```
/// use lipex_core::{Law, LimeImage};
///
/// assert!(!LimeImage.grows()); // NumPy's generator draws all rows in one sequence
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimeImage;

impl Describe for LimeImage {
    fn describe(&self) -> Vec<Setting> {
        describe_law("lime-image", None)
    }
}

impl Law for LimeImage {
    fn grows(&self) -> bool {
        false
    }
}

/// A matrix of masks of the user's own; row 0 must be all ones.
///
/// ```
/// use lipex_core::GivenMasks;
///
/// let masks = GivenMasks::new(3, 2, &[1, 1, 1, 0, 0, 1])?;
/// assert_eq!(masks.bits(), [0b11, 0b01, 0b10]);
/// assert!(GivenMasks::new(1, 2, &[1, 0]).is_err()); // row 0 is the instance
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenMasks {
    rows: usize,
    features: usize,
    bits: Vec<u32>,
}

impl GivenMasks {
    /// Takes N×D numbers, row-major; a number other than 0 keeps the feature.
    ///
    /// # Errors
    /// [`Error::Shape`] for another length, [`Error::Setting`] when row 0 is not all ones or there is no row.
    pub fn new(rows: usize, features: usize, masks: &[u8]) -> Result<Self> {
        crate::error::expect_len("numbers in the masks", rows.saturating_mul(features), masks.len())?;
        if rows == 0 || masks[..features].contains(&0) {
            return Err(Error::setting("masks", "given", "row 0 must be the unperturbed instance: all ones"));
        }
        Ok(GivenMasks { rows, features, bits: pack_bits(features, masks) })
    }

    /// N.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// D.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The packed bits, laid out as in [`Masks`](crate::Masks).
    pub fn bits(&self) -> &[u32] {
        &self.bits
    }
}

impl Describe for GivenMasks {
    fn describe(&self) -> Vec<Setting> {
        describe_law("given", None)
    }
}

impl Law for GivenMasks {
    fn total(&self, _: usize, _: usize) -> Result<usize> {
        Ok(self.rows)
    }

    fn grows(&self) -> bool {
        false
    }

    fn dependence(&self) -> Dependence {
        Dependence::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn angles_allow_the_stated_number_of_removals() {
        let most = |part: f64, d| Angle::new(PI / part).unwrap().most_removed(d);
        // D sin²δ: 44·.0381 = 1.67, 44·.1464 = 6.4, 44·.5 = 22.
        assert_eq!((most(16.0, 44), most(8.0, 44), most(4.0, 44), most(2.0, 44)), (1, 6, 22, 44));
        assert_eq!(most(16.0, 3), 1);
        for bad in [0.0, -1.0, 1.6, f64::NAN] {
            assert!(Angle::new(bad).is_err());
        }
        assert_eq!(Angle::new(1.571).unwrap().most_removed(10), 10);
    }

    #[test]
    fn strata_have_two_rows_or_more() {
        assert_eq!(strata(&[9, 3, 5, 3, 4, 5, 1]), [vec![6, 1, 3], vec![4, 2, 5]]);
        assert_eq!(strata(&[9, 3, 3, 7]), [[1, 2, 3]]);
        assert_eq!(strata(&[9, 3]), [[1]]);
        assert!(strata(&[9]).is_empty() && strata(&[]).is_empty());
    }

    #[test]
    fn given_masks_need_the_instance_first() {
        let given = GivenMasks::new(2, 33, &[vec![1; 33], [vec![0; 32], vec![1]].concat()].concat()).unwrap();
        assert_eq!(given.bits(), &[u32::MAX, 1, 0, 1]);
        assert!(GivenMasks::new(1, 2, &[1, 0]).is_err());
        assert!(GivenMasks::new(0, 2, &[]).is_err());
        assert!(GivenMasks::new(1, 2, &[1]).is_err());
    }

    #[test]
    fn laws_refuse_what_they_cannot_draw() {
        assert_eq!(Exhaustive::rows(3).unwrap(), 8);
        assert!(Exhaustive::rows(21).is_err());
        assert!(Bernoulli::new(0.0).is_err() && Bernoulli::new(1.0).is_err() && Bernoulli::new(0.3).is_ok());
    }

    /// The probability of one mask times the number of masks, over all sizes.
    fn total_probability(law: &impl Law, features: usize) -> f64 {
        (0..=features).map(|kept| law.probability(kept, features).unwrap() * binomial(features, kept)).sum()
    }

    #[test]
    fn probabilities_of_masks_sum_to_one() {
        let within = Angle::new(0.7).unwrap();
        for features in [1, 2, 3, 9, 20] {
            for law in [UniformSize::default(), UniformSize { within: Some(within) }] {
                assert!((total_probability(&law, features) - 1.0).abs() < 1e-12, "{law:?} {features}");
            }
            for law in [Bernoulli::new(0.3).unwrap(), Bernoulli { keep: 0.8, within: Some(within) }] {
                assert!((total_probability(&law, features) - 1.0).abs() < 1e-12, "{law:?} {features}");
            }
            assert!((total_probability(&Antithetic, features) - 1.0).abs() < 1e-12, "{features}");
            assert!((total_probability(&WeightProportional, features) - 1.0).abs() < 1e-12, "{features}");
        }
        // By hand: 3 of 8 coins, and 1 removed of 4 among the sizes 1 … 4.
        assert!((Bernoulli::default().probability(3, 8).unwrap() - 0.5f64.powi(8)).abs() < 1e-18);
        assert_eq!(UniformSize::default().probability(3, 4), Some(1.0 / 16.0));
        assert_eq!((UniformSize::default().probability(4, 4), Antithetic.probability(0, 4)), (Some(0.0), Some(0.0)));
        for unknown in [LimeText.probability(1, 3), Exhaustive.probability(1, 3), ShapleySize.probability(1, 3)] {
            assert!(unknown.is_none());
        }
        assert!(Filtered { law: UniformSize::default(), within }.probability(1, 3).is_none());
    }
}
