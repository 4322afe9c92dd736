//! Small dense algebra in f64.
//!
//! # Numerics
//! Products are sums of four partial sums of registers, added in a fixed order. Cholesky factors are made row by row; a pivot
//! that rounding has taken to 0 or below is raised to a tiny share of its diagonal entry, so that a solve always gives
//! numbers.

use crate::lanes::{Simd, WithSimd, vectorised};
use lipex_core::{Result, Watch};

/// Σ a·b, in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    vectorised(Dot { a, b })
}

/// A product of two vectors, on the widest registers.
struct Dot<'a> {
    /// One.
    a: &'a [f64],
    /// The other, of the same length.
    b: &'a [f64],
}

impl WithSimd for Dot<'_> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let ((a, a_rest), (b, b_rest)) = (S::as_simd_f64s(self.a), S::as_simd_f64s(self.b));
        // Four sums, so that the additions need not wait for one another.
        let (a, a_last) = a.as_chunks::<4>();
        let (b, b_last) = b.as_chunks::<4>();
        let mut sums = [simd.splat_f64s(0.0); 4];
        for (a, b) in a.iter().zip(b) {
            for k in 0..4 {
                sums[k] = simd.mul_add_e_f64s(a[k], b[k], sums[k]);
            }
        }
        for (a, b) in a_last.iter().zip(b_last) {
            sums[0] = simd.mul_add_e_f64s(*a, *b, sums[0]);
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        let sum = simd.add_f64s(simd.add_f64s(sums[0], sums[1]), simd.add_f64s(sums[2], sums[3]));
        simd.reduce_sum_f64s(sum) + rest
    }
}

/// y += t·x.
pub(crate) fn add_scaled(y: &mut [f64], t: f64, x: &[f64]) {
    vectorised(AddScaled { y, t, x });
}

/// y += t·x, on the widest registers.
struct AddScaled<'a> {
    /// What is added to.
    y: &'a mut [f64],
    /// The factor.
    t: f64,
    /// What is added.
    x: &'a [f64],
}

impl WithSimd for AddScaled<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ((y, y_rest), (x, x_rest)) = (S::as_mut_simd_f64s(self.y), S::as_simd_f64s(self.x));
        let t = simd.splat_f64s(self.t);
        for (y, x) in y.iter_mut().zip(x) {
            *y = simd.mul_add_e_f64s(t, *x, *y);
        }
        y_rest.iter_mut().zip(x_rest).for_each(|(y, x)| *y += self.t * x);
    }
}

/// The Cholesky factor L of a symmetric positive definite matrix.
pub(crate) struct Cholesky {
    /// The side of A.
    n: usize,
    /// L, row-major; above the diagonal whatever was there.
    l: Vec<f64>,
}

impl Cholesky {
    /// Factors an n×n matrix of which the lower triangle is read; pivots are kept above 0.
    ///
    /// # Errors
    /// [`Interrupted`](lipex_core::Error::Interrupted).
    pub fn new(watch: &Watch, mut a: Vec<f64>, n: usize) -> Result<Self> {
        for i in 0..n {
            watch.check()?;
            let (above, row) = a.split_at_mut(i * n);
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let least = row[i].abs() * 1e-15 + f64::MIN_POSITIVE;
            row[i] = (row[i] - dot(&row[..i], &row[..i])).max(least).sqrt();
        }
        Ok(Cholesky { n, l: a })
    }

    /// Replaces `b` by A⁻¹b.
    pub fn solve(&self, b: &mut [f64]) {
        let (n, l) = (self.n, &self.l);
        for i in 0..n {
            b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
        }
        for i in (0..n).rev() {
            let x = b[i] / l[i * n + i];
            b[i] = x;
            b[..i].iter_mut().zip(&l[i * n..]).for_each(|(b, l)| *b -= l * x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        // A = BBᵀ + I for B_ij = (i + 2j) mod 5.
        for n in [1, 2, 7, 8, 9, 30] {
            let b = |i: usize, j: usize| ((i + 2 * j) % 5) as f64;
            let a: Vec<f64> = (0..n * n)
                .map(|e| (0..n).map(|k| b(e / n, k) * b(e % n, k)).sum::<f64>() + f64::from(u8::from(e / n == e % n)))
                .collect();
            let x: Vec<f64> = (0..n).map(|i| i as f64 - 2.5).collect();
            let mut y: Vec<f64> = (0..n).map(|i| dot(&a[i * n..(i + 1) * n], &x)).collect();
            Cholesky::new(Watch::none(), a, n).unwrap().solve(&mut y);
            assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-9), "{n}: {y:?}");
        }
    }
}
