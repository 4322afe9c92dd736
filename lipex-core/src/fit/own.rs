//! Answers of a surrogate of one's own.

use super::answer::Link;
use crate::error::{Error, Result, expect_len};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// What a surrogate of one's own learnt: a table, neighbours, anything that answers masks.
///
/// An explanation keeps it by its shares and by its answers to the masks of the run ([`Recorded`]); that is what a file has
/// and what equality compares. The example `own_surrogate` is a tree.
///
/// ```
/// use lipex_core::{Answer, OwnAnswer, Result};
/// use std::sync::Arc;
///
/// /// Answers by one feature alone.
/// #[derive(Debug)]
/// struct Stump([usize; 1]);
///
/// impl OwnAnswer for Stump {
///     fn kept(&self) -> &[usize] {
///         &self.0
///     }
///     fn classes(&self) -> usize {
///         2
///     }
///     fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
///         Ok(if keeps[0] { vec![0.9, 0.1] } else { vec![0.5, 0.5] })
///     }
///     fn shares(&self) -> Vec<Vec<f64>> {
///         vec![vec![0.4], vec![-0.4]]
///     }
/// }
///
/// let answer = Answer::Own(Arc::new(Stump([3])));
/// assert_eq!(answer.predict(&[false])?, [0.5, 0.5]);
/// assert!(answer.predict(&[true, true]).is_err()); // it has one feature
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait OwnAnswer: fmt::Debug + Send + Sync {
    /// S, ascending: the features that it was fitted on.
    fn kept(&self) -> &[usize];

    /// C, the number of classes.
    fn classes(&self) -> usize;

    /// Its answer to one mask, C numbers that should be probabilities.
    ///
    /// # Shapes
    /// `keeps[j]` says whether feature `kept()[j]` is present; the caller has checked the length.
    ///
    /// # Errors
    /// Whatever keeps it from answering.
    fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>>;

    /// What each kept feature does to each class, C rows of F numbers.
    fn shares(&self) -> Vec<Vec<f64>>;

    /// What shares are measured in: log-odds ([`Link::Softmax`]) or probability; default probability.
    fn link(&self) -> Link {
        Link::Identity
    }

    /// What is saved of it, where it was recorded; for a surrogate's own type `None`.
    fn recorded(&self) -> Option<&Recorded> {
        None
    }
}

/// An answer of one's own as it is saved: its shares, and what it said to the masks of the run.
///
/// To other masks it answers as long as the program that made it runs; read back from a file it says that it cannot.
///
/// ```
/// use lipex_core::{Link, OwnAnswer, Recorded};
///
/// // One feature, two classes, and the answer to one mask, out of a file.
/// let (shares, masks, answers) = (vec![vec![0.4], vec![-0.4]], vec![vec![true]], vec![vec![0.9, 0.1]]);
/// let read = Recorded::new(vec![3], Link::Identity, shares, masks, answers)?;
/// assert_eq!(read.predict(&[true])?, [0.9, 0.1]);
/// assert!(read.predict(&[false]).is_err()); // that mask was not saved
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recorded {
    kept: Vec<usize>,
    link: Link,
    shares: Vec<Vec<f64>>,
    masks: Vec<Vec<bool>>,
    answers: Vec<Vec<f64>>,
    places: HashMap<Vec<bool>, usize>,
    live: Option<Arc<dyn OwnAnswer>>,
}

impl PartialEq for Recorded {
    fn eq(&self, other: &Self) -> bool {
        (&self.kept, self.link, &self.shares) == (&other.kept, other.link, &other.shares)
            && (&self.masks, &self.answers) == (&other.masks, &other.answers)
    }
}

impl Recorded {
    /// From what a file has.
    ///
    /// # Shapes
    /// `shares` C rows of F numbers, `masks` M rows of F, `answers` M rows of C.
    ///
    /// # Errors
    /// [`Error::Shape`] for parts that do not fit together; [`Error::Setting`] for features out of order.
    pub fn new(
        kept: Vec<usize>,
        link: Link,
        shares: Vec<Vec<f64>>,
        masks: Vec<Vec<bool>>,
        answers: Vec<Vec<f64>>,
    ) -> Result<Self> {
        if !kept.is_sorted_by(|a, b| a < b) {
            return Err(Error::setting("kept", format!("{kept:?}"), "features in ascending order, each once"));
        }
        shares.iter().try_for_each(|row| expect_len("shares of a class", kept.len(), row.len()))?;
        expect_len("answers to the masks", masks.len(), answers.len())?;
        masks.iter().try_for_each(|mask| expect_len("kept features of a mask", kept.len(), mask.len()))?;
        answers.iter().try_for_each(|row| expect_len("classes of an answer", shares.len(), row.len()))?;
        let places = masks.iter().cloned().zip(0..).collect();
        Ok(Recorded { kept, link, shares, masks, answers, places, live: None })
    }

    /// Asks an answer the whole instance, the instance without each kept feature, and `masks`, each distinct one once.
    ///
    /// # Errors
    /// Those of the answer; [`Error::Shape`] for shares or answers of the wrong size.
    pub fn ask(live: Arc<dyn OwnAnswer>, masks: impl IntoIterator<Item = Vec<bool>>) -> Result<Self> {
        let kept = live.kept().to_vec();
        let without = |gone: Option<usize>| (0..kept.len()).map(|j| Some(j) != gone).collect::<Vec<bool>>();
        let first = std::iter::once(without(None)).chain((0..kept.len()).map(|j| without(Some(j))));
        let mut seen = std::collections::HashSet::new();
        let distinct: Vec<Vec<bool>> = first.chain(masks).filter(|mask| seen.insert(mask.clone())).collect();
        distinct.iter().try_for_each(|mask| expect_len("kept features of a mask", kept.len(), mask.len()))?;
        let answers = distinct.iter().map(|mask| live.predict(mask)).collect::<Result<Vec<_>>>()?;
        let shares = live.shares();
        expect_len("rows of the shares", live.classes(), shares.len())?;
        let recorded = Recorded::new(kept, live.link(), shares, distinct, answers)?;
        Ok(Recorded { live: Some(live), ..recorded })
    }

    /// The masks over the kept features that it has answers to, each once.
    pub fn masks(&self) -> &[Vec<bool>] {
        &self.masks
    }

    /// The answers to them, C numbers each.
    pub fn answers(&self) -> &[Vec<f64>] {
        &self.answers
    }
}

impl OwnAnswer for Recorded {
    fn kept(&self) -> &[usize] {
        &self.kept
    }

    fn classes(&self) -> usize {
        self.shares.len()
    }

    fn predict(&self, keeps: &[bool]) -> Result<Vec<f64>> {
        if let Some(&place) = self.places.get(keeps) {
            return Ok(self.answers[place].clone());
        }
        if let Some(live) = &self.live {
            return live.predict(keeps);
        }
        let gone: Vec<usize> = (0..keeps.len()).filter(|&j| !keeps[j]).map(|j| self.kept[j]).collect();
        let reason = format!(
            "the file has a surrogate of one's own by its answers to {} masks, and this is none of them; ask where it was made",
            self.masks.len()
        );
        Err(Error::setting("features removed", format!("{gone:?}"), reason))
    }

    fn shares(&self) -> Vec<Vec<f64>> {
        self.shares.clone()
    }

    fn link(&self) -> Link {
        self.link
    }

    fn recorded(&self) -> Option<&Recorded> {
        Some(self)
    }
}
