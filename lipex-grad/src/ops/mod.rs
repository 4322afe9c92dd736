//! The operators: forward and backward side by side, a file a family.
//!
//! # Notation
//! F is the number that is differentiated. ȳ = ∂F/∂y is what a node is given for its output y, and x̄ = ∂F/∂x what it
//! returns for its input x. x₀ and y₀ are the values at DeepLIFT's reference, Δx = x − x₀.
//!
//! # Backward
//! A backward is given the gradient of a node's output and returns those of the inputs that are asked for. Under
//! [`Way::Rescale`](crate::Way) it has the node's values at the reference too, and returns DeepLIFT's multipliers, so
//! that Σ (x − x₀)·m is what the output moved by.
//!
//! # Shapes
//! A gradient is a list of numbers in the row-major order of its tensor. Where an input was broadcast, its gradient is
//! summed over the axes along which it was repeated.
//!
//! # Numerics
//! Values, gradients and sums are of the network's type, f32 or f64. Transcendental functions other than exp, and the
//! secants of DeepLIFT, are computed in f64 and rounded once. Whole numbers are i64; their sums and products wrap.
//!
//! # Errors
//! A reason without the operator's name, of which the network makes a message with operator and node.

mod arithmetic;
mod conv;
mod index;
mod matmul;
mod pool;
mod reduce;
mod shape;
mod softmax;
mod table;
mod unary;

use crate::number::Number;
use crate::onnx::{Attribute, Node};
use crate::tensor::{Fallible, Tensor};
pub(crate) use softmax::multipliers as softmax_multipliers;
pub use table::{OPERATORS, Status};

/// A node with the values of its inputs.
pub(crate) struct Call<'a, T> {
    /// Its operator's name and attributes.
    pub node: &'a Node<T>,
    /// In the order of the node; `None` for an optional input that is left out.
    pub inputs: Vec<Option<&'a Tensor<T>>>,
}

/// What a backward is given.
pub(crate) struct Back<'a, T> {
    /// The node at the point.
    pub at: Call<'a, T>,
    /// What it made there.
    pub made: &'a Tensor<T>,
    /// The same at the reference of DeepLIFT; at the point itself without one.
    pub reference: Call<'a, T>,
    pub made_there: &'a Tensor<T>,
    /// The gradient of what it made: ȳ, as many numbers as `made`.
    pub gradient: &'a [T],
    /// Which inputs' gradients are asked for.
    pub wanted: &'a [bool],
    /// Which of derivative, guided gradient or multiplier is returned.
    pub rule: Passing,
}

/// How gradients pass what is not linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// By derivatives: x̄ = ȳ·∂y/∂x.
    Plain,
    /// By derivatives, but a Clip from 0 on (a Relu is one) passes max(ȳ, 0).
    Guided,
    /// By DeepLIFT's rescale rule: Δy/Δx in the place of f′(x) where a function of one number is not linear.
    Rescale,
}

/// Gradients of inputs, by their number.
pub(crate) type Gradients<T> = Vec<(usize, Vec<T>)>;

