//! Answers that are linear in the terms.
//!
//! logits = base + Σ_t coefficient_t · Π_{j∈t} (z_j − 1)
//!
//! A term counts where all of its features are removed: −W_j where feature j alone is, and V_ab beside −W_a − W_b where
//! both are.

mod term;

pub use term::Term;

use super::answer::Link;
use super::shares::{Pair, Shares};
use crate::error::{Error, Result, expect_len};
use std::borrow::Cow;

/// What a linear answer is at the whole instance.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::{Base, Intercept, Linear};
///
/// let explanation = lipex().intercept(Intercept::Anchored).explain(&text, &model)?;
/// let linear = explanation.answer.as_ref().and_then(|answer| answer.linear());
/// let Some(Base::Anchored(logits)) = linear.map(Linear::base) else { panic!("it is anchored") };
/// // The model's own log-odds for the whole text, .9 to .1.
/// assert!((logits[1] - logits[0] - 9f64.ln()).abs() < 1e-3);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// From an intercept b that was fitted: b + Σφ, C numbers.
    Intercept(Vec<f64>),
    /// Given, not fitted: the black box's own answer (ln P₀ for a softmax, P₀ itself for a ridge), C numbers.
    Anchored(Vec<f64>),
    /// No intercept: the logits are 0 where nothing is left.
    None,
}

impl Base {
    /// The name that files use: `fitted`, `anchored` or `none`.
    pub fn kind(&self) -> &'static str {
        match self {
            Base::Intercept(_) => "fitted",
            Base::Anchored(_) => "anchored",
            Base::None => "none",
        }
    }

    /// The base of that kind; `values` are left out where there is no intercept.
    ///
    /// # Errors
    /// [`Error::Setting`] for another kind.
    pub fn by_kind(kind: &str, values: Vec<f64>) -> Result<Self> {
        match kind {
            "fitted" => Ok(Base::Intercept(values)),
            "anchored" => Ok(Base::Anchored(values)),
            "none" => Ok(Base::None),
            _ => Err(Error::setting("base", format!("\"{}\"", kind.escape_debug()), "fitted, anchored or none")),
        }
    }

    fn values(&self) -> Option<&[f64]> {
        match self {
            Base::Intercept(values) | Base::Anchored(values) => Some(values),
            Base::None => None,
        }
    }
}

/// A surrogate that is linear in terms: base + Σ_t coefficient_t · Π_{j∈t} (z_j − 1), through a [`Link`].
///
/// Coefficients are in removal coding. That of one feature is W_j: removing it alone takes W_j away. That of a pair is V_ab,
/// what removing both adds to removing each: V < 0 where one stands in for the other, so that both must go, V > 0 where each needs
/// the other, so that either does what both do.
/// Without pairs this is W z + b with b = base − Σ W.
///
/// ```
/// use lipex_core::{Base, Linear, Link, Term};
///
/// // Two classes, features 0 and 1; the second is worth 1 to class 1, and both together another 2.
/// let terms = vec![Term::one(0), Term::one(1), Term::pair(0, 1)?];
/// let coefficients = vec![vec![0.0, 0.0, 0.0], vec![0.0, 1.0, -2.0]];
/// let base = Base::Anchored(vec![0.0, 3.0]);
/// let linear = Linear::new(vec![0, 1], terms, coefficients, base, vec![vec![0, 1]; 2], Link::Identity)?;
/// assert_eq!(linear.predict(&[true, false])?, [0.0, 2.0]);
/// assert_eq!(linear.predict(&[false, false])?, [0.0, 0.0]);
/// assert_eq!(linear.shares().matrix()[1], [1.0, 2.0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    kept: Vec<usize>,
    terms: Vec<Term>,
    coefficients: Vec<Vec<f64>>,
    base: Base,
    support: Vec<Vec<usize>>,
    link: Link,
    /// For each term the places of its features in `kept`, the one of a term of one twice.
    places: Vec<[usize; 2]>,
}

