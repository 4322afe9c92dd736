//! The methods: what each makes of gradients. x is the point, x₀ the base, g the gradient of the output F.
//!
//! # Shapes
//! A score for each number of the point, in its order: tokens × dimensions, or channels × height × width. Several
//! outputs share runs forwards where the model can: [`attribute_each`](Attribution::attribute_each).
//!
//! # Numerics
//! Gradients and scores are f32. Means and integrals are added up in f64, in the order of the draws or points.

mod path;
mod pictures;

pub use path::GuidedIg;
pub use pictures::{BlurIg, GradCam, Xrai};

use lipex_core::philox::{Draws, Purpose};
use lipex_core::{Attribution, Describe, Error, GradientRule, Local, Output, Result, Setting, expect_len};
use rand::RngExt;
use rand_distr::StandardNormal;

/// g: which numbers the output is most sensitive to (Vanilla). Signed; takes one run forwards and one backwards.
///
/// # Source
/// Simonyan, Vedaldi and Zisserman 2014, who take absolute values.
///
/// ```
/// use lipex_core::Describe;
///
/// assert_eq!(lipex_grad::Saliency.describe()[0].value, "saliency");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Saliency;

/// g at ReLUs and clips from 0 on which nothing negative passes. Known not to depend on the last layers much.
///
/// # Source
/// Springenberg, Dosovitskiy, Brox and Riedmiller 2015; its dependence, Adebayo and others 2018.
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_grad::{Guided, Saliency};
///
/// // What speaks against a class is not let through, so this is no gradient.
/// let seven = Output::Logit(7);
/// assert_ne!(Guided.attribute(&point, seven)?, Saliency.attribute(&point, seven)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Guided;

/// x·g: what the output would lose if it were linear and x went to 0. Scores need not add up to anything.
///
/// # Source
/// Shrikumar, Greenside, Shcherbina and Kundaje 2016.
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_core::Local;
/// use lipex_grad::{InputXGradient, Saliency};
///
/// let (scores, gradient) =
///     (InputXGradient.attribute(&point, Output::Logit(7))?, Saliency.attribute(&point, Output::Logit(7))?);
/// assert!((0..64).all(|i| scores[i] == point.point()[i] * gradient[i])); // a black pixel has no score
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct InputXGradient;

/// The mean of g at x + e: e is normal with the deviation noise·(max x − min x).
///
/// The mean's own error falls as 1/√draws. A point whose numbers are all equal has no noise, and the scores are g.
///
/// # Cost
/// A run forwards and backwards a draw.
///
/// # Source
/// Smilkov, Thorat, Kim, Viégas and Wattenberg 2017. Draws are counter-based: row i of the seed is draw i.
///
/// ```
/// use lipex_core::Describe;
///
/// let told = lipex_grad::SmoothGrad::new(10, 0.1, 7)?.describe();
/// assert_eq!((told[1].name.as_str(), told[1].value.as_str()), ("steps", "10"));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SmoothGrad {
    samples: usize,
    noise: f64,
    seed: u64,
}

/// DeepLIFT by the rescale rule: scores add up to F(x) − F(x₀).
///
/// A score is (x − x₀)·m, where the multiplier m has (f(x) − f(x₀))/(x − x₀) in the place of each f′(x). A number that
/// does not differ from the base has the score 0.
///
/// # Numerics
/// Sums are off by rounding in f32, and by what passes no gradient: conditions, indices and casts to whole numbers that
/// differ at the base.
///
/// # Cost
/// A run forwards from the point and one from the base, and one backwards.
///
/// # Source
/// Shrikumar, Greenside and Kundaje 2017, without its rule of signs (RevealCancel).
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_grad::DeepLift;
///
/// let seven = Output::Logit(7);
/// let scores = DeepLift::default().attribute(&point, seven)?;
/// let total = DeepLift::default().total(&point, seven)?.unwrap();
/// assert!((scores.iter().map(|&s| f64::from(s)).sum::<f64>() - total).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeepLift {
    base: Option<Vec<f32>>,
}

