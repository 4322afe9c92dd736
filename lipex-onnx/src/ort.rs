//! Graphs by onnxruntime, whose library is the user's and is loaded when it is first asked for.
//!
//! # Threads
//! One session, which spreads each call over its threads: calls come one at a time. Weights stand in memory once.

use crate::files::wrong;
use crate::library;
use crate::runtime::{Tensor, guarded};
use lipex_core::{Error, Result};
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::{OutputSelector, RunOptions, Session as Inner, SessionInputValue};
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor as Value, TensorElementType, ValueType};
use rten_tensor::Layout;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The library of this process and its environment; there can be one.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// A graph and the threads that run it.
pub(crate) struct Session {
    inner: Mutex<Inner>,
    /// The numbers that each input takes.
    types: Vec<(String, TensorElementType)>,
    /// The library's file.
    library: PathBuf,
}

/// The environment of the library that is wanted.
fn environment(named: Option<&Path>) -> Result<(PathBuf, Environment)> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some((file, environment)), None) = (&*loaded, named) {
        return Ok((file.clone(), environment.clone()));
    }
    let file = library::find(named)?;
    let fail = |reason: String| {
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Error::setting("onnx-runtime", file.display(), reason)
    };
    match &*loaded {
        Some((other, _)) if *other != file => {
            Err(fail(format!("{} is in use, and a process has one library", other.display())))
        }
        Some((_, environment)) => Ok((file, environment.clone())),
        None => {
            let made = guarded(|| {
                let builder = ort::init_from(&file).map_err(|e| format!("is no onnxruntime of use: {e}"))?;
                builder.with_telemetry(false).build().map_err(|e| e.to_string())
            });
            let environment = made.map_err(&fail)?;
            environment.set_log_level(LogLevel::Error);
            *loaded = Some((file.clone(), environment.clone()));
            Ok((file, environment))
        }
    }
}

impl Session {
    /// Loads a graph.
    ///
    /// # Errors
    /// [`Error::Setting`] where no library is, or one too old, or the graph cannot be run.
    pub fn load(file: &Path, named: Option<&Path>, threads: usize) -> Result<Self> {
        let (library, environment) = environment(named)?;
        let made = guarded(|| {
            let builder = Inner::builder(&environment).map_err(|e| e.to_string())?;
            let builder = builder.with_intra_threads(threads).map_err(|e| e.to_string())?;
            let builder = builder.with_deterministic_compute(true).map_err(|e| e.to_string())?;
            let mut builder = builder.with_log_level(LogLevel::Error).map_err(|e| e.to_string())?;
            builder.commit_from_file(file).map_err(|e| e.to_string())
        });
        let inner = made.map_err(|e| wrong(file, format!("the graph cannot be run: {e}")))?;
        let types = inner.inputs().iter().map(|input| match input.dtype() {
            ValueType::Tensor { ty, .. } => (input.name().to_string(), *ty),
            _ => (input.name().to_string(), TensorElementType::Undefined),
        });
        Ok(Session { types: types.collect(), inner: Mutex::new(inner), library })
    }

    /// The library.
    pub fn name(&self) -> String {
        format!("onnxruntime, {}", self.library.display())
    }

    /// The output's axes and numbers, or what went wrong.
    pub fn run(&self, inputs: Vec<(&str, rten::Value)>, output: &str) -> std::result::Result<Tensor, String> {
        let mut named: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for (name, value) in inputs {
            let wanted = self.types.iter().find(|(own, _)| own == name).map(|(_, ty)| *ty);
            let value = value_of(value, wanted.ok_or("it has lost an input")?);
            named.push((name, value.map_err(|e| format!("the input {name}: {e}"))?.into()));
        }
        let selected = OutputSelector::no_default().with(output);
        let options = RunOptions::new().map_err(|e| e.to_string())?.with_outputs(selected);
        let mut session = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run_with_options(named, &options).map_err(|e| e.to_string())?;
        let value = outputs.get(output).ok_or("it gave no output")?;
        let single = numbers::<f32>(value).map(|(shape, data)| (shape, data.to_vec()));
        let double = || numbers::<f64>(value).map(|(shape, data)| (shape, data.iter().map(|&x| x as f32).collect()));
        single.or_else(double).ok_or_else(|| format!("the output {output} has no numbers of 32 or 64 bits"))
    }
}

/// The axes and numbers of a value, if it is of that type.
fn numbers<T: PrimitiveTensorElementType>(value: &DynValue) -> Option<(Vec<usize>, &[T])> {
    let (shape, data) = value.try_extract_tensor::<T>().ok()?;
    Some((shape.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect(), data))
}

/// Numbers in the type that the graph takes.
fn value_of(value: rten::Value, wanted: TensorElementType) -> std::result::Result<DynValue, String> {
    use rten::Value as Own;
    let refused = || format!("onnxruntime wants {wanted} there, which is not given");
    match (value, wanted) {
        (Own::Int32Tensor(t), TensorElementType::Int32) => tensor(t.shape().to_vec(), t.into_data()),
        (Own::Int32Tensor(t), TensorElementType::Int64) => {
            tensor(t.shape().to_vec(), t.into_data().into_iter().map(i64::from).collect())
        }
        (Own::FloatTensor(t), TensorElementType::Float32) => tensor(t.shape().to_vec(), t.into_data()),
        (Own::FloatTensor(t), TensorElementType::Float64) => {
            tensor(t.shape().to_vec(), t.into_data().into_iter().map(f64::from).collect())
        }
        (Own::UInt8Tensor(t), TensorElementType::Uint8) => tensor(t.shape().to_vec(), t.into_data()),
        _ => Err(refused()),
    }
}

/// A tensor of the library.
fn tensor<T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static>(
    shape: Vec<usize>,
    data: Vec<T>,
) -> std::result::Result<DynValue, String> {
    Ok(Value::from_array((shape, data)).map_err(|e| e.to_string())?.into_dyn())
}
