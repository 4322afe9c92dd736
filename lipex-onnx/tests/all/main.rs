//! All tests that run models, in one program.

mod bad_folders;
mod common;
mod damaged;
#[cfg(feature = "gradients")]
mod gradients;
mod onnxruntime;
mod own_models;
mod pairs;
mod shared_models;
