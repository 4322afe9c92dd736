//! An ONNX file as a graph: nodes, constants, what comes in and goes out.
//!
//! # Fields
//! By their numbers in `onnx.proto`. Model: 7 graph, 8 versions of operators. Graph: 1 nodes, 5 weights, 11 inputs,
//! 12 outputs. Node: 1 inputs, 2 outputs, 3 name, 4 operator, 5 attributes, 7 domain. All others are passed over, but
//! for a graph's 15, sparse weights, which are refused. Weights are constants, also where a file lists them as inputs.
//!
//! # What is read
//! f32, f16, bf16, f64, (u)int8, int32, int64 and bool, as raw bytes or as lists; everything is held as fractions of
//! the network's type (f64 weights are rounded in a network of f32) or as i64. Numbers in another file are refused.
//!
//! # Errors
//! A reason that completes the file's name or the weight's: "is no ONNX graph", "the weight w is cut short".

use crate::number::Number;
use crate::protobuf::{Fields, Value};
use crate::tensor::{Fallible, Tensor};
use half::{bf16, f16};
use std::collections::HashMap;

/// An attribute of a node; the fields that it does not have are empty.
#[derive(Clone, Debug)]
pub(crate) struct Attribute<T> {
    /// Field 2, `f`.
    pub float: f32,
    /// Field 3, `i`.
    pub int: i64,
    /// Field 8.
    pub ints: Vec<i64>,
    /// Field 7.
    pub floats: Vec<f32>,
    /// Field 4, `s`.
    pub text: String,
    /// Field 5, `t`: the value of a Constant or a ConstantOfShape.
    pub tensor: Option<Tensor<T>>,
}

impl<T> Default for Attribute<T> {
    fn default() -> Self {
        let (ints, floats) = (Vec::new(), Vec::new());
        Attribute { float: 0.0, int: 0, ints, floats, text: String::new(), tensor: None }
    }
}

/// A node: an operator, the names of what it takes (empty for what is left out) and of what it makes.
#[derive(Clone, Debug)]
pub(crate) struct Node<T> {
    /// Its name in the standard domain; behind `domain.` in any other, so that it is none that is supported.
    pub operator: String,
    /// The node's own name, for messages; may be empty.
    pub name: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    pub attributes: HashMap<String, Attribute<T>>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        let (inputs, outputs) = (Vec::new(), Vec::new());
        Node { operator: String::new(), name: String::new(), inputs, outputs, attributes: HashMap::new() }
    }
}

/// What a file has. Nodes are in the file's order, which ONNX demands to be one in which they can be run.
#[derive(Debug)]
pub(crate) struct Graph<T> {
    pub nodes: Vec<Node<T>>,
    pub constants: HashMap<String, Tensor<T>>,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// The version of the operators; 1 where the file does not say.
    pub opset: i64,
}

/// The graph of a file's bytes.
///
/// # Errors
/// Bytes that are none, types that are not read, numbers in other files.
pub(crate) fn read<T: Number>(bytes: &[u8]) -> Fallible<Graph<T>> {
    let (inputs, outputs) = (Vec::new(), Vec::new());
    let mut graph = Graph { nodes: Vec::new(), constants: HashMap::new(), inputs, outputs, opset: 1 };
    let mut found = false;
    for field in Fields(bytes) {
        match field? {
            (7, Value::Bytes(part)) => {
                found = true;
                contents(part, &mut graph)?;
            }
            (8, Value::Bytes(part)) => opset(part, &mut graph.opset)?,
            _ => {}
        }
    }
    if found && !graph.nodes.is_empty() { Ok(graph) } else { Err("is no ONNX graph: it has no nodes".into()) }
}

/// The version of the standard operators.
fn opset(bytes: &[u8], version: &mut i64) -> Fallible<()> {
    let (mut domain, mut number) = (String::new(), 1);
    for field in Fields(bytes) {
        match field? {
            (1, value) => domain = value.text().unwrap_or_default(),
            (2, Value::Number(n)) => number = n as i64,
            _ => {}
        }
    }
    if domain.is_empty() || domain == "ai.onnx" {
        *version = number;
    }
    Ok(())
}

/// The nodes, weights, inputs and outputs of a graph, added to `graph`.
fn contents<T: Number>(bytes: &[u8], graph: &mut Graph<T>) -> Fallible<()> {
    for field in Fields(bytes) {
        let (number, Value::Bytes(part)) = field? else { continue };
        match number {
            1 => graph.nodes.push(node(part)?),
            5 => {
                let (name, value) = tensor(part)?;
                graph.constants.insert(name, value);
            }
            11 => graph.inputs.push(first_text(part)?),
            12 => graph.outputs.push(first_text(part)?),
            15 => return Err("has sparse weights, which are not supported".into()),
            _ => {}
        }
    }
    // Old files list weights as inputs too.
    let constants = &graph.constants;
    graph.inputs.retain(|name| !constants.contains_key(name));
    Ok(())
}

/// The name of an input or output.
fn first_text(bytes: &[u8]) -> Fallible<String> {
    for field in Fields(bytes) {
        if let (1, value) = field? {
            return Ok(value.text().unwrap_or_default());
        }
    }
    Ok(String::new())
}

/// A node of its bytes.
fn node<T: Number>(bytes: &[u8]) -> Fallible<Node<T>> {
    let mut node = Node::default();
    for field in Fields(bytes) {
        let (number, value) = field?;
        match (number, value) {
            (1, value) => node.inputs.push(value.text().unwrap_or_default()),
            (2, value) => node.outputs.push(value.text().unwrap_or_default()),
            (3, value) => node.name = value.text().unwrap_or_default(),
            (4, value) => node.operator = value.text().unwrap_or_default(),
            (5, Value::Bytes(part)) => {
                let (name, value) = attribute(part)?;
                node.attributes.insert(name, value);
            }
            (7, value) => {
                let domain = value.text().unwrap_or_default();
                if !domain.is_empty() && domain != "ai.onnx" {
                    node.operator = format!("{domain}.{}", node.operator);
                }
            }
            _ => {}
        }
    }
    Ok(node)
}

