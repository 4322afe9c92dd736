//! Predict: the black box.

use crate::backend::{Backend, Probabilities};
use crate::error::Result;

/// A classifier that is asked for probabilities and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take `{Batch}` on the backend `{B}`",
    note = "implement `BlackBox<{B}, {Batch}>` for it, or wrap a host function in an adapter"
)]
pub trait BlackBox<B: Backend, Batch>: Send + Sync {
    /// The classes' names, in the order of the columns. C is their number.
    fn labels(&self) -> &[String];

    /// Most inputs in one call, where the explainer would send `usual`. A model that sorts its inputs and cuts batches
    /// itself asks for more, up to all of a run; the default is `usual`.
    fn largest_batch(&self, usual: usize) -> usize {
        usual
    }

    /// Writes the probabilities of a batch into `out`, one row an input.
    ///
    /// Rows are checked afterwards; they need not be checked here. A model that does so anyway counts rows from the start
    /// of the batch.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails.
    fn predict(&self, on: &B, batch: &Batch, out: &mut Probabilities<B>) -> Result<()>;
}

/// What the black box was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Calls {
    /// Masks drawn, the instance included.
    pub masks: usize,
    /// Distinct inputs that the model saw.
    pub inputs: usize,
}
