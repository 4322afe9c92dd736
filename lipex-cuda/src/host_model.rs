//! A model of the host beside stages on the device.
//!
//! A model that answers on the host sees inputs of the host and gives probabilities there; only those cross, 4·C bytes a row.
//! A model with kernels of its own ([`DemoNet`](crate::DemoNet) is an example) leaves them on the device and moves nothing.

use crate::device::Cuda;
use lipex_core::{Backend, Batching, BlackBox, Probabilities, Result};
use lipex_cpu::Cpu;
use std::sync::atomic::{AtomicU64, Ordering};

/// A black box of the CPU as one of the device: its answers are copied over, and counted.
///
/// ```no_run
/// use lipex_core::{Explainer, Texts};
/// use lipex_cuda::{Cuda, HostModel};
/// # fn explain<T, M>(text: &T, model: M) -> lipex_core::Result<()>
/// # where
/// #     T: lipex_core::Render<Cuda, Texts>,
/// #     M: lipex_core::BlackBox<lipex_cpu::Cpu, Texts>,
/// # {
/// let explainer = Explainer::lipex(Cuda::new()?);
/// let model = HostModel::new(model);
/// let explanation = explainer.explain(text, &model)?;
/// println!("{} bytes of answers were copied", model.copied());
/// # let _ = explanation;
/// # Ok(())
/// # }
/// ```
pub struct HostModel<M> {
    /// The model of the host.
    model: M,
    /// Bytes copied.
    copied: AtomicU64,
}

impl<M> HostModel<M> {
    /// Adapts a model.
    pub fn new(model: M) -> Self {
        HostModel { model, copied: AtomicU64::new(0) }
    }

    /// Bytes of answers that were copied to the device so far.
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }
}

impl<M: BlackBox<Cpu, Batch>, Batch> BlackBox<Cuda, Batch> for HostModel<M> {
    fn labels(&self) -> Option<&[String]> {
        self.model.labels()
    }

    fn batching(&self) -> Batching {
        self.model.batching()
    }

    fn predict(&self, on: &Cuda, batch: &Batch) -> Result<Probabilities<Cuda>> {
        let own = self.model.predict(&Cpu::new().watched(on.watch().clone()), batch)?;
        self.copied.fetch_add(4 * own.values().len() as u64, Ordering::Relaxed);
        let copy = Probabilities::new(on, own.rows(), own.classes(), on.upload(own.values().clone())?)?;
        let copy = if own.is_independent() { copy.independent() } else { copy };
        Ok(match own.sums_off() {
            Some(off) => copy.checked(off),
            None => copy,
        })
    }
}
