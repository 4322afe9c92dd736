//! The operators: forward and backward side by side, a file a family.
//!
//! # Backward
//! A backward is given the gradient of a node's output and returns those of the inputs that are asked for. Under
//! [`Rule::Rescale`](lipex_core::Rule) it has the node's values at the reference too, and returns DeepLIFT's multipliers, so
//! that Σ (x − x₀)·m is what the output moved by.

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
pub use table::{OPERATORS, Status};

/// A node with the values of its inputs.
pub(crate) struct Call<'a, T> {
    pub node: &'a Node<T>,
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
    /// The gradient of what it made.
    pub gradient: &'a [T],
    /// Which inputs' gradients are asked for.
    pub wanted: &'a [bool],
    pub rule: Passing,
}

/// How gradients pass what is not linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    Plain,
    Guided,
    Rescale,
}

/// Gradients of inputs, by their number.
pub(crate) type Gradients<T> = Vec<(usize, Vec<T>)>;

/// From the gradient of what a node made to those of its inputs.
pub(crate) type Backward<T> = fn(&Back<'_, T>) -> Fallible<Gradients<T>>;

/// One operator.
#[derive(Clone, Copy)]
pub(crate) struct Operator<T> {
    pub forward: fn(&Call<'_, T>) -> Fallible<Tensor<T>>,
    /// `None` for those whose result moves by jumps or not at all.
    pub backward: Option<Backward<T>>,
}

/// The operator of a name, after rewriting.
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
    pub fn operator(&self) -> &str {
        &self.node.operator
    }

    /// Input `k`, if it is given.
    pub fn given(&self, k: usize) -> Option<&'a Tensor<T>> {
        self.inputs.get(k).copied().flatten()
    }

    /// Input `k`.
    pub fn input(&self, k: usize) -> Fallible<&'a Tensor<T>> {
        self.given(k).ok_or_else(|| format!("input {k} is missing"))
    }

    /// The fractions of input `k`.
    pub fn floats(&self, k: usize) -> Fallible<&'a [T]> {
        self.input(k)?.as_floats().map_err(|reason| format!("input {k} {reason}"))
    }

    /// The first of input `k`'s numbers, of either type, if it is given.
    pub fn scalar(&self, k: usize) -> Fallible<Option<T>> {
        let Some(tensor) = self.given(k) else { return Ok(None) };
        let first = match tensor.as_floats() {
            Ok(v) => v.first().copied(),
            Err(_) => tensor.as_wholes()?.first().map(|&n| T::of(n as f64)),
        };
        first.map(Some).ok_or_else(|| format!("input {k} is empty"))
    }

    pub fn attribute(&self, name: &str) -> Option<&'a Attribute<T>> {
        self.node.attributes.get(name)
    }

    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |a| a.int)
    }

    pub fn float(&self, name: &str, default: f64) -> f64 {
        self.attribute(name).map_or(default, |a| f64::from(a.float))
    }

    pub fn text(&self, name: &str) -> &'a str {
        self.attribute(name).map_or("", |a| a.text.as_str())
    }

    /// Whole numbers that newer operators take as input `k` and older ones as an attribute.
    pub fn list(&self, k: usize, name: &str) -> Fallible<Option<&'a [i64]>> {
        match self.given(k) {
            Some(tensor) => Ok(Some(tensor.as_wholes()?)),
            None => Ok(self.attribute(name).map(|a| a.ints.as_slice())),
        }
    }
}

impl<T: Number> Back<'_, T> {
    pub fn wants(&self, k: usize) -> bool {
        self.wanted.get(k).copied().unwrap_or(false)
    }

    /// Whether values at a reference count.
    pub fn rescales(&self) -> bool {
        self.rule == Passing::Rescale
    }

    /// Input `k`, averaged over point and reference where DeepLIFT wants that.
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

/// The slope of a straight line through a place of two arguments: what DeepLIFT puts in the place of a derivative.
/// `None` where the arguments are too near each other for f32.
pub(crate) fn secant(value: f64, value_there: f64, x: f64, x_there: f64, near: f64) -> Option<f64> {
    let step = x - x_there;
    (step.abs() >= near).then(|| (value - value_there) / step)
}

/// Below this difference of two arguments a line with a kink is taken to be straight.
pub(crate) const SAME: f64 = 1e-10;

/// What the winner of a maximum gets of DeepLIFT: all that the maximum moved, a step of the winner's.
pub(crate) fn winner<T: Number>(made: T, made_there: T, x: T, x_there: T) -> T {
    let (y, y0) = (made.wide(), made_there.wide());
    let kept = if y == y0 { 1.0 } else { 0.0 };
    T::of(secant(y, y0, x.wide(), x_there.wide(), SAME).unwrap_or(kept))
}
