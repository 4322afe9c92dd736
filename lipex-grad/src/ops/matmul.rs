//! Products of matrices: C = A·B, Ā = C̄·Bᵀ, B̄ = Aᵀ·C̄. Leading axes are batches and are repeated where they are 1.
//!
//! Of a Gemm, Y = α·A·B + β·C, where A and B may be stored transposed: Ā = α·Ȳ·Bᵀ, B̄ = α·Aᵀ·Ȳ, each transposed back
//! as it is stored, and C̄ = β·Ȳ, summed over the axes along which C was repeated.
//!
//! # Shapes
//! A is … × m × k, B is … × k × n, C is … × m × n. A vector is one row on the left and one column on the right; its
//! axis is not in the result. A Gemm takes two matrices, and a C that is repeated to m × n.
//!
//! # Numerics
//! Sums over k are in the network's type, in the order of ndarray's product.
//!
//! # DeepLIFT
//! The other factor is averaged over point and reference: Ā = C̄·½(B + B₀)ᵀ, B̄ = ½(A + A₀)ᵀ·C̄. They sum to ΔC, since
//! ΔC = ΔA·½(B + B₀) + ½(A + A₀)·ΔB. A constant factor is its own average.
//!
//! # Cost
//! m·k·n multiplications a product forward, and as many for each gradient that is asked for.

use super::{Back, Call, Gradients};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor, broadcast, count, repeated, summed, walk};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// A row-major matrix of some numbers.
pub(super) fn view<T>(numbers: &[T], rows: usize, columns: usize) -> Fallible<ArrayView2<'_, T>> {
    ArrayView2::from_shape((rows, columns), numbers).map_err(|e| e.to_string())
}

/// The same to write to.
pub(super) fn view_mut<T>(numbers: &mut [T], rows: usize, columns: usize) -> Fallible<ArrayViewMut2<'_, T>> {
    ArrayViewMut2::from_shape((rows, columns), numbers).map_err(|e| e.to_string())
}

/// How a product is cut into products of two matrices.
struct Plan {
    rows: usize,
    inner: usize,
    columns: usize,
    /// Where the matrices of each product begin.
    starts: Vec<(usize, usize)>,
    shape: Vec<usize>,
}

/// How shapes … × m × k and … × k × n are cut.
///
/// # Errors
/// Inner lengths that differ, batches that do not go together, vectors (see `as_matrices`).
fn plan(a: &[usize], b: &[usize]) -> Fallible<Plan> {
    let (&[.., m, k], &[.., k2, n]) = (a, b) else {
        return Err(format!("takes matrices, not shapes {a:?} and {b:?}"));
    };
    if k != k2 {
        return Err(format!("shapes {a:?} and {b:?} do not go together"));
    }
    let (a_batch, b_batch) = (&a[..a.len() - 2], &b[..b.len() - 2]);
    // One matrix on the right: all rows of the left side are rows of one product.
    if b_batch.is_empty() {
        let rows = a_batch.iter().product::<usize>() * m;
        return Ok(Plan { rows, inner: k, columns: n, starts: vec![(0, 0)], shape: [a_batch, &[m, n]].concat() });
    }
    let batch = broadcast(a_batch, b_batch)?;
    let mut starts = vec![(0, 0); count(&batch)?];
    walk(&batch, &repeated(a_batch, &batch), &repeated(b_batch, &batch), |run| {
        for i in 0..run.len {
            starts[run.at + i] = ((run.a + i * run.a_step) * m * k, (run.b + i * run.b_step) * k * n);
        }
    });
    Ok(Plan { rows: m, inner: k, columns: n, starts, shape: [&batch[..], &[m, n]].concat() })
}

/// Vectors as matrices of one row or column: the shapes of A and B as matrices, and that of the result without the axes
/// that this adds.
fn as_matrices<'a, T: Number>(call: &Call<'a, T>) -> Fallible<(Vec<usize>, Vec<usize>, Vec<usize>)> {
    let (mut a, mut b) = (call.input(0)?.shape().to_vec(), call.input(1)?.shape().to_vec());
    let (a_vector, b_vector) = (a.len() == 1, b.len() == 1);
    if a_vector {
        a.insert(0, 1);
    }
    if b_vector {
        b.push(1);
    }
    let mut shape = plan(&a, &b)?.shape;
    if b_vector {
        shape.pop();
    }
    if a_vector {
        let at = shape.len() - if b_vector { 1 } else { 2 };
        shape.remove(at);
    }
    Ok((a, b, shape))
}

/// C = A·B, matrix by matrix. One matrix on the right is multiplied once, with all rows of the left side.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (a_shape, b_shape, shape) = as_matrices(call)?;
    let p = plan(&a_shape, &b_shape)?;
    let (a, b) = (call.floats(0)?, call.floats(1)?);
    let size = p.rows * p.columns;
    let mut out = vec![T::zero(); count(&p.shape)?];
    if size > 0 {
        for (part, &(i, j)) in out.chunks_exact_mut(size).zip(&p.starts) {
            let a = view(&a[i..i + p.rows * p.inner], p.rows, p.inner)?;
            let b = view(&b[j..j + p.inner * p.columns], p.inner, p.columns)?;
            general_mat_mul(T::one(), &a, &b, T::zero(), &mut view_mut(part, p.rows, p.columns)?);
        }
    }
    Tensor::floats(shape, out)
}

