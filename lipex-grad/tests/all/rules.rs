//! DeepLIFT adds up for every operator, between two points far apart.

use crate::operators::{bytes, cases, feeds};
use lipex_core::{Attribution, Attributions, Feature, GradientRule, Local, Output, Pool};
use lipex_grad::{DeepLift, InputXGradient, IntegratedGradients, Network, Point, Tensor, Way};

#[test]
fn deeplift_is_complete_for_every_operator() {
    let mut compared = 0;
    for case in cases().iter().filter(|c| !c["value"]["whole"].as_bool().unwrap()) {
        let (name, output) = (&case["name"], case["output"].as_str().unwrap());
        let network = Network::<f64>::read(&bytes(case)).unwrap();
        let fed = feeds::<f64>(case);
        // Another point, inside the domain of roots and logarithms.
        let there: Vec<(&str, Tensor<f64>)> = fed
            .iter()
            .map(|(name, value)| {
                let moved = value.as_floats().map(|v| {
                    let other = v.iter().enumerate().map(|(i, x)| 0.4 * x + 0.2 * (2.0 + (i as f64).sin()));
                    Tensor::floats(value.shape().to_vec(), other.collect()).unwrap()
                });
                (*name, moved.unwrap_or_else(|_| value.clone()))
            })
            .collect();
        let (at, reference) = (network.forward(&fed, output).unwrap(), network.forward(&there, output).unwrap());
        let weights: Vec<f64> = (0..at.value(output).unwrap().len()).map(|i| (1.7 * i as f64 + 0.3).sin()).collect();
        let names: Vec<&str> = fed.iter().filter(|(_, v)| v.as_floats().is_ok()).map(|(n, _)| *n).collect();
        if names.is_empty() {
            continue;
        }
        let multipliers = network.backward(&at, output, weights.clone(), &names, Way::Rescale(&reference)).unwrap();
        let mut sum = 0.0;
        for (name, m) in names.iter().zip(&multipliers) {
            let (x, x0) = (at.floats(name).unwrap(), reference.floats(name).unwrap());
            sum += m.iter().zip(x.iter().zip(x0)).map(|(m, (a, b))| m * (a - b)).sum::<f64>();
        }
        let of = |tape: &lipex_grad::Tape<f64>| {
            tape.floats(output).unwrap().iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>()
        };
        let moved = of(&at) - of(&reference);
        assert!((sum - moved).abs() <= 1e-9 * moved.abs().max(1.0), "{name}: {sum} for {moved}");
        compared += usize::from(moved.abs() > 1e-6);
    }
    assert!(compared > 80, "{compared}");
}

/// Of a linear graph every method that adds up says w·x.
#[test]
fn methods_agree_on_a_linear_graph() {
    let case = cases().into_iter().find(|c| c["name"] == "Conv one pixel in steps").unwrap();
    let network = Network::<f32>::read(&bytes(&case)).unwrap();
    // The kernel is an input of the test's graph: fixed here, beside the picture.
    let mut fed = feeds::<f32>(&case);
    let (kernel, picture) = (fed.pop().unwrap(), fed.pop().unwrap());
    let owners = vec![Some(0); 20];
    let fixed = vec![(kernel.0.to_string(), kernel.1)];
    let point = Point::new(&network, fixed, picture, "y", owners).unwrap();
    let features = vec![Feature { name: "all".into(), ..Feature::default() }];
    let whole = |method: &dyn Attribution| {
        let found = Attributions::pool(method, &point, &[Output::Logit(3)], features.clone(), Pool::Sum).unwrap();
        found.delta.iter().flatten().for_each(|d| assert!(d.abs() < 1e-5, "{d}"));
        found.scores[0][0]
    };
    let value = point.evaluate(point.point(), Output::Logit(3), GradientRule::Plain).unwrap()[0].value;
    assert!(value.abs() > 0.1);
    for method in [&DeepLift::default() as &dyn Attribution, &IntegratedGradients::default(), &InputXGradient] {
        assert!((whole(method) - value).abs() < 1e-5, "{:?}: {} for {value}", method.describe(), whole(method));
    }
    // A probability adds up too.
    let output = Output::Probability(2);
    let found = Attributions::pool(&DeepLift::default(), &point, &[output], features.clone(), Pool::Sum).unwrap();
    assert!(found.delta.unwrap()[0].abs() < 1e-5);
    assert!(point.evaluate(&[0.0; 7], output, GradientRule::Plain).is_err());
}
