//! What of an answer is read, ranked, contrasted and drawn.

use std::borrow::Cow;

/// What each kept feature does to each class: the matrix that is read, ranked, contrasted and drawn.
///
/// For a linear answer without pairs it is W. With pairs an entry is the feature's own effect and half of each pair that it
/// is part of: its Shapley value between the whole and the empty instance.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let shares = explanation.shares();
/// let fine = shares.kept().iter().position(|&j| explanation.name(j) == "fine").unwrap();
/// // Log-odds of good over bad that the word is worth: from .4 : .6 to .9 : .1.
/// assert!((shares.row(1)[fine] - shares.row(0)[fine] - 13.5f64.ln()).abs() < 0.2);
/// assert_eq!(shares.largest(), shares.row(1)[fine].abs());
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Shares<'a> {
    kept: Cow<'a, [usize]>,
    matrix: Cow<'a, [Vec<f64>]>,
    support: Cow<'a, [Vec<usize>]>,
}

impl<'a> Shares<'a> {
    /// From parts of equal sizes.
    pub(crate) fn new(kept: Cow<'a, [usize]>, matrix: Cow<'a, [Vec<f64>]>, support: Cow<'a, [Vec<usize>]>) -> Self {
        Shares { kept, matrix, support }
    }

    /// No kept feature, for so many classes.
    pub(crate) fn none(classes: usize) -> Self {
        Shares::new(
            Cow::Owned(Vec::new()),
            Cow::Owned(vec![Vec::new(); classes]),
            Cow::Owned(vec![Vec::new(); classes]),
        )
    }

    /// S, ascending: the features that the columns belong to.
    pub fn kept(&self) -> &[usize] {
        &self.kept
    }

    /// C rows of F numbers.
    pub fn matrix(&self) -> &[Vec<f64>] {
        &self.matrix
    }

    /// C rows of F numbers, taken.
    pub fn into_matrix(self) -> Vec<Vec<f64>> {
        self.matrix.into_owned()
    }

    /// A class's row, F numbers; empty where there is no such class.
    pub fn row(&self, class: usize) -> &[f64] {
        self.matrix.get(class).map_or(&[], Vec::as_slice)
    }

    /// The places in `kept` that a class's row was fitted on; empty where there is no such class.
    pub fn support(&self, class: usize) -> &[usize] {
        self.support.get(class).map_or(&[], Vec::as_slice)
    }

    /// Whether every class was fitted on every kept feature.
    pub fn is_full(&self) -> bool {
        self.support.iter().all(|places| places.len() == self.kept.len())
    }

    /// The largest absolute entry; 0 for none.
    pub fn largest(&self) -> f64 {
        self.matrix.iter().flatten().fold(0.0, |most: f64, v| most.max(v.abs()))
    }
}

/// Two features that act together, and what removing both adds to removing each.
///
/// ```
/// use lipex_core::Pair;
///
/// // "great" and "superb": with either gone the other still makes it good, with both gone nothing does.
/// let pair = Pair { features: [1, 4], effects: vec![0.0, -2.0], alone: vec![0.0, 0.2] };
/// assert!(pair.does_more(1));
/// assert_eq!(pair.told(1), "together they do more than each");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The two, ascending, of all D.
    pub features: [usize; 2],
    /// V, C numbers: below 0 where one stands in for the other, above 0 where each needs the other.
    pub effects: Vec<f64>,
    /// W of the one and of the other together, C numbers: what removing each alone takes away, added up.
    pub alone: Vec<f64>,
}

impl Pair {
    /// Whether removing both moves a class more than removing each, added up; else each needs the other.
    pub fn does_more(&self, class: usize) -> bool {
        match (self.effects.get(class), self.alone.get(class)) {
            (Some(v), Some(w)) => (v - w).abs() > w.abs(),
            _ => false,
        }
    }

    /// How the two act together on a class, in words.
    pub fn told(&self, class: usize) -> &'static str {
        Pair::words(self.does_more(class))
    }

    /// What is said of a pair that does more together than each, or else.
    pub fn words(does_more: bool) -> &'static str {
        if does_more {
            "together they do more than each"
        } else {
            "each needs the other, together they do less than each"
        }
    }
}