/// Ā = C̄·Bᵀ and B̄ = Aᵀ·C̄, of those that are asked for. A matrix that a batch repeats gathers the gradients of all
/// its products.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (a_shape, b_shape, _) = as_matrices(&back.at)?;
    let p = plan(&a_shape, &b_shape)?;
    let (m, k, n) = (p.rows, p.inner, p.columns);
    let mut gradients = Vec::new();
    for side in (0..2).filter(|&side| back.wants(side)) {
        let other = back.averaged(1 - side)?;
        let mut out = vec![T::zero(); back.at.input(side)?.len()];
        for (part, &(i, j)) in back.gradient.chunks_exact((m * n).max(1)).zip(&p.starts) {
            let g = view(part, m, n)?;
            // Matrices that several products share gather the gradients of all.
            if side == 0 {
                let b = view(&other[j..j + k * n], k, n)?;
                general_mat_mul(T::one(), &g, &b.t(), T::one(), &mut view_mut(&mut out[i..i + m * k], m, k)?);
            } else {
                let a = view(&other[i..i + m * k], m, k)?;
                general_mat_mul(T::one(), &a.t(), &g, T::one(), &mut view_mut(&mut out[j..j + k * n], k, n)?);
            }
        }
        gradients.push((side, out));
    }
    Ok(gradients)
}

/// Both matrices of a Gemm, transposed as it says: m × k and k × n.
type Turned<'a, T> = (ArrayView2<'a, T>, ArrayView2<'a, T>);

fn turned<'a, T: Number>(call: &Call<'_, T>, a: &'a [T], b: &'a [T]) -> Fallible<Turned<'a, T>> {
    let (&[ar, ac], &[br, bc]) = (call.input(0)?.shape(), call.input(1)?.shape()) else {
        return Err("takes two matrices".into());
    };
    let (a, b) = (view(a, ar, ac)?, view(b, br, bc)?);
    let a = if call.int("transA", 0) != 0 { a.reversed_axes() } else { a };
    let b = if call.int("transB", 0) != 0 { b.reversed_axes() } else { b };
    if a.ncols() != b.nrows() {
        return Err(format!("shapes {:?} and {:?} do not go together", a.shape(), b.shape()));
    }
    Ok((a, b))
}

/// α·A·B + β·C; α and β are 1 by default, and C may be left out.
///
/// # Errors
/// Anything but two matrices that go together, or a C that is not repeated to m × n.
pub(crate) fn gemm_forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (a, b) = turned(call, call.floats(0)?, call.floats(1)?)?;
    let shape = vec![a.nrows(), b.ncols()];
    let mut out = vec![T::zero(); count(&shape)?];
    if let Some(c) = call.given(2) {
        if broadcast(c.shape(), &shape)? != shape {
            return Err(format!("the third input of shape {:?} does not go to {shape:?}", c.shape()));
        }
        let (beta, c_numbers) = (T::of(call.float("beta", 1.0)), call.floats(2)?);
        let steps = repeated(c.shape(), &shape);
        walk(&shape, &steps, &steps, |run| {
            for k in 0..run.len {
                out[run.at + k] = beta * c_numbers[run.a + k * run.a_step];
            }
        });
    }
    let alpha = T::of(call.float("alpha", 1.0));
    general_mat_mul(alpha, &a, &b, T::one(), &mut view_mut(&mut out, shape[0], shape[1])?);
    Tensor::floats(shape, out)
}

/// Ā = α·Ȳ·Bᵀ and B̄ = α·Aᵀ·Ȳ, written in the order that A and B are stored in; C̄ = β·Ȳ.
pub(crate) fn gemm_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let call = &back.at;
    let (first, second) = (back.averaged(0)?, back.averaged(1)?);
    let (a, b) = turned(call, &first, &second)?;
    let g = view(back.gradient, a.nrows(), b.ncols())?;
    let alpha = T::of(call.float("alpha", 1.0));
    let mut gradients = Vec::new();
    for side in (0..2).filter(|&side| back.wants(side)) {
        let &[rows, columns] = call.input(side)?.shape() else { continue };
        let mut out = vec![T::zero(); rows * columns];
        let stored = view_mut(&mut out, rows, columns)?;
        let turned = call.int(if side == 0 { "transA" } else { "transB" }, 0) != 0;
        let mut stored = if turned { stored.reversed_axes() } else { stored };
        if side == 0 {
            general_mat_mul(alpha, &g, &b.t(), T::zero(), &mut stored);
        } else {
            general_mat_mul(alpha, &a.t(), &g, T::zero(), &mut stored);
        }
        gradients.push((side, out));
    }
    if back.wants(2) {
        let beta = T::of(call.float("beta", 1.0));
        let scaled: Vec<T> = back.gradient.iter().map(|&g| g * beta).collect();
        gradients.push((2, summed(&scaled, back.made.shape(), call.input(2)?.shape())));
    }
    Ok(gradients)
}
