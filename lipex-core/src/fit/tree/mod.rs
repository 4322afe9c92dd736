//! LIMEtree's surrogate: one regression tree for all classes.

mod answer;

pub use answer::{Branch, Tree, TreeLeaf, TreeLine, TreeNode};

use crate::describe::{Describe, Setting};
use crate::error::{Error, Result};
use crate::nearest::choose;

/// What a leaf of a tree answers.
///
/// ```
/// use lipex_core::Leaf;
///
/// assert_eq!("asked".parse::<Leaf>()?, Leaf::Asked);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leaf {
    /// The weighted mean of the model's answers to the masks that reach it.
    #[default]
    Mean,
    /// The model's own answer to its minimal mask: the instance without the features that its path lacks. So the tree is exact at
    /// the instance and at what its leaves name. A call a leaf, unless that mask was drawn; refits ask for leaves of their own.
    Asked,
}

impl Leaf {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Leaf::Mean => "mean",
            Leaf::Asked => "asked",
        }
    }
}

/// `mean`, `asked`.
impl std::str::FromStr for Leaf {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        choose("leaf", value, &[Leaf::Mean, Leaf::Asked].map(|leaf| (leaf.name(), leaf)))
    }
}

/// What a split of a tree makes smaller.
///
/// ```
/// use lipex_core::Criterion;
///
/// assert_eq!("hellinger".parse::<Criterion>()?, Criterion::Hellinger);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Criterion {
    /// Σ w ‖P − Q‖², the weighted variance of all classes together.
    #[default]
    Squared,
    /// The same of √P, which is H² but for a factor; a leaf's mean of √P is squared and divided by its sum.
    Hellinger,
}

impl Criterion {
    /// The name that the command uses.
    pub fn name(self) -> &'static str {
        match self {
            Criterion::Squared => "squared",
            Criterion::Hellinger => "hellinger",
        }
    }
}

/// `squared`, `hellinger`.
impl std::str::FromStr for Criterion {
    type Err = Error;

    fn from_str(value: &str) -> Result<Self> {
        choose("divergence", value, &[Criterion::Squared, Criterion::Hellinger].map(|c| (c.name(), c)))
    }
}

/// LIMEtree: a regression tree on masks, for all classes at once.
///
/// A node's value is v = Σ w P/Σ w. It asks for the feature of largest w_off·w_on/(w_off + w_on)·‖v_off − v_on‖², ties to the
/// lowest feature, and stops at the depth, at one row, where a child would weigh less than `min_weight`, and where the gain is at
/// most 10⁻¹⁴ of the weight of all rows. With as many levels as features and every mask it is the model itself.
///
/// # Source
/// Sokol and Flach, LIMEtree: consistent and faithful surrogate explanations of multiple classes (2020). Hellinger's criterion is
/// ours.
///
/// ```
/// use lipex_core::{Describe, Leaf, TreeSurrogate};
///
/// let tree = TreeSurrogate::default().max_depth(3)?.leaf(Leaf::Asked);
/// assert_eq!(tree.describe()[0].value, "tree:3");
/// assert!(TreeSurrogate::default().max_depth(0).is_err());
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TreeSurrogate {
    max_depth: usize,
    min_weight: f64,
    leaf: Leaf,
    criterion: Criterion,
}

impl Default for TreeSurrogate {
    fn default() -> Self {
        TreeSurrogate { max_depth: 4, min_weight: 0.0, leaf: Leaf::Mean, criterion: Criterion::Squared }
    }
}

impl TreeSurrogate {
    /// Features that a path asks about at most; default 4.
    ///
    /// # Errors
    /// [`Error::Setting`] for 0: such a tree would answer the same to every mask.
    pub fn max_depth(self, max_depth: usize) -> Result<Self> {
        if max_depth == 0 {
            let reason = "a tree without a level answers the same to every mask; give 1 or more, as in tree:4";
            return Err(Error::setting("surrogate", "tree:0", reason));
        }
        Ok(TreeSurrogate { max_depth, ..self })
    }

    /// What a child must weigh at least, as a share of the weight of all rows; default 0.
    ///
    /// # Errors
    /// [`Error::Setting`] unless from 0 to ½.
    pub fn min_weight(self, min_weight: f64) -> Result<Self> {
        if (0.0..=0.5).contains(&min_weight) {
            Ok(TreeSurrogate { min_weight, ..self })
        } else {
            Err(Error::setting("min-weight", min_weight, "a share of all weight, from 0 to 0.5"))
        }
    }

    /// What a leaf answers; default [`Leaf::Mean`].
    pub fn leaf(self, leaf: Leaf) -> Self {
        TreeSurrogate { leaf, ..self }
    }

    /// What a split makes smaller; default [`Criterion::Squared`].
    pub fn criterion(self, criterion: Criterion) -> Self {
        TreeSurrogate { criterion, ..self }
    }

    /// The depth in use.
    pub fn max_depth_in_use(&self) -> usize {
        self.max_depth
    }

    /// The least weight in use.
    pub fn min_weight_in_use(&self) -> f64 {
        self.min_weight
    }

    /// The leaves in use.
    pub fn leaf_in_use(&self) -> Leaf {
        self.leaf
    }

    /// The criterion in use.
    pub fn criterion_in_use(&self) -> Criterion {
        self.criterion
    }
}

impl Describe for TreeSurrogate {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("surrogate", format!("tree:{}", self.max_depth)),
            Setting::new("divergence", self.criterion.name()),
            Setting::new("leaf", self.leaf.name()),
            Setting::new("min-weight", self.min_weight),
        ]
    }
}
