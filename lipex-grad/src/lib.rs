//! ONNX classifiers run backwards: gradients of any graph, and attributions made of them.
//!
//! A [`Network`] reads an ONNX file, runs it and gives gradients with respect to any of its tensors; in pure Rust, without
//! unsafe code. docs/onnx-gradients.md lists the operators ([`OPERATORS`]).

mod network;
mod number;
mod onnx;
mod ops;
mod protobuf;
mod rewrite;
mod tensor;

pub use network::{Network, Tape, Way};
pub use number::Number;
pub use ops::{OPERATORS, Status};
pub use tensor::{Fallible, Tensor};
