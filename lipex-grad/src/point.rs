//! A network around one input: a function of one of its tensors.
//!
//! # Outputs
//! Of logits z, F is z_c, z_c − z_d, or a probability. The gradient that the network is run backwards with is ∂F/∂z:
//!
//! | F | ∂F/∂z |
//! |---|---|
//! | logit z_c | 1 at c |
//! | contrast z_c − z_d | 1 at c, −1 at d |
//! | probability p_c, p = softmax z | p_c(1 − p_c) at c, −p_c·p_k at k |
//! | probability σ(z_c), independent labels | σ(z_c)(1 − σ(z_c)) at c |
//!
//! # Numerics
//! The network is run in f32; F and ∂F/∂z are computed in f64 of its logits.
//!
//! # DeepLIFT
//! A probability between two runs starts from the multipliers of the softmax or of the sigmoid, not from a derivative,
//! so that scores add up to F(x) − F(x₀) for it too.

use crate::network::{Network, Tape, Way};
use crate::number::Number;
use crate::tensor::Tensor;
use lipex_core::{Error, Evaluation, GradientRule, Layer, Local, Output, Result, expect_len};

/// A network with everything fixed but one tensor, the point.
///
/// The point may be an input or any tensor within: the embeddings of tokens, for instance. It has one input's numbers,
/// with a leading axis of 1.
///
/// ```no_run
/// use lipex_core::{Attributions, Feature, Output, Pool};
/// use lipex_grad::{IntegratedGradients, Network, Point, Tensor};
///
/// let network = Network::<f32>::open("model.onnx")?;
/// let x = Tensor::floats(vec![1, 2, 3], vec![0.1; 6])?; // two tokens
/// let point = Point::new(&network, vec![], ("x", x), "logits", vec![Some(0), None])?;
/// let words = vec![Feature { name: "so".into(), ..Feature::default() }];
/// let found = Attributions::pool(&IntegratedGradients::default(), &point, &[Output::Logit(0)], words, Pool::Sum)?;
/// println!("{:?}, off by {:?}", found.scores, found.delta);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Point<'a> {
    network: &'a Network<f32>,
    /// What else is fed.
    fixed: Vec<(String, Tensor<f32>)>,
    /// The tensor that the point stands for.
    cut: String,
    /// Its value at the input itself.
    point: Tensor<f32>,
    /// The tensor of logits.
    logits: String,
    /// The feature of each token or pixel.
    owners: Vec<Option<u32>>,
    /// Whether each logit goes through a sigmoid of its own.
    independent: bool,
    /// Whether rules are captum's.
    captum: bool,
}

impl<'a> Point<'a> {
    /// A network around a tensor `at` (its name and value), with other feeds fixed. `owners` says the feature of each
    /// token (of a point 1 × tokens × dimensions) or pixel (1 × channels × height × width).
    ///
    /// Nothing is run yet: what the fixed feeds lack shows in the first evaluation.
    ///
    /// # Errors
    /// [`Error::Shape`] for a point of another number of axes, or not as many owners; [`Error::Model`] for names that
    /// the graph does not have.
    pub fn new(
        network: &'a Network<f32>,
        fixed: Vec<(String, Tensor<f32>)>,
        at: (&str, Tensor<f32>),
        logits: &str,
        owners: Vec<Option<u32>>,
    ) -> Result<Self> {
        let places = match at.1.shape() {
            &[1, tokens, _] => tokens,
            &[1, _, height, width] => height * width,
            other => {
                return Err(Error::shape("axes of the point (one input: 3 of a text, 4 of an image)", 3, other.len()));
            }
        };
        expect_len("owners of tokens or pixels", places, owners.len())?;
        at.1.as_floats().map_err(Error::model)?;
        for name in [at.0, logits] {
            if !network.has(name) {
                return Err(Error::model(format!("the graph has no tensor {name}")));
            }
        }
        Ok(Point {
            network,
            fixed,
            cut: at.0.into(),
            point: at.1,
            logits: logits.into(),
            owners,
            independent: false,
            captum: false,
        })
    }

