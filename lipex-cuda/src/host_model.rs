//! A model of the host beside stages on the device.

use crate::device::Cuda;
use lipex_core::{Backend, BlackBox, Probabilities, Result};
use lipex_cpu::Cpu;
use std::sync::atomic::{AtomicU64, Ordering};

/// A black box of the CPU as one of the device: its answers are copied over, and counted.
pub struct HostModel<M> {
    model: M,
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
    fn labels(&self) -> &[String] {
        self.model.labels()
    }

    fn largest_batch(&self, usual: usize) -> usize {
        self.model.largest_batch(usual)
    }

    fn predict(&self, on: &Cuda, batch: &Batch, out: &mut Probabilities<Cuda>) -> Result<()> {
        let cpu = Cpu::new();
        let mut own = Probabilities::new(&cpu, out.rows(), out.classes(), vec![0.0; out.rows() * out.classes()])?;
        self.model.predict(&cpu, batch, &mut own)?;
        *out.values_mut() = on.upload(own.values().clone())?;
        self.copied.fetch_add(4 * own.values().len() as u64, Ordering::Relaxed);
        Ok(())
    }
}
