//! Operators that give numbers another shape or type, and those that make numbers of shapes.
//!
//! Reshape, Flatten, Squeeze, Unsqueeze and Identity keep the numbers and their order, and share them with their input:
//! y = x, x̄ = ȳ. So does a Cast to fractions. Shape, Constant, ConstantOfShape, Range and a Cast to whole numbers pass
//! no gradient: their results do not move with x, or by jumps.
//!
//! # Numerics
//! f16, bf16, f32 and f64 are one type here, the network's, and all widths of whole numbers are i64: a Cast between two
//! of a kind changes nothing, and does not round as a narrower type would.
//!
//! # DeepLIFT
//! All that pass a gradient are linear: multipliers are the gradients.

use super::{Back, Call, Gradients};
use crate::number::Number;
use crate::tensor::{Data, Fallible, Tensor, axis, count};

/// The same numbers in another shape.
///
/// * Flatten: two axes, the product of those before `axis` and that of the rest.
/// * Squeeze: without the axes that are named, or without all of length 1.
/// * Unsqueeze: with axes of length 1 at the places that are named, counted in the result.
///
/// # Errors
/// Another number of values than the input has, an axis that is not there, an Unsqueeze without axes.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let x = call.input(0)?;
    let shape = x.shape();
    x.reshaped(match call.operator() {
        "Reshape" => asked(call)?,
        "Flatten" => {
            let at = call.int("axis", 1);
            let at = if at == shape.len() as i64 { shape.len() } else { axis(at, shape.len())? };
            vec![shape[..at].iter().product(), shape[at..].iter().product()]
        }
        "Squeeze" => {
            let mut goes: Vec<bool> = vec![false; shape.len()];
            match call.list(1, "axes")? {
                Some(axes) => axes.iter().try_for_each(|&a| axis(a, shape.len()).map(|a| goes[a] = true))?,
                None => goes = shape.iter().map(|&d| d == 1).collect(),
            }
            shape.iter().zip(&goes).filter(|(_, g)| !**g).map(|(&d, _)| d).collect()
        }
        "Unsqueeze" => {
            let axes = call.list(1, "axes")?.ok_or("has no axes")?;
            let rank = shape.len() + axes.len();
            let mut places: Vec<usize> = axes.iter().map(|&a| axis(a, rank)).collect::<Fallible<_>>()?;
            places.sort_unstable();
            let mut wider = shape.to_vec();
            places.into_iter().for_each(|at| wider.insert(at.min(wider.len()), 1));
            wider
        }
        _ => shape.to_vec(),
    })
}

/// The shape that a Reshape asks for: 0 keeps an axis (but under `allowzero`), −1 takes the rest.
///
/// # Errors
/// A 0 where the input has no axis, other negative lengths.
fn asked<T: Number>(call: &Call<'_, T>) -> Fallible<Vec<usize>> {
    let x = call.input(0)?;
    let asked = call.list(1, "shape")?.ok_or("has no shape")?;
    let zeros = call.int("allowzero", 0) != 0;
    let length = |(k, &d): (usize, &i64)| match d {
        0 if !zeros => x.shape().get(k).copied().map(Some).ok_or_else(|| format!("keeps axis {k}, which is not there")),
        -1 => Ok(None),
        d => usize::try_from(d).map(Some).map_err(|_| format!("asks for an axis of length {d}")),
    };
    let lengths: Vec<Option<usize>> = asked.iter().enumerate().map(length).collect::<Fallible<_>>()?;
    let known: Vec<usize> = lengths.iter().flatten().copied().collect();
    let known = count(&known)?.max(1);
    Ok(lengths.into_iter().map(|d| d.unwrap_or(x.len() / known)).collect())
}

/// The gradient goes through as it is.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    // A cast to whole numbers moves by jumps.
    Ok(if back.made.as_floats().is_ok() { vec![(0, back.gradient.to_vec())] } else { Vec::new() })
}

