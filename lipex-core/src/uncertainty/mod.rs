//! How much of W is noise of the sampled masks.

mod adaptive;
mod bootstrap;
mod estimate;
mod few_rows;
mod forecast;
mod quantile;
mod settled;
mod spread;

pub use adaptive::{Adaptive, Rule};
pub use estimate::{ErrorBars, Estimate};
pub use few_rows::{FewRows, RowShares};
pub(crate) use settled::Verdict;
pub use spread::Spread;

use crate::error::{Error, Result, expect_len};
use crate::perturb::Dependence;
use forecast::Forecast;

/// Standard errors of an explanation matrix, and what follows from them.
///
/// They are about the masks alone: how far another seed would move W, given the kept features and λ. They say nothing of
/// what λ shrinks (see `shrinkage`) nor of how well a surrogate can follow the model (see
/// [`Fidelity`](crate::Fidelity)).
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Enumerate, ErrorBars};
///
/// let explainer = lipex().enumerate(Enumerate::Never).error_bars(ErrorBars::default());
/// let explanation = explainer.explain(&text, &model)?;
/// let (bars, shares) = (explanation.uncertainty.as_ref().unwrap(), explanation.shares());
/// let fine = shares.kept().iter().position(|&j| explanation.name(j) == "fine").unwrap();
/// let weight = shares.row(1)[fine];
/// let [low, high] = bars.interval(1, fine, weight);
/// assert!(low <= weight && weight <= high);
/// assert!(bars.is_significant(1, fine, weight));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Uncertainty {
    /// How the standard errors were made.
    pub method: Method,
    /// How rows of the masks depend on one another, which the standard errors heed.
    pub rows: Dependence,
    /// The level of intervals and bands; default 0.95.
    pub level: f64,
    /// C×F: the standard error of each entry of W, or of each share where there are pairs.
    pub std_error: Vec<Vec<f64>>,
    /// The classes that `covariance` is between, likeliest first: the [`Uncertainty::CONTRASTED`] likeliest, or every one
    /// in the order of the matrix where there are no more; empty stands for every one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub contrasted: Vec<usize>,
    /// F matrices: the covariance between those classes of each kept feature's entries, which gives contrasts their error.
    pub covariance: Vec<Vec<Vec<f64>>>,
    /// Standard errors in half an interval: an entry lies within `quantile`·`std_error` of W at `level`. Of Student's t
    /// distribution where `few_rows` has its degrees of freedom, else of the normal one.
    pub quantile: f64,
    /// Standard errors in half a simultaneous band: *all* entries lie within `band`·`std_error` at `level`. Entries whose
    /// band holds 0 are shown as noise.
    pub band: f64,
    /// How noisy the standard errors are themselves; `None` where that is not known, as with a bootstrap.
    pub few_rows: Option<FewRows>,
    /// C×T: the standard error of each coefficient of a fit with pairs, in the order of its terms; `None` without pairs, where
    /// `std_error` has them, and for refits of rows drawn again.
    #[cfg_attr(feature = "serde", serde(default))]
    pub terms: Option<Vec<Vec<f64>>>,
    /// How often each feature is in a class's top k when rows are drawn again and selection is repeated.
    pub in_top: Option<InTop>,
    /// ‖W at λ‖ / ‖W at λ/100‖: what the penalty leaves of W. 1 is no shrinkage.
    pub shrinkage: Option<f64>,
    /// C×F: W, or the shares, at λ/100; `None` where that is not known. What the penalty alone holds off 0 is not significant.
    #[cfg_attr(feature = "serde", serde(default))]
    pub relaxed: Option<Vec<Vec<f64>>>,
    /// Masks in all that would halve the widest interval; `None` where sampling makes no error.
    pub needed: Option<usize>,
    /// Whether the top k of the predicted class is settled, and what it would take; `None` where sampling makes no error.
    pub settling: Option<Settling>,
    /// What the bars do not cover, a sentence each.
    pub not_covered: Vec<String>,
}

