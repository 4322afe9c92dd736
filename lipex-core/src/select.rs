//! Select: which features the surrogate keeps.

use crate::backend::{Backend, Masks, Neighbourhood, Probabilities, Weights};
use crate::describe::{Describe, Setting};
use crate::error::{Error, Result, expect_len};

/// Chooses features for each class.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Forward, Selector};
///
/// // `around` has all masks of two features, of which the first alone moves the classes.
/// let selection = Forward::new(1)?.select(&on, &[around])?.remove(0);
/// assert_eq!(selection.kept, [0]);
/// # Ok::<(), lipex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not select features on the backend `{B}`",
    note = "implement `Selector<{B}>` for it, or choose a backend that it implements"
)]
pub trait Selector<B: Backend>: Describe + Send + Sync {
    /// One selection for each instance of the batch.
    ///
    /// # Errors
    /// [`Error::Setting`] when the selector cannot serve these features.
    fn select(&self, on: &B, around: &[Neighbourhood<B>]) -> Result<Vec<Selection>>;

    /// Selections of one neighbourhood in which row i counts `multiplicities[r][i]` times, one for each r: what a bootstrap
    /// asks for. A selector that can share work between them overrides this.
    ///
    /// # Errors
    /// Those of [`select`](Selector::select); [`Error::Shape`] for multiplicities of another length.
    fn reselect(&self, on: &B, around: &Neighbourhood<B>, multiplicities: &[Vec<u32>]) -> Result<Vec<Selection>> {
        let mut selections = Vec::with_capacity(multiplicities.len());
        // A few at a time: each is a copy of the neighbourhood.
        for some in multiplicities.chunks(16) {
            let drawn = some.iter().map(|times| drawn(on, around, times)).collect::<Result<Vec<_>>>()?;
            selections.extend(self.select(on, &drawn)?);
        }
        Ok(selections)
    }
}

/// The neighbourhood with each row as often as `times` says.
fn drawn<B: Backend>(on: &B, around: &Neighbourhood<B>, times: &[u32]) -> Result<Neighbourhood<B>> {
    expect_len("multiplicities", around.rows(), times.len())?;
    let index: Vec<u32> = (0u32..).zip(times).flat_map(|(i, &t)| std::iter::repeat_n(i, t as usize)).collect();
    let (masks, p) = (&around.masks, &around.probabilities);
    let masks = Masks::new(on, index.len(), masks.features(), on.gather(masks.bits(), masks.words(), &index)?)?;
    let p = Probabilities::new(on, index.len(), p.classes(), on.gather(p.values(), p.classes(), &index)?)?;
    Neighbourhood::new(on, masks, p, Weights::new(on.gather(around.weights.values(), 1, &index)?))
}

/// Features kept for a fit.
///
/// ```
/// use lipex_core::Selection;
///
/// let selection = Selection::new(vec![vec![7, 2], vec![2, 5]]);
/// assert_eq!(selection.kept, [2, 5, 7]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// For each class the features chosen for it, in the order chosen.
    pub per_class: Vec<Vec<usize>>,
    /// S: the sorted union.
    pub kept: Vec<usize>,
}

impl Selection {
    /// A selection from the picks of each class.
    pub fn new(per_class: Vec<Vec<usize>>) -> Self {
        let mut kept: Vec<usize> = per_class.iter().flatten().copied().collect();
        kept.sort_unstable();
        kept.dedup();
        Selection { per_class, kept }
    }

    /// The same features for every class.
    pub fn shared(classes: usize, features: Vec<usize>) -> Self {
        Self::new(vec![features; classes])
    }
}

/// Forward selection of `k` features a class, by the R² of the weighted least squares with intercept.
///
/// # Source
/// The paper's Algorithm 1 = LIME 0.2.0.1's `forward_selection`. Ties go to the lowest index.
///
/// ```
/// use lipex_core::Forward;
///
/// assert_eq!("exclusive:3".parse::<Forward>()?, Forward::exclusive(3)?);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    k: usize,
    exclusive: bool,
}

impl Forward {
    /// `k` features a class, each class on its own (the paper: 5).
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(Forward { k: at_least_one("forward", k)?, exclusive: false })
    }

    /// `k` features a class that no earlier class has picked: the letter of the paper's pseudo-code. Depends on the
    /// order of the classes.
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0.
    pub fn exclusive(k: usize) -> Result<Self> {
        Ok(Forward { k: at_least_one("exclusive", k)?, exclusive: true })
    }

    /// Features a class.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Whether a feature is chosen for one class only.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive
    }
}

impl Default for Forward {
    fn default() -> Self {
        Forward { k: 5, exclusive: false }
    }
}

impl Describe for Forward {
    fn describe(&self) -> Vec<Setting> {
        let name = if self.exclusive { "exclusive" } else { "forward" };
        vec![Setting::new("select", format!("{name}:{}", self.k))]
    }
}

