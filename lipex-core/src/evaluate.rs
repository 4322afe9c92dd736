//! Evaluate: how well a surrogate agrees with the black box.
//!
//! # Which to read
//! `out_of_fold` estimates the generalisation error: how far the surrogate is from the model on masks that its fit has not seen.
//! `in_sample` is the training error, which overfitting makes too small; `at_instance` is one mask, and 0 by construction for an
//! anchored surrogate.
//! TV below .05 is close, above .2 far: then more features, pairs, or a smaller λ are worth a try.
//!
//! # Source
//! Cross-validation with groups: equal masks and pairs of complements share a fold, since the one would tell what the other
//! says.

use crate::backend::Backend;
use crate::describe::{Describe, Setting};
use crate::error::{Result, expect_len};
use crate::fit::{Answer, Fitted, Problem, Surrogate};
use crate::perturb::Dependence;
use crate::philox::{Draws, Purpose};

/// Measures the agreement of fitted surrogates with the black box.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Evaluator, OutOfFold, Problem, Selection, Softmax, Surrogate};
///
/// // `around` has all masks of two features.
/// let (softmax, both) = (Softmax::default(), Selection::shared(2, vec![0, 1]));
/// let problems = [Problem::new(&around, &both)];
/// let fitted = softmax.fit(&on, &problems)?;
/// let fidelity = OutOfFold::default().evaluate(&on, &problems, &fitted, &softmax)?.remove(0);
/// assert!(fidelity.at_instance.tv < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
pub trait Evaluator<B: Backend>: Describe + Send + Sync {
    /// One fidelity for each problem and its fit; refits with `surrogate` for what is out of fold.
    ///
    /// # Errors
    /// Those of the refits.
    fn evaluate(
        &self,
        on: &B,
        problems: &[Problem<'_, B>],
        fitted: &[Fitted],
        surrogate: &dyn Surrogate<B>,
    ) -> Result<Vec<Fidelity>>;
}

/// How well the surrogate agrees with the black box, π-weighted over masks.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let fidelity = explanation.fidelity.as_ref().unwrap();
/// // One word decides, and a surrogate that is linear in words can say that.
/// assert!(fidelity.in_sample.tv < 0.05 && fidelity.at_instance.tv < 0.05);
/// assert!(fidelity.r2.iter().all(|r2| *r2 > 0.95));
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fidelity {
    /// On masks that a refit has not seen; `None` where there are too few distinct masks to hold any out.
    pub out_of_fold: Option<Agreement>,
    /// On those of them that are [near](is_near) the instance, each alike; `None` where none is.
    #[cfg_attr(feature = "serde", serde(default))]
    pub near: Option<Agreement>,
    /// At the instance itself (row 0), which the fit has seen.
    pub at_instance: Agreement,
    /// On the masks of the fit.
    pub in_sample: Agreement,
    /// R² of each class's probability, in sample (LIME's `score`); 0 for a class that does not vary.
    pub r2: Vec<f64>,
}

/// Mean distances between rows of P and of Q.
///
/// # Numerics
/// For a surrogate that may leave the simplex (ridge), TV and the arg max are of its rows as they are; H² and KL are of
/// its rows clipped to at least 10⁻⁷ and divided by their sum.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// let explanation = lipex().explain(&text, &model)?;
/// let agreement = explanation.fidelity.as_ref().unwrap().in_sample;
/// assert!(agreement.tv < 0.05 && agreement.hellinger < agreement.tv);
/// assert_eq!((agreement.arg_max, agreement.off_simplex), (1.0, 0.0)); // a softmax stays on the simplex
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Agreement {
    /// Total variation, ½ Σ |p − q|.
    pub tv: f64,
    /// Squared Hellinger distance.
    pub hellinger: f64,
    /// KL(p‖q), nats.
    pub kl: f64,
    /// Share of rows whose likeliest class is the same.
    pub arg_max: f64,
    /// Share of rows with a surrogate probability outside [0, 1]; 0 for a softmax.
    pub off_simplex: f64,
}

/// Whether a mask that keeps `kept` of `features` is near the instance: it keeps more than .8 of them.
pub fn is_near(kept: usize, features: usize) -> bool {
    5 * kept > 4 * features
}

/// The evaluator: `folds` folds over distinct masks, complements together, row 0 always in training.
///
/// Refits start from the full fit and cost no call of the black box.
///
/// ```
/// # use lipex::prelude::*;
/// # let model = TextFn::new(["bad", "good"], |texts: &[&str]| {
/// #     texts.iter().map(|t| if t.contains("fine") { [0.1, 0.9] } else { [0.6, 0.4] }).collect()
/// # });
/// # let text = TextInstance::new("a fine day, all in all")?;
/// use lipex::OutOfFold;
///
/// // Refits cost time and no call of the model; without folds there are none.
/// let explanation = lipex().evaluator(OutOfFold { folds: 0 }).explain(&text, &model)?;
/// let fidelity = explanation.fidelity.as_ref().unwrap();
/// assert!(fidelity.out_of_fold.is_none() && fidelity.in_sample.tv < 0.05);
/// # Ok::<(), lipex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfFold {
    /// Number of folds; default 5; 0 leaves the out-of-fold fidelity out.
    pub folds: usize,
}

impl Default for OutOfFold {
    fn default() -> Self {
        OutOfFold { folds: 5 }
    }
}

