//! Operators that move numbers about: each place of the result is a place of the input, or is filled. The backward adds
//! up what came from each place.
//!
//! With s(j) the place of the input that place j of the result is from: yⱼ = x at s(j), and x̄ᵢ = Σ ȳⱼ over s(j) = i. A
//! place that is taken twice gathers both gradients, one that is not taken has 0, and what is filled passes none.
//!
//! | operator | s |
//! |---|---|
//! | Gather | along one axis, the places that a list of indices says |
//! | Slice | along each axis start, start + step, … before end |
//! | Transpose | the axes in another order; turned round without one |
//! | Expand | axes of 1 repeated |
//! | Pad | the place less the padding before it; else filled, or a place at the edge or reflected in it |
//! | Concat | inputs one behind the other along one axis |
//! | Trilu | itself in a triangle, else filled with 0 |
//!
//! # Numerics
//! Numbers are copied, fractions and whole numbers alike; no operator rounds.
//!
//! # DeepLIFT
//! All are linear in x: multipliers are the gradients. Indices count as constants, those of the point.
//!
//! # Cost
//! A copy a number; all but Concat and Trilu hold a list of places of the result's length.

use super::{Back, Call, Gradients};
use crate::number::Number;
use crate::tensor::{Data, Fallible, Tensor, axis, broadcast, count, repeated, strides, walk};

/// Stands for a place that is filled.
const FILLED: usize = usize::MAX;

/// The shape of a result, and where each of its numbers is from: a place in the input's row-major order, or [`FILLED`].
type Places = (Vec<usize>, Vec<usize>);

/// The places of the five operators that work by a list.
fn places<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    match call.operator() {
        "Gather" => gather(call),
        "Slice" => slice(call),
        "Transpose" => transpose(call),
        "Expand" => expand(call),
        "Pad" => pad(call),
        other => Err(format!("{other} moves nothing")),
    }
}

/// The places of a shape read with other steps, from a first place on.
fn stepped(shape: &[usize], steps: &[usize], first: usize) -> Fallible<Vec<usize>> {
    let mut from = vec![0; count(shape)?];
    walk(shape, steps, steps, |run| {
        for k in 0..run.len {
            from[run.at + k] = first + run.a + k * run.a_step;
        }
    });
    Ok(from)
}

/// The shape is that of x with the axis replaced by the indices' axes. An index may count from the end.
///
/// # Errors
/// An index outside the axis, an axis that is not there.
fn gather<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    let (shape, indices) = (call.input(0)?.shape(), call.input(1)?);
    let at = axis(call.int("axis", 0), shape.len())?;
    let (before, len, after): (usize, usize, usize) =
        (shape[..at].iter().product(), shape[at], shape[at + 1..].iter().product());
    let chosen: Vec<usize> = indices.as_wholes()?.iter().map(|&i| axis(i, len)).collect::<Fallible<_>>()?;
    let out = [&shape[..at], indices.shape(), &shape[at + 1..]].concat();
    let mut from = Vec::with_capacity(count(&out)?);
    for block in 0..before {
        for &i in &chosen {
            let first = (block * len + i) * after;
            from.extend(first..first + after);
        }
    }
    Ok((out, from))
}

/// Where a slice begins along an axis, and how many places it takes: ⌈(end − start)/step⌉, at least 0.
///
/// Negative bounds count from the end. What lies beyond an axis is cut to it: 0 to n for steps forwards, −1 to n − 1
/// for steps back, which may so go on to the first place.
fn cut(start: i64, end: i64, step: i64, len: usize) -> (i64, usize) {
    let n = len as i64;
    let from_start = |v: i64| if v < 0 { v.saturating_add(n) } else { v };
    let (start, end) = (from_start(start), from_start(end));
    if step > 0 {
        let (start, end) = (start.clamp(0, n), end.clamp(0, n));
        (start, ((end - start).max(0) as u64).div_ceil(step as u64) as usize)
    } else {
        let (start, end) = (start.clamp(-1, n - 1), end.clamp(-1, n - 1));
        (start, ((start - end).max(0) as u64).div_ceil(step.unsigned_abs()) as usize)
    }
}