/// Integrated gradients: (x − x₀)·∫ g(x₀ + a·(x − x₀)) da, by Gauss–Legendre.
///
/// Scores add up to F(x) − F(x₀) but for the integral's error, which is the delta.
///
/// # Numerics
/// n points integrate polynomials of degree 2n − 1 exactly. Where ReLUs switch on the way g jumps, and the error falls
/// as 1/n only. Points on the way are rounded to f32.
///
/// # Cost
/// A run forwards and backwards a point; up to 750 of them where the number is chosen.
///
/// # Source
/// Sundararajan, Taly and Yan 2017.
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_grad::IntegratedGradients;
///
/// let seven = Output::Logit(7);
/// let off = |points: usize| {
///     let method = IntegratedGradients::new(points)?;
///     let sum: f64 = method.attribute(&point, seven)?.iter().map(|&s| f64::from(s)).sum();
///     Ok::<f64, lipex_core::Error>((sum - method.total(&point, seven)?.unwrap()).abs())
/// };
/// assert!(off(400)? < off(2)? && off(400)? < 0.05);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct IntegratedGradients {
    points: usize,
    /// Whether points are doubled until the delta is small.
    auto: bool,
    base: Option<Vec<f32>>,
}

/// Most points of an integral.
const MOST: usize = 400;
/// The share of the sum that a chosen number of points may be off.
const CLOSE: f64 = 0.01;
/// Points that are evaluated together.
const TOGETHER: usize = 8;

impl Default for SmoothGrad {
    /// 25 draws of a deviation of .15, as in the paper's code; seed 0.
    fn default() -> Self {
        SmoothGrad { samples: 25, noise: 0.15, seed: 0 }
    }
}

impl SmoothGrad {
    /// With so many draws (1 to 400), a deviation as a share of max x − min x (above 0, at most 1), and a seed.
    ///
    /// # Errors
    /// [`Error::Setting`] for other numbers.
    pub fn new(samples: usize, noise: f64, seed: u64) -> Result<Self> {
        so_many(samples, MOST)?;
        if !(noise > 0.0 && noise <= 1.0) {
            return Err(Error::setting("noise", noise, "a share of the range of x: above 0 and at most 1"));
        }
        Ok(SmoothGrad { samples, noise, seed })
    }

    /// x + e, draw `row`: it is the same however many draws there are.
    fn moved(&self, x: &[f32], row: usize) -> Vec<f32> {
        let (least, most) = x.iter().fold((f32::MAX, f32::MIN), |(l, m), &v| (l.min(v), m.max(v)));
        let deviation = self.noise * f64::from(most - least);
        let normal = Draws::new(self.seed, row as u32, 0, Purpose::Own).generator().sample_iter(StandardNormal);
        x.iter().zip(normal).map(|(&v, e): (&f32, f64)| (f64::from(v) + deviation * e) as f32).collect()
    }
}

impl DeepLift {
    /// Against a base x₀, as many numbers as the point has; default zeros. Another number of them is an
    /// [`Error::Shape`] when the method is used.
    pub fn base(self, base: Vec<f32>) -> Self {
        DeepLift { base: Some(base) }
    }
}

impl Default for IntegratedGradients {
    /// 50 points, as captum.
    fn default() -> Self {
        IntegratedGradients { points: 50, auto: false, base: None }
    }
}

impl IntegratedGradients {
    /// With so many points of the integral; more make the delta smaller and take as much longer.
    ///
    /// # Errors
    /// [`Error::Setting`] for less than 1 or more than 400.
    pub fn new(points: usize) -> Result<Self> {
        so_many(points, MOST)?;
        Ok(IntegratedGradients { points, ..Self::default() })
    }

    /// With 50 points, doubled until the delta is within 1 % or there are 400.
    pub fn auto() -> Self {
        IntegratedGradients { auto: true, ..Self::default() }
    }

    /// From a base x₀, as many numbers as the point has; default zeros.
    pub fn base(self, base: Vec<f32>) -> Self {
        IntegratedGradients { base: Some(base), ..self }
    }

