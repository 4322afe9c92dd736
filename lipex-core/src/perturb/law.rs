//! What is known of a law of masks wherever it is drawn, and what a backend adds to it.

use crate::backend::{Backend, Sample};
use crate::describe::Describe;
use crate::error::Result;
use crate::weigh::ProximityTable;
use std::ops::Range;

/// The facts of a law by which masks are drawn; they hold on every backend, so they stand here once.
///
/// ```
/// use lipex_core::{Antithetic, Dependence, Law, UniformSize};
///
/// assert_eq!(Antithetic.dependence(), Dependence::Pairs);
/// // Of 3 features, 2 kept: one of three sizes, then one of three masks.
/// assert_eq!(UniformSize::default().probability(2, 3), Some(1.0 / 9.0));
/// ```
pub trait Law: Describe + Send + Sync {
    /// Rows in a run for which `asked` were asked for; differs only for laws that fix their number.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when the law cannot serve that many features.
    fn total(&self, features: usize, asked: usize) -> Result<usize> {
        let _ = features;
        Ok(asked)
    }

    /// Whether rows a…b are the same whatever the total, so that a run can be extended.
    fn grows(&self) -> bool;

    /// How rows depend on one another, which decides folds and error bars.
    fn dependence(&self) -> Dependence {
        Dependence::Independent
    }

    /// Whether a run of `total` rows is complete: every mask of `features` features occurs in it, so that there is no
    /// sampling error whatever the law's [`dependence`](Law::dependence).
    fn is_complete(&self, features: usize, total: usize) -> bool {
        let _ = (features, total);
        self.dependence() == Dependence::Exhaustive
    }

    /// Whether samples come with weights of their own, which take the place of the proximity's; default no. A proximity set
    /// beside such a law is an error.
    fn weighs_itself(&self) -> bool {
        false
    }

    /// The probability that a drawn row is one given mask, for a mask that keeps `kept` of `features` features; `None` if
    /// that is not known, or does not depend on the number of kept features alone.
    ///
    /// A law that knows can be enumerated where there are few masks: each is asked once and weighs what drawn rows would.
    /// One with weights of its own says the probability that goes with the proximity's weights in their place.
    fn probability(&self, kept: usize, features: usize) -> Option<f64> {
        let _ = (kept, features);
        None
    }
}

/// The rows that are asked of a law.
///
/// ```
/// use lipex_core::Draw;
///
/// // Rows 100 to 199 of a run of 1000, of two instances at once.
/// let draw = Draw { rows: 100..200, ..Draw::whole(&[12, 30], 1000, 7) };
/// assert_eq!((draw.total, draw.rows.len()), (1000, 100));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw<'a> {
    /// D of each instance of the batch.
    pub features: &'a [usize],
    /// N, the rows of the run that these are a part of; a law that [`grows`](Law::grows) does not heed it.
    pub total: usize,
    /// The rows to draw.
    pub rows: Range<usize>,
    /// The seed of the run.
    pub seed: u64,
}

impl<'a> Draw<'a> {
    /// All `total` rows of a run.
    pub fn whole(features: &'a [usize], total: usize, seed: u64) -> Self {
        Draw { features, total, rows: 0..total, seed }
    }
}

/// Draws masks around an instance by a [`Law`].
///
/// ```
/// use lipex::{Cpu, Draw, Perturber, UniformSize};
///
/// // Rows of a run are the same, drawn alone or with the others.
/// let (on, law, whole) = (Cpu::new(), UniformSize::default(), Draw::whole(&[12], 100, 7));
/// let part = Draw { rows: 10..20, ..whole.clone() };
/// let (all, some) = (law.perturb(&on, &whole)?.remove(0), law.perturb(&on, &part)?.remove(0));
/// assert_eq!(all.masks.row(10), some.masks.row(0));
/// assert_eq!(all.masks.count(0), 12); // row 0 is the instance
/// # Ok::<(), lipex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not draw masks on the backend `{B}`",
    note = "implement `Perturber<{B}>` for it, or choose a backend that it implements"
)]
pub trait Perturber<B: Backend>: Law {
    /// One sample for each instance of the batch.
    ///
    /// Row 0 is all ones. If the law [`grows`](Law::grows), a row does not depend on [`Draw::total`]. A law that throws rows
    /// away ([`Filtered`](super::Filtered)) returns fewer.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when the law cannot serve that many features or rows.
    fn perturb(&self, on: &B, draw: &Draw<'_>) -> Result<Vec<Sample<B>>>;

    /// The same where the proximity's weights are known by the number of kept features, a table an instance.
    ///
    /// Only a law that draws by them ([`WeightProportional`](super::WeightProportional)), or that contains another law,
    /// has to say what it does.
    ///
    /// # Errors
    /// Those of [`perturb`](Perturber::perturb).
    fn perturb_by(&self, on: &B, draw: &Draw<'_>, proximity: &[ProximityTable]) -> Result<Vec<Sample<B>>> {
        let _ = proximity;
        self.perturb(on, draw)
    }
}

/// How the rows of a sampler depend on one another.
///
/// ```
/// use lipex_core::{Dependence, deal_folds};
///
/// // Complements tell each other's answers, so they share a fold.
/// let folds = deal_folds(&[0, 1, 2, 3, 4], 2, Dependence::Pairs);
/// assert!(folds[1] == folds[2] && folds[3] == folds[4] && folds[1] != folds[3]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Dependence {
    /// Rows 1, 2, … are drawn independently.
    Independent,
    /// Rows 2m−1 and 2m are complements.
    Pairs,
    /// The numbers of kept features are spread evenly; given them, rows are drawn independently.
    Stratified,
    /// Kernel SHAP's: sizes of which every mask occurs are not drawn; the rows after them are, as pairs of complements.
    Coalitions,
    /// Every mask occurs: there is no sampling error.
    Exhaustive,
    /// Nothing is known.
    Unknown,
}

/// C(n, k), the number of subsets of k of n things, as a floating-point number.
pub(super) fn binomial(n: usize, k: usize) -> f64 {
    (0..k.min(n - k)).fold(1.0, |count, i| count * (n - i) as f64 / (i + 1) as f64)
}