    /// Labels that do not exclude each other: a probability is the sigmoid of its own logit, 1/(1 + e^(−z)). By default
    /// it is a softmax's.
    pub fn independent(self) -> Self {
        Point { independent: true, ..self }
    }

    /// Guided gradients and DeepLIFT's multipliers as captum 0.9.0 has them, which has rules for modules of few kinds and lets
    /// derivatives pass all else ([`Way::GuidedAsCaptum`], [`Way::RescaleAsCaptum`]). By default the rules are those of this
    /// crate, by which multipliers add up.
    pub fn as_captum(self) -> Self {
        Point { captum: true, ..self }
    }

    /// The run from a point.
    fn run(&self, point: Tensor<f32>) -> Result<Tape<f32>> {
        let mut feeds: Vec<(&str, Tensor<f32>)> = self.fixed.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        feeds.push((&self.cut, point));
        self.network.forward(&feeds, &self.logits)
    }

    /// The run from a point's numbers.
    fn from(&self, numbers: &[f32]) -> Result<Tape<f32>> {
        self.run(Tensor::floats(self.point.shape().to_vec(), numbers.to_vec()).map_err(Error::model)?)
    }

    /// An output's value and its gradient with respect to the logits.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that does not exist.
    fn seed(&self, tape: &Tape<f32>, output: Output) -> Result<(f64, Vec<f32>)> {
        let logits: Vec<f64> = tape.floats(&self.logits)?.iter().map(|&y| f64::from(y)).collect();
        let (value, mut seed) = (output.value(&logits)?, output.seed(&logits)?);
        if let (Output::Probability(class), true) = (output, self.independent) {
            let p = sigmoid(logits[class]);
            seed = vec![0.0; logits.len()];
            seed[class] = p * (1.0 - p);
            return Ok((p, seed.into_iter().map(|s| s as f32).collect()));
        }
        Ok((value, seed.into_iter().map(|s| s as f32).collect()))
    }

    /// The run from the reference that a rule has.
    fn reference(&self, rule: GradientRule<'_>) -> Result<Option<Tape<f32>>> {
        let GradientRule::Rescale { reference } = rule else { return Ok(None) };
        expect_len("numbers of the reference", self.point.len(), reference.len())?;
        self.from(reference).map(Some)
    }

    /// An output and its gradient after a run.
    fn backward(
        &self,
        tape: &Tape<f32>,
        output: Output,
        rule: GradientRule<'_>,
        reference: Option<&Tape<f32>>,
    ) -> Result<Evaluation> {
        let (value, mut seed) = self.seed(tape, output)?;
        let way = match (rule, reference, self.captum) {
            (GradientRule::Guided, _, false) => Way::Guided,
            (GradientRule::Guided, _, true) => Way::GuidedAsCaptum,
            (_, Some(reference), false) => Way::Rescale(reference),
            (_, Some(reference), true) => Way::RescaleAsCaptum(reference),
            _ => Way::Plain,
        };
        if let (Some(reference), Output::Probability(class), false) = (reference, output, self.captum) {
            let (at, there) = (tape.floats(&self.logits)?, reference.floats(&self.logits)?);
            seed = match self.independent {
                true => rescaled_sigmoid(at, there, class),
                false => rescaled_seed(at, there, class),
            };
        }
        let mut gradients = self.network.backward(tape, &self.logits, seed, &[&self.cut], way)?;
        Ok(Evaluation { value, gradient: gradients.pop().unwrap_or_default() })
    }

    /// Passes if the numbers are whole points.
    fn whole(&self, points: &[f32]) -> Result<usize> {
        let size = self.point.len().max(1);
        expect_len("numbers of whole points", points.len().div_ceil(size) * size, points.len())?;
        Ok(size)
    }
}