/// How standard errors were made.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Enumerate, ErrorBars, Method};
///
/// // Every mask of five words is asked, so that sampling makes no error; drawn masks make one.
/// let explainer = lipex().error_bars(ErrorBars::default());
/// let method = |explanation: Explanation| explanation.uncertainty.map(|bars| bars.method);
/// assert_eq!(method(explainer.explain(&text, &model)?), Some(Method::Exact));
/// let drawn = explainer.enumerate(Enumerate::Never).explain(&text, &model)?;
/// assert_ne!(method(drawn), Some(Method::Exact));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Method {
    /// Sandwich A⁺MA⁺/N with the exact Hessian A.
    Sandwich,
    /// Sandwich with the Gauss–Newton matrix, where the exact Hessian is indefinite.
    SandwichGaussNewton,
    /// Refits of rows drawn again: for surrogates without a sandwich, and where C·F is too large for one.
    Bootstrap,
    /// Every mask occurs, so there is no sampling error: all standard errors are 0.
    Exact,
}

/// Bootstrap shares of features in the top k, selection repeated in each refit.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Enumerate, ErrorBars};
///
/// let explainer = lipex().enumerate(Enumerate::Never).error_bars(ErrorBars::default().top(1)?.refits(20)?);
/// let explanation = explainer.explain(&text, &model)?;
/// let top = explanation.uncertainty.as_ref().and_then(|bars| bars.in_top.as_ref()).unwrap();
/// let fine = (0..5).find(|&j| explanation.name(j) == "fine").unwrap();
/// assert_eq!((top.refits, top.share[1][fine]), (20, 1.0)); // first in each of the 20
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InTop {
    /// k.
    pub k: usize,
    /// Refits.
    pub refits: usize,
    /// C×D: the share of refits in which the feature (of all D) is among the class's first k under the explanation's rank.
    pub share: Vec<Vec<f64>>,
}

/// Whether the first k features of a class are settled, as [`Rule::Settled`] judges it.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Enumerate, ErrorBars};
///
/// let explainer = lipex().enumerate(Enumerate::Never).error_bars(ErrorBars::default().top(1)?);
/// let settling = explainer.explain(&text, &model)?.uncertainty.and_then(|bars| bars.settling).unwrap();
/// assert!(settling.met && settling.needed.is_none()); // no other word comes near "fine"
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Settling {
    /// The class: the predicted one.
    pub class: usize,
    /// k.
    pub k: usize,
    /// Differences of this share of the largest value are let pass.
    pub indifference: f64,
    /// Whether no other feature is above one of the k by more than that.
    pub met: bool,
    /// If not, masks in all that would settle it, about, with leads as they are seen now; `None` where more masks would
    /// not, as where fewer than k features support the class.
    pub needed: Option<usize>,
    /// Groups of features (of all D) that are not separated, "any of …".
    pub interchangeable: Vec<Vec<usize>>,
}

impl Uncertainty {
    /// Half the widest interval of W.
    pub fn half_width(&self) -> f64 {
        self.quantile * self.std_error.iter().flatten().copied().fold(0.0, f64::max)
    }

    /// Masks in all that would bring the widest interval to this half-width, when the bars are of a run of `masks`; `None`
    /// where sampling makes no error, and for a half-width that is not above 0.
    ///
    /// N* = ⌈N (h/h*)²⌉ for a normal quantile. Where it is known how noisy the standard errors are, more masks also bring
    /// more degrees of freedom, and take back what the largest of them has by chance.
    pub fn masks_for(&self, half_width: f64, masks: usize) -> Option<usize> {
        Forecast::new(self.std_error.iter().flatten().copied(), self.few_rows, self.level).masks_for(half_width, masks)
    }

    /// The interval of an entry of W: lowest and highest at `level`.
    pub fn interval(&self, class: usize, j: usize, weight: f64) -> [f64; 2] {
        let half = self.quantile * self.std_error[class][j];
        [weight - half, weight + half]
    }

    /// The largest number of classes between which covariances are kept: C×C numbers a feature would fill memory and files
    /// where there are a thousand classes.
    pub const CONTRASTED: usize = 40;

