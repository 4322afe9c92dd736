//! Weighted sums of the probabilities over columns of the masks: what selection and the ridge surrogate share.
//!
//! # Numerics
//! In f64: moments in the order of the rows, Gram columns in eight strands of rows that are added in order.
//!
//! # Shapes
//! Moments (C + 1) × K, row c the sums Σ w z p_c, row C the sums Σ w z; Gram columns K numbers each.

use crate::arena::{Plan, Spot};
use crate::device::Cuda;
use crate::launch::{Argument, Shape};
use crate::layout::mirrored;
use bytemuck::Zeroable;
use lipex_core::{Neighbourhood, Result};
use lipex_kernels::SELECT;

mirrored! {
    /// One instance of the kernels of select, field by field as they have it.
    "select" "Regression"
    pub(crate) struct Regression {
        /// N × words.
        pub bits: u64,
        /// N × C.
        pub p: u64,
        /// N.
        pub pi: u64,
        /// N, how often a row counts; null: once.
        pub times: u64,
        /// The features that the columns are; null: all.
        pub kept: u64,
        /// N, the rows of the masks.
        pub rows: u64,
        /// Words of 32 bits in a row of the masks: ⌈D/32⌉.
        pub words: u64,
        /// C.
        pub classes: u64,
        /// K, the columns of the fit.
        pub columns: u64,
        /// (C+1) × columns.
        pub moments: u64,
        /// Features to choose for each class.
        pub k: u64,
        /// 1: a feature is chosen for one class only.
        pub exclusive: u64,
        /// C × (3 + k) × columns.
        pub room: u64,
        /// Columns; zeros.
        pub taken: u64,
        /// C × k; 2³² − 1 where none is chosen.
        pub chosen: u64,
    }
}

impl Regression {
    /// Rows of a neighbourhood on `columns` columns, with the addresses of its sums and of what there is of multiplicities and
    /// kept features (0: once each, all features).
    pub fn new(
        on: &Cuda,
        stage: &'static str,
        around: &Neighbourhood<Cuda>,
        columns: usize,
        (moments, times, kept): (u64, u64, u64),
    ) -> Result<Self> {
        let arrays = on.arrays(stage, around)?;
        Ok(Regression {
            bits: arrays.bits,
            p: arrays.p,
            pi: arrays.pi,
            times,
            kept,
            rows: around.rows() as u64,
            words: around.masks.words() as u64,
            classes: around.probabilities.classes() as u64,
            columns: columns as u64,
            moments,
            ..Regression::zeroed()
        })
    }
}

/// Room for the sums of a neighbourhood over so many columns, (C + 1) × columns.
pub(crate) fn room_for_moments(plan: &mut Plan, around: &Neighbourhood<Cuda>, columns: usize) -> Spot {
    plan.room::<f64>((around.probabilities.classes() + 1) * columns)
}

/// Fills in the sums of a batch; `table` is the address of its regressions.
pub(crate) fn sum_moments(on: &Cuda, stage: &'static str, regressions: &[Regression], table: u64) -> Result<()> {
    let blocks = |r: &Regression| (r.columns as usize).div_ceil(32) * (r.classes as usize + 1).div_ceil(8);
    // Blocks are numbered by an instance's own classes, so the widest instance's number serves all.
    let across = regressions.iter().map(blocks).max().unwrap_or(0);
    let shape = Shape { grid: (across, regressions.len()), threads: 256, shared: 0 };
    // SAFETY: lipex_select_moments(regressions): one an instance; bits have rows · words words, p rows · classes numbers,
    // pi and times (or null) one a row, kept (or null) one a column, moments (classes + 1) · columns.
    unsafe { on.launch(stage, (&SELECT, "lipex_select_moments", None), shape, &[Argument::Long(table)]) }
}
