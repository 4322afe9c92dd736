//! Softmax along an axis: y = eˣ/Σeˣ, x̄ = y·(ȳ − Σȳy).
//!
//! # DeepLIFT
//! With φ(t) = ln Σ exp(x₀ + t(x − x₀)), t* where φ′(t*) = φ(1) − φ(0), p = softmax there, and L the logarithmic mean
//! of the two softmax values, the multipliers are m = L·ȳ − p·ΣL·ȳ. They add up: ln y moves by Δ − (φ(1) − φ(0)), which
//! is Δ − Σ pΔ, and y by L times that. The logarithmic mean of a and b is (a − b)/(ln a − ln b), and a where a = b. t*
//! exists by the mean value theorem. Where x = x₀ the multipliers are the gradient.
//!
//! # Shapes
//! Any axis, the last by default. Before version 13 all axes from one on (1 by default) count as a single one.
//!
//! # Numerics
//! The largest x of a line is subtracted before exp, so that nothing overflows. Value and gradient are in the network's
//! type, multipliers in f64. x = −∞, as masks have it, gives y = 0 and x̄ = 0; a line of −∞ alone gives NaN.
//!
//! # Cost
//! A few operations a number, and one exp; of multipliers 60 halvings, each with an exp a number.

use super::{Back, Call, Gradients};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor, axis};

/// Blocks before the axis, its length, and the step along it.
fn plan<T: Number>(call: &Call<'_, T>) -> Fallible<[usize; 3]> {
    let shape = call.input(0)?.shape();
    // Operators before version 13 take all axes from one on as a single one, and begin at 1.
    let flat = call.attribute("flat").is_some();
    let at = axis(call.int("axis", if flat { 1 } else { -1 }), shape.len())?;
    let product = |part: &[usize]| part.iter().product::<usize>();
    Ok(match flat {
        true => [product(&shape[..at]), product(&shape[at..]), 1],
        false => [product(&shape[..at]), shape[at], product(&shape[at + 1..])],
    })
}

/// The first place of each line along the axis.
fn lines([blocks, len, step]: [usize; 3]) -> impl Iterator<Item = usize> {
    (0..blocks).flat_map(move |block| (0..step).map(move |k| block * len * step + k))
}

/// yᵢ = exp(xᵢ − m)/Σⱼ exp(xⱼ − m), m = max x, along each line.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let p @ [_, len, step] = plan(call)?;
    let mut y = call.floats(0)?.to_vec();
    for start in lines(p) {
        let places = (0..len).map(|k| start + k * step);
        let most = places.clone().fold(T::of(f64::NEG_INFINITY), |m, i| if y[i] > m { y[i] } else { m });
        let mut sum = T::zero();
        for i in places.clone() {
            y[i] = Number::exp(y[i] - most);
            sum += y[i];
        }
        places.for_each(|i| y[i] = y[i] / sum);
    }
    Tensor::floats(call.input(0)?.shape().to_vec(), y)
}

/// x̄ᵢ = yᵢ·(ȳᵢ − Σⱼ ȳⱼyⱼ) along each line, from the values y; under DeepLIFT the multipliers.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    let p @ [_, len, step] = plan(&back.at)?;
    let (y, g) = (back.made.as_floats()?, back.gradient);
    let mut x = vec![T::zero(); y.len()];
    if back.rescales() {
        let (a, b) = (back.at.floats(0)?, back.reference.floats(0)?);
        for start in lines(p) {
            let at = |v: &[T]| (0..len).map(|k| v[start + k * step].wide()).collect::<Vec<f64>>();
            let multipliers = multipliers(&at(a), &at(b), &at(g));
            multipliers.into_iter().enumerate().for_each(|(k, m)| x[start + k * step] = T::of(m));
        }
        return Ok(vec![(0, x)]);
    }
    for start in lines(p) {
        let places = (0..len).map(|k| start + k * step);
        let inner = places.clone().fold(T::zero(), |sum, i| sum + y[i] * g[i]);
        places.for_each(|i| x[i] = y[i] * (g[i] - inner));
    }
    Ok(vec![(0, x)])
}

/// ln Σeˣ, and softmax: m + ln Σ exp(x − m) with m = max x.
fn log_sum(x: &[f64]) -> (f64, Vec<f64>) {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = x.iter().map(|v| (v - most).exp()).collect();
    let sum: f64 = parts.iter().sum();
    (most + sum.ln(), parts.into_iter().map(|v| v / sum).collect())
}

/// The logarithmic mean of two positive numbers, (a − b)/ln(a/b); 0 where one of them is 0. Close to a = b it is a
/// series of three terms, whose error is below 10⁻¹³ of it.
fn logarithmic_mean(a: f64, b: f64) -> f64 {
    let ratio = (a / b).ln();
    match () {
        () if a <= 0.0 || b <= 0.0 => 0.0,
        // Series of (eʳ − 1)/r.
        () if ratio.abs() < 1e-4 => b * (1.0 + ratio / 2.0 + ratio * ratio / 6.0),
        () => (a - b) / ratio,
    }
}

/// DeepLIFT's multipliers of one line: mⱼ = Lⱼȳⱼ − pⱼ·Σ L·ȳ, from x, x₀ and ȳ.
///
/// t* is found by halving [0, 1] 60 times. A place that is −∞ in both has the multiplier 0.
pub(crate) fn multipliers(x: &[f64], there: &[f64], gradient: &[f64]) -> Vec<f64> {
    let (end, y) = log_sum(x);
    let (start, y0) = log_sum(there);
    let between = |t: f64| -> Vec<f64> {
        let at: Vec<f64> = x.iter().zip(there).map(|(a, b)| b + t * (a - b)).collect();
        log_sum(&at).1
    };
    // φ is convex: its slope grows with t. Places where nothing moves add nothing, infinite ones (masks) included.
    let moved = |p: &[f64]| -> f64 {
        let each = p.iter().zip(x.iter().zip(there));
        each.filter(|(_, (a, b))| a != b).map(|(p, (a, b))| p * (a - b)).sum()
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if moved(&between(middle)) < end - start { low = middle } else { high = middle }
    }
    let p = between(0.5 * (low + high));
    let means: Vec<f64> = y.iter().zip(&y0).map(|(&a, &b)| logarithmic_mean(a, b)).collect();
    let total: f64 = means.iter().zip(gradient).map(|(l, g)| l * g).sum();
    (0..x.len()).map(|j| means[j] * gradient[j] - p[j] * total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_complete() {
        let (x, there) = ([2.0, -1.0, 0.5, 30.0], [0.0, 3.0, 0.5, -5.0]);
        let g = [0.3, -2.0, 1.0, 0.7];
        let m = multipliers(&x, &there, &g);
        let sum: f64 = (0..4).map(|j| m[j] * (x[j] - there[j])).sum();
        let of = |v: &[f64]| log_sum(v).1.iter().zip(g).map(|(y, g)| y * g).sum::<f64>();
        assert!((sum - (of(&x) - of(&there))).abs() < 1e-12, "{sum}");
        // Without a way to go they are the gradient.
        let m = multipliers(&x[..3], &x[..3], &g[..3]);
        let (_, y) = log_sum(&x[..3]);
        let inner: f64 = (0..3).map(|j| y[j] * g[j]).sum();
        assert!((0..3).all(|j| (m[j] - y[j] * (g[j] - inner)).abs() < 1e-9));
    }
}