/// An attribute and its name. Graphs within, as control flow has them, are passed over.
fn attribute<T: Number>(bytes: &[u8]) -> Fallible<(String, Attribute<T>)> {
    let (mut name, mut found) = (String::new(), Attribute::default());
    for field in Fields(bytes) {
        match field? {
            (1, value) => name = value.text().unwrap_or_default(),
            (2, Value::Four(four)) => found.float = f32::from_le_bytes(four),
            (3, Value::Number(n)) => found.int = n as i64,
            (4, value) => found.text = value.text().unwrap_or_default(),
            (5, Value::Bytes(part)) => found.tensor = Some(tensor(part)?.1),
            (7, value) => value.floats(&mut found.floats)?,
            (8, value) => value.wholes(&mut found.ints)?,
            _ => {}
        }
    }
    Ok((name, found))
}

/// What a tensor's fields hold, before its type says which of them counts.
#[derive(Default)]
struct Parts<'a> {
    name: String,
    dims: Vec<i64>,
    kind: u64,
    raw: Option<&'a [u8]>,
    floats: Vec<f32>,
    wholes: Vec<i64>,
    doubles: &'a [u8],
    external: bool,
}

/// A weight and its name.
fn tensor<T: Number>(bytes: &[u8]) -> Fallible<(String, Tensor<T>)> {
    let mut parts = Parts::default();
    for field in Fields(bytes) {
        match field? {
            (1, value) => value.wholes(&mut parts.dims)?,
            (2, Value::Number(kind)) => parts.kind = kind,
            (4, value) => value.floats(&mut parts.floats)?,
            (5 | 7, value) => value.wholes(&mut parts.wholes)?,
            (8, value) => parts.name = value.text().unwrap_or_default(),
            (9, Value::Bytes(raw)) => parts.raw = Some(raw),
            (10, Value::Bytes(doubles)) => parts.doubles = doubles,
            (13, _) | (14, Value::Number(1)) => parts.external = true,
            _ => {}
        }
    }
    let name = std::mem::take(&mut parts.name);
    let value = numbers(parts).map_err(|reason| format!("the weight {name} {reason}"))?;
    Ok((name, value))
}

/// f32, f64, f16 and bf16 are fractions; (u)int8, int32, int64 and bool whole numbers. Raw bytes are little-endian and
/// win over lists.
///
/// # Errors
/// Weights in another file, negative lengths, other types, another number of values than the shape has.
fn numbers<T: Number>(parts: Parts<'_>) -> Fallible<Tensor<T>> {
    if parts.external {
        return Err("is in another file, which is not supported; save the model as one file".into());
    }
    let shape: Option<Vec<usize>> = parts.dims.iter().map(|&d| usize::try_from(d).ok()).collect();
    let shape = shape.ok_or("has an axis of negative length")?;
    let wide = |value: f32| T::of(f64::from(value));
    // Half numbers in a list come as the bits of each.
    let half = |bits: &i64| wide(f16::from_bits(*bits as u16).to_f32());
    let bhalf = |bits: &i64| wide(bf16::from_bits(*bits as u16).to_f32());
    let floats: Vec<T> = match (parts.kind, parts.raw) {
        (1, Some(raw)) => each(raw, |b| wide(f32::from_le_bytes(b)))?,
        (1, None) => parts.floats.into_iter().map(wide).collect(),
        (10, Some(raw)) => each(raw, |b| wide(f16::from_le_bytes(b).to_f32()))?,
        (10, None) => parts.wholes.iter().map(half).collect(),
        (16, Some(raw)) => each(raw, |b| wide(bf16::from_le_bytes(b).to_f32()))?,
        (16, None) => parts.wholes.iter().map(bhalf).collect(),
        (11, raw) => each(raw.unwrap_or(parts.doubles), |b| T::of(f64::from_le_bytes(b)))?,
        (kind, raw) => return Tensor::wholes(shape, wholes(kind, raw, parts.wholes)?),
    };
    Tensor::floats(shape, floats)
}

/// Whole numbers by ONNX's number of their type: 2 u8, 3 i8, 6 i32, 7 i64, 9 bool.
fn wholes(kind: u64, raw: Option<&[u8]>, listed: Vec<i64>) -> Fallible<Vec<i64>> {
    Ok(match (kind, raw) {
        (2 | 3 | 6 | 7 | 9, None) => listed,
        (2 | 9, Some(raw)) => raw.iter().map(|&b| i64::from(b)).collect(),
        (3, Some(raw)) => raw.iter().map(|&b| i64::from(b as i8)).collect(),
        (6, Some(raw)) => each(raw, |b| i64::from(i32::from_le_bytes(b)))?,
        (7, Some(raw)) => each(raw, i64::from_le_bytes)?,
        _ => return Err(format!("has numbers of ONNX type {kind}, which is not supported")),
    })
}

/// Numbers of so many bytes each.
///
/// # Errors
/// Bytes left over.
fn each<const N: usize, V>(raw: &[u8], read: impl Fn([u8; N]) -> V) -> Fallible<Vec<V>> {
    match raw.as_chunks::<N>() {
        (whole, []) => Ok(whole.iter().map(|b| read(*b)).collect()),
        _ => Err("is cut short".into()),
    }
}
