//! From a fit and the parts that made it to its error bars.
//!
//! # What bars are about
//! Other draws of the masks, with the model and the instance as they are: how far the shares would move if the run were
//! repeated with another seed. They do not say how well the surrogate follows the model (that is the fidelity), nor which
//! features another run would keep (`in_top` says that).

use super::spread::Spread;
use super::{Adaptive, FewRows, InTop, Method, Settling, Uncertainty};
use crate::backend::{Backend, Neighbourhood};
use crate::error::{Error, Result};
use crate::explanation::{Rank, arg_max};
use crate::fit::{Fitted, Problem, Surrogate};
use crate::perturb::{Dependence, ShapleySize};
use crate::select::{Selection, Selector};
use crate::watch::Watch;

/// What error bars are to be made.
///
/// ```
/// use lipex_core::ErrorBars;
///
/// let bars = ErrorBars::default().level(0.9)?.top(3)?.refits(100)?;
/// assert!(bars.level(1.0).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorBars {
    level: f64,
    top: usize,
    refits: usize,
}

impl Default for ErrorBars {
    fn default() -> Self {
        ErrorBars { level: 0.95, top: 5, refits: 200 }
    }
}

impl ErrorBars {
    /// The level of intervals and bands; default 0.95.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn level(self, level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            Ok(ErrorBars { level, ..self })
        } else {
            Err(Error::setting("level", level, "a probability strictly between 0 and 1"))
        }
    }

    pub(crate) fn level_in_use(&self) -> f64 {
        self.level
    }

    /// k of the probability to be in the top k; default 5.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0.
    pub fn top(self, top: usize) -> Result<Self> {
        if top == 0 { Err(Error::setting("top", 0, "at least 1 feature")) } else { Ok(ErrorBars { top, ..self }) }
    }

    /// Refits of a bootstrap; default 200. Each costs a selection and a fit, and no call of the black box.
    ///
    /// # Errors
    /// [`Error::Setting`] below 20 or above 100 000.
    pub fn refits(self, refits: usize) -> Result<Self> {
        if (20..=100_000).contains(&refits) {
            Ok(ErrorBars { refits, ..self })
        } else {
            Err(Error::setting("refits", refits, "from 20 to 100000 refits"))
        }
    }
}

/// A fit and the parts that made it, of which error bars are wanted.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Dependence, ErrorBars, Estimate, Method, Problem, Rank, Selection, Softmax, Surrogate};
///
/// // `around` has all masks of two features: nothing is left to chance.
/// let (around, both) = (around.drawn(Dependence::Exhaustive), Selection::shared(2, vec![0, 1]));
/// let surrogate = Softmax::default();
/// let fitted = &surrogate.fit(&on, &[Problem::new(&around, &both)])?[0];
/// let (on, around, selection, rank) = (&on, &around, &both, Rank::Supporting);
/// let estimate = Estimate { on, around, selection, fitted, surrogate: &surrogate, selector: None, rank, seed: 0 };
/// assert_eq!(estimate.uncertainty(&ErrorBars::default())?.method, Method::Exact);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Estimate<'a, B: Backend> {
    /// Where the stages run.
    pub on: &'a B,
    /// Masks, probabilities and weights of the fit.
    pub around: &'a Neighbourhood<B>,
    /// The features of the fit.
    pub selection: &'a Selection,
    /// The fit.
    pub fitted: &'a Fitted,
    /// What made it.
    pub surrogate: &'a dyn Surrogate<B>,
    /// What chose the features; without one there is no probability to be in the top k.
    pub selector: Option<&'a dyn Selector<B>>,
    /// The ranking that a top k is of.
    pub rank: Rank,
    /// The seed of the bootstrap and of the bands.
    pub seed: u64,
}

