//! A graph that can be run: which inputs it wants, which output has the classes, how it ends.
//!
//! # What is understood
//! Inputs by their names (`input_ids`, `attention_mask`, `token_type_ids`; for pictures the one of four dimensions), the
//! output with two dimensions of which the last has the classes; where several fit, the user names one. A graph is run with
//! any number of rows, unless it fixes one.
//!
//! # Errors
//! An operator that the runtime lacks, a graph that is damaged or wants inputs that nobody has: one line that names the file
//! and what was found.

use crate::answers::Answers;
use crate::files::wrong;
use crate::runtime::{Runtime, Wanted, guarded};
use lipex_core::{Error, Result};
use rten::{ThreadPool, Value};
use rten_onnx::onnx::{DataType, GraphProto, ModelProto, ValueInfoProto};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an input's or output's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole numbers, of 32 or 64 bits.
    Whole,
    /// Numbers with a fraction.
    Float,
    /// Bytes.
    Byte,
    /// Anything else: strings, sequences.
    Other,
}

/// An input or output of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// Its name in the graph.
    pub name: String,
    /// What its numbers are.
    pub kind: Kind,
    /// What the file says of its type, for messages.
    pub spelt: String,
    /// The axes' sizes, those that are fixed; empty where the file does not say.
    pub axes: Vec<Option<usize>>,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let axes: Vec<String> = self.axes.iter().map(|a| a.map_or("?".into(), |n| n.to_string())).collect();
        write!(f, "{} ({}: {})", self.name, axes.join("×"), self.spelt)
    }
}

/// The operator that makes the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Softmax,
    Sigmoid,
    /// A classifier of `ai.onnx.ml`, which gives probabilities.
    Classifier,
    Other,
}

