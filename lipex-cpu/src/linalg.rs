//! Small dense algebra in f64.

/// Σ a·b, in a fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Eight sums, so that the additions need not wait for one another.
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        (0..8).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + rest
}

/// The Cholesky factor L of a symmetric positive definite matrix.
pub(crate) struct Cholesky {
    n: usize,
    /// L, row-major; above the diagonal whatever was there.
    l: Vec<f64>,
}

impl Cholesky {
    /// Factors an n×n matrix of which the lower triangle is read; pivots are kept above 0.
    pub fn new(mut a: Vec<f64>, n: usize) -> Self {
        for i in 0..n {
            let (above, row) = a.split_at_mut(i * n);
            for j in 0..i {
                let other = &above[j * n..j * n + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let least = row[i].abs() * 1e-15 + f64::MIN_POSITIVE;
            row[i] = (row[i] - dot(&row[..i], &row[..i])).max(least).sqrt();
        }
        Cholesky { n, l: a }
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
            Cholesky::new(a, n).solve(&mut y);
            assert!(x.iter().zip(&y).all(|(x, y)| (x - y).abs() < 1e-9), "{n}: {y:?}");
        }
    }
}
