//! Methods of pictures: their scores are one number a pixel, shared out evenly among its channels.

use super::{MOST, TOGETHER, moved, so_many};
use lipex_core::{Attribution, Describe, Error, Gather, GradientRule, Layer, Local, Output, Result, Setting};
use ndarray::{Array2, ArrayView2};

/// GradCAM: max(0, Σₖ wₖ·Aₖ) over the channels A of a layer, wₖ the mean of ∂F/∂Aₖ, stretched over the picture.
///
/// Scores are 0 or above. They show what the layer's planes show of the picture: large patches.
///
/// # Numerics
/// Stretched bilinearly, with pixels' middles as places; beyond the outermost middles the layer is constant.
///
/// # Cost
/// A run forwards, and one backwards down to the layer, an output.
///
/// # Source
/// Selvaraju, Cogswell, Das, Vedantam, Parikh and Batra 2017.
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_grad::GradCam;
///
/// // This network has no layer of planes but its input.
/// assert!(GradCam::default().attribute(&point, Output::Logit(7)).is_err());
/// let scores = GradCam::default().layer("pixel_values").attribute(&point, Output::Logit(7))?;
/// assert!(scores.iter().all(|s| *s >= 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct GradCam {
    layer: Option<String>,
}

/// Blur integrated gradients: the way goes from a blurred picture to the picture, not from a colour.
///
/// −Σ Δσ·g(B_σ x)·(B_{σ + .01} x − B_σ x)/.01 over σ = 0, Δσ, 2Δσ …, where B_σ blurs each channel by a Gaussian of the
/// deviation σ pixels. Scores add up to F(x) − F(the most blurred) but for the steps' error, which is the delta.
///
/// # Numerics
/// The Gaussian is cut at 4σ; beyond the picture are zeros.
///
/// # Cost
/// A run forwards and backwards a step, and two blurs of the point.
///
/// # Source
/// Xu, Venugopalan and Sundararajan 2020.
///
/// ```
/// use lipex_core::Describe;
///
/// let told = lipex_grad::BlurIg::new(20.0, 50)?.describe();
/// assert_eq!((told[2].name.as_str(), told[2].value.as_str()), ("sigma", "20"));
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BlurIg {
    sigma: f64,
    steps: usize,
}

/// XRAI on segments that do not overlap: a segment's score is the mean of its pixels' integrated gradients.
///
/// A pixel's number is the largest of its channels' mean over two integrals: from a point that is all the smallest of x's
/// numbers, and from one that is all the largest. Published, segments overlap, and each is ranked by the mean over the
/// pixels that none before it has; of segments that share no pixel that is their mean. What belongs to no segment has its
/// own mean.
///
/// # Cost
/// Two runs forwards and backwards a step.
///
/// # Source
/// Kapishnikov, Bolukbasi, Viégas and Terry 2019.
///
/// ```
/// use lipex_core::{Attribution, Gather};
///
/// assert_eq!(lipex_grad::Xrai::default().gather(), Gather::Mean); // a segment's size does not count
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Xrai {
    steps: usize,
}

/// The step of σ by which a blur is differentiated.
const STEP: f64 = 0.01;

impl GradCam {
    /// At a layer by the name of its tensor, 1 × channels × height × width; default the last one before pooling or
    /// flattening.
    pub fn layer(self, name: impl Into<String>) -> Self {
        GradCam { layer: Some(name.into()) }
    }

    /// The layer that was named.
    pub fn name(&self) -> Option<&str> {
        self.layer.as_deref()
    }
}

impl Default for BlurIg {
    /// From σ = 50 pixels, 100 steps.
    fn default() -> Self {
        BlurIg { sigma: 50.0, steps: 100 }
    }
}

impl BlurIg {
    /// From a blur of a deviation in pixels of the point (above 0, at most 1000), by so many steps (1 to 400).
    ///
    /// # Errors
    /// [`Error::Setting`] for other numbers.
    pub fn new(sigma: f64, steps: usize) -> Result<Self> {
        so_many(steps, MOST)?;
        if !(sigma > 0.0 && sigma <= 1000.0) {
            return Err(Error::setting("sigma", sigma, "a blur in pixels: above 0 and at most 1000"));
        }
        Ok(BlurIg { sigma, steps })
    }
}

impl Default for Xrai {
    /// 100 steps an integral.
    fn default() -> Self {
        Xrai { steps: 100 }
    }
}