impl Describe for OutOfFold {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("evaluate", format!("out-of-fold:{}", self.folds))]
    }
}

/// The tolerance of the refits: looser than a fit's, since only averages over the masks held out are read from them. On
/// random problems it moves those by less than a hundredth of themselves.
const REFIT_TOLERANCE: f64 = 1e-4;

/// The answers of each problem's surrogate without the rows of fold 1, of fold 2, and so on: those that the fit carries for
/// these very folds, else one batch of refits for all, each from the problem's fit unless that chose pairs.
///
/// `folds` has the fold of each row of each problem, as [`deal_folds`] gives it; a problem without folds has no refits.
///
/// # Errors
/// Those of the refits.
pub fn refit_without_folds<B: Backend>(
    on: &B,
    problems: &[Problem<'_, B>],
    fitted: &[Fitted],
    folds: &[Vec<usize>],
    surrogate: &dyn Surrogate<B>,
) -> Result<Vec<Vec<Answer>>> {
    let count = |i: usize| folds[i].iter().copied().max().unwrap_or(0);
    let carried = |i: usize| {
        let fits =
            fitted[i].out_of_fold.as_ref().filter(|fits| fits.folds == folds[i] && fits.answers.len() == count(i));
        fits.map(|fits| fits.answers.clone())
    };
    let mut answers: Vec<Vec<Answer>> = (0..problems.len()).map(|i| carried(i).unwrap_or_default()).collect();
    let lacking = (0..problems.len()).filter(|&i| answers[i].is_empty());
    let tasks: Vec<(usize, usize)> = lacking.flat_map(|i| (1..=count(i)).map(move |k| (i, k))).collect();
    let left: Vec<Vec<u32>> = tasks.iter().map(|&(i, k)| without_fold(&problems[i], &folds[i], k)).collect();
    let refits: Vec<Problem<'_, B>> = tasks
        .iter()
        .zip(&left)
        .map(|(&(i, _), times)| Problem {
            multiplicities: Some(times),
            // Pairs that were chosen have to be chosen again without these rows.
            start: (!has_chosen_pairs(&fitted[i])).then_some(&fitted[i]),
            tolerance: Some(REFIT_TOLERANCE),
            ..problems[i]
        })
        .collect();
    on.watch().extend(refits.len());
    let refits = surrogate.fit(on, &refits)?;
    expect_len("refits without a fold", tasks.len(), refits.len())?;
    tasks.iter().zip(refits).for_each(|(&(i, _), refit)| answers[i].push(refit.answer));
    Ok(answers)
}

/// Whether a fit chose its pairs by rows held out.
fn has_chosen_pairs(fitted: &Fitted) -> bool {
    fitted.out_of_fold.is_some() && !fitted.answer.pairs().is_empty()
}

/// The problem's multiplicities with the rows of fold `k` taken out.
pub fn without_fold<B: Backend>(problem: &Problem<'_, B>, folds: &[usize], k: usize) -> Vec<u32> {
    let times = |i: usize| problem.multiplicities.map_or(1, |m| m[i]);
    folds.iter().enumerate().map(|(i, &fold)| if fold == k { 0 } else { times(i) }).collect()
}

/// The fold of each row, from 1; 0 is always in training: row 0 and whatever shares its mask.
///
/// `first[i]` is the first row with the mask of row i. Equal masks share a fold, and so do the two rows of a pair. Empty
/// where fewer than two folds can be filled.
///
/// ```
/// use lipex_core::{Dependence, deal_folds};
///
/// // Eleven rows, all different: ten in five folds, row 0 in none.
/// let folds = deal_folds(&(0..11).collect::<Vec<u32>>(), 5, Dependence::Independent);
/// assert_eq!(folds[0], 0);
/// let largest = (1..=5).map(|k| folds.iter().filter(|f| **f == k).count()).max();
/// assert_eq!(largest, Some(2));
/// ```
pub fn deal_folds(first: &[u32], folds: usize, dependence: Dependence) -> Vec<usize> {
    let rows = first.len();
    let mut parents: Vec<usize> = (0..rows).collect();
    for (i, &same) in first.iter().enumerate() {
        join(&mut parents, same as usize, i);
        if dependence == Dependence::Pairs && i >= 2 && i % 2 == 0 {
            join(&mut parents, i - 1, i);
        }
    }
    if rows == 0 {
        return Vec::new();
    }
    let home = root(&mut parents, 0);
    let mut roots: Vec<usize> = (0..rows).filter(|&i| root(&mut parents, i) == i && i != home).collect();
    let folds = folds.min(roots.len());
    if folds < 2 {
        return Vec::new();
    }
    // Dealt out in random order, so that folds differ in size by one group at most.
    let mut draws = Draws::new(0, 0, 0, Purpose::Folds);
    for i in (1..roots.len()).rev() {
        roots.swap(i, draws.below(i as u32, i as u32 + 1) as usize);
    }
    let mut dealt = vec![0; rows];
    roots.iter().enumerate().for_each(|(n, &r)| dealt[r] = 1 + n % folds);
    (0..rows).map(|i| dealt[root(&mut parents, i)]).collect()
}

fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

/// Puts two rows into one group; the lower row stands for it.
fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    parents[a.max(b)] = a.min(b);
}
