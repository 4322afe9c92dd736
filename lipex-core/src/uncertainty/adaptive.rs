//! How a run that adds masks decides that they are enough.
//!
//! # Source
//! Sequential ranking and selection with an indifference zone: Bechhofer, A single-sample multiple decision procedure for
//! ranking means of normal populations with known variances (1954). A set is *settled* when every feature in it leads every
//! feature outside by Z standard errors, or is within the indifference of it.

use super::estimate::Estimate;
use super::forecast::Forecast;
use super::quantile::{normal, normal_share};
use super::settled::Verdict;
use crate::backend::Backend;
use crate::error::{Error, Result};
use std::fmt;

/// What has to hold before a growing run stops.
///
/// ```
/// use lipex_core::{Adaptive, Rule};
///
/// assert_eq!(Rule::Order { k: 3 }.to_string(), "settled 3:order");
/// // Until no number of W is uncertain by more than .2 either way.
/// let run = Adaptive::default().rule(Rule::HalfWidth(0.2))?;
/// assert_eq!(run.rule_in_use(), Rule::HalfWidth(0.2));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// The set of the `k` first features of the predicted class is settled but for differences of `indifference` times the
    /// largest value.
    Settled {
        /// k.
        k: usize,
        /// ε: 0 asks for the set itself.
        indifference: f64,
    },
    /// The order of the `k` first features of the predicted class is settled. Near-equal features keep it from being so.
    Order {
        /// k.
        k: usize,
    },
    /// No interval of W is wider to either side.
    HalfWidth(f64),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Settled { k, indifference } => write!(f, "settled {k}:{indifference}"),
            Rule::Order { k } => write!(f, "settled {k}:order"),
            Rule::HalfWidth(h) => write!(f, "half-width {h}"),
        }
    }
}

/// A run that starts at 100 masks and adds more until a rule is met.
///
/// Looks at 100, 150, 200, 300, 400, 500, 700 and 1000 masks, then at 1.4 times as many each time. Every look selects and
/// fits again; no call of the model is repeated. A run that stops at N masks is a plain run of N masks.
///
/// ```
/// use lipex_core::{Adaptive, Rule};
///
/// let run = Adaptive::default().rule(Rule::HalfWidth(0.2))?.most(3000)?;
/// assert_eq!(run.limit(), 3000);
/// assert!(Adaptive::default().most(1).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    rule: Rule,
    most: usize,
    z: f64,
    guarantee: Option<f64>,
}

impl Default for Adaptive {
    fn default() -> Self {
        Adaptive {
            rule: Rule::Settled { k: 3, indifference: Self::INDIFFERENCE },
            most: 5000,
            z: Self::Z,
            guarantee: None,
        }
    }
}

/// The first looks.
const LOOKS: [usize; 8] = [100, 150, 200, 300, 400, 500, 700, 1000];

impl Adaptive {
    /// Standard errors that a lead must have: chosen so that at most 5 in 100 settled sets are wrong by more than the
    /// indifference, on a real classifier (docs/uncertainty.md has the measurement).
    pub const Z: f64 = 2.5;
    /// The share of the largest value that a feature which was left out may be ahead: ε.
    pub const INDIFFERENCE: f64 = 0.1;

    /// The rule; default [`Rule::Settled`] with k = 3 and an indifference of 0.1.
    ///
    /// # Errors
    /// [`Error::Setting`] for k = 0, an indifference outside [0, 1) and a half-width that is not above 0.
    pub fn rule(self, rule: Rule) -> Result<Self> {
        match rule {
            Rule::Settled { k: 0, .. } | Rule::Order { k: 0 } => {
                Err(Error::setting("settled", 0, "at least 1 feature"))
            }
            Rule::Settled { indifference, .. } if !(0.0..1.0).contains(&indifference) => {
                Err(Error::setting("settled", indifference, "an indifference from 0 to below 1"))
            }
            Rule::HalfWidth(h) if !(h > 0.0 && h.is_finite()) => {
                Err(Error::setting("half-width", h, "a number above 0"))
            }
            rule => Ok(Adaptive { rule, ..self }),
        }
    }

    /// The most masks, the instance included; default 5000.
    ///
    /// # Errors
    /// [`Error::Setting`] below 2 or above 10 million.
    pub fn most(self, most: usize) -> Result<Self> {
        if (2..=10_000_000).contains(&most) {
            Ok(Adaptive { most, ..self })
        } else {
            Err(Error::setting("max-samples", most, "from 2 to 10000000 masks"))
        }
    }

    /// Standard errors that a lead must have; default [`Adaptive::Z`].
    ///
    /// # Errors
    /// [`Error::Setting`] unless finite and above 0.
    pub fn z(self, z: f64) -> Result<Self> {
        if z.is_finite() && z > 0.0 {
            Ok(Adaptive { z, ..self })
        } else {
            Err(Error::setting("z", z, "a finite number above 0"))
        }
    }

