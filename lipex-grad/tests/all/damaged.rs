//! Bytes that are no graph, or half of one: an error in one line, never a panic.

use crate::operators::{bytes, cases, feeds};
use lipex_grad::Network;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Whole graphs with some bytes changed, cut anywhere, run where they still load.
    #[test]
    fn damaged_graphs_are_refused_or_run(which in 0usize..119, changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6), keep in 0.5f64..1.3) {
        let cases = cases();
        let case = &cases[which % cases.len()];
        let mut graph = bytes(case);
        for (at, byte) in changes {
            let at = at % graph.len();
            graph[at] = byte;
        }
        graph.truncate((keep * graph.len() as f64) as usize);
        let error = match Network::<f32>::read(&graph) {
            Ok(network) => match network.outputs().first().cloned() {
                Some(output) => network.forward(&feeds(case), &output).err(),
                None => None,
            },
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            prop_assert_eq!(error.to_string().lines().count(), 1);
        }
    }
}

#[test]
fn what_is_refused_says_why() {
    let mut graph = bytes(&cases()[0]);
    let at = graph.windows(3).position(|w| w == b"Add").unwrap();
    graph[at..at + 3].copy_from_slice(b"Odd");
    let error = Network::<f32>::read(&graph).unwrap_err().to_string();
    assert!(error.ends_with("operator Odd (node /it) is not supported"), "{error}");
    assert!(Network::<f32>::read(b"").unwrap_err().to_string().contains("no nodes"));
    assert!(Network::<f32>::read(b"\x3a\xff\xff").unwrap_err().to_string().contains("cut short"));
    let error = Network::<f32>::open("/nowhere.onnx").unwrap_err().to_string();
    assert!(error.starts_with("model = /nowhere.onnx: cannot be read"), "{error}");
}
