//! Methods of small graphs as captum has them; golden/by_captum.py made the numbers.

use crate::operators::bytes;
use lipex_core::{Attribution, Output};
use lipex_grad::{DeepLift, GradCam, Guided, Network, Point, Tensor};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/by_captum.json")).unwrap();
    all[name].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The point of a case, a picture.
fn point<'a>(network: &'a Network<f32>, case: &Value) -> Point<'a> {
    let shape: Vec<usize> = numbers(&case["shape"]).iter().map(|&v| v as usize).collect();
    let x = Tensor::floats(shape.clone(), numbers(&case["x"]).iter().map(|&v| v as f32).collect()).unwrap();
    Point::new(network, vec![], ("x", x), "logits", vec![None; shape[2] * shape[3]]).unwrap()
}

#[test]
fn gradcam_of_the_last_layer_and_of_a_named_one() {
    let case = golden("gradcam");
    let network = Network::<f32>::read(&bytes(&case)).unwrap();
    let at = point(&network, &case);
    for (layer, method) in [("last", GradCam::default()), ("a", GradCam::default().layer("a"))] {
        for class in 0..3 {
            let expected = numbers(&case["layers"][layer][class]);
            let found = method.attribute(&at, Output::Logit(class)).unwrap();
            assert_eq!(found.len(), 3 * expected.len());
            // In equal parts for the channels.
            let map =
                (0..expected.len()).map(|i| (0..3).map(|k| f64::from(found[k * expected.len() + i])).sum::<f64>());
            let off = map.zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            println!(
                "{layer}, class {class}: off by {off:.1e} of {:.3}",
                expected.iter().fold(0.0f64, |m, v| m.max(*v))
            );
            assert!(off < 3e-7, "{layer}, class {class}: off by {off}");
        }
    }
    let message = GradCam::default().layer("flat").attribute(&at, Output::Logit(0)).unwrap_err().to_string();
    assert!(message.contains("flat") && message.contains("planes"), "{message}");
}

/// A graph with what captum has no rule for: ReLU6, a product, layer normalisation, softmax, GELU.
#[test]
fn rules_are_captums_where_that_is_asked_for() {
    let case = golden("mixed");
    let network = Network::<f32>::read(&bytes(&case)).unwrap();
    let base: Vec<f32> = numbers(&case["base"]).iter().map(|&v| v as f32).collect();
    let (own, captum) = (point(&network, &case), point(&network, &case).as_captum());
    let lift = DeepLift::default().base(base);
    let methods: [(&str, &dyn Attribution); 2] = [("deeplift", &lift), ("guided", &Guided)];
    for (name, method) in methods {
        for class in 0..3 {
            let expected = numbers(&case["scores"][name][class]);
            let largest = expected.iter().fold(0.0f64, |most, v| most.max(v.abs()));
            let off = |at: &Point<'_>| {
                let found = method.attribute(at, Output::Logit(class)).unwrap();
                assert_eq!(found.len(), expected.len());
                found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max) / largest
            };
            println!("{name}, class {class}: off by {:.1e}, by own rules {:.1e}", off(&captum), off(&own));
            assert!(off(&captum) < 1e-5 && off(&own) > 1e-3, "{name}, class {class}: {} {}", off(&captum), off(&own));
        }
    }
    // The own rules keep the sum, captum's do not.
    let gap = |at: &Point<'_>| {
        let sum: f64 = lift.attribute(at, Output::Logit(0)).unwrap().iter().map(|&s| f64::from(s)).sum();
        let total = lift.total(at, Output::Logit(0)).unwrap().unwrap();
        ((sum - total) / total).abs()
    };
    assert!(gap(&own) < 1e-4 && gap(&captum) > 0.01, "{} {}", gap(&own), gap(&captum));
}
