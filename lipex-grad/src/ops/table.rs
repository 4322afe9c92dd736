//! The list of operators, as docs/onnx-gradients.md has it.

/// How an operator is supported.
///
/// ```
/// use lipex_grad::{OPERATORS, Status};
///
/// assert!(OPERATORS.contains(&("Conv", Status::Differentiable)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Forward and backward.
    Differentiable,
    /// Made of others when the graph is loaded, and so forward and backward.
    Rewritten,
    /// Forward; its result moves by jumps or not at all, so that no gradient passes.
    Forward,
}

/// Every operator that a graph may have, in alphabetical order, by its name in ONNX's standard domain.
///
/// A graph with any other is refused when it is read, by the names of operator and node.
///
/// ```
/// use lipex_grad::{OPERATORS, Status};
///
/// let status = |name| OPERATORS.iter().find(|(operator, _)| *operator == name).map(|(_, status)| *status);
/// assert_eq!(status("Gelu"), Some(Status::Rewritten));
/// assert_eq!(status("LSTM"), None);
/// ```
pub const OPERATORS: [(&str, Status); 62] = {
    use Status::{Differentiable as D, Forward as F, Rewritten as R};
    [
        ("Abs", D),
        ("Add", D),
        ("And", F),
        ("ArgMax", F),
        ("AveragePool", D),
        ("BatchNormalization", R),
        ("Cast", D),
        ("Clip", D),
        ("Concat", D),
        ("Constant", F),
        ("ConstantOfShape", F),
        ("Conv", D),
        ("Div", D),
        ("Dropout", R),
        ("Equal", F),
        ("Erf", D),
        ("Exp", D),
        ("Expand", D),
        ("Flatten", D),
        ("Gather", D),
        ("Gelu", R),
        ("Gemm", D),
        ("GlobalAveragePool", R),
        ("Greater", F),
        ("HardSigmoid", D),
        ("HardSwish", R),
        ("Identity", D),
        ("LayerNormalization", R),
        ("LeakyRelu", D),
        ("Less", F),
        ("Log", D),
        ("LogSoftmax", R),
        ("MatMul", D),
        ("Max", D),
        ("MaxPool", D),
        ("Min", D),
        ("Mul", D),
        ("Neg", D),
        ("Not", F),
        ("Or", F),
        ("Pad", D),
        ("Pow", D),
        ("Range", F),
        ("ReduceMax", D),
        ("ReduceMean", D),
        ("ReduceSum", D),
        ("Relu", D),
        ("Reshape", D),
        ("Shape", F),
        ("Sigmoid", D),
        ("Slice", D),
        ("Softmax", D),
        ("Softplus", D),
        ("Split", R),
        ("Sqrt", D),
        ("Squeeze", D),
        ("Sub", D),
        ("Tanh", D),
        ("Transpose", D),
        ("Trilu", D),
        ("Unsqueeze", D),
        ("Where", D),
    ]
};
