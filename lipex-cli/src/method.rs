//! From options to an explainer and its parts.

use crate::backend::{Everything, Fitting, Law, Picking, Weighing};
use crate::options::{MethodOptions, NoiseOptions, SamplingOptions, SurrogateOptions};
use crate::parse;
use lipex::{
    Adaptive, Authors, AuthorsLoss, Backend, Domain, Error, ErrorBars, Explainer, Intercept, KernelShap, Pairs,
    Perturber, Preset, Proximity, Result, Ridge, Rule, Selector, ShapleyKernel, Softmax, Surrogate, by_name,
};
use std::sync::Arc;

/// An explainer with a preset's settings and those that the options change.
pub fn explainer<B: Everything>(
    on: B,
    method: &MethodOptions,
    sampling: &SamplingOptions,
    domain: Domain,
) -> Result<Explainer<B>>
where
    Arc<dyn Law>: Perturber<B>,
    Arc<dyn Weighing>: Proximity<B>,
    Arc<dyn Picking>: Selector<B>,
    Arc<dyn Fitting>: Surrogate<B>,
{
    let preset = Preset::by_name(&method.preset)?;
    let mut explainer = on.preset(preset).seed(sampling.seed);
    if domain == Domain::Image {
        explainer = B::images(explainer);
    }
    explainer = explainer.surrogate(surrogate(preset, &method.surrogate, sampling.seed)?);
    if let Some(samples) = sampling.samples {
        explainer = explainer.samples(samples);
    }
    let usual = match (preset, domain) {
        (Preset::KernelShap, _) => "kernel-shap",
        (_, Domain::Text) => "uniform-size",
        (_, Domain::Image) => "bernoulli",
    };
    let sampler = sampling.sampler.as_deref().unwrap_or(usual);
    if sampling.sampler.is_some() || sampling.within_angle.is_some() {
        explainer = explainer.perturber(parse::sampler(sampler, sampling, domain)?);
    }
    explainer = match (sampler, method.weigh.proximity.as_deref()) {
        ("kernel-shap", Some(other)) if other != "shapley" => {
            let reason =
                "the sampler kernel-shap weighs masks itself; leave --proximity out, or choose another sampler";
            return Err(Error::setting("proximity", other, reason));
        }
        ("kernel-shap", _) => explainer.proximity(Arc::new(ShapleyKernel) as Arc<dyn Weighing>),
        (_, Some(proximity)) => explainer.proximity(parse::proximity(proximity)?),
        (_, None) => explainer,
    };
    if let Some(select) = &method.select.select {
        explainer = explainer.selector(parse::select(select)?);
    }
    Ok(explainer)
}

/// Adds error bars and growth if the options ask for them; `top` is the K that a word's share in the top is of.
pub fn with_noise<B: Backend>(mut explainer: Explainer<B>, options: &NoiseOptions, top: usize) -> Result<Explainer<B>> {
    if options.bars.uncertainty {
        explainer = explainer.error_bars(ErrorBars::default().top(top.max(1))?);
    }
    if !options.adaptive {
        return Ok(explainer);
    }
    let mut adaptive = Adaptive::default();
    if let Some(settled) = &options.settled {
        adaptive = adaptive.rule(parse::settled(settled)?)?;
    }
    if let Some(half_width) = options.half_width {
        adaptive = adaptive.rule(Rule::HalfWidth(half_width))?;
    }
    if let Some(most) = options.max_samples {
        adaptive = adaptive.most(most)?;
    }
    Ok(explainer.adaptive(adaptive))
}