/// Starts and ends are inputs, as are axes (default: the first ones) and steps (default: 1).
///
/// A part of a Split is a slice too: of n numbers in k parts, part i is from i·⌈n/k⌉ on, and the last may be shorter.
///
/// # Errors
/// Lists of different lengths, a step of 0, an axis that is not there.
fn slice<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    let shape = call.input(0)?.shape();
    let mut out = shape.to_vec();
    let own = strides(shape);
    let mut steps: Vec<i64> = own.iter().map(|&s| s as i64).collect();
    let mut first = 0i64;
    let mut take = |at: usize, start: i64, end: i64, step: i64| -> Fallible<()> {
        if step == 0 {
            return Err("has a step of 0".into());
        }
        let (start, taken) = cut(start, end, step, shape[at]);
        out[at] = taken;
        if taken > 0 {
            first += start * own[at] as i64;
            steps[at] = own[at] as i64 * step.clamp(-(1 << 40), 1 << 40);
        }
        Ok(())
    };
    // One of so many equal parts, for a Split of which only their number is known.
    if let (Some(part), Some(parts)) = (call.attribute("part"), call.attribute("parts")) {
        let at = axis(call.int("axis", 0), shape.len())?;
        let each = (shape[at] as u64).div_ceil(parts.int.max(1) as u64) as i64;
        take(at, part.int * each, (part.int + 1) * each, 1)?;
    } else {
        let starts = call.list(1, "starts")?.ok_or("has no starts")?;
        let ends = call.list(2, "ends")?.filter(|e| e.len() == starts.len()).ok_or("has not as many ends as starts")?;
        let axes = call.list(3, "axes")?;
        let by = call.list(4, "steps")?;
        for (k, (&start, &end)) in starts.iter().zip(ends).enumerate() {
            let at = axes.map_or(Some(k as i64), |a| a.get(k).copied()).ok_or("has not as many axes as starts")?;
            let step = by.map_or(Some(1), |s| s.get(k).copied()).ok_or("has not as many steps as starts")?;
            take(axis(at, shape.len())?, start, end, step)?;
        }
    }
    if count(&out)? == 0 {
        return Ok((out, Vec::new()));
    }
    let mut from = vec![first; 1];
    for (&len, &step) in out.iter().zip(&steps) {
        from = from.iter().flat_map(|&f| (0..len as i64).map(move |k| f + k * step)).collect();
    }
    Ok((out, from.into_iter().map(|f| usize::try_from(f).unwrap_or(FILLED)).collect()))
}

/// # Errors
/// An order that does not name each axis once.
fn transpose<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    let shape = call.input(0)?.shape();
    let order: Vec<usize> = match call.attribute("perm") {
        Some(a) => a.ints.iter().map(|&v| axis(v, shape.len())).collect::<Fallible<_>>()?,
        None => (0..shape.len()).rev().collect(),
    };
    let mut seen = order.clone();
    seen.sort_unstable();
    if seen != (0..shape.len()).collect::<Vec<_>>() {
        return Err(format!("{order:?} is no order of {} axes", shape.len()));
    }
    let own = strides(shape);
    let (out, steps): (Vec<usize>, Vec<usize>) = order.iter().map(|&k| (shape[k], own[k])).unzip();
    let from = stepped(&out, &steps, 0)?;
    Ok((out, from))
}

/// # Errors
/// A shape that the input does not broadcast with.
fn expand<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    let shape = call.input(0)?.shape();
    let asked: Option<Vec<usize>> = call.input(1)?.as_wholes()?.iter().map(|&d| usize::try_from(d).ok()).collect();
    let out = broadcast(shape, &asked.ok_or("asks for an axis of negative length")?)?;
    let from = stepped(&out, &repeated(shape, &out), 0)?;
    Ok((out, from))
}

