//! Weighted sums of the probabilities over columns of the masks: what selection and the ridge surrogate share.

use crate::device::{Cuda, DeviceBuffer};
use crate::launch::Shape;
use crate::layout::mirrored;
use lipex_core::{Neighbourhood, Result};
use lipex_kernels::SELECT;

mirrored! {
    /// One instance of the kernels of select, field by field as they have it.
    "select" "Regression"
    pub(crate) struct Regression {
        pub bits: u64,
        pub p: u64,
        pub pi: u64,
        pub times: u64,
        pub kept: u64,
        pub rows: u64,
        pub words: u64,
        pub classes: u64,
        pub columns: u64,
        pub moments: u64,
        pub k: u64,
        pub exclusive: u64,
        pub room: u64,
        pub taken: u64,
        pub chosen: u64,
    }
}

/// A regression and the room for its sums, (C + 1) × columns.
pub(crate) struct Moments {
    pub regression: Regression,
    pub sums: DeviceBuffer<f64>,
}

impl Moments {
    /// Rows of a neighbourhood, on all columns or, if `kept` is an address, on those features.
    pub fn new(
        on: &Cuda,
        stage: &'static str,
        around: &Neighbourhood<Cuda>,
        columns: usize,
        (kept, times): (u64, u64),
    ) -> Result<Self> {
        let classes = around.probabilities.classes();
        let arrays = on.arrays(stage, around)?;
        let sums = on.room::<f64>(stage, (classes + 1) * columns)?;
        let regression = Regression {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times,
            kept,
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: classes as u64,
            columns: columns as u64,
            moments: sums.address(),
            k: 0,
            exclusive: 0,
            room: 0,
            taken: 0,
            chosen: 0,
        };
        Ok(Moments { regression, sums })
    }
}

/// Fills in the sums of a batch; `jobs` is its regressions on the device.
pub(crate) fn sum_moments(
    on: &Cuda,
    stage: &'static str,
    regressions: &[Regression],
    jobs: &DeviceBuffer<u8>,
) -> Result<()> {
    let blocks = |r: &Regression| (r.columns as usize).div_ceil(32) * (r.classes as usize + 1).div_ceil(8);
    // Blocks are numbered by an instance's own classes, so the widest instance's number serves all.
    let across = regressions.iter().map(blocks).max().unwrap_or(0);
    let shape = Shape { grid: (across, regressions.len()), threads: 256, shared: 0 };
    // SAFETY: lipex_select_moments(regressions): one an instance; bits have rows · words words, p rows · classes numbers,
    // pi and times (or null) one a row, kept (or null) one a column, moments (classes + 1) · columns.
    unsafe { on.launch(stage, (&SELECT, "lipex_select_moments", None), shape, &[jobs.into()]) }
}