fn at_least_one(name: &str, k: usize) -> Result<usize> {
    if k == 0 { Err(Error::setting("select", format!("{name}:0"), "at least 1 feature a class")) } else { Ok(k) }
}

/// The `k` largest |coefficient| of a ridge (α = 0.01) on all features, a class.
///
/// # Source
/// LIME 0.2.0.1, `highest_weights`.
///
/// ```
/// use lipex_core::HighestWeights;
///
/// assert_eq!(HighestWeights::default().k(), 10); // LIME's
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighestWeights {
    k: usize,
}

impl HighestWeights {
    /// `k` features a class.
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(HighestWeights { k: at_least_one("highest", k)? })
    }

    /// Features a class.
    pub fn k(&self) -> usize {
        self.k
    }
}

impl Default for HighestWeights {
    /// LIME's default: 10.
    fn default() -> Self {
        HighestWeights { k: 10 }
    }
}

impl Describe for HighestWeights {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("select", format!("highest:{}", self.k))]
    }
}

/// At most `k` features a class, from the lasso path: those of its last point with at most `k` coefficients other than 0.
///
/// The path is that of the weighted least squares with intercept, from all coefficients 0 to no penalty or 500 steps. A
/// class that does not vary has no path; its picks are the lowest `k`. Slower than [`Forward`], since the whole path is
/// followed for each class.
///
/// # Source
/// LIME 0.2.0.1, `lasso_path`, over scikit-learn's `lars_path(method="lasso")`. Picks are listed in the order in which they
/// entered; LIME lists them by number.
///
/// ```
/// use lipex_core::{Describe, LassoPath};
///
/// assert_eq!(LassoPath::new(4)?.describe()[0].value, "lasso:4");
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LassoPath {
    k: usize,
}

impl LassoPath {
    /// At most `k` features a class.
    ///
    /// # Errors
    /// [`Error::Setting`] for `k` = 0.
    pub fn new(k: usize) -> Result<Self> {
        Ok(LassoPath { k: at_least_one("lasso", k)? })
    }

    /// Most features a class.
    pub fn k(&self) -> usize {
        self.k
    }
}

impl Describe for LassoPath {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("select", format!("lasso:{}", self.k))]
    }
}

/// Every feature.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().selector(All).explain(&text, &model)?;
/// assert_eq!(explanation.kept().len(), explanation.features.len());
/// assert!(lipex().selector(Forward::new(1)?).explain(&text, &model)?.kept().len() < explanation.kept().len());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct All;

impl Describe for All {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("select", "all")]
    }
}

/// A list of features, the same for every class.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::GivenFeatures;
///
/// // Those that another tool chose, say: the first word and the second.
/// let explanation = lipex().selector(GivenFeatures(vec![0, 1])).explain(&text, &model)?;
/// assert_eq!(explanation.kept(), [0, 1]);
/// assert!(lipex().selector(GivenFeatures(vec![99])).explain(&text, &model).is_err());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenFeatures(pub Vec<usize>);

impl Describe for GivenFeatures {
    fn describe(&self) -> Vec<Setting> {
        let list: Vec<String> = self.0.iter().map(usize::to_string).collect();
        vec![Setting::new("select", format!("given:{}", list.join(",")))]
    }
}

impl<B: Backend> Selector<B> for All {
    fn select(&self, _: &B, around: &[Neighbourhood<B>]) -> Result<Vec<Selection>> {
        let all =
            |n: &Neighbourhood<B>| Selection::shared(n.probabilities.classes(), (0..n.masks.features()).collect());
        Ok(around.iter().map(all).collect())
    }
}

impl<B: Backend> Selector<B> for GivenFeatures {
    fn select(&self, _: &B, around: &[Neighbourhood<B>]) -> Result<Vec<Selection>> {
        let given = |n: &Neighbourhood<B>| {
            let features = n.masks.features();
            match self.0.iter().find(|&&j| j >= features) {
                Some(j) => {
                    Err(Error::setting("keep", j, format!("features are numbered 0 to {}", features.max(1) - 1)))
                }
                None if self.0.is_empty() => Err(Error::setting("keep", "", "at least one feature")),
                None => Ok(Selection::shared(n.probabilities.classes(), self.0.clone())),
            }
        };
        around.iter().map(given).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_is_sorted_and_each_once() {
        let s = Selection::new(vec![vec![4, 1], vec![1, 0], vec![]]);
        assert_eq!(s.kept, [0, 1, 4]);
        assert_eq!(Selection::shared(2, vec![3]).per_class, [[3], [3]]);
        assert!(LassoPath::new(0).is_err());
        assert!(Forward::new(0).is_err() && HighestWeights::new(0).is_err() && Forward::exclusive(0).is_err());
    }
}