/// Amounts are all those before the axes, then all those behind; negative ones take away.
///
/// # Errors
/// Another number of amounts than two an axis, amounts above 2²⁴, more taken away than there is, mode `wrap`.
fn pad<T: Number>(call: &Call<'_, T>) -> Fallible<Places> {
    let shape = call.input(0)?.shape();
    let amounts = call.list(1, "pads")?.ok_or("has no amounts")?;
    let axes: Vec<usize> = match call.list(3, "axes")? {
        Some(axes) => axes.iter().map(|&a| axis(a, shape.len())).collect::<Fallible<_>>()?,
        None => (0..shape.len()).collect(),
    };
    if amounts.len() != 2 * axes.len() || amounts.iter().any(|a| a.unsigned_abs() > 1 << 24) {
        return Err(format!("takes {} amounts, not {}", 2 * axes.len(), amounts.len()));
    }
    let mut around = vec![(0i64, 0i64); shape.len()];
    axes.iter().enumerate().for_each(|(k, &a)| around[a] = (amounts[k], amounts[axes.len() + k]));
    let lengths = shape.iter().zip(&around).map(|(&d, (b, a))| usize::try_from(d as i64 + b + a).ok());
    let out: Vec<usize> = lengths.collect::<Option<_>>().ok_or("takes more away than there is")?;
    count(&out)?;
    let mode = call.text("mode");
    let own = strides(shape);
    let mut from = vec![0usize];
    for k in 0..shape.len() {
        let (n, before) = (shape[k] as i64, around[k].0);
        let along: Vec<usize> = (0..out[k] as i64)
            .map(|i| source(i - before, n, mode).map(|o| o.map_or(FILLED, |o| o * own[k])))
            .collect::<Fallible<_>>()?;
        let joined = |f: usize, o: usize| if f == FILLED || o == FILLED { FILLED } else { f + o };
        from = from.iter().flat_map(|&f| along.iter().map(move |&o| joined(f, o))).collect();
    }
    Ok((out, from))
}

/// Where a padded place is from along an axis; `None` for a constant. `edge` repeats the last number, `reflect` mirrors
/// in it without repeating it, and to and fro where the padding is wider than the axis.
fn source(place: i64, len: i64, mode: &str) -> Fallible<Option<usize>> {
    let inside = (0..len).contains(&place);
    Ok(match mode {
        _ if inside => Some(place as usize),
        "" | "constant" => None,
        _ if len == 0 => None,
        "edge" => Some(place.clamp(0, len - 1) as usize),
        "reflect" => {
            let round = 2 * (len - 1).max(1);
            let p = place.rem_euclid(round);
            Some(if p < len { p } else { round - p } as usize)
        }
        other => return Err(format!("mode {other} is not supported")),
    })
}

/// The numbers at their places. What is filled is the constant of a Pad: input 2, the attribute `value` of older
/// graphs, or 0.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (shape, from) = places(call)?;
    let x = call.input(0)?;
    if !from.contains(&FILLED) {
        return x.moved(shape, &from);
    }
    let constant = call.scalar(2)?.unwrap_or(T::of(call.float("value", 0.0)));
    match x.data() {
        Data::Float(v) => {
            let pick = from.iter().map(|&i| v.get(i).copied().unwrap_or(constant));
            Tensor::floats(shape, pick.collect())
        }
        Data::Whole(v) => {
            let pick = from.iter().map(|&i| v.get(i).copied().unwrap_or(constant.wide() as i64));
            Tensor::wholes(shape, pick.collect())
        }
    }
}

/// x̄ᵢ = Σ ȳⱼ over the places j that are from i. A Pad's constant has no gradient.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (_, from) = places(&back.at)?;
    let mut gradient = vec![T::zero(); back.at.input(0)?.len()];
    for (&i, &g) in from.iter().zip(back.gradient) {
        if let Some(place) = gradient.get_mut(i) {
            *place += g;
        }
    }
    Ok(vec![(0, gradient)])
}