/// The surrogate: the preset's, or the one that is named, with the settings that it alone has.
pub fn surrogate(preset: Preset, options: &SurrogateOptions, seed: u64) -> Result<Arc<dyn Fitting>> {
    if options.no_intercept {
        return Err(Error::setting("no-intercept", "set", "it is --intercept none now"));
    }
    let usual = match preset {
        Preset::Lipex | Preset::Paper => "softmax",
        Preset::Lime => "ridge",
        Preset::Authors => "authors",
        Preset::KernelShap => "kernel-shap",
    };
    Ok(match options.surrogate.as_deref().unwrap_or(usual) {
        "softmax" => Arc::new(softmax(preset, options)?),
        "ridge" => Arc::new(ridge(options)?),
        "authors" => {
            only(&["divergence"], "the authors' recipe", options)?;
            let loss = options.divergence.as_deref().map_or(Ok(AuthorsLoss::default()), AuthorsLoss::by_name)?;
            Arc::new(Authors::default().loss(loss).seed(seed))
        }
        "kernel-shap" => {
            only(&["intercept"], "kernel-shap", options)?;
            if let Some(other) = options.intercept.as_deref().filter(|intercept| *intercept != "anchored") {
                let reason =
                    "kernel-shap is anchored by nature, at the answers for everything and for nothing; leave it out";
                return Err(Error::setting("intercept", other, reason));
            }
            Arc::new(KernelShap)
        }
        other => return Err(Error::setting("surrogate", other, "choose softmax, ridge, authors or kernel-shap")),
    })
}

fn softmax(preset: Preset, options: &SurrogateOptions) -> Result<Softmax> {
    let own = ["divergence", "lambda", "lambda-scale", "normalise", "intercept", "pairs", "tolerance", "starts"];
    only(&own, "a softmax", options)?;
    let mut softmax = preset.softmax();
    if let Some(divergence) = &options.divergence {
        softmax = softmax.erased_divergence(by_name(divergence)?);
    }
    softmax = match options.lambda.as_deref() {
        None => softmax,
        Some("auto") => softmax.lambda_auto(),
        Some(lambda) => softmax.lambda(parse::lambda(lambda)?)?,
    };
    if let Some(starts) = &options.starts {
        softmax = softmax.starts(parse::starts(starts)?);
    }
    if let Some(scale) = &options.lambda_scale {
        softmax = softmax.lambda_scale(parse::lambda_scale(scale)?);
    }
    if let Some(normalise) = &options.normalise {
        softmax = softmax.normalise(parse::normalise(normalise)?);
    }
    if let Some(intercept) = &options.intercept {
        softmax = softmax.intercept(Intercept::by_name(intercept)?);
    }
    if let Some(pairs) = &options.pairs {
        softmax = softmax.pairs(Pairs::by_name(pairs)?);
    }
    if let Some(tolerance) = options.tolerance {
        softmax = softmax.tolerance(tolerance)?;
    }
    softmax.check()?;
    Ok(softmax)
}

fn ridge(options: &SurrogateOptions) -> Result<Ridge> {
    only(&["alpha", "intercept"], "a ridge", options)?;
    let mut ridge = options.alpha.map_or(Ok(Ridge::default()), |alpha| Ridge::default().alpha(alpha))?;
    if let Some(intercept) = &options.intercept {
        ridge = ridge.intercept(Intercept::by_name(intercept)?)?;
    }
    Ok(ridge)
}

/// Passes if no setting is given but those that the surrogate has.
fn only(has: &[&str], surrogate: &str, options: &SurrogateOptions) -> Result<()> {
    let settings = [
        ("divergence", options.divergence.clone()),
        ("lambda", options.lambda.clone()),
        ("lambda-scale", options.lambda_scale.clone()),
        ("normalise", options.normalise.clone()),
        ("intercept", options.intercept.clone()),
        ("pairs", options.pairs.clone()),
        ("tolerance", options.tolerance.map(|t| t.to_string())),
        ("starts", options.starts.clone()),
        ("alpha", options.alpha.map(|a| a.to_string())),
    ];
    for (option, value) in settings.into_iter().filter(|(option, _)| !has.contains(option)) {
        if let Some(value) = value {
            let other = if option == "alpha" { "ridge" } else { "softmax" };
            let reason = format!("{surrogate} has no such setting; leave it out, or add --surrogate {other}");
            return Err(Error::setting(option, value, reason));
        }
    }
    Ok(())
}