    /// The place of a class in the tables of `covariance`; `None` where contrasts with it have no error.
    pub fn contrasted_place(&self, class: usize) -> Option<usize> {
        if self.contrasted.is_empty() { Some(class) } else { self.contrasted.iter().position(|&c| c == class) }
    }

    /// The standard error of W\[a\] − W\[b\] for each kept feature; `None` where a or b is not among the classes that
    /// covariances are between.
    pub fn contrast_error(&self, a: usize, b: usize) -> Option<Vec<f64>> {
        let (a, b) = (self.contrasted_place(a)?, self.contrasted_place(b)?);
        let of = |v: &Vec<Vec<f64>>| (v[a][a] + v[b][b] - 2.0 * v[a][b]).max(0.0).sqrt();
        Some(self.covariance.iter().map(of).collect())
    }

    /// Passes if the parts fit C classes, D features and F kept ones.
    pub(crate) fn check(&self, c: usize, d: usize, f: usize) -> Result<()> {
        let rows = |what: &str, table: &[Vec<f64>], rows: usize, width: usize| {
            expect_len(&format!("rows of {what}"), rows, table.len())?;
            table.iter().try_for_each(|row| expect_len(&format!("entries of a row of {what}"), width, row.len()))
        };
        rows("std_error", &self.std_error, c, f)?;
        expect_len("covariance", f, self.covariance.len())?;
        let between = if self.contrasted.is_empty() { c } else { self.contrasted.len() };
        if let Some(&class) = self.contrasted.iter().find(|&&class| class >= c) {
            return Err(Error::shape("contrasted classes (below the number of classes)", c, class));
        }
        self.covariance.iter().try_for_each(|table| rows("covariance", table, between, between))?;
        self.in_top.as_ref().map_or(Ok(()), |top| rows("in_top.share", &top.share, c, d))?;
        self.relaxed.as_ref().map_or(Ok(()), |relaxed| rows("relaxed", relaxed, c, f))?;
        if let Some(terms) = &self.terms {
            rows("terms", terms, c, terms.first().map_or(0, Vec::len))?;
        }
        let Some(s) = &self.settling else { return Ok(()) };
        if s.class >= c {
            return Err(Error::shape("class of settling (below the number of classes)", c, s.class));
        }
        match s.interchangeable.iter().flatten().find(|&&j| j >= d) {
            Some(&j) => Err(Error::shape("interchangeable features of settling (below the number of features)", d, j)),
            None => Ok(()),
        }
    }

    /// Whether an entry of W is significantly different from 0: by the simultaneous bands, and not by what the penalty does.
    ///
    /// A penalty moves entries of words without an effect too, since it shares out what it takes from others. An entry is
    /// significant if it keeps its sign and leaves the band at λ/100 as well, by more than twice what λ/100 may still move it:
    /// W moves in proportion to a small λ, so that is a 99th of what the step from λ to λ/100 did.
    pub fn is_significant(&self, class: usize, j: usize, weight: f64) -> bool {
        let relaxed = self.relaxed.as_ref().map_or(weight, |relaxed| relaxed[class][j]);
        significant(weight, relaxed, self.band * self.std_error[class][j])
    }

    /// The same of a contrast, W\[a\] − W\[b\]; `None` where that has no error.
    pub fn is_contrast_significant(&self, (a, b): (usize, usize), j: usize, contrast: f64) -> Option<bool> {
        let error = *self.contrast_error(a, b)?.get(j)?;
        let relaxed = self.relaxed.as_ref().map_or(contrast, |relaxed| relaxed[a][j] - relaxed[b][j]);
        Some(significant(contrast, relaxed, self.band * error))
    }
}

/// Whether a weight that is `relaxed` at λ/100 leaves the band around 0, and not by what the penalty does alone.
fn significant(weight: f64, relaxed: f64, band: f64) -> bool {
    let left = 2.0 * (relaxed - weight).abs() / 99.0;
    weight.abs() > band && relaxed.abs() > band + left && (relaxed > 0.0) == (weight > 0.0)
}

