//! Guided integrated gradients: a way from the base to the point that keeps to numbers of small gradients.

use super::{MOST, base_of, gradients, moved, so_many};
use lipex_core::{Attribution, Describe, Error, GradientRule, Local, Output, Result, Setting};

/// Guided integrated gradients: integrated gradients on a way of its own for each output.
///
/// Where the straight way moves all numbers alike, this one moves those first whose gradient is smallest, by steps of equal
/// length in Σ|x − x₀|, and stays within a window of the straight way. Scores add up to F(x) − F(x₀) but for the steps'
/// error, which is the delta; where gradients jump, as in deep networks, it need not fall with more of them.
///
/// # Cost
/// A run forwards and backwards a step and output: ways differ, so outputs share nothing.
///
/// # Source
/// Kapishnikov, Venugopalan, Avci, Wedin, Terry and Bolukbasi 2021.
///
/// ```
/// # use lipex_core::{Attribution, Output};
/// # use lipex_grad::{Network, Point, Tensor};
/// # let network = Network::<f32>::open("../examples/models/digits/model.onnx")?;
/// # let picture = Tensor::floats(vec![1, 1, 8, 8], (0..64).map(|i| (i % 7) as f32 / 7.0).collect())?;
/// # let owners = (0..64).map(Some).collect();
/// # let point = Point::new(&network, vec![], ("pixel_values", picture), "logits", owners)?;
/// use lipex_grad::GuidedIg;
///
/// let (method, seven) = (GuidedIg::default(), Output::Logit(7));
/// let sum: f64 = method.attribute(&point, seven)?.iter().map(|&s| f64::from(s)).sum();
/// assert!((sum - method.total(&point, seven)?.unwrap()).abs() < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GuidedIg {
    steps: usize,
    fraction: f64,
    distance: f64,
    base: Option<Vec<f32>>,
}

impl Default for GuidedIg {
    /// 200 steps, a quarter of the numbers at a time, at most .02 of the way from the straight one.
    fn default() -> Self {
        GuidedIg { steps: 200, fraction: 0.25, distance: 0.02, base: None }
    }
}

/// Where a number is done moving for now: its gradient counts as larger than any.
const DONE: f64 = f64::INFINITY;
/// Two distances that are closer, of a way of length 1, are the same.
const SAME: f64 = 1e-9;

impl GuidedIg {
    /// With so many steps (1 to 400), the share of numbers that may move at a time (above 0, at most 1), and how far from the
    /// straight way a number may be, as a share of its own way (0 to 1; 1 is no bound).
    ///
    /// # Errors
    /// [`Error::Setting`] for other numbers.
    pub fn new(steps: usize, fraction: f64, distance: f64) -> Result<Self> {
        so_many(steps, MOST)?;
        if !(fraction > 0.0 && fraction <= 1.0) {
            return Err(Error::setting("fraction", fraction, "a share of the numbers: above 0 and at most 1"));
        }
        if !(0.0..=1.0).contains(&distance) {
            return Err(Error::setting("distance", distance, "a share of the way: 0 to 1"));
        }
        Ok(GuidedIg { steps, fraction, distance, base: None })
    }

    /// From a base x₀, as many numbers as the point has; default zeros.
    pub fn base(self, base: Vec<f32>) -> Self {
        GuidedIg { base: Some(base), ..self }
    }
}

/// How far each number has gone, and what it earned.
struct Way<'a> {
    /// Of each number, 0 at the base and 1 at the point.
    gone: Vec<f64>,
    /// x − x₀.
    whole: &'a [f64],
    scores: Vec<f64>,
}

impl Way<'_> {
    /// Σ|x − where it is|.
    fn left(&self) -> f64 {
        self.gone.iter().zip(self.whole).map(|(a, w)| (1.0 - a) * w.abs()).sum()
    }

    /// Moves a number, which earns the gradient times its way.
    fn go(&mut self, i: usize, to: f64, gradient: f64) {
        self.scores[i] += (to - self.gone[i]) * self.whole[i] * gradient;
        self.gone[i] = to;
    }

    /// One step at one gradient: until so much is left, within a window of the straight way.
    fn step(&mut self, gradient: &[f64], target: f64, (least, most): (f64, f64), fraction: f64) {
        let length: f64 = self.whole.iter().map(|w| w.abs()).sum();
        loop {
            for (i, &g) in gradient.iter().enumerate() {
                if self.whole[i] != 0.0 && self.gone[i] < least {
                    self.go(i, least, g);
                }
            }
            let far = self.left() - target;
            let chosen = self.smallest(gradient, most, fraction);
            if far.abs() <= SAME * length.max(1.0) || chosen.is_empty() {
                return;
            }
            let within: f64 = chosen.iter().map(|&i| (most - self.gone[i]) * self.whole[i].abs()).sum();
            let share = if within > 0.0 { far / within } else { DONE };
            for i in chosen {
                let to = if share > 1.0 { most } else { self.gone[i] + share * (most - self.gone[i]) };
                self.go(i, to, gradient[i]);
            }
            if share <= 1.0 {
                return;
            }
        }
    }

    /// The numbers that still move whose gradients are among the smallest of all.
    fn smallest(&self, gradient: &[f64], most: f64, fraction: f64) -> Vec<usize> {
        let moves = |i: usize| self.whole[i] != 0.0 && self.gone[i] < most;
        let size = |i: usize| if moves(i) { gradient[i].abs() } else { DONE };
        let mut sizes: Vec<f64> = (0..gradient.len()).map(size).collect();
        let place = (fraction * sizes.len().saturating_sub(1) as f64) as usize;
        let bound = match sizes.is_empty() {
            true => DONE,
            false => *sizes.select_nth_unstable_by(place, f64::total_cmp).1,
        };
        (0..gradient.len()).filter(|&i| moves(i) && size(i) <= bound).collect()
    }
}

