//! Operators of two tensors, repeated to one shape: sums, products, quotients, powers, extremes, choices, comparisons.
//!
//! # Derivatives
//! | operator | y | ā | b̄ |
//! |---|---|---|---|
//! | Add | a + b | ȳ | ȳ |
//! | Sub | a − b | ȳ | −ȳ |
//! | Mul | a·b | ȳ·b | ȳ·a |
//! | Div | a/b | ȳ/b | −ȳ·a/b² |
//! | Pow | aᵇ | ȳ·b·aᵇ⁻¹ | refused |
//! | Max, Min | the largest, the smallest | ȳ to the first that equals y | 0 to the others |
//! | Where | a where c, else b | ȳ where c, else 0 | 0 where c, else ȳ |
//!
//! Comparisons and logic give 0 or 1 as whole numbers, and no gradient. Max and Min take any number of inputs.
//!
//! # Shapes
//! Shapes are aligned at their last axes; an axis of 1, or a missing one, is repeated. The gradient of a repeated input
//! is summed over what was repeated.
//!
//! # Numerics
//! In the network's type; Pow by f64, but for squares, which are a·a. Division of whole numbers drops the fraction;
//! by 0 it gives 0. Of a number and NaN, Min and Max take the later.
//!
//! # Errors
//! Shapes that do not go together; fractions and whole numbers mixed, but for a Pow's whole exponent.
//!
//! # DeepLIFT
//! Of a product each factor gets the other one, averaged over point and reference. Of a/b, a gets ½(1/b + 1/b₀) and b
//! −(a + a₀)/2/(b·b₀). Of a maximum the winner gets all. They sum to Δy: Δ(a·b) = Δa·½(b + b₀) + Δb·½(a + a₀), and
//! 1/b moves by −Δb/(b·b₀).

use super::{Back, Call, Gradients, unary, winner};
use crate::number::Number;
use crate::tensor::{Data, Fallible, Tensor, broadcast, count, repeated, summed, walk};

/// f over two lists of numbers that are repeated to one shape, by runs along the last axes. Two that move together,
/// and one beside a constant, have loops of their own, without products of indices.
fn zip<A: Copy, V: Copy + Default>(
    (a, a_shape): (&[A], &[usize]),
    (b, b_shape): (&[A], &[usize]),
    shape: &[usize],
    of: impl Fn(A, A) -> V,
) -> Fallible<Vec<V>> {
    let mut out = vec![V::default(); count(shape)?];
    walk(shape, &repeated(a_shape, shape), &repeated(b_shape, shape), |run| {
        let out = &mut out[run.at..run.at + run.len];
        match (run.a_step, run.b_step) {
            (1, 1) => {
                let pairs = a[run.a..run.a + run.len].iter().zip(&b[run.b..run.b + run.len]);
                out.iter_mut().zip(pairs).for_each(|(o, (&a, &b))| *o = of(a, b));
            }
            (1, 0) => {
                let b = b[run.b];
                out.iter_mut().zip(&a[run.a..run.a + run.len]).for_each(|(o, &a)| *o = of(a, b));
            }
            (p, q) => out.iter_mut().enumerate().for_each(|(k, o)| *o = of(a[run.a + k * p], b[run.b + k * q])),
        }
    });
    Ok(out)
}

/// f over fractions or whole numbers.
///
/// # Errors
/// One of each, or shapes that do not go together.
fn apply<T: Number>(
    a: &Tensor<T>,
    b: &Tensor<T>,
    of: impl Fn(T, T) -> T,
    whole: impl Fn(i64, i64) -> i64,
) -> Fallible<Tensor<T>> {
    let shape = broadcast(a.shape(), b.shape())?;
    match (a.data(), b.data()) {
        (Data::Float(x), Data::Float(y)) => {
            let out = zip((x, a.shape()), (y, b.shape()), &shape, of)?;
            Tensor::floats(shape, out)
        }
        (Data::Whole(x), Data::Whole(y)) => {
            let out = zip((x, a.shape()), (y, b.shape()), &shape, whole)?;
            Tensor::wholes(shape, out)
        }
        _ => Err("takes a fraction and a whole number".into()),
    }
}

/// The power of a number; squares without a logarithm.
fn power<T: Number>(a: T, b: T) -> T {
    if b == T::of(2.0) { a * a } else { T::of(a.wide().powf(b.wide())) }
}

