//! Divergences between the black box's row p and the surrogate's row q, each written once.
//!
//! A divergence is a sum over classes of a term φ(p, q). From that one generic function come the value in f64, the
//! gradient (through dual numbers, in u = ln q), the second derivative and the vectorised f32 code.
//!
//! # Which one
//! Squared Hellinger is bounded and treats both rows alike: the paper's. KL is convex in W and punishes missing mass most;
//! reverse KL punishes mass where the black box has none. Jensen–Shannon lies between and is bounded. Total variation is what
//! one reads off two bars, and has kinks. α goes from reverse KL (0) over Hellinger (½) to KL (1) and beyond.

use crate::program::Program;
use crate::real::{Dual, Lane, Real, Wide};
use std::sync::Arc;

/// The surrogate's probability of one class, in the forms that stay finite when q underflows.
///
/// ```
/// use lipex_core::Q;
///
/// // A probability that underflows still has its logarithm and its root.
/// let q = Q::of_ln(-800.0);
/// assert!(q.value == 0.0 && q.ln == -800.0 && q.sqrt > 0.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Q<R> {
    /// q itself; may underflow to 0.
    pub value: R,
    /// ln q, from log-softmax; always finite.
    pub ln: R,
    /// √q.
    pub sqrt: R,
}

impl Q<f64> {
    /// q from its logarithm.
    pub fn of_ln(ln: f64) -> Self {
        Q { value: ln.exp(), ln, sqrt: (0.5 * ln).exp() }
    }
}

impl<R: Real> Q<Dual<R>> {
    /// q as a function of ln q: each form with its derivative in ln q.
    #[inline(always)]
    pub fn dual(q: Q<R>) -> Self {
        Q {
            value: Dual { value: q.value, slope: q.value },
            ln: Dual { value: q.ln, slope: R::constant(1.0) },
            sqrt: Dual { value: q.sqrt, slope: q.sqrt * R::constant(0.5) },
        }
    }
}

/// How far a row of surrogate probabilities lies from the black box's: d(p‖q) = Σ_c φ(p_c, q_c).
///
/// One short type with one method is a divergence; it then runs everywhere.
///
/// ```
/// use lipex_core::{Divergence, Q, Real};
///
/// /// Half the squared difference.
/// struct Brier;
///
/// impl Divergence for Brier {
///     fn name(&self) -> String {
///         "brier".into()
///     }
///     fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
///         let d = p - q.value;
///         R::constant(0.5) * d * d
///     }
/// }
/// ```
///
/// # Numerics
/// Never divide by q: it underflows. Work in `q.ln` and `q.sqrt`. p may be exactly 0 or 1.
pub trait Divergence: Send + Sync + 'static {
    /// The name that reports print.
    fn name(&self) -> String;

    /// φ(p, q), one class's share.
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R;

    /// A smooth stand-in for φ, used while fitting, that tends to φ as `width` tends to 0.
    ///
    /// Only for a φ with kinks, like the total variation's; override [`is_smooth`](Divergence::is_smooth) too.
    fn smoothed<R: Real>(&self, p: R, q: Q<R>, width: R) -> R {
        let _ = width;
        self.term(p, q)
    }

    /// Whether φ has a derivative everywhere; if not, the fit goes through [`smoothed`](Divergence::smoothed).
    fn is_smooth(&self) -> bool {
        true
    }

    /// κ: near p = q the divergence is (κ/2)·(ℓ−ℓ*)ᵀ(diag q − qqᵀ)(ℓ−ℓ*) in the logits ℓ.
    ///
    /// By default it is computed: (∂²φ/∂u² − ∂φ/∂u)/q at p = q, u = ln q; `None` where that is not one number.
    fn kappa(&self) -> Option<f64>
    where
        Self: Sized,
    {
        computed_kappa(self)
    }
}

