//! The methods: what each makes of gradients. x is the point, x₀ = 0 the base, g the gradient of the output F.

use lipex_core::{Attribution, Describe, Error, GradientRule, Local, Output, Result, Setting};

/// g: which numbers the output is most sensitive to (Vanilla).
///
/// ```
/// use lipex_core::Describe;
///
/// assert_eq!(lipex_grad::Saliency.describe()[0].value, "saliency");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Saliency;

/// g at ReLUs and clips from 0 on which nothing negative passes. Known not to depend on the last layers much.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guided;

/// x·g.
#[derive(Clone, Copy, Debug, Default)]
pub struct InputXGradient;

/// DeepLIFT by the rescale rule: scores add up to F(x) − F(0).
#[derive(Clone, Copy, Debug, Default)]
pub struct DeepLift;

/// Integrated gradients: (x − 0)·∫ g(a·x) da, by Gauss–Legendre.
///
/// Scores add up to F(x) − F(0) but for the integral's error, which is the delta.
#[derive(Clone, Copy, Debug)]
pub struct IntegratedGradients {
    points: usize,
}

impl Default for IntegratedGradients {
    /// 50 points, as captum.
    fn default() -> Self {
        IntegratedGradients { points: 50 }
    }
}

impl IntegratedGradients {
    /// With so many points of the integral; more make the delta smaller and take as much longer.
    ///
    /// # Errors
    /// [`Error::Setting`] for less than 1 or more than 400.
    pub fn new(points: usize) -> Result<Self> {
        if (1..=400).contains(&points) {
            return Ok(IntegratedGradients { points });
        }
        Err(Error::setting("steps", points, "choose 1 to 400"))
    }
}

/// The gradient at the point.
fn gradient(at: &dyn Local, output: Output, rule: GradientRule<'_>) -> Result<Vec<f32>> {
    let mut found = at.evaluate(at.point(), output, rule)?;
    found.pop().map(|e| e.gradient).ok_or_else(|| Error::model("the model gave no gradient"))
}

/// A score a number of the point.
fn times(x: &[f32], g: &[f32]) -> Vec<f32> {
    x.iter().zip(g).map(|(x, g)| x * g).collect()
}

/// F(x) − F(0).
fn moved(at: &dyn Local, output: Output) -> Result<Option<f64>> {
    let both = [at.point(), &vec![0.0; at.point().len()]].concat();
    let found = at.evaluate(&both, output, GradientRule::Plain)?;
    Ok(found.first().zip(found.get(1)).map(|(x, base)| x.value - base.value))
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

impl Describe for IntegratedGradients {
    fn describe(&self) -> Vec<Setting> {
        vec![Setting::new("method", "integrated-gradients"), Setting::new("steps", self.points)]
    }
}

impl Attribution for Saliency {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        gradient(at, output, GradientRule::Plain)
    }
}

impl Attribution for Guided {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        gradient(at, output, GradientRule::Guided)
    }
}

impl Attribution for InputXGradient {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        Ok(times(at.point(), &gradient(at, output, GradientRule::Plain)?))
    }
}

impl Attribution for DeepLift {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        let reference = vec![0.0; at.point().len()];
        Ok(times(at.point(), &gradient(at, output, GradientRule::Rescale { reference: &reference })?))
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        moved(at, output)
    }
}

impl Attribution for IntegratedGradients {
    fn attribute(&self, at: &dyn Local, output: Output) -> Result<Vec<f32>> {
        let mut sum = vec![0.0f64; at.point().len()];
        for (place, weight) in legendre(self.points) {
            let on_the_way: Vec<f32> = at.point().iter().map(|&x| (place * f64::from(x)) as f32).collect();
            for found in at.evaluate(&on_the_way, output, GradientRule::Plain)? {
                sum.iter_mut().zip(&found.gradient).for_each(|(s, &g)| *s += weight * f64::from(g));
            }
        }
        Ok(sum.iter().zip(at.point()).map(|(s, &x)| (s * f64::from(x)) as f32).collect())
    }

    fn total(&self, at: &dyn Local, output: Output) -> Result<Option<f64>> {
        moved(at, output)
    }
}

/// Places and weights of Gauss and Legendre's rule on [0, 1]: roots of Pₙ by Newton's method.
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
    struct Parabola;

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
    fn two_points_as_published() {
        let rule = legendre(2);
        assert!((rule[0].0 - 0.5 * (1.0 - 1.0 / 3f64.sqrt())).abs() < 1e-15 && (rule[0].1 - 0.5).abs() < 1e-15);
        assert!((legendre(50).iter().map(|r| r.1).sum::<f64>() - 1.0).abs() < 1e-13);
    }
}
