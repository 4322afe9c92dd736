//! Operators made of others when a graph is loaded, so that gradients and DeepLIFT's rules follow from those of the
//! parts.
//!
//! | operator | made of |
//! |---|---|
//! | LayerNormalization | d = x − mean x; y = d/√(mean d² + ε)·scale + shift |
//! | BatchNormalization | s = scale/√(variance + ε) a channel; y = x·s + (shift − mean·s) |
//! | GlobalAveragePool | the mean over all axes from the third on |
//! | Gelu | ½x(1 + erf(x/√2)), or with tanh |
//! | HardSwish | x·min(max(x/6 + ½, 0), 1) |
//! | LogSoftmax | s − ln Σeˢ, s = x − max x |
//! | Dropout | x |
//! | Split | a Slice a part |
//!
//! The rank of a tensor is not known here. Parts say `from` (all axes from one on) or go through a shape of rank 3.
//! Parts of constants only, as most of a BatchNormalization's are, are computed once, when the graph is loaded.
//!
//! # DeepLIFT
//! Multipliers of a rewritten operator are those of its parts in turn. They add up since each part's do.

use crate::number::Number;
use crate::onnx::{Attribute, Graph, Node};
use crate::tensor::{Fallible, Tensor};

/// Nodes that take one's place, under names that no file has.
struct Parts<'a, T> {
    graph: &'a mut Graph<T>,
    /// The node that is rewritten.
    node: Node<T>,
    /// Names that were made for it.
    made: usize,
    /// Its place among the file's nodes, which keeps names of two nodes apart.
    place: usize,
}

/// Rewrites every operator that is made of others.
///
/// Before version 13 a Softmax and a LogSoftmax take all axes from one on as a single one: they are marked `flat`.
///
/// # Errors
/// A node whose further outputs are used, or whose settings are not supported.
pub(crate) fn rewrite<T: Number>(graph: &mut Graph<T>) -> Fallible<()> {
    let nodes = std::mem::take(&mut graph.nodes);
    for (place, mut node) in nodes.into_iter().enumerate() {
        if graph.opset < 13 && matches!(node.operator.as_str(), "Softmax" | "LogSoftmax") {
            node.attributes.insert("flat".into(), Attribute::default());
        }
        if node.operator == "LogSoftmax"
            && node.attributes.contains_key("flat")
            && !node.attributes.contains_key("axis")
        {
            node.attributes.insert("axis".into(), Attribute { int: 1, ..Attribute::default() });
        }
        let told = told(&node);
        let mut parts = Parts { graph, node, made: 0, place };
        parts.node().map_err(|reason| format!("{told}: {reason}"))?;
    }
    Ok(())
}

/// An operator and its node, for messages.
pub(crate) fn told<T>(node: &Node<T>) -> String {
    format!("operator {} (node {})", node.operator, if node.name.is_empty() { "without a name" } else { &node.name })
}