/// κ of a divergence by nested dual numbers, or `None` if it depends on p.
pub fn computed_kappa<D: Divergence>(divergence: &D) -> Option<f64> {
    let at = |p: f64| {
        let (_, slope, second) = derivatives(divergence, p, p.ln(), None);
        (second - slope) / p
    };
    let first = at(0.37);
    let constant = [1e-3, 0.02, 0.11, 0.5, 0.73, 0.95].iter().all(|&p| (at(p) - first).abs() <= 1e-6 * first.abs());
    (constant && first.is_finite() && first > 0.0).then_some(first)
}

/// φ, ∂φ/∂u and ∂²φ/∂u² at (p, u = ln q), in f64; smoothed if a width is given.
fn derivatives<D: Divergence>(divergence: &D, p: f64, ln_q: f64, width: Option<f32>) -> (f64, f64, f64) {
    let constant = |x: f64| Dual { value: x, slope: 0.0 };
    let p = Dual { value: constant(p), slope: constant(0.0) };
    let q = Q::dual(Q::dual(Q::of_ln(ln_q)));
    let t = match width {
        None => divergence.term(p, q),
        Some(width) => divergence.smoothed(p, q, Real::constant(width)),
    };
    (t.value.value, t.slope.value, t.slope.slope)
}

/// Rows of q in the forms a divergence wants, as equally long slices.
///
/// ```
/// use lipex_core::{ErasedDivergence, Hellinger, QRows};
///
/// // Two classes whose q is .5; the black box gives .5 and 1.
/// let (value, ln, sqrt) = ([0.5f32; 2], [0.5f32.ln(); 2], [0.5f32.sqrt(); 2]);
/// let (mut terms, mut slopes) = ([0.0; 2], [0.0; 2]);
/// let q = QRows { value: &value, ln: &ln, sqrt: &sqrt };
/// Hellinger.terms(&[0.5, 1.0], q, None, &mut terms, &mut slopes);
/// assert!(terms[0].abs() < 1e-6 && terms[1] > 0.01);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct QRows<'a, T = f32> {
    /// q.
    pub value: &'a [T],
    /// ln q.
    pub ln: &'a [T],
    /// √q.
    pub sqrt: &'a [T],
}

