//! Explainers with a preset's settings, which are those of the table in preset.rs.

use super::setters::{Given, softmax_in};
use super::{Explainer, Repeats};
use crate::backend::Backend;
use crate::evaluate::{Evaluator, OutOfFold};
use crate::fit::{Authors, KernelShap, Ridge, Softmax, Surrogate};
use crate::groups::Groups;
use crate::perturb::{Bernoulli, Perturber, ShapleySize, UniformSize};
use crate::preset::Preset;
use crate::render::Domain;
use crate::select::{All, Forward, HighestWeights, Selector};
use crate::weigh::{Exponential, Proximity, ShapleyKernel};
use std::sync::Arc;

/// The stages of a preset but for the surrogate.
struct Stages<B: Backend> {
    perturber: Arc<dyn Perturber<B>>,
    proximity: Arc<dyn Proximity<B>>,
    selector: Arc<dyn Selector<B>>,
    evaluator: Arc<dyn Evaluator<B>>,
}

impl<B: Backend> Explainer<B> {
    fn of(backend: B, preset: Preset, stages: Stages<B>, surrogate: impl Surrogate<B> + 'static) -> Self {
        let Stages { perturber, proximity, selector, evaluator } = stages;
        let softmax = softmax_in(&surrogate);
        Explainer {
            backend,
            preset,
            perturber,
            proximity,
            selector,
            surrogate: Arc::new(surrogate),
            evaluator,
            groups: Groups::All,
            rank: preset.part("rank", Domain::Text),
            samples: preset.part("samples", Domain::Text),
            seed: 0,
            batch_size: 64,
            error_bars: None,
            adaptive: None,
            repeats: Repeats::default(),
            enumerate: preset.part("enumerate", Domain::Text),
            asks: None,
            tells: None,
            given: Given::nothing_over(softmax),
        }
    }
}

// A preset asks no more of a backend than the stages that it has.

impl<B: Backend> Explainer<B>
where
    UniformSize: Perturber<B>,
    Exponential: Proximity<B>,
    OutOfFold: Evaluator<B>,
{
    /// LIME's neighbourhood, with this selector and surrogate.
    fn around(
        backend: B,
        preset: Preset,
        selector: impl Selector<B> + 'static,
        surrogate: impl Surrogate<B> + 'static,
    ) -> Self {
        let stages = Stages {
            perturber: Arc::new(UniformSize::default()),
            proximity: Arc::new(preset.part::<Exponential>("proximity", Domain::Text)),
            selector: Arc::new(selector),
            evaluator: Arc::new(OutOfFold::default()),
        };
        Self::of(backend, preset, stages, surrogate)
    }

    /// The default preset: the paper's, but anchored at the instance, with pairs of features that act together chosen by the data,
    /// λ = 10⁻⁴, ranking by support, and all masks of an instance that has few.
    ///
    /// Images have a fitted intercept: anchoring did not bring their surrogate closer ([`images`](Explainer::images)).
    pub fn lipex(backend: B) -> Self
    where
        Forward: Selector<B>,
        Softmax: Surrogate<B>,
    {
        Self::around(
            backend,
            Preset::Lipex,
            Preset::Lipex.part::<Forward>("select", Domain::Text),
            Preset::Lipex.softmax(Domain::Text),
        )
        .fits_softmax()
    }

    /// The paper's settings: no intercept, λ = 10⁻³, 1000 masks, 5 features a class, ranking by |W|.
    pub fn paper(backend: B) -> Self
    where
        Forward: Selector<B>,
        Softmax: Surrogate<B>,
    {
        Self::around(
            backend,
            Preset::Paper,
            Preset::Paper.part::<Forward>("select", Domain::Text),
            Preset::Paper.softmax(Domain::Text),
        )
        .fits_softmax()
    }

    /// All-class LIME: 5000 masks, highest weights (10), ridge on each class's own picks.
    pub fn lime(backend: B) -> Self
    where
        HighestWeights: Selector<B>,
        Ridge: Surrogate<B>,
    {
        Self::around(
            backend,
            Preset::Lime,
            Preset::Lime.part::<HighestWeights>("select", Domain::Text),
            Preset::Lime.ridge(),
        )
    }

    /// The paper's settings with the surrogate fitted as the authors' released code does it; see [`Authors`].
    pub fn authors(backend: B) -> Self
    where
        Forward: Selector<B>,
        Authors: Surrogate<B>,
    {
        Self::around(
            backend,
            Preset::Authors,
            Preset::Authors.part::<Forward>("select", Domain::Text),
            Preset::Authors.authors(),
        )
    }

    /// An explainer with a preset's settings.
    pub fn with_preset(backend: B, preset: Preset) -> Self
    where
        ShapleySize: Perturber<B>,
        ShapleyKernel: Proximity<B>,
        Forward: Selector<B>,
        HighestWeights: Selector<B>,
        Softmax: Surrogate<B>,
        Ridge: Surrogate<B>,
        Authors: Surrogate<B>,
        KernelShap: Surrogate<B>,
    {
        match preset {
            Preset::Lipex => Self::lipex(backend),
            Preset::Paper => Self::paper(backend),
            Preset::Lime => Self::lime(backend),
            Preset::Authors => Self::authors(backend),
            Preset::KernelShap => Self::kernel_shap(backend),
        }
    }
}

impl<B: Backend> Explainer<B>
where
    ShapleySize: Perturber<B>,
    ShapleyKernel: Proximity<B>,
    KernelShap: Surrogate<B>,
    OutOfFold: Evaluator<B>,
{
    /// Kernel SHAP: 2D + 2048 coalitions or all there are, with weights of their own, every feature, least squares with efficiency. Exact up
    /// to 11 features.
    pub fn kernel_shap(backend: B) -> Self {
        let stages = Stages {
            perturber: Arc::new(ShapleySize),
            proximity: Arc::new(ShapleyKernel),
            selector: Arc::new(All),
            evaluator: Arc::new(OutOfFold::default()),
        };
        Self::of(backend, Preset::KernelShap, stages, KernelShap)
    }
}

impl<B: Backend> Explainer<B>
where
    Bernoulli: Perturber<B>,
    All: Selector<B>,
{
    /// The preset's settings for images, where it has others for them: masks keep each segment with probability ½, as LIME's
    /// and the paper's do; LIME's preset has 1000 masks and keeps every segment. Kernel SHAP
    /// has no others. What another setter sets stays as it sets it, before or after.
    pub fn images(mut self) -> Self {
        if self.preset == Preset::KernelShap {
            return self;
        }
        if !self.given.perturber {
            self.perturber = Arc::new(self.preset.part::<Bernoulli>("sampler", Domain::Image));
        }
        if !self.given.samples {
            self.samples = self.preset.part("samples", Domain::Image);
        }
        if !self.given.selector && self.preset == Preset::Lime {
            self.selector = Arc::new(All);
        }
        if !self.given.surrogate {
            self.given.softmax = self.given.softmax.map(|_| self.preset.softmax(Domain::Image));
        }
        self.remade()
    }
}