impl Linear {
    /// From its parts.
    ///
    /// # Shapes
    /// `kept` S, ascending; `coefficients` C rows of a number a term; `support` for each class the places in `kept` that its
    /// row was fitted on.
    ///
    /// # Errors
    /// [`Error::Shape`] for parts that do not fit together; [`Error::Setting`] for features out of order, a term twice, and
    /// pairs without a base.
    pub fn new(
        kept: Vec<usize>,
        terms: Vec<Term>,
        coefficients: Vec<Vec<f64>>,
        base: Base,
        support: Vec<Vec<usize>>,
        link: Link,
    ) -> Result<Self> {
        let classes = coefficients.len();
        if !kept.is_sorted_by(|a, b| a < b) {
            return Err(Error::setting("kept", format!("{kept:?}"), "features in ascending order, each once"));
        }
        coefficients.iter().try_for_each(|row| expect_len("coefficients of a class", terms.len(), row.len()))?;
        if let Some(values) = base.values() {
            expect_len("values of the base", classes, values.len())?;
        } else if terms.iter().any(|t| t.as_pair().is_some()) {
            return Err(Error::setting("base", "none", "pairs need a base, fitted or anchored"));
        }
        expect_len("support", classes, support.len())?;
        if let Some(&j) = support.iter().flatten().find(|&&j| j >= kept.len()) {
            return Err(Error::shape("support (below the number of kept features)", kept.len(), j));
        }
        let mut sorted = terms.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|two| two[0] == two[1]) {
            return Err(Error::setting("terms", "a term twice", "each term once"));
        }
        let places = terms.iter().map(|term| places(term, &kept)).collect::<Result<Vec<_>>>()?;
        Ok(Linear { kept, terms, coefficients, base, support, link, places })
    }

    /// A term a kept feature: `matrix` W, C rows of F numbers.
    ///
    /// # Errors
    /// Those of [`new`](Linear::new).
    pub fn of_features(
        kept: Vec<usize>,
        matrix: Vec<Vec<f64>>,
        base: Base,
        support: Vec<Vec<usize>>,
        link: Link,
    ) -> Result<Self> {
        let terms = kept.iter().map(|&j| Term::one(j)).collect();
        Linear::new(kept, terms, matrix, base, support, link)
    }

    /// W z + b, as fits without pairs have it; `None` for b where there is no intercept.
    ///
    /// # Errors
    /// Those of [`new`](Linear::new).
    pub fn from_presence(
        kept: Vec<usize>,
        matrix: Vec<Vec<f64>>,
        intercept: Option<Vec<f64>>,
        support: Vec<Vec<usize>>,
        link: Link,
    ) -> Result<Self> {
        let base = match intercept {
            None => Base::None,
            Some(mut b) => {
                expect_len("entries of the intercept", matrix.len(), b.len())?;
                b.iter_mut().zip(&matrix).for_each(|(b, row)| *b += row.iter().sum::<f64>());
                Base::Intercept(b)
            }
        };
        Linear::of_features(kept, matrix, base, support, link)
    }

    /// W and b of W z + b; `None` where there are pairs.
    pub fn presence(&self) -> Option<(&[Vec<f64>], Vec<f64>)> {
        self.is_of_features().then(|| (self.coefficients.as_slice(), self.intercept()))
    }

    /// S, ascending.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// The terms, in the order of the coefficients.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// C rows of a number a term.
    pub fn coefficients(&self) -> &[Vec<f64>] {
        &self.coefficients
    }

    /// What the answer is at the whole instance.
    pub fn base(&self) -> &Base {
        &self.base
    }

    /// The logits at the whole instance, C numbers.
    pub fn whole(&self) -> Vec<f64> {
        match self.base.values() {
            Some(values) => values.to_vec(),
            None => self.coefficients.iter().map(|row| row.iter().sum()).collect(),
        }
    }

    /// For each class the places in `kept` that its row was fitted on.
    pub fn support(&self) -> &[Vec<usize>] {
        &self.support
    }

    /// How logits become the answer.
    pub fn link(&self) -> Link {
        self.link
    }

    /// The logits at the empty mask, base − Σφ, C numbers: exactly 0 without an intercept.
    pub fn intercept(&self) -> Vec<f64> {
        let Some(values) = self.base.values() else { return vec![0.0; self.coefficients.len()] };
        let signed = |(&v, term): (&f64, &Term)| if term.as_pair().is_some() { -v } else { v };
        let sum = |row: &Vec<f64>| row.iter().zip(&self.terms).map(signed).sum::<f64>();
        values.iter().zip(&self.coefficients).map(|(v, row)| v - sum(row)).collect()
    }

    /// Whether the terms are the kept features, one by one.
    fn is_of_features(&self) -> bool {
        self.terms.len() == self.kept.len()
            && self.terms.iter().zip(&self.kept).all(|(t, j)| t.features() == std::slice::from_ref(j))
    }

    /// The answer to one mask over the kept features.
    ///
    /// # Shapes
    /// `keeps[j]` says whether feature `kept[j]` is present.
    ///
    /// # Errors
    /// [`Error::Shape`] for a mask of another length.
    pub fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        let mut scores = self.logits(keeps)?;
        self.link.apply(&mut scores);
        Ok(scores)
    }

    /// The logits of one mask over the kept features, before the link.
    ///
    /// # Errors
    /// [`Error::Shape`] for a mask of another length.
    pub fn logits(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        expect_len("kept features of a mask", self.kept.len(), keeps.len())?;
        let mut scores = self.whole();
        for (t, (term, [a, b])) in self.terms.iter().zip(&self.places).enumerate() {
            if !keeps[*a] && !keeps[*b] {
                let sign = if term.as_pair().is_some() { 1.0 } else { -1.0 };
                scores.iter_mut().zip(&self.coefficients).for_each(|(s, row)| *s += sign * row[t]);
            }
        }
        Ok(scores)
    }

    /// Takes the feature at a place off the logits, those that `keeps` leaves out being gone already.
    pub(crate) fn remove(&self, place: usize, keeps: &[bool], logits: &mut [f64]) {
        for (t, &[a, b]) in self.places.iter().enumerate() {
            let sign = match (a == place, b == place) {
                (true, true) => -1.0,
                (true, false) if !keeps[b] => 1.0,
                (false, true) if !keeps[a] => 1.0,
                _ => continue,
            };
            logits.iter_mut().zip(&self.coefficients).for_each(|(s, row)| *s += sign * row[t]);
        }
    }

    /// φ_j = W_j − ½ Σ_b V_jb: the Shapley values between the whole and the empty instance of the logits.
    pub fn shares(&self) -> Shares<'_> {
        let matrix = if self.is_of_features() {
            Cow::Borrowed(self.coefficients.as_slice())
        } else {
            Cow::Owned(self.coefficients.iter().map(|row| self.share_of_row(row)).collect())
        };
        Shares::new(Cow::Borrowed(&self.kept), matrix, Cow::Borrowed(&self.support))
    }

    fn share_of_row(&self, row: &[f64]) -> Vec<f64> {
        let mut shares = vec![0.0; self.kept.len()];
        for ((term, &[a, b]), v) in self.terms.iter().zip(&self.places).zip(row) {
            if term.as_pair().is_some() {
                shares[a] -= 0.5 * v;
                shares[b] -= 0.5 * v;
            } else {
                shares[a] += v;
            }
        }
        shares
    }

    /// The pairs with their coefficients V_ab, in the order of the terms.
    pub fn pairs(&self) -> Vec<Pair> {
        let of = |j: usize| self.terms.iter().position(|t| t.features() == [j]);
        let one = |(t, term): (usize, &Term)| {
            let features = term.as_pair()?;
            let effects = self.coefficients.iter().map(|row| row[t]).collect();
            let both = features.map(of);
            let alone = self.coefficients.iter().map(|row| both.iter().flatten().map(|&t| row[t]).sum()).collect();
            Some(Pair { features, effects, alone })
        };
        self.terms.iter().enumerate().filter_map(one).collect()
    }

    /// The same with all that was fitted multiplied: coefficients, and an intercept; what is anchored stays.
    pub fn scaled(&self, by: f64) -> Self {
        let mut scaled = self.clone();
        scaled.coefficients.iter_mut().flatten().for_each(|v| *v *= by);
        if let Base::Intercept(values) = &mut scaled.base {
            values.iter_mut().for_each(|v| *v *= by);
        }
        scaled
    }

    /// The same on other features: terms whose features are all among `kept` keep their coefficients, new features have 0. A
    /// fitted intercept stays what it is at the empty mask, an anchored base what it is at the whole instance.
    ///
    /// # Errors
    /// Those of [`new`](Linear::new).
    pub fn carried_to(&self, kept: Vec<usize>, support: Vec<Vec<usize>>) -> Result<Self> {
        let has = |j: &usize| kept.binary_search(j).is_ok();
        let pairs = self.terms.iter().filter(|t| t.as_pair().is_some() && t.features().iter().all(has));
        let terms: Vec<Term> = kept.iter().map(|&j| Term::one(j)).chain(pairs.copied()).collect();
        let from: Vec<Option<usize>> = terms.iter().map(|t| self.terms.iter().position(|u| u == t)).collect();
        let row = |row: &Vec<f64>| from.iter().map(|t| t.map_or(0.0, |t| row[t])).collect();
        let coefficients = self.coefficients.iter().map(row).collect();
        let mut moved = Linear::new(kept, terms, coefficients, self.base.clone(), support, self.link)?;
        if let Base::Intercept(values) = &mut moved.base {
            let shares = moved_sums(&moved.terms, &moved.coefficients);
            values.iter_mut().zip(self.intercept()).zip(shares).for_each(|((v, b), sum)| *v = b + sum);
        }
        Ok(moved)
    }
}

/// Σφ of each class.
fn moved_sums(terms: &[Term], coefficients: &[Vec<f64>]) -> Vec<f64> {
    let signed = |(&v, term): (&f64, &Term)| if term.as_pair().is_some() { -v } else { v };
    coefficients.iter().map(|row| row.iter().zip(terms).map(signed).sum()).collect()
}

/// Where a term's features are among the kept.
fn places(term: &Term, kept: &[usize]) -> Result<[usize; 2]> {
    let place = |j: usize| {
        let reason = || format!("its features must be among the kept ones, {kept:?}");
        kept.binary_search(&j).map_err(|_| Error::setting("term", format!("{:?}", term.features()), reason()))
    };
    let [first, last] = [term.features().first(), term.features().last()].map(|j| place(*j.unwrap_or(&usize::MAX)));
    Ok([first?, last?])
}

#[cfg(test)]
mod tests;