/// A divergence behind a pointer. Every [`Divergence`] is one; this is what surrogates hold.
///
/// ```
/// use lipex_core::by_name;
///
/// // Chosen while the program runs, as a command line does.
/// for name in ["hellinger", "kl", "js"] {
///     let divergence = by_name(name)?;
///     assert!(divergence.value(0.3, 0.3f64.ln()).abs() < 1e-9, "{name} of p = q");
/// }
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub trait ErasedDivergence: Send + Sync {
    /// The name that reports print.
    fn name(&self) -> String;
    /// See [`Divergence::is_smooth`].
    fn is_smooth(&self) -> bool;
    /// See [`Divergence::kappa`].
    fn kappa(&self) -> Option<f64>;
    /// φ(p, q) in f64, from ln q.
    fn value(&self, p: f64, ln_q: f64) -> f64;
    /// φ, ∂φ/∂u and ∂²φ/∂u² in f64 at u = ln q; of the smoothed φ if a width is given.
    fn derivatives(&self, p: f64, ln_q: f64, width: Option<f32>) -> (f64, f64, f64);
    /// φ and ∂φ/∂u for many classes at once in f32, on the widest vectors the machine has.
    ///
    /// # Shapes
    /// All slices have the length of `p`; extra elements are left alone.
    fn terms(&self, p: &[f32], q: QRows<'_>, width: Option<f32>, value: &mut [f32], slope: &mut [f32]);
    /// φ and ∂φ/∂u as a program for a backend; of the smoothed φ, which has the width as an input, if `smoothed`.
    fn record(&self, smoothed: bool) -> Program;
    /// The term itself, ∂φ/∂u and ∂²φ/∂u² as a program.
    fn record_curved(&self) -> Program;
    /// The same as [`terms`](ErasedDivergence::terms) in f64.
    ///
    /// # Shapes
    /// As in [`terms`](ErasedDivergence::terms).
    fn terms_f64(&self, p: &[f64], q: QRows<'_, f64>, width: Option<f32>, value: &mut [f64], slope: &mut [f64]);
}

impl<D: Divergence> ErasedDivergence for D {
    fn name(&self) -> String {
        Divergence::name(self)
    }

    fn is_smooth(&self) -> bool {
        Divergence::is_smooth(self)
    }

    fn kappa(&self) -> Option<f64> {
        Divergence::kappa(self)
    }

    fn value(&self, p: f64, ln_q: f64) -> f64 {
        self.term(p, Q::of_ln(ln_q))
    }

    fn derivatives(&self, p: f64, ln_q: f64, width: Option<f32>) -> (f64, f64, f64) {
        derivatives(self, p, ln_q, width)
    }

    fn terms(&self, p: &[f32], q: QRows<'_>, width: Option<f32>, value: &mut [f32], slope: &mut [f32]) {
        pulp::Arch::new().dispatch(Terms { divergence: self, p, q, width, value, slope });
    }

    fn record(&self, smoothed: bool) -> Program {
        Program::record(|p, q, width| if smoothed { self.smoothed(p, q, width) } else { self.term(p, q) })
    }

    fn record_curved(&self) -> Program {
        Program::record_curved(|p, q| self.term(p, q))
    }

    fn terms_f64(&self, p: &[f64], q: QRows<'_, f64>, width: Option<f32>, value: &mut [f64], slope: &mut [f64]) {
        pulp::Arch::new().dispatch(WideTerms { divergence: self, p, q, width, value, slope });
    }
}

/// The loop of [`ErasedDivergence::terms`], compiled once for each instruction set.
struct Terms<'a, D> {
    divergence: &'a D,
    p: &'a [f32],
    q: QRows<'a>,
    width: Option<f32>,
    value: &'a mut [f32],
    slope: &'a mut [f32],
}

impl<D: Divergence> Terms<'_, D> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.p.len();
        let (q, ln, sqrt) = (&self.q.value[..n], &self.q.ln[..n], &self.q.sqrt[..n]);
        let (value, slope) = (&mut self.value[..n], &mut self.slope[..n]);
        let inputs = |i: usize| {
            let p = Dual { value: Lane::<FMA>(self.p[i]), slope: Lane(0.0) };
            (p, Q::dual(Q { value: Lane(q[i]), ln: Lane(ln[i]), sqrt: Lane(sqrt[i]) }))
        };
        match self.width {
            None => {
                for i in 0..n {
                    let (p, q) = inputs(i);
                    let t = self.divergence.term(p, q);
                    (value[i], slope[i]) = (t.value.0, t.slope.0);
                }
            }
            Some(width) => {
                for i in 0..n {
                    let (p, q) = inputs(i);
                    let t = self.divergence.smoothed(p, q, Real::constant(width));
                    (value[i], slope[i]) = (t.value.0, t.slope.0);
                }
            }
        }
    }
}

/// The loop of [`ErasedDivergence::terms_f64`].
struct WideTerms<'a, D> {
    divergence: &'a D,
    p: &'a [f64],
    q: QRows<'a, f64>,
    width: Option<f32>,
    value: &'a mut [f64],
    slope: &'a mut [f64],
}

impl<D: Divergence> WideTerms<'_, D> {
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.p.len();
        let (q, ln, sqrt) = (&self.q.value[..n], &self.q.ln[..n], &self.q.sqrt[..n]);
        let (value, slope) = (&mut self.value[..n], &mut self.slope[..n]);
        for i in 0..n {
            let p = Dual { value: Wide::<FMA>(self.p[i]), slope: Wide(0.0) };
            let q = Q::dual(Q { value: Wide(q[i]), ln: Wide(ln[i]), sqrt: Wide(sqrt[i]) });
            let t = match self.width {
                None => self.divergence.term(p, q),
                Some(width) => self.divergence.smoothed(p, q, Dual::constant(width)),
            };
            (value[i], slope[i]) = (t.value.0, t.slope.0);
        }
    }
}

