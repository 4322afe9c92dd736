//! Values of a graph: a shape and numbers, row-major: the last axis is contiguous.
//!
//! Broadcasting is done by steps: an axis that is repeated is read with a step of 0, and no tensor is copied for it.
//!
//! # Limits
//! A tensor has at most [`MOST`] numbers and 8 axes, so that a damaged file asks for no memory that nobody has.

use crate::number::Number;
use std::sync::Arc;

/// Most numbers of a tensor: 2²⁸, a GiB of f32.
pub const MOST: usize = 1 << 28;

/// What an operator cannot do, without its name; the network adds operator and node.
pub type Fallible<T> = std::result::Result<T, String>;

/// Numbers with a shape. Copies share their numbers.
///
/// ```
/// use lipex_grad::Tensor;
///
/// let x = Tensor::floats(vec![2, 2], vec![1.0f32, 2.0, 3.0, 4.0])?;
/// assert_eq!(x.shape(), [2, 2]);
/// assert!(Tensor::floats(vec![3], vec![1.0f32]).is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensor<T = f32> {
    shape: Vec<usize>,
    data: Data<T>,
}

/// Fractional or whole numbers; a graph's narrower types are held in these two. Truths are whole.
#[derive(Clone, Debug)]
pub(crate) enum Data<T> {
    Float(Arc<Vec<T>>),
    Whole(Arc<Vec<i64>>),
}

/// The number of values of a shape.
///
/// # Errors
/// A shape that is too large.
pub(crate) fn count(shape: &[usize]) -> Fallible<usize> {
    let product = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    product
        .filter(|&n| n <= MOST && shape.len() <= 8)
        .ok_or_else(|| format!("a tensor of shape {shape:?} is too large"))
}

impl<T: Number> Tensor<T> {
    /// Fractional numbers.
    ///
    /// # Errors
    /// Another number of values than the shape has.
    pub fn floats(shape: Vec<usize>, data: Vec<T>) -> Fallible<Self> {
        fits(&shape, data.len())?;
        Ok(Tensor { shape, data: Data::Float(Arc::new(data)) })
    }

    /// Whole numbers; truths are 0 and 1.
    ///
    /// # Errors
    /// Another number of values than the shape has.
    pub fn wholes(shape: Vec<usize>, data: Vec<i64>) -> Fallible<Self> {
        fits(&shape, data.len())?;
        Ok(Tensor { shape, data: Data::Whole(Arc::new(data)) })
    }

    /// The same numbers in another shape of as many. Shares them.
    ///
    /// # Errors
    /// A shape of another number of values.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Fallible<Self> {
        fits(&shape, self.len())?;
        Ok(Tensor { shape, data: self.data.clone() })
    }

    /// The lengths of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many numbers it has.
    pub fn len(&self) -> usize {
        match &self.data {
            Data::Float(v) => v.len(),
            Data::Whole(v) => v.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its fractional numbers.
    ///
    /// # Errors
    /// A tensor of whole numbers.
    pub fn as_floats(&self) -> Fallible<&[T]> {
        match &self.data {
            Data::Float(v) => Ok(v),
            Data::Whole(_) => Err("has whole numbers where fractions belong".into()),
        }
    }

    /// Its whole numbers.
    ///
    /// # Errors
    /// A tensor of fractional numbers.
    pub fn as_wholes(&self) -> Fallible<&[i64]> {
        match &self.data {
            Data::Whole(v) => Ok(v),
            Data::Float(_) => Err("has fractions where whole numbers belong".into()),
        }
    }

    /// Its numbers, of either type.
    pub(crate) fn data(&self) -> &Data<T> {
        &self.data
    }

    /// Values moved about: number j of the result is number `from[j]`. For operators that do no arithmetic.
    ///
    /// # Errors
    /// A place that the tensor does not have, another number of places than the shape has.
    pub(crate) fn moved(&self, shape: Vec<usize>, from: &[usize]) -> Fallible<Self> {
        let lost = || "an index is outside its tensor".to_string();
        fn pick<V: Copy>(values: &[V], from: &[usize]) -> Option<Vec<V>> {
            from.iter().map(|&i| values.get(i).copied()).collect()
        }
        match &self.data {
            Data::Float(v) => Tensor::floats(shape, pick(v, from).ok_or_else(lost)?),
            Data::Whole(v) => Tensor::wholes(shape, pick(v, from).ok_or_else(lost)?),
        }
    }
}

/// Passes if a shape has so many values.
fn fits(shape: &[usize], values: usize) -> Fallible<()> {
    let expected = count(shape)?;
    if expected == values { Ok(()) } else { Err(format!("shape {shape:?} has {expected} numbers, not {values}")) }
}

/// An axis that may be counted from the end: −1 is the last one.
///
/// # Errors
/// One that is not there.
pub(crate) fn axis(axis: i64, rank: usize) -> Fallible<usize> {
    let from_start = if axis < 0 { axis + rank as i64 } else { axis };
    let place = usize::try_from(from_start).ok().filter(|&a| a < rank);
    place.ok_or_else(|| format!("there is no axis {axis} among {rank}"))
}

/// The steps of a row-major shape: how many numbers apart two neighbours along each axis are.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for k in (0..shape.len().saturating_sub(1)).rev() {
        steps[k] = steps[k + 1] * shape[k + 1];
    }
    steps
}

