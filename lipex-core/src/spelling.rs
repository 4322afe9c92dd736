//! Values as they are spelled: what `describe` prints can be read back.

use crate::divergence::by_name;
use crate::error::{Error, Result};
use crate::explanation::Rank;
use crate::fit::{
    Authors, AuthorsLoss, Intercept, LambdaScale, Normalise, Pairs, Ridge, Softmax, Starts, Support, TreeSurrogate,
};
use crate::nearest::choose;
use crate::perturb::Bernoulli;
use crate::select::{Forward, HighestWeights, LassoPath};
use crate::weigh::Exponential;
use std::str::FromStr;

/// The text after `NAME:`, or nothing where there is no colon; an error for another name.
fn after<'a>(setting: &str, value: &'a str, name: &str) -> Result<Option<&'a str>> {
    let (head, rest) = value.split_once(':').map_or((value, None), |(head, rest)| (head, Some(rest)));
    if head == name { Ok(rest) } else { Err(Error::choice(setting, value, &[name])) }
}

/// A number that is a part of a value, or all of it.
fn number<T: FromStr>(setting: &str, value: &str, text: &str, what: &str) -> Result<T> {
    text.parse().map_err(|_| Error::setting(setting, value, format!("\"{text}\" is not {what}")))
}

/// K of `NAME:K`.
fn count(value: &str, name: &str) -> Result<usize> {
    let k = after("select", value, name)?;
    let k = k.ok_or_else(|| Error::setting("select", value, format!("give a number of features, as in {name}:5")))?;
    number("select", value, k, "a number of features")
}

/// `forward:K`, `exclusive:K`.
impl FromStr for Forward {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        if value.starts_with("exclusive") {
            Forward::exclusive(count(value, "exclusive")?)
        } else {
            Forward::new(count(value, "forward")?)
        }
    }
}

/// `highest:K`.
impl FromStr for HighestWeights {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        HighestWeights::new(count(value, "highest")?)
    }
}

/// `lasso:K`.
impl FromStr for LassoPath {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        LassoPath::new(count(value, "lasso")?)
    }
}

/// `exponential`, `exponential:W`.
impl FromStr for Exponential {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        match after("proximity", value, "exponential")? {
            None => Ok(Exponential::default()),
            Some(width) => Exponential::new(number("proximity", value, width, "a width")?),
        }
    }
}

/// `bernoulli`, `bernoulli:P`.
impl FromStr for Bernoulli {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        match after("sampler", value, "bernoulli")? {
            None => Ok(Bernoulli::default()),
            Some(keep) => Bernoulli::new(number("sampler", value, keep, "a probability")?),
        }
    }
}

/// `supporting`, `opposing`, `absolute`, `effect`.
impl FromStr for Rank {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        Rank::by_name(value)
    }
}

impl Softmax {
    /// The settings that [`with`](Softmax::with) knows.
    pub const SETTINGS: [&str; 8] =
        ["divergence", "lambda", "lambda-scale", "normalise", "intercept", "pairs", "starts", "tolerance"];

    /// A setting by name, spelled as reports print it.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for a name that is not in [`SETTINGS`](Softmax::SETTINGS); [`Error::Setting`] for a value
    /// that it cannot have.
    pub fn with(self, name: &str, value: &str) -> Result<Self> {
        Ok(match name {
            "divergence" => self.erased_divergence(by_name(value)?),
            "lambda" if value == "auto" => self.lambda_auto(),
            "lambda" => match value.parse() {
                Ok(lambda) => self.lambda(lambda)?,
                Err(_) => return Err(Error::setting(name, value, "a number, not negative, or auto")),
            },
            "lambda-scale" => self.lambda_scale(choose(
                name,
                value,
                &[LambdaScale::Curvature, LambdaScale::Raw, LambdaScale::Class].map(|scale| (scale.name(), scale)),
            )?),
            "normalise" => {
                self.normalise(choose(name, value, &[("count", Normalise::Count), ("weight", Normalise::Weight)])?)
            }
            "intercept" => self.intercept(Intercept::by_name(value)?),
            "pairs" => self.pairs(Pairs::by_name(value)?),
            "starts" => {
                self.starts(choose(name, value, &[Starts::Auto, Starts::One, Starts::Two].map(|s| (s.name(), s)))?)
            }
            "tolerance" => self.tolerance(number(name, value, value, "a number")?)?,
            other => return Err(Error::unknown_setting(other, &Self::SETTINGS)),
        })
    }
}

impl Ridge {
    /// The settings that [`with`](Ridge::with) knows.
    pub const SETTINGS: [&str; 4] = ["alpha", "support", "intercept", "pairs"];

    /// A setting by name, spelled as reports print it.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for a name that is not in [`SETTINGS`](Ridge::SETTINGS); [`Error::Setting`] for a value that
    /// it cannot have.
    pub fn with(self, name: &str, value: &str) -> Result<Self> {
        match name {
            "alpha" => self.alpha(number(name, value, value, "a number")?),
            "support" => Ok(self.support(choose(name, value, &[("own", Support::Own), ("union", Support::Union)])?)),
            "intercept" => self.intercept(Intercept::by_name(value)?),
            "pairs" => Ok(self.pairs(Pairs::by_name(value)?)),
            other => Err(Error::unknown_setting(other, &Self::SETTINGS)),
        }
    }
}

impl Authors {
    /// The settings that [`with`](Authors::with) knows.
    pub const SETTINGS: [&str; 2] = ["divergence", "epochs"];