    /// The integral by so many points: (x − x₀)·Σ wₖ·g(x₀ + aₖ(x − x₀)), an entry an output.
    fn integrate(&self, at: &dyn Local, outputs: &[Output], points: usize) -> Result<Vec<Vec<f32>>> {
        let base = base_of(&self.base, at)?;
        let mut sums = vec![vec![0.0f64; at.point().len()]; outputs.len()];
        for part in legendre(points).chunks(TOGETHER) {
            let mut on_the_way = Vec::with_capacity(part.len() * at.point().len());
            for (place, _) in part {
                let between = |(&x, &x0): (&f32, &f32)| (f64::from(x0) + place * f64::from(x - x0)) as f32;
                on_the_way.extend(at.point().iter().zip(&base).map(between));
            }
            let found = at.evaluate_each(&on_the_way, outputs, GradientRule::Plain)?;
            for (sum, found) in sums.iter_mut().zip(found) {
                for ((_, weight), found) in part.iter().zip(found) {
                    sum.iter_mut().zip(&found.gradient).for_each(|(s, &g)| *s += weight * f64::from(g));
                }
            }
        }
        let moved: Vec<f64> = at.point().iter().zip(&base).map(|(&x, &x0)| f64::from(x - x0)).collect();
        Ok(sums.into_iter().map(|sum| sum.iter().zip(&moved).map(|(s, m)| (s * m) as f32).collect()).collect())
    }
}

/// Passes if there are 1 to `most` of them.
fn so_many(steps: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&steps) {
        return Ok(());
    }
    Err(Error::setting("steps", steps, format!("choose 1 to {most}")))
}

/// The base, zeros where none is given.
fn base_of(base: &Option<Vec<f32>>, at: &dyn Local) -> Result<Vec<f32>> {
    let Some(base) = base else { return Ok(vec![0.0; at.point().len()]) };
    expect_len("numbers of the base", at.point().len(), base.len())?;
    Ok(base.clone())
}

/// The gradient at one point, for each output.
fn gradients(at: &dyn Local, point: &[f32], outputs: &[Output], rule: GradientRule<'_>) -> Result<Vec<Vec<f32>>> {
    let one = |mut found: Vec<lipex_core::Evaluation>| {
        found.pop().map(|e| e.gradient).ok_or_else(|| Error::model("the model gave no gradient"))
    };
    at.evaluate_each(point, outputs, rule)?.into_iter().map(one).collect()
}

/// x·g, a score a number of the point.
fn times(x: &[f32], g: &[f32]) -> Vec<f32> {
    x.iter().zip(g).map(|(x, g)| x * g).collect()
}

/// The scores of a method that makes them for several outputs, for one.
fn single(method: &dyn Attribution, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
    method.attribute_each(at, &[output])?.pop().ok_or_else(|| Error::model("the model gave no gradient"))
}

/// F(x) − F(x₀), by two runs forwards.
fn moved(base: &[f32], at: &dyn Local, output: Output) -> Result<Option<f64>> {
    let both = [at.point(), base].concat();
    let found = at.values(&both, output)?;
    Ok(found.first().zip(found.get(1)).map(|(x, base)| x - base))
}

macro_rules! named {
    ($($method:ty: $name:literal),*) => {$(
        impl Describe for $method {
            fn describe(&self) -> Vec<Setting> {
                vec![Setting::new("method", $name)]
            }
        }
    )*};
}
named!(Saliency: "saliency", Guided: "guided", InputXGradient: "input-x-gradient", DeepLift: "deeplift");

impl Describe for SmoothGrad {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("method", "smoothgrad"),
            Setting::new("steps", self.samples),
            Setting::new("noise", self.noise),
            Setting::new("seed", self.seed),
        ]
    }
}

impl Describe for IntegratedGradients {
    fn describe(&self) -> Vec<Setting> {
        let steps = if self.auto { "auto".into() } else { self.points.to_string() };
        vec![Setting::new("method", "integrated-gradients"), Setting::new("steps", steps)]
    }
}

impl Attribution for Saliency {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        gradients(at, at.point(), outputs, GradientRule::Plain)
    }
}

impl Attribution for Guided {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        gradients(at, at.point(), outputs, GradientRule::Guided)
    }
}

impl Attribution for InputXGradient {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let found = gradients(at, at.point(), outputs, GradientRule::Plain)?;
        Ok(found.iter().map(|g| times(at.point(), g)).collect())
    }
}

