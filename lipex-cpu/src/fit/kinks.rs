//! The curvature of a divergence with kinks where its smoothed stand-in is fitted: what the preconditioner is made of at
//! each width.
//!
//! For the slope in q the secant from p stands, φ_q(q)/(q − p). For the total variation that is ½/√((p−q)² + width²), which
//! bounds its curvature from above; the curvature itself says nothing off the kinks, and p(1 − p) nothing of the kinks.
//!
//! # Source
//! Iteratively reweighted least squares, here as a preconditioner.
//!
//! # Shapes
//! Rows × padded classes throughout; a row is worked on alone.
//!
//! # Numerics
//! In f32. A curvature is floored at the preconditioner's own floor times the row's scale, so that M stays positive definite.

use super::objective::Objective;
use crate::lanes::Aligned;
use lipex_core::QRows;

/// The least distance of q from p, in widths, over which the secant is taken.
const NEAR: f32 = 1.0 / 16.0;

/// What a row's numbers are worked out in.
struct Row {
    /// q of a row.
    value: Vec<f32>,
    /// ln q.
    ln: Vec<f32>,
    /// √q.
    sqrt: Vec<f32>,
    /// φ, which is not read.
    terms: Vec<f32>,
    /// ∂φ/∂ln q, then the secants.
    slopes: Vec<f32>,
}

impl Row {
    /// Room for rows of so many classes.
    fn new(classes: usize) -> Self {
        let zeros = || vec![0.0; classes];
        Row { value: zeros(), ln: zeros(), sqrt: zeros(), terms: zeros(), slopes: zeros() }
    }

    /// For each class φ_q(q)/(q − p), in `slopes`.
    ///
    /// # Numerics
    /// The smoothed total variation has the slope ½(q − p)/√((p − q)² + width²) in q, so its secant is what the formula above
    /// says; for any other φ the same quotient is taken from its slope.
    fn secants(&mut self, o: &Objective<'_>, p: &[f32], q: &[f32], width: f32) {
        let near = NEAR * width;
        for (c, (&p, &q)) in p.iter().zip(q).enumerate() {
            let q = if (q - p).abs() > near { q } else { p + near };
            // Where q underflows, its slope is 0 in ln q: so small a q does as well.
            let q = q.max(f32::MIN_POSITIVE);
            (self.value[c], self.ln[c], self.sqrt[c]) = (q, q.ln(), q.sqrt());
        }
        let point = QRows { value: &self.value, ln: &self.ln, sqrt: &self.sqrt };
        o.divergence.terms(p, point, Some(width), &mut self.terms, &mut self.slopes);
        for ((slope, &p), &q) in self.slopes.iter_mut().zip(p).zip(&self.value) {
            *slope /= q * (q - p);
        }
    }
}

/// Replaces q, rows × padded classes, by scale/κ times each class's curvature in its logit, at least `floor` times scale.
///
/// # Shapes
/// `q` rows × padded classes in, curvatures out; `scales` one a row. The second derivative along logit c is h_c q_c²(1 − q_c)²
/// + Σ_{k≠c} h_k q_k² q_c², h the secants.
pub(super) fn secant_curvatures(
    o: &Objective<'_>,
    rows: &[u32],
    (scales, kappa): (&[f32], f32),
    (width, floor): (f32, f32),
    q: &mut Aligned<f32>,
) {
    let mut row = Row::new(o.classes);
    for ((q, &i), scale) in q.chunks_exact_mut(o.width).zip(rows).zip(scales) {
        let p = &o.p[i as usize * o.width..][..o.classes];
        row.secants(o, p, &q[..o.classes], width);
        let all: f32 = q.iter().zip(&row.slopes).map(|(q, h)| h * q * q).sum();
        for (q, h) in q.iter_mut().zip(&row.slopes) {
            // h_c (∂q_c/∂ℓ_c)² and, for the other classes k, h_k (∂q_k/∂ℓ_c)².
            let curvature = *q * *q * (h * (1.0 - 2.0 * *q) + all);
            *q = scale * (curvature / kappa).max(floor);
        }
        q[o.classes..].fill(0.0);
    }
}
