//! Functions of one number: y = f(x), x̄ = ȳ·f′(x).
//!
//! | operator | f(x) | f′(x) |
//! |---|---|---|
//! | Sqrt | √x | 1/(2√x) |
//! | Exp | eˣ | eˣ |
//! | Log | ln x | 1/x |
//! | Neg | −x | −1 |
//! | Abs | \|x\| | sign x |
//! | Erf | 2/√π ∫₀ˣ e^(−t²) dt | 2/√π e^(−x²) |
//! | Tanh | tanh x | 1 − tanh² x |
//! | Sigmoid | σ(x) = 1/(1 + e^(−x)) | σ(x)(1 − σ(x)) |
//! | HardSigmoid | min(max(αx + β, 0), 1) | α where 0 < αx + β < 1, else 0 |
//! | Softplus | ln(1 + eˣ) | σ(x) |
//! | LeakyRelu | x where x > 0, else αx | 1 where x > 0, else α |
//! | Relu | max(x, 0) | 1 where x > 0, else 0 |
//! | Clip, a ≤ b | min(max(x, a), b) | 1 where a < x < b, else 0 |
//! | Pow, one constant exponent | xᵖ | p·xᵖ⁻¹ |
//!
//! # Conventions
//! Relu′(0) = 0; Abs′(0) = 0; LeakyRelu′(0) = α; the derivatives of Clip and HardSigmoid are 0 at their bounds.
//!
//! # DeepLIFT
//! f′ becomes (f(x) − f(x₀))/(x − x₀), computed in f64. √ and squares have it without a quotient: 1/(√x + √x₀) and
//! x + x₀. Where x and x₀ are too close for a difference, it is the derivative: at the middle for smooth functions
//! (closer than 10⁻³·max(|x|, 1)), at x for those with kinks (closer than 10⁻¹⁰).
//!
//! # Numerics
//! Clip, Relu, Exp and Sqrt are computed in the network's type, the rest in f64 and rounded. Softplus is
//! max(x, 0) + ln(1 + e^(−|x|)), which overflows nowhere. Outside their domains Sqrt and Log are NaN, as in IEEE 754.

use super::{Back, Call, Gradients, Passing, SAME, secant};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor};

/// A function with its settings. Relu is a Clip from 0 to ∞; Power comes from a Pow.
#[derive(Clone, Copy, Debug)]
enum Function {
    Sqrt,
    Exp,
    Log,
    Neg,
    Abs,
    Erf,
    Tanh,
    Sigmoid,
    HardSigmoid { slope: f64, offset: f64 },
    Softplus,
    LeakyRelu { slope: f64 },
    Clip { least: f64, most: f64 },
    Power(f64),
}

/// The function of a node, with ONNX's defaults: α = 0.2 and β = 0.5 of a HardSigmoid, α = 0.01 of a LeakyRelu, no
/// bounds of a Clip. A Clip's bounds are inputs since version 11 and attributes before; the input wins.
fn function<T: Number>(call: &Call<'_, T>) -> Fallible<Function> {
    Ok(match call.operator() {
        "Sqrt" => Function::Sqrt,
        "Exp" => Function::Exp,
        "Log" => Function::Log,
        "Neg" => Function::Neg,
        "Abs" => Function::Abs,
        "Erf" => Function::Erf,
        "Tanh" => Function::Tanh,
        "Sigmoid" => Function::Sigmoid,
        "HardSigmoid" => Function::HardSigmoid { slope: call.float("alpha", 0.2), offset: call.float("beta", 0.5) },
        "Softplus" => Function::Softplus,
        "Relu" => Function::Clip { least: 0.0, most: f64::INFINITY },
        "LeakyRelu" => Function::LeakyRelu { slope: call.float("alpha", 0.01) },
        "Clip" => {
            let bound = |k: usize, name: &str, none: f64| -> Fallible<f64> {
                let own = call.attribute(name).map_or(none, |a| f64::from(a.float));
                Ok(call.scalar(k)?.map_or(own, Number::wide))
            };
            Function::Clip { least: bound(1, "min", f64::NEG_INFINITY)?, most: bound(2, "max", f64::INFINITY)? }
        }
        other => return Err(format!("{other} is no function of one number")),
    })
}

