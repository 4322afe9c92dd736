//! A term of a linear answer: one feature, or two that act together.

use crate::error::{Error, Result};

/// One feature, or two that act together: the term is on where all of them are removed.
///
/// ```
/// use lipex_core::Term;
///
/// assert_eq!(Term::pair(5, 3)?.features(), [3, 5]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    features: [usize; 2],
    len: usize,
}

impl Term {
    /// The term of one feature, by its number among all D.
    pub fn one(feature: usize) -> Self {
        Term { features: [feature, feature], len: 1 }
    }

    /// The term of two features, by their numbers among all D.
    ///
    /// # Errors
    /// [`Error::Setting`] for a feature with itself.
    pub fn pair(a: usize, b: usize) -> Result<Self> {
        if a == b {
            return Err(Error::setting("term", format!("[{a}, {b}]"), "two features that differ"));
        }
        Ok(Term { features: [a.min(b), a.max(b)], len: 2 })
    }

    /// Its features, ascending.
    pub fn features(&self) -> &[usize] {
        &self.features[..self.len]
    }

    /// Its two features, ascending; `None` for a term of one.
    pub fn as_pair(&self) -> Option<[usize; 2]> {
        (self.len == 2).then_some(self.features)
    }
}

impl TryFrom<Vec<usize>> for Term {
    type Error = Error;

    fn try_from(features: Vec<usize>) -> Result<Self> {
        match *features {
            [one] => Ok(Term::one(one)),
            [a, b] => Term::pair(a, b),
            _ => Err(Error::shape("features of a term (one or two)", 2, features.len())),
        }
    }
}

impl From<Term> for Vec<usize> {
    fn from(term: Term) -> Self {
        term.features().to_vec()
    }
}