    /// A setting by name, spelled as reports print it.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for a name that is not in [`SETTINGS`](Authors::SETTINGS); [`Error::Setting`] for a value
    /// that it cannot have.
    pub fn with(self, name: &str, value: &str) -> Result<Self> {
        match name {
            "divergence" => Ok(self.loss(AuthorsLoss::by_name(value)?)),
            "epochs" => self.epochs(number(name, value, value, "a number of passes")?),
            other => Err(Error::unknown_setting(other, &Self::SETTINGS)),
        }
    }
}

/// `tree`, `tree:DEPTH`.
impl FromStr for TreeSurrogate {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        match after("surrogate", value, "tree")? {
            None => Ok(TreeSurrogate::default()),
            Some(depth) => TreeSurrogate::default().max_depth(number(
                "surrogate",
                value,
                depth,
                "a number of levels, as in tree:4",
            )?),
        }
    }
}

impl TreeSurrogate {
    /// The settings that [`with`](TreeSurrogate::with) knows.
    pub const SETTINGS: [&str; 3] = ["divergence", "leaf", "min-weight"];

    /// A setting by name, spelled as reports print it.
    ///
    /// # Errors
    /// [`Error::UnknownSetting`] for a name that is not in [`SETTINGS`](TreeSurrogate::SETTINGS); [`Error::Setting`] for a value
    /// that it cannot have.
    pub fn with(self, name: &str, value: &str) -> Result<Self> {
        match name {
            "divergence" => Ok(self.criterion(value.parse()?)),
            "leaf" => Ok(self.leaf(value.parse()?)),
            "min-weight" => self.min_weight(number(name, value, value, "a share of all weight")?),
            other => Err(Error::unknown_setting(other, &Self::SETTINGS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::Describe;

    /// The part that a part's first setting spells.
    fn again<T: Describe + FromStr<Err = Error>>(part: T) -> Vec<crate::Setting> {
        part.describe()[0].value.parse::<T>().unwrap().describe()
    }

    #[test]
    fn what_is_printed_is_read_back() {
        assert_eq!(again(Forward::new(7).unwrap()), Forward::new(7).unwrap().describe());
        assert_eq!(again(Forward::exclusive(2).unwrap()), Forward::exclusive(2).unwrap().describe());
        assert_eq!(again(HighestWeights::new(3).unwrap()), HighestWeights::new(3).unwrap().describe());
        assert_eq!(again(LassoPath::new(4).unwrap()), LassoPath::new(4).unwrap().describe());
        assert_eq!(again(Exponential::new(0.3).unwrap()), Exponential::new(0.3).unwrap().describe());
        assert_eq!(again(Bernoulli::new(0.7).unwrap()), Bernoulli::new(0.7).unwrap().describe());
        for bad in ["forward", "forward:", "forward:x", "forward:0", "highest:3", "exclusive:-1", "forward:1:2"] {
            assert!(bad.parse::<Forward>().is_err(), "{bad}");
        }
        assert!("exponential:0".parse::<Exponential>().is_err() && "bernoulli:1".parse::<Bernoulli>().is_err());
    }

    #[test]
    fn every_setting_of_a_surrogate_is_read_back() {
        let softmax = Softmax::default()
            .divergence(crate::Alpha::new(0.5).unwrap())
            .lambda(0.25)
            .unwrap()
            .lambda_scale(LambdaScale::Class)
            .normalise(Normalise::Weight)
            .intercept(Intercept::Anchored)
            .pairs(Pairs::given(vec![(3, 5), (1, 2)]).unwrap())
            .starts(Starts::Two)
            .tolerance(1e-3)
            .unwrap();
        let told = softmax.describe();
        let names: Vec<&str> = told[1..].iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, Softmax::SETTINGS);
        let read = told[1..].iter().try_fold(Softmax::default(), |s, told| s.with(&told.name, &told.value)).unwrap();
        assert_eq!(read.describe(), told);
        assert_ne!(told, Softmax::default().describe());
        let ridge = Ridge::default().alpha(2.5).unwrap().support(Support::Union).pairs(Pairs::Count(4));
        let ridge = ridge.intercept(Intercept::Anchored).unwrap();
        let read = ridge.describe()[1..].iter().try_fold(Ridge::default(), |r, s| r.with(&s.name, &s.value)).unwrap();
        assert_eq!(read, ridge);
        let authors = Authors::default().loss(AuthorsLoss::Lower).epochs(7).unwrap();
        let told = authors.describe();
        assert_eq!(told[1..].iter().try_fold(Authors::default(), |a, s| a.with(&s.name, &s.value)).unwrap(), authors);
        let auto = Softmax::default().with("lambda", "auto").unwrap();
        assert_eq!(auto.describe()[2].value, "auto");
    }

    #[test]
    fn slips_are_told() {
        let of = |name: &str, value: &str| Softmax::default().with(name, value).unwrap_err().to_string();
        assert_eq!(of("lamda", "1"), "unknown setting `lamda`; did you mean `lambda`?");
        assert!(of("divergence", "KL").starts_with("divergence = KL: did you mean `kl`? choose hellinger"));
        assert!(of("lambda", "much").contains("or auto") && of("lambda", "-1").contains("not negative"));
        assert!(Ridge::default().with("lambda", "1").is_err() && Authors::default().with("alpha", "1").is_err());
    }
}