/// The value of the seven operators.
///
/// A whole exponent of a fraction is made one. Whole numbers to a negative power are taken to the power of 0.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let a = call.input(0)?;
    let least = |a: T, b: T| if a <= b { a } else { b };
    let most = |a: T, b: T| if a >= b { a } else { b };
    match call.operator() {
        "Min" => return (1..call.inputs.len()).try_fold(a.clone(), |m, k| apply(&m, call.input(k)?, least, i64::min)),
        "Max" => return (1..call.inputs.len()).try_fold(a.clone(), |m, k| apply(&m, call.input(k)?, most, i64::max)),
        _ => {}
    }
    let b = call.input(1)?;
    match call.operator() {
        "Add" => apply(a, b, |a, b| a + b, i64::wrapping_add),
        "Sub" => apply(a, b, |a, b| a - b, i64::wrapping_sub),
        "Mul" => apply(a, b, |a, b| a * b, i64::wrapping_mul),
        "Div" => apply(a, b, |a, b| a / b, |a, b| if b == 0 { 0 } else { a.wrapping_div(b) }),
        "Pow" => {
            let exponent = match b.as_wholes() {
                Ok(b_whole) if a.as_floats().is_ok() => {
                    Tensor::floats(b.shape().to_vec(), b_whole.iter().map(|&n| T::of(n as f64)).collect())?
                }
                _ => b.clone(),
            };
            apply(a, &exponent, power, |a, b| a.wrapping_pow(u32::try_from(b).unwrap_or(0)))
        }
        other => Err(format!("{other} is no arithmetic")),
    }
}

/// Gradients at the shape of the result, summed to each input's.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    match back.at.operator() {
        "Min" | "Max" => return extremes(back),
        "Pow" => return powers(back),
        _ => {}
    }
    let mut gradients = Vec::new();
    for k in (0..2).filter(|&k| back.wants(k)) {
        let of = back.made.shape();
        let at_output = match (back.at.operator(), k) {
            ("Add", _) | ("Sub", 0) => None,
            ("Sub", _) => Some(back.gradient.iter().map(|&g| -g).collect()),
            ("Mul", k) => Some(times(back, 1 - k)?),
            (_, k) => Some(quotient(back, k)?),
        };
        let full = at_output.as_deref().unwrap_or(back.gradient);
        gradients.push((k, summed(full, of, back.at.input(k)?.shape())));
    }
    Ok(gradients)
}

/// The gradient times input `k`.
fn times<T: Number>(back: &Back<'_, T>, k: usize) -> Fallible<Vec<T>> {
    let (of, other) = (back.made.shape(), back.averaged(k)?);
    zip((back.gradient, of), (&other, back.at.input(k)?.shape()), of, |g, b| g * b)
}

/// The gradient of numerator (0) or divisor (1), at the output's shape: ȳ·½(1/b + 1/b₀), and −ȳ·½(a + a₀)/(b·b₀).
/// Without a reference b₀ = b and a₀ = a, and these are the derivatives.
fn quotient<T: Number>(back: &Back<'_, T>, k: usize) -> Fallible<Vec<T>> {
    let (of, divisor) = (back.made.shape(), back.at.input(1)?.shape());
    let (b, b0) = (back.at.floats(1)?, if back.rescales() { back.reference.floats(1)? } else { back.at.floats(1)? });
    let half = T::of(0.5);
    let factors: Vec<T> = match k {
        0 => b.iter().zip(b0).map(|(&b, &b0)| half * (T::one() / b + T::one() / b0)).collect(),
        _ => b.iter().zip(b0).map(|(&b, &b0)| -(T::one() / (b * b0))).collect(),
    };
    let with = zip((back.gradient, of), (&factors, divisor), of, |g, f| g * f)?;
    match k {
        0 => Ok(with),
        _ => zip((&with, of), (&back.averaged(0)?, back.at.input(0)?.shape()), of, |w, a| w * a),
    }
}

/// Powers with a constant exponent: one number for all. ā = ȳ·b·aᵇ⁻¹.
///
/// # Errors
/// An exponent whose gradient is asked for, of several numbers, or that repeats the base to another shape.
fn powers<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let exponent = back.at.input(1)?;
    if back.wants(1) || exponent.len() != 1 || back.made.shape() != back.at.input(0)?.shape() {
        return Err("has a gradient only where the exponent is one constant number".into());
    }
    let exponent = back.at.scalar(1)?.map_or(1.0, Number::wide);
    Ok(if back.wants(0) { vec![(0, unary::power(back, exponent)?)] } else { Vec::new() })
}

/// The winner gets the gradient, the first of equal ones. Under DeepLIFT the winner is sought at the point or at the
/// reference, whichever has the more extreme result.
fn extremes<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let of = back.made.shape();
    let n = back.made.len();
    let spread = |call: &Call<'_, T>, k: usize| -> Fallible<Vec<T>> {
        let zeros = vec![T::zero(); n];
        zip((call.floats(k)?, call.input(k)?.shape()), (&zeros, of), of, |a, _| a)
    };
    let (y, y0) = (back.made.as_floats()?, back.made_there.as_floats()?);
    let inputs = 0..back.at.inputs.len();
    let at: Vec<Vec<T>> = inputs.clone().map(|k| spread(&back.at, k)).collect::<Fallible<_>>()?;
    let there: Vec<Vec<T>> = match back.rescales() {
        true => inputs.clone().map(|k| spread(&back.reference, k)).collect::<Fallible<_>>()?,
        false => Vec::new(),
    };
    let mut all = vec![vec![T::zero(); n]; at.len()];
    let largest = back.at.operator() == "Max";
    for i in 0..n {
        let from_point = !back.rescales() || if largest { y[i] >= y0[i] } else { y[i] <= y0[i] };
        let (values, best) = if from_point { (&at, y[i]) } else { (&there, y0[i]) };
        let Some(k) = inputs.clone().find(|&k| values[k][i] == best) else { continue };
        let part = if back.rescales() { winner(y[i], y0[i], at[k][i], there[k][i]) } else { T::one() };
        all[k][i] = back.gradient[i] * part;
    }
    inputs.filter(|&k| back.wants(k)).map(|k| Ok((k, summed(&all[k], of, back.at.input(k)?.shape())))).collect()
}

