//! Perturb: Kernel SHAP's coalitions.
//!
//! # Specification
//! Row 0 keeps all, row 1 nothing. Sizes s = 1, 2, … with all their masks and complements come next, as long as the rows left
//! would by the kernel draw each of them once or more; then pairs are drawn, each from streams of its own row: draw 0 the size
//! by 32-bit thresholds, then the subset.

use super::{Row, check_counters, draws, in_sequence, invert, keep_all, put, remove_subset};
use crate::Cpu;
use lipex_core::perturb::{Coalitions, ShapleySize};
use lipex_core::{Draw, Perturber, Result, Sample, Weights};

impl Perturber<Cpu> for ShapleySize {
    fn perturb(&self, on: &Cpu, draw: &Draw<'_>) -> Result<Vec<Sample<Cpu>>> {
        check_counters(draw.features, &draw.rows)?;
        for &d in draw.features {
            lipex_core::expect_len("rows of the run", ShapleySize::rows(d, draw.total)?, draw.total)?;
        }
        let samples = in_sequence(self, on, draw, |d, emit| coalitions(d, draw.total, draw.seed, emit))?;
        let weigh = |(sample, &d): (Sample<Cpu>, &usize)| {
            let plan = ShapleySize::plan(d, draw.total);
            sample.weighing(Weights::new(draw.rows.clone().map(|i| plan.weight(i)).collect()))
        };
        Ok(samples.into_iter().zip(draw.features).map(weigh).collect())
    }
}

/// All rows of a run, in order.
fn coalitions(d: usize, total: usize, seed: u64, emit: &mut dyn FnMut(usize, &Row)) {
    let mut row = vec![0u32; d.div_ceil(32)];
    keep_all(&mut row, d);
    emit(0, &row);
    row.fill(0);
    emit(1, &row);
    let plan = ShapleySize::plan(d, total);
    let mut i = 2;
    for s in 1..=plan.enumerated.len() {
        enumerate(d, s, &mut |subset| {
            row.fill(0);
            subset.iter().for_each(|&j| put(&mut row, j));
            invert(&mut row, d);
            emit(i, &row);
            invert(&mut row, d);
            emit(i + 1, &row);
            i += 2;
        });
    }
    while i < total {
        draw_pair(&mut row, d, i, &plan, seed);
        emit(i, &row);
        invert(&mut row, d);
        if i + 1 < total {
            emit(i + 1, &row);
        }
        i += 2;
    }
}

/// The subsets of `s` of `d` features, in lexicographic order; of those that are half of all, the ones with feature 0, so
/// that no pair of complements occurs twice.
fn enumerate(d: usize, s: usize, each: &mut dyn FnMut(&[usize])) {
    let first_fixed = 2 * s == d;
    let mut subset: Vec<usize> = (0..s).collect();
    loop {
        each(&subset);
        let Some(place) = (0..s).rev().find(|&k| subset[k] < d - s + k) else { return };
        if place == 0 && first_fixed {
            return;
        }
        subset[place] += 1;
        for k in place + 1..s {
            subset[k] = subset[k - 1] + 1;
        }
    }
}

/// The first of a drawn pair: a side of a size by the kernel, kept or removed by a fair coin.
fn draw_pair(row: &mut Row, d: usize, i: usize, plan: &Coalitions, seed: u64) {
    let mut draws = draws(seed, i);
    let s = plan.size(draws.draw(0));
    let removed = if draws.draw(1) >> 31 == 1 { s } else { d - s };
    remove_subset(row, d, removed, &mut draws, 2);
}