impl<B: Backend> Estimate<'_, B> {
    pub(super) fn problem(&self) -> Problem<'_, B> {
        Problem::new(self.around, self.selection)
    }

    /// The error bars.
    ///
    /// # Errors
    /// Those of the refits.
    pub fn uncertainty(&self, bars: &ErrorBars) -> Result<Uncertainty> {
        let (spread, refits) = self.spread_and_refits(bars.refits)?;
        let (classes, features) = (self.fitted.answer.classes(), self.fitted.kept().len());
        let (watch, contrasted) = (self.on.watch(), self.contrasted()?);
        let exact = spread.method() == Method::Exact;
        let in_top = if exact { None } else { self.shares_in_top(bars.top, bars.refits, refits.as_deref())? };
        let relaxed = self.surrogate.relaxed(self.on, &self.problem(), self.fitted)?;
        let mut uncertainty = Uncertainty {
            method: spread.method(),
            rows: self.around.dependence,
            level: bars.level,
            std_error: spread.std_errors(),
            covariance: (0..features).map(|j| between(&spread, &contrasted, j, watch)).collect::<Result<_>>()?,
            contrasted: if contrasted.len() < classes { contrasted } else { Vec::new() },
            quantile: spread.quantile(0.5 + 0.5 * bars.level),
            band: spread.watched_band(watch, bars.level, self.seed)?,
            few_rows: spread.few_rows_in_use(),
            terms: spread.terms_in_use().map(<[_]>::to_vec),
            in_top: in_top.map(|share| InTop { k: bars.top, refits: bars.refits, share }),
            shrinkage: relaxed.as_ref().and_then(|less| self.fitted.shrinkage(less)),
            relaxed: relaxed.map(|less| less.shares().into_matrix()),
            needed: None,
            settling: if exact { None } else { Some(self.settling(bars.top)?) },
            not_covered: Vec::new(),
        };
        let widest = uncertainty.half_width();
        uncertainty.needed = self.at_most_all(uncertainty.masks_for(0.5 * widest, self.around.rows()));
        uncertainty.not_covered = not_covered(&uncertainty, !self.fitted.answer.pairs().is_empty());
        Ok(uncertainty)
    }

    /// The black box's answer for the whole instance.
    fn whole(&self) -> Result<Vec<f64>> {
        let p = &self.around.probabilities;
        let row = self.on.download(&self.on.gather(p.values(), p.classes(), &[0])?)?;
        Ok(row.into_iter().map(f64::from).collect())
    }

    /// The classes that covariances are kept between.
    fn contrasted(&self) -> Result<Vec<usize>> {
        let classes = self.around.probabilities.classes();
        let mut order: Vec<usize> = (0..classes).collect();
        if classes > Uncertainty::CONTRASTED {
            let whole = self.whole()?;
            order.sort_by(|&a, &b| whole[b].total_cmp(&whole[a]));
            order.truncate(Uncertainty::CONTRASTED);
        }
        Ok(order)
    }

    /// A number of masks, or that of all there are: with those, Kernel SHAP's run makes no error.
    fn at_most_all(&self, masks: Option<usize>) -> Option<usize> {
        match self.around.dependence {
            Dependence::Coalitions => masks.and_then(|n| ShapleySize::rows(self.around.masks.features(), n).ok()),
            _ => masks,
        }
    }

    /// Whether the predicted class's top `k` is settled.
    fn settling(&self, k: usize) -> Result<Settling> {
        let class = arg_max(&self.whole()?);
        let indifference = Adaptive::INDIFFERENCE;
        let verdict = self.set_is_settled(class, k, indifference, Adaptive::Z)?;
        let (met, needed) = (verdict.met, self.at_most_all(verdict.needed));
        Ok(Settling { class, k, indifference, met, needed, interchangeable: verdict.interchangeable })
    }

    /// How W spreads: by the surrogate's formula, or by refits where it has none.
    pub(crate) fn spread(&self, refits: usize) -> Result<Spread> {
        Ok(self.spread_and_refits(refits)?.0)
    }

    /// The same with the refits, where it took them.
    fn spread_and_refits(&self, refits: usize) -> Result<(Spread, Option<Vec<Fitted>>)> {
        let (classes, features) = (self.fitted.answer.classes(), self.fitted.kept().len());
        if self.around.dependence == Dependence::Exhaustive {
            return Ok((Spread::exact(classes, features), None));
        }
        if let Some(spread) = self.surrogate.spread(self.on, &self.problem(), self.fitted)? {
            return Ok((spread, None));
        }
        let fits = self.refits_on_kept(refits)?;
        let mut entries: Vec<Vec<f64>> = fits.iter().map(|fit| fit.shares().matrix().concat()).collect();
        let Some((stretch, few)) = self.few_pairs(features) else {
            return Ok((Spread::from_refits(classes, features, &entries)?, Some(fits)));
        };
        entries.iter_mut().flatten().for_each(|entry| *entry *= stretch);
        Ok((Spread::from_refits(classes, features, &entries)?.few_rows(few), Some(fits)))
    }

    /// Refits of n drawn pairs that determine p numbers vary too little, by √((n − p)/n), and have n − p degrees of freedom:
    /// what to stretch them by, and the degrees, where Kernel SHAP's pairs are the rows that were drawn. Sizes that are
    /// enumerated determine a part of the numbers, so this errs to the wide side.
    fn few_pairs(&self, features: usize) -> Option<(f64, FewRows)> {
        let masks = &self.around.masks;
        let drawn = masks.rows().saturating_sub(ShapleySize::first_drawn(masks.features(), masks.rows())).div_ceil(2);
        if self.around.dependence != Dependence::Coalitions || drawn == 0 {
            return None;
        }
        // All but one, which the constraint determines.
        let left = drawn.saturating_sub(features.saturating_sub(1)).max(1) as f64;
        Some(((drawn as f64 / left).sqrt(), FewRows { degrees: left.max(2.0), unevenness: 0.0 }))
    }
}

/// The covariance of one feature's shares between those classes.
fn between(spread: &Spread, classes: &[usize], j: usize, watch: &Watch) -> Result<Vec<Vec<f64>>> {
    let row = |&a: &usize| {
        watch.check()?;
        Ok(classes.iter().map(|&b| spread.covariance((a, j), (b, j))).collect())
    };
    classes.iter().map(row).collect()
}

/// What the bars leave out.
fn not_covered(u: &Uncertainty, pairs: bool) -> Vec<String> {
    let mut left_out = Vec::new();
    match u.rows {
        Dependence::Exhaustive => left_out.push("Every mask was asked, so sampling makes no error.".to_string()),
        Dependence::Unknown => left_out.push(
            "Nothing is known of how these masks were drawn; the bars hold if rows were drawn independently.".into(),
        ),
        Dependence::Independent | Dependence::Pairs | Dependence::Stratified | Dependence::Coalitions => {}
    }
    if u.method != Method::Exact {
        left_out.push("Which features were kept: the bars take them as given; other masks might keep others.".into());
    }
    if pairs && u.method != Method::Exact {
        left_out.push("Which pairs have a term: the bars take them as given; other masks might choose others.".into());
    }
    if let Some(left) = u.shrinkage {
        left_out.push(format!(
            "What the penalty takes: W is {:.0}% as long as at a hundredth of λ, and the bars are about W at this λ.",
            100.0 * left
        ));
    }
    left_out.push("How well the surrogate can follow the model at all: that is the fidelity.".into());
    left_out
}