impl<D: Divergence> pulp::WithSimd for WideTerms<'_, D> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        if S::F32_LANES > 1 { self.run::<true>() } else { self.run::<false>() }
    }
}

impl<D: Divergence> pulp::WithSimd for Terms<'_, D> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        // The scalar fallback is the one that has no fused multiply-add.
        if S::F32_LANES > 1 { self.run::<true>() } else { self.run::<false>() }
    }
}

/// Squared Hellinger distance, ½ Σ (√p − √q)²: the paper's, in [0, 1].
///
/// # Source
/// The paper, equation 6. Written as the square of a difference: ½(p+q) − √p√q cancels near p = q.
///
/// ```
/// use lipex_core::{ErasedDivergence, Hellinger};
///
/// // One class: ½(√.5 − √.25)²; κ = ¼.
/// let value = ErasedDivergence::value(&Hellinger, 0.5, 0.25f64.ln());
/// assert!((value - 0.5 * (0.5f64.sqrt() - 0.5).powi(2)).abs() < 1e-15);
/// assert_eq!(ErasedDivergence::kappa(&Hellinger), Some(0.25));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hellinger;

impl Divergence for Hellinger {
    fn name(&self) -> String {
        "hellinger".into()
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        let d = p.sqrt() - q.sqrt;
        R::constant(0.5) * d * d
    }
}

/// Kullback–Leibler divergence KL(p‖q) = Σ p ln(p/q), in nats.
///
/// ```
/// use lipex_core::{ErasedDivergence, Kl};
///
/// // p ln(p/q) of a class that the surrogate gives half of what it should.
/// assert!((ErasedDivergence::value(&Kl, 0.5, 0.25f64.ln()) - 0.5 * 2f64.ln()).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Kl;

impl Divergence for Kl {
    fn name(&self) -> String {
        "kl".into()
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        p.select_positive(p * (p.ln() - q.ln), R::constant(0.0))
    }
}

/// Below this the reverse KL and α outside (0, 1) take a probability as this number.
pub const FLOOR: f32 = 1e-7;

/// Reverse Kullback–Leibler divergence KL(q‖p) = Σ q ln(q/p), with p floored at [`FLOOR`].
///
/// ```
/// use lipex_core::{ErasedDivergence, ReverseKl};
///
/// // Mass where the black box has none costs much: q ln(q/p).
/// let value = ErasedDivergence::value(&ReverseKl, 1e-4, 0.5f64.ln());
/// assert!((value - 0.5 * (0.5f64 / 1e-4).ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ReverseKl;

impl Divergence for ReverseKl {
    fn name(&self) -> String {
        "reverse-kl".into()
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        q.value * (q.ln - p.max(R::constant(FLOOR)).ln())
    }
}

/// Jensen–Shannon divergence, in [0, ln 2].
///
/// ```
/// use lipex_core::{ErasedDivergence, JensenShannon};
///
/// // Rows without a class in common are ln 2 apart: half of it from each class.
/// let value = ErasedDivergence::value(&JensenShannon, 1.0, -700.0);
/// assert!((value - 0.5 * 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct JensenShannon;

impl Divergence for JensenShannon {
    fn name(&self) -> String {
        "js".into()
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        // ln 2 of the number type: the f32 constant would cost an f64 value eight digits.
        let (half, ln_2) = (R::constant(0.5), R::constant(2.0).ln());
        let ln_sum = (p + q.value).ln();
        let both = half * (p * (ln_2 + p.ln() - ln_sum) + q.value * (ln_2 + q.ln - ln_sum));
        p.select_positive(both, half * q.value * ln_2)
    }
}

/// Total variation distance, ½ Σ |p − q|, in [0, 1]. Fitted through ½(√((p−q)² + width²) − width).
///
/// ```
/// use lipex_core::{ErasedDivergence, TotalVariation};
///
/// assert!((ErasedDivergence::value(&TotalVariation, 0.5, 0.25f64.ln()) - 0.125).abs() < 1e-15);
/// assert!(!ErasedDivergence::is_smooth(&TotalVariation));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalVariation;

