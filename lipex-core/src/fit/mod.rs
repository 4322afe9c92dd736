//! Fit: surrogates, and what a fit returns.

use crate::backend::{Backend, Neighbourhood};
use crate::describe::Describe;
use crate::error::{Result, expect_len};
use crate::select::Selection;
use crate::uncertainty::Spread;

mod answer;
mod authors;
mod information;
mod lambda;
mod linear;
mod own;
mod pairs;
mod penalty;
mod report;
mod requery;
mod ridge;
mod shapley;
mod shares;
mod softmax;
mod tree;

pub use answer::{Answer, Fitted, FoldFits, Link, softmax_in_place};
pub use authors::{Authors, AuthorsLoss};
pub use information::Information;
pub use lambda::{Lambda, LambdaScale};
pub use linear::{Base, Linear, Term};
pub use own::{OwnAnswer, Recorded};
pub use pairs::Pairs;
pub use penalty::Seen;
pub use report::{Compared, FitReport, Start};
pub use requery::Requery;
pub use ridge::{Ridge, Support};
pub use shapley::KernelShap;
pub use shares::{Pair, Shares};
pub use softmax::{INTERCEPT_PENALTY, Intercept, Normalise, Softmax, Starts, anchor, least_anchor};
pub use tree::{Branch, Criterion, Leaf, Tree, TreeLeaf, TreeLine, TreeNode, TreeSurrogate};

/// Fits a surrogate to the black box's probabilities.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Problem, Selection, Softmax, Surrogate};
///
/// // `around` has all masks of two features, of which the first takes class 0 from .6 to .9.
/// let both = Selection::shared(2, vec![0, 1]);
/// let fitted = Softmax::default().lambda(1e-6)?.fit(&on, &[Problem::new(&around, &both)])?.remove(0);
/// let odds = fitted.shares().row(0)[0] - fitted.shares().row(1)[0];
/// assert!((odds - (9f64.ln() - 1.5f64.ln())).abs() < 0.02);
/// # Ok::<(), lipex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit on the backend `{B}`",
    note = "implement `Surrogate<{B}>` for it, or choose a backend that it implements"
)]
pub trait Surrogate<B: Backend>: Describe + Send + Sync {
    /// One fit for each problem of the batch.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) when a setting does not suit the problem. Not converging is a field of the report.
    fn fit(&self, on: &B, problems: &[Problem<'_, B>]) -> Result<Vec<Fitted>>;

    /// How W would spread over other draws of the masks, by a formula of the surrogate's own; `None` where it has none,
    /// and refits of rows drawn again serve.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) when the backend fails.
    fn spread(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<Spread>> {
        let _ = (on, problem, fitted);
        Ok(None)
    }

    /// Whether a base that the surrogate fits is free, as an intercept is; false where other answers fix it.
    fn fits_intercept(&self) -> bool {
        true
    }

    /// Whether a fit asks the black box again; an explainer then gives every [`Problem`] the means to, and has no error bars,
    /// whose refits would each ask.
    fn requeries(&self) -> bool {
        false
    }

    /// Whether rows of independent labels are fitted as they are, all labels together. Else each label is a problem of two
    /// classes, it and the rest.
    fn takes_labels(&self) -> bool {
        false
    }

    /// About what share of their entries the penalty leaves the two likeliest classes, the lesser of the two, without a refit;
    /// `None` where the surrogate has no such estimate. `seen` is the neighbourhood in the host's memory.
    fn left_by_penalty(&self, seen: &Seen<'_>, fitted: &Fitted) -> Option<f64> {
        let _ = (seen, fitted);
        None
    }

    /// The same fit at a hundredth of its penalty, which tells what the penalty does to W; `None` where there is none.
    ///
    /// # Errors
    /// Those of the refit.
    fn relaxed(&self, on: &B, problem: &Problem<'_, B>, fitted: &Fitted) -> Result<Option<Fitted>> {
        let _ = (on, problem, fitted);
        Ok(None)
    }
}

/// One fit to be made.
///
/// ```
/// # use lipex::{Cpu, Masks, Neighbourhood, Probabilities, Weights};
/// # let on = Cpu::new();
/// # // Every mask of two features, of which the first takes .6 to .9.
/// # let masks = Masks::new(&on, 4, 2, vec![0b11, 0b01, 0b10, 0b00])?;
/// # let p = Probabilities::new(&on, 4, 2, vec![0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4])?;
/// # let around = Neighbourhood::new(&on, masks, p, Weights::new(vec![1.0; 4]))?;
/// use lipex::{Problem, Ridge, Selection, Surrogate};
///
/// // `around` has four masks; the second fit goes without the last of them.
/// let both = Selection::shared(2, vec![0, 1]);
/// let whole = Problem::new(&around, &both);
/// let part = Problem { multiplicities: Some(&[1, 1, 1, 0]), ..Problem::new(&around, &both) };
/// assert_eq!((whole.samples(), part.samples()), (4.0, 3.0));
/// assert_eq!(Ridge::default().fit(&on, &[whole, part])?.len(), 2);
/// # Ok::<(), lipex::Error>(())
/// ```
pub struct Problem<'a, B: Backend> {
    /// Masks, probabilities and weights.
    pub around: &'a Neighbourhood<B>,
    /// The features to fit on.
    pub selection: &'a Selection,
    /// How often each row counts, if not once: bootstraps and folds. N is then their sum.
    pub multiplicities: Option<&'a [u32]>,
    /// A fit to start from, on the same selection.
    pub start: Option<&'a Fitted>,
    /// The tolerance of this fit, if not the surrogate's own: a looser one for fits of which only averages are read. The
    /// objective in its report may be that of the solver's last evaluation, in f32.
    pub tolerance: Option<f64>,
    /// The black box, for a surrogate that asks it again; `None` where it is not at hand.
    pub requery: Option<&'a dyn Requery>,
}

impl<'a, B: Backend> Problem<'a, B> {
    /// A fit from scratch on every row.
    pub fn new(around: &'a Neighbourhood<B>, selection: &'a Selection) -> Self {
        Problem { around, selection, multiplicities: None, start: None, tolerance: None, requery: None }
    }

    /// n, what sums over rows are divided by; see [`Neighbourhood::samples`].
    pub fn samples(&self) -> f64 {
        self.around.samples(self.multiplicities)
    }

    /// Passes if multiplicities and start have the problem's sizes.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) otherwise.
    pub fn check(&self) -> Result<()> {
        if let Some(m) = self.multiplicities {
            expect_len("multiplicities", self.around.rows(), m.len())?;
        }
        if let Some(start) = self.start {
            expect_len("classes of the start", self.around.probabilities.classes(), start.answer.classes())?;
            expect_len("features of the start", self.selection.kept.len(), start.kept().len())?;
        }
        Ok(())
    }
}
