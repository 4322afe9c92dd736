//! Functions of one number: y = f(x), x̄ = ȳ·f′(x).
//!
//! # Conventions
//! Relu′(0) = 0; Clip′ is 0 at its bounds. Under DeepLIFT f′ becomes (f(x) − f(x₀))/(x − x₀), computed in f64.

use super::{Back, Call, Gradients, Passing, SAME, secant};
use crate::number::Number;
use crate::tensor::{Fallible, Tensor};

/// A function with its settings.
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

/// The function of a node.
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

    /// DeepLIFT's slope between two arguments.
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
            let cut = |&x: &T| {
                if x > most {
                    most
                } else if x < least {
                    least
                } else {
                    x
                }
            };
            x.iter().map(cut).collect()
        }
        Function::Erf => x.iter().map(|x| x.erf()).collect(),
        Function::Exp => x.iter().map(|&x| Number::exp(x)).collect(),
        Function::Sqrt => x.iter().map(|&x| Number::sqrt(x)).collect(),
        _ => x.iter().map(|&x| T::of(of.value(x.wide()))).collect(),
    }
}

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