    /// Claims a level for the whole run: 1 − level is shared out over the looks and over the comparisons or entries of each
    /// (Bonferroni), in place of [`z`](Adaptive::z). Costs more masks.
    ///
    /// # Errors
    /// [`Error::Setting`] unless strictly between 0 and 1.
    pub fn guarantee(self, level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            Ok(Adaptive { guarantee: Some(1.0 - level), ..self })
        } else {
            Err(Error::setting("guarantee", level, "a probability strictly between 0 and 1"))
        }
    }

    /// The rule in use.
    pub fn rule_in_use(&self) -> Rule {
        self.rule
    }

    /// The limit on masks.
    pub fn limit(&self) -> usize {
        self.most
    }

    /// The numbers of masks at which the run is looked at, the last being the limit.
    pub(crate) fn looks(&self) -> Vec<usize> {
        let mut looks: Vec<usize> = LOOKS.iter().copied().take_while(|&n| n < self.most).collect();
        let mut next = LOOKS[LOOKS.len() - 1] as f64 * 1.4;
        while (next.round() as usize) < self.most {
            looks.push(next.round() as usize);
            next *= 1.4;
        }
        looks.push(self.most);
        looks
    }

    /// Standard errors asked of each of `comparisons`, as of normal deviates.
    fn strictness(&self, comparisons: usize, usual: f64) -> f64 {
        let shared = (self.looks().len() * comparisons.max(1)) as f64;
        self.guarantee.map_or(usual, |alpha| normal(1.0 - alpha / shared))
    }

    /// Whether a fit meets the rule for a class, and half the widest interval of W at 95 %.
    pub(crate) fn judge<B: Backend>(&self, estimate: &Estimate<'_, B>, class: usize) -> Result<(Verdict, f64)> {
        let spread = estimate.spread(200)?;
        let (classes, features) = (estimate.fitted.answer.classes(), estimate.fitted.kept().len());
        let widths = |level| {
            let errors = (0..classes).flat_map(|c| (0..features).map(move |j| (c, j)));
            Forecast::new(errors.map(|(c, j)| spread.std_error(c, j)), spread.few_rows_in_use(), level)
        };
        let verdict = match self.rule {
            Rule::Settled { k, indifference } => {
                let z = self.strictness(2 * k * (features + k).saturating_sub(k), self.z);
                estimate.set_is_settled(class, k, indifference, z)?
            }
            Rule::Order { k } => {
                // One-sided, shared out over the k comparisons.
                let usual = normal(1.0 - 0.05 / k as f64);
                estimate.order_is_settled(class, k, self.strictness(k, usual))?
            }
            Rule::HalfWidth(h) => {
                let z = self.strictness(2 * classes * features, normal(0.975));
                let widths = widths(2.0 * normal_share(z) - 1.0);
                let met = widths.half_width(1.0) <= h;
                let needed = if met { None } else { widths.masks_for(h, estimate.around.rows()) };
                Verdict { met, needed, interchangeable: Vec::new() }
            }
        };
        Ok((verdict, widths(0.95).half_width(1.0)))
    }

    /// Which rule ended a run, in words.
    pub(crate) fn told(&self, verdict: &Verdict, class: &str) -> String {
        if !verdict.met {
            let limit = format!("the limit of {} masks was reached before the rule was met", self.most);
            return match verdict.needed {
                Some(needed) => format!("{limit}; about {needed} would do"),
                None => limit,
            };
        }
        match self.rule {
            Rule::Settled { k, indifference } => format!(
                "the top {k} of {class} are settled: no other feature is above one of them by more than {}% of the largest",
                100.0 * indifference
            ),
            Rule::Order { k } => format!("the order of the top {k} of {class} is settled"),
            Rule::HalfWidth(h) => format!("no bar is longer than {h} to either side"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_to_the_limit() {
        let looks = |most| Adaptive::default().most(most).unwrap().looks();
        assert_eq!(looks(300), [100, 150, 200, 300]);
        assert_eq!(looks(60), [60]);
        assert_eq!(looks(2000), [100, 150, 200, 300, 400, 500, 700, 1000, 1400, 1960, 2000]);
    }

    #[test]
    fn settings_are_checked() {
        let run = Adaptive::default();
        assert!(
            run.rule(Rule::Settled { k: 0, indifference: 0.1 }).is_err() && run.rule(Rule::Order { k: 0 }).is_err()
        );
        assert!(run.rule(Rule::Settled { k: 1, indifference: 1.0 }).is_err());
        assert!(run.rule(Rule::HalfWidth(0.0)).is_err() && run.rule(Rule::HalfWidth(f64::NAN)).is_err());
        assert!(run.most(1).is_err() && run.z(0.0).is_err() && run.guarantee(1.0).is_err());
        // One comparison and 4 looks share 0.05: 1 − 0.0125.
        let guaranteed = run.most(300).unwrap().guarantee(0.95).unwrap();
        assert!((guaranteed.strictness(1, 1.0) - 2.241403).abs() < 1e-5);
        assert_eq!(run.strictness(7, 1.5), 1.5);
    }
}