impl Xrai {
    /// With so many steps an integral (1 to 400).
    ///
    /// # Errors
    /// [`Error::Setting`] for another number.
    pub fn new(steps: usize) -> Result<Self> {
        so_many(steps, MOST)?;
        Ok(Xrai { steps })
    }

    /// Of each output and number of the point, the mean of both integrals: points evenly from the base to x, both ends
    /// among them.
    fn integrals(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f64>>> {
        let x = at.point();
        let (least, most) = x.iter().fold((f32::MAX, f32::MIN), |(l, m), &v| (l.min(v), m.max(v)));
        let mut sums = vec![vec![0.0; x.len()]; outputs.len()];
        let places: Vec<f64> = (0..self.steps).map(|k| k as f64 / (self.steps - 1).max(1) as f64).collect();
        for base in [f64::from(least), f64::from(most)] {
            for part in places.chunks(TOGETHER) {
                let on_the_way = |a: f64| x.iter().map(move |&v| (base + a * (f64::from(v) - base)) as f32);
                let points: Vec<f32> = part.iter().flat_map(|&a| on_the_way(a)).collect();
                let found = at.evaluate_each(&points, outputs, GradientRule::Plain)?;
                for (sum, found) in sums.iter_mut().zip(found) {
                    for found in found {
                        let each = sum.iter_mut().zip(&found.gradient).zip(x);
                        each.for_each(|((s, &g), &v)| *s += f64::from(g) * (f64::from(v) - base));
                    }
                }
            }
        }
        let runs = 2.0 * self.steps as f64;
        sums.iter_mut().flatten().for_each(|s| *s /= runs);
        Ok(sums)
    }
}

/// Channels, height and width of a picture's point.
fn planes(at: &dyn Local, method: &str) -> Result<[usize; 3]> {
    match at.shape() {
        &[channels, height, width] => Ok([channels, height, width]),
        _ => Err(Error::setting("method", method, "is of photos, and this model takes texts")),
    }
}

/// A number a pixel, in equal parts for its channels.
fn shared(map: &[f64], channels: usize) -> Vec<f32> {
    let part: Vec<f32> = map.iter().map(|v| (v / channels.max(1) as f64) as f32).collect();
    part.repeat(channels)
}

/// max(0, Σₖ wₖ·Aₖ) of a layer, with its height and width.
fn cam(layer: &Layer) -> Result<(Array2<f64>, [usize; 2])> {
    let (&[_, height, width], pixels) = (layer.shape.as_slice(), layer.shape.iter().skip(1).product::<usize>()) else {
        return Err(Error::shape("axes of the layer", 3, layer.shape.len()));
    };
    if pixels == 0 {
        return Err(Error::setting("layer", &layer.name, "has no pixels"));
    }
    let mut map = Array2::<f64>::zeros((height, width));
    for (activation, gradient) in layer.activation.chunks(pixels).zip(layer.gradient.chunks(pixels)) {
        let weight = gradient.iter().map(|&g| f64::from(g)).sum::<f64>() / pixels as f64;
        map.iter_mut().zip(activation).for_each(|(m, &a)| *m += weight * f64::from(a));
    }
    map.mapv_inplace(|v| v.max(0.0));
    Ok((map, [height, width]))
}

/// Rows that read `from` places at `to` places, bilinearly.
fn stretch(from: usize, to: usize) -> Array2<f64> {
    let mut rows = Array2::zeros((to, from));
    for i in 0..to {
        let place = ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).max(0.0);
        let first = (place as usize).min(from - 1);
        let share = place - first as f64;
        rows[[i, first]] += 1.0 - share;
        rows[[i, (first + 1).min(from - 1)]] += share;
    }
    rows
}

/// Rows that blur `n` places by a Gaussian, cut at 4σ, zeros beyond; σ = 0 leaves them.
fn gaussian(n: usize, sigma: f64) -> Array2<f64> {
    let reach = (4.0 * sigma + 0.5) as usize;
    if reach == 0 {
        return Array2::eye(n);
    }
    let height = |apart: usize| (-0.5 * (apart as f64 / sigma).powi(2)).exp();
    let sum = 1.0 + 2.0 * (1..=reach).map(height).sum::<f64>();
    Array2::from_shape_fn((n, n), |(i, j)| {
        let apart = i.abs_diff(j);
        if apart <= reach { height(apart) / sum } else { 0.0 }
    })
}