/// A graph that is loaded.
pub(crate) struct Graph {
    pub file: PathBuf,
    /// What it wants.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// The output in use.
    pub output: Port,
    /// What its last operator makes of logits.
    pub ending: Ending,
    /// What runs it.
    runtime: Runtime,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("file", &self.file).field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Graph {
    /// Loads a graph; `output` names the output that has the classes.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is none, is cut short, has an operator that cannot be run (named), or no such
    /// output; for a runtime that is not there.
    pub fn load(file: &Path, output: Option<&str>, runtime: &Wanted, threads: usize) -> Result<Self> {
        let graph = parse(file)?;
        let (inputs, outputs) = (inputs(&graph), graph.output.iter().map(port).collect::<Vec<_>>());
        let output = choose(file, &outputs, output)?;
        let ending = ending(&graph, &output.name);
        drop(graph);
        let runtime = Runtime::load(file, &output.name, runtime, threads)?;
        Ok(Graph { file: file.to_path_buf(), inputs, outputs, output, ending, runtime })
    }

    /// What a graph wants, without a runtime.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is none or is cut short.
    pub fn inputs_of(file: &Path) -> Result<Vec<Port>> {
        parse(file).map(|graph| inputs(&graph))
    }

    /// The names of a graph's outputs that have fractional numbers, without a runtime.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that is none or is cut short.
    pub fn outputs_of(file: &Path) -> Result<Vec<String>> {
        let graph = parse(file)?;
        Ok(graph.output.iter().map(port).filter(|port| port.kind == Kind::Float).map(|port| port.name).collect())
    }

    /// What it is, for people: name and value.
    pub fn describe(&self, answers: &Answers) -> Vec<(&'static str, String)> {
        let list = |ports: &[Port]| ports.iter().map(Port::to_string).collect::<Vec<_>>().join(", ");
        vec![
            ("graph", self.file.display().to_string()),
            ("runtime", self.runtime.name()),
            ("inputs", list(&self.inputs)),
            ("outputs", list(&self.outputs)),
            ("in use", format!("{}, taken as {}", self.output.name, answers.taken_as())),
            ("classes", format!("{}: {}", answers.labels.len(), answers.labels.join(", "))),
        ]
    }

    /// What runs it, for people.
    #[cfg(feature = "gradients")]
    pub fn runtime_name(&self) -> String {
        self.runtime.name()
    }

    /// A complaint about the graph.
    pub fn wrong(&self, reason: impl Into<String>) -> Error {
        wrong(&self.file, reason)
    }

    /// The output's numbers for inputs of so many rows: rows × columns, and the number of columns.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails, or gives another shape.
    pub fn run(&self, inputs: Vec<(&str, Value)>, rows: usize, on: &Arc<ThreadPool>) -> Result<(Vec<f32>, usize)> {
        let (shape, numbers) = self.run_shaped(inputs, on)?;
        let columns = match *shape.as_slice() {
            [n, columns] if n == rows => columns,
            // One column may come without its axis.
            [n] if n == rows => 1,
            _ => return Err(self.misshapen(&shape, rows, "classes")),
        };
        Ok((numbers, columns))
    }

    /// The output's shape and its numbers.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails.
    pub fn run_shaped(&self, inputs: Vec<(&str, Value)>, on: &Arc<ThreadPool>) -> Result<(Vec<usize>, Vec<f32>)> {
        self.runtime.run(inputs, on).map_err(|reason| self.failed(&reason))
    }

    /// What is wrong with an output of this shape, which should have so many rows of `what`.
    pub fn misshapen(&self, shape: &[usize], rows: usize, what: &str) -> Error {
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        let name = &self.output.name;
        self.failed(&format!(
            "the output {name} is {shape}, not {rows} rows of {what}; another may have them: --output NAME"
        ))
    }

    fn failed(&self, reason: &str) -> Error {
        Error::model(format!("{}: {reason}", self.file.display()))
    }
}

/// A file as a graph.
fn parse(file: &Path) -> Result<GraphProto> {
    let read = std::fs::File::open(file).map_err(|e| wrong(file, format!("cannot be read: {e}")))?;
    crate::wire::check(&read).map_err(|reason| wrong(file, reason))?;
    let whole = guarded(|| ModelProto::parse_file(read).map_err(|e| e.to_string()));
    let whole = whole.map_err(|e| wrong(file, format!("is no ONNX graph, or one that is cut short: {e}")))?;
    whole.graph.ok_or_else(|| wrong(file, "is no ONNX graph: it has no nodes"))
}

/// The inputs that are to be given: weights may be listed as inputs too.
fn inputs(graph: &GraphProto) -> Vec<Port> {
    let weights: std::collections::HashSet<&str> = graph.initializer.iter().filter_map(|t| t.name.as_deref()).collect();
    graph.input.iter().map(port).filter(|p| !weights.contains(p.name.as_str())).collect()
}

/// An input or output by the runtime's description.
fn port(info: &ValueInfoProto) -> Port {
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let (kind, spelt) = match tensor.and_then(|t| t.elem_type) {
        Some(DataType::INT64 | DataType::INT32) => (Kind::Whole, "whole numbers"),
        Some(DataType::FLOAT | DataType::FLOAT16 | DataType::DOUBLE) => (Kind::Float, "fractional numbers"),
        Some(DataType::UINT8) => (Kind::Byte, "bytes"),
        Some(DataType::STRING) => (Kind::Other, "strings"),
        _ => (Kind::Other, "values of another type"),
    };
    let shape = tensor.and_then(|t| t.shape.as_ref());
    let axis = |value: Option<i64>| value.and_then(|v| usize::try_from(v).ok()).filter(|&v| v > 0);
    Port {
        name: info.name.clone().unwrap_or_default(),
        kind,
        spelt: spelt.into(),
        axes: shape.map(|s| s.dim.iter().map(|d| axis(d.dim_value)).collect()).unwrap_or_default(),
    }
}

/// The output that has the classes.
fn choose(file: &Path, outputs: &[Port], asked: Option<&str>) -> Result<Port> {
    let names = || outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(asked) = asked {
        let found = outputs.iter().find(|o| o.name == asked);
        return found.cloned().ok_or_else(|| {
            Error::setting("output", asked, format!("{} has no such output; it has {}", file.display(), names()))
        });
    }
    let floats: Vec<&Port> = outputs.iter().filter(|o| o.kind == Kind::Float).collect();
    match (outputs.iter().find(|o| o.name == "logits"), floats.as_slice()) {
        (Some(logits), _) => Ok(logits.clone()),
        (None, [one]) => Ok((*one).clone()),
        (None, []) => Err(wrong(file, format!("no output has fractional numbers; its outputs are: {}", names()))),
        (None, _) => Err(wrong(file, format!("which output has the classes? Say --output NAME, one of {}", names()))),
    }
}

/// The operator behind an output; casts and the like are looked through.
fn ending(graph: &GraphProto, output: &str) -> Ending {
    let mut name = output;
    for _ in 0..graph.node.len() {
        let Some(node) = graph.node.iter().find(|n| n.output.iter().any(|o| o == name)) else { break };
        match (node.op_type.as_deref(), node.input.first()) {
            (Some("Softmax"), _) => return Ending::Softmax,
            (Some("Sigmoid"), _) => return Ending::Sigmoid,
            (Some("Normalizer" | "LinearClassifier" | "TreeEnsembleClassifier" | "SVMClassifier"), _) => {
                return Ending::Classifier;
            }
            (Some("Cast" | "Identity" | "Reshape" | "Squeeze" | "Flatten"), Some(before)) => name = before,
            _ => break,
        }
    }
    Ending::Other
}
