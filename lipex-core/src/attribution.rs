//! Attributions by gradients: a model that can be looked into, and what is made of its gradients.
//!
//! A [`WhiteBox`] is a model around one instance; [`WhiteBox::at`] fixes what does not move (token ids, masks, sizes) and gives
//! a [`Local`]: a function of one point, the embeddings of tokens or the numbers of pixels. An [`Attribution`] makes a score
//! for each number of the point; [`Attributions::pool`] sums them up to features.

mod pool;

pub use pool::{Attributions, Gather, Pool};

use crate::describe::Describe;
use crate::error::{Error, Result};

/// The number that is attributed: a function of the model's logits.
///
/// ```
/// use lipex_core::Output;
///
/// let logits = [2.0, 0.0, 0.0];
/// assert_eq!(Output::Logit(0).value(&logits)?, 2.0);
/// let contrast = Output::Contrast { of: 0, against: 1 };
/// assert_eq!((contrast.value(&logits)?, contrast.seed(&logits)?), (2.0, vec![1.0, -1.0, 0.0]));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A class's logit.
    Logit(usize),
    /// A class's probability, by a softmax over the logits.
    Probability(usize),
    /// The difference of two classes' logits.
    Contrast {
        /// The class that is explained.
        of: usize,
        /// The class that it is explained against.
        against: usize,
    },
}

impl Output {
    /// Passes if its classes are among so many.
    fn check(self, classes: usize) -> Result<()> {
        let largest = match self {
            Output::Logit(class) | Output::Probability(class) => class,
            Output::Contrast { of, against } => of.max(against),
        };
        if largest < classes {
            return Ok(());
        }
        Err(Error::shape("class (below the number of classes)", classes, largest))
    }

    /// Its value.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that does not exist.
    pub fn value(self, logits: &[f64]) -> Result<f64> {
        self.check(logits.len())?;
        Ok(match self {
            Output::Logit(class) => logits[class],
            Output::Probability(class) => softmax(logits)[class],
            Output::Contrast { of, against } => logits[of] - logits[against],
        })
    }

    /// Its gradient with respect to the logits.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that does not exist.
    pub fn seed(self, logits: &[f64]) -> Result<Vec<f64>> {
        self.check(logits.len())?;
        let mut seed = vec![0.0; logits.len()];
        match self {
            Output::Logit(class) => seed[class] = 1.0,
            Output::Probability(class) => {
                let p = softmax(logits);
                seed.iter_mut().zip(&p).for_each(|(s, q)| *s = -p[class] * q);
                seed[class] += p[class];
            }
            Output::Contrast { of, against } => {
                seed[of] += 1.0;
                seed[against] -= 1.0;
            }
        }
        Ok(seed)
    }
}

/// Probabilities of logits.
fn softmax(logits: &[f64]) -> Vec<f64> {
    let mut row = logits.to_vec();
    crate::fit::softmax_in_place(&mut row);
    row
}

/// How gradients pass what is not linear.
///
/// ```
/// # use lipex_core::{Evaluation, GradientRule, Local, Output, Result};
/// # struct Line;
/// # impl Local for Line {
/// #     fn point(&self) -> &[f32] {
/// #         &[1.0, 3.0]
/// #     }
/// #     fn shape(&self) -> &[usize] {
/// #         &[1, 2]
/// #     }
/// #     fn owners(&self) -> &[Option<u32>] {
/// #         &[Some(0)]
/// #     }
/// #     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
/// #         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
/// #         Ok(points.chunks(2).map(at).collect())
/// #     }
/// # }
/// // Without anything that is not linear every rule gives the derivative.
/// let point = Line.point().to_vec();
/// let plain = Line.evaluate(&point, Output::Logit(0), GradientRule::Plain)?;
/// let against_zero = GradientRule::Rescale { reference: &[0.0, 0.0] };
/// assert_eq!(Line.evaluate(&point, Output::Logit(0), against_zero)?, plain);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GradientRule<'a> {
    /// As derivatives do.
    Plain,
    /// At ReLUs and clips from 0 on nothing negative passes (guided backpropagation).
    Guided,
    /// DeepLIFT's multipliers against a reference point: Σ (x − x₀)·m is what the output moved by.
    Rescale {
        /// The reference point x₀, as many numbers as the point has.
        reference: &'a [f32],
    },
}