/// The shape of a Concat's result, blocks before its axis, and the numbers of a block of each input.
///
/// # Errors
/// Shapes that differ in another axis.
fn joined<T: Number>(call: &Call<'_, T>) -> Fallible<(Vec<usize>, usize, Vec<usize>)> {
    let first = call.input(0)?.shape();
    let at = axis(call.int("axis", 0), first.len())?;
    let mut shape = first.to_vec();
    shape[at] = 0;
    let mut blocks = Vec::new();
    for k in 0..call.inputs.len() {
        let own = call.input(k)?.shape();
        let mut as_first = own.to_vec();
        if own.len() == first.len() {
            as_first[at] = first[at];
        }
        if as_first != first {
            return Err(format!("shapes {first:?} and {own:?} do not go together"));
        }
        shape[at] += own[at];
        blocks.push(own[at..].iter().product());
    }
    Ok((shape, first[..at].iter().product(), blocks))
}

/// The inputs' blocks in turn.
///
/// # Errors
/// Shapes that do not go together; fractions beside whole numbers.
pub(crate) fn concat_forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    fn join<V: Copy>(parts: &[&[V]], before: usize, blocks: &[usize]) -> Vec<V> {
        let block = |i: usize| parts.iter().zip(blocks).flat_map(move |(p, &n)| p[i * n..(i + 1) * n].iter().copied());
        (0..before).flat_map(block).collect()
    }
    let (shape, before, blocks) = joined(call)?;
    count(&shape)?;
    let all = 0..call.inputs.len();
    if call.input(0)?.as_floats().is_ok() {
        let parts: Vec<&[T]> = all.map(|k| call.floats(k)).collect::<Fallible<_>>()?;
        return Tensor::floats(shape, join(&parts, before, &blocks));
    }
    let parts: Vec<&[i64]> = all.map(|k| call.input(k)?.as_wholes()).collect::<Fallible<_>>()?;
    Tensor::wholes(shape, join(&parts, before, &blocks))
}

/// To each input its own part of ȳ.
pub(crate) fn concat_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let (_, before, blocks) = joined(&back.at)?;
    let whole: usize = blocks.iter().sum();
    let mut gradients = Vec::new();
    let mut start = 0;
    for (k, &n) in blocks.iter().enumerate() {
        if back.wants(k) {
            let part = (0..before).flat_map(|i| &back.gradient[i * whole + start..i * whole + start + n]);
            gradients.push((k, part.copied().collect()));
        }
        start += n;
    }
    Ok(gradients)
}

/// The upper or lower triangle of matrices: the last two axes. Everything else is 0.
pub(crate) fn trilu<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (x, stays) = (call.input(0)?, triangle(call)?);
    let shape = x.shape().to_vec();
    match x.data() {
        Data::Float(v) => Tensor::floats(shape, kept(v, stays)),
        Data::Whole(v) => Tensor::wholes(shape, kept(v, stays)),
    }
}

/// The same triangle of ȳ.
pub(crate) fn trilu_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    Ok(vec![(0, kept(back.gradient, triangle(&back.at)?))])
}

/// Those that stay; 0 for the others.
fn kept<V: Copy + Default>(values: &[V], stays: impl Fn(usize) -> bool) -> Vec<V> {
    values.iter().enumerate().map(|(i, &v)| if stays(i) { v } else { V::default() }).collect()
}

/// Whether a place is in the triangle: column − row ≥ k for the upper one, ≤ k for the lower one, k being input 1 (0).
fn triangle<T: Number>(call: &Call<'_, T>) -> Fallible<impl Fn(usize) -> bool + use<T>> {
    let &[.., rows, columns] = call.input(0)?.shape() else { return Err("takes matrices".into()) };
    let shift = call.given(1).map_or(Ok(0), |k| k.as_wholes().map(|k| k.first().copied().unwrap_or(0)))?;
    let upper = call.int("upper", 1) != 0;
    Ok(move |i: usize| {
        let (row, column) = ((i / columns.max(1) % rows.max(1)) as i64, (i % columns.max(1)) as i64);
        let beyond = column.saturating_sub(row.saturating_add(shift));
        if upper { beyond >= 0 } else { beyond <= 0 }
    })
}
