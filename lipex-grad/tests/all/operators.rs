//! Each operator: forward as onnxruntime has it, backward as central differences in f64.

use lipex_grad::{Network, Number, OPERATORS, Status, Tensor, Way};
use serde_json::Value;
use std::collections::HashSet;

pub fn cases() -> Vec<Value> {
    let text = include_str!("../golden/operators.json");
    let mut all: Value = serde_json::from_str(text).unwrap();
    std::mem::take(all["cases"].as_array_mut().unwrap())
}

pub fn bytes(case: &Value) -> Vec<u8> {
    let hex = case["onnx"].as_str().unwrap();
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

pub fn tensor<T: Number>(told: &Value) -> Tensor<T> {
    let shape = told["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let values = told["values"].as_array().unwrap();
    match told["whole"].as_bool().unwrap() {
        true => Tensor::wholes(shape, values.iter().map(|v| v.as_i64().unwrap()).collect()).unwrap(),
        false => Tensor::floats(shape, values.iter().map(|v| T::of(v.as_f64().unwrap())).collect()).unwrap(),
    }
}

pub fn feeds<T: Number>(case: &Value) -> Vec<(&str, Tensor<T>)> {
    case["inputs"].as_object().unwrap().iter().map(|(name, told)| (name.as_str(), tensor(told))).collect()
}

fn forward_in<T: Number>(case: &Value) {
    let name = &case["name"];
    let network = Network::<T>::read(&bytes(case)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let output = case["output"].as_str().unwrap();
    let tape = network.forward(&feeds(case), output).unwrap_or_else(|e| panic!("{name}: {e}"));
    let (made, expected) = (tape.value(output).unwrap(), tensor::<f64>(&case["value"]));
    assert_eq!(made.shape(), expected.shape(), "{name}");
    match expected.as_wholes() {
        Ok(whole) => assert_eq!(made.as_wholes().unwrap(), whole, "{name}"),
        Err(_) => {
            for (a, b) in made.as_floats().unwrap().iter().zip(expected.as_floats().unwrap()) {
                assert!((a.wide() - b).abs() <= 2e-6 * b.abs().max(1.0), "{name}: {a:?} for {b}");
            }
        }
    }
}

#[test]
fn forward_as_onnxruntime() {
    let cases = cases();
    assert!(cases.len() > 100);
    for case in &cases {
        forward_in::<f32>(case);
        forward_in::<f64>(case);
    }
}

/// Σ weights·output.
fn weighted(network: &Network<f64>, case: &Value, feeds: &[(&str, Tensor<f64>)], weights: &[f64]) -> f64 {
    let output = case["output"].as_str().unwrap();
    let tape = network.forward(feeds, output).unwrap();
    tape.floats(output).unwrap().iter().zip(weights).map(|(y, w)| y * w).sum()
}

#[test]
fn backward_as_central_differences() {
    let step = 1e-5;
    let mut tried = HashSet::new();
    for case in cases().iter().filter(|c| !c["value"]["whole"].as_bool().unwrap()) {
        let (name, output) = (&case["name"], case["output"].as_str().unwrap());
        let network = Network::<f64>::read(&bytes(case)).unwrap();
        let fed = feeds::<f64>(case);
        let tape = network.forward(&fed, output).unwrap();
        let weights: Vec<f64> = (0..tape.value(output).unwrap().len()).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
        for at in 0..fed.len() {
            let Ok(values) = fed[at].1.as_floats() else { continue };
            let gradient = network.backward(&tape, output, weights.clone(), &[fed[at].0], Way::Plain);
            let gradient = gradient.unwrap_or_else(|e| panic!("{name}: {e}")).remove(0);
            assert_eq!(gradient.len(), values.len(), "{name}");
            for i in 0..values.len() {
                let moved = |by: f64| {
                    let mut fed = fed.clone();
                    let mut values = values.to_vec();
                    values[i] += by;
                    fed[at].1 = Tensor::floats(fed[at].1.shape().to_vec(), values).unwrap();
                    weighted(&network, case, &fed, &weights)
                };
                let difference = (moved(step) - moved(-step)) / (2.0 * step);
                let off = (gradient[i] - difference).abs();
                assert!(
                    off <= 2e-6 * difference.abs().max(1.0),
                    "{name}, input {at}, {i}: {} for {difference}",
                    gradient[i]
                );
            }
            if gradient.iter().any(|g| *g != 0.0) {
                tried.insert(case["operator"].as_str().unwrap().to_string());
            }
        }
    }
    let missing: Vec<&str> =
        OPERATORS.iter().filter(|(o, s)| *s != Status::Forward && !tried.contains(*o)).map(|(o, _)| *o).collect();
    assert_eq!(missing, Vec::<&str>::new(), "no gradient was compared");
}

#[test]
fn every_operator_has_a_case_and_a_row() {
    let cases = cases();
    let document = include_str!("../../../docs/onnx-gradients.md");
    let rows: Vec<&str> = document.lines().filter(|line| line.starts_with("| `")).collect();
    let told = |status| match status {
        Status::Differentiable => "forward and backward",
        Status::Rewritten => "made of others",
        Status::Forward => "forward only",
    };
    let expected: Vec<String> =
        OPERATORS.iter().map(|(operator, status)| format!("| `{operator}` | {} |", told(*status))).collect();
    let begins = rows.iter().zip(&expected).all(|(row, start)| row.starts_with(start));
    assert!(
        begins && rows.len() == expected.len(),
        "docs/onnx-gradients.md must have these rows:\n{}",
        expected.join("\n")
    );
    for (operator, _) in OPERATORS {
        assert!(cases.iter().any(|c| c["operator"] == operator), "{operator} has no case");
    }
}
