//! Sums, means and maxima over axes. Equal maxima share the gradient evenly.
//!
//! Over the n numbers xᵢ that become one y:
//!
//! | operator | y | x̄ᵢ |
//! |---|---|---|
//! | ReduceSum | Σ xᵢ | ȳ |
//! | ReduceMean | Σ xᵢ / n | ȳ/n |
//! | ReduceMax | max xᵢ | ȳ/k where xᵢ = y, k of them; else 0 |
//! | ArgMax | the place of the largest | none |
//!
//! # Shapes
//! Axes come as input 1 or, in older graphs, as an attribute; without any, all go, unless `noop_with_empty_axes` is
//! set. An axis that goes stays with a length of 1, or is dropped where `keepdims` is 0.
//!
//! # Numerics
//! Sums are added up in the network's type, adjacent numbers first. Sums and maxima of whole numbers are whole; means
//! are of fractions only. NaN is never a maximum; the maximum of no fractions is −∞.
//!
//! # DeepLIFT
//! Sums and means are linear: multipliers are the gradients. The maxima of the point, or of the reference where that
//! has the larger one, share ȳ·Δy evenly, each as a multiplier of its own step.

use super::{Back, Call, Gradients, winner};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor, axis, count, repeated, strides, walk};

/// The shape with axes that go as 1, and the shape of the result.
struct Plan {
    kept: Vec<usize>,
    shape: Vec<usize>,
    /// Numbers that become one.
    of: usize,
}

/// # Errors
/// An axis that the input does not have.
fn plan<T: Number>(call: &Call<'_, T>) -> Fallible<Plan> {
    let shape = call.input(0)?.shape();
    let mut goes = vec![false; shape.len()];
    // What a rewritten operator says where it does not know the rank: all axes from one on.
    if let Some(from) = call.attribute("from") {
        goes.iter_mut().skip(axis(from.int, shape.len())?).for_each(|g| *g = true);
    } else {
        match call.list(1, "axes")?.filter(|axes| !axes.is_empty()) {
            Some(axes) => axes.iter().try_for_each(|&a| axis(a, shape.len()).map(|a| goes[a] = true))?,
            None if call.int("noop_with_empty_axes", 0) != 0 => {}
            None => goes.fill(true),
        }
    }
    let with = |goes: &[bool]| shape.iter().zip(goes).map(|(&d, &g)| if g { 1 } else { d }).collect::<Vec<_>>();
    let kept = with(&goes);
    let of = shape.iter().zip(&goes).filter(|(_, g)| **g).map(|(&d, _)| d).product();
    let dropped = shape.iter().zip(&goes).filter(|(_, g)| !**g).map(|(&d, _)| d).collect();
    let shape = if call.int("keepdims", 1) != 0 { kept.clone() } else { dropped };
    Ok(Plan { kept, shape, of })
}

/// Each place of the whole with the place that it goes to, in reading order: (place of the result, place of the input).
fn pairs(kept: &[usize], whole: &[usize], mut visit: impl FnMut(usize, usize)) {
    walk(whole, &repeated(kept, whole), &strides(whole), |run| {
        (0..run.len).for_each(|k| visit(run.a + k * run.a_step, run.b + k * run.b_step));
    });
}

