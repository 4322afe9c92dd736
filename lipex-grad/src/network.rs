//! A graph that runs forwards and backwards.
//!
//! Reverse-mode differentiation: a run forwards keeps every value on a [`Tape`], a run backwards goes through the nodes
//! in the opposite order and gives each input of a node its share, x̄ += ȳ·∂y/∂x.
//!
//! # Cost
//! A product takes as many multiplications backwards as forwards for each factor whose gradient is needed; that of a
//! weight is computed only where it is asked for. The tape holds all tensors of a run; a gradient is freed once it is
//! passed on. Nodes are run one after the other, on one thread.
//!
//! # Determinism
//! The same input gives the same bits: no order depends on time or on a hash.

use crate::number::Number;
use crate::onnx::{Graph, Node, read};
use crate::ops::{Back, Call, Operator, Passing, operator};
use crate::rewrite::{rewrite, told};
use crate::tensor::{Fallible, Tensor};
use lipex_core::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// A node with its operator, and the numbers of its tensors.
struct Step<T> {
    node: Node<T>,
    operator: Operator<T>,
    /// `None` for an input that is left out.
    inputs: Vec<Option<usize>>,
    output: usize,
}

/// An ONNX graph that gives values and gradients of any of its tensors.
///
/// What depends on constants only is computed once, when it is loaded. Values may be fed in the place of *any* tensor:
/// what makes it is then not run. One input at a time; `T` is f32, or f64 for tests.
///
/// ```no_run
/// use lipex_grad::{Network, Tensor, Way};
///
/// let network = Network::<f32>::open("model.onnx")?;
/// let x = Tensor::floats(vec![1, 3], vec![0.1, 0.2, 0.3])?;
/// let tape = network.forward(&[("x", x)], "logits")?;
/// let logits = tape.floats("logits")?;
/// // The gradient of the first of two logits.
/// let gradients = network.backward(&tape, "logits", vec![1.0, 0.0], &["x"], Way::Plain)?;
/// assert_eq!(gradients[0].len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Network<T = f32> {
    steps: Vec<Step<T>>,
    /// A tensor's number by its name.
    numbers: HashMap<String, usize>,
    /// A tensor's name by its number.
    names: Vec<String>,
    /// Weights and what follows from them alone, by number; those that no step reads are dropped.
    constants: Vec<Option<Tensor<T>>>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// The values of one run, by the tensors' names. Constants stay with the network.
///
/// ```
/// use lipex_grad::{Network, Tensor};
///
/// let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// let picture = Tensor::floats(vec![1, 1, 8, 8], vec![0.5; 64])?;
/// let tape = network.forward(&[("pixel_values", picture)], "logits")?;
/// assert_eq!(tape.floats("logits")?.len(), 10);
/// assert_eq!(tape.value("flat")?.shape(), [1, 64]); // a tensor within
/// assert!(tape.value("embeddings").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tape<T = f32> {
    values: Vec<Option<Tensor<T>>>,
    numbers: HashMap<String, usize>,
}

/// How gradients pass what is not linear.
///
/// # Source
/// Guided: Springenberg, Dosovitskiy, Brox and Riedmiller 2015. Rescale: Shrikumar, Greenside and Kundaje 2017, with
/// rules for products, quotients and softmax by which multipliers add up too.
///
/// ```
/// use lipex_grad::{Network, Tensor, Way};
///
/// let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// let of = |grey: f32| Tensor::floats(vec![1, 1, 8, 8], vec![grey; 64]);
/// let grey = network.forward(&[("pixel_values", of(0.5)?)], "logits")?;
/// let black = network.forward(&[("pixel_values", of(0.0)?)], "logits")?;
/// let mut seven = vec![0.0; 10];
/// seven[7] = 1.0;
/// // What the logit moved by between black and grey, shared out among the pixels.
/// let multipliers = network.backward(&grey, "logits", seven, &["pixel_values"], Way::Rescale(&black))?;
/// let sum: f32 = multipliers[0].iter().map(|m| 0.5 * m).sum();
/// assert!((sum - (grey.floats("logits")?[7] - black.floats("logits")?[7])).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub enum Way<'a, T = f32> {
    /// As derivatives do.
    Plain,
    /// At ReLUs and clips from 0 on nothing negative passes (guided backpropagation).
    Guided,
    /// As DeepLIFT's multipliers do, against a run from a reference: Σ (x − x₀)·m is what the output moved by.
    Rescale(&'a Tape<T>),
    /// Guided as captum 0.9.0 has it: at Relu alone. Clips, ReLU6 among them, pass derivatives.
    GuidedAsCaptum,
    /// Multipliers as captum 0.9.0 has them: at Relu, LeakyRelu, Sigmoid, Tanh, Softplus and MaxPool. All else passes
    /// derivatives at the point: products, quotients, softmax, erf, clips. Multipliers then need not add up.
    RescaleAsCaptum(&'a Tape<T>),
}

/// What captum has a rule of DeepLIFT for.
const CAPTUM: [&str; 6] = ["Relu", "LeakyRelu", "Sigmoid", "Tanh", "Softplus", "MaxPool"];

impl<T> std::fmt::Debug for Network<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("inputs", &self.inputs).field("outputs", &self.outputs).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tape").field("tensors", &self.values.len()).finish_non_exhaustive()
    }
}