/// An output at a point, and its gradient there.
///
/// ```
/// # use lipex_core::{Evaluation, GradientRule, Local, Output, Result};
/// # struct Line;
/// # impl Local for Line {
/// #     fn point(&self) -> &[f32] {
/// #         &[1.0, 3.0]
/// #     }
/// #     fn shape(&self) -> &[usize] {
/// #         &[1, 2]
/// #     }
/// #     fn owners(&self) -> &[Option<u32>] {
/// #         &[Some(0)]
/// #     }
/// #     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
/// #         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
/// #         Ok(points.chunks(2).map(at).collect())
/// #     }
/// # }
/// // A function of two numbers, 2a − b, at a point and at 0.
/// let found = Line.evaluate(&[1.0, 3.0, 0.0, 0.0], Output::Logit(0), GradientRule::Plain)?;
/// assert_eq!((found[0].value, found[1].value), (-1.0, 0.0));
/// assert_eq!(found[0].gradient, [2.0, -1.0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The output.
    pub value: f64,
    /// A number for each of the point; multipliers under [`GradientRule::Rescale`].
    pub gradient: Vec<f32>,
}

/// A layer within a model, for GradCAM.
///
/// ```
/// use lipex_core::Layer;
///
/// // Two channels of 1 × 2 pixels. GradCAM weighs each channel by the mean of its gradient.
/// let layer = Layer {
///     name: "features".into(),
///     shape: vec![2, 1, 2],
///     activation: vec![1.0, 0.0, 0.0, 2.0],
///     gradient: vec![0.5, 0.5, -1.0, -1.0],
/// };
/// let mut map = [0.0; 2];
/// for (activation, gradient) in layer.activation.chunks(2).zip(layer.gradient.chunks(2)) {
///     let weight = gradient.iter().sum::<f32>() / 2.0;
///     map.iter_mut().zip(activation).for_each(|(m, a)| *m += weight * a);
/// }
/// assert_eq!(map, [0.5, -2.0]);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// The tensor's name.
    pub name: String,
    /// Channels, height, width.
    pub shape: Vec<usize>,
    /// What the layer is at the point.
    pub activation: Vec<f32>,
    /// The output's gradient with respect to it.
    pub gradient: Vec<f32>,
}

/// A model that can be looked into.
///
/// ```
/// use lipex_core::{Evaluation, GradientRule, Local, Output, Result, WhiteBox};
///
/// /// One class, whose logit of two numbers a and b is 2a − b.
/// struct Line([String; 1]);
///
/// /// One token of two numbers.
/// struct Around([f32; 2]);
///
/// impl Local for Around {
///     fn point(&self) -> &[f32] {
///         &self.0
///     }
///     fn shape(&self) -> &[usize] {
///         &[1, 2]
///     }
///     fn owners(&self) -> &[Option<u32>] {
///         &[Some(0)]
///     }
///     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
///         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
///         Ok(points.chunks(2).map(at).collect())
///     }
/// }
///
/// impl WhiteBox<[f32; 2]> for Line {
///     fn labels(&self) -> &[String] {
///         &self.0
///     }
///     fn at(&self, input: &[f32; 2]) -> Result<Box<dyn Local + '_>> {
///         Ok(Box::new(Around(*input)))
///     }
/// }
///
/// let line = Line(["rising".into()]);
/// let at = line.at(&[1.0, 3.0])?;
/// assert_eq!(at.values(at.point(), Output::Logit(0))?, [-1.0]);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait WhiteBox<Input: ?Sized>: Send + Sync {
    /// The classes' names, in the order of the logits.
    fn labels(&self) -> &[String];

    /// The model around one input.
    ///
    /// # Errors
    /// [`Error::Model`] when the input cannot be brought to the model.
    fn at(&self, input: &Input) -> Result<Box<dyn Local + '_>>;
}