/// 1/(1 + e^(−x)).
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The multiplier of one label's sigmoid between two runs, (σ(z) − σ(z₀))/(z − z₀); its derivative at the middle where
/// the logits are closer than 10⁻⁶·max(|z|, 1).
fn rescaled_sigmoid(at: &[f32], there: &[f32], class: usize) -> Vec<f32> {
    let (y, y0) = (f64::from(at[class]), f64::from(there[class]));
    let middle = sigmoid(0.5 * (y + y0));
    let near = (y - y0).abs() < 1e-6 * y.abs().max(1.0);
    let multiplier = if near { middle * (1.0 - middle) } else { (sigmoid(y) - sigmoid(y0)) / (y - y0) };
    let mut seed = vec![0.0; at.len()];
    seed[class] = multiplier as f32;
    seed
}

/// A seed between two runs: of probabilities DeepLIFT needs the softmax's own multipliers, which these are.
fn rescaled_seed(at: &[f32], there: &[f32], class: usize) -> Vec<f32> {
    let wide = |v: &[f32]| v.iter().map(|&y| y.wide()).collect::<Vec<f64>>();
    let mut gradient = vec![0.0; at.len()];
    gradient[class] = 1.0;
    crate::ops::softmax_multipliers(&wide(at), &wide(there), &gradient).into_iter().map(|m| m as f32).collect()
}

impl Local for Point<'_> {
    fn point(&self) -> &[f32] {
        // Checked when it was made.
        self.point.as_floats().unwrap_or(&[])
    }

    fn shape(&self) -> &[usize] {
        &self.point.shape()[1..]
    }

    fn owners(&self) -> &[Option<u32>] {
        &self.owners
    }

    fn evaluate(&self, points: &[f32], output: Output, rule: GradientRule<'_>) -> Result<Vec<Evaluation>> {
        Ok(self.evaluate_each(points, &[output], rule)?.pop().unwrap_or_default())
    }

    /// A run a point, however many outputs: p points and c outputs take p runs forwards and p·c backwards. A reference
    /// is run once. Points are taken one after the other; one run's values are in memory.
    fn evaluate_each(
        &self,
        points: &[f32],
        outputs: &[Output],
        rule: GradientRule<'_>,
    ) -> Result<Vec<Vec<Evaluation>>> {
        let size = self.whole(points)?;
        let reference = self.reference(rule)?;
        let mut found: Vec<Vec<Evaluation>> = vec![Vec::new(); outputs.len()];
        for numbers in points.chunks_exact(size) {
            let tape = self.from(numbers)?;
            for (found, &output) in found.iter_mut().zip(outputs) {
                found.push(self.backward(&tape, output, rule, reference.as_ref())?);
            }
        }
        Ok(found)
    }

    /// Runs forwards only.
    fn values(&self, points: &[f32], output: Output) -> Result<Vec<f64>> {
        let size = self.whole(points)?;
        points.chunks_exact(size).map(|numbers| Ok(self.seed(&self.from(numbers)?, output)?.0)).collect()
    }

    /// The last tensor of four axes on the way to the logits before pooling or flattening: 1 × channels × height ×
    /// width, of more than one pixel. Its gradient is the derivative.
    fn layer(&self, output: Output, name: Option<&str>) -> Result<Layer> {
        let tape = self.run(self.point.clone())?;
        let is_plane = |name: &str| tape.value(name).is_ok_and(|v| matches!(v.shape(), &[1, _, h, w] if h * w > 1));
        let last = || self.network.nodes().rev().map(|(_, _, made)| made).find(|made| is_plane(made));
        let none = || {
            Error::setting("layer", name.unwrap_or("the last one"), "is no tensor of channels and planes of this graph")
        };
        let name = name.or_else(last).filter(|name| is_plane(name)).ok_or_else(none)?;
        let (_, seed) = self.seed(&tape, output)?;
        let mut gradients = self.network.backward(&tape, &self.logits, seed, &[name], Way::Plain)?;
        let value = tape.value(name)?;
        Ok(Layer {
            name: name.into(),
            shape: value.shape()[1..].to_vec(),
            activation: tape.floats(name)?.to_vec(),
            gradient: gradients.pop().unwrap_or_default(),
        })
    }
}