/// The sum, mean or maximum of each group of numbers.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (p, whole) = (plan(call)?, call.input(0)?.shape());
    if let (Ok(x), "ReduceSum" | "ReduceMax") = (call.input(0)?.as_wholes(), call.operator()) {
        let max = call.operator() == "ReduceMax";
        let mut y = vec![if max { i64::MIN } else { 0 }; count(&p.kept)?];
        pairs(&p.kept, whole, |o, i| y[o] = if max { y[o].max(x[i]) } else { y[o].wrapping_add(x[i]) });
        return Tensor::wholes(p.shape, y);
    }
    let x = call.floats(0)?;
    if call.operator() == "ReduceMax" {
        let mut y = vec![T::of(f64::NEG_INFINITY); count(&p.kept)?];
        pairs(&p.kept, whole, |o, i| {
            if x[i] > y[o] {
                y[o] = x[i]
            }
        });
        return Tensor::floats(p.shape, y);
    }
    let mut y = vec![T::zero(); count(&p.kept)?];
    // Runs along axes that go are added up before they are stored.
    walk(whole, &repeated(&p.kept, whole), &strides(whole), |run| match run.a_step {
        0 => y[run.a] += x[run.b..run.b + run.len].iter().fold(T::zero(), |sum, &v| sum + v),
        step => (0..run.len).for_each(|k| y[run.a + k * step] += x[run.b + k]),
    });
    if call.operator() == "ReduceMean" {
        let n = T::of(p.of as f64);
        y.iter_mut().for_each(|v| *v = *v / n);
    }
    Tensor::floats(p.shape, y)
}

/// ȳ of each result to the numbers that it is made of, once or as a share of it.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (p, whole) = (plan(&back.at)?, back.at.input(0)?.shape());
    let mut gradient = vec![T::zero(); back.at.input(0)?.len()];
    if back.at.operator() == "ReduceMax" {
        maxima(back, &p, &mut gradient)?;
        return Ok(vec![(0, gradient)]);
    }
    let share = if back.at.operator() == "ReduceMean" { T::of(1.0 / p.of as f64) } else { T::one() };
    pairs(&p.kept, whole, |o, i| gradient[i] = back.gradient[o] * share);
    Ok(vec![(0, gradient)])
}

/// The gradient of ReduceMax. Of k equal maxima each has 1/k of it.
///
/// Under DeepLIFT the place with the larger maximum says who wins, so that a winner has moved where the result has.
fn maxima<T: Number>(back: &Back<'_, T>, p: &Plan, gradient: &mut [T]) -> Fallible<()> {
    let whole = back.at.input(0)?.shape();
    let (x, x0) = (back.at.floats(0)?, back.reference.floats(0)?);
    let (y, y0) = (back.made.as_floats()?, back.made_there.as_floats()?);
    let wins = |o: usize, i: usize| match back.rescales() && y[o] < y0[o] {
        true => x0[i] == y0[o],
        false => x[i] == y[o],
    };
    let mut winners = vec![0u32; y.len()];
    pairs(&p.kept, whole, |o, i| winners[o] += u32::from(wins(o, i)));
    pairs(&p.kept, whole, |o, i| {
        if wins(o, i) {
            let part = if back.rescales() { winner(y[o], y0[o], x[i], x0[i]) } else { T::one() };
            gradient[i] = back.gradient[o] * part * T::of(1.0 / f64::from(winners[o]));
        }
    });
    Ok(())
}

/// Places of the largest numbers along one axis: of equal ones the first, or the last under `select_last_index`.
///
/// Compared in f64: whole numbers beyond 2⁵³ may count as equal. 0 where all are NaN.
pub(crate) fn arg_max<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let x = call.input(0)?;
    let along = axis(call.int("axis", 0), x.shape().len())?;
    let numbers: Vec<f64> = match x.as_floats() {
        Ok(v) => v.iter().map(|v| v.wide()).collect(),
        Err(_) => x.as_wholes()?.iter().map(|&v| v as f64).collect(),
    };
    let mut kept = x.shape().to_vec();
    kept[along] = 1;
    let step = strides(x.shape())[along];
    let mut best = vec![f64::NEG_INFINITY; count(&kept)?];
    let mut places = vec![0; best.len()];
    let last = call.int("select_last_index", 0) != 0;
    pairs(&kept, x.shape(), |o, i| {
        if numbers[i] > best[o] || last && numbers[i] == best[o] {
            (best[o], places[o]) = (numbers[i], (i / step % x.shape()[along]) as i64);
        }
    });
    if call.int("keepdims", 1) == 0 {
        kept.remove(along);
    }
    Tensor::wholes(kept, places)
}