impl Attribution for SmoothGrad {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let mut sums = vec![vec![0.0f64; at.point().len()]; outputs.len()];
        let rows: Vec<usize> = (0..self.samples).collect();
        for part in rows.chunks(TOGETHER) {
            let points: Vec<f32> = part.iter().flat_map(|&row| self.moved(at.point(), row)).collect();
            let found = at.evaluate_each(&points, outputs, GradientRule::Plain)?;
            for (sum, found) in sums.iter_mut().zip(found) {
                for found in found {
                    sum.iter_mut().zip(&found.gradient).for_each(|(s, &g)| *s += f64::from(g));
                }
            }
        }
        let mean = |sum: Vec<f64>| sum.into_iter().map(|s| (s / self.samples as f64) as f32).collect();
        Ok(sums.into_iter().map(mean).collect())
    }
}

impl Attribution for DeepLift {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let reference = base_of(&self.base, at)?;
        let moved: Vec<f32> = at.point().iter().zip(&reference).map(|(x, x0)| x - x0).collect();
        let found = gradients(at, at.point(), outputs, GradientRule::Rescale { reference: &reference })?;
        Ok(found.iter().map(|m| times(&moved, m)).collect())
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        moved(&base_of(&self.base, at)?, at, output)
    }
}

impl Attribution for IntegratedGradients {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let mut points = self.points;
        let mut scores = self.integrate(at, outputs, points)?;
        while self.auto && points < MOST {
            let mut open = Vec::new();
            for (k, &output) in outputs.iter().enumerate() {
                let sum: f64 = scores[k].iter().map(|&s| f64::from(s)).sum();
                let total = self.total(at, output)?.unwrap_or(sum);
                if (sum - total).abs() > CLOSE * total.abs() {
                    open.push(k);
                }
            }
            if open.is_empty() {
                break;
            }
            points = (2 * points).min(MOST);
            let again = self.integrate(at, &open.iter().map(|&k| outputs[k]).collect::<Vec<_>>(), points)?;
            open.into_iter().zip(again).for_each(|(k, found)| scores[k] = found);
        }
        Ok(scores)
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        moved(&base_of(&self.base, at)?, at, output)
    }
}

