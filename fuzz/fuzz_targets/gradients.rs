//! Any bytes as an ONNX file that is to be run backwards: a network, or an error of one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lipex_grad::{Network, Tensor, Way};

fuzz_target!(|bytes: &[u8]| {
    let network = match Network::<f32>::read(bytes) {
        Ok(network) => network,
        Err(error) => return assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    };
    let (Some(input), Some(output)) = (network.inputs().first(), network.outputs().first()) else { return };
    let x = Tensor::floats(vec![1, 2, 3], vec![0.5, -1.0, 2.0, 0.0, 1.5, -0.25]).expect("six numbers");
    let Ok(tape) = network.forward(&[(input, x)], output) else { return };
    let Ok(made) = tape.floats(output) else { return };
    let _ = network.backward(&tape, output, vec![1.0; made.len()], &[input], Way::Plain);
    let _ = network.backward(&tape, output, vec![1.0; made.len()], &[input], Way::Rescale(&tape));
});
