//! The language of lipex: checked types, the traits of the stages, divergences, the explainer and the explanation.
//!
//! instance → **perturb** (masks Z) → **render** (inputs) → **predict** (probabilities P) → **weigh** (π) → **select** (S) →
//! **fit** (W) → **evaluate** → read. Each stage is a trait with a backend parameter `B`; the laws and models that lipex
//! brings are plain types here, and each backend crate implements the traits for them.
//!
//! | letter | meaning |
//! |---|---|
//! | D | features of the instance |
//! | C | classes |
//! | N | masks, the unperturbed instance (row 0) included |
//! | F | kept features |
//! | W | explanation matrix, C×F |

mod arc;
mod attribution;
mod backend;
mod batch;
mod bits;
mod comparison;
mod describe;
mod divergence;
mod error;
mod evaluate;
mod explainer;
mod explanation;
mod fit;
mod flip;
mod groups;
mod interaction;
mod leave_out;
mod nearest;
mod outputs;
pub mod perturb;
pub mod philox;
mod predict;
mod preset;
mod program;
mod reading;
mod real;
mod removal;
mod render;
mod rows;
mod rule;
pub mod select;
mod spelling;
mod two_part;
mod uncertainty;
mod verdict;
mod watch;
pub mod weigh;

pub use attribution::{
    Attribution, Attributions, Evaluation, Gather, GradientRule, Layer, Local, Output, Pool, WhiteBox,
};
pub use backend::{
    Backend, Element, Masks, Neighbourhood, Probabilities, Sample, Weights, check_row, check_scores, normalise_row,
};
pub use batch::{Images, Texts};
pub use bits::{pack_bits, unpack_bits, whole_mask};
pub use comparison::{Beside, Comparison};
pub use describe::{Departure, Describe, Setting};
pub use divergence::{
    Alpha, Divergence, ErasedDivergence, FLOOR, Hellinger, JensenShannon, Kl, Q, QRows, ReverseKl, TotalVariation,
    by_name, computed_kappa,
};
pub use error::{Error, Result, expect_len};
pub use evaluate::{Agreement, Evaluator, Fidelity, OutOfFold, deal_folds, is_near, refit_without_folds, without_fold};
pub use explainer::{Enumerate, Explainer, Repeats};
pub use explanation::{Answers, Change, Explanation, Rank, Timings, Weighted, arg_max};
pub use fit::{
    Answer, Authors, AuthorsLoss, Base, Branch, Compared, Criterion, FitReport, Fitted, FoldFits, INTERCEPT_PENALTY,
    Information, Intercept, KernelShap, Lambda, LambdaScale, Leaf, Linear, Link, Normalise, OwnAnswer, Pair, Pairs,
    Problem, Recorded, Requery, Ridge, Seen, Shares, Softmax, Start, Starts, Support, Surrogate, Term, Tree, TreeLeaf,
    TreeLine, TreeNode, TreeSurrogate, anchor, least_anchor, softmax_in_place,
};
pub use flip::Flip;
pub use groups::{Groups, REST};
pub use interaction::{Asked, Bilinear, Match, Partition, Similarity, Svd, TwoTower, cosine, cross_pairs};
pub use leave_out::{checked_answers, leave_out, random_scores};
pub use nearest::{class_by_name, distinct_labels, listed, nearest};
pub use outputs::{CheckedRows, Outputs};
pub use perturb::{
    Angle, Antithetic, Bernoulli, Dependence, Draw, Exhaustive, Filtered, GivenMasks, Law, LimeImage, LimeText,
    Perturber, ShapleySize, UniformSize, WeightProportional,
};
pub use predict::{Batching, BlackBox, Calls, Observed};
pub use preset::Preset;
pub use program::{Input, Inputs, Program, Step};
pub use real::{Dual, Lane, Real, Wide};
pub use removal::Removal;
pub use render::{Distinct, Domain, Feature, Instance, Region, Render, Span};
pub use rows::{Cell, Rows};
pub use rule::{AnchorRule, Anchors};
pub use select::{All, Forward, GivenFeatures, HighestWeights, LassoPath, Selection, Selector};
pub use two_part::{TwoPart, split_bits};
pub use uncertainty::{
    Adaptive, ErrorBars, Estimate, FewRows, Growth, InTop, Look, Method, RowShares, Rule, Settling, Spread, Uncertainty,
};
pub use verdict::{About, Grade, Reason, Verdict};
pub use watch::{Progress, Stage, Watch};
pub use weigh::{
    CosineDistance, CosineSimilarity, Exponential, GivenWeights, Proximity, ProximityTable, ShapleyKernel,
    cosine_distance,
};
