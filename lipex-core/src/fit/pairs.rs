//! Features that act together.

use crate::error::{Error, Result};
use crate::nearest::nearest;
use std::fmt;

/// Which pairs of kept features a surrogate has a term for, beside the features themselves.
///
/// A pair's coefficient is what removing both adds to removing each alone: above 0 the two stand in for each other, below 0
/// each needs the other.
///
/// ```
/// use lipex_core::Pairs;
///
/// assert_eq!(Pairs::by_name("15").unwrap(), Pairs::Count(15));
/// assert_eq!(Pairs::by_name("given:5+3,1+2").unwrap(), Pairs::Given(vec![(3, 5), (1, 2)]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pairs {
    /// None: every feature acts on its own.
    #[default]
    None,
    /// 5, 10, 20 … for as long as the out-of-fold divergence falls by more than [`Pairs::GATE`]. Costs no call of the model.
    Auto,
    /// So many, those that explain most of what the fit without them leaves; fewer where there are no more.
    Count(usize),
    /// These, each of two kept features, by number from 0.
    Given(Vec<(usize, usize)>),
}

impl Pairs {
    /// The share of the out-of-fold divergence that more pairs must take off to be kept by [`Pairs::Auto`].
    pub const GATE: f64 = 0.02;
    /// Pairs that are chosen from one residual, before the next fit.
    pub const TOGETHER: usize = 5;
    /// Kept features, strongest first, that pairs are chosen among.
    pub const CANDIDATES: usize = 24;

    /// The setting as the command spells it: `none`, `auto`, a number, or `given:3+5,1+2`.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else, for a pair of a feature with itself and for one that is given twice.
    pub fn by_name(name: &str) -> Result<Self> {
        let wrong = |reason: &str| Err(Error::setting("pairs", name, reason));
        match name {
            "none" => return Ok(Pairs::None),
            "auto" => return Ok(Pairs::Auto),
            _ => {}
        }
        if let Some(list) = name.strip_prefix("given:") {
            let pair = |pair: &str| {
                let (a, b) = pair.split_once('+')?;
                let (a, b) = (a.trim().parse::<usize>().ok()?, b.trim().parse::<usize>().ok()?);
                Some((a.min(b), a.max(b)))
            };
            let Some(pairs) = list.split(',').map(pair).collect::<Option<Vec<_>>>() else {
                return wrong("pairs are two numbers of features with a + between, for instance given:3+5,1+2");
            };
            return Pairs::given(pairs);
        }
        match name.parse() {
            Ok(0) => wrong("at least 1 pair, or none"),
            Ok(count) => Ok(Pairs::Count(count)),
            Err(_) => {
                let meant = nearest(name, &["auto", "none"]).map(|meant| format!("did you mean `{meant}`? "));
                let choices = "choose a number of pairs, auto, none or given:3+5,1+2 (features by number from 0)";
                wrong(&format!("{}{choices}", meant.unwrap_or_default()))
            }
        }
    }

    /// [`Pairs::Given`] of pairs that make sense, each in ascending order.
    ///
    /// # Errors
    /// [`Error::Setting`] for a pair of a feature with itself and for one that is given twice.
    pub fn given(pairs: Vec<(usize, usize)>) -> Result<Self> {
        let pairs: Vec<(usize, usize)> = pairs.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        for (i, &(a, b)) in pairs.iter().enumerate() {
            let reason = if a == b {
                "a pair has two features"
            } else if pairs[..i].contains(&(a, b)) {
                "the pair is given twice"
            } else {
                continue;
            };
            return Err(Error::setting("pairs", format!("{a}+{b}"), reason));
        }
        Ok(Pairs::Given(pairs))
    }

    /// Whether there are to be none.
    pub fn is_none(&self) -> bool {
        match self {
            Pairs::None => true,
            Pairs::Given(pairs) => pairs.is_empty(),
            Pairs::Auto | Pairs::Count(_) => false,
        }
    }

    /// Whether the data choose them.
    pub fn are_chosen(&self) -> bool {
        matches!(self, Pairs::Auto | Pairs::Count(_))
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pairs::None => f.write_str("none"),
            Pairs::Auto => f.write_str("auto"),
            Pairs::Count(count) => count.fmt(f),
            Pairs::Given(pairs) => {
                f.write_str("given:")?;
                for (i, (a, b)) in pairs.iter().enumerate() {
                    write!(f, "{}{a}+{b}", if i == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in ["none", "auto", "5", "given:3+5,1+2"] {
            assert_eq!(Pairs::by_name(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn wrong_pairs_are_told() {
        for name in ["0", "-1", "few", "given:", "given:3", "given:3+3", "given:3+5,5+3", "given:a+b", ""] {
            let told = Pairs::by_name(name).unwrap_err().to_string();
            assert!(told.starts_with("pairs = "), "{name}: {told}");
        }
    }
}