impl Describe for GuidedIg {
    fn describe(&self) -> Vec<Setting> {
        vec![
            Setting::new("method", "guided-ig"),
            Setting::new("steps", self.steps),
            Setting::new("fraction", self.fraction),
            Setting::new("distance", self.distance),
        ]
    }
}

impl GuidedIg {
    /// Scores of a way of `whole` from the base, with the gradient at shares of it.
    fn follow(&self, whole: &[f64], mut gradient: impl FnMut(&[f64]) -> Result<Vec<f64>>) -> Result<Vec<f64>> {
        let length: f64 = whole.iter().map(|w| w.abs()).sum();
        let mut way = Way { gone: vec![0.0; whole.len()], whole, scores: vec![0.0; whole.len()] };
        for step in 0..self.steps {
            let gradient = gradient(&way.gone)?;
            let straight = (step + 1) as f64 / self.steps as f64;
            let window = ((straight - self.distance).max(0.0), (straight + self.distance).min(1.0));
            way.step(&gradient, length * (1.0 - straight), window, self.fraction);
        }
        Ok(way.scores)
    }
}

impl Attribution for GuidedIg {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        let base = base_of(&self.base, at)?;
        let whole: Vec<f64> = at.point().iter().zip(&base).map(|(&x, &x0)| f64::from(x) - f64::from(x0)).collect();
        let scores = self.follow(&whole, |gone| {
            let between = |((&x0, a), w): ((&f32, &f64), &f64)| (f64::from(x0) + a * w) as f32;
            let here: Vec<f32> = base.iter().zip(gone).zip(&whole).map(between).collect();
            let gradient = gradients(at, &here, &[output], GradientRule::Plain)?.remove(0);
            Ok(gradient.into_iter().map(f64::from).collect())
        })?;
        Ok(scores.into_iter().map(|s| s as f32).collect())
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        moved(&base_of(&self.base, at)?, at, output)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Parabola;
    use super::*;

    #[test]
    fn known_answers() {
        for ((steps, fraction, distance), expected) in [
            ((4, 0.25, 1.0), [1.375, -2.6875, -0.8125, 0.78125]),
            ((10, 0.5, 0.1), [1.824082, -4.946882, -0.558442, 1.162546]),
            ((200, 0.25, 0.02), [1.9942, -5.956025, -0.50275, 1.245537]),
        ] {
            let method = GuidedIg::new(steps, fraction, distance).unwrap();
            let (whole, weights) = ([1.0, 2.0, -1.0, 0.5], [1.0, -2.0, 0.5, 3.0]);
            let gradient = |gone: &[f64]| {
                let one = |((a, x), w): ((&f64, &f64), &f64)| 2.0 * w * a * x + 1.0;
                Ok(gone.iter().zip(&whole).zip(&weights).map(one).collect())
            };
            let found = method.follow(&whole, gradient).unwrap();
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < 1e-6, "{steps} steps: {found:?}");
            }
            // In f32 gradients that are as small as each other fall out otherwise: by 200 steps they are, some of them.
            let found = method.attribute(&Parabola, Output::Logit(0)).unwrap();
            for (a, b) in found.iter().zip(expected) {
                assert!((f64::from(*a) - b).abs() < 2e-4, "{steps} steps: {found:?}");
            }
        }
        assert_eq!(GuidedIg::default().total(&Parabola, Output::Logit(0)).unwrap(), Some(-3.25));
    }

    #[test]
    fn what_does_not_move_earns_nothing() {
        let method = GuidedIg::new(50, 0.25, 0.1).unwrap().base(vec![1.0, 1.0, -1.0, 0.5]);
        let found = method.attribute(&Parabola, Output::Logit(0)).unwrap();
        // Only the second number moves: −2·(4 − 1) + 1, less what 50 left ends of a line's pieces are off.
        assert!((found[1] + 5.0).abs() < 0.05 && [found[0], found[2], found[3]] == [0.0; 3], "{found:?}");
        // Nothing moves at all.
        let still = method.base(Parabola.point().to_vec()).attribute(&Parabola, Output::Logit(0)).unwrap();
        assert_eq!(still, [0.0; 4]);
    }

    #[test]
    fn settings_have_bounds() {
        for wrong in
            [(0, 0.25, 0.02), (401, 0.25, 0.02), (9, 0.0, 0.02), (9, 1.1, 0.02), (9, 0.25, -0.1), (9, 0.25, 1.1)]
        {
            assert!(GuidedIg::new(wrong.0, wrong.1, wrong.2).is_err(), "{wrong:?}");
        }
    }
}