impl Divergence for TotalVariation {
    fn name(&self) -> String {
        "tv".into()
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        R::constant(0.5) * (p - q.value).abs()
    }
    #[inline(always)]
    fn smoothed<R: Real>(&self, p: R, q: Q<R>, width: R) -> R {
        let x = p - q.value;
        R::constant(0.5) * ((x * x + width * width).sqrt() - width)
    }
    fn is_smooth(&self) -> bool {
        false
    }
    /// Counted as the squared Hellinger distance's, so that both are penalised alike.
    fn kappa(&self) -> Option<f64> {
        Some(0.25)
    }
}

/// α-divergence (p^α q^(1−α) − αp − (1−α)q) / (α(α−1)); α = ½ is 4·H², α → 1 is KL.
///
/// # Numerics
/// Finite for 0 < α < 1; outside, p and q are floored at [`FLOOR`].
///
/// ```
/// use lipex_core::{Alpha, Divergence};
///
/// assert_eq!(Alpha::new(2.0)?.name(), "alpha:2");
/// assert!(Alpha::new(1.0).is_err()); // that limit is `Kl`
/// # Ok::<(), lipex_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Alpha {
    alpha: f32,
}

impl Alpha {
    /// The α-divergence of a finite α.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for α = 0, α = 1 (those limits are `reverse-kl` and `kl`), numbers
    /// beyond ±10 (which overflow f32), and what is no number.
    pub fn new(alpha: f32) -> crate::Result<Self> {
        if !alpha.is_finite() || alpha == 0.0 || alpha == 1.0 || alpha.abs() > 10.0 {
            let reason = "α is a number from -10 to 10 other than 0 and 1 (for those use reverse-kl and kl)";
            return Err(crate::Error::setting("divergence", format!("alpha:{alpha}"), reason));
        }
        Ok(Alpha { alpha })
    }
}

impl Divergence for Alpha {
    fn name(&self) -> String {
        format!("alpha:{}", self.alpha)
    }
    #[inline(always)]
    fn term<R: Real>(&self, p: R, q: Q<R>) -> R {
        let a = self.alpha;
        let (p, ln_q, q) = if a > 0.0 && a < 1.0 {
            (p, q.ln, q.value)
        } else {
            let floor = R::constant(FLOOR);
            (p.max(floor), q.ln.max(R::constant(FLOOR.ln())), q.value.max(floor))
        };
        // In the number type: 1 - α rounded to f32 would leave p = q with a value other than 0.
        let alpha = R::constant(a);
        let rest = R::constant(1.0) - alpha;
        let mixed = p.powf(a) * (ln_q * rest).exp();
        (alpha * p + rest * q - mixed) / (alpha * rest)
    }
}

/// A built-in divergence by name: `hellinger`, `kl`, `reverse-kl`, `js`, `tv`, `alpha:A`.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for any other name.
///
/// ```
/// use lipex_core::by_name;
///
/// assert_eq!(by_name("alpha:-0.5")?.name(), "alpha:-0.5");
/// let error = by_name("KL").err().map(|e| e.to_string()).unwrap_or_default();
/// assert!(error.contains("did you mean `kl`?"));
/// # Ok::<(), lipex_core::Error>(())
/// ```
pub fn by_name(name: &str) -> crate::Result<Arc<dyn ErasedDivergence>> {
    Ok(match name {
        "hellinger" => Arc::new(Hellinger),
        "kl" => Arc::new(Kl),
        "reverse-kl" => Arc::new(ReverseKl),
        "js" => Arc::new(JensenShannon),
        "tv" => Arc::new(TotalVariation),
        other => match other.strip_prefix("alpha:").and_then(|a| a.parse().ok()) {
            Some(alpha) => Arc::new(Alpha::new(alpha)?),
            None => {
                let choices = ["hellinger", "kl", "reverse-kl", "js", "tv", "alpha:A"];
                return Err(crate::Error::choice("divergence", other, &choices));
            }
        },
    })
}
