use super::*;
use lipex_core::{Attributions, Evaluation, Feature, Pool};

/// F = Σ w·x^power of a picture.
struct Sum {
    x: Vec<f32>,
    shape: Vec<usize>,
    owners: Vec<Option<u32>>,
    weights: Vec<f32>,
    power: i32,
}

impl Local for Sum {
    fn point(&self) -> &[f32] {
        &self.x
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn owners(&self) -> &[Option<u32>] {
        &self.owners
    }

    fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
        let one = |x: &[f32]| Evaluation {
            value: x.iter().zip(&self.weights).map(|(x, w)| f64::from(w * x.powi(self.power))).sum(),
            gradient: x
                .iter()
                .zip(&self.weights)
                .map(|(x, w)| w * self.power as f32 * x.powi(self.power - 1))
                .collect(),
        };
        Ok(points.chunks(self.x.len()).map(one).collect())
    }

    fn layer(&self, _: Output, _: Option<&str>) -> Result<Layer> {
        let (activation, gradient) = (vec![1.0, 2.0, -3.0, 4.0, 0.0, 1.0], vec![1.0, 0.0, 2.0, -1.0, -1.0, -1.0]);
        Ok(Layer { name: "planes".into(), shape: vec![2, 1, 3], activation, gradient })
    }
}

const IT: Output = Output::Logit(0);

#[test]
fn the_blurred_way_as_published() {
    // 4 × 4 × 3 numbers i/48, channels last where they are counted.
    let number = |k: usize| ((k % 16) * 3 + k / 16) as f32 / 48.0;
    let x: Vec<f32> = (0..48).map(number).collect();
    let picture = Sum { x, shape: vec![3, 4, 4], owners: vec![None; 16], weights: vec![1.0; 48], power: 2 };
    let method = BlurIg::new(2.0, 4).unwrap();
    let found = method.attribute(&picture, IT).unwrap();
    let at = |y: usize, x: usize| [0, 1, 2].map(|k| f64::from(found[16 * k + 4 * y + x]));
    let near = |found: [f64; 3], expected: [f64; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(at(0, 0), [-0.013421, -0.015071, -0.015721]), "{:?}", at(0, 0));
    assert!(near(at(3, 2), [0.853539, 0.892426, 0.932159]), "{:?}", at(3, 2));
    let sum: f64 = found.iter().map(|&v| f64::from(v)).sum();
    assert!((sum - 15.906837).abs() < 1e-5, "{sum}");
    // What it should be is what the picture has more than when it is blurred most.
    let fine = BlurIg::new(2.0, 400).unwrap();
    let total = fine.total(&picture, IT).unwrap().unwrap();
    let sum: f64 = fine.attribute(&picture, IT).unwrap().iter().map(|&v| f64::from(v)).sum();
    assert!((sum - total).abs() < 0.02 * total, "{sum} for {total}");
    assert!(BlurIg::new(0.0, 4).is_err() && BlurIg::new(2.0, 0).is_err());
}

#[test]
fn segments_have_the_mean_of_their_integrals() {
    // Two channels of 1 × 4 pixels; the numbers go from −1 to 3, so both integrals together go from 1.
    let (x, weights) = (vec![3.0, 1.0, 0.0, -1.0, 2.0, 1.0, 1.0, 0.0], vec![1.0, 1.0, 2.0, 1.0, 3.0, -4.0, 1.0, 1.0]);
    let owners = vec![Some(1), Some(1), Some(0), None];
    let picture = Sum { x, shape: vec![2, 1, 4], owners, weights, power: 1 };
    // w(x − 1): channels 2 0 −2 −2 and 3 0 0 −1, the larger 3 0 0 −1.
    let features = vec![Feature::default(), Feature::default()];
    let found = Attributions::pool(&Xrai::new(3).unwrap(), &picture, &[IT], features, Pool::Sum).unwrap();
    for (a, b) in found.scores[0].iter().chain(&found.outside).zip([0.0, 1.5, -1.0]) {
        assert!((a - b).abs() < 1e-6, "{found:?}");
    }
    // A pixel's number is its segment's, in both channels together.
    let numbers = Xrai::default().attribute(&picture, IT).unwrap();
    for (a, b) in numbers.iter().zip([0.75, 0.75, 0.0, -0.5, 0.75, 0.75, 0.0, -0.5]) {
        assert!((a - b).abs() < 1e-6, "{numbers:?}");
    }
    assert!(Xrai::new(0).is_err());
}

#[test]
fn both_ends_of_an_integral_are_among_its_points() {
    // F = x²: from 0 by two points the gradient's mean is x, from 2 it is x + 2.
    let picture = Sum {
        x: vec![0.0, 1.0, 2.0],
        shape: vec![1, 1, 3],
        owners: vec![Some(0), Some(1), Some(2)],
        weights: vec![1.0; 3],
        power: 2,
    };
    let numbers = Xrai::new(2).unwrap().attribute(&picture, IT).unwrap();
    // ½(x·x + (x − 2)(x + 2)) at 0, 1, 2.
    assert_eq!(numbers, [-2.0, -1.0, 2.0]);
}

#[test]
fn a_layer_is_weighed_cut_at_nothing_and_stretched() {
    let picture =
        Sum { x: vec![0.0; 12], shape: vec![2, 1, 6], owners: vec![None; 6], weights: vec![1.0; 12], power: 1 };
    // Weights 1 and −1: 1 − 4, 2 − 0, −3 − 1, of which 0 2 0 stay.
    let found = GradCam::default().attribute(&picture, IT).unwrap();
    let map = [0.0, 0.25, 0.75, 0.75, 0.25, 0.0];
    assert_eq!(found, [map, map].concat());
    let text = Sum { x: vec![0.0; 4], shape: vec![2, 2], owners: vec![None; 2], weights: vec![1.0; 4], power: 1 };
    for method in [&GradCam::default() as &dyn Attribution, &BlurIg::default(), &Xrai::default()] {
        assert!(method.attribute(&text, IT).unwrap_err().to_string().contains("is of photos"));
    }
}