/// Every channel of a picture between rows that act from above and from the side.
fn between(x: &[f64], [_, height, width]: [usize; 3], down: &Array2<f64>, across: &Array2<f64>) -> Result<Vec<f64>> {
    let mut made = Vec::with_capacity(x.len());
    for channel in x.chunks(height * width) {
        let plane = ArrayView2::from_shape((height, width), channel);
        let plane = plane.map_err(|_| Error::shape("numbers of a channel", height * width, channel.len()))?;
        made.extend(down.dot(&plane).dot(&across.t()));
    }
    Ok(made)
}

/// A picture under a Gaussian.
fn blurred(x: &[f64], shape: [usize; 3], sigma: f64) -> Result<Vec<f64>> {
    between(x, shape, &gaussian(shape[1], sigma), &gaussian(shape[2], sigma))
}

/// The point in f64.
fn wide(at: &dyn Local) -> Vec<f64> {
    at.point().iter().map(|&v| f64::from(v)).collect()
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

impl Describe for GradCam {
    fn describe(&self) -> Vec<Setting> {
        let layer = self.layer.as_deref().unwrap_or("the last one of planes");
        vec![Setting::new("method", "gradcam"), Setting::new("layer", layer)]
    }
}

impl Describe for BlurIg {
    fn describe(&self) -> Vec<Setting> {
        let (steps, sigma) = (Setting::new("steps", self.steps), Setting::new("sigma", self.sigma));
        vec![Setting::new("method", "blur-ig"), steps, sigma]
    }
}

impl Describe for Xrai {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("method", "xrai"), Setting::new("steps", self.steps)]
    }
}

impl Attribution for GradCam {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        let [channels, height, width] = planes(at, "gradcam")?;
        let (map, [rows, columns]) = cam(&at.layer(output, self.layer.as_deref())?)?;
        let map = stretch(rows, height).dot(&map).dot(&stretch(columns, width).t());
        Ok(shared(&map.into_iter().collect::<Vec<f64>>(), channels))
    }
}

impl Attribution for BlurIg {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        super::single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let (shape, x) = (planes(at, "blur-ig")?, wide(at));
        let width = self.sigma / self.steps as f64;
        let mut scores = vec![vec![0.0; x.len()]; outputs.len()];
        for step in 0..self.steps {
            let sigma = step as f64 * width;
            let (here, further) = (blurred(&x, shape, sigma)?, blurred(&x, shape, sigma + STEP)?);
            let found = at.evaluate_each(&narrow(&here), outputs, GradientRule::Plain)?;
            for (scores, found) in scores.iter_mut().zip(found) {
                for found in found {
                    let each = scores.iter_mut().zip(&found.gradient).zip(here.iter().zip(&further));
                    each.for_each(|((s, &g), (a, b))| *s -= width * f64::from(g) * (b - a) / STEP);
                }
            }
        }
        Ok(scores.iter().map(|s| narrow(s)).collect())
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        let shape = planes(at, "blur-ig")?;
        moved(&narrow(&blurred(&wide(at), shape, self.sigma)?), at, output)
    }
}

impl Attribution for Xrai {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        super::single(self, at, output)
    }

    fn attribute_each(&self, at: &dyn Local, outputs: &[Output]) -> Result<Vec<Vec<f32>>> {
        let [channels, height, width] = planes(at, "xrai")?;
        let pixels = height * width;
        let map = |numbers: &Vec<f64>| -> Vec<f64> {
            let largest = |i: usize| (0..channels).map(|k| numbers[k * pixels + i]).fold(f64::MIN, f64::max);
            means(&(0..pixels).map(largest).collect::<Vec<f64>>(), at.owners())
        };
        Ok(self.integrals(at, outputs)?.iter().map(|numbers| shared(&map(numbers), channels)).collect())
    }

    fn gather(&self) -> Gather {
        Gather::Mean
    }
}

/// Every pixel with the mean of its segment; those of none with theirs.
fn means(map: &[f64], owners: &[Option<u32>]) -> Vec<f64> {
    let place = |owner: &Option<u32>| owner.map_or(0, |j| j as usize + 1);
    let mut sums = vec![(0.0, 0usize); owners.iter().map(place).max().unwrap_or(0) + 1];
    for (v, owner) in map.iter().zip(owners) {
        sums[place(owner)].0 += v;
        sums[place(owner)].1 += 1;
    }
    owners.iter().map(|owner| sums[place(owner)].0 / sums[place(owner)].1.max(1) as f64).collect()
}

#[cfg(test)]
mod tests;