/// Numbers of another type: to fractions, to whole numbers (the fraction is dropped; what i64 cannot hold becomes its
/// nearest bound, NaN 0), or to truths (1 where not 0).
///
/// # Errors
/// Any type but f32, f64, f16, bf16, u8, i8, i32, i64 and bool.
pub(crate) fn cast<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let x = call.input(0)?;
    let shape = x.shape().to_vec();
    match (call.int("to", 1), x.data()) {
        (1 | 10 | 11 | 16, Data::Float(_)) => Ok(x.clone()),
        (1 | 10 | 11 | 16, Data::Whole(v)) => Tensor::floats(shape, v.iter().map(|&n| T::of(n as f64)).collect()),
        (9, Data::Float(v)) => Tensor::wholes(shape, v.iter().map(|&n| i64::from(n != T::zero())).collect()),
        (9, Data::Whole(v)) => Tensor::wholes(shape, v.iter().map(|&n| i64::from(n != 0)).collect()),
        (2 | 3 | 6 | 7, Data::Float(v)) => Tensor::wholes(shape, v.iter().map(|n| n.wide() as i64).collect()),
        (2 | 3 | 6 | 7, Data::Whole(_)) => Ok(x.clone()),
        (other, _) => Err(format!("to ONNX type {other} is not supported")),
    }
}

/// The lengths of the axes, from `start` to before `end`; negative ones count from the end, and both are cut to what
/// there is.
pub(crate) fn shape_of<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let shape = call.input(0)?.shape();
    let place = |name: &str, none: usize| match call.attribute(name) {
        Some(a) if a.int < 0 => (a.int + shape.len() as i64).max(0) as usize,
        Some(a) => (a.int as usize).min(shape.len()),
        None => none,
    };
    let (start, end) = (place("start", 0), place("end", shape.len()));
    let part: Vec<i64> = shape.get(start..end).unwrap_or(&[]).iter().map(|&d| d as i64).collect();
    Tensor::wholes(vec![part.len()], part)
}

/// A tensor, a number or a list that the node itself has.
///
/// # Errors
/// Text and sparse values.
pub(crate) fn constant<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let node = call.node;
    let has = |name: &str| node.attributes.get(name);
    if let Some(tensor) = has("value").and_then(|a| a.tensor.clone()) {
        return Ok(tensor);
    }
    let fraction = |v: f32| T::of(f64::from(v));
    match (has("value_float"), has("value_floats"), has("value_int"), has("value_ints")) {
        (Some(a), ..) => Tensor::floats(vec![], vec![fraction(a.float)]),
        (_, Some(a), ..) => Tensor::floats(vec![a.floats.len()], a.floats.iter().map(|&v| fraction(v)).collect()),
        (_, _, Some(a), _) => Tensor::wholes(vec![], vec![a.int]),
        (.., Some(a)) => Tensor::wholes(vec![a.ints.len()], a.ints.clone()),
        _ => Err("has no value that can be read".into()),
    }
}

/// ConstantOfShape: one number, 0 by default, in a shape that is an input.
pub(crate) fn filled<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let asked = call.input(0)?.as_wholes()?;
    let shape: Option<Vec<usize>> = asked.iter().map(|&d| usize::try_from(d).ok()).collect();
    let shape = shape.ok_or("asks for an axis of negative length")?;
    let n = count(&shape)?;
    let value = call.attribute("value").and_then(|a| a.tensor.as_ref());
    match value.map(Tensor::data) {
        Some(Data::Whole(v)) => Tensor::wholes(shape, vec![v.first().copied().unwrap_or(0); n]),
        Some(Data::Float(v)) => Tensor::floats(shape, vec![v.first().copied().unwrap_or(T::zero()); n]),
        None => Tensor::floats(shape, vec![T::zero(); n]),
    }
}

/// start, start + step, … before end: ⌈(end − start)/step⌉ numbers, whole where start is. Computed in f64, each from
/// its index and not from the one before.
///
/// # Errors
/// More numbers than a tensor may have.
pub(crate) fn range<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let whole = call.input(0)?.as_wholes().is_ok();
    let number = |k: usize| -> Fallible<f64> { Ok(call.scalar(k)?.ok_or("lacks an end")?.wide()) };
    let (start, end, step) = (number(0)?, number(1)?, number(2)?);
    let n = ((end - start) / step).ceil().max(0.0);
    if !n.is_finite() || n > crate::tensor::MOST as f64 {
        return Err(format!("from {start} to {end} by {step} is too long"));
    }
    let at = (0..n as usize).map(|i| start + i as f64 * step);
    if whole {
        Tensor::wholes(vec![n as usize], at.map(|v| v as i64).collect())
    } else {
        Tensor::floats(vec![n as usize], at.map(T::of).collect())
    }
}
