//! Singular values by one-sided Jacobi rotations.
//!
//! # Method
//! Columns of X are turned against one another, two at a time, until all are orthogonal; their lengths are then the singular
//! values, the product of the rotations the right vectors. Right vectors and squared values are the eigenvectors and eigenvalues of XᵀX,
//! without squaring what X loses of its digits.
//!
//! # Source
//! Hestenes, Inversion of Matrices by Biorthogonalization and Related Results (1958).

/// Most sweeps over all pairs of columns; ten are usual at a hundred columns.
const SWEEPS: usize = 60;
/// Columns count as orthogonal where their cosine is below this.
const ORTHOGONAL: f64 = 1e-15;

/// X = U diag(s) Vᵀ, largest first.
///
/// ```
/// use lipex_core::Svd;
///
/// let svd = Svd::of(&[vec![0.0, 2.0], vec![-3.0, 0.0], vec![0.0, 0.0]]);
/// assert_eq!(svd.values, [3.0, 2.0]);
/// assert_eq!((svd.left[0][1].abs(), svd.right[0][0].abs()), (1.0, 1.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Svd {
    /// The singular values, one a column of X, descending.
    pub values: Vec<f64>,
    /// For each value its left vector, as long as X has rows; zeros where the value is 0.
    pub left: Vec<Vec<f64>>,
    /// For each value its right vector, as long as X has columns; orthonormal.
    pub right: Vec<Vec<f64>>,
}

impl Svd {
    /// Of a matrix given by its rows, of equal length.
    ///
    /// # Cost
    /// About ten sweeps of n²/2 rotations, each of two columns of m + n numbers.
    pub fn of(rows: &[Vec<f64>]) -> Self {
        let n = rows.first().map_or(0, Vec::len);
        let mut x: Vec<Vec<f64>> = (0..n).map(|j| rows.iter().map(|row| row[j]).collect()).collect();
        let mut v: Vec<Vec<f64>> = (0..n).map(|j| (0..n).map(|i| f64::from(u8::from(i == j))).collect()).collect();
        for _ in 0..SWEEPS {
            let mut turned = false;
            for q in 1..n {
                for p in 0..q {
                    if let Some((cosine, sine)) = rotation(&x[p], &x[q]) {
                        turn(&mut x, (p, q), (cosine, sine));
                        turn(&mut v, (p, q), (cosine, sine));
                        turned = true;
                    }
                }
            }
            if !turned {
                break;
            }
        }
        let length = |column: &Vec<f64>| column.iter().map(|c| c * c).sum::<f64>().sqrt();
        let mut columns: Vec<(f64, Vec<f64>, Vec<f64>)> =
            x.into_iter().zip(v).map(|(x, v)| (length(&x), x, v)).collect();
        columns.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut svd = Svd::default();
        for (value, mut x, v) in columns {
            x.iter_mut().for_each(|c| *c = if value > 0.0 { *c / value } else { 0.0 });
            svd.values.push(value);
            svd.left.push(x);
            svd.right.push(v);
        }
        svd
    }
}

/// The rotation that makes two columns orthogonal; `None` where they are.
fn rotation(a: &[f64], b: &[f64]) -> Option<(f64, f64)> {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
    // Where both are all but 0 their angle is rounding.
    if ab.abs() <= ORTHOGONAL * (aa * bb).sqrt() || ab == 0.0 {
        return None;
    }
    let half = (bb - aa) / (2.0 * ab);
    let tangent = half.signum() / (half.abs() + half.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    Some((cosine, cosine * tangent))
}

/// Turns two columns.
fn turn(columns: &mut [Vec<f64>], (p, q): (usize, usize), (cosine, sine): (f64, f64)) {
    let (before, after) = columns.split_at_mut(q);
    for (a, b) in before[p].iter_mut().zip(&mut after[0]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox::{Draws, Purpose};

    fn random(rows: usize, columns: usize) -> Vec<Vec<f64>> {
        let row = |i: usize| {
            let mut draws = Draws::new(5, i as u32, 0, Purpose::Own);
            (0..columns as u32).map(|j| draws.unit(j) - 0.5).collect()
        };
        (0..rows).map(row).collect()
    }

    #[test]
    fn a_matrix_is_the_sum_of_its_components_and_vectors_are_orthonormal() {
        for (m, n) in [(1, 1), (7, 4), (4, 7), (30, 30), (80, 25)] {
            let x = random(m, n);
            let svd = Svd::of(&x);
            for (i, row) in x.iter().enumerate() {
                for (j, entry) in row.iter().enumerate() {
                    let sum: f64 = (0..n).map(|k| svd.values[k] * svd.left[k][i] * svd.right[k][j]).sum();
                    assert!((sum - entry).abs() < 1e-13, "{m} × {n}: {sum} for {entry}");
                }
            }
            for (k, a) in svd.right.iter().enumerate() {
                for (l, b) in svd.right.iter().enumerate() {
                    let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                    assert!((dot - f64::from(u8::from(k == l))).abs() < 1e-13);
                }
            }
            assert!(svd.values.is_sorted_by(|a, b| a >= b));
        }
    }

    /// The eigenvalues of the matrix with 2 on the diagonal and −1 beside it are 2 − 2 cos(kπ/(n + 1)).
    #[test]
    fn values_are_those_of_a_known_matrix() {
        let n = 12;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        };
        let x: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        for (k, value) in Svd::of(&x).values.iter().rev().enumerate() {
            let known = 2.0 - 2.0 * ((k + 1) as f64 * std::f64::consts::PI / (n + 1) as f64).cos();
            assert!((value - known).abs() < 1e-14, "{value} for {known}");
        }
    }

    #[test]
    fn nothing_has_nothing() {
        assert_eq!(Svd::of(&[]).values.len(), 0);
        let zeros = Svd::of(&vec![vec![0.0; 3]; 2]);
        assert!(zeros.values == [0.0; 3] && zeros.left.iter().flatten().all(|v| *v == 0.0));
    }
}
