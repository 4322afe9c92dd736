//! What runs a graph: rten in pure Rust, or the user's libonnxruntime.
//!
//! # Numerics
//! Both compute in single precision; the sums' order is their own, so that answers differ in the last digits.

use crate::files::wrong;
use lipex_core::Result;
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which runtime the user wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The one that is built in.
    #[default]
    Rten,
    /// A libonnxruntime: this file or folder, or one of the usual places.
    OnnxRuntime(Option<PathBuf>),
}

impl Wanted {
    /// Calls that run side by side where `threads` are to be used: onnxruntime takes one at a time and spreads it itself.
    pub fn side_by_side(&self, threads: usize) -> usize {
        if *self == Wanted::Rten { threads } else { 1 }
    }
}

/// A graph that is loaded.
pub(crate) enum Runtime {
    /// With the output that is read.
    Rten(Box<Model>, NodeId),
    /// With the output's name.
    #[cfg(feature = "ort")]
    Ort(crate::ort::Session, String),
}

/// An output's axes and numbers.
pub(crate) type Tensor = (Vec<usize>, Vec<f32>);

impl Runtime {
    /// Loads a graph, to be read at `output`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a graph that the runtime cannot run, and for a library that is not there.
    pub fn load(file: &Path, output: &str, wanted: &Wanted, threads: usize) -> Result<Self> {
        match wanted {
            Wanted::Rten => {
                let model = guarded(|| ModelOptions::with_all_ops().load_file(file).map_err(|e| e.to_string()));
                let model = model.map_err(|e| wrong(file, format!("the graph cannot be run: {}", advice(&e))))?;
                let id = model.node_id(output).map_err(|e| wrong(file, e.to_string()))?;
                Ok(Runtime::Rten(Box::new(model), id))
            }
            #[cfg(feature = "ort")]
            Wanted::OnnxRuntime(library) => {
                let session = crate::ort::Session::load(file, library.as_deref(), threads)?;
                Ok(Runtime::Ort(session, output.into()))
            }
            #[cfg(not(feature = "ort"))]
            Wanted::OnnxRuntime(library) => {
                let (_, named) = (threads, library.as_deref().unwrap_or(Path::new("auto")).display());
                let reason = "this lipex was built without onnxruntime; build it with the feature ort: \
                              cargo install lipex-cli --features ort";
                Err(lipex_core::Error::setting("onnx-runtime", named, reason))
            }
        }
    }

    /// Which it is, for people.
    pub fn name(&self) -> String {
        match self {
            Runtime::Rten(..) => "rten".into(),
            #[cfg(feature = "ort")]
            Runtime::Ort(session, _) => session.name(),
        }
    }

    /// The output's axes and numbers, or what went wrong.
    pub fn run(&self, inputs: Vec<(&str, Value)>, on: &Arc<ThreadPool>) -> std::result::Result<Tensor, String> {
        match self {
            Runtime::Rten(model, id) => {
                let mut named = Vec::with_capacity(inputs.len());
                for (name, value) in inputs {
                    named.push((model.node_id(name).map_err(|e| e.to_string())?, value.into()));
                }
                let options = RunOptions::default().with_thread_pool(Some(on.clone()));
                let mut values = guarded(|| model.run(named, &[*id], Some(options)).map_err(|e| e.to_string()))?;
                let value = values.pop().ok_or("it gave no output")?;
                let tensor: rten_tensor::Tensor<f32> = value.try_into().map_err(|_| "the output has no numbers")?;
                use rten_tensor::Layout;
                Ok((tensor.shape().to_vec(), tensor.into_data()))
            }
            #[cfg(feature = "ort")]
            Runtime::Ort(session, output) => guarded(|| session.run(inputs, output)),
        }
    }
}

/// What a library did, its panics as errors: a file may hold anything.
pub(crate) fn guarded<T>(work: impl FnOnce() -> std::result::Result<T, String>) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it makes no sense".into()))
}

/// An operator that is not there is the user's to go round.
fn advice(error: &str) -> String {
    if error.contains("operator not supported") {
        return format!(
            "{error}; run it by onnxruntime (--onnx-runtime, docs/models.md) or by a program of your own: --model 'command:PROGRAM ARGS'"
        );
    }
    error.into()
}