/// The model around one input, a function of the point.
///
/// ```
/// use lipex_core::{Evaluation, GradientRule, Local, Output, Result};
///
/// /// One token of two numbers, a and b; the only logit is 2a − b.
/// struct Line;
///
/// impl Local for Line {
///     fn point(&self) -> &[f32] {
///         &[1.0, 3.0]
///     }
///     fn shape(&self) -> &[usize] {
///         &[1, 2]
///     }
///     fn owners(&self) -> &[Option<u32>] {
///         &[Some(0)]
///     }
///     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
///         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
///         Ok(points.chunks(2).map(at).collect())
///     }
/// }
///
/// let found = Line.evaluate(Line.point(), Output::Logit(0), GradientRule::Plain)?;
/// assert_eq!(found[0].value, -1.0);
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait Local: Send + Sync {
    /// The point of the input itself.
    fn point(&self) -> &[f32];

    /// The point's axes: tokens × dimensions, or channels × height × width.
    fn shape(&self) -> &[usize];

    /// The feature of each token or pixel; `None` for those of no feature.
    fn owners(&self) -> &[Option<u32>];

    /// The output and its gradient at points that lie one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] for half a point or a class that does not exist; [`Error::Model`] when the model fails.
    fn evaluate(&self, points: &[f32], output: Output, rule: GradientRule<'_>) -> Result<Vec<Evaluation>>;

    /// The same for several outputs, an entry an output: a model that can shares the way there among them.
    ///
    /// # Errors
    /// Those of [`evaluate`](Local::evaluate).
    fn evaluate_each(
        &self,
        points: &[f32],
        outputs: &[Output],
        rule: GradientRule<'_>,
    ) -> Result<Vec<Vec<Evaluation>>> {
        outputs.iter().map(|&output| self.evaluate(points, output, rule)).collect()
    }

    /// The output at points that lie one after the other, where no gradient is wanted.
    ///
    /// # Errors
    /// Those of [`evaluate`](Local::evaluate).
    fn values(&self, points: &[f32], output: Output) -> Result<Vec<f64>> {
        Ok(self.evaluate(points, output, GradientRule::Plain)?.into_iter().map(|found| found.value).collect())
    }

    /// A layer at the point: the last one before pooling, or by its name. Refused by default.
    ///
    /// # Errors
    /// [`Error::Setting`] where there is none.
    fn layer(&self, output: Output, name: Option<&str>) -> Result<Layer> {
        let _ = output;
        Err(Error::setting("layer", name.unwrap_or("the last one"), "this model's layers cannot be looked at"))
    }
}

/// A method that scores each number of the point.
///
/// ```
/// # use lipex_core::{Evaluation, GradientRule, Local, Output, Result};
/// # struct Line;
/// # impl Local for Line {
/// #     fn point(&self) -> &[f32] {
/// #         &[1.0, 3.0]
/// #     }
/// #     fn shape(&self) -> &[usize] {
/// #         &[1, 2]
/// #     }
/// #     fn owners(&self) -> &[Option<u32>] {
/// #         &[Some(0)]
/// #     }
/// #     fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
/// #         let at = |x: &[f32]| Evaluation { value: f64::from(2.0 * x[0] - x[1]), gradient: vec![2.0, -1.0] };
/// #         Ok(points.chunks(2).map(at).collect())
/// #     }
/// # }
/// use lipex_core::{Attribution, Describe, Setting};
///
/// /// The number times its gradient.
/// struct Products;
///
/// impl Describe for Products {
///     fn describe(&self) -> Vec<Setting> {
///         vec![Setting::new("method", "products")]
///     }
/// }
///
/// impl Attribution for Products {
///     fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
///         let gradient = at.evaluate(at.point(), output, GradientRule::Plain)?.remove(0).gradient;
///         Ok(gradient.iter().zip(at.point()).map(|(g, x)| g * x).collect())
///     }
/// }
///
/// assert_eq!(Products.attribute(&Line, Output::Logit(0))?, [2.0, -3.0]); // of 2a − b at (1, 3)
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait Attribution: Describe + Send + Sync {
    /// A score for each number of the point.
    ///
    /// # Errors
    /// Those of [`Local::evaluate`].
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>>;

    /// The same for several outputs, an entry an output.
    ///
    /// # Errors
    /// Those of [`attribute`](Attribution::attribute).
    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        outputs.iter().map(|&output| self.attribute(at, output)).collect()
    }

    /// What the scores should add up to, where the method promises that.
    ///
    /// # Errors
    /// Those of [`Local::evaluate`].
    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        let _ = (at, output);
        Ok(None)
    }

    /// How a feature's tokens or pixels become one score; their sum by default.
    fn gather(&self) -> Gather {
        Gather::Sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_gradients() {
        let logits = [0.3, -0.7, 1.1];
        for output in [Output::Logit(1), Output::Probability(2), Output::Contrast { of: 0, against: 2 }] {
            let seed = output.seed(&logits).unwrap();
            for k in 0..3 {
                let at = |by: f64| {
                    let mut moved = logits;
                    moved[k] += by;
                    output.value(&moved).unwrap()
                };
                assert!((seed[k] - (at(1e-6) - at(-1e-6)) / 2e-6).abs() < 1e-8, "{output:?}");
            }
        }
        assert!(Output::Probability(3).value(&logits).is_err());
    }
}