/// The course of a run that added masks until its answer was steady.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Adaptive, Enumerate, Rule};
///
/// let rule = Rule::Settled { k: 1, indifference: 0.1 };
/// let explainer = lipex().enumerate(Enumerate::Never).adaptive(Adaptive::default().rule(rule)?);
/// let growth = explainer.explain(&text, &model)?.growth.unwrap();
/// assert_eq!((growth.rule.as_str(), growth.met), ("settled 1:0.1", true));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Growth {
    /// The rule that was to be met, as the command spells it, for instance `settled 3:0.1`.
    pub rule: String,
    /// The class that it is about: the predicted one.
    pub class: usize,
    /// Every look at the run, in order.
    pub looks: Vec<Look>,
    /// Whether the rule was met; if not, the limit on masks ended the run.
    pub met: bool,
    /// Masks in all that would meet the rule, by what the last look saw; `None` where it is met, and where more masks
    /// would not meet it, as where fewer than k features support the class.
    pub needed: Option<usize>,
    /// Which rule ended the run, in words.
    pub stopped: String,
    /// For the judged class: groups of features (of all D) that the rule does not tell apart, "any of …".
    pub interchangeable: Vec<Vec<usize>>,
}

/// One look at a growing run.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Adaptive, Enumerate};
///
/// let explainer = lipex().enumerate(Enumerate::Never).adaptive(Adaptive::default().most(300)?);
/// let growth = explainer.explain(&text, &model)?.growth.unwrap();
/// assert_eq!(growth.looks[0].masks, 100);
/// assert!(growth.looks.iter().all(|look| look.masks <= 300 && look.inputs <= 32));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Look {
    /// Masks so far.
    pub masks: usize,
    /// Distinct inputs that the model has seen so far.
    pub inputs: usize,
    /// Half the widest interval of W.
    pub half_width: f64,
    /// Whether the rule held.
    pub met: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Standard errors of 2 and 1, and their covariance.
    fn of_two_classes() -> Uncertainty {
        Uncertainty {
            method: Method::Sandwich,
            rows: Dependence::Independent,
            level: 0.95,
            std_error: vec![vec![2.0], vec![1.0]],
            contrasted: Vec::new(),
            covariance: vec![vec![vec![4.0, -2.0], vec![-2.0, 1.0]]],
            quantile: 1.96,
            band: 2.5,
            few_rows: None,
            terms: None,
            in_top: None,
            shrinkage: None,
            relaxed: None,
            needed: None,
            settling: None,
            not_covered: Vec::new(),
        }
    }

    #[test]
    fn contrasts_and_bands_read_the_covariance() {
        let u = of_two_classes();
        assert_eq!(u.contrast_error(0, 1), Some(vec![3.0]));
        // The same table between classes 5 and 2 of more.
        let some = Uncertainty { contrasted: vec![5, 2], ..u.clone() };
        assert_eq!((some.contrast_error(2, 5), some.contrast_error(0, 5)), (Some(vec![3.0]), None));
        assert_eq!(u.half_width(), 3.92);
        assert_eq!((u.masks_for(1.96, 100), u.masks_for(0.0, 100)), (Some(400), None));
        assert_eq!(u.interval(1, 0, 1.0), [1.0 - 1.96, 1.0 + 1.96]);
        assert!(u.is_significant(0, 0, -5.1) && !u.is_significant(0, 0, 4.9));
        // Without the penalty: as far off as with it, nearly nothing, nothing, and of the other sign.
        for (relaxed, significant) in [(-6.0, true), (-5.02, false), (0.0, false), (6.0, false)] {
            let u = Uncertainty { relaxed: Some(vec![vec![relaxed], vec![0.0]]), ..u.clone() };
            assert_eq!(u.is_significant(0, 0, -7.0), significant, "{relaxed}");
            // Its error is 3, its band 7.5.
            assert_eq!(u.is_contrast_significant((0, 1), 0, -7.0), Some(false));
            assert_eq!(u.is_contrast_significant((0, 1), 0, -8.0), Some(false), "{relaxed}");
        }
    }
}