/// Truths of a condition at the shape of the result.
fn chosen<T: Number>(call: &Call<'_, T>, shape: &[usize]) -> Fallible<Vec<i64>> {
    let condition = call.input(0)?;
    let zeros = vec![0; count(shape)?];
    zip((condition.as_wholes()?, condition.shape()), (&zeros, shape), shape, |c, _| c)
}

/// y = a where c is not 0, else b. All three are repeated to one shape.
///
/// # Errors
/// A condition of fractions; a fraction and a whole number to choose between.
pub(crate) fn where_forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (a, b) = (call.input(1)?, call.input(2)?);
    let shape = broadcast(call.input(0)?.shape(), &broadcast(a.shape(), b.shape())?)?;
    let chosen = chosen(call, &shape)?;
    // Places of both in one list: the first tensor's, then the second's.
    let places = |t: &Tensor<T>| -> Fallible<Vec<usize>> {
        let own: Vec<usize> = (0..t.len()).collect();
        let zeros = vec![0; count(&shape)?];
        zip((&own, t.shape()), (&zeros, &shape), &shape, |i, _| i)
    };
    let (from_a, from_b) = (a.moved(shape.clone(), &places(a)?)?, b.moved(shape.clone(), &places(b)?)?);
    match (from_a.data(), from_b.data()) {
        (Data::Float(a), Data::Float(b)) => {
            let pick = (0..a.len()).map(|i| if chosen[i] != 0 { a[i] } else { b[i] });
            Tensor::floats(shape, pick.collect())
        }
        (Data::Whole(a), Data::Whole(b)) => {
            let pick = (0..a.len()).map(|i| if chosen[i] != 0 { a[i] } else { b[i] });
            Tensor::wholes(shape, pick.collect())
        }
        _ => Err("takes a fraction and a whole number".into()),
    }
}

/// ȳ to the one that was chosen, 0 to the other; none to the condition, which DeepLIFT takes from the point alone.
pub(crate) fn where_backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let of = back.made.shape();
    let chosen = chosen(&back.at, of)?;
    let mut gradients = Vec::new();
    for k in (1..3).filter(|&k| back.wants(k)) {
        let own = |(&c, &g): (&i64, &T)| if (c != 0) == (k == 1) { g } else { T::zero() };
        let full: Vec<T> = chosen.iter().zip(back.gradient).map(own).collect();
        gradients.push((k, summed(&full, of, back.at.input(k)?.shape())));
    }
    Ok(gradients)
}

/// Equal, Less and Greater of two fractions or two whole numbers, And and Or of two truths. Exact: nothing is within a
/// tolerance, and NaN equals nothing.
pub(crate) fn compare<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    let shape = broadcast(a.shape(), b.shape())?;
    let (x, y) = ((a.as_wholes(), a.as_floats()), (b.as_wholes(), b.as_floats()));
    let (a_shape, b_shape) = (a.shape(), b.shape());
    let truths = match (call.operator(), x, y) {
        ("Equal", (Ok(a), _), (Ok(b), _)) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a == b)),
        ("Less", (Ok(a), _), (Ok(b), _)) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a < b)),
        ("Greater", (Ok(a), _), (Ok(b), _)) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a > b)),
        ("And", (Ok(a), _), (Ok(b), _)) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a != 0 && b != 0)),
        ("Or", (Ok(a), _), (Ok(b), _)) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a != 0 || b != 0)),
        ("Equal", (_, Ok(a)), (_, Ok(b))) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a == b)),
        ("Less", (_, Ok(a)), (_, Ok(b))) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a < b)),
        ("Greater", (_, Ok(a)), (_, Ok(b))) => zip((a, a_shape), (b, b_shape), &shape, |a, b| i64::from(a > b)),
        _ => return Err("takes a fraction and a whole number".into()),
    }?;
    Tensor::wholes(shape, truths)
}

/// 1 where the truth is 0, else 0.
pub(crate) fn not<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let a = call.input(0)?;
    Tensor::wholes(a.shape().to_vec(), a.as_wholes()?.iter().map(|&c| i64::from(c == 0)).collect())
}