/// The shape that two broadcast to: aligned at the last axis, of equal lengths or one of them 1.
///
/// # Errors
/// Lengths that differ.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Fallible<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |s: &[usize], k: usize| if k + s.len() >= rank { s[k + s.len() - rank] } else { 1 };
    (0..rank)
        .map(|k| match (at(a, k), at(b, k)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(format!("shapes {a:?} and {b:?} do not go together")),
        })
        .collect()
}

/// The steps with which a shape is read as a larger one: 0 along axes that are repeated.
pub(crate) fn repeated(shape: &[usize], as_shape: &[usize]) -> Vec<usize> {
    let (own, lead) = (strides(shape), as_shape.len() - shape.len());
    let step = |k: usize| if k < lead || shape[k - lead] == 1 { 0 } else { own[k - lead] };
    (0..as_shape.len()).map(step).collect()
}

/// A run of places: where it begins in the whole and in each of two tensors, their steps, and its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub at: usize,
    pub a: usize,
    pub a_step: usize,
    pub b: usize,
    pub b_step: usize,
    pub len: usize,
}

/// Goes through a shape row by row, with the places in two tensors of given steps. Axes that both read without a gap
/// are one, so that two tensors of the same shape are a single run.
pub(crate) fn walk(shape: &[usize], a_steps: &[usize], b_steps: &[usize], mut visit: impl FnMut(Run)) {
    let mut axes: Vec<[usize; 3]> = Vec::with_capacity(shape.len());
    for k in 0..shape.len() {
        let next = [shape[k], a_steps[k], b_steps[k]];
        match axes.last_mut() {
            _ if next[0] == 1 => {}
            Some(last) if last[1] == next[1] * next[0] && last[2] == next[2] * next[0] => {
                *last = [last[0] * next[0], next[1], next[2]];
            }
            _ => axes.push(next),
        }
    }
    let [len, a_step, b_step] = axes.pop().unwrap_or([1, 0, 0]);
    let rows: usize = axes.iter().map(|axis| axis[0]).product();
    if len == 0 {
        return;
    }
    let mut index = vec![0; axes.len()];
    let (mut a, mut b) = (0, 0);
    for row in 0..rows {
        visit(Run { at: row * len, a, a_step, b, b_step, len });
        for (i, axis) in index.iter_mut().zip(&axes).rev() {
            (*i, a, b) = (*i + 1, a + axis[1], b + axis[2]);
            if *i < axis[0] {
                break;
            }
            (*i, a, b) = (0, a - axis[1] * axis[0], b - axis[2] * axis[0]);
        }
    }
}

/// A gradient summed back to a shape that was repeated: what belongs to one number before is added up, in T.
pub(crate) fn summed<T: Number>(gradient: &[T], of: &[usize], to: &[usize]) -> Vec<T> {
    if of == to {
        return gradient.to_vec();
    }
    let mut sum = vec![T::zero(); to.iter().product()];
    walk(of, &repeated(to, of), &strides(of), |run| {
        for k in 0..run.len {
            sum[run.a + k * run.a_step] += gradient[run.b + k * run.b_step];
        }
    });
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_by_hand() {
        assert_eq!(broadcast(&[2, 1, 3], &[4, 1]).unwrap(), [2, 4, 3]);
        assert!(broadcast(&[2], &[3]).is_err());
        let mut seen = Vec::new();
        walk(&[2, 3], &repeated(&[2, 1], &[2, 3]), &repeated(&[3], &[2, 3]), |r| {
            (0..r.len).for_each(|k| seen.push((r.at + k, r.a + k * r.a_step, r.b + k * r.b_step)));
        });
        assert_eq!(seen, [(0, 0, 0), (1, 0, 1), (2, 0, 2), (3, 1, 0), (4, 1, 1), (5, 1, 2)]);
        assert_eq!(summed(&[1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3], &[3]), [5.0, 7.0, 9.0]);
        assert_eq!(summed(&[1.0f64, 2.0, 3.0, 4.0, 5.0, 6.0], &[2, 3], &[2, 1]), [6.0, 15.0]);
        assert!(count(&[1 << 20, 1 << 20]).is_err() && count(&[usize::MAX, 2]).is_err());
    }
}