impl<T: Number> Tape<T> {
    /// The value of a tensor of the graph.
    ///
    /// # Errors
    /// [`Error::Model`] for a tensor that this run did not make.
    pub fn value(&self, name: &str) -> Result<&Tensor<T>> {
        let value = self.numbers.get(name).and_then(|&i| self.values[i].as_ref());
        value.ok_or_else(|| failed(format!("the graph made no {name}")))
    }

    /// The numbers of a tensor of fractions.
    ///
    /// # Errors
    /// [`Error::Model`] for a tensor that this run did not make, or of whole numbers.
    pub fn floats(&self, name: &str) -> Result<&[T]> {
        self.value(name)?.as_floats().map_err(|reason| failed(format!("{name} {reason}")))
    }
}

impl<T: Number> Network<T> {
    /// The network of a file.
    ///
    /// # Errors
    /// [`Error::Setting`] for a file that cannot be read; those of [`Network::read`].
    pub fn open(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref();
        let wrong = |reason: String| Error::setting("model", file.display(), reason);
        let bytes = std::fs::read(file).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        Self::load(&bytes).map_err(|reason| wrong(one_line(&reason)))
    }

    /// The network of the bytes of an ONNX file.
    ///
    /// # Errors
    /// [`Error::Setting`] in one line for bytes that are no graph, and for an operator that is not supported, by the
    /// names of operator and node.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        Self::load(bytes).map_err(|reason| Error::setting("model", "the ONNX graph", one_line(&reason)))
    }

    /// Reads, refuses what is not supported, rewrites, folds.
    fn load(bytes: &[u8]) -> Fallible<Self> {
        let mut graph = read::<T>(bytes)?;
        // Before any work.
        for node in &graph.nodes {
            if !crate::ops::OPERATORS.iter().any(|(name, _)| *name == node.operator) {
                return Err(format!("{} is not supported", told(node)));
            }
        }
        rewrite(&mut graph)?;
        let mut network = Network {
            steps: Vec::new(),
            numbers: HashMap::new(),
            names: Vec::new(),
            constants: Vec::new(),
            inputs: std::mem::take(&mut graph.inputs),
            outputs: std::mem::take(&mut graph.outputs),
        };
        network.fold(graph)?;
        Ok(network)
    }

    /// Numbers the tensors, and runs what depends on constants only.
    ///
    /// # Errors
    /// A node that fails on its constants.
    fn fold(&mut self, graph: Graph<T>) -> Fallible<()> {
        for (name, value) in graph.constants {
            let at = self.number(&name);
            self.constants[at] = Some(value);
        }
        for name in self.inputs.clone() {
            self.number(&name);
        }
        for node in graph.nodes {
            let inputs: Vec<Option<usize>> =
                node.inputs.iter().map(|name| (!name.is_empty()).then(|| self.number(name))).collect();
            let name = node.outputs.first().cloned().unwrap_or_default();
            let output = self.number(&name);
            let operator = operator(&node.operator).ok_or_else(|| format!("{} is not supported", told(&node)))?;
            let step = Step { node, operator, inputs, output };
            if step.inputs.iter().flatten().all(|&i| self.constants[i].is_some()) {
                let call = call(&step, &self.constants, &self.constants);
                let made = (operator.forward)(&call).map_err(|reason| format!("{}: {reason}", told(&step.node)))?;
                self.constants[output] = Some(made);
            } else {
                self.steps.push(step);
            }
        }
        let mut used = vec![false; self.names.len()];
        self.steps.iter().flat_map(|s| s.inputs.iter().flatten()).for_each(|&i| used[i] = true);
        self.outputs.iter().filter_map(|name| self.numbers.get(name)).for_each(|&i| used[i] = true);
        self.constants.iter_mut().zip(used).filter(|(_, used)| !used).for_each(|(c, _)| *c = None);
        Ok(())
    }

    /// The number of a name, a new one where it has none.
    fn number(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        self.numbers.insert(name.into(), self.names.len());
        self.names.push(name.into());
        self.constants.push(None);
        self.names.len() - 1
    }

    /// The names of what it takes.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// The names of what it gives.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Whether a tensor of that name is in the graph.
    pub fn has(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    /// A tensor's name as it is kept here.
    pub(crate) fn name(&self, name: &str) -> Option<&str> {
        self.numbers.get(name).map(|&i| self.names[i].as_str())
    }

    /// For looking at the graph: each node that is run, as operator, inputs (constants and absent ones are empty) and
    /// output.
    pub(crate) fn nodes(&self) -> impl DoubleEndedIterator<Item = (&str, Vec<&str>, &str)> {
        self.steps.iter().map(|step| {
            let name = |i: &Option<usize>| match i {
                Some(i) if self.constants[*i].is_none() => self.names[*i].as_str(),
                _ => "",
            };
            (step.node.operator.as_str(), step.inputs.iter().map(name).collect(), self.names[step.output].as_str())
        })
    }

    /// Runs it up to a tensor, with values in the place of any tensors.
    ///
    /// Only nodes that `upto` needs are run, and none that makes a tensor that is fed. Shapes are checked by the
    /// operators, not against those that the file declares.
    ///
    /// # Errors
    /// [`Error::Model`] that names operator and node where values do not go together, and what was not fed.
    pub fn forward(&self, feeds: &[(&str, Tensor<T>)], upto: &str) -> Result<Tape<T>> {
        let unknown = |name: &str| failed(format!("the graph has no tensor {name}"));
        let mut values: Vec<Option<Tensor<T>>> = vec![None; self.names.len()];
        for (name, value) in feeds {
            let at = *self.numbers.get(*name).ok_or_else(|| unknown(name))?;
            values[at] = Some(value.clone());
        }
        let end = *self.numbers.get(upto).ok_or_else(|| unknown(upto))?;
        let mut needed = vec![false; self.names.len()];
        needed[end] = true;
        for step in self.steps.iter().rev().filter(|s| values[s.output].is_none()) {
            if needed[step.output] {
                step.inputs.iter().flatten().for_each(|&i| needed[i] = true);
            }
        }
        for step in &self.steps {
            if !needed[step.output] || values[step.output].is_some() {
                continue;
            }
            let absent = step.inputs.iter().flatten().find(|&&i| values[i].is_none() && self.constants[i].is_none());
            if let Some(&i) = absent {
                return Err(failed(format!("{} was not given", self.names[i])));
            }
            let call = call(step, &values, &self.constants);
            let made = (step.operator.forward)(&call);
            let made = made.map_err(|reason| failed(format!("{}: {reason}", told(&step.node))))?;
            values[step.output] = Some(made);
        }
        if values[end].is_none() {
            values[end] = self.constants[end].clone();
        }
        Ok(Tape { values, numbers: self.numbers.clone() })
    }

    /// Gradients of Σ seed·output with respect to tensors, in their order; zeros where nothing arrives.
    ///
    /// # Shapes
    /// `seed` has as many numbers as `output`, each gradient as many as its tensor. Weights and other
    /// constants may be among `wrt`.
    ///
    /// # Numerics
    /// In T. What a tensor gets from several nodes is added up in the opposite order of the nodes.
    ///
    /// # Errors
    /// [`Error::Model`] for tensors that the run did not make and where no gradient passes, [`Error::Shape`] for
    /// another number of seeds.
    pub fn backward(
        &self,
        tape: &Tape<T>,
        output: &str,
        seed: Vec<T>,
        wrt: &[&str],
        way: Way<'_, T>,
    ) -> Result<Vec<Vec<T>>> {
        lipex_core::expect_len("seeds of the gradient", tape.value(output)?.len(), seed.len())?;
        let mut asked = vec![false; self.names.len()];
        for name in wrt {
            tape.floats(name).or_else(|e| self.parameter(name).ok_or(e))?;
            asked[self.numbers[*name]] = true;
        }
        let active = self.active(tape, &asked);
        let mut gradients: Vec<Option<Vec<T>>> = vec![None; self.names.len()];
        gradients[self.numbers[output]] = Some(seed);
        for step in self.steps.iter().rev() {
            let wanted: Vec<bool> = step.inputs.iter().map(|i| i.is_some_and(|i| active[i])).collect();
            // What was fed has no producer here: its gradient stays where it is.
            if !active[step.output] || !wanted.contains(&true) || gradients[step.output].is_none() {
                continue;
            }
            let held = &mut gradients[step.output];
            let gradient = if asked[step.output] { held.clone() } else { held.take() };
            let passed = self.pass(step, tape, &gradient.unwrap_or_default(), &wanted, way);
            for (k, part) in passed.map_err(|reason| failed(format!("{}: {reason}", told(&step.node))))? {
                if let Some(place) = step.inputs.get(k).copied().flatten().filter(|_| wanted[k]) {
                    add(&mut gradients[place], part);
                }
            }
        }
        let of = |name: &&str| {
            let len = || tape.value(name).map_or_else(|_| self.parameter(name).map_or(0, <[T]>::len), Tensor::len);
            gradients[self.numbers[*name]].clone().unwrap_or_else(|| vec![T::zero(); len()])
        };
        Ok(wrt.iter().map(of).collect())
    }

    /// The numbers of a constant.
    fn parameter(&self, name: &str) -> Option<&[T]> {
        self.constants[*self.numbers.get(name)?].as_ref()?.as_floats().ok()
    }

    /// Tensors of fractions that depend on what is asked for: those that a gradient has to pass.
    fn active(&self, tape: &Tape<T>, asked: &[bool]) -> Vec<bool> {
        let mut active = asked.to_vec();
        for step in &self.steps {
            let made = tape.values[step.output].as_ref().is_some_and(|v| v.as_floats().is_ok());
            let depends = step.inputs.iter().flatten().any(|&i| active[i]);
            if made && depends {
                active[step.output] = true;
            }
        }
        active
    }

    /// One node backwards.
    ///
    /// # Errors
    /// An operator without a backward, a tensor of another shape at the reference.
    fn pass(
        &self,
        step: &Step<T>,
        tape: &Tape<T>,
        gradient: &[T],
        wanted: &[bool],
        way: Way<'_, T>,
    ) -> Fallible<Vec<(usize, Vec<T>)>> {
        let backward = step.operator.backward.ok_or("passes no gradient")?;
        let (there, rule) = match way {
            Way::Plain => (tape, Passing::Plain),
            Way::Guided => (tape, Passing::Guided),
            Way::Rescale(reference) => (reference, Passing::Rescale),
            Way::GuidedAsCaptum if step.node.operator == "Relu" => (tape, Passing::Guided),
            Way::RescaleAsCaptum(reference) if CAPTUM.contains(&step.node.operator.as_str()) => {
                (reference, Passing::Rescale)
            }
            Way::GuidedAsCaptum | Way::RescaleAsCaptum(_) => (tape, Passing::Plain),
        };
        let made = |tape: &'_ Tape<T>| tape.values[step.output].clone().ok_or("was not run");
        let (made, made_there) = (made(tape)?, made(there)?);
        if made.shape() != made_there.shape() {
            return Err("has another shape at the reference".into());
        }
        backward(&Back {
            at: call(step, &tape.values, &self.constants),
            made: &made,
            reference: call(step, &there.values, &self.constants),
            made_there: &made_there,
            gradient,
            wanted,
            rule,
        })
    }
}

/// A file's names may hold anything, and a message is one line.
fn one_line(reason: &str) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    reason.chars().map(plain).collect()
}

/// The run failed.
fn failed(reason: String) -> Error {
    Error::model(one_line(&reason))
}

/// A node with its inputs' values.
fn call<'a, T: Number>(
    step: &'a Step<T>,
    values: &'a [Option<Tensor<T>>],
    constants: &'a [Option<Tensor<T>>],
) -> Call<'a, T> {
    let value = |i: &Option<usize>| i.and_then(|i| values[i].as_ref().or(constants[i].as_ref()));
    Call { node: &step.node, inputs: step.inputs.iter().map(value).collect() }
}
/// Adds a part to a gradient that may not have any yet.
fn add<T: Number>(sum: &mut Option<Vec<T>>, part: Vec<T>) {
    match sum {
        Some(sum) => sum.iter_mut().zip(&part).for_each(|(s, &p)| *s += p),
        empty => *empty = Some(part),
    }
}