/// Places and weights of Gauss and Legendre's rule on [0, 1]: roots of Pₙ by Newton's method.
///
/// A root z of Pₙ on [−1, 1] gives the place ½(1 − z) and the weight 1/((1 − z²)·Pₙ′(z)²); the search begins at
/// cos(π(i + ¾)/(n + ½)). Pₙ is by Bonnet's recursion. Weights sum to 1.
fn legendre(n: usize) -> Vec<(f64, f64)> {
    let polynomial = |x: f64| {
        let (mut before, mut value) = (0.0, 1.0);
        for k in 1..=n {
            let k = k as f64;
            (before, value) = (value, ((2.0 * k - 1.0) * x * value - (k - 1.0) * before) / k);
        }
        (value, n as f64 * (x * value - before) / (x * x - 1.0))
    };
    let rule = |i: usize| {
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
        for _ in 0..20 {
            let (value, slope) = polynomial(x);
            x -= value / slope;
        }
        let slope = polynomial(x).1;
        (0.5 * (1.0 - x), 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lipex_core::Evaluation;

    /// F = ΣWx² + Σx.
    pub(super) struct Parabola;

    const W: [f32; 4] = [1.0, -2.0, 0.5, 3.0];

    impl Local for Parabola {
        fn point(&self) -> &[f32] {
            &[1.0, 2.0, -1.0, 0.5]
        }

        fn shape(&self) -> &[usize] {
            &[4, 1]
        }

        fn owners(&self) -> &[Option<u32>] {
            &[None; 4]
        }

        fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
            let one = |x: &[f32]| Evaluation {
                value: x.iter().zip(W).map(|(x, w)| f64::from(w * x * x + x)).sum(),
                gradient: x.iter().zip(W).map(|(x, w)| 2.0 * w * x + 1.0).collect(),
            };
            Ok(points.chunks(4).map(one).collect())
        }
    }

    #[test]
    fn known_answers() {
        let scores = |method: &dyn Attribution| method.attribute(&Parabola, Output::Logit(0)).unwrap();
        let found = scores(&IntegratedGradients::default());
        for (a, b) in found.iter().zip([2.0, -6.0, -0.5, 1.25]) {
            assert!((a - b).abs() < 1e-6, "{found:?}");
        }
        assert_eq!(scores(&Saliency), [3.0, -7.0, 0.0, 4.0]);
        assert_eq!(scores(&InputXGradient), [3.0, -14.0, 0.0, 2.0]);
        assert_eq!(IntegratedGradients::default().total(&Parabola, Output::Logit(0)).unwrap(), Some(-3.25));
        assert!(IntegratedGradients::new(0).is_err());
    }

    #[test]
    fn a_base_is_where_sums_begin() {
        let method = IntegratedGradients::default().base(vec![1.0, 1.0, -1.0, 0.5]);
        let found = method.attribute(&Parabola, Output::Logit(0)).unwrap();
        // Only the second number moves: −2·(4 − 1) + 1.
        for (a, b) in found.iter().zip([0.0, -5.0, 0.0, 0.0]) {
            assert!((a - b).abs() < 1e-5, "{found:?}");
        }
        assert_eq!(method.total(&Parabola, Output::Logit(0)).unwrap(), Some(-5.0));
        let short = IntegratedGradients::default().base(vec![0.0]);
        assert!(short.attribute(&Parabola, Output::Logit(0)).is_err());
    }

    /// F = sin(40·Σx), whose integral wants more than 50 points.
    struct Wave;

    impl Local for Wave {
        fn point(&self) -> &[f32] {
            &[1.5, 1.0]
        }

        fn shape(&self) -> &[usize] {
            &[2, 1]
        }

        fn owners(&self) -> &[Option<u32>] {
            &[None; 2]
        }

        fn evaluate(&self, points: &[f32], _: Output, _: GradientRule<'_>) -> Result<Vec<Evaluation>> {
            let one = |x: &[f32]| {
                let sum = 40.0 * f64::from(x[0] + x[1]);
                Evaluation { value: sum.sin(), gradient: vec![(40.0 * sum.cos()) as f32; 2] }
            };
            Ok(points.chunks(2).map(one).collect())
        }
    }

    #[test]
    fn points_are_doubled_until_sums_are_right() {
        let off = |method: &dyn Attribution| {
            let sum: f32 = method.attribute(&Wave, Output::Logit(0)).unwrap().iter().sum();
            let total = method.total(&Wave, Output::Logit(0)).unwrap().unwrap();
            (f64::from(sum) - total).abs() / total.abs()
        };
        assert!(off(&IntegratedGradients::new(20).unwrap()) > 0.05);
        assert!(off(&IntegratedGradients { points: 10, ..IntegratedGradients::auto() }) < 0.01);
    }

    #[test]
    fn noise_is_averaged_and_has_its_deviation() {
        let method = SmoothGrad::new(400, 0.5, 3).unwrap();
        // Of a linear gradient the noise averages out: 2Wx + 1, with a deviation of 2W·1.5/√400.
        let found = method.attribute(&Parabola, Output::Logit(0)).unwrap();
        for ((a, b), w) in found.iter().zip([3.0, -7.0, 0.0, 4.0]).zip(W) {
            assert!((a - b).abs() < 4.0 * 2.0 * w.abs() * 1.5 / 20.0 && a != &b, "{found:?}");
        }
        let (mut sum, mut squares, x) = (0.0, 0.0, [0.0f32, 1.0]);
        for row in 0..20_000 {
            let e = f64::from(method.moved(&x, row)[0]);
            (sum, squares) = (sum + e, squares + e * e);
        }
        // Five standard errors.
        let (mean, variance) = (sum / 2e4, squares / 2e4);
        assert!(mean.abs() < 0.018 && (variance - 0.25).abs() < 0.0125, "{mean} {variance}");
        assert!(SmoothGrad::new(0, 0.1, 0).is_err() && SmoothGrad::new(3, 0.0, 0).is_err());
    }

    #[test]
    fn two_points_as_published() {
        let rule = legendre(2);
        assert!((rule[0].0 - 0.5 * (1.0 - 1.0 / 3f64.sqrt())).abs() < 1e-15 && (rule[0].1 - 0.5).abs() < 1e-15);
        assert!((legendre(50).iter().map(|r| r.1).sum::<f64>() - 1.0).abs() < 1e-13);
    }
}