impl<T: Number> Parts<'_, T> {
    /// Writes the node, or its parts, behind the graph's nodes.
    fn node(&mut self) -> Fallible<()> {
        let several = self.node.outputs.iter().skip(1).any(|o| !o.is_empty());
        if several && !matches!(self.node.operator.as_str(), "Split" | "Dropout" | "BatchNormalization") {
            return Err("makes several outputs, which is not supported".into());
        }
        match self.node.operator.as_str() {
            "LayerNormalization" => self.layer_normalization(),
            "BatchNormalization" => self.batch_normalization(),
            "GlobalAveragePool" => {
                let x = self.input(0)?;
                self.end("ReduceMean", &[&x], vec![int("from", 2)]);
                Ok(())
            }
            "Gelu" => self.gelu(),
            "HardSwish" => {
                let x = self.input(0)?;
                let gate = self.add("HardSigmoid", &[&x], vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]);
                self.end("Mul", &[&x, &gate], vec![]);
                Ok(())
            }
            "Dropout" => {
                let x = self.input(0)?;
                self.end("Identity", &[&x], vec![]);
                Ok(())
            }
            "LogSoftmax" => self.log_softmax(),
            "Split" => self.split(),
            _ => {
                let node = std::mem::take(&mut self.node);
                self.graph.nodes.push(node);
                Ok(())
            }
        }
    }

    /// The name of input `k`.
    fn input(&self, k: usize) -> Fallible<String> {
        let name = self.node.inputs.get(k).filter(|name| !name.is_empty());
        name.cloned().ok_or_else(|| format!("input {k} is missing"))
    }

    /// An attribute of the node.
    fn setting(&self, name: &str) -> Option<&Attribute<T>> {
        self.node.attributes.get(name)
    }

    /// A name that no file has: it has U+0001 within.
    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("{}\u{1}{}.{}", self.node.name, self.place, self.made)
    }

    /// A constant, and its name.
    fn constant(&mut self, value: Tensor<T>) -> String {
        let name = self.fresh();
        self.graph.constants.insert(name.clone(), value);
        name
    }

    /// A constant that is one number without axes, which goes with any shape.
    fn number(&mut self, value: f64) -> Fallible<String> {
        let value = Tensor::floats(vec![], vec![T::of(value)])?;
        Ok(self.constant(value))
    }

    /// A node behind the graph's, under the name of the one that it is part of, for messages.
    fn push(&mut self, operator: &str, inputs: &[&str], output: String, settings: Vec<(String, Attribute<T>)>) {
        self.graph.nodes.push(Node {
            operator: operator.into(),
            name: self.node.name.clone(),
            inputs: inputs.iter().map(|name| name.to_string()).collect(),
            outputs: vec![output],
            attributes: settings.into_iter().collect(),
        });
    }

    /// A part, and the name of what it makes.
    fn add(&mut self, operator: &str, inputs: &[&str], settings: Vec<(String, Attribute<T>)>) -> String {
        let output = self.fresh();
        self.push(operator, inputs, output.clone(), settings);
        output
    }

    /// The part that makes the node's own output.
    fn end(&mut self, operator: &str, inputs: &[&str], settings: Vec<(String, Attribute<T>)>) {
        let output = self.node.outputs.first().cloned().unwrap_or_default();
        self.push(operator, inputs, output, settings);
    }

    /// d = x − mean; y = d/√(mean d² + ε)·scale + shift.
    ///
    /// Means are over all axes from `axis` (the last) on; ε is 10⁻⁵ by default. The shift may be left out.
    fn layer_normalization(&mut self) -> Fallible<()> {
        let (x, scale, shift) = (self.input(0)?, self.input(1)?, self.input(2).ok());
        let axis = self.setting("axis").map_or(-1, |a| a.int);
        let epsilon = self.setting("epsilon").map_or(1e-5, |a| f64::from(a.float));
        let mean = self.add("ReduceMean", &[&x], vec![int("from", axis)]);
        let off = self.add("Sub", &[&x, &mean], vec![]);
        let square = self.add("Mul", &[&off, &off], vec![]);
        let variance = self.add("ReduceMean", &[&square], vec![int("from", axis)]);
        let epsilon = self.number(epsilon)?;
        let raised = self.add("Add", &[&variance, &epsilon], vec![]);
        let deviation = self.add("Sqrt", &[&raised], vec![]);
        let whitened = self.add("Div", &[&off, &deviation], vec![]);
        match shift {
            Some(shift) => {
                let scaled = self.add("Mul", &[&whitened, &scale], vec![]);
                self.end("Add", &[&scaled, &shift], vec![]);
            }
            None => self.end("Mul", &[&whitened, &scale], vec![]),
        }
        Ok(())
    }

    /// x·s + (shift − mean·s), s = scale/√(variance + ε), a number a channel.
    ///
    /// As at inference: mean and variance are inputs. x goes through images × channels × rest, so that s is a column.
    ///
    /// # Errors
    /// `training_mode`, fewer than five inputs.
    fn batch_normalization(&mut self) -> Fallible<()> {
        if self.setting("training_mode").is_some_and(|a| a.int != 0) {
            return Err("training_mode is not supported".into());
        }
        let names: Vec<String> = (0..5).map(|k| self.input(k)).collect::<Fallible<_>>()?;
        let [x, scale, shift, mean, variance] = names.as_slice() else { return Err("lacks inputs".into()) };
        let epsilon = self.setting("epsilon").map_or(1e-5, |a| f64::from(a.float));
        let epsilon = self.number(epsilon)?;
        let raised = self.add("Add", &[variance, &epsilon], vec![]);
        let deviation = self.add("Sqrt", &[&raised], vec![]);
        let factor = self.add("Div", &[scale, &deviation], vec![]);
        let moved = self.add("Mul", &[mean, &factor], vec![]);
        let offset = self.add("Sub", &[shift, &moved], vec![]);
        let column = self.constant(Tensor::wholes(vec![2], vec![-1, 1])?);
        let factor = self.add("Reshape", &[&factor, &column], vec![]);
        let offset = self.add("Reshape", &[&offset, &column], vec![]);
        let planes = self.constant(Tensor::wholes(vec![3], vec![0, 0, -1])?);
        let flat = self.add("Reshape", &[x, &planes], vec![]);
        let scaled = self.add("Mul", &[&flat, &factor], vec![]);
        let done = self.add("Add", &[&scaled, &offset], vec![]);
        let shape = self.add("Shape", &[x], vec![]);
        self.end("Reshape", &[&done, &shape], vec![]);
        Ok(())
    }

    /// ½x(1 + erf(x/√2)), or ½x(1 + tanh(√(2/π)(x + 0.044715x³))) where `approximate` is tanh.
    fn gelu(&mut self) -> Fallible<()> {
        let x = self.input(0)?;
        let inner = if self.setting("approximate").is_some_and(|a| a.text == "tanh") {
            let (cubic, three) = (self.number(0.044715)?, self.number(3.0)?);
            let factor = self.number((2.0 / std::f64::consts::PI).sqrt())?;
            let cube = self.add("Pow", &[&x, &three], vec![]);
            let small = self.add("Mul", &[&cube, &cubic], vec![]);
            let sum = self.add("Add", &[&x, &small], vec![]);
            let scaled = self.add("Mul", &[&sum, &factor], vec![]);
            self.add("Tanh", &[&scaled], vec![])
        } else {
            let root = self.number(std::f64::consts::FRAC_1_SQRT_2)?;
            let scaled = self.add("Mul", &[&x, &root], vec![]);
            self.add("Erf", &[&scaled], vec![])
        };
        let (one, half) = (self.number(1.0)?, self.number(0.5)?);
        let raised = self.add("Add", &[&inner, &one], vec![]);
        let halved = self.add("Mul", &[&x, &half], vec![]);
        self.end("Mul", &[&halved, &raised], vec![]);
        Ok(())
    }

    /// s − ln Σeˢ with s = x − max x: finite where the logarithm of a softmax would be −∞.
    fn log_softmax(&mut self) -> Fallible<()> {
        let x = self.input(0)?;
        let axis = self.setting("axis").map_or(-1, |a| a.int);
        let flat = self.setting("flat").is_some();
        let along = self.constant(Tensor::wholes(vec![1], vec![axis])?);
        let reduce = |parts: &mut Self, operator: &str, of: &str| match flat {
            true => parts.add(operator, &[of], vec![int("from", axis)]),
            false => parts.add(operator, &[of, &along], vec![]),
        };
        let most = reduce(self, "ReduceMax", &x);
        let less = self.add("Sub", &[&x, &most], vec![]);
        let raised = self.add("Exp", &[&less], vec![]);
        let sum = reduce(self, "ReduceSum", &raised);
        let log = self.add("Log", &[&sum], vec![]);
        self.end("Sub", &[&less, &log], vec![]);
        Ok(())
    }

    /// A Slice a part, of given sizes or of equal ones.
    ///
    /// # Errors
    /// Sizes that are no constants, fewer than parts, negative.
    fn split(&mut self) -> Fallible<()> {
        let x = self.input(0)?;
        let axis = self.setting("axis").map_or(0, |a| a.int);
        let outputs = std::mem::take(&mut self.node.outputs);
        let sizes: Option<Vec<i64>> = match self.node.inputs.get(1).filter(|name| !name.is_empty()) {
            Some(name) => {
                let sizes =
                    self.graph.constants.get(name).ok_or("its sizes are no constants, which is not supported")?;
                Some(sizes.as_wholes()?.to_vec())
            }
            None => self.setting("split").map(|a| a.ints.clone()),
        };
        let parts = outputs.len() as i64;
        let mut start = 0i64;
        for (i, output) in outputs.into_iter().enumerate() {
            let Some(sizes) = &sizes else {
                let settings = vec![int("axis", axis), int("part", i as i64), int("parts", parts)];
                self.push("Slice", &[&x], output, settings);
                continue;
            };
            let size = sizes.get(i).copied().filter(|s| (0..1 << 40).contains(s)).ok_or("has not a size a part")?;
            let end = start + size;
            let ends: Vec<String> = [start, end, axis]
                .iter()
                .map(|&v| Tensor::wholes(vec![1], vec![v]).map(|t| self.constant(t)))
                .collect::<Fallible<_>>()?;
            self.push("Slice", &[&x, &ends[0], &ends[1], &ends[2]], output, vec![]);
            start = end;
        }
        Ok(())
    }
}

/// A whole attribute and its name.
fn int<T>(name: &str, value: i64) -> (String, Attribute<T>) {
    (name.into(), Attribute { int: value, ..Attribute::default() })
}

/// A fractional attribute and its name.
fn float<T>(name: &str, value: f32) -> (String, Attribute<T>) {
    (name.into(), Attribute { float: value, ..Attribute::default() })
}