/// 1/(1 + e^(−x)).
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Function {
    /// f(x).
    fn value(self, x: f64) -> f64 {
        match self {
            Function::Sqrt => x.sqrt(),
            Function::Exp => x.exp(),
            Function::Log => x.ln(),
            Function::Neg => -x,
            Function::Abs => x.abs(),
            Function::Erf => Number::erf(x),
            Function::Tanh => x.tanh(),
            Function::Sigmoid => sigmoid(x),
            Function::HardSigmoid { slope, offset } => (slope * x + offset).clamp(0.0, 1.0),
            Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Function::LeakyRelu { slope } => {
                if x > 0.0 {
                    x
                } else {
                    slope * x
                }
            }
            // The upper bound wins where they cross, as in NumPy.
            Function::Clip { least, most } => x.max(least).min(most),
            Function::Power(power) => x.powf(power),
        }
    }

    /// f′(x), by the table above.
    fn slope(self, x: f64) -> f64 {
        match self {
            Function::Sqrt => 0.5 / x.sqrt(),
            Function::Exp => x.exp(),
            Function::Log => 1.0 / x,
            Function::Neg => -1.0,
            Function::Abs => {
                if x == 0.0 {
                    0.0
                } else {
                    x.signum()
                }
            }
            Function::Erf => std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp(),
            Function::Tanh => 1.0 - x.tanh().powi(2),
            Function::Sigmoid => sigmoid(x) * (1.0 - sigmoid(x)),
            Function::HardSigmoid { slope, offset } => inside(slope * x + offset, 0.0, 1.0) * slope,
            Function::Softplus => sigmoid(x),
            Function::LeakyRelu { slope } => {
                if x > 0.0 {
                    1.0
                } else {
                    slope
                }
            }
            Function::Clip { least, most } => inside(x, least, most),
            Function::Power(2.0) => 2.0 * x,
            Function::Power(power) => power * x.powf(power - 1.0),
        }
    }

    /// DeepLIFT's slope between two arguments, (f(x) − f(x₀))/(x − x₀). For a smooth function and close arguments the
    /// derivative at the middle is off by f‴·Δx²/24 only.
    fn between(self, x: f64, there: f64) -> f64 {
        match self {
            Function::Sqrt => 1.0 / (x.sqrt() + there.sqrt()),
            Function::Power(2.0) => x + there,
            Function::Neg => -1.0,
            _ => {
                let near = if self.has_kinks() { SAME } else { 1e-3 * x.abs().max(1.0) };
                let middle = if self.has_kinks() { x } else { 0.5 * (x + there) };
                let line = secant(self.value(x), self.value(there), x, there, near);
                line.unwrap_or_else(|| self.slope(middle))
            }
        }
    }

    /// Straight but for kinks.
    fn has_kinks(self) -> bool {
        use Function::{Abs, Clip, HardSigmoid, LeakyRelu, Neg};
        matches!(self, Abs | Clip { .. } | HardSigmoid { .. } | LeakyRelu { .. } | Neg)
    }
}

/// 1 within bounds, 0 outside and at them.
fn inside(x: f64, least: f64, most: f64) -> f64 {
    if x > least && x < most { 1.0 } else { 0.0 }
}

/// f of every number. Whole numbers may go through Neg, Abs, Clip and Relu and stay whole.
pub(crate) fn forward<T: Number>(call: &Call<'_, T>) -> Fallible<Tensor<T>> {
    let x = call.input(0)?;
    if let (Ok(whole), "Neg" | "Abs" | "Clip" | "Relu") = (x.as_wholes(), call.operator()) {
        let of = function(call)?;
        return Tensor::wholes(x.shape().to_vec(), whole.iter().map(|&n| of.value(n as f64) as i64).collect());
    }
    let x = call.floats(0)?;
    Tensor::floats(call.input(0)?.shape().to_vec(), values(function(call)?, x))
}

/// The common functions in their own precision, the rest in f64.
fn values<T: Number>(of: Function, x: &[T]) -> Vec<T> {
    match of {
        Function::Clip { least, most } => {
            let (least, most) = (T::of(least), T::of(most));
            // Where the bounds cross, the upper one wins, as in ONNX. What is no number stays so.
            let cut = |&x: &T| {
                let raised = if x < least { least } else { x };
                if raised > most { most } else { raised }
            };
            x.iter().map(cut).collect()
        }
        Function::Erf => x.iter().map(|x| x.erf()).collect(),
        Function::Exp => x.iter().map(|&x| Number::exp(x)).collect(),
        Function::Sqrt => x.iter().map(|&x| Number::sqrt(x)).collect(),
        _ => x.iter().map(|&x| T::of(of.value(x.wide()))).collect(),
    }
}

/// x̄ = ȳ·f′(x), number by number. The bounds of a Clip have no gradient.
pub(crate) fn backward<T: Number>(back: &Back<'_, T>) -> Fallible<Gradients<T>> {
    if !back.wants(0) {
        return Ok(Vec::new());
    }
    Ok(vec![(0, passed(back, function(&back.at)?)?)])
}

/// The gradient after a power with a constant exponent, for its own file.
pub(crate) fn power<T: Number>(back: &Back<'_, T>, exponent: f64) -> Fallible<Vec<T>> {
    passed(back, Function::Power(exponent))
}

/// ȳ·f′(x), or ȳ times the secant under DeepLIFT.
///
/// Guided: where a Clip begins at 0, as a Relu does, a negative ȳ is dropped. Other functions pass it as it is.
fn passed<T: Number>(back: &Back<'_, T>, of: Function) -> Fallible<Vec<T>> {
    let (x, gradient) = (back.at.floats(0)?, back.gradient);
    if back.rescales() {
        let there = back.reference.floats(0)?;
        let both = x.iter().zip(there).zip(gradient);
        return Ok(both.map(|((x, x0), &g)| g * T::of(of.between(x.wide(), x0.wide()))).collect());
    }
    if let Function::Clip { least, most } = of {
        let guided = back.rule == Passing::Guided && least == 0.0;
        let (least, most) = (T::of(least), T::of(most));
        let pass = |(&x, &g): (&T, &T)| {
            let open = x > least && x < most && !(guided && g < T::zero());
            if open { g } else { T::zero() }
        };
        return Ok(x.iter().zip(gradient).map(pass).collect());
    }
    if let (Function::Erf, factor) = (of, T::of(std::f64::consts::FRAC_2_SQRT_PI)) {
        return Ok(x.iter().zip(gradient).map(|(&x, &g)| g * factor * Number::exp(-(x * x))).collect());
    }
    Ok(x.iter().zip(gradient).map(|(&x, &g)| g * T::of(of.slope(x.wide()))).collect())
}
