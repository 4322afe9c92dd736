//! A divergence of one's own, in one type: `cargo run --release -p lipex --example own_divergence`.
//!
//! The α-divergence is built in; here it is written again, as a user would, and gives the same explanation.

use lipex::prelude::*;
use lipex::{Cuda, Intercept, Pairs};

/// (p^α q^(1−α) − αp − (1−α)q) / (α(α−1)), for 0 < α < 1.
struct OwnAlpha(f32);

impl Divergence for OwnAlpha {
    fn name(&self) -> String {
        format!("own-alpha:{}", self.0)
    }

    // Generic over the number type: f64 gives the value, dual numbers the gradient and the curvature, lanes the fast code.
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        let (a, b) = (R::constant(self.0), R::constant(1.0 - self.0));
        // q^(1−α) from ln q, which stays finite where q underflows.
        let mixed = p.powf(self.0) * (q.ln * b).exp();
        (mixed - a * p - b * q.value) / R::constant(self.0 * (self.0 - 1.0))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = TextInstance::new("I can't believe you threw me a surprise party, I'm shaking with joy")?;
    // Any black box will do; this one hears joy and anger in single letters.
    let model = TextFn::new(["joy", "anger", "neither"], |texts| {
        let score = |text: &str, letter| text.matches(letter).count() as f64 / 2.0;
        texts.iter().map(|t| [score(t, 'y'), score(t, 'r'), 1.0]).collect()
    });
    let model = model.logits();
    // Without pairs: two of equal gain may be taken in either order, and W would differ by that.
    let own =
        lipex().pairs(Pairs::None).intercept(Intercept::Fitted).divergence(OwnAlpha(0.5)).explain(&text, &model)?;
    let built_in =
        lipex().pairs(Pairs::None).intercept(Intercept::Fitted).divergence(Alpha::new(0.5)?).explain(&text, &model)?;
    // α = ½ is 4 H², and λ is scaled by curvature, so the squared Hellinger distance gives the same matrix once more.
    let hellinger =
        lipex().pairs(Pairs::None).intercept(Intercept::Fitted).divergence(Hellinger).explain(&text, &model)?;

    println!("largest difference of W from the built-in one: {:.1e}", difference(&own, &built_in));
    println!("largest difference of W from Hellinger's:      {:.1e}", difference(&own, &hellinger));
    let kappa = OwnAlpha(0.5).kappa().ok_or("the curvature is one number")?;
    println!("its curvature κ, found from the formula: {kappa:.4}");
    assert!(difference(&own, &built_in) < 1e-6 && difference(&own, &hellinger) < 1e-2 && (kappa - 1.0).abs() < 1e-6);
    on_a_device(&text, &model)
}

/// The same type on a CUDA device, where there is one: no toolkit, no compiler but the driver's.
fn on_a_device<M>(text: &TextInstance, model: &M) -> Result<(), Box<dyn std::error::Error>>
where
    M: BlackBox<Cpu, Texts> + BlackBox<Cuda, Texts>,
{
    let device = match Cuda::new() {
        Ok(device) => device,
        Err(reason) => {
            println!("not tried on a device: {reason}");
            return Ok(());
        }
    };
    // λ is large enough here to pin W down to its third decimal.
    let cpu = lipex()
        .pairs(Pairs::None)
        .intercept(Intercept::Fitted)
        .divergence(OwnAlpha(0.5))
        .lambda(1e-2)
        .explain(text, model)?;
    let on = Explainer::lipex(device.clone()).pairs(Pairs::None).intercept(Intercept::Fitted);
    let cuda = on.divergence(OwnAlpha(0.5)).lambda(1e-2).explain(text, model)?;
    let objective = |e: &Explanation| e.fit.as_ref().map_or(f64::NAN, |fit| fit.objective);
    let objectives = (objective(&cpu) - objective(&cuda)).abs();
    println!("on {}: objectives differ by {objectives:.1e}, W by {:.1e}", device.info().name, difference(&cpu, &cuda));
    assert!(objectives < 1e-5 && difference(&cpu, &cuda) < 1e-3);
    Ok(())
}

fn difference(a: &Explanation, b: &Explanation) -> f64 {
    let entries = |e: &Explanation| e.shares().matrix().concat();
    entries(a).iter().zip(entries(b)).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}
