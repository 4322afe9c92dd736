//! ONNX classifiers run backwards: gradients of any graph, and attributions made of them.
//!
//! A [`Network`] reads an ONNX file, runs it and gives gradients with respect to any of its tensors; in pure Rust, without
//! unsafe code. docs/onnx-gradients.md lists the operators ([`OPERATORS`]).
//!
//! Around one input a network is a [`Point`], which the methods take: [`Saliency`], [`SmoothGrad`], [`Guided`],
//! [`InputXGradient`], [`IntegratedGradients`], [`GuidedIg`], [`DeepLift`]; of pictures [`GradCam`], [`BlurIg`], [`Xrai`].

mod cuts;
mod methods;
mod network;
mod number;
mod onnx;
mod ops;
mod point;
mod protobuf;
mod rewrite;
mod tensor;

pub use methods::{
    BlurIg, DeepLift, GradCam, Guided, GuidedIg, InputXGradient, IntegratedGradients, Saliency, SmoothGrad, Xrai,
};
pub use network::{Network, Tape, Way};
pub use number::Number;
pub use ops::{OPERATORS, Status};
pub use point::Point;
pub use tensor::{Fallible, Tensor};