/// From the gradient of what a node made to those of its inputs.
pub(crate) type Backward<T> = fn(&Back<'_, T>) -> Fallible<Gradients<T>>;

/// One operator: two functions without state. A backward is given the node's values again.
#[derive(Clone, Copy)]
pub(crate) struct Operator<T> {
    /// From the values of the inputs to the value of the one output.
    pub forward: fn(&Call<'_, T>) -> Fallible<Tensor<T>>,
    /// `None` for those whose result moves by jumps or not at all.
    pub backward: Option<Backward<T>>,
}

/// The operator of a name, after rewriting; `None` for one that is not supported. A family shares a function, which
/// asks the node for its name.
pub(crate) fn operator<T: Number>(name: &str) -> Option<Operator<T>> {
    let both = |forward, backward| Some(Operator { forward, backward: Some(backward) });
    let forward = |forward| Some(Operator { forward, backward: None });
    match name {
        "Add" | "Sub" | "Mul" | "Div" | "Pow" | "Min" | "Max" => both(arithmetic::forward, arithmetic::backward),
        "Where" => both(arithmetic::where_forward, arithmetic::where_backward),
        "Equal" | "Less" | "Greater" | "And" | "Or" => forward(arithmetic::compare),
        "Not" => forward(arithmetic::not),
        "Sqrt" | "Exp" | "Log" | "Neg" | "Abs" | "Erf" | "Tanh" | "Sigmoid" | "HardSigmoid" | "Softplus" | "Relu"
        | "LeakyRelu" | "Clip" => both(unary::forward, unary::backward),
        "MatMul" => both(matmul::forward, matmul::backward),
        "Gemm" => both(matmul::gemm_forward, matmul::gemm_backward),
        "Conv" => both(conv::forward, conv::backward),
        "MaxPool" => both(pool::max_forward, pool::max_backward),
        "AveragePool" => both(pool::mean_forward, pool::mean_backward),
        "ReduceSum" | "ReduceMean" | "ReduceMax" => both(reduce::forward, reduce::backward),
        "ArgMax" => forward(reduce::arg_max),
        "Softmax" => both(softmax::forward, softmax::backward),
        "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" | "Identity" => both(shape::forward, shape::backward),
        "Cast" => both(shape::cast, shape::backward),
        "Shape" => forward(shape::shape_of),
        "Constant" => forward(shape::constant),
        "ConstantOfShape" => forward(shape::filled),
        "Range" => forward(shape::range),
        "Gather" | "Slice" | "Transpose" | "Expand" | "Pad" => both(index::forward, index::backward),
        "Concat" => both(index::concat_forward, index::concat_backward),
        "Trilu" => both(index::trilu, index::trilu_backward),
        _ => None,
    }
}

impl<'a, T: Number> Call<'a, T> {
    /// The name of its operator.
    pub fn operator(&self) -> &str {
        &self.node.operator
    }

    /// Input `k`, if it is given.
    pub fn given(&self, k: usize) -> Option<&'a Tensor<T>> {
        self.inputs.get(k).copied().flatten()
    }

    /// Input `k`.
    ///
    /// # Errors
    /// An input that is left out.
    pub fn input(&self, k: usize) -> Fallible<&'a Tensor<T>> {
        self.given(k).ok_or_else(|| format!("input {k} is missing"))
    }

    /// The fractions of input `k`.
    ///
    /// # Errors
    /// An input that is left out, or of whole numbers.
    pub fn floats(&self, k: usize) -> Fallible<&'a [T]> {
        self.input(k)?.as_floats().map_err(|reason| format!("input {k} {reason}"))
    }

    /// The first of input `k`'s numbers, of either type, if it is given.
    ///
    /// # Errors
    /// An input without numbers.
    pub fn scalar(&self, k: usize) -> Fallible<Option<T>> {
        let Some(tensor) = self.given(k) else { return Ok(None) };
        let first = match tensor.as_floats() {
            Ok(v) => v.first().copied(),
            Err(_) => tensor.as_wholes()?.first().map(|&n| T::of(n as f64)),
        };
        first.map(Some).ok_or_else(|| format!("input {k} is empty"))
    }

    /// An attribute, if the node has it.
    pub fn attribute(&self, name: &str) -> Option<&'a Attribute<T>> {
        self.node.attributes.get(name)
    }

    /// A whole attribute, or its default.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.int)
    }

    /// A fractional attribute, stored as f32, or its default.
    pub fn float(&self, name: &str, default: f64) -> f64 {
        self.attribute(name).map_or(default, |a| f64::from(a.float))
    }

    /// A text attribute; empty where the node has none.
    pub fn text(&self, name: &str) -> &'a str {
        self.attribute(name).map_or("", |a| a.text.as_str())
    }

    /// Whole numbers that newer operators take as input `k` and older ones as an attribute. The input wins; `None`
    /// where the node has neither.
    ///
    /// # Errors
    /// An input of fractions.
    pub fn list(&self, k: usize, name: &str) -> Fallible<Option<&'a [i64]>> {
        match self.given(k) {
            Some(tensor) => Ok(Some(tensor.as_wholes()?)),
            None => Ok(self.attribute(name).map(|a| a.ints.as_slice())),
        }
    }
}

impl<T: Number> Back<'_, T> {
    /// Whether the gradient of input `k` is asked for.
    pub fn wants(&self, k: usize) -> bool {
        self.wanted.get(k).copied().unwrap_or(false)
    }

    /// Whether values at a reference count.
    pub fn rescales(&self) -> bool {
        self.rule == Passing::Rescale
    }

    /// Input `k`, averaged over point and reference where DeepLIFT wants that: ½(x + x₀).
    ///
    /// With it products add up, since Δ(a·b) = Δa·½(b + b₀) + Δb·½(a + a₀).
    pub fn averaged(&self, k: usize) -> Fallible<std::borrow::Cow<'_, [T]>> {
        let at = self.at.floats(k)?;
        if !self.rescales() {
            return Ok(at.into());
        }
        let there = self.reference.floats(k)?;
        let half = T::of(0.5);
        Ok(at.iter().zip(there).map(|(&a, &b)| half * (a + b)).collect::<Vec<T>>().into())
    }
}

/// The slope of the straight line through two points of a function, (f(x) − f(x₀))/(x − x₀): what DeepLIFT puts in
/// the place of a derivative. `None` where |x − x₀| < `near`, where the difference would be rounding.
pub(crate) fn secant(value: f64, value_there: f64, x: f64, x_there: f64, near: f64) -> Option<f64> {
    let step = x - x_there;
    (step.abs() >= near).then(|| (value - value_there) / step)
}

/// Below this difference of two arguments a line with a kink is taken to be straight.
pub(crate) const SAME: f64 = 1e-10;

/// What the winner of a maximum gets of DeepLIFT: all that the maximum moved, a step of the winner's: Δy/Δx.
///
/// Where x did not move: 1 if the maximum did not move either, else 0. The winner holds the maximum at the point where
/// y ≥ y₀, else at the reference, so that its own step is not 0 when the maximum moves.
pub(crate) fn winner<T: Number>(made: T, made_there: T, x: T, x_there: T) -> T {
    let (y, y0) = (made.wide(), made_there.wide());
    let kept = if y == y0 { 1.0 } else { 0.0 };
    T::of(secant(y, y0, x.wide(), x_there.wide(), SAME).unwrap_or(kept))
}
