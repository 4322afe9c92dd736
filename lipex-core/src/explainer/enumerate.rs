//! Small instances: every mask is asked once, and weighs what drawn rows would weigh in the mean.

use super::{Explainer, Repeats};
use crate::backend::{Backend, Masks, Sample, Weights};
use crate::error::{Error, Result};
use crate::perturb::{Dependence, Law};
use crate::weigh::ProximityTable;
use std::fmt;
use std::str::FromStr;

/// Whether an instance of few features is enumerated: every mask that the sampler could draw is asked once, so that there is
/// no sampling error.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::Enumerate;
///
/// // Five words: fewer masks than the 1000 that were asked for, so each is asked once and there is no sampling error.
/// assert!(lipex().explain(&text, &model)?.calls.complete);
/// let drawn = lipex().enumerate(Enumerate::Never).explain(&text, &model)?;
/// assert!(!drawn.calls.complete && drawn.calls.masks == 1000);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enumerate {
    /// Where there are at most as many masks as were asked for (at most [`Enumerate::ADAPTIVE`] in a run that grows), the
    /// sampler says how likely a mask is ([`Law::probability`]), and the proximity weighs masks by the number of kept
    /// features.
    Auto,
    /// Masks are always drawn.
    #[default]
    Never,
}

impl Enumerate {
    /// Most masks that a growing run enumerates; a little more than the first two looks have.
    pub const ADAPTIVE: usize = 150;
}

impl fmt::Display for Enumerate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Enumerate::Auto => "auto",
            Enumerate::Never => "never",
        })
    }
}

impl FromStr for Enumerate {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Enumerate::Auto),
            "never" => Ok(Enumerate::Never),
            other => Err(Error::choice("enumerate", other, &["auto", "never"])),
        }
    }
}

impl<B: Backend> Explainer<B> {
    /// Every mask that could be drawn of an instance, if it is to be enumerated. The weights stand for the samples that were
    /// asked for.
    pub(super) fn enumerated(&self, features: usize) -> Result<Option<Sample<B>>> {
        let (most, samples) = match self.adaptive {
            Some(_) => (Enumerate::ADAPTIVE, self.samples.of(features).max(Enumerate::ADAPTIVE)),
            None => (self.samples.of(features), self.samples.of(features)),
        };
        let few = u32::try_from(features).ok().and_then(|d| 1usize.checked_shl(d)).is_some_and(|all| all <= most);
        if self.enumerate == Enumerate::Never || self.repeats == Repeats::AskAgain || !few {
            return Ok(None);
        }
        let Some(table) = self.proximity.table(features)? else { return Ok(None) };
        let law = self.perturber.as_ref();
        let Some(weights) = weights(law, &table, features, samples) else { return Ok(None) };
        let (whole, kept) = ((1u32 << features) - 1, |mask: u32| mask.count_ones() as usize);
        // A mask that the law never draws is not asked, but for the instance itself.
        let drawn = |mask: u32| law.probability(kept(mask), features).is_some_and(|p| p > 0.0);
        let asked: Vec<u32> = (0..=whole).rev().filter(|&mask| mask == whole || drawn(mask)).collect();
        let on = &self.backend;
        let own = on.upload(asked.iter().map(|&mask| weights[kept(mask)] as f32).collect())?;
        let masks = Masks::new(on, asked.len(), features, on.upload(asked)?)?;
        let (weights, dependence) = (Some(Weights::new(own)), Dependence::Exhaustive);
        Ok(Some(Sample { masks, weights, dependence, asked: samples }))
    }
}

/// What a mask weighs by the number of features that it keeps: the expectation of what the rows of a run of `samples` masks
/// weigh that are this mask. `None` where the law does not say how likely a mask is.
///
/// The instance itself is row 0 of every run, and drawn beside it as often as the law has it. Of one feature the only mask
/// that is not the instance weighs as if it were near: its proximity would leave W to the penalty.
fn weights(law: &(impl Law + ?Sized), table: &ProximityTable, features: usize, samples: usize) -> Option<Vec<f64>> {
    let drawn = samples.saturating_sub(1) as f64;
    let weight = |kept: usize| {
        let times = drawn * law.probability(kept, features)?;
        let near = if features == 1 && kept == 0 { 1.0 } else { table.values()[kept] };
        Some(near * if kept == features { 1.0 + times } else { times })
    };
    (0..=features).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perturb::{Antithetic, Bernoulli, Exhaustive, UniformSize, WeightProportional};
    use crate::weigh::Exponential;

    #[test]
    fn weights_are_what_drawn_rows_weigh() {
        let of = |law: &dyn Law, d: usize| weights(law, &Exponential::default().table(d), d, 1000);
        // Two features: sizes 1 and 2 alike, two masks of one; π = exp(−8(1 − √½)²) for one kept, e⁻⁸ for none.
        let near = (-8.0 * (1.0 - 0.5f64.sqrt()).powi(2)).exp();
        let expected = [999.0 / 2.0 * (-8f64).exp(), 999.0 / 4.0 * near, 1.0];
        for law in [&UniformSize::default() as &dyn Law, &WeightProportional] {
            let got = of(law, 2).unwrap();
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9 * b), "{got:?}");
        }
        // Of coins the instance itself is drawn too.
        assert!((of(&Bernoulli::default(), 2).unwrap()[2] - (1.0 + 999.0 / 4.0)).abs() < 1e-9);
        // One feature: nothing is as near as anything.
        assert_eq!(of(&UniformSize::default(), 1).unwrap(), [999.0, 1.0]);
        assert_eq!(of(&Antithetic, 1).unwrap(), [499.5, 500.5]);
        assert!(of(&Exhaustive, 3).is_none());
    }

    #[test]
    fn names_are_read() {
        assert_eq!("auto".parse::<Enumerate>().unwrap().to_string(), "auto");
        assert_eq!("never".parse::<Enumerate>().unwrap(), Enumerate::Never);
        assert!("always".parse::<Enumerate>().is_err());
    }
}
